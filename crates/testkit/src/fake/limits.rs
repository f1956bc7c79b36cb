//! Limits of a server for each user, and their counters. All in virtual time.

use std::{
    collections::{BTreeMap, VecDeque},
    time::Duration,
};

/// Length of a budget's day, which begins with the first byte.
const DAY: Duration = Duration::from_hours(24);
/// Time after a refusal during which a client may not know of it on another connection.
const NOTICE_TIME: Duration = Duration::from_mins(1);

/// A limit on messages in a period.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Throttle {
    /// Maximum number of appended messages
    pub messages: usize,
    /// in this period.
    pub within: Duration,
    /// Delay that the server requests after more.
    pub backoff: Duration,
}

/// Limits of a server for its clients.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Number of refused commands after which the connection is closed.
    pub errors: Option<u32>,
    /// Maximum number of connections of one user.
    pub connections: usize,
    /// Limit on appended messages.
    pub throttle: Option<Throttle>,
    /// Bytes of bodies that may be fetched in a day.
    pub download_per_day: Option<u64>,
    /// Bytes that may be appended in a day.
    pub upload_per_day: Option<u64>,
    /// Number of bodies on one connection. The connection is closed in the middle of the next one.
    pub bodies_per_connection: Option<u32>,
    /// Number of bodies on one connection after which every text ends with `[THROTTLED]`.
    pub mention_throttling_after: Option<u32>,
    /// Quota units for requests over HTTP in a minute.
    pub quota_units_per_minute: Option<u64>,
    /// Number of commands on one connection after which it breaks. The answer to the last one is lost.
    pub commands_per_connection: Option<u32>,
    /// Lifetime of a token.
    pub token_lifetime: Duration,
    /// Time of an APPEND.
    pub append_time: Duration,
    /// Time of a FETCH of a body.
    pub fetch_time: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            errors: None,
            connections: usize::MAX,
            throttle: None,
            download_per_day: None,
            upload_per_day: None,
            bodies_per_connection: None,
            mention_throttling_after: None,
            quota_units_per_minute: None,
            commands_per_connection: None,
            token_lifetime: Duration::from_hours(1),
            append_time: Duration::ZERO,
            fetch_time: Duration::ZERO,
        }
    }
}

/// Bytes of a day.
#[derive(Debug, Default)]
struct Budget {
    began: Option<Duration>,
    spent: u64,
}

impl Budget {
    /// Spends bytes. Returns the time until the end of the day if there are too few.
    fn take(&mut self, octets: u64, limit: Option<u64>, now: Duration) -> Result<(), Duration> {
        let Some(limit) = limit else { return Ok(()) };
        let began = match self.began {
            Some(began) if now < began + DAY => began,
            _ => {
                self.spent = 0;
                now
            }
        };
        self.began = Some(began);
        if self.spent + octets > limit {
            return Err(began + DAY);
        }
        self.spent += octets;
        Ok(())
    }
}

/// The counters of one user.
#[derive(Debug, Default)]
pub(super) struct Meter {
    appended: VecDeque<Duration>,
    upload: Budget,
    download: Budget,
    /// Nothing is done for the user before this time.
    pub(super) away_until: Duration,
    /// Time of the refusal.
    refused_at: Duration,
    /// Until this time the client may not know that there are too many connections.
    crowded_until: Duration,
    counts: BTreeMap<&'static str, u64>,
}

impl Meter {
    pub(super) fn note(&mut self, what: &'static str) {
        *self.counts.entry(what).or_default() += 1;
    }

    pub(super) fn count(&self, what: &str) -> u64 {
        self.counts.get(what).copied().unwrap_or(0)
    }

    /// True if the client must have known for a while that it has to wait.
    pub(super) fn should_be_away(&self, now: Duration) -> bool {
        now < self.away_until && now > self.refused_at + NOTICE_TIME
    }

    /// Counts one connection too many. Returns true if the client was refused a moment ago.
    pub(super) fn is_crowded(&mut self, now: Duration) -> bool {
        let is_known = now < self.crowded_until;
        self.crowded_until = now + NOTICE_TIME;
        is_known
    }

    /// Counts a message. Returns the delay if it is one too many.
    pub(super) fn append(&mut self, throttle: Option<Throttle>, now: Duration) -> Result<(), Duration> {
        let Some(throttle) = throttle else { return Ok(()) };
        if now < self.away_until {
            // The refusal was on another connection.
            return Err(self.away_until.saturating_sub(now));
        }
        while self.appended.front().is_some_and(|it| *it + throttle.within <= now) {
            self.appended.pop_front();
        }
        if self.appended.len() >= throttle.messages {
            self.appended.clear();
            (self.away_until, self.refused_at) = (now + throttle.backoff, now);
            self.note("throttled");
            return Err(throttle.backoff);
        }
        self.appended.push_back(now);
        Ok(())
    }

    /// Counts appended bytes. Returns false if the day's budget is spent: the account is closed until the day
    /// ends.
    pub(super) fn upload(&mut self, octets: u64, limits: &Limits, now: Duration) -> bool {
        let taken = self.upload.take(octets, limits.upload_per_day, now);
        self.closes(taken, now)
    }

    /// Counts fetched bytes, as [`Meter::upload`] does.
    pub(super) fn download(&mut self, octets: u64, limits: &Limits, now: Duration) -> bool {
        let taken = self.download.take(octets, limits.download_per_day, now);
        self.closes(taken, now)
    }

    fn closes(&mut self, taken: Result<(), Duration>, now: Duration) -> bool {
        if let Err(until) = taken {
            if now >= self.away_until {
                self.refused_at = now;
            }
            self.away_until = self.away_until.max(until);
            self.note("budget");
        }
        taken.is_ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_budget_is_of_a_day_that_begins_with_its_first_octet() {
        let limits = Limits { upload_per_day: Some(100), ..Limits::default() };
        let (mut meter, hour) = (Meter::default(), Duration::from_hours(1));
        assert!(meter.upload(60, &limits, hour) && meter.upload(40, &limits, 2 * hour));
        assert!(!meter.upload(1, &limits, 3 * hour));
        assert_eq!(meter.away_until, 25 * hour);
        assert!(!meter.should_be_away(3 * hour + NOTICE_TIME) && meter.should_be_away(4 * hour));
        assert!(!meter.should_be_away(25 * hour));
        assert!(meter.upload(100, &limits, 25 * hour));
    }

    #[test]
    fn messages_are_counted_within_a_window() {
        let second = Duration::from_secs(1);
        let throttle = Some(Throttle { messages: 2, within: 10 * second, backoff: 60 * second });
        let mut meter = Meter::default();
        assert_eq!(meter.append(throttle, second), Ok(()));
        assert_eq!(meter.append(throttle, 2 * second), Ok(()));
        assert_eq!(meter.append(throttle, 11 * second), Ok(()));
        assert_eq!(meter.append(throttle, 11 * second), Err(60 * second));
        assert_eq!(meter.append(throttle, 21 * second), Err(50 * second));
        assert_eq!((meter.away_until, meter.count("throttled")), (71 * second, 1));
    }
}
