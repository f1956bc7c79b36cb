//! Over TCP, with TLS or without.

use std::{io, sync::Arc};

use rustls::ServerConfig;
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::TlsAcceptor;

use super::{Accept, Server};

impl Server {
    /// Serves until the shutdown. Callers need a token, which everybody on the way can read without TLS.
    pub async fn tcp(&self, listener: TcpListener, tls: Option<Arc<ServerConfig>>) {
        let tls = tls.map(TlsAcceptor::from);
        self.serve(&listener, |stream: TcpStream| {
            let (server, tls) = (self.clone(), tls.clone());
            async move {
                // Answers are small: they are not to wait for more.
                let _slower = stream.set_nodelay(true);
                match tls {
                    None => server.carry(stream, None).await,
                    Some(tls) => {
                        match tokio::time::timeout(server.limits.header_time, tls.accept(stream)).await {
                            Ok(Ok(stream)) => server.carry(stream, None).await,
                            Ok(Err(error)) => tracing::debug!("TLS could not begin: {error}"),
                            Err(_) => tracing::debug!("TLS did not begin in time"),
                        }
                    }
                }
            }
        })
        .await;
    }
}

impl Accept for TcpListener {
    type Socket = TcpStream;

    async fn accept_one(&self) -> io::Result<TcpStream> {
        Ok(self.accept().await?.0)
    }
}
