//! Special uses of a mailbox's folders: by attribute, else by name if only one folder fits.

use std::collections::BTreeMap;

use mailhaul_mail::{FolderPath, SpecialUse};

use crate::folder::Folder;

/// Origin of the knowledge about a use.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum By {
    /// The server's attribute.
    Attribute,
    /// A folder has this name in some language.
    Name,
}

/// The folders of a mailbox by their use.
#[derive(Debug, Default)]
pub(super) struct Uses(BTreeMap<SpecialUse, (FolderPath, By)>);

impl Uses {
    /// Finds the folders.
    ///
    /// Of several folders with one attribute, the first by name counts. Names count only for a use without an
    /// attribute, and if exactly one folder has such a name.
    pub(super) fn new(folders: &[Folder]) -> Self {
        let mut by_attribute: BTreeMap<SpecialUse, FolderPath> = BTreeMap::new();
        let mut by_name: BTreeMap<SpecialUse, Vec<&FolderPath>> = BTreeMap::new();
        let candidates =
            folders.iter().filter(|it| it.selectable && it.leave_out.is_none() && !it.path.is_inbox());
        for folder in candidates {
            if let Some(special_use) = folder.special_use {
                let first = by_attribute.entry(special_use).or_insert_with(|| folder.path.clone());
                if folder.path < *first {
                    *first = folder.path.clone();
                }
            } else if let Some(special_use) = SpecialUse::from_name(&folder.path) {
                by_name.entry(special_use).or_default().push(&folder.path);
            }
        }
        let mut uses = BTreeMap::new();
        for (special_use, paths) in by_name {
            if let [only] = paths[..] {
                uses.insert(special_use, (only.clone(), By::Name));
            }
        }
        uses.extend(by_attribute.into_iter().map(|(special_use, path)| (special_use, (path, By::Attribute))));
        Self(uses)
    }

    /// The folders, each with its use and the origin of it.
    pub(super) fn iter(&self) -> impl Iterator<Item = (SpecialUse, &FolderPath, By)> {
        self.0.iter().map(|(special_use, (path, by))| (*special_use, path, *by))
    }

    /// The folder for a use.
    pub(super) fn folder(&self, special_use: SpecialUse) -> Option<(&FolderPath, By)> {
        self.0.get(&special_use).map(|(path, by)| (path, *by))
    }

    /// Returns the use of a folder of this mailbox.
    pub(super) fn use_of(&self, folder: &Folder) -> Option<SpecialUse> {
        folder.special_use.or_else(|| self.iter().find(|(_, path, _)| **path == folder.path).map(|it| it.0))
    }
}
