//! The folders of a mailbox, as the engine sees them.

pub(crate) mod names;
pub(crate) mod user_root;

use std::collections::{BTreeMap, BTreeSet};

use mailhaul_engine::{Folder, FolderStatus, LeaveOut};
use mailhaul_imap::{
    Error, ListQuery, ListedMailbox, MailboxName, Session, StatusItem,
    response::{ListItem, StatusItems},
};
use mailhaul_mail::{FolderPath, Scope, SpecialUse};

use crate::imap::listing::names::{EVERYTHING, Names};

/// Items of STATUS that show a change.
pub(crate) const STATUS_ITEMS: [StatusItem; 4] =
    [StatusItem::Messages, StatusItem::UidNext, StatusItem::UidValidity, StatusItem::HighestModSeq];

/// The folders, and the name of each on the wire.
#[derive(Default)]
pub(crate) struct Listing {
    pub(crate) folders: Vec<Folder>,
    pub(crate) names: BTreeMap<FolderPath, MailboxName>,
}

/// The query for folders; with their states if `with_status`.
pub(crate) fn query(pattern: Vec<u8>, with_status: bool) -> ListQuery {
    let status = if with_status { STATUS_ITEMS.to_vec() } else { Vec::new() };
    ListQuery { pattern, status, ..ListQuery::default() }
}

/// Lists the mailbox. `with_status` requests the state of every folder too, in the same round trip if the
/// server can. `everything` is the list from the start of the session.
pub(crate) async fn list(
    session: &mut Session,
    names: &Names,
    with_status: bool,
    mut everything: Option<Vec<ListedMailbox>>,
) -> Result<Listing, Error> {
    let mut listed: Vec<ListedMailbox> = Vec::new();
    let mut subscribed: BTreeSet<MailboxName> = BTreeSet::new();
    for pattern in names.patterns() {
        let told = everything.take().filter(|_| pattern == EVERYTHING);
        let query = query(pattern, with_status);
        let found = match told {
            Some(told) => told,
            None => session.list(&query).await?,
        };
        for it in found {
            if !listed.iter().any(|known| known.item.name == it.item.name) {
                listed.push(it);
            }
        }
        if session.needs_xlist() {
            add_special_uses(session, &query, &mut listed).await?;
        }
        if names.subscriptions_are_known() && !session.list_tells_subscriptions() {
            // A folder that is not subscribed, but has subscribed children, is \Noselect here (RFC 3501,
            // section 6.3.9).
            let found = session.lsub(&query).await?.into_iter().filter(|it| !it.has("\\Noselect"));
            subscribed.extend(found.map(|it| it.name));
        }
    }
    // Some servers list the folders below INBOX and not INBOX itself.
    let inbox = names.root().map_or_else(|| MailboxName::from_wire("INBOX"), |it| it.inbox.clone());
    let lists_inbox = listed.iter().any(|it| it.item.name == inbox);
    if !lists_inbox && names.root().is_none() {
        let item =
            ListItem { attributes: Vec::new(), delimiter: None, name: inbox.clone(), extended: Vec::new() };
        listed.push(ListedMailbox { item, status: None });
    }
    if with_status {
        let silent: Vec<usize> = (0..listed.len())
            .filter(|index| listed[*index].status.is_none() && is_selectable(&listed[*index].item))
            .collect();
        let asked: Vec<MailboxName> = silent.iter().map(|index| listed[*index].item.name.clone()).collect();
        if !asked.is_empty() {
            let answers = session.status_many(&asked, &STATUS_ITEMS).await?;
            for (index, answer) in silent.into_iter().zip(answers) {
                // A refusal is reported when the folder is opened.
                listed[index].status = answer.ok();
            }
        }
    }
    let mut listing = Listing::default();
    for ListedMailbox { item, status } in listed {
        let Some(path) = names.path(&item.name) else { continue };
        let path = untaken(&path, &listing.names);
        listing.folders.push(Folder {
            path: path.clone(),
            special_use: item.attributes.iter().find_map(|it| SpecialUse::from_attribute(it)),
            selectable: is_selectable(&item),
            subscribed: !names.subscriptions_are_known()
                || item.has("\\Subscribed")
                || subscribed.contains(&item.name),
            status: status.as_ref().and_then(folder_status),
            leave_out: names.foreign(&item.name).map(LeaveOut::UnlessWanted),
        });
        listing.names.insert(path, item.name);
    }
    Ok(listing)
}

/// Adds the special uses from XLIST to the listed folders. A refusal is ignored.
async fn add_special_uses(
    session: &mut Session,
    query: &ListQuery,
    listed: &mut [ListedMailbox],
) -> Result<(), Error> {
    let told = match session.xlist(query).await {
        Ok(told) => told,
        Err(error) if error.scope < Scope::Session => return Ok(()),
        Err(error) => return Err(error),
    };
    let mut uses: BTreeMap<MailboxName, Vec<String>> = BTreeMap::new();
    for ListItem { name, attributes, .. } in told {
        let of_use = attributes.into_iter().filter(|it| SpecialUse::from_attribute(it).is_some());
        uses.entry(name).or_default().extend(of_use);
    }
    for ListedMailbox { item, .. } in listed {
        item.attributes.extend(uses.remove(&item.name).unwrap_or_default());
    }
    Ok(())
}

/// Returns a free path. Two names with invalid modified UTF-7 may have the same text; both are folders.
fn untaken(path: &FolderPath, taken: &BTreeMap<FolderPath, MailboxName>) -> FolderPath {
    let mut free = path.clone();
    let mut number = 1;
    while taken.contains_key(&free) {
        number += 1;
        let (last, parents) = match path.segments().split_last() {
            Some((last, parents)) => (format!("{last} ({number})"), parents.to_vec()),
            None => (number.to_string(), Vec::new()),
        };
        free = FolderPath::new(parents.into_iter().chain([last]));
    }
    free
}

fn is_selectable(item: &ListItem) -> bool {
    !item.has("\\Noselect") && !item.has("\\NonExistent")
}

/// `None` if the server leaves out a required item.
pub(crate) fn folder_status(items: &StatusItems) -> Option<FolderStatus> {
    Some(FolderStatus {
        messages: items.messages?,
        uid_validity: items.uid_validity?,
        uid_next: items.uid_next,
        highest_modseq: items.highest_modseq.filter(|it| it.0 > 0),
    })
}
