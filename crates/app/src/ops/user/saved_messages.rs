//! Saves messages of a source mailbox as files.

use std::{
    fs::{self, File, OpenOptions},
    io::{self, Read as _, Write as _},
    os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _},
    path::{Path, PathBuf},
};

use mailhaul_engine::{
    Budget, Error, FetchedPart, Mailbox as _, Missing, PipeReader, Source as _, WantedMessage, pipe,
};
use mailhaul_mail::{FolderPath, Uid};
use mailhaul_migration::MigrationUser;
use mailhaul_operations::Failure;
use mailhaul_remotes::ImapMailbox;
use mailhaul_store::SkippedMessage;

use crate::context::Context;

/// Bytes buffered between source and disk.
const BUDGET: u32 = 1 << 20;
/// Bytes of a file name that may come from the folder name.
const LONGEST: usize = 120;

pub(crate) struct Saving {
    mailbox: ImapMailbox,
    directory: PathBuf,
}

impl Saving {
    /// Opens the source mailbox, and makes the directory if it is missing.
    pub(crate) async fn new(
        context: &Context,
        user: &MigrationUser,
        directory: PathBuf,
    ) -> Result<Self, Failure> {
        let made = fs::DirBuilder::new().recursive(true).mode(0o700).create(&directory);
        made.map_err(|error| {
            Failure::unavailable(format_args!(
                "the directory {} cannot be created: {error}",
                directory.display()
            ))
        })?;
        let service_context = context.service_context();
        let mailbox = async { service_context.source(user, &service_context.route(user).await?).await }.await;
        Ok(Self { mailbox: mailbox.map_err(Failure::unavailable)?, directory })
    }

    /// Saves one message; returns its path. The source is only read.
    pub(crate) async fn save(&mut self, message: &SkippedMessage) -> Result<PathBuf, String> {
        let uid = Uid::new(message.uid).ok_or("it has no UID")?;
        let unfinished = self.directory.join(format!(".unfinished-{}", mailhaul_migration::Guid::new_v4()));
        let told = |error: io::Error| format!("{} cannot be written: {error}", self.directory.display());
        let mut file =
            OpenOptions::new().write(true).create_new(true).mode(0o600).open(&unfinished).map_err(told)?;
        let fetched =
            fetch(&mut self.mailbox, &FolderPath::parse(&message.folder), uid, message.size, &mut file).await;
        let placed = match fetched {
            Ok(()) => file.sync_all().and_then(|()| self.place(&unfinished, message)).map_err(told),
            Err(words) => Err(words),
        };
        let _left = fs::remove_file(&unfinished);
        placed
    }

    pub(crate) async fn close(mut self) {
        self.mailbox.close().await;
    }

    /// Moves the file to its final name.
    ///
    /// An existing file is kept; if it has the same bytes, it is this message.
    fn place(&self, unfinished: &Path, message: &SkippedMessage) -> io::Result<PathBuf> {
        let name = format!("{}-{}", Self::safe(&message.folder), message.uid);
        for number in 1..=u32::MAX {
            let name = if number == 1 { format!("{name}.eml") } else { format!("{name} ({number}).eml") };
            let path = self.directory.join(name);
            match fs::hard_link(unfinished, &path) {
                Ok(()) => return Ok(path),
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
                    if same_octets(unfinished, &path).unwrap_or(false) {
                        return Ok(path);
                    }
                }
                Err(error) => return Err(error),
            }
        }
        Err(io::ErrorKind::AlreadyExists.into())
    }

    /// Escapes a name so that it stays a single path component.
    pub(crate) fn safe(name: &str) -> String {
        let safe = |it: char| if it.is_alphanumeric() || "-_.@ ".contains(it) { it } else { '_' };
        let mut name: String = name.chars().map(safe).collect();
        name.truncate(name.floor_char_boundary(LONGEST));
        // Neither a hidden file nor `..`.
        if name.starts_with('.') { format!("_{name}") } else { name }
    }
}

async fn fetch(
    mailbox: &mut ImapMailbox,
    folder: &FolderPath,
    uid: Uid,
    size: u64,
    file: &mut File,
) -> Result<(), String> {
    let (outlet, inlet) = pipe(&Budget::new(BUDGET));
    let wanted = [WantedMessage { uid, size }];
    let fetching = mailbox.fetch(folder, &wanted, outlet);
    let (missing, written) = tokio::join!(fetching, write(inlet, file));
    match missing.map_err(|error: Error| error.message)?.pop() {
        Some((_, Missing::Gone)) => Err("it is no longer on the source".to_owned()),
        Some((_, Missing::Withheld(words))) => Err(words),
        None if written.map_err(|error| format!("the file cannot be written: {error}"))? => Ok(()),
        None => Err("the source sent only a part of it".to_owned()),
    }
}

/// Writes the message; returns false if it ended early.
async fn write(mut inlet: PipeReader, file: &mut File) -> io::Result<bool> {
    let mut is_whole = false;
    while let Some(piece) = inlet.next().await {
        match piece {
            FetchedPart::Message(_, octets) => {
                file.write_all(&octets)?;
                is_whole = true;
            }
            FetchedPart::Start(..) => {}
            FetchedPart::Chunk(octets) => file.write_all(&octets)?,
            FetchedPart::End => is_whole = true,
        }
    }
    Ok(is_whole)
}

fn same_octets(one: &Path, other: &Path) -> io::Result<bool> {
    if fs::metadata(one)?.len() != fs::metadata(other)?.len() {
        return Ok(false);
    }
    let (mut one, mut other) = (io::BufReader::new(File::open(one)?), io::BufReader::new(File::open(other)?));
    let (mut left, mut right) = ([0; 8192], [0; 8192]);
    loop {
        let read = one.read(&mut left)?;
        if read == 0 {
            return Ok(true);
        }
        other.read_exact(&mut right[..read])?;
        if left[..read] != right[..read] {
            return Ok(false);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_leads_nowhere_else() {
        let table = [
            ("INBOX", "INBOX"),
            ("Archive/2020", "Archive_2020"),
            ("../../etc", "_.._.._etc"),
            ("a\\b\0c\nd", "a_b_c_d"),
            ("Gel\u{f6}scht", "Gel\u{f6}scht"),
            ("", ""),
        ];
        for (folder, name) in table {
            assert_eq!(Saving::safe(folder), name);
        }
        assert_eq!(Saving::safe(&"x".repeat(500)).len(), LONGEST);
    }
}
