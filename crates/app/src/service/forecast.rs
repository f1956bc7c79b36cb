//! Forecast of a mailbox whose server limits the bytes per day. Pure.

use std::{fmt, time::Duration};

use mailhaul_migration::Statistics;

use crate::output::text::{bytes, count};

/// Bytes that one server allows for the mailbox in 24 hours.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Day {
    pub(crate) max: u64,
    /// Bytes that are left of them now.
    pub(crate) left: u64,
}

/// Forecast for a mailbox that needs more bytes than are left today.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Forecast {
    /// Bytes left to copy.
    bytes: u64,
    /// Limit of the slower server.
    day: Day,
}

impl Forecast {
    /// Returns `None` if the rest fits into today, or nothing is known of it yet.
    pub(crate) fn from_statistics(numbers: &Statistics, days: impl IntoIterator<Item = Day>) -> Option<Self> {
        let bytes = bytes_left(numbers);
        let forecasts = days.into_iter().map(|day| Self { bytes, day });
        forecasts
            .filter(|forecast| forecast.waits() > 0)
            .max_by_key(|forecast| (forecast.waits(), forecast.days()))
    }

    /// Forecast for a mailbox that waits this long.
    ///
    /// A wait of hours means that the rest of the day was too small for the next message.
    pub(crate) fn while_waiting(self, wait: Duration) -> Self {
        let left = if wait > Duration::from_hours(1) { 0 } else { self.day.left };
        Self { day: Day { left, ..self.day }, ..self }
    }

    /// Number of days that must end before the rest is copied.
    fn waits(self) -> u64 {
        self.bytes.saturating_sub(self.day.left).div_ceil(self.day.max.max(1))
    }

    /// Number of days on which messages are copied.
    pub(crate) fn days(self) -> u64 {
        self.waits() + u64::from(self.day.left > 0)
    }

    /// Minimum duration, however fast the servers are.
    pub(crate) fn least(self) -> Duration {
        Duration::from_hours(24).saturating_mul(u32::try_from(self.waits()).unwrap_or(u32::MAX))
    }
}

impl fmt::Display for Forecast {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (days, max) = (count(self.days(), "day", "days"), bytes(self.day.max));
        write!(
            f,
            "This mailbox needs about {days} at {max} a day: {} are left to copy, ",
            bytes(self.bytes)
        )?;
        match self.day.left {
            0 => f.write_str("and the limit of today is used up."),
            left => write!(f, "and {} may be copied today.", bytes(left)),
        }
    }
}

/// Bytes left to copy.
///
/// Scanned folders count by their bytes. Unscanned folders count by their messages, with the average
/// size of the copied ones.
fn bytes_left(numbers: &Statistics) -> u64 {
    let known = numbers.estimated_bytes.saturating_sub(numbers.pass_bytes);
    let items = numbers.total_items.saturating_sub(numbers.synced_items + numbers.skipped_items);
    let guessed = u128::from(items) * u128::from(numbers.pass_bytes) / u128::from(numbers.pass_items.max(1));
    known.max(u64::try_from(guessed).unwrap_or(u64::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;

    const MB: u64 = 1_000_000;

    fn numbers(estimated: u64, sent: u64) -> Statistics {
        Statistics { estimated_bytes: estimated * MB, pass_bytes: sent * MB, ..Statistics::default() }
    }

    fn forecast(numbers: &Statistics, days: &[(u64, u64)]) -> Option<(u64, u64, String)> {
        let days = days.iter().map(|(most, left)| Day { max: most * MB, left: left * MB });
        Forecast::from_statistics(numbers, days)
            .map(|forecast| (forecast.days(), forecast.least().as_secs() / 3600, forecast.to_string()))
    }

    /// MB to copy and copied; MB per day and MB left today of each server; days, and minimum hours.
    type Row = (u64, u64, &'static [(u64, u64)], Option<(u64, u64)>);

    #[test]
    fn the_rest_is_measured_in_days() {
        let table: [Row; 12] = [
            // No limit, nothing known, nothing left, or the rest fits into today.
            (1300, 0, &[], None),
            (0, 0, &[(500, 500)], None),
            (1300, 1300, &[(500, 0)], None),
            (500, 0, &[(500, 500)], None),
            (1300, 900, &[(500, 400)], None),
            // A part fits into today.
            (501, 0, &[(500, 500)], Some((2, 24))),
            (1300, 0, &[(500, 500)], Some((3, 48))),
            (1300, 0, &[(500, 20)], Some((4, 72))),
            // The limit of today is used up.
            (1300, 500, &[(500, 0)], Some((2, 48))),
            (1300, 1299, &[(500, 0)], Some((1, 24))),
            // The slower of two servers counts.
            (1300, 0, &[(2500, 2500), (500, 500)], Some((3, 48))),
            (1300, 0, &[(2500, 0), (500, 500)], Some((3, 48))),
        ];
        for (estimated, sent, days, expected) in table {
            let forecast = forecast(&numbers(estimated, sent), days).map(|(days, hours, _)| (days, hours));
            assert_eq!(forecast, expected, "{estimated} {sent} {days:?}");
        }
    }

    #[test]
    fn the_text_names_the_numbers() {
        let words = |left| forecast(&numbers(1300, 100), &[(500, left)]).unwrap().2;
        assert_eq!(
            words(100),
            "This mailbox needs about 4 days at 500.0 MB a day: 1.2 GB are left to copy, and 100.0 MB may be copied today."
        );
        assert_eq!(
            words(0),
            "This mailbox needs about 3 days at 500.0 MB a day: 1.2 GB are left to copy, and the limit of \
             today is used up."
        );
    }

    #[test]
    fn a_wait_of_hours_ends_the_day() {
        let forecast =
            Forecast::from_statistics(&numbers(500, 0), [Day { max: 500 * MB, left: 10 * MB }]).unwrap();
        let days = |wait| forecast.while_waiting(wait).days();
        assert_eq!((days(Duration::from_mins(5)), days(Duration::from_hours(20))), (2, 1));
    }

    #[test]
    fn unscanned_folders_count_by_their_messages() {
        let numbers = Statistics {
            total_items: 1000,
            synced_items: 90,
            skipped_items: 10,
            estimated_bytes: 300 * MB,
            pass_items: 50,
            pass_bytes: 100 * MB,
            ..Statistics::default()
        };
        assert_eq!(bytes_left(&numbers), 1800 * MB);
        assert_eq!(bytes_left(&Statistics { total_items: 100, ..numbers }), 200 * MB);
    }
}
