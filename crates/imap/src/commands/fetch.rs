//! UID FETCH of small items (RFC 9051, section 6.4.5; CHANGEDSINCE is RFC 7162). For bodies see
//! [`FetchStream`](crate::FetchStream).

use std::collections::{HashMap, VecDeque};

use mailhaul_mail::{ModSeq, Scope, UidSet};

use super::{
    parts::{left_undone, parts},
    plain_items,
};
use crate::{
    command_id::CommandId,
    driver::Event,
    encode::Command,
    error::Error,
    response::{Code, Fetch, Status, Untagged},
    selected::Selected,
};

/// Commands in flight at once.
const MAX_IN_FLIGHT: usize = 16;

impl Selected<'_> {
    /// Fetches `items`, words of the protocol such as `(UID FLAGS INTERNALDATE RFC822.SIZE)`.
    ///
    /// `collect` receives each answer as it arrives, including unrequested ones about changed flags. A section larger than
    /// [`ResponseLimits::inline_literal`](crate::ResponseLimits::inline_literal) is skipped, and marked as streamed.
    pub async fn uid_fetch(
        &mut self,
        uids: &UidSet,
        items: &str,
        collect: impl FnMut(Box<Fetch>),
    ) -> Result<(), Error> {
        self.fetch(uids, items, None, to_the_end(collect)).await.map(drop)
    }

    /// Like [`uid_fetch`](Self::uid_fetch), until `collect` returns an error. The connection is unusable after that error.
    pub async fn uid_fetch_until(
        &mut self,
        uids: &UidSet,
        items: &str,
        collect: impl FnMut(Box<Fetch>) -> Result<(), Error>,
    ) -> Result<(), Error> {
        self.fetch(uids, items, None, collect).await.map(drop)
    }

    /// Like [`uid_fetch`](Self::uid_fetch), for messages that changed after `since`.
    ///
    /// Returns the messages that vanished since then, if QRESYNC is enabled. Otherwise the empty set has no meaning.
    pub async fn uid_fetch_changed(
        &mut self,
        uids: &UidSet,
        items: &str,
        since: ModSeq,
        collect: impl FnMut(Box<Fetch>),
    ) -> Result<UidSet, Error> {
        let vanished = if self.session.has_enabled("QRESYNC") { " VANISHED" } else { "" };
        let modifiers = format!("(CHANGEDSINCE {since}{vanished})");
        self.fetch(uids, items, Some(&modifiers), to_the_end(collect)).await
    }

    /// Returns those of the messages that exist. Uses FETCH, because SEARCH is missing, limited or wrong on some servers.
    pub async fn uids_among(&mut self, uids: &UidSet) -> Result<UidSet, Error> {
        let mut there = UidSet::new();
        self.uid_fetch(uids, "(UID)", |fetch| there.extend(fetch.uid)).await?;
        // The server also reports changed flags of other messages.
        Ok(there.iter().filter(|uid| uids.contains(*uid)).collect())
    }

    async fn fetch(
        &mut self,
        uids: &UidSet,
        items: &str,
        modifiers: Option<&str>,
        mut collect: impl FnMut(Box<Fetch>) -> Result<(), Error>,
    ) -> Result<UidSet, Error> {
        plain_items(items)?;
        let link = &mut self.session.link;
        link.drain_abandoned().await?;
        let mut gone = UidSet::new();
        let mut todo = parts(uids, link.state());
        let mut in_flight: HashMap<CommandId, UidSet> = HashMap::new();
        loop {
            while in_flight.len() < MAX_IN_FLIGHT
                && let Some(part) = todo.pop_front()
            {
                let command = Command::new("UID FETCH").uids(&part).raw(items);
                let command = modifiers.into_iter().fold(command, Command::raw);
                in_flight.insert(link.send(&command).await?, part);
            }
            if in_flight.is_empty() {
                return Ok(gone);
            }
            match link.next().await? {
                Event::Untagged(Untagged::Fetch(fetch)) => {
                    collect(fetch).map_err(|error| link.give_up(error))?;
                }
                Event::Untagged(Untagged::Vanished { uids, .. }) => {
                    uids.ranges().for_each(|(first, last)| gone.insert_range(first, last));
                }
                Event::Tagged { id, status } => {
                    let part = in_flight.remove(&id).unwrap_or_default();
                    let is_too_many = matches!(status.code, Some(Code::MessageLimit { .. }));
                    let smaller = if is_too_many { parts(&part, link.state()) } else { VecDeque::new() };
                    if status.status == Status::Ok {
                        let rest = left_undone("UID FETCH", &part, &status)?;
                        todo.extend(Some(rest).filter(|rest| !rest.is_empty()));
                    } else if smaller.len() > 1 {
                        todo.extend(smaller);
                    } else {
                        return Err(Error::refused("UID FETCH", &status).at_least(Scope::Folder));
                    }
                }
                _ => {}
            }
        }
    }
}

/// Adapts a closure that never fails.
fn to_the_end(mut collect: impl FnMut(Box<Fetch>)) -> impl FnMut(Box<Fetch>) -> Result<(), Error> {
    move |fetch| {
        collect(fetch);
        Ok(())
    }
}
