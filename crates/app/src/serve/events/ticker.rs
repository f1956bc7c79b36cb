//! Looks at the workers once a second, however many pages watch, and tells the feed what moved.

use std::{
    collections::{BTreeMap, HashMap, HashSet},
    sync::Arc,
    time::Duration,
};

use mailhaul_migration::{Guid, Statistics};
use tokio::time::{Instant, MissedTickBehavior, interval};
use tokio_util::sync::CancellationToken;

use super::feed::{Change, Feed, FeedEvent, ProgressRow};
use crate::{context::Context, ops::issues_now};

const INTERVAL: Duration = Duration::from_secs(1);
/// Interval in which pages are told that other nodes may have changed something.
const OTHER_NODES_INTERVAL: Duration = Duration::from_secs(5);
/// Interval in which new issues are looked for.
const ISSUES_INTERVAL: Duration = Duration::from_secs(5);
/// Weight of the newest second in the shown rate.
const RATE_WEIGHT: f64 = 0.2;
/// Number of changed users of a batch above which one event tells of all.
const MAX_SINGLE: usize = 20;

/// Numbers of a user at the last look.
#[derive(Clone, Copy)]
struct Seen {
    bytes: u64,
    rate: f64,
    row: ProgressRow,
}

/// Runs until shutdown. Without a stream it does nothing.
pub(crate) async fn run(context: Arc<Context>, feed: Feed, shutdown: CancellationToken) {
    let mut ticks = interval(INTERVAL);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut seen: HashMap<Guid, Seen> = HashMap::new();
    let (mut last_look, mut last_gap) = (Instant::now(), Instant::now());
    let mut was_watched = false;
    let mut issues = KnownIssues::default();
    loop {
        tokio::select! {
            () = shutdown.cancelled() => return,
            _ = ticks.tick() => {}
        }
        let is_watched = feed.is_watched();
        context.workers.set_watched(is_watched);
        if is_watched && !was_watched {
            // Users that changed before this look were not collected.
            feed.add(FeedEvent::Gap);
        }
        was_watched = is_watched;
        if !is_watched {
            seen.clear();
            issues = KnownIssues::default();
            continue;
        }
        issues.look(&context, &feed).await;
        for change in changes(context.workers.take_touched()) {
            feed.add(FeedEvent::Changed(change));
        }
        if context.store.is_on_server() && last_gap.elapsed() >= OTHER_NODES_INTERVAL {
            last_gap = Instant::now();
            feed.add(FeedEvent::Gap);
        }
        let elapsed = last_look.elapsed().as_secs_f64();
        last_look = Instant::now();
        let all = context.workers.all().into_iter();
        let all = all.map(|(user, worker)| (user, worker.batch, worker.tally.statistics())).collect();
        let rows = look(&mut seen, all, elapsed);
        if !rows.is_empty() {
            feed.send_progress(rows);
        }
    }
}

/// Issues at the last look.
#[derive(Default)]
struct KnownIssues {
    looked: Option<Instant>,
    known: HashSet<String>,
}

impl KnownIssues {
    /// Tells the feed which issues are new, every few seconds. The first look only learns those that are there.
    async fn look(&mut self, context: &Context, feed: &Feed) {
        if self.looked.is_some_and(|looked| looked.elapsed() < ISSUES_INTERVAL) {
            return;
        }
        let is_first = self.looked.is_none();
        self.looked = Some(Instant::now());
        let found = match issues_now(context).await {
            Ok(found) => found,
            Err(failure) => {
                tracing::warn!("issues cannot be read: {failure}");
                return;
            }
        };
        let mut known = HashSet::with_capacity(found.len());
        for issue in found.iter().filter_map(|issue| serde_json::to_value(issue).ok()) {
            let text = issue.to_string();
            if !is_first && !self.known.contains(&text) {
                feed.add(FeedEvent::Issue(Arc::new(issue)));
            }
            known.insert(text);
        }
        self.known = known;
    }
}

/// Combines the changed users of a batch if they are many.
fn changes(touched: Vec<(Guid, Guid)>) -> Vec<Change> {
    let mut by_batch: BTreeMap<Guid, Vec<Guid>> = BTreeMap::new();
    for (user, batch) in touched {
        by_batch.entry(batch).or_default().push(user);
    }
    let mut changes = Vec::new();
    for (batch, users) in by_batch {
        let identities: Vec<Option<String>> = if users.len() > MAX_SINGLE {
            vec![None]
        } else {
            users.iter().map(|user| Some(user.to_string())).collect()
        };
        let noun = || "MigrationUser".to_owned();
        changes.extend(identities.into_iter().map(|identity| Change {
            noun: noun(),
            identity,
            batch: Some(batch),
        }));
    }
    changes
}

/// Rows of the users whose numbers changed since the last look.
#[expect(
    clippy::cast_precision_loss,
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a rate"
)]
fn look(
    seen: &mut HashMap<Guid, Seen>,
    all: Vec<(Guid, Guid, Statistics)>,
    elapsed: f64,
) -> Vec<ProgressRow> {
    let mut now = HashMap::with_capacity(all.len());
    let mut rows = Vec::new();
    for (user, batch, statistics) in all {
        let bytes = statistics.bytes_transferred;
        let before = seen.get(&user);
        let rate = match before {
            Some(before) if elapsed > 0.0 => {
                let newest = bytes.saturating_sub(before.bytes) as f64 / elapsed;
                before.rate + RATE_WEIGHT * (newest - before.rate)
            }
            _ => 0.0,
        };
        let rest = statistics.estimated_bytes.saturating_sub(statistics.pass_bytes);
        let left = if rate >= 1.0 && rest > 0 { Some((rest as f64 / rate) as u64) } else { None };
        let row = ProgressRow {
            user,
            batch,
            synced: statistics.synced_items,
            skipped: statistics.skipped_items,
            bytes,
            total: statistics.total_items,
            rate: rate as u64,
            left,
        };
        if before.is_none_or(|before| before.row != row) {
            rows.push(row);
        }
        now.insert(user, Seen { bytes, rate, row });
    }
    *seen = now;
    rows
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_rows_that_moved_are_told_with_their_rate() {
        let (user, batch) = (Guid::from_u128(1), Guid::from_u128(2));
        let numbers = |bytes: u64| Statistics {
            bytes_transferred: bytes,
            pass_bytes: bytes,
            estimated_bytes: 100_000,
            ..Statistics::default()
        };
        let mut seen = HashMap::new();
        assert_eq!(look(&mut seen, vec![(user, batch, numbers(0))], 1.0)[0].rate, 0);
        assert_eq!(look(&mut seen, vec![(user, batch, numbers(0))], 1.0), []);
        let row = look(&mut seen, vec![(user, batch, numbers(20_000))], 2.0)[0];
        assert_eq!((row.bytes, row.rate, row.left), (20_000, 2_000, Some(40)));
        assert_eq!(look(&mut seen, vec![], 1.0), []);
        assert!(seen.is_empty());
    }

    #[test]
    fn many_users_of_a_batch_are_one_change() {
        let user = |number: usize| (Guid::from_u128(number as u128), Guid::from_u128(7));
        assert_eq!(changes((0..MAX_SINGLE).map(user).collect()).len(), MAX_SINGLE);
        let many = changes((0..=MAX_SINGLE).map(user).collect());
        assert!(many.len() == 1 && many[0].identity.is_none(), "{many:?}");
    }
}
