//! LOGIN and AUTHENTICATE, and their refusals.

use std::sync::Arc;

use base64::{Engine as _, engine::general_purpose::STANDARD};

use super::{
    connection::{State, Wire},
    session::{Answer, Refusal, Session},
    syntax::Arguments,
};

/// A login: the user, the credential, and the mailbox.
struct Claim {
    user: String,
    secret: Secret,
}

enum Secret {
    Password(String),
    Token(String),
}

impl Session {
    /// Handles a login; `None` if the client has disconnected.
    pub(super) async fn log_in(
        &mut self,
        name: &str,
        arguments: &mut Arguments<'_>,
        wire: &mut Wire,
    ) -> Option<Answer> {
        if name == "LOGIN" {
            let claim = arguments.string().zip(arguments.string());
            let claim = claim.map(|(user, password)| Claim { user, secret: Secret::Password(password) });
            return Some(self.admit(claim, wire));
        }
        let mechanism = arguments.word().unwrap_or_default();
        let initial = if let Some(initial) = arguments.string() {
            initial
        } else {
            wire.send(b"+ \r\n").await?;
            String::from_utf8_lossy(&wire.line().await?).into_owned()
        };
        let octets = STANDARD.decode(initial.trim()).unwrap_or_default();
        let text = String::from_utf8_lossy(&octets).into_owned();
        let claim = match mechanism.as_str() {
            "PLAIN" => plain(&text),
            "XOAUTH2" => xoauth2(&text),
            _ => return Some(Err(Refusal::no("[CANNOT] Unsupported mechanism"))),
        };
        let answer = self.admit(claim, wire);
        if answer.is_err() && mechanism == "XOAUTH2" {
            // The reason, in JSON. The client answers with an empty line.
            wire.send(format!("+ {}\r\n", STANDARD.encode(br#"{"status":"401"}"#)).as_bytes()).await?;
            wire.line().await?;
        }
        Some(answer)
    }

    fn admit(&mut self, claim: Option<Claim>, wire: &Wire) -> Answer {
        let refused = || Refusal::no("[AUTHENTICATIONFAILED] AUTHENTICATE failed.");
        let claim = claim.ok_or_else(refused)?;
        let user = self.server.user(&claim.user).ok_or_else(refused)?;
        let now = user.clock.now();
        self.expires = match claim.secret {
            Secret::Password(password) if password == user.password => None,
            Secret::Token(token) => {
                let shown = user.tokens.lock().unwrap().show(&token, now);
                Some(shown.map_err(|why| {
                    user.meter().note("stale");
                    for violation in why.violations {
                        self.server.violation(&user.name, violation);
                    }
                    refused()
                })?)
            }
            Secret::Password(_) => return Err(refused()),
        };
        let limits = &self.server.personality.limits;
        let away_until = user.meter().away_until;
        if now < away_until {
            let early = away_until.saturating_sub(now);
            self.server.violation(&user.name, format!("came back {early:?} before it was allowed to"));
            let words = if limits.throttle.is_some() {
                let milliseconds = early.as_millis();
                format!("BAD Request is throttled. Suggested Backoff Time: {milliseconds} milliseconds")
            } else {
                "NO [OVERQUOTA] Account exceeded command or bandwidth limits. (Failure)".to_owned()
            };
            return Err(Refusal::AndLeaves(words, "* BYE Session expired"));
        }
        let mut peers = user.peers.lock().unwrap();
        peers.retain(|it| it.state() != State::Over);
        if peers.len() >= limits.connections {
            if user.meter().is_crowded(now) {
                let words =
                    format!("wants more than {} connections, shortly after a refusal", limits.connections);
                self.server.violation(&user.name, words);
            }
            return Err(Refusal::no("[ALERT] Too many simultaneous connections. (Failure)"));
        }
        peers.push(Arc::clone(&wire.peer));
        drop(peers);
        user.meter().note("logins");
        self.user = Some(user);
        Ok(format!("[CAPABILITY {}] welcome", self.server.personality.after_login))
    }
}

fn plain(text: &str) -> Option<Claim> {
    let mut parts = text.split('\0');
    let (_, user, password) = (parts.next()?, parts.next()?, parts.next()?);
    Some(Claim { user: user.to_owned(), secret: Secret::Password(password.to_owned()) })
}

fn xoauth2(text: &str) -> Option<Claim> {
    let mut parts = text.split('\x01');
    let user = parts.next()?.strip_prefix("user=")?;
    let token = parts.next()?.strip_prefix("auth=Bearer ")?;
    Some(Claim { user: user.to_owned(), secret: Secret::Token(token.to_owned()) })
}
