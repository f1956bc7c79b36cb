//! Decoding of the answers to a scan of a folder.

#![allow(missing_docs, clippy::unwrap_used, reason = "a benchmark")]

use std::hint::black_box;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use mailhaul_imap::{RawResponse, ResponseLimits, decode};

const MESSAGES: u32 = 10_000;

fn decoder(criterion: &mut Criterion) {
    let limits = ResponseLimits::default();
    let lines: Vec<RawResponse> = (1..=MESSAGES)
        .map(|number| {
            let keyword = if number % 12 == 0 { " $Forwarded" } else { "" };
            let text = format!(
                "* {number} FETCH (UID {number} FLAGS (\\Seen{keyword}) INTERNALDATE \"17-Jul-2019 02:44:25 +0200\" \
                 RFC822.SIZE 4096 MODSEQ ({number}))"
            );
            RawResponse { text: text.into(), streamed: Vec::new() }
        })
        .collect();
    let mut group = criterion.benchmark_group("decoder");
    group.throughput(Throughput::Elements(MESSAGES.into()));
    group.bench_function("FETCH of flags, date and size", |bencher| {
        bencher.iter(|| {
            for line in &lines {
                black_box(decode(black_box(line), &limits).unwrap());
            }
        });
    });
    group.finish();
}

criterion_group!(benches, decoder);
criterion_main!(benches);
