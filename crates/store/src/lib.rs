//! The database of one data directory, `mailhaul.db`, an `SQLite` file.
//!
//! [`Store`] is the file. It holds the ledger of each mailbox ([`MailboxLedger`]) and the data of the
//! service: endpoints, batches, users with their leases, reports, and sealed passwords. One writer makes
//! every change, each in a durable transaction; waiting records of all ledgers share one. Readers have
//! connections of their own.

mod admin;
mod cluster;
mod copy;
mod db;
mod handles;
mod inspection;
mod jobs;
mod ledger;
mod store;
mod vault;

pub use admin::{
    arrivals::{ArrivalTimes, KEPT_ARRIVALS},
    audit::AuditEntry,
    batches::{CommandedBatch, InsertedBatch},
    config::NotificationSecret,
    console_sessions::{ConsoleSession, NewConsoleSession, SessionLimits},
    cutover::{DnsChange, DomainRow, SyncFacts},
    endpoints::NewSecret,
    failures::FailureCause,
    many_users::{AppliedEvent, SelectedUser, UsersByName},
    members::AddedUsers,
    notifications::DeliveryRow,
    overview::{BatchFilter, BatchOverview, CheckCounts, WaitingUsers},
    reports::{FolderStatistics, MAX_REPORT_ENTRIES, ReportEntry, SkippedMessage, UserFailure},
    tokens::ApiToken,
    user_filter::UserFilter,
    user_windows::{Window, WindowPlace},
    users::UserTimes,
};
pub use cluster::{
    day_bytes::{ByteAnswer, ByteRequest},
    learned::{LearnedLimit, LearnedLimits},
    nodes::{Beat, Node, NodeSettings},
    running::ClaimLimits,
    share::{Part, ShareKind},
    shares::Wish,
    wakes::{Wake, Wakes},
};
pub use copy::{CopiedTable, CopyProgress, CopyReport, CopyStep, Home, copy};
pub use db::{
    error::StoreError,
    lock::ServiceLock,
    pages::{Bookmark, Page},
    relocation::Relocation,
    server::ServerAddress,
};
pub use handles::{
    Audit, Batches, Checks, Configuration, ConsoleSessions, Cutover, Endpoints, Jobs, Ledgers, Nodes, Outbox,
    Reports, Secrets, Throughput, Tokens, UserRows,
};
pub use inspection::{Inspection, ServerFacts, TableSize, inspect};
pub use jobs::{
    checks::{CheckClaim, CheckEnd, ChecksUnderWay, ClaimedCheck},
    events::{Due, Users},
    leases::{Claim, ClaimedUser, Heartbeat, Lease, RunningPasses, WaitingPasses},
    outbox::ClaimedDelivery,
    parking::Parking,
    pass_kind::PassKind,
    recovery::Recovered,
    release::Release,
    throughput::{KEPT_PERIODS, KeptPeriod, MinuteOfWork, PendingOfBatch, PendingUsers, Work},
    usage::CountedMailbox,
};
pub use ledger::MailboxLedger;
pub use store::Store;
pub use vault::{MasterKeySource, SecretName, key_id_of_file};

#[cfg(test)]
mod tests;
