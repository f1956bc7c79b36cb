//! Arrivals: the way of each message that came to the source lately, read while the message is copied.

use std::time::Duration;

use mailhaul_mail::{Deliverer, InternalDate, KnownHosts, Via, via};

/// Bytes at the begin of a message in which its `Received` fields are read.
const MAX_HEADER: usize = 64 << 10;

/// A message that came to the source lately. It has neither a sender nor a subject.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Arrival {
    pub via: Via,
    /// Time of the arrival in seconds since 1970.
    pub at: i64,
}

/// Selection of the messages whose way is read.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ArrivalRules {
    pub known: KnownHosts,
    /// Earliest arrival in seconds since 1970. The way of older messages is not read.
    pub since: i64,
}

impl ArrivalRules {
    /// Returns the time of an arrival; `None` if it is too old. A message without a date arrives now.
    fn time(&self, date: Option<InternalDate>, now: Duration) -> Option<i64> {
        let now = i64::try_from(now.as_secs()).unwrap_or(i64::MAX);
        let at = date.map_or(now, InternalDate::unix_seconds);
        (at >= self.since).then_some(at.min(now))
    }

    /// Returns a message that was copied without its way, because a crash came between.
    pub(crate) fn of_unknown_way(&self, date: Option<InternalDate>, now: Duration) -> Option<Arrival> {
        let via = Via::External(Deliverer { name: None, address: None });
        Some(Arrival { via, at: self.time(date, now)? })
    }

    /// Returns the arrival of a whole message; `None` if it is too old.
    pub(crate) fn arrival(
        &self,
        message: &[u8],
        date: Option<InternalDate>,
        now: Duration,
    ) -> Option<Arrival> {
        Some(self.arrival_at(message, self.time(date, now)?))
    }

    fn arrival_at(&self, message: &[u8], at: i64) -> Arrival {
        let header = message.get(..MAX_HEADER).unwrap_or(message);
        Arrival { via: via(header, &self.known), at }
    }
}

/// Reader of the begin of a message that comes in chunks.
#[derive(Debug)]
pub(crate) struct ArrivalReader<'r> {
    rules: &'r ArrivalRules,
    at: i64,
    header: Vec<u8>,
}

impl<'r> ArrivalReader<'r> {
    /// Returns `None` if the way of the message is not read.
    pub(crate) fn new(
        rules: Option<&'r ArrivalRules>,
        date: Option<InternalDate>,
        now: Duration,
    ) -> Option<Self> {
        let rules = rules?;
        let at = rules.time(date, now)?;
        Some(Self { rules, at, header: Vec::new() })
    }

    pub(crate) fn read(&mut self, chunk: &[u8]) {
        let rest = MAX_HEADER - self.header.len();
        self.header.extend_from_slice(chunk.get(..rest).unwrap_or(chunk));
    }

    pub(crate) fn finish(self) -> Arrival {
        self.rules.arrival_at(&self.header, self.at)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: i64 = 1_700_000_000;
    const CLOCK: Duration = Duration::from_secs(1_700_000_000);

    fn at(seconds: i64) -> Option<InternalDate> {
        InternalDate::new(seconds, 0)
    }

    #[test]
    fn only_recent_messages_are_read() {
        let rules = ArrivalRules { since: NOW - 100, ..ArrivalRules::default() };
        for (date, expected) in [
            (Some(NOW - 101), None),
            (Some(NOW - 100), Some(NOW - 100)),
            // A clock in the future delays nothing.
            (Some(NOW + 5), Some(NOW)),
            (None, Some(NOW)),
        ] {
            let found = rules.arrival(b"Subject: x\r\n\r\n", date.and_then(at), CLOCK);
            assert_eq!(found.map(|arrival| arrival.at), expected, "{date:?}");
        }
    }

    #[test]
    fn chunks_are_read_as_the_whole_message() {
        let rules = ArrivalRules::default();
        let mut message =
            b"Received: from a.example (a.example [203.0.113.7])\r\n\tby b.example; now\r\n".to_vec();
        message.extend(b"X: y\r\n".repeat(MAX_HEADER / 4));
        let whole = rules.arrival(&message, at(NOW), CLOCK);
        for size in [1, 7, 4096, message.len()] {
            let mut reader = ArrivalReader::new(Some(&rules), at(NOW), CLOCK).unwrap();
            message.chunks(size).for_each(|chunk| reader.read(chunk));
            assert!(reader.header.len() <= MAX_HEADER);
            assert_eq!(Some(reader.finish()), whole, "{size}");
        }
        let via = whole.unwrap().via;
        assert!(matches!(via, Via::External(host) if host.name.as_deref() == Some("a.example")));
    }
}
