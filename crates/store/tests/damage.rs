//! Bits that change in the file between two passes: the pass ends with an error, or nothing is different.

#![allow(clippy::unwrap_used, reason = "a test")]

#[path = "../../engine/tests/support/mod.rs"]
mod memory;

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::Path,
};

use mailhaul_engine::{ErrorKind, PassOptions, Report};
use mailhaul_store::{Store, StoreError};
use memory::{Remote, pass};
use sqlx::{ConnectOptions, Connection, sqlite::SqliteConnectOptions};
use tempfile::TempDir;

const SOURCE: &str = "terry@old.example";
const TARGET: &str = "terry@new.example";

/// Flipped bits of each test, each alone in a file of its own.
const FLIPS: u64 = 200;
/// The size of a page of the database.
const PAGE: u64 = 4096;

fn text(number: u32) -> String {
    format!("Message-ID: <{number}@example.net>\r\nSubject: number {number}\r\n\r\nBody {number}\r\n")
}

fn filled() -> Remote {
    let remote = Remote::default();
    {
        let mut server = remote.server();
        for number in 0..90 {
            let flags = if number % 3 == 0 { "\\Seen work" } else { "" };
            server.folder("INBOX").add(flags, &text(number));
        }
        for number in 90..110 {
            server.folder("Archive/2020").add("", &text(number));
            server.folder("Sent").add("\\Seen", &text(number + 20));
        }
        server.folder("Empty");
    }
    remote
}

/// Changes the source between the two passes.
fn change(source: &Remote) {
    let mut server = source.server();
    let moved = server.folder("INBOX").expunge(7).unwrap();
    server.folder("Sent").take(moved);
    server.folder("INBOX").set_flags(30, "\\Answered");
    server.folder("INBOX").set_flags(5, "\\Flagged");
    server.folder("INBOX").add("", &text(500));
    server.folder("Archive/2020").add("", &text(501));
    server.folder("Sent").set_flags(3, "");
}

async fn run(data: &Path, source: &Remote, target: &Remote) -> Result<Report, StoreError> {
    let store = Store::open(data).await?;
    let report = match store.ledgers().mailbox(SOURCE, TARGET).await {
        Ok(ledger) => Ok(pass(source, target, &ledger, &PassOptions::default()).await),
        Err(error) => Err(error),
    };
    store.close().await;
    report
}

/// Returns the pages that hold the ledger's tables and indexes.
async fn pages(data: &Path) -> Vec<u64> {
    let options = SqliteConnectOptions::new().filename(data.join("mailhaul.db")).read_only(true);
    let mut connection = options.connect().await.unwrap();
    let pages: Vec<i64> = sqlx::query_scalar(
        "SELECT pageno FROM dbstat WHERE name IN ('message', 'folder', 'mailbox', 'sqlite_autoindex_folder_1', \
         'sqlite_autoindex_mailbox_1')",
    )
    .fetch_all(&mut connection)
    .await
    .unwrap();
    connection.close().await.unwrap();
    pages.into_iter().map(i64::cast_unsigned).collect()
}

/// Counts each message in each folder.
fn counted(remote: &Remote) -> BTreeMap<(String, String), usize> {
    let mut counts = BTreeMap::new();
    for (folder, messages) in remote.contents() {
        for (body, ..) in messages {
            *counts.entry((folder.clone(), body)).or_default() += 1;
        }
    }
    counts
}

/// Pseudo-random numbers, the same in each run (splitmix64).
struct Numbers(u64);

impl Numbers {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    fn below(&mut self, limit: u64) -> u64 {
        self.next() % limit
    }
}

/// The results of the flips in one scene.
#[derive(Default)]
struct Ends {
    refused: u64,
    unnoticed: u64,
    /// The messages of the errors about damage.
    words: BTreeSet<String>,
}

async fn flip_bits(tells_vanished: bool, seed: u64) -> Ends {
    let (data, source, target) = (TempDir::new().unwrap(), filled(), Remote::default());
    source.server().tells_vanished = tells_vanished;
    assert!(run(data.path(), &source, &target).await.unwrap().is_synced());
    let pages = pages(data.path()).await;
    let file = fs::read(data.path().join("mailhaul.db")).unwrap();
    let before = target.copied();
    change(&source);
    assert!(run(data.path(), &source.copied(), &target).await.unwrap().is_synced());
    assert_eq!(source.contents(), target.contents());
    // A message that is to be moved may still be in its first folder.
    let mut allowed = counted(&target);
    allowed.extend(counted(&before));

    let (mut numbers, mut ends) = (Numbers(seed), Ends::default());
    for _ in 0..FLIPS {
        let page = pages[usize::try_from(numbers.below(pages.len() as u64)).unwrap()];
        let (place, bit) = ((page - 1) * PAGE + numbers.below(PAGE), numbers.below(8));
        let mut damaged = file.clone();
        damaged[usize::try_from(place).unwrap()] ^= 1 << bit;
        let data = TempDir::new().unwrap();
        fs::write(data.path().join("mailhaul.db"), damaged).unwrap();
        let to = before.copied();
        let words = match run(data.path(), &source.copied(), &to).await {
            Ok(report) if report.is_synced() => {
                assert_eq!(to.contents(), target.contents(), "byte {place}, bit {bit}");
                ends.unnoticed += 1;
                continue;
            }
            Ok(report) => {
                let error = report.error.unwrap();
                assert_eq!(error.kind, ErrorKind::Damaged, "byte {place}, bit {bit}: {error}");
                error.message
            }
            Err(error) => {
                assert!(matches!(error, StoreError::Damaged { .. }), "byte {place}, bit {bit}: {error}");
                error.to_string()
            }
        };
        assert!(words.contains("mailhaul.db is damaged"), "{words}");
        for (message, count) in counted(&to) {
            let most = allowed.get(&message).copied().unwrap_or_default();
            assert!(count <= most, "byte {place}, bit {bit}: {message:?} {count} times");
        }
        ends.refused += 1;
        ends.words.insert(words.split_once("damaged").unwrap().1.to_owned());
    }
    ends
}

#[tokio::test]
async fn a_flipped_bit_is_noticed_where_whole_folders_are_read() {
    let ends = flip_bits(false, 1).await;
    assert!(ends.refused > FLIPS / 4, "{} refused, {} unnoticed", ends.refused, ends.unnoticed);
    let place = format!(" at {SOURCE} -> {TARGET}, folder \"INBOX\": the record of UID ");
    assert!(ends.words.iter().any(|words| words.starts_with(&place)), "{:#?}", ends.words);
}

#[tokio::test]
async fn a_flipped_bit_is_noticed_where_changes_alone_are_read() {
    let ends = flip_bits(true, 2).await;
    assert!(ends.refused > FLIPS / 8, "{} refused, {} unnoticed", ends.refused, ends.unnoticed);
}
