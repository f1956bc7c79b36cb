//! Saves messages of a source mailbox as files.

use std::{
    fs::{self, File, OpenOptions},
    io::{self, Read as _, Write as _},
    os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _},
    path::{Path, PathBuf},
};

use bytes::Bytes;
use mailhaul_engine::Mailbox as _;
use mailhaul_migration::MigrationUser;
use mailhaul_operations::Failure;
use mailhaul_remotes::ImapMailbox;
use mailhaul_store::SkippedMessage;

use super::message_reading::{MessageSink, read};
use crate::context::Context;

/// Bytes of a file name that may come from the folder name.
const LONGEST: usize = 120;

pub(crate) struct Saving {
    mailbox: ImapMailbox,
    directory: PathBuf,
}

impl MessageSink for File {
    async fn write(&mut self, octets: Bytes) -> io::Result<()> {
        self.write_all(&octets)
    }
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
        let unfinished = self.directory.join(format!(".unfinished-{}", mailhaul_migration::Guid::new_v4()));
        let told = |error: io::Error| format!("{} cannot be written: {error}", self.directory.display());
        let mut file =
            OpenOptions::new().write(true).create_new(true).mode(0o600).open(&unfinished).map_err(told)?;
        let fetched = read(&mut self.mailbox, message, &mut file).await;
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
