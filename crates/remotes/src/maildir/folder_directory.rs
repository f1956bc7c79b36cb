//! A folder's directory: which messages lie there, and which UIDs they have.

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

/// So often is looked again for a file that somebody renames.
const LOOKS: u32 = 10;

/// One user's Maildir.
#[derive(Clone)]
pub(super) struct Archive {
    pub(super) root: PathBuf,
    pub(super) disk: Disk,
    pub(super) run: Arc<Run>,
}

impl Archive {
    /// The folder's place, which may not be there.
    pub(super) fn folder_directory(&self, folder: &FolderPath) -> FolderDirectory {
        FolderDirectory { archive: self.clone(), path: self.root.join(names::directory(folder)) }
    }
}

/// A folder's directory.
#[derive(Clone)]
pub(super) struct FolderDirectory {
    pub(super) archive: Archive,
    pub(super) path: PathBuf,
}

/// Where a message's file is at the moment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct FileLocation {
    /// `cur` or `new`.
    pub(super) half: &'static str,
    /// The name, flags included.
    pub(super) name: OsString,
}

/// Files by that part of their names which stays.
pub(super) type Files = HashMap<OsString, FileLocation>;

/// What a look at a folder shows.
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

    /// Whether the folder is there.
    pub(super) fn exists(&self) -> bool {
        self.half("cur").is_dir()
    }

    pub(super) fn must_exist(&self) -> Result<(), Fault> {
        if self.exists() {
            return Ok(());
        }
        Err(Fault::found(&self.path, io::ErrorKind::NotFound, "there is no such folder"))
    }

    /// Keeps others from giving UIDs and letters, and from renaming files. Dovecot holds it too while it reads the
    /// directory: a file that is renamed meanwhile may be passed over, and would be taken for gone.
    pub(super) fn lock(&self) -> Result<Lock<'_>, Fault> {
        Lock::acquire(&self.list_file(), &self.archive.disk, &self.archive.run)
    }

    pub(super) fn list_file(&self) -> PathBuf {
        self.path.join(uid_list::FILE)
    }

    /// The messages and their UIDs. Messages that have none yet get one, which is written down.
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

    /// Brings the list in line with the files: those that are gone are dropped, new ones are added in the order of their
    /// names, which is that of their arrival. To be called under the lock.
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

    /// The second in which the list is made, as Dovecot has it too: a folder that is made anew gets another.
    fn new_validity(&self) -> Result<UidValidity, Fault> {
        let seconds = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |it| it.as_secs());
        let validity = u32::try_from(seconds).ok().and_then(|it| UidValidity::new(u64::from(it)));
        let words = "the clock shows a year of which no UIDVALIDITY can be made";
        validity.ok_or_else(|| Fault::found(&self.list_file(), io::ErrorKind::InvalidData, words))
    }

    pub(super) fn no_uid_left(&self) -> Fault {
        Fault::found(&self.list_file(), io::ErrorKind::InvalidData, "no UID is left for further messages")
    }

    /// The list; `None` where there is none that can be read.
    pub(super) fn list(&self) -> Result<Option<UidList>, Fault> {
        let path = self.list_file();
        let Some(octets) = read_if_there(&path)? else { return Ok(None) };
        let list = UidList::parse(&octets);
        if list.is_none() {
            tracing::warn!("{}: cannot be understood, all messages get new UIDs", path.display());
        }
        Ok(list)
    }

    /// The messages' files while nobody renames them.
    pub(super) fn files_at_rest(&self) -> Result<Files, Fault> {
        use io::ErrorKind::{PermissionDenied, ReadOnlyFilesystem};
        match self.lock() {
            // Where we may not lock we may not write either, and whoever only wants to look shall see something.
            Err(fault) if !matches!(fault.kind(), PermissionDenied | ReadOnlyFilesystem) => Err(fault),
            _lock => self.files(),
        }
    }

    /// The messages' files. What is renamed meanwhile may be missing. `new` comes first, because mail goes from there to
    /// `cur`.
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

    /// Works on a message's file, wherever it is by now; `None` where it is gone. `again` looks for the files anew.
    pub(super) fn with_file<T>(
        files: &mut Files,
        base: &OsStr,
        again: impl Fn() -> Result<Files, Fault>,
        mut work: impl FnMut(&FileLocation) -> Result<T, Fault>,
    ) -> Result<Option<T>, Fault> {
        for _ in 0..LOOKS {
            let Some(at) = files.get(base) else { return Ok(None) };
            match work(at) {
                // Somebody else gave it other flags meanwhile, or took it away.
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

    /// The folder's keywords, with letters for those among the flags that had none. To be called under the lock.
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

/// `None` where the file is not there.
pub(super) fn read_if_there(path: &Path) -> Result<Option<Vec<u8>>, Fault> {
    match fs::read(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        other => other.map(Some).map_err(|error| Fault::at(path, error)),
    }
}
