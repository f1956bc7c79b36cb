//! The words of mailhaul: values of the mail domain, without I/O and without async.
//!
//! * [`Uid`], [`UidValidity`], [`ModSeq`], [`UidSet`]: how IMAP names messages (RFC 9051, section 2.3.1).
//! * [`FolderPath`], [`SpecialUse`]: folders, as decoded segments, with no delimiter in them.
//! * [`normalized`], [`ignoring_case`]: when two names are one to a server.
//! * [`Flags`], [`InternalDate`]: what a message carries beside its octets.
//! * [`Fingerprint`], [`Digest`]: how a message is recognised again.
//! * [`Reach`]: which addresses a connection may go to.
//! * [`Scope`], [`Retry`]: the two questions that every error answers.
//! * [`repair`]: edits that make a message acceptable to a server that refused it.
//! * [`for_screen`]: foreign text that a terminal does not obey.
//! * [`Secret`]: what must never be shown; [`Redactor`] strikes it out of what a server says.

mod digest;
mod failure;
mod fingerprint;
mod flags;
mod fold;
mod folder_path;
mod internal_date;
mod reach;
mod redact;
pub mod repair;
mod screen;
mod secret;
mod special_use;
mod uid;
mod uid_set;
mod well_known_names;

pub use digest::{Digest, Digests, MessageHasher, Sha256};
pub use failure::{Retry, Scope};
pub use fingerprint::{FINGERPRINT_FIELDS, Fingerprint, HeaderScan};
pub use flags::{Flags, SystemFlag};
pub use fold::{ignoring_case, normalized};
pub use folder_path::FolderPath;
pub use internal_date::InternalDate;
pub use reach::Reach;
pub use redact::{REDACTED, Redactor, Search};
pub use screen::{for_screen, is_obeyed, json_for_screen, on_one_line};
pub use secret::Secret;
pub use special_use::SpecialUse;
pub use uid::{ModSeq, Uid, UidValidity};
pub use uid_set::{ParseUidSetError, UidSet};
