//! Dates and time spans. They are text in all other files.

use jiff::{SignedDuration, Span, Timestamp, civil, tz::TimeZone};

/// Parses a moment: RFC 3339, or a date with or without a time, in UTC.
pub(crate) fn moment(text: &str) -> Option<Timestamp> {
    let bytes = text.as_bytes();
    // Only the long form, because `20260101` may be a number or a name.
    if bytes.len() < 10 || bytes[4] != b'-' || bytes[7] != b'-' || !bytes[0].is_ascii_digit() {
        return None;
    }
    if let Ok(moment) = text.parse::<Timestamp>() {
        return Some(moment);
    }
    let civil = text.parse::<civil::DateTime>().ok()?;
    // Other characters would be a time zone that was not understood.
    let plain = bytes.iter().all(|octet| octet.is_ascii_digit() || b"-:.T ".contains(octet));
    if plain { TimeZone::UTC.to_timestamp(civil).ok() } else { None }
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
        "addmonths" => {
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
pub(crate) const METHODS: [&str; 5] = ["AddDays", "AddHours", "AddMinutes", "AddSeconds", "AddMonths"];

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
