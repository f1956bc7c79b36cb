//! Formats dates and time spans by .NET's patterns, with American names.

use jiff::{Timestamp, Zoned, tz::TimeZone};

/// Standard forms of one letter, as patterns.
const STANDARD: [(&str, &str); 14] = [
    ("d", "M/d/yyyy"),
    ("D", "dddd, MMMM d, yyyy"),
    ("t", "h:mm tt"),
    ("T", "h:mm:ss tt"),
    ("g", "M/d/yyyy h:mm tt"),
    ("G", "M/d/yyyy h:mm:ss tt"),
    ("f", "dddd, MMMM d, yyyy h:mm tt"),
    ("F", "dddd, MMMM d, yyyy h:mm:ss tt"),
    ("s", "yyyy-MM-ddTHH:mm:ss"),
    ("u", "yyyy-MM-dd HH:mm:ssZ"),
    ("o", "yyyy-MM-ddTHH:mm:ss.fffffffZ"),
    ("M", "MMMM d"),
    ("Y", "MMMM yyyy"),
    ("R", "ddd, dd MMM yyyy HH:mm:ss GMT"),
];

/// Formats a moment in UTC.
pub(crate) fn format(moment: Timestamp, pattern: &str) -> Result<String, String> {
    let pattern =
        STANDARD.iter().find(|(letter, _)| *letter == pattern).map_or(pattern, |(_, pattern)| pattern);
    let zoned = moment.to_zoned(TimeZone::UTC);
    runs(pattern, |letter, count| field(&zoned, letter, count))
}

/// Formats a time span of nanoseconds, as `hh\:mm`.
pub(crate) fn format_span(nanoseconds: i128, pattern: &str) -> Result<String, String> {
    let all = nanoseconds.unsigned_abs() / 1_000_000_000;
    runs(pattern, |letter, count| {
        let number = match letter {
            'd' => all / 86_400,
            'h' => all / 3600 % 24,
            'm' => all / 60 % 60,
            's' => all % 60,
            _ => return None,
        };
        Some(format!("{number:0count$}"))
    })
}

/// Replaces each run of a letter. Other characters, and those in quotes or after a backslash, stay.
fn runs(pattern: &str, field: impl Fn(char, usize) -> Option<String>) -> Result<String, String> {
    if pattern.len() > 256 {
        return Err("this form is too long".to_owned());
    }
    let mut shown = String::new();
    let mut characters = pattern.chars().peekable();
    while let Some(c) = characters.next() {
        match c {
            '\\' => shown.extend(characters.next()),
            '\'' | '"' => shown.extend(characters.by_ref().take_while(|inside| *inside != c)),
            '%' => {}
            c if c.is_ascii_alphabetic() => {
                let mut count = 1;
                while characters.next_if_eq(&c).is_some() {
                    count += 1;
                }
                match field(c, count) {
                    Some(text) => shown.push_str(&text),
                    None => shown.extend(std::iter::repeat_n(c, count)),
                }
            }
            c => shown.push(c),
        }
    }
    Ok(shown)
}

fn field(zoned: &Zoned, letter: char, count: usize) -> Option<String> {
    let number = |value: i64| format!("{value:0width$}", width = count.min(2));
    let named = |pattern: &str| zoned.strftime(pattern).to_string();
    let hour = i64::from(zoned.hour());
    Some(match letter {
        'y' if count <= 2 => format!("{:02}", zoned.year() % 100),
        'y' => format!("{:0count$}", zoned.year()),
        'M' if count >= 4 => named("%B"),
        'M' if count == 3 => named("%b"),
        'M' => number(i64::from(zoned.month())),
        'd' if count >= 4 => named("%A"),
        'd' if count == 3 => named("%a"),
        'd' => number(i64::from(zoned.day())),
        'H' => number(hour),
        'h' => number(if hour % 12 == 0 { 12 } else { hour % 12 }),
        'm' => number(i64::from(zoned.minute())),
        's' => number(i64::from(zoned.second())),
        'f' | 'F' => format!("{:09}", zoned.subsec_nanosecond()).chars().take(count).collect(),
        't' if count == 1 => if hour < 12 { "A" } else { "P" }.to_owned(),
        't' => if hour < 12 { "AM" } else { "PM" }.to_owned(),
        'z' | 'K' if letter == 'K' => "Z".to_owned(),
        'z' => "+00:00".chars().take(if count == 1 { 2 } else { count * 3 }).collect(),
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_have_dotnet_forms() {
        let moment: Timestamp = "2026-11-02T18:05:09.25Z".parse().unwrap();
        for (pattern, shown) in [
            ("yyyy-MM-dd", "2026-11-02"),
            ("yyyyMMdd_HHmmss", "20261102_180509"),
            ("d", "11/2/2026"),
            ("g", "11/2/2026 6:05 PM"),
            ("dddd, d MMMM yyyy", "Monday, 2 November 2026"),
            ("ddd MMM yy h:mm t", "Mon Nov 26 6:05 P"),
            ("HH:mm:ss.ff", "18:05:09.25"),
            ("'at' HH\\h", "at 18h"),
            ("s", "2026-11-02T18:05:09"),
        ] {
            assert_eq!(format(moment, pattern).as_deref(), Ok(shown), "{pattern}");
        }
        assert_eq!(format_span(93_784_000_000_000, "d\\.hh\\:mm\\:ss").as_deref(), Ok("1.02:03:04"));
    }
}
