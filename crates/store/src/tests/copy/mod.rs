//! Copies from a file to a server and back.

mod cuts;
mod filled;
mod refusals;

use mailhaul_testkit::Postgres;
use proptest::{prelude::*, strategy::ValueTree as _, test_runner::TestRunner};
use tempfile::TempDir;

use self::filled::{assert_full, dump, fill};
use super::{Home as TestHome, key_file, ledger::any_calls, user};
use crate::{CopyReport, Home, MasterKeySource, SecretName, Store, copy};

/// Three places: a filled directory, an empty database on a server, an empty directory.
struct Places {
    file: TempDir,
    server: TestHome,
    back: TempDir,
}

impl Places {
    fn new() -> Self {
        let server = Box::new(Postgres::start(&["fsync=off"]));
        let server = TestHome::Server { server, key: TempDir::new().unwrap() };
        Self { file: TempDir::new().unwrap(), server, back: TempDir::new().unwrap() }
    }

    fn postgres(&self) -> &Postgres {
        match &self.server {
            TestHome::Server { server, .. } => server,
            TestHome::Directory(_) => unreachable!(),
        }
    }

    fn from(&self) -> Home {
        Home::Directory(self.file.path().to_owned())
    }

    fn back(&self) -> Home {
        Home::Directory(self.back.path().to_owned())
    }

    fn to(&self) -> Home {
        Home::Server(Box::new(self.server.address()))
    }

    /// Opens a directory with the key that all places share.
    async fn open(&self, directory: &TempDir) -> Store {
        let store = Store::open(directory.path()).await.unwrap();
        store.secrets().unlock(self.key()).await.unwrap();
        store
    }

    fn key(&self) -> MasterKeySource {
        match &self.server {
            TestHome::Server { key, .. } => key_file(key.path(), 7),
            TestHome::Directory(_) => unreachable!(),
        }
    }

    /// Fills the first place with these ledgers. Returns what it has.
    async fn fill(
        &self,
        ledgers: Vec<Vec<Vec<mailhaul_engine::LedgerRecord>>>,
    ) -> Vec<(String, Vec<String>)> {
        let store = self.open(&self.file).await;
        fill(&store, ledgers).await;
        let filled = dump(&store).await;
        store.close().await;
        filled
    }
}

async fn run(from: &Home, to: &Home) -> CopyReport {
    copy(from, to, |_| {}).await.unwrap()
}

/// Some ledgers out of the generator of random ones.
fn ledgers(count: usize) -> Vec<Vec<Vec<mailhaul_engine::LedgerRecord>>> {
    let mut runner = TestRunner::default();
    (0..count).map(|_| any_calls().new_tree(&mut runner).unwrap().current()).collect()
}

#[tokio::test]
async fn all_tables_arrive_on_a_server_and_come_back() {
    let places = Places::new();
    let filled = places.fill(ledgers(20)).await;
    assert_full(&filled);
    let report = run(&places.from(), &places.to()).await;
    let rows: Vec<_> = filled.iter().map(|(table, rows)| (table.clone(), rows.len() as u64)).collect();
    let mut copied: Vec<_> = report.tables.iter().map(|it| (it.name.clone(), it.rows)).collect();
    copied.sort();
    assert_eq!(copied, rows);
    assert!(report.key.is_some());
    let store = places.server.open().await;
    assert_eq!(dump(&store).await, filled);
    store.close().await;

    let back = run(&places.to(), &places.back()).await;
    assert_eq!(back.tables, report.tables);
    let store = places.open(&places.back).await;
    assert_eq!(dump(&store).await, filled);
}

#[tokio::test]
async fn a_copied_database_is_used_as_its_source_was() {
    let places = Places::new();
    places.fill(Vec::new()).await;
    run(&places.from(), &places.to()).await;
    let store = places.server.open().await;
    let terry = user(&store, "terry").await.guid;
    let password = store.secrets().get(terry, SecretName::Password).await.unwrap().unwrap();
    assert_eq!(password.expose(), b"terry's secret");
    // New rows get numbers after the copied ones, in each table that numbers its rows.
    filled::more(&store).await;
    store.close().await;
    run(&places.to(), &places.back()).await;
    filled::more_of(&places.open(&places.back).await, "third").await;
}

#[test]
fn random_ledgers_arrive_and_come_back() {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
    let mut runner = TestRunner::new(ProptestConfig::with_cases(3));
    let ran = runner.run(&prop::collection::vec(any_calls(), 1..9), |ledgers| {
        runtime.block_on(async {
            let places = Places::new();
            let filled = places.fill(ledgers).await;
            run(&places.from(), &places.to()).await;
            run(&places.to(), &places.back()).await;
            assert_eq!(dump(&places.open(&places.back).await).await, filled);
        });
        Ok(())
    });
    ran.unwrap();
}
