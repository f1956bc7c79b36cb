//! What a server shows of a folder and of the messages in it.

use mailhaul_mail::{Flags, FolderPath, InternalDate, ModSeq, SpecialUse, Uid, UidSet, UidValidity};

/// One folder, as listed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Folder {
    /// Its place, freed of the server's prefix and delimiter.
    pub path: FolderPath,
    /// What the server says it is for.
    pub special_use: Option<SpecialUse>,
    /// False for `\Noselect` and `\NonExistent`: it holds no messages.
    pub selectable: bool,
    /// Whether the user sees it subscribed.
    pub subscribed: bool,
    /// Its state, where the listing gave it.
    pub status: Option<FolderStatus>,
    /// Why the folder is not to be migrated (another namespace, a view of other folders, not for mail).
    pub leave_out: Option<LeaveOut>,
}

/// Why a folder is not migrated although it is listed: a reason for the operator.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum LeaveOut {
    /// In any case.
    Always(String),
    /// Unless the operator names it, or an earlier pass carried it.
    UnlessWanted(String),
}

/// The numbers by which a change of a folder is noticed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FolderStatus {
    /// How many messages it holds.
    pub messages: u32,
    /// While it stays, UIDs keep their meaning.
    pub uid_validity: UidValidity,
    /// A UID that no message has yet, where the server says (Courier may not).
    pub uid_next: Option<Uid>,
    /// Grows with every change (RFC 7162), where the server has it.
    pub highest_modseq: Option<ModSeq>,
}

/// How far a folder was carried by the last settled pass.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Cursor {
    /// The source folder's state when its scan began.
    pub status: FolderStatus,
    /// Messages of the folder that were skipped, to be tried again by the next pass.
    pub skipped: u32,
    /// Messages of the folder that the operator's filters left out.
    pub excluded: u32,
}

/// One message, without its body.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MessageInfo {
    /// Its UID in the folder.
    pub uid: Uid,
    /// Its flags and keywords.
    pub flags: Flags,
    /// When it arrived; `None` where the server names no possible day.
    pub internal_date: Option<InternalDate>,
    /// Octets as the server claims. A hint: servers lie.
    pub size: u64,
}

/// Which messages are still there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Present {
    /// Exactly these.
    These(UidSet),
    /// All but these, and whatever the scan lists.
    AllBut(UidSet),
}

impl Present {
    /// Whether a message known from an earlier pass is still there.
    pub fn contains(&self, uid: Uid) -> bool {
        match self {
            Self::These(uids) => uids.contains(uid),
            Self::AllBut(gone) => !gone.contains(uid),
        }
    }
}

/// What a scan of a folder found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Scan {
    /// The folder's state when the scan began.
    pub status: FolderStatus,
    /// All messages; or, for a scan since a cursor, at least those that are new or changed. Ascending by UID.
    pub messages: Vec<MessageInfo>,
    /// Which messages are there. Invariant: a message that may be there and was not shown is among them.
    pub present: Present,
    /// Messages that are there, and that the server does not show.
    pub unseen: Vec<UnseenMessage>,
    /// Why further messages are not shown, of which no UID is known. The folder fails with it when the others are copied.
    pub incomplete: Option<String>,
    /// Messages whose date of arrival is that of their header, because the server tells none that is usable.
    pub dated_by_header: UidSet,
    /// What the operator is told of the folder, in sentences.
    pub notes: Vec<String>,
}

impl Scan {
    /// A scan that shows all that it should.
    pub fn whole(status: FolderStatus, messages: Vec<MessageInfo>, present: Present) -> Self {
        let (unseen, incomplete, notes) = (Vec::new(), None, Vec::new());
        Self { status, messages, present, unseen, incomplete, dated_by_header: UidSet::new(), notes }
    }
}

/// A message that is in the folder, and that a scan could not show.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UnseenMessage {
    /// Its UID in the folder.
    pub uid: Uid,
    /// The reason, with the server's words where it said any.
    pub why: String,
}
