//! From Gmail: each message once, or once for each label.

use std::{collections::BTreeMap, time::Duration};

use mailhaul_remotes::LabelPolicy;
use mailhaul_testkit::{
    Mailmaker,
    fake::{Fake, Mailbox, Personality},
};

use crate::support::{Contents, Login, Route, User, assert_same, contents, item, limited, seen, start};

const ALL: &str = "[Gmail]/Alle Nachrichten";
const SENT: &str = "[Gmail]/Gesendet";
const DRAFTS: &str = "[Gmail]/Entw&APw-rfe";
const IMPORTANT: &str = "[Gmail]/Wichtig";
const SPAM: &str = "[Gmail]/Spam";
const TRASH: &str = "[Gmail]/Papierkorb";
/// Precedence of folders as the home of a message.
const ORDER: [&str; 9] = [SPAM, TRASH, "INBOX", SENT, DRAFTS, "Work/2024", "Work/2025", "Receipts", "Work"];

/// Mail with all labels, in every mixture.
fn fill(mailbox: &mut Mailbox, seed: u64, count: usize) {
    let mut maker = Mailmaker::new(seed);
    for label in ["Work", "Work/2024", "Work/2025", "Receipts"] {
        mailbox.create(label);
    }
    for _ in 0..count {
        let (octets, flags, date) = item(&mut maker);
        match maker.number(20) {
            0 => _ = mailbox.add(SPAM, octets, flags, date),
            1 => _ = mailbox.add(TRASH, octets, flags, date),
            _ => {
                let uid = mailbox.add(ALL, octets, flags, date);
                for label in ["INBOX", SENT, DRAFTS, IMPORTANT, "Work", "Work/2024", "Work/2025", "Receipts"]
                {
                    if maker.number(4) == 0 {
                        mailbox.copy(ALL, uid, label);
                    }
                }
            }
        }
    }
}

/// The folders of each message, without views.
fn places(mailbox: &Mailbox) -> BTreeMap<Vec<u8>, Vec<&'static str>> {
    let mut places: BTreeMap<Vec<u8>, Vec<&'static str>> = BTreeMap::new();
    for folder in ORDER.into_iter().chain([ALL]) {
        for (_, kept) in mailbox.messages(folder) {
            places.entry(kept.octets.to_vec()).or_default().push(folder);
        }
    }
    places
}

/// The expected contents of the target.
fn expected(server: &Fake, user: &User, policy: LabelPolicy) -> Contents {
    server.with(&user.name, |mailbox| {
        let places = places(mailbox);
        let mut expected = Contents::new();
        for folder in ORDER.into_iter().chain([ALL]) {
            for (_, kept) in mailbox.messages(folder) {
                let places = &places[kept.octets.as_slice()];
                let is_here = match policy {
                    LabelPolicy::PrimaryFolder => places[0] == folder,
                    LabelPolicy::EveryFolder => folder != ALL || places.len() == 1,
                };
                if is_here {
                    expected.entry(folder.to_owned()).or_default().push(seen(&kept, |_| false));
                }
            }
        }
        for messages in expected.values_mut() {
            messages.sort();
        }
        expected
    })
}

fn personality() -> Personality {
    limited(Personality::gmail_in_german(), |it| {
        it.bodies_per_connection = Some(110);
        it.download_per_day = Some(250_000);
    })
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn fifty_mailboxes_arrive_despite_limits_and_broken_bodies() {
    let source = limited(Personality::gmail_in_german(), |it| {
        it.bodies_per_connection = Some(100);
        it.download_per_day = Some(1_000_000);
        it.token_lifetime = Duration::from_secs(15);
        it.fetch_time = Duration::from_millis(100);
    });
    let mut route = Route::new(start(source).await, start(Personality::plain()).await);
    route.login.0 = Login::Token;
    let users = route.add_users(50);
    for (seed, user) in (0..).zip(&users) {
        route.source.with(&user.name, |it| fill(it, seed, 2_000));
    }
    let migrated = route.migrate(&users).await;
    route.assert_obedient();
    for (user, migrated) in users.iter().zip(&migrated) {
        let expected = expected(&route.source, user, LabelPolicy::PrimaryFolder);
        assert_eq!(expected.values().map(Vec::len).sum::<usize>(), 2_000);
        assert_same(user, &expected, &contents(&route.target, user, |_| false));
        assert_eq!(migrated.report.total(|it| it.copied + it.already), 2_000, "{}", user.name);
        for what in ["bye", "budget", "expired"] {
            assert!(route.source.count(&user.name, what) >= 1, "{}: {what}", user.name);
        }
    }
    let again = route.migrate(&users).await;
    for again in &again {
        assert_eq!((again.copied, again.moved), (0, 0));
        // Each message counts once, even without a scan.
        assert_eq!(again.report.total(|it| it.seen), 2_000);
    }
    route.assert_obedient();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn labels_that_change_move_messages_and_copy_none() {
    let route = Route::new(start(Personality::gmail_in_german()).await, start(Personality::plain()).await);
    let users = route.add_users(1);
    let (user, policy) = (&users[0], LabelPolicy::PrimaryFolder);
    route.source.with(&user.name, |it| fill(it, 7, 200));
    route.migrate(&users).await;
    // Archived, back in the inbox, another label, into the trash, one label less.
    route.source.with(&user.name, |mailbox| {
        let uids = |folder: &str, mailbox: &Mailbox| -> Vec<u32> {
            mailbox.messages(folder).iter().map(|(uid, _)| *uid).collect()
        };
        let inbox = uids("INBOX", mailbox);
        mailbox.remove("INBOX", inbox[0]);
        mailbox.copy("INBOX", inbox[1], TRASH);
        let work = uids("Work", mailbox);
        for uid in &work[..3] {
            mailbox.copy("Work", *uid, "INBOX");
        }
        let receipts = uids("Receipts", mailbox);
        mailbox.remove("Receipts", *receipts.last().unwrap());
        let all = uids(ALL, mailbox);
        for uid in &all[..20] {
            mailbox.copy(ALL, *uid, "Work/2024");
        }
    });
    let changed = route.migrate(&users).await;
    assert_same(user, &expected(&route.source, user, policy), &contents(&route.target, user, |_| false));
    assert_eq!(changed[0].copied, 0, "{:#?}", changed[0].report);
    assert!(changed[0].moved > 3, "{:#?}", changed[0].report);
    route.assert_obedient();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_renamed_label_changes_homes_of_unchanged_messages() {
    let route = Route::new(start(Personality::gmail_in_german()).await, start(Personality::plain()).await);
    let users = route.add_users(1);
    let user = &users[0];
    let mut maker = Mailmaker::new(3);
    route.source.with(&user.name, |mailbox| {
        for label in ["a", "c"] {
            mailbox.create(label);
        }
        for _ in 0..5 {
            let (octets, flags, date) = item(&mut maker);
            let uid = mailbox.add("a", octets, flags, date);
            mailbox.copy("a", uid, "c");
        }
    });
    route.migrate(&users).await;
    let held = |folder: &str| route.target.with(&user.name, |it| it.messages(folder).len());
    assert_eq!((held("a"), held("c")), (5, 0));
    route.source.with(&user.name, |it| it.rename("a", "z"));
    let renamed = route.migrate(&users).await;
    assert_eq!((held("a"), held("c"), held("z")), (0, 5, 0), "{:#?}", renamed[0].report);
    assert_eq!((renamed[0].copied, renamed[0].moved), (0, 5));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_label_gets_a_copy_and_the_archive_what_has_none() {
    let mut route = Route::new(start(personality()).await, start(Personality::plain()).await);
    route.policy = LabelPolicy::EveryFolder;
    let users = route.add_users(2);
    for (seed, user) in (30..).zip(&users) {
        route.source.with(&user.name, |it| fill(it, seed, 200));
    }
    let migrated = route.migrate(&users).await;
    for (user, migrated) in users.iter().zip(&migrated) {
        let expected = expected(&route.source, user, LabelPolicy::EveryFolder);
        assert_same(user, &expected, &contents(&route.target, user, |_| false));
        let left_out: Vec<&str> = migrated
            .report
            .folders
            .iter()
            .filter(|it| it.reason.contains("a view"))
            .map(|it| it.source.name())
            .collect();
        assert_eq!(left_out, ["Markiert", "Wichtig"]);
    }
    // Another policy: every folder is scanned again, and surplus copies go, which only this migration made.
    route.policy = LabelPolicy::PrimaryFolder;
    route.migrate(&users).await;
    for user in &users {
        let expected = expected(&route.source, user, LabelPolicy::PrimaryFolder);
        assert_same(user, &expected, &contents(&route.target, user, |_| false));
    }
    route.assert_obedient();
}

/// Folders of a German mailbox, by their names in an English one.
const IN_ENGLISH: [(&str, &str); 5] = [
    (SPAM, "[Gmail]/Spam"),
    (TRASH, "[Gmail]/Trash"),
    (SENT, "[Gmail]/Sent Mail"),
    (DRAFTS, "[Gmail]/Drafts"),
    (ALL, "[Gmail]/All Mail"),
];

fn in_english(folder: &str) -> &str {
    IN_ENGLISH.iter().find(|(german, _)| *german == folder).map_or(folder, |(_, english)| english)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn from_gmail_to_gmail_a_message_stays_one_with_all_its_labels() {
    let mut route =
        Route::new(start(Personality::gmail_in_german()).await, start(Personality::gmail()).await);
    route.policy = LabelPolicy::EveryFolder;
    let users = route.add_users(2);
    for (seed, user) in (40..).zip(&users) {
        route.source.with(&user.name, |it| fill(it, seed, 200));
    }
    route.migrate(&users).await;
    let assert_alike = || {
        for user in &users {
            let expected = route.source.with(&user.name, |it| places(it));
            assert_eq!(route.target.with(&user.name, |it| it.total()), expected.len(), "{}", user.name);
            for folder in ORDER.into_iter().chain([ALL]) {
                let octets = |server: &Fake, name: &str| {
                    let messages = server.with(&user.name, |it| it.messages(name));
                    let mut octets: Vec<_> = messages.iter().map(|(_, it)| it.octets.to_vec()).collect();
                    octets.sort();
                    octets
                };
                let (source, target) =
                    (octets(&route.source, folder), octets(&route.target, in_english(folder)));
                assert!(source == target, "{}: {folder}: {} {}", user.name, source.len(), target.len());
            }
        }
    };
    assert_alike();
    // One label more, one label less.
    for user in &users {
        route.source.with(&user.name, |mailbox| {
            let uid = mailbox.messages("INBOX")[0].0;
            mailbox.copy("INBOX", uid, "Receipts");
            let uid = mailbox.messages("Work")[0].0;
            mailbox.remove("Work", uid);
        });
    }
    route.migrate(&users).await;
    assert_alike();
    let again = route.migrate(&users).await;
    assert_eq!(again.iter().map(|it| it.copied + it.moved).sum::<u64>(), 0);
    route.assert_obedient();
}
