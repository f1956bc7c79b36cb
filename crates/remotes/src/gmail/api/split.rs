//! The feed, looked at before it is decided which way the next message goes.

use std::collections::VecDeque;

use bytes::Bytes;
use mailhaul_engine::{Envelope, Error, Feed, Offer};

use super::route::{LONGEST_HEADER, UploadRoute, has_header_end, route};

/// A message that is to go by the API.
pub(crate) enum Outgoing {
    /// All of it.
    Whole(Envelope, Bytes),
    /// So many octets follow as [`Split::chunk`]s.
    Begun(Envelope, u64),
}

/// The feed of one folder. As a [`Feed`] it gives what goes by APPEND, and ends where something else comes.
pub(crate) struct Split<'f, F> {
    feed: &'f mut F,
    /// Octets of the largest message that APPEND takes.
    largest: Option<u64>,
    /// What was looked at and not given out.
    ahead: VecDeque<Offer>,
    /// The way of the message that is ahead, whole or in part.
    route: Option<UploadRoute>,
    /// What was given out last is the beginning of a message, and its end was not.
    is_within: bool,
}

impl<'f, F: Feed> Split<'f, F> {
    pub(crate) fn new(feed: &'f mut F, largest: Option<u64>) -> Self {
        Self { feed, largest, ahead: VecDeque::new(), route: None, is_within: false }
    }

    /// Which way the next message goes; `None` at the end.
    pub(crate) async fn peek(&mut self) -> Result<Option<UploadRoute>, Error> {
        if self.route.is_none() {
            self.route = match self.feed.next().await? {
                Some(Offer::Message(envelope, body)) => {
                    let route = route(&envelope, body.len() as u64, &body, self.largest);
                    self.ahead.push_back(Offer::Message(envelope, body));
                    Some(route)
                }
                Some(Offer::Start(envelope, octets)) => {
                    self.ahead.push_back(Offer::Start(envelope.clone(), octets));
                    let beginning = self.beginning().await?;
                    Some(route(&envelope, octets, &beginning, self.largest))
                }
                Some(Offer::Chunk(_) | Offer::End) => {
                    return Err(Error::session("a message went on that had not begun"));
                }
                None => None,
            };
        }
        Ok(self.route)
    }

    /// The header of the message that has begun, as far as it is looked at.
    async fn beginning(&mut self) -> Result<Vec<u8>, Error> {
        let mut beginning = Vec::new();
        while beginning.len() < LONGEST_HEADER && !has_header_end(&beginning) {
            let Some(offer) = self.feed.next().await? else { break };
            let is_end = offer == Offer::End;
            if let Offer::Chunk(octets) = &offer {
                beginning.extend_from_slice(&octets[..octets.len().min(LONGEST_HEADER)]);
            }
            self.ahead.push_back(offer);
            if is_end {
                break;
            }
        }
        Ok(beginning)
    }

    async fn take(&mut self) -> Result<Option<Offer>, Error> {
        match self.ahead.pop_front() {
            Some(offer) => Ok(Some(offer)),
            None => self.feed.next().await,
        }
    }

    /// The next message, which goes by the API.
    pub(crate) async fn outgoing(&mut self) -> Result<Option<Outgoing>, Error> {
        if self.peek().await? != Some(UploadRoute::Api) {
            return Ok(None);
        }
        match self.take().await? {
            Some(Offer::Message(envelope, body)) => {
                self.route = None;
                Ok(Some(Outgoing::Whole(envelope, body)))
            }
            Some(Offer::Start(envelope, octets)) => Ok(Some(Outgoing::Begun(envelope, octets))),
            _ => Err(Error::session("a message went on that had not begun")),
        }
    }

    /// Lets what is left of the message go by, which was taken in part.
    pub(crate) async fn skip(&mut self) -> Result<(), Error> {
        while self.route.is_some() && self.chunk().await?.is_some() {}
        Ok(())
    }

    /// The next octets of the message that has begun; `None` at its end.
    pub(crate) async fn chunk(&mut self) -> Result<Option<Bytes>, Error> {
        match self.take().await? {
            Some(Offer::Chunk(octets)) => Ok(Some(octets)),
            Some(Offer::End) => {
                self.route = None;
                Ok(None)
            }
            _ => Err(Error::session("a message did not go on")),
        }
    }
}

impl<F: Feed> Feed for Split<'_, F> {
    async fn next(&mut self) -> Result<Option<Offer>, Error> {
        if !self.is_within && self.peek().await? != Some(UploadRoute::Append) {
            return Ok(None);
        }
        let offer = self.take().await?;
        self.is_within = matches!(offer, Some(Offer::Start(..) | Offer::Chunk(_)));
        if !self.is_within {
            self.route = None;
        }
        Ok(offer)
    }

    fn is_ready(&self) -> bool {
        !self.ahead.is_empty() || self.feed.is_ready()
    }
}
