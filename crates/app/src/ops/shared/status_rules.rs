//! Which command is allowed in which status, with reason and remedy.

use mailhaul_migration::{BatchStatus, MigrationUser, StatusCounts, UserEvent, UserStatus};
use mailhaul_operations::Failure;
use mailhaul_store::BatchOverview;
use strum::VariantArray as _;

/// Command to a batch. Removal is always possible.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Order {
    Start,
    Stop,
    Complete,
}

/// Answer to a command.
#[derive(Clone, Copy)]
enum May {
    Yes,
    /// Allowed if it changes at least one user.
    IfAnyUserChanges(Reason),
    No(Reason),
}

/// Reason of a refusal, and advice.
#[derive(Clone, Copy)]
struct Reason(&'static str, &'static str);

const RUNS: Reason = Reason(
    "it is running, and no user has failed or is stopped",
    "Get-MigrationUser shows the status of its users; Set-MigrationBatch -SyncNow copies new mail now.",
);
const NOT_STARTED: Reason = Reason("it was never started", "Start it with Start-MigrationBatch.");
const STOPS: Reason = Reason(
    "it is being stopped",
    "Wait until its status is Stopped, then start it with Start-MigrationBatch.",
);
const IS_STOPPED: Reason = Reason("it is stopped", "Start it with Start-MigrationBatch.");
const STOPPED_ALREADY: Reason = Reason("it is stopped already", "Nothing needs to be done.");
const STOPS_ALREADY: Reason =
    Reason("it is being stopped already", "Get-MigrationBatch shows when its status is Stopped.");
const NOT_SYNCED: Reason = Reason(
    "its users are not synced yet",
    "Wait until its status is Synced, or set -CompleteAfter with Set-MigrationBatch.",
);
const COMPLETES: Reason =
    Reason("it is being completed already", "Get-MigrationBatch shows when its status is Completed.");
const COMPLETED: Reason = Reason(
    "every user is completed",
    "Remove it with Remove-MigrationBatch. To sync again, make a new batch of the same users; nothing is copied twice.",
);
const NOTHING_LEFT: Reason = Reason(
    "every user is completed or failed",
    "Start-MigrationBatch retries the failed users; Remove-MigrationBatch removes the batch.",
);
const ALL_FAILED: Reason = Reason(
    "every user failed",
    "Get-MigrationUser -StatusSummary Failed shows why; Start-MigrationBatch retries them.",
);

/// Per status: Start, Stop, Complete.
#[rustfmt::skip]
const TABLE: [(BatchStatus, May, May, May); BatchStatus::VARIANTS.len()] = {
    use BatchStatus as S;
    use May::{IfAnyUserChanges, No, Yes};
    [
        (S::Created,             Yes,                  No(NOT_STARTED),         No(NOT_STARTED)),
        (S::Starting,            IfAnyUserChanges(RUNS),      Yes,                     No(NOT_SYNCED)),
        (S::Waiting,             IfAnyUserChanges(RUNS),      Yes,                     No(NOT_SYNCED)),
        (S::Syncing,             IfAnyUserChanges(RUNS),      Yes,                     No(NOT_SYNCED)),
        (S::IncrementalSyncing,  IfAnyUserChanges(RUNS),      Yes,                     Yes),
        (S::Synced,              IfAnyUserChanges(RUNS),      Yes,                     Yes),
        (S::SyncedWithErrors,    IfAnyUserChanges(RUNS),      Yes,                     Yes),
        (S::Stopping,            No(STOPS),            No(STOPS_ALREADY),       No(STOPS)),
        (S::Stopped,             Yes,                  No(STOPPED_ALREADY),     No(IS_STOPPED)),
        (S::Completing,          IfAnyUserChanges(COMPLETES), Yes,                     No(COMPLETES)),
        (S::Completed,           IfAnyUserChanges(COMPLETED), No(COMPLETED),           No(COMPLETED)),
        (S::CompletedWithErrors, IfAnyUserChanges(COMPLETED), No(NOTHING_LEFT),        No(NOTHING_LEFT)),
        (S::Failed,              Yes,                  IfAnyUserChanges(NOTHING_LEFT), No(ALL_FAILED)),
    ]
};

impl Order {
    const ALL: [(Self, &'static str); 3] =
        [(Self::Start, "Start"), (Self::Stop, "Stop"), (Self::Complete, "Complete")];

    fn may(self, status: BatchStatus) -> May {
        let row = TABLE.iter().find(|(known, ..)| *known == status);
        row.map_or(May::Yes, |(_, start, stop, complete)| match self {
            Self::Start => *start,
            Self::Stop => *stop,
            Self::Complete => *complete,
        })
    }

    /// Event that the command sends to the batch's users.
    fn event(self) -> UserEvent {
        match self {
            Self::Start => UserEvent::Start,
            Self::Stop => UserEvent::Stop,
            Self::Complete => UserEvent::Complete,
        }
    }

    /// Refuses a command that the status does not allow.
    pub(crate) fn check(self, overview: &BatchOverview, status: BatchStatus) -> Result<(), Failure> {
        let Reason(reason, advice) = match self.may(status) {
            May::Yes => return Ok(()),
            May::IfAnyUserChanges(_) if concerned(&overview.counts, self.event()) > 0 => return Ok(()),
            May::IfAnyUserChanges(why) | May::No(why) => why,
        };
        let name = &overview.batch.name;
        let done = match self {
            Self::Start => "started",
            Self::Stop => "stopped",
            Self::Complete => "completed",
        };
        Err(Failure::conflict(format_args!("the migration batch \"{name}\" cannot be {done}: {reason}"))
            .with_advice(advice))
    }
}

/// Number of users that the event would change.
fn concerned(counts: &StatusCounts, event: UserEvent) -> u64 {
    let takes = |it: &&UserStatus| it.on(event, true).is_ok();
    UserStatus::VARIANTS.iter().filter(takes).map(|it| counts.of(*it)).sum()
}

/// Commands that the status allows.
pub(crate) fn supported_actions(status: BatchStatus) -> Vec<&'static str> {
    let may = |order: &Order| !matches!(order.may(status), May::No(_));
    let orders = Order::ALL.iter().filter(|(order, _)| may(order)).map(|(_, name)| *name);
    orders.chain(["Set", "Remove"]).collect()
}

/// Commands that the user's status allows.
pub(crate) fn user_actions(user: &MigrationUser) -> Vec<&'static str> {
    let may = |event| user.status.on(event, user.initial_synced.is_some()).is_ok();
    let orders = [("Start", UserEvent::Start), ("Stop", UserEvent::Stop)];
    let orders = orders.into_iter().filter(|(_, event)| may(*event)).map(|(name, _)| name);
    orders.chain(["Set", "Remove"]).collect()
}

/// Failure for a command that a user's status does not allow.
pub(crate) fn user_refusal(address: &str, status: UserStatus, event: UserEvent) -> Failure {
    use UserEvent as E;
    use UserStatus as S;
    let (cannot, advice) = match (event, status) {
        (E::Start, S::Stopping) => ("started", "Wait until its status is Stopped, then start it."),
        (E::Start, S::Completed) => ("started", "It is completed; no sync follows."),
        (E::Start, S::Synced) => ("started", "It is synced; Set-MigrationUser -SyncNow copies new mail now."),
        (E::Start, _) => ("started", "It is running; Get-MigrationUserStatistics shows its progress."),
        (E::Stop, S::Stopping | S::Stopped | S::IncrementalStopped) => {
            ("stopped", "Nothing needs to be done.")
        }
        (E::Stop, _) => ("stopped", "It is not running; Remove-MigrationUser removes it from its batch."),
        _ => ("changed", "Get-MigrationUser shows its status."),
    };
    Failure::conflict(format_args!(
        "the migration user \"{address}\" cannot be {cannot}: its status is {status}"
    ))
    .with_advice(advice)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_state_has_its_row() {
        for status in BatchStatus::VARIANTS {
            assert!(TABLE.iter().any(|(known, ..)| known == status), "{status}");
        }
    }
}
