//! `mailhaul serve`: scheduler, workers and the HTTP interface, in one process.

mod authorizer;
pub(crate) mod local_service;
mod log_writer;
pub(crate) mod metrics;
mod readiness;
mod refusals;
pub(crate) mod service_connection;

use std::{
    io::Write as _,
    net::SocketAddr,
    os::unix::net::UnixDatagram,
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use anyhow::{Context as _, Result, bail};
use axum::{
    extract::Request,
    http::{StatusCode, header},
    response::{IntoResponse as _, Response},
    routing::get,
};
use clap::Args;
use mailhaul_operations::{Limits, Operations, Role, Server, UnixSocket};
use rustls::{
    ServerConfig,
    pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject as _},
};
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

use self::{local_service::Desk, log_writer::LogWriter};
use crate::{context::Context, data_directory, exit::Exit, service::Scheduler};

/// Grace period for operations at shutdown, with a client that waits and without: the test of a silent server takes minutes.
const OPERATIONS_GRACE: Duration = Duration::from_secs(5);
/// How long the last lines of the log may take.
const LAST_LINES: Duration = Duration::from_secs(1);

/// Options of `mailhaul serve`.
#[derive(Args, Debug)]
#[allow(clippy::doc_markdown, reason = "the comments of options are what --help prints")]
pub(crate) struct Serve {
    /// Also listen on this TCP address; callers need a token (mailhaul token new)
    #[arg(long, value_name = "ADDRESS:PORT")]
    listen: Option<SocketAddr>,
    /// Certificate for --listen (PEM, with its chain)
    #[arg(long, value_name = "FILE", requires_all = ["listen", "tls_key"])]
    tls_certificate: Option<PathBuf>,
    /// Private key of the certificate (PEM)
    #[arg(long, value_name = "FILE", requires = "tls_certificate")]
    tls_key: Option<PathBuf>,
    /// Allow --listen without TLS on a network address; anyone on the network path can read tokens and passwords
    #[arg(long, requires = "listen")]
    allow_clear_text: bool,
}

/// Serves until a signal.
pub(crate) async fn run(options: Serve, data: &Path, operations: Arc<Operations<Context>>) -> Result<Exit> {
    let log = log()?;
    let tcp = tcp(&options).await?;
    let context = Context::open(data).await?;
    let lock = context.store.lock_service()?;
    let desk = Desk::new(context, operations);
    let socket = UnixSocket::bind(&data_directory::socket(data))
        .with_context(|| format!("the socket {} cannot be made", data_directory::socket(data).display()))?;
    let shutdown = CancellationToken::new();
    let scheduler = Scheduler::new(desk.context.workplace(), &lock);
    let mut scheduling = tokio::spawn(scheduler.run(shutdown.clone()));
    let limits = Limits { ending_time: OPERATIONS_GRACE, ..Limits::default() };
    let server = Server::new(router(&desk), shutdown.clone()).with_limits(limits);
    let serving = tokio::spawn(async move {
        let unix = server.unix(socket);
        match tcp {
            Some((listener, tls)) => _ = tokio::join!(unix, server.tcp(listener, tls)),
            None => unix.await,
        }
    });
    // Whoever hears that it serves may stop it at once.
    let stopped = stopped();
    log.line(format_args!("mailhaul serves {}", data.display()));
    if let Some(address) = options.listen {
        log.line(format_args!("listening on {address}"));
    }
    tell_systemd("READY=1");
    let was_asked = tokio::select! {
        () = stopped => true,
        // A mistake of this program: a service without it would only seem to work.
        _ = &mut scheduling => false,
    };
    log.line("stopping: mailboxes under way come to the end of their window");
    tell_systemd("STOPPING=1");
    shutdown.cancel();
    let workers_end = async { was_asked && scheduling.await.is_ok() };
    let requests_end = async {
        let is_served = serving.await.is_ok();
        desk.finish_within(OPERATIONS_GRACE).await;
        is_served
    };
    let (is_scheduled, is_served) = tokio::join!(workers_end, requests_end);
    desk.close().await;
    drop(lock);
    log.flush_within(LAST_LINES);
    Ok(if is_scheduled && is_served { Exit::Synced } else { Exit::Internal })
}

/// Sends the log to stderr, and the words of panics too: what the service does never waits for stderr.
fn log() -> Result<LogWriter> {
    let writer = LogWriter::stderr().context("the log cannot be written")?;
    let filter = tracing_subscriber::EnvFilter::try_from_env("MAILHAUL_LOG")
        .unwrap_or_else(|_| tracing_subscriber::EnvFilter::new("warn"));
    let lines = writer.clone();
    let subscriber = tracing_subscriber::fmt().with_env_filter(filter).with_writer(move || lines.clone());
    // It can be set once only; there is one command in a process.
    let _already = subscriber.with_ansi(false).try_init();
    let panics = writer.clone();
    std::panic::set_hook(Box::new(move |panic| panics.line(panic)));
    Ok(writer)
}

type Tcp = (TcpListener, Option<Arc<ServerConfig>>);

async fn tcp(options: &Serve) -> Result<Option<Tcp>> {
    let Some(address) = options.listen else { return Ok(None) };
    let tls = match (&options.tls_certificate, &options.tls_key) {
        (Some(certificate), Some(key)) => Some(Arc::new(tls(certificate, key)?)),
        _ => None,
    };
    if tls.is_none() && !address.ip().is_loopback() && !options.allow_clear_text {
        bail!(
            "--listen {address}: without TLS, whoever is on the way reads tokens and passwords: give --tls-certificate and \
             --tls-key, listen on 127.0.0.1, or say --allow-clear-text"
        );
    }
    let listener = TcpListener::bind(address).await.with_context(|| format!("--listen {address}"))?;
    Ok(Some((listener, tls)))
}

fn tls(certificate: &Path, key: &Path) -> Result<ServerConfig> {
    let chain: Vec<CertificateDer<'static>> = CertificateDer::pem_file_iter(certificate)
        .and_then(Iterator::collect)
        .with_context(|| format!("the certificate {} cannot be read", certificate.display()))?;
    let key_der = PrivateKeyDer::from_pem_file(key)
        .with_context(|| format!("the private key {} cannot be read", key.display()))?;
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()?
        .with_no_client_auth()
        .with_single_cert(chain, key_der)
        .with_context(|| format!("{} and {} do not fit", certificate.display(), key.display()))
}

/// The operations, and what monitoring systems ask for.
fn router(desk: &Desk) -> axum::Router {
    let ready = desk.context.clone();
    let measured = (desk.context.clone(), desk.service.clone());
    desk.router()
        .route("/healthz", get(|| async { "ok\n" }))
        .route("/readyz", get(move || is_ready(ready.clone())))
        .route(
            "/metrics",
            get(move |request: Request| {
                let (context, service) = measured.clone();
                async move {
                    let (head, _) = request.into_parts();
                    match service.caller(&head).await {
                        Ok(caller) if caller.role >= Role::Viewer => measure(&context).await,
                        Ok(_) => StatusCode::FORBIDDEN.into_response(),
                        Err(_) => StatusCode::UNAUTHORIZED.into_response(),
                    }
                }
            }),
        )
}

async fn is_ready(context: Arc<Context>) -> Response {
    match readiness::check(&context).await {
        Ok(()) => "ready\n".into_response(),
        Err(why) => (StatusCode::SERVICE_UNAVAILABLE, format!("{why}\n")).into_response(),
    }
}

async fn measure(context: &Context) -> Response {
    match metrics::metrics(context).await {
        Ok(page) => ([(header::CONTENT_TYPE, metrics::CONTENT_TYPE)], page).into_response(),
        Err(error) => {
            tracing::error!("{error}");
            StatusCode::SERVICE_UNAVAILABLE.into_response()
        }
    }
}

/// Heeds signals from now on, and waits for one when it is awaited.
fn stopped() -> impl Future<Output = ()> {
    use tokio::signal::unix::{SignalKind, signal};
    let signals = signal(SignalKind::interrupt()).and_then(|int| Ok((int, signal(SignalKind::terminate())?)));
    async move {
        match signals {
            Ok((mut interrupt, mut terminate)) => {
                tokio::select! {
                    _ = interrupt.recv() => {}
                    _ = terminate.recv() => {}
                }
            }
            // Then the signal ends the process, as it does by default; the database is made for that.
            Err(_) => std::future::pending().await,
        }
    }
}

/// Tells the service manager (`sd_notify(3)`), where one asked for it.
fn tell_systemd(state: &str) {
    let Some(path) = std::env::var_os("NOTIFY_SOCKET").filter(|it| !it.is_empty()) else { return };
    let sent = UnixDatagram::unbound().and_then(|socket| match path.as_encoded_bytes() {
        [b'@', name @ ..] => {
            use std::os::linux::net::SocketAddrExt as _;
            let address = std::os::unix::net::SocketAddr::from_abstract_name(name)?;
            socket.send_to_addr(state.as_bytes(), &address)
        }
        _ => socket.send_to(state.as_bytes(), Path::new(&path)),
    });
    if let Err(error) = sent {
        _ = writeln!(std::io::stderr(), "the service manager cannot be told: {error}");
    }
}
