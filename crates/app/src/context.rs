//! Context of operations: one open database.

use std::path::PathBuf;

use anyhow::{Context as _, Error, Result, anyhow};
use jiff::Timestamp;
use mailhaul_engine::Budget;
use mailhaul_migration::Guid;
use mailhaul_records::Dns;
use mailhaul_store::{MasterKeySource, Store, StoreError, Wake};

use crate::{
    advice::DAMAGED,
    boot_clock::boot_clock,
    cutover::resolvers,
    data_directory::{DataPlace, named_by},
    exit::Exit,
    one_pass::BUDGET,
    service::{EndReason, EndpointLimits, ServiceContext, SignIns, Throughput, TokenSources, Workers, stall},
};

/// Open data directory.
pub(crate) struct Context {
    pub(crate) store: Store,
    pub(crate) data: PathBuf,
    /// Directory of the archive.
    pub(crate) archive: PathBuf,
    /// Workers of this process; empty unless it is the service.
    pub(crate) workers: Workers,
    /// Limits of endpoints that the service of this process has; empty unless it is the service.
    pub(crate) limits: EndpointLimits,
    /// Work of this process over time.
    pub(crate) throughput: Throughput,
    /// Access tokens of the endpoints.
    pub(crate) tokens: TokenSources,
    /// Client of DNS.
    pub(crate) dns: Dns,
}

impl Context {
    /// Opens the database, and unlocks its vault.
    pub(crate) async fn open(place: &DataPlace) -> Result<Self> {
        let store = match &place.server {
            None => Store::open(&place.directory).await.map_err(unopened)?,
            Some(server) => Store::connect(server).await.map_err(unopened)?,
        };
        store.secrets().unlock(master_key()).await.context("the passwords cannot be opened")?;
        Ok(Self {
            store,
            data: place.directory.clone(),
            archive: place.directory.join("archive"),
            workers: Workers::default(),
            limits: EndpointLimits::default(),
            throughput: Throughput::default(),
            tokens: TokenSources::default(),
            dns: resolvers::dns(),
        })
    }

    /// Returns the parts that workers share.
    pub(crate) fn service_context(&self) -> ServiceContext {
        ServiceContext {
            store: self.store.clone(),
            archive: self.archive.clone(),
            workers: self.workers.clone(),
            budget: Budget::new(BUDGET),
            limits: EndpointLimits::default(),
            stall_window: stall::WINDOW,
            tokens: self.tokens.clone(),
            dns: self.dns.clone(),
            sign_ins: SignIns::default(),
            permit_clock: boot_clock(),
        }
    }

    /// Lets this process and all nodes look at what was changed.
    pub(crate) async fn wake(&self) {
        self.workers.nudge();
        self.send(Wake::Look).await;
    }

    /// Ends the passes of the batch everywhere; they begin again with its new settings.
    pub(crate) async fn restart_workers(&self, batch: Guid) {
        self.workers.end_batch(batch, EndReason::Preempted);
        self.send(Wake::Restart(batch)).await;
    }

    async fn send(&self, wake: Wake) {
        if let Err(error) = self.store.nodes().wake(wake).await {
            tracing::warn!("other nodes see the change at their next beat: {error}");
        }
    }

    /// Current time.
    pub(crate) fn now(&self) -> Timestamp {
        self.store.now()
    }
}

/// Returns the error of a failed open, with its exit code.
pub(crate) fn unopened(error: StoreError) -> Error {
    match error {
        StoreError::Damaged { .. } => anyhow!(Exit::Damaged).context(format!("{error}\n  {DAMAGED}")),
        other => anyhow!(other),
    }
}

/// Location of the key of all passwords: from the environment, from systemd, or the data directory.
pub(crate) fn master_key() -> MasterKeySource {
    if let Some(file) = named_by("MAILHAUL_MASTER_KEY_FILE") {
        return MasterKeySource::File(file);
    }
    match named_by("CREDENTIALS_DIRECTORY").map(|it| it.join("master-key")).filter(|it| it.exists()) {
        Some(credential) => MasterKeySource::Credential(credential),
        None => MasterKeySource::DataDirectory,
    }
}
