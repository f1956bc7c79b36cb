//! TLS (RFC 8314): handshake and verification of certificates.

use std::{
    fmt, fs, io,
    sync::{Arc, OnceLock},
};

use rustls::{
    CertificateError, ClientConfig, DigitallySignedStruct, OtherError, ProtocolVersion, RootCertStore,
    SignatureScheme,
    client::{
        WebPkiServerVerifier,
        danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier},
    },
    crypto::{CryptoProvider, aws_lc_rs, verify_tls12_signature, verify_tls13_signature},
    pki_types::{CertificateDer, ServerName, UnixTime, pem::PemObject},
    version::{TLS12, TLS13},
};
use sha2::{Digest as _, Sha256};
use tokio::time::timeout;
use tokio_rustls::{TlsConnector, client::TlsStream};

use crate::{
    certificate::{Certificate, is_good_for, names_host},
    error::{Error, ErrorKind},
    options::{ConnectOptions, TlsOptions},
    signature::{is_signed, short_key, short_key_schemes},
    socket::Socket,
    trace::Milestone,
    untrusted::{Reason, UntrustedCertificate, untrusted},
};

/// Longest certificate chain that is shown.
const MAX_CHAIN: usize = 10;

/// Performs the TLS handshake. The certificate must be for `host`.
pub(crate) async fn handshake(
    socket: Socket,
    options: &ConnectOptions,
    host: &str,
) -> Result<TlsStream<Socket>, Error> {
    let config = client_config(&options.tls, options.takes_short_keys)?;
    let patience = options.timeouts.greeting;
    let name = ServerName::try_from(host.to_owned()).map_err(|_| {
        Error::endpoint(ErrorKind::Tls, format!("TLS needs a host name or an address, and {host} is neither"))
    })?;
    let connecting = TlsConnector::from(config).connect(name.clone(), socket);
    let Ok(outcome) = timeout(patience, connecting).await else {
        let words = format!("TLS with {host}: no answer within {} s", patience.as_secs_f32());
        return Err(Error::session(ErrorKind::Timeout, words));
    };
    match outcome {
        Ok(stream) => {
            let session = stream.get_ref().1;
            show(options, session.peer_certificates().unwrap_or_default(), &name);
            let version = match session.protocol_version() {
                Some(ProtocolVersion::TLSv1_2) => "TLS 1.2",
                _ => "TLS 1.3",
            };
            let cipher = session.negotiated_cipher_suite().and_then(|suite| suite.suite().as_str());
            options.report(&Milestone::Secured { version, cipher: cipher.unwrap_or("unknown") });
            Ok(stream)
        }
        Err(error) => {
            if let Some(untrusted) = untrusted(&error) {
                show(options, &untrusted.chain, &name);
            }
            Err(handshake_error(host, &error))
        }
    }
}

fn show(options: &ConnectOptions, chain: &[CertificateDer<'_>], host: &ServerName<'_>) {
    if options.trace.is_none() {
        return;
    }
    let read: Vec<Certificate> = chain.iter().take(MAX_CHAIN).map(Certificate::read).collect();
    let names_host = chain.first().is_some_and(|own| names_host(own, host));
    options.report(&Milestone::Certificates { chain: &read, names_host });
}

impl TlsOptions {
    /// Returns an error if these options cannot be used to verify certificates.
    pub fn check(&self) -> Result<(), Error> {
        client_config(self, false).map(drop)
    }

    /// True if a certificate may be trusted itself, without a trusted issuer.
    pub(crate) fn may_name_certificate(&self) -> bool {
        self.accept_untrusted || self.pin_sha256.is_some() || self.ca_pem.is_some() || self.ca_file.is_some()
    }
}

/// Returns the configuration for these options.
///
/// The default one exists once: it is slow to load the system's certificates, and sessions are resumed from its cache.
pub(crate) fn client_config(
    options: &TlsOptions,
    takes_short_keys: bool,
) -> Result<Arc<ClientConfig>, Error> {
    static SYSTEM: OnceLock<Arc<ClientConfig>> = OnceLock::new();
    if *options != TlsOptions::default() || takes_short_keys {
        return build(options, takes_short_keys);
    }
    if let Some(config) = SYSTEM.get() {
        return Ok(Arc::clone(config));
    }
    let config = build(options, false)?;
    Ok(Arc::clone(SYSTEM.get_or_init(|| config)))
}

fn build(options: &TlsOptions, takes_short_keys: bool) -> Result<Arc<ClientConfig>, Error> {
    let provider = Arc::new(aws_lc_rs::default_provider());
    let trust = Trust::new(options, &provider)?;
    let versions: &[_] = if takes_short_keys { &[&TLS12] } else { &[&TLS13, &TLS12] };
    let verifier = Verifier { trust, provider: Arc::clone(&provider), takes_short_keys };
    let config = ClientConfig::builder_with_provider(provider)
        .with_protocol_versions(versions)
        .map_err(|error| Error::endpoint(ErrorKind::Tls, format!("TLS cannot be set up: {error}")))?
        .dangerous()
        .with_custom_certificate_verifier(Arc::new(verifier))
        .with_no_client_auth();
    Ok(Arc::new(config))
}

/// Verification of a certificate.
#[derive(Debug)]
enum Trust {
    /// Only the certificate with this fingerprint is trusted.
    Pinned([u8; 32]),
    /// Every certificate is trusted.
    Anybody,
    /// Issuer, dates and names are verified.
    Issuers(Arc<dyn ServerCertVerifier>),
    /// The same, with issuers from the operator. One of them may be the server's own, self-signed certificate.
    Named { issuers: Arc<dyn ServerCertVerifier>, certificates: Vec<CertificateDer<'static>> },
}

impl Trust {
    /// Returns the strictest verification of the options: a pin takes precedence over `accept_untrusted`.
    fn new(options: &TlsOptions, provider: &Arc<CryptoProvider>) -> Result<Self, Error> {
        if let Some(pin) = options.pin_sha256 {
            return Ok(Self::Pinned(pin));
        }
        if options.accept_untrusted {
            return Ok(Self::Anybody);
        }
        let (source, pem) = match (&options.ca_pem, &options.ca_file) {
            (Some(pem), _) => ("the CA certificates".to_owned(), Ok(pem.clone().into_bytes())),
            (None, Some(file)) => (format!("the CA file {}", file.display()), fs::read(file)),
            (None, None) => {
                let verifier =
                    rustls_platform_verifier::Verifier::new(Arc::clone(provider)).map_err(|error| {
                        Error::endpoint(
                            ErrorKind::Tls,
                            format!("the system's certificates cannot be used: {error}"),
                        )
                    })?;
                return Ok(Self::Issuers(Arc::new(verifier)));
            }
        };
        let unusable = |why: &dyn fmt::Display| {
            Error::endpoint(ErrorKind::Tls, format!("{source} cannot be used: {why}"))
        };
        let pem = pem.map_err(|error| unusable(&error))?;
        let mut roots = RootCertStore::empty();
        let mut certificates = Vec::new();
        for certificate in CertificateDer::pem_slice_iter(&pem) {
            let certificate = certificate.map_err(|error| unusable(&error))?;
            certificates.push(certificate.clone());
            roots.add(certificate).map_err(|error| unusable(&error))?;
        }
        if roots.is_empty() {
            return Err(unusable(&"there is no certificate (PEM) in it"));
        }
        let verifier = WebPkiServerVerifier::builder_with_provider(Arc::new(roots), Arc::clone(provider));
        let issuers = verifier.build().map_err(|error| unusable(&error))?;
        Ok(Self::Named { issuers, certificates })
    }

    /// True if the operator named this certificate, and it is valid for the server now.
    fn names(&self, certificate: &CertificateDer<'_>, server: &ServerName<'_>, now: UnixTime) -> bool {
        let Self::Named { certificates, .. } = self else { return false };
        certificates.iter().any(|named| named == certificate) && is_good_for(certificate, server, now)
    }

    /// True if the certificate itself is trusted, so that an old format or a short key is allowed.
    fn is_by_fingerprint(&self, certificate: &CertificateDer<'_>) -> bool {
        match self {
            Self::Pinned(_) | Self::Anybody => true,
            Self::Issuers(_) => false,
            Self::Named { certificates, .. } => certificates.iter().any(|named| named == certificate),
        }
    }
}

/// Verifies certificates. An error contains the fingerprint of the refused certificate.
///
/// Invariant: the server must prove that it has the certificate's key, whatever is trusted.
#[derive(Debug)]
struct Verifier {
    trust: Trust,
    provider: Arc<CryptoProvider>,
    takes_short_keys: bool,
}

impl ServerCertVerifier for Verifier {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        server_name: &ServerName<'_>,
        ocsp_response: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        let seen: [u8; 32] = Sha256::digest(end_entity).into();
        let reason = match &self.trust {
            Trust::Anybody => return Ok(ServerCertVerified::assertion()),
            Trust::Pinned(pin) if *pin == seen => return Ok(ServerCertVerified::assertion()),
            Trust::Pinned(_) => Reason::NotPinned,
            _ if self.trust.names(end_entity, server_name, now) => return Ok(ServerCertVerified::assertion()),
            Trust::Issuers(verifier) | Trust::Named { issuers: verifier, .. } => {
                match verifier.verify_server_cert(end_entity, intermediates, server_name, ocsp_response, now)
                {
                    Err(rustls::Error::InvalidCertificate(error)) => Reason::Invalid(error),
                    other => return other,
                }
            }
        };
        Err(refused(reason, end_entity, intermediates))
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        let algorithms = &self.provider.signature_verification_algorithms;
        let verified = verify_tls12_signature(message, certificate, signature, algorithms);
        self.or_by_key(verified, message, certificate, signature)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        let algorithms = &self.provider.signature_verification_algorithms;
        let verified = verify_tls13_signature(message, certificate, signature, algorithms);
        self.or_by_key(verified, message, certificate, signature)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        if self.takes_short_keys {
            return short_key_schemes();
        }
        self.provider.signature_verification_algorithms.supported_schemes()
    }
}

impl Verifier {
    /// Returns the result of rustls. If rustls cannot read the certificate or refuses its key, checks the signature with the key.
    fn or_by_key(
        &self,
        verified: Result<HandshakeSignatureValid, rustls::Error>,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        let Err(rustls::Error::InvalidCertificate(error)) = verified else { return verified };
        let algorithms = &self.provider.signature_verification_algorithms;
        if self.trust.is_by_fingerprint(certificate) && is_signed(message, certificate, signature, algorithms)
        {
            return Ok(HandshakeSignatureValid::assertion());
        }
        let reason = match short_key(certificate) {
            Some(bits) => Reason::ShortKey(bits),
            None => Reason::Invalid(error),
        };
        Err(refused(reason, certificate, &[]))
    }
}

/// Wraps the reason of a refusal in an error of rustls.
fn refused(
    reason: Reason,
    certificate: &CertificateDer<'_>,
    intermediates: &[CertificateDer<'_>],
) -> rustls::Error {
    let chain = [certificate].into_iter().chain(intermediates).take(MAX_CHAIN);
    let chain = chain.map(|certificate| certificate.clone().into_owned()).collect();
    let untrusted = UntrustedCertificate { reason, seen: Certificate::read(certificate), chain };
    rustls::Error::InvalidCertificate(CertificateError::Other(OtherError(Arc::new(untrusted))))
}

/// End of the message about a server that speaks another protocol.
pub(crate) const NOT_TLS: &str = "does not speak TLS on this port";

fn handshake_error(host: &str, error: &io::Error) -> Error {
    use rustls::{AlertDescription as Alert, Error as E};
    let tls = error.get_ref().and_then(|inner| inner.downcast_ref::<rustls::Error>());
    let words = match tls {
        None if is_closed(error) => {
            // Servers without a common TLS version do this, and broken connections look the same.
            let words = format!(
                "TLS with {host}: the server closed the connection in the handshake; servers that speak only TLS 1.1 or \
                 older do so"
            );
            return Error::session(ErrorKind::Tls, words);
        }
        // The connection broke. Another one may succeed.
        None => return Error::io(format!("TLS with {host}"), error),
        Some(E::InvalidCertificate(reason)) => {
            let why = match reason {
                CertificateError::Other(OtherError(inner)) => inner.to_string(),
                other => other.to_string(),
            };
            format!("the certificate of {host} is not trusted: {why}")
        }
        Some(E::InvalidMessage(_)) => format!("{host} {NOT_TLS}"),
        Some(E::AlertReceived(Alert::ProtocolVersion)) => old_version(host, "its alert: protocol_version"),
        Some(E::PeerIncompatible(why)) => old_version(host, &format!("{why:?}")),
        Some(E::AlertReceived(alert @ (Alert::HandshakeFailure | Alert::InsufficientSecurity))) => {
            let alert =
                if *alert == Alert::HandshakeFailure { "handshake_failure" } else { "insufficient_security" };
            format!(
                "TLS with {host}: the server has no cipher in common with mailhaul (its alert: {alert}): mailhaul speaks \
                 TLS 1.2 and 1.3 with ECDHE and AES-GCM or ChaCha20, not key exchange by RSA or DHE and not CBC"
            )
        }
        Some(other) => format!("TLS with {host}: {other}"),
    };
    Error::endpoint(ErrorKind::Tls, words)
}

fn is_closed(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::UnexpectedEof | io::ErrorKind::ConnectionReset)
}

fn old_version(host: &str, why: &str) -> String {
    format!("TLS with {host}: the server speaks only TLS 1.1 or older ({why}), and mailhaul TLS 1.2 and 1.3")
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;

    use mailhaul_mail::{Retry, Scope};
    use rcgen::{CertificateParams, KeyPair, date_time_ymd};
    use rustls::{ServerConfig, pki_types::PrivatePkcs8KeyDer};
    use tokio::{
        io::{AsyncReadExt as _, AsyncWriteExt as _},
        net::{TcpListener, TcpStream},
    };
    use tokio_rustls::TlsAcceptor;

    use super::*;
    use crate::security::Security;

    /// Server that sends hello over TLS, and its certificate.
    struct Server {
        socket: Socket,
        pin: [u8; 32],
        pem: String,
    }

    fn provider() -> Arc<CryptoProvider> {
        Arc::new(aws_lc_rs::default_provider())
    }

    async fn server(name: &str, change: impl FnOnce(&mut CertificateParams)) -> Server {
        let mut params = CertificateParams::new(vec![name.to_owned()]).unwrap();
        change(&mut params);
        let key = KeyPair::generate().unwrap();
        let certificate = params.self_signed(&key).unwrap();
        let config = ServerConfig::builder_with_provider(provider())
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(
                vec![certificate.der().clone()],
                PrivatePkcs8KeyDer::from(key.serialize_der()).into(),
            )
            .unwrap();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let tcp = TcpStream::connect(listener.local_addr().unwrap()).await.unwrap();
        let (accepted, _) = listener.accept().await.unwrap();
        tokio::spawn(async move {
            if let Ok(mut stream) = TlsAcceptor::from(Arc::new(config)).accept(accepted).await {
                stream.write_all(b"hello").await.unwrap();
                stream.shutdown().await.unwrap();
            }
        });
        let socket = Socket::new(tcp, None).unwrap();
        Server { socket, pin: Sha256::digest(certificate.der()).into(), pem: certificate.pem() }
    }

    fn connecting(options: &TlsOptions) -> ConnectOptions {
        let mut connecting = ConnectOptions::new("mail.example", 993, Security::Implicit);
        connecting.tls = options.clone();
        connecting
    }

    async fn hello(server: Server, options: &TlsOptions) -> Result<String, Error> {
        let mut stream = handshake(server.socket, &connecting(options), "mail.example").await?;
        let mut text = String::new();
        stream.read_to_string(&mut text).await.unwrap();
        Ok(text)
    }

    fn ca_file(pem: &str) -> (PathBuf, TlsOptions) {
        let name = format!("mailhaul-ca-{}-{}", std::process::id(), shown(&Sha256::digest(pem)));
        let path = std::env::temp_dir().join(name);
        fs::write(&path, pem).unwrap();
        (path.clone(), TlsOptions { ca_file: Some(path), ..TlsOptions::default() })
    }

    async fn refusal(server: Server) -> String {
        let (path, options) = ca_file(&server.pem);
        let error = hello(server, &options).await.unwrap_err();
        fs::remove_file(path).unwrap();
        assert_eq!((error.scope, error.retry, error.kind), (Scope::Endpoint, Retry::Never, ErrorKind::Tls));
        error.to_string()
    }

    #[tokio::test]
    async fn a_certificate_from_the_ca_file_is_trusted() {
        let server = server("mail.example", |_| {}).await;
        let (path, options) = ca_file(&server.pem);
        assert_eq!(hello(server, &options).await.unwrap(), "hello");
        fs::remove_file(path).unwrap();
    }

    #[tokio::test]
    async fn a_certificate_given_as_text_is_trusted() {
        let server = server("mail.example", |_| {}).await;
        let options = TlsOptions { ca_pem: Some(server.pem.clone()), ..TlsOptions::default() };
        options.check().unwrap();
        assert_eq!(hello(server, &options).await.unwrap(), "hello");
        let useless =
            TlsOptions { ca_pem: Some("no certificate at all".to_owned()), ..TlsOptions::default() };
        let error = useless.check().unwrap_err().to_string();
        assert_eq!(error, "the CA certificates cannot be used: there is no certificate (PEM) in it");
    }

    #[tokio::test]
    async fn the_reason_is_in_the_error() {
        let expired = refusal(
            server("mail.example", |params| {
                params.not_before = date_time_ymd(2001, 1, 1);
                params.not_after = date_time_ymd(2002, 1, 1);
            })
            .await,
        )
        .await;
        assert!(expired.contains("of mail.example is not trusted: it has expired"), "{expired}");

        let early = refusal(
            server("mail.example", |params| {
                params.not_before = date_time_ymd(3001, 1, 1);
                params.not_after = date_time_ymd(3002, 1, 1);
            })
            .await,
        )
        .await;
        assert!(early.contains("it is not yet valid"), "{early}");

        let other = refusal(server("www.example", |_| {}).await).await;
        assert!(other.contains("it is for another name: www.example"), "{other}");
    }

    #[tokio::test]
    async fn a_self_signed_certificate_is_named_in_the_error() {
        use rcgen::{BasicConstraints, DnType, IsCa};
        let known = server("mail.example", |_| {}).await;
        let (path, options) = ca_file(&known.pem);
        // So OpenSSL makes them by default, and so others do.
        for is_ca in [IsCa::Ca(BasicConstraints::Unconstrained), IsCa::NoCa] {
            let stranger = server("mail.example", |params| {
                params.distinguished_name.push(DnType::CommonName, "somebody");
                params.is_ca = is_ca;
            })
            .await;
            let seen = shown(&stranger.pin);
            let error = hello(stranger, &options).await.unwrap_err().to_string();
            let words = format!("it is self-signed, and no authority vouches for it (its SHA-256 is {seen})");
            assert!(error.ends_with(&words), "{error}");
        }
        fs::remove_file(path).unwrap();
    }

    #[tokio::test]
    async fn the_certificates_are_shown_whether_or_not_they_are_trusted() {
        #[derive(Default)]
        struct Shown(std::sync::Mutex<Vec<String>>);
        impl crate::Trace for Shown {
            fn line(&self, _: crate::Direction, _: &str) {}
            fn milestone(&self, milestone: &Milestone<'_>) {
                let text = match milestone {
                    Milestone::Certificates { chain, names_host } => {
                        format!("{} {names_host}", chain[0].content.as_ref().unwrap().names.join(","))
                    }
                    Milestone::Secured { version, cipher } => {
                        format!("{version} {}", cipher.starts_with("TLS"))
                    }
                    other => format!("{other:?}"),
                };
                self.0.lock().unwrap().push(text);
            }
        }
        for (trusted, expected) in
            [(true, &["www.example false", "TLS 1.3 true"][..]), (false, &["www.example false"])]
        {
            let server = server("www.example", |_| {}).await;
            let shown = Arc::new(Shown::default());
            let pin = if trusted { server.pin } else { [7; 32] };
            let mut options = connecting(&TlsOptions { pin_sha256: Some(pin), ..TlsOptions::default() });
            options.trace = Some(Arc::clone(&shown) as _);
            assert_eq!(handshake(server.socket, &options, "mail.example").await.is_ok(), trusted);
            assert_eq!(*shown.0.lock().unwrap(), expected);
        }
    }

    #[tokio::test]
    async fn the_error_about_an_unknown_issuer_has_the_fingerprint() {
        let known = server("mail.example", |_| {}).await;
        let (path, options) = ca_file(&known.pem);
        let unknown = server("mail.example", |_| {}).await;
        let seen = format!("(its SHA-256 is {})", shown(&unknown.pin));
        let error = hello(unknown, &options).await.unwrap_err().to_string();
        fs::remove_file(path).unwrap();
        // Same subject, other key: the issuer is known by name, its signature is not.
        assert!(error.contains("not trusted") && error.contains(&seen), "{error}");

        let unknown = server("mail.example", |_| {}).await;
        let stranger = TlsOptions::default();
        let error = hello(unknown, &stranger).await.unwrap_err().to_string();
        assert!(error.contains("it is self-signed") || error.contains("system's certificates"), "{error}");
    }

    fn shown(octets: &[u8]) -> String {
        octets.iter().fold(String::new(), |text, octet| text + &format!("{octet:02x}"))
    }

    #[tokio::test]
    async fn a_pin_is_trusted_whatever_the_name_and_the_date() {
        let server = server("www.example", |params| params.not_after = date_time_ymd(2002, 1, 1)).await;
        let options = TlsOptions { pin_sha256: Some(server.pin), ..TlsOptions::default() };
        assert_eq!(hello(server, &options).await.unwrap(), "hello");
    }

    #[tokio::test]
    async fn a_pin_takes_precedence_over_accepting_all_certificates() {
        let server = server("mail.example", |_| {}).await;
        let seen = shown(&server.pin);
        let options =
            TlsOptions { pin_sha256: Some([7; 32]), accept_untrusted: true, ..TlsOptions::default() };
        let error = hello(server, &options).await.unwrap_err();
        assert_eq!(error.kind, ErrorKind::Tls);
        let text = error.to_string();
        assert!(text.contains("it is not the pinned one") && text.contains(&seen), "{text}");
    }

    #[tokio::test]
    async fn anybody_is_accepted_where_so_ordered() {
        let server = server("www.example", |_| {}).await;
        let options = TlsOptions { accept_untrusted: true, ..TlsOptions::default() };
        assert_eq!(hello(server, &options).await.unwrap(), "hello");
    }

    #[test]
    fn a_pinned_certificate_without_its_key_is_refused() {
        // The handshake's signature is checked with the certificate's key: one made by another key must fail.
        let certificate = |key: &KeyPair| CertificateParams::new(vec![]).unwrap().self_signed(key).unwrap();
        let (own, other) = (KeyPair::generate().unwrap(), KeyPair::generate().unwrap());
        let config = |chain: &rcgen::Certificate, key: &KeyPair| {
            let key = aws_lc_rs::default_provider()
                .key_provider
                .load_private_key(PrivatePkcs8KeyDer::from(key.serialize_der()).into())
                .unwrap();
            let certified = rustls::sign::CertifiedKey::new(vec![chain.der().clone()], key);
            ServerConfig::builder_with_provider(provider())
                .with_safe_default_protocol_versions()
                .unwrap()
                .with_no_client_auth()
                .with_cert_resolver(Arc::new(rustls::sign::SingleCertAndKey::from(certified)))
        };
        let chain = certificate(&own);
        let pin = Sha256::digest(chain.der()).into();
        let options = TlsOptions { pin_sha256: Some(pin), ..TlsOptions::default() };
        for (key, trusted) in [(&own, true), (&other, false)] {
            let name = ServerName::try_from("mail.example").unwrap();
            let mut client = rustls::ClientConnection::new(build(&options, false).unwrap(), name).unwrap();
            let mut server = rustls::ServerConnection::new(Arc::new(config(&chain, key))).unwrap();
            let mut outcome = Ok(());
            while outcome.is_ok() && (client.is_handshaking() || server.is_handshaking()) {
                let mut wire = Vec::new();
                client.write_tls(&mut wire).unwrap();
                server.read_tls(&mut wire.as_slice()).unwrap();
                server.process_new_packets().unwrap();
                wire.clear();
                server.write_tls(&mut wire).unwrap();
                client.read_tls(&mut wire.as_slice()).unwrap();
                outcome = client.process_new_packets().map(drop);
            }
            assert_eq!(outcome.is_ok(), trusted, "{outcome:?}");
        }
    }

    #[tokio::test]
    async fn a_server_without_tls_has_its_own_error() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let tcp = TcpStream::connect(listener.local_addr().unwrap()).await.unwrap();
        let (mut accepted, _) = listener.accept().await.unwrap();
        accepted.write_all(b"* OK IMAP4rev1 ready, in clear text\r\n").await.unwrap();
        let options = TlsOptions { accept_untrusted: true, ..TlsOptions::default() };
        let outcome = handshake(Socket::new(tcp, None).unwrap(), &connecting(&options), "mail.example").await;
        assert_eq!(outcome.err().unwrap().to_string(), "mail.example does not speak TLS on this port");
    }

    #[test]
    fn a_useless_ca_file_is_an_error() {
        let missing = TlsOptions { ca_file: Some("/no/such/file.pem".into()), ..TlsOptions::default() };
        let error = build(&missing, false).unwrap_err().to_string();
        assert!(error.contains("/no/such/file.pem cannot be used"), "{error}");
        let (path, options) = ca_file("no certificate at all");
        let error = build(&options, false).unwrap_err().to_string();
        fs::remove_file(path).unwrap();
        assert!(error.contains("there is no certificate"), "{error}");
    }
}
