//! Responses of a server as values (RFC 9051, section 7, and extensions).

use bytes::Bytes;
use mailhaul_mail::{Flags, InternalDate, ModSeq, Uid, UidSet, UidValidity};

use crate::mailbox_name::MailboxName;

/// One response.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Response {
    /// `+`: the server waits for the rest of the command.
    Continue(String),
    /// The end of a command.
    Tagged {
        /// Tag of the command.
        tag: String,
        /// Status of the command.
        status: StatusResponse,
    },
    /// `*`: data, or a notice.
    Untagged(Untagged),
}

/// The word of a status response.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Status {
    /// Success, or a notice.
    Ok,
    /// Refusal, or a warning.
    No,
    /// Syntax error, or an unknown command.
    Bad,
    /// The server closes the connection.
    Bye,
    /// A greeting that needs no authentication.
    PreAuth,
}

/// Status, its machine-readable code, and its text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StatusResponse {
    /// Word of the status.
    pub status: Status,
    /// Code in brackets.
    pub code: Option<Code>,
    /// Text for display; may be empty.
    pub text: String,
}

/// A response code (RFC 9051, section 7.1; RFC 5530; RFC 4315; RFC 7162; RFC 8474; RFC 4978; RFC 9738).
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "the names are the RFCs' own")]
pub enum Code {
    Alert,
    AlreadyExists,
    AppendUid {
        validity: UidValidity,
        uids: UidSet,
    },
    AuthenticationFailed,
    AuthorizationFailed,
    BadCharset,
    Cannot,
    Capability(Vec<String>),
    ClientBug,
    Closed,
    CompressionActive,
    ContactAdmin,
    CopyUid {
        validity: UidValidity,
        pairs: Vec<(Uid, Uid)>,
    },
    Corruption,
    Expired,
    ExpungeIssued,
    HasChildren,
    HighestModSeq(ModSeq),
    InUse,
    Limit,
    MailboxId(String),
    /// RFC 9738: maximum number of messages of one command, and the smallest UID that was processed.
    MessageLimit {
        most: u32,
        lowest: Option<Uid>,
    },
    Modified(UidSet),
    NoModSeq,
    NonExistent,
    NoPerm,
    OverQuota,
    Parse,
    PermanentFlags(Vec<String>),
    PrivacyRequired,
    ReadOnly,
    ReadWrite,
    ServerBug,
    TooBig,
    TryCreate,
    UidNext(Uid),
    UidNotSticky,
    UidValidity(UidValidity),
    Unavailable,
    UnknownCte,
    Unseen(u32),
    /// An unknown code, or a known one with a malformed argument.
    Other {
        /// Name in upper case; in the server's spelling if it has a value (`Error="..."`).
        name: String,
        /// Text after the name.
        rest: String,
    },
}

/// Untagged data.
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "the names are the RFCs' own")]
pub enum Untagged {
    Status(StatusResponse),
    Capability(Vec<String>),
    Enabled(Vec<String>),
    /// RFC 2971. Empty for NIL.
    Id(Vec<(String, Option<String>)>),
    Namespace(Namespaces),
    List(ListItem),
    Lsub(ListItem),
    MailboxStatus {
        name: MailboxName,
        items: StatusItems,
    },
    Flags(Vec<String>),
    Exists(u32),
    Recent(u32),
    Expunge(u32),
    /// RFC 7162.
    Vanished {
        earlier: bool,
        uids: UidSet,
    },
    Search {
        ids: Vec<u32>,
        modseq: Option<ModSeq>,
    },
    Esearch(Esearch),
    Fetch(Box<Fetch>),
    /// A malformed FETCH response with bytes of a message, as far as it could be read.
    ///
    /// The length of a literal may be wrong, so the rest of the message may follow on the connection.
    BrokenFetch(Box<Fetch>),
    Quota {
        root: String,
        resources: Vec<QuotaResource>,
    },
    QuotaRoot {
        name: MailboxName,
        roots: Vec<String>,
    },
    /// Unknown data, kept as received. Never an error.
    Unknown(Bytes),
}

/// RFC 2342.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[expect(missing_docs, reason = "the names are the RFC's own")]
pub struct Namespaces {
    pub personal: Vec<NamespaceEntry>,
    pub other_users: Vec<NamespaceEntry>,
    pub shared: Vec<NamespaceEntry>,
}

/// Namespace.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NamespaceEntry {
    /// Prefix of the names of its folders, as on the wire.
    pub prefix: MailboxName,
    /// Separator of levels; `None` for NIL.
    pub delimiter: Option<char>,
}

/// Answer to LIST or LSUB (RFC 9051, section 7.3.1; RFC 5258).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ListItem {
    /// `\Noselect`, `\Sent` and the like, as sent.
    pub attributes: Vec<String>,
    /// Separator of levels; `None` for NIL.
    pub delimiter: Option<char>,
    /// Name of the mailbox.
    pub name: MailboxName,
    /// Extended data, raw: `CHILDINFO`, `OLDNAME` and others.
    pub extended: Vec<(String, Bytes)>,
}

impl ListItem {
    /// True if the mailbox has the attribute, in upper or lower case.
    pub fn has(&self, attribute: &str) -> bool {
        self.attributes.iter().any(|known| known.eq_ignore_ascii_case(attribute))
    }
}

/// Answer to STATUS.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[expect(missing_docs, reason = "the names are the RFCs' own")]
pub struct StatusItems {
    pub messages: Option<u32>,
    pub recent: Option<u32>,
    pub uid_next: Option<Uid>,
    pub uid_validity: Option<UidValidity>,
    pub unseen: Option<u32>,
    pub deleted: Option<u32>,
    pub size: Option<u64>,
    pub highest_modseq: Option<ModSeq>,
    pub mailbox_id: Option<String>,
    pub append_limit: Option<u64>,
}

/// RFC 4731.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Esearch {
    /// True if the numbers are UIDs.
    pub uid: bool,
    /// Matches, if requested and not empty.
    pub all: Option<UidSet>,
    /// Number of matches.
    pub count: Option<u32>,
    /// Smallest match.
    pub min: Option<u32>,
    /// Greatest match.
    pub max: Option<u32>,
    /// Highest mod-sequence of the matches.
    pub modseq: Option<ModSeq>,
}

/// Usage and limit of one resource (RFC 9208): `STORAGE` in units of 1024 bytes, `MESSAGE` in messages.
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "the names are the RFC's own")]
pub struct QuotaResource {
    pub name: String,
    pub usage: u64,
    pub limit: u64,
}

/// Data of one message from FETCH.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Fetch {
    /// Message sequence number; 0 if the server sends none (UIDONLY). Exchange sends wrong ones, so use the UID.
    pub sequence: u32,
    /// The UID.
    pub uid: Option<Uid>,
    /// Text of an invalid UID: 0, or a number above 32 bits.
    pub odd_uid: Option<String>,
    /// FLAGS.
    pub flags: Option<Flags>,
    /// INTERNALDATE, if it is a possible date.
    pub internal_date: Option<InternalDate>,
    /// Text of INTERNALDATE.
    pub internal_date_text: Option<String>,
    /// RFC822.SIZE. Only a hint.
    pub rfc822_size: Option<u64>,
    /// MODSEQ (RFC 7162).
    pub modseq: Option<ModSeq>,
    /// EMAILID (RFC 8474).
    pub email_id: Option<String>,
    /// THREADID (RFC 8474).
    pub thread_id: Option<String>,
    /// X-GM-MSGID.
    pub gm_msgid: Option<u64>,
    /// X-GM-THRID.
    pub gm_thrid: Option<u64>,
    /// X-GM-LABELS.
    pub gm_labels: Option<Vec<String>>,
    /// Items of `BODY[...]`.
    pub sections: Vec<Section>,
    /// Unknown items: name and raw value.
    pub other: Vec<(String, Bytes)>,
}

/// Item of `BODY[...]`, `BINARY[...]` or `RFC822...`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Section {
    /// Text in the brackets, in upper case; empty for `BODY[]` and `RFC822`.
    pub spec: String,
    /// First byte of a partial section.
    pub origin: Option<u32>,
    /// Bytes of the section.
    pub content: Content,
}

/// Bytes of a section.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Content {
    /// NIL: the server has no such section. For `BODY[]`, some servers say so of a deleted message.
    Nil,
    /// The bytes.
    Inline(Bytes),
    /// The bytes were returned as chunks; this is their number.
    Streamed(u64),
}

impl Fetch {
    /// Returns the bytes of the whole section, if they are inline. A partial section (`BODY[]<0>`) does not count.
    pub fn inline(&self, spec: &str) -> Option<&Bytes> {
        self.inline_from(spec, None)
    }

    /// Returns the bytes of a section, or of its part from `origin` on, if they are inline.
    pub fn inline_from(&self, spec: &str, origin: Option<u32>) -> Option<&Bytes> {
        let is_it = |section: &&Section| section.spec == spec && section.origin == origin;
        self.sections.iter().find(is_it).and_then(|section| match &section.content {
            Content::Inline(octets) => Some(octets),
            _ => None,
        })
    }
}
