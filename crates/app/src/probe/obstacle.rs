//! Why a server cannot be used, and what can be done about it.

use std::time::Duration;

use mailhaul_imap::{Error, ErrorKind, response::Code};
use mailhaul_operations::TimeSpan;

use crate::{
    advice::remedies::{ENDPOINT, Topic, remedy},
    output::text,
};

/// Why a server cannot be used.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Obstacle {
    /// What happened, in one sentence.
    pub(crate) message: String,
    /// The reason, with the server's words.
    pub(crate) detail: String,
    /// What can be done about it.
    pub(crate) advice: String,
}

/// What can be done about each kind of error.
const ADVICE: [(ErrorKind, &str); 10] = [
    (
        ErrorKind::Unreachable,
        "Check the server's name and the port, and that no firewall keeps connections to it back.",
    ),
    (ErrorKind::Forbidden, "An administrator may make an endpoint that reaches it; an operator may not."),
    (
        ErrorKind::Timeout,
        "Check the port and the security (993 with Ssl, 143 with Tls or None), and that no firewall swallows connections.",
    ),
    (
        ErrorKind::Tls,
        "Check the security (993 with Ssl, 143 with Tls) and the server's certificate; a certificate of its own authority is \
         trusted with -CertificateAuthorities, a single one with -CertificateSha256.",
    ),
    (ErrorKind::Protocol, "Check the port and the security: 993 with Ssl, 143 with Tls or None."),
    (
        ErrorKind::Connection,
        "Check the port and the security (993 with Ssl, 143 with Tls or None), or try again later.",
    ),
    (
        ErrorKind::Authentication,
        "Confirm the user name and the password. Some services want a password made for applications.",
    ),
    (ErrorKind::TooManyConnections, "Close other programs that use the mailbox, or try again later."),
    (ErrorKind::Throttled, "The server asks for patience: try again later."),
    (ErrorKind::Busy, "The server asks for patience: try again later."),
];

impl Obstacle {
    /// What this error means for the server `host`, of which each step may take `patience`.
    pub(crate) fn of(error: Error, host: &str, patience: Duration) -> Self {
        let message = match error.kind {
            ErrorKind::Timeout => {
                let patience = TimeSpan(patience);
                format!("the connection to the server {host} timed out after {patience}")
            }
            ErrorKind::Authentication => format!("the server {host} refused to sign in to this account"),
            ErrorKind::Tls => format!("no secure connection to the server {host} could be made"),
            _ => format!("the server {host} could not be connected to"),
        };
        // The password was not even looked at.
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

    /// The same with other advice, where there is some.
    #[must_use]
    pub(crate) fn advised(self, advice: Option<String>) -> Self {
        Self { advice: advice.unwrap_or(self.advice), ..self }
    }

    /// Detail and advice.
    pub(crate) fn explained(&self) -> String {
        format!("{}. {}", self.detail.trim_end_matches('.'), self.advice)
    }
}
