//! A streaming, pipelining, tolerant IMAP client for tokio.
//!
//! * **Streaming**: no message is held in memory as a whole. [`FetchStream`] returns large bodies in chunks, as they
//!   arrive; [`AppendSink`] takes chunks.
//! * **Pipelining**: many FETCH, STATUS and APPEND commands are in flight at once. A round trip is saved where possible.
//! * **Tolerant**: responses that break the grammar are read as far as possible. Unknown responses are kept. Responses
//!   that would damage data are errors: an answer to no command, a wrong length, a flood.
//!
//! A [`Connection`] becomes a [`Session`] by authentication, and a session lends a [`Selected`] mailbox:
//!
//! ```no_run
//! use mailhaul_imap::{ConnectOptions, Connection, Credentials, ListQuery, Security, SelectOptions};
//! use mailhaul_mail::{Secret, Uid, UidSet};
//!
//! # async fn example() -> Result<(), mailhaul_imap::Error> {
//! let options = ConnectOptions::new("imap.example.org", 993, Security::Implicit);
//! let connection = Connection::open(&options).await?;
//! let mut session = connection.authenticate(&Credentials::password("alice", Secret::new("secret"))).await?;
//! for mailbox in session.list(&ListQuery::default()).await? {
//!     let mut selected = session.examine(&mailbox.item.name, &SelectOptions::default()).await?;
//!     let all = UidSet::range(Uid::FIRST, selected.data().uid_next.unwrap_or(Uid::FIRST));
//!     selected.uid_fetch(&all, "(UID FLAGS)", |fetch| drop(fetch)).await?;
//! }
//! session.logout().await
//! # }
//! ```
//!
//! Each [`Error`] has a scope (message, folder, session, mailbox or endpoint) and a time to retry.

#![warn(missing_docs)]

mod append;
mod auth;
mod capability;
mod certificate;
mod command_id;
mod commands;
mod compress;
mod connection;
mod decode;
mod driver;
mod encode;
mod error;
mod error_kind;
mod fetch;
mod foreign;
mod framer;
mod limits;
mod mailbox_name;
mod mutf7;
mod options;
pub mod response;
mod secrets;
mod security;
mod selected;
mod session;
mod sign_in;
mod signature;
mod socket;
mod stream;
mod throttle_replies;
mod tls;
mod trace;
mod untrusted;

pub use append::{AppendHead, AppendReplies, AppendReply, AppendSink, BeginOutcome};
pub use auth::{
    AuthorizeAs, CredentialKind, Credentials, SignInMemory, SignInRefusal, mechanism, mechanism_names,
};
pub use capability::{Capabilities, LiteralMode};
pub use certificate::{Certificate, CertificateContent};
pub use command_id::CommandId;
pub use commands::{
    ChangedMailbox, ChangesQuery, CopyUids, Introduction, ListQuery, ListedMailbox, MAX_SET_LENGTH, Qresync,
    Quota, SearchKey, SelectOptions, StatusItem, StoreCommand, StoreMode, split_uids,
};
pub use connection::Connection;
pub use decode::{DecodeError, FetchHead, decode, decode_fetch_head};
pub use driver::MailboxData;
pub use encode::{Command, Fragment, is_flag};
pub use error::{Error, ErrorKind};
pub use fetch::{FetchEvent, FetchStream};
pub use framer::{Frame, FrameError, Framer, RawResponse};
pub use limits::ResponseLimits;
pub use mailbox_name::MailboxName;
pub use options::{ConnectOptions, Timeouts, TlsOptions};
pub use security::Security;
pub use selected::Selected;
pub use session::Session;
pub use trace::{Direction, Milestone, Trace};
