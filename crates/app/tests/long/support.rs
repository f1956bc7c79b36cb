//! Two servers in memory, proxies before them, and the program between.

use std::{
    collections::BTreeMap,
    env,
    fs::{self, File},
    path::PathBuf,
    process::{Child, Command, ExitStatus, Stdio},
    sync::Arc,
    time::{Duration, Instant},
};

use mailhaul_testkit::{
    Mailmaker,
    fake::{Fake, Personality, VirtualClock},
};
use tempfile::TempDir;
use tokio::{sync::Semaphore, task::JoinSet, time::sleep};

pub(crate) const USER: &str = "terrya";
const PASSWORD: &str = "hunter2";
/// A run that takes longer hangs.
const LONGEST_RUN: Duration = Duration::from_mins(20);
/// Runs at once. Most of them wait.
const AT_ONCE: usize = 12;

/// Factor of the number of runs.
pub(crate) fn extent() -> u64 {
    number("MAILHAUL_EXTENT", 1).max(1)
}

/// The first seed.
pub(crate) fn first_seed() -> u64 {
    number("MAILHAUL_SEED", 1)
}

fn number(variable: &str, default: u64) -> u64 {
    match env::var(variable) {
        Ok(text) => text.parse().unwrap_or_else(|_| panic!("{variable} is no number: {text}")),
        Err(_) => default,
    }
}

/// Runs all cases, several at once.
pub(crate) async fn all<T, F>(cases: impl IntoIterator<Item = T>, run: impl Fn(T) -> F)
where
    F: Future<Output = ()> + Send + 'static,
{
    let places = Arc::new(Semaphore::new(AT_ONCE));
    let mut running = JoinSet::new();
    for case in cases {
        let (places, case) = (Arc::clone(&places), run(case));
        running.spawn(async move {
            let _place = places.acquire().await.unwrap();
            case.await;
        });
    }
    while let Some(ended) = running.join_next().await {
        ended.unwrap();
    }
}

/// Message for comparison: bytes, sorted flags, and INTERNALDATE.
pub(crate) type Content = (Vec<u8>, Vec<String>, String);
/// Folders with their messages, in an order that does not depend on when they came.
pub(crate) type Contents = BTreeMap<String, Vec<Content>>;

/// A source and a target, each with one mailbox, and a data directory.
pub(crate) struct Pair {
    pub(crate) source: Fake,
    pub(crate) target: Fake,
    directory: TempDir,
}

impl Pair {
    pub(crate) async fn new(source: Personality, target: Personality) -> Self {
        let (source, target) = (Fake::start(source).await, Fake::start(target).await);
        for server in [&source, &target] {
            server.add_user(USER, PASSWORD, VirtualClock::default());
        }
        Self { source, target, directory: tempfile::tempdir().unwrap() }
    }

    /// Puts messages of these sizes into a folder of the source.
    pub(crate) fn give(&self, folder: &str, sizes: &[usize], maker: &mut Mailmaker) {
        self.source.with(USER, |mailbox| {
            mailbox.create(folder);
            for size in sizes {
                let (octets, flags, date) = maker.item(*size);
                mailbox.add(folder, octets, flags, date);
            }
        });
    }

    pub(crate) fn file(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }

    /// Starts `mailhaul migrate` between these ports.
    pub(crate) fn start(&self, ports: [u16; 2], more: &[&str]) -> Run {
        let url = |port: u16| format!("imap+plain://{USER}@127.0.0.1:{port}");
        let output = self.file("output");
        let log = File::create(&output).unwrap();
        let child = Command::new(env!("CARGO_BIN_EXE_mailhaul"))
            .args(["migrate", "--from", &url(ports[0]), "--to", &url(ports[1]), "--data"])
            .arg(self.file("data"))
            .args(more)
            .env_remove("MAILHAUL_DATA")
            .env("MAILHAUL_RESOLVERS", "none")
            .env("MAILHAUL_FROM_PASSWORD", PASSWORD)
            .env("MAILHAUL_TO_PASSWORD", PASSWORD)
            .stdin(Stdio::null())
            .stdout(log.try_clone().unwrap())
            .stderr(log)
            .spawn()
            .unwrap();
        Run { child, output, most_memory: 0 }
    }
}

/// The program while it runs.
pub(crate) struct Run {
    child: Child,
    output: PathBuf,
    /// Peak memory so far in KiB (`VmHWM`).
    pub(crate) most_memory: u64,
}

impl Run {
    /// Waits for the end, and kills the program when it is time for that. The exit code, or nothing where a signal ended it.
    pub(crate) async fn end(&mut self, is_time_to_kill: impl Fn() -> bool) -> Option<i32> {
        let started = Instant::now();
        loop {
            self.look_at_memory();
            if let Some(status) = self.child.try_wait().unwrap() {
                return self.code(status);
            }
            let hangs = started.elapsed() > LONGEST_RUN;
            if hangs || is_time_to_kill() {
                self.child.kill().unwrap();
                self.child.wait().unwrap();
                assert!(!hangs, "the program hangs:\n{}", self.text());
                return None;
            }
            sleep(Duration::from_millis(5)).await;
        }
    }

    fn code(&self, status: ExitStatus) -> Option<i32> {
        let text = self.text();
        assert!(!text.contains("panicked"), "{text}");
        assert!(status.code().is_some(), "{status}\n{text}");
        status.code()
    }

    /// Output of the program.
    pub(crate) fn text(&self) -> String {
        fs::read_to_string(&self.output).unwrap()
    }

    fn look_at_memory(&mut self) {
        let status = fs::read_to_string(format!("/proc/{}/status", self.child.id())).unwrap_or_default();
        let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
        let most = line.and_then(|line| line.trim().strip_suffix(" kB")?.trim().parse().ok());
        self.most_memory = self.most_memory.max(most.unwrap_or(0));
    }
}

impl Drop for Run {
    fn drop(&mut self) {
        _ = self.child.kill();
        _ = self.child.wait();
    }
}

/// Everything that the server has, as this sees its messages.
pub(crate) fn contents(
    server: &Fake,
    octets: impl Fn(&[u8]) -> Vec<u8>,
    is_flag: impl Fn(&str) -> bool,
) -> Contents {
    server.with(USER, |mailbox| {
        let folder = |name: String| {
            let mut messages: Vec<Content> = mailbox
                .messages(&name)
                .into_iter()
                .map(|(_, kept)| {
                    let flags = kept.flags.iter().filter(|flag| is_flag(flag)).map(ToString::to_string);
                    (octets(&kept.octets), flags.collect(), kept.date.to_string())
                })
                .collect();
            messages.sort();
            (name, messages)
        };
        mailbox.folder_names().into_iter().map(folder).collect()
    })
}

/// Describes the differences in a few lines.
pub(crate) fn differences(expected: &Contents, found: &Contents) -> Vec<String> {
    let mut told = Vec::new();
    let names: std::collections::BTreeSet<&String> = expected.keys().chain(found.keys()).collect();
    for name in names {
        let none = Vec::new();
        let (wanted, there) = (expected.get(name).unwrap_or(&none), found.get(name).unwrap_or(&none));
        for (message, side) in only(wanted, there, "lacks").chain(only(there, wanted, "is too much")) {
            told.push(format!("{name}: {side}: {}", brief(message)));
        }
        if wanted.len() != there.len() {
            told.push(format!("{name}: {} messages, {} expected", there.len(), wanted.len()));
        }
    }
    told
}

fn only<'a>(
    some: &'a [Content],
    others: &'a [Content],
    word: &'a str,
) -> impl Iterator<Item = (&'a Content, &'a str)> {
    let count = |messages: &[Content], message: &Content| messages.iter().filter(|it| *it == message).count();
    some.iter()
        .filter(move |message| count(some, message) > count(others, message))
        .map(move |message| (message, word))
}

fn brief((octets, flags, date): &Content) -> String {
    let text = String::from_utf8_lossy(octets);
    let subject = text.lines().find(|line| line.starts_with("Subject:")).unwrap_or_default();
    format!("{} bytes, {subject}, {}, {date}", octets.len(), flags.join(" "))
}
