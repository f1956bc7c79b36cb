//! Texts that a server sends in place of a message that it cannot read.

use mail_parser::MessageParser;
use serde::Deserialize;

/// Size of the largest such text (bytes).
const LARGEST: usize = 64 << 10;

/// A text as `quirks.toml` describes it, by the start of its header fields.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Placeholder {
    from: String,
    subject: String,
}

/// Words for the report if the message is one of these texts, with the subject that the text names.
pub(crate) fn placeholder_reason(placeholders: &[Placeholder], message: &[u8]) -> Option<String> {
    if placeholders.is_empty() || message.len() > LARGEST {
        return None;
    }
    let header = MessageParser::default().parse_headers(message)?;
    let (from, subject) = (plain(header.header_raw("From")?), plain(header.subject()?));
    placeholders.iter().find(|it| from.starts_with(&it.from) && subject.starts_with(&it.subject))?;
    let words = format!("the server sends its own text in place of the message: \"{subject}\"");
    let whole = MessageParser::default().parse(message)?;
    let text = whole.body_text(0).unwrap_or_default();
    let named = text.lines().find_map(|line| line.trim().strip_prefix("Subject:").map(plain));
    Some(match named.filter(|it| !it.is_empty()) {
        Some(named) => format!("{words}; it names the subject {named}"),
        None => words,
    })
}

/// Removes quotation marks at both ends and repeated blanks.
fn plain(text: &str) -> String {
    text.trim().trim_matches('"').split_whitespace().collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::profile::Profiles;

    #[test]
    fn what_exchange_gives_in_place_of_a_message_is_known() {
        let given = |from: &str, subject: &str| {
            format!(
                "MIME-Version: 1.0\r\nContent-Type: text/plain; charset=\"utf-8\"\r\nFrom: {from}\r\n\
                 Subject: {subject}\r\n\r\nThe server couldn't retrieve the following message:\r\n\r\n\
                 Subject: \"Example meeting\"\r\nFrom: \"Example Sender\"\r\n"
            )
        };
        let folded = "Retrieval using the IMAP4 protocol failed for the following\r\n message: 2";
        for kind in ["Exchange", "Microsoft 365"] {
            let placeholders = &Profiles::built_in().find(kind).unwrap().placeholders;
            let reason =
                |from: &str, subject: &str| placeholder_reason(placeholders, given(from, subject).as_bytes());
            for from in ["Microsoft Exchange Server 2010", "\"Microsoft Exchange Server\" <a@b>"] {
                let words = reason(from, folded).unwrap();
                assert!(words.contains("for the following message: 2\""), "{words}");
                assert!(words.ends_with("; it names the subject Example meeting"), "{words}");
            }
            assert_eq!(reason("Alice <alice@example.com>", folded), None);
            assert_eq!(reason("Microsoft Exchange Server 2010", "Undeliverable"), None);
        }
        assert_eq!(placeholder_reason(&[], given("Microsoft Exchange Server", folded).as_bytes()), None);
    }
}
