//! State of a connection, from all responses of the server.

use mailhaul_mail::{ModSeq, Uid, UidSet, UidValidity};

use crate::{
    capability::Capabilities,
    mailbox_name::MailboxName,
    response::{Code, Fetch, StatusResponse, Untagged},
};

/// Maximum number of enabled extensions that are kept.
const MAX_ENABLED: usize = 256;

#[derive(Default)]
pub(crate) struct ConnectionState {
    pub(crate) capabilities: Capabilities,
    /// True if the server sent its capabilities since they may have changed.
    pub(crate) has_current_capabilities: bool,
    /// In upper case (RFC 5161).
    pub(crate) enabled: Vec<String>,
    /// Boxed, because the state is moved with every connection, and most futures contain several.
    pub(crate) selected: Option<Box<SelectedState>>,
    /// True after LOGOUT: a BYE is expected.
    pub(crate) is_closing: bool,
    /// True if the server refused LIST with RETURN although it offers it.
    pub(crate) refuses_list_return: bool,
    /// Number of commands that were answered with NO or BAD.
    pub(crate) refusals: u32,
    /// Error that the server reported in the OK of the sign-in.
    pub(crate) sign_in_note: Option<String>,
    /// Maximum number of messages of one command, from a refusal or a partial answer (RFC 9738).
    reported_limit: Option<u32>,
    /// Capabilities that are ignored.
    denied: Vec<String>,
}

pub(crate) struct SelectedState {
    pub(crate) name: MailboxName,
    pub(crate) data: MailboxData,
}

/// Data of the selected mailbox (RFC 9051, section 6.3.2).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct MailboxData {
    /// Number of messages; kept up to date.
    pub exists: u32,
    /// FLAGS: flags in use.
    pub flags: Vec<String>,
    /// PERMANENTFLAGS: flags that are stored, with `\*` if new keywords are allowed. `None` if the server sends none.
    pub permanent_flags: Option<Vec<String>>,
    /// UIDVALIDITY. `None` if the server violates the protocol.
    pub uid_validity: Option<UidValidity>,
    /// UIDNEXT at the time of SELECT.
    pub uid_next: Option<Uid>,
    /// HIGHESTMODSEQ at the time of SELECT. `None` if the mailbox has no mod-sequences.
    pub highest_modseq: Option<ModSeq>,
    /// True if nothing can be changed; always true after EXAMINE.
    pub read_only: bool,
    /// True if UIDs are valid in this session only.
    pub uid_not_sticky: bool,
    /// MAILBOXID (RFC 8474).
    pub mailbox_id: Option<String>,
    /// Messages that vanished since the given state (QRESYNC).
    pub vanished: UidSet,
    /// Messages that changed since the given state (QRESYNC).
    pub changed: Vec<Fetch>,
}

impl ConnectionState {
    pub(crate) fn has(&self, capability: &str) -> bool {
        self.capabilities.has(capability)
    }

    pub(crate) fn has_enabled(&self, capability: &str) -> bool {
        !self.denies(capability)
            && self.enabled.iter().any(|enabled| enabled.eq_ignore_ascii_case(capability))
    }

    /// True if the server supports LIST with RETURN (RFC 5258, and part of RFC 9051).
    pub(crate) fn lists_extended(&self) -> bool {
        !self.refuses_list_return && (self.has("LIST-EXTENDED") || self.has("IMAP4rev2"))
    }

    /// Updates the state from any untagged response.
    pub(crate) fn observe(&mut self, untagged: &Untagged) {
        match untagged {
            Untagged::Capability(words) => self.set_capabilities(words),
            Untagged::Status(status) => self.observe_status(status),
            Untagged::Enabled(words) => {
                let more = words.iter().map(|word| word.to_ascii_uppercase());
                self.enabled.extend(more.take(MAX_ENABLED.saturating_sub(self.enabled.len())));
            }
            Untagged::Exists(number) => self.with_data(|data| data.exists = *number),
            Untagged::Expunge(_) => self.with_data(|data| data.exists = data.exists.saturating_sub(1)),
            Untagged::Vanished { earlier: false, uids } => {
                let gone = u32::try_from(uids.len()).unwrap_or(u32::MAX);
                self.with_data(|data| data.exists = data.exists.saturating_sub(gone));
            }
            _ => {}
        }
    }

    pub(crate) fn observe_status(&mut self, status: &StatusResponse) {
        match &status.code {
            Some(Code::Capability(words)) => self.set_capabilities(words),
            Some(Code::MessageLimit { most: most @ 1.., .. }) => self.reported_limit = Some(*most),
            _ => {}
        }
    }

    /// Maximum number of messages of one command (RFC 9738).
    pub(crate) fn message_limit(&self) -> Option<u32> {
        self.reported_limit.or_else(|| self.capabilities.message_limit())
    }

    fn set_capabilities(&mut self, words: &[String]) {
        self.capabilities = Capabilities::new(words.iter().filter(|word| !self.denies(word)));
        self.has_current_capabilities = true;
    }

    /// Ignores these capabilities from now on, including extensions that are already enabled.
    pub(crate) fn deny(&mut self, words: &[impl AsRef<str>]) {
        self.denied.extend(words.iter().map(|word| word.as_ref().to_owned()));
        let kept: Vec<&str> = self.capabilities.iter().filter(|word| !self.denies(word)).collect();
        self.capabilities = Capabilities::new(kept);
    }

    fn denies(&self, word: &str) -> bool {
        self.denied.iter().any(|denied| denied.eq_ignore_ascii_case(word))
    }

    fn with_data(&mut self, change: impl FnOnce(&mut MailboxData)) {
        if let Some(selected) = &mut self.selected {
            change(&mut selected.data);
        }
    }
}

impl MailboxData {
    /// Takes in an untagged response while a mailbox is being selected.
    pub(crate) fn observe(&mut self, untagged: Untagged) {
        match untagged {
            Untagged::Exists(number) => self.exists = number,
            Untagged::Flags(flags) => self.flags = flags,
            Untagged::Vanished { uids, .. } => {
                uids.ranges().for_each(|(first, last)| self.vanished.insert_range(first, last));
            }
            Untagged::Fetch(fetch) => self.changed.push(*fetch),
            Untagged::Status(StatusResponse { code: Some(code), .. }) => self.observe_code(code),
            _ => {}
        }
    }

    fn observe_code(&mut self, code: Code) {
        match code {
            Code::PermanentFlags(flags) => self.permanent_flags = Some(flags),
            Code::UidValidity(validity) => self.uid_validity = Some(validity),
            Code::UidNext(uid) => self.uid_next = Some(uid),
            // Some servers send 0 in place of NOMODSEQ.
            Code::HighestModSeq(modseq) => self.highest_modseq = Some(modseq).filter(|modseq| modseq.0 > 0),
            Code::NoModSeq => self.highest_modseq = None,
            Code::UidNotSticky => self.uid_not_sticky = true,
            Code::MailboxId(id) => self.mailbox_id = Some(id),
            // Earlier responses concern the mailbox that was selected before (RFC 7162, section 3.2.11).
            Code::Closed => *self = Self::default(),
            _ => {}
        }
    }
}
