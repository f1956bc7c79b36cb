//! A run is stopped in the middle, another one finishes the mailbox from a copy of its data, and the first one wakes.
//!
//! Nothing may be doubled: the first run finds its permit expired.

use std::{
    fs,
    path::Path,
    process::{Child, Command, Stdio},
    time::Duration,
};

use mailhaul_imap::{MailboxName, Session, StatusItem};
use mailhaul_testkit::{Dovecot, Mailmaker, Setup, connect, signal};
use nix::time::{ClockId, clock_gettime};
use tokio::time::sleep;

use crate::{
    common::{contents, give},
    support::{extent, first_seed},
};

const MESSAGES: usize = 2_000;
/// Messages of a later pass.
const MORE_MESSAGES: usize = 1_000;
/// Rounds of each kind in `make test`.
const ROUNDS: u64 = 2;
/// Longer than the validity of the permit of a run.
const STOPPED_TIME: Duration = Duration::from_secs(4);

/// Two servers with the mailbox of a round.
struct Round {
    user: String,
    from: Dovecot,
    to: Dovecot,
    data: tempfile::TempDir,
}

impl Round {
    async fn new(seed: u64, is_later_pass: bool) -> Self {
        let user = "terrya".to_owned();
        let server = || Setup::with_users(&[&user]).start();
        let round = Self { from: server(), to: server(), data: tempfile::tempdir().unwrap(), user };
        if is_later_pass {
            give(&round.from, &round.user, "INBOX", &[300; 100], seed).await;
            assert!(round.start(&round.directory("first")).wait().unwrap().success());
            give(&round.from, &round.user, "INBOX", &[400; MORE_MESSAGES], seed + 1).await;
        } else {
            give(&round.from, &round.user, "INBOX", &[400; MESSAGES], seed).await;
        }
        round
    }

    fn directory(&self, name: &str) -> std::path::PathBuf {
        self.data.path().join(name)
    }

    fn start(&self, data: &Path) -> Child {
        let url = |server: &Dovecot| format!("imap+plain://{}@127.0.0.1:{}", self.user, server.port());
        Command::new(env!("CARGO_BIN_EXE_mailhaul"))
            .args(["migrate", "--from", &url(&self.from), "--to", &url(&self.to), "--data"])
            .arg(data)
            .env_remove("MAILHAUL_DATA")
            .env("MAILHAUL_RESOLVERS", "none")
            .env("MAILHAUL_FROM_PASSWORD", Dovecot::password(&self.user))
            .env("MAILHAUL_TO_PASSWORD", Dovecot::password(&self.user))
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(fs::File::create(data.with_extension("log")).unwrap())
            .spawn()
            .unwrap()
    }

    /// Stops a run when so many messages have arrived. False if it ended before.
    async fn stop_at(&self, run: &mut Child, messages: u32) -> bool {
        let mut target = connect(self.to.port(), &self.user, &Dovecot::password(&self.user)).await;
        while run.try_wait().unwrap().is_none() {
            if count(&mut target).await >= messages {
                signal("STOP", &[run.id()]);
                while !is_stopped(run.id()) {
                    if run.try_wait().unwrap().is_some() {
                        return false;
                    }
                    sleep(Duration::from_millis(1)).await;
                }
                return true;
            }
        }
        false
    }

    fn logs(&self) -> String {
        ["first", "second"]
            .map(|name| fs::read_to_string(self.directory(name).with_extension("log")).unwrap_or_default())
            .join("\nsecond run:\n")
    }
}

/// Number of messages in the target's INBOX.
async fn count(target: &mut Session) -> u32 {
    let inbox = [MailboxName::from_wire("INBOX")];
    let status = target.status_many(&inbox, &[StatusItem::Messages]).await.unwrap();
    status[0].as_ref().unwrap().messages.unwrap_or_default()
}

/// True if the process is stopped (state `T` of proc(5)).
fn is_stopped(process: u32) -> bool {
    let stat = fs::read_to_string(format!("/proc/{process}/stat")).unwrap_or_default();
    stat.rsplit_once(") ").is_some_and(|(_, rest)| rest.starts_with('T'))
}

fn boot_time() -> Duration {
    clock_gettime(ClockId::CLOCK_BOOTTIME).unwrap().into()
}

/// Stops, finishes and wakes a run. Returns the number of messages that the first run had not sent.
async fn wake_after_takeover(seed: u64, is_later_pass: bool) -> Option<usize> {
    let round = Round::new(seed, is_later_pass).await;
    let all = u64::try_from(if is_later_pass { MORE_MESSAGES } else { MESSAGES }).unwrap();
    let before = if is_later_pass { 100 } else { 0 };
    let messages = before + 1 + Mailmaker::new(seed).number(all * 3 / 4);
    let (first, second) = (round.directory("first"), round.directory("second"));
    let mut zombie = round.start(&first);
    let is_stopped = round.stop_at(&mut zombie, u32::try_from(messages).unwrap()).await;
    let stopped_at = boot_time();
    if !is_stopped {
        assert!(zombie.wait().unwrap().success());
        return None;
    }
    let arrived = contents(round.to.port(), &round.user).await["INBOX"].messages.len();
    assert!(Command::new("cp").arg("-a").args([&first, &second]).status().unwrap().success());
    let finished = round.start(&second).wait().unwrap();
    let source = contents(round.from.port(), &round.user).await;
    let told = |when: &str, seed: u64| format!("{when}, seed {seed}, later pass: {is_later_pass}");
    let target = contents(round.to.port(), &round.user).await;
    let differences = mailhaul_testkit::differences(&source, &target);
    assert!(
        finished.success() && differences.is_empty(),
        "{}\n{}",
        told("before it wakes", seed),
        round.logs()
    );
    while boot_time() < stopped_at + STOPPED_TIME {
        sleep(Duration::from_millis(50)).await;
    }
    signal("CONT", &[zombie.id()]);
    let ended = zombie.wait().unwrap();
    let target = contents(round.to.port(), &round.user).await;
    let doubled = target["INBOX"].messages.len().saturating_sub(source["INBOX"].messages.len());
    let differences = mailhaul_testkit::differences(&source, &target);
    assert!(
        ended.success() && differences.is_empty(),
        "{}: {doubled} doubled of {arrived} at the stop, {ended}\n{}",
        told("after it woke", seed),
        round.logs()
    );
    Some(source["INBOX"].messages.len().saturating_sub(arrived))
}

async fn rounds(is_later_pass: bool) {
    let mut in_mid_window = 0;
    let count = ROUNDS * extent();
    for round in 0..count {
        let unsent = wake_after_takeover(1_000 * first_seed() + 2 * round, is_later_pass).await;
        in_mid_window += u64::from(unsent.is_some_and(|unsent| unsent > 0));
    }
    println!("{in_mid_window} of {count} runs were stopped with messages to send");
    assert!(in_mid_window > 0, "no run was stopped in the middle");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_run_that_wakes_after_another_finished_doubles_nothing() {
    rounds(false).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_later_run_that_wakes_after_another_finished_doubles_nothing() {
    rounds(true).await;
}
