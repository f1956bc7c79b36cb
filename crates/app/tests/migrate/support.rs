//! Runs the program against real servers.

use std::{
    fs,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
};

use mailhaul_testkit::Dovecot;
use tempfile::TempDir;

pub(crate) use crate::common::{Ran, assert_equal, assert_same, contents, give, ran};

/// One user's way from one server to another, with a data directory of its own.
pub(crate) struct Haul {
    pub(crate) user: String,
    pub(crate) from: String,
    pub(crate) to: String,
    pub(crate) directory: TempDir,
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
    command.env_remove("MAILHAUL_DATA").env("MAILHAUL_RESOLVERS", "none").stdin(Stdio::null());
    command
}

impl Ran {
    /// stderr has all these words.
    #[track_caller]
    pub(crate) fn says(&self, words: &[&str]) {
        for it in words {
            assert!(self.stderr.contains(it), "{it:?} is not in:\n{}", self.stderr);
        }
    }
}

/// A trace file's lines that this side's client said.
pub(crate) fn commands(trace: &Path, side: &str) -> Vec<String> {
    let text = fs::read_to_string(trace).unwrap();
    let marker = format!(" {side} C: ");
    text.lines().filter_map(|line| Some(line.split_once(&marker)?.1.to_owned())).collect()
}
