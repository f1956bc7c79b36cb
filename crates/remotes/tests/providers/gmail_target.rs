//! To Gmail: equal bytes are one message, and a day has a limit.

use std::{collections::BTreeSet, time::Duration};

use mailhaul_mail::Flags;
use mailhaul_testkit::{Mailmaker, fake::Personality};

use crate::support::{Login, Route, Seen, contents, fill, limited, start};

const FOLDERS: [&str; 4] = ["INBOX", "Projects", "Projects/2024", "Reisen &- mehr"];

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn fifty_mailboxes_arrive_within_their_daily_budgets() {
    let target = limited(Personality::gmail(), |it| {
        it.upload_per_day = Some(800_000);
        it.token_lifetime = Duration::from_secs(100);
        it.commands_per_connection = Some(250);
    });
    let mut route = Route::new(start(Personality::plain()).await, start(target).await);
    route.login.1 = Login::Token;
    let users = route.add_users(50);
    for (seed, user) in (0..).zip(&users) {
        fill(&route.source, user, seed, &FOLDERS, 2_000);
        // The same message in two folders, and twice in one.
        route.source.with(&user.name, |mailbox| {
            for (_, kept) in mailbox.messages("INBOX").into_iter().take(5) {
                mailbox.add("Projects", kept.octets.to_vec(), kept.flags.clone(), kept.date);
                mailbox.add("INBOX", kept.octets.to_vec(), kept.flags, kept.date);
            }
        });
    }
    let migrated = route.migrate(&users).await;
    route.assert_obedient();
    let set = |messages: &[Seen]| messages.iter().cloned().collect::<BTreeSet<Seen>>();
    for (user, migrated) in users.iter().zip(&migrated) {
        // Of equal messages, one is kept in each folder.
        let (source, target) =
            (contents(&route.source, user, |_| false), contents(&route.target, user, |_| false));
        for folder in FOLDERS {
            assert!(set(&source[folder]) == set(&target[folder]), "{}: {folder}", user.name);
            assert_eq!(target[folder].len(), set(&target[folder]).len(), "{}: {folder}", user.name);
        }
        assert_eq!(route.target.with(&user.name, |it| it.total()), 2_000, "{}", user.name);
        assert_eq!(migrated.report.total(|it| it.copied + it.already), 2_010, "{}", user.name);
        for what in ["budget", "expired", "broken"] {
            assert!(route.target.count(&user.name, what) >= 1, "{}: {what}", user.name);
        }
    }
    let again = route.migrate(&users).await;
    assert_eq!(again.iter().map(|it| it.copied).sum::<u64>(), 0);
    route.assert_obedient();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_message_with_nul_costs_the_connection_and_nothing_else() {
    let route = Route::new(start(Personality::plain()).await, start(Personality::gmail()).await);
    let users = route.add_users(1);
    let user = &users[0];
    fill(&route.source, user, 1, &FOLDERS, 80);
    let mut maker = Mailmaker::new(2);
    route.source.with(&user.name, |mailbox| {
        let octets = b"Subject: nothing\r\n\r\n\0\r\n".to_vec();
        mailbox.add("INBOX", octets, Flags::new(), maker.date());
        let (octets, flags, date) = maker.item(400);
        mailbox.add("INBOX", octets, flags, date);
    });
    let migrated = route.migrate(&users).await;
    assert_eq!(migrated[0].copied, 81, "{:#?}", migrated[0].broken);
    let skipped: Vec<String> =
        migrated[0].report.skipped().map(|(folder, it)| format!("{folder}: {}", it.reason)).collect();
    assert_eq!(skipped.len(), 1, "{skipped:?}");
    assert_eq!(route.target.with(&user.name, |it| it.total()), 81);
    route.assert_obedient();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn messages_marked_as_deleted_are_not_expunged_on_arrival() {
    let route = Route::new(start(Personality::plain()).await, start(Personality::gmail()).await);
    let users = route.add_users(1);
    let user = &users[0];
    let mut maker = Mailmaker::new(8);
    route.source.with(&user.name, |mailbox| {
        mailbox.create("Projects");
        for flags in ["\\Deleted \\Seen", "\\Seen", "\\Deleted"] {
            let (octets, _, date) = maker.item(400);
            mailbox.add("Projects", octets, flags.split_whitespace().collect(), date);
        }
    });
    route.migrate(&users).await;
    let expected = contents(&route.source, user, |it| it == "\\Deleted");
    assert!(expected["Projects"] == contents(&route.target, user, |_| false)["Projects"]);
    route.assert_obedient();
}
