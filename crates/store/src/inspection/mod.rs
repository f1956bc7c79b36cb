//! A look at a database: its schema, its settings, its sizes. Changes nothing, not even the schema.

mod expected;
mod server;

pub use self::server::ServerFacts;
use crate::{
    StoreError,
    copy::{Home, services},
    db::{
        catalogue,
        database::{self, SCHEMA_VERSION},
        error::Fault,
        reading::Readers,
        relocation::{RELOCATION_SINCE, Relocation},
        server::Server,
        server_schema::HAS_STEPS,
        sql::{self, Connection},
    },
};

/// Bytes of a table of a file with its indexes.
const BYTES_OF_TABLE: &str = "SELECT CAST(coalesce(sum(pgsize), 0) AS INTEGER) FROM dbstat('main', 1) AS it \
     JOIN sqlite_schema AS its ON its.name = it.name WHERE its.tbl_name = ?";

/// The state of a database.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Inspection {
    /// Its place: `/data`, or `the database mailhaul at db.example:5432`.
    pub place: String,
    /// Newest step of its schema; `None` if it has none yet.
    pub schema: Option<i64>,
    /// Newest step that this program knows.
    pub known_schema: i64,
    /// Columns and indexes of this program's schema that are missing: `column message.uid`.
    pub missing: Vec<String>,
    /// Words of the database about damage of a file.
    pub damage: Vec<String>,
    pub relocation: Option<Relocation>,
    /// Living services, as their rows on a server name them. A file has no such rows.
    pub services: Vec<String>,
    /// Facts about a server; `None` for a file.
    pub server: Option<ServerFacts>,
    pub tables: Vec<TableSize>,
}

/// The size of a table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TableSize {
    pub name: String,
    pub rows: u64,
    /// Bytes on the disk, with indexes.
    pub bytes: u64,
}

/// Looks at a database.
///
/// # Errors
/// There is no data, or the database cannot be opened or read.
pub async fn inspect(home: &Home) -> Result<Inspection, StoreError> {
    let place = home.place();
    let failed = StoreError::database(&place, "read");
    let found = match home {
        Home::Directory(data) => {
            let path = database::file_in(data);
            if !path.exists() {
                return Err(StoreError::NoData { data: place });
            }
            Readers::File(path).read(|connection| Box::pin(look(connection, place.clone()))).await
        }
        Home::Server(address) => {
            let server = Server::connect_as_it_is(address).await?;
            let found = server.read(|connection| Box::pin(look(connection, place.clone()))).await;
            server.close().await;
            found
        }
    };
    found.map_err(failed)
}

async fn look(connection: &mut Connection, place: String) -> Result<Inspection, Fault> {
    let mut found = Inspection {
        place,
        schema: schema(connection).await?,
        known_schema: SCHEMA_VERSION,
        missing: Vec::new(),
        damage: Vec::new(),
        relocation: None,
        services: Vec::new(),
        server: None,
        tables: Vec::new(),
    };
    if connection.is_shared() {
        found.server = Some(server::facts(connection).await?);
    } else {
        found.damage = damage(connection).await?;
    }
    // An index over damage would show what is not there.
    let Some(schema) = found.schema.filter(|_| found.damage.is_empty()) else { return Ok(found) };
    if schema == SCHEMA_VERSION {
        found.missing = expected::missing(connection).await?;
    }
    if schema >= RELOCATION_SINCE {
        found.relocation = Relocation::read(connection).await?;
        found.services = services::living(connection).await?;
    }
    found.tables = sizes(connection).await?;
    Ok(found)
}

/// Returns the newest step of the schema; `None` if there is none.
async fn schema(connection: &mut Connection) -> Result<Option<i64>, Fault> {
    let is_there = if connection.is_shared() {
        HAS_STEPS
    } else {
        "SELECT count(*) FROM sqlite_schema WHERE name = '_sqlx_migrations'"
    };
    let tables: i64 = sql::query_scalar(is_there).fetch_one(&mut *connection).await?;
    if tables == 0 {
        return Ok(None);
    }
    let sql = "SELECT max(version) FROM _sqlx_migrations WHERE success";
    Ok(sql::query_scalar(sql).fetch_one(connection).await?)
}

/// Returns the file's words about its own damage.
async fn damage(connection: &mut Connection) -> Result<Vec<String>, Fault> {
    let words: Vec<String> = sql::query_scalar("PRAGMA integrity_check").fetch_all(&mut *connection).await?;
    let mut words: Vec<String> = words.into_iter().filter(|words| words != "ok").collect();
    let orphans = "SELECT \"table\" || ': a row refers to a missing row of ' || parent FROM pragma_foreign_key_check LIMIT 20";
    let orphans: Vec<String> = sql::query_scalar(orphans).fetch_all(connection).await?;
    words.extend(orphans);
    Ok(words)
}

/// Returns the sizes of the tables, the largest first.
async fn sizes(connection: &mut Connection) -> Result<Vec<TableSize>, Fault> {
    let bytes = if connection.is_shared() { server::BYTES_OF_TABLE } else { BYTES_OF_TABLE };
    let mut sizes = Vec::new();
    for table in catalogue::tables(connection).await? {
        let sql = format!("SELECT count(*) FROM {}", table.name);
        let rows: i64 = sql::query_scalar(sql).fetch_one(&mut *connection).await?;
        let bytes: i64 =
            sql::query_scalar(bytes).bind(table.name.as_str()).fetch_one(&mut *connection).await?;
        sizes.push(TableSize { name: table.name, rows: rows.unsigned_abs(), bytes: bytes.unsigned_abs() });
    }
    sizes.sort_by(|one, other| (other.bytes, &one.name).cmp(&(one.bytes, &other.name)));
    Ok(sizes)
}
