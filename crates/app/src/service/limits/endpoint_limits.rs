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
use mailhaul_store::{ByteAnswer, LearnedLimits};
use parking_lot::Mutex;
use tokio::sync::Notify;

use super::{
    cap::Cap,
    configured::{by_gmail_api, of_endpoint, of_mailbox, pairs},
    day_bytes::{NodeBytes, ReservationOnItsWay},
};

/// Limits of all endpoints. Clones share them.
#[derive(Clone, Default)]
pub(crate) struct EndpointLimits(Arc<LimitsShared>);

#[derive(Default)]
struct LimitsShared {
    states: Mutex<HashMap<Guid, EndpointState>>,
    /// Notified if an endpoint needs bytes of its day.
    bytes_wanted: Arc<Notify>,
    /// The node whose limits these are; `None` on a data directory.
    node: Mutex<Option<Guid>>,
}

struct EndpointState {
    throttle: Throttle,
    cap: Cap,
    /// Rates that the administrator set.
    set: Rates,
    /// Limits of the server profile, once it is detected.
    profile: MailboxLimits,
    /// True if messages are uploaded by Gmail's API.
    by_gmail_api: bool,
    /// Bytes of the day that this node has reserved.
    bytes: NodeBytes,
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
        look(&mut self.0.states.lock())
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
        let is_shared = self.node().is_some();
        let profile = endpoint.server_profile.as_deref().and_then(|name| Profiles::built_in().find(name));
        self.with(|states| {
            let state = states.entry(endpoint.guid).or_insert_with(|| {
                let name = format!("the endpoint \"{}\"", endpoint.name);
                let rates = of_endpoint(endpoint.rates);
                EndpointState {
                    throttle: if is_shared {
                        Throttle::shared(name, rates, self.0.bytes_wanted.clone())
                    } else {
                        Throttle::new(name, Scope::Endpoint, rates, used)
                    },
                    cap: Cap::default(),
                    set: endpoint.rates,
                    profile: MailboxLimits::default(),
                    by_gmail_api: false,
                    bytes: NodeBytes::default(),
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

    /// Limits on mailboxes and on connection pairs of a mailbox that were learned from refusals.
    pub(crate) fn learned(&self, endpoint: Guid, now: Timestamp) -> (Option<u64>, Option<u64>) {
        let number = |limit: Option<usize>| limit.map(|limit| limit as u64);
        let learned =
            |state: &mut EndpointState| (number(state.cap.mailboxes(now)), number(state.cap.pairs(now)));
        self.at(endpoint, learned).unwrap_or_default()
    }

    /// The node whose limits these are; `None` on a data directory.
    pub(crate) fn node(&self) -> Option<Guid> {
        *self.0.node.lock()
    }

    /// Sets the node whose limits these are from now on. It has reserved nothing.
    pub(crate) fn begin_node(&self, node: Guid, now: Duration) {
        *self.0.node.lock() = Some(node);
        self.with(|states| {
            for state in states.values_mut() {
                state.bytes.begin_node(&state.throttle, now);
            }
        });
    }

    /// Counts bytes of the endpoint that are in the database now.
    pub(crate) fn add_saved(&self, endpoint: Guid, bytes: u64) {
        self.at(endpoint, |state| state.bytes.saved = state.bytes.saved.saturating_add(bytes));
    }

    /// Waits until an endpoint needs bytes of its day.
    pub(crate) async fn bytes_wanted(&self) {
        self.0.bytes_wanted.notified().await;
    }

    /// Endpoints that need bytes of their day, or have some without a worker.
    pub(crate) fn due_reservations(&self, at_work: &HashSet<Guid>, now: Duration) -> Vec<Guid> {
        self.with(|states| {
            let due = states.iter().filter(|(endpoint, state)| {
                state.bytes.is_due(&state.throttle, at_work.contains(endpoint), now)
            });
            due.map(|(endpoint, _)| *endpoint).collect()
        })
    }

    /// Lets messages that a reservation refused ask again: other nodes may have given bytes back.
    pub(crate) fn forget_refusals(&self, now: Duration) {
        self.with(|states| states.values().for_each(|state| state.throttle.forget_refusal(now)));
    }

    /// Begins a request for bytes of the endpoint's day.
    pub(crate) fn begin_reservation(
        &self,
        endpoint: Guid,
        is_at_work: bool,
        now: Duration,
    ) -> Option<ReservationOnItsWay> {
        self.at(endpoint, |state| {
            state.bytes.begin(endpoint, &state.throttle, state.set.bytes_per_day, is_at_work, now)
        })
    }

    /// Ends a request with its answer; `None` if there is none.
    pub(crate) fn end_reservation(
        &self,
        begun: &ReservationOnItsWay,
        answer: Option<ByteAnswer>,
        now: Duration,
    ) {
        self.at(begun.request.endpoint, |state| state.bytes.end(begun, answer, &state.throttle, now));
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
