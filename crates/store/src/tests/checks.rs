//! Mailbox checks: due users, and the results that count.

use mailhaul_mail::Secret;
use mailhaul_migration::{
    Batch, BatchIntent, DomainTally, Endpoint, FailureClass, MailboxCheck, Opening, UserEvent, UserRow,
};

use super::{at, batch, claim, end, endpoint, failure, on_both, row, rows, service, user};
use crate::{CheckClaim, CheckEnd, ChecksUnderWay, ClaimedCheck, Due, Store, UserFilter, Users};

on_both! {
    checks_run_once_or_for_an_archive_on_request,
    a_result_from_before_a_new_request_does_not_count,
    an_unfinished_check_is_tried_again_later,
    a_pass_is_a_check_and_no_user_has_both_at_once,
    a_mailbox_that_a_pass_could_not_open_is_a_check_result,
    mailboxes_that_cannot_be_opened_are_counted_by_domain,
}

/// Inserts a batch with these users and an endpoint as target.
async fn to_endpoint(store: &Store, intent: BatchIntent, users: Vec<UserRow>) -> (Endpoint, Batch) {
    let source = store.endpoints().insert(endpoint("Old"), None).await.unwrap();
    let target = store.endpoints().insert(endpoint("New"), None).await.unwrap();
    let batch = Batch { target_endpoint: Some(target.guid), ..batch("Sales", &source, intent) };
    let batch = store.batches().insert(batch, users).await.unwrap().batch;
    (source, batch)
}

/// Claims all users whose check is due.
async fn checks(store: &Store, batch: &Batch, second: i64) -> Vec<ClaimedCheck> {
    let claim = CheckClaim {
        now: at(second),
        until: at(second + 300),
        source_endpoint: batch.source_endpoint,
        target_endpoint: batch.target_endpoint,
        limit: 100,
        limits: crate::ClaimLimits::default(),
    };
    store.checks().claim(claim).await.unwrap()
}

fn names(claimed: &[ClaimedCheck]) -> Vec<&str> {
    claimed.iter().map(|it| it.user.user_name.as_str()).collect()
}

fn opened() -> CheckEnd {
    CheckEnd::Known { source: Opening::Opened, target: Some(Opening::Opened) }
}

fn closed(words: &str) -> CheckEnd {
    let class = FailureClass::Authentication;
    let failure = mailhaul_migration::PassFailure { class, message: words.to_owned(), ..failure() };
    CheckEnd::Known { source: Opening::Opened, target: Some(Opening::Failed(failure)) }
}

async fn ends(store: &Store, claimed: &ClaimedCheck, end: CheckEnd, second: i64) {
    store.checks().end(claimed.user.guid, claimed.number, end, at(second)).await.unwrap();
}

async fn checks_run_once_or_for_an_archive_on_request() {
    let (_data, store) = service().await;
    let (source, sales) = to_endpoint(&store, BatchIntent::Created, rows(&["annb", "terry"])).await;
    let archived = batch("Archived", &source, BatchIntent::Created);
    let archived = store.batches().insert(archived, rows(&["old"])).await.unwrap().batch;
    assert_eq!(store.checks().waiting(at(0)).await.unwrap(), [(source.guid, sales.target_endpoint)]);
    let claimed = checks(&store, &sales, 0).await;
    assert_eq!(names(&claimed), ["annb", "terry"]);
    // No other caller gets them before the claim ends.
    assert_eq!(names(&checks(&store, &sales, 299).await), [""; 0]);
    let under_way =
        ChecksUnderWay { source_endpoint: source.guid, target_endpoint: sales.target_endpoint, users: 2 };
    assert_eq!(store.checks().under_way(at(299)).await.unwrap(), [under_way]);
    ends(&store, &claimed[0], opened(), 1).await;
    let found = MailboxCheck {
        checked: Some(at(1)),
        source: Some(Opening::Opened),
        target: Some(Opening::Opened),
        ..MailboxCheck::default()
    };
    assert_eq!(user(&store, "annb").await.check, found);
    let again = checks(&store, &sales, 300).await;
    assert_eq!(names(&again), ["terry"]);
    // The first check is alive after all, and its result does not count.
    ends(&store, &claimed[1], closed("NO"), 301).await;
    assert_eq!(
        user(&store, "terry").await.check,
        MailboxCheck { due: Some(at(0)), ..MailboxCheck::default() }
    );
    ends(&store, &again[0], opened(), 302).await;
    assert_eq!(store.checks().waiting(at(999)).await.unwrap(), []);
    assert_eq!(store.checks().request(Users::OfBatch(archived.guid), at(400)).await.unwrap(), 1);
    assert_eq!(names(&checks(&store, &archived, 400).await), ["old"]);
}

async fn a_result_from_before_a_new_request_does_not_count() {
    let (_data, store) = service().await;
    let (_source, sales) = to_endpoint(&store, BatchIntent::Created, rows(&["annb", "terry"])).await;
    let claimed = checks(&store, &sales, 0).await;
    ends(&store, &claimed[0], closed("NO annb"), 1).await;
    // New passwords: both are checked with them, also the one whose check runs.
    let mended =
        rows(&["annb", "terry"]).into_iter().map(|it| UserRow { password: Some(Secret::new("new")), ..it });
    store.batches().add_users(sales.guid, mended.collect(), at(2)).await.unwrap();
    assert_eq!(names(&checks(&store, &sales, 3).await), ["annb"], "no user is checked twice at once");
    ends(&store, &claimed[1], closed("NO terry"), 4).await;
    let check = user(&store, "terry").await.check;
    assert_eq!((check.due, check.checked), (Some(at(2)), None));
    assert_eq!(names(&checks(&store, &sales, 4).await), ["terry"]);
}

async fn an_unfinished_check_is_tried_again_later() {
    let (_data, store) = service().await;
    let (source, sales) = to_endpoint(&store, BatchIntent::Created, rows(&["annb", "paul", "terry"])).await;
    let claimed = checks(&store, &sales, 0).await;
    let later = |second| CheckEnd::Later { due: at(second), reason: "busy".to_owned() };
    ends(&store, &claimed[0], later(60), 1).await;
    let check = user(&store, "annb").await.check;
    assert_eq!((check.due, check.attempts, check.delay.as_deref()), (Some(at(60)), 1, Some("busy")));
    assert_eq!(store.jobs().next_due(at(1)).await.unwrap(), Some(at(60)));
    // One delay for all of an endpoint; users with a longer delay keep it.
    let wrong = "the token endpoint refused the client".to_owned();
    assert_eq!(store.checks().delay(sales.target_endpoint.unwrap(), at(50), wrong).await.unwrap(), 2);
    ends(&store, &claimed[1], later(40), 2).await;
    assert_eq!(user(&store, "paul").await.check.due, Some(at(50)));
    let overview = store.batches().get("Sales").await.unwrap().checks;
    assert_eq!((overview.checked, overview.failed, overview.pending), (0, 0, 3));
    assert!(overview.delay.is_some());
    assert_eq!(names(&checks(&store, &sales, 49).await), [""; 0]);
    // The administrator has repaired the endpoint.
    store.checks().resume(source.guid, at(49)).await.unwrap();
    assert_eq!(names(&checks(&store, &sales, 49).await), ["annb", "paul"], "terry's is under way");
}

async fn a_pass_is_a_check_and_no_user_has_both_at_once() {
    let (_data, store) = service().await;
    let (source, sales) = to_endpoint(&store, BatchIntent::Run, rows(&["annb"])).await;
    assert_eq!(names(&checks(&store, &sales, 0).await), [""; 0], "the pass is due");
    let owner = mailhaul_migration::Guid::new_v4();
    let passes = |second| {
        let claim = crate::Claim { target_endpoint: sales.target_endpoint, ..claim(&source, owner, second) };
        store.jobs().claim(claim)
    };
    let claimed = passes(0).await.unwrap();
    store.checks().request(Users::OfBatch(sales.guid), at(1)).await.unwrap();
    assert_eq!(names(&checks(&store, &sales, 2).await), [""; 0], "the pass is under way");
    store.jobs().advance(&claimed[0].lease, UserEvent::Validated, at(3)).await.unwrap();
    let check = user(&store, "annb").await.check;
    assert_eq!((check.due, check.checked, check.has_failed()), (None, Some(at(3)), false));
    assert_eq!((check.source, check.target), (Some(Opening::Opened), Some(Opening::Opened)));
    store.jobs().release(&claimed[0].lease, end(UserEvent::Synced, 4, Due::At(at(100)))).await.unwrap();
    // Between the passes it can be checked; the next pass waits for the check.
    store.checks().request(Users::OfBatch(sales.guid), at(50)).await.unwrap();
    let check = checks(&store, &sales, 50).await;
    assert_eq!(names(&check), ["annb"]);
    assert_eq!(passes(100).await.unwrap().len(), 0);
    ends(&store, &check[0], opened(), 101).await;
    assert_eq!(passes(101).await.unwrap().len(), 1);
}

async fn a_mailbox_that_a_pass_could_not_open_is_a_check_result() {
    let (_data, store) = service().await;
    let (source, sales) = to_endpoint(&store, BatchIntent::Run, rows(&["annb"])).await;
    let claim = crate::Claim {
        target_endpoint: sales.target_endpoint,
        ..claim(&source, mailhaul_migration::Guid::new_v4(), 0)
    };
    let lease = store.jobs().claim(claim).await.unwrap()[0].lease;
    let failure = super::failure();
    let release = crate::Release {
        failure: Some(failure.clone()),
        closed: Some(mailhaul_engine::Side::Target),
        ..end(UserEvent::Failed, 3, Due::Never)
    };
    // No result of a worker counts after it lost its lease.
    let lost = crate::Lease { fence: lease.fence - 1, ..lease };
    assert!(matches!(
        store.jobs().release(&lost, release.clone()).await,
        Err(crate::StoreError::LeaseLost { .. })
    ));
    assert!(user(&store, "annb").await.check.due.is_some());
    store.jobs().release(&lease, release).await.unwrap();
    let check = user(&store, "annb").await.check;
    assert_eq!((check.due, check.checked, check.has_failed()), (None, Some(at(3)), true));
    assert_eq!((check.source, check.target), (None, Some(Opening::Failed(failure))));
    assert_eq!(names(&checks(&store, &sales, 4).await), [""; 0]);
}

async fn mailboxes_that_cannot_be_opened_are_counted_by_domain() {
    let (_data, store) = service().await;
    let named = |number: usize, address: &str, login: &str| UserRow {
        email_address: address.to_owned(),
        target_user_name: login.to_owned(),
        ..row(number, address)
    };
    let users = vec![
        named(2, "a@Contoso.edu", "a@Contoso.edu"),
        named(3, "\"b@x\"@contoso.edu", "\"b@x\"@contoso.edu"),
        named(4, "c@fabrikam.com", "c@fabrikam.com"),
        named(5, "d@contoso.edu", "d@fabrikam.com"),
        named(6, "e@fabrikam.com", "e"),
    ];
    let (_source, sales) = to_endpoint(&store, BatchIntent::Created, users).await;
    let claimed = checks(&store, &sales, 0).await;
    for (it, is_open) in claimed.iter().zip([false, false, true, true, false]) {
        ends(&store, it, if is_open { opened() } else { closed("NO such user") }, 1).await;
    }
    let overview = store.batches().get("Sales").await.unwrap().checks;
    assert_eq!((overview.checked, overview.failed, overview.pending), (5, 3, 0));
    let tally = |domain: &str, [addresses, opened, failed]: [u64; 3]| DomainTally {
        domain: domain.to_owned(),
        addresses,
        opened,
        failed,
        words: Some("NO such user".to_owned()),
    };
    assert_eq!(overview.domains, [tally("contoso.edu", [2, 0, 2]), tally("fabrikam.com", [3, 2, 1])]);
    let failed = UserFilter { failed_check: true, batch: Some(sales.guid), ..UserFilter::default() };
    let page = store.users().list(&failed, None, 10).await.unwrap();
    assert_eq!(page.items.iter().map(|it| it.row).collect::<Vec<_>>(), [2, 3, 6]);
}
