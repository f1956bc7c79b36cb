//! A target folder that was made anew: its old UIDs mean nothing, and the records are paired with what is there.

use std::collections::{BTreeMap, HashMap};

use mailhaul_mail::{Digests, Flags, Scope, Uid, UidSet};

use crate::{
    error::Error,
    pairing::{Candidate, Proof, pair_by_digests, pair_by_fingerprint},
    pass::Pass,
    ports::{Clock, Ledger, Progress, Source, Target},
    record::{Copied, FolderState, MessageState, Record},
    work::{Origin, Reach, Work},
};

impl<S: Source, T: Target, L: Ledger, P: Progress, C: Clock> Pass<'_, S, T, L, P, C> {
    /// Where the target folder was made anew, old target UIDs mean nothing: the records are paired with what is there.
    pub(crate) async fn check_target_validity(
        &mut self,
        work: &mut Work,
        state: &mut FolderState,
        owned: &UidSet,
    ) -> Result<Reach, Error> {
        let Some(then) = state.record.target_validity else { return Ok(Reach::Changes) };
        let status = match self.target.status(&work.target).await {
            Err(error) if error.scope == Scope::Folder => {
                self.target.create_folder(&work.target, work.subscribe).await?;
                self.target.status(&work.target).await?
            }
            other => other?,
        };
        if status.uid_validity == then {
            return Ok(Reach::Changes);
        }
        let there = self.target.scan(&work.target, None).await?.messages;
        let flags: HashMap<Uid, &Flags> = there.iter().map(|it| (it.uid, &it.flags)).collect();
        let sizes: HashMap<Uid, u64> = there.iter().map(|it| (it.uid, it.size)).collect();
        let uids: UidSet = there.iter().map(|it| it.uid).filter(|uid| !owned.contains(*uid)).collect();
        let right: Vec<Candidate> = if uids.is_empty() {
            Vec::new()
        } else {
            let found = self.target.fingerprints(&work.target, &uids).await?;
            found
                .into_iter()
                .map(|(uid, fingerprint)| Candidate {
                    uid,
                    fingerprint,
                    size: sizes.get(&uid).copied().unwrap_or(0),
                })
                .collect()
        };
        let done: Vec<(Uid, Copied)> = state
            .messages
            .iter()
            .filter_map(|(uid, it)| match it {
                MessageState::Done(copied) => Some((*uid, copied.clone())),
                _ => None,
            })
            .collect();
        let left: Vec<Candidate> = done
            .iter()
            .map(|(uid, it)| Candidate { uid: *uid, fingerprint: it.fingerprint, size: it.size })
            .collect();
        let pairing = pair_by_fingerprint(&left, &right, Proof::Size);
        let mut pairs: BTreeMap<Uid, Uid> = pairing.sure.into_iter().collect();
        let doubtful: UidSet = pairing.doubts.iter().flat_map(|doubt| doubt.right.iter().copied()).collect();
        if !doubtful.is_empty() {
            let read: HashMap<Uid, Digests> =
                self.target.digests(&work.target, &doubtful).await?.into_iter().collect();
            let mut kept: HashMap<Uid, Digests> =
                done.iter().filter_map(|(uid, it)| Some((*uid, it.digests?))).collect();
            // Of messages that were once adopted by their size, the ledger has no digests.
            let left = pairing.doubts.iter().flat_map(|doubt| doubt.left.iter().copied());
            let lacking: UidSet = left.filter(|uid| !kept.contains_key(uid)).collect();
            if !lacking.is_empty() && work.origin != Origin::Departed {
                kept.extend(self.source.digests(&work.source, &lacking).await?);
            }
            let recorded: HashMap<Uid, &Flags> = done.iter().map(|(uid, it)| (*uid, &it.flags)).collect();
            // Twins are told apart by their flags, or the one would get those of the other.
            let suit = |uid: Uid, other: Uid| recorded.get(&uid) == flags.get(&other);
            for doubt in &pairing.doubts {
                let left: Vec<_> =
                    doubt.left.iter().filter_map(|uid| Some((*uid, *kept.get(uid)?))).collect();
                let right: Vec<_> =
                    doubt.right.iter().filter_map(|uid| Some((*uid, *read.get(uid)?))).collect();
                pairs.extend(pair_by_digests(&left, &right, suit));
            }
        }
        let folder = work.source.clone();
        let mut records =
            vec![Record::TargetValidity { folder: folder.clone(), uid_validity: status.uid_validity }];
        records.extend(done.into_iter().map(|(uid, copied)| {
            let state = pairs
                .get(&uid)
                .map(|target_uid| MessageState::Done(Copied { target_uid: Some(*target_uid), ..copied }));
            Record::Message { folder: folder.clone(), uid, state }
        }));
        work.reason += "; the target's UIDVALIDITY changed, its messages were looked up again";
        self.record(state, &records).await?;
        // Records that were lost are planned as new, which only a scan of everything shows.
        Ok(Reach::Everything)
    }
}
