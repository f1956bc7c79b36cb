//! Edits that make a message acceptable to a server that refused it: as few as will do, and no text is lost by them.
//!
//! [`repair`] is a function of octets. What it gives needs no more of the same repairs, and a message that needs none is
//! left as it is. Lines are counted from 1, as they stand when the edit is made.

mod encoded_word;
mod ends;
mod entity;
mod fields;
mod header;
mod kinds;
mod long_lines;
mod quoted_printable;
mod strict;

pub use kinds::{Change, Edit, Repair, Repairs};
pub use strict::is_strictly_formed;

/// A header's and a body's line is longer than this before it counts as long (octets, without its CRLF). RFC 5322,
/// section 2.1.1, has 998, which hardly anybody insists on; Exchange was seen to refuse from 9,900 octets on.
pub const LONGEST_LINE: usize = 9_900;

/// An edited message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Repaired {
    /// Its octets.
    pub octets: Vec<u8>,
    /// What was done, in this order.
    pub edits: Vec<Edit>,
}

impl Repaired {
    /// The edits as a sentence for people.
    pub fn words(&self) -> String {
        let edits: Vec<String> = self.edits.iter().map(ToString::to_string).collect();
        edits.join("; ")
    }
}

/// Edits the message as far as it is allowed; `None` where there is nothing to edit. A line is long beyond `longest_line`
/// octets.
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

/// The repairs that would change something in the message.
pub fn needed(message: &[u8], longest_line: usize) -> Repairs {
    let changes = |kind: &Repair| repair(message, &[*kind].into_iter().collect(), longest_line).is_some();
    Repair::ALL.into_iter().filter(changes).collect()
}

#[cfg(test)]
mod tests;
