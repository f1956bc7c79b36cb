//! Rates of a server: messages and bytes per second, bytes in 24 hours. Pure: the time is a parameter.
//!
//! Messages and bytes per second are token buckets with the depth of one second. The 24 hours are a sliding window of
//! whole hours; an hour counts until 24 hours after its end. Servers do not publish when their day begins, so the
//! budget holds for any beginning.

use std::{collections::BTreeMap, time::Duration};

/// Part of a rate that may pass at once.
const BURST: Duration = Duration::from_secs(1);
/// Length of the sliding window in hours, in addition to the current hour.
const WINDOW_HOURS: u64 = 24;
const HOUR: Duration = Duration::from_hours(1);
/// The whole of a rate, in thousandths.
pub(crate) const WHOLE_SHARE: u64 = 1000;

/// Upper limits, at least 1; `None` means no limit.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct RateLimits {
    pub messages_per_second: Option<u64>,
    pub bytes_per_second: Option<u64>,
    /// Bytes in 24 hours.
    pub bytes_per_day: Option<u64>,
}

impl RateLimits {
    /// True if there is any limit.
    pub fn is_any_set(&self) -> bool {
        *self != Self::default()
    }
}

/// Decision about a message or a part of one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum PaceDecision {
    /// It may pass, and is counted.
    Now,
    /// Ask again after this time.
    After(Duration),
    /// The bytes of 24 hours are used up. Some are free again after this time.
    UsedUp(Duration),
}

/// Token bucket: the time at which all that has passed would have passed at this rate.
#[derive(Clone, Copy, Debug, Default)]
struct Bucket {
    even: Duration,
}

impl Bucket {
    fn turn(self, now: Duration, share: Share) -> PaceDecision {
        if share.0 == 0 {
            return PaceDecision::After(BURST);
        }
        match self.even.saturating_sub(now.saturating_add(BURST)) {
            Duration::ZERO => PaceDecision::Now,
            wait => PaceDecision::After(wait),
        }
    }

    fn take(&mut self, now: Duration, amount: u64, rate: u64, share: Share) {
        let thousandths = u128::from(rate.max(1)) * u128::from(share.0.max(1));
        let nanos = u128::from(amount) * 1_000_000_000 * u128::from(WHOLE_SHARE) / thousandths;
        let cost = Duration::from_nanos(u64::try_from(nanos).unwrap_or(u64::MAX));
        self.even = self.even.max(now).saturating_add(cost);
    }
}

/// Bytes by the hour, counted from 1970.
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
    /// Returns the hour of this time.
    pub fn hour(now: Duration) -> u64 {
        now.as_secs() / HOUR.as_secs()
    }

    /// Returns the first hour that counts at this time.
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

    /// Returns the time until at most `most` bytes count, or until none counts if that is earlier.
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

/// Limits, and the use of them.
#[derive(Clone, Debug, Default)]
pub(crate) struct Pacer {
    rates: RateLimits,
    messages: Bucket,
    octets: Bucket,
    used: Usage,
    /// The part of `used` that was not taken yet.
    unreported: Usage,
    share: Share,
}

/// The part of the rates per second that passes here, in thousandths. The rest passes in other processes.
#[derive(Clone, Copy, Debug)]
struct Share(u64);

impl Default for Share {
    fn default() -> Self {
        Self(WHOLE_SHARE)
    }
}

impl Pacer {
    pub(crate) fn new(rates: RateLimits, used: Usage) -> Self {
        Self { rates, used, ..Self::default() }
    }

    /// Sets new limits. If a rate changes, its token bucket starts empty.
    pub(crate) fn set_rates(&mut self, rates: RateLimits) {
        if rates.messages_per_second != self.rates.messages_per_second {
            self.messages = Bucket::default();
        }
        if rates.bytes_per_second != self.rates.bytes_per_second {
            self.octets = Bucket::default();
        }
        self.rates = rates;
    }

    /// Sets the part of the rates per second that may pass here, in thousandths.
    pub(crate) fn set_share(&mut self, thousandths: u64) {
        self.share = Share(thousandths.min(WHOLE_SHARE));
    }

    /// Decides if a message of this size may begin.
    ///
    /// A message that is larger than the budget of a day passes when nothing else of that day has.
    pub(crate) fn message(&mut self, now: Duration, octets: u64) -> PaceDecision {
        if let Some(most) = self.rates.bytes_per_day {
            self.used.forget_before(Usage::first_hour(now));
            let used = self.used.total();
            if used > 0 && used.saturating_add(octets) > most {
                return PaceDecision::UsedUp(self.used.wait_until_at_most(most.saturating_sub(octets), now));
            }
        }
        if let Some(rate) = self.rates.messages_per_second {
            match self.messages.turn(now, self.share) {
                PaceDecision::Now => self.messages.take(now, 1, rate, self.share),
                wait => return wait,
            }
        }
        self.count(now, octets);
        PaceDecision::Now
    }

    /// Decides if these bytes of a message that has begun may pass.
    pub(crate) fn octets(&mut self, now: Duration, octets: u64) -> PaceDecision {
        let Some(rate) = self.rates.bytes_per_second else { return PaceDecision::Now };
        let turn = self.octets.turn(now, self.share);
        if turn == PaceDecision::Now {
            self.octets.take(now, octets, rate, self.share);
        }
        turn
    }

    /// Counts bytes that passed without a question.
    pub(crate) fn count(&mut self, now: Duration, octets: u64) {
        let hour = Usage::hour(now);
        self.used.add(hour, octets);
        self.unreported.add(hour, octets);
    }

    /// Reverts the count of a message that did not pass after all.
    pub(crate) fn take_back(&mut self, now: Duration, octets: u64) {
        let hour = Usage::hour(now);
        self.used.take_back(hour, octets);
        self.unreported.take_back(hour, octets);
    }

    /// Replaces the used bytes, which other processes use too. `unsaved` are those that only this process knows.
    pub(crate) fn set_used(&mut self, now: Duration, mut used: Usage, unsaved: u64) {
        used.add(Usage::hour(now), unsaved);
        self.used = used;
    }

    /// Returns the bytes that may pass in 24 hours, and the rest of them; `None` without a limit.
    pub(crate) fn day(&mut self, now: Duration) -> Option<(u64, u64)> {
        let most = self.rates.bytes_per_day?;
        self.used.forget_before(Usage::first_hour(now));
        Some((most, most.saturating_sub(self.used.total())))
    }

    /// Takes the bytes that have passed since the last call, by hours.
    pub(crate) fn take_passed(&mut self, now: Duration) -> Vec<(u64, u64)> {
        self.used.forget_before(Usage::first_hour(now));
        let unreported = std::mem::take(&mut self.unreported);
        unreported.0.into_iter().filter(|(_, octets)| *octets > 0).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const BEGIN: Duration = Duration::from_hours(480_000);

    /// Asks until `count` items have passed, and returns their times in milliseconds.
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
    fn without_limits_nothing_waits() {
        let mut pacer = Pacer::default();
        assert!((0..1000).all(|_| pacer.message(BEGIN, 1 << 40) == PaceDecision::Now));
        assert!((0..1000).all(|_| pacer.octets(BEGIN, 1 << 40) == PaceDecision::Now));
    }

    #[test]
    fn messages_pass_evenly_after_a_burst_of_a_second() {
        let mut pacer = Pacer::new(of_messages(4), Usage::default());
        let passed = moments(&mut pacer, 10, |pacer, now| pacer.message(now, 1));
        assert_eq!(passed, [0, 0, 0, 0, 0, 250, 500, 750, 1000, 1250]);
        // Unused time beyond a second is lost.
        let later = BEGIN + Duration::from_hours(1);
        let at_once = (0..100).take_while(|_| pacer.message(later, 1) == PaceDecision::Now).count();
        assert_eq!(at_once, 5);
    }

    #[test]
    fn a_share_of_a_rate_passes_evenly() {
        let mut pacer = Pacer::new(of_messages(4), Usage::default());
        pacer.set_share(250);
        let passed = moments(&mut pacer, 4, |pacer, now| pacer.message(now, 1));
        assert_eq!(passed, [0, 0, 1000, 2000]);
        // Another process has the whole rate.
        pacer.set_share(0);
        let later = BEGIN + Duration::from_hours(1);
        assert_eq!(pacer.message(later, 1), PaceDecision::After(BURST));
        pacer.set_share(1000);
        assert_eq!(pacer.message(later, 1), PaceDecision::Now);
    }

    #[test]
    fn bytes_pass_at_their_rate_in_parts_of_any_size() {
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
    fn bytes_are_free_again_24_hours_after_the_end_of_their_hour() {
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
        // A larger message needs more free bytes.
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
    fn bytes_of_other_processes_count() {
        let mut pacer = Pacer::new(of_a_day(100), Usage::default());
        assert_eq!(pacer.message(BEGIN, 10), PaceDecision::Now);
        let elsewhere = [(Usage::hour(BEGIN), 50)].into_iter().collect();
        pacer.set_used(BEGIN, elsewhere, 10);
        assert_eq!(pacer.day(BEGIN), Some((100, 40)));
        assert_eq!(pacer.message(BEGIN, 40), PaceDecision::Now);
        assert!(matches!(pacer.message(BEGIN, 1), PaceDecision::UsedUp(_)));
        assert_eq!(pacer.take_passed(BEGIN), [(Usage::hour(BEGIN), 50)]);
    }

    #[test]
    fn a_message_larger_than_a_day_passes_alone() {
        let mut pacer = Pacer::new(of_a_day(100), Usage::default());
        assert_eq!(pacer.message(BEGIN, 5000), PaceDecision::Now);
        assert_eq!(pacer.message(BEGIN, 5000), PaceDecision::UsedUp(HOUR * 25));
        assert_eq!(pacer.message(BEGIN + HOUR * 25, 5000), PaceDecision::Now);
    }

    #[test]
    fn passed_bytes_are_reported_once_and_count_after_a_restart() {
        let mut pacer = Pacer::new(RateLimits::default(), Usage::default());
        pacer.message(BEGIN, 30);
        pacer.message(BEGIN + HOUR, 20);
        pacer.message(BEGIN + HOUR, 5);
        pacer.take_back(BEGIN + HOUR, 5);
        let told = pacer.take_passed(BEGIN + HOUR);
        assert_eq!(told, [(480_000, 30), (480_001, 20)]);
        assert!(pacer.take_passed(BEGIN + HOUR).is_empty());
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
