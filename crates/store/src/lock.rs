//! Advisory locks between processes. The operating system lets go of them when their holder dies.

use std::{
    fs::{File, OpenOptions, TryLockError},
    os::unix::fs::OpenOptionsExt,
    path::{Path, PathBuf},
};

use crate::{database, error::StoreError};

/// Held while the schema is looked at and changed; waits for its turn.
pub(crate) fn schema(data: &Path) -> Result<File, StoreError> {
    let (path, file) = open(data, "schema.lock")?;
    file.lock().map_err(StoreError::file(&path))?;
    Ok(file)
}

/// Held while the mailbox of this number is migrated; `None` where somebody else holds it.
pub(crate) fn mailbox(data: &Path, id: i64) -> Result<Option<File>, StoreError> {
    let (path, file) = open(data, &format!("{id}.lock"))?;
    match file.try_lock() {
        Ok(()) => Ok(Some(file)),
        Err(TryLockError::WouldBlock) => Ok(None),
        Err(TryLockError::Error(error)) => Err(StoreError::file(&path)(error)),
    }
}

/// The file is never removed: somebody could hold a lock on the removed one while a third makes a new one.
fn open(data: &Path, name: &str) -> Result<(PathBuf, File), StoreError> {
    let directory = data.join("locks");
    database::make_directory(&directory)?;
    let path = directory.join(name);
    let file = OpenOptions::new()
        .write(true)
        .create(true)
        .truncate(false)
        .mode(0o600)
        .open(&path)
        .map_err(StoreError::file(&path))?;
    Ok((path, file))
}
