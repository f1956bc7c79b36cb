//! The store against the engine's function, the tables of `migration`, and faults of files.

mod arrivals;
mod batch_sums;
mod batches;
mod checks;
mod clock;
mod cluster;
mod console_sessions;
mod copy;
mod damage;
mod day_bytes;
mod endpoints;
mod events;
mod fencing;
mod history;
mod inspection;
mod keys;
mod leases;
mod ledger;
mod limits;
mod locks;
mod many;
mod model;
mod outbox;
mod races;
mod reach;
mod recovery;
mod reports;
mod rolling;
mod small;
mod space;
mod throughput;
mod totals;
mod turn;
mod upgrade;
mod vault;
mod windows;

use std::{cell::Cell, fs, os::unix::fs::PermissionsExt, path::Path, time::Duration};

use jiff::Timestamp;
use mailhaul_mail::Secret;
use mailhaul_migration::{
    Batch, BatchIntent, BatchSettings, Endpoint, FailureClass, Guid, Limit, MigrationUser, PassFailure,
    Statistics, UserEvent, UserRow,
};
use mailhaul_testkit::Postgres;
use tempfile::TempDir;

use crate::{Claim, Due, MasterKeySource, PassKind, Release, ServerAddress, Store};

/// A time, in seconds from a fixed start.
fn at(second: i64) -> Timestamp {
    Timestamp::from_second(1_760_000_000 + second).unwrap()
}

/// Makes two tests of each function: `name::file` and `name::server`.
macro_rules! on_both {
    ($($name:ident),+ $(,)?) => {
        $(
            mod $name {
                #[tokio::test]
                async fn file() {
                    super::super::IS_ON_SERVER.set(false);
                    super::$name().await;
                }

                #[tokio::test]
                async fn server() {
                    super::super::IS_ON_SERVER.set(true);
                    super::$name().await;
                }
            }
        )+
    };
}
use on_both;

thread_local! {
    /// True if [`service`] opens a database on a server. A test runs on one thread.
    static IS_ON_SERVER: Cell<bool> = const { Cell::new(false) };
}

/// The place of a test's database. It is removed with this value.
enum Home {
    Directory(TempDir),
    Server { server: Box<Postgres>, key: TempDir },
}

impl Home {
    /// The data directory.
    fn path(&self) -> &Path {
        match self {
            Self::Directory(data) => data.path(),
            Self::Server { .. } => panic!("a test of a file"),
        }
    }

    /// The address of the server, with its password.
    fn address(&self) -> ServerAddress {
        let Self::Server { server, .. } = self else { panic!("a test of a server") };
        let address = ServerAddress::parse(&server.url()).unwrap();
        address.with_password(&Secret::new(server.password().to_owned()))
    }

    /// Opens the database once more.
    async fn open(&self) -> Store {
        match self {
            Self::Directory(data) => {
                let store = Store::open(data.path()).await.unwrap();
                store.secrets().unlock(MasterKeySource::DataDirectory).await.unwrap();
                store
            }
            Self::Server { key, .. } => {
                let store = Store::connect(&self.address()).await.unwrap();
                store.secrets().unlock(key_file(key.path(), 7)).await.unwrap();
                store
            }
        }
    }
}

/// Returns a new database with an open vault.
async fn service() -> (Home, Store) {
    if IS_ON_SERVER.get() {
        return on_server().await;
    }
    let (data, store) = directory().await;
    (Home::Directory(data), store)
}

/// Writes a master key made of this byte.
fn key_file(directory: &Path, byte: u8) -> MasterKeySource {
    let file = directory.join(format!("key-{byte}"));
    fs::write(&file, format!("{byte:02x}").repeat(32)).unwrap();
    fs::set_permissions(&file, fs::Permissions::from_mode(0o600)).unwrap();
    MasterKeySource::File(file)
}

/// Returns a new data directory with an open vault.
async fn directory() -> (TempDir, Store) {
    let data = TempDir::new().unwrap();
    let store = Store::open(data.path()).await.unwrap();
    store.secrets().unlock(MasterKeySource::DataDirectory).await.unwrap();
    (data, store)
}

async fn on_server() -> (Home, Store) {
    let server = Box::new(Postgres::start(&["fsync=off"]));
    let home = Home::Server { server, key: TempDir::new().unwrap() };
    let store = home.open().await;
    (home, store)
}

fn endpoint(name: &str) -> Endpoint {
    Endpoint {
        guid: Guid::new_v4(),
        name: name.to_owned(),
        max_concurrent_migrations: Limit::At(20),
        max_concurrent_incremental_syncs: Limit::At(10),
        created: at(0),
        modified: at(0),
        ..Endpoint::of_server("imap.old.example".to_owned())
    }
}

fn batch(name: &str, source: &Endpoint, intent: BatchIntent) -> Batch {
    Batch {
        guid: Guid::new_v4(),
        name: name.to_owned(),
        source_endpoint: source.guid,
        target_endpoint: None,
        archive: None,
        intent,
        settings: BatchSettings::default(),
        submitted_by: "anna".to_owned(),
        validation_warnings: Vec::new(),
        created: at(0),
        started: None,
    }
}

/// A row of a file: `terry@new.example` for `terry`, with the password `terry's secret`.
fn row(number: usize, user: &str) -> UserRow {
    UserRow {
        row: number,
        email_address: format!("{user}@new.example"),
        user_name: user.to_owned(),
        password: Some(Secret::new(format!("{user}'s secret"))),
        user_root: None,
        target_user_name: format!("{user}@new.example"),
        target_password: None,
    }
}

/// Rows from 2 on, as in a file with a header.
fn rows(users: &[&str]) -> Vec<UserRow> {
    (2..).zip(users).map(|(number, user)| row(number, user)).collect()
}

/// Inserts a running batch with these users, on an endpoint of its own.
async fn running(store: &Store, users: &[&str]) -> (Endpoint, Batch) {
    let source = store.endpoints().insert(endpoint("Old"), None).await.unwrap();
    let inserted =
        store.batches().insert(batch("Sales", &source, BatchIntent::Run), rows(users)).await.unwrap();
    (source, inserted.batch)
}

async fn user(store: &Store, name: &str) -> MigrationUser {
    store.users().get(&format!("{name}@new.example"), None).await.unwrap()
}

fn failure() -> PassFailure {
    PassFailure {
        class: FailureClass::Connection,
        message: "gone".to_owned(),
        advice: Some("wait".to_owned()),
    }
}

/// A claim of all users that are due, for a minute.
fn claim(source: &Endpoint, owner: Guid, second: i64) -> Claim {
    Claim {
        now: at(second),
        owner,
        until: at(second + 60),
        source_endpoint: source.guid,
        target_endpoint: None,
        kinds: vec![PassKind::First, PassKind::Final, PassKind::Incremental],
        limit: 100,
        limits: crate::ClaimLimits::default(),
    }
}

/// The end of a pass without numbers or report.
fn end(event: UserEvent, second: i64, due: Due) -> Release {
    let is_synced = matches!(event, UserEvent::Synced | UserEvent::SyncedWithSkippedItems);
    Release {
        now: at(second),
        event,
        due,
        synced: is_synced.then(|| at(second)),
        failure: None,
        is_attempt: true,
        closed: None,
        statistics: Statistics::default(),
        entries: Vec::new(),
        folders: None,
        skipped: None,
    }
}

/// A service, as other nodes see it.
fn node() -> crate::NodeSettings {
    let lease = Duration::from_mins(1);
    crate::NodeSettings { name: "mail1".to_owned(), program: "1.0.0".to_owned(), capacity: 200, lease }
}

/// A mailbox whose bytes are counted without a node.
fn counted(endpoint: Guid, name: &str) -> crate::CountedMailbox {
    crate::CountedMailbox { endpoint, name: name.to_owned(), node: None }
}
