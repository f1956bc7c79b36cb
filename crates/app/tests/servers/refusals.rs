//! Messages and mailboxes that a real server refuses.

use mailhaul_mail::{Flags, InternalDate};
use mailhaul_testkit::{CyrusSetup, Message, Server, Setup, connect, fill};

use crate::{
    exceptions::has_invalid_header,
    support::{Haul, assert_equal, contents, give, program, ran},
};

/// Messages, and whether Cyrus takes them.
const MESSAGES: [(&[u8], bool); 18] = [
    (b"Subject: plain\r\n\r\ntext\r\n", true),
    (b"From: J\xf6rg\r\nSubject: \xc3\xbc\r\n\r\n8-bit value\r\n", true),
    (b"J\xf6rg: 8-bit name\r\n\r\ntext\r\n", true),
    (b"Subject: folded\r\n once\r\n\ttwice\r\n\r\ntext\r\n", true),
    (b" first line folded\r\nX: a\r\n\r\ntext\r\n", true),
    (b"From a@contoso.edu  Wed Aug 28 10:48:51 2002\r\nSubject: from an mbox file\r\n\r\ntext\r\n", true),
    (b"Subject: mbox line within\r\nFrom a@contoso.edu  Wed Aug 28 10:48:51 2002\r\n\r\ntext\r\n", true),
    (b"\r\nno header\r\n", true),
    (b"Subject: no body\r\n", true),
    (b">From a@contoso.edu  Wed Aug 28 10:48:51 2002\r\nSubject: quoted mbox line\r\n\r\ntext\r\n", false),
    (b"Subject: no colon\r\nSend submissions to\r\n\r\ntext\r\n", false),
    (b"References: <a@contoso.edu>\r\nb@contoso.edu>\r\n\r\nfolded without a blank\r\n", false),
    (b"Subject    : blank before the colon\r\n\r\ntext\r\n", false),
    (b"quite Delivered-To: blank within the name\r\n\r\ntext\r\n", false),
    (b": no name\r\n\r\ntext\r\n", false),
    (b"Subject: text follows\r\nwithout an empty line\r\n", false),
    (b"Subject: not ended", false),
    (b"Subject: ended\r\nTo: not ended", false),
];

#[tokio::test(flavor = "multi_thread")]
async fn cyrus_refuses_invalid_headers_and_the_other_messages_arrive() {
    let (from, to) = (Setup::with_users(&["annb"]).start(), CyrusSetup::with_users(&["annb"]).start());
    let date = InternalDate::new(1_600_000_000, 0).unwrap();
    let mut session = connect(from.port(), "annb", "secret-annb").await;
    let all = MESSAGES.map(|(octets, _)| (octets.to_vec(), Flags::new(), date));
    fill(&mut session, "INBOX", all).await;
    session.logout().await.unwrap();
    give(&from, "annb", "Sent", &[700; 150], 1).await;

    let haul = Haul::new("annb", from.port(), to.port());
    let report = haul.file("report.csv");
    let ran = haul.expect(10, &["--report", report.to_str().unwrap()]);
    assert!(ran.stdout.contains("annb: skipped: INBOX: "), "{}", ran.stdout);
    let refused = MESSAGES.iter().filter(|(_, is_taken)| !is_taken).count();
    let mut rows = csv::Reader::from_path(&report).unwrap();
    let rows: Vec<_> = rows.records().map(Result::unwrap).filter(|it| &it[0] == "SkippedItem").collect();
    assert_eq!(rows.len(), refused);
    for it in rows {
        assert!(it.iter().any(|cell| cell.contains("NO Message contains invalid header")), "{it:?}");
    }
    let digest = |octets: &[u8]| Message::new(octets, &Flags::new(), String::new()).digest;
    let there = contents(to.port(), "annb").await;
    let arrived = |octets| there["INBOX"].messages.iter().any(|it| it.digest == digest(octets));
    for (octets, is_taken) in MESSAGES {
        let text = String::from_utf8_lossy(octets);
        assert_eq!((arrived(octets), has_invalid_header(octets)), (is_taken, !is_taken), "{text:?}");
    }
    assert_eq!(there["Sent"].messages.len(), 150);
    // They are tried again each time, and told again; the others are not copied again.
    haul.expect(10, &[]);
    assert_equal(&there, &contents(to.port(), "annb").await);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_administrator_without_rights_moves_nothing() {
    let users = ["terry.adams", "ann.beebe"];
    let from = Setup::with_users(&users).with_administrator("mailadmin", "P@ssw0rd").with_acl_trap().start();
    let to = Setup::with_users(&users).start();
    for user in users {
        give(&from, user, "INBOX", &[700; 5], 1).await;
        give(&from, user, "Sent", &[700; 5], 2).await;
    }
    let haul = Haul::new("", from.port(), to.port());
    let row = |user| format!("{user}@contoso.edu,{user}*mailadmin,P@ssw0rd,{user},secret-{user}\n");
    let head = "EmailAddress,UserName,Password,TargetUserName,TargetPassword\n";
    let csv = haul.write("users.csv", head.to_owned() + &users.map(row).concat());
    let url = |port| format!("imap+plain://127.0.0.1:{port}");
    let mut command = program();
    command.args(["migrate", "--from", &url(from.port()), "--to", &url(to.port()), "--users"]).arg(&csv);
    let told = ran(command.arg("--data").arg(haul.data()));
    told.assert(20);
    for user in users {
        let lines: Vec<_> = told.stderr.lines().filter(|it| it.contains(user)).collect();
        assert!(lines.iter().any(|it| it.contains("NO Mailbox doesn't exist: INBOX")), "{}", told.stderr);
        assert!(contents(to.port(), user).await.values().all(|it| it.messages.is_empty()));
    }
}
