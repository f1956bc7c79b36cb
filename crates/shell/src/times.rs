//! Dates and time spans. They are text in all other files.

use jiff::{
    SignedDuration, Span, Timestamp, civil,
    tz::{Offset, TimeZone},
};

use crate::{number, value::Value};

/// Parses a moment with its time zone: RFC 3339, as all dates of commands are.
pub(crate) fn exact_moment(text: &str) -> Option<Timestamp> {
    let bytes = text.as_bytes();
    let is_long =
        bytes.len() >= 17 && bytes[4] == b'-' && bytes[7] == b'-' && matches!(bytes[10], b'T' | b' ');
    if is_long && bytes[0].is_ascii_digit() && (text.ends_with(['Z', 'z']) || text[11..].contains(['+', '-']))
    {
        return text.parse::<Timestamp>().ok();
    }
    None
}

/// Date in a form that PowerShell reads with American settings.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WrittenDate {
    /// With a time zone: `7/30/2026 9:00 PM Z`, `7/30/2026 9:00 PM -700`.
    Instant(Timestamp),
    /// Without a time zone: `7/30/2026`, `7/30/2026 9:00 PM`.
    Local(civil::DateTime),
}

/// Parses a moment in the forms that PowerShell reads with American settings. Without a time zone it is UTC.
pub(crate) fn moment(text: &str) -> Option<Timestamp> {
    match written_date(text)? {
        WrittenDate::Instant(moment) => Some(moment),
        WrittenDate::Local(local) => TimeZone::UTC.to_timestamp(local).ok(),
    }
}

/// Parses a date in the forms that PowerShell reads with American settings.
pub fn written_date(text: &str) -> Option<WrittenDate> {
    let text = text.trim();
    // Most texts are no dates.
    if text.len() < 8
        || text.len() > 48
        || !text.is_ascii()
        || !text.bytes().any(|octet| octet.is_ascii_digit())
    {
        return None;
    }
    if let Some(moment) = exact_moment(text) {
        return Some(WrittenDate::Instant(moment));
    }
    let (date, time) = split_date(text)?;
    if time.is_empty() {
        return Some(WrittenDate::Local(date.to_datetime(civil::Time::midnight())));
    }
    let (time, offset) = split_offset(time);
    let local = date.to_datetime(time_of_day(time)?);
    match offset {
        Some(offset) => offset.to_timestamp(local).ok().map(WrittenDate::Instant),
        None => Some(WrittenDate::Local(local)),
    }
}

/// Splits a time of day from its offset: `Z`, `-700`, `+02:00`.
fn split_offset(time: &str) -> (&str, Option<Offset>) {
    if let Some(rest) = time.strip_suffix(['Z', 'z']) {
        return (rest.trim_end(), Some(Offset::UTC));
    }
    let offset = time.rsplit_once(' ').and_then(|(rest, word)| {
        let (digits, sign) = match word.strip_prefix('-') {
            Some(digits) => (digits, -1),
            None => (word.strip_prefix('+')?, 1),
        };
        let digits = digits.replacen(':', "", 1);
        let plain = (3..=4).contains(&digits.len()) && digits.bytes().all(|octet| octet.is_ascii_digit());
        let number: i32 = if plain { digits.parse().ok()? } else { return None };
        let (hours, minutes) = (number / 100, number % 100);
        let seconds = if minutes < 60 { sign * (hours * 60 + minutes) * 60 } else { return None };
        Some((rest, Offset::from_seconds(seconds).ok()?))
    });
    offset.map_or((time, None), |(rest, offset)| (rest.trim_end(), Some(offset)))
}

/// Parses a date with slashes or a name of the month, as PowerShell reads it with American settings: `12/31/2026 6:00 PM`.
pub fn american_date(text: &str) -> Option<civil::DateTime> {
    let text = text.trim();
    let is_american = text.contains('/') || text.contains(|c: char| c.is_ascii_alphabetic() && c != 'T');
    if !is_american || text.len() > 48 || !text.is_ascii() || exact_moment(text).is_some() {
        return None;
    }
    let (date, time) = split_date(text)?;
    Some(date.to_datetime(if time.is_empty() { civil::Time::midnight() } else { time_of_day(time)? }))
}

/// Splits a text into a date and the text of the time.
fn split_date(text: &str) -> Option<(civil::Date, &str)> {
    let is_iso_time = text.as_bytes().get(10) == Some(&b'T');
    if is_iso_time {
        return Some((numeric_date(&text[..10])?, &text[11..]));
    }
    let end = text.find(' ').unwrap_or(text.len());
    if let Some(date) = numeric_date(&text[..end]) {
        return Some((date, text[end..].trim()));
    }
    named_date(text)
}

/// Parses `2026-12-31`, `2026/12/31`, `12/31/2026` and `12-31-2026`.
fn numeric_date(text: &str) -> Option<civil::Date> {
    let separator = text.find(['/', '-']).map(|at| text.as_bytes()[at] as char)?;
    let parts: Vec<&str> = text.split(separator).collect();
    let [first, second, third] = parts.as_slice() else { return None };
    let number = |part: &str| {
        let plain = (1..=4).contains(&part.len()) && part.bytes().all(|octet| octet.is_ascii_digit());
        if plain { part.parse::<i16>().ok() } else { None }
    };
    let small = |part: &str| {
        if part.len() <= 2 { number(part).and_then(|value| i8::try_from(value).ok()) } else { None }
    };
    if first.len() == 4 {
        return civil::Date::new(number(first)?, small(second)?, small(third)?).ok();
    }
    let year = match third.len() {
        4 => number(third)?,
        // .NET reads two digits as 1950 to 2049.
        2 => number(third).map(|year| if year < 50 { 2000 + year } else { 1900 + year })?,
        _ => return None,
    };
    civil::Date::new(year, small(first)?, small(second)?).ok()
}

const MONTHS: [&str; 12] = [
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
];
const DAYS: [&str; 7] = ["Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"];

/// Parses `November 28, 2026`, `28 Nov 2026` and `28-Nov-2026`, with or without the day of the week.
fn named_date(text: &str) -> Option<(civil::Date, &str)> {
    let (mut day, mut month, mut year) = (None, None, None);
    let mut rest = text;
    while year.is_none() {
        rest = rest.trim_start_matches([' ', ',', '-']);
        let end = rest.find([' ', ',', '-']).unwrap_or(rest.len());
        let (word, after) = rest.split_at(end);
        rest = after;
        if word.is_empty() {
            return None;
        }
        if word.bytes().all(|octet| octet.is_ascii_digit()) {
            match word.len() {
                1 | 2 if day.is_none() => day = word.parse::<i8>().ok(),
                4 => year = word.parse::<i16>().ok(),
                _ => return None,
            }
        } else if let Some(number) = index_of(&MONTHS, word) {
            month = i8::try_from(number + 1).ok();
        } else if index_of(&DAYS, word).is_none() || day.is_some() || month.is_some() {
            return None;
        }
    }
    Some((civil::Date::new(year?, month?, day?).ok()?, rest.trim_start_matches([' ', ','])))
}

/// Finds a name in full, or by its first three letters.
fn index_of(names: &[&str], word: &str) -> Option<usize> {
    names.iter().position(|name| name.eq_ignore_ascii_case(word) || name[..3].eq_ignore_ascii_case(word))
}

/// Parses `18:00`, `18:00:30.5` and `6:00 PM`.
fn time_of_day(text: &str) -> Option<civil::Time> {
    let upper = text.to_ascii_uppercase();
    let (clock, half) = match (upper.strip_suffix("AM"), upper.strip_suffix("PM")) {
        (Some(clock), _) => (clock.trim_end(), Some(0)),
        (_, Some(clock)) => (clock.trim_end(), Some(12)),
        _ => (upper.as_str(), None),
    };
    let mut parts = clock.split(':');
    let number = |part: Option<&str>| {
        let part = part?;
        let plain = (1..=2).contains(&part.len()) && part.bytes().all(|octet| octet.is_ascii_digit());
        if plain { part.parse::<i8>().ok() } else { None }
    };
    let hour = number(parts.next())?;
    let minute = match parts.next() {
        None if half.is_some() => 0,
        part => number(part)?,
    };
    let (second, nanosecond) = match parts.next() {
        None => (0, 0),
        Some(part) => {
            let (second, fraction) = part.split_once('.').unwrap_or((part, "0"));
            let plain =
                (1..=9).contains(&fraction.len()) && fraction.bytes().all(|octet| octet.is_ascii_digit());
            (number(Some(second))?, if plain { format!("{fraction:0<9}").parse().ok()? } else { return None })
        }
    };
    if parts.next().is_some() {
        return None;
    }
    let hour = match half {
        Some(half) if (1..=12).contains(&hour) => hour % 12 + half,
        Some(_) => return None,
        None => hour,
    };
    civil::Time::new(hour, minute, second, nanosecond).ok()
}

/// Returns a moment, moved by nanoseconds, as text.
pub(crate) fn shift(moment: Timestamp, nanoseconds: i128) -> Option<String> {
    Timestamp::from_nanosecond(moment.as_nanosecond().checked_add(nanoseconds)?)
        .ok()
        .map(|moment| moment.to_string())
}

/// Returns nanoseconds as `[-][d.]hh:mm:ss[.f]`.
pub(crate) fn show_span(nanoseconds: i128) -> String {
    let sign = if nanoseconds < 0 { "-" } else { "" };
    let all = nanoseconds.unsigned_abs();
    let (seconds, fraction) = (all / 1_000_000_000, all % 1_000_000_000);
    let (days, hours, minutes) = (seconds / 86_400, seconds / 3600 % 24, seconds / 60 % 60);
    let days = if days > 0 { format!("{days}.") } else { String::new() };
    let fraction = if fraction > 0 { format!(".{:07}", fraction / 100) } else { String::new() };
    format!("{sign}{days}{hours:02}:{minutes:02}:{:02}{fraction}", seconds % 60)
}

/// Parses a time span with seconds, as commands print them. Without seconds it could be a time of day.
pub(crate) fn long_span(text: &str) -> Option<i128> {
    if text.matches(':').count() == 2 { span(text) } else { None }
}

/// Evaluates a property of a moment, such as `Year`.
pub(crate) fn moment_property(moment: Timestamp, name: &str) -> Option<Value> {
    let zoned = moment.to_zoned(TimeZone::UTC);
    Some(match name.to_ascii_lowercase().as_str() {
        "year" => i64::from(zoned.year()).into(),
        "month" => i64::from(zoned.month()).into(),
        "day" => i64::from(zoned.day()).into(),
        "hour" => i64::from(zoned.hour()).into(),
        "minute" => i64::from(zoned.minute()).into(),
        "second" => i64::from(zoned.second()).into(),
        "millisecond" => i64::from(zoned.millisecond()).into(),
        "dayofyear" => i64::from(zoned.day_of_year()).into(),
        "dayofweek" => DAYS[zoned.weekday().to_monday_zero_offset().unsigned_abs() as usize].into(),
        "date" => zoned.start_of_day().ok()?.timestamp().to_string().into(),
        "timeofday" => show_span(
            i128::from(zoned.hour()) * 3_600_000_000_000
                + i128::from(zoned.minute()) * 60_000_000_000
                + i128::from(zoned.second()) * 1_000_000_000,
        )
        .into(),
        _ => return None,
    })
}

/// Evaluates a property of a time span, such as `TotalHours`.
pub(crate) fn span_property(nanoseconds: i128, name: &str) -> Option<Value> {
    const UNITS: [(&str, i128, i128); 5] = [
        ("Days", 86_400_000_000_000, i128::MAX),
        ("Hours", 3_600_000_000_000, 24),
        ("Minutes", 60_000_000_000, 60),
        ("Seconds", 1_000_000_000, 60),
        ("Milliseconds", 1_000_000, 1000),
    ];
    for (unit, length, most) in UNITS {
        if unit.eq_ignore_ascii_case(name) {
            return i64::try_from(nanoseconds / length % most).ok().map(Value::from);
        }
        if name.get(..5).is_some_and(|start| start.eq_ignore_ascii_case("Total"))
            && name[5..].eq_ignore_ascii_case(unit)
        {
            #[expect(clippy::cast_precision_loss, reason = "a fraction is no exact number anyway")]
            let total = nanoseconds as f64 / length as f64;
            return number::tidy(total).map(Value::Number);
        }
    }
    None
}

/// Parses the time span `[-][d.]hh:mm[:ss[.f]]`. Returns nanoseconds.
pub(crate) fn span(text: &str) -> Option<i128> {
    let (text, sign) = text.strip_prefix('-').map_or((text, 1), |rest| (rest, -1));
    let mut parts = text.split(':');
    let (first, minutes, seconds) = (parts.next()?, parts.next()?, parts.next().unwrap_or("0"));
    if parts.next().is_some() {
        return None;
    }
    let (days, hours) = first.split_once('.').unwrap_or(("0", first));
    let (seconds, fraction) = seconds.split_once('.').unwrap_or((seconds, "0"));
    let number = |digits: &str| {
        let plain = (1..=9).contains(&digits.len()) && digits.bytes().all(|octet| octet.is_ascii_digit());
        if plain { digits.parse::<i128>().ok() } else { None }
    };
    let nanoseconds = number(&format!("{fraction:0<9}"))?;
    let (hours, minutes, seconds) = (number(hours)?, number(minutes)?, number(seconds)?);
    if minutes > 59 || seconds > 59 {
        return None;
    }
    let whole = ((number(days)? * 24 + hours) * 60 + minutes) * 60 + seconds;
    Some(sign * (whole * 1_000_000_000 + nanoseconds))
}

/// Applies `AddDays` or a similar method; `None` if the method is unknown or the result is out of range.
pub(crate) fn add(moment: Timestamp, method: &str, amount: f64) -> Option<Timestamp> {
    let seconds = match method.to_ascii_lowercase().as_str() {
        "adddays" => 86_400.0,
        "addhours" => 3_600.0,
        "addminutes" => 60.0,
        "addseconds" => 1.0,
        "addmilliseconds" => 0.001,
        "addmonths" | "addyears" => {
            let amount = if method.eq_ignore_ascii_case("addyears") { amount * 12.0 } else { amount };
            #[expect(clippy::cast_possible_truncation, reason = "checked to be an integer of that size")]
            let months = (amount.fract() == 0.0 && amount.abs() < 12_000.0).then_some(amount as i64)?;
            let span = Span::new().try_months(months).ok()?;
            return moment.to_zoned(TimeZone::UTC).checked_add(span).ok().map(|zoned| zoned.timestamp());
        }
        _ => return None,
    };
    moment.checked_add(SignedDuration::try_from_secs_f64(amount * seconds).ok()?).ok()
}

/// Methods of [`add`].
pub(crate) const METHODS: [&str; 7] =
    ["AddDays", "AddHours", "AddMinutes", "AddSeconds", "AddMilliseconds", "AddMonths", "AddYears"];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn moments() {
        for (text, utc) in [
            ("2026-11-02T08:30:00Z", Some("2026-11-02T08:30:00Z")),
            ("2026-11-02T08:30:00+02:00", Some("2026-11-02T06:30:00Z")),
            ("2026-11-02", Some("2026-11-02T00:00:00Z")),
            ("2026-11-02 18:15", Some("2026-11-02T18:15:00Z")),
            ("12/01/2026", Some("2026-12-01T00:00:00Z")),
            ("11/29/2026 8:00 AM", Some("2026-11-29T08:00:00Z")),
            ("9/1/2027 12:30:15 pm", Some("2027-09-01T12:30:15Z")),
            ("9/1/27 7 PM", Some("2027-09-01T19:00:00Z")),
            ("2019/4/30", Some("2019-04-30T00:00:00Z")),
            ("November 28, 2026 8:00 AM", Some("2026-11-28T08:00:00Z")),
            ("Saturday, November 28, 2026", Some("2026-11-28T00:00:00Z")),
            ("28 Nov 2026", Some("2026-11-28T00:00:00Z")),
            ("28-Nov-2026 23:00", Some("2026-11-28T23:00:00Z")),
            ("7/30/2020 9:00PM Z", Some("2020-07-30T21:00:00Z")),
            ("7/30/2020 9:00PM -700", Some("2020-07-31T04:00:00Z")),
            ("7/30/2020 21:00 +05:30", Some("2020-07-30T15:30:00Z")),
            ("2016-05-06 14:30:00z", Some("2016-05-06T14:30:00Z")),
            ("7/30/2020 9:00PM -760", None),
            ("7/30/2020 9:00PM EST", None),
            ("28.11.2026 23:00", None),
            ("31/12/2026", None),
            ("12/01/2026 25:00", None),
            ("12/01/2026 13:00 PM", None),
            ("20261102", None),
            ("2026-13-02", None),
            ("2026-11-02 or so", None),
            ("IMAPBatch1", None),
            ("", None),
        ] {
            assert_eq!(moment(text).map(|moment| moment.to_string()).as_deref(), utc, "{text}");
        }
    }

    #[test]
    fn american_dates() {
        for (text, date) in [
            ("09/01/2027 7:00 PM", Some("2027-09-01T19:00:00")),
            ("2019/4/30", Some("2019-04-30T00:00:00")),
            ("December 31, 2026 6:00 PM", Some("2026-12-31T18:00:00")),
            ("2026-12-31", None),
            ("2026-12-31T08:00:00Z", None),
            ("2026-12-31T08:00", None),
            ("28.11.2026 23:00", None),
            ("31/12/2026", None),
        ] {
            assert_eq!(american_date(text).map(|date| date.to_string()).as_deref(), date, "{text}");
        }
    }

    #[test]
    fn spans() {
        let second = 1_000_000_000;
        for (text, nanoseconds) in [
            ("24:00:00", Some(86_400 * second)),
            ("1.00:00:00", Some(86_400 * second)),
            ("00:01", Some(60 * second)),
            ("-00:00:01.5", Some(-1_500_000_000)),
            ("00:60:00", None),
            ("a:b", None),
            ("1:2:3:4", None),
            ("99999999999:00", None),
        ] {
            assert_eq!(span(text), nanoseconds, "{text}");
        }
    }

    #[test]
    fn moments_move() {
        let moved = |method, amount| {
            let start = moment("2026-01-31T00:00:00Z").unwrap();
            add(start, method, amount).map(|moment| moment.to_string())
        };
        assert_eq!(moved("AddHours", 1.5).as_deref(), Some("2026-01-31T01:30:00Z"));
        assert_eq!(moved("adddays", -31.0).as_deref(), Some("2025-12-31T00:00:00Z"));
        assert_eq!(moved("AddMonths", 1.0).as_deref(), Some("2026-02-28T00:00:00Z"));
        assert_eq!(moved("AddMonths", 0.5), None);
        assert_eq!(moved("AddDays", f64::MAX), None);
        assert_eq!(moved("AddDays", f64::NAN), None);
        assert_eq!(moved("AddFortnights", 1.0), None);
    }
}
