//! Data that a server shows of a folder and of its messages.

use mailhaul_mail::{Flags, FolderPath, InternalDate, ModSeq, SpecialUse, Uid, UidSet, UidValidity};

/// One folder of a listing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Folder {
    /// Its name without the server's prefix, split at the delimiter.
    pub path: FolderPath,
    /// Special use, as the server states it.
    pub special_use: Option<SpecialUse>,
    /// False for `\Noselect` and `\NonExistent`: it holds no messages.
    pub selectable: bool,
    /// True if the user is subscribed to it.
    pub subscribed: bool,
    /// Its state, if the listing included it.
    pub status: Option<FolderStatus>,
    /// The reason not to migrate the folder (another namespace, a view of other folders, not for mail).
    pub leave_out: Option<LeaveOut>,
}

/// Reason for the operator why a listed folder is not migrated.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum LeaveOut {
    /// Never migrated.
    Always(String),
    /// Migrated if the operator names it, or an earlier pass copied it.
    UnlessWanted(String),
}

/// Numbers that show a change of a folder.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FolderStatus {
    /// Number of messages.
    pub messages: u32,
    /// UIDs keep their meaning while this number is unchanged.
    pub uid_validity: UidValidity,
    /// A UID that no message has yet, if the server returns it (Courier may not).
    pub uid_next: Option<Uid>,
    /// Grows with every change (RFC 7162), if the server supports it.
    pub highest_modseq: Option<ModSeq>,
}

/// State of a source folder after the last settled pass.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Cursor {
    /// The source folder's state when its scan began.
    pub status: FolderStatus,
    /// Messages of the folder that were skipped. The next pass tries them again.
    pub skipped: u32,
    /// Messages of the folder that the operator's filters left out.
    pub excluded: u32,
}

/// One message, without its body.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MessageInfo {
    /// UID in the folder.
    pub uid: Uid,
    /// Flags and keywords.
    pub flags: Flags,
    /// Date of arrival; `None` if the server returns no valid date.
    pub internal_date: Option<InternalDate>,
    /// Bytes as the server claims. A hint: servers lie.
    pub size: u64,
}

/// The messages that are still there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Present {
    /// Exactly these.
    These(UidSet),
    /// All except these, and all that the scan lists.
    AllBut(UidSet),
}

impl Present {
    /// True if a message known from an earlier pass is still there.
    pub fn contains(&self, uid: Uid) -> bool {
        match self {
            Self::These(uids) => uids.contains(uid),
            Self::AllBut(gone) => !gone.contains(uid),
        }
    }
}

/// Result of a scan of a folder.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Scan {
    /// The folder's state when the scan began.
    pub status: FolderStatus,
    /// All messages; or, for a scan since a cursor, at least those that are new or changed. Ascending by UID.
    pub messages: Vec<MessageInfo>,
    /// The messages that are there.
    ///
    /// Invariant: a message that may be there and was not shown is among them.
    pub present: Present,
    /// Messages that are there, and that the server does not show.
    pub unseen: Vec<UnseenMessage>,
    /// The reason why further messages without a known UID are not shown. The folder fails with it after the others
    /// are copied.
    pub incomplete: Option<String>,
    /// Messages whose date of arrival is that of their header, because the server returns no valid one.
    pub dated_by_header: UidSet,
    /// Notes on the folder for the operator, in sentences.
    pub notes: Vec<String>,
}

impl Scan {
    /// A complete scan.
    pub fn whole(status: FolderStatus, messages: Vec<MessageInfo>, present: Present) -> Self {
        let (unseen, incomplete, notes) = (Vec::new(), None, Vec::new());
        Self { status, messages, present, unseen, incomplete, dated_by_header: UidSet::new(), notes }
    }
}

/// A message that is in the folder, and that a scan could not show.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UnseenMessage {
    /// UID in the folder.
    pub uid: Uid,
    /// The reason, with the server's words if there are any.
    pub why: String,
}
