//! Fingerprints, by which a message is recognised on another server.

use std::fmt;

use crate::{Digest, Digests};

/// Header fields of a fingerprint, in this order. Fetched as `BODY.PEEK[HEADER.FIELDS (...)]`.
pub const FINGERPRINT_FIELDS: [&str; 7] =
    ["Message-ID", "Date", "From", "To", "Cc", "Subject", "In-Reply-To"];

/// Maximum bytes of a header that are read. Bounds memory; no real header is longer.
const HEADER_LIMIT: usize = 1 << 20;

/// Hash over the stable header fields, normalised against the changes that servers make.
///
/// A fingerprint is evidence and never identity: duplicates share it, and so may two different
/// messages. A message without any of the fields is known by the digest of its text, because other
/// programs add header fields (mbsync its X-TUID). Without a text, it is known by the digest of the
/// whole message.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Fingerprint([u8; 16]);

impl Fingerprint {
    pub fn from_bytes(bytes: [u8; 16]) -> Self {
        Self(bytes)
    }

    pub fn as_bytes(&self) -> &[u8; 16] {
        &self.0
    }

    /// Computes the fingerprint of a header, or of an answer to `HEADER.FIELDS`.
    ///
    /// Returns `None` if it has none of the fields. Then the whole message must be read
    /// ([`crate::MessageHasher`]).
    pub fn of_header(header: &[u8]) -> Option<Self> {
        let mut scan = HeaderScan::default();
        scan.update(header);
        scan.fields()
    }
}

impl Fingerprint {
    /// Fingerprint of a message without any of the fields.
    fn of_digests(digests: &Digests) -> Self {
        if digests.text == Digest::of(b"") {
            return Self::of_digest(b"digest\0", digests.whole);
        }
        Self::of_digest(b"text\0", digests.text)
    }

    fn of_digest(kind: &[u8], digest: Digest) -> Self {
        let mut hasher = blake3::Hasher::new();
        hasher.update(kind).update(digest.as_bytes());
        truncate(&hasher.finalize())
    }

    /// Returns the fingerprint as computed today. Ledgers of version 0.1 have the digest of the
    /// whole message for messages without any of the fields.
    #[must_use]
    pub fn up_to_date(self, digests: &Digests) -> Self {
        if self == Self::of_digest(b"digest\0", digests.whole) { Self::of_digests(digests) } else { self }
    }
}

impl fmt::Debug for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Fingerprint({})", Digest::from_bytes(self.0))
    }
}

/// Collects the header of a message that streams by.
#[derive(Default)]
pub struct HeaderScan {
    header: Vec<u8>,
    /// True after the end of the header.
    ended: bool,
}

impl HeaderScan {
    /// Takes the next bytes; returns those after the header's empty line.
    pub fn update<'a>(&mut self, octets: &'a [u8]) -> &'a [u8] {
        if self.ended {
            return octets;
        }
        let before = self.header.len();
        self.header.extend_from_slice(octets);
        if let Some(end) = end_of_header(&self.header[..self.header.len().min(HEADER_LIMIT)], before) {
            self.ended = true;
            self.header.truncate(end);
            return &octets[end - before..];
        }
        // A longer header is cut at this length, whatever the size of the pieces.
        let surplus = self.header.len().saturating_sub(HEADER_LIMIT);
        if surplus > 0 {
            self.ended = true;
            self.header.truncate(HEADER_LIMIT);
        }
        &octets[octets.len() - surplus..]
    }

    /// Returns the fingerprint; computed from the digests if the header has none of the fields.
    pub fn fingerprint(&self, digests: &Digests) -> Fingerprint {
        self.fields().unwrap_or_else(|| Fingerprint::of_digests(digests))
    }

    fn fields(&self) -> Option<Fingerprint> {
        let mut values: [Vec<Vec<u8>>; FINGERPRINT_FIELDS.len()] = Default::default();
        let mut found = false;
        for (name, value) in fields_of(&self.header) {
            if let Some(index) =
                FINGERPRINT_FIELDS.iter().position(|field| name.eq_ignore_ascii_case(field.as_bytes()))
            {
                let value = normalise(value, index);
                found |= !value.is_empty();
                values[index].push(value);
            }
        }
        let mut hasher = blake3::Hasher::new();
        for (field, values) in FINGERPRINT_FIELDS.iter().zip(&values) {
            for value in values {
                hasher.update(field.as_bytes()).update(b":").update(value).update(b"\n");
            }
        }
        found.then(|| truncate(&hasher.finalize()))
    }
}

fn truncate(hash: &blake3::Hash) -> Fingerprint {
    let mut bytes = [0; 16];
    bytes.copy_from_slice(&hash.as_bytes()[..16]);
    Fingerprint(bytes)
}

/// Start of the text: after the first empty line, with CRLF or lone LF. Only lines that end after
/// `from` are searched.
fn end_of_header(header: &[u8], from: usize) -> Option<usize> {
    let mut start = header[..from].iter().rposition(|&byte| byte == b'\n').map_or(0, |index| index + 1);
    while let Some(length) = header[start..].iter().position(|&byte| byte == b'\n') {
        let end = start + length + 1;
        if matches!(&header[start..end], b"\n" | b"\r\n") {
            return Some(end);
        }
        start = end;
    }
    None
}

/// Iterates over the fields of a header: name, and value with its folds.
fn fields_of(header: &[u8]) -> impl Iterator<Item = (&[u8], &[u8])> {
    let mut rest = header;
    std::iter::from_fn(move || {
        loop {
            if rest.is_empty() {
                return None;
            }
            let mut end = line_end(rest, 0);
            while end < rest.len() && matches!(rest[end], b' ' | b'\t') {
                end = line_end(rest, end);
            }
            let (field, after) = rest.split_at(end);
            rest = after;
            if let Some(colon) = field.iter().position(|&byte| byte == b':') {
                return Some((field[..colon].trim_ascii(), &field[colon + 1..]));
            }
        }
    })
}

fn line_end(octets: &[u8], from: usize) -> usize {
    octets[from..].iter().position(|&byte| byte == b'\n').map_or(octets.len(), |index| from + index + 1)
}

/// Undoes the changes that servers make to header values.
///
/// These are folding, runs of spaces and tabs, spaces at either end, 8-bit and control characters
/// replaced by `?` (Zimbra), the case of the domain in an address, and a missing domain in a
/// Message-ID (Domino).
fn normalise(value: &[u8], field: usize) -> Vec<u8> {
    let mut out: Vec<u8> = Vec::with_capacity(value.len());
    for &byte in value.trim_ascii() {
        let byte = match byte {
            b' ' | b'\t' | b'\r' | b'\n' => b' ',
            0x80.. | 0..=0x1f | 0x7f => b'?',
            other => other,
        };
        if !(matches!(byte, b' ' | b'?') && out.last() == Some(&byte)) {
            out.push(byte);
        }
    }
    // Message-ID, From, To, Cc and In-Reply-To contain addr-specs; Date and Subject do not.
    if !matches!(FINGERPRINT_FIELDS[field], "Date" | "Subject") {
        let mut in_domain = false;
        for byte in &mut out {
            match byte {
                b'@' => in_domain = true,
                b'>' | b',' | b' ' | b';' => in_domain = false,
                other if in_domain => other.make_ascii_lowercase(),
                _ => {}
            }
        }
    }
    if matches!(FINGERPRINT_FIELDS[field], "Message-ID" | "In-Reply-To") {
        let mut in_domain = false;
        out.retain(|byte| {
            in_domain = *byte == b'@' || (in_domain && !matches!(byte, b'>' | b',' | b' ' | b';'));
            !in_domain
        });
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    const PLAIN: &[u8] = b"Message-ID: <A1@Example.net>\r\nDate: Mon, 1 Jan 2024 10:00:00 +0000\r\n\
        From: Anna <anna@example.net>\r\nTo: b@example.org\r\nSubject: one two\r\n\r\n";

    #[test]
    fn survives_what_servers_do_to_headers() {
        let disturbed =
            b"Received: from elsewhere\r\nsubject:  one\r\n\ttwo \r\nFrom: Anna\t<anna@EXAMPLE.net>\r\n\
            Message-Id: <A1@example.NET>\r\nTo: b@example.org\r\nDate: Mon, 1 Jan 2024 10:00:00 +0000\r\n";
        assert_eq!(Fingerprint::of_header(PLAIN), Fingerprint::of_header(disturbed));
        let no_domain = String::from_utf8_lossy(PLAIN).replace("<A1@Example.net>", "<A1>");
        assert_eq!(Fingerprint::of_header(PLAIN), Fingerprint::of_header(no_domain.as_bytes()));
        let eight_bit = Fingerprint::of_header("Subject: Grüße\r\n".as_bytes());
        assert_eq!(eight_bit, Fingerprint::of_header(b"Subject: Gr??e\r\n"));
    }

    #[test]
    fn tells_apart_what_differs() {
        let other = String::from_utf8_lossy(PLAIN).replace("one two", "one three");
        assert_ne!(Fingerprint::of_header(PLAIN), Fingerprint::of_header(other.as_bytes()));
        let local_part = String::from_utf8_lossy(PLAIN).replace("A1@", "a1@");
        assert_ne!(Fingerprint::of_header(PLAIN), Fingerprint::of_header(local_part.as_bytes()));
    }

    #[test]
    fn a_message_without_the_fields_has_none() {
        assert_eq!(Fingerprint::of_header(b"X-Any: thing\r\nSubject:\r\n\r\nSubject: not a header"), None);
        assert_eq!(Fingerprint::of_header(b""), None);
        assert_eq!(Fingerprint::of_header(b"no colon here\r\n"), None);
    }
}
