//! Plans for folders of up to half a million messages: all new, and one in a hundred changed.

#![allow(missing_docs, clippy::unwrap_used, reason = "a benchmark")]

use std::hint::black_box;

use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use mailhaul_engine::{
    CopyRecord, Filter, FolderState, FolderStatus, MessageInfo, MessageState, Order, Present, Scan,
    plan_messages,
};
use mailhaul_mail::{Fingerprint, Flags, FolderPath, InternalDate, Uid, UidSet, UidValidity};

fn uid(number: u32) -> Uid {
    Uid::new(number).unwrap()
}

fn flags(text: &str) -> Flags {
    text.split_whitespace().collect()
}

fn scan(messages: u32, is_flagged: impl Fn(u32) -> bool) -> Scan {
    let info = |number| MessageInfo {
        uid: uid(number),
        flags: flags(if is_flagged(number) { "\\Seen \\Flagged $Later" } else { "\\Seen" }),
        internal_date: InternalDate::new(1_600_000_000 + i64::from(number), 60),
        size: 4096,
    };
    let status = FolderStatus {
        messages,
        uid_validity: UidValidity::new(1).unwrap(),
        uid_next: Uid::new(messages + 1),
        highest_modseq: None,
    };
    let present = Present::These(UidSet::range(uid(1), uid(messages)));
    Scan::whole(status, (1..=messages).map(info).collect(), present)
}

fn state(messages: u32) -> FolderState {
    let mut state =
        FolderState::opened(FolderPath::inbox(), FolderPath::inbox(), UidValidity::new(1).unwrap());
    let copied = |number| CopyRecord {
        target_uid: Some(uid(number)),
        flags: flags("\\Seen"),
        pending_flags: None,
        fingerprint: Fingerprint::from_bytes([0; 16]),
        digests: None,
        size: 4096,
        arrived: Some(1_700_000_000),
        ours: true,
        edited: None,
    };
    state.messages = (1..=messages).map(|it| (uid(it), MessageState::Done(copied(it)))).collect();
    state
}

fn planner(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("planner");
    group.sample_size(10);
    for messages in [5_000, 50_000, 500_000] {
        group.throughput(Throughput::Elements(messages.into()));
        let all_new = (scan(messages, |_| false), state(0));
        let changed = (scan(messages, |it| it % 100 == 0), state(messages));
        for (name, (scan, state)) in [("all new", all_new), ("1 % changed", changed)] {
            group.bench_function(BenchmarkId::new(name, messages), |bencher| {
                bencher.iter(|| {
                    let plan = plan_messages(black_box(&scan), &state, &Filter::default(), Order::Oldest);
                    assert_eq!(plan.seen(), u64::from(messages));
                    plan
                });
            });
        }
    }
    group.finish();
}

criterion_group!(benches, planner);
criterion_main!(benches);
