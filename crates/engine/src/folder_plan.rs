//! Which folder goes where, and why. A pure function.

use std::fmt;

use mailhaul_mail::{FolderPath, SpecialUse};

use crate::{
    folder::{Folder, FolderStatus},
    name_rules::{Levels, NameRules},
    record::FolderRecord,
};

/// A folder name as operators write it: `Name`, `Name/*` for the folder and all below, `#Inbox#` and its like for a
/// folder by its use.
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
    /// Reads what an operator wrote. A `#Name#` that is not known is an error, because a typo would match nothing.
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

    fn matches(&self, folder: &Folder) -> bool {
        let path = match &self.base {
            Base::Path(path) => path,
            Base::Inbox => &FolderPath::inbox(),
            Base::Use(special_use) => return folder.special_use == Some(*special_use),
        };
        if self.below { folder.path.is_within(path) } else { folder.path == *path }
    }
}

impl fmt::Display for FolderPattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

/// What the operator wants of folders.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct FolderRules {
    /// Only these; all where empty.
    pub include: Vec<FolderPattern>,
    /// Not these.
    pub exclude: Vec<FolderPattern>,
    /// These go there.
    pub map: Vec<(FolderPath, FolderPath)>,
}

/// Where a folder goes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FolderPlan {
    /// On the source.
    pub source: FolderPath,
    /// On the target; `None` where it is left out.
    pub target: Option<FolderPath>,
    /// Whether the user shall see it subscribed.
    pub subscribe: bool,
    /// Why.
    pub reason: String,
    /// The source folder's state, where the listing gave it.
    pub status: Option<FolderStatus>,
}

/// Plans all folders of a mailbox. `target` is the target's listing; it is not needed where every folder is in
/// `known` already.
pub fn plan_folders(
    source: &[Folder],
    target: &[Folder],
    names: &NameRules,
    rules: &FolderRules,
    known: &[FolderRecord],
) -> Vec<FolderPlan> {
    let mut plans: Vec<FolderPlan> =
        source.iter().map(|folder| plan_folder(folder, target, names, rules, known)).collect();
    plans.sort_by(|a, b| a.source.cmp(&b.source));
    plans
}

/// Why the folder is left out, if it is: by its nature, or by the operator's rules.
pub fn left_out(folder: &Folder, rules: &FolderRules) -> Option<String> {
    if !folder.selectable {
        return Some("holds no messages".to_owned());
    }
    if let Some(reason) = &folder.leave_out {
        return Some(reason.clone());
    }
    if let Some(pattern) = rules.exclude.iter().find(|pattern| pattern.matches(folder)) {
        return Some(format!("excluded by \"{pattern}\""));
    }
    let included = rules.include.is_empty() || rules.include.iter().any(|pattern| pattern.matches(folder));
    (!included).then(|| "not among the included folders".to_owned())
}

fn plan_folder(
    folder: &Folder,
    target: &[Folder],
    names: &NameRules,
    rules: &FolderRules,
    known: &[FolderRecord],
) -> FolderPlan {
    let plan = |target: Option<FolderPath>, reason: String| FolderPlan {
        source: folder.path.clone(),
        target,
        subscribe: folder.subscribed,
        reason,
        status: folder.status,
    };
    if let Some(reason) = left_out(folder, rules) {
        return plan(None, reason);
    }
    if let Some((_, to)) = rules.map.iter().find(|(from, _)| *from == folder.path) {
        return plan(Some(to.clone()), "mapped by the operator".to_owned());
    }
    if let Some(record) = known.iter().find(|record| record.folder == folder.path) {
        return plan(Some(record.target.clone()), "as in the last pass".to_owned());
    }
    if let Some(special_use) = folder.special_use
        && let Some(same) = target.iter().find(|it| it.selectable && it.special_use == Some(special_use))
    {
        return plan(Some(same.path.clone()), format!("both servers say {special_use}"));
    }
    match names.levels {
        Levels::Separated(delimiter)
            if folder.path.segments().iter().any(|segment| segment.contains(delimiter)) =>
        {
            let segments = folder.path.segments().iter().map(|segment| segment.replace(delimiter, "_"));
            let reason = format!("the target's names cannot hold \"{delimiter}\"");
            plan(Some(FolderPath::new(segments)), reason)
        }
        _ => plan(Some(folder.path.clone()), "same name".to_owned()),
    }
}

/// Why a folder must be looked into; `None` when its state is that of the last settled pass.
pub fn why_scan(status: Option<&FolderStatus>, record: Option<&FolderRecord>, rules: &str) -> Option<String> {
    let Some(record) = record else { return Some("first pass".to_owned()) };
    let Some(cursor) = &record.cursor else { return Some("the last pass did not finish".to_owned()) };
    let Some(now) = status else { return Some("the server gives no state without opening it".to_owned()) };
    let then = &cursor.status;
    if record.floor.is_some() {
        return Some("the last pass did not finish".to_owned());
    }
    if now.uid_validity != then.uid_validity {
        return Some(format!("UIDVALIDITY changed: {} -> {}", then.uid_validity, now.uid_validity));
    }
    if now.uid_next != then.uid_next {
        let number = |uid: Option<mailhaul_mail::Uid>| uid.map_or("none".to_owned(), |uid| uid.to_string());
        return Some(format!("UIDNEXT changed: {} -> {}", number(then.uid_next), number(now.uid_next)));
    }
    if now.messages != then.messages {
        return Some(format!("message count changed: {} -> {}", then.messages, now.messages));
    }
    match (then.highest_modseq, now.highest_modseq) {
        (Some(then), Some(now)) if then == now => {}
        (Some(then), Some(now)) => return Some(format!("HIGHESTMODSEQ changed: {then} -> {now}")),
        _ => return Some("the server does not tell flag changes (no CONDSTORE)".to_owned()),
    }
    if record.rules != rules {
        return Some("the operator's filters changed".to_owned());
    }
    (cursor.skipped > 0).then(|| format!("{} skipped messages are tried again", cursor.skipped))
}

#[cfg(test)]
mod tests {
    use mailhaul_mail::{ModSeq, Uid, UidValidity};

    use super::*;
    use crate::folder::Cursor;

    fn folder(path: &str, special_use: Option<SpecialUse>) -> Folder {
        Folder {
            path: FolderPath::parse(path),
            special_use,
            selectable: true,
            subscribed: true,
            status: None,
            leave_out: None,
        }
    }

    fn planned(
        source: &Folder,
        target: &[Folder],
        delimiter: Option<char>,
        rules: &FolderRules,
    ) -> (String, String) {
        let plan =
            plan_folders(std::slice::from_ref(source), target, &NameRules::separated(delimiter), rules, &[])
                .remove(0);
        (plan.target.map_or("-".to_owned(), |path| path.to_string()), plan.reason)
    }

    #[test]
    fn every_folder_has_a_place_and_a_reason() {
        let none = FolderRules::default();
        let sent = folder("Sent Items", Some(SpecialUse::Sent));
        let target = [folder("Gesendet", Some(SpecialUse::Sent))];
        assert_eq!(
            planned(&sent, &target, None, &none),
            ("Gesendet".into(), "both servers say \\Sent".into())
        );
        assert_eq!(planned(&folder("a/b", None), &target, None, &none).0, "a/b");
        assert_eq!(planned(&folder("a.b/c", None), &target, Some('.'), &none).0, "a_b/c");
        let rules = FolderRules {
            include: vec![],
            exclude: vec![FolderPattern::parse("#Sent#").unwrap(), FolderPattern::parse("Old/*").unwrap()],
            map: vec![(FolderPath::parse("x"), FolderPath::parse("y/z"))],
        };
        assert_eq!(planned(&sent, &target, None, &rules).0, "-");
        assert_eq!(planned(&folder("Old", None), &[], None, &rules).0, "-");
        assert_eq!(planned(&folder("Old/2020", None), &[], None, &rules).0, "-");
        assert_eq!(planned(&folder("Older", None), &[], None, &rules).0, "Older");
        assert_eq!(planned(&folder("x", None), &[], None, &rules).0, "y/z");
        let only = FolderRules { include: vec![FolderPattern::parse("#INBOX#").unwrap()], ..none };
        assert_eq!(planned(&folder("inbox", None), &[], None, &only).0, "INBOX");
        assert_eq!(planned(&sent, &[], None, &only).0, "-");
        assert!(FolderPattern::parse("#Inbx#").unwrap_err().contains("#inbox#"));
    }

    #[test]
    fn a_folder_is_opened_only_for_a_reason() {
        let status = |next, messages, modseq| FolderStatus {
            messages,
            uid_validity: UidValidity::new(1).unwrap(),
            uid_next: Uid::new(next),
            highest_modseq: modseq,
        };
        let settled = status(10, 5, Some(ModSeq(3)));
        let mut record = FolderRecord {
            folder: FolderPath::inbox(),
            target: FolderPath::inbox(),
            uid_validity: settled.uid_validity,
            target_validity: None,
            floor: None,
            cursor: Some(Cursor { status: settled, skipped: 0, excluded: 0 }),
            rules: "r".into(),
        };
        let why =
            |status: &FolderStatus, record: &FolderRecord, rules| why_scan(Some(status), Some(record), rules);
        assert_eq!(why(&settled, &record, "r"), None);
        assert_eq!(why(&status(11, 5, Some(ModSeq(3))), &record, "r").unwrap(), "UIDNEXT changed: 10 -> 11");
        assert_eq!(
            why(&status(10, 4, Some(ModSeq(3))), &record, "r").unwrap(),
            "message count changed: 5 -> 4"
        );
        assert_eq!(
            why(&status(10, 5, Some(ModSeq(4))), &record, "r").unwrap(),
            "HIGHESTMODSEQ changed: 3 -> 4"
        );
        assert!(why(&status(10, 5, None), &record, "r").is_some());
        assert!(why(&settled, &record, "other").is_some());
        assert!(why_scan(None, Some(&record), "r").is_some());
        record.cursor = Some(Cursor { status: settled, skipped: 2, excluded: 0 });
        assert!(why(&settled, &record, "r").unwrap().contains("2 skipped"));
    }
}
