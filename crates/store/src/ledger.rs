//! The memory of one mailbox's migration.

use std::{fs::File, sync::Arc};

use mailhaul_engine::{Error, FolderRecord, FolderState, Ledger, Record};
use mailhaul_mail::{FolderPath, UidSet};

use crate::{error::StoreError, leases::Lease, load, store::Shared};

/// What the store remembers of one mailbox; nobody else writes it while this lives.
pub struct MailboxLedger {
    shared: Arc<Shared>,
    /// `None` where the mailbox was never migrated and nothing may be written.
    mailbox: Option<i64>,
    /// Whose writes these are; `None` where the lock alone says so.
    lease: Option<Lease>,
    /// The lock, which goes with the file. `None` where nothing may be written.
    _lock: Option<File>,
}

impl MailboxLedger {
    pub(crate) fn new(
        shared: Arc<Shared>,
        mailbox: Option<i64>,
        lease: Option<Lease>,
        lock: Option<File>,
    ) -> Self {
        Self { shared, mailbox, lease, _lock: lock }
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
        Ok(state.await.map_err(StoreError::database(&self.shared.path, "read"))?)
    }
}

impl Ledger for MailboxLedger {
    async fn folders(&self) -> Result<Vec<FolderRecord>, Error> {
        let Some(mailbox) = self.mailbox else { return Ok(Vec::new()) };
        let folders = self.shared.read(|it| Box::pin(load::folders(it, mailbox))).await;
        Ok(folders.map_err(StoreError::database(&self.shared.path, "read"))?)
    }

    async fn folder(&self, folder: &FolderPath) -> Result<Option<FolderState>, Error> {
        self.state(folder, None).await
    }

    async fn folder_around(&self, folder: &FolderPath, uids: &UidSet) -> Result<Option<FolderState>, Error> {
        self.state(folder, Some(uids)).await
    }

    async fn record(&self, records: &[Record]) -> Result<(), Error> {
        let writer = self.shared.writer()?;
        match self.mailbox {
            Some(mailbox) if !records.is_empty() => {
                Ok(writer.write(mailbox, self.lease, records.to_vec()).await?)
            }
            _ => Ok(()),
        }
    }
}
