//! All that is known of the cut-over of a batch, with the verdict. Asks nothing of the network.

use jiff::{Timestamp, tz::TimeZone};
use mailhaul_migration::{
    Arrivals, Batch, CutoverFacts, CutoverSettings, DomainFacts, DomainRouting, Judgement, NamedUsers,
    RoutingState, judge, quiet_times, sync_needed_after,
};
use mailhaul_store::{ArrivalTimes, DnsChange, DomainRow, Store, StoreError};

use crate::time_zones::zone;

/// A domain with its state.
pub(crate) struct ReportedDomain {
    pub(crate) row: DomainRow,
    pub(crate) state: RoutingState,
}

/// The cut-over of a batch.
pub(crate) struct CutoverReport {
    pub(crate) settings: CutoverSettings,
    pub(crate) zone: TimeZone,
    pub(crate) domains: Vec<ReportedDomain>,
    pub(crate) changes: Vec<DnsChange>,
    pub(crate) arrivals: Arrivals,
    /// Number of users with a sync.
    pub(crate) synced: u64,
    pub(crate) judgement: Judgement,
}

/// Returns the domains of a batch: those that the administrator names, or those of the addresses.
pub(crate) async fn domains_of(
    store: &Store,
    batch: &Batch,
    settings: &CutoverSettings,
) -> Result<Vec<String>, StoreError> {
    if settings.domains.is_empty() {
        store.cutover().mail_domains(batch.guid).await
    } else {
        Ok(settings.domains.clone())
    }
}

impl CutoverReport {
    pub(crate) async fn load(store: &Store, batch: &Batch, now: Timestamp) -> Result<Self, StoreError> {
        let settings = store.cutover().cutover_settings(batch.guid).await?;
        let names = domains_of(store, batch, &settings).await?;
        let mut known = store.cutover().domain_routings(batch.guid).await?;
        let domains: Vec<ReportedDomain> = names
            .into_iter()
            .map(|domain| {
                let row = match known.iter().position(|row| row.domain == domain) {
                    Some(index) => known.swap_remove(index),
                    None => DomainRow { domain, routing: DomainRouting::default(), remarks: None },
                };
                let rules = row.routing.rules(&settings.expected_mx);
                let state = row.routing.state(now, &rules, settings.settle_period());
                ReportedDomain { row, state }
            })
            .collect();
        let zone = zone(batch.settings.time_zone.as_deref()).unwrap_or(TimeZone::UTC);
        let mut facts = facts(batch, &domains, now, zone.clone());
        facts.parked = parked(store, batch, now).await?;
        let (quiet_from, settled) = quiet_times(&facts, &settings);
        let times = ArrivalTimes { now, quiet_from, settled };
        let arrivals = store.cutover().arrivals(batch.guid, times).await?;
        facts.arrivals = Some(arrivals.clone());
        let sync = store.cutover().sync_facts(batch.guid, sync_needed_after(&facts, &settings)).await?;
        facts.users = sync.users;
        (facts.unsynced, facts.failed) = (sync.unsynced, sync.failed);
        (facts.skipped, facts.skipped_messages) = (sync.skipped, sync.skipped_messages);
        let judgement = judge(&facts, &settings);
        let changes = store.cutover().dns_changes(batch.guid).await?;
        Ok(Self { settings, zone, domains, changes, arrivals, synced: sync.synced, judgement })
    }
}

fn facts(batch: &Batch, domains: &[ReportedDomain], now: Timestamp, zone: TimeZone) -> CutoverFacts {
    let remarks: Option<Vec<_>> = domains.iter().map(|domain| domain.row.remarks.clone()).collect();
    CutoverFacts {
        now,
        zone,
        batch: batch.name.clone(),
        users: 0,
        domains: domains
            .iter()
            .map(|domain| DomainFacts {
                domain: domain.row.domain.clone(),
                state: domain.state.clone(),
                direct_since: None,
            })
            .collect(),
        sees_direct_mail: false,
        arrivals: None,
        unsynced: NamedUsers::default(),
        failed: NamedUsers::default(),
        parked: None,
        skipped: NamedUsers::default(),
        skipped_messages: 0,
        records: remarks.map(|remarks| remarks.concat()),
    }
}

/// Name of an endpoint of the batch that is parked now.
async fn parked(store: &Store, batch: &Batch, now: Timestamp) -> Result<Option<String>, StoreError> {
    let ends = [Some(batch.source_endpoint), batch.target_endpoint];
    let parked = store.jobs().parked(now).await?;
    match parked.into_iter().find(|(endpoint, _)| ends.contains(&Some(*endpoint))) {
        Some((endpoint, _)) => Ok(Some(store.endpoints().by_guid(endpoint).await?.name)),
        None => Ok(None),
    }
}
