//! Finds messages with many parts that a server cut.

use mail_parser::{MessageParser, MimeHeaders as _};
use memchr::memmem;

/// Number of parts from which a message is checked. Servers cut messages with many parts. Spam with few
/// parts often lacks its end, and is complete.
const MANY_PARTS: usize = 100;

/// True for a multipart message with many parts whose closing boundary (RFC 2046, section 5.1.1) is
/// missing.
pub(crate) fn is_cut(message: &[u8]) -> bool {
    if memmem::find_iter(message, b"\n--").take(MANY_PARTS).count() < MANY_PARTS {
        return false;
    }
    let header = MessageParser::default().parse_headers(message);
    let boundary = header.as_ref().and_then(|it| it.content_type()).and_then(|it| it.attribute("boundary"));
    boundary.is_some_and(|it| memmem::find(message, format!("\n--{it}--").as_bytes()).is_none())
}

#[cfg(test)]
pub(crate) mod tests {
    use std::fmt::Write as _;

    use super::*;

    /// A message with this number of parts.
    pub(crate) fn multipart(parts: usize) -> String {
        let mut text =
            "Subject: parts\r\nContent-Type: multipart/mixed; boundary=\"-=x=-\"\r\n\r\n".to_owned();
        for part in 1..=parts {
            write!(text, "---=x=-\r\nContent-Type: text/plain\r\n\r\npart {part}\r\n").unwrap();
        }
        text + "---=x=---\r\n"
    }

    #[test]
    fn many_parts_without_an_end_are_cut() {
        let whole = multipart(200);
        assert!(!is_cut(whole.as_bytes()));
        assert!(is_cut(&whole.as_bytes()[..whole.len() - 5]));
        let few = multipart(20);
        assert!(!is_cut(&few.as_bytes()[..few.len() - 5]));
        let signatures = format!("Subject: no parts\r\n\r\n{}", "--\r\nme\r\n".repeat(200));
        assert!(!is_cut(signatures.as_bytes()));
    }
}
