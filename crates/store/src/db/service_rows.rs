//! Checksums of the service's rows: endpoints, batches, and the columns that name a user and its mailboxes.

use mailhaul_migration::Guid;

use crate::db::{
    checksum::row_checksum,
    error::Fault,
    sql::{self, Builder, Connection, Row, Value},
};

/// Users of one statement.
const ROWS_PER_STATEMENT: usize = 500;

/// Updates the checksum of the endpoint.
pub(crate) async fn stamp_endpoint(connection: &mut Connection, guid: Guid) -> Result<(), Fault> {
    let query = sql::query("SELECT endpoint.* FROM endpoint WHERE guid = ?");
    let row = query.bind(guid).fetch_one(&mut *connection).await?;
    let query = sql::query("UPDATE endpoint SET checksum = ? WHERE guid = ?");
    query.bind(row_checksum("endpoint", &row)?).bind(guid).execute(connection).await?;
    Ok(())
}

/// Updates the checksum of the batch.
pub(crate) async fn stamp_batch(connection: &mut Connection, guid: Guid) -> Result<(), Fault> {
    let query = sql::query("SELECT batch.* FROM batch WHERE guid = ?");
    let row = query.bind(guid).fetch_one(&mut *connection).await?;
    let query = sql::query("UPDATE batch SET checksum = ? WHERE guid = ?");
    query.bind(row_checksum("batch", &row)?).bind(guid).execute(connection).await?;
    Ok(())
}

/// Updates the checksums of the users with these addresses.
pub(crate) async fn stamp_users(connection: &mut Connection, addresses: Vec<String>) -> Result<(), Fault> {
    // CROSS JOIN keeps the order: one search of the index for each address.
    let query = sql::query(
        "SELECT migration_user.* FROM json_each(?) AS wanted CROSS JOIN migration_user \
         WHERE migration_user.email_key = wanted.value",
    );
    let rows = query.bind(addresses).fetch_all(&mut *connection).await?;
    write(connection, &rows).await
}

async fn write(connection: &mut Connection, users: &[Row]) -> Result<(), Fault> {
    for chunk in users.chunks(ROWS_PER_STATEMENT) {
        let mut query = Builder::new("UPDATE migration_user SET checksum = pair.column2 FROM (VALUES ");
        let pairs =
            chunk.iter().map(|row| Ok([row.try_get::<i64>("id")?.into(), row_checksum("user", row)?.into()]));
        query.push_rows(pairs.collect::<Result<Vec<[Value; 2]>, Fault>>()?);
        query.push(") AS pair WHERE migration_user.id = pair.column1");
        query.build().persistent(false).execute(&mut *connection).await?;
    }
    Ok(())
}

/// Adds checksums to rows without one, as those of an older file.
pub(crate) async fn stamp_all(connection: &mut Connection) -> Result<(), Fault> {
    let endpoints: Vec<Guid> = sql::query_scalar("SELECT guid FROM endpoint WHERE checksum IS NULL")
        .fetch_all(&mut *connection)
        .await?;
    for guid in endpoints {
        stamp_endpoint(connection, guid).await?;
    }
    let batches: Vec<Guid> = sql::query_scalar("SELECT guid FROM batch WHERE checksum IS NULL")
        .fetch_all(&mut *connection)
        .await?;
    for guid in batches {
        stamp_batch(connection, guid).await?;
    }
    loop {
        let query = sql::query(
            "SELECT migration_user.* FROM migration_user WHERE checksum IS NULL ORDER BY id LIMIT 500",
        );
        let rows = query.fetch_all(&mut *connection).await?;
        if rows.is_empty() {
            return Ok(());
        }
        write(connection, &rows).await?;
    }
}
