//! The watch: tells reports, verdicts, long TTLs and long pauses when they are due.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use mailhaul_migration::{
    Batch, BatchIntent, Condition, ConditionState, CutoverPolicy, Grant, MigrationConfig, NotificationEvent,
    NotificationFacts, NotificationServers, OAuth, RoutingLook, ToldBefore, is_arrival_due, is_expiry_due,
    is_parking_due, is_ttl_due, verdict_event,
};
use mailhaul_oauth::certificate_end;
use mailhaul_store::{BatchFilter, StoreError};

use super::pauses::Pauses;
use crate::{cutover::report::CutoverReport, service::service_context::ServiceContext};

/// Time between two looks.
const TURN: Duration = Duration::from_mins(1);
/// Time between two removals of old notifications.
const CLEANUP_INTERVAL: SignedDuration = SignedDuration::from_hours(24);

/// Looks until the service ends.
pub(in crate::service) async fn watch(context: ServiceContext) {
    let mut cleaned: Option<Timestamp> = None;
    let mut pauses = Pauses::default();
    loop {
        if let Err(error) = look(&context, &mut pauses).await {
            tracing::warn!("events were not looked for: {error}");
        }
        let now = context.store.now();
        if cleaned.is_none_or(|last| now.duration_since(last) >= CLEANUP_INTERVAL) {
            match context.store.outbox().forget(now).await {
                Ok(()) => cleaned = Some(now),
                Err(error) => tracing::warn!("old notifications were not removed: {error}"),
            }
        }
        tokio::time::sleep(TURN).await;
    }
}

/// Looks at all batches and endpoints. Without a server for notifications nothing is looked at.
pub(in crate::service) async fn look(
    context: &ServiceContext,
    pauses: &mut Pauses,
) -> Result<(), StoreError> {
    let config = context.store.config().get().await?;
    if config.notifications == NotificationServers::default() {
        return Ok(());
    }
    for overview in context.store.batches().list(&BatchFilter::default()).await? {
        let batch = overview.batch;
        if batch.intent != BatchIntent::Run || !context.store.outbox().has_receiver(batch.guid).await? {
            continue;
        }
        context.store.outbox().tell_progress(batch.guid, context.store.now()).await?;
        look_at_cutover(context, &config, &batch).await?;
    }
    look_at_parking(context, pauses).await?;
    look_at_certificates(context).await
}

/// Tells long TTLs before the move, and after it mail that still arrives and the verdict.
async fn look_at_cutover(
    context: &ServiceContext,
    config: &MigrationConfig,
    batch: &Batch,
) -> Result<(), StoreError> {
    if config.cutover_policy == CutoverPolicy::Off {
        return Ok(());
    }
    let (store, now) = (&context.store, context.store.now());
    let report = CutoverReport::load(store, batch, now).await?;
    let expected_at = report.settings.expected_at;
    for domain in &report.domains {
        let ttl = domain.row.routing.look.as_ref().and_then(RoutingLook::ttl);
        let (Some(ttl), Some(expected), None) = (ttl, expected_at, domain.row.routing.new_since) else {
            continue;
        };
        let name = domain.row.domain.clone();
        let facts = NotificationFacts::of_ttl(&name, ttl, expected);
        let decide = move |told: &ToldBefore| {
            is_ttl_due(ttl, expected_at, told, now).then_some((NotificationEvent::TtlTooLong, facts))
        };
        tell(context, batch, name, decide).await?;
    }
    let judgement = report.judgement;
    let (verdict, facts) =
        (judgement.verdict, NotificationFacts::of_cutover(&batch.name, &judgement.sentence));
    let decide = move |told: &ToldBefore| Some((verdict_event(verdict, told)?, facts));
    tell(context, batch, String::new(), decide).await?;
    let arriving = judgement.conditions.iter().find(|judged| {
        judged.condition == Condition::SourceIsQuiet && judged.state == ConditionState::NotMet
    });
    let is_settled = judgement.settled_at.is_some_and(|settled| settled <= now);
    if let (Some(arriving), true) = (arriving, is_settled) {
        let facts = NotificationFacts::of_cutover(&batch.name, &format!("{}.", arriving.words));
        let decide = move |told: &ToldBefore| {
            is_arrival_due(told, now).then_some((NotificationEvent::StillArriving, facts))
        };
        tell(context, batch, String::new(), decide).await?;
    }
    Ok(())
}

/// Tells what is decided. Only what is due costs a transaction that writes, which decides again.
async fn tell(
    context: &ServiceContext,
    batch: &Batch,
    subject: String,
    decide: impl FnOnce(&ToldBefore) -> Option<(NotificationEvent, NotificationFacts)> + Clone + Send + 'static,
) -> Result<(), StoreError> {
    let outbox = context.store.outbox();
    let told = outbox.told(batch.guid, &subject).await?;
    if decide.clone()(&told).is_none() {
        return Ok(());
    }
    outbox.tell(batch.guid, subject, context.store.now(), decide).await
}

/// Tells endpoints that have been parked for more than an hour.
async fn look_at_parking(context: &ServiceContext, pauses: &mut Pauses) -> Result<(), StoreError> {
    let now = context.store.now();
    let parked = context.store.jobs().parked(now).await?;
    pauses.look(parked.iter().map(|(endpoint, parking)| (*endpoint, parking.since)), now);
    for (guid, parking) in parked {
        let Some(since) = pauses.since(guid) else { continue };
        // A short pause needs no look at what was told.
        if !is_parking_due(since, &ToldBefore::default(), now) {
            continue;
        }
        let name = context.store.endpoints().by_guid(guid).await?.name;
        let facts = NotificationFacts::of_parking(&name, since, parking.until, &parking.reason);
        let decide = move |told: &ToldBefore| {
            is_parking_due(since, told, now).then_some((NotificationEvent::EndpointParked, facts))
        };
        context.store.outbox().tell_of_endpoint(guid, now, decide).await?;
    }
    Ok(())
}

/// Tells certificates for access tokens that end soon.
async fn look_at_certificates(context: &ServiceContext) -> Result<(), StoreError> {
    let now = context.store.now();
    for endpoint in context.store.endpoints().list().await? {
        let Some(OAuth { grant: Grant::ClientCertificate { certificate }, .. }) = endpoint.access.oauth()
        else {
            continue;
        };
        let Some(ends) = certificate_end(certificate) else { continue };
        if !is_expiry_due(ends, &ToldBefore::default(), now) {
            continue;
        }
        let facts = NotificationFacts::of_expiry(&endpoint.name, ends);
        let decide = move |told: &ToldBefore| {
            is_expiry_due(ends, told, now).then_some((NotificationEvent::TokenExpiring, facts))
        };
        context.store.outbox().tell_of_endpoint(endpoint.guid, now, decide).await?;
    }
    Ok(())
}
