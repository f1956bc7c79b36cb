//! To and from Microsoft 365.

use std::time::Duration;

use mailhaul_engine::ErrorKind;
use mailhaul_mail::{Flags, Retry};
use mailhaul_testkit::{
    Mailmaker,
    fake::{Personality, Throttle},
};

use crate::support::{Contents, Login, Route, assert_same, contents, fill, limited, start};

const FOLDERS: [&str; 4] = ["INBOX", "Sent Items", "Projects", "Projects/2024"];

/// Keywords, which it does not keep.
fn loses(flag: &str) -> bool {
    !flag.starts_with('\\')
}

/// The expected contents of the target: no message with a line above the limit.
fn expected(source: &Contents) -> Contents {
    let has_long_line = |octets: &[u8]| octets.split(|it| *it == b'\n').any(|it| it.len() > 10_239);
    let mut expected = source.clone();
    for messages in expected.values_mut() {
        messages.retain(|(octets, ..)| !has_long_line(octets));
    }
    expected
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn fifty_mailboxes_arrive_despite_throttling_and_breaks() {
    // Tokens end before the server throttles: each stretch between two backoffs has such an end.
    let target = limited(Personality::microsoft_365(), |it| {
        it.throttle = Some(Throttle {
            messages: 400,
            within: Duration::from_mins(2),
            backoff: Duration::from_millis(299_961),
        });
        it.token_lifetime = Duration::from_mins(1);
        it.commands_per_connection = Some(190);
    });
    let mut route = Route::new(start(Personality::plain()).await, start(target).await);
    route.login.1 = Login::ApplicationToken;
    let users = route.add_users(50);
    for (seed, user) in (0..).zip(&users) {
        fill(&route.source, user, seed, &FOLDERS, 2_000);
    }
    // All have messages with long lines; two of them have more than the allowed errors of a session.
    let mut maker = Mailmaker::new(99);
    let long: Vec<usize> = (0..users.len()).map(|it| if it < 2 { 13 } else { 2 }).collect();
    for (user, long) in users.iter().zip(&long) {
        route.source.with(&user.name, |mailbox| {
            for number in 0..*long {
                let subject = format!("Subject: long {number}\r\n\r\n");
                let octets = [subject.as_bytes(), &[b'x'; 10_500], b"\r\n"].concat();
                mailbox.add("Projects", octets, Flags::new(), maker.date());
            }
        });
    }
    let migrated = route.migrate(&users).await;
    route.assert_obedient();
    for ((user, migrated), long) in users.iter().zip(&migrated).zip(&long) {
        assert_same(
            user,
            &expected(&contents(&route.source, user, loses)),
            &contents(&route.target, user, loses),
        );
        assert_eq!(migrated.report.total(|it| it.copied + it.already), 2_000, "{}", user.name);
        let did = |what| route.target.count(&user.name, what);
        assert!(did("throttled") >= 3, "{}: {}", user.name, did("throttled"));
        // Which of the two ends a connection depends on the mailbox that had the token replaced.
        assert!(did("expired") + did("broken") >= 5, "{}: {} {}", user.name, did("expired"), did("broken"));
        assert!(did("refused") >= *long as u64, "{}: {}", user.name, did("refused"));
        // Sessions are replaced before the last allowed error.
        assert_eq!(did("bye"), 0, "{}", user.name);
        let skipped: Vec<&str> = migrated.report.skipped().map(|(_, it)| it.reason.as_str()).collect();
        assert_eq!(skipped.len(), *long, "{}", user.name);
        assert!(skipped.iter().all(|it| it.contains("Command Argument Error. 11")), "{skipped:?}");
    }
    for what in ["expired", "broken"] {
        let all: u64 = users.iter().map(|it| route.target.count(&it.name, what)).sum();
        assert!(all >= 50, "{what}: {all}");
    }
    // Only skipped messages are tried again.
    let again = route.migrate(&users).await;
    route.assert_obedient();
    assert_eq!(again.iter().map(|it| it.copied).sum::<u64>(), 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_target_that_rewrites_headers_is_not_filled_twice() {
    let target = Personality::microsoft_365().rewriting_headers();
    let target = limited(target, |it| it.token_lifetime = Duration::from_secs(30));
    let mut route = Route::new(start(Personality::plain()).await, start(target).await);
    route.login.1 = Login::Token;
    let users = route.add_users(2);
    for (seed, user) in (50..).zip(&users) {
        fill(&route.source, user, seed, &FOLDERS, 300);
    }
    route.migrate(&users).await;
    assert!(users.iter().all(|it| route.target.count(&it.name, "expired") >= 1));
    for user in &users {
        for name in FOLDERS {
            let there = route.source.with(&user.name, |it| it.messages(name).len());
            assert_eq!(route.target.with(&user.name, |it| it.messages(name).len()), there, "{name}");
        }
    }
    assert_eq!(route.migrate(&users).await.iter().map(|it| it.copied).sum::<u64>(), 0);
    route.assert_obedient();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn mailboxes_leave_with_estimated_sizes_and_ended_tokens() {
    let source = limited(Personality::microsoft_365(), |it| it.token_lifetime = Duration::from_secs(10));
    let mut route = Route::new(start(source).await, start(Personality::plain()).await);
    route.login.0 = Login::Token;
    let users = route.add_users(4);
    for (seed, user) in (200..).zip(&users) {
        fill(&route.source, user, seed, &FOLDERS, 500);
    }
    route.migrate(&users).await;
    route.assert_obedient();
    for user in &users {
        assert_same(
            user,
            &contents(&route.source, user, |_| false),
            &contents(&route.target, user, |_| false),
        );
        assert!(route.source.count(&user.name, "expired") >= 2, "{}", user.name);
    }
    // Without CONDSTORE, changed flags are found, and nothing is copied again.
    for user in &users {
        route
            .source
            .with(&user.name, |it| it.set_flags("INBOX", 1, ["\\Answered", "\\Seen"].into_iter().collect()));
    }
    assert_eq!(route.migrate(&users).await.iter().map(|it| it.copied).sum::<u64>(), 0);
    for user in &users {
        assert_same(
            user,
            &contents(&route.source, user, |_| false),
            &contents(&route.target, user, |_| false),
        );
    }
    route.assert_obedient();
}

/// Microsoft 365 lists `$MDNSent` as permanent, and makes it a category.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn flags_come_and_go_and_no_keyword_becomes_a_category() {
    let route = Route::new(start(Personality::plain()).await, start(Personality::microsoft_365()).await);
    let users = route.add_users(1);
    let user = &users[0];
    fill(&route.source, user, 3, &["INBOX"], 3);
    // As a new message, and by changes: to only keywords, to more, to less.
    let table = [
        ["\\Flagged \\Seen $MDNSent", "$MDNSent work", ""],
        ["\\Seen $mdnsent", "\\Flagged $MDNSent", "$MDNSent"],
        ["$MDNSent \\Flagged", "\\Answered", "\\Flagged \\Draft work"],
    ];
    for row in table {
        for (uid, flags) in (1..).zip(row) {
            let flags: Flags = flags.split_whitespace().collect();
            route.source.with(&user.name, |it| it.set_flags("INBOX", uid, flags));
        }
        route.migrate(&users).await;
        let found = contents(&route.target, user, |_| false);
        assert_same(user, &contents(&route.source, user, loses), &found);
    }
    route.assert_obedient();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn lanes_that_are_throttled_lose_nothing() {
    let mut route = Route::new(start(Personality::plain()).await, start(Personality::microsoft_365()).await);
    route.places = 3;
    let users = route.add_users(2);
    for (seed, user) in (70..).zip(&users) {
        fill(&route.source, user, seed, &FOLDERS, 500);
    }
    route.migrate(&users).await;
    for user in &users {
        assert_same(user, &contents(&route.source, user, loses), &contents(&route.target, user, loses));
        assert!(route.target.count(&user.name, "throttled") >= 2);
        assert!(route.target.count(&user.name, "logins") > 3);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_mailbox_that_is_not_connected_is_a_matter_of_rights() {
    let route = Route::new(start(Personality::microsoft_365()).await, start(Personality::plain()).await);
    let users = route.add_users(1);
    route.source.shut(&users[0].name);
    let error = route.pass(&users[0]).await.error.unwrap();
    assert_eq!((error.kind, error.retry), (ErrorKind::Authentication, Retry::Never), "{error}");
    assert!(error.message.contains("User is authenticated but not connected."), "{error}");
}
