//! Rules for folder names: from the target's answers, and from the profile of the server.

/// Separation of the levels of a name.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Levels {
    /// No separator: a segment may hold any character (our own archive).
    #[default]
    Free,
    /// There is one level only (NIL for a delimiter).
    Flat,
    /// This character, which no segment can hold.
    Separated(char),
}

/// Names that are one folder to the server.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum SameName {
    /// Only equal names.
    Exact,
    /// Also names that differ in Unicode normalisation only (NFC and NFD). Servers rarely say so; it is assumed.
    #[default]
    Normalized,
    /// Also names that differ in case (Exchange).
    IgnoringCase,
}

/// Rules for a folder's name. By default, only that two folders cannot differ in normalisation alone.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct NameRules {
    pub levels: Levels,
    /// Rule for equal names.
    pub same: SameName,
    /// Names of the first level that no folder can have, in any case (`Files` of Microsoft 365).
    pub reserved: Vec<String>,
    /// Characters that no name can hold, besides the delimiter and control characters.
    pub forbidden: Vec<char>,
    /// True if blanks at the ends of a segment and two in a row are refused (Gmail).
    pub refuses_outer_blanks: bool,
    /// True if there are no folders below INBOX (Domino).
    pub refuses_below_inbox: bool,
    /// First levels below which all new folders must be; the first one is used (`Folders` of Proton Mail Bridge).
    /// Empty if folders may be anywhere.
    pub roots: Vec<String>,
    /// Maximum characters of a segment.
    pub longest_segment: Option<usize>,
    /// Maximum characters of a whole name, with delimiters.
    pub longest_path: Option<usize>,
}

impl NameRules {
    /// The rules of an IMAP server with this delimiter, or with none.
    pub fn separated(delimiter: Option<char>) -> Self {
        Self { levels: delimiter.map_or(Levels::Flat, Levels::Separated), ..Self::default() }
    }
}
