//! Adds checksums to the rows of an older file, once, when it is opened for writing.

use std::collections::BTreeMap;

use mailhaul_engine::RepairRecord;
use mailhaul_mail::Uid;
use sqlx::{AssertSqlSafe, Connection, SqliteConnection};

use crate::{
    columns::uid,
    edited,
    error::Fault,
    ledger_rows,
    message_row::{COLUMNS, MessageRow},
    service_rows,
    tally::RowTally,
};

/// Rows of one statement.
const ROWS_PER_STATEMENT: i64 = 500;

/// Adds checksums to the mailboxes without one, each in a transaction of its own, and to the service's rows.
pub(crate) async fn write_checksums(connection: &mut SqliteConnection) -> Result<(), Fault> {
    let mailboxes: Vec<i64> = sqlx::query_scalar("SELECT id FROM mailbox WHERE checksum IS NULL")
        .fetch_all(&mut *connection)
        .await?;
    for id in mailboxes {
        let mut transaction = connection.begin().await?;
        mailbox(&mut transaction, id).await?;
        transaction.commit().await?;
    }
    let mut transaction = connection.begin().await?;
    service_rows::stamp_all(&mut transaction).await?;
    transaction.commit().await?;
    Ok(())
}

async fn mailbox(connection: &mut SqliteConnection, id: i64) -> Result<(), Fault> {
    let folders: Vec<(i64, Option<i64>)> =
        sqlx::query_as("SELECT id, checksum FROM folder WHERE mailbox_id = ?")
            .bind(id)
            .fetch_all(&mut *connection)
            .await?;
    for (folder, checksum) in &folders {
        // The mailbox's own checksum is written last: a missing one beside others was lost.
        if checksum.is_some() {
            return Err(Fault::Damaged("the checksum of the mailbox is missing".to_owned()));
        }
        messages(connection, *folder).await?;
        let tally = RowTally::in_file(connection, *folder).await?;
        RowTally::replace(connection, *folder, RowTally::default(), tally).await?;
        ledger_rows::stamp_folder(connection, *folder).await?;
    }
    let query = sqlx::query(
        "UPDATE mailbox SET folders = (SELECT count(*) FROM folder WHERE mailbox_id = ?1) WHERE id = ?1",
    );
    query.bind(id).execute(&mut *connection).await?;
    ledger_rows::stamp_mailbox(connection, id).await
}

async fn messages(connection: &mut SqliteConnection, folder: i64) -> Result<(), Fault> {
    let edited: BTreeMap<Uid, RepairRecord> = edited::all(connection, folder).await?;
    let mut after = 0;
    loop {
        let sql = format!(
            "SELECT {COLUMNS}, arrived FROM message WHERE folder_id = ? AND uid > ? ORDER BY uid LIMIT {ROWS_PER_STATEMENT}"
        );
        // The text is made of constants only.
        let query = sqlx::query(AssertSqlSafe(sql)).bind(folder).bind(after);
        let rows = query.fetch_all(&mut *connection).await?;
        let mut checksums = Vec::with_capacity(rows.len());
        for row in &rows {
            let row = MessageRow::read(row)?;
            let edited = edited.get(&uid(row.uid)?);
            after = row.uid;
            checksums.push(format!("[{},{}]", row.uid, row.checksum(folder, edited)));
        }
        if checksums.is_empty() {
            return Ok(());
        }
        let query = sqlx::query(
            "UPDATE message SET checksum = pair.value ->> 1 FROM json_each(?) AS pair \
             WHERE folder_id = ? AND uid = pair.value ->> 0",
        );
        query.bind(format!("[{}]", checksums.join(","))).bind(folder).execute(&mut *connection).await?;
    }
}
