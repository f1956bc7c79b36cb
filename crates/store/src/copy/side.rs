//! One of the two databases of a copy.

use std::{
    fs::{self, File},
    path::{Path, PathBuf},
};

use crate::{
    Store,
    db::{
        catalogue::{self, Table},
        database,
        error::{Fault, StoreError},
        lock,
        server::{READ_ONLY, Server, ServerAddress},
        sql::{self, Connection},
    },
};

/// The place of a database: a data directory, or a server.
#[derive(Clone, Debug)]
pub enum Home {
    Directory(PathBuf),
    Server(Box<ServerAddress>),
}

impl Home {
    /// Describes the place for messages and marks: `/data`, or `the database mailhaul at db.example:5432`.
    pub fn place(&self) -> String {
        match self {
            // The mark of a database is read from any directory.
            Self::Directory(data) => {
                fs::canonicalize(data).unwrap_or_else(|_| data.clone()).display().to_string()
            }
            Self::Server(address) => format!("{address:?}"),
        }
    }
}

/// An open database that no service, and no pass without one, uses.
pub(super) struct Side {
    /// Its place, as in [`Home::place`].
    pub(super) place: String,
    pub(super) tables: Vec<Table>,
    database: Database,
    /// The locks of a data directory.
    _locks: Vec<File>,
}

enum Database {
    /// The connection, while no transaction has it.
    File(Option<Connection>),
    Server(Server),
}

impl Side {
    /// Opens the source.
    pub(super) async fn source(home: &Home) -> Result<Self, StoreError> {
        match home {
            Home::Directory(data) if !database::file_in(data).exists() => {
                Err(StoreError::NoData { data: home.place() })
            }
            _ => Self::open(home).await,
        }
    }

    /// Opens the target, and creates what is missing.
    pub(super) async fn target(home: &Home) -> Result<Self, StoreError> {
        Self::open(home).await
    }

    async fn open(home: &Home) -> Result<Self, StoreError> {
        let (database, locks) = match home {
            Home::Directory(data) => {
                Store::prepare_directory(data)?;
                let locks = lock(data)?;
                let held = lock::wait_for(data, lock::SCHEMA).await?;
                let options = database::write_options(&database::make_file(data)?);
                let failed = StoreError::database(&home.place(), "opened");
                let connection = database::open(&options).await.map_err(failed)?;
                drop(held);
                (Database::File(Some(connection)), locks)
            }
            Home::Server(address) => (Database::Server(Server::connect_to_copy(address).await?), Vec::new()),
        };
        let place = home.place();
        let mut side = Self { place, tables: Vec::new(), database, _locks: locks };
        let tables = async {
            let mut connection = side.begin().await?;
            let tables = catalogue::tables(&mut connection).await?;
            side.commit(connection).await?;
            Ok(tables)
        };
        let tables = tables.await.map_err(StoreError::database(&side.place, "read"))?;
        side.tables = tables;
        Ok(side)
    }

    /// True if the database is on a server.
    pub(super) fn is_server(&self) -> bool {
        matches!(self.database, Database::Server(_))
    }

    /// Returns the conversion of faults.
    pub(super) fn failed(&self, verb: &'static str) -> impl Fn(Fault) -> StoreError + use<> {
        StoreError::database(&self.place, verb)
    }

    /// Begins a transaction that may write.
    pub(super) async fn begin(&mut self) -> Result<Connection, Fault> {
        match &mut self.database {
            Database::Server(server) => server.begin("BEGIN").await,
            // Without a connection an earlier transaction failed, or runs still.
            Database::File(idle) => {
                let mut connection = idle.take().ok_or(sqlx::Error::PoolClosed)?;
                sql::query("BEGIN IMMEDIATE").execute(&mut connection).await?;
                Ok(connection)
            }
        }
    }

    pub(super) async fn commit(&mut self, connection: Connection) -> Result<(), Fault> {
        let connection = connection.commit().await?;
        if let Database::File(idle) = &mut self.database {
            *idle = connection;
        }
        Ok(())
    }

    /// Begins to read: all values are of one moment, and until the end other processes change nothing.
    pub(super) async fn begin_reading(&mut self) -> Result<Connection, Fault> {
        if let Database::Server(server) = &self.database {
            let mut connection = server.begin(READ_ONLY).await?;
            let names: Vec<_> = self.tables.iter().map(|table| table.name.as_str()).collect();
            // Without the mark's table, which another connection writes. The first read comes after the lock, and shows
            // what is locked.
            let names = names.into_iter().filter(|name| *name != super::MARK).collect::<Vec<_>>().join(", ");
            sql::query(format!("LOCK TABLE {names} IN SHARE ROW EXCLUSIVE MODE"))
                .execute(&mut connection)
                .await?;
            return Ok(connection);
        }
        let mut connection = self.begin().await?;
        sql::query("PRAGMA query_only = ON").execute(&mut connection).await?;
        Ok(connection)
    }

    /// Begins a transaction that may write, while `reading` keeps others from it.
    ///
    /// For a file it is the same transaction: no write came between.
    pub(super) async fn begin_beside(
        &mut self,
        reading: Connection,
    ) -> Result<(Connection, Option<Connection>), Fault> {
        match &self.database {
            Database::Server(server) => Ok((server.begin("BEGIN").await?, Some(reading))),
            Database::File(_) => {
                let mut connection = reading;
                sql::query("PRAGMA query_only = OFF").execute(&mut connection).await?;
                Ok((connection, None))
            }
        }
    }

    /// Closes the database, and frees the directory.
    pub(super) async fn close(self) -> Result<(), StoreError> {
        let failed = self.failed("closed");
        match self.database {
            Database::Server(server) => server.close().await,
            Database::File(Some(connection)) => database::close(connection).await.map_err(failed)?,
            Database::File(None) => {}
        }
        Ok(())
    }
}

/// Locks a data directory: against a service, and against passes without one.
fn lock(data: &Path) -> Result<Vec<File>, StoreError> {
    let service = lock::service(data, format_args!("process {}, database copy", std::process::id()))?;
    let runs = || StoreError::MailboxRuns { data: data.display().to_string() };
    let mailboxes = lock::all_mailboxes(data)?.ok_or_else(runs)?;
    Ok(vec![service, mailboxes])
}
