//! Mailbox names as on the wire.

use std::fmt;

use crate::mutf7;

/// Mailbox name as on the wire, byte by byte.
///
/// A name that breaks the rules can thus be sent back to its server. `INBOX` is always in upper case (RFC 9051, section
/// 5.1).
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct MailboxName(Vec<u8>);

impl MailboxName {
    /// Takes the bytes that a server sent.
    pub fn from_wire(octets: impl Into<Vec<u8>>) -> Self {
        let octets = octets.into();
        if octets.eq_ignore_ascii_case(b"INBOX") { Self(b"INBOX".to_vec()) } else { Self(octets) }
    }

    /// Encodes text in modified UTF-7 (RFC 3501, section 5.1.3).
    pub fn from_text(text: &str) -> Self {
        Self::from_wire(mutf7::encode(text))
    }

    /// Decodes one level of a name. A level is never changed to INBOX.
    pub fn level_to_text(wire: &[u8]) -> String {
        mutf7::decode(wire).unwrap_or_else(|| String::from_utf8_lossy(wire).into_owned())
    }

    /// Encodes one level of a name.
    pub fn level_to_wire(text: &str) -> Vec<u8> {
        mutf7::encode(text)
    }

    /// Returns the bytes to send.
    pub fn as_wire(&self) -> &[u8] {
        &self.0
    }

    /// Decodes the name. A name that is not modified UTF-7 is read as UTF-8, with replacement characters if necessary.
    pub fn to_text(&self) -> String {
        Self::level_to_text(&self.0)
    }

    /// True if this is INBOX.
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
