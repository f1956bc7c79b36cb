//! Two faulty servers, the program between them, and the checks that hold in every case.

use std::{
    cell::RefCell,
    collections::BTreeMap,
    fs::{self, File},
    path::PathBuf,
    process::{Command, Stdio},
    thread,
    time::{Duration, Instant},
};

use mailhaul_imap::MailboxName;
use mailhaul_mail::{Flags, InternalDate};
use mailhaul_testkit::fake::{Fake, Personality, VirtualClock};
use serde_json::Value;
use tempfile::TempDir;

pub(crate) const USER: &str = "terrya";
pub(crate) const PASSWORD: &str = "hunter2";
/// A run that takes longer hangs.
const LONGEST_RUN: Duration = Duration::from_mins(2);
/// Size of [`message`].
pub(crate) const SMALL: usize = 139;
/// Size of [`large`]: above what is held whole.
pub(crate) const LARGE: usize = 640_133;

/// Capabilities of a server with nothing but what every server has.
pub(crate) const BARE: &str = "IMAP4rev1 AUTH=PLAIN SASL-IR ID";
/// Those of most servers of the reports.
pub(crate) const USUAL: &str = "IMAP4rev1 AUTH=PLAIN SASL-IR ID LITERAL+ UIDPLUS NAMESPACE";

/// A server with these capabilities.
pub(crate) fn with(capabilities: &'static str) -> Personality {
    Personality { before_login: capabilities, after_login: capabilities, ..Personality::plain() }
}

/// The message with this number, of 139 octets.
pub(crate) fn message(number: usize) -> Vec<u8> {
    sized(number, SMALL)
}

/// The message with this number, of 640,133 octets.
pub(crate) fn large(number: usize) -> Vec<u8> {
    sized(number, LARGE)
}

pub(crate) fn sized(number: usize, octets: usize) -> Vec<u8> {
    let mut text = format!(
        "From: ann@example.org\r\nSubject: {}\r\nMessage-ID: <{number:03}@example.org>\r\n\
         Date: Thu, 01 Feb 2024 09:05:00 +0100\r\n\r\n",
        subject(number)
    )
    .into_bytes();
    while text.len() + 80 < octets {
        text.extend_from_slice(&[b'.'; 62]);
        text.extend_from_slice(b"\r\n");
    }
    text.resize(octets - 2, b'.');
    text.extend_from_slice(b"\r\n");
    text
}

/// Subject of the message with this number.
pub(crate) fn subject(number: usize) -> String {
    format!("Number {number:03}")
}

/// 1-Feb-2024, some minutes after nine.
pub(crate) fn arrival(minutes: i64) -> InternalDate {
    InternalDate::new(1_706_774_700 + 60 * minutes, 60).unwrap()
}

/// A source and a target, each with one user.
pub(crate) struct Field {
    pub(crate) source: Fake,
    pub(crate) target: Fake,
    /// Folders of the source that show messages of other folders.
    pub(crate) views: Vec<&'static str>,
    /// Maximum number of copies of each message on the source.
    seen: RefCell<BTreeMap<Vec<u8>, usize>>,
    directory: TempDir,
}

/// Output and report of a run.
pub(crate) struct Run {
    pub(crate) code: Option<i32>,
    pub(crate) result: Value,
    /// stdout, stderr and the CSV report.
    pub(crate) text: String,
}

impl Field {
    pub(crate) async fn new(source: Personality, target: Personality) -> Self {
        let (source, target) = (Fake::start(source).await, Fake::start(target).await);
        for server in [&source, &target] {
            server.add_user(USER, PASSWORD, VirtualClock::default());
        }
        Self {
            source,
            target,
            views: Vec::new(),
            seen: RefCell::default(),
            directory: tempfile::tempdir().unwrap(),
        }
    }

    /// Two servers with the usual capabilities.
    pub(crate) async fn usual() -> Self {
        Self::new(with(USUAL), with(USUAL)).await
    }

    /// INBOX with messages 1 to 5, Archive with 11 to 20, Zeta with 21 to 30.
    pub(crate) async fn of_25() -> Self {
        let field = Self::usual().await;
        field.give("INBOX", (1..=5).map(message));
        field.give("Archive", (11..=20).map(message));
        field.give("Zeta", (21..=30).map(message));
        field
    }

    /// INBOX with messages 1 to 5.
    pub(crate) async fn of_5() -> Self {
        let field = Self::usual().await;
        field.give("INBOX", (1..=5).map(message));
        field
    }

    /// Puts messages into a folder of the source, a minute between them.
    pub(crate) fn give(&self, folder: &str, messages: impl IntoIterator<Item = Vec<u8>>) {
        self.source.with(USER, |mailbox| {
            mailbox.create(folder);
            for (minute, octets) in (0..).zip(messages) {
                mailbox.add(folder, octets, Flags::new(), arrival(minute));
            }
        });
    }

    /// Everything that runs have written: what they printed, reports, traces, the data directory.
    pub(crate) fn files(&self) -> Vec<(PathBuf, Vec<u8>)> {
        let mut directories = vec![self.directory.path().to_owned()];
        let mut files = Vec::new();
        while let Some(directory) = directories.pop() {
            for entry in fs::read_dir(directory).unwrap() {
                let path = entry.unwrap().path();
                if path.is_dir() {
                    directories.push(path);
                } else {
                    files.push((path.clone(), fs::read(&path).unwrap()));
                }
            }
        }
        files
    }

    pub(crate) fn file(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }

    /// Runs `mailhaul migrate` to its end.
    pub(crate) fn run(&self, more: &[&str]) -> Run {
        self.run_as_text(&[&["--json"], more].concat())
    }

    /// Runs with the result as text.
    pub(crate) fn run_as_text(&self, more: &[&str]) -> Run {
        let url = |server: &Fake| format!("imap+plain://{USER}@127.0.0.1:{}", server.port);
        let [stdout, stderr, report] = ["stdout", "stderr", "report.csv"].map(|name| self.file(name));
        _ = fs::remove_file(&report);
        let mut child = Command::new(env!("CARGO_BIN_EXE_mailhaul"))
            .args(["migrate", "--from", &url(&self.source), "--to", &url(&self.target), "--data"])
            .arg(self.file("data"))
            .args(["--timeout", "5", "--report"])
            .arg(&report)
            .args(more)
            .env_remove("MAILHAUL_DATA")
            .env("MAILHAUL_RESOLVERS", "none")
            .env("MAILHAUL_FROM_PASSWORD", PASSWORD)
            .env("MAILHAUL_TO_PASSWORD", PASSWORD)
            .stdin(Stdio::null())
            .stdout(File::create(&stdout).unwrap())
            .stderr(File::create(&stderr).unwrap())
            .spawn()
            .unwrap();
        let started = Instant::now();
        let status = loop {
            if let Some(status) = child.try_wait().unwrap() {
                break Some(status);
            }
            if started.elapsed() > LONGEST_RUN {
                child.kill().unwrap();
                child.wait().unwrap();
                break None;
            }
            thread::sleep(Duration::from_millis(20));
        };
        let [stdout, stderr, report] =
            [stdout, stderr, report].map(|path| fs::read_to_string(path).unwrap_or_default());
        let result = serde_json::from_str(&stdout).unwrap_or_default();
        let text = format!("{stdout}\n{stderr}\n{report}");
        for (side, server) in [("from", &self.source), ("to", &self.target)] {
            println!("{side} C: {}", server.commands().join(&format!("\n{side} C: ")));
        }
        let Some(status) = status else { panic!("the program hangs:\n{text}") };
        assert!(!text.contains("panicked"), "{text}");
        Run { code: status.code(), result, text }
    }

    /// Runs, and checks that at most the messages with these numbers are missing.
    #[track_caller]
    pub(crate) fn keeps_promises(&self, may_lack: &[usize]) -> Run {
        self.keeps_promises_with(may_lack, &[])
    }

    /// Runs with further options.
    #[track_caller]
    pub(crate) fn keeps_promises_with(&self, may_lack: &[usize], more: &[&str]) -> Run {
        let run = self.run(more);
        self.check(&run, may_lack);
        run
    }

    /// Messages of the source that are missing on the target, with folder and UID.
    pub(crate) fn lacking(&self) -> Vec<Lacking> {
        let target = bodies(&self.target);
        let mut lacking = Vec::new();
        for (octets, places) in bodies(&self.source) {
            let in_folders =
                places.iter().filter(|(folder, _)| !self.views.contains(&folder.as_str())).count();
            if target.get(&octets).map_or(0, Vec::len) < in_folders.max(1) {
                let (folder, uid) = places[0].clone();
                lacking.push(Lacking { subject: subject_of(&octets), folder, uid });
            }
        }
        lacking
    }

    #[track_caller]
    fn check(&self, run: &Run, may_lack: &[usize]) {
        let mut seen = self.seen.borrow_mut();
        for (octets, places) in bodies(&self.source) {
            let most = seen.entry(octets).or_default();
            *most = places.len().max(*most);
        }
        for (octets, places) in bodies(&self.target) {
            let (size, subject) = (octets.len(), subject_of(&octets));
            let here = seen.get(&octets).copied().unwrap_or(0);
            let text = &run.text;
            assert!(here > 0, "{size} octets, {subject:?}, are on the target alone\n{text}");
            assert!(places.len() <= here, "{subject:?} is on the target as {places:?}\n{text}");
        }
        for Lacking { subject, folder, uid } in self.lacking() {
            let is_allowed = may_lack.iter().any(|number| subject == self::subject(*number));
            assert!(is_allowed, "{subject:?} lacks\n{}", run.text);
            assert_ne!(run.code, Some(0), "{subject:?} lacks\n{}", run.text);
            assert!(run.names(&folder, uid, &subject), "{subject:?} is not named\n{}", run.text);
        }
    }
}

/// A message of the source.
pub(crate) struct Lacking {
    pub(crate) subject: String,
    folder: String,
    uid: u32,
}

impl Run {
    fn mailbox(&self) -> &Value {
        &self.result["mailboxes"][0]
    }

    /// True if the report names the message, or its failed folder or mailbox.
    fn names(&self, folder: &str, uid: u32, subject: &str) -> bool {
        let mailbox = self.mailbox();
        let list = |name: &str| mailbox[name].as_array().cloned().unwrap_or_default();
        let path = MailboxName::from_wire(folder).to_text();
        let is_failed = |it: &Value| it["folder"] == path && !it["error"].is_null();
        let is_skipped = |it: &Value| it["folder"] == path && it["uid"] == uid;
        self.text.contains(subject)
            || list("skippedItems").iter().any(is_skipped)
            || list("folders").iter().any(is_failed)
            || !mailbox["error"].is_null()
    }

    /// Asserts the exit code.
    #[track_caller]
    pub(crate) fn ends_with(&self, code: i32) -> &Self {
        assert_eq!(self.code, Some(code), "{}", self.text);
        self
    }

    /// Asserts that stdout, stderr or the report contains each text.
    #[track_caller]
    pub(crate) fn says(&self, texts: &[&str]) -> &Self {
        for text in texts {
            assert!(self.text.contains(text), "{text:?} is not in:\n{}", self.text);
        }
        self
    }

    /// Asserts that none of them contains a text.
    #[track_caller]
    pub(crate) fn says_nothing_of(&self, texts: &[&str]) -> &Self {
        for text in texts {
            assert!(!self.text.contains(text), "{text:?} is in:\n{}", self.text);
        }
        self
    }

    /// Messages that the report lists as skipped.
    pub(crate) fn skipped(&self) -> usize {
        self.mailbox()["skippedItems"].as_array().map_or(0, Vec::len)
    }

    /// Asserts the number of copied messages.
    #[track_caller]
    pub(crate) fn copied(&self, count: u64) -> &Self {
        assert_eq!(self.mailbox()["copied"], count, "{}", self.text);
        self
    }
}

/// Each message with the folders and UIDs where it is.
fn bodies(server: &Fake) -> BTreeMap<Vec<u8>, Vec<(String, u32)>> {
    let mut bodies: BTreeMap<Vec<u8>, Vec<(String, u32)>> = BTreeMap::new();
    server.with(USER, |mailbox| {
        for folder in mailbox.folder_names() {
            for (uid, kept) in mailbox.messages(&folder) {
                bodies.entry(kept.octets.to_vec()).or_default().push((folder.clone(), uid));
            }
        }
    });
    bodies
}

fn subject_of(octets: &[u8]) -> String {
    let text = String::from_utf8_lossy(octets);
    let line = text.lines().find_map(|line| line.strip_prefix("Subject: "));
    line.unwrap_or_default().to_owned()
}
