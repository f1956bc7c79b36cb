//! Use of endpoints now: rates, bytes of the day, learned limits, and users that wait.

use std::collections::{HashMap, HashSet};

use jiff::Timestamp;
use mailhaul_engine::{Clock as _, Usage};
use mailhaul_migration::{Endpoint, Grant, Guid};
use mailhaul_store::{KEPT_PERIODS, PendingOfBatch, StoreError, Work};
use schemars::JsonSchema;
use serde::Serialize;

use crate::{context::Context, one_pass::SystemClock};

/// Seconds over which the rate of a service that works alone is measured.
const RATE_WINDOW: i64 = 10;
const MINUTE: i64 = KEPT_PERIODS[0].0;

/// Use of an endpoint now.
#[derive(Debug, Default, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct EndpointUse {
    /// Bytes of messages per second over the last 10 seconds. With several services on one database, over the last
    /// minute of all of them.
    current_bytes_per_second: u64,
    /// Messages per second over the same time.
    current_messages_per_second: u64,
    /// Bytes of the last 24 hours that count for BytesPerDay, read and written.
    bytes_last_day: u64,
    /// Mailboxes at the same time that the server accepts, as learned from its refusals; null if nothing was learned.
    learned_max_concurrent_migrations: Option<u64>,
    /// Connections of one mailbox that the server accepts, as learned from its refusals; null if nothing was learned.
    learned_max_connections_per_mailbox: Option<u64>,
    /// Users of its batches that wait.
    pending_count: u64,
    /// Batches with users that wait.
    pending_batches: Vec<String>,
    /// Commands that the state allows. SignIn is New-MigrationEndpointSignIn.
    supported_actions: Vec<&'static str>,
}

/// Facts of all endpoints.
pub(crate) struct EndpointUses {
    /// Work per second.
    rates: HashMap<Guid, Work>,
    bytes_last_day: HashMap<Guid, u64>,
    learned: HashMap<Guid, (Option<u64>, Option<u64>)>,
    pending: Vec<PendingOfBatch>,
    /// Endpoints that a batch or the configuration names.
    named: HashSet<Guid>,
}

impl EndpointUses {
    /// Reads the facts. The number of queries does not depend on the number of endpoints.
    pub(crate) async fn load(
        context: &Context,
        endpoints: &[Endpoint],
        now: Timestamp,
    ) -> Result<Self, StoreError> {
        let store = &context.store;
        let second = now.as_second();
        let rates = if store.is_on_server() {
            let last = second - second.rem_euclid(MINUTE) - MINUTE;
            let works = store.throughput().work_of_minute(last).await?;
            works.into_iter().map(|(owner, work)| (owner, each_second(work, MINUTE))).collect()
        } else {
            let rate = |endpoint: &Endpoint| {
                (endpoint.guid, context.throughput.rate(endpoint.guid, second, RATE_WINDOW))
            };
            endpoints.iter().map(rate).collect()
        };
        let learned =
            endpoints.iter().map(|endpoint| (endpoint.guid, context.limits.learned(endpoint.guid, now)));
        Ok(Self {
            rates,
            bytes_last_day: store.jobs().usage_of_all(Usage::first_hour(SystemClock.now())).await?,
            learned: learned.collect(),
            pending: store.throughput().pending_users().await?,
            named: store.endpoints().named().await?,
        })
    }

    /// View of an endpoint's use.
    pub(crate) fn of(&self, endpoint: &Endpoint) -> EndpointUse {
        let guid = endpoint.guid;
        let rate = self.rates.get(&guid).copied().unwrap_or_default();
        let (mailboxes, pairs) = self.learned.get(&guid).copied().unwrap_or_default();
        let waits = |it: &&PendingOfBatch| {
            it.users.waiting > 0 && (it.source_endpoint == guid || it.target_endpoint == Some(guid))
        };
        let waiting = || self.pending.iter().filter(waits);
        let signs_in =
            endpoint.access.oauth().is_some_and(|it| matches!(it.grant, Grant::RefreshToken { .. }));
        let mut supported_actions = vec!["Set", "Test"];
        if signs_in {
            supported_actions.push("SignIn");
        }
        if !self.named.contains(&guid) {
            supported_actions.push("Remove");
        }
        EndpointUse {
            current_bytes_per_second: rate.bytes,
            current_messages_per_second: rate.messages,
            bytes_last_day: self.bytes_last_day.get(&guid).copied().unwrap_or_default(),
            learned_max_concurrent_migrations: mailboxes,
            learned_max_connections_per_mailbox: pairs,
            pending_count: waiting().map(|it| it.users.waiting).sum(),
            pending_batches: waiting().map(|it| it.name.clone()).collect(),
            supported_actions,
        }
    }
}

fn each_second(work: Work, seconds: i64) -> Work {
    let each = |all: u64| all / seconds.max(1).unsigned_abs();
    Work { bytes: each(work.bytes), messages: each(work.messages), busy_seconds: each(work.busy_seconds) }
}
