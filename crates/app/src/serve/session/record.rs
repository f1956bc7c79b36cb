//! Sessions in the data directory, so that a restart of the service signs out no caller.
//!
//! Only digests of both halves are saved.

use std::{
    fs::{self, File},
    io::{self, Write as _},
    os::unix::fs::OpenOptionsExt as _,
    path::{Path, PathBuf},
    sync::Arc,
};

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use jiff::{SignedDuration, Timestamp};
use mailhaul_migration::Guid;
use mailhaul_operations::{Caller, Failure};
use serde::{Deserialize, Serialize};
use tokio::sync::Mutex;

use crate::serve::roles::ROLES;

/// Longest time of a session.
const MAX_AGE: SignedDuration = SignedDuration::from_hours(12);
/// Time without a request after which a session ends.
const MAX_IDLE: SignedDuration = SignedDuration::from_hours(1);
/// Time between two updates of the last use. Requests should not wait for the disk.
const LAST_USE_INTERVAL: SignedDuration = SignedDuration::from_mins(1);
/// Maximum number of sessions; the oldest ends for a new one.
const MAX_SESSIONS: usize = 1000;

/// One session. `cookie` and `key` are digests.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct SessionRecord {
    pub(super) cookie: String,
    pub(super) key: String,
    /// Token that began the session and ends it; `None` after a ticket.
    pub(super) token: Option<Guid>,
    pub(super) name: String,
    pub(super) role: String,
    pub(super) begun: Timestamp,
    pub(super) seen: Timestamp,
}

impl SessionRecord {
    /// End of the session, if it is in use until then.
    pub(super) fn until(&self) -> Timestamp {
        self.begun.saturating_add(MAX_AGE).unwrap_or(Timestamp::MAX)
    }

    fn is_over(&self, now: Timestamp) -> bool {
        now >= self.until() || now.duration_since(self.seen) >= MAX_IDLE
    }

    /// Caller, whose name in the audit log says that it used the console.
    pub(super) fn caller(&self) -> Option<Caller> {
        let role = ROLES.iter().find(|(name, _)| *name == self.role).map(|(_, role)| *role)?;
        Some(Caller { name: format!("{} (console)", self.name), role, is_local: false })
    }
}

/// File of the sessions, and its content in memory.
pub(super) struct SavedSessions {
    path: PathBuf,
    /// `None` until the file is read.
    list: Arc<Mutex<Option<Vec<SessionRecord>>>>,
}

impl SavedSessions {
    pub(super) fn new(data: &Path) -> Self {
        Self { path: data.join("console-sessions.json"), list: Arc::default() }
    }

    pub(super) async fn add(&self, record: SessionRecord, now: Timestamp) -> io::Result<()> {
        self.change(now, move |list| {
            if list.len() >= MAX_SESSIONS {
                list.remove(0);
            }
            list.push(record);
        })
        .await
    }

    /// Returns the session with both halves, unless it is over.
    pub(super) async fn find(
        &self,
        cookie: &str,
        key: &str,
        now: Timestamp,
    ) -> io::Result<Option<SessionRecord>> {
        let mut list = self.list.lock().await;
        let found = self.loaded(&mut list)?.iter().find(|it| it.cookie == cookie && it.key == key);
        Ok(found.filter(|it| !it.is_over(now)).cloned())
    }

    /// Removes the session with both halves, and returns it.
    pub(super) async fn remove(
        &self,
        cookie: &str,
        key: &str,
        now: Timestamp,
    ) -> io::Result<Option<SessionRecord>> {
        let found = self.find(cookie, key, now).await?;
        if found.is_some() {
            self.change(now, |list| list.retain(|it| it.cookie != cookie)).await?;
        }
        Ok(found)
    }

    /// Saves the time of last use, at most once a minute.
    pub(super) async fn touch(&self, cookie: &str, now: Timestamp) -> io::Result<()> {
        let is_due = {
            let mut list = self.list.lock().await;
            let found = self.loaded(&mut list)?.iter().find(|it| it.cookie == cookie);
            found.is_some_and(|it| now.duration_since(it.seen) >= LAST_USE_INTERVAL)
        };
        if !is_due {
            return Ok(());
        }
        self.change(now, |list| {
            if let Some(record) = list.iter_mut().find(|it| it.cookie == cookie) {
                record.seen = now;
            }
        })
        .await
    }

    fn loaded<'a>(&self, list: &'a mut Option<Vec<SessionRecord>>) -> io::Result<&'a mut Vec<SessionRecord>> {
        if list.is_none() {
            *list = Some(match fs::read(&self.path) {
                // A damaged file signs everyone out; it holds nothing else.
                Ok(text) => serde_json::from_slice(&text).unwrap_or_default(),
                Err(error) if error.kind() == io::ErrorKind::NotFound => Vec::new(),
                Err(error) => return Err(error),
            });
        }
        Ok(list.get_or_insert_default())
    }

    /// Changes the list, and saves it with the lock held, so that writes keep their order.
    async fn change(&self, now: Timestamp, change: impl FnOnce(&mut Vec<SessionRecord>)) -> io::Result<()> {
        let mut guard = self.list.clone().lock_owned().await;
        let list = self.loaded(&mut guard)?;
        change(list);
        list.retain(|it| !it.is_over(now));
        let (path, text) = (self.path.clone(), serde_json::to_vec(list)?);
        tokio::task::spawn_blocking(move || {
            let saved = save(&path, &text);
            drop(guard);
            saved
        })
        .await
        .map_err(io::Error::other)?
    }
}

/// Replaces the file as a whole. Only its owner can read it.
fn save(path: &Path, text: &[u8]) -> io::Result<()> {
    let new = path.with_extension("json.new");
    let mut file = File::options().write(true).create(true).truncate(true).mode(0o600).open(&new)?;
    file.write_all(text)?;
    file.sync_all()?;
    fs::rename(&new, path)
}

/// Returns 256 random bits as text.
pub(super) fn new_secret() -> Result<String, Failure> {
    let mut octets = [0; 32];
    getrandom::fill(&mut octets).map_err(Failure::internal)?;
    Ok(URL_SAFE_NO_PAD.encode(octets))
}

/// Returns the digest of a secret. It holds 256 random bits, so a plain digest keeps it from being guessed.
pub(super) fn text_digest(secret: &str) -> String {
    blake3::hash(secret.as_bytes()).to_hex().to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn record(begun: Timestamp) -> SessionRecord {
        let (cookie, key) = (text_digest("c"), text_digest("k"));
        let (name, role) = ("ada".to_owned(), "Viewer".to_owned());
        SessionRecord { cookie, key, token: None, name, role, begun, seen: begun }
    }

    #[tokio::test]
    async fn a_session_survives_a_restart_and_ends_in_time() {
        let data = tempfile::tempdir().unwrap();
        let (begun, after) = (Timestamp::from_second(1000).unwrap(), |hours: i64, minutes: i64| {
            Timestamp::from_second(1000 + hours * 3600 + minutes * 60).unwrap()
        });
        let (cookie, key) = (text_digest("c"), text_digest("k"));
        SavedSessions::new(data.path()).add(record(begun), begun).await.unwrap();
        let sessions = SavedSessions::new(data.path());
        let found = sessions.find(&cookie, &key, after(0, 59)).await.unwrap().unwrap();
        assert_eq!(found.caller().unwrap().name, "ada (console)");
        assert!(sessions.find(&cookie, &text_digest("x"), begun).await.unwrap().is_none());
        assert!(sessions.find(&cookie, &key, after(1, 0)).await.unwrap().is_none());
        // In use, it lasts twelve hours.
        for minutes in (0..12 * 60).step_by(50) {
            sessions.touch(&cookie, after(0, minutes)).await.unwrap();
        }
        assert!(sessions.find(&cookie, &key, after(11, 59)).await.unwrap().is_some());
        assert!(sessions.find(&cookie, &key, after(12, 0)).await.unwrap().is_none());
        let saved = fs::read_to_string(data.path().join("console-sessions.json")).unwrap();
        assert!(saved.contains(&cookie) && !saved.contains("\"c\""), "{saved}");
        assert!(sessions.remove(&cookie, &key, after(11, 0)).await.unwrap().is_some());
        let sessions = SavedSessions::new(data.path());
        assert!(sessions.find(&cookie, &key, after(11, 0)).await.unwrap().is_none());
    }
}
