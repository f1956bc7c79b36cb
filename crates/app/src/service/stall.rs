//! Stalled passes: one that makes no progress gives its place to the next user in line, and comes back later.

use std::time::Duration;

use mailhaul_engine::{Error, ErrorKind};
use mailhaul_mail::{Retry, Scope};

/// A pass is looked at once in this time; a later attempt of a user who stalled before has twice as long, up to half an hour.
pub(crate) const WINDOW: Duration = Duration::from_mins(1);
/// How often the window is doubled at most.
const DOUBLED: u32 = 5;
/// Steps (messages that arrived, folders that were opened or finished) in a minute that are progress: one in two seconds.
const STEPS: u64 = 30;
/// Messages shown by scans in a minute that are progress, ten a second: a huge folder is looked at for long before a message
/// arrives.
const SCANNED: u64 = 600;
/// Bytes of messages that arrived in a minute that are progress.
const BYTES: u64 = 200 << 10;
/// How long the user stands back.
const WAIT: Duration = Duration::from_mins(1);

/// What a pass has done.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Steps {
    pub(super) items: u64,
    pub(super) scanned: u64,
    pub(super) bytes: u64,
}

/// Compares what a pass has done with what it had done a window before.
#[derive(Debug)]
pub(super) struct Watch {
    window: Duration,
    before: Steps,
}

impl Watch {
    /// For a user who broke off so often before.
    pub(super) fn new(window: Duration, attempts: u32) -> Self {
        Self { window: window * (1 << attempts.min(DOUBLED)), before: Steps::default() }
    }

    pub(super) fn window(&self) -> Duration {
        self.window
    }

    /// At the end of a window: why the pass is to end if others wait. `None` where it makes progress.
    ///
    /// What a server sends is not progress (keep-alives, one byte of a message a second); what arrives is.
    pub(super) fn look(&mut self, now: Steps) -> Option<Error> {
        let before = std::mem::replace(&mut self.before, now);
        let (steps, bytes) = (now.items - before.items, now.bytes - before.bytes);
        let scanned = now.scanned - before.scanned;
        // A longer window is more time to begin, and no lower rate.
        let is_enough = |done: u64, in_a_minute: u64| done >= in_window(in_a_minute, self.window);
        if is_enough(steps, STEPS) || is_enough(scanned, SCANNED) || is_enough(bytes, BYTES) {
            return None;
        }
        let words = format!(
            "no progress in {} s ({steps} messages and folders, {scanned} messages looked at, {bytes} bytes), and other \
             mailboxes wait",
            self.window.as_secs_f32()
        );
        Some(Error::new(Scope::Mailbox, Retry::After(Some(WAIT)), ErrorKind::Connection, words))
    }
}

fn in_window(in_a_minute: u64, window: Duration) -> u64 {
    let millis = u64::try_from(window.as_millis()).unwrap_or(u64::MAX);
    in_a_minute.saturating_mul(millis).div_ceil(60_000)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn few_steps_and_few_bytes_are_no_progress() {
        let mut watch = Watch::new(WINDOW, 0);
        let mut looked = |steps, scanned, bytes| {
            watch.look(Steps { items: steps, scanned, bytes }).map(|error| error.message)
        };
        let words = "no progress in 60 s (29 messages and folders, 599 messages looked at, 204799 bytes), and other \
                     mailboxes wait";
        assert_eq!(looked(29, 599, 204_799).as_deref(), Some(words));
        assert_eq!(looked(59, 599, 204_799), None);
        assert_eq!(looked(59, 599, 204_799 + 204_800), None);
        assert_eq!(looked(59, 1199, 204_799 + 204_800), None);
        assert!(looked(59, 1199, 204_799 + 204_800).is_some());
    }

    #[test]
    fn a_longer_window_needs_more() {
        let stalls = |attempts, scanned| {
            Watch::new(WINDOW, attempts).look(Steps { scanned, ..Steps::default() }).is_some()
        };
        assert!(!stalls(0, 600) && stalls(1, 600) && stalls(5, 5 * 600) && !stalls(5, 32 * 600));
    }

    #[test]
    fn a_user_who_stalled_before_has_longer() {
        let window = |attempts| Watch::new(WINDOW, attempts).window();
        assert_eq!([0, 1, 3, 5, 99].map(window), [1, 2, 8, 32, 32].map(Duration::from_mins));
    }
}
