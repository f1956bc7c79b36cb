//! Target folders that are taken, by the target's rules for equal names.

use std::collections::{BTreeMap, BTreeSet};

use mailhaul_mail::{FolderPath, ignoring_case, normalized};

use crate::{
    folder::Folder,
    name_rules::{NameRules, SameName},
};

/// Names that are equal for the target have one key.
type Key = Vec<String>;

pub(super) struct Occupied<'a> {
    same: SameName,
    /// The first source folder that goes there.
    taken: BTreeMap<Key, FolderPath>,
    /// Own names of source folders. A numbered name must not equal one of these.
    own: BTreeSet<Key>,
    /// The target's folders.
    existing: BTreeMap<Key, &'a FolderPath>,
    exactly: BTreeSet<&'a FolderPath>,
}

impl<'a> Occupied<'a> {
    pub(super) fn new(
        rules: &NameRules,
        target: &'a [Folder],
        own: impl Iterator<Item = FolderPath>,
    ) -> Self {
        let same = rules.same;
        let mut listed: Vec<&FolderPath> = target.iter().map(|it| &it.path).collect();
        listed.sort();
        let mut existing = BTreeMap::new();
        for path in &listed {
            existing.entry(key(path, same)).or_insert(*path);
        }
        let own = own.map(|it| key(&it, same)).collect();
        Self { same, taken: BTreeMap::new(), own, existing, exactly: listed.into_iter().collect() }
    }

    /// Returns the spelling of a folder that the target has already, else the path unchanged.
    pub(super) fn as_existing(&self, path: FolderPath) -> FolderPath {
        match self.existing.get(&key(&path, self.same)) {
            Some(there) if !self.exactly.contains(&path) => (*there).clone(),
            _ => path,
        }
    }

    /// True if the target has a folder of exactly this name.
    pub(super) fn has(&self, path: &FolderPath) -> bool {
        self.exactly.contains(path)
    }

    /// Returns the source folder that goes there.
    pub(super) fn by(&self, target: &FolderPath) -> Option<&FolderPath> {
        self.taken.get(&key(target, self.same))
    }

    /// True if no folder goes there, and no source folder has this name.
    pub(super) fn is_free(&self, target: &FolderPath) -> bool {
        let key = key(target, self.same);
        !self.taken.contains_key(&key) && !self.own.contains(&key)
    }

    pub(super) fn take(&mut self, target: &FolderPath, source: &FolderPath) {
        self.taken.entry(key(target, self.same)).or_insert_with(|| source.clone());
    }
}

fn key(path: &FolderPath, same: SameName) -> Key {
    let level = |it: &String| match same {
        SameName::Exact => it.clone(),
        SameName::Normalized => normalized(it),
        SameName::IgnoringCase => ignoring_case(it),
    };
    path.segments().iter().map(level).collect()
}
