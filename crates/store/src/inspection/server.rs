//! Facts about a server.

use crate::{
    cluster::server_clock::ClockOffset,
    db::{
        error::Fault,
        sql::{self, Connection},
    },
};

/// Bytes of a table with its indexes and its parts.
pub(super) const BYTES_OF_TABLE: &str = "SELECT coalesce((SELECT sum(pg_total_relation_size(relid)) FROM pg_partition_tree(it.oid)), \
     pg_total_relation_size(it.oid))::bigint FROM pg_class AS it WHERE relname = ? \
     AND relnamespace = current_schema()::regnamespace";

/// A server's version, and its settings that a ledger needs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ServerFacts {
    pub version: String,
    /// False if a crash of the server's machine can destroy the database.
    pub has_fsync: bool,
    /// False if a crash can damage pages.
    pub has_full_page_writes: bool,
    /// The setting `synchronous_commit`. With `off`, a crash loses the last moments.
    pub synchronous_commit: String,
    /// The setting `synchronous_standby_names`; empty without a synchronous standby.
    pub synchronous_standbys: String,
    /// Milliseconds by which the server's clock is ahead of this machine's.
    pub clock_offset: i64,
    /// Milliseconds that the offset can be wrong by.
    pub clock_error: i64,
}

impl ServerFacts {
    /// True if a commit can be lost by a crash of the server.
    pub fn loses_commits(&self) -> bool {
        !self.has_fsync || self.synchronous_commit == "off"
    }
}

pub(super) async fn facts(connection: &mut Connection) -> Result<ServerFacts, Fault> {
    let sql = "SELECT current_setting('server_version') AS number, current_setting('fsync') AS fsync, \
               current_setting('full_page_writes') AS pages, current_setting('synchronous_commit') AS commit, \
               current_setting('synchronous_standby_names') AS standbys";
    let row = sql::query(sql).fetch_one(&mut *connection).await?;
    let clock = ClockOffset::read(connection).await?;
    Ok(ServerFacts {
        version: row.try_get("number")?,
        has_fsync: row.try_get::<&str>("fsync")? == "on",
        has_full_page_writes: row.try_get::<&str>("pages")? == "on",
        synchronous_commit: row.try_get("commit")?,
        synchronous_standbys: row.try_get("standbys")?,
        clock_offset: clock.millis,
        clock_error: clock.error,
    })
}
