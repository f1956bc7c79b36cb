//! Lock files that Maildir programs share, in Dovecot's form: a file beside the locked one, with process
//! and host in it.

use std::{
    fs,
    io::ErrorKind,
    path::{Path, PathBuf},
    thread,
    time::{Duration, Instant, SystemTime},
};

use super::{disk::Disk, fault::Fault, run::Run};

/// Age at which a lock is stale (Dovecot's value).
const STALE: Duration = Duration::from_mins(2);
/// Longest wait for a lock.
const PATIENCE: Duration = Duration::from_secs(150);
const PAUSE: Duration = Duration::from_millis(10);

/// A lock. Dropping it releases it.
pub(super) struct Lock<'a> {
    disk: &'a Disk,
    run: &'a Run,
    path: PathBuf,
}

impl<'a> Lock<'a> {
    /// Waits for the lock of a file, and takes it.
    pub(super) fn acquire(file: &Path, disk: &'a Disk, run: &'a Run) -> Result<Self, Fault> {
        let mut name = file.as_os_str().to_owned();
        name.push(".lock");
        let path = PathBuf::from(name);
        let since = Instant::now();
        loop {
            match create(&path, disk, run) {
                Ok(()) => {
                    run.held.lock().insert(path.clone());
                    return Ok(Self { disk, run, path });
                }
                Err(fault) if fault.kind() == ErrorKind::AlreadyExists => {}
                Err(fault) => return Err(fault),
            }
            if is_left_behind(&path, run) {
                match disk.remove(&path) {
                    Err(fault) if !fault.is_missing() => return Err(fault),
                    _ => continue,
                }
            }
            if since.elapsed() > PATIENCE {
                let words = "another program holds the lock";
                return Err(Fault::found(&path, ErrorKind::ResourceBusy, words));
            }
            thread::sleep(PAUSE);
        }
    }
}

impl Drop for Lock<'_> {
    fn drop(&mut self) {
        // A lock file that stays is found to be stale.
        _ = self.disk.remove(&self.path);
        self.run.held.lock().remove(&self.path);
    }
}

/// Creates the lock file. Invariant: it never exists without its holder in it.
fn create(path: &Path, disk: &Disk, run: &Run) -> Result<(), Fault> {
    let tmp = path.with_file_name("tmp");
    disk.make_directory(&tmp)?;
    let temporary = tmp.join(run.temporary());
    let mut file = disk.create(&temporary)?;
    let holder = format!("{}:{}", run.process, run.host);
    let written = disk.write(&mut file, &temporary, holder.as_bytes());
    let linked = written.and_then(|()| disk.link(&temporary, path));
    // The next run removes what stays.
    _ = disk.discard(&temporary);
    linked
}

/// True if the holder of the lock is gone.
fn is_left_behind(path: &Path, run: &Run) -> bool {
    let Ok(since) = fs::metadata(path).and_then(|it| it.modified()) else { return false };
    if SystemTime::now().duration_since(since).is_ok_and(|age| age > STALE) {
        return true;
    }
    let holder = fs::read_to_string(path).unwrap_or_default();
    let Some((process, host)) = holder.trim_end().split_once(':') else { return false };
    let Ok(process) = process.parse::<u32>() else { return false };
    if host != run.host {
        return false;
    }
    if process == run.process {
        // This process could not remove it, or an earlier process had the same number, as in containers.
        return !run.held.lock().contains(path);
    }
    Path::new("/proc/self").exists() && !Path::new("/proc").join(process.to_string()).exists()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_lock_is_waited_for_and_one_that_is_nobodys_is_taken() {
        let directory = tempfile::tempdir().unwrap();
        let file = directory.path().join("dovecot-uidlist");
        let lock_file = directory.path().join("dovecot-uidlist.lock");
        let (disk, run) = (Disk::default(), Run::new(std::process::id()));
        let held = Lock::acquire(&file, &disk, &run).unwrap();
        assert!(fs::read_to_string(&lock_file).unwrap().starts_with(&format!("{}:", run.process)));
        assert!(!is_left_behind(&lock_file, &run));
        thread::scope(|scope| {
            let waiting = scope.spawn(|| Lock::acquire(&file, &disk, &run).map(drop).is_ok());
            thread::sleep(Duration::from_millis(50));
            assert!(!waiting.is_finished());
            drop(held);
            assert!(waiting.join().unwrap());
        });
        assert!(!lock_file.exists());
        // Processes that are gone: of this host, and one with the number of this process.
        for process in [999_999_999, run.process] {
            fs::write(&lock_file, format!("{process}:{}", run.host)).unwrap();
            drop(Lock::acquire(&file, &disk, &run).unwrap());
            assert!(!lock_file.exists());
        }
        fs::write(&lock_file, "999999999:another.host").unwrap();
        assert!(!is_left_behind(&lock_file, &run));
        let old = SystemTime::now() - STALE * 2;
        fs::File::options().write(true).open(&lock_file).unwrap().set_modified(old).unwrap();
        assert!(is_left_behind(&lock_file, &run));
    }
}
