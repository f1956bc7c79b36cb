//! Identity of this process, in names that no other process gives.

use std::{
    collections::HashSet,
    fs,
    hash::{BuildHasher as _, Hasher as _, RandomState},
    path::PathBuf,
    process,
    sync::{
        Arc, LazyLock,
        atomic::{AtomicU64, Ordering},
    },
    time::{SystemTime, UNIX_EPOCH},
};

use parking_lot::Mutex;

/// Prefix of the name of an unfinished message.
const TEMPORARY: &str = "mailhaul-";
/// Longer host names are cut.
const HOST_LENGTH: usize = 60;

/// One run of the program.
#[derive(Debug)]
pub(super) struct Run {
    /// A random number of the system.
    random: u64,
    pub(super) process: u32,
    /// The host's name, from the system.
    pub(super) host: String,
    /// The lock files that this process created.
    pub(super) held: Mutex<HashSet<PathBuf>>,
    given: AtomicU64,
}

static THIS: LazyLock<Arc<Run>> = LazyLock::new(|| Arc::new(Run::new(process::id())));

impl Run {
    pub(super) fn this() -> Arc<Self> {
        Arc::clone(&THIS)
    }

    pub(super) fn new(process: u32) -> Self {
        let host = fs::read_to_string("/proc/sys/kernel/hostname").unwrap_or_default();
        let host = host.trim();
        Self {
            // Each `RandomState` has its own keys.
            random: RandomState::new().build_hasher().finish(),
            process,
            host: if host.is_empty() { "localhost".to_owned() } else { host.to_owned() },
            held: Mutex::default(),
            given: AtomicU64::new(0),
        }
    }

    /// The first part of a message's file name, never given before. Later names sort later.
    pub(super) fn unique(&self) -> String {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        let number = self.given.fetch_add(1, Ordering::Relaxed);
        let is_plain = |it: &char| it.is_ascii_alphanumeric() || matches!(it, '.' | '-' | '_');
        let host: String = self.host.chars().filter(is_plain).take(HOST_LENGTH).collect();
        let (seconds, micros) = (now.as_secs(), now.subsec_micros());
        format!("{seconds}.M{micros:06}P{}Q{number}R{:016x}.{host}", self.process, self.random)
    }

    /// The name of an unfinished message.
    pub(super) fn temporary(&self) -> String {
        format!("{}{}", self.own(), self.given.fetch_add(1, Ordering::Relaxed))
    }

    /// True if an earlier run left this file unfinished.
    pub(super) fn is_left_behind(&self, name: &str) -> bool {
        name.starts_with(TEMPORARY) && !name.starts_with(&self.own())
    }

    fn own(&self) -> String {
        format!("{TEMPORARY}{:016x}-", self.random)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_differ_and_leftovers_are_those_of_other_runs() {
        let (one, other) = (Run::new(7), Run::new(7));
        let names = [one.unique(), one.unique(), other.unique()];
        assert!(names[0] != names[1] && names[0] != names[2] && names[1] != names[2], "{names:?}");
        assert!(names[0] < names[1] && !names[0].contains([':', ',', '/']), "{names:?}");
        let temporary = one.temporary();
        assert!(!one.is_left_behind(&temporary) && other.is_left_behind(&temporary));
        assert!(!other.is_left_behind("1700000000.M1P2.delivered-by-somebody"));
    }
}
