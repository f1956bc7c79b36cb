//! What a server is like: data, and pure functions where data does not do.

use super::limits::Limits;

/// What a server thinks of a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// It takes it.
    Take,
    /// It says this, word and text, and goes on.
    Refuse(&'static str),
    /// It says this and closes the connection.
    HangUp(&'static str),
}

/// What a server is like.
#[derive(Clone, Debug)]
pub struct Personality {
    /// The words of its greeting.
    pub greeting: &'static str,
    /// Capabilities before the login.
    pub before_login: &'static str,
    /// And after it.
    pub after_login: &'static str,
    /// What it says of itself: the inside of an ID response.
    pub id: &'static str,
    /// Between levels.
    pub delimiter: char,
    /// PERMANENTFLAGS. Keywords are kept where `\*` is among them.
    pub permanent_flags: &'static str,
    /// Folders that every mailbox has, by the names that people read, each with its attributes.
    pub folders: &'static [(&'static str, &'static str)],
    /// Why a folder of this name cannot be made: the answer's word and text.
    pub refuses_name: fn(&str) -> Option<&'static str>,
    /// Whether `Trash` and `trash` are one folder.
    pub ignores_case: bool,
    /// Whether folders are labels over one store of messages (X-GM-EXT-1).
    pub has_labels: bool,
    /// RFC822.SIZE of a message of so many octets.
    pub size: fn(usize) -> usize,
    /// A flag that APPEND does not keep, and STORE does.
    pub append_loses: Option<&'static str>,
    /// The header as the server gives it back.
    pub rewrite: fn(Vec<u8>) -> Vec<u8>,
    /// Whether it takes a message.
    pub judge: fn(&[u8]) -> Verdict,
    /// The largest message, and the answer to a larger one.
    pub largest: Option<(u64, &'static str)>,
    /// How much it lets its clients do.
    pub limits: Limits,
}

impl Personality {
    /// A server with every extension and no oddity.
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

    /// Whether the capability is among those after the login.
    pub(super) fn has(&self, word: &str) -> bool {
        self.after_login.split_whitespace().any(|it| it.eq_ignore_ascii_case(word))
    }

    /// Whether the flag is kept.
    pub(super) fn keeps(&self, flag: &str) -> bool {
        let mut kept = self.permanent_flags.split_whitespace();
        kept.any(|it| it.eq_ignore_ascii_case(flag) || (it == "\\*" && !flag.starts_with('\\')))
    }
}
