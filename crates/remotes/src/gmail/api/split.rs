//! The feed, divided between API and APPEND: looks ahead to choose the route of the next message.

use std::collections::VecDeque;

use bytes::Bytes;
use mailhaul_engine::{AppendPart, Envelope, Error, Feed};

use super::route::{LONGEST_HEADER, UploadRoute, has_header_end, route};

/// A message for the API.
pub(crate) enum Outgoing {
    /// The whole message.
    Whole(Envelope, Bytes),
    /// The size of a message that follows in [`Split::chunk`]s.
    Begun(Envelope, u64),
}

/// The feed of one folder. As a [`Feed`] it gives the messages for APPEND, and ends before a message for
/// the API.
pub(crate) struct Split<'f, F> {
    feed: &'f mut F,
    /// Size of the largest message for APPEND (bytes).
    largest: Option<u64>,
    /// Parts that were read ahead.
    ahead: VecDeque<AppendPart>,
    /// The route of the message that is ahead, whole or in part.
    route: Option<UploadRoute>,
    /// True within a message that was given out in part.
    is_within: bool,
}

impl<'f, F: Feed> Split<'f, F> {
    pub(crate) fn new(feed: &'f mut F, largest: Option<u64>) -> Self {
        Self { feed, largest, ahead: VecDeque::new(), route: None, is_within: false }
    }

    /// The route of the next message; `None` at the end.
    pub(crate) async fn peek(&mut self) -> Result<Option<UploadRoute>, Error> {
        if self.route.is_none() {
            self.route = match self.feed.next().await? {
                Some(AppendPart::Message(envelope, body)) => {
                    let route = route(&envelope, body.len() as u64, &body, self.largest);
                    self.ahead.push_back(AppendPart::Message(envelope, body));
                    Some(route)
                }
                Some(AppendPart::Start(envelope, octets)) => {
                    self.ahead.push_back(AppendPart::Start(envelope.clone(), octets));
                    let beginning = self.beginning().await?;
                    Some(route(&envelope, octets, &beginning, self.largest))
                }
                Some(AppendPart::Chunk(_) | AppendPart::End) => {
                    return Err(Error::session("a message continued that had not begun"));
                }
                None => None,
            };
        }
        Ok(self.route)
    }

    /// Reads ahead to the end of the header, or to the limit.
    async fn beginning(&mut self) -> Result<Vec<u8>, Error> {
        let mut beginning = Vec::new();
        while beginning.len() < LONGEST_HEADER && !has_header_end(&beginning) {
            let Some(part) = self.feed.next().await? else { break };
            let is_end = part == AppendPart::End;
            if let AppendPart::Chunk(octets) = &part {
                beginning.extend_from_slice(&octets[..octets.len().min(LONGEST_HEADER)]);
            }
            self.ahead.push_back(part);
            if is_end {
                break;
            }
        }
        Ok(beginning)
    }

    async fn take(&mut self) -> Result<Option<AppendPart>, Error> {
        match self.ahead.pop_front() {
            Some(part) => Ok(Some(part)),
            None => self.feed.next().await,
        }
    }

    /// The next message, if it is for the API.
    pub(crate) async fn outgoing(&mut self) -> Result<Option<Outgoing>, Error> {
        if self.peek().await? != Some(UploadRoute::Api) {
            return Ok(None);
        }
        match self.take().await? {
            Some(AppendPart::Message(envelope, body)) => {
                self.route = None;
                Ok(Some(Outgoing::Whole(envelope, body)))
            }
            Some(AppendPart::Start(envelope, octets)) => Ok(Some(Outgoing::Begun(envelope, octets))),
            _ => Err(Error::session("a message continued that had not begun")),
        }
    }

    /// Skips the rest of the current message.
    pub(crate) async fn skip(&mut self) -> Result<(), Error> {
        while self.route.is_some() && self.chunk().await?.is_some() {}
        Ok(())
    }

    /// The next bytes of the current message; `None` at its end.
    pub(crate) async fn chunk(&mut self) -> Result<Option<Bytes>, Error> {
        match self.take().await? {
            Some(AppendPart::Chunk(octets)) => Ok(Some(octets)),
            Some(AppendPart::End) => {
                self.route = None;
                Ok(None)
            }
            _ => Err(Error::session("a message did not continue")),
        }
    }
}

impl<F: Feed> Feed for Split<'_, F> {
    async fn next(&mut self) -> Result<Option<AppendPart>, Error> {
        if !self.is_within && self.peek().await? != Some(UploadRoute::Append) {
            return Ok(None);
        }
        let part = self.take().await?;
        self.is_within = matches!(part, Some(AppendPart::Start(..) | AppendPart::Chunk(_)));
        if !self.is_within {
            self.route = None;
        }
        Ok(part)
    }

    fn is_ready(&self) -> bool {
        !self.ahead.is_empty() || self.feed.is_ready()
    }
}
