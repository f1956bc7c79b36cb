//! Operations on a real database, called through the router like every caller does.

use std::sync::{Arc, Mutex};

use base64::{Engine as _, prelude::BASE64_STANDARD};
use futures_util::future::BoxFuture;
use jiff::{Timestamp, ToSpan as _};
use mailhaul_engine::{Event, Progress as _};
use mailhaul_migration::{FailureClass, Guid, MigrationUser, PassFailure, Statistics, UserEvent};
use mailhaul_operations::{Caller, Client, Failure, FailureKind, Gate, Operations, Record, Role, Service};
use mailhaul_records::Dns;
use mailhaul_store::{Claim, ClaimedUser, Due, MasterKeySource, PassKind, Release, Store};
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::{
    context::Context,
    ops::operations,
    service::{
        EndReason, EndpointLimits, Throughput, TokenSources, Workers,
        forecast::Forecast,
        progress::UserProgress,
        workers::{EndpointLogin, Worker},
    },
};

/// Collects audit records.
#[derive(Default)]
pub(super) struct Audit(pub(super) Mutex<Vec<Record>>);

impl Gate for Audit {
    fn admit<'a>(&'a self, _token: &'a str) -> BoxFuture<'a, Result<Option<Caller>, Failure>> {
        Box::pin(async { Ok(None) })
    }

    fn record(&self, record: Record) -> BoxFuture<'_, ()> {
        self.0.lock().unwrap().push(record);
        Box::pin(async {})
    }
}

/// An administrator with an empty data directory.
pub(super) struct Desk {
    pub(super) context: Arc<Context>,
    pub(super) operations: Arc<Operations<Context>>,
    pub(super) audit: Arc<Audit>,
    pub(super) client: Client,
    _data: TempDir,
}

impl Desk {
    pub(super) async fn new() -> Self {
        Self::asking(Dns::new(Vec::new())).await
    }

    /// The same with this client of DNS.
    pub(super) async fn asking(dns: Dns) -> Self {
        let data = tempfile::tempdir().unwrap();
        let store = Store::open(data.path()).await.unwrap();
        store.secrets().unlock(MasterKeySource::DataDirectory).await.unwrap();
        let context = Arc::new(Context {
            store,
            data: data.path().to_owned(),
            archive: data.path().join("archive"),
            workers: Workers::default(),
            limits: EndpointLimits::default(),
            throughput: Throughput::default(),
            tokens: TokenSources::default(),
            dns,
        });
        let operations = Arc::new(operations());
        let audit = Arc::new(Audit::default());
        let service = Arc::new(Service::new(operations.clone(), context.clone(), audit.clone(), "0"));
        let caller = Caller { name: "ada".to_owned(), role: Role::Admin, is_local: true };
        let client = Client::local(service.router(), caller);
        Self { context, operations, audit, client, _data: data }
    }

    /// The same with an endpoint "Old" that was never tested.
    pub(super) async fn with_endpoint() -> Self {
        Self::new().await.and_endpoint().await
    }

    /// Adds an endpoint "Old" that was never tested.
    pub(super) async fn and_endpoint(self) -> Self {
        let desk = self;
        desk.one(
            "New-MigrationEndpoint",
            json!({ "Name": "Old", "RemoteServer": "imap.example.org", "SkipVerification": true }),
        )
        .await;
        desk
    }

    pub(super) async fn call(&self, cmdlet: &str, request: Value) -> Result<Vec<Value>, Failure> {
        self.client.call(self.operations.entry(cmdlet).unwrap(), request).await
    }

    /// The only result.
    pub(super) async fn one(&self, cmdlet: &str, request: Value) -> Value {
        let shown = request.to_string();
        let mut results =
            self.call(cmdlet, request).await.unwrap_or_else(|it| panic!("{cmdlet} {shown}: {it:?}"));
        assert_eq!(results.len(), 1, "{cmdlet} {shown}: {results:?}");
        results.remove(0)
    }

    /// The kind of a refusal, and message and advice in one text.
    pub(super) async fn refusal(&self, cmdlet: &str, request: Value) -> (FailureKind, String) {
        let shown = request.to_string();
        match self.call(cmdlet, request).await {
            Err(failure) => {
                (failure.kind, format!("{}. {}", failure.message, failure.advice.unwrap_or_default()))
            }
            Ok(results) => panic!("{cmdlet} {shown} was not refused: {results:?}"),
        }
    }

    /// Asserts a refusal of this kind with these words.
    pub(super) async fn refused(&self, cmdlet: &str, request: Value, kind: FailureKind, words: &str) {
        let shown = request.to_string();
        let (found, text) = self.refusal(cmdlet, request).await;
        assert_eq!(found, kind, "{cmdlet} {shown}: {text}");
        assert!(text.contains(words), "{cmdlet} {shown}: {text}");
    }

    /// A batch of these users, with more parameters.
    pub(super) async fn batch(&self, name: &str, users: &[&str], more: Value) -> Value {
        let mut request = json!({ "Name": name, "SourceEndpoint": "Old", "CSVData": csv(users) });
        for (name, value) in more.as_object().unwrap() {
            request[name] = value.clone();
        }
        self.one("New-MigrationBatch", request).await
    }

    pub(super) async fn status(&self, batch: &str) -> String {
        let batch = self.one("Get-MigrationBatch", json!({ "Identity": batch })).await;
        batch["Status"].as_str().unwrap().to_owned()
    }

    pub(super) async fn user_status(&self, user: &str) -> String {
        let user = self.one("Get-MigrationUser", json!({ "Identity": user })).await;
        user["Status"].as_str().unwrap().to_owned()
    }

    /// Claims every user that is due.
    pub(super) async fn claim(&self) -> Vec<ClaimedUser> {
        let now = self.context.now();
        let mut claimed = Vec::new();
        for endpoint in self.context.store.endpoints().list().await.unwrap() {
            let claim = Claim {
                now,
                owner: Guid::from_u128(1),
                until: now + 1.hour(),
                source_endpoint: endpoint.guid,
                target_endpoint: None,
                kinds: vec![PassKind::Final, PassKind::Incremental, PassKind::First],
                limit: 1000,
                limits: mailhaul_store::ClaimLimits::default(),
            };
            claimed.extend(self.context.store.jobs().claim(claim).await.unwrap());
        }
        claimed
    }

    /// Ends a worker's pass with this event.
    pub(super) async fn ends(&self, claimed: &ClaimedUser, event: UserEvent) {
        let now = self.context.now();
        let has_failed = event == UserEvent::Failed;
        let skipped_items = u64::from(event == UserEvent::SyncedWithSkippedItems);
        let release = Release {
            now,
            event,
            due: if has_failed { Due::Never } else { Due::At(now) },
            synced: (!has_failed).then_some(now),
            is_attempt: true,
            closed: None,
            failure: has_failed.then(|| PassFailure {
                class: FailureClass::Authentication,
                message: "=LOGIN refused: NO [AUTHENTICATIONFAILED]".to_owned(),
                advice: Some("check the user name and the password".to_owned()),
            }),
            statistics: Statistics {
                total_items: 100,
                synced_items: 100 - skipped_items,
                skipped_items,
                bytes_transferred: 1000,
                ..Statistics::default()
            },
            entries: vec![entry(now, "Folder INBOX: done.")],
            folders: Some(vec![folder("INBOX", 100, skipped_items)]),
            skipped: Some((0..skipped_items).map(|_| skipped_message(now)).collect()),
        };
        self.context.store.jobs().release(&claimed.lease, release).await.unwrap();
    }

    /// Registers a worker for this user.
    pub(super) async fn worker(&self, user: &MigrationUser) -> Idle {
        let batch = self.context.store.batches().by_guid(user.batch).await.unwrap();
        let source = EndpointLogin { endpoint: batch.source_endpoint, user_name: user.user_name.clone() };
        let clock = crate::boot_clock::boot_clock();
        let permit = mailhaul_mail::Permit::new(clock.clone(), clock(), std::time::Duration::from_hours(1));
        let worker = Worker::new(batch.guid, source, None, user.statistics, permit);
        self.context.workers.started(user.guid, worker.clone());
        Idle { worker }
    }

    /// Runs a pass for every user that is due, and ends each with this event.
    pub(super) async fn pass(&self, event: UserEvent) {
        for claimed in self.claim().await {
            self.ends(&claimed, event).await;
        }
    }
}

fn entry(time: Timestamp, text: &str) -> mailhaul_store::ReportEntry {
    mailhaul_store::ReportEntry { time, text: text.to_owned() }
}

fn folder(source: &str, seen: u64, skipped: u64) -> mailhaul_store::FolderStatistics {
    mailhaul_store::FolderStatistics {
        source: source.to_owned(),
        target: Some(source.to_owned()),
        reason: "same name".to_owned(),
        seen,
        copied: seen - skipped,
        skipped,
        ..Default::default()
    }
}

fn skipped_message(date: Timestamp) -> mailhaul_store::SkippedMessage {
    mailhaul_store::SkippedMessage {
        folder: "INBOX".to_owned(),
        uid: 7,
        subject: Some("=HYPERLINK(\"http://evil\")".to_owned()),
        sender: Some("ann@b.c".to_owned()),
        sent: Some(date),
        date: Some(date),
        size: 40_000_000,
        reason: "larger than the target takes".to_owned(),
        kind: "TooLarge".to_owned(),
    }
}

/// CSV file of these users, in base64. The password of each is `secret-` and the name.
pub(super) fn csv(users: &[&str]) -> String {
    let rows = users.iter().map(|it| format!("{it}@example.org,{it},secret-{it}\r\n"));
    base64(&format!("EmailAddress,UserName,Password\r\n{}", rows.collect::<String>()))
}

pub(super) fn base64(text: &str) -> String {
    BASE64_STANDARD.encode(text)
}

/// A worker that does nothing by itself.
pub(super) struct Idle {
    worker: Worker,
}

impl Idle {
    pub(super) fn end_reason(&self) -> Option<EndReason> {
        self.worker.end_reason()
    }

    pub(super) fn must_end(&self) -> bool {
        self.worker.stop.is_cancelled()
    }

    /// Sets the forecast of its pass.
    pub(super) fn foresees(&self, forecast: Option<Forecast>) {
        self.worker.tally.set_forecast(forecast);
    }

    /// Counts messages and bytes as copied.
    pub(super) fn has_copied(&self, messages: u64, bytes: u64) {
        let (updates, _receiver) = tokio::sync::mpsc::unbounded_channel();
        let folder = mailhaul_mail::FolderPath::inbox();
        UserProgress { tally: &self.worker.tally, updates }.event(Event::Arrived {
            folder: &folder,
            messages,
            bytes,
        });
    }
}
