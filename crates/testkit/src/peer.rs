//! A scripted peer. Each line of the script is a step:
//!
//! ```text
//! S: text      sends a line, `%` is    s: text   sends without a line end
//!              a line end within it
//! C: text      expects a line          X: n      sends n bytes `x`
//! EAT: n       reads n bytes           B: text   expects these bytes: `%` is CRLF,
//!                                                `\n` LF, `\0` NUL
//! DEFLATE      compresses from here    TLS       makes the TLS handshake
//! CLOSE        closes                  QUIET: n  checks that no byte comes for n milliseconds
//! HELLO: words sends a greeting with them
//! LOGIN: words accepts alice with her password; then the server has these capabilities
//! CONNECTION   begins the script of the next connection
//! # words      is a comment
//! ```
//!
//! After the script the peer waits until the client closes. A tag `t` is replaced by the tag of the last command.
//! [`transcript`] reads the scripts in `transcripts/`.

use std::{
    path::Path,
    sync::{Arc, Mutex},
    time::Duration,
};

use flate2::{Compress, Compression, Decompress, FlushCompress, FlushDecompress};
use mailhaul_imap::{ConnectOptions, Connection, Credentials, Direction, Error, Security, Session, Trace};
use mailhaul_mail::Secret;
use rcgen::{CertificateParams, KeyPair};
use rustls::{ServerConfig, crypto::aws_lc_rs, pki_types::PrivatePkcs8KeyDer};
use sha2::{Digest as _, Sha256};
use tokio::{
    io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _},
    net::TcpListener,
    task::JoinHandle,
};
use tokio_rustls::TlsAcceptor;

trait Both: AsyncRead + AsyncWrite + Send + Unpin {}
impl<T: AsyncRead + AsyncWrite + Send + Unpin> Both for T {}

/// A server that follows a script.
pub struct Peer {
    /// Port of the server, on 127.0.0.1.
    pub port: u16,
    pin: [u8; 32],
    /// The conversation so far.
    pub lines: Arc<Lines>,
    handle: JoinHandle<()>,
}

/// The protocol lines for the test's output.
#[derive(Default)]
pub struct Lines(Mutex<Vec<String>>);

impl Trace for Lines {
    fn line(&self, direction: Direction, text: &str) {
        let side = if direction == Direction::Client { "C" } else { "S" };
        self.0.lock().unwrap().push(format!("{side}: {text}"));
    }
}

impl Lines {
    /// All lines, each with `C: ` or `S: ` in front.
    pub fn all(&self) -> Vec<String> {
        self.0.lock().unwrap().clone()
    }
}

struct Wire {
    stream: Option<Box<dyn Both>>,
    received: Vec<u8>,
    /// The tag of the last command.
    tag: String,
    deflate: Option<(Compress, Decompress)>,
}

impl Wire {
    async fn send(&mut self, octets: &[u8]) {
        let packed;
        let octets = match &mut self.deflate {
            None => octets,
            Some((deflater, _)) => {
                let mut out = Vec::with_capacity(octets.len() + 1024);
                deflater.compress_vec(octets, &mut out, FlushCompress::Sync).unwrap();
                packed = out;
                &packed
            }
        };
        let stream = self.stream.as_mut().unwrap();
        // A disconnected client is the client's concern: its test checks its answer.
        _ = stream.write_all(octets).await;
        _ = stream.flush().await;
    }

    /// Sends a line.
    async fn say(&mut self, line: &str) {
        let tagged = line.strip_prefix("t ").map(|rest| format!("{} {rest}", self.tag));
        let line = tagged.as_deref().unwrap_or(line).replace('%', "\r\n");
        self.send(format!("{line}\r\n").as_bytes()).await;
    }

    /// Reads a line, which must be this one.
    async fn expect(&mut self, expected: &str) {
        let line = self.line(expected).await;
        let (tag, rest) = line.split_once(' ').unwrap_or((&line, ""));
        // The end of a command with a literal has no tag.
        if !tag.is_empty() {
            tag.clone_into(&mut self.tag);
        }
        match expected.strip_prefix("t ") {
            Some(expected) => assert_eq!(rest, expected),
            None => assert_eq!(line, expected),
        }
    }

    async fn octets(&mut self, count: usize) -> Vec<u8> {
        while self.received.len() < count {
            assert!(self.receive().await > 0, "the client closed within {count} octets");
        }
        self.received.drain(..count).collect()
    }

    async fn receive(&mut self) -> usize {
        let mut octets = vec![0; 64 << 10];
        let count = self.stream.as_mut().unwrap().read(&mut octets).await.unwrap_or(0);
        match &mut self.deflate {
            None => self.received.extend_from_slice(&octets[..count]),
            Some((_, inflater)) => {
                let mut out = Vec::with_capacity(4 << 20);
                inflater.decompress_vec(&octets[..count], &mut out, FlushDecompress::None).unwrap();
                self.received.extend_from_slice(&out);
            }
        }
        count
    }

    async fn line(&mut self, expected: &str) -> String {
        loop {
            if let Some(end) = self.received.iter().position(|octet| *octet == b'\n') {
                let line: Vec<u8> = self.received.drain(..=end).collect();
                return String::from_utf8_lossy(&line).trim_end_matches(['\r', '\n']).to_owned();
            }
            assert!(self.receive().await > 0, "the client closed; expected {expected:?}");
        }
    }
}

/// The script in a file of `transcripts/`.
pub fn transcript(name: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("transcripts").join(name);
    std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// Starts a peer.
pub async fn peer(script: &str) -> Peer {
    peer_with(script, |_| {}).await
}

/// Starts a peer with a changed certificate.
pub async fn peer_with(script: &str, change: impl FnOnce(&mut CertificateParams)) -> Peer {
    let mut params = CertificateParams::new(vec!["mail.example".to_owned()]).unwrap();
    change(&mut params);
    let key = KeyPair::generate().unwrap();
    let certificate = params.self_signed(&key).unwrap();
    let config = ServerConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(
            vec![certificate.der().clone()],
            PrivatePkcs8KeyDer::from(key.serialize_der()).into(),
        )
        .unwrap();
    let acceptor = TlsAcceptor::from(Arc::new(config));
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let script = script.to_owned();
    let handle = tokio::spawn(async move {
        let steps: Vec<&str> = script.lines().map(str::trim_start).collect();
        // Each script part runs at once when its connection is made: connections may be open at the same
        // time.
        let mut playing = Vec::new();
        for script in steps.split(|step| *step == "CONNECTION") {
            let (tcp, _) = listener.accept().await.unwrap();
            tcp.set_nodelay(true).unwrap();
            let script: Vec<String> = script.iter().map(|step| (*step).to_owned()).collect();
            let acceptor = acceptor.clone();
            playing.push(tokio::spawn(async move { play(&script, Box::new(tcp), &acceptor).await }));
        }
        for played in playing {
            played.await.unwrap();
        }
    });
    Peer { port, pin: Sha256::digest(certificate.der()).into(), lines: Arc::default(), handle }
}

async fn play(script: &[String], stream: Box<dyn Both>, acceptor: &TlsAcceptor) {
    let mut wire = Wire { stream: Some(stream), received: Vec::new(), tag: String::new(), deflate: None };
    for step in script.iter().filter(|step| !step.is_empty() && !step.starts_with('#')) {
        let (verb, rest) = step.split_once(": ").unwrap_or((step.trim_end_matches(':'), ""));
        match verb {
            "S" => wire.say(rest).await,
            "s" => wire.send(rest.as_bytes()).await,
            "X" => wire.send(&vec![b'x'; rest.parse().unwrap()]).await,
            "C" => wire.expect(rest).await,
            "EAT" => drop(wire.octets(rest.parse().unwrap()).await),
            "B" => {
                let expected = rest.replace('%', "\r\n").replace("\\n", "\n").replace("\\0", "\0");
                let came = wire.octets(expected.len()).await;
                assert_eq!(String::from_utf8_lossy(&came), expected);
            }
            "HELLO" => wire.say(&format!("* OK [CAPABILITY IMAP4rev1 SASL-IR AUTH=PLAIN] {rest}")).await,
            "LOGIN" => {
                wire.expect("t AUTHENTICATE PLAIN AGFsaWNlAGh1bnRlcjI=").await;
                wire.say(&format!("t OK [CAPABILITY IMAP4rev1 {rest}] welcome")).await;
            }
            "TLS" => {
                assert!(wire.received.is_empty(), "the client spoke before TLS");
                match acceptor.accept(wire.stream.take().unwrap()).await {
                    Ok(tls) => wire.stream = Some(Box::new(tls)),
                    Err(_) => return, // the client does not trust us
                }
            }
            "DEFLATE" => {
                wire.deflate = Some((Compress::new(Compression::fast(), false), Decompress::new(false)));
            }
            "QUIET" => {
                let patience = Duration::from_millis(rest.parse().unwrap());
                let heard = tokio::time::timeout(patience, wire.receive()).await;
                assert!(heard.is_err() && wire.received.is_empty(), "the client spoke out of turn");
            }
            // A close with unread bytes would reset the connection, and sent data could be lost.
            "CLOSE" => _ = wire.stream.as_mut().unwrap().shutdown().await,
            other => panic!("no such step: {other}"),
        }
    }
    while wire.receive().await > 0 {}
}

impl Peer {
    /// Options for a connection to it.
    pub fn options(&self, security: Security) -> ConnectOptions {
        let mut options = ConnectOptions::new("127.0.0.1", self.port, security);
        options.tls.pin_sha256 = Some(self.pin);
        options.timeouts.read = Duration::from_secs(20);
        options.trace = Some(Arc::clone(&self.lines) as _);
        options
    }

    /// Connects to it.
    pub async fn open(&self, security: Security) -> Result<Connection, Error> {
        Connection::open(&self.options(security)).await
    }

    /// Waits for the end of the script.
    pub async fn done(self) {
        self.handle.await.unwrap();
    }
}

/// A user with a password.
pub fn alice() -> Credentials {
    Credentials::password("alice", Secret::new("hunter2"))
}

/// A session with these capabilities, and the peer, which continues with the script.
pub async fn session(capabilities: &str, script: &str) -> (Session, Peer) {
    session_with(capabilities, script, |_| {}).await
}

/// A session as by [`session`], with other options of the client.
pub async fn session_with(
    capabilities: &str,
    script: &str,
    change: impl FnOnce(&mut ConnectOptions),
) -> (Session, Peer) {
    let script = format!("S: * PREAUTH [CAPABILITY IMAP4rev1 {capabilities}] hello\n{script}");
    let peer = peer(&script).await;
    let mut options = peer.options(Security::Clear);
    change(&mut options);
    let session = Connection::open(&options).await.unwrap().preauthenticated().await.unwrap();
    (session, peer)
}

/// The client's result, after the peer has followed its script to the end.
pub async fn finish<T>(peer: Peer, client: impl Future<Output = T> + Send + 'static) -> T
where
    T: Send + 'static,
{
    let client = tokio::spawn(client);
    peer.done().await;
    client.await.unwrap()
}
