//! Advisory locks between processes. The operating system lets go of them when their holder dies.

use std::{
    fs::{self, File, OpenOptions, TryLockError},
    io::Write,
    os::unix::fs::OpenOptionsExt,
    path::{Path, PathBuf},
};

use mailhaul_migration::Guid;

use crate::{Store, database, error::StoreError};

/// Held while the schema is looked at and changed.
pub(crate) const SCHEMA: &str = "schema.lock";
/// Held while the files of the master key are looked at and changed.
pub(crate) const MASTER_KEY: &str = "key.lock";

/// Waits for its turn.
pub(crate) async fn wait_for(data: &Path, name: &'static str) -> Result<File, StoreError> {
    let data = data.to_owned();
    // Waiting for the lock blocks its thread.
    let locked = tokio::task::spawn_blocking({
        let data = data.clone();
        move || {
            let (path, file) = open(&data, name)?;
            file.lock().map_err(StoreError::file(&path))?;
            Ok(file)
        }
    });
    locked.await.map_err(|error| StoreError::file(&data)(error.into()))?
}

/// Held while the mailbox of this number is migrated; `None` where somebody else holds it.
pub(crate) fn mailbox(data: &Path, id: i64) -> Result<Option<File>, StoreError> {
    try_lock(data, &format!("{id}.lock"))
}

fn try_lock(data: &Path, name: &str) -> Result<Option<File>, StoreError> {
    let (path, file) = open(data, name)?;
    match file.try_lock() {
        Ok(()) => Ok(Some(file)),
        Err(TryLockError::WouldBlock) => Ok(None),
        Err(TryLockError::Error(error)) => Err(StoreError::file(&path)(error)),
    }
}

/// Held while the mailbox of this user on a target is filled; `None` where another pass has it.
pub(crate) fn target(data: &Path, owner: &str) -> Result<Option<File>, StoreError> {
    // Mail servers compare names of users without regard to case.
    let name = blake3::hash(owner.to_lowercase().as_bytes()).to_hex();
    try_lock(data, &format!("target-{}.lock", &name[..32]))
}

/// The right to run the service on a data directory; there is one as long as this lives.
#[derive(Debug)]
pub struct ServiceLock {
    owner: Guid,
    /// The lock, which goes with the file.
    _file: File,
}

impl ServiceLock {
    /// Whose leases those of this service are: another one for each lock taken.
    pub fn owner(&self) -> Guid {
        self.owner
    }
}

impl Store {
    /// Takes the data directory for one running service.
    ///
    /// # Errors
    /// [`StoreError::ServiceRuns`] while another process, or another part of this one, has it.
    pub fn lock_service(&self) -> Result<ServiceLock, StoreError> {
        let data = self.data();
        let (path, mut file) = open(data, "serve.lock")?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                let holder = fs::read_to_string(&path).unwrap_or_default();
                let holder = Some(holder.trim()).filter(|it| !it.is_empty()).unwrap_or("unknown process");
                return Err(StoreError::ServiceRuns { data: data.to_owned(), holder: holder.to_owned() });
            }
            Err(TryLockError::Error(error)) => return Err(StoreError::file(&path)(error)),
        }
        file.set_len(0)
            .and_then(|()| writeln!(file, "process {}", std::process::id()))
            .map_err(StoreError::file(&path))?;
        Ok(ServiceLock { owner: Guid::new_v4(), _file: file })
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
