//! Folder patterns, as operators write them.

use std::fmt;

use mailhaul_mail::{FolderPath, SpecialUse};

use super::uses::Uses;
use crate::folder::Folder;

/// Folder pattern: `Name`, `Name/*` for the folder and all below, `#Inbox#` and similar for a special use.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FolderPattern {
    base: Base,
    below: bool,
    text: String,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Base {
    Path(FolderPath),
    Inbox,
    Use(SpecialUse),
}

/// The well-known folders of Exchange's `-ExcludeFolders`, and RFC 6154's names for the same.
const WELL_KNOWN: [(&str, Base); 9] = [
    ("#inbox#", Base::Inbox),
    ("#sentitems#", Base::Use(SpecialUse::Sent)),
    ("#sent#", Base::Use(SpecialUse::Sent)),
    ("#drafts#", Base::Use(SpecialUse::Drafts)),
    ("#deleteditems#", Base::Use(SpecialUse::Trash)),
    ("#trash#", Base::Use(SpecialUse::Trash)),
    ("#junkemail#", Base::Use(SpecialUse::Junk)),
    ("#junk#", Base::Use(SpecialUse::Junk)),
    ("#archive#", Base::Use(SpecialUse::Archive)),
];

impl FolderPattern {
    /// Parses an operator's pattern. An unknown `#Name#` is an error, because a typo would match nothing.
    pub fn parse(text: &str) -> Result<Self, String> {
        let (name, below) = text.strip_suffix("/*").map_or((text, false), |name| (name, true));
        let base = if name.starts_with('#') && name.ends_with('#') && name.len() > 1 {
            let known = WELL_KNOWN.iter().find(|(known, _)| known.eq_ignore_ascii_case(name));
            known.map(|(_, base)| base.clone()).ok_or_else(|| {
                let names: Vec<&str> = WELL_KNOWN.iter().map(|(name, _)| *name).collect();
                format!("\"{name}\" is not a well-known folder; there are {}", names.join(", "))
            })?
        } else if name.is_empty() {
            return Err("a folder pattern cannot be empty".to_owned());
        } else {
            Base::Path(FolderPath::parse(name))
        };
        Ok(Self { base, below, text: text.to_owned() })
    }

    /// True for `#SentItems#` and similar.
    pub(super) fn is_by_use(&self) -> bool {
        !matches!(self.base, Base::Path(_))
    }

    /// True if the folder matches. A special use matches by the source's attribute, or by the name.
    pub(super) fn matches(&self, folder: &Folder, uses: &Uses) -> bool {
        let path = match &self.base {
            Base::Path(path) => path,
            Base::Inbox => &FolderPath::inbox(),
            Base::Use(special_use) => return uses.use_of(folder) == Some(*special_use),
        };
        if self.below { folder.path.is_within(path) } else { folder.path == *path }
    }
}

impl fmt::Display for FolderPattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}
