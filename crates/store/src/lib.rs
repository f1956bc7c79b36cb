//! The database of one data directory, `mailhaul.db`, an `SQLite` file.
//!
//! [`Store`] is the file. It holds the ledger of each mailbox ([`MailboxLedger`]) and the data of the
//! service: endpoints, batches, users with their leases, reports, and sealed passwords. One writer makes
//! every change, each in a durable transaction; waiting records of all ledgers share one. Readers have
//! connections of their own.

mod apply;
mod audit;
mod batches;
mod catalogue;
mod check_row;
mod checks;
mod checksum;
mod clock;
mod cluster;
mod columns;
mod config;
mod copy;
mod cutover;
mod database;
mod edited;
mod endpoints;
mod error;
mod events;
mod failures;
mod held;
mod inspection;
mod leases;
mod ledger;
mod ledger_rows;
mod load;
mod lock;
mod members;
mod message_row;
mod overview;
mod pages;
mod parking;
mod pass_kind;
mod reading;
mod recovery;
mod release;
mod relocation;
mod removals;
mod reports;
mod server;
mod server_schema;
mod server_text;
mod service_rows;
mod space;
mod sql;
mod store;
mod tally;
mod tokens;
mod totals;
mod upgrade;
mod usage;
mod user_filter;
mod user_windows;
mod users;
mod vault;
mod writer;

pub use audit::AuditEntry;
pub use batches::{CommandedBatch, InsertedBatch};
pub use checks::{CheckClaim, CheckEnd, ChecksUnderWay, ClaimedCheck};
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
pub use cutover::{DnsChange, DomainRow, SyncFacts};
pub use endpoints::NewSecret;
pub use error::StoreError;
pub use events::{Due, Users};
pub use failures::FailureCause;
pub use inspection::{Inspection, ServerFacts, TableSize, inspect};
pub use leases::{Claim, ClaimedUser, Heartbeat, Lease, RunningPasses, WaitingPasses};
pub use ledger::MailboxLedger;
pub use lock::ServiceLock;
pub use members::AddedUsers;
pub use overview::{BatchFilter, BatchOverview, CheckCounts, WaitingUsers};
pub use pages::{Bookmark, Page};
pub use parking::Parking;
pub use pass_kind::PassKind;
pub use recovery::Recovered;
pub use release::Release;
pub use relocation::Relocation;
pub use reports::{FolderStatistics, MAX_REPORT_ENTRIES, ReportEntry, SkippedMessage, UserFailure};
pub use server::ServerAddress;
pub use store::Store;
pub use tokens::ApiToken;
pub use usage::CountedMailbox;
pub use user_filter::UserFilter;
pub use user_windows::{Window, WindowPlace};
pub use users::UserTimes;
pub use vault::{MasterKeySource, SecretName, key_id_of_file};

#[cfg(test)]
mod tests;
