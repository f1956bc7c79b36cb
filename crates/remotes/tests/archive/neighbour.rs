//! A Dovecot works in the archive while passes write into it, and the writing process is killed.

use std::{
    env, fs,
    io::{BufRead as _, BufReader, Write as _},
    os::unix::process::CommandExt as _,
    path::Path,
    process::{Child, ChildStdin, ChildStdout, Command, Stdio},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    thread,
    time::Duration,
};

use mailhaul_engine::Mailbox as _;
use mailhaul_imap::{MailboxName, SelectOptions, StoreMode};
use mailhaul_testkit::{Dovecot, Mailmaker};

use crate::support::*;

/// Dovecot's IMAP process, signed in as the current user. It works on files that mailhaul writes at the
/// same time.
struct Imap {
    process: Child,
    commands: ChildStdin,
    answers: BufReader<ChildStdout>,
}

impl Imap {
    fn start(directory: &Path, root: &Path) -> Self {
        let told = Command::new("doveconf").args(["-d", "-h", "libexec_dir"]).output().unwrap().stdout;
        let program = Path::new(String::from_utf8(told).unwrap().trim()).join("imap");
        let configuration = directory.join("neighbour.conf");
        let here = directory.display();
        fs::write(
            &configuration,
            format!(
                "base_dir = {here}/run\nstate_dir = {here}/state\nlog_path = {here}/neighbour.log\nssl = no\n\
                 mail_uid = {}\nmail_gid = {}\nfirst_valid_uid = 1\nmail_location = maildir:{}\n\
                 namespace inbox {{\n inbox = yes\n separator = /\n}}\n",
                id(&["-u"]),
                id(&["-g"]),
                root.display()
            ),
        )
        .unwrap();
        let mut process = Command::new(program)
            .arg("-c")
            .arg(&configuration)
            .env("USER", USER)
            .env("HOME", directory)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(fs::File::create(directory.join("neighbour.err")).unwrap())
            .spawn()
            .unwrap();
        let commands = process.stdin.take().unwrap();
        let answers = BufReader::new(process.stdout.take().unwrap());
        let mut imap = Self { process, commands, answers };
        let mut greeting = String::new();
        imap.answers.read_line(&mut greeting).unwrap();
        assert!(greeting.starts_with("* PREAUTH"), "{greeting}");
        imap
    }

    fn run(&mut self, command: &str) {
        self.commands.write_all(format!("a {command}\r\n").as_bytes()).unwrap();
        loop {
            let mut line = String::new();
            assert!(self.answers.read_line(&mut line).unwrap() > 0, "{command}: it ended");
            if let Some(answer) = line.strip_prefix("a ") {
                assert!(answer.starts_with("OK"), "{command}: {answer}");
                return;
            }
        }
    }

    fn end(mut self) {
        self.run("LOGOUT");
        assert!(self.process.wait().unwrap().success());
    }
}

fn id(arguments: &[&str]) -> u32 {
    let told = Command::new("id").args(arguments).output().unwrap().stdout;
    String::from_utf8(told).unwrap().trim().parse().unwrap()
}

/// Runs the test again as another user, because Dovecot does not work as root. False for another user.
fn was_run_as_another_user(test: &str) -> bool {
    if id(&["-u"]) != 0 {
        return false;
    }
    let home = home();
    let program = home.path().join("test");
    // In a new process: a file that another thread's child holds open for writing cannot be run.
    let copied = Command::new("cp").arg(env::current_exe().unwrap()).arg(&program).status();
    assert!(copied.unwrap().success());
    let ran = Command::new(program)
        .args(["--exact", test, "--nocapture"])
        .uid(id(&["-u", "mail"]))
        .gid(id(&["-g", "mail"]))
        .current_dir("/")
        .output()
        .unwrap();
    let told = String::from_utf8_lossy(&ran.stdout).into_owned() + &String::from_utf8_lossy(&ran.stderr);
    assert!(ran.status.success() && told.contains("1 passed"), "{told}");
    true
}

#[tokio::test(flavor = "multi_thread")]
async fn a_dovecot_that_changes_flags_all_the_time_loses_nothing() {
    let name = "neighbour::a_dovecot_that_changes_flags_all_the_time_loses_nothing";
    if was_run_as_another_user(name) {
        return;
    }
    let from = filled().await;
    let home = home();
    let root = home.path().join("Maildir");
    let ledger = MemoryLedger::default();
    assert_synced(&pass(&from, &root, &ledger).await);
    let mut maker = Mailmaker::new(44);
    give(&from, "INBOX", (0..1_500).map(|_| maker.item(900)).collect()).await;
    let mut work = session(&from).await;
    let mut inbox = work.select(&MailboxName::from_text("INBOX"), &SelectOptions::default()).await.unwrap();
    let some: Vec<u32> = (1..60).collect();
    inbox.uid_store(&uids(&some), StoreMode::Replace, &flags("\\Flagged Changed")).await.unwrap();
    inbox.uid_move(&uids(&[61, 62, 63]), &MailboxName::from_text("Sent/2020/cur")).await.unwrap();
    work.logout().await.unwrap();

    let is_over = Arc::new(AtomicBool::new(false));
    let neighbour = {
        let (is_over, home, root) = (is_over.clone(), home.path().to_owned(), root.clone());
        thread::spawn(move || {
            let mut imap = Imap::start(&home, &root);
            let mut rounds = 0;
            while !is_over.load(Ordering::SeqCst) || rounds < 3 {
                imap.run("SELECT INBOX");
                imap.run("STORE 1:* +FLAGS.SILENT (Live)");
                imap.run("STORE 1:* -FLAGS.SILENT (Live)");
                rounds += 1;
            }
            // Moved messages kept their flags.
            for folder in ["INBOX", "Sent/2020/cur"] {
                imap.run(&format!("SELECT {folder}"));
                imap.run("STORE 1:* -FLAGS.SILENT (Live)");
            }
            imap.end();
        })
    };
    let second = pass(&from, &root, &ledger).await;
    is_over.store(true, Ordering::SeqCst);
    neighbour.join().unwrap();
    assert_synced(&second);
    assert_eq!((second.total(|it| it.copied), second.total(|it| it.moved)), (1_500, 3), "{second:#?}");
    for log in ["neighbour.log", "neighbour.err"] {
        let log = fs::read_to_string(home.path().join(log)).unwrap_or_default();
        assert!(!log.contains("Error:") && !log.contains("Warning:"), "{log}");
    }
    let scan = archive(&root).scan(&path("INBOX"), None).await.unwrap();
    let ours: Vec<u32> = scan.messages.iter().map(|it| it.uid.get()).collect();
    let server = serve(&root, LISTESCAPE);
    assert_equal(&contents(&from).await, &contents(&server).await);
    assert_eq!(numbers(&server, "INBOX").await, (scan.status.uid_validity.get(), ours));
    let third = pass(&from, &root, &ledger).await;
    assert_eq!(third.total(|it| it.copied + it.flags_changed + it.moved + it.removed), 0, "{third:#?}");
}

/// With these variables a process is the one to be killed.
const CHILD: [&str; 2] = ["MAILHAUL_TEST_PORT", "MAILHAUL_TEST_ROOT"];

#[tokio::test(flavor = "multi_thread")]
async fn killed_at_any_moment_and_the_ledger_lost() {
    if let [Ok(port), Ok(root)] = CHILD.map(env::var) {
        pass_to(source_at(port.parse().unwrap()), Path::new(&root), &MemoryLedger::default()).await;
        return;
    }
    let from = filled().await;
    let mut maker = Mailmaker::new(45);
    give(&from, "INBOX", (0..2_000).map(|_| maker.item(900)).collect()).await;
    let home = home();
    let root = home.path().join("Maildir");
    let mut killed = 0;
    for round in 0..12 {
        let mut child = Command::new(env::current_exe().unwrap())
            .args(["--exact", "neighbour::killed_at_any_moment_and_the_ledger_lost"])
            .env(CHILD[0], from.port().to_string())
            .env(CHILD[1], &root)
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        thread::sleep(Duration::from_millis(30 + 40 * round + maker.number(200)));
        killed += u32::from(child.try_wait().unwrap().is_none());
        _ = child.kill();
        child.wait().unwrap();
    }
    assert!(killed > 3, "{killed}");
    assert_synced(&pass(&from, &root, &MemoryLedger::default()).await);
    assert_equal(&contents(&from).await, &contents(&serve(&root, LISTESCAPE)).await);
    let tmp = fs::read_dir(root.join("tmp")).unwrap();
    assert_eq!(tmp.count(), 0, "what was half written is gone");
    drop::<Dovecot>(from);
}
