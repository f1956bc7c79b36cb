//! Reads some copies and compares their bytes with those that were sent.
//!
//! Sizes show most of a server's errors. Bytes show the rest: a changed byte, half a message, another message's text.

use std::collections::{HashMap, HashSet};

use mailhaul_mail::{Digests, Fingerprint, Flags, Retry, Scope, Uid, UidSet};

use crate::{
    context::{Ports, SyncContext},
    error::{Error, ErrorKind},
    folder::MessageInfo,
    folder_sync::{
        fetch_whole::{FetchedMessage, fetch_whole},
        job::FolderJob,
        lost::{LostMessage, STORED_PREFIX},
        own_headers::copies_with_our_headers,
    },
    ledger_state::MessageIdentity,
    limits::read_back_budget::ToCompare,
    ports::{Mailbox, Target},
    transfer::recorder::Acknowledged,
};

/// Doubtful copies of one transfer that are compared with their originals. If all of them are sound, the server
/// rewrites messages, and the other copies are believed.
const SAMPLE: usize = 20;
/// Reason for a skipped message for which the source returned another message's bytes. A later pass recognises it.
pub(crate) const WRONG_BYTES_REASON: &str = "the source gave the bytes of another message for it";
const OTHER_BYTES_REASON: &str = "the target stored other bytes than it was sent";
/// Messages with equal bytes whose headers are read from the source, for each transfer.
const MAX_TWINS: usize = 1_000;

/// A message with its copy, as the target shows it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct StoredCopy<'a> {
    pub(crate) message: &'a Acknowledged,
    pub(crate) copy: Uid,
    /// Bytes as the target reports them; 0 if unknown.
    pub(crate) size: u64,
}

impl<'a> StoredCopy<'a> {
    pub(crate) fn new(message: &'a Acknowledged, copy: &MessageInfo) -> Self {
        Self { message, copy: copy.uid, size: copy.size }
    }

    /// Returns `None` if the sent bytes are unknown.
    fn to_compare(self) -> Option<ToCompare> {
        Some(ToCompare { uid: self.copy, digests: self.message.digests?, size: self.message.size })
    }

    fn is_shortened(&self) -> bool {
        self.size < self.message.size
    }

    /// True if the server rewrote the header, and kept size and text.
    ///
    /// Quirk: Cyrus writes an X for each byte of a header that is not ASCII.
    fn has_other_header(&self, stored: &Digests) -> bool {
        let sent = self.message.digests.filter(|_| self.size == self.message.size);
        sent.is_some_and(|sent| sent.whole != stored.whole && sent.text == stored.text)
    }

    /// True if these bytes of the copy need an explanation. A copy of another size with the same text was rewritten.
    fn is_doubtful(&self, stored: &Digests) -> bool {
        let Some(sent) = self.message.digests else { return false };
        if self.size == self.message.size {
            sent.text != stored.text
        } else {
            self.is_shortened() && !is_same(&sent, stored)
        }
    }
}

/// A copy that differs from the message.
#[derive(Debug)]
pub(crate) struct DamagedCopy {
    pub(crate) lost: LostMessage,
    pub(crate) copy: Uid,
    /// True if the bytes show that the copy was made of this message.
    pub(crate) is_ours: bool,
}

/// The UIDs of damaged copies on the target.
pub(crate) fn copies_of(damaged: &[DamagedCopy]) -> UidSet {
    damaged.iter().map(|it| it.copy).collect()
}

/// True if both have the same bytes, or the same text below other headers.
fn is_same(one: &Digests, other: &Digests) -> bool {
    one.whole == other.whole
        || (one.text == other.text && one.text != MessageIdentity::from_bytes(&[]).digests.text)
}

/// Compares a doubtful copy with its original. Pure.
///
/// Returns the damage, and true if the copy was made of the message; `None` if the server rewrote the message and kept
/// its text.
fn damage(original: &[u8], stored: StoredCopy<'_>, digests: &Digests) -> Option<(String, bool)> {
    let sent = stored.message.digests?;
    let is_ours = is_same(&sent, digests);
    if MessageIdentity::from_bytes(original).digests.whole != sent.whole {
        return Some((
            "the source gives other bytes each time that this message is read".to_owned(),
            is_ours,
        ));
    }
    let size = usize::try_from(stored.size).unwrap_or(usize::MAX);
    let of = original.len();
    if size == of {
        // Quirk: servers without BINARY keep 0x80 in place of NUL, as Dovecot does.
        let without_nul: Vec<u8> =
            original.iter().map(|byte| if *byte == 0 { 0x80 } else { *byte }).collect();
        let is_known = MessageIdentity::from_bytes(&without_nul).digests.whole == digests.whole;
        return (!is_known).then(|| (OTHER_BYTES_REASON.to_owned(), is_ours));
    }
    let is_beginning = is_same(&MessageIdentity::from_bytes(&original[..size.min(of)]).digests, digests);
    let is_cut = is_beginning || size < of / 2;
    is_cut.then(|| (format!("{STORED_PREFIX}{size} of {of} bytes"), is_beginning || is_ours))
}

/// Compares copies with what was sent.
///
/// Compared are copies that were read already, or else a sample, and shortened copies. One damaged copy puts all
/// others of the transfer in doubt.
pub(crate) async fn check_bytes<M: Ports>(
    cx: &mut SyncContext<'_, M>,
    job: &mut FolderJob,
    copies: &[StoredCopy<'_>],
    mut read: HashMap<Uid, Digests>,
) -> Result<Vec<DamagedCopy>, Error> {
    let shortened = copies
        .iter()
        .filter(|it| it.message.digests.is_some() && it.is_shortened() && !read.contains_key(&it.copy));
    let mut wanted: UidSet = shortened.take(SAMPLE).map(|it| it.copy).collect();
    if read.is_empty() {
        let known = copies.iter().filter_map(|it| it.to_compare());
        wanted.extend(cx.limits.read_back.choose(known).iter());
    }
    read_copies(cx, job, &wanted, &mut read).await?;
    let doubtful = |read: &HashMap<Uid, Digests>| -> Vec<(StoredCopy<'_>, Digests)> {
        let read = copies.iter().filter_map(|it| Some((*it, *read.get(&it.copy)?)));
        read.filter(|(it, digests)| it.is_doubtful(digests)).collect()
    };
    let has_other_header =
        |it: &&StoredCopy<'_>| read.get(&it.copy).is_some_and(|digests| it.has_other_header(digests));
    job.tally.rewritten += copies.iter().filter(has_other_header).count() as u64;
    let sample: Vec<_> = doubtful(&read).into_iter().take(SAMPLE).collect();
    let mut damaged = compare_with_originals(cx, job, &sample).await?;
    if !damaged.is_empty() {
        let unread = copies.iter().filter(|it| it.message.digests.is_some());
        let unread = unread.map(|it| it.copy).filter(|copy| !read.contains_key(copy));
        let unread: UidSet = unread.collect();
        read_copies(cx, job, &unread, &mut read).await?;
        let compared: HashSet<Uid> = sample.iter().map(|(it, _)| it.copy).collect();
        let mut rest = doubtful(&read);
        rest.retain(|(it, _)| !compared.contains(&it.copy));
        damaged.extend(compare_with_originals(cx, job, &rest).await?);
    }
    let known = copies_of(&damaged);
    let others = check_equal_bytes(cx, job, copies).await?;
    damaged.extend(others.into_iter().filter(|it| !known.contains(it.copy)));
    Ok(damaged)
}

async fn read_copies<M: Ports>(
    cx: &mut SyncContext<'_, M>,
    job: &FolderJob,
    copies: &UidSet,
    read: &mut HashMap<Uid, Digests>,
) -> Result<(), Error> {
    if !copies.is_empty() {
        read.extend(cx.target.digests(&job.target, copies).await?);
    }
    Ok(())
}

async fn compare_with_originals<M: Ports>(
    cx: &mut SyncContext<'_, M>,
    job: &FolderJob,
    doubtful: &[(StoredCopy<'_>, Digests)],
) -> Result<Vec<DamagedCopy>, Error> {
    let mut damaged = Vec::new();
    for (stored, digests) in doubtful {
        let message = MessageInfo {
            uid: stored.message.uid,
            flags: Flags::new(),
            internal_date: None,
            size: stored.message.size,
        };
        let found = match Box::pin(fetch_whole(cx, job, &message)).await? {
            FetchedMessage::Whole(original) => damage(&original, *stored, digests),
            FetchedMessage::TooLarge => Some((OTHER_BYTES_REASON.to_owned(), false)),
            // The message is gone from the source, or unreadable: nothing can be proved.
            FetchedMessage::Missing(_) => None,
        };
        let lost = |words| LostMessage { uid: message.uid, words };
        let as_damaged = |(words, is_ours)| DamagedCopy { lost: lost(words), copy: stored.copy, is_ours };
        damaged.extend(found.map(as_damaged));
    }
    Ok(damaged)
}

/// Finds messages for which the source returned another message's bytes. Their headers differ from these bytes.
async fn check_equal_bytes<M: Ports>(
    cx: &mut SyncContext<'_, M>,
    job: &mut FolderJob,
    copies: &[StoredCopy<'_>],
) -> Result<Vec<DamagedCopy>, Error> {
    let mut seen = HashSet::new();
    let digests = copies.iter().filter_map(|it| it.message.digests);
    let repeated: HashSet<Digests> = digests.filter(|it| !seen.insert(*it)).collect();
    // A message that is sent again, or in a later pass, has no second message beside it.
    let is_suspect = |it: &StoredCopy<'_>, digests: &Digests| {
        repeated.contains(digests) || job.mistaken.contains(&it.message.uid)
    };
    let mut alike: HashMap<Digests, Vec<&StoredCopy<'_>>> = HashMap::new();
    for stored in copies {
        if let Some(digests) = stored.message.digests.filter(|digests| is_suspect(stored, digests)) {
            alike.entry(digests).or_default().push(stored);
        }
    }
    let uids: UidSet = alike.values().flatten().map(|it| it.message.uid).take(MAX_TWINS).collect();
    if uids.is_empty() {
        return Ok(Vec::new());
    }
    let headers: HashMap<Uid, Fingerprint> = match cx.source.fingerprints(&job.source, &uids).await {
        Ok(headers) => headers.into_iter().collect(),
        // A source without single header fields proves nothing.
        Err(error) if error.scope <= Scope::Folder => HashMap::new(),
        Err(error) => return Err(error),
    };
    let fits = |stored: &StoredCopy<'_>| {
        let header = headers.get(&stored.message.uid)?;
        Some(*header == stored.message.fingerprint?)
    };
    let mut damaged = Vec::new();
    for twins in alike.values() {
        // If no header fits, the source writes headers differently when they are requested alone.
        let is_proved = twins.len() == 1 || twins.iter().any(|it| fits(it) == Some(true));
        for stored in twins.iter().filter(|it| is_proved && fits(it) == Some(false)) {
            let lost = LostMessage { uid: stored.message.uid, words: WRONG_BYTES_REASON.to_owned() };
            damaged.push(DamagedCopy { lost, copy: stored.copy, is_ours: true });
        }
    }
    job.mistaken.extend(damaged.iter().map(|it| it.lost.uid));
    Ok(damaged)
}

/// Separates damaged copies that are ours by their headers from other messages at a wrong UID.
///
/// The source UIDs of the latter are returned.
pub(crate) async fn split_ours<M: Ports>(
    cx: &mut SyncContext<'_, M>,
    job: &FolderJob,
    damaged: Vec<DamagedCopy>,
) -> Result<(Vec<DamagedCopy>, Vec<Uid>), Error> {
    let doubtful = damaged.iter().filter(|it| !it.is_ours);
    let doubtful: Vec<(Uid, Uid)> = doubtful.map(|it| (it.lost.uid, it.copy)).collect();
    if doubtful.is_empty() {
        return Ok((damaged, Vec::new()));
    }
    let proved = copies_with_our_headers(cx, job, &doubtful).await?;
    let (ours, others): (Vec<DamagedCopy>, Vec<DamagedCopy>) =
        damaged.into_iter().partition(|it| it.is_ours || proved.contains(it.copy));
    Ok((ours, others.into_iter().map(|it| it.lost.uid).collect()))
}

/// Removes damaged copies, so that the messages can be sent again. An error names the first copy that cannot be
/// removed.
pub(crate) async fn remove_damaged<M: Ports>(
    cx: &mut SyncContext<'_, M>,
    job: &FolderJob,
    damaged: Vec<DamagedCopy>,
) -> Result<Vec<LostMessage>, Error> {
    let Some(first) = damaged.first() else { return Ok(Vec::new()) };
    if let Err(error) = cx.target.remove_messages(&job.target, &copies_of(&damaged)).await {
        if error.scope > Scope::Folder {
            return Err(error);
        }
        let LostMessage { uid, words } = &first.lost;
        let words = format!("message UID {uid}: {words}; the copy cannot be removed: {}", error.message);
        return Err(Error::new(Scope::Folder, Retry::Never, ErrorKind::Refused, words));
    }
    Ok(damaged.into_iter().map(|it| it.lost).collect())
}
