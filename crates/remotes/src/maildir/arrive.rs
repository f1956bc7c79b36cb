//! Files become messages of a folder: they come into `cur`, and get UIDs. Nothing of it is told before it would outlast a
//! loss of power.

use std::{ffi::OsString, fs, os::unix::fs::MetadataExt as _, path::Path};

use mailhaul_mail::{Flags, Uid, UidValidity};

use super::{
    fault::Fault,
    file_name::with_letters,
    folder_directory::FolderDirectory,
    uid_list::{Entry, UidList},
};

/// A file that is to become a message.
pub(super) struct Arrival {
    /// That part of its name which stays.
    pub(super) base: OsString,
    pub(super) flags: Flags,
    /// Letters that mean nothing to us.
    pub(super) letters: Vec<u8>,
}

/// What is known of a folder's list from the last arrivals, so that it need not be read again.
#[derive(Default)]
pub(super) struct ListCache {
    /// Without its entries, and the file that it was then.
    list: Option<(UidList, FileState)>,
}

/// By which another state of a file is noticed.
#[derive(Clone, Copy, PartialEq, Eq)]
struct FileState {
    device: u64,
    inode: u64,
    size: u64,
    modified: (i64, i64),
}

/// What became of arrivals.
pub(super) struct ArrivedMessages {
    pub(super) uid_validity: UidValidity,
    /// In their order; `None` for files that are gone.
    pub(super) uids: Vec<Option<Uid>>,
    /// Flags that the folder does not keep.
    pub(super) lost: Flags,
}

/// Why they did not all arrive.
pub(super) struct ArrivalError {
    pub(super) fault: Fault,
    /// Some may have.
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
    /// Takes the files in. `bring` renames the file of the arrival with this number to the path; false where it is gone.
    ///
    /// The order is that of Dovecot: files first, then their UIDs, all under the lock of the list. What a crash leaves in
    /// between has no UID, and gets one at the next look.
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

    /// The list as it is now, without its entries, and such that lines can be added to the file.
    fn current(&self, known: &mut ListCache) -> Result<UidList, Fault> {
        // What fails below leaves nothing known.
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
