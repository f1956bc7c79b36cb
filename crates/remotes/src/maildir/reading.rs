//! Reads a Maildir: its folders and its messages.

use std::{
    ffi::OsString,
    fs::{self, File},
    io::{self, Read as _},
    os::unix::{ffi::OsStrExt as _, fs::MetadataExt as _},
};

use mailhaul_engine::{Folder, FolderStatus, MessageInfo, Present, Scan};
use mailhaul_mail::{Digests, Fingerprint, FolderPath, InternalDate, MessageHasher, Uid, UidSet};

use super::{
    fault::Fault,
    file_name::{letters_of, zone_of},
    folder_directory::{Archive, Files, FolderContents, FolderDirectory, read_if_there},
    names,
    subscriptions::{self, Subscriptions},
};

/// The file that holds the long name of a folder.
pub(super) const NAME_FILE: &str = "mailhaul-name";
/// Bytes per read.
const PIECE: usize = 64 << 10;
/// Headers up to this size (bytes) are read alone. For longer ones the whole message is hashed.
const HEADER: usize = 1 << 20;

impl Archive {
    /// Lists the folders. A Maildir that does not exist has none.
    pub(super) fn folders(&self) -> Result<Vec<Folder>, Fault> {
        let entries = match fs::read_dir(&self.root) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
            other => other.map_err(|error| Fault::at(&self.root, error))?,
        };
        let mut paths = vec![FolderPath::inbox()];
        for entry in entries {
            let name = entry.map_err(|error| Fault::at(&self.root, error))?.file_name();
            if !name.as_bytes().starts_with(b".") || !self.root.join(&name).join("cur").is_dir() {
                continue;
            }
            if let Some(path) = self.folder_of(&name)? {
                paths.push(path);
            } else {
                let directory = self.root.join(&name);
                let words = "left out: no folder of mailhaul has a directory of this name";
                tracing::warn!("{}: {words}", directory.display());
            }
        }
        paths.retain(|path| self.folder_directory(path).exists());
        paths.sort();
        let subscriptions = self.subscriptions()?;
        let folder = |path: FolderPath| Folder {
            special_use: None,
            selectable: true,
            subscribed: subscriptions.has(&path),
            status: None,
            leave_out: None,
            path,
        };
        Ok(paths.into_iter().map(folder).collect())
    }

    fn folder_of(&self, directory: &OsString) -> Result<Option<FolderPath>, Fault> {
        let Some(name) = directory.to_str() else { return Ok(None) };
        if !names::is_long(name) {
            return Ok(names::path(name));
        }
        let told = read_if_there(&self.root.join(name).join(NAME_FILE))?.unwrap_or_default();
        let path = FolderPath::parse(&String::from_utf8_lossy(&told));
        Ok((names::directory(&path) == *name).then_some(path))
    }

    pub(super) fn subscriptions(&self) -> Result<Subscriptions, Fault> {
        let octets = read_if_there(&self.root.join(subscriptions::FILE))?;
        Ok(Subscriptions::parse(octets.as_deref()))
    }
}

impl FolderDirectory {
    pub(super) fn status(&self) -> Result<FolderStatus, Fault> {
        let FolderContents { list, files } = self.look()?;
        let messages = list.entries.iter().filter(|it| files.contains_key(&it.base)).count();
        Ok(FolderStatus {
            messages: u32::try_from(messages).unwrap_or(u32::MAX),
            uid_validity: list.validity,
            uid_next: list.next(),
            highest_modseq: None,
        })
    }

    /// Lists all messages without opening their files.
    pub(super) fn scan(&self) -> Result<Scan, Fault> {
        let FolderContents { list, mut files } = self.look()?;
        let keywords = self.keywords()?;
        let mut messages = Vec::with_capacity(list.entries.len());
        for entry in &list.entries {
            let found = Self::with_file(
                &mut files,
                &entry.base,
                || self.files_at_rest(),
                |at| {
                    let path = self.file(at);
                    let metadata = fs::metadata(&path).map_err(|error| Fault::at(&path, error))?;
                    let zone = zone_of(&at.name).unwrap_or(0);
                    Ok(MessageInfo {
                        uid: entry.uid,
                        flags: keywords.flags(letters_of(&at.name)),
                        internal_date: InternalDate::new(metadata.mtime(), zone),
                        size: metadata.len(),
                    })
                },
            )?;
            messages.extend(found);
        }
        let status = FolderStatus {
            messages: u32::try_from(messages.len()).unwrap_or(u32::MAX),
            uid_validity: list.validity,
            uid_next: list.next(),
            highest_modseq: None,
        };
        let present = Present::These(messages.iter().map(|it| it.uid).collect());
        Ok(Scan::whole(status, messages, present))
    }

    pub(super) fn fingerprints(&self, uids: &UidSet) -> Result<Vec<(Uid, Fingerprint)>, Fault> {
        self.each(uids, fingerprint)
    }

    pub(super) fn digests(&self, uids: &UidSet) -> Result<Vec<(Uid, Digests)>, Fault> {
        self.each(uids, |file| Ok(hash(file)?.1))
    }

    /// Reads the files of these messages. Missing files are left out.
    fn each<T>(
        &self,
        uids: &UidSet,
        read: impl Fn(&mut File) -> io::Result<T>,
    ) -> Result<Vec<(Uid, T)>, Fault> {
        if uids.is_empty() {
            return Ok(Vec::new());
        }
        let look = self.look()?;
        let mut files: Files = look.files.clone();
        let mut found = Vec::new();
        for entry in look.list.entries.iter().filter(|it| uids.contains(it.uid)) {
            let told = Self::with_file(
                &mut files,
                &entry.base,
                || self.files_at_rest(),
                |at| {
                    let path = self.file(at);
                    let opened = File::open(&path).and_then(|mut file| read(&mut file));
                    opened.map_err(|error| Fault::at(&path, error))
                },
            )?;
            found.extend(told.map(|it| (entry.uid, it)));
        }
        Ok(found)
    }
}

/// Reads the header only, if that is enough.
fn fingerprint(file: &mut File) -> io::Result<Fingerprint> {
    let mut header = Vec::new();
    let mut piece = vec![0; PIECE];
    loop {
        let length = file.read(&mut piece)?;
        let from = header.len();
        header.extend_from_slice(&piece[..length]);
        // The bytes behind the header are not needed.
        if length == 0 || header.len() > HEADER || has_end(&header, from) {
            break;
        }
    }
    if header.len() <= HEADER
        && let Some(fingerprint) = Fingerprint::of_header(&header)
    {
        return Ok(fingerprint);
    }
    io::Seek::rewind(file)?;
    Ok(hash(file)?.0)
}

/// True if the bytes from there on contain an empty line.
fn has_end(header: &[u8], from: usize) -> bool {
    let header = &header[from.saturating_sub(3)..];
    header.windows(2).any(|it| it == b"\n\n") || header.windows(4).any(|it| it == b"\r\n\r\n")
}

fn hash(file: &mut File) -> io::Result<(Fingerprint, Digests)> {
    let mut hasher = MessageHasher::new();
    let mut piece = vec![0; PIECE];
    loop {
        match file.read(&mut piece)? {
            0 => return Ok(hasher.finish()),
            length => hasher.update(&piece[..length]),
        }
    }
}
