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
use mailhaul_store::{NewConsoleSession, Store};
use parking_lot::Mutex;

use self::{
    attempts::Attempts,
    halves::{Halves, cookie, is_same_origin},
    record::{MAX_SESSIONS, caller, limits, must_touch, new_secret, remove_old_file, secret_digest, until},
    tickets::Tickets,
};
use super::roles::ROLES;
use crate::ops::into_failure;

/// Sessions of one database. Clones share them.
#[derive(Clone)]
pub(crate) struct Sessions(Arc<SessionsShared>);

struct SessionsShared {
    store: Store,
    tickets: Mutex<Tickets<Caller>>,
    links: Mutex<Tickets<DownloadLink>>,
    attempts: Mutex<Attempts>,
}

/// Download that a session asked for.
struct DownloadLink {
    session: SessionDigests,
    address: String,
}

/// Digests of both halves of a session.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) struct SessionDigests {
    cookie: [u8; 32],
    key: [u8; 32],
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
    pub(crate) fn new(store: Store) -> Self {
        Self(Arc::new(SessionsShared {
            store,
            tickets: Mutex::default(),
            links: Mutex::default(),
            attempts: Mutex::default(),
        }))
    }

    /// Removes sessions that have ended, and the file in which earlier versions kept them.
    pub(crate) async fn clean(&self, data: &Path, now: Timestamp) {
        if let Err(error) = remove_old_file(data) {
            tracing::warn!("the old file of the console's sessions stays: {error}");
        }
        if let Err(error) = self.0.store.sessions().remove_ended(limits(now)).await {
            tracing::warn!("sessions of the console that have ended stay: {error}");
        }
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
        self.0.tickets.lock().add(secret_digest(&secret), caller, now);
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
                let digest = secret_digest(&String::from_utf8_lossy(ticket.expose()));
                let Some(caller) = self.0.tickets.lock().take(&digest, now) else { return Ok(None) };
                let role = ROLES.iter().find(|(_, role)| *role == caller.role);
                (None, caller.name, role.map_or("", |(name, _)| name).to_owned())
            }
        };
        let (cookie, key) = (new_secret()?, new_secret()?);
        let Some(caller) = caller(&name, &role) else { return Ok(None) };
        let (cookie_digest, key_digest) = (secret_digest(&cookie), secret_digest(&key));
        let session =
            NewConsoleSession { cookie: cookie_digest, key: key_digest, token, name, role, begun: now };
        let saved = self.0.store.sessions().insert(session, limits(now), MAX_SESSIONS).await;
        saved.map_err(into_failure)?;
        Ok(Some(NewSession { cookie, key, caller, until: until(now) }))
    }

    /// Ends the session of this request. Returns its caller, if there is one.
    pub(crate) async fn end(&self, headers: &HeaderMap, now: Timestamp) -> Result<Option<Caller>, Failure> {
        let Halves::Both { cookie, key } = Halves::of(headers) else { return Ok(None) };
        let cookie = secret_digest(cookie);
        let found = self.0.store.sessions().get(cookie, secret_digest(key), limits(now)).await;
        let Some(found) = found.map_err(into_failure)? else { return Ok(None) };
        self.0.store.sessions().remove(cookie).await.map_err(into_failure)?;
        Ok(caller(&found.name, &found.role))
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
            Halves::Both { cookie, key } => (secret_digest(cookie), secret_digest(key)),
        };
        let store = &self.0.store;
        let session = store.sessions().get(cookie, key, limits(now)).await.map_err(into_failure)?;
        let session = session.ok_or_else(ended)?;
        if !is_same_origin(head) {
            return Err(Failure::forbidden("a page of another origin sent the request"));
        }
        if last_use == LastUse::Update && must_touch(&session, now) {
            store.sessions().touch(cookie, now, limits(now)).await.map_err(into_failure)?;
        }
        let until = until(session.begun);
        Ok(caller(&session.name, &session.role).map(|caller| (caller, until)))
    }

    /// Finds the caller of a session that asks for a download.
    ///
    /// # Errors
    /// As those of [`Self::find`]; a request without a session.
    pub(crate) async fn find_with_halves(
        &self,
        head: &Parts,
        now: Timestamp,
    ) -> Result<(Caller, SessionDigests), Failure> {
        let found = self.find(head, LastUse::Update, now).await?;
        match (found, Halves::of(&head.headers)) {
            (Some((caller, _)), Halves::Both { cookie, key }) => {
                Ok((caller, SessionDigests { cookie: secret_digest(cookie), key: secret_digest(key) }))
            }
            _ => Err(Failure::unauthorized("links of downloads are for sessions of the console")
                .with_advice(
                    "With a token, ask for the address itself, with the header \"Accept: text/csv\".",
                )),
        }
    }

    /// Makes a link, which its session can open once, for a minute.
    pub(crate) fn new_link(
        &self,
        session: SessionDigests,
        address: String,
        now: Timestamp,
    ) -> Result<String, Failure> {
        let secret = new_secret()?;
        self.0.links.lock().add(secret_digest(&secret), DownloadLink { session, address }, now);
        Ok(secret)
    }

    /// Uses a link up. Returns the caller of its session, and the address.
    ///
    /// # Errors
    /// The link is unknown, used or too old; the session is another one, or has ended.
    pub(crate) async fn take_link(
        &self,
        headers: &HeaderMap,
        secret: &str,
        now: Timestamp,
    ) -> Result<(Caller, String), Failure> {
        let link = self.0.links.lock().take(&secret_digest(secret), now);
        let cookie = cookie(headers).map(secret_digest);
        let link = link.filter(|it| Some(it.session.cookie) == cookie).ok_or_else(|| {
            Failure::not_found("the link of the download was used, or is too old")
                .with_advice("Download the file again from its page.")
        })?;
        let SessionDigests { cookie, key } = link.session;
        let session = self.0.store.sessions().get(cookie, key, limits(now)).await.map_err(into_failure)?;
        let caller = session.and_then(|it| caller(&it.name, &it.role)).ok_or_else(ended)?;
        Ok((caller, link.address))
    }
}

fn ended() -> Failure {
    Failure::unauthorized("the session has ended").with_advice("Sign in again.")
}

#[cfg(test)]
mod tests {
    use axum::http::Request;
    use jiff::ToSpan as _;
    use mailhaul_operations::Role;

    use super::*;

    fn head(session: &NewSession) -> Parts {
        let request = Request::builder().header("cookie", format!("__Host-mailhaul={}", session.cookie));
        request.header("mailhaul-key", &session.key).body(()).unwrap().into_parts().0
    }

    #[tokio::test]
    async fn a_session_is_known_to_another_service_of_the_database_until_it_ends() {
        let data = tempfile::tempdir().unwrap();
        std::fs::write(data.path().join("console-sessions.json"), "[]").unwrap();
        let store = Store::open(data.path()).await.unwrap();
        let (one, other) = (Sessions::new(store.clone()), Sessions::new(store.clone()));
        let begun = Timestamp::from_second(100_000).unwrap();
        one.clean(data.path(), begun).await;
        assert!(!data.path().join("console-sessions.json").exists());
        let caller = Caller { name: "root".to_owned(), role: Role::Admin, is_local: true };
        let ticket = one.new_ticket(caller, begun).unwrap();
        let session = one.begin(SignIn::Ticket(Secret::new(ticket)), begun).await.unwrap().unwrap();
        let head = head(&session);
        let found = other.find(&head, LastUse::Keep, begun + 59.minutes()).await.unwrap().unwrap();
        assert_eq!((found.0.name.as_str(), found.0.role), ("root (console)", Role::Admin));
        assert_eq!(found.1, begun + 12.hours());
        assert!(other.find(&head, LastUse::Keep, begun + 60.minutes()).await.is_err());
        other.find(&head, LastUse::Update, begun + 59.minutes()).await.unwrap();
        assert!(one.find(&head, LastUse::Keep, begun + 100.minutes()).await.unwrap().is_some());
        let ended = other.end(&head.headers, begun + 100.minutes()).await.unwrap();
        assert_eq!(ended, Some(found.0));
        assert!(one.find(&head, LastUse::Keep, begun + 100.minutes()).await.is_err());
        store.close().await;
    }
}
