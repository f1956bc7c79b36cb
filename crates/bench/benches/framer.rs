//! Framing of a server's output: many small messages, and one large body.

#![allow(missing_docs, clippy::unwrap_used, reason = "a benchmark")]

use std::hint::black_box;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use mailhaul_imap::{Framer, ResponseLimits};

/// Bytes of one read.
const READ: usize = 64 << 10;

/// The answer to a FETCH of bodies of this size.
fn said(messages: usize, octets: usize) -> Vec<u8> {
    let mut said = Vec::new();
    for number in 1..=messages {
        said.extend_from_slice(format!("* {number} FETCH (UID {number} BODY[] {{{octets}}}\r\n").as_bytes());
        said.resize(said.len() + octets, b'x');
        said.extend_from_slice(b")\r\n");
    }
    said
}

fn cut(said: &[u8]) -> usize {
    let mut framer = Framer::new(ResponseLimits::default());
    let mut count = 0;
    for read in said.chunks(READ) {
        framer.buffer_mut().extend_from_slice(read);
        while let Some(frame) = framer.next_frame().unwrap() {
            black_box(frame);
            count += 1;
        }
    }
    count
}

fn framer(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("framer");
    for (name, messages, octets) in
        [("5,000 messages of 4 KiB", 5_000, 4 << 10), ("one of 20 MiB", 1, 20 << 20)]
    {
        let said = said(messages, octets);
        group.throughput(Throughput::Bytes(said.len() as u64));
        group.bench_function(name, |bencher| bencher.iter(|| cut(black_box(&said))));
    }
    group.finish();
}

criterion_group!(benches, framer);
criterion_main!(benches);
