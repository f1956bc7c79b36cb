//! The memory of one mailbox's migration.

use std::{fs::File, sync::Arc};

use mailhaul_engine::{Error, FolderRecord, FolderState, Ledger, Record};
use mailhaul_mail::{FolderPath, UidSet};

use crate::{error::StoreError, store::Shared};

/// What the store remembers of one mailbox; nobody else writes it while this lives.
pub struct MailboxLedger {
    shared: Arc<Shared>,
    /// `None` where the mailbox was never migrated and nothing may be written.
    mailbox: Option<i64>,
    /// The lock, which goes with the file. `None` where nothing may be written.
    _lock: Option<File>,
}

impl MailboxLedger {
    pub(crate) fn new(shared: Arc<Shared>, mailbox: Option<i64>, lock: Option<File>) -> Self {
        Self { shared, mailbox, _lock: lock }
    }
}

impl Ledger for MailboxLedger {
    async fn folders(&self) -> Result<Vec<FolderRecord>, Error> {
        let Some(mailbox) = self.mailbox else { return Ok(Vec::new()) };
        let folders = self.shared.folders(mailbox).await;
        Ok(folders.map_err(StoreError::database(&self.shared.path, "read"))?)
    }

    async fn folder(&self, folder: &FolderPath) -> Result<Option<FolderState>, Error> {
        let Some(mailbox) = self.mailbox else { return Ok(None) };
        let state = self.shared.folder(mailbox, folder, None).await;
        Ok(state.map_err(StoreError::database(&self.shared.path, "read"))?)
    }

    async fn folder_around(&self, folder: &FolderPath, uids: &UidSet) -> Result<Option<FolderState>, Error> {
        let Some(mailbox) = self.mailbox else { return Ok(None) };
        let state = self.shared.folder(mailbox, folder, Some(uids)).await;
        Ok(state.map_err(StoreError::database(&self.shared.path, "read"))?)
    }

    async fn record(&self, records: &[Record]) -> Result<(), Error> {
        let writer = self.shared.writer()?;
        match self.mailbox {
            Some(mailbox) if !records.is_empty() => Ok(writer.write(mailbox, records.to_vec()).await?),
            _ => Ok(()),
        }
    }
}
