//! How long a mailbox will take where a server limits its octets of a day. A pure decision, and its words.

use std::{fmt, time::Duration};

use mailhaul_migration::Statistics;

use crate::output::text::{bytes, count};

/// What one server lets pass for the mailbox in 24 hours.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Day {
    /// Octets in all.
    pub(crate) most: u64,
    /// Octets that are left of them now.
    pub(crate) left: u64,
}

/// A mailbox that needs more than what is left of today.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Forecast {
    /// Octets that are still to be carried.
    octets: u64,
    /// Of the server that lets pass least.
    day: Day,
}

impl Forecast {
    /// `None` where the rest passes today, or where nothing is known of it yet.
    pub(crate) fn of(numbers: &Statistics, days: impl IntoIterator<Item = Day>) -> Option<Self> {
        let octets = octets_left(numbers);
        let forecasts = days.into_iter().map(|day| Self { octets, day });
        forecasts.filter(|it| it.waits() > 0).max_by_key(|it| (it.waits(), it.days()))
    }

    /// The same for a mailbox that waits so long: where that is for hours, what is left of the day was not enough for the next
    /// message.
    pub(crate) fn while_waiting(self, wait: Duration) -> Self {
        let left = if wait > Duration::from_hours(1) { 0 } else { self.day.left };
        Self { day: Day { left, ..self.day }, ..self }
    }

    /// How often a day must end before the rest has passed.
    fn waits(self) -> u64 {
        self.octets.saturating_sub(self.day.left).div_ceil(self.day.most.max(1))
    }

    /// Days on which something passes.
    pub(crate) fn days(self) -> u64 {
        self.waits() + u64::from(self.day.left > 0)
    }

    /// It will take about that long, however fast the servers are.
    pub(crate) fn least(self) -> Duration {
        Duration::from_hours(24).saturating_mul(u32::try_from(self.waits()).unwrap_or(u32::MAX))
    }
}

impl fmt::Display for Forecast {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (days, most) = (count(self.days(), "day", "days"), bytes(self.day.most));
        write!(
            f,
            "This mailbox needs about {days} at {most} a day: {} are left to copy, ",
            bytes(self.octets)
        )?;
        match self.day.left {
            0 => f.write_str("and nothing may pass today any more."),
            left => write!(f, "and {} may pass today.", bytes(left)),
        }
    }
}

/// Octets that are still to be carried: of the folders that were looked into, those that were not sent; where more messages
/// are left, as many as those need that are as large as those that were sent.
fn octets_left(numbers: &Statistics) -> u64 {
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

    fn told(numbers: &Statistics, days: &[(u64, u64)]) -> Option<(u64, u64, String)> {
        let days = days.iter().map(|(most, left)| Day { most: most * MB, left: left * MB });
        Forecast::of(numbers, days).map(|it| (it.days(), it.least().as_secs() / 3600, it.to_string()))
    }

    /// MB to carry and carried; what servers let pass in a day, and what is left of it; days, and hours at least.
    type Row = (u64, u64, &'static [(u64, u64)], Option<(u64, u64)>);

    #[test]
    fn what_is_left_is_told_in_days() {
        let table: [Row; 12] = [
            // Nothing is limited, nothing is known, nothing is left, or it passes today.
            (1300, 0, &[], None),
            (0, 0, &[(500, 500)], None),
            (1300, 1300, &[(500, 0)], None),
            (500, 0, &[(500, 500)], None),
            (1300, 900, &[(500, 400)], None),
            // A part of it passes today.
            (501, 0, &[(500, 500)], Some((2, 24))),
            (1300, 0, &[(500, 500)], Some((3, 48))),
            (1300, 0, &[(500, 20)], Some((4, 72))),
            // Nothing more passes today.
            (1300, 500, &[(500, 0)], Some((2, 48))),
            (1300, 1299, &[(500, 0)], Some((1, 24))),
            // The slower of two servers counts.
            (1300, 0, &[(2500, 2500), (500, 500)], Some((3, 48))),
            (1300, 0, &[(2500, 0), (500, 500)], Some((3, 48))),
        ];
        for (estimated, sent, days, expected) in table {
            let told = told(&numbers(estimated, sent), days).map(|(days, hours, _)| (days, hours));
            assert_eq!(told, expected, "{estimated} {sent} {days:?}");
        }
    }

    #[test]
    fn the_words_name_the_figures() {
        let words = |left| told(&numbers(1300, 100), &[(500, left)]).unwrap().2;
        assert_eq!(
            words(100),
            "This mailbox needs about 4 days at 500.0 MB a day: 1.2 GB are left to copy, and 100.0 MB may pass today."
        );
        assert_eq!(
            words(0),
            "This mailbox needs about 3 days at 500.0 MB a day: 1.2 GB are left to copy, and nothing may pass today \
             any more."
        );
    }

    #[test]
    fn who_waits_for_hours_gets_nothing_more_today() {
        let forecast = Forecast::of(&numbers(500, 0), [Day { most: 500 * MB, left: 10 * MB }]).unwrap();
        let days = |wait| forecast.while_waiting(wait).days();
        assert_eq!((days(Duration::from_mins(5)), days(Duration::from_hours(20))), (2, 1));
    }

    #[test]
    fn folders_that_were_not_looked_into_count_by_their_messages() {
        let numbers = Statistics {
            total_items: 1000,
            synced_items: 90,
            skipped_items: 10,
            estimated_bytes: 300 * MB,
            pass_items: 50,
            pass_bytes: 100 * MB,
            ..Statistics::default()
        };
        assert_eq!(octets_left(&numbers), 1800 * MB);
        assert_eq!(octets_left(&Statistics { total_items: 100, ..numbers }), 200 * MB);
    }
}
