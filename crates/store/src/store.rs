//! The store: one data directory, opened.

use std::{
    fs,
    path::{Path, PathBuf},
    sync::Arc,
};

use mailhaul_engine::{FolderRecord, FolderState};
use mailhaul_mail::{FolderPath, UidSet};

use crate::{
    database,
    error::{Fault, StoreError},
    ledger::MailboxLedger,
    load, lock,
    reading::Readers,
    writer::Writer,
};

/// How often a file is read again that somebody writes at the same time.
const ATTEMPTS: usize = 10;

/// The ledgers of all mailboxes of one data directory. Clones share what is open.
#[derive(Clone)]
pub struct Store {
    shared: Arc<Shared>,
}

pub(crate) struct Shared {
    data: PathBuf,
    pub(crate) path: PathBuf,
    readers: Readers,
    /// `None` where the store was opened for reading only.
    writer: Option<Writer>,
}

impl Store {
    /// Opens the data directory; makes it (mode 0700), the file in it (0600) and its schema where they are missing.
    ///
    /// To be called inside a Tokio runtime, on which the writer runs.
    pub async fn open(data: &Path) -> Result<Self, StoreError> {
        database::make_directory(data)?;
        let owned = data.to_owned();
        // Waiting for the lock blocks its thread.
        let locked = tokio::task::spawn_blocking(move || lock::schema(&owned)).await;
        let held = locked.map_err(|error| StoreError::file(data)(error.into()))??;
        let path = database::make_file(data)?;
        let options = database::write_options(&path);
        database::migrate(&options).await.map_err(StoreError::database(&path, "opened"))?;
        drop(held);
        let readers = Readers::pool(&path);
        let writer = Some(Writer::start(path.clone(), options));
        Ok(Self { shared: Arc::new(Shared { data: data.to_owned(), path, readers, writer }) })
    }

    /// Opens the data directory without changing anything in it; `None` where there is no ledger yet.
    ///
    /// No lock is taken, so that it works beside a running migration and on a directory that cannot be written.
    pub async fn open_read_only(data: &Path) -> Result<Option<Self>, StoreError> {
        let path = database::file_in(data);
        match fs::metadata(&path) {
            Ok(file) if file.len() == 0 && !path.with_extension("db-wal").exists() => return Ok(None),
            Ok(_) => {}
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(StoreError::file(&path)(error)),
        }
        let readers = Readers::File(path.clone());
        let shared = Shared { data: data.to_owned(), path, readers, writer: None };
        let exists = shared.has_schema().await.map_err(StoreError::database(&shared.path, "opened"))?;
        Ok(exists.then(|| Self { shared: Arc::new(shared) }))
    }

    /// The ledger of one mailbox, named by its two ends (`user@host` or whatever the caller keeps to).
    ///
    /// Fails with [`StoreError::Locked`] while another process, or another part of this one, has it. A store opened
    /// for reading only takes no lock; there a mailbox that was never migrated has an empty ledger.
    pub async fn mailbox(&self, source: &str, target: &str) -> Result<MailboxLedger, StoreError> {
        let shared = &self.shared;
        let Some(writer) = &shared.writer else {
            let id = shared.find_mailbox(source, target).await;
            let id = id.map_err(StoreError::database(&shared.path, "read"))?;
            return Ok(MailboxLedger::new(Arc::clone(shared), id, None));
        };
        let id = writer.mailbox(source, target).await?;
        match lock::mailbox(&shared.data, id)? {
            Some(held) => Ok(MailboxLedger::new(Arc::clone(shared), Some(id), Some(held))),
            None => Err(StoreError::Locked {
                source_mailbox: source.to_owned(),
                target_mailbox: target.to_owned(),
                data: shared.data.clone(),
            }),
        }
    }

    /// Ends the writer after everything that was asked of it, and closes the file. What is asked later, of any clone
    /// or ledger, fails. Without it nothing is lost either: what was written is durable.
    pub async fn close(self) {
        self.shared.readers.close().await;
        if let Some(writer) = &self.shared.writer {
            writer.close().await;
        }
    }
}

impl Shared {
    /// Who writes, or why nobody does.
    pub(crate) fn writer(&self) -> Result<&Writer, StoreError> {
        let closed = || StoreError::Unavailable { path: self.path.clone(), how: "open for reading only" };
        self.writer.as_ref().ok_or_else(closed)
    }

    async fn has_schema(&self) -> Result<bool, Fault> {
        for _ in 0..ATTEMPTS {
            let mut reading = self.readers.begin().await?;
            let answer = database::has_schema(reading.connection()).await;
            if reading.was_steady().await? {
                return answer;
            }
        }
        Err(Fault::Unsteady)
    }

    async fn find_mailbox(&self, source: &str, target: &str) -> Result<Option<i64>, Fault> {
        for _ in 0..ATTEMPTS {
            let mut reading = self.readers.begin().await?;
            let answer = load::mailbox(reading.connection(), source, target).await;
            if reading.was_steady().await? {
                return answer;
            }
        }
        Err(Fault::Unsteady)
    }

    pub(crate) async fn folders(&self, mailbox: i64) -> Result<Vec<FolderRecord>, Fault> {
        for _ in 0..ATTEMPTS {
            let mut reading = self.readers.begin().await?;
            let answer = load::folders(reading.connection(), mailbox).await;
            if reading.was_steady().await? {
                return answer;
            }
        }
        Err(Fault::Unsteady)
    }

    pub(crate) async fn folder(
        &self,
        mailbox: i64,
        folder: &FolderPath,
        around: Option<&UidSet>,
    ) -> Result<Option<FolderState>, Fault> {
        for _ in 0..ATTEMPTS {
            let mut reading = self.readers.begin().await?;
            let answer = load::folder(reading.connection(), mailbox, folder, around).await;
            if reading.was_steady().await? {
                return answer;
            }
        }
        Err(Fault::Unsteady)
    }
}
