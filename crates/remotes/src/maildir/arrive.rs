//! Turns files into messages of a folder: moves them into `cur` and gives them UIDs.
//!
//! Crash safety: nothing is reported before it would survive a loss of power.

use std::{ffi::OsString, fs, os::unix::fs::MetadataExt as _, path::Path};

use mailhaul_mail::{Flags, Uid, UidValidity};

use super::{
    fault::Fault,
    file_name::with_letters,
    folder_directory::FolderDirectory,
    uid_list::{Entry, UidList},
};

/// A file that becomes a message.
pub(super) struct Arrival {
    /// The part of its name that stays when flags change.
    pub(super) base: OsString,
    pub(super) flags: Flags,
    /// Letters with no meaning for mailhaul. They are kept.
    pub(super) letters: Vec<u8>,
}

/// A folder's UID list after the last arrivals, so that it need not be read again.
#[derive(Default)]
pub(super) struct ListCache {
    /// The list without its entries, and the state of its file at that time.
    list: Option<(UidList, FileState)>,
}

/// Identifies a version of a file. A changed file has another state.
#[derive(Clone, Copy, PartialEq, Eq)]
struct FileState {
    device: u64,
    inode: u64,
    size: u64,
    modified: (i64, i64),
}

/// The result of arrivals.
pub(super) struct ArrivedMessages {
    pub(super) uid_validity: UidValidity,
    /// In the order of the arrivals; `None` for files that are gone.
    pub(super) uids: Vec<Option<Uid>>,
    pub(super) lost: Flags,
}

/// An error that stopped the arrivals.
pub(super) struct ArrivalError {
    pub(super) fault: Fault,
    /// True if some of them may have arrived.
    pub(super) is_begun: bool,
}

impl ArrivalError {
    fn before(fault: Fault) -> Self {
        Self { fault, is_begun: false }
    }

    fn within(fault: Fault) -> Self {
        Self { fault, is_begun: true }
    }
}

impl FolderDirectory {
    /// Takes the files in. `bring` renames the file of the arrival with this number to the path. It returns
    /// false if the file is gone.
    ///
    /// The order is Dovecot's: files first, then their UIDs, all under the lock of the list. Crash safety:
    /// a file without a UID gets one at the next look.
    pub(super) fn take_in(
        &self,
        known: &mut ListCache,
        arrivals: &[Arrival],
        mut bring: impl FnMut(usize, &Path) -> Result<bool, Fault>,
    ) -> Result<ArrivedMessages, ArrivalError> {
        let disk = &self.archive.disk;
        let _lock = self.lock().map_err(ArrivalError::before)?;
        let mut list = self.current(known).map_err(ArrivalError::before)?;
        let mut keywords = self.learn(arrivals.iter().map(|it| &it.flags)).map_err(ArrivalError::before)?;
        let cur = self.half("cur");
        let mut not_kept = Flags::new();
        let mut is_there = Vec::with_capacity(arrivals.len());
        for (index, arrival) in arrivals.iter().enumerate() {
            let (mut letters, without) = keywords.letters(&arrival.flags);
            without.iter().for_each(|name| not_kept.insert(name));
            letters.extend(&arrival.letters);
            let path = cur.join(with_letters(&arrival.base, &letters));
            is_there.push(bring(index, &path).map_err(ArrivalError::within)?);
        }
        disk.sync_directory(&cur).map_err(ArrivalError::within)?;
        let mut uids = Vec::with_capacity(arrivals.len());
        for (arrival, is_there) in arrivals.iter().zip(is_there) {
            let uid = is_there.then(|| list.add(&arrival.base).ok_or_else(|| self.no_uid_left()));
            uids.push(uid.transpose().map_err(ArrivalError::within)?);
        }
        let mut lines = Vec::new();
        list.entries.iter().for_each(|it: &Entry| it.print(&mut lines));
        let path = self.list_file();
        if !lines.is_empty() {
            disk.append(&path, &lines).map_err(ArrivalError::within)?;
        }
        list.entries.clear();
        let uid_validity = list.validity;
        known.list = Some((list, state(&path).map_err(ArrivalError::within)?));
        Ok(ArrivedMessages { uid_validity, uids, lost: not_kept })
    }

    /// Returns the current list without its entries. Lines can be added to its file.
    fn current(&self, known: &mut ListCache) -> Result<UidList, Fault> {
        // An error below leaves the cache empty.
        if let Some((list, then)) = known.list.take()
            && state(&self.list_file()).is_ok_and(|now| now == then)
        {
            return Ok(list);
        }
        let mut list = match self.list()? {
            Some(list) if list.is_sound => list,
            _ => self.renew()?.list,
        };
        list.entries.clear();
        Ok(list)
    }
}

fn state(path: &Path) -> Result<FileState, Fault> {
    let it = fs::metadata(path).map_err(|error| Fault::at(path, error))?;
    let modified = (it.mtime(), it.mtime_nsec());
    Ok(FileState { device: it.dev(), inode: it.ino(), size: it.size(), modified })
}
