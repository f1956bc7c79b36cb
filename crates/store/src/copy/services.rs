//! The services that run on a server.

use crate::{
    error::Fault,
    sql::{self, Connection},
};

/// Returns the living services of a database, by machine and process; none for a file, whose lock says it.
pub(crate) async fn living(connection: &mut Connection) -> Result<Vec<String>, Fault> {
    if !connection.is_shared() {
        return Ok(Vec::new());
    }
    let sql =
        "SELECT name FROM service WHERE until > CAST(extract(epoch FROM clock_timestamp()) * 1000 AS BIGINT)";
    Ok(sql::query_scalar(sql).fetch_all(connection).await?)
}
