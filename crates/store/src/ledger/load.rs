//! Reads the ledger from the file. Values from the file are not trusted.

use std::collections::BTreeMap;

use mailhaul_engine::{
    AppendStart, Cursor, FolderRecord, FolderState, FolderStatus, MessageState, RepairRecord,
    WaitingDeletions,
};
use mailhaul_mail::{FolderPath, ModSeq, Uid, UidSet, UidValidity};

use crate::{
    db::{
        checksum,
        columns::uid,
        error::Fault,
        server_text::folder_text,
        sql::{self, Connection, Read, Row},
    },
    ledger::{
        edited,
        ledger_rows::{self, MailboxNames},
        message_row::{COLUMNS, MessageRow},
        tally::RowTally,
    },
};

/// Rows per read. A row of `SQLite` is many times larger than the value made of it.
const ROWS_PER_READ: i64 = 500;

/// Returns the id of a mailbox, if it has one.
pub(crate) async fn mailbox(
    connection: &mut Connection,
    names: MailboxNames,
    schema: i64,
) -> Result<Option<i64>, Fault> {
    let Some(row) = ledger_rows::mailbox(connection, names).await? else { return Ok(None) };
    check_row_since("mailbox", &row, schema)?;
    Ok(row.try_get("id")?)
}

/// Reads all folders of a mailbox, INBOX first.
pub(crate) async fn folders(
    connection: &mut Connection,
    mailbox: i64,
    schema: i64,
) -> Result<Vec<FolderRecord>, Fault> {
    let rows = sql::query("SELECT folder.* FROM folder WHERE mailbox_id = ?")
        .bind(mailbox)
        .fetch_all(&mut *connection)
        .await?;
    for row in &rows {
        check_row_since("folder", row, schema)?;
    }
    if schema >= checksum::CHECKSUMS_SINCE {
        let counted: i64 = ledger_rows::mailbox_by_id(connection, mailbox).await?.try_get("folders")?;
        if usize::try_from(counted) != Ok(rows.len()) {
            let words = format!("it has {} records of folders and must have {counted}", rows.len());
            return Err(Fault::Damaged(words));
        }
    }
    let mut folders = rows.iter().map(folder_record).collect::<Result<Vec<_>, _>>()?;
    folders.sort_by(|a, b| a.folder.cmp(&b.folder));
    Ok(folders)
}

/// Returns an error if a folder of the mailbox cannot be found by its name.
///
/// Such a folder would be taken for a new one. The checksums of rows do not cover the index.
pub(crate) async fn check_names(connection: &mut Connection, mailbox: i64) -> Result<(), Fault> {
    // Both values are in the index.
    let names = sql::query("SELECT id, source FROM folder WHERE mailbox_id = ?")
        .bind(mailbox)
        .fetch_all(&mut *connection)
        .await?;
    for row in &names {
        let (id, name): (i64, &str) = (row.try_get(0)?, row.try_get(1)?);
        let is_found = match ledger_rows::folder(connection, mailbox, name).await? {
            Some(row) => {
                checksum::check_row("folder", &row)?;
                row.try_get::<i64>("id")? == id && row.try_get::<&str>("source")? == name
            }
            None => false,
        };
        if !is_found {
            return Err(Fault::Damaged(format!("the folder \"{name}\" is not found by its name")));
        }
    }
    Ok(())
}

/// Reads one folder with its messages.
///
/// With a list of UIDs it reads these messages and all open ones; [`FolderState::around`] defines how the
/// others are counted. `schema` is the step of the file. The caller's transaction makes all values
/// consistent.
pub(crate) async fn folder(
    connection: &mut Connection,
    mailbox: i64,
    folder: FolderPath,
    around: Option<UidSet>,
    schema: i64,
) -> Result<Option<FolderState>, Fault> {
    let name = folder_text(connection, &folder);
    let Some(row) = ledger_rows::folder(connection, mailbox, &name).await? else { return Ok(None) };
    check_row_since("folder", &row, schema)?;
    let record = folder_record(&row)?;
    let mut messages = FolderReader::new(connection, row.try_get("id")?, schema).await?;
    match &around {
        None => messages.read(connection, ALL, None).await?,
        Some(uids) => {
            messages.read(connection, OPEN, None).await?;
            messages
                .read(connection, LISTED, Some(uids.iter().map(|uid| uid.get().into()).collect()))
                .await?;
        }
    }
    let mut in_file = messages.tally;
    if around.is_some() {
        in_file.done = RowTally::in_file(connection, messages.folder).await?.done;
    }
    if schema >= checksum::CHECKSUMS_SINCE {
        in_file.check(RowTally::from_folder(&row)?)?;
    }
    let rest = (in_file.done.rows - messages.tally.done.rows).cast_unsigned();
    Ok(Some(FolderState { record, messages: messages.known, rest }))
}

/// Step of the schema that added the column `arrived`.
const DATES_SINCE: i64 = 8;

const ALL: &str = "true";
const OPEN: &str = "(state <> 1 OR target_uid IS NULL OR pending_flags IS NOT NULL)";
/// Never selects a row that [`OPEN`] selects.
const LISTED: &str = "state = 1 AND target_uid IS NOT NULL AND pending_flags IS NULL \
                      AND uid IN (SELECT value FROM json_each(?4))";

/// The messages of a folder, read page by page.
struct FolderReader {
    folder: i64,
    schema: i64,
    edited: BTreeMap<Uid, RepairRecord>,
    known: BTreeMap<Uid, MessageState>,
    /// The rows read so far.
    tally: RowTally,
}

impl FolderReader {
    async fn new(connection: &mut Connection, folder: i64, schema: i64) -> Result<Self, Fault> {
        let edited = match schema {
            edited::EDITS_SINCE.. => edited::all(connection, folder).await?,
            _ => BTreeMap::new(),
        };
        Ok(Self { folder, schema, edited, known: BTreeMap::new(), tally: RowTally::default() })
    }

    /// Reads rows that were not read before.
    async fn read(
        &mut self,
        connection: &mut Connection,
        which: &'static str,
        list: Option<Vec<i64>>,
    ) -> Result<(), Fault> {
        // A file that is only read may be older than these columns.
        let arrived = if self.schema >= DATES_SINCE { "arrived" } else { "NULL" };
        let checksum = if self.schema >= checksum::CHECKSUMS_SINCE { "checksum" } else { "NULL" };
        let sql = format!(
            "SELECT {COLUMNS}, {arrived}, {checksum} FROM message \
             WHERE folder_id = ?1 AND uid > ?2 AND {which} ORDER BY uid LIMIT ?3"
        );
        let mut after = 0;
        loop {
            let mut query = sql::query(sql.clone()).bind(self.folder).bind(after).bind(ROWS_PER_READ);
            if let Some(list) = &list {
                query = query.bind(list.clone());
            }
            let rows = query.fetch_all(&mut *connection).await?;
            for row in &rows {
                after = self.learn(row)?;
            }
            if i64::try_from(rows.len()).is_ok_and(|rows| rows < ROWS_PER_READ) {
                return Ok(());
            }
        }
    }

    /// Checks and stores one row, and returns its UID.
    fn learn(&mut self, row: &Row) -> Result<i64, Fault> {
        let stored: Option<i64> = row.try_get(12)?;
        let row = MessageRow::read(row)?;
        let key = uid(row.uid)?;
        let edited = self.edited.remove(&key);
        let damaged = |words: &str| Fault::Damaged(format!("the record of UID {key} {words}"));
        if self.schema >= checksum::CHECKSUMS_SINCE {
            let checksum = row.checksum(self.folder, edited.as_ref());
            if stored != Some(checksum) {
                return Err(damaged("does not match its checksum"));
            }
            self.tally.add(row.state, checksum);
        } else {
            self.tally.add(row.state, 0);
        }
        match self.known.insert(key, row.into_state(edited)?) {
            None => Ok(key.get().into()),
            Some(_) => Err(damaged("exists twice")),
        }
    }
}

/// Checks a row if the file is new enough to have checksums.
fn check_row_since(table: &str, row: &Row, schema: i64) -> Result<(), Fault> {
    if schema >= checksum::CHECKSUMS_SINCE { checksum::check_row(table, row) } else { Ok(()) }
}

fn folder_record(row: &Row) -> Result<FolderRecord, Fault> {
    let number = |column| row.try_get::<Option<i64>>(column);
    let append_start = match (number("floor_validity")?, number("floor_uid_next")?) {
        (Some(validity), Some(next)) => {
            Some(AppendStart { uid_validity: uid_validity(validity)?, uid_next: uid(next)? })
        }
        _ => None,
    };
    Ok(FolderRecord {
        folder: path(row, "source")?,
        target: path(row, "target")?,
        uid_validity: uid_validity(row.try_get("uid_validity")?)?,
        target_validity: number("target_validity")?.map(uid_validity).transpose()?,
        append_start,
        cursor: cursor(row)?,
        rules: row.try_get("rules")?,
        target_next: since_step_10::<i64>(row, "target_next")?.map(uid).transpose()?,
        waiting: waiting(row)?,
    })
}

/// Reads a column that step 10 added. A read-only file may be older and lack it.
fn since_step_10<'r, T: Read<'r>>(row: &'r Row, column: &str) -> Result<Option<T>, Fault> {
    match row.try_get(column) {
        Err(sqlx::Error::ColumnNotFound(_)) => Ok(None),
        found => Ok(found?),
    }
}

fn waiting(row: &Row) -> Result<Option<WaitingDeletions>, Fault> {
    let uids: Option<String> = since_step_10(row, "waiting")?;
    let since: Option<i64> = since_step_10(row, "waiting_since")?;
    let (Some(uids), Some(since)) = (uids, since) else { return Ok(None) };
    let uids = if uids.is_empty() { Ok(UidSet::new()) } else { uids.parse() };
    Ok(Some(WaitingDeletions {
        since: since.cast_unsigned(),
        uids: uids.map_err(|_| Fault::Unreadable("waiting"))?,
    }))
}

fn cursor(row: &Row) -> Result<Option<Cursor>, Fault> {
    let number = |column| row.try_get::<Option<i64>>(column);
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

fn path(row: &Row, column: &str) -> Result<FolderPath, Fault> {
    Ok(FolderPath::parse(row.try_get(column)?))
}

fn uid_validity(number: i64) -> Result<UidValidity, Fault> {
    UidValidity::new(number.cast_unsigned()).ok_or(Fault::Unreadable("UIDVALIDITY"))
}

fn count(number: i64) -> Result<u32, Fault> {
    u32::try_from(number).map_err(|_| Fault::Unreadable("count"))
}
