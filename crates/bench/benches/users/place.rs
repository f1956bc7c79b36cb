//! Stores with many users, in a file and on a server.

use jiff::Timestamp;
use mailhaul_mail::Secret;
use mailhaul_migration::{Batch, BatchIntent, BatchSettings, Endpoint, Guid, Limit, UserRow};
use mailhaul_store::{ServerAddress, Store};
use mailhaul_testkit::Postgres;
use sqlx::{Connection as _, SqliteConnection};
use tempfile::TempDir;

const BATCHES: i64 = 20;
/// The time of the turn, in milliseconds since 1970.
pub(crate) const NOW: i64 = 1_760_000_000_000;

/// The columns of the users that the queries of a turn read.
pub(crate) struct State {
    pub(crate) name: &'static str,
    status: &'static str,
    pass: &'static str,
    /// SQL of the due times of pass and check of the user with number `n`.
    due: &'static str,
    check_due: &'static str,
}

pub(crate) const STATES: [State; 3] = [
    State {
        name: "none due",
        status: "Queued",
        pass: "First",
        due: "NOW + 86400000 + n",
        check_due: "NOW + 3600000 + n",
    },
    State { name: "all due", status: "Queued", pass: "First", due: "NOW - n", check_due: "NOW - n" },
    State {
        name: "all synced",
        status: "Synced",
        pass: "Incremental",
        due: "NOW + 60000 + n",
        check_due: "NULL",
    },
];

fn endpoint(name: &str) -> Endpoint {
    let now = Timestamp::from_millisecond(NOW).unwrap();
    Endpoint {
        guid: Guid::new_v4(),
        name: name.to_owned(),
        max_concurrent_migrations: Limit::At(20),
        max_concurrent_incremental_syncs: Limit::At(10),
        created: now,
        modified: now,
        ..Endpoint::of_server("imap.old.example".to_owned())
    }
}

/// The place of a store.
pub(crate) enum Place {
    File(TempDir),
    Server(Box<Postgres>),
}

impl Place {
    pub(crate) fn new(is_server: bool) -> Self {
        if is_server {
            Self::Server(Box::new(Postgres::start(&[])))
        } else {
            Self::File(tempfile::tempdir().unwrap())
        }
    }

    pub(crate) fn name(&self) -> &'static str {
        match self {
            Self::File(_) => "file",
            Self::Server(_) => "server",
        }
    }

    pub(crate) async fn open(&self) -> Store {
        match self {
            Self::File(directory) => Store::open(directory.path()).await.unwrap(),
            Self::Server(server) => {
                let address = ServerAddress::parse(&server.url()).unwrap();
                let address = address.with_password(&Secret::new(server.password().to_owned()));
                Store::connect(&address).await.unwrap()
            }
        }
    }

    /// Inserts users of a batch by SQL: a million sealed passwords would take an hour.
    async fn insert(&self, state: &State, batch: &Batch, users: i64) {
        let hexadecimal = |guid: Guid| match self {
            Self::File(_) => format!("x'{}'", guid.simple()),
            Self::Server(_) => format!("'{guid}'::uuid"),
        };
        let (guid, numbers) = match self {
            Self::File(_) => (
                "randomblob(16)",
                "(WITH RECURSIVE number (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM number WHERE n < USERS) \
                 SELECT n FROM number)",
            ),
            Self::Server(_) => ("gen_random_uuid()", "(SELECT generate_series(1, USERS) AS n)"),
        };
        let sql = format!(
            "INSERT INTO migration_user (guid, batch, source_endpoint, csv_row, email_address, user_name, \
             target_user_name, status, status_since, pass, due, check_due) SELECT {guid}, {}, {}, n, \
             'user' || n || '@' || '{}', 'user' || n, 'user' || n, '{}', NOW - 1000, '{}', {}, {} FROM {numbers} AS it",
            hexadecimal(batch.guid),
            hexadecimal(batch.source_endpoint),
            batch.name,
            state.status,
            state.pass,
            state.due,
            state.check_due
        );
        let sql = sql.replace("NOW", &NOW.to_string()).replace("USERS", &users.to_string());
        match self {
            Self::File(directory) => {
                let file = directory.path().join("mailhaul.db");
                let mut connection = SqliteConnection::connect(file.to_str().unwrap()).await.unwrap();
                for pragma in ["PRAGMA synchronous = OFF", "PRAGMA cache_size = -200000"] {
                    sqlx::query(pragma).execute(&mut connection).await.unwrap();
                }
                sqlx::query(sqlx::AssertSqlSafe(sql)).execute(&mut connection).await.unwrap();
                connection.close().await.unwrap();
            }
            Self::Server(server) => _ = server.ask(&sql),
        }
    }
}

/// Inserts running batches with this many users in all.
pub(crate) async fn fill(store: &Store, place: &Place, state: &State, users: i64) {
    let source = store.endpoints().insert(endpoint("Old"), None).await.unwrap();
    let target = store.endpoints().insert(endpoint("New"), None).await.unwrap();
    for number in 0..BATCHES {
        let batch = batch(usize::try_from(number).unwrap(), source.guid, target.guid, source.created);
        let batch = store.batches().insert(batch, Vec::new()).await.unwrap().batch;
        place.insert(state, &batch, users / BATCHES).await;
    }
    if let Place::Server(server) = place {
        // A server does this by itself some seconds after a change.
        server.ask("VACUUM ANALYZE migration_user");
    }
}

/// Inserts running batches with this many users each, who are due at [`NOW`] and whose rows can be read.
///
/// Returns the batches.
pub(crate) async fn fill_by_store(store: &Store, batches: usize, users: usize) -> Vec<Batch> {
    let source = store.endpoints().insert(endpoint("Old"), None).await.unwrap();
    let target = store.endpoints().insert(endpoint("New"), None).await.unwrap();
    let mut made = Vec::new();
    for number in 0..batches {
        let rows = (0..users).map(|row| UserRow {
            row: row + 2,
            email_address: format!("user{row}@batch{number}.example"),
            user_name: format!("user{row}"),
            password: None,
            user_root: None,
            target_user_name: format!("user{row}@batch{number}.example"),
            target_password: None,
        });
        let batch = batch(number, source.guid, target.guid, source.created);
        made.push(store.batches().insert(batch, rows.collect()).await.unwrap().batch);
    }
    made
}

fn batch(number: usize, source: Guid, target: Guid, created: Timestamp) -> Batch {
    Batch {
        guid: Guid::new_v4(),
        name: format!("batch {number}"),
        source_endpoint: source,
        target_endpoint: Some(target),
        archive: None,
        intent: BatchIntent::Run,
        settings: BatchSettings::default(),
        submitted_by: String::new(),
        validation_warnings: Vec::new(),
        created,
        started: None,
    }
}

/// Numbers of users to measure.
pub(crate) fn sizes() -> Vec<i64> {
    match std::env::var("MAILHAUL_BENCH_USERS") {
        Ok(users) => vec![users.parse().unwrap()],
        Err(_) => vec![10_000, 100_000, 1_000_000],
    }
}
