//! Moves one mailbox: scan, plan, transfer, ledger, report. Pure but for its ports.

mod error;
mod feed;
mod folder;
mod ports;
mod record;
mod transfer;

pub use error::{Error, ErrorKind};
pub use feed::{Ack, Acks, AppendedUids, Budget, Closed, Feed, Inlet, Offer, Outlet, Piece, pipe};
pub use folder::{Cursor, Folder, FolderStatus, MessageInfo, Present, Scan};
pub use ports::{
    Clock, Envelope, Event, FlagChange, Ledger, Mailbox, Missing, Progress, Source, Target, Wanted,
};
pub use record::{Copied, Floor, FolderRecord, FolderState, MessageState, Record};
