//! Events of users, and the due times after them.

use mailhaul_migration::{BatchIntent, Guid, UserEvent, UserStatus};
use strum::VariantArray;

use super::{at, batch, claim, end, endpoint, on_both, rows, running, service, user};
use crate::{Claim, Due, PassKind, Store, StoreError, Users};

on_both! {
    every_state_takes_every_event_as_the_table_says,
    an_event_moves_the_users_of_a_batch_that_can,
    a_users_own_times_go_before_those_of_the_batch,
    sync_now_reaches_synced_users_only,
}

/// Sets a user's status, whatever it was before.
async fn put(store: &Store, guid: Guid, status: UserStatus, has_synced: bool, is_leased: bool) {
    let synced = has_synced.then_some(0_i64);
    let (owner, until) = if is_leased { (Some(Guid::nil()), Some(0_i64)) } else { (None, None) };
    let pass = PassKind::before(status).or(is_leased.then_some(PassKind::First)).map(|it| it.to_string());
    store
        .change(move |connection| {
            Box::pin(async move {
                crate::db::sql::query(
                    "UPDATE migration_user SET status = ?, initial_synced = ?, lease_owner = ?, lease_until = ?, due = 5, \
                     pass = ?, status_since = ?, queued_millis = 0, in_progress_millis = 0, synced_millis = 0 \
                     WHERE guid = ?",
                )
                .bind(status.to_string())
                .bind(synced)
                .bind(owner)
                .bind(until)
                .bind(pass)
                .bind(at(0).as_millisecond())
                .bind(guid)
                .execute(connection)
                .await?;
                Ok(())
            })
        })
        .await
        .unwrap();
}

async fn every_state_takes_every_event_as_the_table_says() {
    let (_data, store) = service().await;
    running(&store, &["terry"]).await;
    let guid = user(&store, "terry").await.guid;
    for status in UserStatus::VARIANTS.iter().copied() {
        for event in UserEvent::VARIANTS.iter().copied() {
            for (has_synced, is_leased) in [(false, false), (false, true), (true, false), (true, true)] {
                put(&store, guid, status, has_synced, is_leased).await;
                let done = store.jobs().apply(Users::One(guid), event, at(7), Due::At(at(50))).await;
                let after = user(&store, "terry").await;
                let case = format!("{status} {event} {has_synced} {is_leased}");
                let next = match status.on(event, has_synced) {
                    // No worker is there that could end the pass.
                    Ok(UserStatus::Stopping) if !is_leased => {
                        UserStatus::Stopping.on(UserEvent::Halted, has_synced).unwrap()
                    }
                    Ok(next) => next,
                    Err(reason) => {
                        assert_eq!(after.status, status, "{case}");
                        let expected = format!("terry@new.example: {reason}");
                        assert_eq!(done.unwrap_err().to_string(), expected, "{case}");
                        continue;
                    }
                };
                assert_eq!((done.unwrap(), after.status), (1, next), "{case}");
                let due = PassKind::before(next).map(|_| at(50));
                assert_eq!(after.due, due, "{case}");
                let (since, elapsed) = if next == status { (at(0), 0) } else { (at(7), 7_000) };
                let counted = &after.statistics;
                let counted = (counted.queued_millis, counted.in_progress_millis, counted.synced_millis);
                let expected = match status {
                    UserStatus::Queued => (elapsed, 0, 0),
                    UserStatus::Synced => (0, 0, elapsed),
                    _ if status.is_running() => (0, elapsed, 0),
                    _ => (0, 0, 0),
                };
                assert_eq!((after.status_since, counted), (since, expected), "{case}");
            }
        }
    }
}

async fn an_event_moves_the_users_of_a_batch_that_can() {
    let (_data, store) = service().await;
    let (_, sales) = running(&store, &["anna", "berta", "carla", "dora"]).await;
    for (name, status) in [
        ("anna", UserStatus::Synced),
        ("berta", UserStatus::Completed),
        ("carla", UserStatus::IncrementalFailed),
        ("dora", UserStatus::CompletedWithWarnings),
    ] {
        let guid = user(&store, name).await.guid;
        put(&store, guid, status, true, false).await;
    }
    let everybody = Users::OfBatch(sales.guid);
    assert_eq!(store.jobs().apply(everybody, UserEvent::Complete, at(1), Due::At(at(2))).await.unwrap(), 3);
    assert_eq!(user(&store, "berta").await.status, UserStatus::Completed);
    let counts = store.users().count(Some(sales.guid)).await.unwrap();
    assert_eq!((counts.of(UserStatus::Completing), counts.total()), (3, 4));
    assert_eq!(store.jobs().apply(everybody, UserEvent::Start, at(3), Due::Keep).await.unwrap(), 0);
    assert_eq!(user(&store, "anna").await.due, Some(at(2)));
    let nobody = Users::One(Guid::nil());
    let error = store.jobs().apply(nobody, UserEvent::Start, at(3), Due::Keep).await.unwrap_err();
    assert!(matches!(error, StoreError::NotFound { what: "user", .. }), "{error}");
}

async fn a_users_own_times_go_before_those_of_the_batch() {
    let (_data, store) = service().await;
    let source = store.endpoints().insert(endpoint("Old"), None).await.unwrap();
    let mut sales = batch("Sales", &source, BatchIntent::Created);
    sales.settings.start_after = Some(at(100));
    sales.settings.complete_after = Some(at(1_000));
    store.batches().insert(sales.clone(), rows(&["anna", "berta", "carla"])).await.unwrap();
    let (anna, berta) = (user(&store, "anna").await.guid, user(&store, "berta").await.guid);
    let changed = store.users().update(anna, |it| it.start_after = Some(at(40))).await.unwrap();
    assert_eq!((changed.start_after, changed.complete_after), (Some(at(40)), None));
    store.users().update(berta, |it| it.complete_after = Some(at(2_000))).await.unwrap();

    let run = |batch: &mut mailhaul_migration::Batch| batch.intent = BatchIntent::Run;
    let ordered = store
        .batches()
        .order(sales.guid, UserEvent::Start, at(50), Due::AfterStart(at(50)), run)
        .await
        .unwrap();
    assert_eq!((ordered.users, ordered.batch.intent), (3, BatchIntent::Run));
    assert_eq!(user(&store, "anna").await.due, Some(at(50)));
    assert_eq!(user(&store, "berta").await.due, Some(at(100)));
    assert_eq!(store.jobs().next_due(at(49)).await.unwrap(), Some(at(50)));
    assert_eq!(store.jobs().next_due(at(50)).await.unwrap(), Some(at(100)));

    let claimed = store.jobs().claim(claim(&source, Guid::new_v4(), 100)).await.unwrap();
    for it in &claimed {
        store.jobs().release(&it.lease, end(UserEvent::Synced, 200, Due::At(at(5_000)))).await.unwrap();
    }
    assert_eq!(store.jobs().complete_due(at(999)).await.unwrap(), 0);
    assert_eq!(store.jobs().complete_due(at(1_000)).await.unwrap(), 2);
    assert_eq!(user(&store, "carla").await.status, UserStatus::Completing);
    assert_eq!(user(&store, "carla").await.due, Some(at(1_000)));
    assert_eq!(user(&store, "berta").await.status, UserStatus::Synced);
    store.batches().update(sales.guid, |it| it.intent = BatchIntent::Stop).await.unwrap();
    assert_eq!(store.jobs().complete_due(at(3_000)).await.unwrap(), 0);
    store.batches().update(sales.guid, |it| it.intent = BatchIntent::Run).await.unwrap();
    assert_eq!(store.jobs().complete_due(at(3_000)).await.unwrap(), 1);
    // A completed user is not completed again.
    assert_eq!(store.jobs().complete_due(at(3_000)).await.unwrap(), 0);
}

async fn sync_now_reaches_synced_users_only() {
    let (_data, store) = service().await;
    let (source, sales) = running(&store, &["anna", "berta", "carla"]).await;
    let owner = Guid::new_v4();
    let claimed = store.jobs().claim(Claim { limit: 2, ..claim(&source, owner, 1) }).await.unwrap();
    store.jobs().release(&claimed[0].lease, end(UserEvent::Synced, 2, Due::At(at(9_000)))).await.unwrap();
    let now = vec![UserStatus::Synced, UserStatus::IncrementalFailed, UserStatus::Validating];
    let everybody = Users::OfBatch(sales.guid);
    assert_eq!(store.jobs().reschedule(everybody, now.clone(), Due::At(at(5))).await.unwrap(), 1);
    assert_eq!(user(&store, "anna").await.due, Some(at(5)));
    assert_eq!(user(&store, "berta").await.due, None);
    let carla = user(&store, "carla").await;
    assert_eq!(carla.due, Some(at(0)));
    assert_eq!(store.jobs().reschedule(Users::One(carla.guid), now, Due::Never).await.unwrap(), 0);
    let queued = vec![UserStatus::Queued];
    assert_eq!(store.jobs().reschedule(Users::One(carla.guid), queued, Due::Never).await.unwrap(), 1);
    assert_eq!(user(&store, "carla").await.due, None);
}
