//! The pipe between source and target: bounded in bytes, one way.
//!
//! The source writes parts into a [`PipeWriter`]. The target pulls parts from a [`Feed`] and reports each answer to
//! [`Acks`]. No round trip is spent on a single message.

use std::{future::Future, sync::Arc};

use bytes::Bytes;
use mailhaul_mail::{Digests, Fingerprint, Flags, InternalDate, Uid, UidSet, UidValidity};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc};

use crate::{arrivals::Arrival, error::Error};

/// A part of a message, on its way from the source.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum FetchedPart {
    /// A whole message.
    Message(Uid, Bytes),
    /// A larger message begins: this many bytes follow in chunks.
    Start(Uid, u64),
    /// The next bytes of the message.
    Chunk(Bytes),
    /// All bytes of the message were sent.
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

/// Limit on bytes between sources and targets. Clones share it.
#[derive(Clone, Debug)]
pub struct Budget {
    octets: Arc<Semaphore>,
    /// The part of these bytes that may wait out of order.
    aside: Arc<Semaphore>,
    /// One message at a time may be held whole in addition.
    whole: Arc<Semaphore>,
    limit: u32,
}

impl Budget {
    /// Creates a budget in bytes. A single part larger than half of it counts as half.
    pub fn new(octets: u32) -> Self {
        let limit = octets.max(1);
        let semaphore = |permits: u32| Arc::new(Semaphore::new(permits as usize));
        Self { octets: semaphore(limit), aside: semaphore(limit / 2), whole: semaphore(1), limit }
    }

    /// Waits for the right to hold a whole message, which is not counted here. One in the process at a time.
    pub(crate) async fn whole(&self) -> Option<OwnedSemaphorePermit> {
        self.whole.clone().acquire_owned().await.ok()
    }
}

/// Bytes of the budget that are reserved for messages out of order.
#[derive(Debug)]
pub struct ReservedBytes(OwnedSemaphorePermit);

/// Bytes of the budget for a message that waits for its turn.
#[derive(Debug)]
pub struct BudgetShare {
    octets: OwnedSemaphorePermit,
    aside: OwnedSemaphorePermit,
}

/// A part with its bytes of the budget, which are released after use.
type Carried = (FetchedPart, OwnedSemaphorePermit);

/// The source's end of the pipe.
pub struct PipeWriter {
    pieces: mpsc::Sender<Carried>,
    budget: Budget,
}

/// The target's end of the pipe.
pub struct PipeReader {
    pieces: mpsc::Receiver<Carried>,
    /// Bytes of the part that was read last.
    held: Option<OwnedSemaphorePermit>,
}

/// Creates a pipe within the budget.
pub fn pipe(budget: &Budget) -> (PipeWriter, PipeReader) {
    let (sender, receiver) = mpsc::channel(1024);
    (PipeWriter { pieces: sender, budget: budget.clone() }, PipeReader { pieces: receiver, held: None })
}

/// The reader of the pipe is gone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PipeClosed;

impl PipeWriter {
    /// Waits until the budget allows it, and sends.
    pub async fn send(&self, piece: FetchedPart) -> Result<(), PipeClosed> {
        let share = self.budget.octets.clone().acquire_many_owned(self.weight(&piece)).await;
        self.pieces.send((piece, share.map_err(|_| PipeClosed)?)).await.map_err(|_| PipeClosed)
    }

    /// Reserves bytes for messages out of order. Never waits.
    ///
    /// Returns `None` if more than half of the budget would wait: messages in order must not be blocked.
    pub fn room(&self, octets: u64) -> Option<ReservedBytes> {
        let octets = u32::try_from(octets).ok()?;
        self.budget.aside.clone().try_acquire_many_owned(octets).ok().map(ReservedBytes)
    }

    /// Takes bytes of the budget for a message that is sent later. Waits for them.
    ///
    /// Returns `None` if more bytes came than were announced, and the budget has no more to reserve.
    pub async fn set_aside(&self, room: &mut ReservedBytes, octets: u64) -> Option<BudgetShare> {
        if let Some(lacking) = octets.checked_sub(room.0.num_permits() as u64).filter(|it| *it > 0) {
            room.0.merge(self.room(lacking)?.0);
        }
        let octets = u32::try_from(octets).ok()?;
        let aside = room.0.split(octets as usize)?;
        // The parts in the pipes proceed during this wait.
        let octets = self.budget.octets.clone().acquire_many_owned(octets).await.ok()?;
        Some(BudgetShare { octets, aside })
    }

    /// Sends a part of a message out of its own bytes.
    pub async fn send_aside(&self, share: &mut BudgetShare, piece: FetchedPart) -> Result<(), PipeClosed> {
        let weight = piece.weight();
        drop(share.aside.split(weight));
        match share.octets.split(weight) {
            Some(octets) => self.pieces.send((piece, octets)).await.map_err(|_| PipeClosed),
            // More bytes came than were announced.
            None => self.send(piece).await,
        }
    }

    fn weight(&self, piece: &FetchedPart) -> u32 {
        u32::try_from(piece.weight()).unwrap_or(u32::MAX).min(self.budget.limit.div_ceil(2))
    }
}

impl PipeReader {
    /// Returns the next part; `None` when the writer is gone.
    pub async fn next(&mut self) -> Option<FetchedPart> {
        self.held = None;
        let (piece, share) = self.pieces.recv().await?;
        self.held = Some(share);
        Some(piece)
    }

    /// True if a part is ready.
    pub fn is_ready(&self) -> bool {
        !self.pieces.is_empty()
    }
}

/// A message, or a part of one, for the target.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum AppendPart {
    /// A whole message.
    Message(Envelope, Bytes),
    /// A larger message begins: exactly this many bytes follow.
    Start(Envelope, u64),
    /// The next bytes of the message.
    Chunk(Bytes),
    /// The message is complete.
    End,
}

/// The source of messages for a target.
pub trait Feed: Send {
    /// Returns the next part; `None` when there are no more.
    ///
    /// An error inside a message means that the message can never be completed. The connection on which its length was
    /// announced must be dropped.
    fn next(&mut self) -> impl Future<Output = Result<Option<AppendPart>, Error>> + Send;

    /// True if `next` would return at once. If not, the target flushes now.
    fn is_ready(&self) -> bool;
}

/// UIDs on the target, in the order in which the messages were sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AppendedUids {
    /// The target folder's UIDVALIDITY.
    pub uid_validity: UidValidity,
    /// One UID for each message in the command, ascending.
    pub uids: UidSet,
}

/// The target's answer to one command.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ack {
    /// Source UIDs of the messages in the command, in order.
    pub sent: Vec<Uid>,
    /// The new UIDs, or the reason why none of the messages is there.
    ///
    /// After a refused command of several messages, the target accepts nothing more from the feed: its messages are
    /// sent again before those that follow them. An error of at most one message that may be retried at once asks for
    /// another form of the same messages.
    pub result: Result<Option<AppendedUids>, Error>,
    /// True if the messages arrived without their flags, which are still to be set.
    pub is_bare: bool,
}

/// Sender of a target's answers.
#[derive(Clone, Debug)]
pub struct Acks(pub(crate) mpsc::UnboundedSender<TransferEvent>);

impl Acks {
    /// Reports one answer. Never waits.
    pub fn report(&self, ack: Ack) {
        // The receiver outlives the target's task unless the pass has failed already.
        let _ = self.0.send(TransferEvent::Answer(ack));
    }
}

/// Receiver of a target's answers, outside of a pass.
pub struct Answers(mpsc::UnboundedReceiver<TransferEvent>);

/// Creates both ends, for callers that use a target outside of a pass.
pub fn acks() -> (Acks, Answers) {
    let (events, arriving) = mpsc::unbounded_channel();
    (Acks(events), Answers(arriving))
}

impl Answers {
    /// Returns the next answer; `None` when the sender is gone.
    pub async fn next(&mut self) -> Option<Ack> {
        loop {
            if let TransferEvent::Answer(ack) = self.0.recv().await? {
                return Some(ack);
            }
        }
    }
}

/// Input of the recorder.
#[derive(Debug)]
pub(crate) enum TransferEvent {
    /// A whole message was given to the target.
    Sent(Uid, SentMessage),
    Answer(Ack),
}

/// Facts of a message that was given to the target.
#[derive(Debug)]
pub(crate) struct SentMessage {
    pub(crate) fingerprint: Fingerprint,
    pub(crate) digests: Digests,
    pub(crate) bytes: u64,
    /// Its way to the source, if it came lately.
    pub(crate) arrival: Option<Arrival>,
}

/// Data of a message besides its bytes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Envelope {
    /// UID on the source.
    pub uid: Uid,
    /// Flags and keywords to set.
    pub flags: Flags,
    /// Date of arrival.
    pub internal_date: Option<InternalDate>,
}
