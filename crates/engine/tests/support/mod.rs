//! A mail server in memory. `ledger` is a ledger in memory, with crashes on demand.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::missing_panics_doc,
    missing_docs,
    dead_code,
    unreachable_pub,
    clippy::struct_excessive_bools,
    reason = "a helper of tests"
)]

mod ledger;
#[path = "../../../testkit/src/uid_folder.rs"]
mod uid_folder;

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{Arc, Mutex, MutexGuard},
    time::Duration,
};

use bytes::Bytes;
use mailhaul_engine::{
    Ack, Acks, AppendPart, AppendedUids, Budget, Clock, Cursor, Error, ErrorKind, Event, Feed, FetchedPart,
    FlagChange, Folder, FolderStatus, Heading, Ledger, Mailbox, MessageInfo, Missing, NameRules, NewFolder,
    Pass, PassLimits, PassOptions, PipeWriter, Present, Progress, RemovalRules, RepairRules, Report, Scan,
    Slots, Source, StoredMessages, Target, WantedMessage,
};
use mailhaul_mail::{
    Digests, Fingerprint, Flags, FolderPath, InternalDate, MessageHasher, ModSeq, Retry, Scope, SpecialUse,
    Uid, UidSet, UidValidity,
    repair::{LONGEST_LINE, Repairs, repair},
};
use tokio_util::sync::CancellationToken;

#[allow(unused_imports, reason = "not every test kills the program")]
pub use self::ledger::{Crash, MemoryLedger};
use self::uid_folder::UidFolder;

#[derive(Clone, Debug)]
pub struct StoredMessage {
    pub flags: Flags,
    pub date: Option<InternalDate>,
    pub body: Bytes,
}

pub type StoredFolder = UidFolder<StoredMessage>;

/// Properties and misbehaviour of the server, and edits between passes.
#[derive(Clone, Default)]
pub struct Server {
    pub folders: BTreeMap<FolderPath, StoredFolder>,
    /// Special uses of folders.
    pub uses: BTreeMap<FolderPath, SpecialUse>,
    next_validity: u32,
    /// Returns vanished UIDs since a state (QRESYNC).
    pub tells_vanished: bool,
    /// This folder gets this name after it was listed.
    pub renames: Option<(FolderPath, FolderPath)>,
    /// RENAME is refused.
    pub refuses_renames: bool,
    /// Without APPENDUID.
    pub tells_no_uids: bool,
    /// The server disconnects at such a message. If others were in the command, it is sent alone next time.
    pub hangs_up_at: Option<fn(&[u8]) -> bool>,
    pub is_cautious: bool,
    /// Each command holds one message; after this number of them the connection ends, once.
    pub ends_after: Option<u32>,
    /// This number of commands is refused, to be sent again in another form.
    pub wants_otherwise: u32,
    /// After this number of commands another program deletes the folder, and it is created again.
    pub loses_folder_after: Option<u32>,
    /// Messages arrive without their flags.
    pub ignores_flags: bool,
    /// Size of the largest message that is accepted, in bytes.
    pub largest: Option<u64>,
    /// Commands that hold such a message are refused whole.
    pub refuses: Option<fn(&[u8]) -> bool>,
    /// Folders of such names cannot be created.
    pub refuses_names: Option<fn(&FolderPath) -> bool>,
    /// Spelling of the name of a new folder, and its key for comparisons.
    pub spells: Option<(Respell, Respell)>,
    /// After this number of commands, one more takes effect and its answer is lost.
    pub loses_answer_after: Option<u32>,
    /// Answers to commands that bring messages, each once; the last one first.
    pub answers: Vec<Error>,
    /// Behaviour against its own answers.
    pub lies: Lies,
    /// Number of opened folders.
    pub scans: u32,
    /// Number of delivered bodies.
    pub fetched: u32,
    /// Number of bodies that were read for comparisons.
    pub compared: u32,
}

/// A server's change of a folder name.
pub type Respell = fn(&str) -> String;

/// Bytes that replace a message.
pub type Rewrite = fn(&[u8]) -> Vec<u8>;

/// A server's behaviour against its own answers. Messages are named by a text in them.
#[derive(Clone, Default)]
pub struct Lies {
    /// Accepted and not stored, once for each entry.
    pub drops: Vec<&'static str>,
    /// Accepted and never stored.
    pub always_drops: Option<&'static str>,
    /// Stored and refused, once for each entry.
    pub stores_refused: Vec<&'static str>,
    /// Refused as busy.
    pub busy_at: Vec<&'static str>,
    /// Commands with such a message are refused with this error.
    pub answers_at: Vec<(&'static str, Error)>,
    /// Every message is refused with these words.
    pub refuses_all: Option<&'static str>,
    /// The UID that is returned for each message.
    pub tells_uid: Option<u32>,
    /// Text that is added to each message.
    pub adds: Option<&'static str>,
    /// The stored form of each message.
    pub stores: Option<Rewrite>,
    /// Each message is stored twice, and the first UID is returned.
    pub stores_twice: bool,
    /// Messages cannot be removed one by one, without UIDPLUS.
    pub removes_nothing: bool,
    /// The delivered form of each message.
    pub gives: Option<Rewrite>,
    /// Flags that come with a message are not stored.
    pub drops_flags: bool,
    /// Flags that each message gets in addition.
    pub adds_flags: &'static str,
    /// The stored message has another Message-ID.
    pub rewrites_ids: bool,
    /// Single header fields are those of the next message of the folder.
    pub gives_headers_of_next: bool,
    /// Number of further times that a folder is opened as if it were empty.
    pub shows_nothing: u32,
    /// A scan of changes names messages by their sequence numbers.
    pub lists_places: bool,
    /// Number of times that another folder is opened in place of the first one.
    pub opens_instead: Option<(&'static str, &'static str, u32)>,
    /// The date that each message gets, in seconds.
    pub redates: Option<i64>,
    /// Messages that were sent to the server.
    pub offered: u32,
}

/// Removes one entry that names the message from the list.
fn take_named(list: &mut Vec<&'static str>, body: &[u8]) -> bool {
    let found = list.iter().position(|text| contains(body, text));
    found.map(|index| list.remove(index)).is_some()
}

fn contains(body: &[u8], text: &str) -> bool {
    body.windows(text.len()).any(|it| it == text.as_bytes())
}

fn with_another_id(body: &[u8]) -> Bytes {
    Bytes::from(String::from_utf8_lossy(body).replace("Message-ID: <", "Message-ID: <anew-").into_bytes())
}

impl Server {
    fn shows_nothing(&mut self) -> bool {
        let left = self.lies.shows_nothing;
        self.lies.shows_nothing = left.saturating_sub(1);
        left > 0
    }

    /// The folder that is opened.
    fn opened(&mut self, folder: &FolderPath) -> FolderPath {
        match &mut self.lies.opens_instead {
            Some((wanted, other, left)) if *left > 0 && FolderPath::parse(wanted) == *folder => {
                *left -= 1;
                FolderPath::parse(other)
            }
            _ => folder.clone(),
        }
    }

    /// The folder that this name opens, as it is spelled.
    fn found(&self, path: &FolderPath) -> FolderPath {
        let Some((_, key)) = self.spells else { return path.clone() };
        let name = key(&path.to_string());
        let found = self.folders.keys().find(|it| key(&it.to_string()) == name);
        found.unwrap_or(path).clone()
    }

    pub fn folder(&mut self, path: &str) -> &mut StoredFolder {
        self.next_validity += 1;
        let uid_validity = self.next_validity;
        self.folders.entry(FolderPath::parse(path)).or_insert_with(|| StoredFolder::new(uid_validity, 1))
    }
}

impl StoredFolder {
    pub fn add(&mut self, flags: &str, body: &str) -> u32 {
        let date = InternalDate::new(1_700_000_000 + i64::from(self.uid_next), 60);
        self.store(flags.split_whitespace().collect(), date, Bytes::copy_from_slice(body.as_bytes()))
    }

    /// A message that arrived at this second.
    pub fn add_at(&mut self, second: u32, flags: &str, body: &str) -> u32 {
        let date = InternalDate::new(1_600_000_000 + i64::from(second), 60);
        self.store(flags.split_whitespace().collect(), date, Bytes::copy_from_slice(body.as_bytes()))
    }

    fn store(&mut self, flags: Flags, date: Option<InternalDate>, body: Bytes) -> u32 {
        self.insert(StoredMessage { flags, date, body }, self.modseq + 1)
    }

    /// Moves a message from another folder into this one.
    pub fn take(&mut self, message: StoredMessage) {
        self.store(message.flags, message.date, message.body);
    }

    pub fn set_flags(&mut self, uid: u32, flags: &str) {
        if let Some(message) = self.messages.get_mut(&uid) {
            message.flags = flags.split_whitespace().collect();
            self.touch(uid, self.modseq + 1);
        }
    }

    pub fn expunge(&mut self, uid: u32) -> Option<StoredMessage> {
        self.remove(uid, self.modseq + 1)
    }

    /// Removes the first message and reduces all later UIDs by one, under the same UIDVALIDITY.
    pub fn shift(&mut self) {
        let modseq = self.modseq;
        let changes: Vec<u64> = self.messages.keys().map(|uid| self.modseq_of(*uid)).collect();
        for (message, change) in self.restart().into_iter().zip(changes).skip(1) {
            self.insert(message, change);
        }
        self.modseq = modseq;
    }

    /// A new UIDVALIDITY, and new UIDs for all.
    pub fn renumber(&mut self) {
        let uid_next = self.uid_next + 7;
        let messages = self.restart();
        self.uid_validity += 1000;
        self.uid_next = uid_next;
        for message in messages {
            self.take(message);
        }
    }

    fn status(&self) -> FolderStatus {
        FolderStatus {
            messages: u32::try_from(self.messages.len()).unwrap(),
            uid_validity: UidValidity::new(u64::from(self.uid_validity)).unwrap(),
            uid_next: Uid::new(self.uid_next),
            highest_modseq: Some(ModSeq(self.modseq)),
        }
    }
}

#[derive(Clone, Default)]
pub struct Remote(pub Arc<Mutex<Server>>);

impl Remote {
    pub fn server(&self) -> MutexGuard<'_, Server> {
        self.0.lock().unwrap()
    }

    /// Another server with the same content.
    pub fn copied(&self) -> Self {
        Self(Arc::new(Mutex::new(self.server().clone())))
    }

    /// The content as a picky server holds it when everything may be edited.
    pub fn contents_as_taken(&self) -> BTreeMap<String, Vec<(String, String, String)>> {
        let taken = |(body, flags, date): (String, String, String)| {
            (String::from_utf8_lossy(&as_taken(body.as_bytes())).into_owned(), flags, date)
        };
        let folders = self.contents().into_iter().map(|(folder, messages)| {
            let mut messages: Vec<_> = messages.into_iter().map(taken).collect();
            messages.sort();
            (folder, messages)
        });
        folders.collect()
    }

    /// All messages by folder, sorted, so that two servers can be compared.
    pub fn contents(&self) -> BTreeMap<String, Vec<(String, String, String)>> {
        let server = self.server();
        let folders = server.folders.iter().map(|(path, folder)| {
            let mut messages: Vec<_> = folder
                .messages
                .values()
                .map(|it| {
                    let date = it.date.map(|date| date.to_string()).unwrap_or_default();
                    (String::from_utf8_lossy(&it.body).into_owned(), it.flags.to_string(), date)
                })
                .collect();
            messages.sort();
            (path.to_string(), messages)
        });
        folders.collect()
    }

    fn with<R>(&self, path: &FolderPath, f: impl FnOnce(&mut StoredFolder) -> R) -> Result<R, Error> {
        let mut server = self.server();
        let path = &server.found(path);
        let missing =
            || Error::new(Scope::Folder, Retry::Never, ErrorKind::Refused, format!("no folder {path}"));
        server.folders.get_mut(path).map(f).ok_or_else(missing)
    }

    fn hashes(&self, path: &FolderPath, uids: &UidSet) -> Result<Vec<(Uid, Fingerprint, Digests)>, Error> {
        self.with(path, |folder| {
            let there = folder.messages.iter().filter_map(|(uid, it)| Some((Uid::new(*uid)?, it)));
            there
                .filter(|(uid, _)| uids.contains(*uid))
                .map(|(uid, it)| {
                    let mut hasher = MessageHasher::new();
                    hasher.update(&it.body);
                    let (fingerprint, digests) = hasher.finish();
                    (uid, fingerprint, digests)
                })
                .collect()
        })
    }

    /// Counts an effect; an error means that its answer is lost.
    fn answered(&self) -> Result<(), Error> {
        let mut server = self.server();
        match &mut server.loses_answer_after {
            Some(0) => {
                server.loses_answer_after = None;
                Err(Error::session("connection reset"))
            }
            Some(left) => {
                *left -= 1;
                Ok(())
            }
            None => Ok(()),
        }
    }
}

impl Mailbox for Remote {
    fn describe(&self) -> String {
        "memory".to_owned()
    }

    async fn folders(&mut self) -> Result<Vec<Folder>, Error> {
        let mut server = self.server();
        let uses = server.uses.clone();
        let folder = |(path, folder): (&FolderPath, &StoredFolder)| Folder {
            path: path.clone(),
            special_use: uses.get(path).copied(),
            selectable: true,
            subscribed: false,
            status: Some(folder.status()),
            leave_out: None,
        };
        let listed = server.folders.iter().map(folder).collect();
        if let Some((from, to)) = server.renames.take()
            && let Some(folder) = server.folders.remove(&from)
        {
            server.folders.insert(to, folder);
        }
        Ok(listed)
    }

    async fn name_rules(&mut self) -> Result<NameRules, Error> {
        Ok(NameRules::separated(Some('.')))
    }

    async fn status(&mut self, folder: &FolderPath) -> Result<FolderStatus, Error> {
        self.with(folder, |it| it.status())
    }

    async fn scan(&mut self, folder: &FolderPath, since: Option<&Cursor>) -> Result<Scan, Error> {
        self.server().scans += 1;
        let folder = &self.server().opened(folder);
        let lists_places = self.server().lies.lists_places && since.is_some();
        let tells_vanished = self.server().tells_vanished && since.is_some();
        let since = since.and_then(|it| it.status.highest_modseq).map_or(0, |it| it.0);
        if self.server().shows_nothing() {
            let status = self.with(folder, |it| FolderStatus { messages: 0, ..it.status() })?;
            return Ok(Scan::whole(status, Vec::new(), Present::These(UidSet::new())));
        }
        self.with(folder, |it| Scan {
            status: it.status(),
            messages: it
                .messages
                .iter()
                .filter(|(uid, _)| it.has_changed_since(**uid, since))
                .map(|(uid, message)| MessageInfo {
                    uid: Uid::new(*uid).unwrap(),
                    flags: message.flags.clone(),
                    internal_date: message.date,
                    size: message.body.len() as u64,
                })
                .collect(),
            present: if tells_vanished {
                Present::AllBut(it.vanished_since(since).filter_map(Uid::new).collect())
            } else if lists_places {
                Present::These(
                    (1..=it.messages.len()).filter_map(|it| Uid::new(it.try_into().ok()?)).collect(),
                )
            } else {
                Present::These(it.messages.keys().filter_map(|uid| Uid::new(*uid)).collect())
            },
            unseen: Vec::new(),
            incomplete: None,
            dated_by_header: UidSet::new(),
            notes: Vec::new(),
        })
    }

    async fn fingerprints(
        &mut self,
        folder: &FolderPath,
        uids: &UidSet,
    ) -> Result<Vec<(Uid, Fingerprint)>, Error> {
        if self.server().lies.gives_headers_of_next {
            let all = self.hashes(folder, &UidSet::range(Uid::FIRST, Uid::LAST))?;
            let next = all.iter().cycle().skip(1);
            let lies = all.iter().zip(next).map(|((uid, ..), (_, it, _))| (*uid, *it));
            return Ok(lies.filter(|(uid, _)| uids.contains(*uid)).collect());
        }
        Ok(self.hashes(folder, uids)?.into_iter().map(|(uid, it, _)| (uid, it)).collect())
    }

    async fn digests(&mut self, folder: &FolderPath, uids: &UidSet) -> Result<Vec<(Uid, Digests)>, Error> {
        let read: Vec<_> = self.hashes(folder, uids)?.into_iter().map(|(uid, _, it)| (uid, it)).collect();
        self.server().compared += u32::try_from(read.len()).unwrap();
        Ok(read)
    }

    async fn reconnect(&mut self) -> Result<(), Error> {
        Ok(())
    }

    fn another(&self) -> Self {
        self.clone()
    }

    /// Long enough for several connection pairs.
    fn round_trip(&self) -> Option<Duration> {
        Some(Duration::from_millis(20))
    }

    async fn close(&mut self) {}
}

impl Source for Remote {
    async fn fetch(
        &mut self,
        folder: &FolderPath,
        wanted: &[WantedMessage],
        outlet: PipeWriter,
    ) -> Result<Vec<(Uid, Missing)>, Error> {
        let mut missing = Vec::new();
        for WantedMessage { uid, .. } in wanted {
            let Some(message) = self.with(folder, |it| it.messages.get(&uid.get()).cloned())? else {
                missing.push((*uid, Missing::Gone));
                continue;
            };
            self.server().fetched += 1;
            let mut message = message;
            if let Some(gives) = self.server().lies.gives {
                message.body = Bytes::from(gives(&message.body));
            }
            // Larger bodies go in parts, so that both ways are tested.
            let pieces = if message.body.len() > 60 {
                let mut pieces = vec![FetchedPart::Start(*uid, message.body.len() as u64)];
                pieces.extend(
                    message.body.chunks(25).map(|chunk| FetchedPart::Chunk(Bytes::copy_from_slice(chunk))),
                );
                pieces.push(FetchedPart::End);
                pieces
            } else {
                vec![FetchedPart::Message(*uid, message.body)]
            };
            for piece in pieces {
                if outlet.send(piece).await.is_err() {
                    return Ok(missing);
                }
            }
        }
        Ok(missing)
    }

    async fn headings(&mut self, folder: &FolderPath, uids: &UidSet) -> Result<Vec<(Uid, Heading)>, Error> {
        self.with(folder, |it| {
            let there = it.messages.iter().filter_map(|(uid, it)| Some((Uid::new(*uid)?, it)));
            there
                .filter(|(uid, _)| uids.contains(*uid))
                .filter_map(|(uid, it)| {
                    let body = String::from_utf8_lossy(&it.body).into_owned();
                    let subject = body.lines().find_map(|line| line.strip_prefix("Subject: "))?;
                    Some((uid, Heading { subject: Some(subject.to_owned()), ..Heading::default() }))
                })
                .collect()
        })
    }
}

impl Target for Remote {
    async fn create_folders(&mut self, folders: &[NewFolder]) -> Result<Vec<Result<(), Error>>, Error> {
        let mut server = self.server();
        let created = folders.iter().map(|NewFolder { path, .. }| {
            if server.refuses_names.is_some_and(|it| it(path)) {
                let words = "CREATE refused: NO bad name";
                return Err(Error::new(Scope::Folder, Retry::Never, ErrorKind::Refused, words));
            }
            let found = server.found(path);
            let spelled = server.spells.map_or(found.to_string(), |(spell, _)| spell(&found.to_string()));
            server.folder(&spelled);
            Ok(())
        });
        Ok(created.collect())
    }

    fn largest(&self, _folder: &FolderPath) -> Option<u64> {
        self.server().largest
    }

    #[allow(clippy::too_many_lines, reason = "one command of a server, with all its misbehaviour")]
    async fn append<F: Feed>(
        &mut self,
        folder: &FolderPath,
        batch: usize,
        mut feed: F,
        acks: Acks,
    ) -> Result<(), Error> {
        let is_single = self.server().is_cautious || self.server().ends_after.is_some();
        let batch = if is_single { 1 } else { batch };
        let mut command = Vec::new();
        let mut ended = false;
        while !ended {
            match feed.next().await? {
                Some(AppendPart::Message(envelope, body)) => command.push((envelope, body)),
                Some(AppendPart::Start(envelope, length)) => {
                    let mut body = Vec::new();
                    while let Some(AppendPart::Chunk(octets)) = feed.next().await? {
                        body.extend_from_slice(&octets);
                    }
                    assert_eq!(body.len() as u64, length, "what was announced is what came");
                    command.push((envelope, body.into()));
                }
                Some(other) => panic!("out of order: {other:?}"),
                None => ended = true,
            }
            if command.is_empty() || (command.len() < batch && !ended) {
                continue;
            }
            let command = std::mem::take(&mut command);
            let sent: Vec<Uid> = command.iter().map(|(envelope, _)| envelope.uid).collect();
            if let Some(error) = self.server().answers.pop() {
                acks.report(Ack { sent, result: Err(error), is_bare: false });
                return Ok(());
            }
            let ends_after = self.server().ends_after;
            if let Some(left) = ends_after {
                self.server().ends_after = left.checked_sub(1);
                if left == 0 {
                    return Err(Error::session("connection reset"));
                }
            }
            let refuses = self.server().refuses;
            let hangs_up_at = self.server().hangs_up_at;
            if command.iter().any(|(_, body)| hangs_up_at.is_some_and(|hangs_up| hangs_up(body))) {
                if sent.len() == 1 {
                    let error =
                        Error::new(Scope::Message, Retry::Never, ErrorKind::Refused, "BYE bad message");
                    acks.report(Ack { sent, result: Err(error), is_bare: false });
                }
                self.server().is_cautious = true;
                return Err(Error::session("BYE"));
            }
            let wants_otherwise = self.server().wants_otherwise;
            if wants_otherwise > 0 {
                self.server().wants_otherwise -= 1;
                let error = Error::new(Scope::Message, Retry::Now, ErrorKind::Refused, "NO bad flag");
                acks.report(Ack { sent, result: Err(error), is_bare: false });
                continue;
            }
            let loses_folder = self.server().loses_folder_after;
            if let Some(left) = loses_folder {
                self.server().loses_folder_after = left.checked_sub(1);
                if left == 0 {
                    self.server().folders.remove(folder);
                    self.server().folder(&folder.to_string());
                    return Err(Error::session("NO [TRYCREATE], and was made again"));
                }
            }
            if command.iter().any(|(_, body)| refuses.is_some_and(|refuses| refuses(body))) {
                let error = Error::new(Scope::Message, Retry::Never, ErrorKind::Refused, "NO bad message");
                let is_one = sent.len() == 1;
                acks.report(Ack { sent, result: Err(error), is_bare: false });
                if !is_one {
                    // Its messages are sent again before those that follow them.
                    return Ok(());
                }
                continue;
            }
            let ignores_flags = self.server().ignores_flags;
            let mut lies = std::mem::take(&mut self.server().lies);
            lies.offered += u32::try_from(command.len()).unwrap();
            let is_busy = command.iter().any(|(_, body)| lies.busy_at.iter().any(|it| contains(body, it)));
            let busy =
                || Error::new(Scope::Endpoint, Retry::After(None), ErrorKind::Busy, "NO try again later");
            let refusal = |words| Error::new(Scope::Message, Retry::Never, ErrorKind::Refused, words);
            let is_named = |text: &str| command.iter().any(|(_, body)| contains(body, text));
            let named = lies.answers_at.iter().find(|(text, _)| is_named(text)).map(|(_, it)| it.clone());
            let mut answer = is_busy.then(busy).or(named).or(lies.refuses_all.map(refusal));
            let is_stored = command.iter().any(|(_, body)| take_named(&mut lies.stores_refused, body));
            if is_stored {
                answer = Some(refusal("NO failed"));
            }
            let mut uids = UidSet::new();
            if answer.is_none() || is_stored {
                let stored = self.with(folder, |it| {
                    let mut uids = UidSet::new();
                    for (envelope, body) in command {
                        let is_dropped = lies.always_drops.is_some_and(|text| contains(&body, text))
                            || take_named(&mut lies.drops, &body);
                        let flags =
                            if ignores_flags || lies.drops_flags { Flags::new() } else { envelope.flags };
                        let flags: Flags = flags.iter().chain(lies.adds_flags.split_whitespace()).collect();
                        let body = match lies.adds {
                            Some(more) => Bytes::from([&body, more.as_bytes()].concat()),
                            None => body,
                        };
                        let body = lies.stores.map_or(body.clone(), |store| Bytes::from(store(&body)));
                        let body = if lies.rewrites_ids { with_another_id(&body) } else { body };
                        let date = lies.redates.map_or(envelope.internal_date, |it| InternalDate::new(it, 0));
                        let next = it.uid_next;
                        let second = lies.stores_twice.then(|| (flags.clone(), body.clone()));
                        let uid = if is_dropped { next } else { it.store(flags, date, body) };
                        if let Some((flags, body)) = second {
                            it.store(flags, date, body);
                        }
                        uids.extend(Uid::new(lies.tells_uid.unwrap_or(uid)));
                    }
                    uids
                });
                uids = stored?;
            }
            self.server().lies = lies;
            if let Some(error) = answer {
                let scope = error.scope;
                acks.report(Ack { sent, result: Err(error), is_bare: false });
                if scope > Scope::Message {
                    return Ok(());
                }
                continue;
            }
            let uid_validity =
                self.with(folder, |it| UidValidity::new(u64::from(it.uid_validity)).unwrap())?;
            let appended = AppendedUids { uid_validity, uids };
            self.answered()?;
            let told = !self.server().tells_no_uids;
            acks.report(Ack { sent, result: Ok(told.then_some(appended)), is_bare: ignores_flags });
        }
        Ok(())
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
        self.with(folder, |it| {
            for change in changes {
                for uid in change.uids.iter() {
                    if let Some(message) = it.messages.get_mut(&uid.get()) {
                        let kept = message.flags.without(&change.remove);
                        message.flags = kept.iter().chain(change.add.iter()).collect();
                    }
                }
            }
        })?;
        self.answered()
    }

    async fn move_messages(
        &mut self,
        from: &FolderPath,
        to: &FolderPath,
        uids: &UidSet,
    ) -> Result<Vec<(Uid, Uid)>, Error> {
        let taken: Vec<(Uid, StoredMessage)> = self
            .with(from, |it| uids.iter().filter_map(|uid| Some((uid, it.expunge(uid.get())?))).collect())?;
        let pairs = self.with(to, |it| {
            let store = |(uid, message): (Uid, StoredMessage)| {
                Some((uid, Uid::new(it.store(message.flags, message.date, message.body))?))
            };
            taken.into_iter().filter_map(store).collect()
        })?;
        self.answered()?;
        Ok(pairs)
    }

    async fn rename_folder(&mut self, from: &FolderPath, to: &NewFolder) -> Result<(), Error> {
        if self.server().refuses_renames {
            return Err(Error::new(Scope::Folder, Retry::Never, ErrorKind::Refused, "NO"));
        }
        {
            let mut server = self.server();
            let inside: Vec<FolderPath> =
                server.folders.keys().filter(|it| it.is_within(from)).cloned().collect();
            for path in inside {
                let rest = path.segments()[from.segments().len()..].iter();
                let new = FolderPath::new(to.path.segments().iter().chain(rest).cloned());
                let folder = server.folders.remove(&path).unwrap();
                server.folders.insert(new, folder);
            }
        }
        self.answered()
    }

    async fn remove_empty_folder(&mut self, folder: &FolderPath) -> Result<bool, Error> {
        let is_empty = self.with(folder, |it| it.messages.is_empty())?;
        if is_empty {
            self.server().folders.remove(folder);
        }
        self.answered()?;
        Ok(is_empty)
    }

    async fn remove_messages(&mut self, folder: &FolderPath, uids: &UidSet) -> Result<(), Error> {
        if self.server().lies.removes_nothing {
            return Err(Error::new(Scope::Folder, Retry::Never, ErrorKind::Refused, "no UIDPLUS"));
        }
        self.with(folder, |it| uids.iter().for_each(|uid| drop(it.expunge(uid.get()))))?;
        self.answered()
    }
}

/// Everything may be edited.
pub fn with_repairs(options: PassOptions) -> PassOptions {
    let allowed = Repairs::all();
    PassOptions { repairs: RepairRules { allowed, ..RepairRules::default() }, ..options }
}

/// True if a picky server refuses the message.
pub fn is_malformed(body: &[u8]) -> bool {
    body.contains(&0) || body.starts_with(b"no header")
}

/// The copy of a message on a picky server, if everything may be edited.
pub fn as_taken(body: &[u8]) -> Vec<u8> {
    if !is_malformed(body) {
        return body.to_vec();
    }
    repair(body, &Repairs::all(), LONGEST_LINE).expect("it can be repaired").octets
}

/// Deletions are confirmed.
pub const CONFIRMED: RemovalRules = RemovalRules { percent: 10, messages: 100, is_confirmed: true };

/// A clock without waits.
pub struct NoTime;

impl Clock for NoTime {
    fn now(&self) -> Duration {
        AtHour(480_000).now()
    }

    async fn sleep(&self, _duration: Duration) {}
}

/// A clock that always shows this hour, without waits.
pub struct AtHour(pub u64);

impl Clock for AtHour {
    fn now(&self) -> Duration {
        Duration::from_hours(self.0)
    }

    async fn sleep(&self, _duration: Duration) {}
}

/// Remembers unchanged folders.
#[derive(Default)]
pub struct Listener(pub Mutex<BTreeSet<String>>);

impl Progress for Listener {
    fn event(&self, event: Event<'_>) {
        if let Event::Unchanged { folder } = event {
            self.0.lock().unwrap().insert(folder.to_string());
        }
    }
}

/// Runs one pass.
pub async fn pass(source: &Remote, target: &Remote, ledger: &impl Ledger, options: &PassOptions) -> Report {
    pass_after(0, source, target, ledger, options).await
}

/// Runs one pass this number of hours after the others.
pub async fn pass_after(
    hours: u64,
    source: &Remote,
    target: &Remote,
    ledger: &impl Ledger,
    options: &PassOptions,
) -> Report {
    Pass {
        source: &mut source.clone(),
        target: &mut target.clone(),
        ledger,
        progress: &Listener::default(),
        clock: &AtHour(480_000 + hours),
        budget: &Budget::new(100),
        slots: &Slots::new(3),
        stop: &CancellationToken::new(),
        limits: &PassLimits::default(),
        options,
    }
    .run()
    .await
}
