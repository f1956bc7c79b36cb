//! When the server says that a message arrived.

use std::{fmt, num::NonZeroI64};

use jiff::{Timestamp, civil, tz::Offset};

/// INTERNALDATE: a moment to the second, with the zone in which it was given (RFC 9051, `date-time`).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct InternalDate {
    /// Seconds since 1970 times 4096, plus the zone in minutes plus 2048: one word, for mailboxes of millions. Never 0,
    /// because the zone's part never is.
    packed: NonZeroI64,
}

/// What the seconds are shifted by.
const ZONE_BITS: u32 = 12;
/// What is added to a zone, which is less than a day either way.
const ZONE_BIAS: i64 = 1 << (ZONE_BITS - 1);

const MONTHS: [&str; 12] =
    ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];

impl InternalDate {
    /// From seconds since 1970 (UTC) and minutes east of Greenwich. `None` outside the years -9999 to 9999 or for a
    /// zone of a day or more.
    pub fn new(unix_seconds: i64, zone_minutes: i16) -> Option<Self> {
        if zone_minutes.unsigned_abs() >= 24 * 60 {
            return None;
        }
        let seconds = unix_seconds.checked_mul(1 << ZONE_BITS)?;
        let date =
            Self { packed: NonZeroI64::new(seconds.checked_add(i64::from(zone_minutes) + ZONE_BIAS)?)? };
        date.civil().map(|_| date)
    }

    /// Seconds since 1970, UTC.
    pub fn unix_seconds(self) -> i64 {
        self.packed.get() >> ZONE_BITS
    }

    /// Minutes east of Greenwich.
    pub fn zone_minutes(self) -> i16 {
        let biased = self.packed.get() & ((1 << ZONE_BITS) - 1);
        i16::try_from(biased - ZONE_BIAS).unwrap_or(0)
    }

    /// Reads `17-Jul-1996 02:44:25 -0700`, and what servers send instead: a day of one digit with or without its
    /// blank, no seconds, no zone (then UTC), a zone by name `GMT` or `UTC`, month in any case. `None` for what names
    /// no day at all, such as `00-Jan-0000`.
    pub fn parse(text: &str) -> Option<Self> {
        let mut words = text.split_ascii_whitespace();
        let (date, time, zone) = (words.next()?, words.next().unwrap_or("00:00:00"), words.next());
        let mut parts = date.split('-');
        let (day, month, year) = (parts.next()?, parts.next()?, parts.next()?);
        let month = MONTHS.iter().position(|name| name.eq_ignore_ascii_case(month))? + 1;
        let mut clock = time.split(':').map(|digits| digits.parse::<i8>().ok());
        let (hour, minute) = (clock.next()??, clock.next()??);
        // A leap second is the last second of its minute: no server stores it apart.
        let second = clock.next().unwrap_or(Some(0))?.min(59);
        let civil = civil::DateTime::new(
            year.parse().ok()?,
            i8::try_from(month).ok()?,
            day.parse().ok()?,
            hour,
            minute,
            second,
            0,
        )
        .ok()?;
        let zone_minutes = zone.map_or(Some(0), parse_zone)?;
        let utc = Offset::UTC.to_timestamp(civil).ok()?.as_second();
        Self::new(utc - i64::from(zone_minutes) * 60, zone_minutes)
    }

    fn civil(self) -> Option<civil::DateTime> {
        let local = self.unix_seconds().checked_add(i64::from(self.zone_minutes()) * 60)?;
        Some(Offset::UTC.to_datetime(Timestamp::from_second(local).ok()?))
    }
}

fn parse_zone(zone: &str) -> Option<i16> {
    let (sign, digits) = match zone.split_at_checked(1)? {
        ("+", digits) => (1, digits),
        ("-", digits) => (-1, digits),
        _ if ["GMT", "UTC", "Z", "UT"].iter().any(|name| name.eq_ignore_ascii_case(zone)) => return Some(0),
        _ => return None,
    };
    let number: i16 = digits.parse().ok().filter(|_| digits.len() == 4 && !digits.starts_with(['+', '-']))?;
    Some(sign * (number / 100 * 60 + number % 100))
}

/// The form that APPEND takes, without quotes: `17-Jul-1996 02:44:25 -0700`, the day with a blank when below 10.
impl fmt::Display for InternalDate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // `new` made sure that there is a civil date.
        let civil = self.civil().unwrap_or_default();
        let month = MONTHS[usize::from(civil.month().unsigned_abs().clamp(1, 12)) - 1];
        let zone = self.zone_minutes().unsigned_abs();
        write!(
            f,
            "{:>2}-{month}-{:04} {:02}:{:02}:{:02} {}{:02}{:02}",
            civil.day(),
            civil.year(),
            civil.hour(),
            civil.minute(),
            civil.second(),
            if self.zone_minutes() < 0 { '-' } else { '+' },
            zone / 60,
            zone % 60
        )
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn reads_what_servers_send() {
        let table = [
            ("17-Jul-1996 02:44:25 -0700", "17-Jul-1996 02:44:25 -0700"),
            (" 1-Jan-2020 00:00:00 +0000", " 1-Jan-2020 00:00:00 +0000"),
            ("1-jan-2020 00:00:00 +0530", " 1-Jan-2020 00:00:00 +0530"),
            ("30-Dec-1899 00:00:00", "30-Dec-1899 00:00:00 +0000"),
            ("05-Mar-2001 10:11 GMT", " 5-Mar-2001 10:11:00 +0000"),
            ("31-Dec-2016 23:59:60 +0000", "31-Dec-2016 23:59:59 +0000"),
        ];
        for (text, printed) in table {
            assert_eq!(InternalDate::parse(text).unwrap().to_string(), printed, "{text}");
        }
        assert_eq!(InternalDate::parse("17-Jul-1996 02:44:25 -0700").unwrap().unix_seconds(), 837_596_665);
    }

    #[test]
    fn refuses_what_is_no_day() {
        for text in [
            "",
            "00-Jan-0000 00:00:00 +0000",
            "31-Feb-2020 00:00:00 +0000",
            "1-Foo-2020 0:0:0",
            "yesterday",
            "1-Jan-2020 00:00:00 +2400",
            "1-Jan-2020 00:00:00 +-100",
            "1-Jan-2020 25:00:00 +0000",
        ] {
            assert_eq!(InternalDate::parse(text), None, "{text:?}");
        }
    }

    proptest! {
        #[test]
        fn prints_what_it_reads(seconds in -60_000_000_000i64..250_000_000_000, zone in -1439i16..=1439) {
            let date = InternalDate::new(seconds, zone).unwrap();
            prop_assert_eq!(InternalDate::parse(&date.to_string()), Some(date));
        }
    }
}
