//! UID STORE (RFC 9051, section 6.4.6).

use std::collections::VecDeque;

use mailhaul_mail::{Flags, UidSet};

use super::parts::{left_undone, parts};
use crate::{encode::Command, error::Error, selected::Selected};

/// Commands in one round trip.
const MAX_IN_FLIGHT: usize = 100;

/// Kind of a flag change.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StoreMode {
    /// Add these flags.
    Add,
    /// Remove these flags.
    Remove,
    /// Set these flags and remove all others.
    Replace,
}

/// Change of the flags of some messages in the selected mailbox.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoreCommand {
    /// The messages.
    pub uids: UidSet,
    /// Kind of the change.
    pub mode: StoreMode,
    /// The flags.
    pub flags: Flags,
}

impl StoreCommand {
    fn is_empty(&self) -> bool {
        self.flags.is_empty() && self.mode != StoreMode::Replace
    }

    fn command(&self, uids: &UidSet) -> Command {
        let item = match self.mode {
            StoreMode::Add => "+FLAGS.SILENT",
            StoreMode::Remove => "-FLAGS.SILENT",
            StoreMode::Replace => "FLAGS.SILENT",
        };
        Command::new("UID STORE").uids(uids).raw(item).flags(&self.flags)
    }
}

impl Selected<'_> {
    /// Changes the flags of messages. The server does not send the result (`.SILENT`).
    ///
    /// # Errors
    /// A refusal, or an error of the connection.
    pub async fn uid_store(&mut self, uids: &UidSet, mode: StoreMode, flags: &Flags) -> Result<(), Error> {
        let store = StoreCommand { uids: uids.clone(), mode, flags: flags.clone() };
        self.uid_store_many(&[store]).await?.pop().unwrap_or(Ok(()))
    }

    /// Makes several flag changes in one round trip. The results are in the order of the changes.
    ///
    /// # Errors
    /// An error of the connection. A refusal is the result of its change.
    pub async fn uid_store_many(&mut self, stores: &[StoreCommand]) -> Result<Vec<Result<(), Error>>, Error> {
        let mut results: Vec<Result<(), Error>> = stores.iter().map(|_| Ok(())).collect();
        let state = self.session.link.state();
        let parts_of =
            |store: &StoreCommand| if store.is_empty() { VecDeque::new() } else { parts(&store.uids, state) };
        let mut todo: Vec<(usize, UidSet)> = stores
            .iter()
            .enumerate()
            .flat_map(|(index, store)| parts_of(store).into_iter().map(move |part| (index, part)))
            .collect();
        todo.reverse();
        while !todo.is_empty() {
            let mut batch = todo.split_off(todo.len().saturating_sub(MAX_IN_FLIGHT));
            batch.reverse();
            let commands: Vec<(&str, Command)> =
                batch.iter().map(|(index, part)| ("UID STORE", stores[*index].command(part))).collect();
            let ended = self.session.link.run_many(&commands, |_| {}).await?;
            for ((index, part), ended) in batch.into_iter().zip(ended) {
                match ended.and_then(|status| left_undone("UID STORE", &part, &status)) {
                    Ok(rest) if rest.is_empty() => {}
                    Ok(rest) => todo.push((index, rest)),
                    Err(error) if results[index].is_ok() => results[index] = Err(error),
                    Err(_) => {}
                }
            }
        }
        Ok(results)
    }
}
