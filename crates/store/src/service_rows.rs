//! Checksums of the service's rows: endpoints, batches, and the columns that name a user and its mailboxes.

use mailhaul_migration::Guid;
use sqlx::{Row, SqliteConnection, sqlite::SqliteRow};

use crate::{checksum::row_checksum, error::Fault};

/// Users of one statement.
const ROWS_PER_STATEMENT: usize = 500;

/// Updates the checksum of the endpoint.
pub(crate) async fn stamp_endpoint(connection: &mut SqliteConnection, guid: Guid) -> Result<(), Fault> {
    let query = sqlx::query("SELECT * FROM endpoint WHERE guid = ?");
    let row = query.bind(guid).fetch_one(&mut *connection).await?;
    let query = sqlx::query("UPDATE endpoint SET checksum = ? WHERE guid = ?");
    query.bind(row_checksum("endpoint", &row)?).bind(guid).execute(connection).await?;
    Ok(())
}

/// Updates the checksum of the batch.
pub(crate) async fn stamp_batch(connection: &mut SqliteConnection, guid: Guid) -> Result<(), Fault> {
    let query = sqlx::query("SELECT * FROM batch WHERE guid = ?");
    let row = query.bind(guid).fetch_one(&mut *connection).await?;
    let query = sqlx::query("UPDATE batch SET checksum = ? WHERE guid = ?");
    query.bind(row_checksum("batch", &row)?).bind(guid).execute(connection).await?;
    Ok(())
}

/// Updates the checksums of the users with these addresses, a list in JSON.
pub(crate) async fn stamp_users(connection: &mut SqliteConnection, addresses: String) -> Result<(), Fault> {
    // CROSS JOIN keeps the order: one search of the index for each address.
    let query = sqlx::query(
        "SELECT user.* FROM json_each(?) AS wanted CROSS JOIN user ON user.email_address = wanted.value",
    );
    let rows = query.bind(addresses).fetch_all(&mut *connection).await?;
    write(connection, &rows).await
}

async fn write(connection: &mut SqliteConnection, users: &[SqliteRow]) -> Result<(), Fault> {
    for chunk in users.chunks(ROWS_PER_STATEMENT) {
        let mut pairs = Vec::with_capacity(chunk.len());
        for row in chunk {
            pairs.push(format!("[{},{}]", row.try_get::<i64, _>("id")?, row_checksum("user", row)?));
        }
        let query = sqlx::query(
            "UPDATE user SET checksum = pair.value ->> 1 FROM json_each(?) AS pair WHERE user.id = pair.value ->> 0",
        );
        query.bind(format!("[{}]", pairs.join(","))).execute(&mut *connection).await?;
    }
    Ok(())
}

/// Adds checksums to rows without one, as those of an older file.
pub(crate) async fn stamp_all(connection: &mut SqliteConnection) -> Result<(), Fault> {
    let endpoints: Vec<Guid> = sqlx::query_scalar("SELECT guid FROM endpoint WHERE checksum IS NULL")
        .fetch_all(&mut *connection)
        .await?;
    for guid in endpoints {
        stamp_endpoint(connection, guid).await?;
    }
    let batches: Vec<Guid> = sqlx::query_scalar("SELECT guid FROM batch WHERE checksum IS NULL")
        .fetch_all(&mut *connection)
        .await?;
    for guid in batches {
        stamp_batch(connection, guid).await?;
    }
    loop {
        let query = sqlx::query("SELECT * FROM user WHERE checksum IS NULL ORDER BY id LIMIT 500");
        let rows = query.fetch_all(&mut *connection).await?;
        if rows.is_empty() {
            return Ok(());
        }
        write(connection, &rows).await?;
    }
}
