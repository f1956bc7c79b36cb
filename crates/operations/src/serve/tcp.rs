//! Over TCP, with TLS or without.

use std::{io, sync::Arc};

use rustls::ServerConfig;
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::TlsAcceptor;

use super::{Accept, Server, patient::Patient};

impl Server {
    /// Serves until the shutdown. Callers need a token, which everybody on the way can read without TLS.
    pub async fn tcp(&self, listener: TcpListener, tls: Option<Arc<ServerConfig>>) {
        let tls = tls.map(TlsAcceptor::from);
        self.serve(&listener, |stream: TcpStream| {
            let (server, tls) = (self.clone(), tls.clone());
            async move {
                // Answers are small: they are not to wait for more.
                let _slower = stream.set_nodelay(true);
                // Gone already.
                let Ok(address) = stream.peer_addr() else { return };
                let guest = server.strangers.enter(address.ip());
                let stream = Patient::new(stream, server.limits.write_time);
                match tls {
                    None => server.carry(stream, None, Some(guest)).await,
                    Some(tls) => {
                        let accepted = tokio::time::timeout(server.limits.header_time, tls.accept(stream));
                        let accepted = tokio::select! {
                            accepted = accepted => accepted,
                            () = guest.cut.cancelled() => return,
                        };
                        match accepted {
                            Ok(Ok(stream)) => server.carry(stream, None, Some(guest)).await,
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
