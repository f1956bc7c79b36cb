//! Daily limits, servers that throttle, and servers that accept few connections.

use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
};

use mailhaul_migration::{FailureClass, MigrationUser, UserStatus as S};
use mailhaul_store::NewSecret;
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _, Interest, Ready, copy_bidirectional},
    net::{TcpListener, TcpStream},
    sync::watch,
};

use super::*;

impl Site {
    async fn user(&self, user: &str) -> MigrationUser {
        self.context.store.users().get(&format!("{user}@contoso.edu"), None).await.unwrap()
    }

    async fn set_rates(&self, rates: Rates) {
        let set = move |it: &mut Endpoint| it.rates = rates;
        let store = &self.context.store;
        store.endpoints().update(self.endpoint.guid, NewSecret::Keep, set).await.unwrap();
    }

    /// Waits until a throttle stops the user's pass.
    async fn wait_until_throttled(&self, user: &str) -> MigrationUser {
        for _ in 0..600 {
            let user = self.user(user).await;
            if user.failure.as_ref().is_some_and(|it| it.class == FailureClass::Throttled)
                && user.due.is_some()
            {
                return user;
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        panic!("it was not throttled: {:#?}", self.user(user).await);
    }

    /// Makes the user due, and waits until its pass has ended.
    async fn try_again(&self, user: &str) -> MigrationUser {
        let before = self.user(user).await;
        let store = &self.context.store;
        store
            .jobs()
            .reschedule(Users::One(before.guid), vec![S::Queued], Due::At(Timestamp::now()))
            .await
            .unwrap();
        self.context.workers.nudge();
        for _ in 0..600 {
            let now = self.user(user).await;
            if now.attempts > before.attempts {
                return now;
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        panic!("it was not tried: {:#?}", self.user(user).await);
    }

    async fn unpark(&self) {
        self.context.store.jobs().unpark(self.endpoint.guid, Timestamp::now()).await.unwrap();
        self.context.workers.nudge();
    }
}

fn hours_from_now(user: &MigrationUser) -> i64 {
    (user.due.unwrap().as_second() - Timestamp::now().as_second()) / 3600
}

#[tokio::test(flavor = "multi_thread")]
async fn a_mailbox_over_its_daily_limit_waits_alone() {
    let directory = tempfile::tempdir().unwrap();
    let server = filled(&["annb", "paulc"], 30).await;
    let more = (0..30).map(|_| Mailmaker::new(9).item(1_000)).collect::<Vec<_>>();
    let mut session = connect(server.port(), "annb", &Dovecot::password("annb")).await;
    fill(&mut session, "More", more).await;
    session.logout().await.unwrap();
    let mut site = Site::new(directory.path(), server.port(), 2).await;
    site.set_rates(Rates { mailbox_bytes_per_day: Some(45_000), ..Rates::default() }).await;
    site.batch(&["annb", "paulc"]).await;
    site.run();
    site.wait_for("paulc", S::Synced).await;
    let user = site.wait_until_throttled("annb").await;
    assert_eq!(user.status, S::Queued);
    let copied = user.statistics.synced_items;
    assert!((30..60).contains(&copied), "{copied}");
    assert!(hours_from_now(&user) >= 23, "{user:#?}");
    let words = user.failure.unwrap().message;
    assert!(words.contains("the mailbox annb at the endpoint \"Old\" has used up"), "{words}");
    let forecast = "This mailbox needs about 1 day at 45.0 kB a day: ";
    assert!(words.contains(forecast), "{words}");
    let report = site.context.store.reports().get(user.guid, None, 100).await.unwrap();
    let told = |words: &str| report.items.iter().filter(|it| it.text.contains(words)).count();
    assert_eq!(told("This mailbox needs about 2 days at 45.0 kB a day: "), 1, "{report:#?}");
    let last = &report.items.last().unwrap().text;
    let wakes = format!("continues at {:.0}. ", user.due.unwrap());
    assert!(last.contains(&wakes) && last.contains(forecast), "{last}");
    assert!(site.context.store.jobs().parked(Timestamp::now()).await.unwrap().is_empty());
    // Another process knows what was used.
    site.end().await;
    site.run();
    let user = site.try_again("annb").await;
    assert_eq!((user.statistics.synced_items, user.statistics.pass_items), (copied, 0));
    assert!(hours_from_now(&user) >= 23, "{user:#?}");
    // More is allowed from now on.
    site.set_rates(Rates { mailbox_bytes_per_day: Some(1_000_000), ..Rates::default() }).await;
    site.unpark().await;
    site.wait_for("annb", S::Synced).await;
    assert_eq!(site.user("annb").await.statistics.synced_items, 60);
    site.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_endpoint_that_has_used_up_its_day_is_left_alone() {
    let directory = tempfile::tempdir().unwrap();
    let server = filled(&["annb", "paulc", "terrya"], 30).await;
    let counted = Proxy::start(server.port(), Faults::default());
    let mut site = Site::new(directory.path(), counted.port(), 1).await;
    site.set_rates(Rates { bytes_per_day: Some(20_000), ..Rates::default() }).await;
    site.batch(&["annb", "paulc", "terrya"]).await;
    site.run();
    let user = site.wait_until_throttled("annb").await;
    assert!(hours_from_now(&user) >= 23, "{user:#?}");
    let parked = site.context.store.jobs().parked(Timestamp::now()).await.unwrap();
    let [(endpoint, parking)] = parked.as_slice() else { panic!("{parked:?}") };
    assert_eq!(*endpoint, site.endpoint.guid);
    assert!(parking.reason.contains("the endpoint \"Old\" has used up"), "{parking:?}");
    // A new process does not connect either, and no other user was started.
    site.end().await;
    site.run();
    site.context.workers.nudge();
    site.end().await;
    assert_eq!(counted.connections(), 1);
    assert_eq!((site.status("paulc").await, site.status("terrya").await), (S::Queued, S::Queued));
    // What operations show of it.
    site.set_rates(Rates::default()).await;
    site.unpark().await;
    site.run();
    for user in ["annb", "paulc", "terrya"] {
        site.wait_for(user, S::Synced).await;
    }
    site.end().await;
}

/// Server that closes the first connections, and forwards the others to another server.
async fn busy_at_first(upstream: u16, times: usize, goodbye: &'static str) -> (u16, Arc<AtomicUsize>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let connections = Arc::new(AtomicUsize::new(0));
    let counted = connections.clone();
    tokio::spawn(async move {
        while let Ok((mut client, _)) = listener.accept().await {
            let number = counted.fetch_add(1, Ordering::SeqCst);
            tokio::spawn(async move {
                if number < times {
                    client.write_all(goodbye.as_bytes()).await.unwrap();
                    return;
                }
                let mut server = TcpStream::connect(("127.0.0.1", upstream)).await.unwrap();
                // Either may hang up first.
                let _ended = copy_bidirectional(&mut client, &mut server).await;
            });
        }
    });
    (port, connections)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_busy_server_gets_no_further_connections() {
    let directory = tempfile::tempdir().unwrap();
    let server = filled(&["annb", "paulc", "terrya"], 3).await;
    let goodbye = "* BYE Server busy. Suggested patience: much\r\n";
    let (port, connections) = busy_at_first(server.port(), usize::MAX, goodbye).await;
    let mut site = Site::new(directory.path(), port, 1).await;
    site.batch(&["annb", "paulc", "terrya"]).await;
    site.run();
    // It is waited for in the pass, which holds the only place, and no other place would be used.
    for _ in 0..600 {
        if !site.context.store.jobs().parked(Timestamp::now()).await.unwrap().is_empty() {
            break;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    let parked = site.context.store.jobs().parked(Timestamp::now()).await.unwrap();
    assert!(parked[0].1.reason.contains("BYE Server busy"), "{parked:?}");
    let more = move |it: &mut Endpoint| it.max_concurrent_migrations = Limit::At(3);
    let store = &site.context.store;
    store.endpoints().update(site.endpoint.guid, NewSecret::Keep, more).await.unwrap();
    site.context.workers.nudge();
    // Two turns of the scheduler have come to their end when it has.
    site.end().await;
    site.run();
    site.context.workers.nudge();
    site.end().await;
    assert_eq!(connections.load(Ordering::SeqCst), 1);
    for user in ["annb", "paulc", "terrya"] {
        assert_eq!(site.status(user).await, S::Queued);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_with_two_connections_gets_two_and_no_user_fails() {
    let users: Vec<String> = (1..=10).map(|it| format!("User{it}")).collect();
    let mut setup = Setup::with_users(&["admin"]);
    setup.extra = "mail_max_userip_connections = 2\n".to_owned();
    let server = setup.start();
    let mut session = connect(server.port(), "admin", &Dovecot::password("admin")).await;
    for (seed, user) in (1..).zip(&users) {
        let mut maker = Mailmaker::new(seed);
        fill(&mut session, user, (0..5).map(|_| maker.item(1_000)).collect::<Vec<_>>()).await;
    }
    session.logout().await.unwrap();
    let directory = tempfile::tempdir().unwrap();
    let mut site = Site::new(directory.path(), server.port(), 10).await;
    let row = |(row, user): (usize, &String)| UserRow {
        row,
        email_address: format!("{user}@contoso.edu"),
        user_name: "admin".to_owned(),
        password: Some(Secret::new(Dovecot::password("admin"))),
        user_root: Some(user.clone()),
        target_user_name: user.clone(),
        target_password: None,
    };
    site.batch_of((2..).zip(&users).map(row).collect()).await;
    site.run();
    for user in &users {
        for _ in 0..1200 {
            let status = site.status(user).await;
            assert_ne!(status, S::Failed, "{:#?}", site.user(user).await);
            if status == S::Synced {
                break;
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        let user = site.user(user).await;
        assert_eq!((user.status, user.statistics.synced_items), (S::Synced, 5), "{user:#?}");
    }
    site.end().await;
    // The scheduler learned from the refusals, so they do not repeat. Their number at first depends on Dovecot, which
    // checks the limit before it counts a login.
    let mut refused = 0;
    for user in &users {
        let report = site.context.store.reports().get(site.user(user).await.guid, None, 100).await.unwrap();
        refused += report.items.iter().filter(|it| it.text.contains("Maximum number of connections")).count();
    }
    assert!(refused < 25, "{refused}");
}

/// Server that holds sign-ins and cuts connections on request, in front of another server.
struct HoldingServer {
    port: u16,
    /// True while no sign-in gets an answer.
    is_holding: watch::Sender<bool>,
    /// Sessions are cut at each change.
    cuts: watch::Sender<usize>,
    /// Sign-ins that wait for an answer.
    held: Counter,
    sessions: Counter,
}

/// Number of open connections of a kind, and the maximum since the last look at it.
#[derive(Clone, Default)]
struct Counter(Arc<(AtomicUsize, AtomicUsize)>);

impl Counter {
    fn now(&self) -> usize {
        self.0.0.load(Ordering::SeqCst)
    }

    fn max(&self) -> usize {
        self.0.1.swap(self.now(), Ordering::SeqCst)
    }

    async fn during<T>(&self, work: impl Future<Output = T>) -> T {
        let now = self.0.0.fetch_add(1, Ordering::SeqCst) + 1;
        self.0.1.fetch_max(now, Ordering::SeqCst);
        let done = work.await;
        self.0.0.fetch_sub(1, Ordering::SeqCst);
        done
    }

    async fn reaches(&self, is_reached: impl Fn(usize) -> bool) {
        for _ in 0..600 {
            if is_reached(self.now()) {
                return;
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        panic!("there are {} connections", self.now());
    }
}

impl HoldingServer {
    async fn start(upstream: u16) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let server = Self {
            port: listener.local_addr().unwrap().port(),
            is_holding: watch::Sender::new(false),
            cuts: watch::Sender::new(0),
            held: Counter::default(),
            sessions: Counter::default(),
        };
        let (is_holding, cuts) = (server.is_holding.subscribe(), server.cuts.subscribe());
        let (held, sessions) = (server.held.clone(), server.sessions.clone());
        tokio::spawn(async move {
            while let Ok((mut client, _)) = listener.accept().await {
                let (mut is_holding, mut cuts) = (is_holding.clone(), cuts.clone());
                let (held, sessions) = (held.clone(), sessions.clone());
                tokio::spawn(async move {
                    let mut server = TcpStream::connect(("127.0.0.1", upstream)).await.unwrap();
                    let mut greeting = [0; 1024];
                    let length = server.read(&mut greeting).await.unwrap();
                    // The client may have closed already.
                    _ = client.write_all(&greeting[..length]).await;
                    let is_answered = async {
                        tokio::select! {
                            biased;
                            () = closed(&client) => false,
                            released = is_holding.wait_for(|holds| !holds) => released.is_ok(),
                        }
                    };
                    if !held.during(is_answered).await {
                        return;
                    }
                    cuts.mark_unchanged();
                    let session = async {
                        tokio::select! {
                            _ = copy_bidirectional(&mut client, &mut server) => {}
                            _ = cuts.changed() => {}
                        }
                    };
                    sessions.during(session).await;
                });
            }
        });
        server
    }
}

/// Waits until the client closes. Its command stays unread.
async fn closed(client: &TcpStream) {
    while !client.ready(Interest::READABLE).await.is_ok_and(Ready::is_read_closed) {
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_worker_that_must_end_begins_no_session() {
    let directory = tempfile::tempdir().unwrap();
    let users = ["annb", "bobc", "carold", "paulc", "terrya"];
    let server = filled(&users, 300).await;
    let slow = Proxy::start(server.port(), Faults { rate: Some(40_000), ..Faults::default() });
    let front = HoldingServer::start(slow.port()).await;
    let mut site = Site::new(directory.path(), front.port, 5).await;
    site.batch(&users).await;
    site.run();
    front.sessions.reaches(|sessions| sessions == 5).await;
    // All five lose their connections, and their next sign-ins get no answer.
    front.is_holding.send_replace(true);
    front.cuts.send_modify(|cuts| *cuts += 1);
    front.held.reaches(|held| held >= 5).await;
    front.sessions.reaches(|sessions| sessions == 0).await;
    _ = front.sessions.max();
    let lower = |it: &mut Endpoint| {
        it.max_concurrent_migrations = Limit::At(1);
        it.max_concurrent_incremental_syncs = Limit::At(1);
    };
    site.context.store.endpoints().update(site.endpoint.guid, NewSecret::Keep, lower).await.unwrap();
    site.context.workers.nudge();
    for _ in 0..600 {
        let ending = site.context.workers.all().iter().filter(|(_, it)| it.end_reason().is_some()).count();
        if ending + 1 >= site.context.workers.all().len() {
            break;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    // Four sign-ins are given up. Otherwise they get their answer, and are counted.
    for _ in 0..200 {
        if front.held.now() <= 1 {
            break;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    front.is_holding.send_replace(false);
    for _ in 0..600 {
        if site.context.workers.all().len() <= 1 {
            break;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    front.sessions.reaches(|sessions| sessions == 1).await;
    let most = front.sessions.max();
    assert_eq!(most, 1, "{most} sessions");
    site.end().await;
}
