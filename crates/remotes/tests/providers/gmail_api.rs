//! To Gmail by its API: uploads small and large, with failures, each message once.

use std::{collections::BTreeMap, time::Duration};

use mail_parser::MessageParser;
use mailhaul_engine::{ErrorKind, Ledger as _};
use mailhaul_mail::{Flags, InternalDate, Retry};
use mailhaul_testkit::{
    Mailmaker,
    fake::{Fault, Personality, Step},
};

use crate::memory::Crash;
use crate::support::{Contents, Login, Migrated, Route, User, assert_same, contents, limited, start};

const MINUTE: Duration = Duration::from_mins(1);

/// A mailbox on its way to a Gmail that takes no byte by APPEND.
struct Trip {
    route: Route,
    user: User,
    maker: Mailmaker,
}

impl Trip {
    async fn new() -> Self {
        Self::to(limited(Personality::gmail(), |it| it.upload_per_day = Some(0))).await
    }

    async fn to(target: Personality) -> Self {
        let mut route = Route::new(start(Personality::plain()).await, start(target).await);
        route.login.1 = Login::Api;
        let user = route.add_users(1).remove(0);
        Self { route, user, maker: Mailmaker::new(7) }
    }

    /// Adds a message of about this size that arrived at the time of its Date field.
    fn put(&mut self, folder: &str, octets: usize, flags: &str) -> Vec<u8> {
        let message = self.maker.message(octets);
        let date = MessageParser::new().parse(&message).unwrap().date().unwrap().to_timestamp();
        self.put_message(folder, message.clone(), flags, InternalDate::new(date, 0).unwrap());
        message
    }

    fn put_message(&self, folder: &str, message: Vec<u8>, flags: &str, date: InternalDate) {
        let flags: Flags = flags.split_whitespace().collect();
        self.route.source.with(&self.user.name, |mailbox| {
            mailbox.create(folder);
            mailbox.add(folder, message, flags, date);
        });
    }

    fn fail(&self, step: Step, fault: Fault) {
        self.route.target.fail(&self.user.name, step, fault);
    }

    fn count(&self, what: &str) -> u64 {
        self.route.target.count(&self.user.name, what)
    }

    async fn migrate(&self) -> Migrated {
        self.route.migrate(std::slice::from_ref(&self.user)).await.remove(0)
    }

    fn source(&self) -> Contents {
        contents(&self.route.source, &self.user, |_| false)
    }

    /// The contents of the target, without folders that only show messages of others.
    fn target(&self) -> Contents {
        let mut there = contents(&self.route.target, &self.user, |_| false);
        there.retain(|name, _| !["[Gmail]/All Mail", "[Gmail]/Starred"].contains(&name.as_str()));
        there
    }

    /// All messages exist, came by the API, and exist once.
    async fn assert_there(&self, messages: u64) {
        assert_same(&self.user, &self.source(), &self.target());
        assert_eq!((self.count("imported"), self.count("appended")), (messages, 0));
        assert_eq!(self.route.target.with(&self.user.name, |it| it.total() as u64), messages);
        self.assert_known().await;
        let again = self.migrate().await;
        assert_eq!((again.copied, again.moved), (0, 0));
        assert_eq!(self.count("imported"), messages);
        self.route.assert_obedient();
    }

    /// The ledger knows the UID of each message.
    async fn assert_known(&self) {
        for folder in self.user.ledger.folders().await.unwrap() {
            let state = self.user.ledger.folder(&folder.folder).await.unwrap().unwrap();
            let unknown = state.done().filter(|(_, it)| it.target_uid.is_none()).count();
            assert_eq!(unknown, 0, "{}", folder.folder);
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn messages_small_and_large_arrive_with_flags_and_labels() {
    let mut trip = Trip::new().await;
    let flags =
        ["", "\\Seen", "\\Flagged", "\\Seen \\Answered", "\\Seen \\Flagged work $Forwarded", "\\Draft"];
    for number in 0..120 {
        let folder = ["INBOX", "Projects", "Projects/2024", "Reisen &- mehr", "B&APw-ro"][number % 5];
        trip.put(folder, 300 + number * 20, flags[number % flags.len()]);
    }
    for (octets, flags) in [(300_000, "\\Seen"), (1_200_000, ""), (3_300_000, "\\Flagged work")] {
        trip.put("Projects", octets, flags);
    }
    let migrated = trip.migrate().await;
    assert_eq!((migrated.copied, migrated.broken), (123, Vec::<String>::new()));
    assert_eq!((trip.count("sessions"), trip.count("chunks"), trip.count("queries")), (3, 1 + 2 + 4, 0));
    trip.assert_there(123).await;

    // UIDs are right: changes reach the right messages.
    let inbox = trip.route.source.with(&trip.user.name, |mailbox| {
        let inbox = mailbox.messages("INBOX");
        mailbox.set_flags("INBOX", inbox[0].0, "\\Seen later".split_whitespace().collect());
        mailbox.remove("INBOX", inbox[1].0);
        inbox
    });
    let again = trip.migrate().await;
    assert_eq!(again.copied, 0);
    let there: BTreeMap<Vec<u8>, String> = trip.route.target.with(&trip.user.name, |mailbox| {
        let told = mailbox.messages("INBOX").into_iter();
        told.map(|(_, it)| (it.octets.to_vec(), it.flags.to_string())).collect()
    });
    assert_eq!(there.len(), inbox.len() - 1);
    assert!(!there.contains_key(&*inbox[1].1.octets));
    assert!(there[&*inbox[0].1.octets].contains("later"), "{:?}", there[&*inbox[0].1.octets]);
    trip.route.assert_obedient();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn folders_that_every_mailbox_has_are_labels_of_their_own() {
    let mut trip = Trip::to(limited(Personality::gmail_in_german(), |it| it.upload_per_day = None)).await;
    for folder in ["Sent", "Trash", "Junk", "Drafts", "INBOX"] {
        trip.put(folder, 400, "\\Seen");
        trip.put(folder, 500, "");
    }
    let migrated = trip.migrate().await;
    assert_eq!(migrated.copied, 10);
    // Drafts cannot be imported.
    assert_eq!((trip.count("imported"), trip.count("appended")), (8, 2));
    let (source, target) = (trip.source(), contents(&trip.route.target, &trip.user, |_| false));
    for (from, to) in
        [("Sent", "Gesendet"), ("Trash", "Papierkorb"), ("Junk", "Spam"), ("Drafts", "Entw&APw-rfe")]
    {
        assert_eq!(source[from], target[&format!("[Gmail]/{to}")], "{from}");
    }
    assert_eq!(source["INBOX"], target["INBOX"]);
    assert_eq!(trip.migrate().await.copied, 0);
    trip.route.assert_obedient();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn dates_that_the_api_would_change_are_kept_by_append() {
    let mut trip = Trip::to(Personality::gmail()).await;
    for number in 0..30 {
        trip.put("INBOX", 400, "\\Seen");
        let (octets, date) = (if number == 7 { 700_000 } else { 500 }, trip.maker.date());
        let message = trip.maker.message(octets);
        trip.put_message("INBOX", message, "\\Seen work", date);
    }
    let dateless = format!("Subject: {}\r\n\r\nno date\r\n", "x".repeat(300_000));
    let date = trip.maker.date();
    trip.put_message("INBOX", dateless.into_bytes(), "", date);
    let migrated = trip.migrate().await;
    assert_eq!(migrated.copied, 61, "{:?}", migrated.broken);
    assert_eq!((trip.count("imported"), trip.count("appended")), (30, 31));
    assert_same(&trip.user, &trip.source(), &trip.target());
    trip.assert_known().await;
    assert_eq!(trip.migrate().await.copied, 0);
    trip.route.assert_obedient();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_budget_of_append_that_is_spent_leaves_the_api_alone() {
    let mut trip = Trip::new().await;
    trip.put("INBOX", 400, "");
    trip.route.target.with(&trip.user.name, |mailbox| mailbox.create("Old"));
    let (message, date) = (trip.maker.message(500), trip.maker.date());
    trip.put_message("Old", message, "", date);
    trip.put("INBOX", 500, "");
    let report = Box::pin(trip.route.pass(&trip.user)).await;
    let error = report.error.unwrap();
    assert_eq!(error.kind, ErrorKind::Throttled, "{error}");
    assert_eq!((trip.count("imported"), trip.count("appended"), trip.count("budget")), (2, 0, 1));
    trip.route.assert_obedient();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn patience_is_had_in_place_where_it_is_short() {
    let mut trip = Trip::new().await;
    for _ in 0..10 {
        trip.put("INBOX", 400, "");
    }
    trip.put("INBOX", 2_500_000, "");
    trip.fail(Step::Import, Fault::TooManyRequests(Some(Duration::from_secs(20))));
    trip.fail(Step::Import, Fault::TooManyRequests(None));
    trip.fail(Step::Import, Fault::RateLimited);
    trip.fail(Step::Start, Fault::TooManyRequests(Some(Duration::from_secs(7))));
    trip.fail(Step::Chunk, Fault::TooManyRequests(Some(Duration::from_secs(5))));
    let before = trip.user.clock.now();
    let migrated = trip.migrate().await;
    assert_eq!((migrated.copied, migrated.broken), (11, Vec::<String>::new()));
    assert!(trip.user.clock.now() >= before + Duration::from_secs(20 + 7 + 5));
    trip.assert_there(11).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_long_wait_ends_the_pass_and_is_kept() {
    let mut trip = Trip::new().await;
    trip.put("INBOX", 400, "");
    trip.put("INBOX", 2_500_000, "");
    trip.put("INBOX", 500, "");
    trip.fail(Step::Chunk, Fault::TooManyRequests(Some(20 * MINUTE)));
    let report = Box::pin(trip.route.pass(&trip.user)).await;
    let error = report.error.unwrap();
    assert_eq!((error.kind, error.retry), (ErrorKind::Throttled, Retry::After(Some(20 * MINUTE))), "{error}");
    assert!(error.message.contains("429 rateLimitExceeded: Too many concurrent requests"), "{error}");
    trip.user.clock.pass(20 * MINUTE);
    trip.migrate().await;
    trip.assert_there(3).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_upload_that_is_cut_goes_on_where_it_was() {
    let mut trip = Trip::new().await;
    trip.put("INBOX", 2_500_000, "\\Seen");
    trip.put("INBOX", 400, "");
    // 640 KiB of the first chunk; nothing of the second; the server is away at the third.
    trip.fail(Step::Chunk, Fault::CutAfter(640 << 10));
    trip.fail(Step::Chunk, Fault::CutAfter(100));
    trip.fail(Step::Chunk, Fault::Unavailable);
    trip.fail(Step::Query, Fault::Unavailable);
    let migrated = trip.migrate().await;
    assert_eq!((migrated.copied, migrated.broken), (2, Vec::<String>::new()));
    assert_eq!((trip.count("sessions"), trip.count("chunks"), trip.count("queries")), (1, 5, 3));
    trip.assert_there(2).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_large_upload_whose_last_answer_is_lost_is_asked_for() {
    let mut trip = Trip::new().await;
    trip.put("INBOX", 700_000, "\\Seen");
    trip.put("INBOX", 1_500_000, "");
    for _ in 0..3 {
        // The only chunk of the first, and both of the second.
        trip.fail(Step::Chunk, Fault::AnswerLost);
    }
    let migrated = trip.migrate().await;
    assert_eq!((migrated.copied, migrated.broken), (2, Vec::<String>::new()));
    assert_eq!((trip.count("sessions"), trip.count("chunks"), trip.count("queries")), (2, 3, 3));
    trip.assert_there(2).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_small_upload_whose_answer_is_lost_is_looked_for() {
    let mut trip = Trip::new().await;
    for _ in 0..20 {
        trip.put("INBOX", 400, "\\Seen work");
    }
    trip.fail(Step::Import, Fault::AnswerLost);
    trip.fail(Step::Import, Fault::CutAfter(300));
    trip.fail(Step::Import, Fault::Unavailable);
    trip.migrate().await;
    trip.assert_there(20).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_process_that_is_killed_sends_nothing_again() {
    let crashed = async |crash: Option<Crash>| {
        let mut trip = Trip::new().await;
        for number in 0..12 {
            trip.put(
                ["INBOX", "Projects"][number % 2],
                if number == 4 { 700_000 } else { 400 },
                "\\Seen work",
            );
        }
        trip.user.ledger = trip.user.ledger.crashing(crash);
        let report = Box::pin(trip.route.pass(&trip.user)).await;
        let calls = trip.user.ledger.calls();
        assert!(report.is_synced() || crash.is_some(), "{report:#?}");
        trip.user.ledger = trip.user.ledger.crashing(None);
        trip.migrate().await;
        trip.assert_there(12).await;
        calls
    };
    let steps = crashed(None).await;
    assert!(steps > 6, "{steps}");
    for step in 1..=steps {
        crashed(Some(Crash::Before(step))).await;
        crashed(Some(Crash::After(step))).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_upload_that_is_forgotten_begins_anew() {
    for (fault, chunks) in [
        (vec![(Step::Chunk, Fault::SessionGone(410))], 1),
        (vec![(Step::Chunk, Fault::CutAfter(300_000)), (Step::Query, Fault::SessionGone(404))], 1),
        // In the middle, and after all of it arrived and the answer was lost.
        (vec![(Step::Chunk, Fault::AnswerLost), (Step::Chunk, Fault::SessionGone(404))], 1),
        (vec![(Step::Chunk, Fault::AnswerLost), (Step::Query, Fault::SessionGone(404))], 0),
    ] {
        let mut trip = Trip::new().await;
        trip.put("INBOX", if chunks == 0 { 700_000 } else { 1_500_000 }, "\\Seen");
        trip.put("INBOX", 400, "");
        for (step, fault) in &fault {
            trip.fail(*step, *fault);
        }
        trip.migrate().await;
        trip.assert_there(2).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_message_that_is_refused_is_skipped_with_the_words() {
    let mut trip = Trip::new().await;
    trip.put("INBOX", 400, "");
    let date = InternalDate::new(1_709_636_400, 0).unwrap();
    let with_date = |text: &str| format!("Date: Tue, 5 Mar 2024 12:00:00 +0100\r\n{text}").into_bytes();
    trip.put_message("INBOX", with_date("Subject: nothing\r\n\r\n\0\r\n"), "", date);
    let long = with_date(&format!("Subject: long\r\n\r\n{}\0\r\n", "x".repeat(1_200_000)));
    trip.put_message("INBOX", long, "", date);
    trip.put("INBOX", 500, "");
    let migrated = trip.migrate().await;
    assert_eq!(migrated.copied, 2, "{:?}", migrated.broken);
    let skipped: Vec<String> = migrated.report.skipped().map(|(_, it)| it.reason.clone()).collect();
    assert_eq!(skipped.len(), 2, "{skipped:?}");
    for words in &skipped {
        assert!(words.contains("Gmail's API says 400 invalidArgument: BYE Invalid character"), "{words}");
    }
    assert_eq!((trip.count("imported"), trip.count("appended")), (2, 0));
    trip.route.assert_obedient();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_token_that_is_refused_is_replaced_once() {
    let mut trip = Trip::new().await;
    for _ in 0..10 {
        trip.put("INBOX", 400, "\\Seen");
    }
    trip.put("INBOX", 1_500_000, "");
    trip.fail(Step::Import, Fault::Unauthorized);
    let migrated = trip.migrate().await;
    assert_eq!((migrated.copied, migrated.broken), (11, Vec::<String>::new()));
    assert_eq!(trip.count("unauthorized"), 1);
    trip.assert_there(11).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_message_that_shows_late_is_found_when_it_does() {
    let mut trip = Trip::new().await;
    for _ in 0..5 {
        trip.put("INBOX", 400, "\\Seen \\Answered");
    }
    trip.fail(Step::Import, Fault::SeenAfter(Duration::from_secs(2)));
    trip.migrate().await;
    trip.assert_there(5).await;

    // Later than the longest wait.
    trip.put("INBOX", 500, "\\Seen \\Answered");
    trip.fail(Step::Import, Fault::SeenAfter(10 * MINUTE));
    let migrated = trip.migrate().await;
    assert_eq!(migrated.copied, 1, "{:?}", migrated.broken);
    trip.user.clock.pass(10 * MINUTE);
    trip.put("INBOX", 600, "");
    trip.migrate().await;
    trip.assert_there(7).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn twins_are_one_message_with_the_labels_of_both() {
    let mut trip = Trip::new().await;
    let message = trip.put("INBOX", 400, "\\Seen");
    let date = InternalDate::parse(&trip.source()["INBOX"][0].2).unwrap();
    for folder in ["Projects", "INBOX"] {
        trip.put_message(folder, message.clone(), "\\Seen", date);
    }
    let migrated = trip.migrate().await;
    assert_eq!(migrated.copied, 3);
    let there = trip.target();
    assert_eq!((there["INBOX"].len(), there["Projects"].len()), (1, 1));
    assert_eq!(trip.route.target.with(&trip.user.name, |it| it.total()), 1);
    let imported = trip.count("imported");
    assert_eq!(trip.migrate().await.copied, 0);
    // The second twin goes, and the message stays.
    trip.route.source.with(&trip.user.name, |mailbox| {
        let last = mailbox.messages("INBOX").last().unwrap().0;
        mailbox.remove("INBOX", last);
    });
    assert_eq!(trip.migrate().await.copied, 0);
    assert_eq!(trip.target(), there);
    assert_eq!(trip.count("imported"), imported);
    let told = trip.route.target.violations();
    assert!(matches!(told.as_slice(), [one] if one.contains("with labels that it has")), "{told:#?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn several_mailboxes_arrive_through_everything_at_once() {
    let target = limited(Personality::gmail(), |it| {
        it.upload_per_day = Some(0);
        it.append_time = Duration::from_millis(120);
    });
    let mut route = Route::new(start(Personality::plain()).await, start(target).await);
    (route.login.1, route.places) = (Login::Api, 3);
    let users = route.add_users(6);
    let faults = [
        (Step::Import, Fault::TooManyRequests(Some(Duration::from_secs(3)))),
        (Step::Import, Fault::AnswerLost),
        (Step::Chunk, Fault::CutAfter(300_000)),
        (Step::Chunk, Fault::AnswerLost),
        (Step::Import, Fault::Unavailable),
        (Step::Start, Fault::Unavailable),
        (Step::Import, Fault::Unauthorized),
        (Step::Labels, Fault::RateLimited),
    ];
    for (seed, user) in (0..).zip(&users) {
        let mut maker = Mailmaker::new(seed);
        for number in 0..150 {
            let folder = ["INBOX", "Projects", "Projects/2024"][number % 3];
            let message = maker.message(if number % 40 == 5 { 600_000 } else { 400 + number * 3 });
            let date = MessageParser::new().parse(&message).unwrap().date().unwrap().to_timestamp();
            route.source.with(&user.name, |mailbox| {
                mailbox.create(folder);
                mailbox.add(folder, message, maker.flags(), InternalDate::new(date, 0).unwrap());
            });
        }
        for (step, fault) in faults {
            route.target.fail(&user.name, step, fault);
        }
    }
    route.migrate(&users).await;
    for user in &users {
        let mut there = contents(&route.target, user, |_| false);
        there.retain(|name, _| !name.starts_with("[Gmail]"));
        assert_same(user, &contents(&route.source, user, |_| false), &there);
        assert_eq!(route.target.count(&user.name, "imported"), 150);
        assert_eq!(route.target.count(&user.name, "appended"), 0);
    }
    let again = route.migrate(&users).await;
    assert_eq!(again.iter().map(|it| it.copied).sum::<u64>(), 0);
    // Reported to one connection of a mailbox while another had a request.
    let told = route.target.violations();
    assert!(told.iter().all(|it| it.contains("before it was allowed to")), "{told:#?}");
}
