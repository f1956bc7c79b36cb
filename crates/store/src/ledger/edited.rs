//! Ledger data of edited messages. A row is removed together with the row of its message.

use std::collections::BTreeMap;

use mailhaul_engine::{LedgerRecord, MessageIdentity, MessageState, RepairRecord};
use mailhaul_mail::{Digest, Digests, Fingerprint, Sha256, Uid};

use crate::db::{
    checksum::{Cell, Checksum},
    columns::{octets, uid},
    error::Fault,
    sql::{self, Connection, Row},
};

/// Step of the schema that added the table.
pub(crate) const EDITS_SINCE: i64 = 5;

/// Writes the edits of the messages. Their own rows exist already.
pub(crate) async fn insert(
    connection: &mut Connection,
    folder: i64,
    records: &[LedgerRecord],
) -> Result<(), Fault> {
    // If a message has several records, the last one counts.
    let last: BTreeMap<Uid, Option<&RepairRecord>> = records.iter().filter_map(uid_and_edit).collect();
    for (uid, edited) in last {
        let Some(edited) = edited else { continue };
        let mut query = sql::query(
            "INSERT INTO edited (folder_id, uid, original_fingerprint, original_whole, original_text, \
             original_size, copy_fingerprint, copy_whole, copy_text, copy_size, sha256, edits, subject) \
             VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (folder_id, uid) DO UPDATE SET \
             original_fingerprint = excluded.original_fingerprint, original_whole = excluded.original_whole, \
             original_text = excluded.original_text, original_size = excluded.original_size, \
             copy_fingerprint = excluded.copy_fingerprint, copy_whole = excluded.copy_whole, \
             copy_text = excluded.copy_text, copy_size = excluded.copy_size, sha256 = excluded.sha256, \
             edits = excluded.edits, subject = excluded.subject",
        )
        .bind(folder)
        .bind(i64::from(uid.get()));
        for MessageIdentity { fingerprint, digests, size } in [&edited.original, &edited.copy] {
            query = query
                .bind(fingerprint.as_bytes().to_vec())
                .bind(digests.whole.as_bytes().to_vec())
                .bind(digests.text.as_bytes().to_vec())
                .bind(size.cast_signed());
        }
        query
            .bind(edited.sha256.as_bytes().to_vec())
            .bind(edited.edits.clone())
            .bind(edited.subject.clone())
            .execute(&mut *connection)
            .await?;
    }
    Ok(())
}

/// Removes the edits of these messages.
pub(crate) async fn delete(connection: &mut Connection, folder: i64, uids: Vec<i64>) -> Result<(), Fault> {
    let sql = "DELETE FROM edited WHERE folder_id = ? AND uid IN (SELECT value FROM json_each(?))";
    sql::query(sql).bind(folder).bind(uids).execute(connection).await?;
    Ok(())
}

fn uid_and_edit(record: &LedgerRecord) -> Option<(Uid, Option<&RepairRecord>)> {
    let LedgerRecord::Message { uid, state: Some(state), .. } = record else { return None };
    Some((*uid, in_state(state)))
}

/// Returns the edit in a message's state.
pub(crate) fn in_state(state: &MessageState) -> Option<&RepairRecord> {
    match state {
        MessageState::Repairing(edited) => Some(edited),
        MessageState::Done(copied) => copied.edited.as_deref(),
        MessageState::Intended | MessageState::Skipped(_) => None,
    }
}

/// Reads the edits of a folder's messages.
pub(crate) async fn all(
    connection: &mut Connection,
    folder: i64,
) -> Result<BTreeMap<Uid, RepairRecord>, Fault> {
    let rows = sql::query(
        "SELECT uid, original_fingerprint, original_whole, original_text, original_size, copy_fingerprint, copy_whole, \
         copy_text, copy_size, sha256, edits, subject FROM edited WHERE folder_id = ?",
    )
    .bind(folder)
    .fetch_all(connection)
    .await?;
    rows.iter().map(|row| Ok((uid(row.try_get(0)?)?, edited(row)?))).collect()
}

/// Computes the checksum of a row. The checksum of the message covers it.
pub(crate) fn checksum(edited: &RepairRecord) -> i64 {
    let mut checksum = Checksum::new("edited");
    for (name, likeness) in [("original", &edited.original), ("copy", &edited.copy)] {
        checksum.add(name, Cell::Bytes(likeness.fingerprint.as_bytes()));
        checksum.add("whole", Cell::Bytes(likeness.digests.whole.as_bytes()));
        checksum.add("text", Cell::Bytes(likeness.digests.text.as_bytes()));
        checksum.add("size", Cell::Number(likeness.size.cast_signed()));
    }
    checksum.add("sha256", Cell::Bytes(edited.sha256.as_bytes()));
    checksum.add("edits", Cell::Text(&edited.edits));
    checksum.add("subject", edited.subject.as_deref().map(Cell::Text));
    checksum.finish()
}

fn edited(row: &Row) -> Result<RepairRecord, Fault> {
    let sha256: &[u8] = row.try_get(9)?;
    Ok(RepairRecord {
        original: likeness(row, 1)?,
        copy: likeness(row, 5)?,
        sha256: Sha256::from_bytes(sha256.try_into().map_err(|_| Fault::Unreadable("SHA-256"))?),
        edits: row.try_get(10)?,
        subject: row.try_get(11)?,
    })
}

fn likeness(row: &Row, first: usize) -> Result<MessageIdentity, Fault> {
    let digest = |column| octets(row, column)?.ok_or(Fault::Unreadable("digest"));
    Ok(MessageIdentity {
        fingerprint: Fingerprint::from_bytes(digest(first)?),
        digests: Digests {
            whole: Digest::from_bytes(digest(first + 1)?),
            text: Digest::from_bytes(digest(first + 2)?),
        },
        size: row.try_get::<i64>(first + 3)?.cast_unsigned(),
    })
}
