//! The scheduler and its workers, with a real server and the archive.

mod checks;
mod clock;
mod gmail_api;
mod limits;
mod many_endpoints;
mod notifications;
mod permits;
mod stalls;

use std::{path::Path, time::Duration};

use jiff::Timestamp;
use mailhaul_mail::Secret;
use mailhaul_migration::{
    Batch, BatchIntent, BatchSettings, Endpoint, EndpointSecurity, Guid, Limit, Rates, UserEvent, UserRow,
    UserStatus,
};
use mailhaul_store::{Due, MasterKeySource, NodeSettings, Store, Users};
use mailhaul_testkit::{Dovecot, Faults, Mailmaker, Proxy, Setup, connect, fill};
use tokio_util::sync::CancellationToken;

use super::{
    EndReason, EndpointLimits, Scheduler, ServiceContext, Throughput, TokenSources, Workers, access::account,
};
use crate::context::Context;

/// Data directory with an endpoint, and a scheduler that runs until it is dropped.
struct Site {
    context: Context,
    endpoint: Endpoint,
    stop: CancellationToken,
    running: Option<tokio::task::JoinHandle<()>>,
}

impl Site {
    async fn new(data: &Path, port: u16, most: u32) -> Self {
        let store = Store::open(data).await.unwrap();
        store.secrets().unlock(MasterKeySource::DataDirectory).await.unwrap();
        let endpoint = Endpoint {
            guid: Guid::new_v4(),
            name: "Old".into(),
            remote_server: "127.0.0.1".into(),
            port,
            security: EndpointSecurity::None,
            max_concurrent_migrations: Limit::At(most),
            max_concurrent_incremental_syncs: Limit::At(most),
            ..account::tests::endpoint()
        };
        let endpoint = store.endpoints().insert(endpoint, None).await.unwrap();
        let context = Context {
            store,
            data: data.to_owned(),
            archive: data.join("archive"),
            workers: Workers::default(),
            limits: EndpointLimits::default(),
            throughput: Throughput::default(),
            tokens: TokenSources::default(),
            dns: mailhaul_records::Dns::new(Vec::new()),
        };
        Self { context, endpoint, stop: CancellationToken::new(), running: None }
    }

    async fn batch(&self, users: &[&str]) -> Guid {
        self.batch_of((2..).zip(users).map(|(row, user)| row_of(user, row)).collect()).await
    }

    async fn batch_of(&self, rows: Vec<UserRow>) -> Guid {
        self.batch_to(None, rows).await
    }

    /// Creates a batch to an endpoint or the archive.
    async fn batch_to(&self, target: Option<Guid>, rows: Vec<UserRow>) -> Guid {
        let batch = Batch {
            guid: Guid::new_v4(),
            name: "B".into(),
            source_endpoint: self.endpoint.guid,
            target_endpoint: target,
            archive: None,
            intent: BatchIntent::Run,
            settings: BatchSettings::default(),
            submitted_by: "test".into(),
            validation_warnings: Vec::new(),
            created: Timestamp::now(),
            started: Some(Timestamp::now()),
        };
        self.context.store.batches().insert(batch, rows).await.unwrap().batch.guid
    }

    fn run(&mut self) {
        self.run_in(self.context.service_context());
    }

    fn run_in(&mut self, place: ServiceContext) {
        let lock = self.context.store.lock_service().unwrap();
        let (scheduler, stop) = (Scheduler::new(place, lock, node()), self.stop.clone());
        self.running = Some(tokio::spawn(async move {
            scheduler.run(stop).await;
        }));
    }

    async fn end(&mut self) {
        self.stop.cancel();
        self.running.take().unwrap().await.unwrap();
        self.stop = CancellationToken::new();
    }

    async fn status(&self, user: &str) -> UserStatus {
        self.context.store.users().get(&format!("{user}@contoso.edu"), None).await.unwrap().status
    }

    async fn wait_for(&self, user: &str, wanted: UserStatus) {
        for _ in 0..600 {
            if self.status(user).await == wanted {
                return;
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        let user = self.context.store.users().get(&format!("{user}@contoso.edu"), None).await.unwrap();
        panic!("it did not become {wanted}: {user:#?}");
    }
}

/// User with the usual password.
fn row_of(user: &str, row: usize) -> UserRow {
    UserRow {
        row,
        email_address: format!("{user}@contoso.edu"),
        user_name: user.to_owned(),
        password: Some(Secret::new(Dovecot::password(user))),
        user_root: None,
        target_user_name: user.to_owned(),
        target_password: None,
    }
}

async fn filled(users: &[&str], messages: usize) -> Dovecot {
    let server = Setup::with_users(users).start();
    for (seed, user) in (1..).zip(users) {
        let mut session = connect(server.port(), user, &Dovecot::password(user)).await;
        let mut maker = Mailmaker::new(seed);
        fill(&mut session, "INBOX", (0..messages).map(|_| maker.item(1_000)).collect::<Vec<_>>()).await;
        session.logout().await.unwrap();
    }
    server
}

#[tokio::test(flavor = "multi_thread")]
async fn users_are_synced_one_after_the_other_and_then_kept_in_step() {
    let directory = tempfile::tempdir().unwrap();
    let server = filled(&["annb", "paulc", "terrya"], 20).await;
    let mut site = Site::new(directory.path(), server.port(), 1).await;
    let batch = site.batch(&["annb", "paulc", "terrya"]).await;
    site.run();
    for user in ["annb", "paulc", "terrya"] {
        site.wait_for(user, UserStatus::Synced).await;
    }
    let store = &site.context.store;
    let user = store.users().get("annb@contoso.edu", None).await.unwrap();
    assert_eq!((user.statistics.total_items, user.statistics.synced_items), (20, 20));
    assert!(user.last_synced.is_some() && user.due.is_some_and(|it| it > Timestamp::now()));
    let report = store.reports().get(user.guid, None, 100).await.unwrap();
    assert!(report.items.iter().any(|it| it.text.contains("completed")), "{report:?}");
    // A requested pass starts at once.
    let now = Timestamp::now();
    store.jobs().reschedule(Users::OfBatch(batch), vec![UserStatus::Synced], Due::At(now)).await.unwrap();
    site.context.workers.nudge();
    for _ in 0..200 {
        if store.users().get("terrya@contoso.edu", None).await.unwrap().last_synced > Some(now) {
            break;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    assert!(store.users().get("terrya@contoso.edu", None).await.unwrap().last_synced > Some(now));
    site.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn users_wait_for_the_next_service_and_a_stop_ends_a_worker() {
    let directory = tempfile::tempdir().unwrap();
    let server = filled(&["annb"], 3000).await;
    let slow = Proxy::start(
        server.port(),
        Faults { delay: Duration::from_millis(5), rate: Some(400_000), ..Faults::default() },
    );
    let mut site = Site::new(directory.path(), slow.port(), 5).await;
    let batch = site.batch(&["annb"]).await;
    site.run();
    site.wait_for("annb", UserStatus::Syncing).await;
    site.end().await;
    assert_eq!(site.status("annb").await, UserStatus::Queued);
    site.run();
    site.wait_for("annb", UserStatus::Syncing).await;
    let store = site.context.store.clone();
    store.jobs().apply(Users::OfBatch(batch), UserEvent::Stop, Timestamp::now(), Due::Never).await.unwrap();
    assert_eq!(site.status("annb").await, UserStatus::Stopping);
    site.context.workers.end_batch(batch, EndReason::Stopped);
    site.wait_for("annb", UserStatus::Stopped).await;
    site.end().await;
}

/// This process as a node.
fn node() -> NodeSettings {
    NodeSettings {
        name: "test".into(),
        program: "0".into(),
        capacity: u32::MAX,
        lease: Duration::from_mins(1),
    }
}
