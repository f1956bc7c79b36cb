//! The vaults that this process can open.

use std::sync::Arc;

use parking_lot::RwLock;

use super::{
    MasterKeySource, key_file,
    master_key::MasterKey,
    seal::{KeyId, Vault, key_id},
};
use crate::db::{
    error::{Fault, StoreError},
    sql::{self, Connection},
};

/// The open vaults: none before the master key is given, then one, or two while the key is changed. Clones share them.
#[derive(Clone, Default)]
pub(crate) struct Keys(Arc<Shared>);

#[derive(Default)]
struct Shared {
    vaults: RwLock<Vec<Arc<Vault>>>,
    /// The place of the keys, which is read again when a row has an unknown key.
    source: RwLock<Option<MasterKeySource>>,
}

/// Returns the vaults of these keys.
pub(super) fn vaults(keys: &[MasterKey]) -> Vec<Arc<Vault>> {
    keys.iter().map(|key| Arc::new(key.vault())).collect()
}

impl Keys {
    /// Replaces the open vaults. The first one seals if nothing is sealed yet.
    pub(crate) fn set(&self, vaults: Vec<Arc<Vault>>) {
        *self.0.vaults.write() = vaults;
    }

    /// Sets the place of the keys.
    pub(super) fn set_source(&self, source: MasterKeySource) {
        *self.0.source.write() = Some(source);
    }

    /// Reads the keys again from a file of the administrator, who may have added one.
    ///
    /// A file that cannot be read changes nothing: the open vaults stay.
    pub(crate) fn read_again(&self) {
        let source = self.0.source.read().clone();
        if let Some(source @ (MasterKeySource::File(_) | MasterKeySource::Credential(_))) = source
            && let Ok(keys) = key_file::load(&source, None, None)
        {
            self.set(vaults(&keys));
        }
    }

    /// Returns the vault to seal with if nothing is sealed yet.
    pub(crate) fn first(&self) -> Option<Arc<Vault>> {
        self.0.vaults.read().first().cloned()
    }

    /// Returns the ids of all keys.
    pub(crate) fn ids(&self) -> Vec<KeyId> {
        self.0.vaults.read().iter().map(|vault| vault.id()).collect()
    }

    /// Returns the vault that sealed a row, by its key id.
    pub(crate) fn with_id(&self, id: &[u8]) -> Option<Arc<Vault>> {
        self.known(id).or_else(|| {
            self.read_again();
            self.known(id)
        })
    }

    fn known(&self, id: &[u8]) -> Option<Arc<Vault>> {
        let vaults = self.0.vaults.read();
        vaults.iter().find(|vault| vault.id() == id).cloned()
    }

    /// Returns the vault that everything is sealed with.
    ///
    /// Another process may have changed the key meanwhile. Two keys in one file would leave rows that cannot
    /// be opened.
    pub(crate) async fn in_use(&self, connection: &mut Connection) -> Result<Arc<Vault>, Fault> {
        let first = self.first().ok_or(StoreError::VaultLocked)?;
        match key_in_use(connection).await? {
            None => Ok(first),
            Some(id) => self.with_id(&id).ok_or_else(|| StoreError::KeyChanged.into()),
        }
    }
}

/// Returns the key id of all rows; `None` if there are none.
pub(crate) async fn key_in_use(connection: &mut Connection) -> Result<Option<KeyId>, Fault> {
    let id: Option<Vec<u8>> =
        sql::query_scalar("SELECT key_id FROM secret LIMIT 1").fetch_optional(connection).await?;
    id.map(|id| key_id(&id)).transpose()
}
