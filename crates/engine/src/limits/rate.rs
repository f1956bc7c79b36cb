//! How fast a server may be worked with: messages and octets in a second, octets in 24 hours. Pure: the time is given.
//!
//! Messages and octets in a second are token buckets of a second's depth. The 24 hours slide, counted by whole hours, and an
//! hour counts until 24 hours after its end: servers do not tell when their day begins, and so it cannot be exceeded
//! wherever it does.

use std::{collections::BTreeMap, time::Duration};

/// So much of a rate may pass at once.
const BURST: Duration = Duration::from_secs(1);
/// So many hours count beside the one that runs.
const WINDOW_HOURS: u64 = 24;
const HOUR: Duration = Duration::from_hours(1);

/// Upper limits, at least 1; `None`: none.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct RateLimits {
    /// Messages in a second.
    pub messages_per_second: Option<u64>,
    /// Octets in a second.
    pub bytes_per_second: Option<u64>,
    /// Octets in 24 hours.
    pub bytes_per_day: Option<u64>,
}

impl RateLimits {
    /// Whether anything is limited.
    pub fn limit_something(&self) -> bool {
        *self != Self::default()
    }
}

/// What is to be done with a message or a part of one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum PaceDecision {
    /// It may pass, and is counted.
    Now,
    /// It is to be asked about again after so long.
    After(Duration),
    /// The octets of 24 hours are used up; some are free again after so long.
    UsedUp(Duration),
}

/// A rate of something, as the moment at which all that has passed would have passed at this rate.
#[derive(Clone, Copy, Debug, Default)]
struct Bucket {
    even: Duration,
}

impl Bucket {
    fn turn(self, now: Duration) -> PaceDecision {
        match self.even.saturating_sub(now.saturating_add(BURST)) {
            Duration::ZERO => PaceDecision::Now,
            wait => PaceDecision::After(wait),
        }
    }

    fn take(&mut self, now: Duration, amount: u64, rate: u64) {
        let nanos = u128::from(amount) * 1_000_000_000 / u128::from(rate.max(1));
        let cost = Duration::from_nanos(u64::try_from(nanos).unwrap_or(u64::MAX));
        self.even = self.even.max(now).saturating_add(cost);
    }
}

/// Octets by the hour, counted from 1970.
#[derive(Clone, Debug, Default)]
pub struct Usage(BTreeMap<u64, u64>);

impl FromIterator<(u64, u64)> for Usage {
    fn from_iter<I: IntoIterator<Item = (u64, u64)>>(hours: I) -> Self {
        let mut usage = Self::default();
        for (hour, octets) in hours {
            usage.add(hour, octets);
        }
        usage
    }
}

impl Usage {
    /// The hour of this moment.
    pub fn hour(now: Duration) -> u64 {
        now.as_secs() / HOUR.as_secs()
    }

    /// The first hour that counts at this moment.
    pub fn first_hour(now: Duration) -> u64 {
        Self::hour(now).saturating_sub(WINDOW_HOURS)
    }

    fn add(&mut self, hour: u64, octets: u64) {
        let sum = self.0.entry(hour).or_default();
        *sum = sum.saturating_add(octets);
    }

    fn take_back(&mut self, hour: u64, octets: u64) {
        if let Some(sum) = self.0.get_mut(&hour) {
            *sum = sum.saturating_sub(octets);
        }
    }

    fn forget_before(&mut self, hour: u64) {
        self.0 = self.0.split_off(&hour);
    }

    fn total(&self) -> u64 {
        self.0.values().fold(0, |sum, octets| sum.saturating_add(*octets))
    }

    /// How long until so many octets at most count; as long as it takes for none to count where that is less.
    fn wait_until_at_most(&self, most: u64, now: Duration) -> Duration {
        let mut left = self.total();
        for (hour, octets) in &self.0 {
            left -= octets;
            if left <= most {
                return (HOUR * u32::try_from(hour + WINDOW_HOURS + 1).unwrap_or(u32::MAX))
                    .saturating_sub(now);
            }
        }
        Duration::ZERO
    }
}

/// What may pass, and what has passed.
#[derive(Clone, Debug, Default)]
pub(crate) struct Pacer {
    rates: RateLimits,
    messages: Bucket,
    octets: Bucket,
    used: Usage,
    /// Of these, what nobody was told yet.
    untold: Usage,
}

impl Pacer {
    /// With these limits, after so much has passed.
    pub(crate) fn new(rates: RateLimits, used: Usage) -> Self {
        Self { rates, used, ..Self::default() }
    }

    /// From now on these limits. Where a rate changes, what passed at the old one is not held against the new one.
    pub(crate) fn set_rates(&mut self, rates: RateLimits) {
        if rates.messages_per_second != self.rates.messages_per_second {
            self.messages = Bucket::default();
        }
        if rates.bytes_per_second != self.rates.bytes_per_second {
            self.octets = Bucket::default();
        }
        self.rates = rates;
    }

    /// Whether a message of so many octets may begin. A message that is larger than the budget of a day passes when
    /// nothing else of that day has.
    pub(crate) fn message(&mut self, now: Duration, octets: u64) -> PaceDecision {
        if let Some(most) = self.rates.bytes_per_day {
            self.used.forget_before(Usage::first_hour(now));
            let used = self.used.total();
            if used > 0 && used.saturating_add(octets) > most {
                return PaceDecision::UsedUp(self.used.wait_until_at_most(most.saturating_sub(octets), now));
            }
        }
        if let Some(rate) = self.rates.messages_per_second {
            match self.messages.turn(now) {
                PaceDecision::Now => self.messages.take(now, 1, rate),
                wait => return wait,
            }
        }
        self.count(now, octets);
        PaceDecision::Now
    }

    /// Whether so many octets of a message that has begun may pass.
    pub(crate) fn octets(&mut self, now: Duration, octets: u64) -> PaceDecision {
        let Some(rate) = self.rates.bytes_per_second else { return PaceDecision::Now };
        let turn = self.octets.turn(now);
        if turn == PaceDecision::Now {
            self.octets.take(now, octets, rate);
        }
        turn
    }

    /// Counts octets that passed without being asked about.
    pub(crate) fn count(&mut self, now: Duration, octets: u64) {
        let hour = Usage::hour(now);
        self.used.add(hour, octets);
        self.untold.add(hour, octets);
    }

    /// A message that was let pass did not.
    pub(crate) fn take_back(&mut self, now: Duration, octets: u64) {
        let hour = Usage::hour(now);
        self.used.take_back(hour, octets);
        self.untold.take_back(hour, octets);
    }

    /// Octets that may pass in 24 hours, and how many of them still may now; `None` where they are not limited.
    pub(crate) fn day(&mut self, now: Duration) -> Option<(u64, u64)> {
        let most = self.rates.bytes_per_day?;
        self.used.forget_before(Usage::first_hour(now));
        Some((most, most.saturating_sub(self.used.total())))
    }

    /// What has passed by hours, since this was asked last.
    pub(crate) fn tell(&mut self, now: Duration) -> Vec<(u64, u64)> {
        self.used.forget_before(Usage::first_hour(now));
        let untold = std::mem::take(&mut self.untold);
        untold.0.into_iter().filter(|(_, octets)| *octets > 0).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const BEGIN: Duration = Duration::from_hours(480_000);

    /// Asks until so many have passed, and gives the moments at which they did.
    fn moments(
        pacer: &mut Pacer,
        count: usize,
        mut ask: impl FnMut(&mut Pacer, Duration) -> PaceDecision,
    ) -> Vec<u128> {
        let (mut now, mut passed) = (BEGIN, Vec::new());
        while passed.len() < count {
            match ask(pacer, now) {
                PaceDecision::Now => passed.push(now.saturating_sub(BEGIN).as_millis()),
                PaceDecision::After(wait) | PaceDecision::UsedUp(wait) => now += wait,
            }
        }
        passed
    }

    fn of_messages(rate: u64) -> RateLimits {
        RateLimits { messages_per_second: Some(rate), ..RateLimits::default() }
    }

    fn of_a_day(most: u64) -> RateLimits {
        RateLimits { bytes_per_day: Some(most), ..RateLimits::default() }
    }

    #[test]
    fn what_is_not_limited_is_never_kept_waiting() {
        let mut pacer = Pacer::default();
        assert!((0..1000).all(|_| pacer.message(BEGIN, 1 << 40) == PaceDecision::Now));
        assert!((0..1000).all(|_| pacer.octets(BEGIN, 1 << 40) == PaceDecision::Now));
    }

    #[test]
    fn messages_pass_evenly_after_a_burst_of_a_second() {
        let mut pacer = Pacer::new(of_messages(4), Usage::default());
        let passed = moments(&mut pacer, 10, |pacer, now| pacer.message(now, 1));
        assert_eq!(passed, [0, 0, 0, 0, 0, 250, 500, 750, 1000, 1250]);
        // Silence is not saved up beyond a second.
        let later = BEGIN + Duration::from_hours(1);
        let at_once = (0..100).take_while(|_| pacer.message(later, 1) == PaceDecision::Now).count();
        assert_eq!(at_once, 5);
    }

    #[test]
    fn octets_pass_at_their_rate_whatever_the_pieces() {
        let rates = RateLimits { bytes_per_second: Some(1000), ..RateLimits::default() };
        for piece in [1, 7, 250, 1000, 64_000] {
            let mut pacer = Pacer::new(rates, Usage::default());
            let count = 200_000 / piece;
            let passed = moments(&mut pacer, count, |pacer, now| pacer.octets(now, piece as u64));
            let (last, octets) = (passed[count - 1], (count - 1) * piece);
            let expected = (octets as u128).saturating_sub(1000);
            assert!(last.abs_diff(expected) <= 1, "{piece}: {last} ms for {octets} octets");
        }
    }

    #[test]
    fn a_day_that_is_used_up_is_free_again_24_hours_after_the_hour_in_which_it_was() {
        let mut pacer = Pacer::new(of_a_day(100), Usage::default());
        let half_past = BEGIN + Duration::from_mins(30);
        assert_eq!(pacer.message(half_past, 60), PaceDecision::Now);
        assert_eq!(pacer.day(half_past), Some((100, 40)));
        assert_eq!(pacer.message(half_past + HOUR, 40), PaceDecision::Now);
        let wait = match pacer.message(half_past + HOUR, 1) {
            PaceDecision::UsedUp(wait) => wait,
            other => panic!("{other:?}"),
        };
        // The end of the first hour, and 24 hours.
        let free = half_past + HOUR + wait;
        assert_eq!(free, BEGIN + HOUR * 25);
        assert!(matches!(
            pacer.message(free.saturating_sub(Duration::from_millis(1)), 1),
            PaceDecision::UsedUp(_)
        ));
        assert_eq!(pacer.day(free), Some((100, 60)));
        assert_eq!(pacer.message(free, 60), PaceDecision::Now);
        assert_eq!(pacer.day(free), Some((100, 0)));
        // For a larger one, more has to be free.
        assert_eq!(pacer.message(free, 61), PaceDecision::UsedUp(HOUR * 25));
    }

    #[test]
    fn in_no_24_hours_more_passes_than_may() {
        let mut pacer = Pacer::new(of_a_day(1000), Usage::default());
        let (mut now, mut passed) = (BEGIN, Vec::new());
        for step in 0..2000u64 {
            now += Duration::from_secs(step * 7919 % 4000);
            let octets = 1 + step * 31 % 150;
            if pacer.message(now, octets) == PaceDecision::Now {
                passed.push((now, octets));
            }
        }
        for (begin, _) in &passed {
            let day = passed.iter().filter(|(at, _)| at >= begin && *at < *begin + HOUR * 24);
            assert!(day.map(|(_, octets)| octets).sum::<u64>() <= 1000);
        }
        assert!(passed.len() > 500, "{}", passed.len());
    }

    #[test]
    fn a_message_larger_than_a_day_passes_alone() {
        let mut pacer = Pacer::new(of_a_day(100), Usage::default());
        assert_eq!(pacer.message(BEGIN, 5000), PaceDecision::Now);
        assert_eq!(pacer.message(BEGIN, 5000), PaceDecision::UsedUp(HOUR * 25));
        assert_eq!(pacer.message(BEGIN + HOUR * 25, 5000), PaceDecision::Now);
    }

    #[test]
    fn what_passed_is_told_once_and_counts_after_a_restart() {
        let mut pacer = Pacer::new(RateLimits::default(), Usage::default());
        pacer.message(BEGIN, 30);
        pacer.message(BEGIN + HOUR, 20);
        pacer.message(BEGIN + HOUR, 5);
        pacer.take_back(BEGIN + HOUR, 5);
        let told = pacer.tell(BEGIN + HOUR);
        assert_eq!(told, [(480_000, 30), (480_001, 20)]);
        assert!(pacer.tell(BEGIN + HOUR).is_empty());
        let mut again = Pacer::new(of_a_day(60), told.into_iter().collect());
        assert!(matches!(again.message(BEGIN + HOUR, 11), PaceDecision::UsedUp(_)));
        assert_eq!(again.message(BEGIN + HOUR, 10), PaceDecision::Now);
    }

    #[test]
    fn a_changed_rate_counts_at_once() {
        let mut pacer = Pacer::new(of_messages(1), Usage::default());
        while pacer.message(BEGIN, 1) == PaceDecision::Now {}
        pacer.set_rates(of_messages(10));
        assert_eq!(pacer.message(BEGIN, 1), PaceDecision::Now);
        // The same rate again is no change.
        while pacer.message(BEGIN, 1) == PaceDecision::Now {}
        pacer.set_rates(of_messages(10));
        assert!(matches!(pacer.message(BEGIN, 1), PaceDecision::After(_)));
    }
}
