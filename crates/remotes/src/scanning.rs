//! Looking at all messages of an open folder, or at what changed in it.

use mailhaul_engine::{MessageInfo, Present};
use mailhaul_imap::{self as imap, SearchKey, Selected, response::Fetch};
use mailhaul_mail::{Flags, FolderPath, InternalDate, ModSeq, Retry, Scope, Uid, UidSet};

use crate::gmail::Labels;

/// What is asked of every message.
const SCAN_ITEMS: &str = "(UID FLAGS INTERNALDATE RFC822.SIZE)";
/// And where folders are labels.
const LABELLED_ITEMS: &str = "(UID FLAGS INTERNALDATE RFC822.SIZE X-GM-LABELS)";

/// All messages of the open folder.
pub(crate) async fn everything(
    mut selected: Selected<'_>,
    exists: u32,
    mut found: Found<'_>,
) -> Result<(Vec<MessageInfo>, Present), imap::Error> {
    if exists > 0 {
        selected.uid_fetch(&all(), found.items(), |fetch| found.take(&fetch)).await?;
    }
    let (messages, elsewhere) = found.messages()?;
    // What was there at first, without what was expunged meanwhile, must have been shown.
    enough(exists.min(selected.data().exists), messages.len() as u64 + elsewhere.len())?;
    let present = messages.iter().map(|it| it.uid).collect();
    Ok((messages, Present::These(present)))
}

/// The messages of the open folder from this UID on.
pub(crate) async fn from(mut selected: Selected<'_>, first: Uid) -> Result<Vec<MessageInfo>, imap::Error> {
    let mut found = Found::new(None);
    if selected.data().exists > 0 {
        let last = Uid::new(u32::MAX).unwrap_or(first);
        selected.uid_fetch(&UidSet::range(first, last), SCAN_ITEMS, |fetch| found.take(&fetch)).await?;
    }
    let (mut messages, _) = found.messages()?;
    messages.retain(|it| it.uid >= first);
    Ok(messages)
}

/// What changed in the open folder (RFC 7162).
pub(crate) async fn changes(
    mut selected: Selected<'_>,
    since: ModSeq,
    mut found: Found<'_>,
) -> Result<(Vec<MessageInfo>, Present), imap::Error> {
    let items = found.items();
    let mut vanished = selected.uid_fetch_changed(&all(), items, since, |fetch| found.take(&fetch)).await?;
    let (messages, elsewhere) = found.messages()?;
    let present = if selected.has_enabled("QRESYNC") {
        elsewhere.ranges().for_each(|(first, last)| vanished.insert_range(first, last));
        Present::AllBut(vanished)
    } else {
        let there = present(&mut selected).await?;
        Present::These(there.iter().filter(|uid| !elsewhere.contains(*uid)).collect())
    };
    Ok((messages, present))
}

/// The UIDs of all messages. SEARCH tells them shortly, but some servers refuse it, find nothing, or find a part: unless it
/// finds as many as there are, FETCH is believed.
async fn present(selected: &mut Selected<'_>) -> Result<UidSet, imap::Error> {
    match selected.uid_search(&[SearchKey::All]).await {
        Ok(found) if found.len() == u64::from(selected.data().exists) => return Ok(found),
        Err(error) if error.scope >= Scope::Session => return Err(error),
        _ => {}
    }
    let exists = selected.data().exists;
    let found = if exists > 0 { selected.uids_among(&all()).await? } else { UidSet::new() };
    enough(exists.min(selected.data().exists), found.len())?;
    Ok(found)
}

/// A scan that shows fewer messages than there are must not be taken for a smaller folder.
fn enough(least: u32, shown: u64) -> Result<(), imap::Error> {
    if u64::from(least) <= shown {
        return Ok(());
    }
    Err(incomplete(format!("the server says that it holds {least} messages, and shows {shown}")))
}

/// `1:*` would do; but this is a set like any other.
fn all() -> UidSet {
    UidSet::range(Uid::FIRST, Uid::new(u32::MAX).unwrap_or(Uid::FIRST))
}

fn incomplete(words: String) -> imap::Error {
    imap::Error {
        scope: Scope::Folder,
        retry: Retry::Never,
        ..imap::Error::session(imap::ErrorKind::Protocol, words)
    }
}

/// Answers to FETCH, put together: servers may tell of one message in several.
pub(crate) struct Found<'a> {
    told: Vec<(Uid, Partial)>,
    /// Where folders are labels, and which of them is looked into.
    labels: Option<(&'a Labels, &'a FolderPath)>,
}

#[derive(Default)]
struct Partial {
    flags: Option<Flags>,
    internal_date: Option<InternalDate>,
    size: Option<u64>,
    /// Whether the message is taken from this folder and not from another one.
    is_here: Option<bool>,
}

impl<'a> Found<'a> {
    pub(crate) fn new(labels: Option<(&'a Labels, &'a FolderPath)>) -> Self {
        Self { told: Vec::new(), labels }
    }

    /// What is to be asked for.
    fn items(&self) -> &'static str {
        if self.labels.is_some() { LABELLED_ITEMS } else { SCAN_ITEMS }
    }

    fn take(&mut self, fetch: &Fetch) {
        // An answer without a UID is a notice that flags change now; the next pass sees it.
        let Some(uid) = fetch.uid else { return };
        let told = Partial {
            flags: fetch.flags.clone(),
            internal_date: fetch.internal_date,
            size: fetch.rfc822_size,
            is_here: match (self.labels, &fetch.gm_labels) {
                (Some((labels, here)), told) => told.as_ref().map(|told| labels.lists(here, told)),
                (None, _) => Some(true),
            },
        };
        self.told.push((uid, told));
    }

    /// The messages of this folder, and those that it shows and that are taken from another one.
    fn messages(self) -> Result<(Vec<MessageInfo>, UidSet), imap::Error> {
        let mut found = self.told;
        // What came last of a message counts, for each item by itself.
        found.sort_by_key(|(uid, _)| *uid);
        found.dedup_by(|(later, told), (uid, known)| {
            let is_same = later == uid;
            if is_same {
                known.flags = told.flags.take().or_else(|| known.flags.take());
                known.internal_date = told.internal_date.or(known.internal_date);
                known.size = told.size.or(known.size);
                known.is_here = told.is_here.or(known.is_here);
            }
            is_same
        });
        let lacks = |what, uid| {
            incomplete(format!("the server does not tell the {what} of the message with UID {uid}"))
        };
        let mut messages = Vec::with_capacity(found.len());
        let mut elsewhere = UidSet::new();
        for (uid, Partial { flags, internal_date, size, is_here }) in found {
            let Some(flags) = flags else { return Err(lacks("flags", uid)) };
            match is_here {
                Some(true) => {
                    messages.push(MessageInfo { uid, flags, internal_date, size: size.unwrap_or(0) });
                }
                Some(false) => elsewhere.insert(uid),
                None => return Err(lacks("labels", uid)),
            }
        }
        Ok((messages, elsewhere))
    }
}
