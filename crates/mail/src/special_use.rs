//! Special uses of folders (RFC 6154; `\Important` is RFC 8457; XLIST has older names).

use std::fmt;

/// Special use that a server states for a folder, or that a name suggests.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum SpecialUse {
    /// View of every message.
    All,
    Archive,
    Drafts,
    /// View of flagged messages.
    Flagged,
    /// View of important messages.
    Important,
    Junk,
    Sent,
    Trash,
}

impl SpecialUse {
    const TABLE: [(Self, &'static str); 8] = [
        (Self::All, "\\All"),
        (Self::Archive, "\\Archive"),
        (Self::Drafts, "\\Drafts"),
        (Self::Flagged, "\\Flagged"),
        (Self::Important, "\\Important"),
        (Self::Junk, "\\Junk"),
        (Self::Sent, "\\Sent"),
        (Self::Trash, "\\Trash"),
    ];

    /// Different names in XLIST.
    const OF_XLIST: [(Self, &'static str); 3] =
        [(Self::All, "\\AllMail"), (Self::Flagged, "\\Starred"), (Self::Junk, "\\Spam")];

    /// Parses a LIST or XLIST attribute such as `\Sent`, in any case (Cyrus sends `\sent`).
    pub fn from_attribute(attribute: &str) -> Option<Self> {
        let known = Self::TABLE.iter().chain(&Self::OF_XLIST);
        known.into_iter().find(|(_, name)| name.eq_ignore_ascii_case(attribute)).map(|(it, _)| *it)
    }

    /// True if such a folder shows messages that are in other folders too.
    pub fn is_view(self) -> bool {
        matches!(self, Self::All | Self::Flagged | Self::Important)
    }

    /// Returns the LIST attribute, with its backslash.
    pub fn attribute(self) -> &'static str {
        Self::TABLE.iter().find(|(it, _)| *it == self).map_or("", |(_, name)| name)
    }
}

impl fmt::Display for SpecialUse {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.attribute())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn attributes_go_there_and_back_in_any_case() {
        for (it, name) in SpecialUse::TABLE {
            assert_eq!(SpecialUse::from_attribute(&name.to_lowercase()), Some(it));
            assert_eq!(it.attribute(), name);
        }
        for (it, name) in SpecialUse::OF_XLIST {
            assert_eq!(SpecialUse::from_attribute(name), Some(it));
        }
        assert_eq!(SpecialUse::from_attribute("\\HasChildren"), None);
        assert_eq!(SpecialUse::from_attribute("\\Inbox"), None);
    }
}
