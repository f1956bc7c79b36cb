//! What a pass may take of its two servers, and what it learns of them.

use std::{sync::Arc, time::Duration};

use jiff::Timestamp;
use mailhaul_engine::{Clock as _, Error, ErrorKind, Limits, Side, Throttle, Usage};
use mailhaul_mail::{Retry, Scope};
use mailhaul_migration::{Endpoint, Guid};
use mailhaul_remotes::ProfileListener;
use mailhaul_store::{Store, StoreError};

use super::{
    forecast::Day,
    gates::{Gates, Pass},
    outage::{Outage, outage},
    parking::{Bounds, OUTAGE, PATIENCE, parking},
    progress::Lane,
    workers::Worker,
    workplace::Workplace,
};
use crate::one_pass::SystemClock;

/// Counts what goes to or from one mailbox, until it is dropped.
pub(super) struct Meter {
    pass: Pass,
    mailbox: String,
    throttle: Throttle,
    gates: Gates,
}

impl Meter {
    /// What the mailbox may do in a day; `None` where nothing is limited.
    pub(super) fn day(&self) -> Option<Day> {
        self.throttle.day(SystemClock.now()).map(|(most, left)| Day { most, left })
    }

    /// Keeps what was counted.
    pub(super) async fn write(&self, store: &Store) {
        let now = SystemClock.now();
        let hours = self.throttle.tell(now);
        if hours.is_empty() {
            return;
        }
        let kept = store.add_usage(self.pass.endpoint, &self.mailbox, hours, Usage::first_hour(now)).await;
        if let Err(error) = kept {
            tracing::warn!("what {} has used of its limits is not kept: {error}", self.mailbox);
        }
    }
}

impl Drop for Meter {
    fn drop(&mut self) {
        self.gates.leave(&self.pass);
    }
}

impl Workplace {
    /// Begins to count for the user's mailbox at this endpoint, and adds what it may take there to the limits. `None` where
    /// the endpoint was removed just now.
    pub(super) async fn meter(
        &self,
        limits: &mut Limits,
        (endpoint, side): (&Endpoint, Side),
        user: Guid,
        mailbox: String,
    ) -> Result<Option<Meter>, StoreError> {
        let first_hour = Usage::first_hour(SystemClock.now());
        let hours = self.store.usage(endpoint.guid, Some(&mailbox), first_hour).await?;
        let pass = Pass { endpoint: endpoint.guid, user, side };
        let name = format!("the mailbox {mailbox} at the endpoint \"{}\"", endpoint.name);
        let Some((shared, throttle)) = self.gates.enter(&pass, name, hours.into_iter().collect()) else {
            return Ok(None);
        };
        limits.throttles.extend([(side, throttle.clone()), (side, shared)]);
        let lanes = self.gates.most_lanes(endpoint.guid, Timestamp::now());
        limits.most_lanes = limits.most_lanes.min(lanes);
        Ok(Some(Meter { pass, mailbox, throttle, gates: self.gates.clone() }))
    }

    /// Is told what kind of server the endpoint has.
    pub(super) fn acquaintance(&self, endpoint: Guid) -> ProfileListener {
        let gates = self.gates.clone();
        Arc::new(move |profile| gates.meet(endpoint, profile, SystemClock.now()))
    }

    /// Draws the conclusions for others from what a pass met.
    pub(super) async fn heed(&self, error: &Error, lane: Lane, worker: &Worker) {
        let login = match error.side {
            Some(Side::Source) => Some(&worker.source),
            Some(Side::Target) => worker.target.as_ref(),
            None => None,
        };
        let Some(login) = login else { return };
        let now = Timestamp::now();
        match (error.kind, lane) {
            (ErrorKind::Throttled | ErrorKind::Busy, _) if error.scope == Scope::Endpoint => {
                self.park(login.endpoint, (wait(error), PATIENCE), error.message.clone(), now).await;
            }
            // Every other user would meet it too.
            (_, Lane::First) if outage(error, worker.target.is_none()) == Some(Outage::Endpoint) => {
                self.park(login.endpoint, (None, OUTAGE), error.message.clone(), now).await;
            }
            (ErrorKind::TooManyConnections, Lane::First) => {
                let (at_endpoint, by_login) = self.workers.at(login);
                // Where nobody else logs in so, others of the user's own programs have the connections.
                if error.scope < Scope::Endpoint && by_login < 2 {
                    return;
                }
                if self.gates.learn(login.endpoint, |cap| cap.mailbox_refused(at_endpoint, now)) {
                    tracing::warn!(
                        "{error}; from now on fewer mailboxes at once, and one more every 10 minutes"
                    );
                }
            }
            (ErrorKind::TooManyConnections, Lane::Further)
                if self.gates.learn(login.endpoint, |cap| cap.lane_refused(now)) =>
            {
                tracing::warn!(
                    "{error}; from now on fewer connections for each mailbox, and one more every 10 minutes"
                );
            }
            _ => {}
        }
    }

    async fn park(&self, endpoint: Guid, wait: (Option<Duration>, Bounds), reason: String, now: Timestamp) {
        let kept = self.store.park(endpoint, move |before| parking(before, wait, reason, now)).await;
        if let Err(error) = kept {
            tracing::warn!("an endpoint that is to be left alone is not: {error}");
        }
    }
}

fn wait(error: &Error) -> Option<Duration> {
    match error.retry {
        Retry::After(wait) => wait,
        Retry::Now | Retry::Never => None,
    }
}
