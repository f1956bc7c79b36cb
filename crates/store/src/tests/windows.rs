//! Windows of a sorted list of users, against the list itself, and the causes of failures.

use std::cmp::Reverse;

use mailhaul_migration::{FailureClass, MigrationUser, UserEvent, UserOrder, UserStatus};
use strum::VariantArray as _;

use super::{at, claim, end, failure, on_both, running, service, user};
use crate::{
    Due, FailureCause, Release, Store, UserFilter, WindowPlace,
    db::sql::{self},
};

on_both!(
    windows_are_parts_of_the_sorted_list,
    texts_are_found_in_addresses_logins_and_failures,
    users_that_failed_for_one_cause_are_counted_once,
);

/// Gives each user other numbers, some of them equal, so that the order of creation decides.
async fn give_numbers(store: &Store) {
    let given = store.change(|connection| {
        Box::pin(async move {
            let sql = "UPDATE migration_user SET synced_items = id * 7 % 5, total_items = 10, skipped_items = id * 3 % 4, \
                       bytes_transferred = id * 11 % 13, due = CASE WHEN id % 3 = 0 THEN NULL ELSE 1760000000000 + id * 5 % 7 END, \
                       last_synced = CASE WHEN id % 2 = 0 THEN NULL ELSE 1760000000000 + id END, \
                       failure_class = CASE WHEN id % 4 = 0 THEN 'Quota' END, \
                       failure_message = CASE WHEN id % 4 = 0 THEN 'over 100% of \"Box_1\"' END";
            Ok(sql::query(sql).execute(connection).await?)
        })
    });
    assert!(given.await.unwrap() > 0);
}

/// The list sorted by the model.
fn sorted(mut users: Vec<MigrationUser>, order: UserOrder, is_descending: bool) -> Vec<String> {
    use UserOrder as O;
    let text = |user: &MigrationUser| match order {
        O::EmailAddress => user.email_address.to_ascii_lowercase(),
        O::Status => user.status.to_string(),
        O::ErrorClass => user.failure.as_ref().map(|it| it.class.to_string()).unwrap_or_default(),
        _ => String::new(),
    };
    let number = |user: &MigrationUser| match order {
        O::StatusSince => user.status_since.as_millisecond(),
        O::SyncedItemCount => user.statistics.synced_items.cast_signed(),
        O::SkippedItemCount => user.statistics.skipped_items.cast_signed(),
        O::PercentageComplete => (user.statistics.synced_items + user.statistics.skipped_items).cast_signed(),
        O::BytesTransferred => user.statistics.bytes_transferred.cast_signed(),
        O::LastSuccessfulSyncTime => user.last_synced.map_or(0, jiff::Timestamp::as_millisecond),
        O::NextSyncTime => user.due.map_or(i64::MAX, jiff::Timestamp::as_millisecond),
        _ => 0,
    };
    let value = |user: &MigrationUser| (text(user), number(user), user.row);
    if is_descending {
        users.sort_by_key(|user| Reverse(value(user)));
    } else {
        users.sort_by_key(value);
    }
    users.into_iter().map(|user| user.email_address).collect()
}

async fn windows_are_parts_of_the_sorted_list() {
    let (_home, store) = service().await;
    let names = ["zoe", "Bob", "ann", "cid", "Dan", "eve", "fay", "Gus", "hal", "ida", "jon"];
    let (_, batch) = running(&store, &names).await;
    give_numbers(&store).await;
    let filter = UserFilter { batch: Some(batch.guid), ..UserFilter::default() };
    let all = store.users().list(&filter, None, 100).await.unwrap().items;
    for order in UserOrder::VARIANTS {
        for is_descending in [false, true] {
            let expected = sorted(all.clone(), *order, is_descending);
            for (offset, limit) in [(0, 100), (0, 3), (4, 5), (9, 5), (11, 2), (500, 5)] {
                let place = WindowPlace { order: *order, is_descending, offset, limit };
                let window = store.users().window(&filter, place).await.unwrap();
                let found: Vec<_> = window.items.into_iter().map(|it| it.email_address).collect();
                let start = usize::try_from(offset).unwrap().min(expected.len());
                let end = (start + limit as usize).min(expected.len());
                assert_eq!(found, expected[start..end], "{place:?}");
                assert_eq!(window.total, 11);
            }
        }
    }
    let place = WindowPlace { limit: 1, ..WindowPlace::default() };
    let count = async |filter: UserFilter| store.users().window(&filter, place).await.unwrap().total;
    let of_batch = filter.clone();
    assert_eq!(count(UserFilter { statuses: vec![UserStatus::Synced], ..of_batch.clone() }).await, 0);
    let statuses = vec![UserStatus::Synced, UserStatus::Queued];
    assert_eq!(count(UserFilter { statuses, ..of_batch.clone() }).await, 11);
    let by = |keep: &dyn Fn(&MigrationUser) -> bool| all.iter().filter(|it| keep(it)).count() as u64;
    let classes = vec![FailureClass::Quota, FailureClass::Refused];
    assert_eq!(count(UserFilter { classes, ..of_batch.clone() }).await, by(&|it| it.failure.is_some()));
    let skipped = by(&|it| it.statistics.skipped_items > 0);
    assert_eq!(count(UserFilter { has_skipped: true, ..of_batch.clone() }).await, skipped);
    let waiting_at = Some(at(1));
    assert_eq!(count(UserFilter { waiting_at, ..of_batch }).await, by(&|it| it.due.is_some()));
}

async fn texts_are_found_in_addresses_logins_and_failures() {
    let (_home, store) = service().await;
    running(&store, &["zoe", "Bob", "b_b", "ann"]).await;
    give_numbers(&store).await;
    let user = store.users().list(&UserFilter::default(), None, 100).await.unwrap().items;
    let failed = user.iter().filter(|it| it.failure.is_some()).count();
    for (search, expected) in [
        ("ZOE@", 1),
        ("bob", 1),
        ("b_b", 1),
        ("new.example", 4),
        ("%", failed),
        ("100% of \"box_1", failed),
        ("!", 0),
        ("'", 0),
        ("", 4),
    ] {
        let filter = UserFilter { search: Some(search.to_owned()), ..UserFilter::default() };
        let place = WindowPlace { limit: 10, ..WindowPlace::default() };
        let found = store.users().window(&filter, place).await.unwrap();
        assert_eq!((found.items.len(), found.total), (expected, expected as u64), "{search}");
        assert_eq!(store.users().list(&filter, None, 10).await.unwrap().items.len(), expected, "{search}");
    }
}

async fn users_that_failed_for_one_cause_are_counted_once() {
    let (_home, store) = service().await;
    let (source, batch) = running(&store, &["ann", "bob", "cid", "dan"]).await;
    let owner = mailhaul_migration::Guid::new_v4();
    for claimed in store.jobs().claim(claim(&source, owner, 10)).await.unwrap() {
        let name = claimed.user.user_name.clone();
        let message =
            if name == "dan" { "full".to_owned() } else { format!("NO {name}@new.example is unknown to us") };
        // One is tried again by itself: it has not failed.
        let event = if name == "cid" { UserEvent::Deferred } else { UserEvent::Failed };
        let failure = Some(mailhaul_migration::PassFailure { message, ..failure() });
        let release = Release { failure, ..end(event, 20, Due::Never) };
        store.jobs().release(&claimed.lease, release).await.unwrap();
    }
    assert_eq!(user(&store, "ann").await.status, UserStatus::Failed);
    let cause = |message: &str, users, example: &str| FailureCause {
        batch: batch.guid,
        failure: mailhaul_migration::PassFailure { message: message.to_owned(), ..failure() },
        users,
        example: format!("{example}@new.example"),
    };
    let found = store.users().failure_causes(None, None).await.unwrap();
    assert_eq!(found, [cause("NO (user) is unknown to us", 2, "ann"), cause("full", 1, "dan")]);
    let none = store.users().failure_causes(Some(batch.guid), Some(FailureClass::Quota)).await.unwrap();
    assert_eq!(none, []);
}
