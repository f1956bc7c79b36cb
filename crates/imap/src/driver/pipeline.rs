//! Several commands of one kind in flight at once.

use std::{
    borrow::Borrow,
    collections::{BTreeMap, HashMap},
};

use super::{Event, Link, MAX_RESPONSES};
use crate::{
    command_id::CommandId,
    encode::Command,
    error::{Error, ErrorKind},
    response::{Status, StatusResponse, Untagged},
};

/// Commands in flight at once. Bounds the memory for them.
const MAX_IN_FLIGHT: usize = 128;

/// A response to commands in flight. Each command is known by its index.
pub(crate) enum PipelineEvent<'a> {
    /// Data, with the commands in flight that may have asked for it.
    Untagged(Untagged, &'a HashMap<CommandId, usize>),
    /// The end of a command.
    Ended(usize, StatusResponse),
}

impl Link {
    /// Runs commands to their ends, many at a time, in their order.
    pub(crate) async fn pipeline(
        &mut self,
        commands: impl ExactSizeIterator<Item = impl Borrow<Command>>,
        mut observe: impl FnMut(PipelineEvent<'_>),
    ) -> Result<(), Error> {
        self.drain_abandoned().await?;
        let count = commands.len();
        let mut rest = commands.enumerate();
        let mut in_flight = HashMap::new();
        for _ in 0..MAX_RESPONSES {
            while in_flight.len() < MAX_IN_FLIGHT
                && let Some((index, command)) = rest.next()
            {
                in_flight.insert(self.send(command.borrow()).await?, index);
            }
            if in_flight.is_empty() {
                return Ok(());
            }
            match self.next().await? {
                Event::Untagged(untagged) => observe(PipelineEvent::Untagged(untagged, &in_flight)),
                Event::Tagged { id, status } => {
                    if let Some(index) = in_flight.remove(&id) {
                        observe(PipelineEvent::Ended(index, status));
                    }
                }
                _ => {}
            }
        }
        let words = format!("{count} commands: the answers have no end");
        Err(self.incoming.fail(Error::session(ErrorKind::Protocol, words)))
    }

    /// Runs several commands at once, each with its name for errors. The outcomes are in their order.
    pub(crate) async fn run_many(
        &mut self,
        commands: &[(&str, Command)],
        collect: impl FnMut(Untagged),
    ) -> Result<Vec<Result<StatusResponse, Error>>, Error> {
        self.run_many_noticing(commands, collect, || {}).await
    }

    /// Like [`run_many`](Self::run_many). Calls `ended_one` at the end of each command.
    pub(crate) async fn run_many_noticing(
        &mut self,
        commands: &[(&str, Command)],
        mut collect: impl FnMut(Untagged),
        mut ended_one: impl FnMut(),
    ) -> Result<Vec<Result<StatusResponse, Error>>, Error> {
        let mut ended = BTreeMap::new();
        let observe = |event: PipelineEvent<'_>| match event {
            PipelineEvent::Untagged(untagged, _) => collect(untagged),
            PipelineEvent::Ended(index, status) => {
                ended_one();
                let is_ok = status.status == Status::Ok;
                let refused = Error::refused(commands[index].0, &status);
                ended.insert(index, if is_ok { Ok(status) } else { Err(refused) });
            }
        };
        self.pipeline(commands.iter().map(|(_, command)| command), observe).await?;
        Ok(ended.into_values().collect())
    }
}
