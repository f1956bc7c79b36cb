//! How much a server lets a user do, and who counts it. All in virtual time.

use std::{
    collections::{BTreeMap, VecDeque},
    time::Duration,
};

/// A day of a budget: it begins with the first octet.
const DAY: Duration = Duration::from_hours(24);
/// So long after it was told something on one connection, a client may not know it yet on another one.
const GRACE: Duration = Duration::from_mins(1);

/// Too many messages in too short a time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Throttle {
    /// So many messages may be appended
    pub messages: usize,
    /// within so long.
    pub within: Duration,
    /// Who does more is told to stay away so long.
    pub backoff: Duration,
}

/// What a server lets its clients do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Limits {
    /// After so many refused commands the connection is closed.
    pub errors: Option<u32>,
    /// Connections of one user at the same time.
    pub connections: usize,
    /// Of appended messages.
    pub throttle: Option<Throttle>,
    /// Octets of bodies that may be fetched in a day.
    pub download_per_day: Option<u64>,
    /// Octets that may be appended in a day.
    pub upload_per_day: Option<u64>,
    /// After so many bodies on one connection it is closed in the middle of the next.
    pub bodies_per_connection: Option<u32>,
    /// After so many bodies on one connection, `[THROTTLED]` is said at the end of every text.
    pub mention_throttling_after: Option<u32>,
    /// Units that requests by HTTP may cost in a minute.
    pub quota_units_per_minute: Option<u64>,
    /// A connection breaks without a word when so many commands took effect on it: the answer to the last is lost.
    pub commands_per_connection: Option<u32>,
    /// From when on a token is good for nothing.
    pub token_lifetime: Duration,
    /// What an appended message costs in time.
    pub append_time: Duration,
    /// What a fetched body costs in time.
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

/// Octets of a day.
#[derive(Debug, Default)]
struct Budget {
    began: Option<Duration>,
    spent: u64,
}

impl Budget {
    /// Takes so many octets; the end of the day where they are more than what is left.
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

/// What one user did so far.
#[derive(Debug, Default)]
pub(super) struct Meter {
    appended: VecDeque<Duration>,
    upload: Budget,
    download: Budget,
    /// Until then nothing is done for the user.
    pub(super) away_until: Duration,
    /// When the user was told so.
    told: Duration,
    /// Until then it is known that there are too many connections.
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

    /// Whether the client is told for a while already that it has to stay away.
    pub(super) fn should_be_away(&self, now: Duration) -> bool {
        now < self.away_until && now > self.told + GRACE
    }

    /// One connection too many; whether the client was told a moment ago.
    pub(super) fn is_crowded(&mut self, now: Duration) -> bool {
        let is_known = now < self.crowded_until;
        self.crowded_until = now + GRACE;
        is_known
    }

    /// One message more; how long to stay away where it is one too many.
    pub(super) fn append(&mut self, throttle: Option<Throttle>, now: Duration) -> Result<(), Duration> {
        let Some(throttle) = throttle else { return Ok(()) };
        if now < self.away_until {
            // Told on another connection.
            return Err(self.away_until.saturating_sub(now));
        }
        while self.appended.front().is_some_and(|it| *it + throttle.within <= now) {
            self.appended.pop_front();
        }
        if self.appended.len() >= throttle.messages {
            self.appended.clear();
            (self.away_until, self.told) = (now + throttle.backoff, now);
            self.note("throttled");
            return Err(throttle.backoff);
        }
        self.appended.push_back(now);
        Ok(())
    }

    /// False where the day's budget is spent: then the account is closed until the day ends.
    pub(super) fn upload(&mut self, octets: u64, limits: &Limits, now: Duration) -> bool {
        let taken = self.upload.take(octets, limits.upload_per_day, now);
        self.closes(taken, now)
    }

    /// The same for what is fetched.
    pub(super) fn download(&mut self, octets: u64, limits: &Limits, now: Duration) -> bool {
        let taken = self.download.take(octets, limits.download_per_day, now);
        self.closes(taken, now)
    }

    fn closes(&mut self, taken: Result<(), Duration>, now: Duration) -> bool {
        if let Err(until) = taken {
            if now >= self.away_until {
                self.told = now;
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
        assert!(!meter.should_be_away(3 * hour + GRACE) && meter.should_be_away(4 * hour));
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
