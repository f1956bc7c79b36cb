//! Notices UIDs that a source uses again for other messages although UIDVALIDITY stays (RFC 9051, section 2.3.1.1,
//! forbids it): servers that were restored from a backup, and bridges.

use std::collections::HashMap;

use mailhaul_mail::{Fingerprint, InternalDate, Uid, UidSet};

use crate::{
    error::Error,
    folder::{MessageInfo, Scan},
    pass::Pass,
    ports::{Clock, Ledger, Progress, Source, Target},
    record::{Copied, FolderState, MessageState, Record},
    work::Work,
};

/// Messages whose headers are compared before a folder is paired again.
const SAMPLE: usize = 20;

/// Messages whose size or date of arrival is not what it was when they were copied. Pure.
pub(crate) fn contradictions(scan: &Scan, state: &FolderState) -> Vec<Uid> {
    let differs = |size: u64, date: Option<i64>, copied: &Copied| match (date, copied.arrived) {
        (Some(now), Some(then)) => now != then || (size != copied.size && size > 0 && copied.size > 0),
        // Of older records, the size may be the target's.
        _ => false,
    };
    let is_other = |uid: Uid, size: u64, date: Option<i64>| match state.messages.get(&uid) {
        Some(MessageState::Done(copied)) => differs(size, date, copied),
        _ => false,
    };
    let date = |it: &MessageInfo| it.internal_date.map(InternalDate::unix_seconds);
    scan.messages.iter().filter(|it| is_other(it.uid, it.size, date(it))).map(|it| it.uid).collect()
}

impl<S: Source, T: Target, L: Ledger, P: Progress, C: Clock> Pass<'_, S, T, L, P, C> {
    /// True if a known UID is another message now. A server may change its mind about size and date: headers decide, and
    /// what is still the same message is recorded as it is told now.
    pub(crate) async fn has_reused_uids(
        &mut self,
        work: &Work,
        state: &mut FolderState,
        scan: &Scan,
    ) -> Result<bool, Error> {
        let sample: UidSet = contradictions(scan, state).into_iter().take(SAMPLE).collect();
        if sample.is_empty() {
            return Ok(false);
        }
        let now: HashMap<Uid, Fingerprint> =
            self.source.fingerprints(&work.source, &sample).await?.into_iter().collect();
        let known = |uid: Uid| match state.messages.get(&uid) {
            Some(MessageState::Done(copied)) => Some(copied),
            _ => None,
        };
        let is_other =
            |uid: &Uid| now.get(uid).zip(known(*uid)).is_some_and(|(now, then)| *now != then.fingerprint);
        if sample.iter().any(|uid| is_other(&uid)) {
            return Ok(true);
        }
        let told = scan.messages.iter().filter(|it| sample.contains(it.uid)).filter_map(|it| {
            let copied = Copied {
                size: it.size,
                arrived: it.internal_date.map(InternalDate::unix_seconds),
                ..known(it.uid)?.clone()
            };
            let state = Some(MessageState::Done(copied));
            Some(Record::Message { folder: work.source.clone(), uid: it.uid, state })
        });
        let told: Vec<Record> = told.collect();
        self.record(state, &told).await?;
        Ok(false)
    }
}
