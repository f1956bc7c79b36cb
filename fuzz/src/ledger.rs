//! A database file with some changed bytes, opened and read through the store.

use std::{cell::RefCell, fs, path::Path, sync::OnceLock};

use mailhaul_engine::{
    AppendStart, CopyRecord, Cursor, FolderStatus, Ledger as _, LedgerRecord, MessageState, WaitingDeletions,
};
use mailhaul_mail::{Digest, Digests, Fingerprint, FolderPath, ModSeq, Uid, UidSet, UidValidity};
use mailhaul_store::{BatchFilter, Store};
use tempfile::TempDir;
use tokio::runtime::{Builder, Runtime};

const SOURCE: &str = "terry@old.example";
const TARGET: &str = "terry@new.example";
const FILE: &str = "mailhaul.db";

/// The first byte selects how the file is opened. Then follow patches: an offset (three bytes), a length, and
/// the bytes.
///
/// A length of 0 cuts the file there.
pub fn ledger(octets: &[u8]) {
    let Some((how, patches)) = octets.split_first() else { return };
    let whole = WHOLE.get_or_init(make);
    let file = patched(whole, patches);
    PLACE.with_borrow(|(runtime, directory)| {
        let data = directory.path();
        for entry in fs::read_dir(data).expect("the directory is there") {
            _ = fs::remove_file(entry.expect("the directory can be read").path());
        }
        fs::write(data.join(FILE), &file).expect("the file is written");
        runtime.block_on(async {
            if how & 1 == 0 {
                if let Ok(Some(store)) = Store::open_read_only(data).await {
                    read(&store).await;
                }
            } else if let Ok(store) = Store::open(data).await {
                read(&store).await;
                store.close().await;
            }
        });
    });
}

static WHOLE: OnceLock<Vec<u8>> = OnceLock::new();

thread_local! {
    static PLACE: RefCell<(Runtime, TempDir)> = RefCell::new((
        Builder::new_current_thread().enable_all().build().expect("a runtime"),
        tempfile::tempdir().expect("a directory"),
    ));
}

fn patched(whole: &[u8], mut patches: &[u8]) -> Vec<u8> {
    let mut file = whole.to_vec();
    while let [high, middle, low, length, rest @ ..] = patches {
        let at = usize::from(*high) << 16 | usize::from(*middle) << 8 | usize::from(*low);
        let at = at % file.len().max(1);
        if *length == 0 {
            file.truncate(at);
            patches = rest;
            continue;
        }
        let (octets, after) = rest.split_at(usize::from(*length % 32).min(rest.len()));
        for (place, octet) in file[at..].iter_mut().zip(octets) {
            *place = *octet;
        }
        patches = after;
    }
    file
}

/// Reads all that a pass and the lists read. Errors are allowed.
async fn read(store: &Store) {
    if let Ok(ledger) = store.mailbox(SOURCE, TARGET).await {
        let some: UidSet = [1, 2, 700].into_iter().filter_map(Uid::new).collect();
        for folder in ledger.folders().await.unwrap_or_default() {
            _ = ledger.folder(&folder.folder).await;
            _ = ledger.folder_around(&folder.folder, &some).await;
        }
        let path = FolderPath::parse("INBOX");
        _ = ledger.folder(&path).await;
        let uid_validity = validity(7);
        _ = ledger.record(&[LedgerRecord::Opened { folder: path.clone(), target: path, uid_validity }]).await;
    }
    _ = store.config().await;
    _ = store.endpoints().await;
    _ = store.batches(&BatchFilter::default()).await;
    _ = store.tokens().await;
    _ = store.totals().await;
    _ = store.running().await;
}

fn validity(number: u64) -> UidValidity {
    UidValidity::new(number).expect("not 0")
}

/// A file with two folders and all kinds of records.
fn make() -> Vec<u8> {
    let directory = tempfile::tempdir().expect("a directory");
    let runtime = Builder::new_current_thread().enable_all().build().expect("a runtime");
    runtime.block_on(fill(directory.path()));
    fs::read(directory.path().join(FILE)).expect("the file is there")
}

async fn fill(data: &Path) {
    let store = Store::open(data).await.expect("a new store");
    let ledger = store.mailbox(SOURCE, TARGET).await.expect("a new ledger");
    for folder in ["INBOX", "Archive/2024"] {
        ledger.record(&records(&FolderPath::parse(folder))).await.expect("records are written");
    }
    drop(ledger);
    store.close().await;
}

fn records(folder: &FolderPath) -> Vec<LedgerRecord> {
    let uid = |number: u32| Uid::new(number).expect("not 0");
    let all: UidSet = (1..60).map(uid).collect();
    let floor = AppendStart { uid_validity: validity(9), uid_next: uid(4) };
    let copied = |number: u32| CopyRecord {
        target_uid: Uid::new(number + 3),
        flags: ["\\Seen", "$Forwarded"].into_iter().collect(),
        pending_flags: if number.is_multiple_of(7) {
            Some(["\\Flagged"].into_iter().collect())
        } else {
            None
        },
        fingerprint: Fingerprint::from_bytes([1; 16]),
        digests: Some(Digests { whole: Digest::of(b"a"), text: Digest::of(b"b") }),
        size: 40_000,
        arrived: Some(1_700_000_000),
        ours: true,
        edited: None,
    };
    let mut records = vec![
        LedgerRecord::Opened { folder: folder.clone(), target: folder.clone(), uid_validity: validity(7) },
        LedgerRecord::Intended { folder: folder.clone(), append_start: floor, uids: all.clone() },
    ];
    records.extend((1..50).map(|number| LedgerRecord::Message {
        folder: folder.clone(),
        uid: uid(number),
        state: Some(MessageState::Done(copied(number))),
    }));
    let status = FolderStatus {
        messages: 59,
        uid_validity: validity(7),
        uid_next: Some(uid(60)),
        highest_modseq: Some(ModSeq(12)),
    };
    let cursor = Cursor { status, skipped: 1, excluded: 2 };
    records.push(LedgerRecord::Settled {
        folder: folder.clone(),
        cursor,
        rules: "newest 10".to_owned(),
        target_next: Some(uid(70)),
    });
    records.push(LedgerRecord::Waiting {
        folder: folder.clone(),
        waiting: WaitingDeletions { since: 1_700_000_000, uids: all },
    });
    records
}
