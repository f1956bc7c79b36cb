//! The watch: what it tells, and that it tells it once.

use jiff::{SignedDuration, Timestamp};
use mailhaul_migration::{
    Access, AskedServer, Batch, BatchIntent, BatchSettings, Condition, CutoverSettings, Endpoint, Grant,
    Guid, MigrationConfig, MxAnswer, MxHost, NotificationEvent, OAuth, RoutingLook, Waiver,
};
use mailhaul_store::{MasterKeySource, NewSecret, Parking, Store};
use strum::VariantArray as _;
use tempfile::TempDir;

use super::{
    super::{
        EndpointLimits, ServiceContext, Throughput, TokenSources, Workers,
        access::account,
        outbox::{Pauses, look},
    },
    row_of,
};
use crate::context::Context;

/// A running batch whose notifications have a receiver.
struct Stage {
    context: ServiceContext,
    endpoint: Endpoint,
    batch: Guid,
    pauses: Pauses,
    _data: TempDir,
}

impl Stage {
    async fn new() -> Self {
        let data = tempfile::tempdir().unwrap();
        let store = Store::open(data.path()).await.unwrap();
        store.secrets().unlock(MasterKeySource::DataDirectory).await.unwrap();
        let change = |config: &mut MigrationConfig| {
            config.notifications.webhook = Some("https://hook.example".to_owned());
        };
        store.config().update(change).await.unwrap();
        let endpoint = Endpoint { guid: Guid::new_v4(), name: "Old".into(), ..account::tests::endpoint() };
        let endpoint = store.endpoints().insert(endpoint, None).await.unwrap();
        let batch = Batch {
            guid: Guid::new_v4(),
            name: "Staff".into(),
            source_endpoint: endpoint.guid,
            target_endpoint: None,
            archive: None,
            intent: BatchIntent::Run,
            settings: BatchSettings::default(),
            submitted_by: "ada".into(),
            validation_warnings: Vec::new(),
            created: store.now(),
            started: Some(store.now()),
        };
        let batch = store.batches().insert(batch, vec![row_of("anna", 2)]).await.unwrap().batch.guid;
        let context = Context {
            store,
            data: data.path().to_owned(),
            archive: data.path().join("archive"),
            workers: Workers::default(),
            limits: EndpointLimits::default(),
            throughput: Throughput::default(),
            tokens: TokenSources::default(),
            dns: mailhaul_records::Dns::new(Vec::new()),
        };
        let context = context.service_context();
        Self { context, endpoint, batch, pauses: Pauses::default(), _data: data }
    }

    /// Looks twice, and returns the events that were told so far, the oldest first.
    async fn told(&mut self) -> Vec<NotificationEvent> {
        for _ in 0..2 {
            look(&self.context, &mut self.pauses).await.unwrap();
        }
        let rows = self.context.store.outbox().list(None, false, None, 100).await.unwrap().items;
        rows.iter().rev().map(|row| row.event).collect()
    }

    async fn set(&self, change: impl FnOnce(&mut CutoverSettings) + Send + 'static) {
        self.context.store.cutover().update_cutover(self.batch, change).await.unwrap();
    }

    fn in_hours(&self, hours: i64) -> Timestamp {
        self.context.store.now().checked_add(SignedDuration::from_hours(hours)).unwrap()
    }
}

#[tokio::test]
async fn verdicts_are_told_when_they_change() {
    use NotificationEvent::{NoLongerSafe, SafeToRemove};
    let mut stage = Stage::new().await;
    assert_eq!(stage.told().await, []);
    let at = stage.in_hours(-100);
    let waive = move |settings: &mut CutoverSettings| {
        settings.routed_at = Some(at);
        let waiver = |condition: &Condition| Waiver {
            condition: *condition,
            reason: "a test".into(),
            by: "ada".into(),
            at,
        };
        settings.waivers = Condition::VARIANTS.iter().map(waiver).collect();
    };
    stage.set(waive).await;
    assert_eq!(stage.told().await, [SafeToRemove]);
    // The only user was never synced.
    stage.set(|settings| settings.waivers.retain(|waiver| waiver.condition != Condition::NoFailures)).await;
    assert_eq!(stage.told().await, [SafeToRemove, NoLongerSafe]);
    stage.set(waive).await;
    assert_eq!(stage.told().await, [SafeToRemove, NoLongerSafe, SafeToRemove]);
    // A stopped batch tells nothing.
    stage
        .context
        .store
        .batches()
        .update(stage.batch, |batch| batch.intent = BatchIntent::Stop)
        .await
        .unwrap();
    stage.set(|settings| settings.waivers.clear()).await;
    assert_eq!(stage.told().await.len(), 3);
}

#[tokio::test]
async fn a_long_ttl_and_a_long_pause_are_told() {
    use NotificationEvent::{EndpointParked, TtlTooLong};
    let mut stage = Stage::new().await;
    let (now, expected) = (stage.in_hours(0), stage.in_hours(10));
    let host =
        MxHost { preference: 10, name: "mx.old.example".into(), addresses: Vec::new(), address_ttl: 60 };
    let answer = MxAnswer::Hosts { ttl: 86_400, hosts: vec![host] };
    let look = RoutingLook {
        at: now,
        name_servers: vec![AskedServer { name: "ns1".into(), answer }],
        name_server_ttl: 60,
        resolvers: Vec::new(),
        trouble: None,
        source_addresses: Vec::new(),
    };
    let store = stage.context.store.clone();
    let domain = store.cutover().mail_domains(stage.batch).await.unwrap().remove(0);
    store.cutover().observe_domain(stage.batch, domain, look, Vec::new(), None).await.unwrap();
    assert_eq!(stage.told().await, []);
    stage.set(move |settings| settings.expected_at = Some(expected)).await;
    assert_eq!(stage.told().await, [TtlTooLong]);

    let (since, until) = (stage.in_hours(-2), stage.in_hours(1));
    let parking = Parking { since, until, reason: "454 too many logins".into() };
    store.jobs().park(stage.endpoint.guid, move |_| parking).await.unwrap();
    assert_eq!(stage.told().await, [TtlTooLong, EndpointParked]);
    let told = store.outbox().list(None, false, None, 1).await.unwrap().items.remove(0);
    assert_eq!(told.summary, "The endpoint Old has been paused for more than an hour: 454 too many logins");
    // Without a server nothing is looked at.
    let off = |config: &mut MigrationConfig| config.notifications.webhook = None;
    store.config().update(off).await.unwrap();
    stage.set(|settings| *settings = CutoverSettings::default()).await;
    assert_eq!(stage.told().await.len(), 2);
}

#[tokio::test]
async fn the_end_of_a_certificate_is_told_once() {
    let mut stage = Stage::new().await;
    let certificate = mailhaul_testkit::Certificate::expired();
    let certificate = std::fs::read_to_string(certificate.certificate_file()).unwrap();
    let change = |endpoint: &mut Endpoint| {
        endpoint.access = Access::OAuth(OAuth {
            grant: Grant::ClientCertificate { certificate },
            token_url: "https://login.example/token".into(),
            device_url: String::new(),
            client_id: "1".into(),
            scope: String::new(),
            tenant: None,
        });
    };
    let guid = stage.endpoint.guid;
    stage.context.store.endpoints().update(guid, NewSecret::Keep, change).await.unwrap();
    assert_eq!(stage.told().await, [NotificationEvent::TokenExpiring]);
    let told = stage.context.store.outbox().list(None, false, None, 1).await.unwrap().items.remove(0);
    assert!(told.summary.ends_with("of the endpoint Old ends at 2021-01-01T00:00:00Z."), "{}", told.summary);
}
