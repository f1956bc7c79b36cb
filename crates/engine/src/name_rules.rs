//! Which folder names a mailbox can hold: what a target tells of itself, and what a server is known for.

/// How levels of a name are told apart.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Levels {
    /// A segment may hold any character (an archive of our own).
    #[default]
    Free,
    /// There is one level only (NIL for a delimiter).
    Flat,
    /// By this character, which no segment can hold.
    Separated(char),
}

/// Which names are one folder to the server.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum SameName {
    /// Only those that are spelled alike.
    Exact,
    /// Also those that differ in Unicode normalisation only (NFC and NFD): servers rarely say, so it is assumed.
    #[default]
    Normalized,
    /// Also those that differ in case (Exchange).
    IgnoringCase,
}

/// What a folder's name must keep to. By default nothing but that two folders cannot differ in normalisation alone.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct NameRules {
    /// How levels are told apart.
    pub levels: Levels,
    /// Which names are one.
    pub same: SameName,
    /// Names of the first level that no folder can have, in any case (`Files` of Microsoft 365).
    pub reserved: Vec<String>,
    /// Characters that no name can hold, beside the delimiter and control characters.
    pub forbidden: Vec<char>,
    /// Blanks at the ends of a segment and two in a row are refused (Gmail).
    pub refuses_outer_blanks: bool,
    /// There are no folders below INBOX (Domino).
    pub refuses_below_inbox: bool,
    /// Names of the first level below which all new folders must be, and the first is taken (`Folders` of Proton Mail Bridge);
    /// anywhere where there is none.
    pub roots: Vec<String>,
    /// Characters of a segment at most.
    pub longest_segment: Option<usize>,
    /// Characters of a whole name at most, delimiters included.
    pub longest_path: Option<usize>,
}

impl NameRules {
    /// What an IMAP server tells: the delimiter, or that there is none.
    pub fn separated(delimiter: Option<char>) -> Self {
        Self { levels: delimiter.map_or(Levels::Flat, Levels::Separated), ..Self::default() }
    }
}
