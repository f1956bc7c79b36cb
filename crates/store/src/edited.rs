//! What the ledger knows of messages that were edited. The row goes with that of the message.

use std::collections::BTreeMap;

use mailhaul_engine::{Edited, Likeness, MessageState, Record};
use mailhaul_mail::{Digest, Digests, Fingerprint, Sha256, Uid};
use sqlx::{Row, SqliteConnection, sqlite::SqliteRow};

use crate::{
    error::Fault,
    load::{octets, uid},
};

/// The step of the schema that made the table.
pub(crate) const SINCE: i64 = 5;

/// Writes what the messages have of it; their own rows are there already.
pub(crate) async fn insert(
    connection: &mut SqliteConnection,
    folder: i64,
    records: &[Record],
) -> Result<(), Fault> {
    // Of several records of one message, the last is what is known.
    let last: BTreeMap<Uid, Option<&Edited>> = records.iter().filter_map(of).collect();
    for (uid, edited) in last {
        let Some(edited) = edited else { continue };
        let mut query = sqlx::query(
            "INSERT OR REPLACE INTO edited (folder_id, uid, original_fingerprint, original_whole, original_text, \
             original_size, copy_fingerprint, copy_whole, copy_text, copy_size, sha256, edits, subject) \
             VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        )
        .bind(folder)
        .bind(i64::from(uid.get()));
        for Likeness { fingerprint, digests, size } in [&edited.original, &edited.copy] {
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

fn of(record: &Record) -> Option<(Uid, Option<&Edited>)> {
    let Record::Message { uid, state: Some(state), .. } = record else { return None };
    let edited = match state {
        MessageState::Repairing(edited) => Some(&**edited),
        MessageState::Done(copied) => copied.edited.as_deref(),
        MessageState::Intended | MessageState::Skipped(_) => None,
    };
    Some((*uid, edited))
}

/// Puts what is known into the messages.
pub(crate) async fn attach(
    connection: &mut SqliteConnection,
    folder: i64,
    messages: &mut BTreeMap<Uid, MessageState>,
) -> Result<(), Fault> {
    let rows = sqlx::query(
        "SELECT uid, original_fingerprint, original_whole, original_text, original_size, copy_fingerprint, copy_whole, \
         copy_text, copy_size, sha256, edits, subject FROM edited WHERE folder_id = ?",
    )
    .bind(folder)
    .fetch_all(connection)
    .await?;
    for row in &rows {
        let Some(state) = messages.get_mut(&uid(row.try_get(0)?)?) else { continue };
        match state {
            MessageState::Intended => *state = MessageState::Repairing(Box::new(edited(row)?)),
            MessageState::Done(copied) => copied.edited = Some(Box::new(edited(row)?)),
            MessageState::Repairing(_) | MessageState::Skipped(_) => {}
        }
    }
    Ok(())
}

fn edited(row: &SqliteRow) -> Result<Edited, Fault> {
    let sha256: &[u8] = row.try_get(9)?;
    Ok(Edited {
        original: likeness(row, 1)?,
        copy: likeness(row, 5)?,
        sha256: Sha256::from_bytes(sha256.try_into().map_err(|_| Fault::Unreadable("SHA-256"))?),
        edits: row.try_get(10)?,
        subject: row.try_get(11)?,
    })
}

fn likeness(row: &SqliteRow, first: usize) -> Result<Likeness, Fault> {
    let digest = |column| octets(row, column)?.ok_or(Fault::Unreadable("digest"));
    Ok(Likeness {
        fingerprint: Fingerprint::from_bytes(digest(first)?),
        digests: Digests {
            whole: Digest::from_bytes(digest(first + 1)?),
            text: Digest::from_bytes(digest(first + 2)?),
        },
        size: row.try_get::<i64, _>(first + 3)?.cast_unsigned(),
    })
}
