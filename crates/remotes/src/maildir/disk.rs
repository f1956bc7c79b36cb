//! All writes to the disk, and the syncs that make them durable.

use std::{
    fs::{self, DirBuilder, File, OpenOptions},
    io::{self, Write as _},
    os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _},
    path::Path,
    time::SystemTime,
};

use mailhaul_mail::{EXPIRED_PERMIT, Permit};

use super::fault::Fault;

/// Only the owner may read the mail.
const DIRECTORY_MODE: u32 = 0o700;
const FILE_MODE: u32 = 0o600;

/// The only code that writes. Tests put a hook before each of its steps.
#[derive(Clone, Default)]
pub(super) struct Disk {
    /// Permit without which nothing is changed; `None` if no other process can take over.
    pub(super) permit: Option<Permit>,
    #[cfg(test)]
    pub(super) before: Option<Before>,
}

/// Test hook: called before each step with its name and path. Its error replaces the step.
#[cfg(test)]
pub(super) type Before = std::sync::Arc<dyn Fn(&str, &Path) -> io::Result<()> + Send + Sync>;

impl Disk {
    /// Runs one step, if the permit is valid.
    fn step<T>(&self, what: &str, path: &Path, work: impl FnOnce() -> io::Result<T>) -> Result<T, Fault> {
        if self.permit.as_ref().is_some_and(|permit| !permit.is_valid()) {
            return Err(Fault::found(path, io::ErrorKind::Other, EXPIRED_PERMIT));
        }
        self.always(what, path, work)
    }

    #[cfg_attr(not(test), expect(clippy::unused_self, reason = "hooks exist only in tests"))]
    fn always<T>(&self, what: &str, path: &Path, work: impl FnOnce() -> io::Result<T>) -> Result<T, Fault> {
        #[cfg(test)]
        if let Some(before) = &self.before {
            before(what, path).map_err(|error| Fault::at(path, error))?;
        }
        #[cfg(not(test))]
        let _ = what;
        work().map_err(|error| Fault::at(path, error))
    }

    /// Creates a new, empty file for writing.
    pub(super) fn create(&self, path: &Path) -> Result<File, Fault> {
        let options = || OpenOptions::new().write(true).create_new(true).mode(FILE_MODE).open(path);
        self.step("create", path, options)
    }

    pub(super) fn write(&self, file: &mut File, path: &Path, octets: &[u8]) -> Result<(), Fault> {
        self.step("write", path, || file.write_all(octets))
    }

    pub(super) fn set_modified(&self, file: &File, path: &Path, when: SystemTime) -> Result<(), Fault> {
        self.step("set time", path, || file.set_modified(when))
    }

    /// Makes the content of the file durable.
    pub(super) fn sync(&self, path: &Path) -> Result<(), Fault> {
        self.step("sync", path, || File::open(path)?.sync_all())
    }

    /// Makes renames, creations and removals in the directory durable.
    pub(super) fn sync_directory(&self, path: &Path) -> Result<(), Fault> {
        self.step("sync directory", path, || File::open(path)?.sync_all())
    }

    pub(super) fn rename(&self, from: &Path, to: &Path) -> Result<(), Fault> {
        self.step("rename", from, || fs::rename(from, to))
    }

    /// Gives a file a second name. Fails if the name is taken.
    pub(super) fn link(&self, from: &Path, to: &Path) -> Result<(), Fault> {
        self.step("link", to, || fs::hard_link(from, to))
    }

    pub(super) fn remove(&self, path: &Path) -> Result<(), Fault> {
        self.step("remove", path, || fs::remove_file(path))
    }

    /// Removes an unfinished file of this process, which no other one can have taken over.
    pub(super) fn discard(&self, path: &Path) -> Result<(), Fault> {
        self.always("remove", path, || fs::remove_file(path))
    }

    /// Appends bytes to a file, all or none, durably.
    pub(super) fn append(&self, path: &Path, octets: &[u8]) -> Result<(), Fault> {
        let length = fs::metadata(path).map_err(|error| Fault::at(path, error))?.len();
        let appended = self.step("append", path, || {
            let mut file = OpenOptions::new().append(true).open(path)?;
            file.write_all(octets)
        });
        let appended = appended.and_then(|()| self.sync(path));
        if appended.is_err() {
            let cut = || OpenOptions::new().write(true).open(path)?.set_len(length);
            // Readers skip a partial line (see `uid_list`).
            _ = self.step("cut", path, cut);
        }
        appended
    }

    /// Replaces a file's content durably. Called under the lock of the file.
    pub(super) fn replace(&self, path: &Path, octets: &[u8]) -> Result<(), Fault> {
        let mut name = path.as_os_str().to_owned();
        name.push(".tmp");
        let next = Path::new(&name);
        let written = self.step("rewrite", next, || {
            let mut options = OpenOptions::new();
            options.write(true).create(true).truncate(true).mode(FILE_MODE).open(next)?.write_all(octets)
        });
        let renamed = written.and_then(|()| self.sync(next)).and_then(|()| self.rename(next, path));
        if renamed.is_err() {
            // The next call overwrites it if it stays.
            _ = self.remove(next);
        }
        renamed?;
        path.parent().map_or(Ok(()), |directory| self.sync_directory(directory))
    }

    /// Creates the directory and its missing parents.
    pub(super) fn make_directory(&self, path: &Path) -> Result<(), Fault> {
        if path.is_dir() {
            return Ok(());
        }
        let above = path.parent().filter(|it| !it.as_os_str().is_empty());
        if let Some(above) = above {
            self.make_directory(above)?;
        }
        match self.step("make directory", path, || DirBuilder::new().mode(DIRECTORY_MODE).create(path)) {
            Err(fault) if fault.kind() == io::ErrorKind::AlreadyExists && path.is_dir() => {}
            other => other?,
        }
        self.sync_directory(above.unwrap_or(Path::new(".")))
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;

    #[test]
    fn an_expired_permit_changes_no_file() {
        let directory = tempfile::tempdir().unwrap();
        let (kept, new) = (directory.path().join("kept"), directory.path().join("new"));
        let mut disk = Disk::default();
        disk.write(&mut disk.create(&kept).unwrap(), &kept, b"1\n").unwrap();
        let clock: mailhaul_mail::PermitClock = Arc::new(|| std::time::Duration::from_secs(40));
        disk.permit = Some(Permit::new(clock, std::time::Duration::ZERO, std::time::Duration::from_secs(40)));
        let mut file = OpenOptions::new().append(true).open(&kept).unwrap();
        let outcomes = [
            disk.create(&new).map(drop),
            disk.write(&mut file, &kept, b"2\n"),
            disk.set_modified(&file, &kept, SystemTime::UNIX_EPOCH),
            disk.rename(&kept, &new),
            disk.link(&kept, &new),
            disk.remove(&kept),
            disk.append(&kept, b"2\n"),
            disk.replace(&kept, b"2\n"),
            disk.make_directory(&new),
        ];
        for outcome in outcomes {
            let error = outcome.unwrap_err().explain("target annb");
            assert!(error.message.ends_with(EXPIRED_PERMIT), "{error}");
        }
        assert_eq!(fs::read(&kept).unwrap(), b"1\n");
        assert_eq!(fs::read_dir(directory.path()).unwrap().count(), 1);
        disk.discard(&kept).unwrap();
        assert!(!kept.exists());
    }
}
