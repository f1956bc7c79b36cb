//! Nodes: the services that run on one database. Each has a lease, by the clock of the database.

use std::time::Duration;

use jiff::Timestamp;
use mailhaul_migration::Guid;

use super::{
    day_bytes::count_as_used,
    server_clock::{ClockOffset, SERVER_NOW},
};
use crate::{
    db::{
        columns::Cells,
        database::SCHEMA_VERSION,
        error::{Fault, StoreError},
        lock::ServiceLock,
        server_schema,
        sql::{self, Connection, Row},
    },
    handles::Nodes,
    vault::KeyId,
};

/// Properties of a service, as other nodes see it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NodeSettings {
    /// The name that the administrator uses. Two nodes should not share it.
    pub name: String,
    /// Version of the program.
    pub program: String,
    /// Maximum number of mailboxes that the node migrates at the same time.
    pub capacity: u32,
    /// Lifetime of the node's lease without a beat. After it, other nodes continue with its users.
    pub lease: Duration,
}

/// A service that runs on the database.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Node {
    /// Owner of the node's leases. A restart gives a new one.
    pub guid: Guid,
    pub settings: NodeSettings,
    /// Id of the archive that the node can write to.
    pub archive: Option<Guid>,
    /// Number of mailboxes that the node migrates now.
    pub mailboxes: u64,
    /// Ids of the master keys that the node has.
    pub keys: Vec<String>,
    /// True if the node begins no pass, because the administrator wants to stop it.
    pub is_draining: bool,
    pub started: Timestamp,
    pub last_beat: Timestamp,
    /// False if the lease has ended: the node is lost, or cannot reach the database.
    pub is_alive: bool,
}

impl Node {
    /// True if the administrator means this node by the name or GUID.
    pub fn is_named(&self, identity: &str) -> bool {
        self.settings.name.eq_ignore_ascii_case(identity)
            || self.guid.to_string().eq_ignore_ascii_case(identity)
    }
}

/// The answer to a beat.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Beat {
    /// True if the node must begin no pass.
    pub is_draining: bool,
    /// Milliseconds by which the database's clock is ahead of this machine's.
    pub clock_offset: i64,
}

impl Nodes<'_> {
    /// Takes the right to run the service: the lock of the data directory, or a node's lease on a server.
    ///
    /// # Errors
    /// [`StoreError::ServiceRuns`] if another process has the lock. A server takes any number of nodes.
    pub async fn take_service(self, settings: NodeSettings) -> Result<ServiceLock, StoreError> {
        let db = self.0;
        if !db.is_on_server() {
            return db.lock_service();
        }
        let lock = ServiceLock::on_server();
        let (owner, keys, archive) = (lock.owner(), self.key_ids(), db.archive());
        db.change_beside(move |connection| Box::pin(join(connection, owner, settings, archive, keys)))
            .await?;
        Ok(lock)
    }

    /// Prolongs the lease of this node to this time from now on, and compares the clocks. Does nothing on a data directory.
    ///
    /// # Errors
    /// [`StoreError::NodeLost`] if the lease has ended.
    pub async fn beat(self, owner: Guid, lease: Duration) -> Result<Beat, StoreError> {
        let db = self.0;
        if !db.is_on_server() {
            return Ok(Beat::default());
        }
        // The administrator may have added a key.
        db.shared.keys.read_again();
        let (database, keys) = (db.place(), self.key_ids());
        let sent = Timestamp::now();
        let answer = db.change_beside(move |connection| {
            Box::pin(async move {
                let sql = format!(
                    "UPDATE node SET beat = {SERVER_NOW}, until = {SERVER_NOW} + ?1, keys = ?3 WHERE guid = ?2 AND until > {SERVER_NOW} \
                     RETURNING beat, draining"
                );
                let row = sql::query(sql)
                    .bind(millis_of(lease))
                    .bind(owner)
                    .bind(keys)
                    .fetch_optional(connection)
                    .await?;
                let row = row.ok_or(StoreError::NodeLost { database })?;
                Ok((row.try_get::<i64>(0)?, row.try_get::<bool>(1)?))
            })
        });
        let (beat, is_draining) = answer.await?;
        let clock = ClockOffset::between(sent, beat, Timestamp::now());
        db.keep_clock(clock);
        Ok(Beat { is_draining, clock_offset: clock.millis })
    }

    /// Ends this node's lease, so that others continue at once.
    pub async fn end(self, owner: Guid) -> Result<(), StoreError> {
        let db = self.0;
        if !db.is_on_server() {
            return Ok(());
        }
        db.change_beside(move |connection| {
            Box::pin(async move {
                let lock = sql::query("SELECT guid FROM node WHERE guid = ? FOR UPDATE");
                lock.bind(owner).execute(&mut *connection).await?;
                count_as_used(connection, &[owner]).await?;
                sql::query("DELETE FROM node WHERE guid = ?").bind(owner).execute(connection).await?;
                Ok(())
            })
        })
        .await
    }

    /// Returns the nodes of the database by name; none for a data directory.
    pub async fn list(self) -> Result<Vec<Node>, StoreError> {
        let db = self.0;
        if !db.is_on_server() {
            return Ok(Vec::new());
        }
        db.read(|connection| {
            Box::pin(async move {
                let sql = format!(
                    "SELECT node.*, max(until - beat, 0) AS lease, until > {SERVER_NOW} AS alive, (SELECT count(*) FROM migration_user \
                     WHERE lease_until IS NOT NULL AND lease_owner = node.guid) AS mailboxes FROM node ORDER BY name, started"
                );
                sql::query(sql).fetch_all(connection).await?.iter().map(node).collect()
            })
        })
        .await
    }

    /// Lets the nodes with this name or GUID begin no pass any more, or begin passes again. Returns them.
    ///
    /// # Errors
    /// [`StoreError::NotFound`].
    pub async fn drain(self, identity: &str, is_draining: bool) -> Result<Vec<Guid>, StoreError> {
        let db = self.0;
        let nodes = self.list().await?;
        let found: Vec<Guid> =
            nodes.iter().filter(|node| node.is_named(identity)).map(|node| node.guid).collect();
        if found.is_empty() {
            return Err(StoreError::NotFound { what: "node", identity: identity.to_owned() });
        }
        for node in found.clone() {
            db.change_beside(move |connection| {
                Box::pin(async move {
                    let query = sql::query("UPDATE node SET draining = ? WHERE guid = ?");
                    query.bind(is_draining).bind(node).execute(connection).await?;
                    Ok(())
                })
            })
            .await?;
        }
        Ok(found)
    }

    /// True if the node must begin no pass.
    pub async fn is_draining(self, node: Guid) -> Result<bool, StoreError> {
        let db = self.0;
        db.read(|connection| {
            Box::pin(async move {
                let query = sql::query_scalar("SELECT draining FROM node WHERE guid = ?").bind(node);
                Ok(query.fetch_optional(connection).await?.unwrap_or_default())
            })
        })
        .await
    }

    /// Returns the ids of the master keys of this process, separated by blanks.
    fn key_ids(self) -> String {
        let db = self.0;
        let ids = db.shared.keys.ids();
        ids.into_iter().map(key_text).collect::<Vec<_>>().join(" ")
    }
}

async fn join(
    connection: &mut Connection,
    owner: Guid,
    settings: NodeSettings,
    archive: Option<Guid>,
    keys: String,
) -> Result<(), Fault> {
    server_schema::share(connection).await?;
    let sql = format!(
        "INSERT INTO node (guid, name, program, capacity, keys, started, beat, until, archive, schema_version) \
         VALUES (?1, ?2, ?3, ?4, ?5, {SERVER_NOW}, {SERVER_NOW}, {SERVER_NOW} + ?6, ?7, ?8)"
    );
    sql::query(sql)
        .bind(owner)
        .bind(settings.name)
        .bind(settings.program)
        .bind(settings.capacity)
        .bind(keys)
        .bind(millis_of(settings.lease))
        .bind(archive)
        .bind(SCHEMA_VERSION)
        .execute(connection)
        .await?;
    Ok(())
}

/// Returns an error if a living node does not have this master key.
pub(crate) async fn check_key(connection: &mut Connection, key: KeyId) -> Result<(), Fault> {
    if !connection.is_shared() {
        return Ok(());
    }
    let rows = sql::query("SELECT name, keys FROM node ORDER BY name").fetch_all(connection).await?;
    let mut nodes = Vec::new();
    for row in &rows {
        if !row.try_get::<&str>("keys")?.contains(&key_text(key)) {
            nodes.push(row.try_get("name")?);
        }
    }
    if nodes.is_empty() { Ok(()) } else { Err(StoreError::KeyLacking { nodes }.into()) }
}

fn key_text(id: KeyId) -> String {
    format!("{:016x}", u64::from_be_bytes(id))
}

/// Removes the nodes whose lease has ended. Returns their names.
///
/// Runs in the transaction that ended the leases of their users.
pub(crate) async fn remove_lost(connection: &mut Connection) -> Result<Vec<String>, Fault> {
    if !connection.is_shared() {
        return Ok(Vec::new());
    }
    let sql = format!("SELECT guid FROM node WHERE until <= {SERVER_NOW} ORDER BY guid FOR UPDATE");
    let lost: Vec<Guid> = sql::query_scalar(sql).fetch_all(&mut *connection).await?;
    count_as_used(connection, &lost).await?;
    let mut names = Vec::new();
    for node in lost {
        let deleted = sql::query_scalar("DELETE FROM node WHERE guid = ? RETURNING name").bind(node);
        names.push(deleted.fetch_one(&mut *connection).await?);
    }
    Ok(names)
}

fn node(row: &Row) -> Result<Node, Fault> {
    let cells = Cells(row);
    Ok(Node {
        guid: cells.get("guid")?,
        settings: NodeSettings {
            name: cells.get("name")?,
            program: cells.get("program")?,
            capacity: cells.number("capacity")?,
            lease: Duration::from_millis(cells.number("lease")?),
        },
        archive: cells.get("archive")?,
        mailboxes: cells.number("mailboxes")?,
        keys: cells.get::<&str>("keys")?.split_whitespace().map(str::to_owned).collect(),
        is_draining: cells.get("draining")?,
        started: cells.time("started")?,
        last_beat: cells.time("beat")?,
        is_alive: cells.get("alive")?,
    })
}

fn millis_of(time: Duration) -> i64 {
    i64::try_from(time.as_millis()).unwrap_or(i64::MAX)
}
