//! Sessions of the console: sign-in by token or ticket, and the callers of later requests.

mod attempts;
mod halves;
mod record;
pub(crate) mod routes;
mod tickets;

use std::{net::IpAddr, path::Path, sync::Arc};

use axum::http::{HeaderMap, request::Parts};
use jiff::Timestamp;
use mailhaul_mail::Secret;
use mailhaul_operations::{Caller, Failure};
use mailhaul_store::Store;
use parking_lot::Mutex;

use self::{
    attempts::Attempts,
    halves::{Halves, is_same_origin},
    record::{SavedSessions, SessionRecord, new_secret, text_digest},
    tickets::Tickets,
};
use super::roles::ROLES;

/// Sessions of one data directory. Clones share them.
#[derive(Clone)]
pub(crate) struct Sessions(Arc<SessionsShared>);

struct SessionsShared {
    store: Store,
    saved: SavedSessions,
    tickets: Mutex<Tickets>,
    attempts: Mutex<Attempts>,
}

/// New session, with the secrets that only its browser gets.
pub(crate) struct NewSession {
    pub(crate) cookie: String,
    pub(crate) key: String,
    pub(crate) caller: Caller,
    pub(crate) until: Timestamp,
}

/// Proof of a caller who signs in.
pub(crate) enum SignIn {
    Token(Secret),
    /// One-time ticket of `mailhaul console`.
    Ticket(Secret),
}

/// Effect of a request on the time of last use.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum LastUse {
    Update,
    Keep,
}

impl Sessions {
    /// Sessions of this data directory; read when they are first needed.
    pub(crate) fn new(store: Store, data: &Path) -> Self {
        let saved = SavedSessions::new(data);
        Self(Arc::new(SessionsShared { store, saved, tickets: Mutex::default(), attempts: Mutex::default() }))
    }

    /// Checks if the address may try to sign in.
    ///
    /// # Errors
    /// The seconds until it may.
    pub(crate) fn may_try(&self, address: IpAddr, now: Timestamp) -> Result<(), i64> {
        self.0.attempts.lock().check(address, now)
    }

    /// Counts a wrong sign-in. Returns true if it must be recorded.
    pub(crate) fn count_wrong(&self, address: IpAddr, now: Timestamp) -> bool {
        self.0.attempts.lock().count_wrong(address, now)
    }

    /// Makes a ticket, with which its caller can sign in once, for a minute.
    ///
    /// # Errors
    /// There is no randomness.
    pub(crate) fn new_ticket(&self, caller: Caller, now: Timestamp) -> Result<String, Failure> {
        let secret = new_secret()?;
        self.0.tickets.lock().add(text_digest(&secret), caller, now);
        Ok(secret)
    }

    /// Begins a session; `None` if the token or ticket is wrong.
    pub(crate) async fn begin(&self, sign_in: SignIn, now: Timestamp) -> Result<Option<NewSession>, Failure> {
        let (token, name, role) = match sign_in {
            SignIn::Token(token) => {
                let found = self.0.store.tokens().check(&token, now).await.map_err(Failure::internal)?;
                let Some(token) = found else { return Ok(None) };
                (Some(token.guid), token.name, token.role)
            }
            SignIn::Ticket(ticket) => {
                let digest = text_digest(&String::from_utf8_lossy(ticket.expose()));
                let Some(caller) = self.0.tickets.lock().take(&digest, now) else { return Ok(None) };
                let role = ROLES.iter().find(|(_, role)| *role == caller.role);
                (None, caller.name, role.map_or("", |(name, _)| name).to_owned())
            }
        };
        let (cookie, key) = (new_secret()?, new_secret()?);
        let record = SessionRecord {
            cookie: text_digest(&cookie),
            key: text_digest(&key),
            token,
            name,
            role,
            begun: now,
            seen: now,
        };
        let Some(caller) = record.caller() else { return Ok(None) };
        let until = record.until();
        self.0.saved.add(record, now).await.map_err(Failure::internal)?;
        Ok(Some(NewSession { cookie, key, caller, until }))
    }

    /// Ends the session of this request. Returns its caller, if there is one.
    pub(crate) async fn end(&self, headers: &HeaderMap, now: Timestamp) -> Result<Option<Caller>, Failure> {
        let Halves::Both { cookie, key } = Halves::of(headers) else { return Ok(None) };
        let ended = self.0.saved.remove(&text_digest(cookie), &text_digest(key), now).await;
        Ok(ended.map_err(Failure::internal)?.and_then(|record| record.caller()))
    }

    /// Finds the caller and the end of a session; `None` if the request shows no half of one.
    ///
    /// # Errors
    /// Only one half; a session that has ended; a change that another origin asks for.
    pub(crate) async fn find(
        &self,
        head: &Parts,
        last_use: LastUse,
        now: Timestamp,
    ) -> Result<Option<(Caller, Timestamp)>, Failure> {
        let (cookie, key) = match Halves::of(&head.headers) {
            Halves::None => return Ok(None),
            Halves::One => return Err(ended()),
            Halves::Both { cookie, key } => (text_digest(cookie), text_digest(key)),
        };
        let record = self.0.saved.find(&cookie, &key, now).await.map_err(Failure::internal)?;
        let mut record = record.ok_or_else(ended)?;
        if let Some(guid) = record.token {
            let tokens = self.0.store.tokens().list().await.map_err(Failure::internal)?;
            let token = tokens.into_iter().find(|it| it.guid == guid && it.revoked.is_none());
            record.role = token.ok_or_else(ended)?.role;
        }
        if !is_same_origin(head) {
            return Err(Failure::forbidden("a page of another origin sent the request"));
        }
        if last_use == LastUse::Update {
            self.0.saved.touch(&cookie, now).await.map_err(Failure::internal)?;
        }
        let until = record.until();
        Ok(record.caller().map(|caller| (caller, until)))
    }
}

fn ended() -> Failure {
    Failure::unauthorized("the session has ended").with_advice("Sign in again.")
}
