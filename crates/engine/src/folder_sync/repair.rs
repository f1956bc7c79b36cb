//! Messages that the target refuses as they are: edited as far as the operator allows, and offered once more, each alone.

use std::collections::{BTreeMap, HashMap};

use bytes::Bytes;
use mailhaul_mail::{
    Digests, Fingerprint, Flags, Retry, Scope, Sha256, Uid, UidSet, UidValidity,
    repair::{LONGEST_LINE, Repairs, needed, repair},
};

use crate::{
    error::{Error, ErrorKind},
    folder::MessageInfo,
    folder_sync::copying::TRIES,
    folder_sync::job::{Work, forgotten},
    ledger_state::{Edited, Floor, FolderState, Likeness, MessageState, Record},
    matching::on_target::taken,
    pass::Pass,
    ports::{Clock, Envelope, Event, Ledger, Missing, Progress, Source, Target, Wanted},
    report::RepairedItem,
    transfer::Acknowledged,
    transfer::pipe::{Ack, Feed, Offer, Piece, acks, pipe},
};

/// Larger messages are not edited (octets). To be edited, a message must be held whole, one in the process at a time: with
/// its edited form, which may be three times as large, that is the most that repairs add to the memory.
pub const MOST_WHOLE: u64 = 64 << 20;

/// What may be edited in messages that the target refuses.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RepairRules {
    /// These repairs, and no others.
    pub allowed: Repairs,
    /// The longest line that the target takes, as far as is known (octets, without its end).
    pub longest_line: usize,
    /// What the operator calls the option that allows more.
    pub option: &'static str,
}

impl Default for RepairRules {
    fn default() -> Self {
        Self { allowed: Repairs::default(), longest_line: LONGEST_LINE, option: "-Repair" }
    }
}

/// Whether the target refused a message for what it is made of, as far as its answer tells.
pub(crate) fn may_be_malformed(error: &Error) -> bool {
    error.kind == ErrorKind::Refused && error.retry == Retry::Never && error.scope <= Scope::Message
}

/// What the source gave.
pub(crate) enum Given {
    Whole(Vec<u8>),
    Missing(Missing),
    TooLarge,
}

/// Messages of the target folder that belong to nobody: one of them may be a copy of which a lost ledger knew.
type Strangers = BTreeMap<Uid, (MessageInfo, Fingerprint)>;

impl<S: Source, T: Target, L: Ledger, P: Progress, C: Clock> Pass<'_, S, T, L, P, C> {
    /// Deals with all messages of the folder that the target refused as they are: what may be edited and then arrives is
    /// copied, the rest is skipped.
    pub(crate) async fn mend(
        &mut self,
        work: &mut Work,
        state: &mut FolderState,
        messages: &HashMap<Uid, &MessageInfo>,
        floor: Floor,
        owned: &UidSet,
    ) -> Result<Vec<Acknowledged>, Error> {
        let (mut strangers, mut acknowledged) = (None, Vec::new());
        while let Some((uid, words)) = work.refused.first_key_value().map(|(uid, it)| (*uid, it.clone())) {
            if self.stop.is_cancelled() {
                return Err(Error::interrupted());
            }
            if let Some(message) = messages.get(&uid) {
                let sent = self.mend_one(work, state, message, words, floor, owned, &mut strangers);
                acknowledged.extend(Box::pin(sent).await?);
            }
            work.refused.remove(&uid);
        }
        Ok(acknowledged)
    }

    #[expect(clippy::too_many_arguments, reason = "the folder, the message, and where its copy may be")]
    async fn mend_one(
        &mut self,
        work: &mut Work,
        state: &mut FolderState,
        message: &MessageInfo,
        words: String,
        floor: Floor,
        owned: &UidSet,
        strangers: &mut Option<Strangers>,
    ) -> Result<Option<Acknowledged>, Error> {
        let rules = self.options.repairs.clone();
        let _turn = self.budget.whole().await;
        let original = match Box::pin(self.fetch_whole(work, message)).await? {
            Given::Whole(octets) => octets,
            Given::Missing(missing) => {
                self.tell_missing(work, message, missing);
                return Ok(None);
            }
            Given::TooLarge if rules.allowed.is_empty() => {
                self.tell_skipped(work, message, words);
                return Ok(None);
            }
            Given::TooLarge => {
                let reason = format!("{words}; larger than what is repaired ({MOST_WHOLE} octets)");
                self.tell_skipped(work, message, reason);
                return Ok(None);
            }
        };
        let Some(repaired) = repair(&original, &rules.allowed, rules.longest_line) else {
            let reason = words + &advice(&original, &rules);
            self.tell_skipped(work, message, reason);
            return Ok(None);
        };
        let edited = Edited {
            original: Likeness::of(&original),
            copy: Likeness::of(&repaired.octets),
            sha256: Sha256::of(&original),
            edits: repaired.words(),
            subject: self.subject(work, message.uid).await?,
        };
        let hint = advice(&original, &rules);
        drop(original);
        if let Some(first) = first_unrecorded(state, floor)
            && let Some(found) =
                Box::pin(self.find_stranger(work, state, &edited, owned, strangers, first)).await?
        {
            // Flags that only the target has were set there: they stay.
            let flags = found.flags.filtered(|name| message.flags.contains(name));
            let copied = edited.copied(Some(found.uid), flags, false);
            let done = outcome(work, message.uid, MessageState::Done(copied));
            self.record(state, &[done]).await?;
            work.tally.already += 1;
            self.tell_repaired(work, message.uid, &edited);
            return Ok(None);
        }
        let intent = Record::Intended {
            folder: work.source.clone(),
            floor,
            uids: [message.uid].into_iter().collect(),
        };
        let form = outcome(work, message.uid, MessageState::Repairing(Box::new(edited.clone())));
        self.record(state, &[intent, form]).await?;
        let bytes = repaired.octets.len() as u64;
        let (answer, result) = Box::pin(self.offer_patiently(work, message, repaired.octets.into())).await?;
        let mut acknowledged = None;
        match answer {
            Ok(Arrived { place, is_bare }) => {
                let target_uid = place.filter(|it| it.0 == floor.uid_validity).map(|it| it.1);
                // What the target did not take with the message is set with the other flags of the folder.
                let flags = if is_bare { Flags::new() } else { message.flags.clone() };
                acknowledged = Some(Acknowledged {
                    uid: message.uid,
                    target_uid,
                    bytes: Some(bytes),
                    size: bytes,
                    // The original is not what was sent: the copy is not compared with it.
                    fingerprint: None,
                    digests: None,
                    flags: flags.clone(),
                    date: message.internal_date,
                });
                let copied = edited.copied(target_uid, flags, true);
                let done = outcome(work, message.uid, MessageState::Done(copied));
                self.record(state, &[done]).await?;
                work.tally.copied += 1;
                work.tally.bytes += message.size;
                let (folder, bytes) = (&work.source, message.size);
                self.progress.event(Event::Arrived { folder, messages: 1, bytes });
                self.tell_repaired(work, message.uid, &edited);
            }
            Err(error) => {
                self.record(state, &[forgotten(&work.source, message.uid)]).await?;
                if error.scope > Scope::Message && !work.refusals.may_be_of_one(&error) {
                    return Err(error);
                }
                let again = format!("edited ({}), it was refused again", edited.edits);
                let reason = format!("{words}; {again}: {}{hint}", error.message);
                self.tell_skipped(work, message, reason);
            }
        }
        result.map(|()| acknowledged)
    }

    pub(crate) async fn fetch_whole(&mut self, work: &Work, message: &MessageInfo) -> Result<Given, Error> {
        if message.size > MOST_WHOLE {
            return Ok(Given::TooLarge);
        }
        let wanted = [Wanted { uid: message.uid, size: message.size }];
        let (outlet, mut inlet) = pipe(self.budget);
        let collecting = async {
            let (mut octets, mut length, mut is_whole) = (Vec::new(), 0, false);
            let mut take = |more: &[u8]| {
                length += more.len() as u64;
                // Whatever the source claimed.
                if length <= MOST_WHOLE {
                    octets.extend_from_slice(more);
                }
            };
            while let Some(piece) = inlet.next().await {
                match piece {
                    Piece::Message(_, body) => {
                        take(&body);
                        is_whole = true;
                    }
                    Piece::Start(..) => {}
                    Piece::Chunk(more) => take(&more),
                    Piece::End => is_whole = true,
                }
            }
            (octets, length, is_whole)
        };
        let fetching = self.source.fetch(&work.source, &wanted, outlet);
        let (missing, (octets, length, is_whole)) = futures_util::join!(fetching, collecting);
        Ok(match missing?.pop() {
            Some((_, missing)) => Given::Missing(missing),
            None if length > MOST_WHOLE => Given::TooLarge,
            None if is_whole => Given::Whole(octets),
            None => return Err(Error::session("the source ended in the middle of a message")),
        })
    }

    async fn subject(&mut self, work: &Work, uid: Uid) -> Result<Option<String>, Error> {
        match self.source.subjects(&work.source, &[uid].into_iter().collect()).await {
            Ok(subjects) => Ok(subjects.into_iter().next().map(|(_, subject)| subject)),
            // The report lacks it then, and nothing else does.
            Err(error) if error.scope <= Scope::Folder => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Looks among messages of the target that are not in the ledger, from this UID on.
    async fn find_stranger(
        &mut self,
        work: &mut Work,
        state: &FolderState,
        edited: &Edited,
        owned: &UidSet,
        strangers: &mut Option<Strangers>,
        first: Uid,
    ) -> Result<Option<MessageInfo>, Error> {
        if strangers.is_none() {
            *strangers = Some(self.strangers(work, state, owned, first).await?);
        }
        let Some(strangers) = strangers else { return Ok(None) };
        let alike = strangers.values().filter(|(_, it)| *it == edited.copy.fingerprint);
        let alike: UidSet = alike.map(|(it, _)| it.uid).collect();
        if alike.is_empty() {
            return Ok(None);
        }
        let read: Vec<(Uid, Digests)> = self.target.digests(&work.target, &alike).await?;
        let same = read.into_iter().find(|(_, digests)| digests.same_message(&edited.copy.digests));
        Ok(same.and_then(|(uid, _)| strangers.remove(&uid)).map(|(found, _)| found))
    }

    async fn strangers(
        &mut self,
        work: &mut Work,
        state: &FolderState,
        owned: &UidSet,
        first: Uid,
    ) -> Result<Strangers, Error> {
        if !work.is_quiet {
            self.wait_until_quiet(&work.target).await?;
            work.is_quiet = true;
        }
        // What arrived in this pass is in the ledger alone.
        let all = self.ledger.folder(&work.source).await?;
        let owned = taken(all.as_ref().unwrap_or(state), owned);
        let mut there = self.target.scan(&work.target, None).await?.messages;
        there.retain(|it| it.uid >= first && !owned.contains(it.uid));
        if there.is_empty() {
            return Ok(Strangers::new());
        }
        let uids: UidSet = there.iter().map(|it| it.uid).collect();
        let fingerprints: HashMap<Uid, _> =
            self.target.fingerprints(&work.target, &uids).await?.into_iter().collect();
        let stranger = |it: MessageInfo| Some((it.uid, (it.clone(), *fingerprints.get(&it.uid)?)));
        Ok(there.into_iter().filter_map(stranger).collect())
    }

    /// Offers the octets in the message's place, again where the target wants to do otherwise with them. Its answer, and how
    /// the connection is since. An error: nobody knows whether they arrived.
    async fn offer_patiently(
        &mut self,
        work: &Work,
        message: &MessageInfo,
        octets: Bytes,
    ) -> Result<(Result<Arrived, Error>, Result<(), Error>), Error> {
        let mut tries = 0;
        loop {
            let (answer, result) = self.offer(work, message, octets.clone()).await?;
            let is_again = |error: &Error| error.scope <= Scope::Message && error.retry == Retry::Now;
            if !(answer.as_ref().is_err_and(is_again) && result.is_ok() && tries < TRIES) {
                return Ok((answer, result));
            }
            tries += 1;
        }
    }

    async fn offer(
        &mut self,
        work: &Work,
        message: &MessageInfo,
        octets: Bytes,
    ) -> Result<(Result<Arrived, Error>, Result<(), Error>), Error> {
        let envelope =
            Envelope { uid: message.uid, flags: message.flags.clone(), internal_date: message.internal_date };
        let (acks, mut answers) = acks();
        let feed = One(Some(Offer::Message(envelope, octets)));
        let result = self.target.append(&work.target, 1, feed, acks).await;
        let Some(Ack { result: answer, is_bare, .. }) = answers.next().await else {
            return result.and_then(|()| Err(Error::session("the target gave no answer")));
        };
        let arrived = answer.map(|told| {
            let place = told.and_then(|it| Some((it.uid_validity, it.uids.iter().next()?)));
            Arrived { place, is_bare }
        });
        Ok((arrived, result))
    }

    pub(crate) fn tell_repaired(&self, work: &mut Work, uid: Uid, edited: &Edited) {
        let item = RepairedItem::of(uid, edited);
        self.progress.event(Event::Repaired { folder: &work.source, item: &item });
        work.name_repaired(item);
    }
}

/// Where messages of the target begin that may be copies of which the ledger lost the record: everywhere in a folder that
/// is new to it; else behind what it knew when the folder was last settled, as where an older ledger was restored.
fn first_unrecorded(state: &FolderState, floor: Floor) -> Option<Uid> {
    let record = &state.record;
    if record.cursor.is_none() {
        return Some(Uid::FIRST);
    }
    let same_numbers = record.target_validity == Some(floor.uid_validity);
    record.target_next.filter(|it| same_numbers && *it < floor.uid_next)
}

/// The target has the message.
struct Arrived {
    /// Where, if it tells.
    place: Option<(UidValidity, Uid)>,
    /// Without its flags.
    is_bare: bool,
}

fn outcome(work: &Work, uid: Uid, state: MessageState) -> Record {
    Record::Message { folder: work.source.clone(), uid, state: Some(state) }
}

/// Which repairs that are not allowed would change something, as words behind the server's.
fn advice(original: &[u8], rules: &RepairRules) -> String {
    let others = needed(original, rules.longest_line).without(&rules.allowed);
    if others.is_empty() {
        String::new()
    } else {
        format!("; {} {others} may make it acceptable", rules.option)
    }
}

/// One message, whole.
struct One(Option<Offer>);

impl Feed for One {
    async fn next(&mut self) -> Result<Option<Offer>, Error> {
        Ok(self.0.take())
    }

    fn is_ready(&self) -> bool {
        true
    }
}
