//! What a server says, as values (RFC 9051, section 7, and the extensions that are used here).

use bytes::Bytes;
use mailhaul_mail::{Flags, InternalDate, ModSeq, Uid, UidSet, UidValidity};

use crate::mailbox_name::MailboxName;

/// One response.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Response {
    /// `+`: the server waits for more of the command.
    Continue(String),
    /// The end of a command.
    Tagged {
        /// The command's tag.
        tag: String,
        /// How it ended.
        status: StatusResponse,
    },
    /// `*`: data, or something that the server wants to tell.
    Untagged(Untagged),
}

/// The word of a status response.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Status {
    /// Done, or a notice.
    Ok,
    /// Refused, or a warning.
    No,
    /// Not understood.
    Bad,
    /// The server closes the connection.
    Bye,
    /// A greeting that needs no authentication.
    PreAuth,
}

/// A status, its machine-readable code, and its words.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StatusResponse {
    /// The word.
    pub status: Status,
    /// What stood in brackets.
    pub code: Option<Code>,
    /// The words for people; may be empty.
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
    /// RFC 9738: messages of one command at most, and the smallest UID that was done.
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
    /// One that is not known here, or a known one whose argument is malformed.
    Other {
        /// Its name, in upper case; as it was spelt where it has a value (`Error="..."`).
        name: String,
        /// What followed the name.
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
    /// A FETCH response with octets of a message that does not end as it should: their length may be told wrong, and
    /// what follows on the connection may be the rest of the message. What could be read before that.
    BrokenFetch(Box<Fetch>),
    Quota {
        root: String,
        resources: Vec<QuotaResource>,
    },
    QuotaRoot {
        name: MailboxName,
        roots: Vec<String>,
    },
    /// What nobody here understands: kept as it came, never an error.
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

/// One namespace.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NamespaceEntry {
    /// With which the names of its folders begin, as on the wire.
    pub prefix: MailboxName,
    /// What separates levels; `None` for NIL.
    pub delimiter: Option<char>,
}

/// An answer to LIST or LSUB (RFC 9051, section 7.3.1; RFC 5258).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ListItem {
    /// `\Noselect`, `\Sent` and the like, as sent.
    pub attributes: Vec<String>,
    /// What separates levels; `None` for NIL.
    pub delimiter: Option<char>,
    /// The mailbox.
    pub name: MailboxName,
    /// Extended data: `CHILDINFO`, `OLDNAME` and others, raw.
    pub extended: Vec<(String, Bytes)>,
}

impl ListItem {
    /// Whether the attribute is there, in any case.
    pub fn has(&self, attribute: &str) -> bool {
        self.attributes.iter().any(|it| it.eq_ignore_ascii_case(attribute))
    }
}

/// What STATUS told.
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
    /// Whether the numbers are UIDs.
    pub uid: bool,
    /// The matches, where asked for and not empty.
    pub all: Option<UidSet>,
    /// How many.
    pub count: Option<u32>,
    /// The smallest.
    pub min: Option<u32>,
    /// The greatest.
    pub max: Option<u32>,
    /// The highest mod-sequence among the matches.
    pub modseq: Option<ModSeq>,
}

/// Usage and limit of one resource (RFC 9208): `STORAGE` in units of 1024 octets, `MESSAGE` in messages.
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "the names are the RFC's own")]
pub struct QuotaResource {
    pub name: String,
    pub usage: u64,
    pub limit: u64,
}

/// What FETCH told of one message.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Fetch {
    /// The message sequence number; 0 where the server tells none (UIDONLY). Exchange gets it wrong: trust the UID.
    pub sequence: u32,
    /// The UID.
    pub uid: Option<Uid>,
    /// The UID as sent, where it is no UID: 0, or a number above 32 bits.
    pub odd_uid: Option<String>,
    /// FLAGS.
    pub flags: Option<Flags>,
    /// INTERNALDATE, where it names a possible day.
    pub internal_date: Option<InternalDate>,
    /// INTERNALDATE as sent.
    pub internal_date_text: Option<String>,
    /// RFC822.SIZE: a hint.
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
    /// `BODY[...]` items.
    pub sections: Vec<Section>,
    /// Items that are not known here: name and raw value.
    pub other: Vec<(String, Bytes)>,
}

/// One `BODY[...]`, `BINARY[...]` or `RFC822...` item.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Section {
    /// What stood in the brackets, in upper case; empty for `BODY[]` and `RFC822`.
    pub spec: String,
    /// The first octet, where part of a section was asked for.
    pub origin: Option<u32>,
    /// The octets.
    pub content: Content,
}

/// The octets of a section.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Content {
    /// NIL: the server has none (for `BODY[]`: the message is gone, on some servers).
    Nil,
    /// Here.
    Inline(Bytes),
    /// So many octets went by as chunks.
    Streamed(u64),
}

impl Fetch {
    /// The octets of the whole section with this spec, if they are here. A part of it (`BODY[]<0>`) is not taken for it.
    pub fn inline(&self, spec: &str) -> Option<&Bytes> {
        self.inline_from(spec, None)
    }

    /// The octets of this section: the whole of it, or its part from `origin` on.
    pub fn inline_from(&self, spec: &str, origin: Option<u32>) -> Option<&Bytes> {
        let is_it = |section: &&Section| section.spec == spec && section.origin == origin;
        self.sections.iter().find(is_it).and_then(|section| match &section.content {
            Content::Inline(octets) => Some(octets),
            _ => None,
        })
    }
}
