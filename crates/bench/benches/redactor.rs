//! Redaction of a server's text: once for each tagged response, and for shown words.

#![allow(missing_docs, clippy::unwrap_used, reason = "a benchmark")]

use std::{borrow::Cow, hint::black_box};

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use mailhaul_mail::{Redactor, Search, Secret};

/// The redactor of a connection after a sign-in by PLAIN.
fn redactor() -> Redactor {
    let mut redactor = Redactor::default();
    redactor.add(&Secret::new("correct horse 42"));
    redactor.add_whole(b"\0terry.adams@contoso.edu\0correct horse 42");
    redactor
}

fn redact(criterion: &mut Criterion) {
    let redactor = redactor();
    let mut group = criterion.benchmark_group("redactor");
    group.throughput(Throughput::Elements(1));
    for (name, text, search) in [
        ("an OK", "[APPENDUID 1700000000 4711] Append completed (0.001 + 0.000 secs).", Search::Plain),
        ("a NO", "[SERVERBUG] Internal error occurred. Refer to server log for more.", Search::Decoded),
    ] {
        assert!(matches!(redactor.redact(text, search), Cow::Borrowed(_)));
        group.bench_function(name, |bencher| {
            bencher.iter(|| black_box(redactor.redact(black_box(text), search)));
        });
    }
    group.finish();
}

criterion_group!(benches, redact);
criterion_main!(benches);
