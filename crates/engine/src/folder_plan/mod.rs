//! Targets of all folders, with the reasons. Pure: the same listings give the same plan, in any order.
//!
//! Decisions of earlier passes come first, then the operator's map, then special uses ([`uses`]), then names, spelled
//! so that the target can hold them ([`spelling`]). No two folders get one target folder unless the operator or an
//! earlier pass decided so.

mod changes;
mod occupied;
mod pattern;
mod rules;
mod selection;
mod spelling;
#[cfg(test)]
mod tests;
mod unmatched;
mod uses;

use std::collections::BTreeMap;

use mailhaul_mail::{FolderPath, SpecialUse};

pub(crate) use self::{
    changes::REMAINDER,
    spelling::{other_names, separate_names},
    unmatched::unmatched,
};
pub use self::{
    changes::why_scan,
    pattern::FolderPattern,
    rules::{FolderMapping, FolderRules},
    selection::Selection,
    unmatched::{FolderOption, Unmatched},
};
use self::{
    occupied::Occupied,
    spelling::{Level, Spelled, called, numbered, spelled, written, written_path},
    uses::{By, Uses},
};
use crate::{
    folder::{Folder, FolderStatus},
    ledger_state::FolderRecord,
    name_rules::NameRules,
};

/// Uses for which a mailbox has only one folder.
const USES: [SpecialUse; 5] =
    [SpecialUse::Sent, SpecialUse::Drafts, SpecialUse::Trash, SpecialUse::Junk, SpecialUse::Archive];

/// The target of a folder.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FolderPlan {
    /// On the source.
    pub source: FolderPath,
    /// On the target; `None` if the folder is left out.
    pub target: Option<FolderPath>,
    /// True if the user should be subscribed to it.
    pub subscribe: bool,
    /// The reason for the target.
    pub reason: String,
    /// The source folder's state, if the listing included it.
    pub status: Option<FolderStatus>,
}

/// Plans all folders of a mailbox.
///
/// `target` is the target's listing, and `names` its rules. Neither is needed if every folder is in `known` already.
pub fn plan_folders(
    source: &[Folder],
    target: &[Folder],
    names: &NameRules,
    rules: &FolderRules,
    known: &[FolderRecord],
) -> Vec<FolderPlan> {
    let selection = Selection::new(source, rules, known);
    let mut folders: Vec<&Folder> = source.iter().collect();
    folders.sort_by(|a, b| a.path.cmp(&b.path));
    let left_out: BTreeMap<&FolderPath, String> =
        folders.iter().filter_map(|it| Some((&it.path, selection.left_out(it)?))).collect();
    let carried: Vec<&Folder> =
        folders.iter().filter(|it| !left_out.contains_key(&it.path)).copied().collect();
    let (views, carried): (Vec<&Folder>, Vec<&Folder>) =
        carried.into_iter().partition(|it| selection.is_view(it));
    let own = carried.iter().map(|it| spelled(&called(&it.path), names).path);
    let mut placing = Placing {
        selection: &selection,
        names,
        occupied: Occupied::new(names, target, own),
        decided: BTreeMap::new(),
    };
    placing.keep_known(&carried);
    placing.obey_map(&carried);
    let on_target = Uses::new(target);
    placing.match_uses(&carried, &on_target);
    placing.keep_names(&carried);
    placing.place_views(&views, target, &on_target);
    let mut decided = placing.decided;
    let plan = |folder: &&Folder| {
        let (target, reason) = match left_out.get(&folder.path) {
            Some(reason) => (None, reason.clone()),
            None => decided
                .remove(&folder.path)
                .map_or_else(|| (None, String::new()), |(target, reason)| (Some(target), reason)),
        };
        FolderPlan {
            source: folder.path.clone(),
            target,
            subscribe: folder.subscribed,
            reason,
            status: folder.status,
        }
    };
    folders.iter().map(plan).collect()
}

/// Target folders that are assigned step by step.
struct Placing<'a> {
    selection: &'a Selection<'a>,
    names: &'a NameRules,
    occupied: Occupied<'a>,
    /// Target folder and reason, by source folder.
    decided: BTreeMap<FolderPath, (FolderPath, String)>,
}

impl Placing<'_> {
    fn decide(&mut self, source: &FolderPath, target: FolderPath, reason: String) {
        self.occupied.take(&target, source);
        self.decided.insert(source.clone(), (target, reason));
    }

    fn keep_known(&mut self, carried: &[&Folder]) {
        for folder in carried {
            let Some(record) = self.selection.known(&folder.path) else { continue };
            let mapped = self.selection.rules.wanted(&folder.path);
            let reason = match mapped.filter(|it| *it != record.target) {
                None => "as in the last pass".to_owned(),
                Some(other) => format!(
                    "as in the last pass; the operator's map says \"{other}\", which comes too late: its mail is there"
                ),
            };
            self.decide(&folder.path, record.target.clone(), reason);
        }
    }

    fn obey_map(&mut self, carried: &[&Folder]) {
        const BY_MAP: &str = "mapped by the operator";
        // Two folders get one target folder only if the operator wrote both.
        let mut by_map: BTreeMap<FolderPath, FolderPath> = BTreeMap::new();
        for folder in carried {
            let Some(wanted) = self.selection.rules.wanted(&folder.path) else { continue };
            if self.decided.contains_key(&folder.path) {
                continue;
            }
            if let Some(target) = by_map.get(&wanted) {
                let (target, reason) = (target.clone(), BY_MAP.to_owned());
                self.decided.insert(folder.path.clone(), (target, reason));
                continue;
            }
            let (target, reason) = self.place(&written(&wanted, self.names), Some(BY_MAP.to_owned()));
            by_map.insert(wanted, target.clone());
            self.decide(&folder.path, target, reason);
        }
    }

    fn match_uses(&mut self, carried: &[&Folder], on_target: &Uses) {
        let listed: BTreeMap<&FolderPath, &Folder> = carried.iter().map(|it| (&it.path, *it)).collect();
        for special_use in USES {
            let Some((path, by)) = self.selection.uses.folder(special_use) else { continue };
            let Some((target, target_by)) = on_target.folder(special_use) else { continue };
            let is_open = listed.contains_key(path) && !self.decided.contains_key(path);
            // A guess must not displace a folder with the name of the target's.
            let drives_out = path != target
                && (by, target_by) != (By::Attribute, By::Attribute)
                && listed.contains_key(target);
            if !is_open || drives_out || self.occupied.by(target).is_some() {
                continue;
            }
            let reason = match (by, target_by) {
                (By::Attribute, By::Attribute) => format!("both servers say {special_use}"),
                _ if path == target => "same name".to_owned(),
                (By::Name, By::Attribute) => {
                    format!("its name means {special_use}, and the target says so of this folder")
                }
                (By::Attribute, By::Name) => {
                    format!("the source says {special_use}, and the name of the target's folder means it")
                }
                (By::Name, By::Name) => format!("both names mean {special_use}"),
            };
            let (path, target) = (path.clone(), target.clone());
            self.decide(&path, target, reason);
        }
    }

    /// Assigns names, parents before children, because children follow their parents.
    fn keep_names(&mut self, carried: &[&Folder]) {
        for folder in carried {
            if self.decided.contains_key(&folder.path) {
                continue;
            }
            let (target, reason) = match self.above(&folder.path) {
                Some((above, wanted)) => self.place(&wanted, Some(format!("below \"{above}\""))),
                None => self.place(&called(&folder.path), None),
            };
            self.decide(&folder.path, target, reason);
        }
    }

    /// Assigns target folders to views; only messages in no other folder are copied there.
    ///
    /// Those of `\All` are archived mail. The other views may be folders of their own (RFC 8457).
    fn place_views(&mut self, views: &[&Folder], target: &[Folder], on_target: &Uses) {
        for folder in views {
            let use_of = folder.special_use.map_or_else(String::new, |it| it.to_string());
            let reason = format!("{use_of}: a view; only messages that are in no other folder are copied");
            let own = spelled(&called(&folder.path), self.names).path;
            let is_view_there = |it: &Folder| {
                it.path == own && (!it.selectable || it.special_use.is_some_and(SpecialUse::is_view))
            };
            if let Some(record) = self.selection.known(&folder.path) {
                self.decided.insert(folder.path.clone(), (record.target.clone(), reason));
            } else if folder.special_use == Some(SpecialUse::All) || target.iter().any(is_view_there) {
                // Other folders may go there too: the target folder is not taken.
                self.decided.insert(folder.path.clone(), (self.archive(on_target), reason));
            } else {
                let (place, reason) = self.place(&called(&folder.path), Some(reason));
                self.decide(&folder.path, place, reason);
            }
        }
    }

    /// Returns the target folder for archived mail: that of the source's archive, else the target's archive.
    fn archive(&self, on_target: &Uses) -> FolderPath {
        let of_source = self.selection.uses.folder(SpecialUse::Archive);
        let decided = of_source.and_then(|(path, _)| self.decided.get(path)).map(|(target, _)| target);
        let there = decided.or_else(|| on_target.folder(SpecialUse::Archive).map(|(path, _)| path)).cloned();
        there.unwrap_or_else(|| {
            let name = [Level::Called("Archive".to_owned())];
            self.occupied.as_existing(spelled(&name, self.names).path)
        })
    }

    /// Returns the nearest decided parent if its target has another name, and the wanted target path of this folder
    /// below it.
    ///
    /// A folder that the operator mapped alone does not take its children with it.
    fn above(&self, path: &FolderPath) -> Option<(FolderPath, Vec<Level>)> {
        let mut above = path.parent()?;
        let target = loop {
            match self.decided.get(&above) {
                Some((target, _)) if self.selection.rules.mapped(&above).is_none() => break target,
                Some(_) => return None,
                None => above = above.parent()?,
            }
        };
        if *target == spelled(&called(&above), self.names).path {
            return None;
        }
        let rest = path.segments().get(above.segments().len()..)?.iter().cloned().map(Level::Called);
        Some((above, target.segments().iter().cloned().map(Level::Of).chain(rest).collect()))
    }

    /// Returns the folder that the operator wrote, if the target has it and would not accept a new one of that name.
    fn there(&self, wanted: &[Level]) -> Option<Spelled> {
        let path = written_path(wanted)?;
        let is_there = !self.names.roots.is_empty() && self.occupied.has(&path);
        is_there.then_some(Spelled { path, why: Vec::new() })
    }

    /// Assigns a free target folder for `wanted`, spelled for the target.
    ///
    /// `why` is the reason for the wish; without one it is the folder's own name.
    fn place(&self, wanted: &[Level], why: Option<String>) -> (FolderPath, String) {
        let first = self.there(wanted).unwrap_or_else(|| spelled(wanted, self.names));
        let path = self.occupied.as_existing(first.path.clone());
        let mut reasons: Vec<String> = why.into_iter().chain(first.why).collect();
        if path != first.path {
            reasons.push(format!("the target has it as \"{path}\""));
        }
        let Some(other) = self.occupied.by(&path) else {
            let reason = if reasons.is_empty() { "same name".to_owned() } else { reasons.join("; ") };
            return (path, reason);
        };
        reasons.push(format!("the place \"{path}\" is taken by \"{other}\""));
        let numbers = (2usize..).map(|number| spelled(&numbered(wanted, number), self.names).path);
        let free = numbers.map(|it| self.occupied.as_existing(it)).find(|it| self.occupied.is_free(it));
        (free.unwrap_or(path), reasons.join("; "))
    }
}
