//! Dev only: real and scripted servers, faults, generated mail.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::missing_panics_doc,
    reason = "a test stops where its servers do not do what they must"
)]

mod certificate;
mod dovecot;
mod mailbox;
mod mailmaker;
pub mod peer;
mod proxy;

pub use certificate::Certificate;
pub use dovecot::{Dovecot, Setup, signal};
pub use mailbox::{Folder, Mailbox, Message, connect, differences, fill, snapshot};
pub use mailmaker::Mailmaker;
pub use proxy::{Faults, Proxy};
