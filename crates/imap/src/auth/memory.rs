//! Mechanisms that work at a server. All its connections share them, so that few sign-ins are refused.

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
    Credentials, LineSecurity, SignInMethod,
    order::{MethodResult, next},
};
use crate::{error::Error, secrets::Secrets};

/// Results of sign-ins at one server. Clones share them. Each server or endpoint needs its own.
#[derive(Clone, Default)]
pub struct SignInMemory(Arc<MemoryState>);

#[derive(Default)]
struct MemoryState {
    known: Mutex<SignInRecord>,
    /// Locked by the sign-in that finds out which mechanism works.
    discovery: Arc<AsyncMutex<()>>,
}

#[derive(Default)]
struct SignInRecord {
    worked: Vec<&'static str>,
    /// Results of sign-ins that were interrupted by a broken connection.
    unfinished: HashMap<Account, Vec<MethodResult>>,
    /// Secrets that were sent last. The server may repeat them on any connection.
    shown: VecDeque<Secret>,
}

/// Secrets that are remembered for one server.
const MAX_SHOWN_SECRETS: usize = 16;

/// User who signs in, and owner of the mailbox.
type Account = (String, String);

impl SignInMemory {
    /// Returns the secrets that earlier connections sent.
    pub(crate) fn secrets(&self) -> Secrets {
        Secrets::new(self.known().shown.make_contiguous())
    }

    /// Remembers a secret that is about to be sent.
    pub(crate) fn remember_secret(&self, secret: &Secret) {
        let shown = &mut self.known().shown;
        if !shown.contains(secret) {
            shown.truncate(MAX_SHOWN_SECRETS - 1);
            shown.push_front(secret.clone());
        }
    }

    fn known(&self) -> MutexGuard<'_, SignInRecord> {
        self.0.known.lock()
    }
}

/// One sign-in, with the methods that were tried.
pub(crate) struct SignInAttempt {
    memory: SignInMemory,
    account: Account,
    tries: Vec<MethodResult>,
    /// Refusals of the server, in order.
    refusals: Vec<Error>,
    /// Locked until this sign-in has ended.
    discovery: Option<OwnedMutexGuard<()>>,
}

impl SignInAttempt {
    pub(crate) fn new(memory: &SignInMemory, credentials: &Credentials) -> Self {
        let account = (credentials.user.clone(), credentials.owner().to_owned());
        let tries = memory.known().unfinished.get(&account).cloned().unwrap_or_default();
        Self { memory: memory.clone(), account, tries, refusals: Vec::new(), discovery: None }
    }

    /// Waits while another sign-in finds out which mechanism works.
    ///
    /// Does not wait if a mechanism has worked already, or if the first method is decisive.
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

    /// Takes the method to try next out of `methods`.
    pub(crate) fn next(&self, methods: &mut Vec<SignInMethod>, line: LineSecurity) -> Option<SignInMethod> {
        let names: Vec<(&'static str, bool)> =
            methods.iter().map(|method| (method.name, method.reveals)).collect();
        let index = next(&names, &self.tries, &self.memory.known().worked, line)?;
        Some(methods.remove(index))
    }

    /// Records that the server does not support the mechanism.
    pub(crate) fn add_missing(&mut self, name: &'static str) {
        self.tries.push(MethodResult { name, reveals: false, is_refusal: false });
    }

    /// Records that the server refused the credentials with this mechanism.
    pub(crate) fn add_refusal(&mut self, name: &'static str, reveals: bool, error: Error) {
        self.tries.push(MethodResult { name, reveals, is_refusal: true });
        self.memory.known().unfinished.insert(self.account.clone(), self.tries.clone());
        self.refusals.push(error);
    }

    /// Records that the mechanism worked, so that it is tried first from now on. Returns the texts of the earlier refusals.
    pub(crate) fn record_success(self, name: &'static str) -> Vec<String> {
        let mut known = self.memory.known();
        known.unfinished.remove(&self.account);
        if !known.worked.contains(&name) {
            known.worked.push(name);
        }
        drop(known);
        self.refusals.into_iter().map(|error| error.message).collect()
    }

    /// Returns the final error, with the earlier refusals. The next sign-in of the user tries all methods again.
    pub(crate) fn record_failure(self, last: Error) -> Error {
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
