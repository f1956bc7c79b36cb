//! MIME entities (RFC 2045, RFC 2046), as far as line lengths depend on them.

use super::fields::{bare, is_blank, lines, name_length, split_line, value};

/// MIME entity: a message, or a part of one.
pub(super) struct Entity<'a> {
    pub(super) header: &'a [u8],
    /// Empty line after the fields; empty if it is missing.
    pub(super) separator: &'a [u8],
    pub(super) body: &'a [u8],
    pub(super) kind: Kind,
    pub(super) encoding: Encoding,
    /// True if a signature covers the body.
    pub(super) is_signed: bool,
}

/// Content of a body.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// Parts, separated by this boundary. In a digest, parts are messages by default.
    Parts {
        boundary: Vec<u8>,
        is_digest: bool,
    },
    Message,
    /// Anything else.
    Content,
    /// Unknown, because no header says it.
    Unknown,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Encoding {
    Identity,
    Base64,
    QuotedPrintable,
    Other,
}

impl<'a> Entity<'a> {
    pub(super) fn parse(octets: &'a [u8], is_in_digest: bool) -> Self {
        let (header, rest) = octets.split_at(length_of_fields(octets));
        let (line, after) = split_line(rest);
        let (separator, body) = if bare(line).is_empty() { (line, after) } else { (&rest[..0], rest) };
        let content_type = value(header, "Content-Type").map(lowered).unwrap_or_default();
        let encoding = value(header, "Content-Transfer-Encoding").map(lowered).unwrap_or_default();
        let encoding = match encoding.split([';', ' ', '(']).next().unwrap_or_default() {
            "" | "7bit" | "8bit" | "binary" => Encoding::Identity,
            "base64" => Encoding::Base64,
            "quoted-printable" => Encoding::QuotedPrintable,
            _ => Encoding::Other,
        };
        let is_multipart = content_type.starts_with("multipart/");
        let boundary = value(header, "Content-Type").filter(|_| is_multipart).and_then(boundary);
        let kind = match boundary {
            Some(boundary) => {
                Kind::Parts { boundary, is_digest: content_type.starts_with("multipart/digest") }
            }
            None if is_multipart || (separator.is_empty() && !body.is_empty()) => Kind::Unknown,
            None if content_type.starts_with("message/rfc822")
                || (is_in_digest && content_type.is_empty()) =>
            {
                Kind::Message
            }
            // Other message types must not be encoded either (RFC 2046, section 5.2).
            None if content_type.starts_with("message/") => Kind::Unknown,
            None => Kind::Content,
        };
        let is_signed =
            content_type.starts_with("multipart/signed") || value(header, "DKIM-Signature").is_some();
        Self { header, separator, body, kind, encoding, is_signed }
    }
}

/// Length of the fields with their folds. Text follows them, with or without an empty line.
fn length_of_fields(octets: &[u8]) -> usize {
    let mut length = 0;
    for line in lines(octets) {
        let is_folded = length > 0 && line.first().is_some_and(|it| is_blank(*it));
        if bare(line).is_empty() || !(is_folded || name_length(line).is_some()) {
            break;
        }
        length += line.len();
    }
    length
}

fn lowered(value: &[u8]) -> String {
    String::from_utf8_lossy(value).trim().to_ascii_lowercase()
}

/// Delimiter of the parts: two dashes and the boundary, which has at most 70 characters.
fn boundary(content_type: &[u8]) -> Option<Vec<u8>> {
    const NAME: &[u8] = b"boundary";
    let found = content_type.windows(NAME.len()).enumerate().find_map(|(at, window)| {
        let before = content_type[..at].last()?;
        let is_name = window.eq_ignore_ascii_case(NAME) && (*before == b';' || before.is_ascii_whitespace());
        let rest = content_type[at + NAME.len()..].trim_ascii_start();
        rest.strip_prefix(b"=").filter(|_| is_name)
    })?;
    let found = found.trim_ascii_start();
    let boundary = match found.strip_prefix(b"\"") {
        Some(quoted) => quoted.split(|it| *it == b'"').next()?,
        None => found.split(|it| it.is_ascii_whitespace() || *it == b';').next()?,
    };
    let boundary = boundary.trim_ascii_end();
    (1..=200).contains(&boundary.len()).then(|| [b"--", boundary].concat())
}

/// Kind of a delimiter line in a multipart body.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Delimiter {
    /// A part begins after it.
    Between,
    /// No part follows.
    Last,
}

/// Parses a delimiter line.
pub(super) fn delimiter(line: &[u8], boundary: &[u8]) -> Option<Delimiter> {
    let rest = bare(line).strip_prefix(boundary)?;
    let (rest, which) = match rest.strip_prefix(b"--") {
        Some(rest) => (rest, Delimiter::Last),
        None => (rest, Delimiter::Between),
    };
    // Longer ones would have to be shortened themselves.
    (rest.len() < 100 && rest.trim_ascii().is_empty()).then_some(which)
}
