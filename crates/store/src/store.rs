//! The store: one open database.

use std::{
    fs,
    path::{Path, PathBuf},
    sync::{
        Arc, OnceLock,
        atomic::{AtomicI64, AtomicU64, Ordering},
    },
};

use mailhaul_engine::LedgerRecord;
use mailhaul_migration::Guid;

use crate::{
    cluster::server_clock::ClockOffset,
    db::{
        database,
        error::{Fault, StoreError},
        lock,
        reading::Readers,
        relocation,
        server::{Server, ServerAddress, Turn},
        server_text::replace_nul,
        sql::Connection,
        writer::{Work, Writer, write},
    },
    jobs::leases::Lease,
    vault::Keys,
};

/// One database: the ledgers of all mailboxes, and the data of the service.
///
/// It is a file in a data directory, or a `PostgreSQL` server. Clones share it.
#[derive(Clone)]
pub struct Store {
    pub(crate) shared: Arc<Shared>,
    /// True if ledgers are opened without the right to write them.
    pub(crate) is_reader: bool,
}

pub(crate) struct Shared {
    pub(crate) backend: Backend,
    /// Step of the schema when the database was opened.
    pub(crate) schema: i64,
    /// Reads since the database was opened.
    reads: AtomicU64,
    /// Changes of endpoints since the database was opened.
    pub(crate) endpoint_changes: AtomicU64,
    pub(crate) keys: Keys,
    /// Milliseconds by which the server's clock is ahead of this machine's.
    pub(crate) clock_offset: AtomicI64,
    /// The archive that this process can write to, where several nodes serve one database.
    archive: OnceLock<Guid>,
}

/// The two kinds of databases.
pub(crate) enum Backend {
    File(DataFile),
    Server(Server),
}

/// The file in a data directory.
pub(crate) struct DataFile {
    pub(crate) data: PathBuf,
    path: PathBuf,
    readers: Readers,
    /// `None` if the store was opened for reading only.
    writer: Option<Writer>,
}

impl Store {
    /// Opens the data directory. Creates it (mode 0700), its file (0600) and the schema if they are missing.
    ///
    /// Called inside a Tokio runtime, on which the writer runs.
    pub async fn open(data: &Path) -> Result<Self, StoreError> {
        Self::prepare_directory(data)?;
        let held = lock::wait_for(data, lock::SCHEMA).await?;
        let path = database::make_file(data)?;
        let options = database::write_options(&path);
        let words = file_words(&path);
        let failed = StoreError::database(&words, "opened");
        let mut connection = database::open(&options).await.map_err(&failed)?;
        relocation::refuse(&mut connection, data.display().to_string()).await.map_err(&failed)?;
        drop(held);
        let readers = Readers::pool(&path);
        let writer = Some(Writer::start(words, options, Some(connection)));
        let file = DataFile { data: data.to_owned(), path, readers, writer };
        Ok(Self::new(Backend::File(file), database::SCHEMA_VERSION))
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
        let file = DataFile { data: data.to_owned(), path, readers, writer: None };
        let mut shared = Shared::new(Backend::File(file), 0);
        let schema = shared.read(|it| Box::pin(database::schema(it))).await;
        let Some(schema) = schema.map_err(StoreError::database(&shared.words(), "opened"))? else {
            return Ok(None);
        };
        shared.schema = schema;
        let store = Self { shared: Arc::new(shared), is_reader: true };
        store.refuse_relocated().await?;
        Ok(Some(store))
    }

    /// Returns a store that reads ledgers beside the passes that write them; `None` if there is no ledger yet.
    pub async fn reader(&self) -> Result<Option<Self>, StoreError> {
        match &self.shared.backend {
            Backend::File(file) => Self::open_read_only(&file.data).await,
            Backend::Server(_) => Ok(Some(Self { shared: Arc::clone(&self.shared), is_reader: true })),
        }
    }

    /// True if the database is on a server.
    pub fn is_on_server(&self) -> bool {
        matches!(self.shared.backend, Backend::Server(_))
    }

    /// Connects to a `PostgreSQL` server, and creates the schema if the database is empty.
    ///
    /// # Errors
    /// [`StoreError::Database`] if the server refuses, or if its schema belongs to another version.
    pub async fn connect(address: &ServerAddress) -> Result<Self, StoreError> {
        let server = Server::connect(address).await?;
        let store = Self::new(Backend::Server(server), database::SCHEMA_VERSION);
        let opened = store.shared.read(|connection| {
            let data = store.place();
            Box::pin(async move {
                relocation::refuse(connection, data).await?;
                ClockOffset::read(connection).await
            })
        });
        let clock = opened.await.map_err(StoreError::database(&store.shared.words(), "opened"))?;
        store.keep_clock(clock);
        Ok(store)
    }

    /// Names the archive that this process can write to, once. Users of other archives are never claimed.
    ///
    /// A data directory has one archive, without an id.
    pub fn set_archive(&self, archive: Guid) {
        _ = self.shared.archive.set(archive);
    }

    /// Returns the id of the archive that this process can write to.
    pub fn archive(&self) -> Option<Guid> {
        self.shared.archive.get().copied()
    }

    fn new(backend: Backend, schema: i64) -> Self {
        Self { shared: Arc::new(Shared::new(backend, schema)), is_reader: false }
    }

    /// Creates a directory (mode 0700) if it is missing, and refuses one that other users may write to.
    ///
    /// [`Store::open`] does this too.
    pub fn prepare_directory(path: &Path) -> Result<(), StoreError> {
        database::make_directory(path)?;
        database::check_directory(path)
    }

    /// Ends the writer after all pending requests, and closes the database.
    ///
    /// Later requests of any clone or ledger fail. Without this call nothing is lost either: written data is
    /// durable.
    pub async fn close(self) {
        match &self.shared.backend {
            Backend::File(file) => {
                file.readers.close().await;
                if let Some(writer) = &file.writer {
                    writer.close().await;
                }
            }
            Backend::Server(server) => server.close().await,
        }
    }

    /// Returns the number of reads of the database since it was opened.
    pub fn reads(&self) -> u64 {
        self.shared.reads.load(Ordering::Relaxed)
    }

    /// Describes the database for a log line: `/data`, or `the database mailhaul at db.example:5432`.
    pub fn place(&self) -> String {
        self.shared.place()
    }

    /// Returns the path of the data directory; `None` for a server.
    pub(crate) fn data(&self) -> Option<&Path> {
        self.shared.data()
    }

    /// Runs the work in one transaction, while no other change runs.
    ///
    /// On a server, changes of users with a lease run beside it ([`Store::change_beside`]): the work locks
    /// the users that it decides about. The result is durable when it returns. A failure changes nothing.
    /// Data that went to another database is not changed.
    pub(crate) async fn change<T, F>(&self, work: F) -> Result<T, StoreError>
    where
        T: Send + 'static,
        F: for<'c> FnOnce(&'c mut Connection) -> Work<'c, T> + Send + 'static,
    {
        self.change_in(Turn::Alone, relocation::guarded(self.place(), work)).await
    }

    /// Runs the work in one transaction, on a server beside other changes.
    ///
    /// The work locks each row that it decides from. It locks one user at most: with two, it and an order could
    /// wait for each other.
    pub(crate) async fn change_beside<T, F>(&self, work: F) -> Result<T, StoreError>
    where
        T: Send + 'static,
        F: for<'c> FnOnce(&'c mut Connection) -> Work<'c, T> + Send + 'static,
    {
        self.change_in(Turn::Beside, work).await
    }

    async fn change_in<T, F>(&self, turn: Turn, work: F) -> Result<T, StoreError>
    where
        T: Send + 'static,
        F: for<'c> FnOnce(&'c mut Connection) -> Work<'c, T> + Send + 'static,
    {
        match &self.shared.backend {
            // The file's writer takes one change after another.
            Backend::File(_) => self.shared.writer()?.change(work).await,
            Backend::Server(server) => server.change(turn, work).await,
        }
    }

    /// Reads data of the service, consistent at one moment.
    ///
    /// In a file of an older schema only the ledger can be read.
    pub(crate) async fn read<T, F>(&self, work: F) -> Result<T, StoreError>
    where
        F: for<'c> Fn(&'c mut Connection) -> Work<'c, T>,
    {
        let shared = &self.shared;
        let failed = StoreError::database(&shared.words(), "read");
        if shared.schema < database::SCHEMA_VERSION {
            return Err(failed(Fault::Version { found: shared.schema, known: database::SCHEMA_VERSION }));
        }
        shared.read(work).await.map_err(failed)
    }
}

impl Shared {
    fn new(backend: Backend, schema: i64) -> Self {
        Self {
            backend,
            schema,
            reads: AtomicU64::new(0),
            endpoint_changes: AtomicU64::new(0),
            keys: Keys::default(),
            clock_offset: AtomicI64::new(0),
            archive: OnceLock::new(),
        }
    }

    /// Describes the database for messages.
    pub(crate) fn words(&self) -> String {
        match &self.backend {
            Backend::File(file) => file_words(&file.path),
            Backend::Server(server) => server.words(),
        }
    }

    /// Returns the path of the data directory; `None` for a server.
    pub(crate) fn data(&self) -> Option<&Path> {
        match &self.backend {
            Backend::File(file) => Some(&file.data),
            Backend::Server(_) => None,
        }
    }

    /// Describes the data directory or the database.
    pub(crate) fn place(&self) -> String {
        match &self.backend {
            Backend::File(file) => file.data.display().to_string(),
            Backend::Server(server) => server.words(),
        }
    }

    /// Writes records of a ledger, all or none; durable when it returns.
    pub(crate) async fn write(
        &self,
        mailbox: i64,
        lease: Option<Lease>,
        mut records: Vec<LedgerRecord>,
    ) -> Result<(), StoreError> {
        match &self.backend {
            Backend::File(_) => self.writer()?.write(mailbox, lease, records).await,
            Backend::Server(server) => {
                records.iter_mut().for_each(replace_nul);
                let change = server.change(Turn::Beside, move |connection| {
                    Box::pin(async move { write(connection, mailbox, lease, &records).await })
                });
                change.await
            }
        }
    }

    /// Returns the writer of the file, or an error if there is none.
    pub(crate) fn writer(&self) -> Result<&Writer, StoreError> {
        let writer = match &self.backend {
            Backend::File(file) => file.writer.as_ref(),
            Backend::Server(_) => None,
        };
        let how = "open for reading only";
        writer.ok_or_else(|| StoreError::Unavailable { database: self.words(), how })
    }

    /// Reads inside a transaction, so that all values are of one moment.
    pub(crate) async fn read<T, F>(&self, work: F) -> Result<T, Fault>
    where
        F: for<'c> Fn(&'c mut Connection) -> Work<'c, T>,
    {
        self.reads.fetch_add(1, Ordering::Relaxed);
        match &self.backend {
            Backend::File(file) => file.readers.read(work).await,
            Backend::Server(server) => server.read(work).await,
        }
    }
}

/// Describes the file for messages.
fn file_words(path: &Path) -> String {
    format!("the ledger {}", path.display())
}
