//! What operations work on.

use std::{
    path::{Path, PathBuf},
    sync::Arc,
};

use anyhow::{Context as _, Result};
use axum::Router;
use jiff::Timestamp;
use mailhaul_operations::{Operations, Service};
use mailhaul_store::{MasterKeySource, Store};

use crate::{gate::StoreGate, ops, service::Workers};

/// One data directory, opened.
pub(crate) struct Context {
    /// The database in it.
    pub(crate) store: Store,
    /// The directory.
    pub(crate) data: PathBuf,
    /// The workers of this process; none where it is not the service.
    pub(crate) workers: Workers,
}

impl Context {
    /// Opens the directory, and its vault.
    pub(crate) async fn open(data: &Path) -> Result<Self> {
        let store = Store::open(data).await?;
        store.unlock(master_key()).await.context("the passwords cannot be opened")?;
        Ok(Self { store, data: data.to_owned(), workers: Workers::default() })
    }

    /// The time of the machine.
    #[expect(clippy::unused_self, reason = "the one place where operations ask for the time")]
    pub(crate) fn now(&self) -> Timestamp {
        Timestamp::now()
    }
}

/// The operations, ready to be asked.
pub(crate) struct Desk {
    pub(crate) context: Arc<Context>,
    pub(crate) service: Arc<Service<Context>>,
}

impl Desk {
    /// For this directory.
    pub(crate) fn new(context: Context, operations: Arc<Operations<Context>>) -> Self {
        let context = Arc::new(context);
        let gate = Arc::new(StoreGate(context.store.clone()));
        let service = Arc::new(Service::new(operations, context.clone(), gate, env!("CARGO_PKG_VERSION")));
        Self { context, service }
    }

    /// The HTTP interface to the operations alone.
    pub(crate) fn router(&self) -> Router {
        self.service.router()
    }
}

/// The list of operations.
pub(crate) fn operations() -> Arc<Operations<Context>> {
    Arc::new(ops::operations())
}

/// Where the key of all passwords is: named by the environment, given by systemd, or in the data directory.
pub(crate) fn master_key() -> MasterKeySource {
    let from = |variable: &str| std::env::var_os(variable).filter(|it| !it.is_empty()).map(PathBuf::from);
    if let Some(file) = from("MAILHAUL_MASTER_KEY_FILE") {
        return MasterKeySource::File(file);
    }
    match from("CREDENTIALS_DIRECTORY").map(|it| it.join("master-key")).filter(|it| it.exists()) {
        Some(credential) => MasterKeySource::Credential(credential),
        None => MasterKeySource::DataDirectory,
    }
}
