//! Detection of folders that changed since the last pass.

use crate::{folder::FolderStatus, ledger_state::FolderRecord};

/// End of the rules of a view from which only messages in no other folder were copied.
pub(crate) const REMAINDER: &str = "; only what is in no other folder";

/// Returns the reason to scan a folder; `None` if its state is that of the last settled pass.
pub fn why_scan(status: Option<&FolderStatus>, record: Option<&FolderRecord>, rules: &str) -> Option<String> {
    let Some(record) = record else { return Some("first pass".to_owned()) };
    let Some(cursor) = &record.cursor else { return Some("the last pass did not finish".to_owned()) };
    let Some(now) = status else {
        return Some("the server returns no state without opening the folder".to_owned());
    };
    let then = &cursor.status;
    if record.append_start.is_some() {
        return Some("the last pass did not finish".to_owned());
    }
    if record.waiting.is_some() {
        return Some("copies wait to be removed".to_owned());
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
        _ => return Some("the server does not report flag changes (no CONDSTORE)".to_owned()),
    }
    if record.rules != rules {
        return Some("the operator's filters changed".to_owned());
    }
    (cursor.skipped > 0).then(|| format!("{} skipped messages are tried again", cursor.skipped))
}

#[cfg(test)]
mod tests {
    use mailhaul_mail::{FolderPath, ModSeq, Uid, UidValidity};

    use super::*;
    use crate::folder::Cursor;

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
            append_start: None,
            cursor: Some(Cursor { status: settled, skipped: 0, excluded: 0 }),
            rules: "r".into(),
            target_next: None,
            waiting: None,
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
