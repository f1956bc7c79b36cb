//! Limits of sessions, and the secrets of new ones.

use std::{fs, io, path::Path};

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use jiff::{SignedDuration, Timestamp};
use mailhaul_operations::{Caller, Failure};
use mailhaul_store::{ConsoleSession, SessionLimits};

use crate::serve::roles::ROLES;

/// Longest time of a session.
const MAX_AGE: SignedDuration = SignedDuration::from_hours(12);
/// Time without a request after which a session ends.
const MAX_IDLE: SignedDuration = SignedDuration::from_hours(1);
/// Time between two updates of the last use. Requests should not wait for the disk.
const LAST_USE_INTERVAL: SignedDuration = SignedDuration::from_mins(1);
/// Maximum number of sessions; the oldest ends for a new one.
pub(super) const MAX_SESSIONS: u32 = 1000;
/// File of the sessions of earlier versions.
const OLD_FILE: &str = "console-sessions.json";

/// Sessions that have not ended at this time.
pub(super) fn limits(now: Timestamp) -> SessionLimits {
    let before = |age| now.saturating_sub(age).unwrap_or(Timestamp::MIN);
    SessionLimits { begun_after: before(MAX_AGE), seen_after: before(MAX_IDLE) }
}

/// End of a session that begins at this time, if it is in use until then.
pub(super) fn until(begun: Timestamp) -> Timestamp {
    begun.saturating_add(MAX_AGE).unwrap_or(Timestamp::MAX)
}

/// True if the time of last use must be saved.
pub(super) fn must_touch(session: &ConsoleSession, now: Timestamp) -> bool {
    now.duration_since(session.seen) >= LAST_USE_INTERVAL
}

/// Caller, whose name in the audit log says that it used the console.
pub(super) fn caller(name: &str, role: &str) -> Option<Caller> {
    let role = ROLES.iter().find(|(name, _)| *name == role).map(|(_, role)| *role)?;
    Some(Caller { name: format!("{name} (console)"), role, is_local: false })
}

/// Removes the file in which earlier versions kept the sessions.
pub(super) fn remove_old_file(data: &Path) -> io::Result<()> {
    match fs::remove_file(data.join(OLD_FILE)) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}

/// Returns 256 random bits as text.
pub(super) fn new_secret() -> Result<String, Failure> {
    let mut octets = [0; 32];
    getrandom::fill(&mut octets).map_err(Failure::internal)?;
    Ok(URL_SAFE_NO_PAD.encode(octets))
}

/// Returns the digest of a secret. It holds 256 random bits, so a plain digest keeps it from being guessed.
pub(super) fn secret_digest(secret: &str) -> [u8; 32] {
    *blake3::hash(secret.as_bytes()).as_bytes()
}
