//! Rows of mailboxes and folders in the ledger: checked when read, with a new checksum after a change.
//!
//! Invariant: code that changes such a row checks it first, so that no new checksum hides damage.

use crate::db::{
    checksum::{check_row, row_checksum},
    error::Fault,
    sql::{self, Connection, Row},
};

/// The names by which the ledger finds a mailbox.
#[derive(Clone)]
pub(crate) struct MailboxNames {
    pub(crate) source: String,
    pub(crate) target: String,
}

/// Returns the row of the mailbox with this source and target.
pub(crate) async fn mailbox(connection: &mut Connection, names: MailboxNames) -> Result<Option<Row>, Fault> {
    let query = sql::query("SELECT mailbox.* FROM mailbox WHERE source = ? AND target = ?");
    Ok(query.bind(names.source).bind(names.target).fetch_optional(connection).await?)
}

/// Returns the id of a mailbox, and creates the mailbox if it is new.
pub(crate) async fn mailbox_id(connection: &mut Connection, names: MailboxNames) -> Result<i64, Fault> {
    if let Some(row) = mailbox(connection, names.clone()).await? {
        check_row("mailbox", &row)?;
        return Ok(row.try_get("id")?);
    }
    let query = sql::query_scalar("INSERT INTO mailbox (source, target) VALUES (?, ?) RETURNING id");
    let id = query.bind(names.source).bind(names.target).fetch_one(&mut *connection).await?;
    stamp_mailbox(connection, id).await?;
    Ok(id)
}

/// Returns the row of a mailbox by its id, checked.
pub(crate) async fn mailbox_by_id(connection: &mut Connection, id: i64) -> Result<Row, Fault> {
    let row =
        sql::query("SELECT mailbox.* FROM mailbox WHERE id = ?").bind(id).fetch_optional(connection).await?;
    let row = row.ok_or_else(|| Fault::Damaged("the record of the mailbox is missing".to_owned()))?;
    check_row("mailbox", &row)?;
    Ok(row)
}

/// Changes the number of the mailbox's folders.
pub(crate) async fn count_folders(connection: &mut Connection, mailbox: i64, more: i64) -> Result<(), Fault> {
    mailbox_by_id(connection, mailbox).await?;
    let query = sql::query("UPDATE mailbox SET folders = folders + ? WHERE id = ?");
    query.bind(more).bind(mailbox).execute(&mut *connection).await?;
    stamp_mailbox(connection, mailbox).await
}

/// Returns the row of a folder by its name on the source, not checked.
pub(crate) async fn folder(
    connection: &mut Connection,
    mailbox: i64,
    source: &str,
) -> Result<Option<Row>, Fault> {
    let query = sql::query("SELECT folder.* FROM folder WHERE mailbox_id = ? AND source = ?");
    Ok(query.bind(mailbox).bind(source.to_owned()).fetch_optional(connection).await?)
}

/// Updates the checksum of the mailbox.
pub(crate) async fn stamp_mailbox(connection: &mut Connection, id: i64) -> Result<(), Fault> {
    let row =
        sql::query("SELECT mailbox.* FROM mailbox WHERE id = ?").bind(id).fetch_one(&mut *connection).await?;
    let query = sql::query("UPDATE mailbox SET checksum = ? WHERE id = ?");
    query.bind(row_checksum("mailbox", &row)?).bind(id).execute(connection).await?;
    Ok(())
}

/// Updates the checksum of the folder.
pub(crate) async fn stamp_folder(connection: &mut Connection, id: i64) -> Result<(), Fault> {
    let row =
        sql::query("SELECT folder.* FROM folder WHERE id = ?").bind(id).fetch_one(&mut *connection).await?;
    stamp_folder_row(connection, id, &row).await
}

/// Updates the checksum of the folder with these values.
pub(crate) async fn stamp_folder_row(connection: &mut Connection, id: i64, row: &Row) -> Result<(), Fault> {
    let query = sql::query("UPDATE folder SET checksum = ? WHERE id = ?");
    query.bind(row_checksum("folder", row)?).bind(id).execute(connection).await?;
    Ok(())
}
