//! The store: one open data directory.

use std::{
    fs,
    path::{Path, PathBuf},
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
};

use sqlx::SqliteConnection;

use crate::{
    database,
    error::{Fault, StoreError},
    lock,
    reading::Readers,
    vault::Keys,
    writer::{Work, Writer},
};

/// Maximum number of reads of a file that another process writes at the same time.
const MAX_READS: usize = 10;

/// One data directory: the ledgers of all mailboxes, and the data of the service.
///
/// Clones share the open file.
#[derive(Clone)]
pub struct Store {
    pub(crate) shared: Arc<Shared>,
}

pub(crate) struct Shared {
    pub(crate) data: PathBuf,
    pub(crate) path: PathBuf,
    /// Step of the file's schema when it was opened.
    pub(crate) schema: i64,
    readers: Readers,
    /// Reads since the file was opened.
    reads: AtomicU64,
    /// Changes of endpoints since the file was opened.
    pub(crate) endpoint_changes: AtomicU64,
    /// `None` if the store was opened for reading only.
    pub(crate) writer: Option<Writer>,
    pub(crate) keys: Keys,
}

impl Store {
    /// Opens the data directory. Creates it (mode 0700), its file (0600) and the schema if they are missing.
    ///
    /// Called inside a Tokio runtime, on which the writer runs.
    pub async fn open(data: &Path) -> Result<Self, StoreError> {
        database::make_directory(data)?;
        database::check_directory(data)?;
        let held = lock::wait_for(data, lock::SCHEMA).await?;
        let path = database::make_file(data)?;
        let options = database::write_options(&path);
        let connection = database::open(&options).await.map_err(StoreError::database(&path, "opened"))?;
        drop(held);
        let readers = Readers::pool(&path);
        let writer = Some(Writer::start(path.clone(), options, Some(connection)));
        let shared = Shared {
            data: data.to_owned(),
            path,
            schema: database::SCHEMA_VERSION,
            readers,
            reads: AtomicU64::new(0),
            endpoint_changes: AtomicU64::new(0),
            writer,
            keys: Keys::default(),
        };
        Ok(Self { shared: Arc::new(shared) })
    }

    /// Opens the data directory without changing anything in it; `None` if there is no ledger yet.
    ///
    /// Takes no lock, so that it works beside a running migration and on a directory that cannot be written.
    pub async fn open_read_only(data: &Path) -> Result<Option<Self>, StoreError> {
        let path = database::file_in(data);
        match fs::metadata(&path) {
            Ok(file) if file.len() == 0 && !path.with_extension("db-wal").exists() => return Ok(None),
            Ok(_) => {}
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(StoreError::file(&path)(error)),
        }
        let readers = Readers::File(path.clone());
        let mut shared = Shared {
            data: data.to_owned(),
            path,
            schema: 0,
            readers,
            reads: AtomicU64::new(0),
            endpoint_changes: AtomicU64::new(0),
            writer: None,
            keys: Keys::default(),
        };
        let schema = shared.read(|it| Box::pin(database::schema(it))).await;
        let Some(schema) = schema.map_err(StoreError::database(&shared.path, "opened"))? else {
            return Ok(None);
        };
        shared.schema = schema;
        Ok(Some(Self { shared: Arc::new(shared) }))
    }

    /// Ends the writer after all pending requests, and closes the file.
    ///
    /// Later requests of any clone or ledger fail. Without this call nothing is lost either: written data is
    /// durable.
    pub async fn close(self) {
        self.shared.readers.close().await;
        if let Some(writer) = &self.shared.writer {
            writer.close().await;
        }
    }

    /// Returns the number of reads of the file since it was opened.
    pub fn reads(&self) -> u64 {
        self.shared.reads.load(Ordering::Relaxed)
    }

    /// Returns the path of the data directory.
    pub(crate) fn data(&self) -> &Path {
        self.shared.data()
    }

    /// Runs the work in one transaction of the writer.
    ///
    /// The result is durable when it returns. A failure changes nothing.
    pub(crate) async fn change<T, F>(&self, work: F) -> Result<T, StoreError>
    where
        T: Send + 'static,
        F: for<'c> FnOnce(&'c mut SqliteConnection) -> Work<'c, T> + Send + 'static,
    {
        self.shared.writer()?.change(work).await
    }

    /// Reads data of the service, consistent at one moment.
    ///
    /// In a file of an older schema only the ledger can be read.
    pub(crate) async fn read<T, F>(&self, work: F) -> Result<T, StoreError>
    where
        F: for<'c> Fn(&'c mut SqliteConnection) -> Work<'c, T>,
    {
        let shared = &self.shared;
        let failed = StoreError::database(&shared.path, "read");
        if shared.schema < database::SCHEMA_VERSION {
            return Err(failed(Fault::Version { found: shared.schema, known: database::SCHEMA_VERSION }));
        }
        shared.read(work).await.map_err(failed)
    }
}

impl Shared {
    /// Returns the path of the data directory.
    pub(crate) fn data(&self) -> &Path {
        &self.data
    }

    /// Returns the writer, or an error if the store is read-only.
    pub(crate) fn writer(&self) -> Result<&Writer, StoreError> {
        let closed = || StoreError::Unavailable { path: self.path.clone(), how: "open for reading only" };
        self.writer.as_ref().ok_or_else(closed)
    }

    /// Reads inside a transaction, so that all values are of one moment.
    ///
    /// Repeats the read if another process wrote a file that seemed closed.
    pub(crate) async fn read<T, F>(&self, work: F) -> Result<T, Fault>
    where
        F: for<'c> Fn(&'c mut SqliteConnection) -> Work<'c, T>,
    {
        self.reads.fetch_add(1, Ordering::Relaxed);
        for _ in 0..MAX_READS {
            let mut reading = self.readers.begin().await?;
            let answer = work(reading.connection()).await;
            if reading.was_steady().await? {
                return answer;
            }
        }
        Err(Fault::Unsteady)
    }
}
