//! Values of the mail domain, without I/O and without async.
//!
//! * [`Uid`], [`UidValidity`], [`ModSeq`], [`UidSet`]: message numbers (RFC 9051, section 2.3.1).
//! * [`FolderPath`], [`SpecialUse`]: folders, as decoded segments without delimiters.
//! * [`normalized`], [`ignoring_case`]: comparison of folder names as servers do it.
//! * [`Flags`], [`InternalDate`]: facts of a message beside its bytes.
//! * [`Fingerprint`], [`Digest`]: recognition of a message on another server.
//! * [`Reach`]: addresses that a connection may go to.
//! * [`Permit`]: the right to write to a target until a deadline.
//! * [`via`]: the way of a message, out of its `Received` fields.
//! * [`Scope`], [`Retry`]: the two properties of every error.
//! * [`repair`]: edits that make a message acceptable to a server that refused it.
//! * [`for_screen`]: foreign text, made safe for a terminal.
//! * [`Secret`]: values that must never be shown; [`Redactor`] removes them from texts of a server.

mod digest;
mod failure;
mod fingerprint;
mod flags;
mod fold;
mod folder_path;
mod internal_date;
mod permit;
mod reach;
mod received;
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
pub use permit::{CurrentPermit, EXPIRED_PERMIT, Permit, PermitClock};
pub use reach::{Reach, is_loopback_host};
pub use received::{Deliverer, Hop, HostSet, KnownHosts, Via, hops, via};
pub use redact::{REDACTED, Redactor, Search};
pub use screen::{for_screen, is_obeyed, json_for_screen, on_one_line};
pub use secret::Secret;
pub use special_use::SpecialUse;
pub use uid::{ModSeq, Uid, UidValidity};
pub use uid_set::{ParseUidSetError, UidSet};
