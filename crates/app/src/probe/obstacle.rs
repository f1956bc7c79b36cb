//! Reason why a server test failed, with advice.

use std::time::Duration;

use mailhaul_imap::{Error, ErrorKind, response::Code};
use mailhaul_operations::TimeSpan;

use crate::{
    advice::remedies::{ENDPOINT, Topic, remedy},
    output::text,
};

/// Reason why a server cannot be used.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Obstacle {
    /// Summary in one sentence.
    pub(crate) message: String,
    /// Reason, with the server's words.
    pub(crate) detail: String,
    /// Advice for the administrator.
    pub(crate) advice: String,
}

/// Advice for each kind of error.
const ADVICE: [(ErrorKind, &str); 10] = [
    (
        ErrorKind::Unreachable,
        "Check the server's name and the port, and that no firewall blocks connections to it.",
    ),
    (ErrorKind::Forbidden, "An administrator may create an endpoint that reaches it; an operator may not."),
    (
        ErrorKind::Timeout,
        "Check the port and the security (993 with Ssl, 143 with Tls or None), and that no firewall drops connections.",
    ),
    (
        ErrorKind::Tls,
        "Check the security (993 with Ssl, 143 with Tls) and the server's certificate. -CertificateAuthorities trusts another \
         authority, -CertificateSha256 a single certificate.",
    ),
    (ErrorKind::Protocol, "Check the port and the security: 993 with Ssl, 143 with Tls or None."),
    (
        ErrorKind::Connection,
        "Check the port and the security (993 with Ssl, 143 with Tls or None), or try again later.",
    ),
    (
        ErrorKind::Authentication,
        "Check the user name and the password. Some services require an app password.",
    ),
    (ErrorKind::TooManyConnections, "Close other programs that use the mailbox, or try again later."),
    (ErrorKind::Throttled, "The server limits the rate: try again later."),
    (ErrorKind::Busy, "The server limits the rate: try again later."),
];

impl Obstacle {
    /// Converts an error of the server `host`.
    pub(crate) fn from_error(error: Error, host: &str, step_timeout: Duration) -> Self {
        let message = match error.kind {
            ErrorKind::Timeout => {
                let timeout = TimeSpan(step_timeout);
                format!("the connection to the server {host} timed out after {timeout}")
            }
            ErrorKind::Authentication => format!("the server {host} refused the sign-in to this account"),
            ErrorKind::Tls => format!("no TLS connection to the server {host} could be established"),
            _ => format!("no connection to the server {host} could be established"),
        };
        // The server refused before it checked the password.
        let wants_tls = error.code == Some(Code::PrivacyRequired)
            || error.kind == ErrorKind::Authentication
                && error.message.contains("without TLS (LOGINDISABLED)");
        let advice = ADVICE.iter().find(|(known, _)| *known == error.kind);
        let topic = match error.kind {
            ErrorKind::Authentication => Some(Topic::SignIn),
            ErrorKind::Tls => Some(Topic::Tls),
            ErrorKind::Protocol => Some(Topic::Protocol),
            _ => None,
        };
        let remedy = topic.and_then(|topic| remedy(topic, &error.message, &ENDPOINT));
        let advice = match (remedy, advice) {
            _ if wants_tls => "Give -Security Ssl (port 993) or Tls (port 143).".to_owned(),
            (Some(remedy), _) => text::capitalised(&remedy) + ".",
            (None, Some((_, advice))) => (*advice).to_owned(),
            (None, None) => "Try again later.".to_owned(),
        };
        Self { message, detail: error.message, advice }
    }

    /// Replaces the advice if there is another one.
    #[must_use]
    pub(crate) fn advised(self, advice: Option<String>) -> Self {
        Self { advice: advice.unwrap_or(self.advice), ..self }
    }

    /// Returns detail and advice.
    pub(crate) fn explained(&self) -> String {
        format!("{}. {}", self.detail.trim_end_matches('.'), self.advice)
    }
}
