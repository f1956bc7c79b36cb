//! AUTHENTICATE (RFC 9051, section 6.2.2; initial responses are RFC 4959) and LOGIN.

use base64::{Engine as _, engine::general_purpose::STANDARD};
use mailhaul_mail::Secret;
use zeroize::Zeroizing;

use crate::{
    auth::{Answer, Credentials, Exchange, Mechanism, judge},
    command_id::CommandId,
    driver::{Event, Link},
    encode::Command,
    error::{Error, ErrorKind},
    response::StatusResponse,
    secrets::Secrets,
};

/// Longest initial response in the command, in bytes. Servers limit the length of a line. A longer one is sent later.
const MAX_INITIAL_LENGTH: usize = 4000;

/// Tries one method of signing in.
///
/// # Errors
/// No other method may be tried on this connection: it broke, or the server's answer is final.
pub(crate) async fn try_method(
    link: &mut Link,
    exchange: Exchange,
    credentials: &Credentials,
) -> Result<Answer, Error> {
    // The capabilities may change with sign-in.
    link.state_mut().has_current_capabilities = false;
    match exchange {
        Exchange::Sasl(mut mechanism) => {
            link.hide_continuations(true);
            let answer = sasl(link, mechanism.as_mut()).await;
            link.hide_continuations(false);
            answer
        }
        Exchange::LoginCommand => login(link, credentials).await,
    }
}

async fn login(link: &mut Link, credentials: &Credentials) -> Result<Answer, Error> {
    let user = Secret::new(credentials.user.as_bytes());
    let command = Command::new("LOGIN").secret(&user).secret(&credentials.secret);
    link.drain_abandoned().await?;
    let id = link.send(&command).await?;
    let status = ending(link, id).await?;
    judge("LOGIN", &status, None)
}

async fn sasl(link: &mut Link, mechanism: &mut (dyn Mechanism + Send)) -> Result<Answer, Error> {
    let name = mechanism.name();
    let takes_initial = link.has("SASL-IR") || link.has("IMAP4rev2");
    let secrets = link.incoming.secrets.clone();
    let mut initial = mechanism.initial().map(|octets| {
        secrets.add_message(&octets);
        encode(&Zeroizing::new(octets), "=")
    });
    let mut command = Command::new("AUTHENTICATE").raw(name);
    if takes_initial && let Some(octets) = initial.take_if(|octets| octets.len() <= MAX_INITIAL_LENGTH) {
        command = command.secret_raw(octets);
    }
    link.drain_abandoned().await?;
    let id = link.send(&command).await?;
    // Set after a cancellation, until the server confirms it.
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
                    None => answer(mechanism, &challenge, &secrets),
                };
                let answer = answer.unwrap_or_else(|error| {
                    failure = Some(error);
                    // Cancels the exchange (RFC 9051, section 6.2.2).
                    Zeroizing::new(b"*".to_vec())
                });
                link.writer.trace("[redacted]");
                link.writer.queue(&answer);
                link.writer.queue(b"\r\n");
            }
            Event::Tagged { id: ended, status } if ended == id => {
                if let Some(error) = failure {
                    return Err(error);
                }
                let answer = judge(&format!("AUTHENTICATE {name}"), &status, mechanism.refusal())?;
                if matches!(answer, Answer::SignedIn(_)) {
                    mechanism.finish()?;
                }
                return Ok(answer);
            }
            _ => {}
        }
    }
}

fn answer(
    mechanism: &mut (dyn Mechanism + Send),
    challenge: &str,
    secrets: &Secrets,
) -> Result<Zeroizing<Vec<u8>>, Error> {
    let challenge = STANDARD.decode(challenge.trim()).map_err(|_| {
        let words = format!("AUTHENTICATE {}: the server's challenge is not base64", mechanism.name());
        Error::session(ErrorKind::Protocol, words)
    })?;
    mechanism.respond(&challenge).map(|octets| {
        secrets.add_message(&octets);
        encode(&Zeroizing::new(octets), "")
    })
}

/// Encodes base64 without leaving copies in memory. An empty text becomes `empty`.
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
