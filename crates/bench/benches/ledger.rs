//! Durable writes of a window with its intents and outcomes, the read of a folder, and many mailboxes at once
//! on a file and on a server.

#![allow(missing_docs, clippy::unwrap_used, reason = "a benchmark")]

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use mailhaul_engine::{AppendStart, CopyRecord, Ledger as _, LedgerRecord, MessageState};
use mailhaul_mail::{Fingerprint, FolderPath, Secret, Uid, UidSet, UidValidity};
use mailhaul_store::{MailboxLedger, ServerAddress, Store};
use mailhaul_testkit::Postgres;
use tokio::{runtime::Runtime, task::JoinSet};

/// Messages of a window.
const WINDOW: u32 = 500;
/// Messages of the folder that is read.
const FOLDER: u32 = 50_000;
/// Mailboxes that are written at once.
const MAILBOXES: u32 = 20;

fn uid(number: u32) -> Uid {
    Uid::new(number).unwrap()
}

fn outcomes(first: u32, count: u32) -> Vec<LedgerRecord> {
    let outcome = |number| LedgerRecord::Message {
        folder: FolderPath::inbox(),
        uid: uid(number),
        state: Some(MessageState::Done(CopyRecord {
            target_uid: Some(uid(number)),
            flags: "\\Seen".split_whitespace().collect(),
            pending_flags: None,
            fingerprint: Fingerprint::from_bytes([7; 16]),
            digests: None,
            size: 4096,
            arrived: Some(1_700_000_000),
            ours: true,
            edited: None,
        })),
    };
    (first..first + count).map(outcome).collect()
}

fn intents(first: u32) -> [LedgerRecord; 1] {
    [LedgerRecord::Intended {
        folder: FolderPath::inbox(),
        append_start: AppendStart { uid_validity: UidValidity::new(1).unwrap(), uid_next: uid(1) },
        uids: UidSet::range(uid(first), uid(first + WINDOW - 1)),
    }]
}

fn opened() -> [LedgerRecord; 1] {
    let inbox = FolderPath::inbox;
    [LedgerRecord::Opened { folder: inbox(), target: inbox(), uid_validity: UidValidity::new(1).unwrap() }]
}

fn runtime() -> Runtime {
    tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap()
}

fn ledger(criterion: &mut Criterion) {
    let runtime = runtime();
    let directory = tempfile::tempdir().unwrap();
    let store = runtime.block_on(Store::open(directory.path())).unwrap();
    let ledger = runtime.block_on(store.ledgers().mailbox("source", "target")).unwrap();
    runtime.block_on(ledger.record(&opened())).unwrap();
    let intents = intents(1);
    let outcomes_of_window = outcomes(1, WINDOW);
    let mut group = criterion.benchmark_group("ledger");
    group.throughput(Throughput::Elements(WINDOW.into()));
    group.bench_function("intents of a window", |bencher| {
        bencher.iter(|| runtime.block_on(ledger.record(&intents)).unwrap());
    });
    group.bench_function("outcomes of a window", |bencher| {
        bencher.iter(|| runtime.block_on(ledger.record(&outcomes_of_window)).unwrap());
    });
    for first in (1..FOLDER).step_by(5_000) {
        runtime.block_on(ledger.record(&outcomes(first, 5_000))).unwrap();
    }
    group.sample_size(10).throughput(Throughput::Elements(FOLDER.into()));
    group.bench_function("reading 50,000 messages", |bencher| {
        bencher.iter(|| runtime.block_on(ledger.folder(&FolderPath::inbox())).unwrap());
    });
    let few = UidSet::range(uid(1_000), uid(1_500));
    group.bench_function("reading around 500 of 50,000 messages", |bencher| {
        bencher.iter(|| runtime.block_on(ledger.folder_around(&FolderPath::inbox(), &few)).unwrap());
    });
    group.finish();
    runtime.block_on(store.close());
}

/// Opens the mailboxes with an INBOX each.
async fn mailboxes(store: &Store) -> Vec<Arc<MailboxLedger>> {
    let mut ledgers = Vec::new();
    for number in 0..MAILBOXES {
        let ledger = store.ledgers().mailbox("source", &format!("user{number}")).await.unwrap();
        ledger.record(&opened()).await.unwrap();
        ledgers.push(Arc::new(ledger));
    }
    ledgers
}

/// Writes one window of new messages in each mailbox: the intents, then the outcomes in batches.
async fn windows(ledgers: &[Arc<MailboxLedger>], first: u32, batch: u32) -> Duration {
    let begun = Instant::now();
    let mut writers = JoinSet::new();
    for ledger in ledgers {
        let ledger = Arc::clone(ledger);
        writers.spawn(async move {
            ledger.record(&intents(first)).await.unwrap();
            for done in (0..WINDOW).step_by(batch as usize) {
                ledger.record(&outcomes(first + done, batch.min(WINDOW - done))).await.unwrap();
            }
        });
    }
    writers.join_all().await;
    begun.elapsed()
}

fn at_once(criterion: &mut Criterion) {
    let runtime = runtime();
    let directory = tempfile::tempdir().unwrap();
    let server = Postgres::start(&[]);
    let address = ServerAddress::parse(&server.url()).unwrap();
    let address = address.with_password(&Secret::new(server.password().to_owned()));
    let stores = runtime.block_on(async {
        [
            ("a file", Store::open(directory.path()).await.unwrap()),
            ("a server", Store::connect(&address).await.unwrap()),
        ]
    });
    let mut group = criterion.benchmark_group("20 mailboxes at once");
    group.sample_size(20).throughput(Throughput::Elements((WINDOW * MAILBOXES).into()));
    for (place, store) in &stores {
        let ledgers = runtime.block_on(mailboxes(store));
        let mut first = 1;
        for batch in [50, 200] {
            group.bench_function(format!("batches of {batch} on {place}"), |bencher| {
                bencher.iter_custom(|rounds| {
                    let mut elapsed = Duration::ZERO;
                    for _ in 0..rounds {
                        elapsed += runtime.block_on(windows(&ledgers, first, batch));
                        first += WINDOW;
                    }
                    elapsed
                });
            });
        }
    }
    group.finish();
    for (_, store) in stores {
        runtime.block_on(store.close());
    }
}

criterion_group!(benches, ledger, at_once);
criterion_main!(benches);
