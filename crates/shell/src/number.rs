//! Parses numbers.

use serde_json::Number;

const UNITS: [(&str, u64); 5] =
    [("kb", 1 << 10), ("mb", 1 << 20), ("gb", 1 << 30), ("tb", 1 << 40), ("pb", 1 << 50)];

/// Parses a number of the language: `993`, `-5`, `1.5`, `10MB`.
pub(crate) fn parse(text: &str) -> Option<Number> {
    let lower = text.to_ascii_lowercase();
    let (digits, unit) = UNITS
        .iter()
        .find_map(|(suffix, unit)| lower.strip_suffix(suffix).map(|digits| (digits, *unit)))
        .unwrap_or((lower.as_str(), 1));
    let unsigned = digits.strip_prefix('-').unwrap_or(digits);
    let (whole, fraction) = unsigned.split_once('.').map_or((unsigned, None), |(a, b)| (a, Some(b)));
    let plain = |part: &str| !part.is_empty() && part.bytes().all(|octet| octet.is_ascii_digit());
    if fraction.is_some_and(|fraction| !plain(fraction))
        || !(plain(whole) || whole.is_empty() && fraction.is_some())
    {
        return None;
    }
    if fraction.is_none() {
        if let Ok(number) = digits.parse::<i64>() {
            return number.checked_mul(i64::try_from(unit).ok()?).map(Number::from);
        }
        return digits.parse::<u64>().ok()?.checked_mul(unit).map(Number::from);
    }
    #[expect(clippy::cast_precision_loss, reason = "powers of two are exact")]
    let value = digits.parse::<f64>().ok()? * unit as f64;
    tidy(value)
}

/// Parses a word that may also be text. `0123` and `1.10` stay text, because a number would change their spelling.
pub(crate) fn parse_word(word: &str) -> Option<Number> {
    let number = parse(word)?;
    let has_unit = word.ends_with(['b', 'B']);
    if has_unit || number.to_string() == word { Some(number) } else { None }
}

/// Returns an integer if the number has no fraction.
pub(crate) fn tidy(value: f64) -> Option<Number> {
    #[expect(clippy::cast_possible_truncation, reason = "checked to be an integer of that size")]
    if value.fract() == 0.0 && value.abs() < 9e15 {
        return Some(Number::from(value as i64));
    }
    Number::from_f64(value)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(text: &str) -> Option<String> {
        parse(text).map(|number| number.to_string())
    }

    #[test]
    fn numbers() {
        for (text, number) in [
            ("993", "993"),
            ("-5", "-5"),
            ("007", "7"),
            ("1.5", "1.5"),
            (".5", "0.5"),
            ("2.0", "2"),
            ("10KB", "10240"),
            ("10mb", "10485760"),
            ("1.5GB", "1610612736"),
            ("18446744073709551615", "18446744073709551615"),
        ] {
            assert_eq!(shown(text).as_deref(), Some(number), "{text}");
        }
        for text in [
            "",
            "-",
            ".",
            "1.",
            "1.2.3",
            "24:00:00",
            "1e5",
            "0x10",
            "kb",
            "99999999999999999999",
            "9999999PB",
            "١",
        ] {
            assert_eq!(shown(text), None, "{text}");
        }
    }

    #[test]
    fn words_whose_spelling_would_change_stay_words() {
        for word in ["007", "1.10", ".5", "2.0", "-0"] {
            assert_eq!(parse_word(word), None, "{word}");
        }
        for word in ["993", "-5", "1.5", "10MB"] {
            assert!(parse_word(word).is_some(), "{word}");
        }
    }
}
