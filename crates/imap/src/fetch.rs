//! UID FETCH as a stream (RFC 9051, section 6.4.5). No body is kept in memory.

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

/// Event of a [`FetchStream`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum FetchEvent {
    /// One response about a message, with its small sections.
    ///
    /// Large sections are marked [`Content::Streamed`](crate::response::Content::Streamed); their bytes came before this
    /// event. Servers also send such responses unasked when flags change.
    Message(Box<Fetch>),
    /// A malformed response with bytes of a message. Its bytes, including streamed ones, may be too few or too many.
    ///
    /// Nothing that follows on the connection is reliable.
    Broken(Box<Fetch>),
    /// The bytes of a large section follow.
    BodyStart {
        /// The message, if the server sent its UID before the section; otherwise see the message that follows.
        uid: Option<Uid>,
        /// The section, as in [`Section::spec`](crate::response::Section::spec).
        section: String,
        /// First byte of a partial section (`BODY[]<0>`); `None` for the whole section.
        origin: Option<u32>,
        /// Number of bytes.
        length: u64,
    },
    /// The next bytes.
    BodyChunk(Bytes),
    /// All announced bytes arrived. The section is valid only after its [`FetchEvent::Message`].
    BodyEnd,
    /// A command has ended. Its messages came before this event.
    Completed {
        /// The command.
        command: CommandId,
        /// Status of the server.
        status: StatusResponse,
    },
    /// Any other response.
    Other(Untagged),
}

/// FETCH commands in flight. Only [`FetchStream::next`] reads, so a slow reader slows down the server.
///
/// The session stays usable if the stream is dropped early: the rest is read and discarded before the next command.
pub struct FetchStream<'s> {
    session: &'s mut Session,
    in_flight: VecDeque<CommandId>,
    /// True if the current literal belongs to a message.
    is_body: bool,
    patience: Duration,
    limits: ResponseLimits,
}

impl Selected<'_> {
    /// Starts a stream of FETCH commands in this mailbox.
    pub async fn fetch_stream(&mut self) -> Result<FetchStream<'_>, Error> {
        self.session.link.drain_abandoned().await?;
        let (limits, patience) = (self.session.limits.clone(), self.session.link.timeouts.read);
        let (session, in_flight) = (&mut *self.session, VecDeque::new());
        Ok(FetchStream { session, in_flight, is_body: false, patience, limits })
    }
}

impl FetchStream<'_> {
    /// Adds a UID FETCH. It is sent with the next [`FetchStream::next`].
    ///
    /// `items` are words of the protocol, such as `(UID BODY.PEEK[])`. Long sets must be split with
    /// [`split_uids`](crate::split_uids) first.
    pub fn send(&mut self, uids: &UidSet, items: &str) -> Result<CommandId, Error> {
        plain_items(items)?;
        let writer = &mut self.session.link.writer;
        let id = writer.open();
        let command = Command::new("UID FETCH").uids(uids).raw(items);
        if writer.trace.is_some() {
            writer.trace(&trace::command(id, &command));
        }
        // The command has no literal, so there is no continuation to wait for.
        command.fragments.iter().for_each(|fragment| writer.queue(fragment.octets()));
        writer.close();
        self.in_flight.push_back(id);
        Ok(id)
    }

    /// Sets the longest wait for the next byte of an answer.
    pub fn set_timeout(&mut self, patience: Duration) {
        self.patience = patience;
    }

    /// Longest wait for the next byte of an answer.
    pub fn timeout(&self) -> Duration {
        self.patience
    }

    /// Number of commands in flight.
    pub fn in_flight(&self) -> usize {
        self.in_flight.len()
    }

    /// Returns the next event; `None` if no command is in flight. Cancel safe.
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
                    self.in_flight.retain(|command| *command != id);
                    return Ok(Some(FetchEvent::Completed { command: id, status }));
                }
                Event::LiteralChunk(_) | Event::LiteralEnd | Event::Continue(_) => {}
            }
        }
        Ok(None)
    }
}
