//! Stalled passes: a pass without progress gives its place to the next user, and is retried later.

use std::time::Duration;

use mailhaul_engine::{Error, ErrorKind};
use mailhaul_mail::{Retry, Scope};

/// Time in which a pass must make progress. It doubles with each attempt, up to half an hour.
pub(crate) const WINDOW: Duration = Duration::from_mins(1);
/// Maximum number of doublings of the window.
const MAX_DOUBLINGS: u32 = 5;
/// Steps per minute that count as progress: copied messages, opened and finished folders.
const MIN_STEPS: u64 = 30;
/// Scanned messages per minute that count as progress: a huge folder is scanned before it is copied.
const MIN_SCANNED: u64 = 600;
/// Copied bytes per minute that count as progress.
const MIN_BYTES: u64 = 200 << 10;
/// Wait before the next attempt.
const RETRY_WAIT: Duration = Duration::from_mins(1);

/// Work of a pass so far.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Steps {
    pub(super) items: u64,
    pub(super) scanned: u64,
    pub(super) bytes: u64,
}

/// Compares the work of a pass with that of one window before.
#[derive(Debug)]
pub(super) struct StallDetector {
    window: Duration,
    before: Steps,
}

impl StallDetector {
    pub(super) fn new(window: Duration, attempts: u32) -> Self {
        Self { window: window * (1 << attempts.min(MAX_DOUBLINGS)), before: Steps::default() }
    }

    pub(super) fn window(&self) -> Duration {
        self.window
    }

    /// Called at the end of a window. Returns an error if the pass made no progress.
    ///
    /// Keep-alives and single bytes from a server are no progress. Only copied messages count.
    pub(super) fn check(&mut self, now: Steps) -> Option<Error> {
        let before = std::mem::replace(&mut self.before, now);
        let (steps, bytes) = (now.items - before.items, now.bytes - before.bytes);
        let scanned = now.scanned - before.scanned;
        // A longer window gives more time, but the rate stays the same.
        let is_enough = |done: u64, per_minute: u64| done >= in_window(per_minute, self.window);
        if is_enough(steps, MIN_STEPS) || is_enough(scanned, MIN_SCANNED) || is_enough(bytes, MIN_BYTES) {
            return None;
        }
        let words = format!(
            "no progress in {} s ({steps} messages and folders, {scanned} messages scanned, {bytes} bytes), and other \
             mailboxes wait",
            self.window.as_secs_f32()
        );
        Some(Error::new(Scope::Mailbox, Retry::After(Some(RETRY_WAIT)), ErrorKind::Connection, words))
    }
}

fn in_window(per_minute: u64, window: Duration) -> u64 {
    let millis = u64::try_from(window.as_millis()).unwrap_or(u64::MAX);
    per_minute.saturating_mul(millis).div_ceil(60_000)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn few_steps_and_few_bytes_are_no_progress() {
        let mut detector = StallDetector::new(WINDOW, 0);
        let mut error = |steps, scanned, bytes| {
            detector.check(Steps { items: steps, scanned, bytes }).map(|error| error.message)
        };
        let words = "no progress in 60 s (29 messages and folders, 599 messages scanned, 204799 bytes), and other \
                     mailboxes wait";
        assert_eq!(error(29, 599, 204_799).as_deref(), Some(words));
        assert_eq!(error(59, 599, 204_799), None);
        assert_eq!(error(59, 599, 204_799 + 204_800), None);
        assert_eq!(error(59, 1199, 204_799 + 204_800), None);
        assert!(error(59, 1199, 204_799 + 204_800).is_some());
    }

    #[test]
    fn a_longer_window_needs_more() {
        let stalls = |attempts, scanned| {
            StallDetector::new(WINDOW, attempts).check(Steps { scanned, ..Steps::default() }).is_some()
        };
        assert!(!stalls(0, 600) && stalls(1, 600) && stalls(5, 5 * 600) && !stalls(5, 32 * 600));
    }

    #[test]
    fn a_user_who_stalled_before_has_a_longer_window() {
        let window = |attempts| StallDetector::new(WINDOW, attempts).window();
        assert_eq!([0, 1, 3, 5, 99].map(window), [1, 2, 8, 32, 32].map(Duration::from_mins));
    }
}
