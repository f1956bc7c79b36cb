//! Quoted-printable (RFC 2045, section 6.7).

use super::fields::{bare, lines};

/// Maximum bytes of a line, including its soft line end.
const LINE: usize = 76;

/// Encodes text so that it decodes to the same bytes. Line ends stay line ends.
pub(super) fn encode(text: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(text.len() + text.len() / 8);
    let mut writer = Writer::new(&mut out);
    for line in lines(text) {
        // A line that ends in a lone LF has no line end here.
        let (content, is_ended) = match line.strip_suffix(b"\r\n") {
            Some(content) => (content, true),
            None => (line, false),
        };
        for (index, &octet) in content.iter().enumerate() {
            let is_last = index + 1 == content.len();
            match octet {
                b' ' | b'\t' if is_last => writer.coded(octet),
                b'\t' | b' '..=b'<' | b'>'..=b'~' => writer.token(&[octet]),
                _ => writer.coded(octet),
            }
        }
        if is_ended {
            writer.end_line();
        }
    }
    out
}

/// Breaks a line of quoted-printable with soft line ends.
pub(super) fn break_softly(line: &[u8], out: &mut Vec<u8>) {
    let content = bare(line);
    let end = &line[content.len()..];
    // Trailing spaces do not count, but they would before a soft line end.
    let mut rest = content.trim_ascii_end();
    let mut writer = Writer::new(out);
    while let Some(first) = rest.first() {
        let length = if *first == b'=' { rest.len().min(3) } else { 1 };
        let (token, after) = rest.split_at(length);
        writer.token(token);
        rest = after;
    }
    out.extend_from_slice(end);
}

struct Writer<'a> {
    out: &'a mut Vec<u8>,
    column: usize,
}

impl<'a> Writer<'a> {
    fn new(out: &'a mut Vec<u8>) -> Self {
        Self { out, column: 0 }
    }

    fn end_line(&mut self) {
        self.out.extend_from_slice(b"\r\n");
        self.column = 0;
    }

    fn coded(&mut self, octet: u8) {
        self.token(format!("={octet:02X}").as_bytes());
    }

    fn token(&mut self, token: &[u8]) {
        if self.column + token.len() >= LINE {
            self.out.push(b'=');
            self.end_line();
            // A new line must not look like a boundary.
            if token == b"-" {
                self.coded(b'-');
                return;
            }
        }
        self.out.extend_from_slice(token);
        self.column += token.len();
    }
}
