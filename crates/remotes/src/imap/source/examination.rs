//! Examines a message before it is passed on, and compares it with other facts.

use std::{
    collections::VecDeque,
    hash::{DefaultHasher, Hasher as _},
};

use bytes::Bytes;
use mail_parser::{MessageParser, MimeHeaders as _};
use mailhaul_mail::Fingerprint;
use memchr::memmem;

/// Kept bytes of the header, and of the end of a message.
const HEADER: usize = 256 << 10;
const TAIL: usize = 64 << 10;
/// Bytes that may be missing although all other sizes are right: a server may count one more line end.
const LINE_END: u64 = 2;
/// A smaller size is no miscount if this part of the message is missing and all other sizes are right.
const TOO_SHORT: u64 = 8;

/// Facts about a message, collected as it passes.
#[derive(Debug, Default)]
pub(crate) struct Examination {
    length: u64,
    lines: u64,
    hasher: DefaultHasher,
    header: Vec<u8>,
    is_header_whole: bool,
    tail: VecDeque<u8>,
    /// The whole message, if it arrived in one piece.
    body: Option<Bytes>,
}

/// The server's answers to other requests for the message.
#[derive(Debug, Default)]
pub(crate) struct Facts {
    /// The header, and its fields that identify a message.
    pub(crate) headers: Vec<Vec<u8>>,
    /// Number of bytes behind the end.
    pub(crate) behind: usize,
}

impl Examination {
    /// Examines a message that arrived in one piece.
    pub(crate) fn from_body(body: &Bytes) -> Self {
        let mut examined = Self { body: Some(body.clone()), ..Self::default() };
        examined.update(body);
        examined
    }

    pub(crate) fn body(&self) -> Option<&Bytes> {
        self.body.as_ref()
    }

    pub(crate) fn update(&mut self, octets: &[u8]) {
        self.length += octets.len() as u64;
        self.lines += memchr::memchr_iter(b'\n', octets).count() as u64;
        self.hasher.write(octets);
        if !self.is_header_whole {
            let seen = self.header.len();
            let room = HEADER - seen;
            self.header.extend_from_slice(&octets[..octets.len().min(room)]);
            // The end of the header may span two pieces.
            let from = seen.saturating_sub(3);
            let end = memmem::find(&self.header[from..], b"\r\n\r\n").map(|at| from + at + 4);
            let end = end.or_else(|| memmem::find(&self.header[from..], b"\n\n").map(|at| from + at + 2));
            self.is_header_whole = end.is_some() || self.header.len() == HEADER;
            self.header.truncate(end.unwrap_or(self.header.len()));
        }
        let kept = &octets[octets.len().saturating_sub(TAIL)..];
        self.tail.extend(kept);
        let surplus = self.tail.len().saturating_sub(TAIL);
        self.tail.drain(..surplus);
    }

    pub(crate) fn length(&self) -> u64 {
        self.length
    }

    pub(crate) fn hash(&self) -> u64 {
        self.hasher.finish()
    }

    /// Reason why these bytes are not the message with the reported size; `None` if no fact contradicts them.
    pub(crate) fn contradiction(&self, told: u64, facts: &Facts, are_exact: bool) -> Option<String> {
        let given =
            format!("the server sends {} bytes of a message, and tells a size of {told}", self.length);
        if facts.headers.iter().any(|header| self.is_of_another(header)) {
            return Some(format!("{given}, and their header is that of another message"));
        }
        if facts.behind > 0 {
            return Some(format!("{given}, and more behind them"));
        }
        let shortage = told.saturating_sub(self.length);
        // Servers that count line ends in another way miss some bytes per line.
        let is_miscount = !are_exact && shortage <= self.lines + LINE_END;
        if shortage <= LINE_END || is_miscount {
            return None;
        }
        if self.tail.back().is_some_and(|octet| *octet != b'\n') {
            return Some(format!("{given}, and they end within a line"));
        }
        if self.lacks_its_end() {
            return Some(format!("{given}, and its last part has no end"));
        }
        let is_too_short = are_exact && shortage > told / TOO_SHORT;
        is_too_short.then(|| format!("{given}, and all other sizes are right"))
    }

    /// True if this is the header of another message.
    fn is_of_another(&self, header: &[u8]) -> bool {
        match (Fingerprint::of_header(header), Fingerprint::of_header(&self.header)) {
            (Some(told), given) => given != Some(told),
            // An empty answer proves nothing: some servers find no fields.
            (None, _) => false,
        }
    }

    /// True for a multipart message without its closing boundary (RFC 2046, section 5.1.1).
    fn lacks_its_end(&self) -> bool {
        let header = MessageParser::default().parse_headers(self.header.as_slice());
        let kind = header.as_ref().and_then(|it| it.content_type());
        let boundary = kind.filter(|it| it.c_type.eq_ignore_ascii_case("multipart"));
        let Some(boundary) = boundary.and_then(|it| it.attribute("boundary")) else { return false };
        let tail: Vec<u8> = self.tail.iter().copied().collect();
        memmem::find(&tail, format!("--{boundary}--").as_bytes()).is_none()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn examined(text: &str) -> Examination {
        let mut examined = Examination::default();
        // In pieces, so that the header's end spans two of them.
        text.as_bytes().chunks(7).for_each(|piece| examined.update(piece));
        examined
    }

    fn message(number: u32) -> String {
        format!("Message-ID: <{number}@a>\r\nSubject: {number}\r\n\r\n{}", "words\r\n".repeat(40))
    }

    fn headers(of: &str) -> Facts {
        Facts { headers: vec![of.split_inclusive("\r\n\r\n").next().unwrap().as_bytes().to_vec()], behind: 0 }
    }

    #[test]
    fn the_header_shows_the_body_of_another_message() {
        let (one, two) = (message(1), message(2));
        let told = one.len() as u64 - 9;
        assert_eq!(examined(&one).contradiction(told, &headers(&one), true), None);
        let words = examined(&two).contradiction(told, &headers(&one), false).unwrap();
        assert!(words.ends_with("their header is that of another message"), "{words}");
        assert_eq!(examined(&one).contradiction(told, &headers("\r\n\r\n"), true), None);
    }

    #[test]
    fn what_ends_too_early_is_not_the_message() {
        let whole = message(1);
        let told = whole.len() as u64;
        let why = |text: &str, are_exact| examined(text).contradiction(told, &Facts::default(), are_exact);
        let half = &whole[..whole.len() / 2];
        assert!(
            why(&half[..half.rfind('\n').unwrap() - 2], false).unwrap().ends_with("they end within a line")
        );
        let at_a_line = &half[..=half.rfind('\n').unwrap()];
        assert_eq!(why(at_a_line, false), None);
        assert!(why(at_a_line, true).unwrap().ends_with("all other sizes are right"));
        let behind = Facts { behind: 8, ..Facts::default() };
        assert!(examined(half).contradiction(told, &behind, false).unwrap().ends_with("more behind them"));
        // One byte in each line.
        assert_eq!(why(&whole.replace("\r\n", "\n"), false), None);
    }

    #[test]
    fn a_multipart_message_has_a_closing_boundary() {
        let whole = crate::imap::source::ending::tests::multipart(40);
        let why = |text: &str| examined(text).contradiction(100_000, &Facts::default(), false);
        assert_eq!(why(&whole), None);
        let cut = &whole[..whole.len() - "---=x=---\r\n".len()];
        assert!(why(cut).unwrap().ends_with("its last part has no end"));
    }
}
