//! Texts of a ledger on a server, which cannot hold NUL.

use mailhaul_engine::{LedgerRecord, MessageState, RepairRecord};
use mailhaul_mail::{Flags, FolderPath};

use crate::db::sql::{self, Connection};

/// Replaces each NUL in the record by its picture (U+2400).
///
/// The checksum of a message is computed from the record. It must be that of the stored texts.
pub(crate) fn replace_nul(record: &mut LedgerRecord) {
    let state = match record {
        LedgerRecord::Settled { rules, .. } => return replace(rules),
        LedgerRecord::Message { state: Some(state), .. } => state,
        _ => return,
    };
    match state {
        MessageState::Intended => {}
        MessageState::Repairing(edited) => replace_in_edit(edited),
        MessageState::Skipped(reason) => replace(reason),
        MessageState::Done(copied) => {
            replace_in_flags(&mut copied.flags);
            copied.pending_flags.iter_mut().for_each(replace_in_flags);
            copied.edited.as_deref_mut().into_iter().for_each(replace_in_edit);
        }
    }
}

fn replace_in_edit(edited: &mut RepairRecord) {
    replace(&mut edited.edits);
    edited.subject.iter_mut().for_each(replace);
}

fn replace_in_flags(flags: &mut Flags) {
    if flags.iter().any(|name| name.contains('\0')) {
        let names: Vec<String> = flags.iter().map(|name| sql::without_nul(name.to_owned())).collect();
        *flags = names.iter().map(String::as_str).collect();
    }
}

fn replace(text: &mut String) {
    *text = sql::without_nul(std::mem::take(text));
}

/// Returns the path of a folder as its ledger has it.
///
/// A NUL is written as `\0` on a server: two folders must never have one name.
pub(crate) fn folder_text(connection: &Connection, path: &FolderPath) -> String {
    let text = path.to_string();
    if connection.is_shared() && text.contains('\0') { text.replace('\0', "\\0") } else { text }
}
