//! Meters of passes: count the traffic of a mailbox, and apply errors to its endpoint.

use std::{sync::Arc, time::Duration};

use jiff::Timestamp;
use mailhaul_engine::{Clock as _, Error, ErrorKind, PassLimits, Side, Throttle, Usage};
use mailhaul_mail::{Retry, Scope};
use mailhaul_migration::{Endpoint, Guid};
use mailhaul_remotes::ProfileListener;
use mailhaul_store::{CountedMailbox, Store, StoreError, Wake};

use super::{
    cap::Cap,
    endpoint_limits::{ActiveMailbox, EndpointLimits},
    parking::{self, ParkingRequest},
};
use crate::{
    one_pass::SystemClock,
    service::{
        forecast::Day,
        outage::{Outage, outage},
        progress::ConnectionPair,
        service_context::ServiceContext,
        workers::{EndpointLogin, Worker},
    },
};

/// Counts the traffic of one mailbox until it is dropped.
pub(crate) struct Meter {
    mailbox: ActiveMailbox,
    name: String,
    throttle: Throttle,
    limits: EndpointLimits,
}

/// Mailbox that a pass opens, at its endpoint.
pub(crate) struct MeteredMailbox<'a> {
    pub(crate) endpoint: &'a Endpoint,
    pub(crate) side: Side,
    pub(crate) user: Guid,
    /// Name of the mailbox at the endpoint.
    pub(crate) name: String,
}

impl Meter {
    /// Bytes that the mailbox may transfer in 24 hours; `None` without a limit.
    pub(crate) fn day(&self) -> Option<Day> {
        self.throttle.day(SystemClock.now()).map(|(max, left)| Day { max, left })
    }

    /// Saves the counted usage.
    pub(crate) async fn save(&self, store: &Store) {
        let now = SystemClock.now();
        let hours = self.throttle.take_passed(now);
        if hours.is_empty() {
            return;
        }
        let (endpoint, node) = (self.mailbox.endpoint, self.limits.node());
        let mailbox = CountedMailbox { endpoint, name: self.name.clone(), node };
        let bytes = hours.iter().map(|(_, bytes)| bytes).sum();
        let saved = store.jobs().add_usage(mailbox, hours, Usage::first_hour(now)).await;
        match saved {
            Ok(()) => self.limits.add_saved(endpoint, bytes),
            Err(error) => tracing::warn!("the usage of {} was not saved: {error}", self.name),
        }
    }
}

impl Drop for Meter {
    fn drop(&mut self) {
        self.limits.leave(&self.mailbox);
    }
}

impl ServiceContext {
    /// Starts to count, and adds the limits of the mailbox and its endpoint to those of the pass.
    ///
    /// Returns `None` if the endpoint was just removed.
    pub(crate) async fn start_meter(
        &self,
        mailbox: MeteredMailbox<'_>,
        limits: &mut PassLimits,
    ) -> Result<Option<Meter>, StoreError> {
        let MeteredMailbox { endpoint, side, user, name } = mailbox;
        let first_hour = Usage::first_hour(SystemClock.now());
        let hours = self.store.jobs().usage(endpoint.guid, Some(&name), first_hour).await?;
        let mailbox = ActiveMailbox { endpoint: endpoint.guid, user, side };
        let label = format!("the mailbox {name} at the endpoint \"{}\"", endpoint.name);
        let Some((shared, throttle)) = self.limits.enter(&mailbox, label, hours.into_iter().collect()) else {
            return Ok(None);
        };
        limits.throttles.extend([(side, throttle.clone()), (side, shared)]);
        let max_pairs = self.limits.max_pairs(endpoint.guid, self.store.now());
        limits.max_connection_pairs = limits.max_connection_pairs.min(max_pairs);
        Ok(Some(Meter { mailbox, name, throttle, limits: self.limits.clone() }))
    }

    /// Returns a listener that records the detected server profile of the endpoint.
    pub(crate) fn profile_listener(&self, endpoint: Guid) -> ProfileListener {
        let limits = self.limits.clone();
        Arc::new(move |profile| limits.set_detected_profile(endpoint, profile, SystemClock.now()))
    }

    /// Applies an error of a pass to its endpoint: pauses it, or lowers its number of connections.
    pub(crate) async fn apply_to_endpoint(&self, error: &Error, pair: ConnectionPair, worker: &Worker) {
        let login = match error.side {
            Some(Side::Source) => Some(&worker.source),
            Some(Side::Target) => worker.target.as_ref(),
            None => None,
        };
        let Some(login) = login else { return };
        let now = self.store.now();
        match (error.kind, pair) {
            (ErrorKind::Throttled | ErrorKind::Busy, _) if error.scope == Scope::Endpoint => {
                let request = ParkingRequest::throttled(requested_wait(error), error.message.clone());
                self.park(login.endpoint, request, now).await;
            }
            // All other users of the endpoint would get the same error.
            (_, ConnectionPair::First)
                if outage(error, worker.target.is_none()) == Some(Outage::Endpoint) =>
            {
                self.park(login.endpoint, ParkingRequest::outage(error.message.clone()), now).await;
            }
            (ErrorKind::TooManyConnections, ConnectionPair::First) => {
                let (at_endpoint, by_login) = self.active_at(login).await;
                // With one worker for this login, the user's own programs have the connections.
                if error.scope < Scope::Endpoint && by_login < 2 {
                    return;
                }
                if self.learn(login.endpoint, move |cap| cap.mailbox_refused(at_endpoint, now)).await {
                    tracing::warn!("{error}; fewer mailboxes at once from now on, one more every 10 minutes");
                }
            }
            (ErrorKind::TooManyConnections, ConnectionPair::Further)
                if self.learn(login.endpoint, move |cap| cap.pair_refused(now)).await =>
            {
                tracing::warn!(
                    "{error}; fewer connections for each mailbox from now on, one more every 10 minutes"
                );
            }
            _ => {}
        }
    }

    /// Counts the mailboxes at an endpoint, and those with this login, on all nodes.
    async fn active_at(&self, login: &EndpointLogin) -> (usize, usize) {
        let (at_endpoint, by_login) = self.workers.at(login);
        if !self.store.is_on_server() {
            return (at_endpoint, by_login);
        }
        match self.store.nodes().active_at(login.endpoint, &login.user_name).await {
            Ok((all, same)) => {
                let count = |number| usize::try_from(number).unwrap_or(usize::MAX);
                (at_endpoint.max(count(all)), by_login.max(count(same)))
            }
            Err(error) => {
                tracing::warn!("mailboxes of other nodes are not counted: {error}");
                (at_endpoint, by_login)
            }
        }
    }

    /// Learns from a refusal, for all nodes; true if it should be logged.
    async fn learn(&self, endpoint: Guid, learn: impl Fn(&mut Cap) -> bool + Send + 'static) -> bool {
        let is_news = self.limits.learn(endpoint, &learn);
        let learned = self.store.nodes().learn(endpoint, move |known| {
            let mut cap = Cap::of_shared(known);
            learn(&mut cap);
            cap.shared()
        });
        if let Err(error) = learned.await {
            tracing::warn!("other nodes do not learn of the refusal: {error}");
        }
        is_news
    }

    async fn park(&self, endpoint: Guid, request: ParkingRequest, now: Timestamp) {
        let parked =
            self.store.jobs().park(endpoint, move |before| parking::parking(before, request, now)).await;
        // Other nodes must not begin there either.
        let told = match parked {
            Ok(()) => self.store.nodes().wake(Wake::Look).await,
            Err(error) => Err(error),
        };
        if let Err(error) = told {
            tracing::warn!("an endpoint was not paused everywhere: {error}");
        }
    }
}

fn requested_wait(error: &Error) -> Option<Duration> {
    match error.retry {
        Retry::After(wait) => wait,
        Retry::Now | Retry::Never => None,
    }
}
