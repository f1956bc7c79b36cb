//! Who asks for an operation, and what is told about it afterwards.

use futures_util::future::BoxFuture;

use crate::failure::Failure;

/// What a caller may do; each may do what those before it may.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Role {
    /// Looks.
    Viewer,
    /// Runs migrations.
    Operator,
    /// Does everything.
    Admin,
}

/// Who asks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Caller {
    /// The name, as the audit shows it.
    pub name: String,
    /// What the caller may do.
    pub role: Role,
    /// Whether the caller is on this machine: then paths mean the same to both.
    pub is_local: bool,
}

/// What happened, for the audit. Holds no secret.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Record {
    /// Who asked.
    pub caller: Caller,
    /// The cmdlet's name.
    pub operation: String,
    /// The object, as the caller named it.
    pub identity: Option<String>,
    /// How it ended.
    pub outcome: Result<(), Failure>,
}

/// Who may come in, and who is told what they changed.
pub trait Gate: Send + Sync + 'static {
    /// Whose token this is. Not called for callers on this machine's socket.
    fn admit<'a>(&'a self, token: &'a str) -> BoxFuture<'a, Result<Option<Caller>, Failure>>;

    /// Told after each operation that changes something, also when it failed or was forbidden.
    fn record(&self, record: Record) -> BoxFuture<'_, ()>;
}
