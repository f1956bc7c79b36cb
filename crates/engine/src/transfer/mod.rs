//! Windows of messages on their way: intents before the effect, outcomes as the answers come.
//!
//! Three stages run side by side in one task. The source pushes pieces into the pipe. The target pulls offers from
//! [`WindowFeed`], which writes a window's intents before it gives out the window's first message, and hashes what
//! passes. The recorder takes the target's answers and writes outcomes, as many as have come, in one durable step.

pub(crate) mod pipe;

use std::{
    collections::{HashMap, HashSet, VecDeque},
    pin::pin,
    sync::OnceLock,
    time::Duration,
};

use mailhaul_mail::{
    Digests, Fingerprint, Flags, FolderPath, InternalDate, MessageHasher, Scope, Uid, UidSet,
};
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use crate::{
    error::Error,
    folder::MessageInfo,
    folder_sync::flag_changes::Meanwhile,
    ledger_state::{Copied, Floor, FolderState, MessageState, Record},
    limits::read_back_budget::ToCompare,
    limits::throttle::Limits,
    ports::{Clock, Envelope, Event, Ledger, Missing, Progress, Source, StorageHabits, Target, Wanted},
    transfer::pipe::{Ack, Acks, AppendedUids, Budget, Feed, Inlet, Offer, Piece, pipe},
};

/// How many messages between two durable writes of intents.
const WINDOW_MESSAGES: usize = 500;
/// How many octets, as claimed, between two durable writes of intents.
const WINDOW_OCTETS: u64 = 64 << 20;

/// So long outcomes are gathered for one write.
const GATHERING: Duration = Duration::from_millis(50);
/// And so much news at most.
const GATHERED: usize = 4096;

/// What reaches the recorder.
#[derive(Debug)]
pub(crate) enum News {
    /// A message was handed to the target whole, with these hashes and this many bytes.
    Sent(Uid, Fingerprint, Digests, u64),
    /// The target answered.
    Answer(Ack),
}

/// A message that the target acknowledged.
#[derive(Clone, Debug)]
pub(crate) struct Acknowledged {
    pub(crate) uid: Uid,
    /// Its UID on the target, where the target returned one that can be true.
    pub(crate) target_uid: Option<Uid>,
    /// Bytes sent; `None` where only the ledger knows of the message.
    pub(crate) bytes: Option<u64>,
    /// Bytes of the copy: those sent, or as the source claimed them.
    pub(crate) size: u64,
    /// Of the bytes sent; `None` where nothing is known of them.
    pub(crate) fingerprint: Option<Fingerprint>,
    pub(crate) digests: Option<Digests>,
    /// Flags that were sent with it.
    pub(crate) flags: Flags,
    pub(crate) date: Option<InternalDate>,
}

impl Acknowledged {
    /// `None` where the copy's place or its bytes are not known.
    pub(crate) fn to_compare(&self) -> Option<ToCompare> {
        Some(ToCompare { uid: self.target_uid?, digests: self.digests?, size: self.size })
    }
}

/// What one run of the transfer did.
#[derive(Debug, Default)]
pub(crate) struct Transferred {
    /// Messages that the target acknowledged.
    pub(crate) acknowledged: Vec<Acknowledged>,
    /// Messages of commands that were refused whole: to be tried again in smaller commands, or skipped when alone.
    pub(crate) refused: Vec<(Vec<Uid>, Error)>,
    /// Messages that the source did not deliver.
    pub(crate) missing: Vec<(Uid, Missing)>,
}

impl Transferred {
    /// The messages of which something is known now.
    pub(crate) fn answered(&self) -> HashSet<Uid> {
        let acknowledged = self.acknowledged.iter().map(|it| it.uid);
        let refused = self.refused.iter().flat_map(|(uids, _)| uids.iter().copied());
        acknowledged.chain(refused).chain(self.missing.iter().map(|(uid, _)| *uid)).collect()
    }
}

/// What stays the same while a folder is transferred.
pub(crate) struct Lane<'a, L, P, C> {
    pub(crate) clock: &'a C,
    pub(crate) ledger: &'a L,
    pub(crate) progress: &'a P,
    pub(crate) budget: &'a Budget,
    pub(crate) stop: &'a CancellationToken,
    pub(crate) limits: &'a Limits,
    pub(crate) target_folder: &'a FolderPath,
    pub(crate) floor: Floor,
    pub(crate) habits: StorageHabits,
}

/// Carries the messages over, in this order, at most `batch` in one command. On an error, what was acknowledged is
/// recorded; the rest stays intended in the ledger, to be settled. Messages that arrived and whose place is known are in
/// the ledger alone afterwards, not in the state. Flags are changed while the first bodies are awaited.
pub(crate) async fn transfer<S: Source, T: Target, L: Ledger, P: Progress, C: Clock>(
    source: &mut S,
    target: &mut T,
    lane: &Lane<'_, L, P, C>,
    state: &mut FolderState,
    messages: &[&MessageInfo],
    batch: usize,
    meanwhile: &mut Meanwhile,
) -> (Transferred, Result<(), Error>) {
    let folder = state.record.folder.clone();
    let wanted: Vec<Wanted> = messages.iter().map(|it| Wanted { uid: it.uid, size: it.size }).collect();
    let (outlet, inlet) = pipe(lane.budget);
    let (news, mut arriving) = mpsc::unbounded_channel();
    let halted = OnceLock::new();
    let feed = WindowFeed {
        lane,
        halted: &halted,
        folder: &folder,
        inlet,
        waiting: messages.iter().map(|it| (it.uid, *it)).collect(),
        order: messages.iter().map(|it| (it.uid, it.size)).collect(),
        intended: UidSet::new(),
        passing: None,
        news: news.clone(),
    };
    let mut recorder = Recorder {
        lane,
        state,
        sizes: messages.iter().map(|it| (it.uid, *it)).collect(),
        hashes: HashMap::new(),
        done: Transferred::default(),
    };
    let fetching = source.fetch(&folder, &wanted, outlet);
    let appending = async {
        Box::pin(meanwhile.send(target, lane.target_folder)).await?;
        Box::pin(target.append(lane.target_folder, batch, feed, Acks(news))).await
    };
    let (fetched, appended, written) = futures_util::join!(fetching, appending, recorder.run(&mut arriving));
    let mut done = recorder.done;
    // The ledger's error stops the pass; the source's error explains the target's (a body that never ended).
    let result = written.and_then(|()| match (fetched, appended) {
        (Ok(missing), appended) => {
            done.missing = missing;
            appended.map_err(|error| said_before(error, &done.refused))
        }
        (Err(error), _) => Err(error),
    });
    (done, result.and_then(|()| halted.into_inner().map_or(Ok(()), Err)))
}

/// A server that asks for patience may hang up right afterwards: then that it asked is what counts.
fn said_before(error: Error, refused: &[(Vec<Uid>, Error)]) -> Error {
    let mut refusals = refused.iter().map(|(_, refusal)| refusal);
    let asked = refusals.rfind(|it| it.scope > Scope::Session);
    asked.filter(|_| error.scope == Scope::Session).cloned().unwrap_or(error)
}

/// Gives out messages window by window.
struct WindowFeed<'a, L, P, C> {
    lane: &'a Lane<'a, L, P, C>,
    /// Why no more is given out: a limit that lasts.
    halted: &'a OnceLock<Error>,
    folder: &'a FolderPath,
    inlet: Inlet,
    /// What is not given out yet, by UID.
    waiting: HashMap<Uid, &'a MessageInfo>,
    /// In the order asked for; the front is the first without an intent.
    order: VecDeque<(Uid, u64)>,
    /// What has an intent.
    intended: UidSet,
    /// The message of which chunks pass by.
    passing: Option<(Uid, MessageHasher, u64)>,
    news: mpsc::UnboundedSender<News>,
}

impl<L: Ledger, P: Progress, C: Clock> WindowFeed<'_, L, P, C> {
    /// The message's envelope, with its intent durable.
    async fn announce(&mut self, uid: Uid) -> Result<Option<Envelope>, Error> {
        let Some(message) = self.waiting.remove(&uid) else {
            return Ok(None); // Sent twice by the source, or never asked for.
        };
        while !self.intended.contains(uid) {
            let (mut window, mut octets) = (UidSet::new(), 0);
            while window.len() < WINDOW_MESSAGES as u64 && octets < WINDOW_OCTETS {
                let Some((next, size)) = self.order.pop_front() else { break };
                window.insert(next);
                octets += size;
            }
            if window.is_empty() {
                window.insert(uid);
            }
            for (first, last) in window.ranges() {
                self.intended.insert_range(first, last);
            }
            let intent =
                Record::Intended { folder: self.folder.clone(), floor: self.lane.floor, uids: window };
            self.lane.ledger.record(&[intent]).await?;
        }
        Ok(Some(Envelope { uid, flags: message.flags.clone(), internal_date: message.internal_date }))
    }

    /// Whether the message may go now, of which so many octets go at once. Waits; false where it would have to wait for long.
    async fn may_go(&self, uid: Uid, octets: u64, at_once: u64) -> bool {
        let lane = self.lane;
        if lane.limits.throttles.is_empty() || !self.waiting.contains_key(&uid) {
            return true;
        }
        match lane.limits.message(lane.clock, lane.stop, octets, at_once).await {
            Ok(()) => true,
            Err(error) => {
                // What is under way comes to its end, and then the folder's carrier learns of it.
                let _first = self.halted.set(error);
                false
            }
        }
    }

    fn sent(&self, uid: Uid, hasher: MessageHasher, bytes: u64) {
        let (fingerprint, digests) = hasher.finish();
        // The recorder outlives the feed unless the pass has failed already.
        let _ = self.news.send(News::Sent(uid, fingerprint, digests, bytes));
    }
}

impl<L: Ledger, P: Progress, C: Clock> Feed for WindowFeed<'_, L, P, C> {
    async fn next(&mut self) -> Result<Option<Offer>, Error> {
        loop {
            if self.passing.is_none() && self.lane.stop.is_cancelled() {
                return Ok(None);
            }
            let Some(piece) = self.inlet.next().await else {
                return match self.passing {
                    None => Ok(None),
                    Some(_) => Err(Error::session("the source ended in the middle of a message")),
                };
            };
            match piece {
                Piece::Message(uid, body) => {
                    let octets = body.len() as u64;
                    if !self.may_go(uid, octets, octets).await {
                        return Ok(None);
                    }
                    if let Some(envelope) = self.announce(uid).await? {
                        let mut hasher = MessageHasher::new();
                        hasher.update(&body);
                        self.sent(uid, hasher, octets);
                        return Ok(Some(Offer::Message(envelope, body)));
                    }
                }
                Piece::Start(uid, length) => {
                    if !self.may_go(uid, length, 0).await {
                        return Ok(None);
                    }
                    if let Some(envelope) = self.announce(uid).await? {
                        self.passing = Some((uid, MessageHasher::new(), length));
                        return Ok(Some(Offer::Start(envelope, length)));
                    }
                }
                Piece::Chunk(octets) => {
                    if let Some((_, hasher, _)) = &mut self.passing {
                        hasher.update(&octets);
                        let lane = self.lane;
                        lane.limits.octets(lane.clock, lane.stop, octets.len() as u64).await;
                        return Ok(Some(Offer::Chunk(octets)));
                    }
                }
                Piece::End => {
                    if let Some((uid, hasher, length)) = self.passing.take() {
                        self.sent(uid, hasher, length);
                        return Ok(Some(Offer::End));
                    }
                }
            }
        }
    }

    fn is_ready(&self) -> bool {
        self.inlet.is_ready()
    }
}

/// Writes outcomes.
struct Recorder<'a, L, P, C> {
    lane: &'a Lane<'a, L, P, C>,
    state: &'a mut FolderState,
    sizes: HashMap<Uid, &'a MessageInfo>,
    hashes: HashMap<Uid, (Fingerprint, Digests, u64)>,
    done: Transferred,
}

impl<L: Ledger, P: Progress, C: Clock> Recorder<'_, L, P, C> {
    async fn run(&mut self, arriving: &mut mpsc::UnboundedReceiver<News>) -> Result<(), Error> {
        let mut arrived = Vec::new();
        while self.gather(arriving, &mut arrived).await {
            let (mut records, mut located) = (Vec::new(), Vec::new());
            let (mut messages, mut bytes) = (0, 0);
            for news in arrived.drain(..) {
                match news {
                    News::Sent(uid, fingerprint, digests, length) => {
                        self.hashes.insert(uid, (fingerprint, digests, length));
                    }
                    News::Answer(Ack { sent, result: Err(error), .. }) => {
                        for uid in &sent {
                            self.hashes.remove(uid);
                            records.push(self.outcome(*uid, None));
                        }
                        self.done.refused.push((sent, error));
                    }
                    News::Answer(Ack { sent, result: Ok(appended), is_bare }) => {
                        let known = appended.filter(|it| self.can_be_true(it, sent.len()));
                        let mut target_uids = known.iter().flat_map(|it| it.uids.iter());
                        for uid in sent {
                            let target_uid = target_uids.next();
                            let (Some((fingerprint, digests, length)), Some(message)) =
                                (self.hashes.remove(&uid), self.sizes.get(&uid))
                            else {
                                continue;
                            };
                            messages += 1;
                            bytes += length;
                            // With flags to be set, it is not done with.
                            let is_done = target_uid.is_some() && (!is_bare || message.flags.is_empty());
                            located.extend(is_done.then_some(uid));
                            let copied = Copied {
                                target_uid,
                                flags: if is_bare { Flags::new() } else { message.flags.clone() },
                                pending_flags: None,
                                fingerprint,
                                digests: Some(digests),
                                size: message.size,
                                arrived: message.internal_date.map(InternalDate::unix_seconds),
                                ours: true,
                                edited: None,
                            };
                            self.done.acknowledged.push(Acknowledged {
                                uid,
                                target_uid,
                                bytes: Some(length),
                                size: length,
                                fingerprint: Some(fingerprint),
                                digests: Some(digests),
                                flags: copied.flags.clone(),
                                date: message.internal_date,
                            });
                            records.push(self.outcome(uid, Some(MessageState::Done(copied))));
                        }
                    }
                }
            }
            if !records.is_empty() {
                self.lane.ledger.record(&records).await?;
                self.state.learn(&records);
                // Nothing more is to be done about them in this pass, and half a million would fill the memory.
                for uid in located.drain(..) {
                    self.state.messages.remove(&uid);
                }
                if messages > 0 {
                    let folder = &self.state.record.folder;
                    self.lane.progress.event(Event::Arrived { folder, messages, bytes });
                }
            }
        }
        Ok(())
    }

    /// False for UIDs that the target cannot have given to these messages: another count, another numbering, or UIDs that
    /// were in use before the first message was sent.
    fn can_be_true(&self, appended: &AppendedUids, sent: usize) -> bool {
        let floor = self.lane.floor;
        let is_new = |uid: Uid| uid >= floor.uid_next || self.lane.habits.merges_copies;
        appended.uids.len() == sent as u64
            && appended.uid_validity == floor.uid_validity
            && appended.uids.iter().next().is_some_and(is_new)
    }

    /// What has come, and what comes in a moment; false when nothing comes any more. To write each answer by itself would
    /// keep the disk busy, which the target's server may be waiting for.
    async fn gather(&self, arriving: &mut mpsc::UnboundedReceiver<News>, arrived: &mut Vec<News>) -> bool {
        if arriving.recv_many(arrived, GATHERED).await == 0 {
            return false;
        }
        let mut enough = pin!(self.lane.clock.sleep(GATHERING));
        while arrived.len() < GATHERED {
            tokio::select! {
                biased;
                count = arriving.recv_many(arrived, GATHERED) => if count == 0 { break },
                () = &mut enough => break,
            }
        }
        true
    }

    fn outcome(&self, uid: Uid, state: Option<MessageState>) -> Record {
        Record::Message { folder: self.state.record.folder.clone(), uid, state }
    }
}
