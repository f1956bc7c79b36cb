//! What each record means in SQL: exactly what [`FolderState::apply`](mailhaul_engine::FolderState::apply) means.

use mailhaul_engine::{Copied, Cursor, Floor, MessageState, Record, Waiting};
use mailhaul_mail::{FolderPath, Uid, UidSet, UidValidity};
use sqlx::{QueryBuilder, Sqlite, SqliteConnection};

use crate::{edited, error::Fault};

/// The numbers that stand for [`MessageState`] in the column `state`.
pub(crate) mod state {
    pub(crate) const INTENDED: i64 = 0;
    pub(crate) const DONE: i64 = 1;
    pub(crate) const SKIPPED: i64 = 2;
}

/// Rows of one statement: times thirteen columns well under `SQLite`'s limit of 32,766 parameters.
const ROWS: usize = 250;

/// The number of a mailbox, given to it if it has none.
pub(crate) async fn mailbox(
    connection: &mut SqliteConnection,
    (source, target): (String, String),
) -> Result<i64, Fault> {
    let id = sqlx::query_scalar(
        "INSERT INTO mailbox (source, target) VALUES (?, ?) \
         ON CONFLICT (source, target) DO UPDATE SET source = excluded.source RETURNING id",
    )
    .bind(source)
    .bind(target)
    .fetch_one(connection)
    .await?;
    Ok(id)
}

/// Writes the records of one mailbox. The caller's transaction makes them all or none.
pub(crate) async fn apply(
    connection: &mut SqliteConnection,
    mailbox: i64,
    records: &[Record],
) -> Result<(), Fault> {
    let mut rest = records;
    while let Some(first) = rest.first() {
        let alike = rest.iter().take_while(|record| same_statement(first, record)).count().max(1);
        let (run, after) = rest.split_at(alike);
        rest = after;
        if let Record::Opened { folder, target, uid_validity } = first {
            open(connection, mailbox, folder, target, *uid_validity).await?;
            continue;
        }
        let folder = folder_id(connection, mailbox, first.folder()).await?;
        match first {
            Record::Opened { .. } => {}
            Record::Intended { floor, uids, .. } => intend(connection, folder, *floor, uids).await?,
            Record::Message { state: Some(_), .. } => insert(connection, folder, run).await?,
            Record::Message { state: None, .. } => delete(connection, folder, run).await?,
            Record::TargetValidity { uid_validity, .. } => {
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
            Record::Renamed { to, target, .. } => {
                sqlx::query("UPDATE folder SET source = ?, target = ? WHERE id = ?")
                    .bind(to.to_string())
                    .bind(target.to_string())
                    .bind(folder)
                    .execute(&mut *connection)
                    .await?;
            }
            Record::Closed { .. } => forget(connection, folder).await?,
            Record::Settled { cursor, rules, target_next, .. } => {
                settle(connection, folder, cursor, rules, *target_next).await?;
            }
            Record::Waiting { waiting, .. } => wait(connection, folder, waiting).await?,
        }
    }
    Ok(())
}

/// Whether one statement can write both: messages of one folder, either all to be kept or all to be forgotten.
fn same_statement(first: &Record, other: &Record) -> bool {
    match (first, other) {
        (Record::Message { folder, state, .. }, Record::Message { folder: other, state: its, .. }) => {
            state.is_some() == its.is_some() && folder == other
        }
        _ => false,
    }
}

async fn folder_id(
    connection: &mut SqliteConnection,
    mailbox: i64,
    folder: &FolderPath,
) -> Result<i64, Fault> {
    sqlx::query_scalar("SELECT id FROM folder WHERE mailbox_id = ? AND source = ?")
        .bind(mailbox)
        .bind(folder.to_string())
        .fetch_optional(connection)
        .await?
        .ok_or_else(|| Fault::NotOpened(folder.to_string()))
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
    let known: Option<(i64, String, i64)> =
        sqlx::query_as("SELECT id, target, uid_validity FROM folder WHERE mailbox_id = ? AND source = ?")
            .bind(mailbox)
            .bind(&source)
            .fetch_optional(&mut *connection)
            .await?;
    if let Some((id, its_target, its_validity)) = known {
        if its_target == target && its_validity == validity {
            return Ok(());
        }
        // A new row instead of fourteen columns set back, so that no column can be forgotten here.
        forget(connection, id).await?;
    }
    sqlx::query("INSERT INTO folder (mailbox_id, source, target, uid_validity) VALUES (?, ?, ?, ?)")
        .bind(mailbox)
        .bind(source)
        .bind(target)
        .bind(validity)
        .execute(connection)
        .await?;
    Ok(())
}

async fn forget(connection: &mut SqliteConnection, folder: i64) -> Result<(), Fault> {
    sqlx::query("DELETE FROM message WHERE folder_id = ?").bind(folder).execute(&mut *connection).await?;
    sqlx::query("DELETE FROM folder WHERE id = ?").bind(folder).execute(&mut *connection).await?;
    Ok(())
}

async fn intend(
    connection: &mut SqliteConnection,
    folder: i64,
    floor: Floor,
    uids: &UidSet,
) -> Result<(), Fault> {
    sqlx::query(
        "UPDATE folder SET floor_validity = coalesce(floor_validity, ?1), \
         floor_uid_next = coalesce(floor_uid_next, ?2), \
         target_validity = coalesce(target_validity, ?1) WHERE id = ?3",
    )
    .bind(floor.uid_validity.get().cast_signed())
    .bind(i64::from(floor.uid_next.get()))
    .bind(folder)
    .execute(&mut *connection)
    .await?;
    let mut uids = uids.iter();
    loop {
        let chunk: Vec<Uid> = uids.by_ref().take(ROWS).collect();
        if chunk.is_empty() {
            return Ok(());
        }
        let mut query: QueryBuilder<Sqlite> =
            QueryBuilder::new("INSERT OR REPLACE INTO message (folder_id, uid, state) ");
        query.push_values(chunk, |mut row, uid| {
            row.push_bind(folder).push_bind(i64::from(uid.get())).push_bind(state::INTENDED);
        });
        query.build().persistent(false).execute(&mut *connection).await?;
    }
}

async fn insert(connection: &mut SqliteConnection, folder: i64, run: &[Record]) -> Result<(), Fault> {
    for chunk in run.chunks(ROWS) {
        let mut query: QueryBuilder<Sqlite> = QueryBuilder::new(
            "INSERT OR REPLACE INTO message (folder_id, uid, state, target_uid, flags, pending_flags, fingerprint, \
             digest_whole, digest_text, size, ours, reason, arrived) ",
        );
        let known = chunk.iter().filter_map(|record| match record {
            Record::Message { uid, state: Some(state), .. } => Some((uid, state)),
            _ => None,
        });
        query.push_values(known, |mut row, (uid, known)| {
            let (number, copied, reason): (i64, Option<&Copied>, Option<&String>) = match known {
                MessageState::Intended | MessageState::Repairing(_) => (state::INTENDED, None, None),
                MessageState::Done(copied) => (state::DONE, Some(copied), None),
                MessageState::Skipped(reason) => (state::SKIPPED, None, Some(reason)),
            };
            let digests = copied.and_then(|copied| copied.digests);
            row.push_bind(folder)
                .push_bind(i64::from(uid.get()))
                .push_bind(number)
                .push_bind(copied.and_then(|copied| copied.target_uid).map(|uid| i64::from(uid.get())))
                .push_bind(copied.map(|copied| copied.flags.to_string()))
                .push_bind(copied.and_then(|copied| Some(copied.pending_flags.as_ref()?.to_string())))
                .push_bind(copied.map(|copied| copied.fingerprint.as_bytes().to_vec()))
                .push_bind(digests.map(|digests| digests.whole.as_bytes().to_vec()))
                .push_bind(digests.map(|digests| digests.text.as_bytes().to_vec()))
                .push_bind(copied.map(|copied| copied.size.cast_signed()))
                .push_bind(copied.map(|copied| i64::from(copied.ours)))
                .push_bind(reason.cloned())
                .push_bind(copied.and_then(|copied| copied.arrived));
        });
        query.build().persistent(false).execute(&mut *connection).await?;
        edited::insert(connection, folder, chunk).await?;
    }
    Ok(())
}

async fn delete(connection: &mut SqliteConnection, folder: i64, run: &[Record]) -> Result<(), Fault> {
    for chunk in run.chunks(ROWS) {
        let mut query: QueryBuilder<Sqlite> = QueryBuilder::new("DELETE FROM message WHERE folder_id = ");
        query.push_bind(folder).push(" AND uid IN (");
        let mut list = query.separated(", ");
        for record in chunk {
            if let Record::Message { uid, .. } = record {
                list.push_bind(i64::from(uid.get()));
            }
        }
        query.push(")");
        query.build().persistent(false).execute(&mut *connection).await?;
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

async fn wait(connection: &mut SqliteConnection, folder: i64, waiting: &Waiting) -> Result<(), Fault> {
    sqlx::query("UPDATE folder SET waiting = ?, waiting_since = ? WHERE id = ?")
        .bind(waiting.uids.to_string())
        .bind(waiting.since.cast_signed())
        .bind(folder)
        .execute(connection)
        .await?;
    Ok(())
}
