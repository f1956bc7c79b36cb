//! Mailbox names as they travel.

use std::fmt;

use crate::mutf7;

/// A mailbox name as on the wire, octet by octet, so that a name which breaks the rules can still be sent back to the
/// server that gave it. `INBOX` has one spelling, whatever its case was (RFC 9051, section 5.1).
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct MailboxName(Vec<u8>);

impl MailboxName {
    /// From the octets that a server sent.
    pub fn from_wire(octets: impl Into<Vec<u8>>) -> Self {
        let octets = octets.into();
        if octets.eq_ignore_ascii_case(b"INBOX") { Self(b"INBOX".to_vec()) } else { Self(octets) }
    }

    /// From text, encoded in modified UTF-7 (RFC 3501, section 5.1.3).
    pub fn from_text(text: &str) -> Self {
        Self::from_wire(mutf7::encode(text))
    }

    /// The text of one level of a name, which is never INBOX by its case alone.
    pub fn level_to_text(wire: &[u8]) -> String {
        mutf7::decode(wire).unwrap_or_else(|| String::from_utf8_lossy(wire).into_owned())
    }

    /// One level of a name, encoded.
    pub fn level_to_wire(text: &str) -> Vec<u8> {
        mutf7::encode(text)
    }

    /// The octets to send.
    pub fn as_wire(&self) -> &[u8] {
        &self.0
    }

    /// The text. Names that are not modified UTF-7 are read as UTF-8, which some servers send, else with replacement
    /// characters.
    pub fn to_text(&self) -> String {
        Self::level_to_text(&self.0)
    }

    /// Whether this is INBOX.
    pub fn is_inbox(&self) -> bool {
        self.0 == b"INBOX"
    }
}

impl fmt::Display for MailboxName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.to_text())
    }
}

impl fmt::Debug for MailboxName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "MailboxName({:?})", String::from_utf8_lossy(&self.0))
    }
}
