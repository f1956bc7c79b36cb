//! Finding on the target what need not be sent, and what was sent without an answer.

use std::{collections::HashMap, time::Duration};

use mailhaul_mail::{FolderPath, InternalDate, Scope, Uid, UidSet};

use crate::{
    error::Error,
    folder::MessageInfo,
    folder_sync::job::Work,
    folder_sync::rewritten::UNCLEAR,
    ledger_state::{Copied, Floor, FolderState, MessageState, Record},
    matching::on_target::{Among, Found, Sought, adopted, find_on_target, taken},
    matching::pairing::Proof,
    message_plan::MessagePlan,
    pass::Pass,
    ports::{Clock, Ledger, Progress, Source, Target},
};

/// So long nothing must arrive.
const QUIET: Duration = Duration::from_secs(1);
/// So often is looked at most.
const LOOKS: u32 = 10;

impl<S: Source, T: Target, L: Ledger, P: Progress, C: Clock> Pass<'_, S, T, L, P, C> {
    /// Waits until nothing more arrives in a folder of the target. A connection that broke, or a process that was killed,
    /// leaves commands on the wire, and the server carries them out when we have looked already: what it takes in then
    /// would be sent twice.
    pub(crate) async fn wait_until_quiet(&mut self, folder: &FolderPath) -> Result<(), Error> {
        let mut before = None;
        for _ in 0..LOOKS {
            let now = match self.target.status(folder).await {
                Err(error) if error.scope <= Scope::Folder => return Ok(()),
                other => other?,
            };
            if before == Some((now.uid_next, now.messages)) {
                return Ok(());
            }
            before = Some((now.uid_next, now.messages));
            tokio::select! {
                () = self.clock.sleep(QUIET) => {}
                () = self.stop.cancelled() => return Err(Error::interrupted()),
            }
        }
        // Somebody else delivers mail there all the time; what was ours has arrived long ago.
        Ok(())
    }

    /// Takes as copied what the target folder holds without a record: all of a folder that is new to the ledger; messages
    /// that were there in an earlier pass and are unknown; and what came to the target since the folder was last settled,
    /// as where an older ledger was restored.
    pub(crate) async fn find_unrecorded(
        &mut self,
        work: &mut Work,
        state: &mut FolderState,
        plan: &mut MessagePlan,
        floor: Floor,
        owned: &UidSet,
    ) -> Result<(), Error> {
        let Some(cursor) = state.record.cursor else {
            return self.adopt(work, state, plan, owned, Among::ALL, |_| true).await;
        };
        let record = &state.record;
        let next = cursor.status.uid_next.filter(|_| cursor.status.uid_validity == record.uid_validity);
        let skipped: UidSet = state
            .messages
            .iter()
            .filter(|(_, it)| matches!(it, MessageState::Skipped(_)))
            .map(|(uid, _)| *uid)
            .collect();
        let is_old = |it: &MessageInfo| next.is_some_and(|next| it.uid < next) && !skipped.contains(it.uid);
        let same_numbers = record.target_validity == Some(floor.uid_validity);
        let since = record.target_next.filter(|it| same_numbers && *it < floor.uid_next);
        let has_old = plan.copy.iter().any(is_old);
        let was_unclear = |it: &MessageInfo| matches!(state.messages.get(&it.uid), Some(MessageState::Skipped(why)) if why == UNCLEAR);
        let any_unclear = plan.copy.iter().any(was_unclear);
        if !has_old && !any_unclear && (since.is_none() || plan.copy.is_empty()) {
            return Ok(());
        }
        if let Some(all) = self.ledger.folder(&work.source).await? {
            *state = all;
        }
        if has_old {
            self.adopt(work, state, plan, owned, Among::ALL, is_old).await?;
        }
        if let Some(first) = since {
            self.adopt(work, state, plan, owned, Among::by_octets(first), |_| true).await?;
        }
        let first = if any_unclear { Some(Uid::FIRST) } else { since };
        if let Some(first) = first {
            Box::pin(self.find_rewritten(work, state, plan, first, owned)).await?;
        }
        Ok(())
    }

    /// Takes as copied those of the messages that `are_sought` and that the target folder holds already.
    pub(crate) async fn adopt(
        &mut self,
        work: &mut Work,
        state: &mut FolderState,
        plan: &mut MessagePlan,
        owned: &UidSet,
        among: Among,
        are_sought: impl Fn(&MessageInfo) -> bool,
    ) -> Result<(), Error> {
        if !work.is_quiet {
            self.wait_until_quiet(&work.target).await?;
            work.is_quiet = true;
        }
        let owned = taken(state, owned);
        let wanted: Vec<Sought> = plan.copy.iter().filter(|it| are_sought(it)).map(Sought::shown).collect();
        let found =
            find_on_target(self.source, self.target, &work.source, &work.target, &wanted, &owned, among)
                .await?;
        self.take_as_copied(work, state, plan, &found).await
    }

    /// Takes messages that were found on the target as copied.
    pub(crate) async fn take_as_copied(
        &mut self,
        work: &mut Work,
        state: &mut FolderState,
        plan: &mut MessagePlan,
        found: &[Found],
    ) -> Result<(), Error> {
        let planned: HashMap<Uid, &MessageInfo> = plan.copy.iter().map(|it| (it.uid, it)).collect();
        let record = |it: &Found| {
            let mut copied = adopted(it, false);
            if let Some(message) = planned.get(&it.uid) {
                // Flags that only the target has were set there: they stay.
                copied.flags = copied.flags.filtered(|name| message.flags.contains(name));
                copied.size = message.size;
                copied.arrived = message.internal_date.map(InternalDate::unix_seconds);
            }
            let state = Some(MessageState::Done(copied));
            Record::Message { folder: work.source.clone(), uid: it.uid, state }
        };
        let records: Vec<Record> = found.iter().map(record).collect();
        self.record(state, &records).await?;
        let adopted: UidSet = found.iter().map(|it| it.uid).collect();
        plan.copy.retain(|it| !adopted.contains(it.uid));
        work.tally.already += found.len() as u64;
        Ok(())
    }

    /// Finds the UIDs of copies that the target acknowledged without telling where they are: above the floor, where there
    /// is one; else anywhere, and only the octets prove it. How many it found.
    pub(crate) async fn locate(
        &mut self,
        work: &Work,
        state: &mut FolderState,
        floor: Option<Floor>,
        owned: &UidSet,
    ) -> Result<usize, Error> {
        let untold = state.done().filter(|(_, copied)| copied.target_uid.is_none());
        let copy = |it: &Copied| it.edited.as_ref().map(|it| it.copy);
        let sought =
            |(uid, it): (Uid, &Copied)| Sought { uid, size: it.size, copy: copy(it), arrived: it.arrived };
        let lost: Vec<Sought> = untold.map(sought).collect();
        if lost.is_empty() {
            return Ok(0);
        }
        if let Some(all) = self.ledger.folder(&work.source).await? {
            *state = all;
        }
        let owned = taken(state, owned);
        let among = match floor {
            Some(floor) => Among::just_sent(floor.uid_next, Proof::Fingerprint),
            None => Among::by_octets(Uid::FIRST),
        };
        let found =
            find_on_target(self.source, self.target, &work.source, &work.target, &lost, &owned, among)
                .await?;
        let records: Vec<Record> = found
            .iter()
            .filter_map(|it| match state.messages.get(&it.uid) {
                Some(MessageState::Done(copied)) => Some(Record::Message {
                    folder: work.source.clone(),
                    uid: it.uid,
                    state: Some(MessageState::Done(Copied {
                        target_uid: Some(it.on_target.uid),
                        ..copied.clone()
                    })),
                }),
                _ => None,
            })
            .collect();
        self.record(state, &records).await?;
        Ok(records.len())
    }
}
