//! The pipe between source and target: bounded in octets, one way.
//!
//! The source pushes pieces through an [`PipeWriter`]; the target pulls offers from a [`Feed`] and reports each answer to
//! [`Acks`]. Nobody waits for a single message.

use std::{future::Future, sync::Arc};

use bytes::Bytes;
use mailhaul_mail::{Digests, Fingerprint, Flags, InternalDate, Uid, UidSet, UidValidity};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc};

use crate::error::Error;

/// A part of a message, on its way from the source.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum FetchedPart {
    /// A message, whole.
    Message(Uid, Bytes),
    /// A larger message begins: this many octets follow in chunks.
    Start(Uid, u64),
    /// Its next octets.
    Chunk(Bytes),
    /// All of its octets were sent.
    End,
}

impl FetchedPart {
    fn weight(&self) -> usize {
        match self {
            Self::Message(_, octets) | Self::Chunk(octets) => octets.len(),
            Self::Start(..) | Self::End => 0,
        }
    }
}

/// How many octets may be under way between sources and targets. Clones share it.
#[derive(Clone, Debug)]
pub struct Budget {
    octets: Arc<Semaphore>,
    /// Of these, what may wait for its turn.
    aside: Arc<Semaphore>,
    /// One message at a time may be held whole beside them.
    whole: Arc<Semaphore>,
    limit: u32,
}

impl Budget {
    /// A budget of so many octets. A single piece larger than half of that counts as half of it.
    pub fn new(octets: u32) -> Self {
        let limit = octets.max(1);
        let semaphore = |permits: u32| Arc::new(Semaphore::new(permits as usize));
        Self { octets: semaphore(limit), aside: semaphore(limit / 2), whole: semaphore(1), limit }
    }

    /// The turn of a message that must be held whole, which is not counted here: one in the process at a time.
    pub(crate) async fn whole(&self) -> Option<OwnedSemaphorePermit> {
        self.whole.clone().acquire_owned().await.ok()
    }
}

/// Octets that may wait for their turn, for whoever asks for them out of turn.
#[derive(Debug)]
pub struct ReservedBytes(OwnedSemaphorePermit);

/// Octets of the budget for a message that waits for its turn.
#[derive(Debug)]
pub struct BudgetShare {
    octets: OwnedSemaphorePermit,
    aside: OwnedSemaphorePermit,
}

/// A piece and its share of the budget, given back when the piece is done with.
type Carried = (FetchedPart, OwnedSemaphorePermit);

/// Where a source puts messages.
pub struct PipeWriter {
    pieces: mpsc::Sender<Carried>,
    budget: Budget,
}

/// Where messages come out.
pub struct PipeReader {
    pieces: mpsc::Receiver<Carried>,
    /// The share of the piece given out last.
    held: Option<OwnedSemaphorePermit>,
}

/// A pipe within the budget.
pub fn pipe(budget: &Budget) -> (PipeWriter, PipeReader) {
    let (sender, receiver) = mpsc::channel(1024);
    (PipeWriter { pieces: sender, budget: budget.clone() }, PipeReader { pieces: receiver, held: None })
}

/// Nobody listens to the outlet any more.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PipeClosed;

impl PipeWriter {
    /// Waits until there is room, and sends.
    pub async fn send(&self, piece: FetchedPart) -> Result<(), PipeClosed> {
        let share = self.budget.octets.clone().acquire_many_owned(self.weight(&piece)).await;
        self.pieces.send((piece, share.map_err(|_| PipeClosed)?)).await.map_err(|_| PipeClosed)
    }

    /// Room for so many octets that may come before their turn. `None` where more than half of the budget would wait for its
    /// turn: it must not keep back those whose turn it is. Never waits.
    pub fn room(&self, octets: u64) -> Option<ReservedBytes> {
        let octets = u32::try_from(octets).ok()?;
        self.budget.aside.clone().try_acquire_many_owned(octets).ok().map(ReservedBytes)
    }

    /// A share for a message of so many octets that is not to be sent yet; waits until the budget has it. `None` where there
    /// is no room: more came than was announced.
    pub async fn set_aside(&self, room: &mut ReservedBytes, octets: u64) -> Option<BudgetShare> {
        if let Some(lacking) = octets.checked_sub(room.0.num_permits() as u64).filter(|it| *it > 0) {
            room.0.merge(self.room(lacking)?.0);
        }
        let octets = u32::try_from(octets).ok()?;
        let aside = room.0.split(octets as usize)?;
        // What is in the pipes goes on, whoever waits here.
        let octets = self.budget.octets.clone().acquire_many_owned(octets).await.ok()?;
        Some(BudgetShare { octets, aside })
    }

    /// Sends a piece of a message that was set aside, out of its share.
    pub async fn send_aside(&self, share: &mut BudgetShare, piece: FetchedPart) -> Result<(), PipeClosed> {
        let weight = piece.weight();
        drop(share.aside.split(weight));
        match share.octets.split(weight) {
            Some(octets) => self.pieces.send((piece, octets)).await.map_err(|_| PipeClosed),
            // More came than was announced.
            None => self.send(piece).await,
        }
    }

    fn weight(&self, piece: &FetchedPart) -> u32 {
        u32::try_from(piece.weight()).unwrap_or(u32::MAX).min(self.budget.limit.div_ceil(2))
    }
}

impl PipeReader {
    /// The next piece; `None` when the outlet is gone.
    pub async fn next(&mut self) -> Option<FetchedPart> {
        self.held = None;
        let (piece, share) = self.pieces.recv().await?;
        self.held = Some(share);
        Some(piece)
    }

    /// Whether a piece waits.
    pub fn is_ready(&self) -> bool {
        !self.pieces.is_empty()
    }
}

/// A message, or a part of one, for the target.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum AppendPart {
    /// A message, whole.
    Message(Envelope, Bytes),
    /// A larger message begins: exactly this many octets follow.
    Start(Envelope, u64),
    /// Its next octets.
    Chunk(Bytes),
    /// It is complete.
    End,
}

/// Where a target takes messages from.
pub trait Feed: Send {
    /// The next offer; `None` when there are no more. An error inside a message means that it can never be completed:
    /// the connection on which its length was announced must be dropped.
    fn next(&mut self) -> impl Future<Output = Result<Option<AppendPart>, Error>> + Send;

    /// Whether `next` would answer at once: if not, this is the moment to flush.
    fn is_ready(&self) -> bool;
}

/// Where UIDs on the target are given in the order in which the messages were offered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AppendedUids {
    /// The target folder's UIDVALIDITY.
    pub uid_validity: UidValidity,
    /// As many as messages in the command, ascending.
    pub uids: UidSet,
}

/// A target's answer to one command.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ack {
    /// The UIDs on the source of the messages in the command, in order.
    pub sent: Vec<Uid>,
    /// Where they are now, or why none of them is there. After a refused command of several messages the target accepts
    /// nothing more from the feed: its messages are offered again before those that follow them.
    /// An error that spoils no more than a message and may be retried at
    /// once means that the target will do otherwise with the same messages next time.
    pub result: Result<Option<AppendedUids>, Error>,
    /// They arrived without their flags, which are still to be set.
    pub is_bare: bool,
}

/// Where a target reports.
#[derive(Clone, Debug)]
pub struct Acks(pub(crate) mpsc::UnboundedSender<TransferEvent>);

impl Acks {
    /// Reports one answer. Never waits.
    pub fn report(&self, ack: Ack) {
        // The receiver outlives the target's work unless the pass has failed already.
        let _ = self.0.send(TransferEvent::Answer(ack));
    }
}

/// What a target reported, outside of a pass.
pub struct Answers(mpsc::UnboundedReceiver<TransferEvent>);

/// Where a target reports, and what comes out: for those who drive a target by themselves.
pub fn acks() -> (Acks, Answers) {
    let (events, arriving) = mpsc::unbounded_channel();
    (Acks(events), Answers(arriving))
}

impl Answers {
    /// The next answer; `None` when nobody reports any more.
    pub async fn next(&mut self) -> Option<Ack> {
        loop {
            if let TransferEvent::Answer(ack) = self.0.recv().await? {
                return Some(ack);
            }
        }
    }
}

/// What reaches the recorder.
#[derive(Debug)]
pub(crate) enum TransferEvent {
    /// A message was handed to the target whole, with these hashes and this many bytes.
    Sent(Uid, Fingerprint, Digests, u64),
    /// The target answered.
    Answer(Ack),
}

/// What a message carries beside its octets.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Envelope {
    /// Its UID on the source.
    pub uid: Uid,
    /// Flags and keywords to set.
    pub flags: Flags,
    /// When it arrived.
    pub internal_date: Option<InternalDate>,
}
