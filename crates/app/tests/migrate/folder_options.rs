//! Folders: options that match nothing, maps, views, and folders that are renamed.

use mailhaul_imap::MailboxName;
use mailhaul_testkit::{Dovecot, Setup, connect};

use crate::support::{Haul, assert_same, contents, give};

const NEAR: &str = "\"Snet\" matches no folder, did you mean \"Sent\"?";

async fn pair(user: &str) -> (Dovecot, Dovecot) {
    let (from, to) = (Setup::with_users(&[user]).start(), Setup::with_users(&[user]).start());
    give(&from, user, "INBOX", &[700; 3], 1).await;
    give(&from, user, "Sent", &[700; 2], 2).await;
    (from, to)
}

#[tokio::test(flavor = "multi_thread")]
async fn options_that_match_no_folder_are_named() {
    let (from, to) = pair("annb").await;
    let haul = Haul::new("annb", from.port(), to.port());
    // Nothing is left to copy: the operator meant something else.
    for more in [&["--include-folder", "Snet"][..], &["--include-folder", "Snet", "--dry-run"]] {
        let ran = haul.expect(2, more);
        ran.says(&["no folder is left to copy", NEAR, "--include-folder"]);
        assert!(contents(to.port(), "annb").await.values().all(|it| it.messages.is_empty()));
    }
    // Something is left: it is copied.
    let ran = haul.expect(0, &["--exclude-folder", "Snet", "--map", "Snet=Foo", "--include-folder", "INBOX"]);
    ran.says(&[
        &format!("warning: annb: --exclude-folder: {NEAR}"),
        &format!("warning: annb: --map: {NEAR}"),
    ]);
    assert_eq!(contents(to.port(), "annb").await["INBOX"].messages.len(), 3);
    // A later run of the same mailbox: a warning.
    haul.expect(0, &["--include-folder", "Snet"]).says(&[&format!("--include-folder: {NEAR}")]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_map_for_all_folders_puts_them_below_another_and_back() {
    let (from, to) = pair("annb").await;
    Haul::new("annb", from.port(), to.port()).expect(0, &["--map", "*=Old/*"]);
    let names = |it: std::collections::BTreeMap<String, _>| it.into_keys().collect::<Vec<String>>();
    let there = contents(to.port(), "annb").await;
    assert_eq!((there["Old/INBOX"].messages.len(), there["Old/Sent"].messages.len()), (3, 2));
    let back = Setup::with_users(&["annb"]).start();
    Haul::new("annb", to.port(), back.port()).expect(0, &["--map", "Old/*=*", "--exclude-folder", "INBOX"]);
    let there = contents(back.port(), "annb").await;
    assert_eq!((there["INBOX"].messages.len(), there["Sent"].messages.len()), (3, 2), "{:?}", names(there));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_renamed_folder_is_renamed_on_the_target() {
    let (from, to) = pair("annb").await;
    give(&from, "annb", "Old", &[700; 4], 3).await;
    give(&from, "annb", "Old/2020", &[700; 2], 4).await;
    let haul = Haul::new("annb", from.port(), to.port());
    haul.expect(0, &[]);
    let mut session = connect(from.port(), "annb", &Dovecot::password("annb")).await;
    session.rename(&MailboxName::from_text("Old"), &MailboxName::from_text("New")).await.unwrap();
    session.logout().await.unwrap();
    let mailbox = haul.mailbox(&[]);
    assert_eq!((&mailbox["copied"], &mailbox["moved"]), (&0.into(), &0.into()), "{mailbox:#}");
    assert_same(&from, &to, "annb").await;
}
