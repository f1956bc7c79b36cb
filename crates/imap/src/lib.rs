//! A streaming, pipelining, tolerant IMAP client for tokio.

mod capability;
mod decode;
mod encode;
mod error;
mod framer;
mod limits;
mod mailbox_name;
mod mutf7;
mod options;
pub mod response;
mod trace;

pub use capability::{Capabilities, LiteralMode};
pub use decode::{DecodeError, FetchHead, decode, decode_fetch_head};
pub use encode::{Command, Fragment, is_flag};
pub use error::{Error, ErrorKind};
pub use framer::{Frame, FrameError, Framer, RawResponse};
pub use limits::Limits;
pub use mailbox_name::MailboxName;
pub use options::{ConnectOptions, Security, Timeouts, TlsOptions};
pub use trace::{Direction, Trace};
