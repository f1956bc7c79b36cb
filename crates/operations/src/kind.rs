//! Kinds of parameters.

#[derive(Clone, Debug, PartialEq)]
pub enum Kind {
    /// Present or absent, without a value.
    Switch,
    Boolean,
    Integer {
        /// Inclusive.
        least: i64,
        /// Inclusive.
        most: u64,
    },
    /// Integer from 1, or a word such as `unlimited`.
    Limit,
    Text,
    /// One of these values.
    Choice(Vec<AllowedValue>),
    DateTime,
    TimeSpan,
    /// Content of a file.
    Bytes,
    /// User name and password.
    Credential,
    Secret,
    /// Several values.
    List(Box<Kind>),
    /// Names, each with a text.
    Map,
    /// Start of the next page; only for programs.
    Continuation,
}

/// Value of a [`Kind::Choice`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AllowedValue {
    pub name: String,
    /// Description; may be empty.
    pub help: String,
}
