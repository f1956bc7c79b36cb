//! Two stores on one server that change the same users at the same moment.
//!
//! Each race has many rounds, because its order is left to chance.

use std::collections::HashSet;

use mailhaul_engine::Ledger;
use mailhaul_migration::{BatchIntent, Guid, MigrationUser, UserEvent, UserStatus};
use tokio::join;

use super::{
    Home, at, batch, claim, counted, end, endpoint,
    ledger::{done, opened},
    on_server, rows, running,
};
use crate::{AuditEntry, CheckClaim, CheckEnd, Claim, Due, Heartbeat, ReportEntry, Store, StoreError, Users};

const ROUNDS: i64 = 40;

/// Returns a server with two stores.
async fn two() -> (Home, Store, Store) {
    let (home, one) = on_server().await;
    let two = home.open().await;
    (home, one, two)
}

async fn users(store: &Store) -> Vec<MigrationUser> {
    store.users().list(&crate::UserFilter::default(), None, 1_000).await.unwrap().items
}

/// Starts or stops the batch.
async fn order(store: &Store, batch: Guid, event: UserEvent, second: i64) {
    let intent = if event == UserEvent::Start { BatchIntent::Run } else { BatchIntent::Stop };
    let due = if event == UserEvent::Start { Due::At(at(second)) } else { Due::Never };
    store.batches().order(batch, event, at(second), due, move |it| it.intent = intent).await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_user_is_claimed_in_a_stopped_batch() {
    let (_home, one, two) = two().await;
    let (source, sales) = running(&one, &["anna", "berta", "carla", "dora"]).await;
    let owner = Guid::new_v4();
    for round in 1..=ROUNDS {
        let second = round * 10;
        let claimed = one.jobs().claim(Claim { limit: 2, ..claim(&source, owner, second) });
        let (claimed, ()) = join!(claimed, order(&two, sales.guid, UserEvent::Stop, second));
        let claimed: HashSet<_> = claimed.unwrap().into_iter().map(|it| it.user.guid).collect();
        for user in users(&one).await {
            let expected =
                if claimed.contains(&user.guid) { UserStatus::Stopping } else { UserStatus::Stopped };
            assert_eq!(user.status, expected, "round {round}");
        }
        one.jobs().give_back(at(second + 1), owner).await.unwrap();
        order(&one, sales.guid, UserEvent::Start, second + 1).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_user_is_claimed_twice() {
    let (_home, one, two) = two().await;
    let (source, _) = running(&one, &["anna", "berta", "carla", "dora", "emma"]).await;
    let owners = [Guid::new_v4(), Guid::new_v4()];
    for round in 1..=ROUNDS {
        let of = |owner| Claim { limit: 3, ..claim(&source, owner, round * 10) };
        let (first, second) = join!(one.jobs().claim(of(owners[0])), two.jobs().claim(of(owners[1])));
        let claimed: Vec<_> = first.unwrap().into_iter().chain(second.unwrap()).collect();
        let different: HashSet<_> = claimed.iter().map(|it| it.user.guid).collect();
        assert_eq!((claimed.len(), different.len()), (5, 5), "round {round}");
        for it in &claimed {
            one.jobs().renew(&it.lease, at(round * 10 + 5)).await.unwrap();
        }
        for owner in owners {
            two.jobs().give_back(at(round * 10), owner).await.unwrap();
        }
    }
}

/// The claim and the result of a check change rows that the other one reads.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_check_is_claimed_twice() {
    let (_home, one, two) = two().await;
    let source = one.endpoints().insert(endpoint("Old"), None).await.unwrap();
    let sales = batch("Sales", &source, BatchIntent::Created);
    one.batches().insert(sales.clone(), rows(&["anna", "berta", "carla", "dora"])).await.unwrap();
    for round in 1..=ROUNDS {
        let now = at(round * 10);
        one.checks().request(Users::OfBatch(sales.guid), now).await.unwrap();
        let wanted = CheckClaim {
            now,
            until: at(round * 10 + 60),
            source_endpoint: source.guid,
            target_endpoint: None,
            limit: 3,
            limits: crate::ClaimLimits::default(),
        };
        let (first, second) = join!(one.checks().claim(wanted.clone()), two.checks().claim(wanted));
        let claimed: Vec<_> = first.unwrap().into_iter().chain(second.unwrap()).collect();
        let different: HashSet<_> = claimed.iter().map(|it| it.user.guid).collect();
        assert_eq!((claimed.len(), different.len()), (4, 4), "round {round}");
        for it in claimed {
            let later = CheckEnd::Later { due: now, reason: "busy".to_owned() };
            // A new request makes an old result void.
            let ended = one.checks().end(it.user.guid, it.number, later, now);
            let asked = two.checks().request(Users::One(it.user.guid), now);
            let (ended, asked) = join!(ended, asked);
            ended.unwrap();
            assert_eq!(asked.unwrap(), 1);
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_record_is_written_before_a_recovery_or_refused() {
    let (_home, one, two) = two().await;
    let (source, _) = running(&one, &["terry"]).await;
    for round in 1..=ROUNDS {
        let (dead, alive) = (Guid::new_v4(), Guid::new_v4());
        let second = round * 1_000;
        let lease = one.jobs().claim(claim(&source, dead, second)).await.unwrap()[0].lease;
        let target = format!("terry{round}@new.example");
        let ledger = one.ledgers().leased_mailbox("terry", &target, &lease).await.unwrap();
        let records = [opened("INBOX"), done("INBOX", 1)];
        let (written, recovered) =
            join!(ledger.record(&records), two.jobs().recover(at(second + 100), alive));
        assert_eq!(recovered.unwrap().users, 1);
        assert!(ledger.record(&[opened("Sent")]).await.is_err(), "round {round}");
        let lost = ledger.folders().await.unwrap().len();
        assert_eq!(lost, usize::from(written.is_ok()), "round {round}");
        start_failed(&one, second + 200).await;
    }
}

/// Starts the users again that failed after several process ends.
async fn start_failed(store: &Store, second: i64) {
    for user in users(store).await.into_iter().filter(|it| it.status == UserStatus::Failed) {
        let due = Due::At(at(second));
        store.jobs().apply(Users::One(user.guid), UserEvent::Start, at(second), due).await.unwrap();
    }
}

/// Both lanes of a mailbox end the count of process ends.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_folders_of_a_mailbox_are_written_at_once() {
    let (_home, one, two) = two().await;
    let (source, _) = running(&one, &["terry"]).await;
    for round in 1..=ROUNDS {
        let second = round * 1_000;
        let lease = one.jobs().claim(claim(&source, Guid::new_v4(), second)).await.unwrap()[0].lease;
        let first = one.ledgers().leased_mailbox("terry", "new", &lease).await.unwrap();
        let other = two.ledgers().leased_mailbox("terry", "new", &lease).await.unwrap();
        first.record(&[opened("INBOX"), opened("Sent")]).await.unwrap();
        let (inbox, sent) = ([done("INBOX", 1)], [done("Sent", 1)]);
        let (inbox, sent) = join!(first.record(&inbox), other.record(&sent));
        inbox.unwrap();
        sent.unwrap();
        // One process end, which the next round forgets.
        two.jobs().recover(at(second + 100), Guid::new_v4()).await.unwrap();
    }
}

/// An order misses no user whose pass ends at that moment.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_stop_reaches_users_whose_pass_ends() {
    let (_home, one, two) = two().await;
    let (source, sales) = running(&one, &["anna", "berta", "carla", "dora"]).await;
    for round in 1..=ROUNDS {
        let second = round * 100;
        let claimed = one.jobs().claim(claim(&source, Guid::new_v4(), second)).await.unwrap();
        assert_eq!(claimed.len(), 4, "round {round}");
        let leases: Vec<_> = claimed.iter().map(|it| it.lease).collect();
        let ends = async {
            for lease in &leases {
                one.jobs()
                    .release(lease, end(UserEvent::Deferred, second + 1, Due::At(at(second + 1))))
                    .await
                    .unwrap_or_else(|error| panic!("round {round}: {error}"));
            }
        };
        let beats = leases.iter().rev().map(|lease| Heartbeat {
            lease: *lease,
            until: at(second + 60),
            statistics: None,
        });
        let beats = two.jobs().heartbeats(beats.collect());
        let ((), (), beaten) = join!(ends, order(&two, sales.guid, UserEvent::Stop, second + 1), beats);
        beaten.unwrap();
        for user in users(&one).await {
            assert_eq!(user.status, UserStatus::Stopped, "round {round}");
        }
        order(&one, sales.guid, UserEvent::Start, second + 2).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_address_is_in_one_batch() {
    let (_home, one, two) = two().await;
    let source = one.endpoints().insert(endpoint("Old"), None).await.unwrap();
    for round in 1..=ROUNDS {
        let name = format!("user{round}");
        let sales = batch(&format!("Sales {round}"), &source, BatchIntent::Created);
        let staff = batch(&format!("Staff {round}"), &source, BatchIntent::Created);
        // Each has a user of its own beside: a batch of which no user is left is refused.
        let (own, other) = (format!("sales{round}"), format!("staff{round}"));
        let (sales, staff) = join!(
            one.batches().insert(sales, rows(&[&name, &own])),
            two.batches().insert(staff, rows(&[&name, &other]))
        );
        let (sales, staff) = (sales.unwrap(), staff.unwrap());
        assert_eq!((sales.users + staff.users, sales.left_out.len() + staff.left_out.len()), (3, 1));
        let same = [
            batch(&format!("Same {round}"), &source, BatchIntent::Created),
            batch(&format!("SAME {round}"), &source, BatchIntent::Created),
        ];
        let [first, second] = same;
        let (first, second) =
            join!(one.batches().insert(first, Vec::new()), two.batches().insert(second, Vec::new()));
        let refused = match (first, second) {
            (Ok(_), Err(error)) | (Err(error), Ok(_)) => error,
            other => panic!("{other:?}"),
        };
        assert!(matches!(refused, StoreError::NameTaken { .. }), "{refused}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn entries_and_usage_of_two_writers_are_all_there() {
    let (_home, one, two) = two().await;
    let (source, _) = running(&one, &["terry"]).await;
    let terry = users(&one).await[0].guid;
    let write = |store: Store, round: i64| async move {
        let text = || format!("round {round}");
        store.reports().append(terry, vec![ReportEntry { time: at(round), text: text() }]).await.unwrap();
        store.jobs().add_usage(counted(source.guid, "terry"), vec![(7, 10), (8, 10)], 7).await.unwrap();
        let entry = AuditEntry {
            time: at(round),
            who: "anna".to_owned(),
            operation: text(),
            identity: String::new(),
            outcome: "Done".to_owned(),
        };
        store.audit().append(entry).await.unwrap();
    };
    for round in 1..=ROUNDS {
        join!(write(one.clone(), round), write(two.clone(), round));
    }
    let expected = usize::try_from(2 * ROUNDS).unwrap();
    assert_eq!(one.reports().get(terry, None, 1_000).await.unwrap().items.len(), expected);
    assert_eq!(one.audit().list(None, 1_000).await.unwrap().items.len(), expected);
    let mut usage = one.jobs().usage(source.guid, None, 7).await.unwrap();
    usage.sort_unstable();
    assert_eq!(usage, [(7, 20 * ROUNDS.unsigned_abs()), (8, 20 * ROUNDS.unsigned_abs())]);
}
