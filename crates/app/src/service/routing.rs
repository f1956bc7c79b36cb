//! The watch: looks at the mail records of all batches' domains, and syncs a batch whose mail has moved.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use mailhaul_migration::{
    Batch, BatchIntent, CutoverPolicy, CutoverSettings, DomainRouting, MigrationConfig, RoutingStatus,
    UserStatus,
};
use mailhaul_store::{BatchFilter, DomainRow, Due, StoreError, Users};

use super::service_context::ServiceContext;
use crate::cutover::{look::Looks, report::domains_of};

/// Time between two turns of the watch. A turn without a due domain asks nothing.
const TURN: Duration = Duration::from_mins(1);
/// Time between two looks at a domain.
const CALM_INTERVAL: SignedDuration = SignedDuration::from_mins(60);
/// The same while it moves, or if a move is expected within a day.
const BUSY_INTERVAL: SignedDuration = SignedDuration::from_mins(5);
/// Distance from the expected move within which looks are frequent.
const EXPECTED_WITHIN: SignedDuration = SignedDuration::from_hours(24);

/// Looks until the service ends.
pub(super) async fn watch(context: ServiceContext) {
    loop {
        if let Err(error) = look_at_all(&context).await {
            tracing::warn!("the mail records of domains were not looked at: {error}");
        }
        tokio::time::sleep(TURN).await;
    }
}

/// Looks at each domain that is due.
pub(super) async fn look_at_all(context: &ServiceContext) -> Result<(), StoreError> {
    let config = context.store.config().get().await?;
    if config.cutover_policy == CutoverPolicy::Off {
        return Ok(());
    }
    context.store.cutover().delete_old_arrivals(context.store.now()).await?;
    for overview in context.store.batches().list(&BatchFilter::default()).await? {
        look_at_batch(context, &config, &overview.batch).await?;
    }
    Ok(())
}

async fn look_at_batch(
    context: &ServiceContext,
    config: &MigrationConfig,
    batch: &Batch,
) -> Result<(), StoreError> {
    let store = &context.store;
    let settings = store.cutover().cutover_settings(batch.guid).await?;
    let known = store.cutover().domain_routings(batch.guid).await?;
    let now = store.now();
    let due: Vec<String> = domains_of(store, batch, &settings)
        .await?
        .into_iter()
        .filter(|domain| {
            let row = known.iter().find(|row| row.domain == *domain);
            row.is_none_or(|row| is_due(row, &settings, now))
        })
        .collect();
    if due.is_empty() {
        return Ok(());
    }
    let source = store.endpoints().by_guid(batch.source_endpoint).await?;
    let looks = Looks::new(&context.dns, &config.public_resolvers, &source).await;
    for (domain, look) in looks.at_all(due, || store.now()).await {
        let expected = settings.expected_mx.clone();
        store.cutover().observe_domain(batch.guid, domain, look.routing, expected, look.remarks).await?;
    }
    let after = store.cutover().domain_routings(batch.guid).await?;
    if after.iter().any(|row| moved_now(row, &known)) {
        sync_now(context, batch).await?;
    }
    Ok(())
}

/// True if the domain must be looked at.
fn is_due(row: &DomainRow, settings: &CutoverSettings, now: Timestamp) -> bool {
    let Some(look) = &row.routing.look else { return true };
    let age = now.duration_since(look.at);
    // After the clock went back the last look lies in the future.
    age >= interval(&row.routing, settings, now) || age.is_negative()
}

fn interval(routing: &DomainRouting, settings: &CutoverSettings, now: Timestamp) -> SignedDuration {
    let is_expected = settings.expected_at.is_some_and(|at| at.duration_since(now).abs() <= EXPECTED_WITHIN);
    let state = routing.state(now, &routing.rules(&settings.expected_mx), settings.settle_period());
    let is_moving =
        matches!(state.status, RoutingStatus::Moving | RoutingStatus::Backup | RoutingStatus::Settling);
    if is_expected || is_moving { BUSY_INTERVAL } else { CALM_INTERVAL }
}

/// True if all name servers tell the new hosts for the first time, after the old ones.
fn moved_now(row: &DomainRow, before: &[DomainRow]) -> bool {
    let before = before.iter().find(|before| before.domain == row.domain);
    row.routing.new_since.is_some() && before.is_some_and(|before| before.routing.new_since.is_none())
}

/// Syncs the users of a running batch: the last mail before the move is on the source.
async fn sync_now(context: &ServiceContext, batch: &Batch) -> Result<(), StoreError> {
    if batch.intent != BatchIntent::Run {
        return Ok(());
    }
    tracing::warn!("the mail of the batch \"{}\" goes to other hosts now; its users are synced", batch.name);
    let statuses = vec![UserStatus::Synced, UserStatus::IncrementalFailed];
    let due = Due::At(context.store.now());
    context.store.jobs().reschedule(Users::OfBatch(batch.guid), statuses, due).await?;
    context.workers.nudge();
    Ok(())
}

#[cfg(test)]
mod tests {
    use mailhaul_migration::{AskedServer, MxAnswer, MxHost, RoutingLook};

    use super::*;

    fn row(at: &str, host: &str) -> DomainRow {
        let mut row =
            DomainRow { domain: "contoso.edu".to_owned(), routing: DomainRouting::default(), remarks: None };
        for (at, host) in [("2026-11-27T17:00:00Z", "mx.old.example"), (at, host)] {
            let hosts =
                vec![MxHost { preference: 1, name: host.to_owned(), addresses: Vec::new(), address_ttl: 1 }];
            let answer = MxAnswer::Hosts { ttl: 60, hosts };
            let look = RoutingLook {
                at: at.parse().unwrap(),
                name_servers: vec![AskedServer { name: "ns1".to_owned(), answer }],
                name_server_ttl: 60,
                resolvers: Vec::new(),
                trouble: None,
                source_addresses: Vec::new(),
            };
            let rules = row.routing.rules(&[]);
            row.routing.observe(look, &rules);
        }
        row
    }

    #[test]
    fn moving_and_expected_domains_are_looked_at_often() {
        let at = "2026-11-27T18:00:00Z";
        let expected = |at: Option<&str>| CutoverSettings {
            expected_at: at.map(|at| at.parse().unwrap()),
            ..CutoverSettings::default()
        };
        for (host, expected_at, minutes, due) in [
            ("mx.old.example", None, 59, false),
            ("mx.old.example", None, 60, true),
            ("mx.old.example", Some("2026-11-28T12:00:00Z"), 5, true),
            ("mx.old.example", Some("2026-12-28T12:00:00Z"), 5, false),
            ("mx.new.example", None, 4, false),
            ("mx.new.example", None, 5, true),
            ("mx.old.example", None, -1, true),
        ] {
            let row = row(at, host);
            let now = at.parse::<Timestamp>().unwrap() + SignedDuration::from_mins(minutes);
            assert_eq!(is_due(&row, &expected(expected_at), now), due, "{host} {expected_at:?} {minutes}");
        }
    }

    #[test]
    fn a_move_is_noticed_once() {
        let (old, new) =
            (row("2026-11-27T18:00:00Z", "mx.old.example"), row("2026-11-27T18:00:00Z", "mx.new.example"));
        assert!(moved_now(&new, std::slice::from_ref(&old)));
        assert!(!moved_now(&new, std::slice::from_ref(&new)));
        assert!(!moved_now(&old, std::slice::from_ref(&old)));
        // A batch that was made after the move has its baseline there.
        assert!(!moved_now(&new, &[]));
    }
}
