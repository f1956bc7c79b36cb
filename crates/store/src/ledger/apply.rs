//! Writes ledger records as SQL.
//!
//! Invariant: the rows mean exactly what [`FolderState::apply`](mailhaul_engine::FolderState::apply) makes of
//! the records.

use std::collections::BTreeMap;

use mailhaul_engine::{AppendStart, Cursor, LedgerRecord, RepairRecord, WaitingDeletions};
use mailhaul_mail::{FolderPath, Uid, UidSet, UidValidity};

use crate::{
    db::{
        checksum::check_row,
        error::Fault,
        server_text::folder_text,
        sql::{self, Builder, Connection, Value},
    },
    ledger::{edited, ledger_rows, message_row::MessageRow, tally::RowTally},
};

/// Rows of one statement. Fourteen columns each stay well under `SQLite`'s limit of 32,766 parameters.
const ROWS_PER_STATEMENT: usize = 250;
/// Rows of one statement on a server, which gets columns. More rows save round trips.
const ROWS_ON_SERVER: usize = 1_000;

/// Writes the records of one mailbox.
///
/// The caller's transaction makes them all or none.
pub(crate) async fn apply(
    connection: &mut Connection,
    mailbox: i64,
    records: &[LedgerRecord],
) -> Result<(), Fault> {
    let mut rest = records;
    while let Some(first) = rest.first() {
        let alike = rest.iter().take_while(|record| same_statement(first, record)).count().max(1);
        let (run, after) = rest.split_at(alike);
        rest = after;
        if let LedgerRecord::Arrived { .. } = first {
            continue;
        }
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
            LedgerRecord::Opened { .. } | LedgerRecord::Arrived { .. } => {}
            LedgerRecord::Intended { append_start, uids, .. } => {
                intend(connection, folder, *append_start, uids).await?;
                continue;
            }
            LedgerRecord::Message { state, .. } => {
                match state {
                    Some(_) => insert(connection, folder, run).await?,
                    None => delete(connection, folder, run).await?,
                }
                continue;
            }
            LedgerRecord::TargetValidity { uid_validity, .. } => {
                sql::query(
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
                sql::query("UPDATE folder SET source = ?, target = ? WHERE id = ?")
                    .bind(folder_text(connection, to))
                    .bind(folder_text(connection, target))
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
async fn folder_id(connection: &mut Connection, mailbox: i64, folder: &FolderPath) -> Result<i64, Fault> {
    let name = folder_text(connection, folder);
    let row = ledger_rows::folder(connection, mailbox, &name).await?.ok_or(Fault::NotOpened(name))?;
    check_row("folder", &row)?;
    Ok(row.try_get("id")?)
}

async fn open(
    connection: &mut Connection,
    mailbox: i64,
    folder: &FolderPath,
    target: &FolderPath,
    uid_validity: UidValidity,
) -> Result<(), Fault> {
    let (source, target) = (folder_text(connection, folder), folder_text(connection, target));
    let validity = uid_validity.get().cast_signed();
    if let Some(known) = ledger_rows::folder(connection, mailbox, &source).await? {
        check_row("folder", &known)?;
        let its_target: &str = known.try_get("target")?;
        if its_target == target && known.try_get::<i64>("uid_validity")? == validity {
            return Ok(());
        }
        // A new row instead of fourteen columns that are set back: no column can be forgotten here.
        forget(connection, mailbox, known.try_get("id")?).await?;
    }
    let id = sql::query_scalar(
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

async fn forget(connection: &mut Connection, mailbox: i64, folder: i64) -> Result<(), Fault> {
    sql::query("DELETE FROM message WHERE folder_id = ?").bind(folder).execute(&mut *connection).await?;
    sql::query("DELETE FROM folder WHERE id = ?").bind(folder).execute(&mut *connection).await?;
    ledger_rows::count_folders(connection, mailbox, -1).await
}

async fn intend(
    connection: &mut Connection,
    folder: i64,
    append_start: AppendStart,
    uids: &UidSet,
) -> Result<(), Fault> {
    sql::query(
        "UPDATE folder SET floor_validity = coalesce(floor_validity, ?1), \
         floor_uid_next = coalesce(floor_uid_next, ?2), \
         target_validity = coalesce(target_validity, ?1) WHERE id = ?3",
    )
    .bind(append_start.uid_validity.get().cast_signed())
    .bind(i64::from(append_start.uid_next.get()))
    .bind(folder)
    .execute(&mut *connection)
    .await?;
    if uids.is_empty() {
        return ledger_rows::stamp_folder(connection, folder).await;
    }
    let mut uids = uids.iter();
    loop {
        let chunk: Vec<Uid> = uids.by_ref().take(rows_per_statement(connection)).collect();
        if chunk.is_empty() {
            return Ok(());
        }
        let rows = chunk.into_iter().map(|uid| (MessageRow::intended(uid), None)).collect();
        insert_rows(connection, folder, rows, &[]).await?;
    }
}

async fn insert(connection: &mut Connection, folder: i64, run: &[LedgerRecord]) -> Result<(), Fault> {
    for chunk in run.chunks(rows_per_statement(connection)) {
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

const INSERT_MESSAGES: &str = "INSERT INTO message (folder_id, uid, state, target_uid, flags, pending_flags, \
     fingerprint, digest_whole, digest_text, size, ours, reason, arrived, checksum) ";
const REPLACE_MESSAGES: &str = "ON CONFLICT (folder_id, uid) DO UPDATE SET state = excluded.state, \
     target_uid = excluded.target_uid, flags = excluded.flags, pending_flags = excluded.pending_flags, \
     fingerprint = excluded.fingerprint, digest_whole = excluded.digest_whole, \
     digest_text = excluded.digest_text, size = excluded.size, ours = excluded.ours, reason = excluded.reason, \
     arrived = excluded.arrived, checksum = excluded.checksum";

fn rows_per_statement(connection: &Connection) -> usize {
    if connection.is_shared() { ROWS_ON_SERVER } else { ROWS_PER_STATEMENT }
}

/// Replaces rows of messages with the folder's numbers and its checksum, and writes the edits that the records know of.
async fn insert_rows(
    connection: &mut Connection,
    folder: i64,
    rows: Vec<(MessageRow<'_>, Option<&RepairRecord>)>,
    records: &[LedgerRecord],
) -> Result<(), Fault> {
    let uids: Vec<i64> = rows.iter().map(|(row, _)| row.uid).collect();
    // If a message comes twice, the last row stays.
    let mut last: BTreeMap<i64, (MessageRow<'_>, i64)> = BTreeMap::new();
    for (row, edited) in rows {
        let checksum = row.checksum(folder, edited);
        last.insert(row.uid, (row, checksum));
    }
    let mut after = RowTally::default();
    let rows = last.into_values().map(|(row, checksum)| {
        after.add(row.state, checksum);
        row.into_values(folder, checksum)
    });
    let before = if connection.is_shared() {
        let columns = sql::columns(rows);
        replace_on_server(connection, folder, uids, columns).await?
    } else {
        let before = RowTally::for_messages(connection, folder, &uids).await?;
        let mut query = Builder::new(&format!("{INSERT_MESSAGES}VALUES "));
        query.push_rows(rows).push(" ").push(REPLACE_MESSAGES);
        query.build().persistent(false).execute(&mut *connection).await?;
        edited::delete(connection, folder, uids).await?;
        before
    };
    edited::insert(connection, folder, records).await?;
    RowTally::replace(connection, folder, before, after).await
}

/// Replaces the rows, and removes their edits, in one round trip. Returns the numbers of the rows before.
async fn replace_on_server(
    connection: &mut Connection,
    folder: i64,
    uids: Vec<i64>,
    columns: [Value; 14],
) -> Result<RowTally, Fault> {
    let sql = format!(
        "WITH gone AS (DELETE FROM edited WHERE folder_id = ?1 AND uid IN (SELECT value FROM json_each(?2))), \
         written AS ({INSERT_MESSAGES}SELECT * FROM \
         unnest(?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16) {REPLACE_MESSAGES}) {}",
        RowTally::LISTED
    );
    let query = sql::query(sql).bind(folder).bind(uids);
    let query = columns.into_iter().fold(query, sql::Query::bind);
    RowTally::from_sums(&query.fetch_one(connection).await?)
}

async fn delete(connection: &mut Connection, folder: i64, run: &[LedgerRecord]) -> Result<(), Fault> {
    for chunk in run.chunks(ROWS_PER_STATEMENT) {
        let uid = |record: &LedgerRecord| match record {
            LedgerRecord::Message { uid, .. } => Some(uid.get().into()),
            _ => None,
        };
        let uids: Vec<i64> = chunk.iter().filter_map(uid).collect();
        let before = RowTally::for_messages(connection, folder, &uids).await?;
        sql::query("DELETE FROM message WHERE folder_id = ? AND uid IN (SELECT value FROM json_each(?))")
            .bind(folder)
            .bind(uids)
            .execute(&mut *connection)
            .await?;
        RowTally::replace(connection, folder, before, RowTally::default()).await?;
    }
    Ok(())
}

async fn settle(
    connection: &mut Connection,
    folder: i64,
    cursor: &Cursor,
    rules: &str,
    target_next: Option<Uid>,
) -> Result<(), Fault> {
    let status = &cursor.status;
    sql::query(
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

async fn wait(connection: &mut Connection, folder: i64, waiting: &WaitingDeletions) -> Result<(), Fault> {
    sql::query("UPDATE folder SET waiting = ?, waiting_since = ? WHERE id = ?")
        .bind(waiting.uids.to_string())
        .bind(waiting.since.cast_signed())
        .bind(folder)
        .execute(connection)
        .await?;
    Ok(())
}
