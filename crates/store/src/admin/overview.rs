//! Batches with their numbers. The database adds up what a list of batches shows.

use jiff::Timestamp;
use mailhaul_migration::{
    Batch, BatchStatus, DataConsistencyScore, DomainTally, Guid, Statistics, StatusCounts, UserStatus,
};
use strum::VariantArray;

use crate::{
    admin::{batches::batch, users::statistics},
    db::{
        columns::Cells,
        error::{Fault, StoreError},
        sql::{self, Builder, Connection},
    },
    handles::Batches,
    jobs::{check_row, checks},
};

/// Maximum number of users that an overview names.
const MAX_NAMED_USERS: usize = 10;

/// A filter of batches. The default selects all of them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct BatchFilter {
    /// Batches with this endpoint as source or target.
    pub endpoint: Option<Guid>,
}

/// A batch with the sums of its users.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BatchOverview {
    pub batch: Batch,
    /// Number of users in each status.
    pub counts: StatusCounts,
    /// Sums of all users' numbers.
    pub totals: Statistics,
    /// The worst score of a user.
    pub worst: DataConsistencyScore,
    /// Number of users with skipped messages that the administrator has not approved.
    pub unapproved: u64,
    /// Time at which the last user's first pass ended; `None` while one has not.
    pub initial_synced: Option<Timestamp>,
    /// The oldest of the users' last sync times. Users without a sync are left out.
    pub last_synced: Option<Timestamp>,
    /// Number of users that wait, or waited last, because of a rate limit of a server or of an endpoint.
    pub throttled: u64,
    /// Time at which the first of them continues.
    pub throttled_until: Option<Timestamp>,
    /// Results of the mailbox checks.
    pub checks: CheckCounts,
    /// Users with copies that wait to be removed.
    pub waiting_deletions: WaitingUsers,
}

/// Users with copies that wait to be removed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct WaitingUsers {
    /// Number of users.
    pub count: u64,
    /// E-mail addresses of the first ten.
    pub first: Vec<String>,
}

/// Results of the mailbox checks of a batch.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CheckCounts {
    /// Users whose mailboxes were tried.
    pub checked: u64,
    /// Users with a mailbox that cannot be opened. They are counted in `checked` too.
    pub failed: u64,
    /// Users that are still to be checked.
    pub pending: u64,
    /// The reason of a delay.
    pub delay: Option<String>,
    /// Domains of the target mailboxes, if one of these mailboxes cannot be opened.
    pub domains: Vec<DomainTally>,
}

impl BatchOverview {
    /// Returns the status of the batch.
    pub fn status(&self, now: Timestamp) -> BatchStatus {
        let is_waiting = self.batch.settings.start_after.is_some_and(|start| start > now);
        BatchStatus::of(self.batch.intent, is_waiting, &self.counts)
    }
}

impl Batches<'_> {
    /// Returns the batch of this name or GUID, with its numbers.
    ///
    /// # Errors
    /// [`StoreError::NotFound`].
    pub async fn get(self, identity: &str) -> Result<BatchOverview, StoreError> {
        let found = self
            .0
            .read(|connection| {
                let which = BatchSelection::Identity(Guid::parse_str(identity).ok(), identity.to_owned());
                Box::pin(async move { overviews(connection, &which).await })
            })
            .await?;
        found.into_iter().next().ok_or_else(|| StoreError::not_found("batch", identity))
    }

    /// Returns batches with their numbers, in the order of creation.
    pub async fn list(self, filter: &BatchFilter) -> Result<Vec<BatchOverview>, StoreError> {
        let db = self.0;
        db.read(|connection| {
            let which = filter.endpoint.map_or(BatchSelection::All, BatchSelection::OfEndpoint);
            Box::pin(async move { overviews(connection, &which).await })
        })
        .await
    }
}

/// Sums of users' numbers, for a query of users.
const SUMS: &str = "CAST(coalesce(sum(total_items), 0) AS BIGINT) AS total_items, CAST(coalesce(sum(synced_items), 0) AS BIGINT) AS synced_items, \
     CAST(coalesce(sum(skipped_items), 0) AS BIGINT) AS skipped_items, CAST(coalesce(sum(waiting_deletions), 0) AS BIGINT) AS waiting_deletions, \
     CAST(coalesce(sum(estimated_bytes), 0) AS BIGINT) AS estimated_bytes, \
     CAST(coalesce(sum(bytes_transferred), 0) AS BIGINT) AS bytes_transferred, CAST(coalesce(sum(pass_bytes), 0) AS BIGINT) AS pass_bytes, \
     CAST(coalesce(sum(pass_items), 0) AS BIGINT) AS pass_items, CAST(coalesce(sum(queued_millis), 0) AS BIGINT) AS queued_millis, \
     CAST(coalesce(sum(in_progress_millis), 0) AS BIGINT) AS in_progress_millis, CAST(coalesce(sum(synced_millis), 0) AS BIGINT) AS synced_millis, \
     CAST(coalesce(sum(stalled_millis), 0) AS BIGINT) AS stalled_millis";

/// Users that wait for a rate limit, for a query of users.
const THROTTLED: &str = "count(*) FILTER (WHERE due IS NOT NULL AND failure_class = 'Throttled' AND lease_until IS NULL) AS throttled, \
     min(CASE WHEN failure_class = 'Throttled' AND lease_until IS NULL THEN due END) AS throttled_until";

enum BatchSelection {
    All,
    OfEndpoint(Guid),
    Identity(Option<Guid>, String),
}

impl BatchSelection {
    fn push(&self, query: &mut Builder) {
        match self {
            Self::All => {}
            Self::OfEndpoint(endpoint) => {
                query.push(" WHERE batch.source_endpoint = ").push_bind(*endpoint);
                query.push(" OR batch.target_endpoint = ").push_bind(*endpoint);
            }
            Self::Identity(Some(guid), _) => {
                query.push(" WHERE batch.guid = ").push_bind(*guid);
            }
            Self::Identity(None, name) => {
                query.push(" WHERE batch.name_key = ").push_bind(name.to_ascii_lowercase());
            }
        }
    }
}

async fn overviews(connection: &mut Connection, which: &BatchSelection) -> Result<Vec<BatchOverview>, Fault> {
    let mut query = Builder::new("SELECT batch.* FROM batch");
    which.push(&mut query);
    query.push(" ORDER BY id");
    let rows = query.build().fetch_all(&mut *connection).await?;
    let mut found = Vec::with_capacity(rows.len());
    for row in &rows {
        let batch = batch(row)?;
        found.push(sums(connection, batch).await?);
    }
    Ok(found)
}

/// Results of checks, for a query of users.
const CHECKS: &str = "count(*) FILTER (WHERE check_due IS NULL AND checked IS NOT NULL) AS users_checked, \
     count(*) FILTER (WHERE check_due IS NOT NULL) AS pending, \
     max(CASE WHEN check_due IS NOT NULL THEN check_delay END) AS check_delay";

async fn sums(connection: &mut Connection, batch: Batch) -> Result<BatchOverview, Fault> {
    let query = format!(
        "SELECT status, count(*) AS users, max(score) AS worst, min(last_synced) AS last_synced, \
         max(initial_synced) AS initial_synced, count(initial_synced) AS initially, \
         count(*) FILTER (WHERE skipped_items > 0 AND approved IS NULL) AS unapproved, {THROTTLED}, {CHECKS}, \
         count(*) FILTER (WHERE {}) AS failed_checks, {SUMS} FROM migration_user WHERE batch = ? GROUP BY status",
        check_row::FAILED
    );
    let rows = sql::query(query).bind(batch.guid).fetch_all(&mut *connection).await?;
    let (mut worst, mut synced) = (0, 0);
    let mut sum = BatchOverview {
        batch,
        counts: StatusCounts::default(),
        totals: Statistics::default(),
        worst: DataConsistencyScore::Perfect,
        unapproved: 0,
        initial_synced: None,
        last_synced: None,
        throttled: 0,
        throttled_until: None,
        checks: CheckCounts::default(),
        waiting_deletions: WaitingUsers::default(),
    };
    for row in &rows {
        let cells = Cells(row);
        sum.counts.add(cells.word::<UserStatus>("status")?, cells.number("users")?);
        add(&mut sum.totals, &statistics(cells)?);
        worst = worst.max(cells.number::<usize>("worst")?);
        synced += cells.number::<u64>("initially")?;
        sum.unapproved += cells.number::<u64>("unapproved")?;
        sum.initial_synced = sum.initial_synced.max(cells.time_if("initial_synced")?);
        sum.throttled += cells.number::<u64>("throttled")?;
        sum.throttled_until = sum.throttled_until.into_iter().chain(cells.time_if("throttled_until")?).min();
        sum.checks.checked += cells.number::<u64>("users_checked")?;
        sum.checks.failed += cells.number::<u64>("failed_checks")?;
        sum.checks.pending += cells.number::<u64>("pending")?;
        sum.checks.delay = sum.checks.delay.take().or(cells.get("check_delay")?);
        sum.last_synced = sum.last_synced.into_iter().chain(cells.time_if("last_synced")?).min();
    }
    if sum.checks.failed > 0 {
        sum.checks.domains = checks::domains(connection, sum.batch.guid).await?;
    }
    if synced < sum.counts.total() {
        sum.initial_synced = None;
    }
    if sum.totals.waiting_deletions > 0 {
        sum.waiting_deletions = waiting_users(connection, sum.batch.guid).await?;
    }
    sum.worst = *DataConsistencyScore::VARIANTS.get(worst).ok_or(Fault::Unreadable("score"))?;
    Ok(sum)
}

async fn waiting_users(connection: &mut Connection, batch: Guid) -> Result<WaitingUsers, Fault> {
    let addresses: Vec<String> = sql::query_scalar(
        "SELECT email_address FROM migration_user WHERE batch = ? AND waiting_deletions > 0 ORDER BY id",
    )
    .bind(batch)
    .fetch_all(connection)
    .await?;
    Ok(WaitingUsers {
        count: addresses.len() as u64,
        first: addresses.into_iter().take(MAX_NAMED_USERS).collect(),
    })
}

/// Returns the sums of the numbers of all users.
pub(crate) async fn sum_of_all(connection: &mut Connection) -> Result<Statistics, Fault> {
    let row = sql::query(format!("SELECT {SUMS} FROM migration_user")).fetch_one(connection).await?;
    statistics(Cells(&row))
}

fn add(sum: &mut Statistics, more: &Statistics) {
    sum.total_items += more.total_items;
    sum.synced_items += more.synced_items;
    sum.skipped_items += more.skipped_items;
    sum.waiting_deletions += more.waiting_deletions;
    sum.estimated_bytes += more.estimated_bytes;
    sum.bytes_transferred += more.bytes_transferred;
    sum.pass_bytes += more.pass_bytes;
    sum.pass_items += more.pass_items;
    sum.queued_millis += more.queued_millis;
    sum.in_progress_millis += more.in_progress_millis;
    sum.synced_millis += more.synced_millis;
    sum.stalled_millis += more.stalled_millis;
}
