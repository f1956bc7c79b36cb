//! Reports about users.

use mailhaul_engine::{FolderReport, FolderTally, RepairedItem, SkippedItem};
use mailhaul_mail::{FolderPath, InternalDate, Sha256, Uid};
use mailhaul_migration::{FailureClass, Guid, PassFailure, UserEvent, UserStatus};

use super::{at, claim, end, on_both, running, service, user};
use crate::{
    Due, FolderStatistics, MAX_REPORT_ENTRIES, Release, ReportEntry, SkippedMessage, Store, StoreError,
};

on_both! {
    the_newest_entries_are_kept_and_come_page_by_page,
    a_pass_replaces_its_folders_and_skipped_messages,
    a_lost_lease_changes_no_report,
    failures_of_a_batch_come_page_by_page,
}

fn entry(number: i64) -> ReportEntry {
    ReportEntry { time: at(number), text: format!("entry {number}") }
}

pub(super) fn item(number: u32) -> SkippedItem {
    SkippedItem {
        uid: Uid::new(number).unwrap(),
        subject: number.is_multiple_of(2).then(|| format!("subject {number}")),
        sender: number.is_multiple_of(2).then(|| "ann@b.c".to_owned()),
        sent: InternalDate::new(at(4).as_second(), 0),
        internal_date: InternalDate::new(at(5).as_second(), 60),
        size: 7,
        reason: "too large".to_owned(),
    }
}

fn repaired(number: u32) -> RepairedItem {
    RepairedItem {
        uid: Uid::new(number).unwrap(),
        subject: None,
        size: 7,
        sha256: Sha256::of(b"octets"),
        edits: "NulBytes".to_owned(),
    }
}

pub(super) fn folder(name: &str, skipped: u32) -> FolderReport {
    FolderReport {
        source: FolderPath::parse(name),
        target: Some(FolderPath::parse("Target")),
        reason: "by name".to_owned(),
        tally: FolderTally {
            seen: 21,
            copied: 1,
            already: 2,
            excluded: 3,
            bytes: 4,
            flags_changed: 5,
            moved: 6,
            removed: 7,
            remarks: Vec::new(),
            skipped: (1..=skipped).map(item).collect(),
            repaired: vec![repaired(8)],
            ..FolderTally::default()
        },
        error: Some(mailhaul_engine::Error::session("cut")),
    }
}

async fn the_newest_entries_are_kept_and_come_page_by_page() {
    let (_data, store) = service().await;
    running(&store, &["terry", "anna"]).await;
    let terry = user(&store, "terry").await.guid;
    store.reports().append(terry, (1..=3).map(entry).collect()).await.unwrap();
    store.reports().append(terry, vec![entry(4)]).await.unwrap();
    store.reports().append(terry, Vec::new()).await.unwrap();
    let page = store.reports().get(terry, None, 3).await.unwrap();
    assert_eq!(page.items, [entry(1), entry(2), entry(3)]);
    let page = store.reports().get(terry, page.next, 3).await.unwrap();
    assert_eq!((page.items.as_slice(), page.next), ([entry(4)].as_slice(), None));

    let most = i64::from(MAX_REPORT_ENTRIES);
    store.reports().append(terry, (5..=most + 1).map(entry).collect()).await.unwrap();
    let page = store.reports().get(terry, None, 2_000).await.unwrap();
    assert_eq!((page.items.len(), page.items[0].clone()), (1_000, entry(2)));
    store.reports().append(terry, (0..3 * most).map(entry).collect()).await.unwrap();
    let page = store.reports().get(terry, None, 2_000).await.unwrap();
    assert_eq!((page.items.len(), page.items[0].clone()), (1_000, entry(2 * most)));

    let anna = user(&store, "anna").await.guid;
    assert_eq!(store.reports().get(anna, None, 9).await.unwrap().items, []);
    let error = store.reports().append(Guid::nil(), vec![entry(1)]).await.unwrap_err();
    assert!(matches!(error, StoreError::NotFound { what: "user", .. }), "{error}");
    assert!(matches!(store.reports().get(Guid::nil(), None, 9).await, Err(StoreError::NotFound { .. })));
}

async fn a_pass_replaces_its_folders_and_skipped_messages() {
    let (_data, store) = service().await;
    let (source, _) = running(&store, &["terry"]).await;
    let mut second = 10;
    for (folders, skipped) in [(Some(2), Some(600)), (None, None), (Some(1), Some(0))] {
        let lease = store.jobs().claim(claim(&source, Guid::new_v4(), second)).await.unwrap()[0].lease;
        let reports: Vec<_> = ["INBOX", "Sent"].map(|name| folder(name, 2)).into();
        let told = FolderStatistics::from(&reports[0]);
        let release = Release {
            entries: vec![entry(second)],
            folders: folders.map(|many| reports.iter().take(many).map(FolderStatistics::from).collect()),
            skipped: skipped.map(|many| {
                let path = FolderPath::parse("a/b");
                (1..=many).map(|number| SkippedMessage::from_item(&path, &item(number), "TooLarge")).collect()
            }),
            ..end(UserEvent::Synced, second, Due::At(at(second)))
        };
        store.jobs().release(&lease, release).await.unwrap();
        let folders = store.reports().folder_statistics(lease.user).await.unwrap();
        let page = store.reports().skipped_messages(lease.user, None, 599).await.unwrap();
        if second < 30 {
            assert_eq!(folders.len(), 2);
            assert_eq!(folders[0], told);
            assert_eq!((told.seen, told.skipped, told.error.as_deref()), (21, 2, Some("cut")));
            let first = SkippedMessage {
                folder: "a/b".to_owned(),
                uid: 1,
                subject: None,
                sender: None,
                sent: Some(at(4)),
                date: Some(at(5)),
                size: 7,
                reason: "too large".to_owned(),
                kind: "TooLarge".to_owned(),
            };
            assert_eq!((page.items.len(), &page.items[0]), (599, &first));
            let rest = store.reports().skipped_messages(lease.user, page.next, 599).await.unwrap();
            assert_eq!((rest.items.len(), rest.items[0].uid, rest.next), (1, 600, None));
        } else {
            assert_eq!((folders.len(), page.items.len()), (1, 0));
        }
        second += 10;
    }
    let guid = user(&store, "terry").await.guid;
    assert_eq!(store.reports().get(guid, None, 9).await.unwrap().items.len(), 3);
}

async fn a_lost_lease_changes_no_report() {
    let (_data, store) = service().await;
    let (source, _) = running(&store, &["terry"]).await;
    let lease = store.jobs().claim(claim(&source, Guid::new_v4(), 10)).await.unwrap()[0].lease;
    store.jobs().recover(at(11), Guid::new_v4()).await.unwrap();
    let before = user(&store, "terry").await;
    let release = Release { entries: vec![entry(1)], ..end(UserEvent::Synced, 12, Due::Never) };
    store.jobs().release(&lease, release).await.unwrap_err();
    assert_eq!(store.reports().get(lease.user, None, 9).await.unwrap().items, []);
    assert_eq!(user(&store, "terry").await, before);
    // An impossible end changes nothing either.
    let lease = store.jobs().claim(claim(&source, Guid::new_v4(), 20)).await.unwrap()[0].lease;
    let before = user(&store, "terry").await;
    let release = Release { entries: vec![entry(1)], ..end(UserEvent::Start, 21, Due::Never) };
    let error = store.jobs().release(&lease, release).await.unwrap_err();
    assert!(matches!(error, StoreError::Illegal { .. }), "{error}");
    assert_eq!(user(&store, "terry").await, before);
    store.jobs().renew(&lease, at(99)).await.unwrap();
}

async fn failures_of_a_batch_come_page_by_page() {
    let (_data, store) = service().await;
    let (source, sales) = running(&store, &["anna", "berta", "carla", "dora"]).await;
    let claimed = store.jobs().claim(claim(&source, Guid::new_v4(), 10)).await.unwrap();
    let failure = |name: &str| PassFailure {
        class: FailureClass::Quota,
        message: format!("{name} is full"),
        advice: None,
    };
    for it in &claimed {
        let name = it.user.user_name.as_str();
        let (event, failure) = match name {
            "berta" => (UserEvent::Synced, None),
            _ => (UserEvent::Failed, Some(failure(name))),
        };
        store.jobs().release(&it.lease, Release { failure, ..end(event, 11, Due::Never) }).await.unwrap();
    }
    let page = store.reports().failures(sales.guid, None, 2).await.unwrap();
    let seen: Vec<_> = page.items.iter().map(|it| (it.row, it.email_address.as_str(), it.status)).collect();
    let expected =
        [(2, "anna@new.example", UserStatus::Failed), (4, "carla@new.example", UserStatus::Failed)];
    assert_eq!(seen, expected);
    assert_eq!(page.items[0].failure, failure("anna"));
    let page = store.reports().failures(sales.guid, page.next, 2).await.unwrap();
    assert_eq!((page.items.len(), page.items[0].row, page.next), (1, 5, None));
}

/// Returns the number of rows that the writer has written so far.
async fn written(store: &Store) -> i64 {
    let count = store.change(|connection| {
        Box::pin(async move {
            Ok(crate::db::sql::query_scalar("SELECT total_changes()").fetch_one(connection).await?)
        })
    });
    count.await.unwrap()
}

#[tokio::test]
async fn an_unchanged_pass_writes_no_folder_and_no_skipped_message() {
    let (_data, store) = service().await;
    let (source, _) = running(&store, &["terry"]).await;
    let owner = Guid::new_v4();
    let reports: Vec<FolderReport> = (0..20).map(|number| folder(&format!("folder {number}"), 3)).collect();
    let folders: Vec<FolderStatistics> = reports.iter().map(Into::into).collect();
    let skipped = |report: &FolderReport| {
        let path = report.source.clone();
        let items = report.tally.skipped.iter();
        items.map(|item| SkippedMessage::from_item(&path, item, "TooLarge")).collect::<Vec<_>>()
    };
    let skipped: Vec<SkippedMessage> = reports.iter().flat_map(skipped).collect();
    let mut other = folders.clone();
    other[19].seen += 1;
    let passes = [
        (Some(&folders[..]), Some(&skipped[..]), &folders[..]),
        (None, None, &folders),
        (Some(&folders), Some(&skipped), &folders),
        (Some(&other), Some(&skipped), &other),
        (Some(&folders[..19]), Some(&skipped[1..]), &folders[..19]),
    ];
    let mut rows = Vec::new();
    for (second, (new_folders, new_skipped, stored)) in (10..).step_by(10).zip(passes) {
        let claimed = store.jobs().claim(claim(&source, owner, second)).await.unwrap();
        let before = written(&store).await;
        let release = Release {
            folders: new_folders.map(<[_]>::to_vec),
            skipped: new_skipped.map(<[_]>::to_vec),
            ..end(UserEvent::Synced, second, Due::At(at(second + 1)))
        };
        store.jobs().release(&claimed[0].lease, release).await.unwrap();
        rows.push(written(&store).await - before);
        let terry = user(&store, "terry").await;
        assert_eq!(store.reports().folder_statistics(terry.guid).await.unwrap(), stored);
    }
    let user_only = rows[1];
    assert_eq!(rows, [user_only + 20 + 60, user_only, user_only, user_only + 40, user_only + 39 + 119]);
    store.close().await;
}
