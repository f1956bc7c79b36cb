//! UID FETCH as a stream (RFC 9051, section 6.4.5): bodies come by, none is kept.

use std::{collections::VecDeque, time::Duration};

use bytes::Bytes;
use mailhaul_mail::{Uid, UidSet};

use crate::{
    command_id::CommandId,
    commands::plain_items,
    decode::{FetchHead, decode_fetch_head},
    driver::Event,
    encode::Command,
    error::Error,
    limits::ResponseLimits,
    response::{Fetch, StatusResponse, Untagged},
    selected::Selected,
    session::Session,
    trace,
};

/// What a [`FetchStream`] gives.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum FetchEvent {
    /// All that one response told of a message. Small sections are inside; those that were streamed are marked
    /// [`Content::Streamed`](crate::response::Content::Streamed), and their octets came before this. Servers also send
    /// such responses unasked, when flags change.
    Message(Box<Fetch>),
    /// A response with octets of a message that does not end as it should: those octets, streamed ones included, may be
    /// too few or too many, and nothing more that comes on the connection can be relied on.
    Broken(Box<Fetch>),
    /// The octets of a large section follow.
    BodyStart {
        /// The message, where the server said it before the section; otherwise see the message that follows.
        uid: Option<Uid>,
        /// The section, as in [`Section::spec`](crate::response::Section::spec).
        section: String,
        /// The first byte of a part (`BODY[]<0>`); `None` for the whole section.
        origin: Option<u32>,
        /// How many octets.
        length: u64,
    },
    /// The next of them.
    BodyChunk(Bytes),
    /// As many came as were announced. They are the section only if the response ends as it should: wait for the
    /// [`FetchEvent::Message`].
    BodyEnd,
    /// A command is done. Its messages came before this.
    Completed {
        /// Which one.
        command: CommandId,
        /// What the server said.
        status: StatusResponse,
    },
    /// Something else.
    Other(Untagged),
}

/// FETCH commands under way. Nothing is read that is not asked for by [`FetchStream::next`], so a slow reader slows
/// the server down.
///
/// Dropping it early leaves the session usable: what is still to come is read, and thrown away, before the next
/// command.
pub struct FetchStream<'s> {
    session: &'s mut Session,
    in_flight: VecDeque<CommandId>,
    /// Whether the literal that comes by belongs to a message.
    is_body: bool,
    patience: Duration,
    limits: ResponseLimits,
}

impl Selected<'_> {
    /// A stream of FETCH commands on this mailbox.
    pub async fn fetch_stream(&mut self) -> Result<FetchStream<'_>, Error> {
        self.session.link.drain_abandoned().await?;
        let (limits, patience) = (self.session.limits.clone(), self.session.link.timeouts.read);
        let (session, in_flight) = (&mut *self.session, VecDeque::new());
        Ok(FetchStream { session, in_flight, is_body: false, patience, limits })
    }
}

impl FetchStream<'_> {
    /// Adds a UID FETCH to those under way; it is sent with the next [`FetchStream::next`]. `items` are words of the
    /// protocol, such as `(UID BODY.PEEK[])`. The set should not be much longer than
    /// [`split_uids`](crate::split_uids) makes it.
    pub fn send(&mut self, uids: &UidSet, items: &str) -> Result<CommandId, Error> {
        plain_items(items)?;
        let writer = &mut self.session.link.writer;
        let id = writer.open();
        let command = Command::new("UID FETCH").uids(uids).raw(items);
        if writer.trace.is_some() {
            writer.trace(&trace::command(id, &command));
        }
        // There is no literal in it: nothing to wait for.
        command.fragments.iter().for_each(|fragment| writer.queue(fragment.octets()));
        writer.close();
        self.in_flight.push_back(id);
        Ok(id)
    }

    /// Waits so long for the next byte of an answer from now on.
    pub fn set_timeout(&mut self, patience: Duration) {
        self.patience = patience;
    }

    /// The longest wait for the next byte of an answer.
    pub fn timeout(&self) -> Duration {
        self.patience
    }

    /// How many commands are under way.
    pub fn in_flight(&self) -> usize {
        self.in_flight.len()
    }

    /// The next event; `None` when nothing is under way. Safe to drop.
    pub async fn next(&mut self) -> Result<Option<FetchEvent>, Error> {
        while !self.in_flight.is_empty() {
            match self.session.link.next_within(self.patience).await? {
                Event::LiteralStart { head, length } => {
                    let found = decode_fetch_head(&head, &self.limits);
                    self.is_body = found.is_some();
                    if let Some(head) = found {
                        let FetchHead { uid, section, origin } = head;
                        return Ok(Some(FetchEvent::BodyStart { uid, section, origin, length }));
                    }
                }
                Event::LiteralChunk(chunk) if self.is_body => return Ok(Some(FetchEvent::BodyChunk(chunk))),
                Event::LiteralEnd if self.is_body => return Ok(Some(FetchEvent::BodyEnd)),
                Event::Untagged(Untagged::Fetch(fetch)) => return Ok(Some(FetchEvent::Message(fetch))),
                Event::Untagged(Untagged::BrokenFetch(fetch)) => return Ok(Some(FetchEvent::Broken(fetch))),
                Event::Untagged(other) => return Ok(Some(FetchEvent::Other(other))),
                Event::Tagged { id, status } => {
                    self.in_flight.retain(|it| *it != id);
                    return Ok(Some(FetchEvent::Completed { command: id, status }));
                }
                Event::LiteralChunk(_) | Event::LiteralEnd | Event::Continue(_) => {}
            }
        }
        Ok(None)
    }
}
