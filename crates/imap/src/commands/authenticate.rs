//! AUTHENTICATE (RFC 9051, section 6.2.2; initial responses are RFC 4959) and LOGIN.

use base64::{Engine as _, engine::general_purpose::STANDARD};
use mailhaul_mail::{Retry, Scope, Secret};
use zeroize::Zeroizing;

use crate::{
    auth::{Choice, Credentials, Mechanism, choose},
    driver::{CommandId, Event, Link},
    encode::Command,
    error::{Error, ErrorKind},
    response::{Code, Status, StatusResponse},
};

/// A longer initial response goes as a continuation: servers limit the length of a command.
const LONGEST_INITIAL: usize = 4000;

/// How a way to log in ended.
enum Attempt {
    LoggedIn,
    /// The server does not do it after all; another way may work.
    TryNext(Error),
}

/// Logs in by one of the ways that both sides know, and says which: a mechanism, or the command LOGIN.
pub(crate) async fn authenticate(link: &mut Link, credentials: &Credentials) -> Result<&'static str, Error> {
    let clear_text = !link.is_tls;
    let choices = choose(&link.state().capabilities, credentials, clear_text);
    let mut last = no_way(link, credentials, clear_text);
    for choice in choices {
        // What the server could do before, it need not be able to do afterwards.
        link.state_mut().capabilities_told = false;
        let (name, attempt) = match choice {
            Choice::Sasl(mut mechanism) => {
                link.hide_continuations(true);
                let attempt = sasl(link, mechanism.as_mut()).await;
                link.hide_continuations(false);
                (mechanism.name(), attempt?)
            }
            Choice::LoginCommand => ("the command LOGIN", login(link, credentials).await?),
        };
        match attempt {
            Attempt::LoggedIn => return Ok(name),
            Attempt::TryNext(error) => last = error,
        }
    }
    Err(Error { scope: Scope::Endpoint, retry: Retry::Never, kind: ErrorKind::Authentication, ..last })
}

fn no_way(link: &Link, credentials: &Credentials, clear_text: bool) -> Error {
    let offered: Vec<&str> = link.state().capabilities.mechanisms().collect();
    let offered = if offered.is_empty() { "none".to_owned() } else { offered.join(", ") };
    let mut words = format!("no way to log in that both sides know; the server's mechanisms: {offered}");
    if let Some(mechanism) = &credentials.mechanism {
        words = format!("{words}; asked for: {mechanism}");
    }
    if link.has("LOGINDISABLED") {
        words.push_str(if clear_text {
            "; the server takes no password without TLS (LOGINDISABLED)"
        } else {
            "; the server has no LOGIN (LOGINDISABLED)"
        });
    }
    Error::endpoint(ErrorKind::Authentication, words)
}

async fn login(link: &mut Link, credentials: &Credentials) -> Result<Attempt, Error> {
    let user = Secret::new(credentials.user.as_bytes());
    let command = Command::new("LOGIN").secret(&user).secret(&credentials.secret);
    link.settle().await?;
    let id = link.send(&command).await?;
    let status = ending(link, id).await?;
    judge("LOGIN", &status)
}

async fn sasl(link: &mut Link, mechanism: &mut (dyn Mechanism + Send)) -> Result<Attempt, Error> {
    let name = mechanism.name();
    let takes_initial = link.has("SASL-IR") || link.has("IMAP4rev2");
    let mut initial = mechanism.initial().map(|octets| encode(&Zeroizing::new(octets), "="));
    let mut command = Command::new("AUTHENTICATE").raw(name);
    if takes_initial && let Some(octets) = initial.take_if(|it| it.len() <= LONGEST_INITIAL) {
        command = command.secret_raw(octets);
    }
    link.settle().await?;
    let id = link.send(&command).await?;
    // Set when we have given up, and wait for the server to agree.
    let mut failure = None;
    loop {
        match link.next().await? {
            Event::Continue(challenge) => {
                if let Some(error) = failure {
                    return Err(error);
                }
                let answer = match initial.take() {
                    Some(octets) if octets.as_slice() == b"=" => Ok(Zeroizing::default()),
                    Some(octets) => Ok(octets),
                    None => answer(mechanism, &challenge),
                };
                let answer = answer.unwrap_or_else(|error| {
                    failure = Some(error);
                    // This cancels (RFC 9051, section 6.2.2).
                    Zeroizing::new(b"*".to_vec())
                });
                link.writer.trace("[redacted]");
                link.writer.push(&answer);
                link.writer.push(b"\r\n");
            }
            Event::Tagged { id: ended, status } if ended == id => {
                if let Some(error) = failure {
                    return Err(error);
                }
                let attempt = judge(&format!("AUTHENTICATE {name}"), &status)
                    .map_err(|error| with_reason(error, mechanism.refusal()))?;
                if matches!(attempt, Attempt::LoggedIn) {
                    mechanism.finish()?;
                }
                return Ok(attempt);
            }
            _ => {}
        }
    }
}

fn answer(mechanism: &mut (dyn Mechanism + Send), challenge: &str) -> Result<Zeroizing<Vec<u8>>, Error> {
    let challenge = STANDARD.decode(challenge.trim()).map_err(|_| {
        let words = format!("AUTHENTICATE {}: the server's challenge is not base64", mechanism.name());
        Error::session(ErrorKind::Protocol, words)
    })?;
    mechanism.respond(&challenge).map(|octets| encode(&Zeroizing::new(octets), ""))
}

/// In base64, without copies that stay behind. Nothing at all is `empty`.
fn encode(octets: &[u8], empty: &str) -> Zeroizing<Vec<u8>> {
    if octets.is_empty() {
        return Zeroizing::new(empty.as_bytes().to_vec());
    }
    let mut text = Zeroizing::new(vec![0; octets.len().div_ceil(3) * 4]);
    let length = STANDARD.encode_slice(octets, &mut text).unwrap_or(0);
    text.truncate(length);
    text
}

async fn ending(link: &mut Link, id: CommandId) -> Result<StatusResponse, Error> {
    loop {
        match link.next().await? {
            Event::Tagged { id: ended, status } if ended == id => return Ok(status),
            _ => {}
        }
    }
}

fn with_reason(error: Error, reason: Option<&str>) -> Error {
    let Some(reason) = reason else { return error };
    Error { message: format!("{}; the server said of it: {reason}", error.message), ..error }
}

/// Tells wrong credentials from a mechanism that the server only pretends to have.
fn judge(name: &str, status: &StatusResponse) -> Result<Attempt, Error> {
    use ErrorKind as K;
    if status.status == Status::Ok {
        return Ok(Attempt::LoggedIn);
    }
    let error = Error::refused(name, status);
    if matches!(error.kind, K::Authentication | K::Throttled | K::Busy | K::TooManyConnections) {
        return Err(error);
    }
    if status.code == Some(Code::ServerBug) {
        // The fault is not in the credentials, and may be in this one mailbox.
        let (scope, retry, kind) = (Scope::Mailbox, Retry::After(None), K::Throttled);
        return Err(Error { scope, retry, kind, ..error });
    }
    let text = status.text.to_ascii_lowercase();
    let is_missing = status.status == Status::Bad
        || status.code == Some(Code::Cannot)
        || ["unsupported", "not supported", "mechanism", "capability", "not enabled"]
            .iter()
            .any(|words| text.contains(words));
    if is_missing {
        return Ok(Attempt::TryNext(error));
    }
    Err(Error { scope: Scope::Endpoint, retry: Retry::Never, kind: ErrorKind::Authentication, ..error })
}
