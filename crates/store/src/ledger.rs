//! The memory of one mailbox's migration.

use std::{
    fs::File,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use mailhaul_engine::{Error, FolderRecord, FolderState, Ledger, Record};
use mailhaul_mail::{FolderPath, Retry, Scope, UidSet};

use crate::{error::StoreError, leases::Lease, load, lock, store::Shared};

/// Time between two tries to fill a target mailbox that another pass fills now.
const RESERVED_WAIT: Duration = Duration::from_secs(10);

/// What the store remembers of one mailbox; nobody else writes it while this lives.
pub struct MailboxLedger {
    shared: Arc<Shared>,
    /// The two ends of the mailbox.
    names: (String, String),
    /// `None` where the mailbox was never migrated and nothing may be written.
    mailbox: Option<i64>,
    /// Whose writes these are; `None` where the lock alone says so.
    lease: Option<Lease>,
    /// The lock, which goes with the file. `None` where nothing may be written.
    _lock: Option<File>,
    /// The lock of the target's user, once it is reserved.
    target_lock: Mutex<Option<File>>,
}

impl MailboxLedger {
    pub(crate) fn new(
        shared: Arc<Shared>,
        names: (String, String),
        mailbox: Option<i64>,
        lease: Option<Lease>,
        lock: Option<File>,
    ) -> Self {
        Self { shared, names, mailbox, lease, _lock: lock, target_lock: Mutex::default() }
    }

    /// The error of a read or write, with the place of the damage where it is one.
    fn located(&self, error: StoreError, folder: Option<&FolderPath>) -> Error {
        error.at(|| place(&self.names, folder)).into()
    }

    async fn state(
        &self,
        folder: &FolderPath,
        around: Option<&UidSet>,
    ) -> Result<Option<FolderState>, Error> {
        let Some(mailbox) = self.mailbox else { return Ok(None) };
        let (folder, around) = (folder.clone(), around.cloned());
        let schema = self.shared.schema;
        let state = self
            .shared
            .read(|it| Box::pin(load::folder(it, mailbox, folder.clone(), around.clone(), schema)));
        let failed = StoreError::database(&self.shared.path, "read");
        state.await.map_err(|fault| self.located(failed(fault), Some(&folder)))
    }
}

/// Names the place of damage, to be put behind "is damaged".
pub(crate) fn place((source, target): &(String, String), folder: Option<&FolderPath>) -> String {
    let folder = folder.map(|folder| format!(", folder \"{folder}\"")).unwrap_or_default();
    format!(" at {source} -> {target}{folder}")
}

impl Ledger for MailboxLedger {
    async fn folders(&self) -> Result<Vec<FolderRecord>, Error> {
        let Some(mailbox) = self.mailbox else { return Ok(Vec::new()) };
        let schema = self.shared.schema;
        let folders = self.shared.read(|it| Box::pin(load::folders(it, mailbox, schema))).await;
        let failed = StoreError::database(&self.shared.path, "read");
        folders.map_err(|fault| self.located(failed(fault), None))
    }

    async fn folder(&self, folder: &FolderPath) -> Result<Option<FolderState>, Error> {
        self.state(folder, None).await
    }

    async fn folder_around(&self, folder: &FolderPath, uids: &UidSet) -> Result<Option<FolderState>, Error> {
        self.state(folder, Some(uids)).await
    }

    async fn reserve_target(&self, owner: &str) -> Result<(), Error> {
        let mut held = self.target_lock.lock().unwrap_or_else(PoisonError::into_inner);
        if held.is_none() {
            *held = lock::target(self.shared.data(), owner)?;
        }
        if held.is_some() {
            return Ok(());
        }
        let data = self.shared.data().display();
        let words =
            format!("another mailhaul pass fills the target mailbox of {owner} now, with the data in {data}");
        Err(Error { scope: Scope::Mailbox, retry: Retry::After(Some(RESERVED_WAIT)), ..Error::ledger(words) })
    }

    async fn record(&self, records: &[Record]) -> Result<(), Error> {
        let writer = self.shared.writer()?;
        match self.mailbox {
            Some(mailbox) if !records.is_empty() => {
                let written = writer.write(mailbox, self.lease, records.to_vec()).await;
                written.map_err(|error| self.located(error, records.first().map(Record::folder)))
            }
            _ => Ok(()),
        }
    }
}
