//! TLS in front of a server of this machine without it.

use std::{fs, sync::Arc};

use rustls::{
    ServerConfig,
    crypto::aws_lc_rs,
    pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject as _},
};
use tokio::{
    io::copy_bidirectional,
    net::{TcpListener, TcpStream},
    task::JoinHandle,
};
use tokio_rustls::TlsAcceptor;

use crate::Certificate;

/// A port with a certificate, open until it is dropped.
pub struct TlsFront {
    /// Port of the front, on 127.0.0.1.
    pub port: u16,
    listener: JoinHandle<()>,
}

impl TlsFront {
    /// Starts the front of the server on this port.
    pub async fn start(certificate: &Certificate, upstream: u16) -> Self {
        let chain = CertificateDer::pem_slice_iter(&fs::read(certificate.certificate_file()).unwrap())
            .collect::<Result<Vec<_>, _>>()
            .unwrap();
        let key = PrivateKeyDer::from_pem_file(certificate.key_file()).unwrap();
        let config = ServerConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(chain, key)
            .unwrap();
        let acceptor = TlsAcceptor::from(Arc::new(config));
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let listener = tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let acceptor = acceptor.clone();
                tokio::spawn(async move {
                    // The end that breaks off is seen at the other end.
                    if let Ok(mut inside) = TcpStream::connect(("127.0.0.1", upstream)).await
                        && let Ok(mut outside) = acceptor.accept(stream).await
                    {
                        _ = copy_bidirectional(&mut outside, &mut inside).await;
                    }
                });
            }
        });
        Self { port, listener }
    }
}

impl Drop for TlsFront {
    fn drop(&mut self) {
        self.listener.abort();
    }
}
