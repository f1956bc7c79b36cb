//! The schema of a database on a server, which programs of two releases use at the same time.
//!
//! A step either widens the schema, so that programs of earlier steps still work, or narrows it. Nodes are
//! upgraded one after another: the first newer one widens. A step that narrows waits until the nodes that
//! cannot work with it have ended.

use sqlx::{ConnectOptions as _, postgres::PgConnectOptions};

use crate::{
    cluster::server_clock::SERVER_NOW,
    db::{
        database::{self, SCHEMA_VERSION, SchemaStep},
        error::{Fault, StoreError},
        sql::{self, Connection},
    },
};

/// A step, with the oldest program that can work with it: the number of the newest step that it knows.
pub(crate) struct ServerStep {
    pub(crate) step: SchemaStep,
    pub(crate) oldest: i64,
}

/// The steps of the server's schema. They have the numbers of the file's steps.
pub(crate) const SCHEMA: [ServerStep; 11] = [
    narrow(18, "store", include_str!("../../migrations/postgres/0018_store.sql")),
    narrow(19, "relocation", include_str!("../../migrations/postgres/0019_relocation.sql")),
    // An older program would write the users of any archive into its own.
    narrow(20, "archive", include_str!("../../migrations/postgres/0020_archive.sql")),
    ServerStep {
        step: (21, "windows", include_str!("../../migrations/postgres/0021_windows.sql")),
        oldest: 20,
    },
    ServerStep {
        step: (22, "authors", include_str!("../../migrations/postgres/0022_authors.sql")),
        oldest: 20,
    },
    ServerStep {
        step: (23, "console sessions", include_str!("../../migrations/postgres/0023_console_sessions.sql")),
        oldest: 20,
    },
    ServerStep {
        step: (24, "user changes", include_str!("../../migrations/postgres/0024_user_changes.sql")),
        oldest: 20,
    },
    ServerStep {
        step: (25, "throughput", include_str!("../../migrations/postgres/0025_throughput.sql")),
        oldest: 20,
    },
    ServerStep {
        step: (26, "cutover", include_str!("../../migrations/postgres/0026_cutover.sql")),
        oldest: 20,
    },
    ServerStep {
        step: (27, "arrivals", include_str!("../../migrations/postgres/0027_arrivals.sql")),
        oldest: 20,
    },
    ServerStep {
        step: (28, "outbox", include_str!("../../migrations/postgres/0028_outbox.sql")),
        oldest: 20,
    },
];

/// Step that brought the table of supported programs.
pub(crate) const SUPPORT_SINCE: i64 = 20;

/// Counts the table of the steps that a server has had: 0 if it has had none.
pub(crate) const HAS_STEPS: &str = "SELECT count(*) FROM pg_class WHERE relname = '_sqlx_migrations' AND relnamespace = current_schema()::regnamespace";

/// Session lock of a process that changes the schema. Nodes that begin share it. Its number is arbitrary.
const LOCK_SCHEMA: &str = "SELECT pg_advisory_lock(7106488237401)";
const SHARE_SCHEMA: &str = "SELECT pg_advisory_xact_lock_shared(7106488237401)";

/// A step that only programs that know it can work with.
const fn narrow(version: i64, name: &'static str, sql: &'static str) -> ServerStep {
    ServerStep { step: (version, name, sql), oldest: version }
}

/// Brings the schema up to date, or returns an error if this program cannot work with it.
pub(crate) async fn prepare(options: &PgConnectOptions) -> Result<(), Fault> {
    run(options, &SCHEMA).await
}

/// Runs the steps that the database has not had yet.
///
/// A database with more steps stays as it is, if a program that knows these steps can work with it.
pub(crate) async fn run(options: &PgConnectOptions, steps: &[ServerStep]) -> Result<(), Fault> {
    let known = steps.last().map_or(0, |it| it.step.0);
    let mut connection = Connection::Alone(options.connect().await?);
    if !is_ready(&mut connection, known).await? {
        sql::query("SET lock_timeout = '60s'").execute(&mut connection).await?;
        sql::query(LOCK_SCHEMA).execute(&mut connection).await?;
        // Another process may have run the steps meanwhile.
        if !is_ready(&mut connection, known).await? {
            refuse_older_nodes(&mut connection, steps).await?;
            let Connection::Alone(connection) = &mut connection else { return Ok(()) };
            database::run_steps(connection, steps.iter().map(|it| it.step)).await?;
        }
    }
    // The lock ends with the session.
    connection.end().await?;
    Ok(())
}

/// True if a program that knows the steps up to this one can work with the schema as it is.
async fn is_ready(connection: &mut Connection, known: i64) -> Result<bool, Fault> {
    match version(connection).await? {
        Some(found) if found > known => {
            let oldest = oldest(connection).await?;
            if oldest > known { Err(Fault::Narrowed { found, oldest, known }) } else { Ok(true) }
        }
        Some(found) => Ok(found == known),
        None => Ok(false),
    }
}

/// Returns the newest step of the schema; `None` if a step failed halfway or there is none.
pub(crate) async fn version(connection: &mut Connection) -> Result<Option<i64>, Fault> {
    let tables: i64 = sql::query_scalar(HAS_STEPS).fetch_one(&mut *connection).await?;
    if tables == 0 {
        return Ok(None);
    }
    let sql = "SELECT CASE WHEN bool_and(success) THEN max(version) END FROM _sqlx_migrations";
    Ok(sql::query_scalar(sql).fetch_one(connection).await?)
}

/// Returns the oldest program that can work with the schema.
async fn oldest(connection: &mut Connection) -> Result<i64, Fault> {
    Ok(sql::query_scalar("SELECT max(oldest) FROM schema_support").fetch_one(connection).await?)
}

/// Returns an error if a living node could not work with a step that is to run.
async fn refuse_older_nodes(connection: &mut Connection, steps: &[ServerStep]) -> Result<(), Fault> {
    let Some(found) = version(connection).await? else { return Ok(()) };
    let waiting = steps.iter().filter(|it| it.step.0 > found);
    let Some(oldest) = waiting.map(|it| it.oldest).max() else { return Ok(()) };
    // Before this step a node did not say what it knows.
    let knows = if found < SUPPORT_SINCE { "0" } else { "schema_version" };
    let sql =
        format!("SELECT name FROM node WHERE until > {SERVER_NOW} AND {knows} < ? ORDER BY name, started");
    let nodes: Vec<String> = sql::query_scalar(sql).bind(oldest).fetch_all(connection).await?;
    if nodes.is_empty() { Ok(()) } else { Err(StoreError::OlderNodes { nodes }.into()) }
}

/// Returns an error if this program cannot work with the schema any more.
///
/// Until the end of the transaction no other process changes the schema.
pub(crate) async fn share(connection: &mut Connection) -> Result<(), Fault> {
    sql::query(SHARE_SCHEMA).execute(&mut *connection).await?;
    is_ready(connection, SCHEMA_VERSION).await?;
    Ok(())
}
