//! How to reach a server.

use std::{path::PathBuf, sync::Arc, time::Duration};

use mailhaul_mail::Reach;

use crate::{
    auth::SignInMemory,
    limits::ResponseLimits,
    security::Security,
    trace::{Milestone, Trace},
};

/// Whom to trust.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TlsOptions {
    /// Certificates (PEM) to trust in place of the system's.
    pub ca_file: Option<PathBuf>,
    /// The same as text; it goes before the file.
    pub ca_pem: Option<String>,
    /// SHA-256 of the server's own certificate (DER): it alone is trusted, whatever its name and date.
    pub pin_sha256: Option<[u8; 32]>,
    /// Trust anybody.
    pub accept_untrusted: bool,
}

/// How long to wait for the server.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Timeouts {
    /// For TCP, for each address.
    pub connect: Duration,
    /// For the greeting, and for TLS.
    pub greeting: Duration,
    /// For the next octet of an answer.
    pub read: Duration,
    /// For the server to take what was sent.
    pub write: Duration,
}

impl Default for Timeouts {
    fn default() -> Self {
        Self {
            connect: Duration::from_secs(15),
            greeting: Duration::from_secs(30),
            read: Duration::from_mins(5),
            write: Duration::from_mins(5),
        }
    }
}

/// All that is needed to open a connection.
#[derive(Clone)]
pub struct ConnectOptions {
    /// Name or address of the server.
    pub host: String,
    /// Its port.
    pub port: u16,
    /// Which addresses of the host are connected to.
    pub reach: Reach,
    /// How the connection is protected.
    pub security: Security,
    /// Whom to trust.
    pub tls: TlsOptions,
    /// How long to wait.
    pub timeouts: Timeouts,
    /// How much to take.
    pub limits: ResponseLimits,
    /// Who is shown the protocol.
    pub trace: Option<Arc<dyn Trace>>,
    /// The only sign-in mechanism; `None` for the strongest that works. It counts for credentials of its kind.
    pub mechanism: Option<String>,
    /// RSA keys below 2,048 bits are taken, and TLS 1.2 alone. It counts where a certificate is trusted for itself: by its
    /// pin, by its file or by `accept_untrusted`. Set by [`Connection::open`](crate::Connection::open) where it is needed.
    pub takes_short_keys: bool,
    /// Which mechanisms work there. Share it among all connections to the server.
    pub sign_in: SignInMemory,
}

impl ConnectOptions {
    pub(crate) fn report(&self, milestone: &Milestone<'_>) {
        if let Some(trace) = &self.trace {
            trace.milestone(milestone);
        }
    }

    /// With the system's trust, default timeouts and limits, and no trace.
    pub fn new(host: impl Into<String>, port: u16, security: Security) -> Self {
        Self {
            host: host.into(),
            port,
            reach: Reach::default(),
            security,
            tls: TlsOptions::default(),
            timeouts: Timeouts::default(),
            limits: ResponseLimits::default(),
            trace: None,
            mechanism: None,
            takes_short_keys: false,
            sign_in: SignInMemory::default(),
        }
    }
}
