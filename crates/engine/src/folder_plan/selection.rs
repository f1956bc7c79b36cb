//! Which folders are carried at all.

use std::collections::BTreeMap;

use mailhaul_mail::{FolderPath, SpecialUse};

use super::{
    rules::{FolderRules, Mapped},
    uses::Uses,
};
use crate::{
    folder::{Folder, LeaveOut},
    record::FolderRecord,
};

/// A mailbox as listed, what the operator wants of it, and what is remembered of it.
pub struct Selection<'a> {
    pub(super) source: &'a [Folder],
    pub(super) rules: &'a FolderRules,
    pub(super) uses: Uses,
    known: BTreeMap<&'a FolderPath, &'a FolderRecord>,
}

impl<'a> Selection<'a> {
    /// Of this listing. What is `known` goes on even where nobody would begin with it today.
    pub fn new(source: &'a [Folder], rules: &'a FolderRules, known: &'a [FolderRecord]) -> Self {
        let known = known.iter().map(|it| (&it.folder, it)).collect();
        Self { source, rules, uses: Uses::of(source), known }
    }

    /// What an earlier pass did with the folder.
    pub(crate) fn known(&self, path: &FolderPath) -> Option<&'a FolderRecord> {
        self.known.get(path).copied()
    }

    /// Why the folder is left out, if it is: by its nature, or by the operator's rules.
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
        if included || mapped.is_some() || self.known(&folder.path).is_some() {
            return None;
        }
        if let Some(LeaveOut::UnlessWanted(reason)) = &folder.leave_out {
            return Some(reason.clone());
        }
        self.repeats(folder)
    }

    /// A view shows what other folders hold. Where no other folder holds anything, it is the only place.
    fn repeats(&self, folder: &Folder) -> Option<String> {
        let special_use = folder.special_use.filter(|it| it.is_view())?;
        let others = self.source.iter().filter(|it| {
            it.selectable && it.leave_out.is_none() && !it.special_use.is_some_and(SpecialUse::is_view)
        });
        let counts: Vec<Option<u32>> = others.map(|it| it.status.map(|it| it.messages)).collect();
        if counts.iter().all(|it| *it == Some(0)) {
            return None;
        }
        let there = folder.status.map_or(0, |it| u64::from(it.messages));
        let elsewhere: Option<u64> = counts.iter().map(|it| it.map(u64::from)).sum();
        let reason = format!("{special_use}: a view of messages that are in other folders");
        Some(match elsewhere {
            Some(elsewhere) if there > elsewhere => format!(
                "{reason}; it shows {there}, and the others hold {elsewhere}: include it by its name to carry it too"
            ),
            _ => reason,
        })
    }
}
