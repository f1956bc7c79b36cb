//! Durable writes of a window with its intents and outcomes, and the read of a folder.

#![allow(missing_docs, clippy::unwrap_used, reason = "a benchmark")]

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use mailhaul_engine::{AppendStart, CopyRecord, Ledger as _, LedgerRecord, MessageState};
use mailhaul_mail::{Fingerprint, FolderPath, Uid, UidSet, UidValidity};
use mailhaul_store::Store;

/// Messages of a window.
const WINDOW: u32 = 500;
/// Messages of the folder that is read.
const FOLDER: u32 = 50_000;

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

fn ledger(criterion: &mut Criterion) {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    let directory = tempfile::tempdir().unwrap();
    let store = runtime.block_on(Store::open(directory.path())).unwrap();
    let ledger = runtime.block_on(store.mailbox("source", "target")).unwrap();
    let validity = UidValidity::new(1).unwrap();
    let inbox = FolderPath::inbox;
    let opened = LedgerRecord::Opened { folder: inbox(), target: inbox(), uid_validity: validity };
    runtime.block_on(ledger.record(&[opened])).unwrap();
    let intents = LedgerRecord::Intended {
        folder: inbox(),
        append_start: AppendStart { uid_validity: validity, uid_next: uid(1) },
        uids: UidSet::range(uid(1), uid(WINDOW)),
    };
    let intents = [intents];
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
        bencher.iter(|| runtime.block_on(ledger.folder(&inbox())).unwrap());
    });
    let few = UidSet::range(uid(1_000), uid(1_500));
    group.bench_function("reading around 500 of 50,000 messages", |bencher| {
        bencher.iter(|| runtime.block_on(ledger.folder_around(&inbox(), &few)).unwrap());
    });
    group.finish();
    runtime.block_on(store.close());
}

criterion_group!(benches, ledger);
criterion_main!(benches);
