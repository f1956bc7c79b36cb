//! Asking for what one message may spoil: a refused set of UIDs is halved until the refused message stands alone.

use mailhaul_imap::{self as imap, SearchKey, Selected, response::Fetch};
use mailhaul_mail::{Scope, Uid, UidSet};

/// Refused commands after which no further halves are asked for. A server that refuses everything is not asked for each
/// message, and many servers hang up after a number of errors.
const MOST_REFUSALS: usize = 64;

/// Messages that the server refuses to show, with its words.
#[derive(Debug)]
pub(crate) struct RefusedSet {
    pub(crate) uids: UidSet,
    pub(crate) error: imap::Error,
}

/// Fetches small items of these messages. `collect` returns true for an answer that has all that was asked for.
/// Returns what is refused although everything else was asked for without it.
pub(crate) async fn fetch_in_halves(
    selected: &mut Selected<'_>,
    uids: UidSet,
    items: &str,
    mut collect: impl FnMut(&Fetch) -> bool,
) -> Result<Vec<RefusedSet>, imap::Error> {
    let (mut todo, mut refused, mut refusals) = (vec![uids], Vec::new(), 0);
    while let Some(uids) = todo.pop() {
        let mut shown = UidSet::new();
        let fetched = selected.uid_fetch(&uids, items, |fetch| {
            if collect(&fetch) {
                shown.extend(fetch.uid);
            }
        });
        let error = match fetched.await {
            Ok(()) => continue,
            Err(error) if is_refusal(&error) => error,
            Err(error) => return Err(error),
        };
        refusals += 1;
        let uids = if uids.is_all() { likely(selected).await? } else { uids };
        let (is_alone, uids) = (uids.len() == 1, uids.without(&shown));
        let (lower, upper) = uids.halves();
        if is_alone || refusals >= MOST_REFUSALS {
            refused.push(RefusedSet { uids, error: error.clone() });
        } else {
            todo.extend([upper, lower]);
        }
        todo.retain(|uids| !uids.is_empty());
        if refusals >= MOST_REFUSALS {
            refused.extend(todo.drain(..).map(|uids| RefusedSet { uids, error: error.clone() }));
        }
    }
    refused.retain(|it| !it.uids.is_empty());
    Ok(refused)
}

/// True if the command is refused, and nothing is said of connection, mailbox or server.
pub(crate) fn is_refusal(error: &imap::Error) -> bool {
    error.scope <= Scope::Folder && error.kind == imap::ErrorKind::Refused
}

/// The UIDs that the server lists; where it lists none, all that it may have given.
async fn likely(selected: &mut Selected<'_>) -> Result<UidSet, imap::Error> {
    let listed = listed(selected).await?;
    if !listed.is_empty() {
        return Ok(listed);
    }
    let last = selected.data().uid_next.and_then(|next| Uid::new(next.get() - 1));
    Ok(last.map_or_else(UidSet::all, |last| UidSet::range(Uid::FIRST, last)))
}

/// The UIDs that SEARCH finds; none where it is refused.
pub(crate) async fn listed(selected: &mut Selected<'_>) -> Result<UidSet, imap::Error> {
    match selected.uid_search(&[SearchKey::All]).await {
        Err(error) if error.scope >= Scope::Session => Err(error),
        found => Ok(found.unwrap_or_default()),
    }
}
