//! Turns messages of the feed into files: written in `tmp`, made durable, and taken in several at a time.

use std::{
    ffi::OsString,
    fs::{self, File},
    io,
    panic::resume_unwind,
    path::PathBuf,
    thread,
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use mailhaul_engine::{Ack, Acks, AppendPart, AppendedUids, Envelope, Error};
use mailhaul_mail::{FolderPath, InternalDate, Scope, Uid};

use super::{
    arrive::{Arrival, ArrivedMessages, ListCache},
    fault::Fault,
    file_name::{Traits, base},
    folder_directory::FolderDirectory,
    lost_flags::LostFlags,
};

/// Bytes per command, unless one message alone is larger.
const COMMAND_OCTETS: u64 = 4 << 20;
/// Threads that wait for the disk at the same time.
const WAITING: usize = 8;

/// The destination of a delivery, and the receivers of its results.
pub(super) struct Address {
    pub(super) directory: FolderDirectory,
    pub(super) folder: FolderPath,
    /// Mailbox and folder, for messages to the operator.
    pub(super) whose: String,
    pub(super) batch: usize,
    pub(super) acks: Acks,
    pub(super) lost: LostFlags,
}

/// Messages on their way into one folder. Those that are not taken in are removed on drop.
pub(super) struct Delivery {
    to: Address,
    known: ListCache,
    /// Messages that are written and not taken in yet.
    command: Vec<WrittenMessage>,
    octets: u64,
    writing: Option<OpenMessage>,
    /// True while the rest of a refused message passes.
    is_skipping: bool,
    /// True after a refusal of more than a message. No more is taken.
    is_refused: bool,
}

struct WrittenMessage {
    uid: Uid,
    temporary: PathBuf,
    arrival: Arrival,
}

/// The message that is being written.
struct OpenMessage {
    envelope: Envelope,
    length: u64,
    temporary: PathBuf,
    file: File,
    size: u64,
    /// Line ends without CR.
    bare: u64,
    last: u8,
}

impl Delivery {
    /// Starts a delivery into an existing folder. Removes the unfinished files of earlier runs.
    pub(super) fn new(to: Address) -> Result<Self, Error> {
        if let Err(fault) = to.directory.look().and_then(|_| to.directory.sweep()) {
            return Err(fault.explain(&to.whose));
        }
        Ok(Self {
            to,
            known: ListCache::default(),
            command: Vec::new(),
            octets: 0,
            writing: None,
            is_skipping: false,
            is_refused: false,
        })
    }

    /// True if messages wait for [`Self::commit`].
    pub(super) fn is_open(&self) -> bool {
        !self.command.is_empty()
    }

    pub(super) fn is_refused(&self) -> bool {
        self.is_refused
    }

    /// Writes the messages. After an error the outcome of the command is unknown.
    pub(super) fn take(&mut self, parts: Vec<AppendPart>) -> Result<(), Error> {
        for part in parts {
            if self.is_refused {
                break;
            }
            match part {
                AppendPart::Message(envelope, body) => {
                    self.make_room(body.len() as u64)?;
                    self.attempt(|it| {
                        it.begin(envelope, body.len() as u64)?;
                        it.write(&body)?;
                        it.end()
                    })?;
                    self.is_skipping = false;
                }
                AppendPart::Start(envelope, length) => {
                    self.make_room(length)?;
                    self.attempt(|it| it.begin(envelope, length))?;
                }
                AppendPart::Chunk(octets) if !self.is_skipping => self.attempt(|it| it.write(&octets))?,
                AppendPart::End if !self.is_skipping => self.attempt(Self::end)?,
                AppendPart::Chunk(_) => {}
                AppendPart::End => self.is_skipping = false,
            }
            if self.command.len() >= self.to.batch {
                self.commit()?;
            }
        }
        Ok(())
    }

    /// Takes in the written messages, and reports them.
    pub(super) fn commit(&mut self) -> Result<(), Error> {
        if let Err(fault) = self.sync() {
            return self.refuse(&fault);
        }
        let disk = &self.to.directory.archive.disk;
        let command = std::mem::take(&mut self.command);
        self.octets = 0;
        let (arrivals, files): (Vec<Arrival>, Vec<(Uid, PathBuf)>) =
            command.into_iter().map(|it| (it.arrival, (it.uid, it.temporary))).unzip();
        let taken = self.to.directory.take_in(&mut self.known, &arrivals, |index, path| {
            disk.rename(&files[index].1, path).map(|()| true)
        });
        let sent = files.iter().map(|(uid, _)| *uid).collect();
        match taken {
            Ok(ArrivedMessages { uid_validity, uids, lost }) => {
                self.to.lost.tell(&self.to.whose, &self.to.folder, &lost);
                let appended = AppendedUids { uid_validity, uids: uids.into_iter().flatten().collect() };
                self.to.acks.report(Ack { sent, result: Ok(Some(appended)), is_bare: false });
                Ok(())
            }
            Err(stopped) => {
                for (_, temporary) in &files {
                    // The next run removes what stays.
                    _ = disk.discard(temporary);
                }
                let mut error = stopped.fault.explain(&self.to.whose);
                if stopped.is_begun || error.scope == Scope::Session {
                    // Some of them may be there. The engine looks for them.
                    error.scope = error.scope.max(Scope::Folder);
                    return Err(error);
                }
                self.report_refused(sent, error);
                Ok(())
            }
        }
    }

    /// Makes the files of the command durable. Several threads wait at once, because the disk writes
    /// waiting files together.
    fn sync(&self) -> Result<(), Fault> {
        let disk = &self.to.directory.archive.disk;
        let part = self.command.len().div_ceil(WAITING).max(1);
        thread::scope(|scope| {
            let parts: Vec<_> = self
                .command
                .chunks(part)
                .map(|part| scope.spawn(|| part.iter().try_for_each(|it| disk.sync(&it.temporary))))
                .collect();
            let ended =
                |it: thread::ScopedJoinHandle<'_, _>| it.join().unwrap_or_else(|panic| resume_unwind(panic));
            parts.into_iter().try_for_each(ended)
        })
    }

    fn make_room(&mut self, length: u64) -> Result<(), Error> {
        let is_full = self.is_open() && self.octets + length > COMMAND_OCTETS;
        if is_full { self.commit() } else { Ok(()) }
    }

    fn attempt(&mut self, work: impl FnOnce(&mut Self) -> Result<(), Fault>) -> Result<(), Error> {
        if self.is_refused {
            return Ok(());
        }
        match work(self) {
            Ok(()) => Ok(()),
            Err(fault) => self.refuse(&fault),
        }
    }

    fn begin(&mut self, envelope: Envelope, length: u64) -> Result<(), Fault> {
        let archive = &self.to.directory.archive;
        let temporary = self.to.directory.half("tmp").join(archive.run.temporary());
        self.is_skipping = false;
        let file = archive.disk.create(&temporary)?;
        self.writing = Some(OpenMessage { envelope, length, temporary, file, size: 0, bare: 0, last: 0 });
        Ok(())
    }

    fn write(&mut self, octets: &[u8]) -> Result<(), Fault> {
        let Some(writing) = &mut self.writing else { return Ok(()) };
        self.to.directory.archive.disk.write(&mut writing.file, &writing.temporary, octets)?;
        writing.size += octets.len() as u64;
        for octet in octets {
            writing.bare += u64::from(*octet == b'\n' && writing.last != b'\r');
            writing.last = *octet;
        }
        Ok(())
    }

    fn end(&mut self) -> Result<(), Fault> {
        let Some(writing) = &self.writing else { return Ok(()) };
        let OpenMessage { envelope, length, temporary, file, size, bare, .. } = writing;
        if size != length {
            let words = format!("{length} bytes were announced, and {size} arrived");
            return Err(Fault::found(temporary, io::ErrorKind::UnexpectedEof, words));
        }
        let archive = &self.to.directory.archive;
        if let Some(when) = envelope.internal_date.and_then(moment) {
            archive.disk.set_modified(file, temporary, when)?;
        }
        let zone = envelope.internal_date.map(InternalDate::zone_minutes);
        let traits = Traits { size: *size, virtual_size: size + bare, zone };
        let arrival = Arrival {
            base: base(&archive.run.unique(), &traits),
            flags: envelope.flags.clone(),
            letters: Vec::new(),
        };
        self.command.push(WrittenMessage { uid: envelope.uid, temporary: temporary.clone(), arrival });
        self.octets += size;
        self.writing = None;
        Ok(())
    }

    /// Takes back the whole command. No other program has seen its files yet.
    fn refuse(&mut self, fault: &Fault) -> Result<(), Error> {
        let mut sent: Vec<Uid> = self.command.iter().map(|it| it.uid).collect();
        sent.extend(self.writing.as_ref().map(|it| it.envelope.uid));
        let error = fault.explain(&self.to.whose);
        self.discard();
        if error.scope == Scope::Session {
            return Err(error);
        }
        self.report_refused(sent, error);
        Ok(())
    }

    fn report_refused(&mut self, sent: Vec<Uid>, error: Error) {
        self.is_skipping = true;
        self.is_refused = error.scope > Scope::Message;
        self.to.acks.report(Ack { sent, result: Err(error), is_bare: false });
    }

    fn discard(&mut self) {
        let disk = &self.to.directory.archive.disk;
        let written = self.command.drain(..).map(|it| it.temporary);
        for temporary in written.chain(self.writing.take().map(|it| it.temporary)) {
            // The next run removes what stays.
            _ = disk.discard(&temporary);
        }
        self.octets = 0;
    }
}

impl Drop for Delivery {
    fn drop(&mut self) {
        self.discard();
    }
}

impl FolderDirectory {
    /// Removes the unfinished files of earlier runs.
    fn sweep(&self) -> Result<(), Fault> {
        let path = self.half("tmp");
        let disk = &self.archive.disk;
        if !path.is_dir() {
            return disk.make_directory(&path);
        }
        for entry in fs::read_dir(&path).map_err(|error| Fault::at(&path, error))? {
            let name: OsString = entry.map_err(|error| Fault::at(&path, error))?.file_name();
            if name.to_str().is_some_and(|it| self.archive.run.is_left_behind(it)) {
                match disk.remove(&path.join(name)) {
                    Err(fault) if !fault.is_missing() => return Err(fault),
                    _ => {}
                }
            }
        }
        Ok(())
    }
}

/// Modification time of the file for this INTERNALDATE.
fn moment(date: InternalDate) -> Option<SystemTime> {
    let seconds = date.unix_seconds();
    let distance = Duration::from_secs(seconds.unsigned_abs());
    if seconds < 0 { UNIX_EPOCH.checked_sub(distance) } else { UNIX_EPOCH.checked_add(distance) }
}
