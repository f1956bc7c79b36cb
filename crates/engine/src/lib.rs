//! The migration algorithm for one mailbox. Does no I/O except through `ports`.

mod arrivals;
mod context;
mod creation;
mod error;
mod folder;
mod folder_plan;
mod folder_sync;
mod ledger_state;
mod limits;
mod matching;
mod message_plan;
mod name_rules;
mod options;
mod parallel;
mod pass;
mod ports;
mod preview;
mod received;
mod removals;
mod report;
mod retry;
mod scan;
mod survey;
mod transfer;
mod views;

pub use arrivals::{Arrival, ArrivalRules};
pub use error::{Error, ErrorKind, Side};
pub use folder::{Cursor, Folder, FolderStatus, LeaveOut, MessageInfo, Present, Scan, UnseenMessage};
pub use folder_plan::{
    FolderMapping, FolderOption, FolderPattern, FolderPlan, FolderRules, Selection, Unmatched, plan_folders,
    why_scan,
};
pub use folder_sync::fetch_whole::MAX_REPAIRABLE_SIZE;
pub use ledger_state::{
    AppendStart, CopyRecord, FolderRecord, FolderState, LedgerRecord, MessageIdentity, MessageState,
    RepairRecord, WaitingDeletions,
};
pub use limits::rate::{RateLimits, Usage};
pub use limits::read_back_budget::ReadBack;
pub use limits::reservation::{DayReservation, ReservationRequest};
pub use limits::slots::{Slot, Slots};
pub use limits::throttle::{PassLimits, Throttle};
pub use matching::pairing::{Candidate, Doubt, Pairing, Proof, pair_by_digests, pair_by_fingerprint};
pub use message_plan::{Filter, FlagUpdate, MessagePlan, Order, plan_messages};
pub use name_rules::{Levels, NameRules, SameName};
pub use options::{DeletionPolicy, PassOptions, RemovalRules, RepairRules};
pub use pass::Pass;
pub use ports::{
    Clock, Event, FlagChange, Ledger, Mailbox, Missing, NewFolder, Progress, Source, StorageHabits,
    StoredMessages, Target, WantedMessage,
};
pub use preview::{FolderPreview, Preview, preview};
pub use received::Received;
pub use report::{FolderReport, FolderTally, Heading, RepairedItem, Report, SkippedItem};
pub use survey::plan_mailbox;
pub use transfer::pipe::{
    Ack, Acks, Answers, AppendPart, AppendedUids, Budget, BudgetShare, Envelope, Feed, FetchedPart,
    PipeClosed, PipeReader, PipeWriter, ReservedBytes, acks, pipe,
};
