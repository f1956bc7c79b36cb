//! Connects mail servers to the engine: an IMAP mailbox as [`Source`](mailhaul_engine::Source) and as
//! [`Target`](mailhaul_engine::Target), a Maildir on the local disk as a `Target`.
//!
//! A mailbox connects on first use. A pass without changes never connects to the target.

mod access_check;
mod error;
mod gmail;
mod imap;
mod login;
mod maildir;
mod placeholder;
mod profile;

pub use gmail::api::{GmailApi, Pause};
pub use gmail::labels::{LabelPolicy, LabelRules};
pub use imap::account::Account;
pub use imap::listing::user_root::{ResolvedRoot, resolve_root};
pub use imap::mailbox::{ImapMailbox, ProfileListener};
pub use login::Login;
pub use maildir::MaildirMailbox;
pub use mailhaul_engine::Side;
pub use profile::{MailboxLimits, NameFacts, Profile, ProfileChoice, Profiles, ServerIdentity};
