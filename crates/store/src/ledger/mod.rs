//! The ledger of one mailbox.

pub(crate) mod apply;
pub(crate) mod arrivals;
pub(crate) mod edited;
pub(crate) mod ledger_rows;
pub(crate) mod load;
pub(crate) mod message_row;
pub(crate) mod tally;

use std::{sync::Arc, time::Duration};

use mailhaul_engine::{Error, FolderRecord, FolderState, Ledger, LedgerRecord};
use mailhaul_mail::{FolderPath, Retry, Scope, UidSet};
use parking_lot::Mutex;

use crate::{
    db::{error::StoreError, relocation::guarded},
    handles::Ledgers,
    jobs::{
        held::{Held, HeldName},
        leases::Lease,
    },
    store::Shared,
};

use ledger_rows::MailboxNames;

/// Time between two attempts to lock a target mailbox that another pass fills.
const RESERVED_WAIT: Duration = Duration::from_secs(10);

/// The ledger of one mailbox. While it exists, no other process or task writes to it.
pub struct MailboxLedger {
    shared: Arc<Shared>,
    names: MailboxNames,
    /// `None` if the mailbox was never migrated and the store is read-only.
    mailbox: Option<i64>,
    /// The lease that covers the writes. `None` if the lock alone protects them.
    lease: Option<Lease>,
    /// The right to the mailbox. `None` if the store is read-only.
    held: Option<Held>,
    /// The right to the target's user, after the reservation.
    target_held: Mutex<Option<Held>>,
}

impl Ledgers<'_> {
    /// Opens the ledger of one mailbox, named by its source and target (for example `user@host`).
    ///
    /// Fails with [`StoreError::Locked`] while another process, or another part of this one, has it. A
    /// read-only store takes no lock. There a mailbox that was never migrated has an empty ledger.
    pub async fn mailbox(self, source: &str, target: &str) -> Result<MailboxLedger, StoreError> {
        self.ledger(source, target, None).await
    }

    /// Opens the ledger of one mailbox for the holder of a lease.
    ///
    /// Writes fail and change nothing after another worker has claimed the user, or after the user was
    /// removed. Otherwise as [`Ledgers::mailbox`].
    pub async fn leased_mailbox(
        self,
        source: &str,
        target: &str,
        lease: &Lease,
    ) -> Result<MailboxLedger, StoreError> {
        self.ledger(source, target, Some(*lease)).await
    }

    async fn ledger(
        self,
        source: &str,
        target: &str,
        lease: Option<Lease>,
    ) -> Result<MailboxLedger, StoreError> {
        let db = self.0;
        let shared = &db.shared;
        let names = MailboxNames { source: source.to_owned(), target: target.to_owned() };
        let failed = StoreError::database(&shared.words(), "read");
        let located = |error: StoreError| error.at(|| damage_place(&names, None));
        if db.is_reader {
            let id = shared.read(|it| Box::pin(load::mailbox(it, names.clone(), shared.schema))).await;
            let id = id.map_err(|fault| located(failed(fault)))?;
            return Ok(MailboxLedger::new(Arc::clone(shared), names, id, lease, None));
        }
        let wanted = names.clone();
        let work = guarded(db.place(), |connection| Box::pin(ledger_rows::mailbox_id(connection, wanted)));
        let id = db.change_beside(work).await;
        let id = id.map_err(located)?;
        let checked = shared.read(|connection| Box::pin(load::check_names(connection, id))).await;
        checked.map_err(|fault| located(failed(fault)))?;
        match db.shared.hold(HeldName::Mailbox(id), lease).await? {
            Some(held) => Ok(MailboxLedger::new(Arc::clone(shared), names, Some(id), lease, Some(held))),
            None => Err(StoreError::Locked {
                source_mailbox: source.to_owned(),
                target_mailbox: target.to_owned(),
                data: db.place(),
            }),
        }
    }
}

impl MailboxLedger {
    pub(crate) fn new(
        shared: Arc<Shared>,
        names: MailboxNames,
        mailbox: Option<i64>,
        lease: Option<Lease>,
        held: Option<Held>,
    ) -> Self {
        Self { shared, names, mailbox, lease, held, target_held: Mutex::default() }
    }

    /// Converts an error, and adds the place of the damage to it.
    fn located(&self, error: StoreError, folder: Option<&FolderPath>) -> Error {
        error.at(|| damage_place(&self.names, folder)).into()
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
        let failed = StoreError::database(&self.shared.words(), "read");
        state.await.map_err(|fault| self.located(failed(fault), Some(&folder)))
    }
}

/// Describes the place of damage, for use after "is damaged".
pub(crate) fn damage_place(names: &MailboxNames, folder: Option<&FolderPath>) -> String {
    let folder = folder.map(|folder| format!(", folder \"{folder}\"")).unwrap_or_default();
    format!(" at {} -> {}{folder}", names.source, names.target)
}

impl Ledger for MailboxLedger {
    async fn folders(&self) -> Result<Vec<FolderRecord>, Error> {
        let Some(mailbox) = self.mailbox else { return Ok(Vec::new()) };
        let schema = self.shared.schema;
        let folders = self.shared.read(|it| Box::pin(load::folders(it, mailbox, schema))).await;
        let failed = StoreError::database(&self.shared.words(), "read");
        folders.map_err(|fault| self.located(failed(fault), None))
    }

    async fn folder(&self, folder: &FolderPath) -> Result<Option<FolderState>, Error> {
        self.state(folder, None).await
    }

    async fn folder_around(&self, folder: &FolderPath, uids: &UidSet) -> Result<Option<FolderState>, Error> {
        self.state(folder, Some(uids)).await
    }

    async fn reserve_target(&self, owner: &str) -> Result<(), Error> {
        if self.target_held.lock().is_some() {
            return Ok(());
        }
        if let Some(held) = self.shared.hold(HeldName::Target(owner), self.lease).await? {
            *self.target_held.lock() = Some(held);
            return Ok(());
        }
        let data = self.shared.place();
        let words =
            format!("another mailhaul pass fills the target mailbox of {owner} now, with the data in {data}");
        Err(Error { scope: Scope::Mailbox, retry: Retry::After(Some(RESERVED_WAIT)), ..Error::ledger(words) })
    }

    async fn record(&self, records: &[LedgerRecord]) -> Result<(), Error> {
        if self.held.is_none() {
            let how = "open for reading only";
            return Err(StoreError::Unavailable { database: self.shared.words(), how }.into());
        }
        match self.mailbox {
            Some(mailbox) if !records.is_empty() => {
                let written = self.shared.write(mailbox, self.lease, records.to_vec()).await;
                written.map_err(|error| self.located(error, records.first().map(LedgerRecord::folder)))
            }
            _ => Ok(()),
        }
    }
}
