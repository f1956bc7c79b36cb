//! A streaming, pipelining, tolerant IMAP client for tokio.

mod decode;
pub mod encode;
mod framer;
mod limits;
mod mailbox_name;
mod mutf7;
pub mod response;

pub use decode::{DecodeError, FetchHead, decode, decode_fetch_head};
pub use framer::{Frame, FrameError, Framer, RawResponse};
pub use limits::Limits;
pub use mailbox_name::MailboxName;
