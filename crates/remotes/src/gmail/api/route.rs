//! The route of a message: API or APPEND. Pure.

use mail_parser::DateTime;
use mailhaul_engine::Envelope;

/// Allowed difference between Date field and date of arrival (seconds).
const TOLERANCE: u64 = 600;

/// Part of a header that is searched for the Date field (bytes).
pub(crate) const LONGEST_HEADER: usize = 64 << 10;

/// The route of a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum UploadRoute {
    /// The API, which takes the date from the Date field.
    Api,
    /// APPEND, which keeps the date.
    Append,
}

/// The route of a message with this size and beginning. `largest` is the limit of APPEND.
pub(crate) fn route(envelope: &Envelope, octets: u64, beginning: &[u8], largest: Option<u64>) -> UploadRoute {
    let Some(date) = envelope.internal_date else { return UploadRoute::Api };
    if largest.is_some_and(|largest| octets > largest) {
        return UploadRoute::Api;
    }
    match date_field(beginning) {
        Some(written) if written.abs_diff(date.unix_seconds()) <= TOLERANCE => UploadRoute::Api,
        _ => UploadRoute::Append,
    }
}

/// True if the header ends in these bytes.
pub(crate) fn has_header_end(beginning: &[u8]) -> bool {
    memchr::memmem::find(beginning, b"\n\r\n").is_some() || memchr::memmem::find(beginning, b"\n\n").is_some()
}

/// Time of the first Date field (RFC 5322, section 3.6.1), in seconds since 1970.
fn date_field(beginning: &[u8]) -> Option<i64> {
    let mut value: Option<String> = None;
    for line in beginning.split_inclusive(|it| *it == b'\n') {
        let text = line.trim_ascii_end();
        if let Some(value) = &mut value {
            if !line.starts_with(b" ") && !line.starts_with(b"\t") {
                break;
            }
            value.push_str(&String::from_utf8_lossy(text));
        } else if text.is_empty() {
            return None;
        } else if let Some((name, rest)) = text.split_at_checked(5)
            && name.eq_ignore_ascii_case(b"date:")
        {
            value = Some(String::from_utf8_lossy(rest).into_owned());
        }
    }
    let date = DateTime::parse_rfc822(value?.trim()).filter(DateTime::is_valid)?;
    Some(date.to_timestamp())
}

#[cfg(test)]
mod tests {
    use mailhaul_mail::{Flags, InternalDate, Uid};

    use super::*;

    const MOMENT: i64 = 1_709_636_400;
    const HEADER: &str = "Subject: x\r\nDate: Tue, 5 Mar 2024\r\n 12:00:00 +0100\r\n\r\nDate: later\r\n";

    fn chosen(date: Option<i64>, octets: u64, beginning: &str) -> UploadRoute {
        let internal_date = date.map(|it| InternalDate::new(it, 60).unwrap());
        let envelope = Envelope { uid: Uid::FIRST, flags: Flags::new(), internal_date };
        route(&envelope, octets, beginning.as_bytes(), Some(1000))
    }

    #[test]
    fn a_date_that_would_change_is_kept_by_append() {
        assert_eq!(date_field(HEADER.as_bytes()), Some(MOMENT));
        assert_eq!(chosen(Some(MOMENT + 600), 10, HEADER), UploadRoute::Api);
        assert_eq!(chosen(Some(MOMENT - 600), 10, HEADER), UploadRoute::Api);
        assert_eq!(chosen(Some(MOMENT + 601), 10, HEADER), UploadRoute::Append);
        assert_eq!(chosen(None, 10, HEADER), UploadRoute::Api);
        // Too large for APPEND: another date is better than no message.
        assert_eq!(chosen(Some(0), 1001, HEADER), UploadRoute::Api);
        assert_eq!(chosen(Some(0), 1000, HEADER), UploadRoute::Append);
        for odd in
            ["", "Subject: x\r\n\r\nDate: Tue, 5 Mar 2024 12:00:00 +0100\r\n", "Date: yesterday\r\n\r\n"]
        {
            assert_eq!(chosen(Some(MOMENT), 10, odd), UploadRoute::Append, "{odd}");
        }
        assert_eq!(chosen(Some(MOMENT), 10, "date: 5 Mar 2024 11:00:00 GMT\n\n"), UploadRoute::Api);
    }

    #[test]
    fn the_end_of_a_header_is_seen() {
        assert!(has_header_end(b"a: b\r\n\r\n") && has_header_end(b"a: b\n\nc"));
        assert!(!has_header_end(b"a: b\r\nc: d\r\n"));
    }
}
