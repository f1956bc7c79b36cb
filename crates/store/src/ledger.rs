//! The memory of one mailbox's migration.

use std::{
    fs::File,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use mailhaul_engine::{Error, FolderRecord, FolderState, Ledger, LedgerRecord};
use mailhaul_mail::{FolderPath, Retry, Scope, UidSet};

use crate::{Store, error::StoreError, leases::Lease, ledger_rows, load, lock, store::Shared};

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

impl Store {
    /// The ledger of one mailbox, named by its two ends (`user@host` or whatever the caller keeps to).
    ///
    /// Fails with [`StoreError::Locked`] while another process, or another part of this one, has it. A store opened
    /// for reading only takes no lock; there a mailbox that was never migrated has an empty ledger.
    pub async fn mailbox(&self, source: &str, target: &str) -> Result<MailboxLedger, StoreError> {
        self.ledger(source, target, None).await
    }

    /// The ledger of one mailbox for the holder of a lease: what is written after another worker has taken the user
    /// over, or after it was removed, fails and changes nothing. Otherwise as [`Store::mailbox`].
    pub async fn leased_mailbox(
        &self,
        source: &str,
        target: &str,
        lease: &Lease,
    ) -> Result<MailboxLedger, StoreError> {
        self.ledger(source, target, Some(*lease)).await
    }

    async fn ledger(
        &self,
        source: &str,
        target: &str,
        lease: Option<Lease>,
    ) -> Result<MailboxLedger, StoreError> {
        let shared = &self.shared;
        let names = (source.to_owned(), target.to_owned());
        if shared.writer.is_none() {
            let id = shared.read(|it| Box::pin(load::mailbox(it, names.clone(), shared.schema))).await;
            let failed = StoreError::database(&shared.path, "read");
            let id = id.map_err(|fault| failed(fault).at(|| place(&names, None)))?;
            return Ok(MailboxLedger::new(Arc::clone(shared), names, id, lease, None));
        }
        let wanted = names.clone();
        let id = self.change(|connection| Box::pin(ledger_rows::mailbox_id(connection, wanted))).await;
        let id = id.map_err(|error| error.at(|| place(&names, None)))?;
        let checked = shared.read(|connection| Box::pin(load::check_names(connection, id))).await;
        let failed = StoreError::database(&shared.path, "read");
        checked.map_err(|fault| failed(fault).at(|| place(&names, None)))?;
        match lock::mailbox(&shared.data, id)? {
            Some(held) => Ok(MailboxLedger::new(Arc::clone(shared), names, Some(id), lease, Some(held))),
            None => Err(StoreError::Locked {
                source_mailbox: source.to_owned(),
                target_mailbox: target.to_owned(),
                data: shared.data.clone(),
            }),
        }
    }
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

    async fn record(&self, records: &[LedgerRecord]) -> Result<(), Error> {
        let writer = self.shared.writer()?;
        match self.mailbox {
            Some(mailbox) if !records.is_empty() => {
                let written = writer.write(mailbox, self.lease, records.to_vec()).await;
                written.map_err(|error| self.located(error, records.first().map(LedgerRecord::folder)))
            }
            _ => Ok(()),
        }
    }
}
