//! Arrivals on the source, as passes record them, and the domains of a batch.

use jiff::SignedDuration;
use mailhaul_engine::{Arrival, Ledger as _, LedgerRecord};
use mailhaul_mail::{Deliverer, FolderPath, UidValidity, Via};
use mailhaul_migration::{BatchIntent, DeliveringHost, Guid};

use super::{at, batch, claim, on_both, row, running, service};
use crate::{ArrivalTimes, KEPT_ARRIVALS, MailboxLedger, Store};

on_both! {
    arrivals_are_counted_by_host_and_time,
    arrivals_go_with_their_users_and_with_time,
    a_worker_without_its_lease_counts_nothing,
    the_domains_of_a_batch_are_those_of_its_addresses,
}

fn external(name: &str, address: &str, second: i64) -> Arrival {
    let name = Some(name.to_owned()).filter(|name| !name.is_empty());
    let via = Via::External(Deliverer { name, address: address.parse().ok() });
    Arrival { via, at: at(second).as_second() }
}

fn of(via: Via, second: i64) -> Arrival {
    Arrival { via, at: at(second).as_second() }
}

async fn ledger(store: &Store, lease: &crate::Lease, user: &str) -> MailboxLedger {
    let ledger = store.ledgers().leased_mailbox(user, "new", lease).await.unwrap();
    let (folder, uid_validity) = (FolderPath::parse("INBOX"), UidValidity::new(7).unwrap());
    let opened = LedgerRecord::Opened { folder: folder.clone(), target: folder, uid_validity };
    ledger.record(&[opened]).await.unwrap();
    ledger
}

fn arrived(arrivals: Vec<Arrival>) -> [LedgerRecord; 1] {
    [LedgerRecord::Arrived { folder: FolderPath::parse("INBOX"), arrivals }]
}

const HOUR: i64 = 3_600;

async fn arrivals_are_counted_by_host_and_time() {
    let (_data, store) = service().await;
    let (source, sales) = running(&store, &["terry", "paul"]).await;
    let times = |now, settled: Option<i64>| ArrivalTimes {
        now: at(now),
        quiet_from: at(now - 24 * HOUR),
        settled: settled.map(at),
    };
    let none = store.cutover().arrivals(sales.guid, times(0, Some(0))).await.unwrap();
    assert_eq!((none.last, none.recent, none.week, none.writers.count), (None, 0, 0, 0));
    for (index, claimed) in
        store.jobs().claim(claim(&source, Guid::new_v4(), 10)).await.unwrap().iter().enumerate()
    {
        let ledger = ledger(&store, &claimed.lease, &claimed.user.user_name).await;
        ledger
            .record(&arrived(vec![
                external("smtp.partner.example", "203.0.113.7", 90 * HOUR),
                external("smtp.partner.example", "203.0.113.7", 90 * HOUR + 60),
                external("", "", 50 * HOUR),
            ]))
            .await
            .unwrap();
        // Another write adds to the same hour.
        let more = external("smtp.partner.example", "203.0.113.7", 90 * HOUR + 30);
        ledger.record(&arrived(vec![more, of(Via::Internal, 91 * HOUR)])).await.unwrap();
        let later = if index == 0 { of(Via::Saved, 95 * HOUR) } else { of(Via::Returned, 96 * HOUR) };
        ledger.record(&arrived(vec![later])).await.unwrap();
    }
    let found = store.cutover().arrivals(sales.guid, times(100 * HOUR, Some(80 * HOUR))).await.unwrap();
    assert_eq!(found.last, Some(at(91 * HOUR)));
    assert_eq!((found.recent, found.day, found.week, found.internal, found.returned), (8, 8, 10, 2, 1));
    let address = "203.0.113.7".parse().ok();
    let name = "smtp.partner.example".to_owned();
    assert_eq!(found.hosts, [DeliveringHost { name, address, messages: 6 }]);
    assert_eq!((found.writers.count, found.last_saved), (1, Some(at(95 * HOUR))));
    assert_eq!(found.writers.first.len(), 1);
    let later = store.cutover().arrivals(sales.guid, times(120 * HOUR, Some(95 * HOUR))).await.unwrap();
    assert_eq!((later.recent, later.week, later.writers.count), (0, 10, 0));
    assert_eq!(later.last, Some(at(91 * HOUR)));
    let other = store.cutover().arrivals(Guid::new_v4(), times(100 * HOUR, None)).await.unwrap();
    assert_eq!((other.last, other.hosts.len()), (None, 0));
}

async fn arrivals_go_with_their_users_and_with_time() {
    let (_data, store) = service().await;
    let (source, sales) = running(&store, &["terry"]).await;
    let claimed = store.jobs().claim(claim(&source, Guid::new_v4(), 10)).await.unwrap();
    let ledger = ledger(&store, &claimed[0].lease, "terry").await;
    ledger.record(&arrived(vec![external("a.example", "", 0), of(Via::Internal, 10 * HOUR)])).await.unwrap();
    let last = async |hours: i64| {
        let times = ArrivalTimes { now: at(hours * HOUR), quiet_from: at(-HOUR), settled: None };
        let found = store.cutover().arrivals(sales.guid, times).await.unwrap();
        (found.recent, found.last)
    };
    assert_eq!(last(11).await, (2, Some(at(10 * HOUR))));
    let after = |hours: i64| at(hours * HOUR) + KEPT_ARRIVALS;
    store.cutover().delete_old_arrivals(after(0) - SignedDuration::from_hours(2)).await.unwrap();
    assert_eq!(last(11).await.0, 2);
    store.cutover().delete_old_arrivals(after(5)).await.unwrap();
    assert_eq!(last(11).await, (1, Some(at(10 * HOUR))));
    drop(ledger);
    store.batches().remove(sales.guid).await.unwrap();
    assert_eq!(last(11).await, (0, None));
}

async fn a_worker_without_its_lease_counts_nothing() {
    let (_data, store) = service().await;
    let (source, sales) = running(&store, &["terry"]).await;
    let claimed = store.jobs().claim(claim(&source, Guid::new_v4(), 10)).await.unwrap();
    let ledger = ledger(&store, &claimed[0].lease, "terry").await;
    store.jobs().recover(at(100), Guid::new_v4()).await.unwrap();
    ledger.record(&arrived(vec![of(Via::Internal, 100)])).await.unwrap_err();
    let times = ArrivalTimes { now: at(200), quiet_from: at(0), settled: None };
    assert_eq!(store.cutover().arrivals(sales.guid, times).await.unwrap().last, None);
}

async fn the_domains_of_a_batch_are_those_of_its_addresses() {
    let (_data, store) = service().await;
    let (source, sales) = running(&store, &["terry", "paul"]).await;
    assert_eq!(store.cutover().mail_domains(sales.guid).await.unwrap(), ["new.example"]);
    assert_eq!(store.cutover().mail_domains(Guid::new_v4()).await.unwrap(), [""; 0]);
    let users = (0..90).map(|number| {
        let mut user = row(number + 2, &format!("user{number}"));
        let domain =
            ["A.example", "a.example", "b.example", "xn--bcher-kva.example", "\u{fc}ber.example"][number % 5];
        user.email_address = format!("user{number}@{domain}");
        user
    });
    let more = batch("More", &source, BatchIntent::Run);
    let more = store.batches().insert(more, users.collect()).await.unwrap().batch;
    let found = store.cutover().mail_domains(more.guid).await.unwrap();
    assert_eq!(found, ["a.example", "b.example", "xn--bcher-kva.example", "\u{fc}ber.example"]);
}
