//! Rates of a server: messages and bytes per second, bytes in 24 hours. Pure: the time is a parameter.
//!
//! Messages and bytes per second are token buckets with the depth of one second. The 24 hours are a sliding window of
//! whole hours; an hour counts until 24 hours after its end. Servers do not publish when their day begins, so the
//! budget holds for any beginning.

use std::{collections::BTreeMap, time::Duration};

use super::reservation::{DayReservation, Reservation, ReservationDecision, ReservationRequest};

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
    /// Decides about something of this cost.
    ///
    /// A part of a rate has no burst beyond its second: the bursts of all parts together are that of the whole.
    fn turn(self, now: Duration, cost: Duration, share: Share) -> PaceDecision {
        let depth = match share.0 {
            0 => return PaceDecision::After(BURST),
            WHOLE_SHARE => BURST,
            _ => BURST.saturating_sub(cost),
        };
        match self.even.saturating_sub(now.saturating_add(depth)) {
            Duration::ZERO => PaceDecision::Now,
            wait => PaceDecision::After(wait),
        }
    }

    fn take(&mut self, now: Duration, cost: Duration) {
        self.even = self.even.max(now).saturating_add(cost);
    }

    /// Takes away the burst: another process may have used it.
    fn empty(&mut self, now: Duration) {
        self.even = self.even.max(now.saturating_add(BURST));
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
    /// All bytes that have passed here.
    passed: u64,
    /// Reserved bytes of the day, if other processes use the same limit.
    reservation: Option<Reservation>,
}

/// The part of the rates per second that passes here, in thousandths. The rest passes in other processes.
#[derive(Clone, Copy, Debug)]
struct Share(u64);

impl Share {
    /// Time for which this amount uses up the part of the rate.
    fn cost(self, amount: u64, rate: u64) -> Duration {
        let thousandths = u128::from(rate.max(1)) * u128::from(self.0.max(1));
        let nanos = u128::from(amount) * 1_000_000_000 * u128::from(WHOLE_SHARE) / thousandths;
        Duration::from_nanos(u64::try_from(nanos).unwrap_or(u64::MAX))
    }
}

impl Default for Share {
    fn default() -> Self {
        Self(WHOLE_SHARE)
    }
}

impl Pacer {
    pub(crate) fn new(rates: RateLimits, used: Usage) -> Self {
        Self { rates, used, ..Self::default() }
    }

    /// Limits that other processes share. Nothing passes before it gets a part of each.
    pub(crate) fn shared(rates: RateLimits) -> Self {
        Self {
            share: Share(0),
            reservation: Some(Reservation::default()),
            ..Self::new(rates, Usage::default())
        }
    }

    /// Sets new limits. If a rate changes, its token bucket starts with a whole burst.
    pub(crate) fn set_rates(&mut self, rates: RateLimits) {
        if rates.bytes_per_day != self.rates.bytes_per_day {
            self.clear_reservation();
        }
        if rates.messages_per_second != self.rates.messages_per_second {
            self.messages = Bucket::default();
        }
        if rates.bytes_per_second != self.rates.bytes_per_second {
            self.octets = Bucket::default();
        }
        self.rates = rates;
    }

    /// Sets the part of the rates per second that may pass here, in thousandths.
    pub(crate) fn set_share(&mut self, now: Duration, thousandths: u64) {
        let share = Share(thousandths.min(WHOLE_SHARE));
        if share.0 > self.share.0 {
            self.messages.empty(now);
            self.octets.empty(now);
        }
        self.share = share;
    }

    /// Decides if a message of this size may begin.
    ///
    /// A message that is larger than the budget of a day passes when nothing else of that day has.
    pub(crate) fn message(&mut self, now: Duration, octets: u64) -> PaceDecision {
        if let Some(most) = self.rates.bytes_per_day
            && let Some(wait) = self.wait_for_day(now, octets, most)
        {
            return wait;
        }
        if let Some(rate) = self.rates.messages_per_second {
            let cost = self.share.cost(1, rate);
            match self.messages.turn(now, cost, self.share) {
                PaceDecision::Now => self.messages.take(now, cost),
                wait => return wait,
            }
        }
        self.count(now, octets);
        PaceDecision::Now
    }

    /// Returns the wait if the bytes of the day do not suffice now.
    fn wait_for_day(&mut self, now: Duration, octets: u64, most: u64) -> Option<PaceDecision> {
        self.used.forget_before(Usage::first_hour(now));
        let used = self.used.total();
        let is_used_up = used > 0 && used.saturating_add(octets) > most;
        let wait = || PaceDecision::UsedUp(self.used.wait_until_at_most(most.saturating_sub(octets), now));
        let Some(reservation) = &mut self.reservation else {
            return if is_used_up { Some(wait()) } else { None };
        };
        if !is_used_up {
            // An hour has passed since the refusal.
            reservation.forget_refusal();
        }
        match reservation.decide(octets) {
            ReservationDecision::Fits => None,
            ReservationDecision::Wait => Some(PaceDecision::After(Duration::ZERO)),
            ReservationDecision::UsedUp => Some(wait()),
        }
    }

    /// Decides if these bytes of a message that has begun may pass.
    pub(crate) fn octets(&mut self, now: Duration, octets: u64) -> PaceDecision {
        let Some(rate) = self.rates.bytes_per_second else { return PaceDecision::Now };
        let cost = self.share.cost(octets, rate);
        let turn = self.octets.turn(now, cost, self.share);
        if turn == PaceDecision::Now {
            self.octets.take(now, cost);
        }
        turn
    }

    /// Counts bytes that passed without a question.
    pub(crate) fn count(&mut self, now: Duration, octets: u64) {
        let hour = Usage::hour(now);
        self.used.add(hour, octets);
        self.unreported.add(hour, octets);
        self.passed = self.passed.saturating_add(octets);
        if let Some(reservation) = &mut self.reservation {
            reservation.take(octets);
        }
    }

    /// Reverts the count of a message that did not pass after all.
    pub(crate) fn take_back(&mut self, now: Duration, octets: u64) {
        let hour = Usage::hour(now);
        self.used.take_back(hour, octets);
        self.unreported.take_back(hour, octets);
        self.passed = self.passed.saturating_sub(octets);
        if let Some(reservation) = &mut self.reservation {
            reservation.take_back(octets);
        }
    }

    /// Reserved bytes of the day, if other processes use the same limit.
    pub(crate) fn reservation(&self) -> Option<&Reservation> {
        self.reservation.as_ref()
    }

    /// Lets messages that the reservation refused ask again.
    pub(crate) fn forget_refusal(&mut self) {
        if let Some(reservation) = &mut self.reservation {
            reservation.forget_refusal();
        }
    }

    /// Gives up what is reserved.
    pub(crate) fn clear_reservation(&mut self) {
        if let Some(reservation) = &mut self.reservation {
            reservation.clear();
        }
    }

    /// Takes what is reserved away for a request.
    pub(crate) fn begin_reservation(&mut self) -> ReservationRequest {
        let passed = self.passed;
        self.reservation.as_mut().map(|reservation| reservation.begin(passed)).unwrap_or_default()
    }

    /// Takes over the answer. `used` are the bytes of all processes.
    pub(crate) fn end_reservation(&mut self, reserved: DayReservation, used: Option<Usage>) {
        if let Some(reservation) = &mut self.reservation {
            reservation.end(reserved);
        }
        self.used = used.unwrap_or_else(|| std::mem::take(&mut self.used));
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
        pacer.set_share(BEGIN, 250);
        let passed = moments(&mut pacer, 4, |pacer, now| pacer.message(now, 1));
        assert_eq!(passed, [0, 1000, 2000, 3000]);
        // Another process has the whole rate, and its burst.
        pacer.set_share(BEGIN, 0);
        let later = BEGIN + Duration::from_hours(1);
        assert_eq!(pacer.message(later, 1), PaceDecision::After(BURST));
        pacer.set_share(later, 1000);
        assert_eq!(pacer.message(later, 1), PaceDecision::Now);
        assert_eq!(pacer.message(later, 1), PaceDecision::After(Duration::from_millis(250)));
    }

    /// Processes that get, use and lose parts of a rate pass no more than one that has the whole of it.
    #[test]
    fn parts_of_a_rate_together_keep_it() {
        let mut pacers = [(); 3].map(|()| Pacer::shared(of_messages(50)));
        let mut passed = Vec::new();
        for step in 0..60_000usize {
            let now = BEGIN + Duration::from_millis(step as u64);
            if step.is_multiple_of(700) {
                // One has the whole, two divide it, or all do; which ones changes.
                let parts = [[1000, 0, 0], [500, 500, 0], [334, 333, 333]][step / 700 % 3];
                for (index, pacer) in pacers.iter_mut().enumerate() {
                    pacer.set_share(now, parts[(index + step / 2100) % 3]);
                }
            }
            // Each is idle at times.
            for (index, pacer) in pacers.iter_mut().enumerate() {
                while !(step / 1900 + index).is_multiple_of(4) && pacer.message(now, 1) == PaceDecision::Now {
                    passed.push(step);
                }
            }
        }
        assert!(passed.len() > 1500, "{}", passed.len());
        for (index, begin) in passed.iter().enumerate() {
            let within = passed[index..].iter().take_while(|at| **at < begin + 10_000).count();
            assert!(within <= 50 * 10 + 50, "{within} from {begin} on");
        }
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
    fn beside_other_processes_only_reserved_bytes_pass() {
        let mut pacer = Pacer::shared(of_a_day(100));
        assert_eq!(pacer.message(BEGIN, 10), PaceDecision::After(Duration::ZERO));
        let request = pacer.begin_reservation();
        assert_eq!(request, ReservationRequest { passed: 0, left: 0, needed: 10 });
        pacer.end_reservation(DayReservation { left: 30, ..DayReservation::default() }, None);
        assert_eq!(pacer.message(BEGIN, 20), PaceDecision::Now);
        assert_eq!(pacer.message(BEGIN, 11), PaceDecision::After(Duration::ZERO));
        pacer.take_back(BEGIN, 5);
        let request = pacer.begin_reservation();
        assert_eq!(request, ReservationRequest { passed: 15, left: 15, needed: 11 });
        // The others have used the rest.
        let used = [(Usage::hour(BEGIN), 100)].into_iter().collect();
        pacer.end_reservation(DayReservation { refused: Some(11), ..DayReservation::default() }, Some(used));
        assert_eq!(pacer.message(BEGIN, 11), PaceDecision::UsedUp(HOUR * 25));
        // A new limit: what was reserved under the old one counts no more.
        pacer.end_reservation(DayReservation { left: 60, ..DayReservation::default() }, None);
        pacer.set_rates(of_a_day(50));
        assert_eq!(pacer.message(BEGIN, 1), PaceDecision::After(Duration::ZERO));
        pacer.set_rates(RateLimits::default());
        assert_eq!(pacer.message(BEGIN, 1 << 40), PaceDecision::Now);
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
