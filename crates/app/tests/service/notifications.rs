//! Notifications: mails and webhooks that foreign programs receive, refusals in words, and crashes.

use std::{
    collections::BTreeSet,
    path::PathBuf,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    thread::sleep,
    time::Duration,
};

use mailhaul_testkit::{Certificate, Dovecot, ScriptedSmtp, Setup, SmtpSink, TlsFront, WebhookSink};
use serde_json::Value;

use crate::{
    on_server::{MESSAGES, Site},
    support::{Service, give, names, until},
};

/// Secret of the webhooks, as Standard Webhooks write it.
const WEBHOOK_SECRET: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";

fn set_smtp(service: &Service, port: u16, security: &str) {
    let port = port.to_string();
    let words =
        ["Set-MigrationConfig", "-SmtpServer", "localhost", "-SmtpPort", &port, "-SmtpSecurity", security];
    service.expect(&[&words[..], &["-NotificationFrom", "mailhaul@contoso.edu"]].concat());
}

/// Starts a batch `Staff` of these users to the archive, with an address that gets its notifications.
fn start_batch(service: &Service, source: u16, users: &[String]) {
    let source = source.to_string();
    let words =
        ["New-MigrationEndpoint", "-IMAP", "-Name", "Old", "-RemoteServer", "127.0.0.1", "-Port", &source];
    service.expect(&[&words[..], &["-Security", "None"]].concat());
    let csv = service.csv(users);
    let words =
        ["New-MigrationBatch", "-Name", "Staff", "-SourceEndpoint", "Old", "-CSVData", &csv, "-AutoStart"];
    service.expect(&[&words[..], &["-NotificationEmails", "ada@contoso.edu"]].concat());
}

/// A server with one user, who has three messages.
async fn mailbox() -> Dovecot {
    let source = Setup::with_users(&["user1"]).start();
    give(&source, "user1", "INBOX", &[500; 3], 1).await;
    source
}

fn notifications(service: &Service) -> Vec<Value> {
    service.expect(&["Get-MigrationNotification", "-BatchId", "Staff"])
}

#[tokio::test(flavor = "multi_thread")]
async fn a_batch_is_told_by_mail_and_by_webhook() {
    let certificate = Certificate::valid();
    let (mails, hook) = (SmtpSink::start(&certificate), WebhookSink::start(WEBHOOK_SECRET));
    let source = mailbox().await;
    let mut service = Service::idle();
    service.trust(&certificate);
    service.run();
    set_smtp(&service, mails.port, "Tls");
    let url = format!("http://127.0.0.1:{}/services/T0/hidden", hook.port);
    let secret = service.write("secret", WEBHOOK_SECRET);
    let config = service.expect(&["Set-MigrationConfig", "-WebhookUrl", &url, "-WebhookSecretFile", &secret]);
    assert_eq!(config[0]["WebhookUrl"], format!("http://127.0.0.1:{}/...", hook.port));

    start_batch(&service, source.port(), &names(1));
    service.wait_for("Staff", &["Synced"]);
    let told = until(|| {
        let told = notifications(&service);
        told.iter().all(|it| it["Status"] == "Delivered").then_some(told).filter(|told| told.len() == 2)
    });
    let requests = hook.requests();
    assert_eq!(requests.len(), 1);
    assert_eq!(requests[0]["genuine"], true, "{requests:?}");
    assert_eq!(requests[0]["body"]["type"], "BatchSynced");
    assert_eq!(requests[0]["body"]["data"]["BatchId"], "Staff");
    assert_eq!(requests[0]["body"]["data"]["Details"]["SyncedItemCount"], 3);
    let mail = mails.mails().remove(0);
    let id = told[0]["Identity"].as_str().unwrap();
    assert_eq!((requests[0]["id"].as_str(), told[1]["Identity"].as_str()), (Some(id), Some(id)));
    for expected in [
        &format!("Message-ID: <{id}@contoso.edu>"),
        "Auto-Submitted: auto-generated",
        "Subject: [mailhaul] Staff: BatchSynced",
        "To: ada@contoso.edu",
        "multipart/alternative",
        "text/html",
        "The first sync is finished: 1 user is synced.",
    ] {
        assert!(mail.contains(expected), "{expected}: {mail}");
    }
    // The URL has a path that is a secret of its owner, and the secret is in no answer.
    let shown = format!("{:?}{told:?}{mail}", service.expect(&["Get-MigrationConfig"]));
    assert!(!shown.contains("hidden") && !shown.contains("MfKQ9r8GKYqr"), "{shown}");
    // A second sync tells nothing.
    service.expect(&["Set-MigrationBatch", "Staff", "-SyncNow"]);
    service.expect(&["Complete-MigrationBatch", "Staff", "-Confirm:$false"]);
    service.wait_for("Staff", &["Completed"]);
    until(|| (hook.requests().len() == 2).then_some(()));
    assert_eq!(hook.requests()[1]["body"]["type"], "BatchCompleted");
    assert_eq!(service.stop(), Some(0));
}

#[tokio::test(flavor = "multi_thread")]
async fn answers_of_servers_are_told_in_words() {
    let (certificate, other) = (Certificate::valid(), Certificate::of_another());
    let mut service = Service::idle();
    service.trust(&certificate);
    service.set("MAILHAUL_SMTPCREDENTIAL_PASSWORD", PathBuf::from("sesame-sesame"));
    service.run();
    let says = |command: &'static str, answer: &'static str| {
        ScriptedSmtp::start(move |said| said.starts_with(command).then(|| answer.to_owned()))
    };
    let test = |port: u16, security: &str, login: &[&str]| {
        service.expect(&["Set-MigrationConfig", "-SmtpServer", "$null"]);
        let port = port.to_string();
        let words = [
            "Set-MigrationConfig",
            "-SmtpServer",
            "localhost",
            "-SmtpPort",
            &port,
            "-SmtpSecurity",
            security,
        ];
        service.expect(&[&words[..], &["-NotificationFrom", "mailhaul@contoso.edu"], login].concat());
        let answer = service.expect(&["Test-MigrationNotification", "-To", "ada@contoso.edu"]).remove(0);
        format!("{}: {}", answer["Result"].as_str().unwrap(), answer["Message"].as_str().unwrap())
    };
    let login = ["-SmtpCredential", "haul"];
    let plain = says("NEVER", "");
    let front = TlsFront::start(&other, plain.port).await;
    let expired = TlsFront::start(&Certificate::expired(), plain.port).await;
    let trusted = TlsFront::start(&certificate, plain.port).await;
    for (port, security, login, expected) in [
        (plain.port, "None", &[][..], vec!["Success: 250 2.0.0 queued as 1"]),
        (trusted.port, "Ssl", &login, vec!["Success: 250"]),
        (
            says("RCPT", "550 5.1.1 no such user here").port,
            "None",
            &[],
            vec!["refuses the mail: 550 5.1.1 no such user here"],
        ),
        (
            says("RCPT", "450 4.2.0 greylisted").port,
            "None",
            &[],
            vec!["refuses the mail for now: 450 4.2.0 greylisted"],
        ),
        (
            says("AUTH", "535 5.7.8 wrong password AGhhdWwAc2VzYW1lLXNlc2FtZQ==").port,
            "None",
            &login,
            vec!["refuses the login haul: 535 5.7.8 wrong password", "Set-MigrationConfig -SmtpCredential"],
        ),
        (says("MAIL", "530 5.7.0 log in first").port, "None", &[], vec!["asks for a login: 530"]),
        (front.port, "Ssl", &[], vec!["the certificate of localhost", "it must be for localhost"]),
        (expired.port, "Ssl", &[], vec!["the certificate of localhost"]),
        (plain.port, "Ssl", &[], vec!["TLS with localhost", "SmtpSecurity is Ssl"]),
        (plain.port, "Tls", &[], vec!["STARTTLS"]),
        (1, "None", &[], vec!["no connection to localhost:1: Connection refused"]),
    ] {
        let words = test(port, security, login);
        for expected in expected {
            assert!(words.contains(expected), "{security} {expected}: {words}");
        }
        for secret in ["sesame", "AGhhdWwAc2VzYW1l"] {
            assert!(!words.contains(secret), "{words}");
        }
        println!("{security}: {words}");
    }
}

/// kill -9 before the mail, and between the mail and its mark.
#[tokio::test(flavor = "multi_thread")]
async fn a_crash_forgets_no_mail_and_repeats_its_id() {
    for (command, before) in [("CONNECT", 0), (".", 1)] {
        let (reached, goes_on) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicBool::new(false)));
        let (told, open) = (Arc::clone(&reached), Arc::clone(&goes_on));
        let server = ScriptedSmtp::start(move |said| {
            if said == command {
                told.store(true, Ordering::SeqCst);
                // Without an answer, until the service is killed.
                while !open.load(Ordering::SeqCst) {
                    sleep(Duration::from_millis(20));
                }
            }
            None
        });
        let source = mailbox().await;
        let mut service = Service::start();
        set_smtp(&service, server.port, "None");
        start_batch(&service, source.port(), &names(1));
        until(|| reached.load(Ordering::SeqCst).then_some(()));
        service.kill();
        assert_eq!(server.mails().len(), before);
        goes_on.store(true, Ordering::SeqCst);
        service.run();
        until(|| (notifications(&service)[0]["Status"] == "Delivered").then_some(()));
        let mails = server.mails();
        let ids: BTreeSet<_> =
            mails.iter().map(|mail| mail.header("Message-ID").unwrap().to_owned()).collect();
        assert_eq!((mails.len(), ids.len()), (before + 1, 1), "{command}");
        assert_eq!(notifications(&service)[0]["Tries"], 2);
    }
}

/// An orderly end waits for the mail that is being sent.
#[tokio::test(flavor = "multi_thread")]
async fn a_mail_is_sent_to_its_end_when_the_service_stops() {
    let (reached, goes_on) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicBool::new(false)));
    let (told, open) = (Arc::clone(&reached), Arc::clone(&goes_on));
    let server = ScriptedSmtp::start(move |said| {
        if said == "." {
            told.store(true, Ordering::SeqCst);
            while !open.load(Ordering::SeqCst) {
                sleep(Duration::from_millis(20));
            }
        }
        None
    });
    let source = mailbox().await;
    let mut service = Service::start();
    set_smtp(&service, server.port, "None");
    start_batch(&service, source.port(), &names(1));
    until(|| reached.load(Ordering::SeqCst).then_some(()));
    let answer = std::thread::spawn(move || {
        sleep(Duration::from_millis(500));
        goes_on.store(true, Ordering::SeqCst);
    });
    assert_eq!(service.stop(), Some(0));
    answer.join().unwrap();
    service.run();
    assert_eq!(notifications(&service)[0]["Status"], "Delivered");
    assert_eq!(server.mails().len(), 1);
}

/// A wrong password is gathered, and a server that greylists is tried again.
#[tokio::test(flavor = "multi_thread")]
async fn failures_are_gathered_and_greylisted_mails_wait() {
    let server =
        ScriptedSmtp::start(|said| said.starts_with("RCPT").then(|| "450 4.2.0 greylisted".to_owned()));
    let source = mailbox().await;
    let service = Service::start();
    set_smtp(&service, server.port, "None");
    start_batch(&service, source.port(), &names(3));
    service.wait_for("Staff", &["SyncedWithErrors"]);
    let told = until(|| {
        let told = notifications(&service);
        let is_tried = told.iter().any(|it| it["Event"] == "BatchSynced" && it["Error"] != Value::Null);
        is_tried.then_some(told)
    });
    assert_eq!(told.len(), 2);
    let failed = told.iter().find(|it| it["Event"] == "UsersFailed").unwrap();
    // It waits for further failures.
    assert_eq!(
        (&failed["Status"], &failed["Tries"], &failed["Summary"]),
        (&"Waiting".into(), &0.into(), &"".into())
    );
    let synced = told.iter().find(|it| it["Event"] == "BatchSynced").unwrap();
    assert_eq!(synced["Status"], "Waiting");
    assert!(synced["Error"].as_str().unwrap().contains("450 4.2.0 greylisted"), "{synced}");
    assert_eq!(server.mails(), []);
}

/// One of two nodes sends a mail. If it ends before the mark, the other one sends it again with its id.
#[tokio::test(flavor = "multi_thread")]
async fn a_node_sends_the_mail_of_a_node_that_was_lost() {
    let (reached, goes_on) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicBool::new(false)));
    let (told, open) = (Arc::clone(&reached), Arc::clone(&goes_on));
    let server = ScriptedSmtp::start(move |said| {
        if said == "." {
            told.store(true, Ordering::SeqCst);
            while !open.load(Ordering::SeqCst) {
                sleep(Duration::from_millis(20));
            }
        }
        None
    });
    let site = Site::new(2).await;
    let node = |name: &str| {
        let mut node = site.machine();
        node.run_with(&["--name", name, "--lease", "10"]);
        node
    };
    let mut first = node("mail1");
    set_smtp(&first, server.port, "None");
    site.start_batch(&first, "2");
    first.expect(&["Set-MigrationBatch", "Staff", "-NotificationEmails", "ada@contoso.edu"]);
    until(|| reached.load(Ordering::SeqCst).then_some(()));
    // A second node finds nothing to send while the first one sends.
    let second = node("mail2");
    site.assert_synced(&second, MESSAGES).await;
    assert_eq!(server.mails().len(), 1);
    first.kill();
    goes_on.store(true, Ordering::SeqCst);
    until(|| (notifications(&second)[0]["Status"] == "Delivered").then_some(()));
    let mails = server.mails();
    let ids: BTreeSet<_> = mails.iter().map(|mail| mail.header("Message-ID").unwrap().to_owned()).collect();
    assert_eq!((mails.len(), ids.len()), (2, 1));
    assert_eq!(notifications(&second).len(), 1);
}
