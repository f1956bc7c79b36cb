//! A mailbox: folders, and messages that may be in several of them.

use std::{
    collections::{BTreeMap, HashMap},
    sync::Arc,
    time::Duration,
};

use mailhaul_imap::MailboxName;
use mailhaul_mail::{Flags, InternalDate};

use super::personality::Personality;
use crate::uid_folder::UidFolder;

/// One stored message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredMessage {
    pub octets: Arc<Vec<u8>>,
    /// Flags and keywords.
    pub flags: Flags,
    /// Its INTERNALDATE.
    pub date: InternalDate,
}

/// A message's entry in a folder.
#[derive(Clone, Copy, Debug)]
pub(super) struct Entry {
    pub(super) message: u64,
    pub(super) modseq: u64,
}

#[derive(Clone, Debug)]
pub(super) struct Folder {
    pub(super) attributes: &'static str,
    pub(super) is_subscribed: bool,
    /// The numbers of the messages, by UID.
    pub(super) uids: UidFolder<u64>,
}

impl Folder {
    pub(super) fn entry(&self, uid: u32) -> Option<Entry> {
        Some(Entry { message: *self.uids.messages.get(&uid)?, modseq: self.uids.modseq_of(uid) })
    }
}

/// A mailbox.
///
/// If folders are labels, a message is the same in all of them, with one set of flags.
#[derive(Clone, Debug)]
pub struct Mailbox {
    pub(super) folders: BTreeMap<String, Folder>,
    pub(super) messages: BTreeMap<u64, StoredMessage>,
    /// With labels: each message by the digest of its bytes.
    known: HashMap<[u8; 32], u64>,
    /// The folders and UIDs of each message.
    places: HashMap<u64, BTreeMap<String, u32>>,
    /// Accepted messages that are not shown yet: the time, the message, and its labels.
    late: Vec<(Duration, u64, Vec<String>)>,
    modseq: u64,
    next_message: u64,
    has_labels: bool,
    ignores_case: bool,
}

impl Mailbox {
    pub(super) fn new(personality: &Personality) -> Self {
        let mut mailbox = Self {
            folders: BTreeMap::new(),
            messages: BTreeMap::new(),
            known: HashMap::new(),
            places: HashMap::new(),
            late: Vec::new(),
            modseq: 100,
            next_message: 1_278_455_344_230_334_865,
            has_labels: personality.has_labels,
            ignores_case: personality.ignores_case,
        };
        for (name, attributes) in personality.folders {
            let name = String::from_utf8(MailboxName::from_text(name).as_wire().to_vec()).unwrap();
            mailbox.create(&name);
            mailbox.folders.get_mut(&name).unwrap().attributes = attributes;
        }
        mailbox
    }

    /// Creates a folder by its name on the wire. Does nothing if it exists.
    pub fn create(&mut self, name: &str) {
        if self.resolve(name).is_some() {
            return;
        }
        let uid_validity = 1000 + u32::try_from(self.folders.len()).unwrap();
        let uids = UidFolder::new(uid_validity, self.modseq);
        let folder = Folder { attributes: "", is_subscribed: self.has_labels, uids };
        self.folders.insert(name.to_owned(), folder);
    }

    /// Renames a folder. Its messages do not change.
    pub fn rename(&mut self, from: &str, to: &str) {
        let folder = self.folders.remove(from).expect("there is such a folder");
        for message in folder.uids.messages.values() {
            let places = self.places.get_mut(message).unwrap();
            let uid = places.remove(from).unwrap();
            places.insert(to.to_owned(), uid);
        }
        self.folders.insert(to.to_owned(), folder);
    }

    /// Changes the folder's UIDVALIDITY.
    ///
    /// # Panics
    /// Without such a folder.
    pub fn renumber(&mut self, folder: &str) {
        self.folders.get_mut(folder).expect("there is such a folder").uids.uid_validity += 1_000;
    }

    /// Empties a folder, like a restore from a backup: UIDs begin at 1 again, and UIDVALIDITY stays.
    pub fn restart(&mut self, folder: &str) {
        for (uid, _) in self.messages(folder) {
            self.remove(folder, uid);
        }
        let folder = self.folders.get_mut(folder).expect("there is such a folder");
        folder.uids.restart();
    }

    /// Returns the stored name of the folder. INBOX has any case.
    pub(super) fn resolve(&self, name: &str) -> Option<String> {
        if self.folders.contains_key(name) {
            return Some(name.to_owned());
        }
        let is_same = |it: &&String| {
            it.eq_ignore_ascii_case(name) && (self.ignores_case || name.eq_ignore_ascii_case("INBOX"))
        };
        self.folders.keys().find(is_same).cloned()
    }

    /// Returns the folder with this attribute.
    pub(super) fn special(&self, attribute: &str) -> Option<String> {
        let found = self.folders.iter().find(|(_, it)| it.attributes.contains(attribute));
        found.map(|(name, _)| name.clone())
    }

    /// Adds a message to a folder.
    ///
    /// With labels, the same bytes are the same message. It gets one label more, or else only a UID that
    /// leads nowhere.
    pub fn add(&mut self, folder: &str, octets: Vec<u8>, flags: Flags, date: InternalDate) -> u32 {
        let digest = self.has_labels.then(|| *blake3::hash(&octets).as_bytes());
        if let Some(known) = digest.and_then(|it| self.known.get(&it).copied()) {
            if self.uid_of(folder, known).is_some() {
                let folder = self.folders.get_mut(folder).unwrap();
                folder.uids.uid_next += 1;
                return folder.uids.uid_next - 1;
            }
            return self.place(folder, known);
        }
        let is_starred = flags.contains("\\Flagged");
        let message = self.keep(digest, StoredMessage { octets: Arc::new(octets), flags, date });
        let uid = self.place(folder, message);
        if self.has_labels {
            self.star(message, is_starred);
        }
        uid
    }

    fn keep(&mut self, digest: Option<[u8; 32]>, kept: StoredMessage) -> u64 {
        let message = self.next_message;
        self.next_message += 1;
        self.known.extend(digest.map(|it| (it, message)));
        self.messages.insert(message, kept);
        message
    }

    /// Accepts a message with these labels, and shows it from this time on.
    ///
    /// Without any label the message is archived. The same bytes are the same message. Returns its number,
    /// and true if it was there with all of these labels.
    pub(super) fn import(&mut self, labels: Vec<String>, kept: StoredMessage, from: Duration) -> (u64, bool) {
        let digest = *blake3::hash(&kept.octets).as_bytes();
        let known = self.known.get(&digest).copied();
        let message = known.unwrap_or_else(|| self.keep(Some(digest), kept));
        let labels = if labels.is_empty() { self.special("\\All").into_iter().collect() } else { labels };
        let is_there = known.is_some() && labels.iter().all(|it| self.uid_of(it, message).is_some());
        self.late.push((from, message, labels));
        (message, is_there)
    }

    /// Shows the messages whose time has come.
    pub(super) fn arrive(&mut self, now: Duration) {
        let (arrived, late) = std::mem::take(&mut self.late).into_iter().partition(|(from, ..)| *from <= now);
        self.late = late;
        let arrived: Vec<(Duration, u64, Vec<String>)> = arrived;
        for (_, message, labels) in arrived {
            for label in labels {
                if self.uid_of(&label, message).is_none() {
                    self.place(&label, message);
                }
            }
            self.star(message, self.messages[&message].flags.contains("\\Flagged"));
        }
    }

    /// Adds an existing message to a folder: as a copy, or as a label.
    pub fn copy(&mut self, from: &str, uid: u32, to: &str) -> u32 {
        let message = self.folders[from].uids.messages[&uid];
        if !self.has_labels {
            let kept = self.messages[&message].clone();
            return self.add(to, Arc::unwrap_or_clone(kept.octets), kept.flags, kept.date);
        }
        match self.uid_of(to, message) {
            Some(uid) => uid,
            None => self.place(to, message),
        }
    }

    fn uid_of(&self, folder: &str, message: u64) -> Option<u32> {
        self.places.get(&message)?.get(folder).copied()
    }

    fn place(&mut self, folder: &str, message: u64) -> u32 {
        if self.has_labels {
            let attributes = self.folders[folder].attributes;
            let is_apart = attributes.contains("\\Trash") || attributes.contains("\\Junk");
            if is_apart {
                let others: Vec<String> = self.folders.keys().filter(|it| *it != folder).cloned().collect();
                for other in &others {
                    self.take(other, message);
                }
            } else if let Some(all) = self.special("\\All").filter(|it| it != folder)
                && self.uid_of(&all, message).is_none()
            {
                self.enter(&all, message);
            }
        }
        let uid = self.enter(folder, message);
        self.touch(message);
        uid
    }

    fn enter(&mut self, folder: &str, message: u64) -> u32 {
        self.modseq += 1;
        let uid = self.folders.get_mut(folder).unwrap().uids.insert(message, self.modseq);
        self.places.entry(message).or_default().insert(folder.to_owned(), uid);
        uid
    }

    fn take(&mut self, folder: &str, message: u64) {
        if let Some(uid) = self.uid_of(folder, message) {
            self.remove(folder, uid);
        }
    }

    /// Removes a message from a folder. With labels it stays in the others.
    pub fn remove(&mut self, folder: &str, uid: u32) {
        self.modseq += 1;
        let uids = &mut self.folders.get_mut(folder).unwrap().uids;
        let Some(message) = uids.remove(uid, self.modseq) else { return };
        if let Some(places) = self.places.get_mut(&message) {
            places.remove(folder);
        }
        if self.has_labels {
            self.touch(message);
        } else {
            self.messages.remove(&message);
        }
    }

    /// Records a change of the message in all its folders.
    fn touch(&mut self, message: u64) {
        self.modseq += 1;
        for (name, uid) in self.places.get(&message).into_iter().flatten() {
            self.folders.get_mut(name).unwrap().uids.touch(*uid, self.modseq);
        }
    }

    /// Replaces the flags of a message.
    pub fn set_flags(&mut self, folder: &str, uid: u32, flags: Flags) {
        let message = self.folders[folder].uids.messages[&uid];
        let is_starred = flags.contains("\\Flagged");
        self.messages.get_mut(&message).unwrap().flags = flags;
        self.touch(message);
        if self.has_labels {
            self.star(message, is_starred);
        }
    }

    /// Updates the folder of starred messages after a change of `\Flagged`.
    fn star(&mut self, message: u64, is_starred: bool) {
        let Some(starred) = self.special("\\Flagged") else { return };
        match (is_starred, self.uid_of(&starred, message)) {
            (true, None) => _ = self.enter(&starred, message),
            (false, Some(uid)) => self.remove(&starred, uid),
            _ => {}
        }
    }

    /// Returns the labels of a message (X-GM-LABELS) without that of the selected folder.
    pub(super) fn labels(&self, message: u64, here: &str) -> Vec<String> {
        let places = self.places.get(&message).into_iter().flatten();
        let others = places.map(|(name, _)| name).filter(|it| *it != here);
        others.filter_map(|name| label(name, self.folders[name].attributes)).collect()
    }

    pub(super) fn kept(&self, folder: &str, uid: u32) -> Option<(u64, &StoredMessage)> {
        let message = *self.folders.get(folder)?.uids.messages.get(&uid)?;
        Some((message, self.messages.get(&message)?))
    }

    /// Returns the names of all folders, also of those without messages.
    pub fn folder_names(&self) -> Vec<String> {
        self.folders.keys().cloned().collect()
    }

    /// Returns the messages of a folder with their UIDs.
    pub fn messages(&self, folder: &str) -> Vec<(u32, StoredMessage)> {
        let numbers = self.folders.get(folder).into_iter().flat_map(|folder| &folder.uids.messages);
        numbers.map(|(uid, message)| (*uid, self.messages[message].clone())).collect()
    }

    /// Number of messages. A message with several labels counts once.
    pub fn total(&self) -> usize {
        self.messages.len()
    }

    /// Subscribes or unsubscribes the folder.
    pub fn subscribe(&mut self, folder: &str, is_subscribed: bool) {
        if let Some(folder) = self.folders.get_mut(folder) {
            folder.is_subscribed = is_subscribed;
        }
    }
}

fn label(name: &str, attributes: &str) -> Option<String> {
    const SYSTEM: [(&str, Option<&str>); 7] = [
        ("\\All", None),
        ("\\Drafts", Some("\\Draft")),
        ("\\Important", Some("\\Important")),
        ("\\Sent", Some("\\Sent")),
        ("\\Junk", Some("\\Spam")),
        ("\\Flagged", Some("\\Starred")),
        ("\\Trash", Some("\\Trash")),
    ];
    if name == "INBOX" {
        return Some("\\Inbox".to_owned());
    }
    match SYSTEM.iter().find(|(attribute, _)| attributes.contains(attribute)) {
        Some((_, label)) => label.map(str::to_owned),
        None => Some(name.to_owned()),
    }
}
