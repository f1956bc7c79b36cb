//! Connection before sign-in.

use mailhaul_mail::Scope;
use tokio::time::timeout;

use crate::{
    capability::Capabilities,
    driver::{Event, Link},
    encode::Command,
    error::{Error, ErrorKind},
    foreign::{explain, no_greeting, why_silent},
    options::ConnectOptions,
    response::{Status, StatusResponse, Untagged},
    secrets::Secrets,
    security::Security,
    session::Session,
    stream::Stream,
    trace::Milestone,
    untrusted::SHORT_KEY_ENDING,
};

/// An open connection with the requested protection, not authenticated.
pub struct Connection {
    pub(crate) link: Link,
    greeting: StatusResponse,
    pub(crate) options: ConnectOptions,
    pub(crate) secrets: Secrets,
}

impl Connection {
    /// Connects, waits for the greeting, starts TLS if requested, and reads the capabilities.
    pub async fn open(options: &ConnectOptions) -> Result<Self, Error> {
        match Self::open_once(options).await {
            // TLS 1.3 has no signature scheme for short keys. TLS 1.2 has one.
            Err(error) if error.message.ends_with(SHORT_KEY_ENDING) && options.tls.may_name_certificate() => {
                Self::open_once(&ConnectOptions { takes_short_keys: true, ..options.clone() }).await
            }
            other => other,
        }
    }

    /// Opens a connection. Secrets of earlier connections are redacted from the first line on.
    async fn open_once(options: &ConnectOptions) -> Result<Self, Error> {
        let secrets = options.sign_in.secrets();
        let trace = options.trace.clone().map(|trace| secrets.redacting(trace));
        let options = ConnectOptions { trace, ..options.clone() };
        let opened = Self::open_guarded(&options, &secrets).await;
        opened.map_err(|error| {
            // No user has been named yet, so a silent server is silent for all users.
            let is_silent = error.kind == ErrorKind::Timeout;
            let error = if is_silent { error.at_least(Scope::Endpoint) } else { error };
            secrets.redact_error(error)
        })
    }

    async fn open_guarded(options: &ConnectOptions, secrets: &Secrets) -> Result<Self, Error> {
        let name = &options.host;
        let stream = match Stream::connect(options).await {
            Ok(stream) => stream,
            Err(error) => return Err(Box::pin(explain(error, options)).await),
        };
        let link = Link::new(stream, options, secrets.clone());
        let (mut link, greeting) =
            Box::pin(greeting(link, options)).await.map_err(|error| error.context(name))?;
        options.report(&Milestone::Greeted(&greeting.text));
        if options.security == Security::StartTls {
            if greeting.status == Status::PreAuth {
                let words = format!(
                    "{name}: the server says that a user is signed in already (PREAUTH), without TLS: no STARTTLS \
                     is possible, and the connection may be intercepted"
                );
                return Err(Error::endpoint(ErrorKind::Tls, words));
            }
            link = start_tls(link, options, secrets).await.map_err(|error| error.context(name))?;
        }
        if !link.state().has_current_capabilities {
            link.ask_capabilities().await.map_err(|error| error.context(name))?;
        }
        options.report(&Milestone::Capabilities(&link.state().capabilities));
        Ok(Self { link, greeting, options: options.clone(), secrets: secrets.clone() })
    }

    /// Capabilities of the server before authentication.
    pub fn capabilities(&self) -> &Capabilities {
        &self.link.state().capabilities
    }

    /// Greeting of the server.
    pub fn greeting(&self) -> &StatusResponse {
        &self.greeting
    }

    /// True if the server says that a user is already signed in (PREAUTH).
    pub fn is_preauthenticated(&self) -> bool {
        self.greeting.status == Status::PreAuth
    }

    /// Returns the session of the user who is already signed in (PREAUTH).
    pub async fn preauthenticated(self) -> Result<Session, Error> {
        if self.is_preauthenticated() {
            self.enter(None).await
        } else {
            Err(Error::endpoint(ErrorKind::Authentication, "no user is signed in"))
        }
    }

    pub(crate) async fn enter(mut self, mechanism: Option<&'static str>) -> Result<Session, Error> {
        // Capabilities change with sign-in, and some servers do not send the new ones unasked.
        if !self.link.state().has_current_capabilities {
            self.link.ask_capabilities().await?;
        }
        let Self { link, greeting, options, .. } = self;
        Ok(Session { link, greeting, mechanism, refused: Vec::new(), limits: options.limits })
    }
}

/// Waits for the greeting. Some proxies lose commands that are sent before it.
async fn greeting(mut link: Link, options: &ConnectOptions) -> Result<(Link, StatusResponse), Error> {
    let event = match first_event(&mut link, options).await {
        // The connection is useless otherwise, so the probe may use it.
        Err(error) if error.kind == ErrorKind::Timeout && options.security != Security::Implicit => {
            let stream = Some(link.into_stream());
            return Err(why_silent(options, stream, options.timeouts.greeting).await.unwrap_or(error));
        }
        // The server sent no response of IMAP.
        Err(error) if error.kind == ErrorKind::Protocol => {
            Err(no_greeting(options, &link.incoming.first_line))
        }
        other => other,
    }?;
    match event {
        Event::Untagged(Untagged::Status(status))
            if matches!(status.status, Status::Ok | Status::PreAuth) =>
        {
            Ok((link, status))
        }
        Event::Untagged(Untagged::Status(status)) if status.status == Status::Bye => Err(Error::bye(&status)),
        _ => Err(no_greeting(options, &link.incoming.first_line)),
    }
}

/// Returns the first event. While the server is silent, looks for the reason.
async fn first_event(link: &mut Link, options: &ConnectOptions) -> Result<Event, Error> {
    let patience = options.timeouts.greeting;
    let soon = patience / 6;
    let rest = patience.saturating_sub(soon);
    if let Ok(event) = timeout(soon, link.pump(None)).await {
        return event;
    }
    if options.security != Security::Implicit
        && let Some(error) = why_silent(options, None, soon).await
    {
        return Err(error);
    }
    timeout(rest, link.pump(None)).await.unwrap_or_else(|_| {
        let words = format!("no greeting within {} s", patience.as_secs_f32());
        Err(Error::session(ErrorKind::Timeout, words))
    })
}

/// Starts TLS (RFC 9051, section 6.2.1). Everything that the server sent in clear text is discarded.
async fn start_tls(mut link: Link, options: &ConnectOptions, secrets: &Secrets) -> Result<Link, Error> {
    if !link.state().has_current_capabilities {
        link.ask_capabilities().await?;
    }
    if !link.has("STARTTLS") {
        let words = "the server does not offer STARTTLS, and TLS is required";
        return Err(Error::endpoint(ErrorKind::Tls, words));
    }
    link.execute("STARTTLS", &Command::new("STARTTLS")).await.map_err(|error| {
        if error.scope >= Scope::Session { error } else { Error::endpoint(ErrorKind::Tls, error) }
    })?;
    let stream = link.into_stream().start_tls(options).await?;
    Ok(Link::new(stream, options, secrets.clone()))
}
