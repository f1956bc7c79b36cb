//! The directory of a folder: its messages and their UIDs.

use std::{
    collections::{HashMap, HashSet},
    ffi::{OsStr, OsString},
    fs, io,
    os::unix::ffi::OsStrExt as _,
    path::{Path, PathBuf},
    sync::Arc,
    time::{SystemTime, UNIX_EPOCH},
};

use mailhaul_mail::{Flags, FolderPath, UidValidity};

use super::{
    disk::Disk,
    fault::Fault,
    file_name::base_of,
    keywords::{self, Keywords},
    lock::Lock,
    names,
    run::Run,
    uid_list::{self, UidList},
};

/// Maximum number of searches for a file that another program renames.
const LOOKS: u32 = 10;

#[derive(Clone)]
pub(super) struct Archive {
    pub(super) root: PathBuf,
    pub(super) disk: Disk,
    pub(super) run: Arc<Run>,
}

impl Archive {
    /// The directory of the folder. It may not exist.
    pub(super) fn folder_directory(&self, folder: &FolderPath) -> FolderDirectory {
        FolderDirectory { archive: self.clone(), path: self.root.join(names::directory(folder)) }
    }
}

#[derive(Clone)]
pub(super) struct FolderDirectory {
    pub(super) archive: Archive,
    pub(super) path: PathBuf,
}

/// The current location of a message's file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct FileLocation {
    pub(super) half: &'static str,
    /// The file name with flags.
    pub(super) name: OsString,
}

/// Files by the part of their names that stays.
pub(super) type Files = HashMap<OsString, FileLocation>;

/// The UID list and the files of a folder.
pub(super) struct FolderContents {
    pub(super) list: UidList,
    pub(super) files: Files,
}

impl FolderDirectory {
    pub(super) fn half(&self, half: &str) -> PathBuf {
        self.path.join(half)
    }

    pub(super) fn file(&self, at: &FileLocation) -> PathBuf {
        self.half(at.half).join(&at.name)
    }

    /// True if the folder exists.
    pub(super) fn exists(&self) -> bool {
        self.half("cur").is_dir()
    }

    pub(super) fn must_exist(&self) -> Result<(), Fault> {
        if self.exists() {
            return Ok(());
        }
        Err(Fault::found(&self.path, io::ErrorKind::NotFound, "there is no such folder"))
    }

    /// Takes the lock that keeps other programs from assigning UIDs and letters, and from renaming files.
    ///
    /// Dovecot holds it too while it reads the directory. A file that is renamed meanwhile may be missed,
    /// and would count as gone.
    pub(super) fn lock(&self) -> Result<Lock<'_>, Fault> {
        Lock::acquire(&self.list_file(), &self.archive.disk, &self.archive.run)
    }

    pub(super) fn list_file(&self) -> PathBuf {
        self.path.join(uid_list::FILE)
    }

    /// Returns the messages and their UIDs. Messages without a UID get one, which is written to the list.
    pub(super) fn look(&self) -> Result<FolderContents, Fault> {
        self.must_exist()?;
        let mut files = self.files()?;
        if let Some(list) = self.list()? {
            if list.entries.iter().any(|it| !files.contains_key(&it.base)) {
                files = self.files_at_rest()?;
            }
            let known: HashSet<&OsStr> = list.entries.iter().map(|it| it.base.as_os_str()).collect();
            if files.keys().all(|base| known.contains(base.as_os_str())) {
                return Ok(FolderContents { list, files });
            }
        }
        let _lock = self.lock()?;
        self.renew()
    }

    /// Updates the list from the files. Entries of missing files are dropped. New files are added in the
    /// order of their names, which is the order of arrival.
    ///
    /// Called under the lock.
    pub(super) fn renew(&self) -> Result<FolderContents, Fault> {
        let mut list = match self.list()? {
            Some(list) => list,
            None => UidList::new(self.new_validity()?),
        };
        let files = self.files()?;
        let before = list.entries.len();
        list.entries.retain(|it| files.contains_key(&it.base));
        let known: HashSet<&OsStr> = list.entries.iter().map(|it| it.base.as_os_str()).collect();
        let mut new: Vec<OsString> =
            files.keys().filter(|base| !known.contains(base.as_os_str())).cloned().collect();
        if new.is_empty() && list.is_sound && before == list.entries.len() {
            return Ok(FolderContents { list, files });
        }
        new.sort_unstable();
        for base in new {
            list.add(&base).ok_or_else(|| self.no_uid_left())?;
        }
        self.archive.disk.replace(&self.list_file(), &list.print())?;
        list.is_sound = true;
        Ok(FolderContents { list, files })
    }

    /// The current second, as in Dovecot: a folder that is created again gets another UIDVALIDITY.
    fn new_validity(&self) -> Result<UidValidity, Fault> {
        let seconds = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |it| it.as_secs());
        let validity = u32::try_from(seconds).ok().and_then(|it| UidValidity::new(u64::from(it)));
        let words = "the clock shows a time that does not fit into a UIDVALIDITY";
        validity.ok_or_else(|| Fault::found(&self.list_file(), io::ErrorKind::InvalidData, words))
    }

    pub(super) fn no_uid_left(&self) -> Fault {
        Fault::found(&self.list_file(), io::ErrorKind::InvalidData, "no UID is left for further messages")
    }

    /// The list; `None` if it is missing or unreadable.
    pub(super) fn list(&self) -> Result<Option<UidList>, Fault> {
        let path = self.list_file();
        let Some(octets) = read_if_there(&path)? else { return Ok(None) };
        let list = UidList::parse(&octets);
        if list.is_none() {
            tracing::warn!("{}: cannot be read; all messages get new UIDs", path.display());
        }
        Ok(list)
    }

    /// Lists the files while no other program renames them.
    pub(super) fn files_at_rest(&self) -> Result<Files, Fault> {
        use io::ErrorKind::{PermissionDenied, ReadOnlyFilesystem};
        match self.lock() {
            // Without permission to lock there is no permission to write, and reading alone must work.
            Err(fault) if !matches!(fault.kind(), PermissionDenied | ReadOnlyFilesystem) => Err(fault),
            _lock => self.files(),
        }
    }

    /// Lists the files. A file that is renamed meanwhile may be missing. `new` is read first, because mail
    /// moves from there to `cur`.
    pub(super) fn files(&self) -> Result<Files, Fault> {
        let mut files = Files::new();
        for half in ["new", "cur"] {
            let path = self.half(half);
            let entries = match fs::read_dir(&path) {
                Err(error) if half == "new" && error.kind() == io::ErrorKind::NotFound => continue,
                other => other.map_err(|error| Fault::at(&path, error))?,
            };
            for entry in entries {
                let entry = entry.map_err(|error| Fault::at(&path, error))?;
                let name = entry.file_name();
                let base = base_of(&name);
                let is_message =
                    !matches!(base.as_bytes(), [] | [b'.', ..]) && !base.as_bytes().contains(&b'\n');
                if is_message && !entry.file_type().is_ok_and(|it| it.is_dir()) {
                    files.insert(base.to_owned(), FileLocation { half, name });
                }
            }
        }
        Ok(files)
    }

    /// Runs `work` on a message's file, wherever it is now; `None` if it is gone. `again` lists the files
    /// once more.
    pub(super) fn with_file<T>(
        files: &mut Files,
        base: &OsStr,
        again: impl Fn() -> Result<Files, Fault>,
        mut work: impl FnMut(&FileLocation) -> Result<T, Fault>,
    ) -> Result<Option<T>, Fault> {
        for _ in 0..LOOKS {
            let Some(at) = files.get(base) else { return Ok(None) };
            match work(at) {
                // Another program renamed or removed the file meanwhile.
                Err(fault) if fault.is_missing() => *files = again()?,
                other => return other.map(Some),
            }
        }
        Ok(None)
    }

    pub(super) fn keywords(&self) -> Result<Keywords, Fault> {
        let octets = read_if_there(&self.path.join(keywords::FILE))?.unwrap_or_default();
        Ok(Keywords::parse(&String::from_utf8_lossy(&octets)))
    }

    /// Returns the folder's keywords, with letters for new ones among the flags. Called under the lock.
    pub(super) fn learn<'a>(&self, flags: impl Iterator<Item = &'a Flags>) -> Result<Keywords, Fault> {
        let known = self.keywords()?;
        let mut keywords = known.clone();
        flags.for_each(|it| drop(keywords.letters(it)));
        if keywords != known {
            let path = self.path.join(keywords::FILE);
            self.archive.disk.replace(&path, keywords.print().as_bytes())?;
        }
        Ok(keywords)
    }
}

/// `None` if the file does not exist.
pub(super) fn read_if_there(path: &Path) -> Result<Option<Vec<u8>>, Fault> {
    match fs::read(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        other => other.map(Some).map_err(|error| Fault::at(path, error)),
    }
}
