//! Every status of a batch with every command.

use mailhaul_migration::{BatchStatus, UserEvent};
use mailhaul_operations::FailureKind;
use serde_json::{Value, json};
use strum::VariantArray as _;

use super::support::Desk;

const ORDERS: [&str; 4] =
    ["Start-MigrationBatch", "Stop-MigrationBatch", "Complete-MigrationBatch", "Remove-MigrationBatch"];

/// The batch "B" of the users a and b, brought to this status by ordinary events.
async fn in_state(status: BatchStatus) -> Desk {
    use BatchStatus as S;
    use UserEvent::{Failed, Synced, SyncedWithSkippedItems};
    let desk = Desk::with_endpoint().await;
    let more = match status {
        S::Created => json!({}),
        S::Waiting => json!({ "AutoStart": true, "StartAfter": "2999-01-01" }),
        _ => json!({ "AutoStart": true }),
    };
    desk.batch("B", &["a", "b"], more).await;
    let order = async |cmdlet: &str| _ = desk.one(cmdlet, json!({ "Identity": "B" })).await;
    match status {
        S::Created | S::Waiting | S::Starting => {}
        S::Syncing => _ = desk.claim().await,
        S::Stopping => {
            desk.claim().await;
            order("Stop-MigrationBatch").await;
        }
        S::Stopped => order("Stop-MigrationBatch").await,
        S::Synced => desk.pass(Synced).await,
        S::IncrementalSyncing => {
            desk.pass(Synced).await;
            desk.claim().await;
        }
        S::SyncedWithErrors => one_fails(&desk, Synced).await,
        S::Failed => desk.pass(Failed).await,
        S::Completing => {
            desk.pass(Synced).await;
            order("Complete-MigrationBatch").await;
        }
        S::Completed => {
            desk.pass(Synced).await;
            order("Complete-MigrationBatch").await;
            desk.pass(Synced).await;
        }
        S::CompletedWithErrors => {
            desk.pass(Synced).await;
            order("Complete-MigrationBatch").await;
            one_fails(&desk, SyncedWithSkippedItems).await;
        }
    }
    assert_eq!(desk.status("B").await, status.to_string());
    desk
}

/// One of two passes fails.
async fn one_fails(desk: &Desk, other: UserEvent) {
    let claimed = desk.claim().await;
    desk.ends(&claimed[0], UserEvent::Failed).await;
    desk.ends(&claimed[1], other).await;
}

/// Next status, or the words of the refusal.
type Outcome = Result<BatchStatus, &'static str>;

fn expected(status: BatchStatus) -> [Outcome; 3] {
    use BatchStatus as S;
    let runs = Err("it is running");
    let not_synced = Err("not synced yet");
    match status {
        S::Created => [Ok(S::Starting), Err("never started"), Err("never started")],
        S::Waiting | S::Starting => [runs, Ok(S::Stopped), not_synced],
        S::Syncing => [runs, Ok(S::Stopping), not_synced],
        S::Stopping => [Err("is being stopped"), Err("being stopped already"), Err("is being stopped")],
        S::Stopped => [Ok(S::Starting), Err("stopped already"), Err("Start-MigrationBatch")],
        S::Synced => [runs, Ok(S::Stopped), Ok(S::Completing)],
        S::IncrementalSyncing => [runs, Ok(S::Stopping), Ok(S::IncrementalSyncing)],
        S::SyncedWithErrors => [Ok(S::Syncing), Ok(S::Stopped), Ok(S::Completing)],
        S::Failed => [Ok(S::Starting), Err("completed or failed"), Err("every user failed")],
        // No worker has its users yet, so it stops immediately.
        S::Completing => [Err("being completed already"), Ok(S::Stopped), Err("being completed already")],
        S::Completed => {
            [Err("every user is completed"), Err("every user is completed"), Err("Remove-MigrationBatch")]
        }
        S::CompletedWithErrors => [Ok(S::Completing), Err("completed or failed"), Err("completed or failed")],
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn every_order_in_every_state() {
    for status in BatchStatus::VARIANTS {
        for (cmdlet, outcome) in ORDERS.into_iter().zip(expected(*status)) {
            let desk = in_state(*status).await;
            let identity = json!({ "Identity": "b" });
            match outcome {
                Ok(next) => {
                    let shown = desk.one(cmdlet, identity).await;
                    assert_eq!(shown["Status"], next.to_string(), "{status}: {cmdlet}");
                }
                Err(words) => {
                    desk.refused(cmdlet, identity, FailureKind::Conflict, words).await;
                    assert_eq!(desk.status("B").await, status.to_string(), "{status}: {cmdlet} changed it");
                }
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn every_batch_can_be_removed_and_its_name_is_free_at_once() {
    for status in BatchStatus::VARIANTS {
        let desk = in_state(*status).await;
        // A batch whose old server may still be needed is shown once more.
        desk.call("Remove-MigrationBatch", json!({ "Identity": "B" })).await.unwrap();
        let gone = json!({ "Identity": "B" });
        desk.refused("Get-MigrationBatch", gone, FailureKind::NotFound, "\"B\" could not be found").await;
        desk.batch("b", &["a", "b"], json!({})).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_can_be_done_is_shown() {
    let desk = in_state(BatchStatus::Created).await;
    let shown = desk.one("Get-MigrationBatch", json!({ "Identity": "B" })).await;
    assert_eq!(shown["SupportedActions"], json!(["Start", "Set", "Remove"]));
    let desk = in_state(BatchStatus::Synced).await;
    let shown = desk.one("Get-MigrationBatch", json!({ "Identity": "B" })).await;
    assert_eq!(shown["SupportedActions"], json!(["Start", "Stop", "Complete", "Set", "Remove"]));
}

#[tokio::test(flavor = "multi_thread")]
async fn start_tries_again_only_those_who_failed() {
    let desk = in_state(BatchStatus::SyncedWithErrors).await;
    desk.one("Start-MigrationBatch", json!({ "Identity": "B" })).await;
    assert_eq!(desk.user_status("a@example.org").await, "Queued");
    assert_eq!(desk.user_status("b@example.org").await, "Synced");
}

#[tokio::test(flavor = "multi_thread")]
async fn sync_and_complete_wants_everybody_synced() {
    let desk = in_state(BatchStatus::SyncedWithErrors).await;
    let request = json!({ "Identity": "B", "SyncAndComplete": true });
    desk.refused("Complete-MigrationBatch", request.clone(), FailureKind::Conflict, "1 user is failed").await;
    let desk = in_state(BatchStatus::Synced).await;
    assert_eq!(desk.one("Complete-MigrationBatch", request).await["Status"], "Completing");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_user_s_own_time_of_completion_is_waited_for() {
    let desk = in_state(BatchStatus::Synced).await;
    let late = json!({ "Identity": "a@example.org", "CompleteAfter": "2999-01-01" });
    desk.one("Set-MigrationUser", late).await;
    desk.one("Complete-MigrationBatch", json!({ "Identity": "B" })).await;
    assert_eq!(desk.user_status("a@example.org").await, "Synced");
    assert_eq!(desk.user_status("b@example.org").await, "Completing");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_command_to_an_unknown_batch_is_refused() {
    let desk = Desk::with_endpoint().await;
    for cmdlet in ORDERS {
        desk.refused(cmdlet, json!({ "Identity": "Nobody" }), FailureKind::NotFound, "could not be found")
            .await;
        let empty: Value = json!({ "Identity": " " });
        desk.refused(cmdlet, empty, FailureKind::Invalid, "Identity").await;
    }
}
