//! Reads back what was written. Nothing in the file is trusted to be what we wrote.

use std::collections::BTreeMap;

use mailhaul_engine::{
    Copied, Cursor, Floor, FolderRecord, FolderState, FolderStatus, MessageState, Waiting,
};
use mailhaul_mail::{Digest, Digests, Fingerprint, FolderPath, ModSeq, Uid, UidSet, UidValidity};
use sqlx::{AssertSqlSafe, Decode, Row, Sqlite, SqliteConnection, Type, sqlite::SqliteRow};

use crate::{apply::state, edited, error::Fault};

/// Rows held at once: a row of `SQLite`'s is many times larger than what becomes of it.
const PAGE: i64 = 500;

/// The number of a mailbox, where it has one.
pub(crate) async fn mailbox(
    connection: &mut SqliteConnection,
    (source, target): (String, String),
) -> Result<Option<i64>, Fault> {
    let id = sqlx::query_scalar("SELECT id FROM mailbox WHERE source = ? AND target = ?")
        .bind(source)
        .bind(target)
        .fetch_optional(connection)
        .await?;
    Ok(id)
}

/// All folders of a mailbox, INBOX first.
pub(crate) async fn folders(
    connection: &mut SqliteConnection,
    mailbox: i64,
) -> Result<Vec<FolderRecord>, Fault> {
    let rows =
        sqlx::query("SELECT * FROM folder WHERE mailbox_id = ?").bind(mailbox).fetch_all(connection).await?;
    let mut folders = rows.iter().map(folder_record).collect::<Result<Vec<_>, _>>()?;
    folders.sort_by(|a, b| a.folder.cmp(&b.folder));
    Ok(folders)
}

/// One folder with its messages; or, around some, with these and those of which something is open, the rest counted as
/// [`FolderState::around`] counts it. `schema` is the step that the file is at. To be called inside a transaction, so that all is of one moment.
pub(crate) async fn folder(
    connection: &mut SqliteConnection,
    mailbox: i64,
    folder: FolderPath,
    around: Option<UidSet>,
    schema: i64,
) -> Result<Option<FolderState>, Fault> {
    let row = sqlx::query("SELECT * FROM folder WHERE mailbox_id = ? AND source = ?")
        .bind(mailbox)
        .bind(folder.to_string())
        .fetch_optional(&mut *connection)
        .await?;
    let Some(row) = row else { return Ok(None) };
    let record = folder_record(&row)?;
    let id: i64 = row.try_get("id")?;
    let messages = match &around {
        None => messages(connection, id, ALL, None, schema).await?,
        Some(uids) => {
            let numbers: Vec<String> = uids.iter().map(|it| it.to_string()).collect();
            let list = format!("[{}]", numbers.join(","));
            let mut some = messages(connection, id, OPEN, None, schema).await?;
            some.extend(messages(connection, id, LISTED, Some(list), schema).await?);
            some
        }
    };
    let mut state = FolderState { record, messages, rest: 0 };
    if schema >= edited::SINCE {
        edited::attach(connection, id, &mut state.messages).await?;
    }
    if around.is_some() {
        let done: i64 = sqlx::query_scalar("SELECT count(*) FROM message WHERE folder_id = ? AND state = 1")
            .bind(id)
            .fetch_one(connection)
            .await?;
        state.rest = done.cast_unsigned().saturating_sub(state.done().count() as u64);
    }
    Ok(Some(state))
}

/// The step of the schema that made the column `arrived`.
const DATES_SINCE: i64 = 8;

const ALL: &str = "true";
const OPEN: &str = "(state <> 1 OR target_uid IS NULL OR pending_flags IS NOT NULL)";
const LISTED: &str = "uid IN (SELECT value FROM json_each(?4))";

async fn messages(
    connection: &mut SqliteConnection,
    folder: i64,
    which: &'static str,
    list: Option<String>,
    schema: i64,
) -> Result<BTreeMap<Uid, MessageState>, Fault> {
    // A file that is only read may be older than the column.
    let arrived = if schema >= DATES_SINCE { "arrived" } else { "NULL" };
    let sql = format!(
        "SELECT uid, state, target_uid, flags, pending_flags, fingerprint, digest_whole, digest_text, size, ours, reason, \
         {arrived} FROM message WHERE folder_id = ?1 AND uid > ?2 AND {which} ORDER BY uid LIMIT ?3"
    );
    let mut messages = BTreeMap::new();
    loop {
        let after = messages.last_key_value().map_or(0, |(uid, _): (&Uid, _)| i64::from(uid.get()));
        // Made of our own words alone.
        let mut query = sqlx::query(AssertSqlSafe(sql.clone())).bind(folder).bind(after).bind(PAGE);
        if let Some(list) = &list {
            query = query.bind(list.clone());
        }
        let rows = query.fetch_all(&mut *connection).await?;
        for row in &rows {
            messages.insert(uid(row.try_get(0)?)?, message_state(row)?);
        }
        if i64::try_from(rows.len()).is_ok_and(|it| it < PAGE) {
            return Ok(messages);
        }
    }
}

fn folder_record(row: &SqliteRow) -> Result<FolderRecord, Fault> {
    let number = |column| row.try_get::<Option<i64>, _>(column);
    let floor = match (number("floor_validity")?, number("floor_uid_next")?) {
        (Some(validity), Some(next)) => {
            Some(Floor { uid_validity: uid_validity(validity)?, uid_next: uid(next)? })
        }
        _ => None,
    };
    Ok(FolderRecord {
        folder: path(row, "source")?,
        target: path(row, "target")?,
        uid_validity: uid_validity(row.try_get("uid_validity")?)?,
        target_validity: number("target_validity")?.map(uid_validity).transpose()?,
        floor,
        cursor: cursor(row)?,
        rules: row.try_get("rules")?,
        target_next: since_step_10::<i64>(row, "target_next")?.map(uid).transpose()?,
        waiting: waiting(row)?,
    })
}

/// A column that a file lacks which is older than step 10 and is only read.
fn since_step_10<'r, T>(row: &'r SqliteRow, column: &str) -> Result<Option<T>, Fault>
where
    T: Decode<'r, Sqlite> + Type<Sqlite>,
{
    match row.try_get(column) {
        Err(sqlx::Error::ColumnNotFound(_)) => Ok(None),
        found => Ok(found?),
    }
}

fn waiting(row: &SqliteRow) -> Result<Option<Waiting>, Fault> {
    let uids: Option<String> = since_step_10(row, "waiting")?;
    let since: Option<i64> = since_step_10(row, "waiting_since")?;
    let (Some(uids), Some(since)) = (uids, since) else { return Ok(None) };
    let uids = if uids.is_empty() { Ok(UidSet::new()) } else { uids.parse() };
    Ok(Some(Waiting { since: since.cast_unsigned(), uids: uids.map_err(|_| Fault::Unreadable("waiting"))? }))
}

fn cursor(row: &SqliteRow) -> Result<Option<Cursor>, Fault> {
    let number = |column| row.try_get::<Option<i64>, _>(column);
    let Some(messages) = number("cursor_messages")? else { return Ok(None) };
    let status = FolderStatus {
        messages: count(messages)?,
        uid_validity: uid_validity(row.try_get("cursor_uid_validity")?)?,
        uid_next: number("cursor_uid_next")?.map(uid).transpose()?,
        highest_modseq: number("cursor_highest_modseq")?.map(|bits| ModSeq(bits.cast_unsigned())),
    };
    let skipped = count(row.try_get("cursor_skipped")?)?;
    let excluded = count(row.try_get("cursor_excluded")?)?;
    Ok(Some(Cursor { status, skipped, excluded }))
}

// Columns by their number: by name would cost more than all the rest.

fn message_state(row: &SqliteRow) -> Result<MessageState, Fault> {
    match row.try_get::<i64, _>(1)? {
        state::INTENDED => Ok(MessageState::Intended),
        state::DONE => Ok(MessageState::Done(copied(row)?)),
        state::SKIPPED => Ok(MessageState::Skipped(row.try_get(10)?)),
        _ => Err(Fault::Unreadable("message state")),
    }
}

fn copied(row: &SqliteRow) -> Result<Copied, Fault> {
    // No flag has a blank in it: they are atoms (RFC 9051, section 9).
    let flags: &str = row.try_get(3)?;
    let pending: Option<&str> = row.try_get(4)?;
    let digests = match (octets(row, 6)?, octets(row, 7)?) {
        (Some(whole), Some(text)) => {
            Some(Digests { whole: Digest::from_bytes(whole), text: Digest::from_bytes(text) })
        }
        _ => None,
    };
    let fingerprint = Fingerprint::from_bytes(octets(row, 5)?.ok_or(Fault::Unreadable("fingerprint"))?);
    Ok(Copied {
        target_uid: row.try_get::<Option<i64>, _>(2)?.map(uid).transpose()?,
        flags: flags.split(' ').collect(),
        pending_flags: pending.map(|it| it.split(' ').collect()),
        fingerprint: digests.map_or(fingerprint, |it| fingerprint.up_to_date(&it)),
        digests,
        size: row.try_get::<i64, _>(8)?.cast_unsigned(),
        arrived: row.try_get(11)?,
        ours: row.try_get::<i64, _>(9)? != 0,
        edited: None,
    })
}

fn path(row: &SqliteRow, column: &str) -> Result<FolderPath, Fault> {
    Ok(FolderPath::parse(row.try_get(column)?))
}

pub(crate) fn octets(row: &SqliteRow, column: usize) -> Result<Option<[u8; 16]>, Fault> {
    let stored: Option<&[u8]> = row.try_get(column)?;
    stored.map(<[u8; 16]>::try_from).transpose().map_err(|_| Fault::Unreadable("digest"))
}

pub(crate) fn uid(number: i64) -> Result<Uid, Fault> {
    u32::try_from(number).ok().and_then(Uid::new).ok_or(Fault::Unreadable("UID"))
}

fn uid_validity(number: i64) -> Result<UidValidity, Fault> {
    UidValidity::new(number.cast_unsigned()).ok_or(Fault::Unreadable("UIDVALIDITY"))
}

fn count(number: i64) -> Result<u32, Fault> {
    u32::try_from(number).map_err(|_| Fault::Unreadable("count"))
}
