//! The services that run on a server.

use crate::{
    cluster::server_clock::SERVER_NOW,
    db::{
        error::Fault,
        sql::{self, Connection},
    },
};

/// Returns the living services of a database, by the names of their nodes; none for a file, whose lock says it.
pub(crate) async fn living(connection: &mut Connection) -> Result<Vec<String>, Fault> {
    if !connection.is_shared() {
        return Ok(Vec::new());
    }
    let sql = format!("SELECT 'node ' || name FROM node WHERE until > {SERVER_NOW} ORDER BY name");
    Ok(sql::query_scalar(sql).fetch_all(connection).await?)
}
