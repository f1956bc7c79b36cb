//! Notifications: each event is told once, to each receiver, by one node.

use std::collections::BTreeSet;

use mailhaul_mail::Secret;
use mailhaul_migration::{
    AskedServer, Batch, BatchIntent, BatchSettings, DeliveryWay, Endpoint, FailureClass, Guid, MAX_TRIES,
    MigrationConfig, MxAnswer, MxHost, NotificationEvent, PassFailure, RoutingLook, SmtpSecurity, SmtpServer,
    UserEvent, wait_after,
};
use serde_json::json;
use tokio::join;

use super::{at, batch, claim, end, endpoint, on_both, on_server, rows, service, user};
use crate::{ClaimedUser, DeliveryRow, Due, NotificationSecret, Release, Store, Users};

/// Seconds of the time for which failures are gathered.
const GATHERED: i64 = 15 * 60;

on_both! {
    a_batch_is_told_as_synced_and_completed_once,
    nothing_is_written_if_no_server_takes_it,
    failures_of_15_minutes_are_one_notification,
    a_user_is_told_again_after_success_or_a_start,
    a_delivery_is_tried_eight_times_and_given_up,
    a_delivery_of_a_dead_sender_is_due_with_the_same_id,
    notifications_go_with_their_batch,
    a_report_comes_at_each_interval,
    secrets_are_sealed_and_removed,
    mail_hosts_that_change_and_return_are_told,
}

fn smtp() -> SmtpServer {
    SmtpServer {
        host: "mail.example".to_owned(),
        port: None,
        security: SmtpSecurity::Tls,
        user_name: None,
        from: Some("mailhaul@contoso.edu".to_owned()),
    }
}

/// Configures an SMTP server and a webhook.
async fn configure(store: &Store) {
    let change = |config: &mut MigrationConfig| {
        config.notifications.smtp = Some(smtp());
        config.notifications.webhook = Some("https://hook.example".to_owned());
    };
    store.config().update(change).await.unwrap();
}

/// Inserts a running batch with two receivers of mail.
async fn told_batch(store: &Store, users: &[&str]) -> (Endpoint, Batch) {
    let source = store.endpoints().insert(endpoint("Old"), None).await.unwrap();
    let notification_emails = vec!["ada@contoso.edu".to_owned(), "ben@contoso.edu".to_owned()];
    let new = Batch {
        settings: BatchSettings { notification_emails, ..BatchSettings::default() },
        started: Some(at(0)),
        ..batch("Sales", &source, BatchIntent::Run)
    };
    let batch = store.batches().insert(new, rows(users)).await.unwrap().batch;
    (source, batch)
}

async fn claimed(store: &Store, source: &Endpoint, second: i64) -> Vec<ClaimedUser> {
    store.jobs().claim(claim(source, Guid::nil(), second)).await.unwrap()
}

fn refused(second: i64) -> Release {
    let failure = PassFailure {
        class: FailureClass::Authentication,
        message: "wrong password".to_owned(),
        advice: None,
    };
    Release { failure: Some(failure), ..end(UserEvent::Failed, second, Due::Never) }
}

async fn rows_of(store: &Store) -> Vec<DeliveryRow> {
    store.outbox().list(None, false, None, 1_000).await.unwrap().items
}

/// The events that were told, each with the number of its deliveries.
async fn events(store: &Store) -> Vec<(NotificationEvent, usize)> {
    let rows = rows_of(store).await;
    let events: BTreeSet<_> = rows.iter().map(|row| row.event).collect();
    events.into_iter().map(|event| (event, rows.iter().filter(|row| row.event == event).count())).collect()
}

/// Ends the pass of each claimed user.
async fn release_all(store: &Store, users: &[ClaimedUser], release: &Release) {
    for user in users {
        store.jobs().release(&user.lease, release.clone()).await.unwrap();
    }
}

async fn a_batch_is_told_as_synced_and_completed_once() {
    let (_home, store) = service().await;
    configure(&store).await;
    let (source, sales) = told_batch(&store, &["anna", "berta"]).await;
    let users = claimed(&store, &source, 1).await;
    let synced = |second| end(UserEvent::Synced, second, Due::At(at(second + 10)));
    release_all(&store, &users[..1], &synced(2)).await;
    assert_eq!(events(&store).await, []);
    release_all(&store, &users[1..], &synced(3)).await;
    assert_eq!(events(&store).await, [(NotificationEvent::BatchSynced, 3)]);
    let users = claimed(&store, &source, 20).await;
    release_all(&store, &users, &synced(21)).await;
    store.outbox().tell_progress(sales.guid, at(22)).await.unwrap();
    assert_eq!(events(&store).await, [(NotificationEvent::BatchSynced, 3)]);

    store
        .jobs()
        .apply(Users::OfBatch(sales.guid), UserEvent::Complete, at(23), Due::At(at(23)))
        .await
        .unwrap();
    let users = claimed(&store, &source, 24).await;
    release_all(&store, &users, &end(UserEvent::Synced, 25, Due::Never)).await;
    let told = [(NotificationEvent::BatchSynced, 3), (NotificationEvent::BatchCompleted, 3)];
    assert_eq!(events(&store).await, told);
    let first = rows_of(&store).await.remove(0);
    assert_eq!(first.summary, "The batch is completed: all 2 users are completed.");
    assert_eq!((first.way, first.batch.as_deref()), (DeliveryWay::Webhook, Some("Sales")));
}

async fn nothing_is_written_if_no_server_takes_it() {
    let (_home, store) = service().await;
    let (source, sales) = told_batch(&store, &["anna", "berta"]).await;
    let users = claimed(&store, &source, 1).await;
    release_all(&store, &users[..1], &end(UserEvent::Synced, 2, Due::Never)).await;
    release_all(&store, &users[1..], &refused(2)).await;
    store.outbox().tell_progress(sales.guid, at(100_000)).await.unwrap();
    assert_eq!(rows_of(&store).await, []);
    assert_eq!(store.outbox().claim(Guid::nil(), at(1_000_000), 10).await.unwrap(), []);
    assert!(!store.outbox().has_receiver(sales.guid).await.unwrap());
    // The batch was synced before there was a server: the next look tells it.
    configure(&store).await;
    store.outbox().tell_progress(sales.guid, at(3)).await.unwrap();
    assert_eq!(events(&store).await, [(NotificationEvent::BatchSynced, 3)]);
}

async fn failures_of_15_minutes_are_one_notification() {
    let (_home, store) = service().await;
    configure(&store).await;
    let names: Vec<String> = (0..30).map(|number| format!("user{number}")).collect();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    let (source, _) = told_batch(&store, &names).await;
    let users = claimed(&store, &source, 1).await;
    release_all(&store, &users[..20], &refused(2)).await;
    assert_eq!(store.outbox().claim(Guid::nil(), at(2 + GATHERED - 1), 10).await.unwrap(), []);
    release_all(&store, &users[20..25], &refused(2 + GATHERED - 1)).await;
    let sent = store.outbox().claim(Guid::nil(), at(2 + GATHERED), 10).await.unwrap();
    let bodies: BTreeSet<_> = sent.iter().map(|sent| sent.notification.id).collect();
    assert_eq!((sent.len(), bodies.len()), (3, 1));
    let facts = &sent[0].notification.facts;
    assert_eq!(facts.summary, "25 users failed (Authentication: 25).");
    assert_eq!(facts.details["Users"][10], json!("and 15 more"));
    // Later failures make another one.
    release_all(&store, &users[25..], &refused(2 + GATHERED)).await;
    let told = store.outbox().claim(Guid::nil(), at(2 + 2 * GATHERED), 10).await.unwrap();
    assert!(
        told.iter().any(|told| told.notification.facts.summary.starts_with("5 users failed")),
        "{told:?}"
    );
}

/// Failures of a large batch at once. `MAILHAUL_EXTENT` multiplies their number.
#[tokio::test]
async fn many_failures_at_once_are_one_mail() {
    let extent: usize =
        std::env::var("MAILHAUL_EXTENT").ok().and_then(|extent| extent.parse().ok()).unwrap_or(1);
    let count = 1_000 * extent;
    let (_home, store) = service().await;
    configure(&store).await;
    let names: Vec<String> = (0..count).map(|number| format!("user{number}")).collect();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    let (source, _) = told_batch(&store, &names).await;
    let mut failed = 0;
    while failed < count {
        let users = claimed(&store, &source, 1).await;
        assert!(!users.is_empty());
        release_all(&store, &users, &refused(2)).await;
        failed += users.len();
    }
    let sent = store.outbox().claim(Guid::nil(), at(2 + GATHERED), 100).await.unwrap();
    let recipients: Vec<&str> = sent.iter().map(|sent| sent.recipient.as_str()).collect();
    assert_eq!(recipients, ["ada@contoso.edu", "ben@contoso.edu", "https://hook.example"]);
    let summary = format!("{count} users failed (Authentication: {count}).");
    assert!(sent.iter().all(|sent| sent.notification.facts.summary == summary), "{sent:?}");
    let events: Vec<_> = events(&store).await;
    assert_eq!(events, [(NotificationEvent::UsersFailed, 3)]);
}

async fn a_user_is_told_again_after_success_or_a_start() {
    let (_home, store) = service().await;
    configure(&store).await;
    let (source, _) = told_batch(&store, &["anna", "berta"]).await;
    let mut second = 0;
    // Each end of anna's pass, and true if her failure is told.
    for (release, is_told) in [
        (end(UserEvent::Synced, 0, Due::At(at(0))), false),
        (Release { due: Due::At(at(0)), ..refused(0) }, true),
        (Release { due: Due::At(at(0)), ..refused(0) }, false),
        (end(UserEvent::Synced, 0, Due::At(at(0))), false),
        (Release { due: Due::At(at(0)), ..refused(0) }, true),
    ] {
        second += 2 * GATHERED;
        let users = claimed(&store, &source, second).await;
        let anna = users.iter().find(|claimed| claimed.user.user_name == "anna").unwrap();
        store.jobs().release(&anna.lease, Release { now: at(second), ..release }).await.unwrap();
        let told = store.outbox().claim(Guid::nil(), at(second + GATHERED), 10).await.unwrap();
        let told = told.iter().filter(|told| told.notification.event == NotificationEvent::UsersFailed);
        assert_eq!(told.count() > 0, is_told, "{second}");
        for sent in rows_of(&store).await {
            assert!(sent.tries <= 1, "{sent:?}");
        }
        deliver_all(&store).await;
    }
    let anna = user(&store, "anna").await;
    store
        .jobs()
        .apply(Users::One(anna.guid), UserEvent::Start, at(second), Due::At(at(second)))
        .await
        .unwrap();
    let users = claimed(&store, &source, second + GATHERED + 1).await;
    release_all(&store, &users, &refused(second + GATHERED + 1)).await;
    let rows = rows_of(&store).await;
    assert_eq!(rows.iter().filter(|row| row.event == NotificationEvent::UsersFailed).count(), 9);
}

/// Records all claimed deliveries of the nil sender as delivered.
async fn deliver_all(store: &Store) {
    store.change(|connection| {
        Box::pin(async move {
            let sql = "UPDATE outbox_delivery SET due = NULL, delivered = 1, sender = NULL WHERE sender IS NOT NULL";
            crate::db::sql::query(sql).execute(connection).await?;
            Ok(())
        })
    })
    .await
    .unwrap();
}

async fn a_delivery_is_tried_eight_times_and_given_up() {
    let (_home, store) = service().await;
    configure(&store).await;
    let (source, _) = told_batch(&store, &["anna"]).await;
    let users = claimed(&store, &source, 1).await;
    release_all(&store, &users, &end(UserEvent::Synced, 2, Due::Never)).await;
    let mut now = at(2);
    let (one, other) = (Guid::new_v4(), Guid::new_v4());
    for tries in 1..=MAX_TRIES {
        let sent = store.outbox().claim(one, now, 2).await.unwrap();
        assert_eq!(sent.iter().map(|sent| sent.tries).collect::<Vec<_>>(), [tries, tries]);
        // The third one is left for another node, and nothing is sent twice.
        let third = store.outbox().claim(other, now, 5).await.unwrap();
        assert_eq!(third.len(), usize::from(tries == 1));
        for delivery in &third {
            store.outbox().record(delivery, other, Ok(()), now).await.unwrap();
        }
        for delivery in &sent {
            // A node that lost its claim records nothing.
            store.outbox().record(delivery, other, Ok(()), now).await.unwrap();
            store.outbox().record(delivery, one, Err(format!("450 try {tries}")), now).await.unwrap();
        }
        let Some(wait) = wait_after(tries) else { break };
        let before = now.checked_add(wait).unwrap().checked_sub(wait / 10).unwrap();
        assert_eq!(store.outbox().claim(one, before, 5).await.unwrap(), []);
        now = now.checked_add(wait).unwrap();
    }
    assert_eq!(store.outbox().claim(one, at(1_000_000), 5).await.unwrap(), []);
    let rows = rows_of(&store).await;
    let given_up = rows.iter().filter(|row| row.due.is_none() && row.delivered.is_none());
    let errors: Vec<_> = given_up.map(|row| row.last_error.as_deref().unwrap()).collect();
    assert_eq!(errors, ["450 try 8", "450 try 8"]);
    assert_eq!(store.outbox().list(None, true, None, 9).await.unwrap().items.len(), 2);
    assert_eq!(rows.iter().filter(|row| row.delivered.is_some()).count(), 1);
}

async fn a_delivery_of_a_dead_sender_is_due_with_the_same_id() {
    let (_home, store) = service().await;
    configure(&store).await;
    let (source, _) = told_batch(&store, &["anna"]).await;
    let users = claimed(&store, &source, 1).await;
    release_all(&store, &users, &end(UserEvent::Synced, 2, Due::Never)).await;
    let (dead, living) = (Guid::new_v4(), Guid::new_v4());
    let sent = store.outbox().claim(dead, at(2), 9).await.unwrap();
    store.outbox().record(&sent[0], dead, Ok(()), at(2)).await.unwrap();
    assert_eq!(store.outbox().claim(living, at(3), 9).await.unwrap(), []);
    store.jobs().recover(at(3), living).await.unwrap();
    let again = store.outbox().claim(living, at(3), 9).await.unwrap();
    let ids = |sent: &[crate::ClaimedDelivery]| {
        sent.iter().map(|sent| (sent.id, sent.notification.id)).collect::<BTreeSet<_>>()
    };
    assert_eq!(ids(&again), ids(&sent[1..]));
    // Its own deliveries are not taken from a living sender.
    store.jobs().recover(at(4), living).await.unwrap();
    assert_eq!(store.outbox().claim(living, at(4), 9).await.unwrap(), []);
    // The dead one wakes up: its result does not count any more.
    store.outbox().record(&sent[1], dead, Ok(()), at(4)).await.unwrap();
    assert_eq!(rows_of(&store).await.iter().filter(|row| row.delivered.is_some()).count(), 1);
}

async fn notifications_go_with_their_batch() {
    let (_home, store) = service().await;
    configure(&store).await;
    let (source, sales) = told_batch(&store, &["anna", "berta"]).await;
    let users = claimed(&store, &source, 1).await;
    release_all(&store, &users[..1], &refused(2)).await;
    release_all(&store, &users[1..], &end(UserEvent::Synced, 2, Due::Never)).await;
    assert_eq!(rows_of(&store).await.len(), 6);
    store.batches().remove(sales.guid).await.unwrap();
    assert_eq!(rows_of(&store).await, []);
}

async fn a_report_comes_at_each_interval() {
    let (_home, store) = service().await;
    configure(&store).await;
    let (_, sales) = told_batch(&store, &["anna"]).await;
    let day = 24 * 3_600;
    for (second, reports) in [(day - 1, 0), (day, 3), (day + 1, 3), (2 * day, 6)] {
        store.outbox().tell_progress(sales.guid, at(second)).await.unwrap();
        assert_eq!(rows_of(&store).await.len(), reports, "{second}");
    }
    store.outbox().forget(at(31 * day + 1)).await.unwrap();
    assert_eq!(rows_of(&store).await.len(), 3);
    store.batches().update(sales.guid, |batch| batch.settings.skip_reports = true).await.unwrap();
    store.outbox().tell_progress(sales.guid, at(9 * day)).await.unwrap();
    assert_eq!(rows_of(&store).await.len(), 3);
}

async fn secrets_are_sealed_and_removed() {
    let (_home, store) = service().await;
    let secret = || Some(Secret::new("sesame"));
    let set = |config: &mut MigrationConfig, is_changed| {
        config.notifications.smtp = Some(smtp());
        is_changed
    };
    let password = NotificationSecret::SmtpPassword;
    store.config().update_with(move |it| set(it, false), vec![(password, secret())]).await.unwrap();
    assert_eq!(store.config().secret(password).await.unwrap(), None);
    store.config().update_with(move |it| set(it, true), vec![(password, secret())]).await.unwrap();
    assert_eq!(store.config().secret(password).await.unwrap(), secret());
    assert_eq!(store.config().secret(NotificationSecret::WebhookSecret).await.unwrap(), None);
    store.config().update_with(|_| true, vec![(password, None)]).await.unwrap();
    assert_eq!(store.config().secret(password).await.unwrap(), None);
}

/// A look at which each name server tells this host.
fn mx_look(second: i64, host: &str) -> RoutingLook {
    let hosts =
        vec![MxHost { preference: 10, name: host.to_owned(), addresses: Vec::new(), address_ttl: 60 }];
    RoutingLook {
        at: at(second),
        name_servers: vec![AskedServer {
            name: "ns1.contoso.edu".to_owned(),
            answer: MxAnswer::Hosts { ttl: 60, hosts },
        }],
        name_server_ttl: 60,
        resolvers: Vec::new(),
        trouble: None,
        source_addresses: Vec::new(),
    }
}

async fn mail_hosts_that_change_and_return_are_told() {
    use NotificationEvent::{MxChanged, MxReturned};
    let (_home, store) = service().await;
    configure(&store).await;
    let (_, sales) = told_batch(&store, &["anna"]).await;
    for (second, host, told) in [
        (1, "mx.old.example", vec![]),
        (2, "mx.old.example", vec![]),
        (3, "mx.new.example", vec![(MxChanged, 3)]),
        (4, "mx.new.example", vec![(MxChanged, 3)]),
        (5, "mx.old.example", vec![(MxChanged, 3), (MxReturned, 3)]),
    ] {
        let domain = "contoso.edu".to_owned();
        let look = mx_look(second, host);
        store.cutover().observe_domain(sales.guid, domain, look, Vec::new(), None).await.unwrap();
        assert_eq!(events(&store).await, told, "{second}");
    }
    let sent = store.outbox().claim(Guid::nil(), at(6), 1).await.unwrap().remove(0).notification.facts;
    assert_eq!(
        (&sent.details["OldMX"], &sent.details["NewMX"]),
        (&json!("10 mx.old.example"), &json!("10 mx.new.example"))
    );
    let told = store.outbox().told(sales.guid, "contoso.edu").await.unwrap();
    assert_eq!((told.last(MxChanged), told.last(MxReturned)), (Some(at(3)), Some(at(5))));
}

/// The last two users end at the same time, on two nodes.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_users_that_end_together_tell_their_batch_once() {
    let (home, one) = on_server().await;
    let two = home.open().await;
    configure(&one).await;
    let source = one.endpoints().insert(endpoint("Old"), None).await.unwrap();
    for round in 0..20 {
        let (anna, berta) = (format!("anna{round}"), format!("berta{round}"));
        let new = batch(&format!("Sales {round}"), &source, BatchIntent::Run);
        one.batches().insert(new, rows(&[&anna, &berta])).await.unwrap();
        let users = claimed(&one, &source, 1).await;
        let first = one.jobs().release(&users[0].lease, end(UserEvent::Synced, 2, Due::Never));
        let other = two.jobs().release(&users[1].lease, end(UserEvent::Synced, 2, Due::Never));
        let (one_end, other_end) = join!(first, other);
        assert!(one_end.is_ok() && other_end.is_ok());
        assert_eq!(events(&one).await, [(NotificationEvent::BatchSynced, round + 1)]);
    }
}

/// Failures on two nodes while the notification is sent: each user is told once.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_failure_is_forgotten_while_one_is_sent() {
    let (home, one) = on_server().await;
    let two = home.open().await;
    configure(&one).await;
    let names: Vec<String> = (0..40).map(|number| format!("user{number}")).collect();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    let (source, _) = told_batch(&one, &names).await;
    let users = claimed(&one, &source, 1).await;
    let mut told = 0;
    let mut second = 1;
    for user in &users {
        second += GATHERED;
        let failed = one.jobs().release(&user.lease, refused(second));
        let sent = two.outbox().claim(Guid::nil(), at(second), 100);
        let (failed, sent) = join!(failed, sent);
        failed.unwrap();
        told += count_of(&sent.unwrap());
        deliver_all(&one).await;
    }
    told += count_of(&one.outbox().claim(Guid::nil(), at(second + GATHERED), 100).await.unwrap());
    assert_eq!(told, 40);
}

/// Users that failed, as the webhook tells them.
fn count_of(sent: &[crate::ClaimedDelivery]) -> u64 {
    let of_webhook = sent.iter().filter(|sent| sent.way == DeliveryWay::Webhook);
    of_webhook.filter_map(|sent| sent.notification.facts.details["FailedCount"].as_u64()).sum()
}
