//! Writing into an IMAP mailbox: folders, messages in pipelined APPENDs, flags, moves.

use std::{
    collections::HashMap,
    pin::pin,
    sync::{
        Mutex, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use mailhaul_engine::{
    Ack, Acks, AppendedUids, Envelope, Error, Feed, FlagChange, Mailbox as _, NewFolder, Offer, Target,
};
use mailhaul_imap::{
    self as imap, AppendHead, AppendReplies, AppendReply, AppendSink, Begin, CommandId, MailboxName, Session,
    StoreMode,
};
use mailhaul_mail::{Flags, FolderPath, Scope, Uid, UidSet};
use tokio::time::timeout;

use crate::{error::told, imap_mailbox::ImapMailbox, keepable::Keepable, line::Gauge, opening::Mode};

/// Octets in one command at most, unless one message alone is larger: a refused command is sent again in halves.
const COMMAND_OCTETS: u64 = 4 << 20;
/// So long a command stays open for more messages when the source is slow.
const LINGER: Duration = Duration::from_millis(20);

impl Target for ImapMailbox {
    async fn create_folders(&mut self, folders: &[NewFolder]) -> Result<Vec<Result<(), Error>>, Error> {
        if folders.is_empty() {
            return Ok(Vec::new());
        }
        if let Some(inbox) = folders.iter().find(|it| it.path.is_inbox()) {
            // Dovecot makes it when it is first looked into, and 2.3 can fail when two connections do so at once.
            self.status(&inbox.path).await?;
        }
        let names: Vec<MailboxName> = folders.iter().map(|it| self.wire(&it.path)).collect();
        let mut outcomes: Vec<Result<(), Error>> = folders.iter().map(|_| Ok(())).collect();
        let is_missing = |it: &NewFolder| !it.path.is_inbox() && !self.listed.contains_key(&it.path);
        let missing: Vec<usize> = (0..folders.len()).filter(|index| is_missing(&folders[*index])).collect();
        let wanted: Vec<MailboxName> = missing.iter().map(|index| names[*index].clone()).collect();
        let created = self.session().await?.create_many(&wanted).await;
        for (index, created) in missing.into_iter().zip(created.map_err(|error| self.explain(error))?) {
            let folder = &folders[index].path;
            match created {
                Err(error) if error.kind == imap::ErrorKind::AlreadyExists => {}
                // Not every server says plainly that the folder exists.
                Err(error) if self.status(folder).await.is_err() => {
                    let words = format_args!("folder {folder} cannot be created");
                    outcomes[index] = Err(self.explain(error.context(words)));
                    continue;
                }
                _ => {}
            }
            self.listed.insert(folder.clone(), names[index].clone());
        }
        let shown: Vec<usize> = (0..folders.len())
            .filter(|index| folders[*index].subscribe && outcomes[*index].is_ok())
            .collect();
        let wanted: Vec<MailboxName> = shown.iter().map(|index| names[*index].clone()).collect();
        let subscribed = self.session().await?.subscribe_many(&wanted).await;
        for (index, subscribed) in shown.into_iter().zip(subscribed.map_err(|error| self.explain(error))?) {
            match subscribed {
                Err(error) if error.scope <= Scope::Folder => {
                    let folder = &folders[index].path;
                    tracing::warn!("{}: folder {folder} could not be subscribed: {error}", self.describe());
                }
                Err(error) => outcomes[index] = Err(self.explain(error)),
                Ok(()) => {}
            }
        }
        Ok(outcomes)
    }

    async fn append<F: Feed>(
        &mut self,
        folder: &FolderPath,
        batch: usize,
        mut feed: F,
        acks: Acks,
    ) -> Result<(), Error> {
        // Selected, because only so the server says which flags it keeps.
        let keepable = Keepable::of(self.open(folder, Mode::Select).await?.data());
        let name = self.wire(folder);
        let mut lost = Flags::new();
        let book = Book { acks, pages: Mutex::default(), is_refused: AtomicBool::new(false) };
        let mut gauge = Gauge::new(self.line, self.round_trip());
        let outcome = loop {
            let session = self.session().await?;
            let manner = Manner { keepable: &keepable, batch, book: &book };
            match push(session, &name, manner, &mut feed, &mut gauge, &mut lost).await {
                Ok(Sent::UntilTheLineIsCompressed) => self.compress().await?,
                Ok(Sent::All) => break Ok(()),
                Err(stop) => break Err(stop),
            }
        };
        self.line = gauge.line();
        self.tell_lost(folder, &lost);
        outcome.map_err(|stop| match stop {
            Stop::Feed(error) => error,
            Stop::Wire(error) => self.explain_in(folder, error),
        })
    }

    async fn store_flags(&mut self, folder: &FolderPath, changes: &[FlagChange]) -> Result<(), Error> {
        let mut selected = self.open(folder, Mode::Select).await?;
        let keepable = Keepable::of(selected.data());
        let mut lost = Flags::new();
        let stored = async {
            for change in changes {
                for (mode, flags) in [(StoreMode::Add, &change.add), (StoreMode::Remove, &change.remove)] {
                    let (kept, not_kept) = keepable.split(flags);
                    selected.uid_store(&change.uids, mode, &kept).await?;
                    if mode == StoreMode::Add {
                        not_kept.iter().for_each(|name| lost.insert(name));
                    }
                }
            }
            Ok(())
        };
        let stored: Result<(), imap::Error> = stored.await;
        self.tell_lost(folder, &lost);
        stored.map_err(|error| self.explain_in(folder, error.at_least(Scope::Folder)))
    }

    async fn move_messages(
        &mut self,
        from: &FolderPath,
        to: &FolderPath,
        uids: &UidSet,
    ) -> Result<Vec<(Uid, Uid)>, Error> {
        self.session().await?;
        let to = self.wire(to);
        let mut selected = self.open(from, Mode::Select).await?;
        if !selected.capabilities().has("UIDPLUS") {
            // Nobody could say where they went, and they could not be taken out of here alone.
            return Ok(Vec::new());
        }
        let moved = selected.uid_move(uids, &to).await;
        Ok(moved.map_err(|error| self.explain_in(from, error.at_least(Scope::Folder)))?.pairs)
    }

    async fn remove_messages(&mut self, folder: &FolderPath, uids: &UidSet) -> Result<(), Error> {
        let mut selected = self.open(folder, Mode::Select).await?;
        let deleted: Flags = ["\\Deleted"].into_iter().collect();
        let removed = async {
            if !selected.capabilities().has("UIDPLUS") {
                let words =
                    "the server has no UIDPLUS, without which EXPUNGE would remove other messages too";
                let error = imap::Error::session(imap::ErrorKind::Unsupported, words);
                return Err(imap::Error {
                    scope: Scope::Folder,
                    retry: mailhaul_mail::Retry::Never,
                    ..error
                });
            }
            selected.uid_store(uids, StoreMode::Add, &deleted).await?;
            selected.uid_expunge(uids).await?;
            let left = selected.uids_among(uids).await?;
            if left.is_empty() {
                return Ok(());
            }
            // FTGate offers it and does nothing.
            let words =
                format!("the server says that it removed messages, and {} are still there", left.len());
            Err(imap::Error::session(imap::ErrorKind::Refused, words)).map_err(|error| imap::Error {
                scope: Scope::Folder,
                retry: mailhaul_mail::Retry::Never,
                ..error
            })
        };
        removed.await.map_err(|error| self.explain_in(folder, error.at_least(Scope::Folder)))
    }
}

impl ImapMailbox {
    /// Says once of each flag that it gets lost.
    fn tell_lost(&self, folder: &FolderPath, lost: &Flags) {
        let mut told = self.lost_flags.lock().unwrap_or_else(PoisonError::into_inner);
        let new: Vec<&str> = lost.iter().filter(|name| !told.contains(*name)).collect();
        if !new.is_empty() {
            tracing::warn!(
                "target {}: folder {folder}: the server does not keep the flags {}; the messages arrive without them",
                self.describe(),
                new.join(" ")
            );
            told.extend(new.into_iter().map(str::to_owned));
        }
    }
}

/// Why sending ended.
enum Stop {
    /// The source or the ledger cannot go on.
    Feed(Error),
    /// The target's connection broke.
    Wire(imap::Error),
}

impl From<imap::Error> for Stop {
    fn from(error: imap::Error) -> Self {
        Self::Wire(error)
    }
}

/// What was sent under each command, and what was answered: either may be known first.
struct Book {
    acks: Acks,
    pages: Mutex<HashMap<CommandId, Page>>,
    /// The server refuses more than a message: no more is sent.
    is_refused: AtomicBool,
}

enum Page {
    Sent(Vec<Uid>),
    Answered(AppendReply),
}

impl Book {
    fn sent(&self, command: CommandId, sent: Vec<Uid>) {
        let mut pages = self.pages.lock().unwrap_or_else(PoisonError::into_inner);
        match pages.remove(&command) {
            Some(Page::Answered(reply)) => self.acks.report(ack(sent, &reply)),
            _ => _ = pages.insert(command, Page::Sent(sent)),
        }
    }

    fn answered(&self, reply: AppendReply) {
        if reply.outcome().is_err_and(|error| error.scope > Scope::Message) {
            self.is_refused.store(true, Ordering::Relaxed);
        }
        let mut pages = self.pages.lock().unwrap_or_else(PoisonError::into_inner);
        match pages.remove(&reply.command) {
            Some(Page::Sent(sent)) => self.acks.report(ack(sent, &reply)),
            _ => _ = pages.insert(reply.command, Page::Answered(reply)),
        }
    }
}

fn ack(sent: Vec<Uid>, reply: &AppendReply) -> Ack {
    let appended =
        || reply.uids().map(|(uid_validity, uids)| AppendedUids { uid_validity, uids: uids.clone() });
    Ack { sent, result: reply.outcome().map(|()| appended()).map_err(told) }
}

/// How far the feed was sent.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Sent {
    All,
    /// The line turned out to be slow: the feed goes on over a better one.
    UntilTheLineIsCompressed,
}

/// What holds for all messages of a feed.
#[derive(Clone, Copy)]
struct Manner<'a> {
    keepable: &'a Keepable,
    batch: usize,
    book: &'a Book,
}

/// Sends what the feed offers, and reads the answers meanwhile.
async fn push<F: Feed>(
    session: &mut Session,
    name: &MailboxName,
    manner: Manner<'_>,
    feed: &mut F,
    gauge: &mut Gauge,
    lost: &mut Flags,
) -> Result<Sent, Stop> {
    let (sink, replies) = session.append_pipeline(name).await?;
    let sender = Sender { sink, manner, command: Vec::new(), octets: 0, lost };
    let (sent, answered) = futures_util::join!(sender.run(feed, gauge), read(replies, manner.book));
    let sent = sent?;
    answered?;
    Ok(sent)
}

async fn read(mut replies: AppendReplies<'_>, book: &Book) -> Result<(), imap::Error> {
    while let Some(reply) = replies.next().await? {
        book.answered(reply);
    }
    Ok(())
}

/// Takes offers and writes commands.
struct Sender<'a> {
    sink: AppendSink<'a>,
    manner: Manner<'a>,
    /// The messages of the open command.
    command: Vec<Uid>,
    octets: u64,
    lost: &'a mut Flags,
}

impl Sender<'_> {
    async fn run<F: Feed>(mut self, feed: &mut F, gauge: &mut Gauge) -> Result<Sent, Stop> {
        let mut sent = Sent::All;
        // The server refused the message of which chunks go by.
        let mut is_refused = false;
        let mut is_slow = false;
        // What was announced must be sent to its end, or the connection would be lost.
        let mut is_within = false;
        while is_within || !self.manner.book.is_refused.load(Ordering::Relaxed) {
            if !feed.is_ready() {
                self.sink.flush().await?;
            }
            let offer = {
                let mut next = pin!(feed.next());
                if let Ok(offer) = timeout(LINGER, &mut next).await {
                    offer
                } else {
                    self.end_command();
                    self.sink.flush().await?;
                    next.await
                }
            };
            let offer = offer.map_err(Stop::Feed)?;
            is_within = matches!(offer, Some(Offer::Start(..) | Offer::Chunk(_)));
            match offer {
                None => break,
                Some(Offer::Message(envelope, body)) => {
                    if self.begin(&envelope, body.len() as u64).await? {
                        self.sink.write(&body).await?;
                        self.end_message()?;
                    }
                    is_slow |= gauge.passed(body.len());
                }
                Some(Offer::Start(envelope, length)) => is_refused = !self.begin(&envelope, length).await?,
                Some(Offer::Chunk(octets)) if !is_refused => {
                    is_slow |= gauge.passed(octets.len());
                    self.sink.write(&octets).await?;
                }
                Some(Offer::End) if !is_refused => self.end_message()?,
                Some(Offer::Chunk(_) | Offer::End) => {}
            }
            if is_slow && !is_within {
                sent = Sent::UntilTheLineIsCompressed;
                break;
            }
        }
        self.end_command();
        self.sink.flush().await?;
        Ok(sent)
    }

    /// False where the server refused the message, or the command that it was to be part of.
    async fn begin(&mut self, envelope: &Envelope, length: u64) -> Result<bool, Stop> {
        let is_full = self.command.len() >= self.manner.batch || self.octets + length > COMMAND_OCTETS;
        if !self.sink.is_multi() || is_full {
            self.end_command();
        }
        let (flags, lost) = self.manner.keepable.split(&envelope.flags);
        lost.iter().for_each(|name| self.lost.insert(name));
        self.command.push(envelope.uid);
        self.octets += length;
        let head = AppendHead { flags: &flags, date: envelope.internal_date, length };
        match self.sink.begin(&head).await? {
            Begin::Ready => Ok(true),
            Begin::Refused(command) => {
                self.octets = 0;
                self.manner.book.sent(command, std::mem::take(&mut self.command));
                Ok(false)
            }
        }
    }

    fn end_message(&mut self) -> Result<(), Stop> {
        self.sink.end_message()?;
        if self.command.len() >= self.manner.batch {
            self.end_command();
        }
        Ok(())
    }

    /// Not within a message; the sink knows.
    fn end_command(&mut self) {
        if let Some(command) = self.sink.end_command() {
            self.octets = 0;
            self.manner.book.sent(command, std::mem::take(&mut self.command));
        }
    }
}
