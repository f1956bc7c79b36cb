//! The messages that the target stored from a UID on, and the digests of some of them, in one flight.

use std::collections::HashMap;

use mailhaul_engine::{Error, Mailbox as _, MessageInfo, StoredMessages};
use mailhaul_imap::{
    self as imap, FetchEvent, MAX_SET_LENGTH, Selected,
    response::{Content, Fetch, Status},
    split_uids,
};
use mailhaul_mail::{Digests, FolderPath, MessageHasher, Uid, UidSet};

use crate::imap::{
    mailbox::{CopyReading, ImapMailbox},
    numbering::SelectMode,
    scan::{self, SCAN_ITEMS, ScanAnswers, memory::ScanMemory},
    source::delivery::broken,
};

/// The section of the whole message, as responses name it.
const WHOLE: &str = "";
/// The items that fetch it without setting a flag.
const READ_ITEMS: &str = "(UID BODY.PEEK[])";

impl ImapMailbox {
    /// The messages from `first` on, with digests of those in `read`.
    ///
    /// Looks up to three times, until the UID `last` or a greater one is among them.
    pub(crate) async fn stored_from(
        &mut self,
        folder: &FolderPath,
        first: Uid,
        last: Option<Uid>,
        read: &UidSet,
    ) -> Result<StoredMessages, Error> {
        let StoredMessages { messages, mut digests } = self.shown_from(folder, first, last, read).await?;
        let there: UidSet = messages.iter().map(|message| message.uid).collect();
        let done: UidSet = digests.iter().map(|(uid, _)| *uid).collect();
        let unread: UidSet = read.iter().filter(|uid| there.contains(*uid) && !done.contains(*uid)).collect();
        digests.extend(self.digests(folder, &unread).await?);
        Ok(StoredMessages { messages, digests })
    }

    /// Lists the messages. Looks again after NOOP, then after the folder was opened again.
    ///
    /// Quirk: Courier needs the NOOP to show new messages of the open folder. Some servers show them only when
    /// the folder is opened again.
    async fn shown_from(
        &mut self,
        folder: &FolderPath,
        first: Uid,
        last: Option<Uid>,
        read: &UidSet,
    ) -> Result<StoredMessages, Error> {
        self.begin().await?;
        let is_complete = |shown: &StoredMessages| {
            let greatest = shown.messages.last().map(|message| message.uid);
            last.map_or(greatest.is_some(), |last| greatest >= Some(last))
        };
        if last.is_some() {
            let shown = self.list_and_read(folder, first, read).await?;
            if is_complete(&shown) {
                return Ok(shown);
            }
        }
        self.open(folder, SelectMode::Select).await?;
        let synchronized = self.session().await?.noop().await;
        synchronized.map_err(|error| self.explain(error))?;
        let shown = self.list_stored(folder, first).await?;
        if is_complete(&shown) {
            return Ok(shown);
        }
        self.reopen(folder, SelectMode::Select).await?;
        self.list_stored(folder, first).await
    }

    async fn list_and_read(
        &mut self,
        folder: &FolderPath,
        first: Uid,
        read: &UidSet,
    ) -> Result<StoredMessages, Error> {
        if !read.is_empty() && self.copy_reading == CopyReading::WithList {
            let selected = self.open(folder, SelectMode::Select).await?;
            match one_flight(selected, first, read).await {
                Ok(Some(stored)) => return Ok(stored),
                Ok(None) => {}
                Err(error) => {
                    // The delivery finds the message at which a server breaks the connection.
                    self.copy_reading = CopyReading::Apart;
                    return Err(self.explain_in(folder, error));
                }
            }
        }
        self.list_stored(folder, first).await
    }

    async fn list_stored(&mut self, folder: &FolderPath, first: Uid) -> Result<StoredMessages, Error> {
        let selected = self.open(folder, SelectMode::Select).await?;
        let messages = scan::from(selected, first).await.map_err(|error| self.explain_in(folder, error))?;
        Ok(StoredMessages { messages, digests: Vec::new() })
    }
}

/// Sends the listing and the reading FETCH at once.
///
/// `None` if the folder is empty, the listing failed, or the UIDs need several commands.
async fn one_flight(
    mut selected: Selected<'_>,
    first: Uid,
    read: &UidSet,
) -> Result<Option<StoredMessages>, imap::Error> {
    if split_uids(read, MAX_SET_LENGTH).len() != 1 || selected.data().exists == 0 {
        return Ok(None);
    }
    let mut found = ScanAnswers::new(None);
    let mut memory = ScanMemory::default();
    let mut bodies = Bodies::default();
    let mut stream = selected.fetch_stream().await?;
    let listing = stream.send(&UidSet::range(first, Uid::LAST), SCAN_ITEMS)?;
    stream.send(read, READ_ITEMS)?;
    let (mut is_listing, mut is_listed) = (true, false);
    while let Some(event) = stream.next().await? {
        match event {
            // An answer after the listing may be text of a message with a wrong length.
            FetchEvent::Message(fetch) if fetch.sections.is_empty() && is_listing => {
                memory.keep(&fetch)?;
                _ = found.take(&fetch);
            }
            FetchEvent::Broken(fetch) => return Err(broken(fetch.uid)),
            FetchEvent::Completed { command, status } if command == listing => {
                is_listing = false;
                is_listed = status.status == Status::Ok && status.code.is_none();
            }
            other => bodies.take(&other),
        }
    }
    let messages = found.listed_from(first)?;
    let stored = StoredMessages { digests: bodies.of_reported_size(&messages, read), messages };
    Ok(is_listed.then_some(stored))
}

/// Hashes bodies as they arrive.
#[derive(Default)]
struct Bodies {
    /// The large body that is arriving.
    passing: Option<MessageHasher>,
    /// Size (bytes) and digests. `None` if the server gave two bodies for one UID.
    done: HashMap<Uid, Option<(u64, Digests)>>,
}

impl Bodies {
    fn take(&mut self, event: &FetchEvent) {
        match event {
            FetchEvent::BodyStart { section, origin: None, .. } if section == WHOLE => {
                self.passing = Some(MessageHasher::new());
            }
            FetchEvent::BodyStart { .. } => self.passing = None,
            FetchEvent::BodyChunk(bytes) => {
                if let Some(hasher) = &mut self.passing {
                    hasher.update(bytes);
                }
            }
            FetchEvent::Message(fetch) => self.finish(fetch),
            FetchEvent::BodyEnd
            | FetchEvent::Broken(_)
            | FetchEvent::Completed { .. }
            | FetchEvent::Other(_) => {}
        }
    }

    fn finish(&mut self, fetch: &Fetch) {
        let passing = self.passing.take();
        let whole = fetch.sections.iter().find(|section| section.spec == WHOLE && section.origin.is_none());
        let Some((uid, section)) = fetch.uid.zip(whole) else { return };
        let hashed = match &section.content {
            Content::Inline(bytes) => {
                let mut hasher = MessageHasher::new();
                hasher.update(bytes);
                Some((bytes.len() as u64, hasher))
            }
            Content::Streamed(length) => passing.map(|hasher| (*length, hasher)),
            Content::Nil => None,
        };
        if let Some((length, hasher)) = hashed {
            let read = (length, hasher.finish().1);
            self.done.entry(uid).and_modify(|known| *known = None).or_insert(Some(read));
        }
    }

    /// Digests of the bodies with the size that the server reported. The others are read again, with all checks
    /// of a delivery.
    fn of_reported_size(&self, messages: &[MessageInfo], read: &UidSet) -> Vec<(Uid, Digests)> {
        let digests = |message: &MessageInfo| {
            let (length, digests) = self.done.get(&message.uid).copied().flatten()?;
            (length == message.size && read.contains(message.uid)).then_some((message.uid, digests))
        };
        messages.iter().filter_map(digests).collect()
    }
}
