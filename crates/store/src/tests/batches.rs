//! Batches with their users.

use std::time::Duration;

use mailhaul_mail::{Secret, repair::Repairs};
use mailhaul_migration::{
    Batch, BatchIntent, BatchSettings, BatchStatus, DataConsistencyScore, Deletions, GmailLabels, Guid,
    Statistics, UserEvent, UserStatus,
};

use super::{at, batch, claim, end, endpoint, on_both, row, rows, running, service, user};
use crate::{BatchFilter, Due, Release, SecretName, Store, StoreError, UserFilter, Users};

on_both! {
    a_batch_comes_back_as_it_was_kept_by_name_and_by_guid,
    users_of_a_running_batch_are_queued_others_stopped,
    addresses_of_other_batches_are_left_out_with_a_warning,
    a_row_of_the_batch_updates_logins_and_passwords_only,
    a_change_keeps_guid_name_endpoints_and_time_of_making,
    numbers_are_added_up_and_the_worst_score_is_shown,
    a_removed_batch_leaves_nothing_but_the_ledgers,
    a_change_that_panics_leaves_nothing_and_ends_nothing,
}

fn settings() -> BatchSettings {
    BatchSettings {
        start_after: Some(at(100)),
        complete_after: Some(at(200)),
        time_zone: Some("Europe/Berlin".to_owned()),
        sync_interval: Duration::from_mins(7),
        allow_incremental_syncs: false,
        include_folders: vec!["#Inbox#".to_owned(), "a \"b\"/\u{e9}".to_owned()],
        exclude_folders: vec!["Junk".to_owned()],
        folder_map: vec![("A".to_owned(), "B".to_owned())],
        content_filter: Some("Received -gt '2024-01-01'".to_owned()),
        deletions: Deletions::Mirror,
        max_deletion_percent: 25,
        max_deletion_count: 0,
        newest_first: true,
        max_items: Some(u64::MAX),
        max_message_size: Some(1),
        repairs: Repairs::all(),
        gmail_labels: GmailLabels::EveryFolder,
        notification_emails: vec!["ada@contoso.edu".to_owned()],
        report_interval: Duration::from_hours(1),
        skip_reports: true,
    }
}

async fn addresses(store: &Store, batch: Guid) -> Vec<String> {
    let filter = UserFilter { batch: Some(batch), ..UserFilter::default() };
    let page = store.users().list(&filter, None, 100).await.unwrap();
    page.items.into_iter().map(|user| user.email_address).collect()
}

async fn passwords(store: &Store, name: &str) -> (Option<Secret>, Option<Secret>) {
    let guid = user(store, name).await.guid;
    let source = store.secrets().get(guid, SecretName::Password).await.unwrap();
    (source, store.secrets().get(guid, SecretName::TargetPassword).await.unwrap())
}

async fn a_batch_comes_back_as_it_was_kept_by_name_and_by_guid() {
    let (_data, store) = service().await;
    let source = store.endpoints().insert(endpoint("Old"), None).await.unwrap();
    let target = store.endpoints().insert(endpoint("New"), None).await.unwrap();
    let wanted = Batch {
        target_endpoint: Some(target.guid),
        settings: settings(),
        validation_warnings: vec!["Column \"x\" is left out".to_owned()],
        started: Some(at(3)),
        ..batch("Sales", &source, BatchIntent::Run)
    };
    let inserted = store.batches().insert(wanted.clone(), rows(&["terry"])).await.unwrap();
    assert_eq!((&inserted.batch, inserted.users), (&wanted, 1));
    assert_eq!(store.batches().get("SALES").await.unwrap().batch, wanted);
    assert_eq!(store.batches().get(&wanted.guid.to_string()).await.unwrap().batch, wanted);
    assert_eq!(store.batches().by_guid(wanted.guid).await.unwrap(), wanted);
    let words = store.batches().get("Staff").await.unwrap_err().to_string();
    assert_eq!(words, "there is no batch \"Staff\"");
    let error = store.batches().insert(batch("sales", &source, BatchIntent::Run), vec![]).await.unwrap_err();
    assert!(matches!(error, StoreError::NameTaken { what: "batch", .. }), "{error}");
    let lost =
        store.batches().insert(batch("Lost", &endpoint("?"), BatchIntent::Run), vec![]).await.unwrap_err();
    assert!(matches!(lost, StoreError::NotFound { what: "endpoint", .. }), "{lost}");
}

async fn users_of_a_running_batch_are_queued_others_stopped() {
    let (_data, store) = service().await;
    let source = store.endpoints().insert(endpoint("Old"), None).await.unwrap();
    let mut later = batch("Later", &source, BatchIntent::Run);
    later.settings.start_after = Some(at(100));
    store.batches().insert(later, rows(&["anna"])).await.unwrap();
    store.batches().insert(batch("Now", &source, BatchIntent::Run), rows(&["berta"])).await.unwrap();
    store.batches().insert(batch("Idle", &source, BatchIntent::Created), rows(&["carla"])).await.unwrap();
    let mut seen = Vec::new();
    for name in ["anna", "berta", "carla"] {
        let user = user(&store, name).await;
        assert_eq!((user.row, user.status_since, user.user_name.as_str()), (2, at(0), name));
        seen.push((user.status, user.due));
    }
    let expected =
        [(UserStatus::Queued, Some(at(100))), (UserStatus::Queued, Some(at(0))), (UserStatus::Stopped, None)];
    assert_eq!(seen, expected);
    let status = |name: &'static str| {
        let store = store.clone();
        async move { store.batches().get(name).await.unwrap().status(at(1)) }
    };
    assert_eq!(status("Later").await, BatchStatus::Waiting);
    assert_eq!(status("Now").await, BatchStatus::Starting);
    assert_eq!(status("Idle").await, BatchStatus::Created);
}

async fn addresses_of_other_batches_are_left_out_with_a_warning() {
    let (_data, store) = service().await;
    let (source, sales) = running(&store, &["terry", "anna"]).await;
    let mut wanted = batch("Staff", &source, BatchIntent::Created);
    wanted.validation_warnings = vec!["something else".to_owned()];
    let mut given = rows(&["TERRY", "berta", "Berta"]);
    given[0].password = Some(Secret::new("not terry's"));
    let inserted = store.batches().insert(wanted, given).await.unwrap();
    let left_out = [
        "Row 2: the EmailAddress is in the batch \"Sales\" already; row 2 is left out",
        "Row 4: the EmailAddress is in an earlier row; row 4 is left out",
    ];
    assert_eq!((inserted.users, inserted.left_out.as_slice()), (1, left_out.map(str::to_owned).as_slice()));
    assert_eq!(inserted.batch.validation_warnings.len(), 3);
    assert_eq!(addresses(&store, inserted.batch.guid).await, ["berta@new.example"]);
    assert_eq!(user(&store, "terry").await.batch, sales.guid);
    assert_eq!(passwords(&store, "terry").await.0, Some(Secret::new("terry's secret")));

    let added =
        store.batches().add_users(inserted.batch.guid, rows(&["carla", "anna"]), at(1)).await.unwrap();
    assert_eq!((added.added, added.updated, added.left_out.len()), (1, 0, 1));
    assert_eq!(store.batches().get("Staff").await.unwrap().batch.validation_warnings.len(), 4);
}

async fn a_row_of_the_batch_updates_logins_and_passwords_only() {
    let (_data, store) = service().await;
    let source = store.endpoints().insert(endpoint("Old"), None).await.unwrap();
    let mut first = row(2, "terry");
    first.user_root = Some("Users/terry".to_owned());
    first.target_user_name = "terry.adams".to_owned();
    first.target_password = Some(Secret::new("target"));
    let sales = batch("Sales", &source, BatchIntent::Run);
    store.batches().insert(sales.clone(), vec![first]).await.unwrap();
    let before = user(&store, "terry").await;
    let claimed = store.jobs().claim(claim(&source, Guid::new_v4(), 1)).await.unwrap();

    let mut mended = row(9, "TERRY");
    mended.user_name = "new\\terry".to_owned();
    mended.password = Some(Secret::new("right"));
    let added = store.batches().add_users(sales.guid, vec![mended, row(10, "anna")], at(2)).await.unwrap();
    assert_eq!((added.added, added.updated, added.left_out.len()), (1, 1, 0));
    let after = user(&store, "terry").await;
    let expected =
        mailhaul_migration::MigrationUser { user_name: "new\\terry".to_owned(), ..claimed[0].user.clone() };
    assert_eq!(after, expected);
    assert_eq!((after.guid, after.row, &after.target_user_name), (before.guid, 2, &"terry.adams".to_owned()));
    let expected = (Some(Secret::new("right")), Some(Secret::new("target")));
    assert_eq!(passwords(&store, "terry").await, expected);

    let mut both = row(2, "terry");
    both.user_root = Some("Other".to_owned());
    both.target_user_name = "ta".to_owned();
    both.target_password = Some(Secret::new("other"));
    store.batches().add_users(sales.guid, vec![both], at(3)).await.unwrap();
    let after = user(&store, "terry").await;
    assert_eq!((after.user_root.as_deref(), after.target_user_name.as_str()), (Some("Other"), "ta"));
    assert_eq!(passwords(&store, "terry").await.1, Some(Secret::new("other")));
    let error = store.batches().add_users(Guid::nil(), rows(&["x"]), at(3)).await.unwrap_err();
    assert!(matches!(error, StoreError::NotFound { what: "batch", .. }), "{error}");
}

async fn a_change_keeps_guid_name_endpoints_and_time_of_making() {
    let (_data, store) = service().await;
    let (_, sales) = running(&store, &["terry"]).await;
    let wanted = Batch {
        intent: BatchIntent::Stop,
        settings: settings(),
        submitted_by: "otto".to_owned(),
        validation_warnings: vec!["w".to_owned()],
        started: Some(at(8)),
        ..sales.clone()
    };
    let given = wanted.clone();
    let changed = store
        .batches()
        .update(sales.guid, move |it| {
            *it = given;
            it.guid = Guid::new_v4();
            it.name = "Other".to_owned();
            it.source_endpoint = Guid::new_v4();
            it.target_endpoint = Some(Guid::new_v4());
            it.created = at(77);
        })
        .await
        .unwrap();
    assert_eq!(changed, wanted);
    assert_eq!(store.batches().list(&BatchFilter::default()).await.unwrap()[0].batch, wanted);
    assert!(matches!(store.batches().update(Guid::nil(), |_| {}).await, Err(StoreError::NotFound { .. })));
}

async fn numbers_are_added_up_and_the_worst_score_is_shown() {
    let (_data, store) = service().await;
    let (source, sales) = running(&store, &["anna", "berta", "carla"]).await;
    let other = store.endpoints().insert(endpoint("Other"), None).await.unwrap();
    store.batches().insert(batch("Empty", &other, BatchIntent::Created), vec![]).await.unwrap();
    let claimed = store.jobs().claim(claim(&source, Guid::new_v4(), 10)).await.unwrap();
    for (it, (second, skipped)) in claimed.iter().zip([(20, 0), (30, 2)]) {
        let statistics = Statistics {
            total_items: 100,
            synced_items: 100 - skipped,
            skipped_items: skipped,
            // Numbers that a server reports must not make the sums overflow.
            estimated_bytes: u64::MAX,
            ..Statistics::default()
        };
        let event = if skipped > 0 { UserEvent::SyncedWithSkippedItems } else { UserEvent::Synced };
        let release = Release { statistics, ..end(event, second, Due::At(at(1_000))) };
        store.jobs().release(&it.lease, release).await.unwrap();
    }
    let seen = store.batches().get("Sales").await.unwrap();
    assert_eq!((seen.counts.of(UserStatus::Synced), seen.counts.of(UserStatus::Validating)), (2, 1));
    assert_eq!((seen.totals.total_items, seen.totals.synced_items, seen.totals.skipped_items), (200, 198, 2));
    assert_eq!((seen.totals.queued_millis, seen.totals.in_progress_millis), (30_000, 30_000));
    assert_eq!((seen.worst, seen.unapproved), (DataConsistencyScore::Poor, 1));
    assert_eq!((seen.initial_synced, seen.last_synced), (None, Some(at(20))));
    assert_eq!(seen.status(at(31)), BatchStatus::Syncing);

    store.jobs().release(&claimed[2].lease, end(UserEvent::Synced, 40, Due::Never)).await.unwrap();
    assert_eq!(store.jobs().approve(Users::OfBatch(sales.guid), at(41)).await.unwrap(), 3);
    let seen = store.batches().get("Sales").await.unwrap();
    assert_eq!((seen.initial_synced, seen.last_synced), (Some(at(40)), Some(at(20))));
    assert_eq!((seen.unapproved, seen.status(at(41))), (0, BatchStatus::Synced));

    let names = |filter: BatchFilter| {
        let store = store.clone();
        async move {
            let found = store.batches().list(&filter).await.unwrap();
            found.into_iter().map(|it| it.batch.name).collect::<Vec<_>>()
        }
    };
    assert_eq!(names(BatchFilter::default()).await, ["Sales", "Empty"]);
    assert_eq!(names(BatchFilter { endpoint: Some(other.guid) }).await, ["Empty"]);
    assert_eq!(store.batches().get("Empty").await.unwrap().counts.total(), 0);
}

async fn a_removed_batch_leaves_nothing_but_the_ledgers() {
    let (_data, store) = service().await;
    let (source, sales) = running(&store, &["terry", "anna"]).await;
    let terry = user(&store, "terry").await;
    let entry = crate::ReportEntry { time: at(1), text: "begun".to_owned() };
    store.reports().append(terry.guid, vec![entry]).await.unwrap();
    drop(store.ledgers().mailbox("terry@old.example", "terry@new.example").await.unwrap());
    assert_eq!(store.batches().remove(sales.guid).await.unwrap(), 2);
    assert!(matches!(store.batches().remove(sales.guid).await, Err(StoreError::NotFound { .. })));
    assert!(matches!(store.users().get("terry@new.example", None).await, Err(StoreError::NotFound { .. })));
    for table in ["batch", "migration_user", "secret", "report_entry"] {
        let left: i64 = store
            .read(|connection| {
                let sql = format!("SELECT count(*) FROM {table}");
                Box::pin(async move { Ok(crate::db::sql::query_scalar(sql).fetch_one(connection).await?) })
            })
            .await
            .unwrap();
        assert_eq!(left, 0, "{table}");
    }
    let ledgers: i64 = store
        .read(|connection| {
            Box::pin(async move {
                Ok(crate::db::sql::query_scalar("SELECT count(*) FROM mailbox").fetch_one(connection).await?)
            })
        })
        .await
        .unwrap();
    assert_eq!(ledgers, 1);
    // Name and addresses are free.
    let inserted = store.batches().insert(batch("Sales", &source, BatchIntent::Run), rows(&["terry"])).await;
    assert_eq!(inserted.unwrap().left_out, Vec::<String>::new());
}

#[tokio::test]
async fn a_failure_in_the_middle_leaves_nothing() {
    let (_data, store) = service().await;
    let source = store.endpoints().insert(endpoint("Old"), None).await.unwrap();
    let refused = batch(&"x".repeat(65), &source, BatchIntent::Run);
    let words = store.batches().insert(refused, rows(&["terry"])).await.unwrap_err().to_string();
    assert!(words.contains("CHECK constraint failed"), "{words}");
    // Fails after the batch and its first 500 users were written.
    let spoiled = store
        .change(move |connection| {
            Box::pin(async move {
                crate::db::sql::query("CREATE TEMP TRIGGER full BEFORE INSERT ON secret WHEN (SELECT count(*) FROM secret) >= 700 BEGIN SELECT raise(ABORT, 'no room'); END")
                    .execute(connection)
                    .await?;
                Ok(())
            })
        })
        .await;
    spoiled.unwrap();
    let many = (2..1_002).map(|number| row(number, &format!("user{number}"))).collect();
    let words = store
        .batches()
        .insert(batch("Sales", &source, BatchIntent::Run), many)
        .await
        .unwrap_err()
        .to_string();
    assert!(words.contains("no room"), "{words}");
    assert_eq!(store.batches().list(&BatchFilter::default()).await.unwrap(), []);
    assert_eq!(store.users().count(None).await.unwrap().total(), 0);
    let entry = store.batches().order(Guid::nil(), UserEvent::Start, at(1), Due::Never, |_| {}).await;
    assert!(matches!(entry, Err(StoreError::NotFound { .. })));
}

async fn a_change_that_panics_leaves_nothing_and_ends_nothing() {
    let (_data, store) = service().await;
    let (_, sales) = running(&store, &["terry"]).await;
    let error = store
        .batches()
        .order(sales.guid, UserEvent::Stop, at(1), Due::Never, |batch| {
            batch.intent = BatchIntent::Stop;
            panic!("a mistake");
        })
        .await
        .unwrap_err();
    assert!(matches!(error, StoreError::Unavailable { .. }), "{error}");
    assert_eq!(store.batches().by_guid(sales.guid).await.unwrap(), sales);
    store.batches().update(sales.guid, |batch| batch.intent = BatchIntent::Stop).await.unwrap();
}
