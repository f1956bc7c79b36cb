//! Options of a connection: address, TLS, timeouts and limits.

use std::{path::PathBuf, sync::Arc, time::Duration};

use mailhaul_mail::{CurrentPermit, Reach};

use crate::{
    auth::SignInMemory,
    limits::ResponseLimits,
    security::Security,
    trace::{Milestone, Trace},
};

/// Certificates that are trusted. By default those that the system trusts.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TlsOptions {
    /// File with certificates (PEM) to trust in place of the system's.
    pub ca_file: Option<PathBuf>,
    /// Certificates (PEM) to trust in place of the system's. Takes precedence over the file.
    pub ca_pem: Option<String>,
    /// SHA-256 of the server's certificate (DER). Only this certificate is trusted, with any name and date.
    pub pin_sha256: Option<[u8; 32]>,
    /// Every certificate is trusted.
    pub accept_untrusted: bool,
}

/// Longest waits for the server.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Timeouts {
    /// For the TCP connection to one address.
    pub connect: Duration,
    /// For the TLS handshake, and for the greeting.
    pub greeting: Duration,
    /// For the next byte of an answer.
    pub read: Duration,
    /// For the server to take the next byte of a command.
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

/// Everything that is needed to open a connection.
#[derive(Clone)]
pub struct ConnectOptions {
    /// Name or address of the server.
    pub host: String,
    /// TCP port.
    pub port: u16,
    /// Addresses of the host to which connections are allowed.
    pub reach: Reach,
    /// Protection of the connection.
    pub security: Security,
    /// Certificates that are trusted.
    pub tls: TlsOptions,
    /// Longest waits for the server.
    pub timeouts: Timeouts,
    /// Limits on the sizes of responses.
    pub limits: ResponseLimits,
    /// Receiver of the protocol trace.
    pub trace: Option<Arc<dyn Trace>>,
    /// The only sign-in mechanism; `None` for the strongest that works. Ignored for credentials of another kind.
    pub mechanism: Option<String>,
    /// True if RSA keys below 2,048 bits are accepted, with TLS 1.2 only.
    ///
    /// Applies only to a certificate that is trusted itself: by its pin, by its file or by `accept_untrusted`.
    /// [`Connection::open`](crate::Connection::open) sets it if necessary.
    pub takes_short_keys: bool,
    /// Mechanisms that work at the server. Share it among all connections to the server.
    pub sign_in: SignInMemory,
    /// Permit without which nothing is written; `None` for a server that is only read.
    ///
    /// A connection keeps the permit that is current when it is opened. When that has expired, the connection is reset.
    pub permit: Option<CurrentPermit>,
}

impl ConnectOptions {
    pub(crate) fn report(&self, milestone: &Milestone<'_>) {
        if let Some(trace) = &self.trace {
            trace.milestone(milestone);
        }
    }

    /// Returns options with the system's certificates, default timeouts and limits, and no trace.
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
            permit: None,
        }
    }
}
