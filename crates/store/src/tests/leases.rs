//! Claims and their ends, with two owners.

use mailhaul_migration::{BatchIntent, FailureClass, Guid, PassFailure, Statistics, UserEvent, UserStatus};

use super::{at, batch, claim, end, endpoint, failure, on_both, rows, running, service, user};
use crate::{
    Claim, ClaimedUser, Due, Heartbeat, Lease, Parking, PassKind, Release, RunningPasses, StoreError, Users,
    WaitingPasses,
};

on_both! {
    a_user_is_claimed_once_and_comes_back,
    final_passes_come_first_then_incremental_ones_then_first_ones,
    users_of_batches_that_do_not_run_are_not_claimed,
    leases_of_dead_workers_end_and_those_of_living_ones_hold,
    heartbeats_renew_many_leases_and_return_lost_ones,
    a_stop_reaches_workers_and_ends_passes_without_one,
    a_start_forgets_failure_and_attempts,
    an_approval_ends_if_more_messages_are_skipped,
    users_are_claimed_for_endpoints_with_a_free_slot,
    users_wait_if_they_are_due_and_their_endpoint_is_not_parked,
}

fn names(claimed: &[ClaimedUser]) -> Vec<&str> {
    claimed.iter().map(|it| it.user.user_name.as_str()).collect()
}

fn is_lost<T: std::fmt::Debug>(done: Result<T, StoreError>) -> String {
    match done {
        Err(error @ StoreError::LeaseLost { .. }) => error.to_string(),
        other => panic!("{other:?}"),
    }
}

async fn a_user_is_claimed_once_and_comes_back() {
    let (_data, store) = service().await;
    let (source, sales) = running(&store, &["terry"]).await;
    let (one, two) = (Guid::new_v4(), Guid::new_v4());
    assert_eq!(store.jobs().claim(claim(&source, one, -1)).await.unwrap(), []);
    let claimed = store.jobs().claim(claim(&source, one, 10)).await.unwrap();
    assert_eq!(claimed.len(), 1);
    let ClaimedUser { user: taken, kind, lease } = &claimed[0];
    assert_eq!((taken.status, taken.due, *kind), (UserStatus::Validating, None, PassKind::First));
    assert_eq!((taken.batch, taken.statistics.queued_millis), (sales.guid, 10_000));
    assert_eq!(user(&store, "terry").await, *taken);
    assert_eq!(store.jobs().claim(claim(&source, two, 10)).await.unwrap(), []);

    store.jobs().renew(lease, at(100)).await.unwrap();
    assert_eq!(store.jobs().advance(lease, UserEvent::Validated, at(12)).await.unwrap(), UserStatus::Syncing);
    let illegal = store.jobs().advance(lease, UserEvent::Start, at(12)).await.unwrap_err();
    assert!(matches!(illegal, StoreError::Illegal { .. }), "{illegal}");
    let release = Release { failure: Some(failure()), ..end(UserEvent::Deferred, 15, Due::At(at(20))) };
    let after = store.jobs().release(lease, release).await.unwrap();
    assert_eq!((after.status, after.due, after.attempts), (UserStatus::Queued, Some(at(20)), 1));
    assert_eq!((after.failure, after.statistics.in_progress_millis), (Some(failure()), 5_000));
    assert!(
        is_lost(store.jobs().renew(lease, at(100)).await)
            .starts_with("terry@new.example: its pass was ended")
    );

    let again = store.jobs().claim(claim(&source, two, 20)).await.unwrap();
    assert!(again[0].lease.fence > lease.fence);
    let words = is_lost(store.jobs().release(lease, end(UserEvent::Synced, 21, Due::Never)).await);
    assert_eq!(words, "terry@new.example: another worker has claimed the mailbox");
    let statistics = Statistics { synced_items: 3, queued_millis: 77, ..Statistics::default() };
    let release = Release { statistics, ..end(UserEvent::Synced, 30, Due::At(at(90))) };
    let after = store.jobs().release(&again[0].lease, release).await.unwrap();
    assert_eq!((after.status, after.attempts, after.failure), (UserStatus::Synced, 0, None));
    assert_eq!((after.initial_synced, after.last_synced), (Some(at(30)), Some(at(30))));
    let counted = after.statistics;
    assert_eq!(
        (counted.synced_items, counted.queued_millis, counted.in_progress_millis),
        (3, 15_000, 15_000)
    );

    let third = store.jobs().claim(claim(&source, one, 90)).await.unwrap();
    assert_eq!(
        (third[0].kind, third[0].user.status),
        (PassKind::Incremental, UserStatus::IncrementalSyncing)
    );
    let after = store.jobs().release(&third[0].lease, end(UserEvent::Synced, 95, Due::Never)).await.unwrap();
    assert_eq!((after.initial_synced, after.last_synced, after.due), (Some(at(30)), Some(at(95)), None));
    assert_eq!(after.statistics.synced_millis, 60_000);
}

async fn final_passes_come_first_then_incremental_ones_then_first_ones() {
    let (_data, store) = service().await;
    let (source, _) = running(&store, &["anna", "berta", "carla", "dora", "emma"]).await;
    let owner = Guid::new_v4();
    let first = store.jobs().claim(Claim { limit: 3, ..claim(&source, owner, 1) }).await.unwrap();
    assert_eq!(names(&first), ["anna", "berta", "carla"]);
    for (it, due) in first.iter().zip([50, 40, 30]) {
        store.jobs().release(&it.lease, end(UserEvent::Synced, 2, Due::At(at(due)))).await.unwrap();
    }
    store
        .jobs()
        .apply(Users::One(first[0].lease.user), UserEvent::Complete, at(3), Due::At(at(60)))
        .await
        .unwrap();
    let only = |kinds: Vec<PassKind>| Claim { kinds, limit: 0, ..claim(&source, owner, 70) };
    assert_eq!(store.jobs().claim(only(vec![PassKind::First])).await.unwrap(), []);
    assert_eq!(store.jobs().claim(claim(&endpoint("other"), owner, 70)).await.unwrap(), []);
    let incremental =
        store.jobs().claim(Claim { limit: 1, ..only(vec![PassKind::Incremental]) }).await.unwrap();
    assert_eq!(names(&incremental), ["carla"]);
    let all = store.jobs().claim(Claim { limit: 3, ..claim(&source, owner, 70) }).await.unwrap();
    assert_eq!(names(&all), ["anna", "berta", "dora"]);
    assert_eq!(all[0].user.status, UserStatus::Completing);
    let kinds: Vec<_> = all.iter().map(|it| it.kind).collect();
    assert_eq!(kinds, [PassKind::Final, PassKind::Incremental, PassKind::First]);

    let mut seen = store.jobs().running().await.unwrap();
    seen.sort_by_key(|it| it.kind);
    let running =
        |kind, users| RunningPasses { source_endpoint: source.guid, target_endpoint: None, kind, users };
    let expected =
        [running(PassKind::Final, 1), running(PassKind::Incremental, 2), running(PassKind::First, 1)];
    assert_eq!(seen, expected);
    let after =
        store.jobs().release(&all[0].lease, end(UserEvent::Synced, 80, Due::At(at(90)))).await.unwrap();
    assert_eq!((after.status, after.due), (UserStatus::Completed, None));
    assert_eq!(store.jobs().running().await.unwrap().len(), 2);
}

async fn users_of_batches_that_do_not_run_are_not_claimed() {
    let (_data, store) = service().await;
    let (source, sales) = running(&store, &["anna"]).await;
    store.batches().insert(batch("Idle", &source, BatchIntent::Created), rows(&["berta"])).await.unwrap();
    store.batches().update(sales.guid, |it| it.intent = BatchIntent::Stop).await.unwrap();
    assert_eq!(store.jobs().claim(claim(&source, Guid::new_v4(), 10)).await.unwrap(), []);
    assert_eq!(store.jobs().next_due(at(-9)).await.unwrap(), None);
    store.batches().update(sales.guid, |it| it.intent = BatchIntent::Run).await.unwrap();
    assert_eq!(store.jobs().next_due(at(-9)).await.unwrap(), Some(at(0)));
    assert_eq!(names(&store.jobs().claim(claim(&source, Guid::new_v4(), 10)).await.unwrap()), ["anna"]);
}

async fn leases_of_dead_workers_end_and_those_of_living_ones_hold() {
    let (_data, store) = service().await;
    let (source, _) = running(&store, &["anna", "berta", "carla", "dora"]).await;
    let (dead, alive) = (Guid::new_v4(), Guid::new_v4());
    let old = store.jobs().claim(Claim { limit: 3, ..claim(&source, dead, 10) }).await.unwrap();
    let own = store.jobs().claim(claim(&source, alive, 10)).await.unwrap();
    assert_eq!(names(&own), ["dora"]);
    store.jobs().advance(&old[1].lease, UserEvent::Validated, at(11)).await.unwrap();
    store.jobs().apply(Users::One(old[2].lease.user), UserEvent::Stop, at(12), Due::Never).await.unwrap();
    assert_eq!(user(&store, "carla").await.status, UserStatus::Stopping);

    assert_eq!(store.jobs().recover(at(20), alive).await.unwrap().users, 3);
    for (name, status, due) in [
        ("anna", UserStatus::Queued, Some(at(20))),
        ("berta", UserStatus::Queued, Some(at(20))),
        ("carla", UserStatus::Stopped, None),
        ("dora", UserStatus::Validating, None),
    ] {
        let user = user(&store, name).await;
        assert_eq!((user.status, user.due, user.attempts), (status, due, 0), "{name}");
    }
    for it in &old {
        is_lost(store.jobs().renew(&it.lease, at(99)).await);
        is_lost(store.jobs().advance(&it.lease, UserEvent::Validated, at(21)).await);
        is_lost(store.jobs().release(&it.lease, end(UserEvent::Synced, 21, Due::Never)).await);
    }
    assert_eq!(store.jobs().recover(at(69), alive).await.unwrap().users, 0);
    // An owner that does not renew counts as dead, also for its own process.
    assert_eq!(store.jobs().recover(at(70), alive).await.unwrap().users, 1);
    assert_eq!(user(&store, "dora").await.status, UserStatus::Queued);
}

async fn heartbeats_renew_many_leases_and_return_lost_ones() {
    let (_data, store) = service().await;
    let (source, _) = running(&store, &["anna", "berta", "carla"]).await;
    let owner = Guid::new_v4();
    let claimed = store.jobs().claim(claim(&source, owner, 10)).await.unwrap();
    let leases: Vec<Lease> = claimed.iter().map(|it| it.lease).collect();
    store.users().remove(leases[1].user).await.unwrap();
    let statistics =
        Statistics { total_items: 9, pass_bytes: 7, in_progress_millis: 5, ..Statistics::default() };
    let beats = leases
        .iter()
        .map(|lease| Heartbeat { lease: *lease, until: at(500), statistics: Some(statistics) })
        .collect();
    assert_eq!(store.jobs().heartbeats(beats).await.unwrap(), [leases[1]]);
    assert_eq!(store.jobs().recover(at(499), owner).await.unwrap().users, 0);
    let shown = user(&store, "carla").await.statistics;
    assert_eq!((shown.total_items, shown.pass_bytes, shown.in_progress_millis), (9, 7, 0));
    let words = is_lost(store.jobs().renew(&leases[1], at(600)).await);
    assert_eq!(words, format!("{}: it was removed from its batch", leases[1].user));
}

async fn a_stop_reaches_workers_and_ends_passes_without_one() {
    let (_data, store) = service().await;
    let (source, sales) = running(&store, &["anna", "berta", "carla"]).await;
    let claimed = store.jobs().claim(Claim { limit: 2, ..claim(&source, Guid::new_v4(), 10) }).await.unwrap();
    let synced =
        store.jobs().release(&claimed[0].lease, end(UserEvent::Synced, 11, Due::At(at(50)))).await.unwrap();
    store.jobs().apply(Users::One(synced.guid), UserEvent::Complete, at(12), Due::At(at(50))).await.unwrap();
    let stop = |batch: &mut mailhaul_migration::Batch| batch.intent = BatchIntent::Stop;
    let stopped = store.batches().order(sales.guid, UserEvent::Stop, at(13), Due::Never, stop).await.unwrap();
    assert_eq!(stopped.users, 3);
    // The waiting final pass ends at once, because no worker could end it.
    assert_eq!(user(&store, "anna").await.status, UserStatus::IncrementalStopped);
    assert_eq!(user(&store, "berta").await.status, UserStatus::Stopping);
    assert_eq!(user(&store, "carla").await.status, UserStatus::Stopped);
    let release = end(UserEvent::Halted, 14, Due::At(at(15)));
    let after = store.jobs().release(&claimed[1].lease, release).await.unwrap();
    assert_eq!((after.status, after.due), (UserStatus::Stopped, None));
}

async fn a_start_forgets_failure_and_attempts() {
    let (_data, store) = service().await;
    let (source, sales) = running(&store, &["terry"]).await;
    let claimed = store.jobs().claim(claim(&source, Guid::new_v4(), 10)).await.unwrap();
    let failure = PassFailure { class: FailureClass::Authentication, message: "no".to_owned(), advice: None };
    let release = Release { failure: Some(failure.clone()), ..end(UserEvent::Failed, 11, Due::Never) };
    let failed = store.jobs().release(&claimed[0].lease, release).await.unwrap();
    assert_eq!((failed.status, failed.failure), (UserStatus::Failed, Some(failure)));
    store.jobs().apply(Users::OfBatch(sales.guid), UserEvent::Start, at(12), Due::At(at(12))).await.unwrap();
    let after = user(&store, "terry").await;
    assert_eq!((after.status, after.failure, after.attempts), (UserStatus::Queued, None, 0));
}

async fn an_approval_ends_if_more_messages_are_skipped() {
    let (_data, store) = service().await;
    let (source, sales) = running(&store, &["terry"]).await;
    for (second, skipped, is_approved) in [(10, 2, false), (20, 2, true), (30, 3, false)] {
        let claimed = store.jobs().claim(claim(&source, Guid::new_v4(), second)).await.unwrap();
        let statistics = Statistics { skipped_items: skipped, ..Statistics::default() };
        let release = Release {
            statistics,
            ..end(UserEvent::SyncedWithSkippedItems, second + 1, Due::At(at(second + 2)))
        };
        let after = store.jobs().release(&claimed[0].lease, release).await.unwrap();
        assert_eq!(after.approved.is_some(), is_approved);
        assert_eq!(store.batches().get("Sales").await.unwrap().unapproved, u64::from(!is_approved));
        store.jobs().approve(Users::OfBatch(sales.guid), at(second + 2)).await.unwrap();
    }
}

async fn users_are_claimed_for_endpoints_with_a_free_slot() {
    let (_data, store) = service().await;
    let (source, _) = running(&store, &["anna"]).await;
    let target = store.endpoints().insert(endpoint("New"), None).await.unwrap();
    let mut staff = batch("Staff", &source, BatchIntent::Run);
    staff.target_endpoint = Some(target.guid);
    store.batches().insert(staff, rows(&["berta", "carla"])).await.unwrap();
    let waiting = |second: i64| {
        let store = store.clone();
        async move {
            let mut waiting = store.jobs().waiting(at(second)).await.unwrap();
            waiting.sort_by_key(|waiting| waiting.target_endpoint);
            waiting
        }
    };
    let first = |target_endpoint| WaitingPasses {
        source_endpoint: source.guid,
        target_endpoint,
        kind: PassKind::First,
    };
    assert_eq!(waiting(1).await, [first(None), first(Some(target.guid))]);
    let asked = Claim { target_endpoint: Some(target.guid), ..claim(&source, Guid::new_v4(), 1) };
    assert_eq!(names(&store.jobs().claim(asked.clone()).await.unwrap()), ["berta", "carla"]);
    assert_eq!(store.jobs().claim(asked).await.unwrap(), []);
    assert_eq!(waiting(1).await, [first(None)]);
    assert_eq!(waiting(-1).await, []);
    let running = store.jobs().running().await.unwrap();
    assert_eq!((running.len(), running[0].target_endpoint, running[0].users), (1, Some(target.guid), 2));
}

async fn users_wait_if_they_are_due_and_their_endpoint_is_not_parked() {
    let (_data, store) = service().await;
    let (source, _) = running(&store, &["anna", "berta"]).await;
    assert!(!store.jobs().has_waiting(at(-1)).await.unwrap());
    assert!(store.jobs().has_waiting(at(10)).await.unwrap());
    let parking = Parking { since: at(5), until: at(20), reason: "refused".to_owned() };
    store.jobs().park(source.guid, move |_| parking).await.unwrap();
    assert!(!store.jobs().has_waiting(at(10)).await.unwrap());
    assert!(store.jobs().has_waiting(at(20)).await.unwrap());
    assert_eq!(store.jobs().claim(claim(&source, Guid::new_v4(), 20)).await.unwrap().len(), 2);
    assert!(!store.jobs().has_waiting(at(20)).await.unwrap());
}
