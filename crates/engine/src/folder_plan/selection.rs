//! Selection of the folders that are copied at all.

use std::collections::BTreeMap;

use mailhaul_mail::{FolderPath, SpecialUse};

use super::{
    changes::REMAINDER,
    rules::{FolderRules, Mapped},
    uses::Uses,
};
use crate::{
    folder::{Folder, LeaveOut},
    ledger_state::FolderRecord,
};

/// A mailbox as listed, with the operator's rules and the records of earlier passes.
pub struct Selection<'a> {
    pub(super) rules: &'a FolderRules,
    pub(super) uses: Uses,
    known: BTreeMap<&'a FolderPath, &'a FolderRecord>,
}

impl<'a> Selection<'a> {
    /// Creates the selection for this listing.
    ///
    /// A folder in `known` is copied even if its listing says `UnlessWanted`; the operator's rules still apply.
    pub fn new(source: &[Folder], rules: &'a FolderRules, known: &'a [FolderRecord]) -> Self {
        let known = known.iter().map(|it| (&it.folder, it)).collect();
        Self { rules, uses: Uses::new(source), known }
    }

    /// Returns the record of an earlier pass.
    pub(crate) fn known(&self, path: &FolderPath) -> Option<&'a FolderRecord> {
        self.known.get(path).copied()
    }

    /// Returns the reason to leave the folder out, if there is one: its nature, or the operator's rules.
    pub fn left_out(&self, folder: &Folder) -> Option<String> {
        if !folder.selectable {
            return Some("holds no messages".to_owned());
        }
        if let Some(LeaveOut::Always(reason)) = &folder.leave_out {
            return Some(reason.clone());
        }
        if let Some(pattern) = self.rules.exclude.iter().find(|it| it.matches(folder, &self.uses)) {
            return Some(format!("excluded by \"{pattern}\""));
        }
        let mapped = self.rules.mapped(&folder.path);
        if mapped == Some(Mapped::LeftOut) {
            return Some("left out by the operator's map".to_owned());
        }
        let included = self.rules.include.iter().any(|it| it.matches(folder, &self.uses));
        if !self.rules.include.is_empty() && !included {
            return Some("not among the included folders".to_owned());
        }
        if included || self.rules.names(&folder.path) || self.known(&folder.path).is_some() {
            return None;
        }
        match &folder.leave_out {
            Some(LeaveOut::UnlessWanted(reason)) => Some(reason.clone()),
            _ => None,
        }
    }

    /// True if only messages of the folder that are in no other folder are copied.
    ///
    /// Such a folder is a view that the operator does not name, and that no earlier pass copied whole.
    pub(crate) fn is_view(&self, folder: &Folder) -> bool {
        let is_whole = |it: &FolderRecord| !it.rules.is_empty() && !it.rules.ends_with(REMAINDER);
        folder.special_use.is_some_and(SpecialUse::is_view)
            && !self.rules.include.iter().any(|it| it.matches(folder, &self.uses))
            && !self.rules.names(&folder.path)
            && !self.known(&folder.path).is_some_and(is_whole)
    }
}
