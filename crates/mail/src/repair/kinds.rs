//! The kinds of repairs, and the edits of which they consist.

use std::{fmt, str::FromStr};

/// One kind of repair, in the order in which they are made.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Repair {
    /// NUL octets are taken out.
    NulBytes,
    /// CR and LF that stand alone become CRLF.
    BareNewlines,
    /// What is no header line is made one; octets that are no ASCII are encoded.
    InvalidHeaders,
    /// Lines that are longer than servers take are folded, or their part is encoded anew.
    LongLines,
    /// A message that does not end in CRLF gets one.
    MissingFinalNewline,
}

impl Repair {
    /// All kinds.
    pub const ALL: [Self; 5] = [
        Self::NulBytes,
        Self::BareNewlines,
        Self::InvalidHeaders,
        Self::LongLines,
        Self::MissingFinalNewline,
    ];

    /// As the operator writes it.
    pub fn name(self) -> &'static str {
        match self {
            Self::NulBytes => "NulBytes",
            Self::BareNewlines => "BareNewlines",
            Self::InvalidHeaders => "InvalidHeaders",
            Self::LongLines => "LongLines",
            Self::MissingFinalNewline => "MissingFinalNewline",
        }
    }
}

impl fmt::Display for Repair {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for Repair {
    type Err = String;

    fn from_str(name: &str) -> Result<Self, String> {
        Self::ALL
            .into_iter()
            .find(|it| it.name().eq_ignore_ascii_case(name))
            .ok_or_else(|| format!("{name} is no repair; there are {}", Repairs::all()))
    }
}

/// The repairs that are allowed, each once, in order.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Repairs(Vec<Repair>);

impl Repairs {
    /// All that there are.
    pub fn all() -> Self {
        Self(Repair::ALL.to_vec())
    }

    /// Whether nothing may be edited.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Each of them.
    pub fn iter(&self) -> impl Iterator<Item = Repair> + '_ {
        self.0.iter().copied()
    }

    /// Those that are not among the others.
    #[must_use]
    pub fn without(&self, others: &Self) -> Self {
        self.iter().filter(|it| !others.0.contains(it)).collect()
    }
}

impl FromIterator<Repair> for Repairs {
    fn from_iter<I: IntoIterator<Item = Repair>>(repairs: I) -> Self {
        let mut repairs: Vec<Repair> = repairs.into_iter().collect();
        repairs.sort_unstable();
        repairs.dedup();
        Self(repairs)
    }
}

impl fmt::Display for Repairs {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names: Vec<&str> = self.iter().map(Repair::name).collect();
        f.write_str(&names.join(","))
    }
}

/// What an edit does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Change {
    /// NULs taken out.
    NulRemoved,
    /// A CR or LF that stood alone became CRLF.
    NewlineCompleted,
    /// Blanks between a field's name and its colon taken out.
    ColonClosedUp,
    /// A line that is no field, behind one, became its folded rest.
    LineIndented,
    /// A line that is no field, before the first one, was kept as `X-Invalid-Header`.
    LineKeptAsField,
    /// The empty line that ends the header was put where the text began without it.
    HeaderEnded,
    /// Octets that are no ASCII, and are UTF-8, were encoded (RFC 2047, RFC 2231).
    HeaderEncoded,
    /// Octets that are no ASCII, of a charset that nobody knows, were encoded as `unknown-8bit` (RFC 1428).
    UnknownHeaderEncoded,
    /// A header line was folded at a blank.
    HeaderFolded,
    /// A header line without a blank was cut.
    HeaderCut,
    /// A part was encoded as quoted-printable.
    PartEncoded,
    /// A line of quoted-printable got soft line ends.
    SoftlyBroken,
    /// A line of base64 was wrapped.
    Base64Wrapped,
    /// A line of text that nothing is known of was cut.
    LineCut,
    /// The last line got its end.
    LastLineEnded,
}

impl Change {
    /// The repair that it belongs to.
    pub fn repair(self) -> Repair {
        match self {
            Self::NulRemoved => Repair::NulBytes,
            Self::NewlineCompleted => Repair::BareNewlines,
            Self::ColonClosedUp
            | Self::LineIndented
            | Self::LineKeptAsField
            | Self::HeaderEnded
            | Self::HeaderEncoded
            | Self::UnknownHeaderEncoded => Repair::InvalidHeaders,
            Self::HeaderFolded
            | Self::HeaderCut
            | Self::PartEncoded
            | Self::SoftlyBroken
            | Self::Base64Wrapped
            | Self::LineCut => Repair::LongLines,
            Self::LastLineEnded => Repair::MissingFinalNewline,
        }
    }

    fn words(self) -> &'static str {
        match self {
            Self::NulRemoved => "NUL taken out",
            Self::NewlineCompleted => "CR or LF alone made CRLF",
            Self::ColonClosedUp => "blanks before a header line's colon taken out",
            Self::LineIndented => "line without a field's name indented, as the rest of the field before it",
            Self::LineKeptAsField => "line without a field's name kept as X-Invalid-Header",
            Self::HeaderEnded => "empty line put between header and text",
            Self::HeaderEncoded => "header text encoded as utf-8",
            Self::UnknownHeaderEncoded => "header text encoded as unknown-8bit",
            Self::HeaderFolded => "header line folded",
            Self::HeaderCut => "header line without a blank cut",
            Self::PartEncoded => "part encoded as quoted-printable",
            Self::SoftlyBroken => "quoted-printable line broken softly",
            Self::Base64Wrapped => "base64 line wrapped",
            Self::LineCut => "line cut",
            Self::LastLineEnded => "CRLF put at the end",
        }
    }
}

/// Edits of one sort.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Edit {
    /// What was done.
    pub change: Change,
    /// How often.
    pub count: u64,
    /// The first line where it was done.
    pub line: u64,
    /// Whether it was done to what a signature covers, which no longer holds then.
    pub breaks_signature: bool,
}

impl fmt::Display for Edit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {} (line {}", self.change.repair(), self.change.words(), self.line)?;
        if self.count > 1 {
            write!(f, " first, {} times", self.count)?;
        }
        f.write_str(if self.breaks_signature { "; its signature no longer holds)" } else { ")" })
    }
}

/// Adds one edit to those of its sort.
pub(super) fn note(edits: &mut Vec<Edit>, change: Change, line: u64, breaks_signature: bool) {
    match edits.iter_mut().find(|it| it.change == change) {
        Some(edit) => {
            edit.count += 1;
            edit.breaks_signature |= breaks_signature;
        }
        None => edits.push(Edit { change, count: 1, line, breaks_signature }),
    }
}
