//! The largest number of users of a file.

use mailhaul_migration::{BatchIntent, StatusSummary, UserEvent, UserStatus};

use super::{at, batch, endpoint, on_both, row, service};
use crate::{Bookmark, Claim, Due, PassKind, Store, UserFilter};

on_both! {
    fifty_thousand_users_are_stored_paged_claimed_and_removed,
}

const USERS: usize = 50_000;

/// Returns the rows of the users on all pages, in their order.
async fn paged(store: &Store, filter: &UserFilter, limit: u32) -> Vec<u32> {
    let (mut rows, mut after) = (Vec::new(), None);
    loop {
        let page = store.users().list(filter, after, limit).await.unwrap();
        assert!(page.items.len() <= limit as usize);
        rows.extend(page.items.iter().map(|user| user.row));
        match page.next {
            // The bookmark as a client sends it back.
            Some(next) => after = Some(next.to_string().parse::<Bookmark>().unwrap()),
            None => return rows,
        }
    }
}

async fn fifty_thousand_users_are_stored_paged_claimed_and_removed() {
    let (_data, store) = service().await;
    let source = store.endpoints().insert(endpoint("Old"), None).await.unwrap();
    let rows: Vec<_> = (0..USERS).map(|number| row(number + 2, &format!("user{number}"))).collect();
    let numbers: Vec<u32> = (2..).take(USERS).collect();
    let again = rows.clone();
    let inserted = store.batches().insert(batch("Sales", &source, BatchIntent::Created), rows).await.unwrap();
    assert_eq!((inserted.users, inserted.left_out.len()), (USERS as u64, 0));
    let guid = inserted.batch.guid;

    assert_eq!(paged(&store, &UserFilter::default(), 1_000).await, numbers);
    let mended = store.batches().add_users(guid, again[..1_234].to_vec(), at(1)).await.unwrap();
    assert_eq!((mended.added, mended.updated), (0, 1_234));
    let with_one = again.into_iter().chain([row(USERS + 2, "late")]).collect();
    let other =
        store.batches().insert(batch("Other", &source, BatchIntent::Created), with_one).await.unwrap();
    assert_eq!((other.users, other.left_out.len()), (1, USERS));
    let warnings = other.batch.validation_warnings;
    assert_eq!((warnings.len(), warnings[1_000].as_str()), (1_001, "49000 further rows were left out"));
    assert_eq!(store.batches().remove(other.batch.guid).await.unwrap(), 1);

    let run = |batch: &mut mailhaul_migration::Batch| batch.intent = BatchIntent::Run;
    let started =
        store.batches().order(guid, UserEvent::Start, at(2), Due::AfterStart(at(2)), run).await.unwrap();
    assert_eq!(started.users, USERS as u64);
    let claim = Claim {
        now: at(3),
        owner: guid,
        until: at(63),
        source_endpoint: source.guid,
        target_endpoint: None,
        kinds: vec![PassKind::First],
        limit: 20,
        limits: crate::ClaimLimits::default(),
    };
    let claimed = store.jobs().claim(claim).await.unwrap();
    assert_eq!(claimed.iter().map(|it| it.user.row).collect::<Vec<_>>(), numbers[..20]);
    let overview = store.batches().get("sales").await.unwrap();
    assert_eq!(overview.counts.of(UserStatus::Queued), USERS as u64 - 20);

    let filter =
        UserFilter { batch: Some(guid), statuses: vec![UserStatus::Queued], ..UserFilter::default() };
    assert_eq!(paged(&store, &filter, 7_000).await, numbers[20..]);
    let filter = UserFilter { summary: Some(StatusSummary::Stopped), ..filter };
    assert_eq!(paged(&store, &filter, 7_000).await, Vec::<u32>::new());
    let filter =
        UserFilter { batch: Some(guid), summary: Some(StatusSummary::Active), ..UserFilter::default() };
    assert_eq!(paged(&store, &filter, 50_000).await, numbers);

    assert_eq!(store.batches().remove(guid).await.unwrap(), USERS as u64);
    assert_eq!(store.users().count(None).await.unwrap().total(), 0);
    store.close().await;
}
