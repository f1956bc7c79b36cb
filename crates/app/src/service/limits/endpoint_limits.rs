//! Limits of each endpoint in this process: rate limiters, and the number of connections.

use std::{
    collections::{HashMap, HashSet},
    sync::Arc,
    time::Duration,
};

use jiff::Timestamp;
use mailhaul_engine::{Side, Throttle, Usage};
use mailhaul_mail::Scope;
use mailhaul_migration::{Endpoint, Guid, Rates};
use mailhaul_remotes::{MailboxLimits, Profile, Profiles};
use mailhaul_store::LearnedLimits;
use parking_lot::Mutex;

use super::{
    cap::Cap,
    configured::{by_gmail_api, of_endpoint, of_mailbox, pairs},
};

/// Limits of all endpoints. Clones share them.
#[derive(Clone, Default)]
pub(crate) struct EndpointLimits(Arc<Mutex<HashMap<Guid, EndpointState>>>);

struct EndpointState {
    throttle: Throttle,
    cap: Cap,
    /// Rates that the administrator set.
    set: Rates,
    /// Limits of the server profile, once it is detected.
    profile: MailboxLimits,
    /// True if messages are uploaded by Gmail's API.
    by_gmail_api: bool,
    /// Bytes that passed here since the endpoint is known.
    passed: u64,
    /// The part of them that is in the database.
    saved: u64,
    /// Active mailboxes.
    mailboxes: HashMap<(Guid, Side), Throttle>,
}

impl EndpointState {
    /// Limits of each mailbox by the profile.
    fn limits(&self) -> MailboxLimits {
        if self.by_gmail_api { by_gmail_api(self.profile) } else { self.profile }
    }

    fn apply(&self, now: Duration) {
        self.throttle.set_rates(now, of_endpoint(self.set));
        for ((_, side), throttle) in &self.mailboxes {
            throttle.set_rates(now, of_mailbox(self.set, self.limits(), *side));
        }
    }
}

/// Mailbox of a user in a pass.
#[derive(Clone, Copy, Debug)]
pub(crate) struct ActiveMailbox {
    pub(crate) endpoint: Guid,
    pub(crate) user: Guid,
    pub(crate) side: Side,
}

impl EndpointLimits {
    fn with<T>(&self, look: impl FnOnce(&mut HashMap<Guid, EndpointState>) -> T) -> T {
        look(&mut self.0.lock())
    }

    fn at<T>(&self, endpoint: Guid, look: impl FnOnce(&mut EndpointState) -> T) -> Option<T> {
        self.with(|states| states.get_mut(&endpoint).map(look))
    }

    /// True if the endpoint has a state here.
    pub(crate) fn contains(&self, endpoint: Guid) -> bool {
        self.at(endpoint, |_| ()).is_some()
    }

    /// Applies the endpoint's settings. A new endpoint begins with `used`.
    pub(crate) fn refresh(&self, endpoint: &Endpoint, used: Usage, now: Duration) {
        let profile = endpoint.server_profile.as_deref().and_then(|name| Profiles::built_in().find(name));
        self.with(|states| {
            let state = states.entry(endpoint.guid).or_insert_with(|| {
                let name = format!("the endpoint \"{}\"", endpoint.name);
                EndpointState {
                    throttle: Throttle::new(name, Scope::Endpoint, of_endpoint(endpoint.rates), used),
                    cap: Cap::default(),
                    set: endpoint.rates,
                    profile: MailboxLimits::default(),
                    by_gmail_api: false,
                    passed: 0,
                    saved: 0,
                    mailboxes: HashMap::new(),
                }
            });
            state.set = endpoint.rates;
            state.by_gmail_api = endpoint.gmail_api.is_some();
            state.profile = profile.map_or(state.profile, |profile| profile.limits);
            state.apply(now);
        });
    }

    /// Records the detected server profile of the endpoint.
    pub(crate) fn set_detected_profile(&self, endpoint: Guid, profile: &Profile, now: Duration) {
        self.at(endpoint, |state| {
            if state.profile != profile.limits {
                state.profile = profile.limits;
                state.apply(now);
            }
        });
    }

    /// Sets the part of the endpoint's rates that passes in this process, in thousandths.
    pub(crate) fn set_share(&self, endpoint: Guid, thousandths: u64, now: Duration) {
        self.at(endpoint, |state| state.throttle.set_share(now, thousandths));
    }

    /// Forgets endpoints that were removed.
    pub(crate) fn keep(&self, endpoints: &[Endpoint]) {
        let present: HashSet<Guid> = endpoints.iter().map(|endpoint| endpoint.guid).collect();
        self.with(|states| states.retain(|guid, _| present.contains(guid)));
    }

    /// Adds a mailbox that begins with `used`. Returns the throttle of the endpoint and its own.
    ///
    /// Returns `None` if the endpoint has no state here.
    pub(crate) fn enter(
        &self,
        mailbox: &ActiveMailbox,
        name: String,
        used: Usage,
    ) -> Option<(Throttle, Throttle)> {
        self.at(mailbox.endpoint, |state| {
            let rates = of_mailbox(state.set, state.limits(), mailbox.side);
            let own = Throttle::new(name, Scope::Mailbox, rates, used);
            state.mailboxes.insert((mailbox.user, mailbox.side), own.clone());
            (state.throttle.clone(), own)
        })
    }

    /// Removes a mailbox whose pass has ended.
    pub(crate) fn leave(&self, mailbox: &ActiveMailbox) {
        self.at(mailbox.endpoint, |state| state.mailboxes.remove(&(mailbox.user, mailbox.side)));
    }

    /// Maximum number of active mailboxes, as learned from refusals.
    pub(crate) fn max_mailboxes(&self, endpoint: Guid, now: Timestamp) -> usize {
        self.at(endpoint, |state| state.cap.mailboxes(now)).flatten().unwrap_or(usize::MAX)
    }

    /// Maximum number of connection pairs of a mailbox, learned or by the profile.
    pub(crate) fn max_pairs(&self, endpoint: Guid, now: Timestamp) -> usize {
        let max = self
            .at(endpoint, |state| [state.cap.pairs(now), pairs(state.profile)].into_iter().flatten().min());
        max.flatten().unwrap_or(usize::MAX)
    }

    /// Counts bytes of the endpoint that are in the database now.
    pub(crate) fn add_saved(&self, endpoint: Guid, bytes: u64) {
        self.at(endpoint, |state| state.saved = state.saved.saturating_add(bytes));
    }

    /// Bytes of the endpoint that this process has put into the database.
    pub(crate) fn saved(&self, endpoint: Guid) -> u64 {
        self.at(endpoint, |state| state.saved).unwrap_or_default()
    }

    /// Replaces the used bytes of an endpoint by those of all nodes.
    ///
    /// `saved` are this node's bytes that `used` contains at least.
    pub(crate) fn set_used(&self, endpoint: Guid, used: Usage, saved: u64, now: Duration) {
        self.at(endpoint, |state| {
            let passed = state.throttle.take_passed(now).into_iter().map(|(_, bytes)| bytes);
            state.passed = passed.fold(state.passed, u64::saturating_add);
            state.throttle.set_used(now, used, state.passed.saturating_sub(saved));
        });
    }

    /// Takes over what other nodes have learned.
    pub(crate) fn set_learned(&self, endpoint: Guid, learned: LearnedLimits) {
        self.at(endpoint, |state| state.cap = Cap::of_shared(learned));
    }

    /// Learns from a refusal; true if it should be logged.
    pub(crate) fn learn(&self, endpoint: Guid, learn: impl FnOnce(&mut Cap) -> bool) -> bool {
        self.at(endpoint, |state| learn(&mut state.cap)).unwrap_or_default()
    }
}
