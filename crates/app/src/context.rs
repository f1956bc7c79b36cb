//! What operations work on.

use std::path::{Path, PathBuf};

use anyhow::{Context as _, Error, Result, anyhow};
use jiff::Timestamp;
use mailhaul_engine::Budget;
use mailhaul_store::{MasterKeySource, Store, StoreError};

use crate::{
    advice::DAMAGED,
    data_directory::named_by,
    exit::Exit,
    one_pass::BUDGET,
    service::{Gates, SignIns, TokenDesk, Workers, Workplace, stall},
};

/// One data directory, opened.
pub(crate) struct Context {
    /// The database in it.
    pub(crate) store: Store,
    /// The directory.
    pub(crate) data: PathBuf,
    /// The workers of this process; none where it is not the service.
    pub(crate) workers: Workers,
    /// The access tokens of its endpoints.
    pub(crate) tokens: TokenDesk,
}

impl Context {
    /// Opens the directory, and its vault.
    pub(crate) async fn open(data: &Path) -> Result<Self> {
        let store = Store::open(data).await.map_err(unopened)?;
        store.unlock(master_key()).await.context("the passwords cannot be opened")?;
        Ok(Self { store, data: data.to_owned(), workers: Workers::default(), tokens: TokenDesk::default() })
    }

    /// What workers on it share.
    pub(crate) fn workplace(&self) -> Workplace {
        Workplace {
            store: self.store.clone(),
            data: self.data.clone(),
            workers: self.workers.clone(),
            budget: Budget::new(BUDGET),
            gates: Gates::default(),
            stall_window: stall::WINDOW,
            tokens: self.tokens.clone(),
            sign_ins: SignIns::default(),
        }
    }

    /// The time of the machine.
    #[expect(clippy::unused_self, reason = "the one place where operations ask for the time")]
    pub(crate) fn now(&self) -> Timestamp {
        Timestamp::now()
    }
}

/// The error of a data directory that could not be opened, with the exit code that it has.
pub(crate) fn unopened(error: StoreError) -> Error {
    match error {
        StoreError::Damaged { .. } => anyhow!(Exit::Damaged).context(format!("{error}\n  {DAMAGED}")),
        other => anyhow!(other),
    }
}

/// Where the key of all passwords is: named by the environment, given by systemd, or in the data directory.
pub(crate) fn master_key() -> MasterKeySource {
    if let Some(file) = named_by("MAILHAUL_MASTER_KEY_FILE") {
        return MasterKeySource::File(file);
    }
    match named_by("CREDENTIALS_DIRECTORY").map(|it| it.join("master-key")).filter(|it| it.exists()) {
        Some(credential) => MasterKeySource::Credential(credential),
        None => MasterKeySource::DataDirectory,
    }
}
