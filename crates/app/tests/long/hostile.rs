//! A server with arbitrary answers, as source and as target: the program ends, its memory is bounded, and its
//! report is true. After the target becomes honest, the next run completes it without duplicates.

use std::collections::BTreeSet;

use mailhaul_testkit::{
    Mailmaker,
    fake::{Fake, Hostile, Personality, hostile},
};

use crate::support::{Content, Contents, Pair, Run, USER, all, contents, differences, extent, first_seed};

/// Runs at extent 1.
const RUNS: u64 = 10;
/// Maximum memory of the program in KiB: one response of 64 MiB, and its own needs.
const MOST_MEMORY: u64 = 320 << 10;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Side {
    Source,
    Target,
}

/// Capabilities of every server.
const BARE: &str = "IMAP4rev1 AUTH=PLAIN SASL-IR ID";

fn personality(seed: u64) -> Personality {
    let plain = Personality::plain();
    if seed.is_multiple_of(3) {
        Personality { before_login: BARE, after_login: BARE, ..plain }
    } else {
        plain
    }
}

/// All messages of a server by their bytes.
fn octets(server: &Fake) -> BTreeSet<Vec<u8>> {
    server.with(USER, |mailbox| {
        let folders = mailbox.folder_names();
        let kept = folders.iter().flat_map(|folder| mailbox.messages(folder));
        kept.map(|(_, kept)| kept.octets.to_vec()).collect()
    })
}

struct Outcome {
    side: Side,
    seed: u64,
    code: Option<i32>,
    memory: u64,
    said: Hostile,
}

async fn run(side: Side, seed: u64) -> Outcome {
    let pair = Pair::new(personality(seed), personality(seed / 3)).await;
    let mut maker = Mailmaker::new(seed);
    pair.give("INBOX", &[300, 1_900, 2_500, 700, 3_300, 900], &mut maker);
    pair.give("Gr&APYA3w-e/tief", &[500, 1_100, 1_500], &mut maker);
    pair.give("Archive", &[270_000, 5_000], &mut maker);
    let percent = [3, 8, 20, 50][usize::try_from(seed % 4).unwrap()];
    let (lie, said) = hostile(seed, percent);
    let server = if side == Side::Source { &pair.source } else { &pair.target };
    server.lie(lie);
    let mut run = pair.start([pair.source.port, pair.target.port], &["--timeout", "2", "--concurrency", "1"]);
    let code = run.end(|| false).await;
    check(&pair, side, seed, &said, &run, code);
    if side == Side::Target {
        recovers(&pair, seed, &said, &run).await;
    }
    Outcome { side, seed, code, memory: run.most_memory, said }
}

fn check(pair: &Pair, side: Side, seed: u64, said: &Hostile, run: &Run, code: Option<i32>) {
    let context = format!("{side:?}, MAILHAUL_SEED={seed}:\n{}\n{}", said.spoiled().join("\n"), run.text());
    assert!(matches!(code, Some(0 | 10 | 20)), "exit code {code:?} of {context}");
    assert!(run.most_memory < MOST_MEMORY, "{} KiB of {context}", run.most_memory);
    let (source, target) = (octets(&pair.source), octets(&pair.target));
    let foreign = target.difference(&source).count();
    assert_eq!(foreign, 0, "messages that the source does not have, after {context}");
    let lacking = source.difference(&target).count();
    let may_lack = side == Side::Source && said.has_hidden_mail();
    assert!(
        code != Some(0) || lacking == 0 || may_lack,
        "exit code 0, and {lacking} messages lack, after {context}"
    );
}

/// Messages that the hostile target stored are found again, and none is sent twice.
async fn recovers(pair: &Pair, seed: u64, said: &Hostile, first: &Run) {
    let told = first.text();
    pair.target.be_honest();
    let mut second = pair.start([pair.source.port, pair.target.port], &[]);
    let code = second.end(|| false).await;
    // The folders may have other names: the hostile server told of levels and of names as it liked.
    let all =
        |server| Contents::from([(USER.to_owned(), sorted(contents(server, <[u8]>::to_vec, |_| true)))]);
    let differences = differences(&all(&pair.source), &all(&pair.target));
    let context = format!(
        "MAILHAUL_SEED={seed}:\n{}\n{told}\nhonest run:\n{}",
        said.spoiled().join("\n"),
        second.text()
    );
    assert_eq!(code, Some(0), "{context}");
    assert!(differences.is_empty(), "{}\n{context}", differences.join("\n"));
}

fn sorted(contents: Contents) -> Vec<Content> {
    let mut messages: Vec<Content> = contents.into_values().flatten().collect();
    messages.sort();
    messages
}

async fn runs(side: Side) {
    let first = first_seed();
    let (sender, mut outcomes) = tokio::sync::mpsc::unbounded_channel();
    all(first..first + RUNS * extent(), |seed| {
        let sender = sender.clone();
        async move { sender.send(run(side, seed).await).unwrap_or_else(|_| unreachable!()) }
    })
    .await;
    drop(sender);
    let (mut count, mut answers, mut spoiled, mut memory, mut codes) = (0, 0, 0, 0, [0; 21]);
    while let Some(outcome) = outcomes.recv().await {
        count += 1;
        answers += outcome.said.answers();
        spoiled += outcome.said.spoiled().len();
        memory = memory.max(outcome.memory);
        codes[usize::try_from(outcome.code.unwrap()).unwrap()] += 1;
        println!("{:?} {}: {:?}, {} KiB", outcome.side, outcome.seed, outcome.code, outcome.memory);
    }
    println!(
        "{side:?}: {count} runs, {answers} answers, {spoiled} spoiled, at most {memory} KiB; exit codes 0: {}, 10: {}, 20: {}",
        codes[0], codes[10], codes[20]
    );
    assert!(spoiled > 0, "no answer was spoiled");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_hostile_source_is_survived() {
    runs(Side::Source).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_hostile_target_is_survived() {
    runs(Side::Target).await;
}
