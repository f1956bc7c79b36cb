//! A clock that was set back between two runs of the service.

use mailhaul_migration::UserStatus as S;
use mailhaul_store::{Claim, PassKind, Release};

use super::*;

#[tokio::test(flavor = "multi_thread")]
async fn a_sync_that_was_due_in_two_days_comes_after_its_interval() {
    let directory = tempfile::tempdir().unwrap();
    let server = filled(&["annb"], 3).await;
    let mut site = Site::new(directory.path(), server.port(), 1).await;
    site.batch(&["annb"]).await;
    // The first sync ended under a clock that was two days fast; the next one was due a second later.
    let store = site.context.store.clone();
    let fast = Timestamp::now().checked_add(Duration::from_hours(48)).unwrap();
    let claim = Claim {
        now: fast,
        owner: Guid::new_v4(),
        until: fast,
        source_endpoint: site.endpoint.guid,
        target_endpoint: None,
        kinds: vec![PassKind::First],
        limit: 1,
        limits: mailhaul_store::ClaimLimits::default(),
    };
    let claimed = store.jobs().claim(claim).await.unwrap();
    let release = Release {
        now: fast,
        event: UserEvent::Synced,
        due: Due::At(fast.checked_add(Duration::from_secs(1)).unwrap()),
        synced: Some(fast),
        failure: None,
        is_attempt: false,
        closed: None,
        statistics: mailhaul_migration::Statistics::default(),
        entries: Vec::new(),
        folders: None,
        skipped: None,
    };
    store.jobs().release(&claimed[0].lease, release).await.unwrap();
    site.run();
    for _ in 0..600 {
        let user = store.users().get("annb@contoso.edu", None).await.unwrap();
        if user.status == S::Synced && user.statistics.synced_items == 3 {
            return site.end().await;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    panic!("{:#?}", store.users().get("annb@contoso.edu", None).await.unwrap());
}
