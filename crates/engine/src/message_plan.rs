//! The decision for each message of a folder. A pure function of scan and ledger.

use mailhaul_mail::{Flags, InternalDate, Uid};

use crate::{
    folder::{MessageInfo, Scan, UnseenMessage},
    ledger_state::{CopyRecord, FolderState, MessageState},
    received::Received,
};

/// The operator's filter for messages.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Filter {
    /// Received at one of these times.
    pub received: Received,
    /// Maximum size in bytes; larger messages are skipped and reported.
    pub max_size: Option<u64>,
    /// Only this number of the newest messages of each folder, copied ones included.
    pub max_items: Option<usize>,
}

/// The order in which messages are sent.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Order {
    /// By arrival: the target's UIDs have the source's order.
    #[default]
    Oldest,
    /// The newest first, for users who wait.
    Newest,
}

/// A change of flags on the target.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FlagUpdate {
    /// On the source.
    pub uid: Uid,
    /// On the target.
    pub target_uid: Uid,
    /// Set on the source since the last pass.
    pub add: Flags,
    /// Removed on the source since the last pass.
    pub remove: Flags,
    /// The record before the change: the target may have flags of either set from then on.
    pub intent: CopyRecord,
    /// The record after the change.
    pub record: CopyRecord,
}

/// The plan for a folder's messages.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct MessagePlan {
    /// Not on the target, as far as is known; in the order in which they are sent.
    pub copy: Vec<MessageInfo>,
    /// On the target, with other flags.
    pub flags: Vec<FlagUpdate>,
    /// On the target, and gone from the source.
    pub vanished: Vec<(Uid, CopyRecord)>,
    /// Records of messages that never reached the target and are gone from the source.
    pub forget: Vec<Uid>,
    /// Not to be copied, with the reason.
    pub skip: Vec<(MessageInfo, String)>,
    /// On the target already.
    pub already: u64,
    /// Left out by the operator's filter of dates or number.
    pub excluded: u64,
    /// On the target already, with flags that the source did not show.
    pub unseen: u64,
}

impl MessagePlan {
    /// Messages that the source shows.
    pub fn seen(&self) -> u64 {
        self.copy.len() as u64 + self.already + self.skip.len() as u64 + self.excluded
    }
}

/// Plans a folder.
pub fn plan_messages(scan: &Scan, state: &FolderState, filter: &Filter, order: Order) -> MessagePlan {
    let mut plan =
        MessagePlan { flags: flag_updates(scan, state), already: state.rest, ..MessagePlan::default() };
    for (&uid, known) in &state.messages {
        match known {
            MessageState::Done(_) if scan.present.contains(uid) => plan.already += 1,
            MessageState::Done(copied) => plan.vanished.push((uid, copied.clone())),
            _ if scan.present.contains(uid) => {}
            _ => plan.forget.push(uid),
        }
    }
    for UnseenMessage { uid, why } in &scan.unseen {
        if let Some(MessageState::Done(_)) = state.messages.get(uid) {
            plan.unseen += 1;
        } else {
            let (uid, flags) = (*uid, Flags::default());
            plan.skip.push((MessageInfo { uid, flags, internal_date: None, size: 0 }, why.clone()));
        }
    }
    let is_copied =
        |message: &MessageInfo| matches!(state.messages.get(&message.uid), Some(MessageState::Done(_)));
    let (within, outside): (Vec<&MessageInfo>, Vec<&MessageInfo>) =
        scan.messages.iter().partition(|message| is_within(message.internal_date, filter));
    // Copied messages are among the newest: otherwise each pass would copy older ones in their place.
    let surplus = filter.max_items.map_or(0, |most| within.len().saturating_sub(most));
    let left_out = outside.iter().chain(&within[..surplus]).filter(|message| !is_copied(message));
    plan.excluded += left_out.count() as u64;
    for message in within[surplus..].iter().filter(|message| !is_copied(message)) {
        match filter.max_size {
            Some(most) if message.size > most => {
                let reason = format!("larger than the limit: {} > {most} bytes", message.size);
                plan.skip.push(((*message).clone(), reason));
            }
            _ => plan.copy.push((*message).clone()),
        }
    }
    if order == Order::Newest {
        plan.copy.reverse();
    }
    plan
}

fn is_within(date: Option<InternalDate>, filter: &Filter) -> bool {
    // A message without a date cannot be proved to be outside.
    date.is_none_or(|date| filter.received.contains(date.unix_seconds()))
}

/// Returns only the changes of flags, for messages that are on the target.
pub(crate) fn flag_updates(scan: &Scan, state: &FolderState) -> Vec<FlagUpdate> {
    let update = |message: &MessageInfo| match state.messages.get(&message.uid) {
        Some(MessageState::Done(copied)) => flag_update(message, copied),
        _ => None,
    };
    scan.messages.iter().filter_map(update).collect()
}

fn flag_update(message: &MessageInfo, copied: &CopyRecord) -> Option<FlagUpdate> {
    // Crash safety: if either of two sets may be on the target, any flag of both may be.
    let pending = copied.pending_flags.as_ref().unwrap_or(&copied.flags);
    let certain = copied.flags.filtered(|name| pending.contains(name));
    let possible: Flags = copied.flags.iter().chain(pending.iter()).collect();
    let (add, remove) = (message.flags.without(&certain), possible.without(&message.flags));
    if add.is_empty() && remove.is_empty() {
        return None;
    }
    // Crash safety: after two interrupted attempts, the flags of the first may be there too. A flag in only one of the
    // two sets is uncertain.
    let (flags, pending) = if copied.pending_flags.is_some() {
        let any = possible.iter().chain(message.flags.iter()).collect();
        (any, certain.filtered(|name| message.flags.contains(name)))
    } else {
        (copied.flags.clone(), message.flags.clone())
    };
    let intent = CopyRecord { flags, pending_flags: Some(pending), ..copied.clone() };
    let record = CopyRecord { flags: message.flags.clone(), pending_flags: None, ..copied.clone() };
    Some(FlagUpdate { uid: message.uid, target_uid: copied.target_uid?, add, remove, intent, record })
}

#[cfg(test)]
mod tests {
    use mailhaul_mail::{Fingerprint, FolderPath, UidSet, UidValidity};

    use super::*;
    use crate::folder::{FolderStatus, Present};

    fn uid(number: u32) -> Uid {
        Uid::new(number).unwrap()
    }

    fn message(number: u32, flags: &str) -> MessageInfo {
        MessageInfo {
            uid: uid(number),
            flags: flags.split_whitespace().collect(),
            internal_date: InternalDate::new(i64::from(number), 0),
            size: u64::from(number) * 10,
        }
    }

    fn done(number: u32, flags: &str) -> MessageState {
        MessageState::Done(CopyRecord {
            target_uid: Uid::new(number + 100),
            flags: flags.split_whitespace().collect(),
            pending_flags: None,
            fingerprint: Fingerprint::from_bytes([0; 16]),
            digests: None,
            size: 1,
            arrived: None,
            ours: true,
            edited: None,
        })
    }

    fn scan(messages: &[MessageInfo], present: Present) -> Scan {
        let status = FolderStatus {
            messages: 0,
            uid_validity: UidValidity::new(1).unwrap(),
            uid_next: None,
            highest_modseq: None,
        };
        Scan::whole(status, messages.to_vec(), present)
    }

    fn state(messages: impl IntoIterator<Item = (u32, MessageState)>) -> FolderState {
        let mut state =
            FolderState::opened(FolderPath::inbox(), FolderPath::inbox(), UidValidity::new(1).unwrap());
        state.messages = messages.into_iter().map(|(number, it)| (uid(number), it)).collect();
        state
    }

    #[test]
    fn new_changed_vanished_and_skipped() {
        let known = state([
            (1, done(1, "\\Seen")),
            (2, done(2, "\\Seen old")),
            (3, done(3, "")),
            (4, MessageState::Skipped("refused".into())),
            (5, MessageState::Intended),
        ]);
        let found = [message(1, "\\Seen"), message(2, "\\Seen new"), message(4, ""), message(6, "")];
        let present: UidSet = [1, 2, 4, 6].into_iter().map(uid).collect();
        let plan =
            plan_messages(&scan(&found, Present::These(present)), &known, &Filter::default(), Order::Newest);
        assert_eq!(plan.copy.iter().map(|it| it.uid.get()).collect::<Vec<_>>(), [6, 4]);
        assert_eq!(plan.vanished.iter().map(|(it, _)| it.get()).collect::<Vec<_>>(), [3]);
        assert_eq!(plan.forget, [uid(5)]);
        let [update] = plan.flags.as_slice() else { panic!("{:?}", plan.flags) };
        assert_eq!((update.add.to_string(), update.remove.to_string()), ("new".into(), "old".into()));
        assert_eq!((update.target_uid, plan.already, plan.seen()), (uid(102), 2, 4));
    }

    #[test]
    fn flags_with_an_unknown_outcome_are_set_or_removed() {
        let MessageState::Done(copied) = done(1, "\\Seen old") else { unreachable!() };
        let pending_flags = Some("new".split_whitespace().collect());
        let known = state([(1, MessageState::Done(CopyRecord { pending_flags, ..copied }))]);
        let found = [message(1, "\\Seen new")];
        let plan = plan_messages(
            &scan(&found, Present::AllBut(UidSet::new())),
            &known,
            &Filter::default(),
            Order::Oldest,
        );
        assert_eq!(
            (plan.flags[0].add.to_string(), plan.flags[0].remove.to_string()),
            ("\\Seen new".into(), "old".into())
        );
    }

    #[test]
    fn a_partial_scan_leaves_the_rest_alone() {
        let known = state([(1, done(1, "")), (2, done(2, ""))]);
        let gone = Present::AllBut([uid(2)].into_iter().collect());
        let plan = plan_messages(&scan(&[], gone), &known, &Filter::default(), Order::Oldest);
        assert_eq!((plan.already, plan.vanished.len(), plan.seen()), (1, 1, 1));
    }

    #[test]
    fn messages_that_a_scan_does_not_show_never_vanish() {
        let known = state([(1, done(1, "")), (2, done(2, "")), (3, MessageState::Skipped("why".into()))]);
        let present = Present::These([1, 2, 3, 4].into_iter().map(uid).collect());
        let mut found = scan(&[message(1, "")], present);
        found.unseen = [2, 3, 4].map(|it| UnseenMessage { uid: uid(it), why: "not shown".into() }).to_vec();
        let plan = plan_messages(&found, &known, &Filter::default(), Order::Oldest);
        assert_eq!(plan.skip.iter().map(|(it, _)| it.uid.get()).collect::<Vec<_>>(), [3, 4]);
        assert_eq!((plan.vanished.len(), plan.already, plan.unseen, plan.seen()), (0, 2, 1, 4));
    }

    #[test]
    fn filters_are_counted() {
        let found: Vec<MessageInfo> = (1..=9).map(|number| message(number, "")).collect();
        let all = Present::These(found.iter().map(|it| it.uid).collect());
        let filter = Filter { received: Received::between(3, 9), max_size: Some(70), max_items: Some(4) };
        let plan = plan_messages(&scan(&found, all), &state([]), &filter, Order::Oldest);
        assert_eq!(plan.copy.iter().map(|it| it.uid.get()).collect::<Vec<_>>(), [5, 6, 7]);
        assert_eq!(plan.skip.len(), 1);
        assert_eq!((plan.excluded, plan.seen()), (5, 9));
    }

    #[test]
    fn copied_messages_count_among_the_newest() {
        let found: Vec<MessageInfo> = (1..=9).map(|number| message(number, "")).collect();
        let all = Present::These(found.iter().map(|it| it.uid).collect());
        let filter = Filter { max_items: Some(3), ..Filter::default() };
        let known = state((6..=8).map(|number| (number, done(number, ""))));
        let plan = plan_messages(&scan(&found, all), &known, &filter, Order::Oldest);
        assert_eq!(plan.copy.iter().map(|it| it.uid.get()).collect::<Vec<_>>(), [9]);
        assert_eq!((plan.already, plan.excluded, plan.seen()), (3, 5, 9));
    }
}
