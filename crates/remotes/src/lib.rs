//! Joins mail servers to the engine: an IMAP mailbox as [`Source`](mailhaul_engine::Source) and as
//! [`Target`](mailhaul_engine::Target), a Maildir on the local disk as a `Target`.
//!
//! A mailbox connects when it is first needed, so that a pass in which nothing changed never meets the target.

mod beginning;
mod book;
mod culprits;
mod dates;
mod delivery;
mod ending;
mod error;
mod examination;
mod flag_changes;
mod gmail;
mod gmail_api;
mod halving;
mod imap_mailbox;
mod imap_source;
mod imap_target;
mod in_order;
mod judge;
mod keepable;
mod lessons;
mod limited;
mod line;
mod listing;
mod login;
mod maildir;
mod names;
mod opening;
mod placeholder;
mod pleas;
mod profile;
mod renaming;
mod scan_memory;
mod scan_over_breaks;
mod scanning;
mod scans_ahead;
mod sender;
mod sizes;
mod stored;
mod terms;
mod trial;
mod user_root;

pub use gmail::{LabelPolicy, LabelRules};
pub use gmail_api::{GmailApi, Pause};
pub use imap_mailbox::{Account, ImapMailbox, Listener};
pub use login::Login;
pub use maildir::MaildirMailbox;
pub use mailhaul_engine::Side;
pub use profile::{Choice, Impression, MailboxLimits, NameFacts, Profile, Profiles};
pub use user_root::{ResolvedRoot, resolve_root};
