//! A connection before anybody logged in.

use mailhaul_mail::Scope;
use tokio::time::timeout;

use crate::{
    capability::Capabilities,
    driver::{Event, Link},
    encode::Command,
    error::{Error, ErrorKind},
    options::{ConnectOptions, Security},
    response::{Status, StatusResponse, Untagged},
    session::Session,
    stream::Stream,
    trace::Milestone,
};

/// A connection that is open, protected as asked for, and not authenticated.
pub struct Connection {
    pub(crate) link: Link,
    greeting: StatusResponse,
    pub(crate) options: ConnectOptions,
}

impl Connection {
    /// Connects, waits for the greeting, changes to TLS where that was asked for, and learns what the server can do.
    pub async fn open(options: &ConnectOptions) -> Result<Self, Error> {
        let name = &options.host;
        let mut link = Link::new(Stream::connect(options).await?, options);
        let greeting = greeting(&mut link, options).await.map_err(|error| error.context(name))?;
        options.tell(&Milestone::Greeted(&greeting.text));
        if options.security == Security::StartTls {
            if greeting.status == Status::PreAuth {
                let words = format!(
                    "{name}: the server says that a user is signed in already (PREAUTH), without TLS: no STARTTLS \
                     is possible, and the connection may be intercepted"
                );
                return Err(Error::endpoint(ErrorKind::Tls, words));
            }
            link = start_tls(link, options).await.map_err(|error| error.context(name))?;
        }
        if !link.state().capabilities_told {
            link.ask_capabilities().await.map_err(|error| error.context(name))?;
        }
        options.tell(&Milestone::Capabilities(&link.state().capabilities));
        Ok(Self { link, greeting, options: options.clone() })
    }

    /// What the server can do before authentication.
    pub fn capabilities(&self) -> &Capabilities {
        &self.link.state().capabilities
    }

    /// What the server said first.
    pub fn greeting(&self) -> &StatusResponse {
        &self.greeting
    }

    /// Whether the server says that somebody is logged in already (PREAUTH).
    pub fn is_preauthenticated(&self) -> bool {
        self.greeting.status == Status::PreAuth
    }

    /// The session of whoever is logged in already (PREAUTH).
    pub async fn preauthenticated(self) -> Result<Session, Error> {
        if self.is_preauthenticated() {
            self.enter(None).await
        } else {
            Err(Error::endpoint(ErrorKind::Authentication, "nobody is logged in"))
        }
    }

    pub(crate) async fn enter(mut self, mechanism: Option<&'static str>) -> Result<Session, Error> {
        // They change with login, and not every server tells unasked.
        if !self.link.state().capabilities_told {
            self.link.ask_capabilities().await?;
        }
        let Self { link, greeting, options } = self;
        Ok(Session { link, greeting, mechanism, refused: Vec::new(), limits: options.limits })
    }
}

/// Waits until the server has greeted: some proxies lose what is said before.
async fn greeting(link: &mut Link, options: &ConnectOptions) -> Result<StatusResponse, Error> {
    let patience = options.timeouts.greeting;
    let event = timeout(patience, link.pump(None)).await.map_err(|_| {
        let words = format!("no greeting within {} s", patience.as_secs_f32());
        Error::session(ErrorKind::Timeout, words)
    })??;
    match event {
        Event::Untagged(Untagged::Status(status))
            if matches!(status.status, Status::Ok | Status::PreAuth) =>
        {
            Ok(status)
        }
        Event::Untagged(Untagged::Status(status)) if status.status == Status::Bye => Err(Error::bye(&status)),
        _ => Err(Error::endpoint(ErrorKind::Protocol, "what answers on this port does not speak IMAP")),
    }
}

/// RFC 9051, section 6.2.1. Nothing that the server said in clear text counts afterwards.
async fn start_tls(mut link: Link, options: &ConnectOptions) -> Result<Link, Error> {
    if !link.state().capabilities_told {
        link.ask_capabilities().await?;
    }
    if !link.has("STARTTLS") {
        let words = "the server does not offer STARTTLS, and TLS is required";
        return Err(Error::endpoint(ErrorKind::Tls, words));
    }
    link.order("STARTTLS", &Command::new("STARTTLS")).await.map_err(|error| {
        if error.scope >= Scope::Session { error } else { Error::endpoint(ErrorKind::Tls, error) }
    })?;
    let stream = link.into_stream().start_tls(options).await?;
    Ok(Link::new(stream, options))
}
