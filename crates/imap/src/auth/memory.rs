//! Which mechanisms work at a server: shared by all connections to it, so that its users cost few refusals.

use std::{
    collections::{HashMap, VecDeque},
    sync::Arc,
    time::Duration,
};

use mailhaul_mail::Secret;
use parking_lot::{Mutex, MutexGuard};
use tokio::{
    sync::{Mutex as AsyncMutex, OwnedMutexGuard},
    time::timeout,
};

use super::{
    Credentials, LineSecurity, Way,
    order::{Try, next},
};
use crate::{error::Error, secrets::Secrets};

/// What sign-ins at one server have shown. Clones share it; each server, or endpoint, needs its own.
#[derive(Clone, Default)]
pub struct SignInMemory(Arc<Shared>);

#[derive(Default)]
struct Shared {
    known: Mutex<Known>,
    /// Held by the sign-in that finds out which mechanism works.
    discovery: Arc<AsyncMutex<()>>,
}

#[derive(Default)]
struct Known {
    worked: Vec<&'static str>,
    /// Tries of sign-ins that ended without an answer: the connection broke.
    unfinished: HashMap<Account, Vec<Try>>,
    /// What the server was shown last: it may say it on any connection.
    shown: VecDeque<Secret>,
}

/// Secrets that are remembered of one server.
const SHOWN: usize = 16;

/// Who signs in, and for whom.
type Account = (String, String);

impl SignInMemory {
    /// The secrets that are known when a connection is opened.
    pub(crate) fn secrets(&self) -> Secrets {
        Secrets::new(self.known().shown.make_contiguous())
    }

    /// The server is about to see this secret.
    pub(crate) fn shows(&self, secret: &Secret) {
        let shown = &mut self.known().shown;
        if !shown.contains(secret) {
            shown.truncate(SHOWN - 1);
            shown.push_front(secret.clone());
        }
    }

    fn known(&self) -> MutexGuard<'_, Known> {
        self.0.known.lock()
    }
}

/// One sign-in: what was tried, and what was refused.
pub(crate) struct Trial {
    memory: SignInMemory,
    account: Account,
    tries: Vec<Try>,
    /// What the server said to each refusal, in order.
    refusals: Vec<Error>,
    /// Held until this sign-in has ended.
    discovery: Option<OwnedMutexGuard<()>>,
}

impl Trial {
    pub(crate) fn new(memory: &SignInMemory, credentials: &Credentials) -> Self {
        let account = (credentials.user.clone(), credentials.owner().to_owned());
        let tries = memory.known().unfinished.get(&account).cloned().unwrap_or_default();
        Self { memory: memory.clone(), account, tries, refusals: Vec::new(), discovery: None }
    }

    /// Waits while another sign-in finds out which mechanism works, if that is not known and a refusal would not tell.
    pub(crate) async fn wait_for_turn(&mut self, is_ambiguous: bool, patience: Duration) {
        let is_mine = self.discovery.is_some();
        if is_ambiguous && !is_mine && self.memory.known().worked.is_empty() {
            let discovery = Arc::clone(&self.memory.0.discovery);
            self.discovery = timeout(patience, discovery.lock_owned()).await.ok();
            if !self.memory.known().worked.is_empty() {
                self.discovery = None;
            }
        }
    }

    /// The way to try next.
    pub(crate) fn next(&self, ways: &mut Vec<Way>, line: LineSecurity) -> Option<Way> {
        let names: Vec<(&'static str, bool)> = ways.iter().map(|way| (way.name, way.reveals)).collect();
        let index = next(&names, &self.tries, &self.memory.known().worked, line)?;
        Some(ways.remove(index))
    }

    /// The server does not have the mechanism.
    pub(crate) fn is_missing(&mut self, name: &'static str) {
        self.tries.push(Try { name, reveals: false, is_refusal: false });
    }

    /// The server refused the credentials by this mechanism.
    pub(crate) fn is_refused(&mut self, name: &'static str, reveals: bool, error: Error) {
        self.tries.push(Try { name, reveals, is_refusal: true });
        self.memory.known().unfinished.insert(self.account.clone(), self.tries.clone());
        self.refusals.push(error);
    }

    /// Ends with success: the mechanism goes first from now on. Gives the refusals before it, in words.
    pub(crate) fn signed_in(self, name: &'static str) -> Vec<String> {
        let mut known = self.memory.known();
        known.unfinished.remove(&self.account);
        if !known.worked.contains(&name) {
            known.worked.push(name);
        }
        drop(known);
        self.refusals.into_iter().map(|error| error.message).collect()
    }

    /// Ends with this answer of the server. The next sign-in of the user begins from the start.
    pub(crate) fn refused(self, last: Error) -> Error {
        self.memory.known().unfinished.remove(&self.account);
        let earlier: Vec<&str> = self
            .refusals
            .iter()
            .map(|error| error.message.as_str())
            .filter(|message| *message != last.message)
            .collect();
        if earlier.is_empty() {
            return last;
        }
        Error { message: format!("{}; before that: {}", last.message, earlier.join("; ")), ..last }
    }
}
