//! Writes ledger records as SQL.
//!
//! Invariant: the rows mean exactly what [`FolderState::apply`](mailhaul_engine::FolderState::apply) makes of
//! the records.

use std::{borrow::Cow, collections::BTreeMap};

use mailhaul_engine::{AppendStart, Cursor, LedgerRecord, RepairRecord, WaitingDeletions};
use mailhaul_mail::{FolderPath, Uid, UidSet, UidValidity};
use sqlx::{QueryBuilder, Row, Sqlite, SqliteConnection};

use crate::{
    checksum::check_row,
    edited,
    error::Fault,
    ledger_rows,
    message_row::MessageRow,
    tally::{RowTally, list},
};

/// Rows of one statement. Fourteen columns each stay well under `SQLite`'s limit of 32,766 parameters.
const ROWS_PER_STATEMENT: usize = 250;

/// Writes the records of one mailbox.
///
/// The caller's transaction makes them all or none.
pub(crate) async fn apply(
    connection: &mut SqliteConnection,
    mailbox: i64,
    records: &[LedgerRecord],
) -> Result<(), Fault> {
    let mut rest = records;
    while let Some(first) = rest.first() {
        let alike = rest.iter().take_while(|record| same_statement(first, record)).count().max(1);
        let (run, after) = rest.split_at(alike);
        rest = after;
        if let LedgerRecord::Opened { folder, target, uid_validity } = first {
            open(connection, mailbox, folder, target, *uid_validity).await?;
            continue;
        }
        let folder = folder_id(connection, mailbox, first.folder()).await?;
        match first {
            LedgerRecord::Closed { .. } => {
                forget(connection, mailbox, folder).await?;
                continue;
            }
            LedgerRecord::Opened { .. } => {}
            LedgerRecord::Intended { append_start, uids, .. } => {
                intend(connection, folder, *append_start, uids).await?;
            }
            LedgerRecord::Message { state: Some(_), .. } => insert(connection, folder, run).await?,
            LedgerRecord::Message { state: None, .. } => delete(connection, folder, run).await?,
            LedgerRecord::TargetValidity { uid_validity, .. } => {
                sqlx::query(
                    "UPDATE folder SET target_validity = ?, cursor_messages = NULL, cursor_uid_validity = NULL, \
                     cursor_uid_next = NULL, cursor_highest_modseq = NULL, cursor_skipped = NULL, \
                     cursor_excluded = NULL, target_next = NULL WHERE id = ?",
                )
                    .bind(uid_validity.get().cast_signed())
                    .bind(folder)
                    .execute(&mut *connection)
                    .await?;
            }
            LedgerRecord::Renamed { to, target, .. } => {
                sqlx::query("UPDATE folder SET source = ?, target = ? WHERE id = ?")
                    .bind(to.to_string())
                    .bind(target.to_string())
                    .bind(folder)
                    .execute(&mut *connection)
                    .await?;
            }
            LedgerRecord::Settled { cursor, rules, target_next, .. } => {
                settle(connection, folder, cursor, rules, *target_next).await?;
            }
            LedgerRecord::Waiting { waiting, .. } => wait(connection, folder, waiting).await?,
        }
        ledger_rows::stamp_folder(connection, folder).await?;
    }
    Ok(())
}

/// True if one statement can write both records.
///
/// They are of one folder, and either both are kept or both are forgotten.
fn same_statement(first: &LedgerRecord, other: &LedgerRecord) -> bool {
    match (first, other) {
        (
            LedgerRecord::Message { folder, state, .. },
            LedgerRecord::Message { folder: other, state: its, .. },
        ) => state.is_some() == its.is_some() && folder == other,
        _ => false,
    }
}

/// Returns the id of a folder, after a check of its row.
async fn folder_id(
    connection: &mut SqliteConnection,
    mailbox: i64,
    folder: &FolderPath,
) -> Result<i64, Fault> {
    let name = folder.to_string();
    let row = ledger_rows::folder(connection, mailbox, &name).await?.ok_or(Fault::NotOpened(name))?;
    check_row("folder", &row)?;
    Ok(row.try_get("id")?)
}

async fn open(
    connection: &mut SqliteConnection,
    mailbox: i64,
    folder: &FolderPath,
    target: &FolderPath,
    uid_validity: UidValidity,
) -> Result<(), Fault> {
    let (source, target) = (folder.to_string(), target.to_string());
    let validity = uid_validity.get().cast_signed();
    if let Some(known) = ledger_rows::folder(connection, mailbox, &source).await? {
        check_row("folder", &known)?;
        let its_target: &str = known.try_get("target")?;
        if its_target == target && known.try_get::<i64, _>("uid_validity")? == validity {
            return Ok(());
        }
        // A new row instead of fourteen columns that are set back: no column can be forgotten here.
        forget(connection, mailbox, known.try_get("id")?).await?;
    }
    let id = sqlx::query_scalar(
        "INSERT INTO folder (mailbox_id, source, target, uid_validity) VALUES (?, ?, ?, ?) RETURNING id",
    )
    .bind(mailbox)
    .bind(source)
    .bind(target)
    .bind(validity)
    .fetch_one(&mut *connection)
    .await?;
    ledger_rows::stamp_folder(connection, id).await?;
    ledger_rows::count_folders(connection, mailbox, 1).await
}

async fn forget(connection: &mut SqliteConnection, mailbox: i64, folder: i64) -> Result<(), Fault> {
    sqlx::query("DELETE FROM message WHERE folder_id = ?").bind(folder).execute(&mut *connection).await?;
    sqlx::query("DELETE FROM folder WHERE id = ?").bind(folder).execute(&mut *connection).await?;
    ledger_rows::count_folders(connection, mailbox, -1).await
}

async fn intend(
    connection: &mut SqliteConnection,
    folder: i64,
    append_start: AppendStart,
    uids: &UidSet,
) -> Result<(), Fault> {
    sqlx::query(
        "UPDATE folder SET floor_validity = coalesce(floor_validity, ?1), \
         floor_uid_next = coalesce(floor_uid_next, ?2), \
         target_validity = coalesce(target_validity, ?1) WHERE id = ?3",
    )
    .bind(append_start.uid_validity.get().cast_signed())
    .bind(i64::from(append_start.uid_next.get()))
    .bind(folder)
    .execute(&mut *connection)
    .await?;
    let mut uids = uids.iter();
    loop {
        let chunk: Vec<Uid> = uids.by_ref().take(ROWS_PER_STATEMENT).collect();
        if chunk.is_empty() {
            return Ok(());
        }
        let rows = chunk.into_iter().map(|uid| (MessageRow::intended(uid), None)).collect();
        insert_rows(connection, folder, rows, &[]).await?;
    }
}

async fn insert(connection: &mut SqliteConnection, folder: i64, run: &[LedgerRecord]) -> Result<(), Fault> {
    for chunk in run.chunks(ROWS_PER_STATEMENT) {
        let row = |record| match record {
            &LedgerRecord::Message { uid, state: Some(ref state), .. } => {
                Some((MessageRow::new(uid, state), edited::in_state(state)))
            }
            _ => None,
        };
        insert_rows(connection, folder, chunk.iter().filter_map(row).collect(), chunk).await?;
    }
    Ok(())
}

/// Replaces rows of messages, and writes the edits that the records know of.
async fn insert_rows(
    connection: &mut SqliteConnection,
    folder: i64,
    rows: Vec<(MessageRow<'_>, Option<&RepairRecord>)>,
    records: &[LedgerRecord],
) -> Result<(), Fault> {
    let uids = list(rows.iter().map(|(row, _)| row.uid));
    let before = RowTally::for_messages(connection, folder, &uids).await?;
    let mut query: QueryBuilder<Sqlite> = QueryBuilder::new(
        "INSERT OR REPLACE INTO message (folder_id, uid, state, target_uid, flags, pending_flags, fingerprint, \
         digest_whole, digest_text, size, ours, reason, arrived, checksum) ",
    );
    // If a message comes twice, the last row stays.
    let mut written: BTreeMap<i64, (i64, i64)> = BTreeMap::new();
    query.push_values(rows, |mut values, (row, edited)| {
        let checksum = row.checksum(folder, edited);
        written.insert(row.uid, (row.state, checksum));
        values
            .push_bind(folder)
            .push_bind(row.uid)
            .push_bind(row.state)
            .push_bind(row.target_uid)
            .push_bind(row.flags.map(Cow::into_owned))
            .push_bind(row.pending_flags.map(Cow::into_owned))
            .push_bind(row.fingerprint.map(Vec::from))
            .push_bind(row.digest_whole.map(Vec::from))
            .push_bind(row.digest_text.map(Vec::from))
            .push_bind(row.size)
            .push_bind(row.ours)
            .push_bind(row.reason.map(Cow::into_owned))
            .push_bind(row.arrived)
            .push_bind(checksum);
    });
    query.build().persistent(false).execute(&mut *connection).await?;
    edited::insert(connection, folder, records).await?;
    let mut after = RowTally::default();
    for (state, checksum) in written.into_values() {
        after.add(state, checksum);
    }
    RowTally::replace(connection, folder, before, after).await
}

async fn delete(connection: &mut SqliteConnection, folder: i64, run: &[LedgerRecord]) -> Result<(), Fault> {
    for chunk in run.chunks(ROWS_PER_STATEMENT) {
        let uid = |record: &LedgerRecord| match record {
            LedgerRecord::Message { uid, .. } => Some(uid.get().into()),
            _ => None,
        };
        let uids = list(chunk.iter().filter_map(uid));
        let before = RowTally::for_messages(connection, folder, &uids).await?;
        sqlx::query("DELETE FROM message WHERE folder_id = ? AND uid IN (SELECT value FROM json_each(?))")
            .bind(folder)
            .bind(uids)
            .execute(&mut *connection)
            .await?;
        RowTally::replace(connection, folder, before, RowTally::default()).await?;
    }
    Ok(())
}

async fn settle(
    connection: &mut SqliteConnection,
    folder: i64,
    cursor: &Cursor,
    rules: &str,
    target_next: Option<Uid>,
) -> Result<(), Fault> {
    let status = &cursor.status;
    sqlx::query(
        "UPDATE folder SET floor_validity = NULL, floor_uid_next = NULL, cursor_messages = ?, \
         cursor_uid_validity = ?, cursor_uid_next = ?, cursor_highest_modseq = ?, cursor_skipped = ?, \
         cursor_excluded = ?, rules = ?, target_next = coalesce(?, target_next), waiting = NULL, waiting_since = NULL \
         WHERE id = ?",
    )
    .bind(i64::from(status.messages))
    .bind(status.uid_validity.get().cast_signed())
    .bind(status.uid_next.map(|uid| i64::from(uid.get())))
    .bind(status.highest_modseq.map(|modseq| modseq.0.cast_signed()))
    .bind(i64::from(cursor.skipped))
    .bind(i64::from(cursor.excluded))
    .bind(rules.to_owned())
    .bind(target_next.map(|uid| i64::from(uid.get())))
    .bind(folder)
    .execute(connection)
    .await?;
    Ok(())
}

async fn wait(
    connection: &mut SqliteConnection,
    folder: i64,
    waiting: &WaitingDeletions,
) -> Result<(), Fault> {
    sqlx::query("UPDATE folder SET waiting = ?, waiting_since = ? WHERE id = ?")
        .bind(waiting.uids.to_string())
        .bind(waiting.since.cast_signed())
        .bind(folder)
        .execute(connection)
        .await?;
    Ok(())
}
