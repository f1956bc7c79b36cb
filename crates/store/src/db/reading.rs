//! Read-only connections.

use std::{
    fs, io,
    path::{Path, PathBuf},
    time::{Duration, SystemTime},
};

use sqlx::{ConnectOptions, SqlitePool, sqlite::SqlitePoolOptions};

use crate::db::{database, error::Fault, sql::Connection, writer::Work};

/// Number of folders that are read at the same time.
const MAX_READERS: u32 = 4;

/// Timeout for a free connection.
///
/// Many mailboxes begin at once and read their folders: the last one must wait, not fail.
const ACQUIRE_TIMEOUT: Duration = Duration::from_mins(10);

/// Maximum number of reads of a file that another process writes at the same time.
const MAX_READS: usize = 10;

/// The origin of read-only connections.
pub(crate) enum Readers {
    /// A pool beside our own writer.
    Pool(SqlitePool),
    /// A file that is read without a trace in the data directory.
    File(PathBuf),
}

impl Readers {
    /// Opens a pool of readers beside our own writer.
    pub(crate) fn pool(path: &Path) -> Self {
        let pool = SqlitePoolOptions::new().max_connections(MAX_READERS).acquire_timeout(ACQUIRE_TIMEOUT);
        Self::Pool(pool.connect_lazy_with(database::read_options(path)))
    }

    /// Begins a read transaction.
    ///
    /// All values are of one moment if [`Reading::was_steady`] confirms it at the end.
    pub(crate) async fn begin(&self) -> Result<Reading, Fault> {
        match self {
            Self::Pool(pool) => {
                Ok(Reading { connection: Connection::FileReader(pool.begin().await?), rest: None })
            }
            Self::File(path) => {
                let stamp = FileStamp::read(path).map_err(sqlx::Error::Io)?;
                let at_rest = stamp.log.is_none();
                // Without a log no process seems to have the file open. SQLite would create an empty log in
                // order to read. With `immutable` it creates none. If there is a log, SQLite takes part in
                // the locking.
                let mut connection = database::read_options(path).immutable(at_rest).connect().await?;
                sqlx::query("BEGIN").execute(&mut connection).await?;
                let rest = at_rest.then(|| FileAtRest { path: path.clone(), before: stamp });
                Ok(Reading { connection: Connection::File(connection), rest })
            }
        }
    }

    /// Reads inside a transaction, so that all values are of one moment.
    ///
    /// Repeats the read if another process wrote a file that seemed closed.
    pub(crate) async fn read<T, F>(&self, work: F) -> Result<T, Fault>
    where
        F: for<'c> Fn(&'c mut Connection) -> Work<'c, T>,
    {
        for _ in 0..MAX_READS {
            let mut reading = self.begin().await?;
            let answer = work(reading.connection()).await;
            if reading.was_steady().await? {
                return answer;
            }
        }
        Err(Fault::Unsteady)
    }

    /// Closes the pool.
    pub(crate) async fn close(&self) {
        if let Self::Pool(pool) = self {
            pool.close().await;
        }
    }
}

/// A connection inside a read transaction.
pub(crate) struct Reading {
    connection: Connection,
    /// The file, if no process had it open at the begin.
    rest: Option<FileAtRest>,
}

/// A file that no process had open.
struct FileAtRest {
    path: PathBuf,
    before: FileStamp,
}

impl Reading {
    /// The connection for queries.
    pub(crate) fn connection(&mut self) -> &mut Connection {
        &mut self.connection
    }

    /// Ends the transaction. Returns true if the results, or errors, are valid.
    ///
    /// They are not if a file without a log was written meanwhile.
    pub(crate) async fn was_steady(self) -> Result<bool, Fault> {
        self.connection.end().await?;
        match self.rest {
            Some(FileAtRest { path, before }) => {
                Ok(before == FileStamp::read(&path).map_err(sqlx::Error::Io)?)
            }
            None => Ok(true),
        }
    }
}

/// The properties of a file that show a change. A writer creates a log first.
#[derive(PartialEq, Eq)]
pub(crate) struct FileStamp {
    file: (u64, SystemTime),
    /// `None` if there is no log, or an empty one.
    log: Option<u64>,
}

impl FileStamp {
    fn read(path: &Path) -> io::Result<Self> {
        let log = path.with_extension("db-wal");
        let log = match fs::metadata(log) {
            Ok(log) => Some(log.len()).filter(|&length| length > 0),
            Err(error) if error.kind() == io::ErrorKind::NotFound => None,
            Err(error) => return Err(error),
        };
        let file = fs::metadata(path)?;
        Ok(Self { file: (file.len(), file.modified()?), log })
    }
}
