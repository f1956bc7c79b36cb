//! The vaults that this process can open.

use std::sync::Arc;

use parking_lot::RwLock;

use super::seal::{KeyId, Vault, key_id};
use crate::{
    error::{Fault, StoreError},
    sql::{self, Connection},
};

/// The open vaults: none before the master key is given, then one.
///
/// There are two while a change of the key runs. Clones share them.
#[derive(Clone, Default)]
pub(crate) struct Keys(Arc<RwLock<Vec<Arc<Vault>>>>);

impl Keys {
    /// Replaces the open vaults. The first one seals if nothing is sealed yet.
    pub(crate) fn set(&self, vaults: Vec<Arc<Vault>>) {
        *self.0.write() = vaults;
    }

    /// Returns the vault to seal with if nothing is sealed yet.
    pub(crate) fn first(&self) -> Option<Arc<Vault>> {
        self.0.read().first().cloned()
    }

    /// Returns the vault that sealed a row, by its key id.
    pub(crate) fn with_id(&self, id: &[u8]) -> Option<Arc<Vault>> {
        let vaults = self.0.read();
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
