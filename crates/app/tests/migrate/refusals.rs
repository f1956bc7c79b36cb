//! Servers that refuse, break or lie: each failure is explained, has its exit code, and a later run completes.

use std::{fs, process::Command};

use mailhaul_testkit::{Certificate, Dovecot, Faults, Proxy, Setup};

use crate::support::{Haul, assert_equal, assert_same, contents, give};

async fn pair(user: &str) -> (Dovecot, Dovecot) {
    let (from, to) = (Setup::with_users(&[user]).start(), Setup::with_users(&[user]).start());
    give(&from, user, "INBOX", &[2_000; 30], 1).await;
    give(&from, user, "Sent", &[400_000, 700, 300_000], 2).await;
    (from, to)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wrong_password() {
    let (from, to) = pair("annb").await;
    let haul = Haul::new("annb", from.port(), to.port());
    for (variable, side) in [("MAILHAUL_FROM_PASSWORD", "source"), ("MAILHAUL_TO_PASSWORD", "target")] {
        let ran = crate::support::ran(haul.command(&[]).env(variable, "wrong-hunter2"));
        ran.assert(20);
        ran.says(&[
            &format!("{side} annb@127.0.0.1"),
            "[AUTHENTICATIONFAILED]",
            "check the user name and the password",
        ]);
        assert!(!ran.stderr.contains("hunter2") && !ran.stderr.contains("retrying"), "{}", ran.stderr);
    }
    haul.expect(0, &[]);
    assert_same(&from, &to, "annb").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_unknown_host_and_a_refused_port_fail_at_once() {
    let (from, to) = pair("annb").await;
    let mut haul = Haul::new("annb", from.port(), to.port());
    let right = haul.from.clone();
    haul.from = "imap+plain://annb@no-such-host.invalid".to_owned();
    let ran = haul.expect(20, &[]);
    ran.says(&["cannot find the address of no-such-host.invalid"]);
    assert!(!ran.stderr.contains("retrying"), "{}", ran.stderr);
    haul.from = "imap+plain://annb@127.0.0.1:1".to_owned();
    let ran = haul.expect(20, &[]);
    ran.says(&["cannot connect to 127.0.0.1, port 1", "refused"]);
    assert!(!ran.stderr.contains("retrying"), "{}", ran.stderr);
    haul.from = right;
    haul.expect(0, &[]);
}

#[tokio::test(flavor = "multi_thread")]
async fn certificates_that_are_not_to_be_trusted() {
    let (valid, expired, of_another) =
        (Certificate::valid(), Certificate::expired(), Certificate::of_another());
    let to = Setup::with_users(&["annb"]).start();
    let mut haul = Haul::new("annb", 0, to.port());
    for (certificate, trusted, words) in [
        (&expired, true, "expired"),
        (&of_another, true, "other.example.org"),
        (&valid, false, "UnknownIssuer"),
    ] {
        let from = Setup::with_users(&["annb"]).start_tls(certificate);
        give(&from, "annb", "INBOX", &[700; 3], 1).await;
        haul.from = format!("imaps://annb@localhost:{}", from.tls_port());
        let ca = certificate.ca_file();
        let trust: &[&str] = if trusted { &["--from-ca", ca.to_str().unwrap()] } else { &[] };
        let ran = haul.expect(20, trust);
        let told = ran.stderr.to_lowercase();
        assert!(
            told.contains(&words.to_lowercase())
                || told.contains("not trusted")
                || told.contains("authority"),
            "{told}"
        );
        assert!(told.contains("localhost") && !told.contains("retrying"), "{told}");
        haul.expect(20, &["--from-pin", &"00".repeat(32)]);
        haul.expect(0, &["--from-pin", certificate.sha256()]);
        haul.expect(0, &["--accept-untrusted-certificates"])
            .says(&["warning: --accept-untrusted-certificates"]);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn starttls_that_is_not_offered() {
    let (from, to) = pair("annb").await;
    let mut haul = Haul::new("annb", from.port(), to.port());
    let right = haul.from.clone();
    haul.from = format!("imap://annb@127.0.0.1:{}", from.port());
    haul.expect(20, &[]).says(&["does not offer STARTTLS"]);
    haul.from = right;
    haul.expect(0, &[]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_target_over_quota() {
    let from = Setup::with_users(&["annb"]).start();
    give(&from, "annb", "INBOX", &[30_000; 100], 1).await;
    let mut to = Setup { quota: Some("1M".to_owned()), ..Setup::with_users(&["annb"]) }.start();
    let haul = Haul::new("annb", from.port(), to.port());
    let ran = haul.expect(20, &[]);
    ran.says(&["[OVERQUOTA]", "raise the quota of the target mailbox"]);
    assert!(!ran.stderr.contains("retrying"), "{}", ran.stderr);
    to.set_quota("100M");
    haul.expect(0, &[]);
    assert_same(&from, &to, "annb").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_folder_that_cannot_be_created_leaves_the_others_alone() {
    let (from, to) = pair("annb").await;
    give(&from, "annb", "Verboten", &[700; 4], 3).await;
    // Files stand where the folder's directory would be, by its name and by the other one that is tried then (`Verboten‛`).
    let mailboxes = to.home("annb").join("sdbox/mailboxes");
    fs::create_dir_all(&mailboxes).unwrap();
    let blockers = ["Verboten", "Verboten&IBs-"].map(|it| mailboxes.join(it));
    for blocker in &blockers {
        fs::write(blocker, "").unwrap();
    }
    let mail = to.directory().join("mail");
    let owned = Command::new("chown").arg("-R").arg("--reference").arg(mail).arg(to.home("annb")).status();
    assert!(owned.unwrap().success());
    let haul = Haul::new("annb", from.port(), to.port());
    let ran = haul.expect(20, &[]);
    ran.says(&["Verboten", "cannot be created"]);
    let target = contents(to.port(), "annb").await;
    assert_eq!((target["INBOX"].messages.len(), target["Sent"].messages.len()), (30, 3));
    for blocker in blockers {
        fs::remove_file(blocker).unwrap();
    }
    haul.expect(0, &[]);
    assert_same(&from, &to, "annb").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_message_that_the_target_refuses_is_skipped_and_named() {
    let from = Setup::with_users(&["annb"]).start();
    give(&from, "annb", "INBOX", &[2_000; 150], 1).await;
    give(&from, "annb", "INBOX", &[900_000], 2).await;
    give(&from, "annb", "INBOX", &[2_000; 150], 3).await;
    let extra = "plugin {\n quota_max_mail_size = 500k\n}\n".to_owned();
    let to = Setup { quota: Some("100M".to_owned()), extra, ..Setup::with_users(&["annb"]) }.start();
    let haul = Haul::new("annb", from.port(), to.port());
    let report = haul.file("report.csv");
    let ran = haul.expect(10, &["--report", report.to_str().unwrap()]);
    assert!(ran.stdout.contains("annb: skipped: INBOX: \""), "{}", ran.stdout);
    let target = contents(to.port(), "annb").await;
    assert_eq!(target["INBOX"].messages.len(), 300);
    let mut rows = csv::Reader::from_path(&report).unwrap();
    let skipped: Vec<_> = rows.records().map(Result::unwrap).filter(|it| &it[0] == "SkippedItem").collect();
    assert_eq!(skipped.len(), 1);
    assert!(!skipped[0][12].is_empty() && skipped[0][15].contains("APPEND refused"), "{skipped:?}");
    // It is tried again each time, and told again; the others are not copied again.
    haul.expect(10, &[]);
    assert_eq!(contents(to.port(), "annb").await["INBOX"].messages.len(), 300);
    // Where it is not refused, it arrives.
    let open = Setup::with_users(&["annb"]).start();
    Haul::new("annb", from.port(), open.port()).expect(0, &[]);
    assert_same(&from, &open, "annb").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_full_disk_under_the_ledger() {
    let (from, to) = pair("annb").await;
    give(&from, "annb", "many", &vec![400; 6_000], 3).await;
    let haul = Haul::new("annb", from.port(), to.port());
    fs::create_dir(haul.data()).unwrap();
    let mounted = Command::new("mount")
        .args(["-t", "tmpfs", "-o", "size=1200k,mode=0700", "tmpfs"])
        .arg(haul.data())
        .status();
    if !mounted.is_ok_and(|it| it.success()) {
        // Without the right to mount, a limit on the size of files has the same effect.
        let mut limited = Command::new("bash");
        limited.args(["-c", "ulimit -f 600; trap '' XFSZ; exec \"$@\"", "bash"]);
        let command = haul.command(&[]);
        limited.arg(command.get_program()).args(command.get_args());
        limited.envs(command.get_envs().filter_map(|(name, value)| Some((name, value?))));
        check_full(&crate::support::ran(&mut limited), "could not be written");
        haul.expect(0, &[]);
        return assert_same(&from, &to, "annb").await;
    }
    let full = haul.run(&[]);
    let unmounted = Command::new("mount").args(["-o", "remount,size=100m"]).arg(haul.data()).status();
    assert!(unmounted.unwrap().success());
    let again = haul.run(&[]);
    let _ = Command::new("umount").arg("-l").arg(haul.data()).status();
    check_full(&full, "full");
    again.assert(0);
    assert_same(&from, &to, "annb").await;
}

/// A bit that changes in each place where the ledger has the folder's name.
#[tokio::test(flavor = "multi_thread")]
async fn a_damaged_ledger_is_named_and_nothing_is_copied() {
    let (from, to) = pair("annb").await;
    give(&from, "annb", "Work", &[2_000, 3_000], 8).await;
    let haul = Haul::new("annb", from.port(), to.port());
    haul.expect(0, &[]);
    let before = contents(to.port(), "annb").await;
    let path = haul.data().join("mailhaul.db");
    let mut file = fs::read(&path).unwrap();
    let places: Vec<usize> =
        (0..file.len() - 4).filter(|place| &file[*place..place + 4] == b"Work").collect();
    assert!(places.len() >= 3, "{places:?}");
    for place in places {
        file[place] ^= 1;
    }
    fs::write(&path, file).unwrap();
    give(&from, "annb", "Work", &[4_000], 9).await;
    for options in [&[][..], &["--dry-run"]] {
        let ran = haul.expect(1, options);
        ran.says(&["mailhaul.db is damaged at annb@", "the record of the folder", "restore a backup"]);
        assert!(!ran.stderr.contains("lost or doubled"), "{}", ran.stderr);
    }
    assert_equal(&before, &contents(to.port(), "annb").await);
}

fn check_full(ran: &crate::support::Ran, words: &str) {
    ran.assert(20);
    ran.says(&["mailhaul.db", words, "make the data directory writable and free some disk space"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_connection_cut_in_the_middle_of_a_message() {
    let (from, to) = pair("annb").await;
    // Within the first large message, on the way down and on the way up; the run recovers from each cut.
    for (seed, (download, upload)) in
        (0..).zip([(Some(150_000), None), (None, Some(250_000)), (Some(40_000), Some(30_000))])
    {
        let faults = |cut_download, cut_upload| Faults { cut_download, cut_upload, ..Faults::default() };
        let near = Proxy::start(from.port(), faults(download, None));
        let far = Proxy::start(to.port(), faults(None, upload));
        give(&from, "annb", "more", &[500_000, 2_000, 300_000], 50 + seed).await;
        let haul = Haul::new("annb", near.port(), far.port());
        let ran = haul.expect(0, &[]);
        ran.says(&["retrying"]);
        assert!(near.cuts() + far.cuts() > 0);
        assert_same(&from, &to, "annb").await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_takes_one_connection_of_a_user_gets_one() {
    let from = Setup::with_users(&["annb"]).start();
    let mut setup = Setup::with_users(&["annb"]);
    setup.extra = "mail_max_userip_connections = 1\n".to_owned();
    let to = setup.start();
    for (seed, folder) in (0..).zip(["INBOX", "Sent", "Work", "Other"]) {
        give(&from, "annb", folder, &[3_000; 200], 70 + seed).await;
    }
    let ran = Haul::new("annb", from.port(), to.port()).expect(0, &[]);
    ran.says(&["Maximum number of connections from user+IP exceeded", "retrying over another connection"]);
    // Dovecot counts us out a moment after we said goodbye.
    std::thread::sleep(std::time::Duration::from_millis(500));
    assert_same(&from, &to, "annb").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_run_ends_without_its_server_and_continues_later() {
    let (from, mut to) = pair("annb").await;
    give(&from, "annb", "many", &vec![3_000; 4_000], 3).await;
    let slow = Faults { delay: std::time::Duration::from_millis(50), ..Faults::default() };
    let near = Proxy::start(from.port(), slow);
    let haul = Haul::new("annb", near.port(), to.port());
    let child = haul.spawn(&[]);
    std::thread::sleep(std::time::Duration::from_millis(900));
    to.stop();
    let output = child.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(20));
    to.restart();
    haul.expect(0, &[]);
    assert_same(&from, &to, "annb").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn two_runs_of_one_mailbox_do_not_meet() {
    let (from, to) = pair("annb").await;
    give(&from, "annb", "many", &vec![3_000; 3_000], 3).await;
    let slow = Faults { delay: std::time::Duration::from_millis(200), ..Faults::default() };
    let far = Proxy::start(to.port(), slow);
    let haul = Haul::new("annb", from.port(), far.port());
    let mut first = haul.spawn(&[]);
    std::thread::sleep(std::time::Duration::from_millis(700));
    let second = haul.run(&[]);
    second.assert(20);
    second.says(&["another mailhaul process runs annb@"]);
    assert_eq!(first.wait().unwrap().code(), Some(0));
    assert_same(&from, &to, "annb").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn ctrl_c_finishes_what_is_under_way() {
    let (from, to) = pair("annb").await;
    give(&from, "annb", "many", &vec![3_000; 4_000], 3).await;
    let slow = Faults { delay: std::time::Duration::from_millis(50), ..Faults::default() };
    let near = Proxy::start(from.port(), slow);
    let haul = Haul::new("annb", near.port(), to.port());
    let child = haul.spawn(&[]);
    std::thread::sleep(std::time::Duration::from_millis(900));
    mailhaul_testkit::signal("INT", &[child.id()]);
    let output = child.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(130));
    let there = contents(to.port(), "annb").await;
    let before: usize = there.values().map(|it| it.messages.len()).sum();
    let rest = haul.mailbox(&[]);
    assert_eq!(
        rest["copied"].as_u64().unwrap() + before as u64,
        4_033,
        "what was under way was finished and written down"
    );
    assert_same(&from, &to, "annb").await;
}
