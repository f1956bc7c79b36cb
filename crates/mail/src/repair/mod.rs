//! Edits that make a message acceptable to a server that refused it.
//!
//! [`repair`] is a pure function. It makes as few edits as possible and loses no text. Its result
//! needs no further repair of the same kinds. Lines are counted from 1, as they are when the edit
//! is made.

mod encoded_word;
mod ends;
mod entity;
mod fields;
mod header;
mod kinds;
mod long_lines;
mod quoted_printable;
mod strict;

pub use kinds::{Edit, EditKind, Repair, Repairs};
pub use strict::is_strictly_formed;

/// Maximum bytes of a line, without its CRLF, before it counts as long.
///
/// RFC 5322, section 2.1.1, allows 998, which few servers enforce. Exchange refuses from 9,900
/// bytes on.
pub const LONGEST_LINE: usize = 9_900;

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Repaired {
    pub octets: Vec<u8>,
    /// Edits, in the order of application.
    pub edits: Vec<Edit>,
}

impl Repaired {
    /// Describes the edits in a sentence.
    pub fn words(&self) -> String {
        let edits: Vec<String> = self.edits.iter().map(ToString::to_string).collect();
        edits.join("; ")
    }
}

/// Repairs the message as far as allowed; returns `None` if nothing needs an edit. Lines over
/// `longest_line` bytes are long.
pub fn repair(message: &[u8], allowed: &Repairs, longest_line: usize) -> Option<Repaired> {
    let mut octets: Option<Vec<u8>> = None;
    let mut edits = Vec::new();
    for kind in allowed.iter() {
        let now = octets.as_deref().unwrap_or(message);
        let changed = match kind {
            Repair::NulBytes => ends::without_nul(now, &mut edits),
            Repair::BareNewlines => ends::with_crlf(now, &mut edits),
            Repair::InvalidHeaders => header::mended(now, &mut edits),
            Repair::LongLines => long_lines::shortened(now, longest_line.max(998), &mut edits),
            Repair::MissingFinalNewline => ends::with_last_line_end(now, &mut edits),
        };
        octets = changed.or(octets);
    }
    octets.map(|octets| Repaired { octets, edits })
}

/// Returns the repairs that would change the message.
pub fn needed(message: &[u8], longest_line: usize) -> Repairs {
    let changes = |kind: &Repair| repair(message, &[*kind].into_iter().collect(), longest_line).is_some();
    Repair::ALL.into_iter().filter(changes).collect()
}

#[cfg(test)]
mod tests;
