//! Pace of a running pass: its rate, and its estimated rest.

use std::time::Duration;

use jiff::Timestamp;
use mailhaul_migration::{MigrationUser, Statistics, UserStatus};
use mailhaul_operations::TimeSpan;

use crate::service::forecast::Forecast;

/// Pace of a running pass.
pub(crate) struct Pace {
    /// 0 if no pass is running.
    pub(crate) bytes_per_minute: u64,
    /// `None` if no pass is running, or nothing is known yet.
    pub(crate) remaining: Option<TimeSpan>,
}

impl Pace {
    /// Pace of the user's pass with these numbers.
    pub(crate) fn of(
        user: &MigrationUser,
        numbers: &Statistics,
        now: Timestamp,
        forecast: Option<Forecast>,
    ) -> Self {
        let is_under_way = user.status.is_running() && user.status != UserStatus::Stopping;
        if !is_under_way {
            return Self { bytes_per_minute: 0, remaining: None };
        }
        let elapsed = millis(user.status_since, now);
        let at_pace = remaining(numbers, elapsed).map(Duration::from_millis);
        Self {
            bytes_per_minute: rate(numbers.pass_bytes, elapsed, 60_000),
            remaining: at_pace.max(forecast.map(Forecast::least)).map(TimeSpan),
        }
    }
}

/// Milliseconds from one time to the other; 0 if it is later.
pub(crate) fn millis(since: Timestamp, now: Timestamp) -> u64 {
    u64::try_from(now.as_millisecond() - since.as_millisecond()).unwrap_or(0)
}

/// Amount per `unit` milliseconds.
pub(crate) fn rate(much: u64, millis: u64, unit: u64) -> u64 {
    much.saturating_mul(unit).checked_div(millis).unwrap_or(0)
}

/// Milliseconds until the pass has processed all messages and bytes that it knows of, at its speed
/// so far.
fn remaining(numbers: &Statistics, elapsed: u64) -> Option<u64> {
    let until = |done: u64, left: u64| left.saturating_mul(elapsed).checked_div(done);
    let items = numbers.total_items.saturating_sub(numbers.synced_items + numbers.skipped_items);
    let bytes = numbers.estimated_bytes.saturating_sub(numbers.pass_bytes);
    until(numbers.pass_items, items).max(until(numbers.pass_bytes, bytes))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_pace_so_far_tells_how_long_it_will_take() {
        let numbers = Statistics {
            total_items: 100,
            synced_items: 25,
            pass_items: 25,
            estimated_bytes: 4000,
            pass_bytes: 3000,
            ..Statistics::default()
        };
        assert_eq!(remaining(&numbers, 10_000), Some(30_000), "messages take longer here than octets");
        assert_eq!(rate(3000, 10_000, 60_000), 18_000);
        assert_eq!(rate(1, 0, 60_000), 0);
        assert_eq!(remaining(&Statistics::default(), 10_000), None);
    }
}
