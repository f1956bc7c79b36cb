//! Serves over TCP, with or without TLS.

use std::{io, sync::Arc};

use rustls::ServerConfig;
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::TlsAcceptor;

use super::{Accept, Server, patient::Patient};
use crate::caller::Peer;

impl Server {
    /// Serves until shutdown. Callers need a token. Warning: without TLS, anyone on the network
    /// path can read it.
    pub async fn tcp(&self, listener: TcpListener, tls: Option<Arc<ServerConfig>>) {
        let tls = tls.map(TlsAcceptor::from);
        self.serve(&listener, |stream: TcpStream| {
            let (server, tls) = (self.clone(), tls.clone());
            async move {
                // Answers are small, so they are sent without delay.
                let _slower = stream.set_nodelay(true);
                // The client has disconnected.
                let Ok(address) = stream.peer_addr() else { return };
                let guest = server.strangers.enter(address.ip());
                let peer = Peer { address: address.ip(), is_encrypted: tls.is_some() };
                let stream = Patient::new(stream, server.limits.write_time);
                match tls {
                    None => server.carry(stream, None, Some((guest, peer))).await,
                    Some(tls) => {
                        let accepted = tokio::time::timeout(server.limits.header_time, tls.accept(stream));
                        let accepted = tokio::select! {
                            accepted = accepted => accepted,
                            () = guest.cut.cancelled() => return,
                        };
                        match accepted {
                            Ok(Ok(stream)) => server.carry(stream, None, Some((guest, peer))).await,
                            Ok(Err(error)) => tracing::debug!("the TLS handshake failed: {error}"),
                            Err(_) => tracing::debug!("the TLS handshake timed out"),
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
