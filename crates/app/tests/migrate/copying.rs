//! Copies: complete, unchanged, once.

use std::collections::BTreeMap;

use mailhaul_imap::MailboxName;
use mailhaul_mail::Flags;
use mailhaul_testkit::{Dovecot, Faults, Mailmaker, Proxy, Setup, connect, fill};

use crate::support::{Haul, assert_equal, assert_same, commands, contents, give, program, ran};

/// Folder names that often cause faults.
const FOLDERS: [&str; 6] = ["INBOX", "Gelöscht/日本語", "a.b/c d", "&-tilde~", "Sent", "Archive/2019/Q1"];

/// Fills the folders, subscribes to some, adds duplicates and messages without identifying headers.
pub(crate) async fn fill_oddly(server: &Dovecot, user: &str, messages: Vec<Vec<u8>>) {
    let mut session = connect(server.port(), user, &Dovecot::password(user)).await;
    let mut maker = Mailmaker::new(3);
    let mut by_folder: BTreeMap<&str, Vec<_>> = BTreeMap::new();
    for (index, message) in messages.into_iter().enumerate() {
        let folder = FOLDERS[index % FOLDERS.len()];
        by_folder.entry(folder).or_default().push((message, maker.flags(), maker.date()));
    }
    let twice = maker.item(900);
    let (nameless, flags, date) = (maker.nameless(), maker.flags(), maker.date());
    let odd = by_folder.entry("Sent").or_default();
    odd.extend([twice.clone(), twice]);
    odd.extend([(nameless.clone(), flags.clone(), date), (nameless, flags, date)]);
    odd.push((b"\r\nno header at all\r\n".to_vec(), Flags::new(), date));
    odd.push((b"Subject: no end of line".to_vec(), Flags::new(), date));
    for (folder, messages) in by_folder {
        fill(&mut session, folder, messages).await;
    }
    for folder in ["Gelöscht/日本語", "a.b/c d"] {
        session.subscribe(&MailboxName::from_text(folder)).await.unwrap();
    }
    session.logout().await.unwrap();
}

/// Real messages if there is a collection beside the project, else generated ones, as APPEND takes them.
pub(crate) fn corpus() -> Vec<Vec<u8>> {
    mailhaul_testkit::corpus().iter().map(|it| mailhaul_testkit::with_crlf(it)).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn everything_arrives_as_it_was_and_a_second_run_opens_nothing() {
    let (from, to) = (Setup::with_users(&["terrya"]).start(), Setup::with_users(&["terrya"]).start());
    let mut maker = Mailmaker::new(1);
    let mut messages: Vec<Vec<u8>> = (0..600)
        .map(|_| {
            let size = maker.size();
            maker.message(size)
        })
        .collect();
    messages.extend(corpus());
    messages.push(maker.message(60 << 20));
    fill_oddly(&from, "terrya", messages).await;
    give(&from, "terrya", "small", &vec![400; 10_000], 2).await;

    let haul = Haul::new("terrya", from.port(), to.port());
    let before = contents(from.port(), "terrya").await;
    let total: usize = before.values().map(|it| it.messages.len()).sum();
    let first = haul.mailbox(&[]);
    assert_eq!((first["copied"].as_u64(), first["skipped"].as_u64()), (Some(total as u64), Some(0)));
    let after = contents(to.port(), "terrya").await;
    assert_equal(&before, &after);
    // The order is the source's too, and the source is as it was.
    assert_eq!(before.values().collect::<Vec<_>>(), after.values().collect::<Vec<_>>());
    assert_equal(&before, &contents(from.port(), "terrya").await);

    let trace = haul.file("trace");
    let second = haul.mailbox(&["--trace", trace.to_str().unwrap()]);
    assert_eq!((second["copied"].as_u64(), second["alreadyThere"].as_u64()), (Some(0), Some(total as u64)));
    let said = commands(&trace, "from");
    assert!(said.iter().any(|it| it.contains("LIST")), "{said:?}");
    assert!(
        said.iter().all(|it| !it.contains("EXAMINE") && !it.contains("SELECT") && !it.contains("FETCH")),
        "{said:?}"
    );
    // The target is signed in to while the source is asked, and nothing is opened there.
    let said = commands(&trace, "to");
    assert!(said.iter().all(|it| !it.contains("SELECT") && !it.contains("APPEND")), "{said:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_csv_file_migrates_mailboxes_with_other_target_names() {
    let users = ["terrya", "annb", "paulc"];
    let from = Setup::with_users(&users).start();
    let to = Setup::with_users(&["terrya", "ann.beebe", "paulc"]).start();
    for (seed, user) in (10..).zip(users) {
        give(&from, user, "INBOX", &[3_000; 40], seed).await;
        give(&from, user, "Projekte/Größe", &[30_000, 200, 900], seed + 100).await;
    }
    let haul = Haul::new("", from.port(), to.port());
    let csv = haul.write(
        "users.csv",
        "\u{feff}EmailAddress,UserName,Password,TargetUserName,TargetPassword\r\n\
         terrya@contoso.edu,terrya,secret-terrya,terrya,secret-terrya\r\n\
         annb@contoso.edu,annb,secret-annb,ann.beebe,secret-ann.beebe\r\n\
         paulc@contoso.edu,paulc,secret-paulc,paulc,\"secret-paulc\"\r\n",
    );
    let url = |port| format!("imap+plain://127.0.0.1:{port}");
    let report = haul.file("report.csv");
    let run = || {
        let mut command = program();
        command.args([
            "migrate",
            "--from",
            &url(from.port()),
            "--to",
            &url(to.port()),
            "--concurrency",
            "2",
            "--users",
        ]);
        command.arg(&csv).arg("--data").arg(haul.data()).arg("--report").arg(&report);
        ran(&mut command)
    };
    let first = run();
    first.assert(0);
    assert!(first.stdout.contains("annb@contoso.edu"), "{}", first.stdout);
    for (user, target) in [("terrya", "terrya"), ("annb", "ann.beebe"), ("paulc", "paulc")] {
        assert_equal(&contents(from.port(), user).await, &contents(to.port(), target).await);
    }
    let mut rows = csv::Reader::from_path(&report).unwrap();
    let copied: u64 = rows
        .records()
        .map(Result::unwrap)
        .filter(|row| &row[0] == "Mailbox")
        .map(|row| row[6].parse::<u64>().unwrap())
        .sum();
    assert_eq!(copied, 3 * 43);
    run().assert(0);
}

#[tokio::test(flavor = "multi_thread")]
async fn filters_maps_and_order_are_obeyed() {
    let (from, to) = (Setup::with_users(&["annb"]).start(), Setup::with_users(&["annb"]).start());
    give(&from, "annb", "INBOX", &[500; 20], 1).await;
    give(&from, "annb", "Sent", &[500, 400_000], 2).await;
    give(&from, "annb", "Junk", &[500], 3).await;
    give(&from, "annb", "Projects/Secret", &[500], 4).await;
    let haul = Haul::new("annb", from.port(), to.port());
    let options = [
        "--exclude-folder",
        "Junk",
        "--exclude-folder",
        "Projects/*",
        "--map",
        "Sent=Sent Items",
        "--max-size",
        "100K",
        "--max-items",
        "5",
        "--order",
        "newest",
    ];
    let ran = haul.expect(10, &options);
    assert!(ran.stdout.contains("larger than the limit"), "{}", ran.stdout);
    let target = contents(to.port(), "annb").await;
    assert_eq!(target.keys().collect::<Vec<_>>(), ["INBOX", "Sent Items"]);
    assert_eq!((target["INBOX"].messages.len(), target["Sent Items"].messages.len()), (5, 1));
    let source = contents(from.port(), "annb").await;
    let newest: Vec<_> = source["INBOX"].messages.iter().skip(15).collect();
    assert!(target["INBOX"].messages.iter().all(|it| newest.contains(&it)));
    // A later run copies what is new, and no older messages in place of the copied ones.
    give(&from, "annb", "INBOX", &[500], 5).await;
    haul.expect(10, &options);
    assert_eq!(contents(to.port(), "annb").await["INBOX"].messages.len(), 6);
    // Without the filters the rest comes too.
    haul.expect(0, &["--map", "Sent=Sent Items"]);
    assert_eq!(contents(to.port(), "annb").await["INBOX"].messages.len(), 21);
}

#[tokio::test(flavor = "multi_thread")]
async fn another_separator_and_a_prefix_change_nothing_but_the_names() {
    let from = Setup::with_users(&["paulc"]).start();
    let to = Setup {
        separator: '.',
        prefix: "INBOX.".to_owned(),
        mail_location: "maildir:~/Maildir".to_owned(),
        ..Setup::with_users(&["paulc"])
    }
    .start();
    give(&from, "paulc", "INBOX", &[700; 3], 1).await;
    give(&from, "paulc", "Projekte/Größe & Maße/2020", &[700; 3], 2).await;
    give(&from, "paulc", "v1.2", &[700], 3).await;
    let haul = Haul::new("paulc", from.port(), to.port());
    let ran = haul.expect(0, &[]);
    assert!(ran.stderr.contains("the target's names cannot hold"), "{}", ran.stderr);
    let target = contents(to.port(), "paulc").await;
    let names: Vec<&String> = target.keys().collect();
    assert_eq!(names, ["INBOX", "INBOX.Projekte.Größe & Maße.2020", "INBOX.v1․2"]);
    // And back again, from the server with the prefix.
    let back = Setup::with_users(&["paulc"]).start();
    Haul::new("paulc", to.port(), back.port()).expect(0, &[]);
    let names: Vec<String> = contents(back.port(), "paulc").await.into_keys().collect();
    assert_eq!(names, ["INBOX", "Projekte/Größe & Maße/2020", "v1․2"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_map_file_is_obeyed_and_shown_before() {
    let (from, to) = (Setup::with_users(&["annb"]).start(), Setup::with_users(&["annb"]).start());
    give(&from, "annb", "INBOX", &[500; 2], 1).await;
    give(&from, "annb", "Alt/a/b", &[500], 2).await;
    give(&from, "annb", "Alt", &[500], 3).await;
    give(&from, "annb", "Chats", &[500], 4).await;
    give(&from, "annb", "One", &[500], 5).await;
    give(&from, "annb", "Two", &[500], 6).await;
    let haul = Haul::new("annb", from.port(), to.port());
    let map = haul.write("map.csv", "Source,Target\r\nAlt/*,Neu\r\nChats,\r\nOne,Both\r\n");
    let options = ["--folder-map", map.to_str().unwrap(), "--map", "Two=Both"];
    let dry = haul.expect(0, &[&options[..], &["--dry-run", "--json"]].concat());
    let shown: serde_json::Value = serde_json::from_str(&dry.stdout).unwrap();
    let lines: Vec<String> = shown["mailboxes"][0]["folders"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|it| it["reason"] != "holds no messages")
        .map(|it| format!("{} -> {}: {}", it["folder"], it["targetFolder"], it["reason"]))
        .collect();
    let expected = [
        "\"INBOX\" -> \"INBOX\": \"same name\"",
        "\"Alt\" -> \"Neu\": \"mapped by the operator\"",
        "\"Alt/a/b\" -> \"Neu/a/b\": \"mapped by the operator\"",
        "\"Chats\" -> null: \"left out by the operator's map\"",
        "\"One\" -> \"Both\": \"mapped by the operator\"",
        "\"Two\" -> \"Both\": \"mapped by the operator\"",
    ];
    assert_eq!(lines, expected);
    for _ in 0..2 {
        haul.expect(0, &options);
        let target = contents(to.port(), "annb").await;
        let counts: Vec<(&str, usize)> =
            target.iter().map(|(name, it)| (name.as_str(), it.messages.len())).collect();
        assert_eq!(counts, [("Both", 2), ("INBOX", 2), ("Neu", 1), ("Neu/a/b", 1)]);
    }
    let wrong = haul.write("wrong.csv", "Source,Target\nA,B/*\n");
    let refused = haul.run(&["--folder-map", wrong.to_str().unwrap()]);
    refused.assert(2);
    refused.says(&["wrong.csv", "Row 2, column 2 (Target): \"B/*\" needs a source that ends with * too"]);
    haul.run(&["--map", "A=B", "--map", "A=C"]).says(&["the folder \"A\" is given twice"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn names_that_a_server_refuses_are_written_otherwise() {
    let from = Setup::with_users(&["annb"]).start();
    // Maildir++ has the dot between its levels on the disk, whatever the separator is.
    let to = Setup { mail_location: "maildir:~/Maildir".to_owned(), ..Setup::with_users(&["annb"]) }.start();
    give(&from, "annb", "v1.2/x.y", &[500], 1).await;
    give(&from, "annb", "v1․2", &[500], 2).await;
    give(&from, "annb", "plain", &[500], 3).await;
    let haul = Haul::new("annb", from.port(), to.port());
    for copied in [3, 0] {
        assert_eq!(haul.mailbox(&[])["copied"].as_u64(), Some(copied));
        let names: Vec<String> = contents(to.port(), "annb").await.into_keys().collect();
        assert_eq!(names, ["INBOX", "plain", "v1․2", "v1․2/x․y"]);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn servers_that_offer_nothing_but_the_bare_protocol() {
    let poor = || Setup {
        extra: "protocol imap {\n imap_capability = IMAP4rev1\n}\n".to_owned(),
        ..Setup::with_users(&["annb"])
    };
    let (from, to) = (poor().start(), poor().start());
    give(&from, "annb", "INBOX", &[900; 120], 1).await;
    give(&from, "annb", "INBOX", &[900; 20], 1).await; // each of these is there twice
    give(&from, "annb", "Größe/deep", &[400_000, 700, 300_000], 2).await;
    let haul = Haul::new("annb", from.port(), to.port());
    let trace = haul.file("trace");
    haul.expect(0, &["--trace", trace.to_str().unwrap()]);
    assert_same(&from, &to, "annb").await;
    let said = commands(&trace, "to");
    assert!(said.iter().any(|it| it.contains("APPEND")), "{said:?}");
    assert!(
        said.iter().all(|it| !it.contains("+}") && !it.contains("UID MOVE") && !it.contains("ENABLE")),
        "{said:?}"
    );
    // Every folder is looked into, because the server cannot say what changed; nothing is sent again.
    assert_eq!(haul.mailbox(&[])["copied"].as_u64(), Some(0));
    // Killed before an answer says which message got which UID.
    give(&from, "annb", "INBOX", &[900; 1500], 3).await;
    for _ in 0..4 {
        let mut child = haul.spawn(&[]);
        std::thread::sleep(std::time::Duration::from_millis(150));
        let _ended_already = child.kill();
        child.wait().unwrap();
    }
    haul.expect(0, &[]);
    assert_same(&from, &to, "annb").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_user_root_is_taken_for_the_whole_mailbox() {
    let (from, to) = (Setup::with_users(&["shared"]).start(), Setup::with_users(&["annb"]).start());
    give(&from, "shared", "users/annb", &[700; 3], 1).await;
    give(&from, "shared", "users/annb/Sent", &[700; 2], 2).await;
    give(&from, "shared", "users/paulc", &[700; 4], 3).await;
    give(&from, "shared", "INBOX", &[700; 5], 4).await;
    let haul = Haul::new("", from.port(), to.port());
    let run = |root: &str| {
        let text = format!(
            "EmailAddress,UserName,Password,UserRoot,TargetUserName,TargetPassword\nannb@contoso.edu,shared,secret-shared,{root},annb,secret-annb\n"
        );
        let csv = haul.write("users.csv", text);
        let mut command = program();
        let url = |port| format!("imap+plain://127.0.0.1:{port}");
        command.args(["migrate", "--from", &url(from.port()), "--to", &url(to.port()), "--users"]);
        command.arg(csv).arg("--data").arg(haul.data());
        ran(&mut command)
    };
    run("/users/annb").assert(0);
    let target = contents(to.port(), "annb").await;
    let counts: Vec<(&str, usize)> =
        target.iter().map(|(name, it)| (name.as_str(), it.messages.len())).collect();
    assert_eq!(counts, [("INBOX", 3), ("Sent", 2)]);
    let lost = run("/users/nobody");
    lost.assert(20);
    lost.says(&["there is no folder \"users/nobody\" (UserRoot)", "row 2"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_slow_connection_is_compressed() {
    let compressing = || {
        let extra = "protocol imap {\n mail_plugins = imap_zlib\n}\n".to_owned();
        Setup { extra, ..Setup::with_users(&["annb"]) }.start()
    };
    let (from, to) = (compressing(), compressing());
    give(&from, "annb", "INBOX", &[50_000; 180], 1).await;
    give(&from, "annb", "large", &[5_000_000, 2_000_000, 700, 1_000_000], 2).await;
    let line =
        Faults { delay: std::time::Duration::from_millis(5), rate: Some(3_000_000), ..Faults::default() };
    let (near, far) = (Proxy::start(from.port(), line), Proxy::start(to.port(), line));
    let haul = Haul::new("annb", near.port(), far.port());
    let trace = haul.file("trace");
    haul.expect(0, &["--trace", trace.to_str().unwrap()]);
    assert_same(&from, &to, "annb").await;
    for side in ["from", "to"] {
        let said = commands(&trace, side);
        assert!(said.iter().any(|it| it.ends_with("COMPRESS DEFLATE")), "{side}: {said:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_slow_network_and_tls_carry_the_same() {
    let certificate = mailhaul_testkit::Certificate::valid();
    let from = Setup::with_users(&["annb"]).start_tls(&certificate);
    let to = Setup::with_users(&["annb"]).start_tls(&certificate);
    give(&from, "annb", "INBOX", &[9_000; 300], 1).await;
    give(&from, "annb", "big", &[3_000_000, 500, 3_000_000], 2).await;
    let slow = Faults { delay: std::time::Duration::from_millis(10), ..Faults::default() };
    let (near, far) = (Proxy::start(from.port(), slow), Proxy::start(to.tls_port(), slow));
    let mut haul = Haul::new("annb", 0, 0);
    haul.from = format!("imap://annb@localhost:{}", near.port());
    haul.to = format!("imaps://annb@localhost:{}", far.port());
    let ca = certificate.ca_file();
    let pin = certificate.sha256().to_owned();
    haul.expect(0, &["--from-ca", ca.to_str().unwrap(), "--to-pin", &pin]);
    assert_same(&from, &to, "annb").await;
    // Far away, each of the two folders has a lane of its own.
    assert_eq!((near.connections(), far.connections()), (2, 2));
}

#[tokio::test(flavor = "multi_thread")]
async fn rates_slow_a_run_and_change_nothing_else() {
    let (from, to) = (Setup::with_users(&["annb"]).start(), Setup::with_users(&["annb"]).start());
    give(&from, "annb", "INBOX", &[2_000; 30], 90).await;
    give(&from, "annb", "Sent", &[400_000; 2], 91).await;
    let haul = Haul::new("annb", from.port(), to.port());
    haul.expect(0, &["--messages-per-second", "20", "--bytes-per-second", "1M"]);
    assert_same(&from, &to, "annb").await;
    for (option, value) in
        [("--messages-per-second", "0"), ("--bytes-per-second", "0"), ("--bytes-per-second", "fast")]
    {
        haul.run(&[option, value]).assert(2);
    }
}
