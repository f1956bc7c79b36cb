//! Users are checked before anything is started, on servers in memory.

use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
};

use mailhaul_migration::{Access, FailureClass, Grant, MigrationUser, OAuth, Opening, UserStatus as S};
use mailhaul_store::NewSecret;
use mailhaul_testkit::fake::{Fake, Personality, VirtualClock};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpListener,
};

use super::*;

/// Two servers with the same users and a password for all.
struct Servers {
    from: Fake,
    to: Fake,
}

const PASSWORD: &str = "hunter2";

impl Servers {
    async fn with(users: &[&str]) -> Self {
        let from = Fake::start(Personality::plain()).await;
        let to = Fake::start(Personality::microsoft_365()).await;
        for user in users {
            from.add_user(user, PASSWORD, VirtualClock::default());
            to.add_user(user, PASSWORD, VirtualClock::default());
        }
        Self { from, to }
    }
}

impl Site {
    /// A batch whose mail goes to an endpoint "New" on this port.
    async fn batch_between(&self, port: u16, intent: BatchIntent, users: &[UserRow]) -> Endpoint {
        let store = &self.context.store;
        let there = Endpoint { guid: Guid::new_v4(), name: "New".into(), port, ..self.endpoint.clone() };
        let there = store.endpoints().insert(there, None).await.unwrap();
        let now = Timestamp::now();
        let batch = Batch {
            guid: Guid::new_v4(),
            name: "B".into(),
            source_endpoint: self.endpoint.guid,
            target_endpoint: Some(there.guid),
            archive: None,
            intent,
            settings: BatchSettings::default(),
            submitted_by: "test".into(),
            validation_warnings: Vec::new(),
            created: now,
            started: (intent == BatchIntent::Run).then_some(now),
        };
        store.batches().insert(batch, users.to_vec()).await.unwrap();
        there
    }

    async fn known(&self, user: &str) -> MigrationUser {
        self.context.store.users().get(&format!("{user}@contoso.edu"), None).await.unwrap()
    }

    /// Waits until the user stands so.
    async fn until(&self, user: &str, stands: impl Fn(&MigrationUser) -> bool) -> MigrationUser {
        for _ in 0..600 {
            let user = self.known(user).await;
            if stands(&user) {
                return user;
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        panic!("it did not come so: {:#?}", self.known(user).await);
    }

    /// Waits until something was found out, and gives the failures at source and target.
    async fn checked(&self, user: &str) -> [Option<mailhaul_migration::PassFailure>; 2] {
        let check = self.until(user, |it| it.check.due.is_none()).await.check;
        assert!(check.checked.is_some(), "{check:?}");
        [check.source, check.target].map(|it| it.unwrap().failure().cloned())
    }
}

fn row(user: &str) -> UserRow {
    UserRow {
        row: 2,
        email_address: format!("{user}@contoso.edu"),
        user_name: user.to_owned(),
        password: Some(Secret::new(PASSWORD)),
        user_root: None,
        target_user_name: user.to_owned(),
        target_password: Some(Secret::new(PASSWORD)),
    }
}

/// Token server that refuses all requests, and counts them.
async fn refusing() -> (u16, Arc<AtomicUsize>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let asked = Arc::new(AtomicUsize::new(0));
    let count = asked.clone();
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            count.fetch_add(1, Ordering::SeqCst);
            let _request = stream.read(&mut [0; 4096]).await;
            let body =
                r#"{"error":"invalid_client","error_description":"AADSTS7000215: Invalid client secret"}"#;
            let head = "HTTP/1.1 401 Unauthorized\r\nContent-Type: application/json\r\nConnection: close";
            let answer = format!("{head}\r\nContent-Length: {}\r\n\r\n{body}", body.len());
            let _gone = stream.write_all(answer.as_bytes()).await;
        }
    });
    (port, asked)
}

#[tokio::test(flavor = "multi_thread")]
async fn who_cannot_be_opened_is_known_before_the_batch_is_started() {
    let directory = tempfile::tempdir().unwrap();
    let servers = Servers::with(&["annb", "paulc", "terrya", "ritam"]).await;
    servers.to.shut("terrya");
    let mut site = Site::new(directory.path(), servers.from.port, 2).await;
    let wrong = |it| UserRow { target_password: Some(Secret::new("wrong")), ..row(it) };
    let users = [
        row("annb"),
        wrong("paulc"),
        row("terrya"),
        UserRow { user_root: Some("nowhere/at/all".to_owned()), ..row("ritam") },
        row("ghost"),
        UserRow { target_password: None, ..row("nobody") },
    ];
    site.batch_between(servers.to.port, BatchIntent::Created, &users).await;
    site.run();
    assert_eq!(site.checked("annb").await, [None, None]);
    let [source, target] = site.checked("paulc").await;
    let target = target.unwrap();
    assert_eq!((source, target.class), (None, FailureClass::Authentication));
    assert!(target.message.starts_with("target paulc@127.0.0.1: "), "{}", target.message);
    assert!(target.advice.unwrap().contains("Check the user name and the password"));
    let [source, target] = site.checked("terrya").await;
    let words = target.unwrap().message;
    assert!(
        source.is_none() && words.contains("not connected") && words.contains("IMAP is switched off"),
        "{words}"
    );
    let [source, target] = site.checked("ritam").await;
    let words = source.unwrap().message;
    assert!(target.is_none() && words.contains("nowhere/at/all"), "{words}");
    let [source, target] = site.checked("ghost").await;
    assert!(source.is_some() && target.is_some());
    let words = site.checked("nobody").await[1].clone().unwrap().message;
    assert!(words.contains("there is no password for nobody at 127.0.0.1"), "{words}");
    // Nothing was started, and each was tried once.
    assert_eq!((site.status("annb").await, servers.to.count("annb", "logins")), (S::Stopped, 1));
    assert_eq!(servers.from.violations(), servers.to.violations());

    // A new password is checked at once. A repair on the server is found when a check is requested.
    let store = &site.context.store;
    let paulc = site.known("paulc").await;
    store.batches().add_users(paulc.batch, vec![row("paulc")], Timestamp::now()).await.unwrap();
    site.context.workers.nudge();
    assert_eq!(site.checked("paulc").await, [None, None]);
    servers.from.add_user("ghost", PASSWORD, VirtualClock::default());
    servers.to.add_user("ghost", PASSWORD, VirtualClock::default());
    store.checks().request(Users::One(site.known("ghost").await.guid), Timestamp::now()).await.unwrap();
    site.context.workers.nudge();
    assert_eq!(site.checked("ghost").await, [None, None]);
    assert_eq!(servers.to.count("annb", "logins"), 1);
    site.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refused_client_secret_closes_no_mailbox() {
    let directory = tempfile::tempdir().unwrap();
    let names: Vec<String> = (1..=12).map(|it| format!("user{it}")).collect();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    let servers = Servers::with(&names).await;
    let mut site = Site::new(directory.path(), servers.from.port, 3).await;
    let users: Vec<UserRow> = names.iter().map(|it| row(it)).collect();
    let (port, asked) = refusing().await;
    let there = site.batch_between(servers.to.port, BatchIntent::Created, &[]).await;
    let store = site.context.store.clone();
    let oauth = OAuth {
        grant: Grant::ClientSecret,
        token_url: format!("http://127.0.0.1:{port}/token"),
        device_url: String::new(),
        client_id: "mailhaul".into(),
        scope: String::new(),
        tenant: None,
    };
    let secret = NewSecret::Set(Secret::new("wrong"));
    store.endpoints().update(there.guid, secret, |it| it.access = Access::OAuth(oauth)).await.unwrap();
    let batch = store.batches().get("B").await.unwrap().batch.guid;
    let without = users.iter().cloned().map(|it| UserRow { target_password: None, ..it });
    store.batches().add_users(batch, without.collect(), Timestamp::now()).await.unwrap();
    site.run();
    for user in &names {
        let check = site.until(user, |it| it.check.delay.is_some()).await.check;
        assert!(check.due.is_some() && check.checked.is_none(), "{check:?}");
        assert!(check.delay.unwrap().contains("Invalid client secret"));
    }
    assert_eq!(asked.load(Ordering::SeqCst), 1);
    let checks = store.batches().get("B").await.unwrap().checks;
    assert_eq!((checks.checked, checks.failed, checks.pending), (0, 0, 12));

    // After the repair all checks succeed.
    store.endpoints().update(there.guid, NewSecret::Keep, |it| it.access = Access::Users).await.unwrap();
    store.batches().add_users(batch, users, Timestamp::now()).await.unwrap();
    store.checks().resume(there.guid, Timestamp::now()).await.unwrap();
    site.context.workers.nudge();
    for user in &names {
        assert_eq!(site.checked(user).await, [None, None]);
    }
    site.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_is_away_says_nothing_about_users() {
    let directory = tempfile::tempdir().unwrap();
    let servers = Servers::with(&["annb"]).await;
    let mut site = Site::new(directory.path(), servers.from.port, 3).await;
    let nobody = TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap().port();
    let there = site.batch_between(nobody, BatchIntent::Created, &[row("annb")]).await;
    site.run();
    let check = site.until("annb", |it| it.check.delay.is_some()).await.check;
    assert_eq!((check.checked, check.target), (None, None));
    assert!(check.due.unwrap() > Timestamp::now(), "{:?}", check.due);
    let (store, port) = (&site.context.store, servers.to.port);
    store.endpoints().update(there.guid, NewSecret::Keep, move |it| it.port = port).await.unwrap();
    store.checks().resume(there.guid, Timestamp::now()).await.unwrap();
    site.context.workers.nudge();
    assert_eq!(site.checked("annb").await, [None, None]);
    site.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_batch_that_is_started_at_once_is_checked_by_its_passes() {
    let directory = tempfile::tempdir().unwrap();
    let servers = Servers::with(&["annb", "terrya"]).await;
    servers.to.shut("terrya");
    let mut site = Site::new(directory.path(), servers.from.port, 3).await;
    site.batch_between(servers.to.port, BatchIntent::Run, &[row("annb"), row("terrya")]).await;
    site.run();
    let annb = site.until("annb", |it| it.status == S::Synced).await;
    let opened = (Some(Opening::Opened), Some(Opening::Opened));
    assert_eq!((annb.check.source, annb.check.target, annb.check.due), (opened.0, opened.1, None));
    let terrya = site.until("terrya", |it| it.status == S::Failed).await;
    // A pass found out that one mailbox does not open, so no check signs in again.
    let failed = terrya.failure.map(Opening::Failed);
    assert_eq!((terrya.check.source, terrya.check.target, terrya.check.due), (None, failed, None));
    assert_eq!(servers.to.count("terrya", "logins"), 1);
    site.end().await;
}
