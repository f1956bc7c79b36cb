//! Search for messages that are on the target already: after a crash, a lost answer, or a lost ledger.
//!
//! One mechanism for all cases: fingerprints of both sides, matched as multisets; digests if that is ambiguous.

use std::collections::{HashMap, HashSet};

use mailhaul_mail::{Digests, Fingerprint, FolderPath, InternalDate, Uid, UidSet};

use crate::{
    error::Error,
    folder::MessageInfo,
    ledger_state::{CopyRecord, FolderState, MessageIdentity},
    matching::pairing::{Candidate, Proof, TextKey, pair_by_fingerprint, pair_by_text, pair_doubts},
    ports::Mailbox,
};

/// Part of the target folder to search, and the required proof.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct SearchRange {
    /// The lowest UID that counts.
    pub(crate) first: Uid,
    /// Proof that a message is ours.
    pub(crate) proof: Proof,
    /// Meaning of other headers.
    pub(crate) rewrites: HeaderRewrites,
}

/// Header changes that a target may have made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum HeaderRewrites {
    /// Messages with other headers are other messages.
    Never,
    /// Equal text and date are a proof.
    ///
    /// The messages were just sent and little else arrived since, or the target is known to rewrite headers.
    Possible,
}

impl SearchRange {
    /// The whole folder, with mail of others.
    pub(crate) const WHOLE_FOLDER: Self =
        Self { first: Uid::FIRST, proof: Proof::SizeAndDate, rewrites: HeaderRewrites::Never };

    /// Messages from this UID on, including similar mail of others: only equal bytes are a proof.
    pub(crate) fn by_bytes(first: Uid) -> Self {
        Self { first, proof: Proof::Digest, rewrites: HeaderRewrites::Never }
    }

    /// Messages from this UID on that were just sent: the target may have rewritten their headers.
    pub(crate) fn just_sent(first: Uid, proof: Proof) -> Self {
        Self { first, proof, rewrites: HeaderRewrites::Possible }
    }
}

/// A search for messages of a source folder in a target folder.
#[derive(Clone, Copy)]
pub(crate) struct Search<'a> {
    pub(crate) folder: &'a FolderPath,
    pub(crate) target_folder: &'a FolderPath,
    /// Target UIDs of other messages.
    pub(crate) owned: &'a UidSet,
    pub(crate) range: SearchRange,
}

/// A message of the source that was found on the target.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct MatchedMessage {
    pub(crate) uid: Uid,
    pub(crate) on_target: MessageInfo,
    pub(crate) fingerprint: Fingerprint,
    /// Set if the bodies had to be read.
    pub(crate) digests: Option<Digests>,
}

/// A message of the source that may be on the target.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct MatchCandidate {
    pub(crate) uid: Uid,
    /// Bytes on the source, as claimed.
    pub(crate) size: u64,
    /// The identity of its edited copy. The source need not be asked for it.
    pub(crate) copy: Option<MessageIdentity>,
    /// Date of arrival in seconds since 1970; `None` if unknown.
    pub(crate) arrived: Option<i64>,
}

impl MatchCandidate {
    /// A message as the source has it.
    pub(crate) fn as_it_is(uid: Uid, size: u64) -> Self {
        Self { uid, size, copy: None, arrived: None }
    }

    /// A message as a scan shows it.
    pub(crate) fn shown(message: &MessageInfo) -> Self {
        let arrived = message.internal_date.map(InternalDate::unix_seconds);
        Self { arrived, ..Self::as_it_is(message.uid, message.size) }
    }
}

/// Finds messages of the source folder on the target.
pub(crate) async fn find_on_target<S: Mailbox, T: Mailbox>(
    source: &mut S,
    target: &mut T,
    search: Search<'_>,
    wanted: &[MatchCandidate],
) -> Result<Vec<MatchedMessage>, Error> {
    Ok(Box::pin(compare(Some(source), target, search, wanted)).await?.found)
}

/// Returns target UIDs that belong to messages already: of this folder, and of others.
pub(crate) fn owned_uids(state: &FolderState, by_others: &UidSet) -> UidSet {
    let mut taken = state.target_uids();
    by_others.ranges().for_each(|(first, last)| taken.insert_range(first, last));
    taken
}

/// Result of a comparison of both sides.
#[derive(Default)]
pub(crate) struct Comparison {
    pub(crate) found: Vec<MatchedMessage>,
    /// Messages that are still on the source.
    pub(crate) on_source: UidSet,
    /// Messages of the target that match none of the source.
    pub(crate) unmatched: Vec<(MessageInfo, Fingerprint)>,
}

/// Compares the wanted messages with those of the target. Without a source, none of them is there any more.
pub(crate) async fn compare<S: Mailbox, T: Mailbox>(
    source: Option<&mut S>,
    target: &mut T,
    search: Search<'_>,
    wanted: &[MatchCandidate],
) -> Result<Comparison, Error> {
    let Search { folder, target_folder, owned, range } = search;
    if wanted.is_empty() {
        return Ok(Comparison::default());
    }
    let mut there = target.scan(target_folder, None).await?.messages;
    there.retain(|it| it.uid >= range.first && !owned.contains(it.uid));
    if there.is_empty() {
        return Ok(Comparison::default());
    }
    let on_target: UidSet = there.iter().map(|it| it.uid).collect();
    let there: HashMap<Uid, MessageInfo> = there.into_iter().map(|it| (it.uid, it)).collect();
    let right = candidates(target, target_folder, &on_target, |uid| there.get(&uid).map(shown)).await?;
    let mut read: HashMap<Uid, Digests> = HashMap::new();
    let copies: HashMap<Uid, MessageIdentity> =
        wanted.iter().filter_map(|it| Some((it.uid, it.copy?))).collect();
    let claims: HashMap<Uid, Claim> = wanted.iter().map(|it| (it.uid, (it.size, it.arrived))).collect();
    let as_they_are: UidSet = wanted.iter().filter(|it| it.copy.is_none()).map(|it| it.uid).collect();
    let mut source = source;
    let mut left = match &mut source {
        Some(source) => candidates(*source, folder, &as_they_are, |uid| claims.get(&uid).copied()).await?,
        None => Vec::new(),
    };
    // Keep the order of the source: among identical messages, the first one is paired first.
    left.extend(wanted.iter().filter_map(|it| {
        let MessageIdentity { fingerprint, size, .. } = it.copy?;
        Some(Candidate { uid: it.uid, fingerprint, size, arrived: it.arrived })
    }));

    let pairing = pair_by_fingerprint(&left, &right, range.proof);
    let mut pairs = pairing.sure;
    let (mut left_doubt, mut right_doubt) = (UidSet::new(), UidSet::new());
    for doubt in &pairing.doubts {
        left_doubt.extend(doubt.left.iter().copied());
        right_doubt.extend(doubt.right.iter().copied());
    }
    if !left_doubt.is_empty() {
        read.extend(copies.iter().map(|(uid, it)| (*uid, it.digests)));
        let left_doubt: UidSet = left_doubt.iter().filter(|uid| !copies.contains_key(uid)).collect();
        if let Some(source) = &mut source
            && !left_doubt.is_empty()
        {
            read.extend(source.digests(folder, &left_doubt).await?);
        }
        let right: HashMap<Uid, Digests> =
            target.digests(target_folder, &right_doubt).await?.into_iter().collect();
        pairs.extend(pair_doubts(&pairing.doubts, &read, &right, |_, _| true));
    }
    if range.rewrites == HeaderRewrites::Possible {
        let rest =
            UnpairedMessages { folder, target_folder, wanted, left: &left, right: &right, there: &there };
        pairs.extend(rest.pair(source, target, &pairs, &mut read).await?);
    }
    let fingerprints: HashMap<Uid, Fingerprint> = left.iter().map(|it| (it.uid, it.fingerprint)).collect();
    let paired: HashSet<Uid> = pairs.iter().map(|(_, other)| *other).collect();
    let unmatched = right.iter().filter(|it| !paired.contains(&it.uid));
    let unmatched = unmatched.filter_map(|it| Some((there.get(&it.uid)?.clone(), it.fingerprint))).collect();
    let found = pairs.into_iter().filter_map(|(uid, other)| {
        let (on_target, digests) = (there.get(&other)?.clone(), read.get(&uid).copied());
        Some(MatchedMessage { uid, on_target, fingerprint: *fingerprints.get(&uid)?, digests })
    });
    let on_source = left.iter().map(|it| it.uid).collect();
    Ok(Comparison { found: found.collect(), on_source, unmatched })
}

/// Messages without an equal fingerprint above the start: a target may rewrite a field of it, such as Message-ID.
struct UnpairedMessages<'a> {
    folder: &'a FolderPath,
    target_folder: &'a FolderPath,
    wanted: &'a [MatchCandidate],
    left: &'a [Candidate],
    right: &'a [Candidate],
    there: &'a HashMap<Uid, MessageInfo>,
}

impl UnpairedMessages<'_> {
    /// Pairs them by text and date. Reads bodies of both sides, if dates on both sides agree.
    async fn pair<S: Mailbox, T: Mailbox>(
        &self,
        source: Option<&mut S>,
        target: &mut T,
        pairs: &[(Uid, Uid)],
        read: &mut HashMap<Uid, Digests>,
    ) -> Result<Vec<(Uid, Uid)>, Error> {
        let (ours, theirs): (HashSet<Uid>, HashSet<Uid>) = pairs.iter().copied().unzip();
        // Edited messages were searched for in the form in which they were sent.
        let edited: HashSet<Uid> =
            self.wanted.iter().filter(|it| it.copy.is_some()).map(|it| it.uid).collect();
        let is_open = |it: &&Candidate| !ours.contains(&it.uid) && !edited.contains(&it.uid);
        let left: UidSet = self.left.iter().filter(is_open).map(|it| it.uid).collect();
        let right: UidSet =
            self.right.iter().filter(|it| !theirs.contains(&it.uid)).map(|it| it.uid).collect();
        let Some(source) = source.filter(|_| !left.is_empty() && !right.is_empty()) else {
            return Ok(Vec::new());
        };
        let mut arrived: HashMap<Uid, i64> =
            self.wanted.iter().filter_map(|it| Some((it.uid, it.arrived?))).collect();
        if left.iter().any(|uid| !arrived.contains_key(&uid)) {
            let shown = source.scan(self.folder, None).await?.messages;
            arrived.extend(shown.iter().filter_map(|it| Some((it.uid, it.internal_date?.unix_seconds()))));
        }
        let date = |uid: Uid| self.there.get(&uid)?.internal_date.map(InternalDate::unix_seconds);
        let (left, right) = with_dates_of(&left, &right, |uid| arrived.get(&uid).copied(), date);
        let unread: UidSet = left.iter().filter(|uid| !read.contains_key(uid)).collect();
        if !unread.is_empty() {
            read.extend(source.digests(self.folder, &unread).await?);
        }
        let left: Vec<TextKey> = left
            .iter()
            .filter_map(|uid| {
                Some(TextKey { uid, text: read.get(&uid)?.text, arrived: arrived.get(&uid).copied() })
            })
            .collect();
        if left.is_empty() || right.is_empty() {
            return Ok(Vec::new());
        }
        let right = target.digests(self.target_folder, &right).await?;
        let right: Vec<TextKey> = right
            .into_iter()
            .map(|(uid, digests)| TextKey { uid, text: digests.text, arrived: date(uid) })
            .collect();
        Ok(pair_by_text(&left, &right))
    }
}

/// Returns messages whose date may be that of a message on the other side.
fn with_dates_of(
    left: &UidSet,
    right: &UidSet,
    left_date: impl Fn(Uid) -> Option<i64>,
    right_date: impl Fn(Uid) -> Option<i64>,
) -> (UidSet, UidSet) {
    let (ours, theirs): (HashSet<_>, HashSet<_>) =
        (left.iter().map(&left_date).collect(), right.iter().map(&right_date).collect());
    let is_among = |date: Option<i64>, others: &HashSet<Option<i64>>| {
        date.is_none() || others.contains(&date) || others.contains(&None)
    };
    (
        left.iter().filter(|uid| is_among(left_date(*uid), &theirs)).collect(),
        right.iter().filter(|uid| is_among(right_date(*uid), &ours)).collect(),
    )
}

/// Size and date of arrival, as a server reports them.
pub(crate) type Claim = (u64, Option<i64>);

pub(crate) fn shown(message: &MessageInfo) -> Claim {
    (message.size, message.internal_date.map(InternalDate::unix_seconds))
}

pub(crate) async fn candidates<M: Mailbox>(
    mailbox: &mut M,
    folder: &FolderPath,
    uids: &UidSet,
    claim: impl Fn(Uid) -> Option<Claim> + Send,
) -> Result<Vec<Candidate>, Error> {
    let fingerprints = mailbox.fingerprints(folder, uids).await?;
    let candidate = |(uid, fingerprint)| {
        let (size, arrived) = claim(uid).unwrap_or_default();
        Candidate { uid, fingerprint, size, arrived }
    };
    Ok(fingerprints.into_iter().map(candidate).collect())
}

/// Creates the record of a message that was found.
///
/// Its flags are those of the target, so that the next comparison with the source sets missing flags.
pub(crate) fn adoption_record(found: &MatchedMessage, ours: bool) -> CopyRecord {
    CopyRecord {
        arrived: None,
        target_uid: Some(found.on_target.uid),
        flags: found.on_target.flags.clone(),
        pending_flags: None,
        fingerprint: found.fingerprint,
        digests: found.digests,
        size: found.on_target.size,
        ours,
        edited: None,
    }
}
