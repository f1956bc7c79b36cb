//! What the servers of this process put up with: for each endpoint its pacers, and how many connections it takes.

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
use parking_lot::Mutex;

use super::{
    cap::Cap,
    rates::{by_gmail_api, lanes, of_endpoint, of_mailbox},
};

/// All endpoints. Clones share them.
#[derive(Clone, Default)]
pub(crate) struct Gates(Arc<Mutex<HashMap<Guid, Gate>>>);

struct Gate {
    throttle: Throttle,
    cap: Cap,
    /// What the administrator set.
    set: Rates,
    /// What is known of such servers, as soon as it is known what the server is.
    known: MailboxLimits,
    /// Whether it is written to by Gmail's API.
    by_gmail_api: bool,
    /// The mailboxes under way.
    mailboxes: HashMap<(Guid, Side), Throttle>,
}

impl Gate {
    /// What is known of a mailbox there.
    fn limits(&self) -> MailboxLimits {
        if self.by_gmail_api { by_gmail_api(self.known) } else { self.known }
    }

    fn apply(&self, now: Duration) {
        self.throttle.set_rates(now, of_endpoint(self.set));
        for ((_, side), throttle) in &self.mailboxes {
            throttle.set_rates(now, of_mailbox(self.set, self.limits(), *side));
        }
    }
}

/// A user's pass, as its endpoint on one side sees it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Pass {
    pub(crate) endpoint: Guid,
    pub(crate) user: Guid,
    pub(crate) side: Side,
}

impl Gates {
    fn with<T>(&self, look: impl FnOnce(&mut HashMap<Guid, Gate>) -> T) -> T {
        look(&mut self.0.lock())
    }

    fn at<T>(&self, endpoint: Guid, look: impl FnOnce(&mut Gate) -> T) -> Option<T> {
        self.with(|gates| gates.get_mut(&endpoint).map(look))
    }

    /// Whether the endpoint was seen before.
    pub(crate) fn know(&self, endpoint: Guid) -> bool {
        self.at(endpoint, |_| ()).is_some()
    }

    /// Keeps to the endpoint's limits from now on. Where it is new, so much was used in the hours before.
    pub(crate) fn tend(&self, endpoint: &Endpoint, used: Usage, now: Duration) {
        let profile = endpoint.server_profile.as_deref().and_then(|name| Profiles::built_in().find(name));
        self.with(|gates| {
            let gate = gates.entry(endpoint.guid).or_insert_with(|| {
                let name = format!("the endpoint \"{}\"", endpoint.name);
                Gate {
                    throttle: Throttle::new(name, Scope::Endpoint, of_endpoint(endpoint.rates), used),
                    cap: Cap::default(),
                    set: endpoint.rates,
                    known: MailboxLimits::default(),
                    by_gmail_api: false,
                    mailboxes: HashMap::new(),
                }
            });
            gate.set = endpoint.rates;
            gate.by_gmail_api = endpoint.gmail_api.is_some();
            gate.known = profile.map_or(gate.known, |it| it.limits);
            gate.apply(now);
        });
    }

    /// The server turned out to be of this kind.
    pub(crate) fn meet(&self, endpoint: Guid, profile: &Profile, now: Duration) {
        self.at(endpoint, |gate| {
            if gate.known != profile.limits {
                gate.known = profile.limits;
                gate.apply(now);
            }
        });
    }

    /// Forgets an endpoint that is no more.
    pub(crate) fn keep(&self, endpoints: &[Endpoint]) {
        let present: HashSet<Guid> = endpoints.iter().map(|endpoint| endpoint.guid).collect();
        self.with(|gates| gates.retain(|guid, _| present.contains(guid)));
    }

    /// The pacers of a mailbox that begins, of which so much was used in the hours before: its endpoint's, which all share,
    /// and its own.
    pub(crate) fn enter(&self, pass: &Pass, name: String, used: Usage) -> Option<(Throttle, Throttle)> {
        self.at(pass.endpoint, |gate| {
            let rates = of_mailbox(gate.set, gate.limits(), pass.side);
            let own = Throttle::new(name, Scope::Mailbox, rates, used);
            gate.mailboxes.insert((pass.user, pass.side), own.clone());
            (gate.throttle.clone(), own)
        })
    }

    /// It has ended.
    pub(crate) fn leave(&self, pass: &Pass) {
        self.at(pass.endpoint, |gate| gate.mailboxes.remove(&(pass.user, pass.side)));
    }

    /// Mailboxes at once, at most, as was learned.
    pub(crate) fn most_mailboxes(&self, endpoint: Guid, now: Timestamp) -> usize {
        self.at(endpoint, |gate| gate.cap.mailboxes(now)).flatten().unwrap_or(usize::MAX)
    }

    /// Lanes of a mailbox, at most, as was learned or is known of such servers.
    pub(crate) fn most_lanes(&self, endpoint: Guid, now: Timestamp) -> usize {
        let most =
            self.at(endpoint, |gate| [gate.cap.lanes(now), lanes(gate.known)].into_iter().flatten().min());
        most.flatten().unwrap_or(usize::MAX)
    }

    /// Learns from a refusal; true where it should be told.
    pub(crate) fn learn(&self, endpoint: Guid, learn: impl FnOnce(&mut Cap) -> bool) -> bool {
        self.at(endpoint, |gate| learn(&mut gate.cap)).unwrap_or_default()
    }
}
