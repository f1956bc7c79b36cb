//! Finding on the target what need not be sent, and what was sent without an answer.

use std::collections::HashMap;

use mailhaul_mail::{InternalDate, Uid, UidSet};

use crate::{
    context::{Ports, SyncContext},
    error::Error,
    folder::MessageInfo,
    folder_sync::job::Work,
    folder_sync::quiet::wait_until_quiet,
    ledger_state::{Copied, Floor, FolderState, MessageState, Record},
    matching::on_target::{Among, Found, Sought, adopted, find_on_target, taken},
    matching::pairing::Proof,
    message_plan::MessagePlan,
    ports::Ledger,
};

/// Takes as copied those of the messages that `are_sought` and that the target folder holds already.
pub(crate) async fn adopt<M: Ports>(
    cx: &mut SyncContext<'_, M>,
    work: &mut Work,
    state: &mut FolderState,
    plan: &mut MessagePlan,
    owned: &UidSet,
    among: Among,
    are_sought: impl Fn(&MessageInfo) -> bool,
) -> Result<(), Error> {
    if !work.is_quiet {
        wait_until_quiet(cx, &work.target).await?;
        work.is_quiet = true;
    }
    let owned = taken(state, owned);
    let wanted: Vec<Sought> = plan.copy.iter().filter(|it| are_sought(it)).map(Sought::shown).collect();
    let found =
        find_on_target(cx.source, cx.target, &work.source, &work.target, &wanted, &owned, among).await?;
    record_adopted(cx, work, state, plan, &found).await
}

/// Takes messages that were found on the target as copied.
pub(crate) async fn record_adopted<M: Ports>(
    cx: &mut SyncContext<'_, M>,
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
    cx.record(state, &records).await?;
    let adopted: UidSet = found.iter().map(|it| it.uid).collect();
    plan.copy.retain(|it| !adopted.contains(it.uid));
    work.tally.already += found.len() as u64;
    Ok(())
}

/// Finds the UIDs of copies that the target acknowledged without telling where they are: above the floor, where there
/// is one; else anywhere, and only the octets prove it. How many it found.
pub(crate) async fn locate_copies<M: Ports>(
    cx: &mut SyncContext<'_, M>,
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
    if let Some(all) = cx.ledger.folder(&work.source).await? {
        *state = all;
    }
    let owned = taken(state, owned);
    let among = match floor {
        Some(floor) => Among::just_sent(floor.uid_next, Proof::Fingerprint),
        None => Among::by_octets(Uid::FIRST),
    };
    let found =
        find_on_target(cx.source, cx.target, &work.source, &work.target, &lost, &owned, among).await?;
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
    cx.record(state, &records).await?;
    Ok(records.len())
}
