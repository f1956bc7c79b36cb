//! Issues, from the states of batches, endpoints and nodes.

use mailhaul_migration::{BatchIntent, Endpoint, Guid, StatusSummary};
use mailhaul_store::{BatchOverview, Node, Parking};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Severity of an issue.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
pub(crate) enum Severity {
    /// Mail does not move until the administrator acts.
    Error,
    /// The administrator should look.
    Warning,
    /// It ends by itself.
    Information,
}

/// Issue that concerns the administrator now. It disappears with its cause.
#[derive(Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct MigrationIssue {
    /// Severity; errors come first.
    pub(super) severity: Severity,
    /// Name of the kind, for programs: `UsersFailed`, `EndpointPaused`.
    code: &'static str,
    /// One sentence.
    message: String,
    /// Next step, if there is one.
    advice: Option<String>,
    /// Command that shows or ends the cause.
    command: Option<String>,
    /// Type of the object: `Batch`, `Endpoint`, `Node`.
    object_type: &'static str,
    /// Name of the object.
    object: String,
}

/// Returns `1 user` or `7 users`.
fn count(number: u64, noun: &str) -> String {
    if number == 1 { format!("1 {noun}") } else { format!("{number} {noun}s") }
}

/// Issues of the batches.
pub(super) fn of_batches(batches: &[BatchOverview]) -> Vec<MigrationIssue> {
    batches.iter().flat_map(of_batch).collect()
}

fn of_batch(it: &BatchOverview) -> Vec<MigrationIssue> {
    let name = &it.batch.name;
    let issue = |severity, code, message, advice: &str, command: String| MigrationIssue {
        severity,
        code,
        message,
        advice: Some(advice.to_owned()),
        command: Some(command),
        object_type: "Batch",
        object: name.clone(),
    };
    let mut found = Vec::new();
    let failed = it.counts.in_summary(StatusSummary::Failed);
    if failed > 0 {
        found.push(issue(
            Severity::Error,
            "UsersFailed",
            format!("{} of the batch \"{name}\" failed", count(failed, "user")),
            "Remove the cause, then start the batch again: it retries its failed users.",
            format!("Get-MigrationFailure -BatchId \"{name}\""),
        ));
    }
    let is_started = it.batch.intent != BatchIntent::Created;
    if it.checks.failed > 0 && !is_started {
        found.push(issue(
            Severity::Error,
            "MailboxesCannotBeOpened",
            format!(
                "the mailboxes of {} of the batch \"{name}\" cannot be opened",
                count(it.checks.failed, "user")
            ),
            "Correct the logins before the batch is started.",
            format!("Get-MigrationUser -BatchId \"{name}\" -CheckFailed"),
        ));
    }
    if it.unapproved > 0 {
        found.push(issue(
            Severity::Warning,
            "SkippedItems",
            format!(
                "{} of the batch \"{name}\" {} skipped messages without approval",
                count(it.unapproved, "user"),
                if it.unapproved == 1 { "has" } else { "have" }
            ),
            "Look at the messages. Approve them with -ApproveSkippedItems, or remove the cause and sync again.",
            format!("Get-MigrationSkippedItem -BatchId \"{name}\""),
        ));
    }
    if it.waiting_deletions.count > 0 {
        found.push(issue(
            Severity::Warning,
            "DeletionsWait",
            format!(
                "copies of {} of the batch \"{name}\" wait to be removed, because they are more than one sync may remove",
                count(it.waiting_deletions.count, "user")
            ),
            "Compare with the source. If the deletions are meant, confirm them.",
            format!("Set-MigrationBatch \"{name}\" -ConfirmDeletions"),
        ));
    }
    found
}

/// Issues of the endpoints that are parked.
pub(super) fn of_endpoints(endpoints: &[Endpoint], parked: &[(Guid, Parking)]) -> Vec<MigrationIssue> {
    let of = |(guid, parking): &(Guid, Parking)| {
        let name = endpoints.iter().find(|it| it.guid == *guid)?.name.clone();
        Some(MigrationIssue {
            severity: Severity::Information,
            code: "EndpointPaused",
            message: format!(
                "the endpoint \"{name}\" is paused until {:.0}: {}",
                parking.until, parking.reason
            ),
            advice: None,
            command: Some(format!("Get-MigrationEndpoint \"{name}\"")),
            object_type: "Endpoint",
            object: name,
        })
    };
    parked.iter().filter_map(of).collect()
}

/// Issues of the nodes that are lost.
pub(super) fn of_nodes(nodes: &[Node]) -> Vec<MigrationIssue> {
    let lost = nodes.iter().filter(|node| !node.is_alive);
    let of = |node: &Node| MigrationIssue {
        severity: Severity::Warning,
        code: "NodeLost",
        message: format!(
            "the node \"{}\" is lost: its last sign of life was at {:.0}",
            node.settings.name, node.last_beat
        ),
        advice: Some("Look at its machine. Another node continues with its mailboxes.".to_owned()),
        command: Some("Get-MigrationNode".to_owned()),
        object_type: "Node",
        object: node.settings.name.clone(),
    };
    lost.map(of).collect()
}
