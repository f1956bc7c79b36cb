//! Real sockets: authorization, serving, and shutdown.

use std::{net::SocketAddr, os::unix::fs::PermissionsExt as _, path::PathBuf, sync::Arc, time::Duration};

use axum::{Router, routing::get};
use mailhaul_operations::{Client, FailureKind, Limits, Server, UnixSocket};
use rustls::{
    ClientConfig, RootCertStore, ServerConfig,
    pki_types::{PrivateKeyDer, ServerName},
};
use serde_json::json;
use tokio::{
    io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _},
    net::{TcpListener, TcpStream, UnixStream},
    task::JoinHandle,
    time::timeout,
};
use tokio_util::sync::CancellationToken;

use crate::support::TestService;

struct Running {
    place: TestService,
    directory: tempfile::TempDir,
    shutdown: CancellationToken,
    address: SocketAddr,
    tasks: Vec<JoinHandle<()>>,
}

impl Running {
    /// Serves over the socket and over TCP.
    async fn start(limits: Limits, tls: Option<Arc<ServerConfig>>) -> Self {
        let place = TestService::with_limits(limits);
        let directory = tempfile::tempdir().unwrap();
        let shutdown = CancellationToken::new();
        let boom = Router::new().route("/boom", get(async || -> String { panic!("hunter2") }));
        let server = Server::new(place.router().merge(boom), shutdown.clone()).with_limits(limits);
        let socket = UnixSocket::bind(&directory.path().join("socket")).unwrap();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let (unix, tcp) = (server.clone(), server);
        let tasks = vec![
            tokio::spawn(async move { unix.unix(socket).await }),
            tokio::spawn(async move { tcp.tcp(listener, tls).await }),
        ];
        Self { place, directory, shutdown, address, tasks }
    }

    fn socket(&self) -> PathBuf {
        self.directory.path().join("socket")
    }

    async fn tcp(&self) -> TcpStream {
        TcpStream::connect(self.address).await.unwrap()
    }

    async fn stop(self) {
        self.shutdown.cancel();
        for task in self.tasks {
            task.await.unwrap();
        }
        self.place.service.finish().await;
        assert!(!self.directory.path().join("socket").exists());
    }
}

fn brief() -> Limits {
    let brief = Duration::from_millis(200);
    Limits { header_time: brief, body_time: brief, ..Limits::default() }
}

fn post(path: &str, token: &str, length: usize, body: &str) -> String {
    format!(
        "POST {path} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {token}\r\nContent-Type: application/json\r\n\
         Content-Length: {length}\r\n\r\n{body}"
    )
}

/// Sends this text, and reads until the other side closes.
async fn said<I: AsyncRead + AsyncWrite + Unpin>(mut io: I, text: &str) -> String {
    io.write_all(text.as_bytes()).await.unwrap();
    rest(io).await
}

async fn rest<I: AsyncRead + Unpin>(mut io: I) -> String {
    let mut answer = Vec::new();
    // A connection that is closed before all is sent ends with an error.
    let _cut = io.read_to_end(&mut answer).await;
    String::from_utf8(answer).unwrap()
}

const CLOSING: &str = "GET /api/v1/lamps HTTP/1.1\r\nHost: x\r\nConnection: close\r\n";

#[tokio::test]
async fn the_socket_is_for_its_owner_who_is_an_administrator() {
    let running = Running::start(Limits::default(), None).await;
    let mode = std::fs::metadata(running.socket()).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    let client = Client::unix(running.socket());
    let entry = |name| running.place.entry(name);
    for name in ["a", "b", "c"] {
        client.call(entry("New-Lamp"), json!({ "Name": name })).await.unwrap();
    }
    assert_eq!(client.call(entry("Get-Lamp"), json!({})).await.unwrap().len(), 3);
    assert_eq!(client.call(entry("Remove-Lamp"), json!({ "Identity": "a" })).await, Ok(Vec::new()));
    let large = json!({ "Name": "x".repeat(16 << 20) });
    assert_eq!(client.call(entry("New-Lamp"), large).await.unwrap_err().kind, FailureKind::TooLarge);
    let whoami = std::process::Command::new("id").arg("-un").output().unwrap().stdout;
    let records = running.place.door.records.lock().unwrap().clone();
    assert_eq!(records[0].caller.name, String::from_utf8(whoami).unwrap().trim());
    assert_eq!(records.len(), 4);
    running.stop().await;
}

#[tokio::test]
async fn a_missing_service_is_reported() {
    let place = TestService::new();
    let client = Client::unix("/nowhere/at/all");
    let failure = client.call(place.entry("Get-Lamp"), json!({})).await.unwrap_err();
    assert_eq!((failure.kind.exit_code(), failure.message.contains("/nowhere/at/all")), (6, true));
}

#[tokio::test]
async fn a_socket_that_is_left_over_is_replaced_and_nothing_else_is() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("socket");
    drop(std::os::unix::net::UnixListener::bind(&path).unwrap());
    let first = UnixSocket::bind(&path).unwrap();
    let second = UnixSocket::bind(&path).unwrap_err();
    assert_eq!(second.kind(), std::io::ErrorKind::AddrInUse, "{second}");
    UnixStream::connect(&path).await.unwrap();
    drop(first);
    let foreign = std::os::unix::net::UnixListener::bind(&path).unwrap();
    assert_eq!(UnixSocket::bind(&path).unwrap_err().kind(), std::io::ErrorKind::AddrInUse);
    drop(foreign);
    std::fs::remove_file(&path).unwrap();
    std::fs::write(&path, "a letter").unwrap();
    assert_eq!(UnixSocket::bind(&path).unwrap_err().kind(), std::io::ErrorKind::AlreadyExists);
    assert_eq!(std::fs::read_to_string(&path).unwrap(), "a letter");
}

#[tokio::test]
async fn tcp_needs_a_token() {
    let running = Running::start(Limits::default(), None).await;
    let without = said(running.tcp().await, &format!("{CLOSING}\r\n")).await;
    assert!(without.starts_with("HTTP/1.1 401 "), "{without}");
    let with = said(running.tcp().await, &format!("{CLOSING}Authorization: Bearer viewer\r\n\r\n")).await;
    assert!(with.starts_with("HTTP/1.1 200 ") && with.ends_with(r#"{"Value":[]}"#), "{with}");
    running.stop().await;
}

#[tokio::test]
async fn tls_is_spoken() {
    let made = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
    let certificate = made.cert.der().clone();
    let key = PrivateKeyDer::Pkcs8(made.signing_key.serialize_der().into());
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let server = ServerConfig::builder_with_provider(provider.clone())
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![certificate.clone()], key)
        .unwrap();
    let mut roots = RootCertStore::empty();
    roots.add(certificate).unwrap();
    let client = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(roots)
        .with_no_client_auth();
    let running = Running::start(brief(), Some(Arc::new(server))).await;
    let connector = tokio_rustls::TlsConnector::from(Arc::new(client));
    let name = ServerName::try_from("localhost").unwrap();
    let stream = connector.connect(name, running.tcp().await).await.unwrap();
    let answer = said(stream, &format!("{CLOSING}Authorization: Bearer viewer\r\n\r\n")).await;
    assert!(answer.starts_with("HTTP/1.1 200 "), "{answer}");
    // A client that does not begin TLS, or speaks without it, is disconnected.
    let plain = said(running.tcp().await, &format!("{CLOSING}\r\n")).await;
    assert!(!plain.contains("HTTP/1.1"), "{plain}");
    assert_eq!(rest(running.tcp().await).await, "");
    running.stop().await;
}

#[tokio::test]
async fn too_much_is_refused_before_it_is_read() {
    let running = Running::start(Limits { body: 100, ..Limits::default() }, None).await;
    let announced = said(running.tcp().await, &post("/api/v1/lamps", "operator", 101, "")).await;
    assert!(announced.starts_with("HTTP/1.1 413 ") && announced.contains("at most 100 bytes"), "{announced}");
    let mut chunked = "POST /api/v1/lamps HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer operator\r\n\
                       Transfer-Encoding: chunked\r\n\r\n"
        .to_owned();
    chunked.push_str(&format!("33\r\n{}\r\n", " ".repeat(0x33)).repeat(2));
    let chunked = said(running.tcp().await, &chunked).await;
    assert!(chunked.starts_with("HTTP/1.1 413 "), "{chunked}");
    let stranger = said(running.tcp().await, &post("/api/v1/lamps", "stranger", 50, "{")).await;
    assert!(stranger.starts_with("HTTP/1.1 401 "), "{stranger}");
    running.stop().await;
}

#[tokio::test]
async fn slow_clients_are_closed_and_delay_no_other() {
    let running = Running::start(Limits { connections: 2, ..brief() }, None).await;
    // More clients than may be connected at once.
    let mut head = Vec::new();
    for _ in 0..3 {
        let mut slow = running.tcp().await;
        slow.write_all(b"GET /api/v1/la").await.unwrap();
        head.push(slow);
    }
    let body = said(running.tcp().await, &post("/api/v1/lamps", "operator", 20, "{")).await;
    assert!(body.starts_with("HTTP/1.1 408 ") && body.contains("TooSlow"), "{body}");
    for slow in head {
        assert!(!rest(slow).await.contains("200 OK"));
    }
    running.stop().await;
}

#[tokio::test]
async fn a_panic_in_a_route_of_the_program_is_answered_too() {
    let running = Running::start(Limits::default(), None).await;
    let answer =
        said(running.tcp().await, "GET /boom HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n").await;
    assert!(answer.starts_with("HTTP/1.1 500 ") && answer.contains("Internal"), "{answer}");
    assert!(!answer.contains("hunter2"));
    running.stop().await;
}

#[tokio::test]
async fn a_head_has_no_body() {
    let running = Running::start(Limits::default(), None).await;
    let head = format!("{CLOSING}Authorization: Bearer viewer\r\n\r\n").replacen("GET", "HEAD", 1);
    let answer = said(running.tcp().await, &head).await;
    assert!(answer.starts_with("HTTP/1.1 200 ") && answer.ends_with("\r\n\r\n"), "{answer}");
    running.stop().await;
}

#[tokio::test]
async fn what_is_under_way_is_answered_before_the_end() {
    let running = Running::start(Limits::default(), None).await;
    running.place.hang(&["x"]).await;
    let idle = running.tcp().await;
    let mut asking = running.tcp().await;
    asking.write_all(post("/api/v1/lamps/x/complete", "operator", 0, "").as_bytes()).await.unwrap();
    running.place.house.begun.notified().await;
    running.shutdown.cancel();
    assert_eq!(rest(idle).await, "");
    running.place.house.go_on.notify_one();
    let answer = rest(asking).await;
    assert!(answer.starts_with("HTTP/1.1 200 "), "{answer}");
    running.stop().await;
}

#[tokio::test]
async fn clients_that_never_read_make_room_for_a_caller() {
    let limits = Limits { connections: 3, write_time: Duration::from_millis(300), ..Limits::default() };
    let running = Running::start(limits, None).await;
    let requests = "GET /api/v1/lamps HTTP/1.1\r\nHost: x\r\n\r\n".repeat(1000);
    let mut deaf = Vec::new();
    for _ in 0..3 {
        let mut client = running.tcp().await;
        // Until nothing more fits, or the connection is closed: the client reads no answers.
        while let Ok(Ok(())) =
            timeout(Duration::from_millis(100), client.write_all(requests.as_bytes())).await
        {}
        deaf.push(client);
    }
    let request = format!("{CLOSING}Authorization: Bearer viewer\r\n\r\n");
    let asked = said(running.tcp().await, &request);
    let answer = timeout(Duration::from_mins(1), asked).await.unwrap();
    assert!(answer.starts_with("HTTP/1.1 200 "), "{answer}");
    drop(deaf);
    running.stop().await;
}
