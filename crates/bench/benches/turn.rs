//! The queries of a turn of the scheduler, on stores of up to a million users.
//!
//! `MAILHAUL_BENCH_USERS=10000` measures that number of users only.

#![allow(missing_docs, clippy::unwrap_used, reason = "a benchmark")]

use criterion::{BenchmarkId, Criterion, criterion_group, criterion_main};
use jiff::Timestamp;
use mailhaul_migration::{
    Access, Batch, BatchIntent, BatchSettings, Endpoint, EndpointSecurity, EndpointType, Guid, Limit, Rates,
};
use mailhaul_store::Store;
use sqlx::{Connection as _, SqliteConnection};
use tokio::runtime::Runtime;

const USERS: [i64; 3] = [10_000, 100_000, 1_000_000];
const BATCHES: i64 = 20;
/// The time of the turn, in milliseconds since 1970.
const NOW: i64 = 1_760_000_000_000;

/// The columns of the users that the queries of a turn read.
struct State {
    name: &'static str,
    status: &'static str,
    pass: &'static str,
    /// SQL of the due times of pass and check of the user with number `n`.
    due: &'static str,
    check_due: &'static str,
}

const STATES: [State; 3] = [
    State {
        name: "none due",
        status: "Queued",
        pass: "First",
        due: "?1 + 86400000 + n",
        check_due: "?1 + 3600000 + n",
    },
    State { name: "all due", status: "Queued", pass: "First", due: "?1 - n", check_due: "?1 - n" },
    State {
        name: "all synced",
        status: "Synced",
        pass: "Incremental",
        due: "?1 + 60000 + n",
        check_due: "NULL",
    },
];

fn endpoint(name: &str) -> Endpoint {
    let now = Timestamp::from_millisecond(NOW).unwrap();
    Endpoint {
        guid: Guid::new_v4(),
        name: name.to_owned(),
        endpoint_type: EndpointType::Imap,
        remote_server: "imap.old.example".to_owned(),
        port: 993,
        security: EndpointSecurity::Ssl,
        accept_untrusted_certificates: false,
        certificate_authorities: None,
        certificate_sha256: None,
        max_concurrent_migrations: Limit::At(20),
        max_concurrent_incremental_syncs: Limit::At(10),
        server_profile: None,
        auth_mechanism: None,
        reach: mailhaul_mail::Reach::default(),
        rates: Rates::default(),
        access: Access::Users,
        gmail_api: None,
        created: now,
        modified: now,
    }
}

/// Inserts running batches with this many users in all.
async fn fill(store: &Store, file: &std::path::Path, state: &State, users: i64) {
    let source = store.insert_endpoint(endpoint("Old"), None).await.unwrap();
    let target = store.insert_endpoint(endpoint("New"), None).await.unwrap();
    let mut connection = SqliteConnection::connect(file.to_str().unwrap()).await.unwrap();
    for sql in ["PRAGMA synchronous = OFF", "PRAGMA cache_size = -200000"] {
        sqlx::query(sql).execute(&mut connection).await.unwrap();
    }
    for number in 0..BATCHES {
        let batch = Batch {
            guid: Guid::new_v4(),
            name: format!("batch {number}"),
            source_endpoint: source.guid,
            target_endpoint: Some(target.guid),
            intent: BatchIntent::Run,
            settings: BatchSettings::default(),
            submitted_by: "anna".to_owned(),
            validation_warnings: Vec::new(),
            created: source.created,
            started: None,
        };
        let batch = store.insert_batch(batch, Vec::new()).await.unwrap().batch.guid;
        let sql = format!(
            "INSERT INTO migration_user (guid, batch, source_endpoint, csv_row, email_address, user_name, target_user_name, status, \
             status_since, pass, due, check_due) WITH RECURSIVE number (n) AS \
             (SELECT 1 UNION ALL SELECT n + 1 FROM number WHERE n < ?2) \
             SELECT randomblob(16), ?3, ?4, n, 'user' || n || '@{number}.example', 'user' || n, 'user' || n, '{}', \
             ?1 - 1000, '{}', {}, {} FROM number",
            state.status, state.pass, state.due, state.check_due
        );
        let query = sqlx::query(sqlx::AssertSqlSafe(sql)).bind(NOW).bind(users / BATCHES);
        query.bind(batch).bind(source.guid).execute(&mut connection).await.unwrap();
    }
    connection.close().await.unwrap();
}

/// Runs the queries of a turn that starts nobody, and the one after it.
async fn turn(store: &Store, now: Timestamp, owner: Guid) {
    store.heartbeats(Vec::new()).await.unwrap();
    store.recover(now, owner).await.unwrap();
    store.give_back_space().await.unwrap();
    assert_eq!(store.complete_due(now).await.unwrap(), 0);
    store.endpoints().await.unwrap();
    store.config().await.unwrap();
    store.parked(now).await.unwrap();
    store.running().await.unwrap();
    store.checks_under_way(now).await.unwrap();
    store.waiting(now).await.unwrap();
    store.waiting_checks(now).await.unwrap();
    store.next_due(now).await.unwrap();
}

fn turns(criterion: &mut Criterion) {
    let only: Option<i64> = std::env::var("MAILHAUL_BENCH_USERS").ok().map(|users| users.parse().unwrap());
    let runtime = Runtime::new().unwrap();
    let now = Timestamp::from_millisecond(NOW).unwrap();
    let mut group = criterion.benchmark_group("turn");
    group.sample_size(10);
    for users in USERS.into_iter().filter(|users| only.is_none_or(|only| only == *users)) {
        for state in &STATES {
            let directory = tempfile::tempdir().unwrap();
            let store = runtime.block_on(Store::open(directory.path())).unwrap();
            runtime.block_on(fill(&store, &directory.path().join("mailhaul.db"), state, users));
            let owner = Guid::new_v4();
            group.bench_function(BenchmarkId::new(state.name, users), |bencher| {
                bencher.iter(|| runtime.block_on(turn(&store, now, owner)));
            });
            runtime.block_on(store.close());
        }
    }
    group.finish();
}

criterion_group!(benches, turns);
criterion_main!(benches);
