//! Requests, uploads and spent quota units of one user.

use std::{
    collections::{BTreeMap, VecDeque},
    time::Duration,
};

use serde_json::Value;

/// The purpose of a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    /// The list of labels.
    Labels,
    /// A message with its labels, in one request.
    Import,
    /// The start of an upload in chunks.
    Start,
    /// A chunk.
    Chunk,
    /// A query for the received part of an upload.
    Query,
}

/// A fault of a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// 429. With a duration, the client must not use the mailbox before its end.
    TooManyRequests(Option<Duration>),
    /// 403, `userRateLimitExceeded`.
    RateLimited,
    /// 503.
    Unavailable,
    /// 401, and the token is invalid from now on.
    Unauthorized,
    /// 400 with these words: the message is refused.
    Refused(&'static str),
    /// The connection is closed after this number of bytes of the body.
    CutAfter(usize),
    /// The request takes effect, and the connection is closed without an answer.
    AnswerLost,
    /// This status, 404 or 410: the upload no longer exists.
    SessionGone(u16),
    /// The request takes effect and is answered, but IMAP shows the message only after this time.
    SeenAfter(Duration),
}

/// An upload in chunks.
#[derive(Clone, Debug)]
pub(super) struct Upload {
    pub(super) metadata: Value,
    pub(super) length: usize,
    pub(super) received: Vec<u8>,
    /// The answer at its end.
    pub(super) done: Option<Value>,
}

/// The requests of one user over HTTP.
#[derive(Debug, Default)]
pub(in crate::fake) struct ApiState {
    pub(in crate::fake) faults: VecDeque<(Step, Fault)>,
    pub(super) uploads: BTreeMap<u64, Upload>,
    /// Spent quota units with their times.
    spent: VecDeque<(Duration, u64)>,
    /// The client must not use the mailbox before this time.
    pub(super) away_until: Duration,
}

impl ApiState {
    pub(super) fn take_fault(&mut self, step: Step) -> Option<Fault> {
        let index = self.faults.iter().position(|(it, _)| *it == step)?;
        self.faults.remove(index).map(|(_, fault)| fault)
    }

    /// Spends quota units. Returns the delay if there are too few.
    pub(super) fn spend(&mut self, units: u64, limit: Option<u64>, now: Duration) -> Result<(), Duration> {
        const MINUTE: Duration = Duration::from_mins(1);
        let Some(limit) = limit else { return Ok(()) };
        while self.spent.front().is_some_and(|(then, _)| *then + MINUTE <= now) {
            self.spent.pop_front();
        }
        let spent: u64 = self.spent.iter().map(|(_, units)| units).sum();
        match self.spent.front() {
            Some((then, _)) if spent + units > limit => Err((*then + MINUTE).saturating_sub(now)),
            _ => {
                self.spent.push_back((now, units));
                Ok(())
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn units_are_counted_within_a_minute() {
        let second = Duration::from_secs(1);
        let mut state = ApiState::default();
        assert_eq!(state.spend(60, Some(100), second), Ok(()));
        assert_eq!(state.spend(40, Some(100), 20 * second), Ok(()));
        assert_eq!(state.spend(1, Some(100), 21 * second), Err(40 * second));
        assert_eq!(state.spend(60, Some(100), 61 * second), Ok(()));
    }
}
