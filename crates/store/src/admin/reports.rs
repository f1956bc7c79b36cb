//! Reports about a user: entries with their time, the folders of the last pass, the messages that it skipped.

use jiff::Timestamp;
use mailhaul_engine::{FolderReport, SkippedItem};
use mailhaul_mail::{FolderPath, InternalDate};
use mailhaul_migration::{Guid, PassFailure, UserStatus};

use crate::{
    admin::users,
    db::{
        columns::{Cells, millis, millis_if, whole},
        error::{Fault, StoreError},
        pages::{Bookmark, Page, rows},
        sql::{self, Builder, Connection, Row, Value},
    },
    handles::Reports,
};

/// Newest entries of a user that are kept.
pub const MAX_REPORT_ENTRIES: u32 = 1_000;

/// Rows of one statement.
const ROWS_PER_STATEMENT: usize = 250;

/// Folders of a user after a number, and how many at most. The same below, of skipped messages.
const FOLDERS: &str = "SELECT folder_statistics.* FROM folder_statistics WHERE user_id = ? AND number > ? ORDER BY number LIMIT ?";
const SKIPPED: &str =
    "SELECT skipped_message.* FROM skipped_message WHERE user_id = ? AND number > ? ORDER BY number LIMIT ?";

/// One line of a user's report.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReportEntry {
    pub time: Timestamp,
    pub text: String,
}

/// Numbers of one folder in the last pass.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct FolderStatistics {
    /// Name of the folder on the source.
    pub source: String,
    /// Name of the folder on the target; `None` if the folder was left out.
    pub target: Option<String>,
    /// The reason of the target's name, and of scanning the folder or not.
    pub reason: String,
    /// Messages that the source showed.
    pub seen: u64,
    /// Messages copied by the pass.
    pub copied: u64,
    /// Messages that were on the target before.
    pub already: u64,
    /// Messages left out by a filter.
    pub excluded: u64,
    /// Copied messages that were edited.
    pub repaired: u64,
    /// Bytes copied.
    pub bytes: u64,
    /// Messages whose flags were changed.
    pub flags_changed: u64,
    /// Messages moved on the target.
    pub moved: u64,
    /// Messages removed from the target.
    pub removed: u64,
    /// Messages not copied.
    pub skipped: u64,
    /// The error that ended the folder early.
    pub error: Option<String>,
}

/// A message that the last pass did not copy.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SkippedMessage {
    /// Its folder on the source.
    pub folder: String,
    /// Its UID in this folder.
    pub uid: u32,
    /// Its subject, decoded.
    pub subject: Option<String>,
    /// The address of its author.
    pub sender: Option<String>,
    /// The date that its author's program wrote.
    pub sent: Option<Timestamp>,
    /// Its date of arrival.
    pub date: Option<Timestamp>,
    /// Its size in bytes, as the source reports it.
    pub size: u64,
    /// The reason, with the server's message.
    pub reason: String,
    /// The kind of reason, for counting.
    pub kind: String,
}

/// A user whose last pass failed or broke off.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UserFailure {
    /// Row in the CSV file.
    pub row: u32,
    /// The target mailbox.
    pub email_address: String,
    pub status: UserStatus,
    pub failure: PassFailure,
}

impl From<&FolderReport> for FolderStatistics {
    fn from(report: &FolderReport) -> Self {
        let tally = &report.tally;
        Self {
            source: report.source.to_string(),
            target: report.target.as_ref().map(ToString::to_string),
            reason: report.reason.clone(),
            seen: tally.seen,
            copied: tally.copied,
            already: tally.already,
            excluded: tally.excluded,
            repaired: tally.repaired.len() as u64,
            bytes: tally.bytes,
            flags_changed: tally.flags_changed,
            moved: tally.moved,
            removed: tally.removed,
            skipped: tally.skipped.len() as u64,
            error: report.error.as_ref().map(ToString::to_string),
        }
    }
}

impl SkippedMessage {
    /// Converts the engine's item, and adds the kind of its reason.
    pub fn from_item(folder: &FolderPath, item: &SkippedItem, kind: impl Into<String>) -> Self {
        let time = |date: InternalDate| Timestamp::from_second(date.unix_seconds()).ok();
        Self {
            folder: folder.to_string(),
            uid: item.uid.get(),
            subject: item.subject.clone(),
            sender: item.sender.clone(),
            sent: item.sent.and_then(time),
            date: item.internal_date.and_then(time),
            size: item.size,
            reason: item.reason.clone(),
            kind: kind.into(),
        }
    }
}

impl Reports<'_> {
    /// Appends to a user's report. The newest [`MAX_REPORT_ENTRIES`] are kept.
    ///
    /// # Errors
    /// [`StoreError::NotFound`].
    pub async fn append(self, user: Guid, entries: Vec<ReportEntry>) -> Result<(), StoreError> {
        let db = self.0;
        db.change_beside(move |connection| {
            Box::pin(async move {
                // The entries have numbers: two transactions must not take the same ones.
                let id = id_of(connection, user, connection.locking(" FOR UPDATE")).await?;
                append(connection, id, entries).await
            })
        })
        .await
    }

    /// Returns a page of a user's report, oldest entries first.
    ///
    /// # Errors
    /// [`StoreError::NotFound`] if there is no such user; below too.
    pub async fn get(
        self,
        user: Guid,
        after: Option<Bookmark>,
        limit: u32,
    ) -> Result<Page<ReportEntry>, StoreError> {
        let sql = "SELECT report_entry.* FROM report_entry WHERE user_id = ? AND number > ? ORDER BY number LIMIT ?";
        self.page_of_user(sql, user, after, limit, |cells| {
            Ok(ReportEntry { time: cells.time("time")?, text: cells.get("text")? })
        })
        .await
    }

    /// Returns the folders of the user's last pass.
    ///
    /// # Errors
    /// [`StoreError::NotFound`].
    pub async fn folder_statistics(self, user: Guid) -> Result<Vec<FolderStatistics>, StoreError> {
        Ok(self.page_of_user(FOLDERS, user, None, u32::MAX, folder).await?.items)
    }

    /// Returns a page of the messages that the user's last pass skipped.
    ///
    /// # Errors
    /// [`StoreError::NotFound`].
    pub async fn skipped_messages(
        self,
        user: Guid,
        after: Option<Bookmark>,
        limit: u32,
    ) -> Result<Page<SkippedMessage>, StoreError> {
        self.page_of_user(SKIPPED, user, after, limit, skipped).await
    }

    /// Returns a page of the users of a batch whose last pass failed or broke off.
    ///
    /// They are in the order of their creation.
    pub async fn failures(
        self,
        batch: Guid,
        after: Option<Bookmark>,
        limit: u32,
    ) -> Result<Page<UserFailure>, StoreError> {
        let db = self.0;
        db.read(|connection| {
            Box::pin(async move {
                let found = sql::query(
                    "SELECT migration_user.* FROM migration_user WHERE batch = ? AND id > ? AND failure_class IS NOT NULL ORDER BY id LIMIT ?",
                )
                .bind(batch)
                .bind(after.map_or(0, |it| it.0))
                .bind(rows(limit))
                .fetch_all(connection)
                .await?;
                let failures = found.iter().filter_map(|row| failed(row).transpose());
                Ok(Page::from_rows(failures.collect::<Result<_, Fault>>()?, limit))
            })
        })
        .await
    }

    async fn page_of_user<T: 'static>(
        self,
        sql: &'static str,
        user: Guid,
        after: Option<Bookmark>,
        limit: u32,
        item: fn(Cells<'_>) -> Result<T, Fault>,
    ) -> Result<Page<T>, StoreError> {
        let db = self.0;
        db.read(|connection| {
            Box::pin(async move {
                let id = id_of(connection, user, "").await?;
                let found = sql::query(sql)
                    .bind(id)
                    .bind(after.map_or(0, |it| it.0))
                    .bind(rows(limit))
                    .fetch_all(connection)
                    .await?;
                let items = found.iter().map(|row| Ok((Cells(row).get("number")?, item(Cells(row))?)));
                Ok(Page::from_rows(items.collect::<Result<_, Fault>>()?, limit))
            })
        })
        .await
    }
}

async fn id_of(connection: &mut Connection, user: Guid, locking: &str) -> Result<i64, Fault> {
    let id = sql::query_scalar(format!("SELECT id FROM migration_user WHERE guid = ?{locking}"))
        .bind(user)
        .fetch_optional(connection)
        .await?;
    id.ok_or_else(|| StoreError::not_found("user", user).into())
}

fn failed(row: &Row) -> Result<Option<(i64, UserFailure)>, Fault> {
    let cells = Cells(row);
    let Some(failure) = users::failure(cells)? else { return Ok(None) };
    let failure = UserFailure {
        row: cells.number("csv_row")?,
        email_address: cells.get("email_address")?,
        status: cells.word("status")?,
        failure,
    };
    Ok(Some((cells.get("id")?, failure)))
}

fn folder(cells: Cells<'_>) -> Result<FolderStatistics, Fault> {
    Ok(FolderStatistics {
        source: cells.get("source")?,
        target: cells.get("target")?,
        reason: cells.get("reason")?,
        seen: cells.number("seen")?,
        copied: cells.number("copied")?,
        already: cells.number("already")?,
        excluded: cells.number("excluded")?,
        repaired: cells.number("repaired")?,
        bytes: cells.number("bytes")?,
        flags_changed: cells.number("flags_changed")?,
        moved: cells.number("moved")?,
        removed: cells.number("removed")?,
        skipped: cells.number("skipped")?,
        error: cells.get("error")?,
    })
}

fn skipped(cells: Cells<'_>) -> Result<SkippedMessage, Fault> {
    Ok(SkippedMessage {
        folder: cells.get("folder")?,
        uid: cells.number("uid")?,
        subject: cells.get("subject")?,
        sender: cells.get("sender")?,
        sent: cells.time_if("sent")?,
        date: cells.time_if("date")?,
        size: cells.number("size")?,
        reason: cells.get("reason")?,
        kind: cells.get("kind")?,
    })
}

/// True if the database holds exactly these items of the user. An invalid row is another item.
async fn are_stored<T: PartialEq>(
    connection: &mut Connection,
    sql: &'static str,
    user: i64,
    items: &[T],
    item: fn(Cells<'_>) -> Result<T, Fault>,
) -> Result<bool, Fault> {
    let rows = sql::query(sql).bind(user).bind(0).bind(i64::MAX).fetch_all(connection).await?;
    let is_same = |(row, new): (_, &T)| item(Cells(row)).is_ok_and(|stored| stored == *new);
    Ok(rows.len() == items.len() && rows.iter().zip(items).all(is_same))
}

/// Appends entries, and removes the oldest beyond the limit.
pub(crate) async fn append(
    connection: &mut Connection,
    user: i64,
    entries: Vec<ReportEntry>,
) -> Result<(), Fault> {
    let most = usize::try_from(MAX_REPORT_ENTRIES).unwrap_or(usize::MAX);
    let newest = entries.len().saturating_sub(most);
    let last: i64 = sql::query_scalar("SELECT coalesce(max(number), 0) FROM report_entry WHERE user_id = ?")
        .bind(user)
        .fetch_one(&mut *connection)
        .await?;
    let mut number = last;
    for chunk in entries[newest..].chunks(ROWS_PER_STATEMENT) {
        let mut query = Builder::new("INSERT INTO report_entry (user_id, number, time, text) VALUES ");
        query.push_rows(chunk.iter().map(|entry| -> [Value; 4] {
            number += 1;
            [user.into(), number.into(), millis(entry.time).into(), entry.text.clone().into()]
        }));
        query.build().persistent(false).execute(&mut *connection).await?;
    }
    sql::query("DELETE FROM report_entry WHERE user_id = ? AND number <= ?")
        .bind(user)
        .bind(number - i64::from(MAX_REPORT_ENTRIES))
        .execute(connection)
        .await?;
    Ok(())
}

/// Replaces the folders of the previous pass, if they are different.
pub(crate) async fn replace_folders(
    connection: &mut Connection,
    user: i64,
    folders: Vec<FolderStatistics>,
) -> Result<(), Fault> {
    if are_stored(connection, FOLDERS, user, &folders, folder).await? {
        return Ok(());
    }
    sql::query("DELETE FROM folder_statistics WHERE user_id = ?")
        .bind(user)
        .execute(&mut *connection)
        .await?;
    for (number, folder) in (1_i64..).zip(folders) {
        sql::query(
            "INSERT INTO folder_statistics (user_id, number, source, target, reason, seen, copied, already, excluded, \
             bytes, flags_changed, moved, removed, skipped, error, repaired) \
             VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        )
        .bind(user)
        .bind(number)
        .bind(folder.source)
        .bind(folder.target)
        .bind(folder.reason)
        .bind(whole(folder.seen))
        .bind(whole(folder.copied))
        .bind(whole(folder.already))
        .bind(whole(folder.excluded))
        .bind(whole(folder.bytes))
        .bind(whole(folder.flags_changed))
        .bind(whole(folder.moved))
        .bind(whole(folder.removed))
        .bind(whole(folder.skipped))
        .bind(folder.error)
        .bind(whole(folder.repaired))
        .execute(&mut *connection)
        .await?;
    }
    Ok(())
}

/// Replaces the skipped messages of the previous pass, if they are different.
pub(crate) async fn replace_skipped(
    connection: &mut Connection,
    user: i64,
    messages: Vec<SkippedMessage>,
) -> Result<(), Fault> {
    if are_stored(connection, SKIPPED, user, &messages, skipped).await? {
        return Ok(());
    }
    sql::query("DELETE FROM skipped_message WHERE user_id = ?").bind(user).execute(&mut *connection).await?;
    let mut number = 0_i64;
    for chunk in messages.chunks(ROWS_PER_STATEMENT) {
        let mut query = Builder::new(
            "INSERT INTO skipped_message (user_id, number, folder, uid, subject, sender, sent, date, size, reason, kind) VALUES ",
        );
        query.push_rows(chunk.iter().map(|message| -> [Value; 11] {
            number += 1;
            [
                user.into(),
                number.into(),
                message.folder.clone().into(),
                message.uid.into(),
                message.subject.clone().into(),
                message.sender.clone().into(),
                millis_if(message.sent).into(),
                millis_if(message.date).into(),
                whole(message.size).into(),
                message.reason.clone().into(),
                message.kind.clone().into(),
            ]
        }));
        query.build().persistent(false).execute(&mut *connection).await?;
    }
    Ok(())
}
