//! `mailhaul serve`: scheduler, workers and the HTTP interface in one process.

mod archive_id;
mod authorizer;
mod console;
mod description;
mod downloads;
mod events;
pub(crate) mod local_service;
mod log_writer;
pub(crate) mod metrics;
mod readiness;
mod refusals;
mod roles;
pub(crate) mod sampler;
pub(crate) mod service_connection;
pub(crate) mod session;

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
    http::StatusCode,
    response::{IntoResponse as _, Response},
    routing::get,
};
use clap::Args;
use mailhaul_operations::{Limits, Operations, Server, UnixSocket};
use mailhaul_store::{NodeSettings, ServiceLock, Store};
use rustls::{
    ServerConfig,
    pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject as _},
};
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

use self::{
    console::ConsoleFiles,
    downloads::routes as download_routes,
    events::{route as event_route, ticker},
    local_service::LocalService,
    log_writer::LogWriter,
    session::routes::{ConsoleAddress, ticket_route},
};
use crate::{
    context::Context,
    data_directory::{self, DataPlace},
    exit::Exit,
    service::{Scheduler, ServiceContext},
};

/// Grace period for operations at shutdown. The test of a silent server would take minutes.
const OPERATIONS_GRACE: Duration = Duration::from_secs(5);
/// Maximum time to write the last log lines at shutdown.
const LOG_FLUSH_TIMEOUT: Duration = Duration::from_secs(1);

/// Options of `mailhaul serve`.
#[derive(Args, Debug)]
#[allow(clippy::doc_markdown, reason = "the comments of options are what --help prints")]
pub(crate) struct ServeOptions {
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
    /// With --database: name of this node for node get and node set [default: the machine's name]
    #[arg(long, value_name = "NAME")]
    name: Option<String>,
    /// With --database: mailboxes that this node migrates at the same time
    #[arg(long, value_name = "MAILBOXES", default_value_t = 200, value_parser = clap::value_parser!(u32).range(1..))]
    capacity: u32,
    /// With --database: directory of the archive, for batches into it; several nodes can share one
    #[arg(long, value_name = "DIR")]
    archive: Option<PathBuf>,
    /// Directory of the web console's files, in place of the embedded ones
    #[cfg(debug_assertions)]
    #[arg(long, value_name = "DIR", requires = "listen", hide = true)]
    console: Option<PathBuf>,
    /// With --database: seconds without a sign of life after which other nodes continue with this node's mailboxes
    ///
    /// A short lease finds a lost machine sooner. A database that does not answer for two thirds of it, for example while
    /// a standby takes over, breaks off all passes.
    #[arg(long, value_name = "SECONDS", default_value_t = 60, value_parser = clap::value_parser!(u64).range(6..=600))]
    lease: u64,
}

/// Lease of the service of a data directory, whose lock of a file ends with its process.
const DIRECTORY_LEASE: Duration = Duration::from_mins(1);

impl ServeOptions {
    /// Returns the source of the web console's files.
    fn console_files(&self) -> ConsoleFiles {
        #[cfg(debug_assertions)]
        if let Some(directory) = &self.console {
            return ConsoleFiles::Directory(directory.clone());
        }
        ConsoleFiles::embedded()
    }

    /// Describes this process to the other nodes of a database.
    fn node(&self, place: &DataPlace) -> NodeSettings {
        let machine = || nix::unistd::gethostname().ok().and_then(|name| name.into_string().ok());
        let name = self.name.clone().or_else(machine).filter(|name| !name.is_empty());
        NodeSettings {
            name: name.unwrap_or_else(|| "unnamed".to_owned()),
            program: env!("CARGO_PKG_VERSION").to_owned(),
            // On a data directory, endpoints and the configuration limit the number.
            capacity: if place.server.is_some() { self.capacity } else { u32::MAX },
            lease: if place.server.is_some() { Duration::from_secs(self.lease) } else { DIRECTORY_LEASE },
        }
    }
}

/// Runs the service until SIGINT or SIGTERM.
pub(crate) async fn run(
    options: ServeOptions,
    place: &DataPlace,
    operations: Arc<Operations<Context>>,
) -> Result<Exit> {
    let data = place.directory.as_path();
    Store::prepare_directory(data)?;
    let log = log()?;
    let tcp = tcp(&options).await?;
    let mut context = Context::open(place).await?;
    if let Some(archive) = options.archive.as_deref() {
        open_archive(&mut context, archive)?;
    }
    let settings = options.node(place);
    let lock = context.store.nodes().take_service(settings.clone()).await?;
    let local = LocalService::new(context, operations);
    local.sessions.clean(data, local.context.now()).await;
    let socket = UnixSocket::bind(&data_directory::socket(data))
        .with_context(|| format!("the socket {} cannot be created", data_directory::socket(data).display()));
    let socket = match socket {
        Ok(socket) => socket,
        Err(error) => {
            end_service(&local, &lock).await;
            return Err(error);
        }
    };
    let shutdown = CancellationToken::new();
    let limits = local.context.limits.clone();
    let service = ServiceContext { limits, ..local.context.service_context() };
    let scheduler = Scheduler::new(service, lock, settings);
    let mut scheduler = tokio::spawn(scheduler.run(shutdown.clone()));
    tokio::spawn(sampler::run(local.context.clone(), shutdown.clone()));
    let limits = Limits { ending_time: OPERATIONS_GRACE, ..Limits::default() };
    let routes = router(&local).merge(console_routes(&local, &options, tcp.as_ref(), &shutdown));
    let server = Server::new(routes, shutdown.clone()).with_limits(limits);
    let server = tokio::spawn(async move {
        let unix = server.unix(socket);
        match tcp {
            Some((listener, tls)) => _ = tokio::join!(unix, server.tcp(listener, tls)),
            None => unix.await,
        }
    });
    // The handlers are installed before the first log line: its reader may send a signal at once.
    let stop_signal = stop_signal();
    log.line(format_args!("mailhaul serves {}", local.context.store.place()));
    if let Some(address) = options.listen {
        log.line(format_args!("listening on {address}"));
    }
    notify_systemd("READY=1");
    let was_signalled = tokio::select! {
        () = stop_signal => true,
        // A bug: without its scheduler the service would only seem to work.
        _ = &mut scheduler => false,
    };
    log.line("stopping after the current messages");
    notify_systemd("STOPPING=1");
    shutdown.cancel();
    let workers_end = async { if was_signalled { scheduler.await.ok() } else { None } };
    let requests_end = async {
        let is_served = server.await.is_ok();
        local.finish_within(OPERATIONS_GRACE).await;
        is_served
    };
    let (lock, is_served) = tokio::join!(workers_end, requests_end);
    sampler::finish(&local.context).await;
    if let Some(lock) = &lock {
        end_service(&local, lock).await;
    }
    local.close().await;
    log.flush_within(LOG_FLUSH_TIMEOUT);
    Ok(if lock.is_some() && is_served { Exit::Synced } else { Exit::Internal })
}

/// Gives the node an archive, which other nodes can share.
fn open_archive(context: &mut Context, directory: &Path) -> Result<()> {
    if !context.store.is_on_server() {
        bail!("--archive {}: without --database, the archive is in the data directory", directory.display());
    }
    Store::prepare_directory(directory)?;
    let id = archive_id::of(directory)
        .with_context(|| format!("--archive {}: its id cannot be read or written", directory.display()))?;
    context.store.set_archive(id);
    directory.clone_into(&mut context.archive);
    Ok(())
}

/// Gives back the right to run the service.
async fn end_service(local: &LocalService, lock: &ServiceLock) {
    if let Err(error) = local.context.store.nodes().end(lock.owner()).await {
        tracing::warn!("the next service waits for a minute: {error}");
    }
}

/// Sends the log and panic messages to stderr. The service never waits for stderr.
fn log() -> Result<LogWriter> {
    let writer = LogWriter::stderr().context("the log cannot be written")?;
    let filter = tracing_subscriber::EnvFilter::try_from_env("MAILHAUL_LOG")
        .unwrap_or_else(|_| tracing_subscriber::EnvFilter::new("warn"));
    let lines = writer.clone();
    let subscriber = tracing_subscriber::fmt().with_env_filter(filter).with_writer(move || lines.clone());
    // Fails if there is a subscriber already. A process runs one command, so there is none.
    _ = subscriber.with_ansi(false).try_init();
    let panics = writer.clone();
    std::panic::set_hook(Box::new(move |panic| panics.line(panic)));
    Ok(writer)
}

type Tcp = (TcpListener, Option<Arc<ServerConfig>>);

async fn tcp(options: &ServeOptions) -> Result<Option<Tcp>> {
    let Some(address) = options.listen else { return Ok(None) };
    let tls = match (&options.tls_certificate, &options.tls_key) {
        (Some(certificate), Some(key)) => Some(Arc::new(tls(certificate, key)?)),
        _ => None,
    };
    if tls.is_none() && !address.ip().is_loopback() && !options.allow_clear_text {
        bail!(
            "--listen {address}: without TLS, anyone on the network path can read tokens and passwords; give --tls-certificate and \
             --tls-key, listen on 127.0.0.1, or give --allow-clear-text"
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
        .with_context(|| {
            format!("the certificate {} and the key {} do not match", certificate.display(), key.display())
        })
}

/// Routes of the operations and of monitoring systems.
fn router(local: &LocalService) -> axum::Router {
    let ready = local.context.clone();
    local
        .router()
        .route("/healthz", get(|| async { "ok\n" }))
        .route("/readyz", get(move || is_ready(ready.clone())))
        .merge(metrics::routes(local))
}

/// Routes of the web console and its events. Without an address there is only the refusal of tickets.
fn console_routes(
    local: &LocalService,
    options: &ServeOptions,
    tcp: Option<&Tcp>,
    shutdown: &CancellationToken,
) -> axum::Router {
    let events = event_route::route(local, shutdown);
    tokio::spawn(ticker::run(local.context.clone(), local.feed.clone(), shutdown.clone()));
    let Some((listener, tls)) = tcp else { return events.merge(ticket_route(local, None)) };
    // The socket is bound, so it has an address.
    let address =
        listener.local_addr().ok().map(|address| ConsoleAddress { address, is_encrypted: tls.is_some() });
    let pages = console::routes(local, options.console_files()).merge(download_routes::routes(local));
    events.merge(ticket_route(local, address)).merge(pages)
}

async fn is_ready(context: Arc<Context>) -> Response {
    match readiness::check(&context).await {
        Ok(()) => "ready\n".into_response(),
        Err(reason) => (StatusCode::SERVICE_UNAVAILABLE, format!("{reason}\n")).into_response(),
    }
}

/// Installs the SIGINT and SIGTERM handlers now; completes on the first signal.
fn stop_signal() -> impl Future<Output = ()> {
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
            // Without handlers a signal ends the process. The database survives that.
            Err(_) => std::future::pending().await,
        }
    }
}

/// Sends the state to the service manager (`sd_notify(3)`), if there is one.
fn notify_systemd(state: &str) {
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
        _ = writeln!(std::io::stderr(), "the service manager cannot be notified: {error}");
    }
}
