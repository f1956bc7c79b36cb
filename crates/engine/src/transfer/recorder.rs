//! Recorder of outcomes: takes the target's answers, and writes all that have come in one durable step.

use std::{
    collections::{HashMap, HashSet},
    pin::pin,
    time::Duration,
};

use mailhaul_mail::{Digests, Fingerprint, Flags, InternalDate, Uid};
use tokio::sync::mpsc;

use crate::{
    arrivals::Arrival,
    error::Error,
    folder::MessageInfo,
    ledger_state::{CopyRecord, FolderState, LedgerRecord, MessageState},
    limits::read_back_budget::ToCompare,
    ports::{Clock, Event, Ledger, Missing, Progress},
    transfer::{
        context::TransferContext,
        pipe::{Ack, AppendedUids, SentMessage, TransferEvent},
    },
};

/// Time in which outcomes are gathered for one write.
const GATHER_TIME: Duration = Duration::from_millis(50);

/// Maximum number of events in one write.
const MAX_GATHERED_EVENTS: usize = 4096;

/// A message that the target acknowledged.
#[derive(Clone, Debug)]
pub(crate) struct Acknowledged {
    pub(crate) uid: Uid,
    /// UID on the target, if the target returned a plausible one.
    pub(crate) target_uid: Option<Uid>,
    /// Bytes sent; `None` if only the ledger knows the message.
    pub(crate) bytes: Option<u64>,
    /// Bytes of the copy: those sent, or as the source claimed.
    pub(crate) size: u64,
    /// Fingerprint of the bytes sent; `None` if unknown.
    pub(crate) fingerprint: Option<Fingerprint>,
    pub(crate) digests: Option<Digests>,
    /// Flags that were sent with it.
    pub(crate) flags: Flags,
    pub(crate) date: Option<InternalDate>,
}

impl Acknowledged {
    /// Returns `None` if the copy's UID or its bytes are unknown.
    pub(crate) fn to_compare(&self) -> Option<ToCompare> {
        Some(ToCompare { uid: self.target_uid?, digests: self.digests?, size: self.size })
    }
}

/// Result of one transfer.
#[derive(Debug, Default)]
pub(crate) struct Transferred {
    pub(crate) acknowledged: Vec<Acknowledged>,
    /// Messages of refused commands: to be sent again in smaller commands, or skipped if alone.
    pub(crate) refused: Vec<(Vec<Uid>, Error)>,
    /// Messages that the source did not deliver.
    pub(crate) missing: Vec<(Uid, Missing)>,
}

impl Transferred {
    /// The messages with a known outcome.
    pub(crate) fn answered(&self) -> HashSet<Uid> {
        let acknowledged = self.acknowledged.iter().map(|it| it.uid);
        let refused = self.refused.iter().flat_map(|(uids, _)| uids.iter().copied());
        acknowledged.chain(refused).chain(self.missing.iter().map(|(uid, _)| *uid)).collect()
    }
}

/// Outcomes of one durable write.
#[derive(Default)]
struct OutcomeBatch {
    records: Vec<LedgerRecord>,
    /// Messages with a known target UID and all their flags.
    located: Vec<Uid>,
    /// Those that came to the source lately.
    arrivals: Vec<Arrival>,
    /// Number of messages that arrived, and their bytes.
    messages: u64,
    bytes: u64,
}

pub(crate) struct Recorder<'a, L, P, C> {
    context: &'a TransferContext<'a, L, P, C>,
    state: &'a mut FolderState,
    sizes: HashMap<Uid, &'a MessageInfo>,
    sent: HashMap<Uid, SentMessage>,
    done: Transferred,
}

impl<'a, L: Ledger, P: Progress, C: Clock> Recorder<'a, L, P, C> {
    pub(crate) fn new(
        context: &'a TransferContext<'a, L, P, C>,
        state: &'a mut FolderState,
        messages: &[&'a MessageInfo],
    ) -> Self {
        Self {
            context,
            state,
            sizes: messages.iter().map(|message| (message.uid, *message)).collect(),
            sent: HashMap::new(),
            done: Transferred::default(),
        }
    }

    pub(crate) fn into_transferred(self) -> Transferred {
        self.done
    }

    pub(crate) async fn run(
        &mut self,
        arriving: &mut mpsc::UnboundedReceiver<TransferEvent>,
    ) -> Result<(), Error> {
        let mut arrived = Vec::new();
        while self.gather(arriving, &mut arrived).await {
            let mut batch = OutcomeBatch::default();
            for event in arrived.drain(..) {
                match event {
                    TransferEvent::Sent(uid, message) => {
                        self.sent.insert(uid, message);
                    }
                    TransferEvent::Answer(ack) => self.take_answer(ack, &mut batch),
                }
            }
            self.write(batch).await?;
        }
        Ok(())
    }

    fn take_answer(&mut self, ack: Ack, batch: &mut OutcomeBatch) {
        let Ack { sent, result, is_bare } = ack;
        match result {
            Ok(appended) => {
                let known = appended.filter(|appended| self.can_be_true(appended, sent.len()));
                let mut target_uids = known.iter().flat_map(|appended| appended.uids.iter());
                for uid in sent {
                    self.take_acknowledged(uid, target_uids.next(), is_bare, batch);
                }
            }
            Err(error) => {
                for uid in &sent {
                    self.sent.remove(uid);
                    batch.records.push(self.outcome(*uid, None));
                }
                self.done.refused.push((sent, error));
            }
        }
    }

    fn take_acknowledged(
        &mut self,
        uid: Uid,
        target_uid: Option<Uid>,
        is_bare: bool,
        batch: &mut OutcomeBatch,
    ) {
        let (Some(sent), Some(message)) = (self.sent.remove(&uid), self.sizes.get(&uid)) else {
            return;
        };
        let SentMessage { fingerprint, digests, bytes: length, arrival } = sent;
        batch.arrivals.extend(arrival);
        batch.messages += 1;
        batch.bytes += length;
        // A message whose flags are still to be set is not done.
        if target_uid.is_some() && (!is_bare || message.flags.is_empty()) {
            batch.located.push(uid);
        }
        let copied = CopyRecord {
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
        batch.records.push(self.outcome(uid, Some(MessageState::Done(copied))));
    }

    async fn write(&mut self, batch: OutcomeBatch) -> Result<(), Error> {
        let OutcomeBatch { mut records, located, arrivals, messages, bytes } = batch;
        if records.is_empty() {
            return Ok(());
        }
        if !arrivals.is_empty() {
            records.push(LedgerRecord::Arrived { folder: self.state.record.folder.clone(), arrivals });
        }
        self.context.ledger.record(&records).await?;
        self.state.apply_all(&records);
        // This pass needs them no more, and half a million would fill the memory.
        for uid in located {
            self.state.messages.remove(&uid);
        }
        if messages > 0 {
            let folder = &self.state.record.folder;
            self.context.progress.event(Event::Arrived { folder, messages, bytes });
        }
        Ok(())
    }

    /// False for UIDs that the target cannot have given to these messages.
    ///
    /// These are another number of UIDs, another UIDVALIDITY, or UIDs that were in use before the first message was
    /// sent.
    fn can_be_true(&self, appended: &AppendedUids, sent: usize) -> bool {
        let append_start = self.context.append_start;
        let is_new = |uid: Uid| uid >= append_start.uid_next || self.context.habits.merges_copies;
        appended.uids.len() == sent as u64
            && appended.uid_validity == append_start.uid_validity
            && appended.uids.iter().next().is_some_and(is_new)
    }

    /// Gathers events for one write; false at the end of the transfer.
    ///
    /// A write for each answer would keep the disk busy, and the target server may be waiting for that disk.
    async fn gather(
        &self,
        arriving: &mut mpsc::UnboundedReceiver<TransferEvent>,
        arrived: &mut Vec<TransferEvent>,
    ) -> bool {
        if arriving.recv_many(arrived, MAX_GATHERED_EVENTS).await == 0 {
            return false;
        }
        let mut enough = pin!(self.context.clock.sleep(GATHER_TIME));
        while arrived.len() < MAX_GATHERED_EVENTS {
            tokio::select! {
                biased;
                count = arriving.recv_many(arrived, MAX_GATHERED_EVENTS) => if count == 0 { break },
                () = &mut enough => break,
            }
        }
        true
    }

    fn outcome(&self, uid: Uid, state: Option<MessageState>) -> LedgerRecord {
        LedgerRecord::Message { folder: self.state.record.folder.clone(), uid, state }
    }
}
