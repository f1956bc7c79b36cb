//! Callers, and the records of their operations.

use std::net::IpAddr;

use axum::http::request::Parts;
use futures_util::future::{BoxFuture, ready};

use crate::failure::Failure;

/// Role of a caller; each includes those before it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Role {
    /// May read.
    Viewer,
    /// May run migrations.
    Operator,
    /// May do everything.
    Admin,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Caller {
    /// Name in the audit log.
    pub name: String,
    pub role: Role,
    /// True if the caller is on this machine, where paths mean the same to both.
    pub is_local: bool,
}

/// Other end of a TCP connection; an extension of its requests.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Peer {
    pub address: IpAddr,
    /// True if the connection has TLS.
    pub is_encrypted: bool,
}

/// Audit record of an operation. It contains no secret.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Record {
    pub caller: Caller,
    /// Name of the cmdlet.
    pub operation: String,
    /// Object, as the caller named it.
    pub identity: Option<String>,
    /// Parameters that select the objects, if the caller named none of them alone.
    pub selection: Option<String>,
    pub outcome: Result<(), Failure>,
}

/// Authorizes callers, and receives audit records.
pub trait Gate: Send + Sync + 'static {
    /// Finds the owner of a token. Not called for callers on this machine's socket.
    fn admit<'a>(&'a self, token: &'a str) -> BoxFuture<'a, Result<Option<Caller>, Failure>>;

    /// Finds the caller of a request that shows something else than a token; `None` if it shows nothing.
    ///
    /// Asked before the token. A request that shows both is refused.
    fn recognize<'a>(&'a self, _head: &'a Parts) -> BoxFuture<'a, Result<Option<Caller>, Failure>> {
        Box::pin(ready(Ok(None)))
    }

    /// Receives the record of each operation that changes something, even if it failed or was
    /// forbidden.
    fn record(&self, record: Record) -> BoxFuture<'_, ()>;
}
