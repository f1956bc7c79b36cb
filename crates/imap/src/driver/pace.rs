//! Progress of a connection. A server that sends responses but makes no progress is treated like a silent one.

use std::time::Duration;

use crate::error::{Error, ErrorKind};

/// Number of timeouts after which a connection with too little progress is closed.
const STALL_TIMEOUTS: u32 = 4;
/// Shortest such time, for short timeouts.
const MIN_STALL: Duration = Duration::from_secs(10);
/// Progress that is required, in bytes per second.
const MIN_BYTES_PER_SECOND: u64 = 1 << 10;
/// Bytes that an answer about a message counts for, in addition to its own. Some servers need seconds for each message.
pub(super) const MESSAGE_BYTES: u64 = 10 << 10;
/// Bytes that a mailbox in a list counts for, in addition to its own.
pub(super) const LISTED_BYTES: u64 = 1 << 10;

/// Time in which a server must make progress, if `patience` is the longest silence.
pub(crate) fn longest_stall(patience: Duration) -> Duration {
    (patience * STALL_TIMEOUTS).max(MIN_STALL)
}

/// Time of waiting for a server, and the progress in that time.
#[derive(Debug, Default)]
pub(super) struct Pace {
    waited: Duration,
    /// In bytes.
    progress: u64,
}

impl Pace {
    /// Starts a new measurement at the end of a command.
    pub(super) fn restart(&mut self) {
        *self = Self::default();
    }

    pub(super) fn add(&mut self, bytes: u64) {
        self.progress = self.progress.saturating_add(bytes);
    }

    /// Counts time of waiting for the server. Time in which the client is slow does not count.
    ///
    /// # Errors
    /// [`ErrorKind::Timeout`] if the average over [`longest_stall`] is too low.
    pub(super) fn wait(&mut self, time: Duration, patience: Duration) -> Result<(), Error> {
        self.waited += time;
        if self.waited < longest_stall(patience) {
            return Ok(());
        }
        let (waited, progress) = (self.waited.as_secs(), self.progress);
        self.restart();
        if progress >= waited.saturating_mul(MIN_BYTES_PER_SECOND) {
            return Ok(());
        }
        let words = format!("the server made no progress within {waited} s");
        Err(Error::session(ErrorKind::Timeout, words))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);
    const TIMEOUT: Duration = Duration::from_secs(5);

    /// Seconds after which a server with this number of bytes per second is closed.
    fn given_up_after(bytes: u64) -> Option<u64> {
        let mut pace = Pace::default();
        (1..=1000).find(|_| {
            pace.add(bytes);
            pace.wait(SECOND, TIMEOUT).is_err()
        })
    }

    #[test]
    fn too_few_bytes_on_average_are_no_progress() {
        assert_eq!([0, 1, 1000, 1023].map(given_up_after), [Some(20); 4]);
        assert_eq!([1024, 1 << 20].map(given_up_after), [None; 2]);
    }

    #[test]
    fn a_message_every_few_seconds_is_progress() {
        let mut pace = Pace::default();
        let mut seconds = 1..=1000;
        assert!(seconds.all(|second| {
            pace.add(if second % 5 == 0 { MESSAGE_BYTES } else { 0 });
            pace.wait(SECOND, TIMEOUT).is_ok()
        }));
    }

    #[test]
    fn a_command_that_ends_begins_the_time_again() {
        let mut pace = Pace::default();
        for _ in 0..100 {
            pace.wait(19 * SECOND, TIMEOUT).unwrap();
            pace.restart();
        }
        assert_eq!(pace.wait(20 * SECOND, TIMEOUT).unwrap_err().kind, ErrorKind::Timeout);
        assert_eq!(longest_stall(Duration::from_mins(5)), Duration::from_mins(20));
    }
}
