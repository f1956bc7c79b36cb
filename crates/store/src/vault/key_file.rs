//! The files of the master key.

use std::{
    fs::{self, File, OpenOptions},
    io::{self, Write},
    os::unix::fs::{OpenOptionsExt, PermissionsExt},
    path::{Path, PathBuf},
};

use zeroize::Zeroizing;

use super::{MasterKeySource, master_key::MasterKey, seal::KeyId};
use crate::db::error::{Fault, StoreError};

/// Maximum size of a key file, in bytes.
const MAX_FILE_SIZE: u64 = 64 << 10;

/// Returns the path of the key's file in a data directory.
pub(super) fn path_in(data: &Path) -> PathBuf {
    data.join("master.key")
}

/// Returns the path of the previous key, which stays until everything is sealed with the new one.
pub(super) fn old_path_in(data: &Path) -> PathBuf {
    data.join("master.key.old")
}

/// Loads the keys of a source: one, or two while the key is changed, the new one first.
///
/// `data` is the data directory, if there is one. `in_use` is the key that the passwords are sealed with; `None` if
/// there are none. Only then a missing key of the data directory is created.
pub(super) fn load(
    source: &MasterKeySource,
    data: Option<&Path>,
    in_use: Option<KeyId>,
) -> Result<Vec<MasterKey>, StoreError> {
    let (path, keys) = match source {
        MasterKeySource::DataDirectory => {
            return load_own(data.ok_or(StoreError::KeyNotNamed)?, in_use).map(|key| vec![key]);
        }
        MasterKeySource::File(path) => (path, read_all(path, true)?),
        MasterKeySource::Credential(path) => (path, read_all(path, false)?),
    };
    match keys {
        Some(keys) if in_use.is_none_or(|id| keys.iter().any(|key| key.id() == id)) => Ok(keys),
        Some(_) => Err(StoreError::KeyWrong { path: path.clone() }),
        None if in_use.is_some() => Err(StoreError::KeyMissing { path: path.clone() }),
        None => Err(StoreError::KeyFile { path: path.clone(), how: "is missing".to_owned() }),
    }
}

/// Loads the key of the data directory, and completes an interrupted change of it.
///
/// The right key is the one that the passwords are sealed with.
fn load_own(data: &Path, in_use: Option<KeyId>) -> Result<MasterKey, StoreError> {
    let (path, old_path) = (path_in(data), old_path_in(data));
    let (key, old) = (read(&path, true)?, read(&old_path, true)?);
    let is_used = |key: &MasterKey| in_use.is_none_or(|id| id == key.id());
    match (key, old) {
        (Some(key), old) if is_used(&key) => {
            if old.is_some() {
                remove(&old_path)?;
            }
            Ok(key)
        }
        (_, Some(old)) if in_use == Some(old.id()) => {
            fs::rename(&old_path, &path).map_err(StoreError::file(&path))?;
            sync_directory(&path)?;
            Ok(old)
        }
        (Some(_), _) => Err(StoreError::KeyWrong { path }),
        (None, _) if in_use.is_some() => Err(StoreError::KeyMissing { path }),
        (None, _) => {
            let key = MasterKey::random().map_err(key_error(&path))?;
            write(&path, &key)?;
            Ok(key)
        }
    }
}

/// Converts a fault into an error about this file.
pub(super) fn key_error(path: &Path) -> impl FnOnce(Fault) -> StoreError {
    let path = path.to_owned();
    move |fault| StoreError::KeyFile { path, how: format!("could not be created: {fault}") }
}

/// Reads the only key from a file; `None` if there is no file.
pub(super) fn read(path: &Path, must_be_closed: bool) -> Result<Option<MasterKey>, StoreError> {
    let Some(mut keys) = read_all(path, must_be_closed)? else { return Ok(None) };
    match (keys.pop(), keys.is_empty()) {
        (Some(key), true) => Ok(Some(key)),
        _ => Err(StoreError::KeyFile { path: path.to_owned(), how: "holds two keys".to_owned() }),
    }
}

/// Reads the keys from a file; `None` if there is no file.
fn read_all(path: &Path, must_be_closed: bool) -> Result<Option<Vec<MasterKey>>, StoreError> {
    let wrong = |how: &str| StoreError::KeyFile { path: path.to_owned(), how: how.to_owned() };
    let file = match File::open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(StoreError::file(path)(error)),
    };
    let about = file.metadata().map_err(StoreError::file(path))?;
    if !about.is_file() || about.len() > MAX_FILE_SIZE {
        return Err(wrong("is not a key file"));
    }
    let mode = about.permissions().mode() & 0o777;
    if must_be_closed && mode & 0o077 != 0 {
        return Err(wrong(&format!(
            "is accessible to users other than its owner (mode {mode:o}): anyone who \
             read it can open the stored passwords; run chmod 600, and change the key if it may have been read"
        )));
    }
    let text = io::read_to_string(file).map(Zeroizing::new).map_err(StoreError::file(path))?;
    match MasterKey::parse_all(&text) {
        Some(keys) => Ok(Some(keys)),
        None => Err(wrong("does not hold one line with 32 bytes in base64 or hexadecimal")),
    }
}

/// Writes a key file with mode 0600, and replaces an existing one.
///
/// Crash safety: the file is complete at every moment, and durable when this returns.
pub(super) fn write(path: &Path, key: &MasterKey) -> Result<(), StoreError> {
    let half = path.with_extension("key.new");
    let written = || {
        // A file that a crash left here holds no key in use.
        match fs::remove_file(&half) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            _ => {}
        }
        let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&half)?;
        file.write_all(key.text().as_bytes())?;
        file.sync_all()?;
        fs::rename(&half, path)
    };
    written().map_err(StoreError::file(path))?;
    sync_directory(path)
}

/// Removes a file durably.
pub(super) fn remove(path: &Path) -> Result<(), StoreError> {
    fs::remove_file(path).map_err(StoreError::file(path))?;
    sync_directory(path)
}

fn sync_directory(path: &Path) -> Result<(), StoreError> {
    let directory = path.parent().filter(|it| !it.as_os_str().is_empty()).unwrap_or(Path::new("."));
    File::open(directory).and_then(|it| it.sync_all()).map_err(StoreError::file(directory))
}
