//! Opening the vault, and changing its key.

use std::{fs::File, sync::Arc};

use super::{
    MasterKeySource, key_file,
    keys::{self, vaults},
    master_key::MasterKey,
    seal::KeyId,
    secrets,
};
use crate::{
    cluster::nodes,
    db::{error::StoreError, lock},
    handles::Secrets,
};

impl Secrets<'_> {
    /// Opens the vault with the master key.
    ///
    /// The key of the data directory is created while nothing is sealed yet. Called before any use of
    /// passwords.
    ///
    /// # Errors
    /// [`StoreError::KeyMissing`], [`StoreError::KeyWrong`] and [`StoreError::KeyFile`]. Then nothing was
    /// changed.
    pub async fn unlock(self, source: MasterKeySource) -> Result<(), StoreError> {
        let db = self.0;
        let _held = self.lock_key().await?;
        let keys = key_file::load(&source, db.data(), self.key_in_use().await?)?;
        db.shared.keys.set(vaults(&keys));
        db.shared.keys.set_source(source);
        Ok(())
    }

    /// Seals every password with another key, in one transaction.
    ///
    /// The new key is a random one in the data directory, or the one of this file or credential. From then on
    /// [`Secrets::unlock`] needs it.
    ///
    /// Crash safety: at any moment the data directory can be opened. Before the transaction is durable, the
    /// old key opens it (`master.key.old` keeps it), after it the new one. A backup of the database needs the
    /// key of its time.
    ///
    /// # Errors
    /// [`StoreError::VaultLocked`] before [`Secrets::unlock`]; errors of the key's file; [`StoreError::Sealed`]
    /// if a password cannot be opened. Then nothing was changed.
    pub async fn rotate(self, new: MasterKeySource) -> Result<(), StoreError> {
        let db = self.0;
        let _held = self.lock_key().await?;
        let first = db.shared.keys.first().ok_or(StoreError::VaultLocked)?;
        // A file with two keys has the new one first.
        let old = match self.key_in_use().await? {
            Some(id) => db.shared.keys.with_id(&id).ok_or(StoreError::KeyChanged)?,
            None => first,
        };
        let is_own = new == MasterKeySource::DataDirectory;
        let sealing = if is_own {
            Arc::new(self.stage_key(old.id())?.vault())
        } else {
            vaults(&key_file::load(&new, db.data(), None)?).swap_remove(0)
        };
        // Readers see the rows before or after the change, and can open both.
        db.shared.keys.set(vec![Arc::clone(&old), Arc::clone(&sealing)]);
        let resealed = db
            .change({
                let (old, sealing) = (Arc::clone(&old), Arc::clone(&sealing));
                move |connection| {
                    Box::pin(async move {
                        nodes::check_key(connection, sealing.id()).await?;
                        match keys::key_in_use(connection).await? {
                            Some(id) if id != old.id() => Err(StoreError::KeyChanged.into()),
                            _ => secrets::reseal(connection, &old, &sealing).await,
                        }
                    })
                }
            })
            .await;
        let settled = match (&resealed, is_own) {
            // Uses the key that the rows are sealed with now, as after a crash.
            (_, true) => vaults(&key_file::load(&new, db.data(), self.key_in_use().await?)?).swap_remove(0),
            (Ok(()), false) => sealing,
            (Err(_), false) => old,
        };
        db.shared.keys.set(vec![settled]);
        resealed
    }

    /// Writes a new key into the data directory, and keeps the old one beside it.
    fn stage_key(self, in_use: KeyId) -> Result<MasterKey, StoreError> {
        let db = self.0;
        let data = db.data().ok_or(StoreError::KeyNotNamed)?;
        let (path, old_path) = (key_file::path_in(data), key_file::old_path_in(data));
        match key_file::read(&path, true)? {
            Some(before) if before.id() == in_use => key_file::write(&old_path, &before)?,
            Some(_) => {
                let how = "is not the key in use, and would be overwritten: move it away".to_owned();
                return Err(StoreError::KeyFile { path, how });
            }
            // The key in use is stored elsewhere.
            None => {}
        }
        let key = MasterKey::random().map_err(key_file::key_error(&path))?;
        key_file::write(&path, &key)?;
        Ok(key)
    }

    /// Locks the files of the key in a data directory. On a server the change of the key runs alone.
    async fn lock_key(self) -> Result<Option<File>, StoreError> {
        let db = self.0;
        match db.data() {
            Some(data) => lock::wait_for(data, lock::MASTER_KEY).await.map(Some),
            None => Ok(None),
        }
    }

    async fn key_in_use(self) -> Result<Option<KeyId>, StoreError> {
        let db = self.0;
        db.read(|connection| Box::pin(keys::key_in_use(connection))).await
    }
}
