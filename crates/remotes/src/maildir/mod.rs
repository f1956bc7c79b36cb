//! An archive: one user's mailbox as a Maildir++ on the local disk. Dovecot can serve it as it is.
//!
//! | file | one idea |
//! |---|---|
//! | `names` | folders as directories |
//! | `file_name`, `keywords` | the name of a message's file |
//! | `uid_list` | the file that assigns UIDs to messages |
//! | `subscriptions` | the file of subscribed folders |
//! | `folder_directory` | one folder: its messages and their UIDs |
//! | `arrive` | files become messages |
//! | `delivery` | messages of the feed become files |
//! | `lock` | mutual exclusion with a running Dovecot |
//! | `disk`, `fault`, `run` | the writes, their errors, and the process that writes |

mod arrive;
mod delivery;
mod disk;
mod fault;
mod file_name;
mod folder_directory;
mod keywords;
mod lock;
mod lost_flags;
mod names;
mod reading;
mod run;
mod subscriptions;
mod target;
#[cfg(test)]
mod tests;
mod uid_list;

use std::{path::PathBuf, time::Duration};

use mailhaul_engine::{Cursor, Error, ErrorKind, Folder, FolderStatus, Mailbox, NameRules, SameName, Scan};
use mailhaul_mail::{Digests, Fingerprint, FolderPath, Permit, Retry, Scope, Uid, UidSet};

use self::{
    disk::Disk, fault::Fault, folder_directory::Archive, folder_directory::FolderDirectory,
    lost_flags::LostFlags, run::Run,
};

/// One user's mailbox as a Maildir++ on the local disk.
///
/// Only one process may write it at a time. A Dovecot may serve it meanwhile: its locks are respected, and
/// files that it renames are found again.
pub struct MaildirMailbox {
    archive: Archive,
    name: String,
    lost: LostFlags,
}

impl MaildirMailbox {
    /// A mailbox in the directory `root`, which is created with the first folder. `name` is its name for
    /// people.
    pub fn new(root: PathBuf, name: String) -> Self {
        let archive = Archive { root, disk: Disk::default(), run: Run::this() };
        Self { archive, name, lost: LostFlags::default() }
    }

    /// Changes files only while the permit is valid.
    #[must_use]
    pub fn permitted_by(mut self, permit: Permit) -> Self {
        self.archive.disk.permit = Some(permit);
        self
    }

    fn whose(&self, folder: &FolderPath) -> String {
        format!("target {}: folder {folder}", self.name)
    }

    /// Reads a folder on a thread that may block.
    async fn read<T: Send + 'static>(
        &self,
        folder: &FolderPath,
        work: impl FnOnce(&FolderDirectory) -> Result<T, Fault> + Send + 'static,
    ) -> Result<T, Error> {
        let (directory, whose) = (self.archive.folder_directory(folder), self.whose(folder));
        blocking(move || work(&directory).map_err(|fault| fault.explain(&whose))).await?
    }
}

/// Runs work that waits for the disk on a thread that may block.
async fn blocking<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> Result<T, Error> {
    let ended = tokio::task::spawn_blocking(work).await;
    ended.map_err(|error| Error::new(Scope::Endpoint, Retry::Never, ErrorKind::Internal, error))
}

impl Mailbox for MaildirMailbox {
    fn describe(&self) -> String {
        self.name.clone()
    }

    async fn folders(&mut self) -> Result<Vec<Folder>, Error> {
        let (archive, whose) = (self.archive.clone(), format!("target {}", self.name));
        blocking(move || archive.folders().map_err(|fault| fault.explain(&whose))).await?
    }

    /// Every name can be kept, and no two names are one folder.
    async fn name_rules(&mut self) -> Result<NameRules, Error> {
        Ok(NameRules { same: SameName::Exact, ..NameRules::default() })
    }

    async fn status(&mut self, folder: &FolderPath) -> Result<FolderStatus, Error> {
        self.read(folder, FolderDirectory::status).await
    }

    /// All messages, whatever the cursor: a Maildir does not tell changes.
    async fn scan(&mut self, folder: &FolderPath, _since: Option<&Cursor>) -> Result<Scan, Error> {
        self.read(folder, FolderDirectory::scan).await
    }

    async fn fingerprints(
        &mut self,
        folder: &FolderPath,
        uids: &UidSet,
    ) -> Result<Vec<(Uid, Fingerprint)>, Error> {
        let uids = uids.clone();
        self.read(folder, move |directory| directory.fingerprints(&uids)).await
    }

    async fn digests(&mut self, folder: &FolderPath, uids: &UidSet) -> Result<Vec<(Uid, Digests)>, Error> {
        let uids = uids.clone();
        self.read(folder, move |directory| directory.digests(&uids)).await
    }

    async fn reconnect(&mut self) -> Result<(), Error> {
        Ok(())
    }

    fn another(&self) -> Self {
        Self { archive: self.archive.clone(), name: self.name.clone(), lost: self.lost.clone() }
    }

    fn round_trip(&self) -> Option<Duration> {
        Some(Duration::ZERO)
    }

    async fn close(&mut self) {}
}
