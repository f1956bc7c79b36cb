//! The behaviour of a server: data, and pure functions if data is not enough.

use super::limits::Limits;

/// A server's decision about a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// Accepts it.
    Take,
    /// Refuses it with this word and text.
    Refuse(&'static str),
    /// Closes the connection with this text.
    HangUp(&'static str),
}

/// The behaviour of a server.
#[derive(Clone, Debug)]
pub struct Personality {
    /// The text of its greeting.
    pub greeting: &'static str,
    /// Capabilities before the login.
    pub before_login: &'static str,
    /// Capabilities after the login.
    pub after_login: &'static str,
    /// The inside of its ID response.
    pub id: &'static str,
    /// Separator of levels.
    pub delimiter: char,
    /// PERMANENTFLAGS. The server stores keywords if `\*` is among them.
    pub permanent_flags: &'static str,
    /// Folders of every mailbox by their displayed names, each with its attributes.
    pub folders: &'static [(&'static str, &'static str)],
    /// Returns the refusal of a folder name: the answer's word and text.
    pub refuses_name: fn(&str) -> Option<&'static str>,
    /// True if `Trash` and `trash` are the same folder.
    pub ignores_case: bool,
    /// True if folders are labels over one store of messages (X-GM-EXT-1).
    pub has_labels: bool,
    /// RFC822.SIZE of a message of this length.
    pub size: fn(usize) -> usize,
    /// A flag that APPEND loses and STORE keeps.
    pub append_loses: Option<&'static str>,
    /// The header as the server returns it.
    pub rewrite: fn(Vec<u8>) -> Vec<u8>,
    /// Decides about a message.
    pub judge: fn(&[u8]) -> Verdict,
    /// The largest message in bytes, and the answer to a larger one.
    pub largest: Option<(u64, &'static str)>,
    /// Limits for its clients.
    pub limits: Limits,
}

impl Personality {
    /// A server with every extension and no deviation.
    pub fn plain() -> Self {
        Self {
            greeting: "ready",
            before_login: "IMAP4rev1 SASL-IR LITERAL+ ID ENABLE AUTH=PLAIN AUTH=XOAUTH2",
            after_login: "IMAP4rev1 SASL-IR LITERAL+ ID ENABLE AUTH=PLAIN AUTH=XOAUTH2 NAMESPACE UIDPLUS MOVE UNSELECT \
                          CHILDREN ESEARCH CONDSTORE QRESYNC LIST-EXTENDED LIST-STATUS SPECIAL-USE MULTIAPPEND",
            id: "\"name\" \"fake\"",
            delimiter: '/',
            permanent_flags: "\\Answered \\Flagged \\Deleted \\Seen \\Draft \\*",
            folders: &[("INBOX", "")],
            refuses_name: |_| None,
            ignores_case: false,
            has_labels: false,
            size: |octets| octets,
            append_loses: None,
            rewrite: |octets| octets,
            judge: |_| Verdict::Take,
            largest: None,
            limits: Limits::default(),
        }
    }

    /// True if the capability is offered after the login.
    pub(super) fn has(&self, word: &str) -> bool {
        self.after_login.split_whitespace().any(|it| it.eq_ignore_ascii_case(word))
    }

    /// True if the flag is stored.
    pub(super) fn keeps(&self, flag: &str) -> bool {
        let mut kept = self.permanent_flags.split_whitespace();
        kept.any(|it| it.eq_ignore_ascii_case(flag) || (it == "\\*" && !flag.starts_with('\\')))
    }
}
