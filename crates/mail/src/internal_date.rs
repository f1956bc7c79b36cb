//! INTERNALDATE: the time at which a message arrived.

use std::{fmt, num::NonZeroI64, str::FromStr};

use jiff::{Timestamp, civil, tz::Offset};

/// INTERNALDATE: a time in seconds, with the zone in which it was given (RFC 9051, `date-time`).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct InternalDate {
    /// Seconds since 1970 times 4096, plus the zone in minutes plus 2048.
    ///
    /// One word, for mailboxes of millions of messages. Never 0, because the zone part is never 0.
    packed: NonZeroI64,
}

const ZONE_BITS: u32 = 12;
/// Added to a zone, which is less than a day in either direction.
const ZONE_BIAS: i64 = 1 << (ZONE_BITS - 1);

const MONTHS: [&str; 12] =
    ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];

/// Zones by name, in hours east of Greenwich (RFC 5322, section 4.3). The meaning of other names is
/// unknown.
const ZONES: [(&str, i16); 12] = [
    ("UT", 0),
    ("UTC", 0),
    ("GMT", 0),
    ("Z", 0),
    ("EST", -5),
    ("EDT", -4),
    ("CST", -6),
    ("CDT", -5),
    ("MST", -7),
    ("MDT", -6),
    ("PST", -8),
    ("PDT", -7),
];

impl InternalDate {
    /// Builds a date from seconds since 1970 (UTC) and minutes east of Greenwich.
    ///
    /// Returns `None` outside the years -9999 to 9999, and for a zone of a day or more.
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

    /// Zone in minutes east of Greenwich.
    pub fn zone_minutes(self) -> i16 {
        let biased = self.packed.get() & ((1 << ZONE_BITS) - 1);
        i16::try_from(biased - ZONE_BIAS).unwrap_or(0)
    }

    /// Parses `17-Jul-1996 02:44:25 -0700`, and the variants that servers send.
    ///
    /// Variants: a day of one digit, a year of two, no seconds, no zone (then UTC), a zone by name
    /// (RFC 5322, section 4.3), the forms of RFC 5322 and ISO 8601.
    ///
    /// Returns `None` for text that is no date, such as `00-Jan-0000`, a day that the month lacks,
    /// or an unknown zone.
    pub fn parse(text: &str) -> Option<Self> {
        let mut words = text.split([' ', '\t', ',']).filter(|word| !word.is_empty()).peekable();
        words.next_if(|word| is_weekday(word));
        let first = words.next()?;
        // ISO 8601 may have a `T` instead of the space, and then no space before the zone.
        let (date, joined) = match first.split_once(['T', 't']) {
            Some((date, time)) if time.starts_with(|it: char| it.is_ascii_digit()) => (date, Some(time)),
            _ => (first, None),
        };
        let (year, month, day) = if date.contains('-') {
            parse_date(date.split('-'))?
        } else {
            parse_date([date, words.next()?, words.next()?].into_iter())?
        };
        let time = joined.or_else(|| words.next()).unwrap_or("00:00:00");
        let (time, zone) = match time.find(['+', '-', 'Z', 'z']) {
            Some(at) => (&time[..at], Some(&time[at..])),
            None => (time, words.next()),
        };
        let (seconds, zone_minutes) = (parse_time(time)?, zone.map_or(Some(0), parse_zone)?);
        let day = civil::DateTime::new(year, month, day, 0, 0, 0, 0).ok()?;
        let utc = Offset::UTC.to_timestamp(day).ok()?.as_second();
        Self::new(utc + seconds - i64::from(zone_minutes) * 60, zone_minutes)
    }

    fn civil(self) -> Option<civil::DateTime> {
        let local = self.unix_seconds().checked_add(i64::from(self.zone_minutes()) * 60)?;
        Some(Offset::UTC.to_datetime(Timestamp::from_second(local).ok()?))
    }
}

fn is_weekday(word: &str) -> bool {
    const DAYS: [&str; 7] = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"];
    word.get(..3).is_some_and(|start| DAYS.iter().any(|day| day.eq_ignore_ascii_case(start)))
        && word.bytes().all(|octet| octet.is_ascii_alphabetic())
}

/// Parses year, month and day: `1`, `Feb`, `2024` or `2024`, `02`, `01`.
fn parse_date<'t>(mut parts: impl Iterator<Item = &'t str>) -> Option<(i16, i8, i8)> {
    let (first, second, third) = (parts.next()?, parts.next()?, parts.next()?);
    if parts.next().is_some() {
        return None;
    }
    if let (4, Some(month)) = (first.len(), number(second)) {
        return Some((number(first)?, month, number(third)?));
    }
    let month = MONTHS.iter().position(|name| name.eq_ignore_ascii_case(second))? + 1;
    let year: i16 = number(third)?;
    // RFC 5322, section 4.3.
    let year = match (third.len(), year) {
        (2, ..50) => year + 2000,
        (2 | 3, _) => year + 1900,
        (4, _) => year,
        _ => return None,
    };
    Some((year, i8::try_from(month).ok()?, number(first)?))
}

/// Parses a time into seconds since midnight. `24:00:00` is the end of the day (ISO 8601).
fn parse_time(time: &str) -> Option<i64> {
    // Fractions of a second are dropped.
    let whole = time.split_once(['.', ',']).map_or(time, |(whole, _)| whole);
    let mut clock = whole.split(':');
    let (hour, minute): (i64, i64) = (number(clock.next()?)?, number(clock.next()?)?);
    let second: i64 = clock.next().map_or(Some(0), number)?;
    let is_time = (0..24).contains(&hour) && minute < 60 && second <= 60;
    let is_end = (hour, minute, second) == (24, 0, 0);
    // A leap second counts as the last second of its minute: no server stores it separately.
    (clock.next().is_none() && (is_time || is_end)).then(|| hour * 3600 + minute * 60 + second.min(59))
}

/// Parses a zone into minutes east of Greenwich.
fn parse_zone(zone: &str) -> Option<i16> {
    let (sign, digits) = match zone.split_at_checked(1)? {
        ("+", digits) => (1, digits),
        ("-", digits) => (-1, digits),
        _ => {
            return ZONES
                .iter()
                .find(|(name, _)| name.eq_ignore_ascii_case(zone))
                .map(|(_, hours)| hours * 60);
        }
    };
    let (hours, minutes) = digits.split_once(':').or_else(|| digits.split_at_checked(2))?;
    let (2, 2) = (hours.len(), minutes.len()) else { return None };
    let (hours, minutes): (i16, i16) = (number(hours)?, number(minutes)?);
    (minutes < 60).then(|| sign * (hours * 60 + minutes))
}

/// Parses digits without a sign.
fn number<N: FromStr>(digits: &str) -> Option<N> {
    digits.parse().ok().filter(|_| digits.bytes().all(|octet| octet.is_ascii_digit()))
}

/// Prints the form that APPEND takes, without quotes: `17-Jul-1996 02:44:25 -0700`. A day below 10
/// is padded with a space.
impl fmt::Display for InternalDate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // `new` checked that the date exists.
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
            ("01-Feb-2024 09:05:00 EST", " 1-Feb-2024 09:05:00 -0500"),
            ("01-Feb-2024 09:05:00 pdt", " 1-Feb-2024 09:05:00 -0700"),
            ("2024-02-01 09:05:00 +0100", " 1-Feb-2024 09:05:00 +0100"),
            ("2024-02-01T09:05:00+01:00", " 1-Feb-2024 09:05:00 +0100"),
            ("2024-02-01T09:05:00.123Z", " 1-Feb-2024 09:05:00 +0000"),
            ("2024-02-01", " 1-Feb-2024 00:00:00 +0000"),
            ("Thu, 01 Feb 2024 09:05:00 +0100", " 1-Feb-2024 09:05:00 +0100"),
            ("1 Feb 24 9:05 GMT", " 1-Feb-2024 09:05:00 +0000"),
            ("01-Feb-24 09:05:00 +0100", " 1-Feb-2024 09:05:00 +0100"),
            ("01-Feb-99 09:05:00 +0100", " 1-Feb-1999 09:05:00 +0100"),
            ("01-Feb-124 09:05:00 +0100", " 1-Feb-2024 09:05:00 +0100"),
            ("01-Feb-2024 24:00:00 +0000", " 2-Feb-2024 00:00:00 +0000"),
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
            "1-Jan-2020 24:00:01 +0000",
            "01-Feb-2024 09:05:00 +9999",
            "01-Feb-2024 09:05:00 +0160",
            "01-Feb-2024 09:05:00 CET",
            "01-Feb-2024 09:05:00 A",
            "01-Mai-2024 09:05:00 +0200",
            "29-Feb-2023 10:00:00 +0000",
            "2024-13-01 09:05:00 +0100",
            "1-Feb-2024-3 09:05:00 +0100",
            "1-Feb-20240 09:05:00 +0100",
            "+1-Feb-2024 09:05:00 +0100",
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
