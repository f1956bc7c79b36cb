//! What may be ordered of a batch and of a user, in which state: tables, with the reason and the way out where it may not.

use mailhaul_migration::{BatchStatus, StatusCounts, UserEvent, UserStatus};
use mailhaul_operations::Failure;
use mailhaul_store::BatchOverview;
use strum::VariantArray as _;

/// What can be ordered of a batch. Removal is always possible.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Order {
    Start,
    Stop,
    Complete,
}

/// Whether an order may be given.
#[derive(Clone, Copy)]
enum May {
    /// It may.
    Yes,
    /// It may where it would change something for at least one user.
    IfAnybody(Why),
    /// It may not.
    No(Why),
}

/// Why not, and what to do.
#[derive(Clone, Copy)]
struct Why(&'static str, &'static str);

const RUNS: Why = Why(
    "it runs already, and no user has failed or is stopped",
    "Get-MigrationUser shows where its users stand; Set-MigrationBatch -SyncNow carries over what is new at once.",
);
const NOT_STARTED: Why = Why("it was never started", "Start it with Start-MigrationBatch.");
const STOPS: Why =
    Why("it is being stopped", "Wait until its status is Stopped, then start it with Start-MigrationBatch.");
const IS_STOPPED: Why = Why("it is stopped", "Start it with Start-MigrationBatch.");
const STOPPED_ALREADY: Why = Why("it is stopped already", "Nothing needs to be done.");
const STOPS_ALREADY: Why =
    Why("it is being stopped already", "Get-MigrationBatch shows when its status is Stopped.");
const NOT_SYNCED: Why = Why(
    "its users are not synced yet",
    "Wait until its status is Synced; or set -CompleteAfter with Set-MigrationBatch: then users complete by themselves.",
);
const COMPLETES: Why =
    Why("it is being completed already", "Get-MigrationBatch shows when its status is Completed.");
const COMPLETED: Why = Why(
    "every user is completed",
    "Remove it with Remove-MigrationBatch; to sync once more, make a new batch of the same users: nothing is copied twice.",
);
const NOTHING_LEFT: Why = Why(
    "every user is completed or failed",
    "Start-MigrationBatch tries those that failed again; Remove-MigrationBatch removes it.",
);
const ALL_FAILED: Why = Why(
    "every user failed",
    "Get-MigrationUser -StatusSummary Failed says why; Start-MigrationBatch tries them again.",
);

/// For each state: Start, Stop, Complete.
#[rustfmt::skip]
const TABLE: [(BatchStatus, May, May, May); BatchStatus::VARIANTS.len()] = {
    use BatchStatus as S;
    use May::{IfAnybody, No, Yes};
    [
        (S::Created,             Yes,                  No(NOT_STARTED),         No(NOT_STARTED)),
        (S::Starting,            IfAnybody(RUNS),      Yes,                     No(NOT_SYNCED)),
        (S::Waiting,             IfAnybody(RUNS),      Yes,                     No(NOT_SYNCED)),
        (S::Syncing,             IfAnybody(RUNS),      Yes,                     No(NOT_SYNCED)),
        (S::IncrementalSyncing,  IfAnybody(RUNS),      Yes,                     Yes),
        (S::Synced,              IfAnybody(RUNS),      Yes,                     Yes),
        (S::SyncedWithErrors,    IfAnybody(RUNS),      Yes,                     Yes),
        (S::Stopping,            No(STOPS),            No(STOPS_ALREADY),       No(STOPS)),
        (S::Stopped,             Yes,                  No(STOPPED_ALREADY),     No(IS_STOPPED)),
        (S::Completing,          IfAnybody(COMPLETES), Yes,                     No(COMPLETES)),
        (S::Completed,           IfAnybody(COMPLETED), No(COMPLETED),           No(COMPLETED)),
        (S::CompletedWithErrors, IfAnybody(COMPLETED), No(NOTHING_LEFT),        No(NOTHING_LEFT)),
        (S::Failed,              Yes,                  IfAnybody(NOTHING_LEFT), No(ALL_FAILED)),
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

    /// What happens to its users.
    fn event(self) -> UserEvent {
        match self {
            Self::Start => UserEvent::Start,
            Self::Stop => UserEvent::Stop,
            Self::Complete => UserEvent::Complete,
        }
    }

    /// An error that says why, where the batch cannot take the order.
    pub(crate) fn check(self, overview: &BatchOverview, status: BatchStatus) -> Result<(), Failure> {
        let Why(why, advice) = match self.may(status) {
            May::Yes => return Ok(()),
            May::IfAnybody(_) if concerned(&overview.counts, self.event()) > 0 => return Ok(()),
            May::IfAnybody(why) | May::No(why) => why,
        };
        let name = &overview.batch.name;
        let done = match self {
            Self::Start => "started",
            Self::Stop => "stopped",
            Self::Complete => "completed",
        };
        Err(Failure::conflict(format_args!("the migration batch \"{name}\" cannot be {done}: {why}"))
            .with_advice(advice))
    }
}

/// How many users the event would change something for.
fn concerned(counts: &StatusCounts, event: UserEvent) -> u64 {
    let takes = |it: &&UserStatus| it.on(event, true).is_ok();
    UserStatus::VARIANTS.iter().filter(takes).map(|it| counts.of(*it)).sum()
}

/// What can be done with a batch in this state.
pub(crate) fn supported_actions(status: BatchStatus) -> Vec<&'static str> {
    let may = |order: &Order| !matches!(order.may(status), May::No(_));
    let orders = Order::ALL.iter().filter(|(order, _)| may(order)).map(|(_, name)| *name);
    orders.chain(["Set", "Remove"]).collect()
}

/// Why a user in this state cannot take the order, and what to do.
pub(crate) fn user_refusal(address: &str, status: UserStatus, event: UserEvent) -> Failure {
    use UserEvent as E;
    use UserStatus as S;
    let (cannot, advice) = match (event, status) {
        (E::Start, S::Stopping) => ("started", "Wait until its status is Stopped, and start it then."),
        (E::Start, S::Completed) => ("started", "It is done: no sync follows."),
        (E::Start, S::Synced) => {
            ("started", "It is in step; Set-MigrationUser -SyncNow carries over what is new.")
        }
        (E::Start, _) => ("started", "It runs already; Get-MigrationUserStatistics shows how far it is."),
        (E::Stop, S::Stopping | S::Stopped | S::IncrementalStopped) => {
            ("stopped", "Nothing needs to be done.")
        }
        (E::Stop, _) => ("stopped", "Nothing is under way; Remove-MigrationUser takes it out of its batch."),
        _ => ("changed", "Get-MigrationUser shows where it stands."),
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
