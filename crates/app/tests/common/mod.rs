//! Shared by the tests of `migrate` and of the service: run the program, fill servers, compare them.

use std::process::{Command, Output};

use mailhaul_testkit::{Dovecot, Mailbox, Mailmaker, connect, differences, fill, snapshot};

/// Output and exit code of a run.
pub(crate) struct Ran {
    pub(crate) code: Option<i32>,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
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
