//! A clock that was set back by two days.

use std::time::Duration;

use mailhaul_migration::{BatchIntent, Guid, UserEvent};

use super::{at, batch, claim, counted, end, endpoint, on_both, rows, running, service, user};
use crate::{Claim, Due, Parking, Users};

on_both! {
    a_scheduled_sync_waits_for_its_interval_and_no_longer,
    a_date_of_the_administrator_stays,
    parkings_checks_and_quotas_do_not_wait_for_the_old_clock,
}

const DAY: i64 = 86_400;
const HOUR: Duration = Duration::from_hours(1);

async fn a_scheduled_sync_waits_for_its_interval_and_no_longer() {
    let (_data, store) = service().await;
    let (source, _) = running(&store, &["terry", "anna"]).await;
    let late = claim(&source, Guid::new_v4(), 2 * DAY);
    for claimed in store.jobs().claim(Claim { limit: 1, ..late }).await.unwrap() {
        let due = Due::At(at(3 * DAY));
        store.jobs().release(&claimed.lease, end(UserEvent::Synced, 2 * DAY, due)).await.unwrap();
    }
    store.bring_times_back(at(10), HOUR).await.unwrap();
    assert_eq!(user(&store, "terry").await.due, Some(at(10 + DAY)));
    // A second run: the times stay. Users that were due are due.
    store.bring_times_back(at(20), HOUR).await.unwrap();
    assert_eq!(user(&store, "terry").await.due, Some(at(10 + DAY)));
    assert!(user(&store, "anna").await.due.is_some_and(|due| due <= at(10)));
}

async fn a_date_of_the_administrator_stays() {
    let (_data, store) = service().await;
    let source = store.endpoints().insert(endpoint("Old"), None).await.unwrap();
    let mut sales = batch("Sales", &source, BatchIntent::Run);
    sales.settings.start_after = Some(at(9 * DAY));
    let sales = store.batches().insert(sales, rows(&["terry"])).await.unwrap().batch;
    let (selection, start) = (Users::OfBatch(sales.guid), Due::AfterStart(at(2 * DAY)));
    store.jobs().apply(selection, UserEvent::Stop, at(2 * DAY), Due::Never).await.unwrap();
    store.jobs().apply(selection, UserEvent::Start, at(2 * DAY), start).await.unwrap();
    store.bring_times_back(at(0), HOUR).await.unwrap();
    assert_eq!(user(&store, "terry").await.due, Some(at(9 * DAY)));
}

async fn parkings_checks_and_quotas_do_not_wait_for_the_old_clock() {
    let (_data, store) = service().await;
    let (source, sales) = running(&store, &["terry"]).await;
    let parking = |_| Parking { since: at(2 * DAY), until: at(2 * DAY + 60), reason: "busy".to_owned() };
    store.jobs().park(source.guid, parking).await.unwrap();
    store.checks().request(Users::OfBatch(sales.guid), at(2 * DAY)).await.unwrap();
    let hour = |second| at(second).as_second().cast_unsigned() / 3600;
    let used = vec![(hour(0), 5), (hour(2 * DAY), 7)];
    store.jobs().add_usage(counted(source.guid, "terry"), used, 0).await.unwrap();
    store.bring_times_back(at(0), HOUR).await.unwrap();
    assert_eq!(store.jobs().parked(at(59)).await.unwrap().len(), 1);
    assert_eq!(store.jobs().parked(at(60)).await.unwrap(), []);
    assert_eq!(user(&store, "terry").await.check.due, Some(at(3600)));
    assert_eq!(store.jobs().usage(source.guid, None, 0).await.unwrap(), [(hour(0), 12)]);
}
