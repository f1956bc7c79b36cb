//! Kinds of repairs, and their edits.

use std::{fmt, str::FromStr};

/// Kind of repair, in the order of application.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Repair {
    /// Removes NUL bytes.
    NulBytes,
    /// Replaces lone CR and LF by CRLF.
    BareNewlines,
    /// Turns invalid lines into header lines, and encodes bytes that are not ASCII.
    InvalidHeaders,
    /// Folds lines that are too long for servers, or re-encodes their part.
    LongLines,
    /// Appends CRLF to a message that does not end in CRLF.
    MissingFinalNewline,
}

impl Repair {
    pub const ALL: [Self; 5] = [
        Self::NulBytes,
        Self::BareNewlines,
        Self::InvalidHeaders,
        Self::LongLines,
        Self::MissingFinalNewline,
    ];

    /// Name, as the operator writes it.
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

/// Set of allowed repairs, in order.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Repairs(Vec<Repair>);

impl Repairs {
    pub fn all() -> Self {
        Self(Repair::ALL.to_vec())
    }

    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub fn iter(&self) -> impl Iterator<Item = Repair> + '_ {
        self.0.iter().copied()
    }

    /// Returns the repairs that are not in `others`.
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

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum EditKind {
    /// Removed NULs.
    NulRemoved,
    /// Replaced a lone CR or LF by CRLF.
    NewlineCompleted,
    /// Removed spaces between a field's name and its colon.
    ColonClosedUp,
    /// Indented a line that is no field, as the continuation of the field before it.
    LineIndented,
    /// Kept a line that is no field, before the first field, as `X-Invalid-Header`.
    LineKeptAsField,
    /// Inserted the missing empty line between header and text.
    HeaderEnded,
    /// Encoded UTF-8 in the header (RFC 2047, RFC 2231).
    HeaderEncoded,
    /// Encoded bytes of an unknown charset in the header as `unknown-8bit` (RFC 1428).
    UnknownHeaderEncoded,
    /// Folded a header line at a space.
    HeaderFolded,
    /// Cut a header line that has no space.
    HeaderCut,
    /// Encoded a part as quoted-printable.
    PartEncoded,
    /// Broke a line of quoted-printable with soft line ends.
    SoftlyBroken,
    /// Wrapped a line of base64.
    Base64Wrapped,
    /// Cut a line of text of unknown type.
    LineCut,
    /// Appended CRLF to the last line.
    LastLineEnded,
}

impl EditKind {
    /// Repair that the edit belongs to.
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
            Self::NulRemoved => "NUL removed",
            Self::NewlineCompleted => "lone CR or LF replaced by CRLF",
            Self::ColonClosedUp => "spaces before a header line's colon removed",
            Self::LineIndented => "line without a field name indented as part of the field before it",
            Self::LineKeptAsField => "line without a field name kept as X-Invalid-Header",
            Self::HeaderEnded => "empty line inserted between header and text",
            Self::HeaderEncoded => "header text encoded as utf-8",
            Self::UnknownHeaderEncoded => "header text encoded as unknown-8bit",
            Self::HeaderFolded => "header line folded",
            Self::HeaderCut => "header line without a space cut",
            Self::PartEncoded => "part encoded as quoted-printable",
            Self::SoftlyBroken => "quoted-printable line broken with soft line ends",
            Self::Base64Wrapped => "base64 line wrapped",
            Self::LineCut => "line cut",
            Self::LastLineEnded => "CRLF appended",
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Edit {
    pub change: EditKind,
    pub count: u64,
    /// First edited line.
    pub line: u64,
    /// True if a signature covers the edited text; it is no longer valid then.
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

/// Counts one edit.
pub(super) fn note(edits: &mut Vec<Edit>, change: EditKind, line: u64, breaks_signature: bool) {
    match edits.iter_mut().find(|it| it.change == change) {
        Some(edit) => {
            edit.count += 1;
            edit.breaks_signature |= breaks_signature;
        }
        None => edits.push(Edit { change, count: 1, line, breaks_signature }),
    }
}
