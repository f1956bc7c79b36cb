//! Refused sign-ins: the cause, and if another mechanism may succeed.

use mailhaul_mail::{Retry, Scope};

use crate::{
    error::{Error, ErrorKind},
    response::{Code, Status, StatusResponse},
};

/// Cause of a refusal other than a wrong user name or password. No other mechanism helps.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SignInRefusal {
    /// The server accepts no password without TLS.
    NeedsTls,
    /// Another server has the mailbox (RFC 2221).
    Referral,
    /// The account's owner must do something in a web browser first.
    WebBrowser,
    /// The service requires an app password.
    AppPassword,
    /// The service accepts access tokens only.
    NeedsToken,
    /// IMAP is switched off for the account.
    ImapDisabled,
    /// The password or the account has expired.
    Expired,
    /// The account is locked, blocked or disabled.
    Locked,
    /// The server limits the number of attempts.
    TooManyTries,
    /// The credentials are correct, but give no access to this mailbox.
    NotAuthorized,
    /// The server says that a user is signed in already (PREAUTH).
    AlreadySignedIn,
}

/// Words of servers in lower case, including codes in brackets. The first row with a match counts.
const WORDS: [(SignInRefusal, &[&str]); 11] = [
    (
        SignInRefusal::NeedsTls,
        &[
            "[privacyrequired]",
            "without tls (logindisabled)",
            "plaintext authentication disallowed",
            "only under tls",
        ],
    ),
    (SignInRefusal::Referral, &["[referral"]),
    (SignInRefusal::AlreadySignedIn, &["(preauth)"]),
    (
        SignInRefusal::AppPassword,
        &[
            "application-specific",
            "application specific",
            "app-specific",
            "app specific",
            "app password",
            "application password",
            "two-factor",
            "two factor",
            "2-step",
            "two-step",
            "authorization code",
        ],
    ),
    (
        SignInRefusal::WebBrowser,
        &["[webalert", "web browser", "via your browser", "web login", "log in on the web"],
    ),
    (
        SignInRefusal::NeedsToken,
        &[
            "basic authentication is disabled",
            "basicauthblocked",
            "basic auth is disabled",
            "only oauth",
            "use oauth",
        ],
    ),
    (
        SignInRefusal::ImapDisabled,
        &[
            "enable imap",
            "enabled for imap",
            "imap is disabled",
            "imap is not enabled",
            "imap not enabled",
            "imap access is disabled",
            "imap access is not",
            "imap access disabled",
            "imap4 is disabled",
            "imap service is disabled",
            "account for imap access",
            "imap disabled",
        ],
    ),
    (
        SignInRefusal::Expired,
        &["[expired]", "has expired", "is expired", "password expired", "account expired", "must be changed"],
    ),
    (
        SignInRefusal::Locked,
        &[
            "locked",
            "blocked",
            "lockout",
            "suspended",
            "deactivated",
            "banned",
            "is disabled",
            "been disabled",
            "account disabled",
            "user disabled",
            "is inactive",
            "account inactive",
            "[contactadmin]",
        ],
    ),
    (
        SignInRefusal::TooManyTries,
        &["too many", "try again later", "temporarily", "rate limit", "too fast", "[limit]", "slow down"],
    ),
    (
        SignInRefusal::NotAuthorized,
        &["[authorizationfailed]", "[noperm]", "not authorized", "authenticated but not connected"],
    ),
];

impl SignInRefusal {
    /// Returns the cause in the words of a refusal; `None` if user name or password may be wrong.
    pub fn in_words(words: &str) -> Option<Self> {
        let words = words.to_lowercase();
        let row = WORDS.iter().find(|(_, known)| known.iter().any(|known| words.contains(known)));
        row.map(|(refusal, _)| *refusal)
    }
}

/// Words with which servers refuse the mechanism, not the credentials.
const MISSING: [&str; 5] = ["unsupported", "not supported", "mechanism", "capability", "not enabled"];

/// Meaning of the server's answer for the other mechanisms.
pub(crate) enum Answer {
    /// Signed in. The text is an error that the server reported in its OK.
    SignedIn(Option<String>),
    /// The server does not support the mechanism. It has not checked a password.
    Missing(Error),
    /// The server refused the credentials with this mechanism.
    Refused(Error),
}

/// Evaluates the answer to a sign-in. `reason` is the reason of a refusal that the mechanism received.
///
/// # Errors
/// The answer is final: no other mechanism may be tried now.
pub(crate) fn judge(name: &str, status: &StatusResponse, reason: Option<&str>) -> Result<Answer, Error> {
    if status.status == Status::Ok {
        return Ok(Answer::SignedIn(note(status)));
    }
    let error = with_reason(Error::refused(name, status), reason);
    if matches!(error.kind, ErrorKind::Throttled | ErrorKind::Busy | ErrorKind::TooManyConnections) {
        return Err(error);
    }
    if status.code == Some(Code::ServerBug) {
        // The credentials are not the cause. The problem may concern only this mailbox.
        let (scope, retry, kind) = (Scope::Mailbox, Retry::After(None), ErrorKind::Throttled);
        return Err(Error { scope, retry, kind, ..error });
    }
    let refused = |error| Error {
        scope: Scope::Endpoint,
        retry: Retry::Never,
        kind: ErrorKind::Authentication,
        ..error
    };
    let text = status.text.to_lowercase();
    if SignInRefusal::in_words(&error.message).is_some() {
        return Err(refused(error));
    }
    if status.status == Status::Bad
        || status.code == Some(Code::Cannot)
        || status.code != Some(Code::AuthenticationFailed) && MISSING.iter().any(|words| text.contains(words))
    {
        return Ok(Answer::Missing(error));
    }
    Ok(Answer::Refused(refused(error)))
}

/// Quirk: Exchange answers `OK [Error="...WrongServerException..." ...]`, and refuses every later command.
fn note(status: &StatusResponse) -> Option<String> {
    match &status.code {
        Some(Code::Other { name, rest }) if name.to_ascii_lowercase().starts_with("error=") => {
            Some(format!("{name} {rest}"))
        }
        _ => None,
    }
}

fn with_reason(error: Error, reason: Option<&str>) -> Error {
    let Some(reason) = reason else { return error };
    Error { message: format!("{}; the server said of it: {reason}", error.message), ..error }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::decode::decode_status;

    fn judged(line: &str) -> &'static str {
        match judge("LOGIN", &decode_status(line.as_bytes()).unwrap(), None) {
            Ok(Answer::SignedIn(_)) => "signed in",
            Ok(Answer::Missing(_)) => "missing",
            Ok(Answer::Refused(error)) => {
                assert_eq!((error.scope, error.retry), (Scope::Endpoint, Retry::Never));
                "refused"
            }
            Err(error) if error.kind == ErrorKind::Authentication => "final",
            Err(error) => {
                assert!(matches!(error.kind, ErrorKind::Throttled | ErrorKind::Busy), "{error}");
                "patience"
            }
        }
    }

    #[test]
    fn an_answer_decides_whether_another_mechanism_is_tried() {
        for (line, expected) in [
            ("OK welcome", "signed in"),
            ("NO [AUTHENTICATIONFAILED] Authentication failed.", "refused"),
            ("NO Login failed.", "refused"),
            ("NO [ALERT] Invalid credentials (Failure)", "refused"),
            ("NO LOGIN failed", "refused"),
            ("BAD what?", "missing"),
            ("NO [CANNOT] no", "missing"),
            ("NO Unsupported authentication mechanism", "missing"),
            (
                "NO [ALERT] Application-specific password required: https://support.google.com/a (Failure)",
                "final",
            ),
            ("NO [WEBALERT https://accounts.google.com/x] Web login required.", "final"),
            ("NO [ALERT] Please log in via your web browser", "final"),
            ("NO [ALERT] Your account is not enabled for IMAP use.", "final"),
            ("NO [REFERRAL imap://alice;AUTH=*@new.example/] Specified user is invalid", "final"),
            ("NO [EXPIRED] change it", "final"),
            ("NO [CONTACTADMIN] no", "final"),
            ("NO [AUTHENTICATIONFAILED] account is locked", "final"),
            ("NO [AUTHORIZATIONFAILED] not bob's mailbox", "final"),
            ("NO [PRIVACYREQUIRED] Plaintext authentication disallowed", "final"),
            ("NO [AUTHENTICATIONFAILED] Too many attempts, try again later", "final"),
            ("NO Basic authentication is disabled.", "final"),
            ("NO [UNAVAILABLE] later", "patience"),
            ("NO [SERVERBUG] oops", "patience"),
        ] {
            assert_eq!(judged(line), expected, "{line}");
        }
    }

    #[test]
    fn a_cause_is_found_in_the_words_of_an_error() {
        for (words, cause) in [
            ("AUTHENTICATE PLAIN refused: NO [AUTHENTICATIONFAILED] no", None),
            (
                "LOGIN refused: NO [ALERT] Application-specific password required",
                Some(SignInRefusal::AppPassword),
            ),
            ("LOGIN refused: NO please enable IMAP in the settings", Some(SignInRefusal::ImapDisabled)),
            ("LOGIN refused: NO [CONTACTADMIN] This account is blocked", Some(SignInRefusal::Locked)),
            (
                "the server says that a user is signed in already (PREAUTH)",
                Some(SignInRefusal::AlreadySignedIn),
            ),
        ] {
            assert_eq!(SignInRefusal::in_words(words), cause, "{words}");
        }
    }
}
