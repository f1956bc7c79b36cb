//! Runs the program against real servers.

use std::{
    fs,
    path::{Path, PathBuf},
    process::{Child, Command, Output, Stdio},
};

use mailhaul_testkit::{Dovecot, Mailbox, Mailmaker, connect, differences, fill, snapshot};
use tempfile::TempDir;

/// One user's way from one server to another, with a data directory of its own.
pub(crate) struct Haul {
    pub(crate) user: String,
    pub(crate) from: String,
    pub(crate) to: String,
    pub(crate) directory: TempDir,
}

/// What a run printed, and how it ended.
pub(crate) struct Ran {
    pub(crate) code: Option<i32>,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

impl Haul {
    /// In clear text, between these ports.
    pub(crate) fn new(user: &str, from: u16, to: u16) -> Self {
        let url = |port: u16| format!("imap+plain://{user}@127.0.0.1:{port}");
        Self { user: user.to_owned(), from: url(from), to: url(to), directory: tempfile::tempdir().unwrap() }
    }

    pub(crate) fn data(&self) -> PathBuf {
        self.directory.path().join("data")
    }

    /// A file in the directory of this haul.
    pub(crate) fn file(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }

    pub(crate) fn write(&self, name: &str, text: impl AsRef<[u8]>) -> PathBuf {
        let path = self.file(name);
        fs::write(&path, text).unwrap();
        path
    }

    /// The command, with the user's right passwords in the environment.
    pub(crate) fn command(&self, more: &[&str]) -> Command {
        let mut command = program();
        command
            .args(["migrate", "--from", &self.from, "--to", &self.to, "--data"])
            .arg(self.data())
            .args(more)
            .env("MAILHAUL_FROM_PASSWORD", Dovecot::password(&self.user))
            .env("MAILHAUL_TO_PASSWORD", Dovecot::password(&self.user));
        command
    }

    pub(crate) fn run(&self, more: &[&str]) -> Ran {
        ran(&mut self.command(more))
    }

    /// Runs without waiting.
    pub(crate) fn spawn(&self, more: &[&str]) -> Child {
        self.command(more).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap()
    }

    /// Runs and must end with this code.
    #[track_caller]
    pub(crate) fn expect(&self, code: i32, more: &[&str]) -> Ran {
        let ran = self.run(more);
        ran.assert(code);
        ran
    }

    /// Runs, must succeed, and gives the JSON result of the one mailbox.
    #[track_caller]
    pub(crate) fn mailbox(&self, more: &[&str]) -> serde_json::Value {
        let ran = self.expect(0, &[more, &["--json"]].concat());
        let value: serde_json::Value = serde_json::from_str(&ran.stdout).unwrap();
        value["mailboxes"][0].clone()
    }
}

/// The program, without anything of this process's environment that it listens to.
pub(crate) fn program() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_mailhaul"));
    command.env_remove("MAILHAUL_DATA").stdin(Stdio::null());
    command
}

pub(crate) fn ran(command: &mut Command) -> Ran {
    let Output { status, stdout, stderr } = command.output().unwrap();
    let text = |octets: Vec<u8>| String::from_utf8(octets).unwrap();
    Ran { code: status.code(), stdout: text(stdout), stderr: text(stderr) }
}

impl Ran {
    #[track_caller]
    pub(crate) fn assert(&self, code: i32) {
        assert_eq!(self.code, Some(code), "stdout:\n{}\nstderr:\n{}", self.stdout, self.stderr);
        assert!(!self.stderr.contains("panicked"), "{}", self.stderr);
    }

    /// stderr has all these words.
    #[track_caller]
    pub(crate) fn says(&self, words: &[&str]) {
        for it in words {
            assert!(self.stderr.contains(it), "{it:?} is not in:\n{}", self.stderr);
        }
    }
}

/// Everything that the user has on this server.
pub(crate) async fn contents(port: u16, user: &str) -> Mailbox {
    let mut session = connect(port, user, &Dovecot::password(user)).await;
    let mailbox = snapshot(&mut session).await;
    session.logout().await.unwrap();
    mailbox
}

/// Both servers hold the same.
#[track_caller]
pub(crate) fn assert_equal(source: &Mailbox, target: &Mailbox) {
    let told = differences(source, target);
    assert!(told.is_empty(), "{} differences:\n{}", told.len(), told[..told.len().min(20)].join("\n"));
}

pub(crate) async fn assert_same(from: &Dovecot, to: &Dovecot, user: &str) {
    assert_equal(&contents(from.port(), user).await, &contents(to.port(), user).await);
}

/// Fills a folder of the user with messages of about this many octets.
pub(crate) async fn give(server: &Dovecot, user: &str, folder: &str, sizes: &[usize], seed: u64) {
    let mut session = connect(server.port(), user, &Dovecot::password(user)).await;
    let mut maker = Mailmaker::new(seed);
    let messages: Vec<_> = sizes.iter().map(|size| maker.item(*size)).collect();
    fill(&mut session, folder, messages).await;
    session.logout().await.unwrap();
}

/// A trace file's lines that this side's client said.
pub(crate) fn commands(trace: &Path, side: &str) -> Vec<String> {
    let text = fs::read_to_string(trace).unwrap();
    let marker = format!(" {side} C: ");
    text.lines().filter_map(|line| Some(line.split_once(&marker)?.1.to_owned())).collect()
}
