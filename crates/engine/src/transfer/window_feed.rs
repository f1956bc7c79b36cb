//! Feed of a transfer: returns messages window by window, each window after its intents are durable.

use std::{
    collections::{HashMap, VecDeque},
    sync::OnceLock,
};

use mailhaul_mail::{FolderPath, MessageHasher, Uid, UidSet};
use tokio::sync::mpsc;

use crate::{
    arrivals::ArrivalReader,
    error::Error,
    folder::MessageInfo,
    ledger_state::LedgerRecord,
    ports::{Clock, Ledger, Progress},
    transfer::{
        context::TransferContext,
        pipe::{AppendPart, Envelope, Feed, FetchedPart, PipeReader, SentMessage, TransferEvent},
    },
};

/// Messages between two durable writes of intents.
const WINDOW_MESSAGES: usize = 500;

/// Bytes, as claimed, between two durable writes of intents.
const WINDOW_OCTETS: u64 = 64 << 20;

/// A message on its way.
struct CurrentMessage<'a> {
    uid: Uid,
    hasher: MessageHasher,
    /// Announced bytes.
    bytes: u64,
    arrival: Option<ArrivalReader<'a>>,
}

impl CurrentMessage<'_> {
    fn read(&mut self, octets: &[u8]) {
        self.hasher.update(octets);
        if let Some(arrival) = &mut self.arrival {
            arrival.read(octets);
        }
    }
}

pub(crate) struct WindowFeed<'a, L, P, C> {
    context: &'a TransferContext<'a, L, P, C>,
    /// The reason to end early: a limit that lasts.
    halted: &'a OnceLock<Error>,
    folder: &'a FolderPath,
    inlet: PipeReader,
    /// Messages that were not returned yet, by UID.
    waiting: HashMap<Uid, &'a MessageInfo>,
    /// Messages in the requested order; the front is the first one without an intent.
    order: VecDeque<(Uid, u64)>,
    /// Messages with an intent.
    intended: UidSet,
    /// The message whose chunks are being read.
    current: Option<CurrentMessage<'a>>,
    events: mpsc::UnboundedSender<TransferEvent>,
}

impl<'a, L: Ledger, P: Progress, C: Clock> WindowFeed<'a, L, P, C> {
    pub(crate) fn new(
        context: &'a TransferContext<'a, L, P, C>,
        halted: &'a OnceLock<Error>,
        folder: &'a FolderPath,
        inlet: PipeReader,
        messages: &[&'a MessageInfo],
        events: mpsc::UnboundedSender<TransferEvent>,
    ) -> Self {
        Self {
            context,
            halted,
            folder,
            inlet,
            waiting: messages.iter().map(|message| (message.uid, *message)).collect(),
            order: messages.iter().map(|message| (message.uid, message.size)).collect(),
            intended: UidSet::new(),
            current: None,
            events,
        }
    }

    /// Returns the message's envelope after its intent is durable.
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
            let intent = LedgerRecord::Intended {
                folder: self.folder.clone(),
                append_start: self.context.append_start,
                uids: window,
            };
            self.context.ledger.record(&[intent]).await?;
        }
        Ok(Some(Envelope { uid, flags: message.flags.clone(), internal_date: message.internal_date }))
    }

    /// Waits until the limits allow the message, of which `at_once` bytes go at once. False if the wait would be long.
    async fn may_go(&self, uid: Uid, octets: u64, at_once: u64) -> bool {
        let context = self.context;
        if context.limits.throttles.is_empty() || !self.waiting.contains_key(&uid) {
            return true;
        }
        match context.limits.message(context.clock, context.stop, octets, at_once).await {
            Ok(()) => true,
            Err(error) => {
                // Messages on their way are completed. Then the transfer fails with this error.
                let _first = self.halted.set(error);
                false
            }
        }
    }

    /// Begins to read a message.
    fn begin(&self, envelope: &Envelope, bytes: u64) -> CurrentMessage<'a> {
        let context = self.context;
        CurrentMessage {
            uid: envelope.uid,
            hasher: MessageHasher::new(),
            bytes,
            arrival: ArrivalReader::new(context.arrivals, envelope.internal_date, context.clock.now()),
        }
    }

    fn sent(&self, message: CurrentMessage<'_>) {
        let CurrentMessage { uid, hasher, bytes, arrival } = message;
        let (fingerprint, digests) = hasher.finish();
        let arrival = arrival.map(ArrivalReader::finish);
        let sent = SentMessage { fingerprint, digests, bytes, arrival };
        // The recorder outlives the feed unless the pass has failed already.
        let _ = self.events.send(TransferEvent::Sent(uid, sent));
    }
}

impl<L: Ledger, P: Progress, C: Clock> Feed for WindowFeed<'_, L, P, C> {
    async fn next(&mut self) -> Result<Option<AppendPart>, Error> {
        loop {
            if self.current.is_none() && self.context.stop.is_cancelled() {
                return Ok(None);
            }
            let Some(piece) = self.inlet.next().await else {
                return match self.current {
                    None => Ok(None),
                    Some(_) => Err(Error::session("the source ended in the middle of a message")),
                };
            };
            match piece {
                FetchedPart::Message(uid, body) => {
                    let octets = body.len() as u64;
                    if !self.may_go(uid, octets, octets).await {
                        return Ok(None);
                    }
                    if let Some(envelope) = self.announce(uid).await? {
                        let mut message = self.begin(&envelope, octets);
                        message.read(&body);
                        self.sent(message);
                        return Ok(Some(AppendPart::Message(envelope, body)));
                    }
                }
                FetchedPart::Start(uid, length) => {
                    if !self.may_go(uid, length, 0).await {
                        return Ok(None);
                    }
                    if let Some(envelope) = self.announce(uid).await? {
                        self.current = Some(self.begin(&envelope, length));
                        return Ok(Some(AppendPart::Start(envelope, length)));
                    }
                }
                FetchedPart::Chunk(octets) => {
                    if let Some(message) = &mut self.current {
                        message.read(&octets);
                        let context = self.context;
                        context.limits.octets(context.clock, context.stop, octets.len() as u64).await;
                        return Ok(Some(AppendPart::Chunk(octets)));
                    }
                }
                FetchedPart::End => {
                    if let Some(message) = self.current.take() {
                        self.sent(message);
                        return Ok(Some(AppendPart::End));
                    }
                }
            }
        }
    }

    fn is_ready(&self) -> bool {
        self.inlet.is_ready()
    }
}
