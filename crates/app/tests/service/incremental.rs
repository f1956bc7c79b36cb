//! Later passes: requested and scheduled.

use mailhaul_imap::{MailboxName, SelectOptions, StoreMode};
use mailhaul_mail::{Flags, Uid, UidSet};
use mailhaul_testkit::{Dovecot, Setup, connect};

use crate::support::{Service, assert_same, give, until};

async fn change(from: &Dovecot, seed: u64) {
    give(from, "annb", "INBOX", &[1_200; 3], seed).await;
    let mut session = connect(from.port(), "annb", &Dovecot::password("annb")).await;
    let inbox = MailboxName::from_text("INBOX");
    let mut selected = session.select(&inbox, &SelectOptions::default()).await.unwrap();
    let all = selected.uid_search(&[mailhaul_imap::SearchKey::All]).await.unwrap();
    let some: Vec<Uid> = all.iter().take(3).collect();
    let one = |uid: Uid| -> UidSet { [uid].into_iter().collect() };
    let flags: Flags = ["\\Flagged", "Later"].into_iter().collect();
    selected.uid_store(&one(some[0]), StoreMode::Add, &flags).await.unwrap();
    selected.uid_move(&one(some[1]), &MailboxName::from_text("Archive")).await.unwrap();
    let deleted: Flags = ["\\Deleted"].into_iter().collect();
    selected.uid_store(&one(some[2]), StoreMode::Add, &deleted).await.unwrap();
    selected.uid_expunge(&one(some[2])).await.unwrap();
    session.logout().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn requested_and_scheduled_passes_copy_all_changes() {
    let (from, to) = (Setup::with_users(&["annb"]).start(), Setup::with_users(&["annb"]).start());
    give(&from, "annb", "INBOX", &[900; 30], 1).await;
    give(&from, "annb", "Archive", &[900; 5], 2).await;
    let service = Service::start();
    service.endpoints(from.port(), to.port(), &[]);
    let csv = service.csv(&["annb".to_owned()]);
    let batch = [
        "New-MigrationBatch",
        "-Name",
        "Steps",
        "-SourceEndpoint",
        "Old",
        "-TargetEndpoint",
        "New",
        "-CSVData",
        &csv,
        "-AutoStart",
        "-Deletions",
        "Mirror",
        "-SyncInterval",
        "00:01:00",
    ];
    service.expect(&batch);
    service.wait_for("Steps", &["Synced"]);
    assert_same(&from, &to, "annb").await;

    change(&from, 10).await;
    let before = service.user("annb@contoso.edu")["LastSuccessfulSyncTime"].clone();
    service.expect(&["Set-MigrationBatch", "Steps", "-SyncNow"]);
    until(|| {
        let user = service.user("annb@contoso.edu");
        (user["LastSuccessfulSyncTime"] != before && user["Status"] == "Synced").then_some(())
    });
    assert_same(&from, &to, "annb").await;

    // This pass is scheduled, not requested.
    change(&from, 20).await;
    let before = service.user("annb@contoso.edu")["LastSuccessfulSyncTime"].clone();
    until(|| {
        let user = service.user("annb@contoso.edu");
        (user["LastSuccessfulSyncTime"] != before && user["Status"] == "Synced").then_some(())
    });
    assert_same(&from, &to, "annb").await;
}
