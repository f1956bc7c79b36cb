//! Servers of long ago, spoken by OpenSSL: versions, ciphers and certificates that are not made any more.

use std::{
    io::{BufRead as _, BufReader, Write as _},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    time::Duration,
};

use mailhaul_imap::{ConnectOptions, Connection, Error, ErrorKind, Security, TlsOptions};
use mailhaul_mail::{Retry, Scope};
use mailhaul_testkit::peer::peer;
use sha2::{Digest as _, Sha256};
use tempfile::TempDir;

/// `openssl s_server`, which greets as an IMAP server does. It ends with its test.
struct Server {
    directory: TempDir,
    port: u16,
    process: Child,
}

impl Drop for Server {
    fn drop(&mut self) {
        _ = self.process.kill();
        _ = self.process.wait();
    }
}

fn openssl(directory: &Path, arguments: &str) {
    let mut command = Command::new("openssl");
    let made = command.current_dir(directory).args(arguments.split(' ')).output().unwrap();
    assert!(made.status.success(), "{arguments}: {}", String::from_utf8_lossy(&made.stderr));
}

impl Server {
    /// With a certificate made by these commands, and these options.
    fn start(certificate: &[&str], options: &str) -> Self {
        let directory = tempfile::tempdir().unwrap();
        for arguments in certificate {
            openssl(directory.path(), arguments);
        }
        let mut process = Command::new("openssl")
            .current_dir(directory.path())
            .args("s_server -accept 127.0.0.1:0 -cert cert.pem -key key.pem".split(' '))
            .args(options.split(' '))
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        // A connection that fails in the handshake may take the input for the next one.
        let mut stdin = process.stdin.take().unwrap();
        std::thread::spawn(move || {
            while stdin.write_all(b"* OK [CAPABILITY IMAP4rev1] hello\r\n").is_ok() {
                std::thread::sleep(Duration::from_millis(50));
            }
        });
        let mut lines = BufReader::new(process.stdout.take().unwrap()).lines();
        let port =
            lines.find_map(|line| line.unwrap().strip_prefix("ACCEPT ")?.rsplit(':').next()?.parse().ok());
        // It goes on writing, and must be read.
        std::thread::spawn(move || lines.for_each(drop));
        Self { directory, port: port.unwrap(), process }
    }

    fn file(&self) -> PathBuf {
        self.directory.path().join("cert.pem")
    }

    fn pin(&self) -> [u8; 32] {
        openssl(self.directory.path(), "x509 -in cert.pem -outform DER -out cert.der");
        Sha256::digest(std::fs::read(self.directory.path().join("cert.der")).unwrap()).into()
    }

    async fn open(&self, tls: TlsOptions) -> Result<Connection, Error> {
        let mut options = ConnectOptions::new("localhost", self.port, Security::Implicit);
        options.tls = tls;
        Connection::open(&options).await
    }

    async fn refusal(&self, tls: TlsOptions) -> String {
        let error = self.open(tls).await.err().unwrap();
        assert_eq!(
            (error.scope, error.retry, error.kind),
            (Scope::Endpoint, Retry::Never, ErrorKind::Tls),
            "{error}"
        );
        error.to_string()
    }
}

fn pinned(pin: [u8; 32]) -> TlsOptions {
    TlsOptions { pin_sha256: Some(pin), ..TlsOptions::default() }
}

fn anybody() -> TlsOptions {
    TlsOptions { accept_untrusted: true, ..TlsOptions::default() }
}

fn named(file: PathBuf) -> TlsOptions {
    TlsOptions { ca_file: Some(file), ..TlsOptions::default() }
}

const USUAL: &str = "req -x509 -newkey rsa:2048 -nodes -keyout key.pem -out cert.pem -days 30 -subj /CN=localhost \
                     -addext subjectAltName=DNS:localhost";
/// Version 1: without extensions.
const VERSION_1: [&str; 2] = [
    "req -new -newkey rsa:2048 -nodes -keyout key.pem -out request.pem -subj /CN=localhost",
    "x509 -req -in request.pem -signkey key.pem -out cert.pem -days 30",
];

#[tokio::test]
async fn what_an_old_server_speaks_is_told() {
    for (options, words) in [
        ("-tls1 -cipher ALL:@SECLEVEL=0", "speaks only TLS 1.1 or older (its alert: protocol_version)"),
        ("-tls1_1 -cipher ALL:@SECLEVEL=0", "speaks only TLS 1.1 or older (its alert: protocol_version)"),
        ("-tls1_2 -cipher AES128-SHA", "no cipher in common with mailhaul (its alert: handshake_failure)"),
        (
            "-tls1_2 -cipher ECDHE-RSA-AES128-SHA",
            "no cipher in common with mailhaul (its alert: handshake_failure)",
        ),
    ] {
        let told = Server::start(&[USUAL], options).refusal(anybody()).await;
        assert!(told.contains(words), "{options}: {told}");
    }
}

#[tokio::test]
async fn a_server_that_closes_in_the_handshake_may_be_an_old_one() {
    let peer = peer("EAT: 5\nCLOSE").await;
    let error = peer.open(Security::Implicit).await.err().unwrap();
    assert_eq!((error.kind, error.scope, error.retry), (ErrorKind::Tls, Scope::Session, Retry::Now));
    assert!(error.to_string().contains("closed the connection in the handshake"), "{error}");
}

#[tokio::test]
async fn a_certificate_of_version_1_is_taken_where_it_is_named() {
    for version in ["-tls1_2", "-tls1_3"] {
        let server = Server::start(&VERSION_1, version);
        let other = Server::start(&[USUAL], version);
        let told = server.refusal(named(other.file())).await;
        assert!(told.contains("it is an X.509 certificate of version 1"), "{told}");
        assert!(server.refusal(pinned([7; 32])).await.contains("it is not the pinned one"));
        server.open(pinned(server.pin())).await.unwrap();
        Server::start(&VERSION_1, version).open(anybody()).await.unwrap();
        let server = Server::start(&VERSION_1, version);
        server.open(named(server.file())).await.unwrap();
    }
}

#[tokio::test]
async fn a_short_key_is_taken_where_it_is_named() {
    let short = USUAL.replace("rsa:2048", "rsa:1024");
    let other = Server::start(&[USUAL], "-tls1_3");
    for options in ["-cipher DEFAULT:@SECLEVEL=0", "-cipher DEFAULT:@SECLEVEL=0 -tls1_2"] {
        let start = || Server::start(&[&short], options);
        let told = start().refusal(named(other.file())).await;
        assert!(told.contains("it is self-signed"), "{told}");
        assert!(start().refusal(pinned([7; 32])).await.contains("it is not the pinned one"));
        start().open(anybody()).await.unwrap();
        let server = start();
        server.open(pinned(server.pin())).await.unwrap();
        let server = start();
        server.open(named(server.file())).await.unwrap();
    }
}

/// An authority that the operator trusts issued it, and that is not enough.
#[tokio::test]
async fn a_short_key_is_refused_where_only_its_issuer_is_named() {
    let signed = [
        "req -x509 -newkey rsa:2048 -nodes -keyout ca.key -out ca.pem -days 30 -subj /CN=authority",
        "req -new -newkey rsa:1024 -nodes -keyout key.pem -out request.pem -subj /CN=localhost -addext \
         subjectAltName=DNS:localhost",
        "x509 -req -in request.pem -CA ca.pem -CAkey ca.key -copy_extensions copyall -out cert.pem -days 30",
    ];
    let server = Server::start(&signed, "-cipher DEFAULT:@SECLEVEL=0");
    let told = server.refusal(named(server.directory.path().join("ca.pem"))).await;
    assert!(
        told.contains("RSA with 1024 bits (its SHA-256 is") && told.ends_with("its key is too short"),
        "{told}"
    );
}

/// OpenSSL makes them with the right to sign others, which a server's certificate must not have.
#[tokio::test]
async fn a_self_signed_certificate_is_taken_where_its_file_is_named() {
    let server = Server::start(&[USUAL], "-tls1_3");
    server.open(named(server.file())).await.unwrap();

    let of_another =
        USUAL.replace("DNS:localhost", "DNS:other.example").replace("CN=localhost", "CN=other.example");
    let server = Server::start(&[&of_another], "-tls1_3");
    let told = server.refusal(named(server.file())).await;
    assert!(told.contains("is not trusted"), "{told}");
}

#[tokio::test]
async fn a_tls_server_at_an_unencrypted_address_is_recognised() {
    for security in [Security::Clear, Security::StartTls] {
        // It takes one connection at a time.
        let single = Server::start(&[USUAL], "-tls1_3");
        let several = peer("TLS\nCONNECTION\nTLS").await;
        for port in [single.port, several.port] {
            let mut options = ConnectOptions::new("localhost", port, security);
            options.timeouts.greeting = Duration::from_secs(2);
            let error = Connection::open(&options).await.err().unwrap();
            assert_eq!((error.kind, error.retry), (ErrorKind::Tls, Retry::Never), "{error}");
            let words = format!("localhost: the server speaks TLS on port {port} from the start");
            assert!(error.to_string().contains(&words), "{error}");
        }
        several.done().await;
    }
}

#[tokio::test]
async fn another_protocol_on_the_port_is_named() {
    for (line, name) in [
        ("220 mx.example ESMTP ready", "SMTP"),
        ("+OK POP3 ready", "POP3"),
        ("HTTP/1.1 400 Bad Request", "HTTP"),
        ("SSH-2.0-OpenSSH_9", "SSH"),
    ] {
        let server = peer(&format!("S: {line}")).await;
        let error = server.open(Security::Clear).await.err().unwrap();
        assert_eq!((error.kind, error.retry), (ErrorKind::Protocol, Retry::Never), "{line}");
        let words = format!("speaks {name}; it does not speak IMAP: \"{line}\"");
        assert!(error.to_string().contains(&words), "{error}");

        // Over TLS too; and where TLS was expected.
        let server = peer(&format!("TLS\nS: {line}")).await;
        assert!(server.open(Security::Implicit).await.err().unwrap().to_string().contains(&words));
        let server = peer(&format!("S: {line}\nCONNECTION\nS: {line}")).await;
        let error = server.open(Security::Implicit).await.err().unwrap();
        assert!(
            error.to_string().ends_with(&format!("does not speak TLS on this port: it speaks {name} there")),
            "{error}"
        );
    }
}
