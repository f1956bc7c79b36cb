//! Digests of a message.

use std::fmt;

use sha2::Digest as _;

use crate::{Fingerprint, HeaderScan};

/// First 16 bytes of a BLAKE3 hash. Collisions are out of the question, and the ledger needs half
/// the space.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Digest([u8; 16]);

impl Digest {
    pub fn from_bytes(bytes: [u8; 16]) -> Self {
        Self(bytes)
    }

    pub fn as_bytes(&self) -> &[u8; 16] {
        &self.0
    }

    /// Digest of bytes held in memory.
    pub fn of(octets: &[u8]) -> Self {
        Self::from_hash(&blake3::hash(octets))
    }

    fn from_hash(hash: &blake3::Hash) -> Self {
        let mut bytes = [0; 16];
        bytes.copy_from_slice(&hash.as_bytes()[..16]);
        Self(bytes)
    }
}

impl fmt::Display for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Digest({self})")
    }
}

/// SHA-256, which users and their tools know.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Sha256([u8; 32]);

impl Sha256 {
    pub fn from_bytes(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    pub fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }

    /// SHA-256 of bytes held in memory.
    pub fn of(octets: &[u8]) -> Self {
        Self(sha2::Sha256::digest(octets).into())
    }
}

impl fmt::Display for Sha256 {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for Sha256 {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Sha256({self})")
    }
}

/// Digests that distinguish two messages with the same fingerprint.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Digests {
    /// Digest of the whole message: of the header, the text's digest, and the line ends that the
    /// text's digest omits. Every byte is hashed once.
    pub whole: Digest,
    /// Digest of the text after the header, without trailing line ends.
    ///
    /// It is the same if a server rewrites headers (`dbmail`, `SmarterMail`) or appends a CRLF
    /// (Courier).
    pub text: Digest,
}

impl Digests {
    /// True if both belong to the same message, even if a server rewrote the header.
    pub fn same_message(&self, other: &Self) -> bool {
        self.whole == other.whole || self.text == other.text
    }
}

/// Maximum number of CR and LF bytes at the end of a message that the digest ignores.
const LINE_ENDS: usize = 64 << 10;

/// Computes digests and fingerprint of a message while it streams by.
#[derive(Default)]
pub struct MessageHasher {
    /// Holds the header's hash at first.
    whole: blake3::Hasher,
    text: blake3::Hasher,
    header: HeaderScan,
    /// CRs and LFs that may still turn out to be inside the text.
    line_ends: Vec<u8>,
}

impl MessageHasher {
    pub fn new() -> Self {
        Self::default()
    }

    /// Takes the next bytes, in pieces of any size.
    pub fn update(&mut self, octets: &[u8]) {
        let text = self.header.update(octets);
        self.whole.update(&octets[..octets.len() - text.len()]);
        if text.is_empty() {
            return;
        }
        let kept = text.iter().rposition(|byte| !matches!(byte, b'\r' | b'\n')).map_or(0, |index| index + 1);
        if kept > 0 {
            self.text.update(&self.line_ends);
            self.line_ends.clear();
            self.text.update(&text[..kept]);
        }
        self.line_ends.extend_from_slice(&text[kept..]);
        // No real message ends like this, so a longer run is not held in memory. The last bytes are
        // always held, so that the size of the pieces does not matter.
        let surplus = self.line_ends.len().saturating_sub(LINE_ENDS);
        if surplus > 0 {
            self.text.update(&self.line_ends[..surplus]);
            self.line_ends.drain(..surplus);
        }
    }

    /// Finishes after the last byte.
    pub fn finish(mut self) -> (Fingerprint, Digests) {
        let text = self.text.finalize();
        // The length is fixed, so the parts before and after it cannot be confused.
        self.whole.update(text.as_bytes()).update(&self.line_ends);
        let (whole, text) = (Digest::from_hash(&self.whole.finalize()), Digest::from_hash(&text));
        let digests = Digests { whole, text };
        (self.header.fingerprint(&digests), digests)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn hash(pieces: &[&[u8]]) -> (Fingerprint, Digests) {
        let mut hasher = MessageHasher::new();
        for piece in pieces {
            hasher.update(piece);
        }
        hasher.finish()
    }

    #[test]
    fn a_rewritten_header_and_a_last_line_end_leave_the_text_digest_alone() {
        let (_, sent) = hash(&[b"Message-ID: <1@x>\r\n\r\nhello\r\n\r\nworld"]);
        let (_, kept) = hash(&[b"Message-ID: <1@x>\r\nX-Store: 1\r\n\r\nhello\r\n\r\nworld\r\n"]);
        assert_ne!(sent.whole, kept.whole);
        assert!(sent.same_message(&kept));
        let (_, other) = hash(&[b"Message-ID: <1@x>\r\n\r\nhello\r\nworld"]);
        assert!(!sent.same_message(&other));
    }

    #[test]
    fn messages_without_any_field_are_known_by_their_text() {
        let (sent, digests) = hash(&[b"X-Fax: 7\r\n\r\na fax\r\n"]);
        let (kept, _) = hash(&[b"X-TUID: abc\r\nX-Fax: 7\r\n\r\na fax\r\n"]);
        assert_eq!(sent, kept);
        assert_ne!(sent, hash(&[b"X-Fax: 7\r\n\r\nanother fax\r\n"]).0);
        // Without a text, only the header distinguishes them.
        assert_ne!(hash(&[b"X-Fax: 7\r\n\r\n"]).0, hash(&[b"X-Fax: 8\r\n\r\n"]).0);
        let mut old = blake3::Hasher::new();
        old.update(b"digest\0").update(digests.whole.as_bytes());
        let mut bytes = [0; 16];
        bytes.copy_from_slice(&old.finalize().as_bytes()[..16]);
        assert_eq!(Fingerprint::from_bytes(bytes).up_to_date(&digests), sent);
        assert_eq!(sent.up_to_date(&digests), sent);
    }

    #[test]
    fn a_header_without_an_end_is_the_same_in_any_pieces() {
        let message =
            [&b"Subject: x\r\n"[..], &b"X-Long: abcdefghij\r\n".repeat(120_000), b"\r\ntext"].concat();
        let whole = hash(&[&message]);
        for size in [1000, 65_537, 1 << 20] {
            assert_eq!(hash(&message.chunks(size).collect::<Vec<_>>()), whole, "{size}");
        }
    }

    #[test]
    fn more_line_ends_than_anybody_holds_are_the_same_in_any_pieces() {
        let message = [&b"A: b\r\n\r\ntext"[..], &b"\r\n".repeat(LINE_ENDS)].concat();
        let whole = hash(&[&message]);
        for size in [1000, 4096, 65_537] {
            assert_eq!(hash(&message.chunks(size).collect::<Vec<_>>()), whole, "{size}");
        }
        let longer = [&message[..], b"\r\n"].concat();
        assert_ne!(hash(&[&longer]).1.whole, whole.1.whole);
    }

    proptest! {
        #[test]
        fn cutting_the_stream_changes_nothing(
            octets in "(A: [a-z]{0,9}\r\n){0,3}(Subject: x\r\n y\r\n)?(\r\n)?[a\r\n]{0,20}",
            cuts in prop::collection::vec(0usize..60, 0..6),
        ) {
            let octets = octets.as_bytes();
            let mut cuts: Vec<usize> = cuts.into_iter().map(|cut| cut.min(octets.len())).collect();
            cuts.extend([0, octets.len()]);
            cuts.sort_unstable();
            let pieces: Vec<&[u8]> = cuts.windows(2).map(|pair| &octets[pair[0]..pair[1]]).collect();
            prop_assert_eq!(hash(&pieces), hash(&[octets]));
        }
    }
}
