//! Formats numbers by .NET's patterns, and texts with places (`-f`).

use serde_json::Number;

use crate::{date_format, limits::MAX_TEXT, text, times, value::Value};

/// Maximum width of a place, and maximum number of decimals.
const MAX_WIDTH: usize = 1000;

/// Evaluates `pattern -f arguments`.
pub(crate) fn format_text(pattern: &str, arguments: &[Value]) -> Result<String, String> {
    let mut shown = String::new();
    let mut rest = pattern;
    while let Some(at) = rest.find(['{', '}']) {
        shown.push_str(&rest[..at]);
        let sign = &rest[at..=at];
        rest = &rest[at + 1..];
        if let Some(after) = rest.strip_prefix(sign) {
            shown.push_str(sign);
            rest = after;
            continue;
        }
        let end = rest.find('}').filter(|_| sign == "{");
        let Some(end) = end else {
            return Err(format!("`{pattern}` has a brace too many; write {{{{ for a brace"));
        };
        shown.push_str(&place(&rest[..end], arguments)?);
        rest = &rest[end + 1..];
        if shown.len() > MAX_TEXT {
            return Err("this text becomes too long".to_owned());
        }
    }
    shown.push_str(rest);
    Ok(shown)
}

/// Formats `index[,width][:form]`.
fn place(place: &str, arguments: &[Value]) -> Result<String, String> {
    let (head, form) = place.split_once(':').unwrap_or((place, ""));
    let (index, width) = head.split_once(',').unwrap_or((head, "0"));
    let wrong = || format!("`{{{place}}}` is not a place, such as {{0}}, {{0,10}} or {{0:N2}}");
    let index: usize = index.trim().parse().map_err(|_| wrong())?;
    let width: i32 = width.trim().parse().map_err(|_| wrong())?;
    let value = arguments.get(index).ok_or_else(|| format!("there is no value for {{{index}}}"))?;
    let shown = if form.is_empty() { text::interpolate(value) } else { formatted(value, form)? };
    let columns = usize::try_from(width.unsigned_abs()).unwrap_or_default();
    if columns > MAX_WIDTH {
        return Err(wrong());
    }
    Ok(if width < 0 { format!("{shown:<columns$}") } else { format!("{shown:>columns$}") })
}

fn formatted(value: &Value, form: &str) -> Result<String, String> {
    match value {
        Value::Number(number) => format_number(number, form),
        Value::Text(text) => match (times::exact_moment(text), times::span(text)) {
            (Some(moment), _) => date_format::format(moment, form),
            (None, Some(span)) => date_format::format_span(span, form),
            // A text has no forms, as in PowerShell.
            _ => Ok(text.clone()),
        },
        other => Ok(text::interpolate(other)),
    }
}

/// Formats a number, as `N2`, `P1`, `D4`, `F0`, `X`, `0.00` or `#,##0`.
pub(crate) fn format_number(number: &Number, form: &str) -> Result<String, String> {
    let value = number.as_f64().unwrap_or_default();
    let mut characters = form.chars();
    let letter = characters.next().map(|c| c.to_ascii_uppercase());
    let digits = characters.as_str();
    let is_standard = digits.len() <= 3 && digits.bytes().all(|octet| octet.is_ascii_digit());
    let precision = |standard: usize| digits.parse::<usize>().unwrap_or(standard).min(100);
    Ok(match letter {
        Some('N') if is_standard => grouped(value, precision(2)),
        Some('F') if is_standard => format!("{:.1$}", round(value, precision(2)), precision(2)),
        Some('P') if is_standard => format!("{}%", grouped(value * 100.0, precision(2))),
        Some('C') if is_standard => format!("${}", grouped(value, precision(2))),
        Some('G') if is_standard => text::show(&Value::Number(number.clone())),
        Some('D') if is_standard => {
            let whole = number.as_i64().ok_or_else(|| format!("`{number}` is not a whole number"))?;
            let sign = if whole < 0 { "-" } else { "" };
            format!("{sign}{:0width$}", whole.unsigned_abs(), width = precision(1))
        }
        Some('X') if is_standard => {
            let whole = number.as_i64().ok_or_else(|| format!("`{number}` is not a whole number"))?;
            format!("{whole:0width$X}", width = precision(1))
        }
        _ => custom(value, form)?,
    })
}

/// Formats a number by `0`, `#`, one dot and a comma.
fn custom(value: f64, form: &str) -> Result<String, String> {
    let is_sign = |c: char| matches!(c, '0' | '#' | '.' | ',' | '%');
    let (Some(start), Some(end)) = (form.find(is_sign), form.rfind(is_sign)) else {
        return Err(format!(
            "`{form}` is not a form of numbers that is known here, such as N2, P1, D4 or 0.00"
        ));
    };
    let core = &form[start..=end];
    if !core.chars().all(is_sign) || core.len() > 64 {
        return Err(format!(
            "`{form}` is not a form of numbers that is known here, such as N2, P1, D4 or 0.00"
        ));
    }
    let is_percent = core.ends_with('%');
    let value = if is_percent { value * 100.0 } else { value };
    let (whole, fraction) =
        core.trim_end_matches('%').split_once('.').unwrap_or((core.trim_end_matches('%'), ""));
    let least = fraction.matches('0').count();
    let most = fraction.len();
    let mut shown =
        if whole.contains(',') { grouped(value, most) } else { format!("{:.most$}", round(value, most)) };
    if most > least {
        let cut = shown.trim_end_matches('0').len();
        let dot = shown.find('.').unwrap_or(shown.len());
        shown.truncate(cut.max(if least == 0 { dot } else { dot + 1 + least }));
        shown.truncate(shown.trim_end_matches('.').len());
    }
    let digits = whole.matches('0').count();
    let own = shown.find('.').unwrap_or(shown.len());
    let padding = "0".repeat(digits.saturating_sub(own));
    let percent = if is_percent { "%" } else { "" };
    Ok(format!("{}{padding}{shown}{percent}{}", &form[..start], &form[end + 1..]))
}

/// Rounds to decimals, halves away from zero, as .NET's forms do.
fn round(value: f64, decimals: usize) -> f64 {
    let factor = 10_f64.powi(i32::try_from(decimals).unwrap_or(100));
    let rounded = (value * factor).round() / factor;
    if rounded.is_finite() { rounded } else { value }
}

/// Formats a number with commas between thousands.
fn grouped(value: f64, decimals: usize) -> String {
    let shown = format!("{:.decimals$}", round(value.abs(), decimals));
    let (whole, fraction) =
        shown.split_once('.').map_or((shown.as_str(), ""), |(whole, fraction)| (whole, fraction));
    let mut groups = String::new();
    for (index, digit) in whole.chars().enumerate() {
        if index > 0 && (whole.len() - index) % 3 == 0 {
            groups.push(',');
        }
        groups.push(digit);
    }
    let sign =
        if value < 0.0 && shown.bytes().any(|octet| (b'1'..=b'9').contains(&octet)) { "-" } else { "" };
    if fraction.is_empty() { format!("{sign}{groups}") } else { format!("{sign}{groups}.{fraction}") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_with_places() {
        let arguments = [Value::from(serde_json::json!(1234.567)), "x".into(), Value::from(5_u64)];
        for (pattern, shown) in [
            ("{0:N2} {1}", "1,234.57 x"),
            ("{0:N0}", "1,235"),
            ("{2:D3}|{2,4}|{2,-4}|", "005|   5|5   |"),
            ("{0:F1} {0:0.00} {0:#,##0}", "1234.6 1234.57 1,235"),
            ("{2:P0} {2:000}", "500% 005"),
            ("{{{1}}}", "{x}"),
            ("{2:0.##} {0:0.#} GB", "5 1234.6 GB"),
        ] {
            assert_eq!(format_text(pattern, &arguments).as_deref(), Ok(shown), "{pattern}");
        }
        for pattern in ["{", "}", "{9}", "{a}", "{0,99999}", "{0:Q}"] {
            assert!(format_text(pattern, &arguments).is_err(), "{pattern}");
        }
    }
}
