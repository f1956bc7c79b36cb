//! Writes into a Maildir: folders, flags, moves, removals.

use std::{ffi::OsString, io, path::Path, pin::pin, time::Duration};

use mailhaul_engine::{
    Acks, AppendPart, Error, Feed, FlagChange, Mailbox as _, NewFolder, StorageHabits, StoredMessages, Target,
};
use mailhaul_mail::{Flags, FolderPath, Uid, UidSet};
use tokio::time::timeout;

use super::{
    MaildirMailbox,
    arrive::{Arrival, ListCache},
    blocking,
    delivery::{Address, Delivery},
    fault::Fault,
    file_name::{base_of, letters_of, renamed, with_letters},
    folder_directory::{Archive, FileLocation, FolderContents, FolderDirectory},
    lock::Lock,
    names,
    reading::NAME_FILE,
    subscriptions,
};

/// Bytes that are handed to the writing thread at once.
const GROUP_OCTETS: usize = 512 << 10;
/// Time for which a command stays open for more messages of a slow source.
const LINGER: Duration = Duration::from_millis(20);

impl Target for MaildirMailbox {
    fn habits(&self) -> StorageHabits {
        StorageHabits { is_local: true, ..StorageHabits::default() }
    }

    /// Distinguishes the archive from the same user's mailbox on a server.
    fn owner(&self) -> String {
        format!("{} in the archive", self.name)
    }

    async fn create_folders(&mut self, folders: &[NewFolder]) -> Result<Vec<Result<(), Error>>, Error> {
        let (archive, folders, name) = (self.archive.clone(), folders.to_vec(), self.describe());
        blocking(move || {
            let outcome = |it: &NewFolder| {
                let whose = format!("target {name}: folder {}", it.path);
                archive.create(&it.path).map_err(|fault| fault.explain(&whose))?;
                if it.subscribe {
                    archive.subscribe(&it.path).map_err(|fault| fault.explain(&whose))?;
                }
                Ok(())
            };
            folders.iter().map(outcome).collect()
        })
        .await
    }

    async fn append<F: Feed>(
        &mut self,
        folder: &FolderPath,
        batch: usize,
        mut feed: F,
        acks: Acks,
    ) -> Result<(), Error> {
        let to = Address {
            directory: self.archive.folder_directory(folder),
            folder: folder.clone(),
            whose: self.whose(folder),
            batch,
            acks,
            lost: self.lost.clone(),
        };
        let mut delivery = blocking(|| Delivery::new(to)).await??;
        let mut group: Vec<AppendPart> = Vec::new();
        let mut octets = 0;
        loop {
            if !group.is_empty() && (octets >= GROUP_OCTETS || !feed.is_ready()) {
                let parts = std::mem::take(&mut group);
                octets = 0;
                delivery = working(delivery, |it| it.take(parts)).await?;
                if delivery.is_refused() {
                    return Ok(());
                }
            }
            let part = {
                let mut next = pin!(feed.next());
                if let Ok(part) = timeout(LINGER, &mut next).await {
                    part
                } else {
                    if delivery.is_open() {
                        delivery = working(delivery, Delivery::commit).await?;
                    }
                    next.await
                }
            };
            match part {
                Ok(Some(part)) => {
                    octets += weight(&part);
                    group.push(part);
                }
                Ok(None) => break,
                Err(error) => {
                    blocking(|| drop(delivery)).await?;
                    return Err(error);
                }
            }
        }
        working(delivery, |it| it.take(group).and_then(|()| it.commit())).await.map(drop)
    }

    async fn stored(
        &mut self,
        folder: &FolderPath,
        first: Uid,
        _last: Option<Uid>,
        read: &UidSet,
    ) -> Result<StoredMessages, Error> {
        let mut messages = self.scan(folder, None).await?.messages;
        messages.retain(|it| it.uid >= first);
        Ok(StoredMessages { messages, digests: self.digests(folder, read).await? })
    }

    async fn store_flags(&mut self, folder: &FolderPath, changes: &[FlagChange]) -> Result<(), Error> {
        let (directory, changes, lost) =
            (self.archive.folder_directory(folder), changes.to_vec(), self.lost.clone());
        let (whose, folder) = (self.whose(folder), folder.clone());
        blocking(move || {
            let not_kept = directory.store_flags(&changes).map_err(|fault| fault.explain(&whose))?;
            lost.tell(&whose, &folder, &not_kept);
            Ok(())
        })
        .await?
    }

    async fn move_messages(
        &mut self,
        from: &FolderPath,
        to: &FolderPath,
        uids: &UidSet,
    ) -> Result<Vec<(Uid, Uid)>, Error> {
        let (whose, lost, uids) = (self.whose(to), self.lost.clone(), uids.clone());
        let (from, directory, to) =
            (self.archive.folder_directory(from), self.archive.folder_directory(to), to.clone());
        blocking(move || {
            let (pairs, not_kept) =
                from.move_into(&directory, &uids).map_err(|fault| fault.explain(&whose))?;
            lost.tell(&whose, &to, &not_kept);
            Ok(pairs)
        })
        .await?
    }

    async fn remove_messages(&mut self, folder: &FolderPath, uids: &UidSet) -> Result<(), Error> {
        let (directory, whose, uids) =
            (self.archive.folder_directory(folder), self.whose(folder), uids.clone());
        blocking(move || directory.remove(&uids).map_err(|fault| fault.explain(&whose))).await?
    }
}

/// Runs the delivery on a thread that may block, and returns it.
async fn working(
    mut delivery: Delivery,
    work: impl FnOnce(&mut Delivery) -> Result<(), Error> + Send + 'static,
) -> Result<Delivery, Error> {
    blocking(move || work(&mut delivery).map(|()| delivery)).await?
}

fn weight(part: &AppendPart) -> usize {
    match part {
        AppendPart::Message(_, octets) | AppendPart::Chunk(octets) => octets.len(),
        AppendPart::Start(..) | AppendPart::End => 0,
    }
}

impl Archive {
    /// Creates the folder if it is missing. No parents are needed: the directories of all folders lie side
    /// by side.
    fn create(&self, folder: &FolderPath) -> Result<(), Fault> {
        self.make(&self.folder_directory(&FolderPath::inbox()))?;
        let directory = self.folder_directory(folder);
        if !folder.is_inbox() {
            let is_made = !directory.path.is_dir();
            self.disk.make_directory(&directory.path)?;
            if !is_made && !directory.is_spelled_so(&self.root)? {
                let words = "for the file system it is the same as another folder's directory";
                return Err(Fault::found(&directory.path, io::ErrorKind::InvalidFilename, words));
            }
            if names::is_long(&names::directory(folder)) {
                let path = directory.path.join(NAME_FILE);
                self.disk.replace(&path, folder.to_string().as_bytes())?;
            }
            self.make_file(&directory.path.join("maildirfolder"))?;
            self.make(&directory)?;
        }
        directory.look().map(drop)
    }

    fn make(&self, directory: &FolderDirectory) -> Result<(), Fault> {
        // `cur` last: a folder exists if it has this directory.
        ["tmp", "new", "cur"].iter().try_for_each(|it| self.disk.make_directory(&directory.half(it)))
    }

    fn make_file(&self, path: &Path) -> Result<(), Fault> {
        match self.disk.create(path) {
            Err(fault) if fault.kind() != io::ErrorKind::AlreadyExists => Err(fault),
            _ => Ok(()),
        }
    }

    fn subscribe(&self, folder: &FolderPath) -> Result<(), Fault> {
        let path = self.root.join(subscriptions::FILE);
        if self.subscriptions()?.has(folder) {
            return Ok(());
        }
        let _lock = Lock::acquire(&path, &self.disk, &self.run)?;
        let mut subscriptions = self.subscriptions()?;
        if subscriptions.add(folder) { self.disk.replace(&path, &subscriptions.print()) } else { Ok(()) }
    }
}

impl FolderDirectory {
    /// True if the directory has exactly this name. On a file system without case it may have another one.
    fn is_spelled_so(&self, root: &Path) -> Result<bool, Fault> {
        let entries = std::fs::read_dir(root).map_err(|error| Fault::at(root, error))?;
        Ok(entries.flatten().any(|it| Some(it.file_name().as_os_str()) == self.path.file_name()))
    }

    /// Changes flags. Missing messages are left out. Returns the flags that the folder does not keep.
    fn store_flags(&self, changes: &[FlagChange]) -> Result<Flags, Fault> {
        let mut not_kept = Flags::new();
        {
            let (_lock, FolderContents { list, mut files }) = self.look_locked()?;
            let mut keywords = self.learn(changes.iter().map(|it| &it.add))?;
            for change in changes {
                let (add, without) = keywords.letters(&change.add);
                without.iter().for_each(|name| not_kept.insert(name));
                let remove = keywords.known(&change.remove);
                for entry in list.entries.iter().filter(|it| change.uids.contains(it.uid)) {
                    let renamed = Self::with_file(
                        &mut files,
                        &entry.base,
                        || self.files(),
                        |at| {
                            let letters = letters_of(&at.name).iter().filter(|it| !remove.contains(it));
                            let letters: Vec<u8> = letters.chain(&add).copied().collect();
                            let next =
                                FileLocation { half: "cur", name: with_letters(base_of(&at.name), &letters) };
                            if next != *at {
                                self.archive.disk.rename(&self.file(at), &self.file(&next))?;
                            }
                            Ok(next)
                        },
                    )?;
                    if let Some(next) = renamed {
                        files.insert(entry.base.clone(), next);
                    }
                }
            }
        }
        self.sync()?;
        Ok(not_kept)
    }

    /// Moves messages into another folder. Returns old and new UIDs, and the lost flags.
    fn move_into(&self, to: &Self, uids: &UidSet) -> Result<(Vec<(Uid, Uid)>, Flags), Fault> {
        to.look()?;
        let (lock, FolderContents { list, mut files }) = self.look_locked()?;
        let keywords = self.keywords()?;
        let mut moved: Vec<(Uid, OsString)> = Vec::new();
        let mut arrivals = Vec::new();
        for entry in list.entries.iter().filter(|it| uids.contains(it.uid)) {
            let Some(at) = files.get(&entry.base) else { continue };
            let letters = letters_of(&at.name);
            // A new name: a message that comes back later is another message.
            let base = renamed(&entry.base, &self.archive.run.unique());
            let foreign = letters.iter().filter(|it| it.is_ascii_uppercase()).copied().collect();
            arrivals.push(Arrival { base, flags: keywords.flags(letters), letters: foreign });
            moved.push((entry.uid, entry.base.clone()));
        }
        let arrived = to.take_in(&mut ListCache::default(), &arrivals, |index, path| {
            let rename = |at: &FileLocation| self.archive.disk.rename(&self.file(at), path);
            Ok(Self::with_file(&mut files, &moved[index].1, || self.files(), rename)?.is_some())
        });
        let arrived = arrived.map_err(|stopped| stopped.fault)?;
        self.renew()?;
        drop(lock);
        self.sync()?;
        let pairs = moved.iter().zip(arrived.uids).filter_map(|((old, _), new)| Some((*old, new?)));
        Ok((pairs.collect(), arrived.lost))
    }

    /// Removes messages for good. Missing messages are left out.
    fn remove(&self, uids: &UidSet) -> Result<(), Fault> {
        {
            let (_lock, FolderContents { list, mut files }) = self.look_locked()?;
            for entry in list.entries.iter().filter(|it| uids.contains(it.uid)) {
                let remove = |at: &FileLocation| self.archive.disk.remove(&self.file(at));
                Self::with_file(&mut files, &entry.base, || self.files(), remove)?;
            }
            self.renew()?;
        }
        self.sync()
    }

    /// The folder's contents. No file changes its name until the lock is dropped.
    fn look_locked(&self) -> Result<(Lock<'_>, FolderContents), Fault> {
        self.must_exist()?;
        let lock = self.lock()?;
        Ok((lock, self.renew()?))
    }

    fn sync(&self) -> Result<(), Fault> {
        ["new", "cur"].iter().try_for_each(|it| self.archive.disk.sync_directory(&self.half(it)))
    }
}

#[cfg(test)]
mod tests {
    use std::{fs, sync::Arc};

    use super::{super::disk::Disk, *};

    #[test]
    fn a_directory_that_differs_in_case_is_another_folders() {
        let root = tempfile::tempdir().unwrap();
        let run = Arc::clone(&MaildirMailbox::new(root.path().to_owned(), String::new()).archive.run);
        let archive = Archive { root: root.path().to_owned(), disk: Disk::default(), run };
        archive.create(&FolderPath::parse("Sent")).unwrap();
        archive.create(&FolderPath::parse("Sent")).unwrap();
        // A file system without case would answer this for the other spelling.
        let spelled = |name: &str| {
            archive.folder_directory(&FolderPath::parse(name)).is_spelled_so(root.path()).unwrap()
        };
        assert_eq!((spelled("Sent"), spelled("sENT")), (true, false));
        fs::remove_file(root.path().join(".Sent/maildirfolder")).unwrap();
        archive.create(&FolderPath::parse("Sent")).unwrap();
        assert!(root.path().join(".Sent/maildirfolder").is_file());
    }
}
