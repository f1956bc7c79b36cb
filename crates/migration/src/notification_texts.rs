//! Texts and figures of notifications. Pure; no subject and no sender of users' mail is among them.

use jiff::Timestamp;
use serde_json::{Value, json};

use crate::{
    cutover_facts::NamedUsers,
    failure::FailureClass,
    notification::{NotificationEvent, NotificationFacts},
    status::{BatchStatus, StatusCounts, StatusSummary, UserStatus},
};

/// Figures of a batch, with the names of Exchange's statistics.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BatchFigures {
    pub batch: String,
    pub status: BatchStatus,
    pub counts: StatusCounts,
    pub total_items: u64,
    pub synced_items: u64,
    pub skipped_items: u64,
}

impl BatchFigures {
    /// Returns the facts of an event that tells the progress of the batch.
    pub fn facts(&self, event: NotificationEvent) -> NotificationFacts {
        let in_summary = |summary| self.counts.in_summary(summary);
        let (users, failed) = (self.counts.total(), in_summary(StatusSummary::Failed));
        let users_are = if users == 1 { "1 user is".to_owned() } else { format!("all {users} users are") };
        let summary = match event {
            NotificationEvent::BatchSynced if failed == 0 => {
                format!("The first sync is finished: {users_are} synced.")
            }
            NotificationEvent::BatchSynced => {
                format!(
                    "The first sync is finished: {} of {users} users are synced, {failed} failed.",
                    users - failed
                )
            }
            NotificationEvent::BatchCompleted if failed == 0 => {
                format!("The batch is completed: {users_are} completed.")
            }
            NotificationEvent::BatchCompleted => {
                let done = in_summary(StatusSummary::Completed);
                format!(
                    "The batch is completed with errors: {done} of {users} users are completed, {failed} failed."
                )
            }
            _ => format!(
                "{} of {} messages are on the target; the status of the batch is {}.",
                self.synced_items, self.total_items, self.status
            ),
        };
        let pending = self.counts.of(UserStatus::Queued);
        let facts = NotificationFacts::new(summary)
            .with("Status", self.status.to_string())
            .with("TotalCount", users)
            .with("PendingCount", pending)
            .with("ActiveCount", in_summary(StatusSummary::Active).saturating_sub(pending))
            .with("StoppedCount", in_summary(StatusSummary::Stopped))
            .with("SyncedCount", in_summary(StatusSummary::Synced))
            .with("FinalizedCount", in_summary(StatusSummary::Completed))
            .with("FailedCount", failed)
            .with("TotalItemCount", self.total_items)
            .with("SyncedItemCount", self.synced_items)
            .with("SkippedItemCount", self.skipped_items);
        if failed > 0 {
            facts
                .with_next_step(format!("Get-MigrationFailure -BatchId \"{}\" shows the causes.", self.batch))
        } else if event == NotificationEvent::BatchSynced {
            facts.with_next_step(format!(
                "Get-MigrationCutover \"{}\" says what is missing before the old server can go.",
                self.batch
            ))
        } else {
            facts
        }
    }
}

/// Figures of the users that failed while they were gathered.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct FailureFigures {
    pub batch: String,
    /// Number of users of each cause, the most frequent first.
    pub causes: Vec<(FailureClass, u64)>,
    /// The users, with the first of them by name.
    pub users: NamedUsers,
}

impl FailureFigures {
    pub fn facts(&self) -> NotificationFacts {
        let count = self.users.count;
        let users = if count == 1 { "1 user failed".to_owned() } else { format!("{count} users failed") };
        let causes: Vec<String> =
            self.causes.iter().map(|(class, users)| format!("{class}: {users}")).collect();
        let mut first: Vec<Value> = self.users.first.iter().map(|user| json!(user)).collect();
        let more = count.saturating_sub(first.len() as u64);
        if more > 0 {
            first.push(json!(format!("and {more} more")));
        }
        NotificationFacts::new(format!("{users} ({}).", causes.join(", ")))
            .with_next_step(format!(
                "Get-MigrationFailure -BatchId \"{}\" shows the causes with advice; Start-MigrationBatch retries the users.",
                self.batch
            ))
            .with("FailedCount", count)
            .with("Causes", causes)
            .with("Users", first)
    }
}

impl NotificationFacts {
    /// Returns the facts of a change of mail hosts, which lies between the two times.
    pub fn of_mx(event: NotificationEvent, domain: &str, hosts: [&str; 2], seen: [Timestamp; 2]) -> Self {
        let [old, new] = hosts;
        let facts = if event == NotificationEvent::MxReturned {
            Self::new(format!("The mail of {domain} goes to the old hosts again."))
                .with_next_step("Set the MX records again, or leave the batch in sync.")
        } else {
            Self::new(format!("The mail hosts of {domain} changed.")).with_next_step(
                "The users of a running batch are synced when all name servers tell the new hosts.",
            )
        };
        facts
            .with("Domain", domain)
            .with("OldMX", old)
            .with("NewMX", new)
            .with("OldLastSeen", time(seen[0]))
            .with("NewFirstSeen", time(seen[1]))
    }

    /// Returns the facts of MX records whose TTL is too long for the planned move.
    pub fn of_ttl(domain: &str, ttl: u32, expected_at: Timestamp) -> Self {
        Self::new(format!(
            "The TTL of the MX records of {domain} is {ttl} s; after the move other servers use the old host for that time."
        ))
        .with_next_step("Set the TTL to 3600 s or less now.")
        .with("Domain", domain)
        .with("TTL", ttl)
        .with("ExpectedAt", time(expected_at))
    }

    /// Returns the facts of a verdict about the removal of the old server, or of mail that still arrives there.
    pub fn of_cutover(batch: &str, sentence: &str) -> Self {
        Self::new(sentence).with_next_step(format!("Get-MigrationCutover \"{batch}\" shows all conditions."))
    }

    /// Returns the facts of a long pause. The reason has the words of the server.
    pub fn of_parking(endpoint: &str, since: Timestamp, until: Timestamp, reason: &str) -> Self {
        Self::new(format!("The endpoint {endpoint} has been paused for more than an hour: {reason}"))
            .with_next_step(format!("Test-MigrationEndpoint \"{endpoint}\" connects to the server now."))
            .with("Endpoint", endpoint)
            .with("Since", time(since))
            .with("Until", time(until))
    }

    /// Returns the facts of a certificate that ends soon.
    pub fn of_expiry(endpoint: &str, ends: Timestamp) -> Self {
        Self::new(format!(
            "The certificate for access tokens of the endpoint {endpoint} ends at {}.",
            time(ends)
        ))
        .with_next_step(format!("Set-MigrationEndpoint \"{endpoint}\" takes a new certificate."))
        .with("Endpoint", endpoint)
        .with("Ends", time(ends))
    }
}

/// Writes a time to the second, in UTC.
fn time(time: Timestamp) -> String {
    format!("{time:.0}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn figures_of_a_batch_are_exchanges() {
        let mut counts = StatusCounts::default();
        counts.add(UserStatus::Synced, 298);
        counts.add(UserStatus::Failed, 2);
        let figures = BatchFigures {
            batch: "Staff".to_owned(),
            status: BatchStatus::SyncedWithErrors,
            counts,
            total_items: 10,
            synced_items: 9,
            skipped_items: 1,
        };
        let facts = figures.facts(NotificationEvent::BatchSynced);
        assert_eq!(facts.summary, "The first sync is finished: 298 of 300 users are synced, 2 failed.");
        assert_eq!(facts.details["FailedCount"], 2);
        assert_eq!(
            facts.next_step.as_deref(),
            Some("Get-MigrationFailure -BatchId \"Staff\" shows the causes.")
        );
        let report = figures.facts(NotificationEvent::Report).summary;
        assert_eq!(
            report,
            "9 of 10 messages are on the target; the status of the batch is SyncedWithErrors."
        );
    }

    #[test]
    fn failures_are_counted_and_the_first_are_named() {
        let figures = FailureFigures {
            batch: "Staff".to_owned(),
            causes: vec![(FailureClass::Authentication, 10_000)],
            users: NamedUsers { count: 10_000, first: vec!["anna@contoso.edu".to_owned()] },
        };
        let facts = figures.facts();
        assert_eq!(facts.summary, "10000 users failed (Authentication: 10000).");
        assert_eq!(facts.details["Users"], json!(["anna@contoso.edu", "and 9999 more"]));
    }
}
