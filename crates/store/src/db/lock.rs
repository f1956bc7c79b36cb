//! Advisory locks between processes. The operating system releases them when their holder dies.

use std::{
    fs::{self, File, OpenOptions, TryLockError},
    io::Write,
    os::unix::fs::OpenOptionsExt,
    path::{Path, PathBuf},
};

use mailhaul_migration::Guid;
use nix::{
    errno::Errno,
    fcntl::{FcntlArg, fcntl},
    libc,
};

use crate::{
    Store,
    db::{database, error::StoreError},
};

/// Held while the schema is read and changed.
pub(crate) const SCHEMA: &str = "schema.lock";
/// Held while the files of the master key are read and changed.
pub(crate) const MASTER_KEY: &str = "key.lock";

/// Waits for the lock.
pub(crate) async fn wait_for(data: &Path, name: &'static str) -> Result<File, StoreError> {
    let data = data.to_owned();
    // The wait blocks its thread.
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

/// File with one locked byte for each mailbox that is migrated now, at the offset of its id.
const MAILBOXES: &str = "mailboxes.lock";

/// Locks the mailbox of this id; `None` if another holder has it.
pub(crate) fn mailbox(data: &Path, id: i64) -> Result<Option<File>, StoreError> {
    byte(data, MAILBOXES, id)
}

/// File with one locked byte for each user of a target that a pass fills now, at the offset of the name's
/// hash.
const TARGETS: &str = "targets.lock";

/// Locks the target mailbox of this user; `None` if another pass has it.
pub(crate) fn target(data: &Path, owner: &str) -> Result<Option<File>, StoreError> {
    // Mail servers compare names of users without regard to case.
    let hash = blake3::hash(owner.to_lowercase().as_bytes());
    let number = hash.as_bytes().iter().take(7).fold(0, |number, byte| number << 8 | i64::from(*byte));
    byte(data, TARGETS, number)
}

/// Locks one byte of a file, also beyond its end; `None` if another holder has it.
///
/// One file serves all holders. A file for each could never be removed, because the removal races with other
/// openers. The lock belongs to this open file (`F_OFD_SETLK`), so that two holders in one process exclude
/// each other too.
fn byte(data: &Path, name: &str, number: i64) -> Result<Option<File>, StoreError> {
    bytes(data, name, number, 1)
}

/// Locks all mailboxes; `None` if a pass has one of them.
pub(crate) fn all_mailboxes(data: &Path) -> Result<Option<File>, StoreError> {
    // The length 0 means to the end of all numbers.
    bytes(data, MAILBOXES, 0, 0)
}

fn bytes(data: &Path, name: &str, first: i64, length: i64) -> Result<Option<File>, StoreError> {
    let (path, file) = open(data, name)?;
    #[expect(
        clippy::cast_possible_truncation,
        reason = "libc has them as int, and the structure takes a short"
    )]
    let byte = libc::flock {
        l_type: libc::F_WRLCK as libc::c_short,
        l_whence: libc::SEEK_SET as libc::c_short,
        l_start: first,
        l_len: length,
        l_pid: 0,
    };
    match fcntl(&file, FcntlArg::F_OFD_SETLK(&byte)) {
        Ok(_) => Ok(Some(file)),
        Err(Errno::EAGAIN | Errno::EACCES) => Ok(None),
        Err(error) => Err(StoreError::file(&path)(error.into())),
    }
}

/// Removes the lock files of earlier versions, one for each mailbox. One that is still locked stays.
fn remove_old_files(data: &Path) -> std::io::Result<()> {
    for entry in fs::read_dir(data.join("locks"))? {
        let entry = entry?;
        let name = entry.file_name();
        let number = name.to_str().and_then(|name| name.strip_suffix(".lock"));
        if number.is_some_and(|number| number.parse::<i64>().is_ok())
            && OpenOptions::new().write(true).open(entry.path())?.try_lock().is_ok()
        {
            fs::remove_file(entry.path())?;
        }
    }
    Ok(())
}

/// The right to run the service. On a data directory, at most one exists at any time.
#[derive(Debug)]
pub struct ServiceLock {
    owner: Guid,
    /// The lock, released with the file. On a server any number of services may run.
    _file: Option<File>,
}

impl ServiceLock {
    /// A right that a row of the server shows.
    pub(crate) fn on_server() -> Self {
        Self { owner: Guid::new_v4(), _file: None }
    }

    /// Owner of the leases of this service. Each lock has a new one.
    pub fn owner(&self) -> Guid {
        self.owner
    }
}

impl Store {
    /// Locks the data directory for one running service. A server has [`Nodes::take_service`].
    ///
    /// # Errors
    /// [`StoreError::ServiceRuns`] while another process, or another part of this one, has it.
    pub fn lock_service(&self) -> Result<ServiceLock, StoreError> {
        let Some(data) = self.data() else { return Ok(ServiceLock::on_server()) };
        let file = service(data, format_args!("process {}", std::process::id()))?;
        // A file that stays does no harm.
        _ = remove_old_files(data);
        Ok(ServiceLock { owner: Guid::new_v4(), _file: Some(file) })
    }
}

/// Locks the data directory for the holder with this name, in place of a service.
///
/// # Errors
/// [`StoreError::ServiceRuns`] while another process, or another part of this one, has it.
pub(crate) fn service(data: &Path, name: std::fmt::Arguments<'_>) -> Result<File, StoreError> {
    let (path, mut file) = open(data, "serve.lock")?;
    match file.try_lock() {
        Ok(()) => {}
        Err(TryLockError::WouldBlock) => {
            let holder = fs::read_to_string(&path).unwrap_or_default();
            let holder = Some(holder.trim()).filter(|it| !it.is_empty()).unwrap_or("unknown process");
            return Err(StoreError::ServiceRuns {
                data: data.display().to_string(),
                holder: holder.to_owned(),
            });
        }
        Err(TryLockError::Error(error)) => return Err(StoreError::file(&path)(error)),
    }
    file.set_len(0).and_then(|()| writeln!(file, "{name}")).map_err(StoreError::file(&path))?;
    Ok(file)
}

/// Opens a lock file.
///
/// It is never removed: one process could lock the removed file while another creates a new one.
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
