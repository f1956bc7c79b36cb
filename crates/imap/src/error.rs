//! Errors: kind, scope, and time to retry. Classifies refusals of servers.

use std::{fmt, io};

use mailhaul_mail::{Retry, Scope};

pub use crate::error_kind::ErrorKind;
use crate::{
    decode::DecodeError,
    framer::FrameError,
    response::{Code, Status, StatusResponse},
    throttle_replies,
};

/// Start of the message about a BYE.
const GOODBYE: &str = "the server closed the connection: BYE";

/// An error of this crate.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct Error {
    /// Scope of the error.
    pub scope: Scope,
    /// Time to retry.
    pub retry: Retry,
    /// Kind of the error.
    pub kind: ErrorKind,
    /// One sentence, with the server's words if there are any.
    pub message: String,
    /// Response code of the server.
    pub code: Option<Code>,
}

impl Error {
    /// Returns an error that makes the connection unusable.
    pub fn session(kind: ErrorKind, message: impl fmt::Display) -> Self {
        Self { scope: Scope::Session, retry: Retry::Now, kind, message: message.to_string(), code: None }
    }

    /// Returns an error that every connection to this endpoint gets, until the operator changes something.
    pub fn endpoint(kind: ErrorKind, message: impl fmt::Display) -> Self {
        Self { scope: Scope::Endpoint, retry: Retry::Never, kind, message: message.to_string(), code: None }
    }

    /// Returns an error of the operating system during `what`.
    pub fn io(what: impl fmt::Display, error: &io::Error) -> Self {
        Self::session(ErrorKind::Connection, format!("{what}: {error}"))
    }

    /// Returns the error for a NO, BAD or BYE in answer to `command`.
    pub fn refused(command: &str, status: &StatusResponse) -> Self {
        let word = match status.status {
            Status::No => "NO",
            Status::Bad => "BAD",
            Status::Bye => "BYE",
            Status::Ok | Status::PreAuth => "OK",
        };
        let code = status.code.as_ref().map(|code| format!("[{}] ", code_name(code))).unwrap_or_default();
        let (scope, retry, kind) = classify(status);
        let message =
            format!("{command} refused: {word} {code}{}", clean(&status.text)).trim_end().to_owned();
        let is_not_connected = status.text.to_ascii_lowercase().contains(NOT_CONNECTED);
        let message = if is_not_connected { format!("{message} ({CAUSES})") } else { message };
        Self { scope, retry, kind, message, code: status.code.clone() }
    }

    /// Returns the error for a BYE that was not requested.
    pub fn bye(status: &StatusResponse) -> Self {
        let code = status.code.as_ref().map(|code| format!("[{}] ", code_name(code))).unwrap_or_default();
        let (scope, retry, kind) = classify(status);
        let message = format!("{GOODBYE} {code}{}", clean(&status.text)).trim_end().to_owned();
        // The connection is closed. Another one may succeed, unless the mailbox or the server is the reason.
        let (scope, retry) =
            if scope < Scope::Session { (Scope::Session, Retry::Now) } else { (scope, retry) };
        Self { scope, retry, kind, message, code: status.code.clone() }
    }

    /// Returns the error for Exchange's refusal after an OK with an error in it (`note`).
    ///
    /// The next sign-in may reach another server of the cluster.
    pub(crate) fn not_connected(status: &StatusResponse, note: &str) -> Option<Self> {
        if !status.text.to_ascii_lowercase().contains(NOT_CONNECTED) {
            return None;
        }
        let words = format!(
            "the server signed in and did not open the mailbox: {}; at sign-in it said: {}",
            clean(&status.text),
            clean(note)
        );
        Some(Self::session(ErrorKind::Authentication, words))
    }

    /// Adds the answer to a command after the BYE, which may be its reason.
    pub(crate) fn because(self, status: &StatusResponse) -> Self {
        let (scope, retry, kind) = classify(status);
        if scope <= self.scope {
            return self;
        }
        let code = status.code.as_ref().map(|code| format!("[{}] ", code_name(code))).unwrap_or_default();
        let message = format!("{}: {code}{}", self.message, clean(&status.text)).trim_end().to_owned();
        Self { scope, retry, kind, message, code: status.code.clone() }
    }

    /// True for a refusal of the server's state that may concern only the requested message.
    ///
    /// Quirk: Yahoo answers `[UNAVAILABLE]` for a message that it cannot read. A request for another message shows the cause.
    pub fn may_mean_one_message(&self) -> bool {
        self.scope > Scope::Session
            && matches!(self.kind, ErrorKind::Busy | ErrorKind::Quota)
            && self.code != Some(Code::InUse)
    }

    /// True if the server sent a BYE, and the connection did not just break.
    pub fn is_goodbye(&self) -> bool {
        self.message.contains(GOODBYE)
    }

    /// Returns the error with at least this scope.
    #[must_use]
    pub fn at_least(mut self, scope: Scope) -> Self {
        self.scope = self.scope.max(scope);
        self
    }

    /// Returns the error with words before its message.
    #[must_use]
    pub fn context(mut self, words: impl fmt::Display) -> Self {
        self.message = format!("{words}: {}", self.message);
        self
    }
}

impl From<FrameError> for Error {
    fn from(error: FrameError) -> Self {
        Self::session(ErrorKind::Protocol, error)
    }
}

impl From<DecodeError> for Error {
    fn from(error: DecodeError) -> Self {
        Self::session(ErrorKind::Protocol, error)
    }
}

/// Words about a full mailbox, in lower case. All words of a row must occur.
const FULL: [&[&str]; 13] = [
    &["quota"],
    &["mailbox is full"],
    &["mailbox full"],
    &["not enough disk"],
    &["not enough space"],
    &["insufficient disk"],
    &["insufficient storage"],
    &["bigger place"],
    // GroupWise: "The 1500 MB storage limit has been exceeded."
    &["storage", "exceed"],
    &["mailbox size", "exceed"],
    &["mailbox", "exceed", "storage"],
    &["over allocated storage"],
    &["storage exhausted"],
];

/// Refusal of Exchange if the password is correct, but the mailbox cannot be opened.
const NOT_CONNECTED: &str = "authenticated but not connected";
/// Explanation of [`NOT_CONNECTED`].
const CAUSES: &str = "the password is right, but the mailbox could not be opened: it does not exist under this name, is not open \
                      to this login (FullAccess, or ApplicationImpersonation of an administrator), or IMAP is switched off for \
                      it";

/// Classifies a refusal: by its code, then by words that servers are known to use without a code.
fn classify(status: &StatusResponse) -> (Scope, Retry, ErrorKind) {
    use ErrorKind as K;
    let text = status.text.to_ascii_lowercase();
    let says = |words: &str| text.contains(words);
    if let Some(asked) = throttle_replies::verdict(status, &text) {
        return asked;
    }
    match &status.code {
        Some(
            Code::AuthenticationFailed | Code::AuthorizationFailed | Code::Expired | Code::PrivacyRequired,
        ) => {
            return (Scope::Endpoint, Retry::Never, K::Authentication);
        }
        Some(Code::OverQuota) => return (Scope::Endpoint, Retry::Never, K::Quota),
        Some(Code::TooBig) => return (Scope::Message, Retry::Never, K::TooLarge),
        // Concerns the whole folder. Other messages would be refused too.
        Some(Code::NoPerm | Code::ContactAdmin) => return (Scope::Folder, Retry::Never, K::Refused),
        Some(Code::TryCreate | Code::NonExistent) => return (Scope::Folder, Retry::Never, K::NotFound),
        Some(Code::AlreadyExists) => return (Scope::Folder, Retry::Never, K::AlreadyExists),
        _ => {}
    }
    if FULL.iter().any(|row| row.iter().all(|words| says(words))) {
        return (Scope::Endpoint, Retry::Never, K::Quota);
    }
    if let Some(asked) = throttle_replies::verdict_from_words(&text) {
        return asked;
    }
    let table: [(&[&str], Scope, Retry, K); 3] = [
        (&[NOT_CONNECTED], Scope::Endpoint, Retry::Never, K::Authentication),
        (
            &["maximum size", "larger than the maximum", "too large", "too big", "toobig"],
            Scope::Message,
            Retry::Never,
            K::TooLarge,
        ),
        (&["already exists"], Scope::Folder, Retry::Never, K::AlreadyExists),
    ];
    for (words, scope, retry, kind) in table {
        if words.iter().any(|phrase| says(phrase)) {
            return (scope, retry, kind);
        }
    }
    match status.status {
        Status::Bye => (Scope::Session, Retry::Now, K::Connection),
        _ => (Scope::Message, Retry::Never, K::Refused),
    }
}

/// Returns server text that is safe to display: truncated, with control characters replaced.
pub(crate) fn clean(words: &str) -> String {
    const MAX_SHOWN: usize = 500;
    words
        .chars()
        .take(MAX_SHOWN)
        .map(|character| if character.is_control() { '\u{fffd}' } else { character })
        .collect()
}

/// Name of a code: that of the variant in upper case, or the server's spelling of an unknown code.
fn code_name(code: &Code) -> String {
    match code {
        // WEBALERT and REFERRAL have a URL as argument.
        Code::Other { name, rest } => clean(format!("{name} {rest}").trim_end()),
        known => {
            let debug = format!("{known:?}");
            debug.split([' ', '(']).next().unwrap_or_default().to_ascii_uppercase()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::decode::decode_status;

    #[test]
    fn refusals_are_classified() {
        use ErrorKind as K;
        let table = [
            (
                "NO [AUTHENTICATIONFAILED] Authentication failed.",
                Scope::Endpoint,
                Retry::Never,
                K::Authentication,
            ),
            (
                "BAD User is authenticated but not connected.",
                Scope::Endpoint,
                Retry::Never,
                K::Authentication,
            ),
            ("NO [OVERQUOTA] full", Scope::Endpoint, Retry::Never, K::Quota),
            ("NO Quota exceeded", Scope::Endpoint, Retry::Never, K::Quota),
            (
                "NO APPEND The 1500 MB storage limit has been exceeded.",
                Scope::Endpoint,
                Retry::Never,
                K::Quota,
            ),
            ("NO Mailbox size limit exceeded", Scope::Endpoint, Retry::Never, K::Quota),
            ("NO Not enough space on server", Scope::Endpoint, Retry::Never, K::Quota),
            ("NO Insufficient disk space", Scope::Endpoint, Retry::Never, K::Quota),
            ("NO over allocated storage", Scope::Endpoint, Retry::Never, K::Quota),
            ("NO Mailbox full", Scope::Endpoint, Retry::Never, K::Quota),
            ("NO 552 5.2.2 Message would exceed mailbox storage", Scope::Endpoint, Retry::Never, K::Quota),
            ("NO [ALERT] Storage exhausted, upgrade your plan", Scope::Endpoint, Retry::Never, K::Quota),
            ("NO [TRYCREATE] no such mailbox", Scope::Folder, Retry::Never, K::NotFound),
            (
                "NO [LIMIT] Mail size is larger than the maximum size allowed",
                Scope::Message,
                Retry::Never,
                K::TooLarge,
            ),
            ("NO [SERVERBUG] Internal error occurred", Scope::Message, Retry::Never, K::Refused),
            ("NO Mailbox already exists", Scope::Folder, Retry::Never, K::AlreadyExists),
            ("NO Message contains NUL characters", Scope::Message, Retry::Never, K::Refused),
            ("BYE Session invalidated - AccessTokenExpired", Scope::Session, Retry::Now, K::Connection),
        ];
        for (line, scope, retry, kind) in table {
            let error = Error::refused("APPEND", &decode_status(line.as_bytes()).unwrap());
            assert_eq!((error.scope, error.retry, error.kind), (scope, retry, kind), "{line}");
        }
        let status = decode_status(b"NO [OVERQUOTA] It is full").unwrap();
        assert_eq!(
            Error::refused("APPEND", &status).to_string(),
            "APPEND refused: NO [OVERQUOTA] It is full"
        );
    }

    /// All codes of RFC 5530, section 3, as a command for one message gets them.
    #[test]
    fn every_code_of_rfc_5530_is_temporary_or_permanent() {
        use ErrorKind as K;
        let later = |scope| (scope, Retry::After(None), K::Busy);
        let never = |scope, kind| (scope, Retry::Never, kind);
        let table = [
            ("UNAVAILABLE", later(Scope::Endpoint)),
            ("INUSE", later(Scope::Mailbox)),
            ("AUTHENTICATIONFAILED", never(Scope::Endpoint, K::Authentication)),
            ("AUTHORIZATIONFAILED", never(Scope::Endpoint, K::Authentication)),
            ("EXPIRED", never(Scope::Endpoint, K::Authentication)),
            ("PRIVACYREQUIRED", never(Scope::Endpoint, K::Authentication)),
            ("OVERQUOTA", never(Scope::Endpoint, K::Quota)),
            ("CONTACTADMIN", never(Scope::Folder, K::Refused)),
            ("NOPERM", never(Scope::Folder, K::Refused)),
            ("NONEXISTENT", never(Scope::Folder, K::NotFound)),
            ("ALREADYEXISTS", never(Scope::Folder, K::AlreadyExists)),
            // Of one message; the next pass tries it again.
            ("EXPUNGEISSUED", never(Scope::Message, K::Refused)),
            ("CORRUPTION", never(Scope::Message, K::Refused)),
            ("SERVERBUG", never(Scope::Message, K::Refused)),
            ("CLIENTBUG", never(Scope::Message, K::Refused)),
            ("CANNOT", never(Scope::Message, K::Refused)),
            ("LIMIT", never(Scope::Message, K::Refused)),
        ];
        for (code, expected) in table {
            let line = format!("NO [{code}] no");
            let error = Error::refused("APPEND", &decode_status(line.as_bytes()).unwrap());
            assert_eq!((error.scope, error.retry, error.kind), expected, "{line}");
        }
    }

    #[test]
    fn a_url_in_a_code_is_shown() {
        for (line, shown) in [
            (
                "NO [WEBALERT https://accounts.google.com/signin?x=1] Web login required.",
                "LOGIN refused: NO [WEBALERT https://accounts.google.com/signin?x=1] Web login required.",
            ),
            (
                "NO [REFERRAL imap://alice;AUTH=*@new.example/] Try there",
                "LOGIN refused: NO [REFERRAL imap://alice;AUTH=*@new.example/] Try there",
            ),
            ("NO [THROTTLED] later", "LOGIN refused: NO [THROTTLED] later"),
        ] {
            let error = Error::refused("LOGIN", &decode_status(line.as_bytes()).unwrap());
            assert_eq!(error.message, shown);
        }
    }

    #[test]
    fn server_text_is_truncated_and_without_controls() {
        let line = ["NO \x1b]0;owned\x07", &"x".repeat(100_000)].concat();
        let status = decode_status(line.as_bytes()).unwrap();
        for error in [Error::refused("APPEND", &status), Error::bye(&status)] {
            assert!(!error.message.contains(char::is_control), "{error}");
            assert!(error.message.len() < 1000, "{}", error.message.len());
        }
    }
}
