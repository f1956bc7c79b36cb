//! A streaming, pipelining, tolerant IMAP client for tokio.

pub mod encode;
mod framer;
mod limits;
mod mailbox_name;
mod mutf7;
pub mod response;

pub use framer::{Frame, FrameError, Framer, RawResponse};
pub use limits::Limits;
pub use mailbox_name::MailboxName;
