//! Adds checksums to the rows of an older file, once, when it is opened for writing.

use std::collections::BTreeMap;

use mailhaul_engine::RepairRecord;
use mailhaul_mail::Uid;

use crate::{
    db::{
        columns::uid,
        error::Fault,
        service_rows,
        sql::{self, Connection},
    },
    ledger::{
        edited, ledger_rows,
        message_row::{COLUMNS, MessageRow},
        tally::RowTally,
    },
};

/// Rows of one statement.
const ROWS_PER_STATEMENT: i64 = 500;

/// Adds checksums to the mailboxes without one, each in a transaction of its own, and to the service's rows.
pub(crate) async fn write_checksums(connection: &mut Connection) -> Result<(), Fault> {
    let mailboxes: Vec<i64> = sql::query_scalar("SELECT id FROM mailbox WHERE checksum IS NULL")
        .fetch_all(&mut *connection)
        .await?;
    for id in mailboxes {
        sql::query("BEGIN").execute(&mut *connection).await?;
        mailbox(connection, id).await?;
        sql::query("COMMIT").execute(&mut *connection).await?;
    }
    sql::query("BEGIN").execute(&mut *connection).await?;
    service_rows::stamp_all(connection).await?;
    sql::query("COMMIT").execute(connection).await?;
    Ok(())
}

async fn mailbox(connection: &mut Connection, id: i64) -> Result<(), Fault> {
    let folders = sql::query("SELECT id, checksum FROM folder WHERE mailbox_id = ?")
        .bind(id)
        .fetch_all(&mut *connection)
        .await?;
    for row in &folders {
        let (folder, checksum): (i64, Option<i64>) = (row.try_get(0)?, row.try_get(1)?);
        // The mailbox's own checksum is written last: a missing one beside others was lost.
        if checksum.is_some() {
            return Err(Fault::Damaged("the checksum of the mailbox is missing".to_owned()));
        }
        messages(connection, folder).await?;
        let tally = RowTally::in_file(connection, folder).await?;
        RowTally::replace(connection, folder, RowTally::default(), tally).await?;
        ledger_rows::stamp_folder(connection, folder).await?;
    }
    let query = sql::query(
        "UPDATE mailbox SET folders = (SELECT count(*) FROM folder WHERE mailbox_id = ?1) WHERE id = ?1",
    );
    query.bind(id).execute(&mut *connection).await?;
    ledger_rows::stamp_mailbox(connection, id).await
}

async fn messages(connection: &mut Connection, folder: i64) -> Result<(), Fault> {
    let edited: BTreeMap<Uid, RepairRecord> = edited::all(connection, folder).await?;
    let mut after = 0;
    loop {
        let sql = format!(
            "SELECT {COLUMNS}, arrived FROM message WHERE folder_id = ? AND uid > ? ORDER BY uid LIMIT {ROWS_PER_STATEMENT}"
        );
        // The text is made of constants only.
        let query = sql::query(sql).bind(folder).bind(after);
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
        let query = sql::query(
            "UPDATE message SET checksum = pair.value ->> 1 FROM json_each(?) AS pair \
             WHERE folder_id = ? AND uid = pair.value ->> 0",
        );
        query.bind(format!("[{}]", checksums.join(","))).bind(folder).execute(&mut *connection).await?;
    }
}
