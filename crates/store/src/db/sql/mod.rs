//! The two databases behind one set of names: an `SQLite` file, or a `PostgreSQL` server.
//!
//! Statements are written once, with `SQLite`'s parameters (`?`, `?1`). For a server they are numbered
//! (`$1`), and its schema has functions for the names that only `SQLite` knows. No other module names
//! sqlx's databases, apart from those that open them.

mod builder;
mod connection;
mod parameters;
mod query;
mod row;
mod table_columns;
mod value;

pub(crate) use builder::Builder;
pub(crate) use connection::Connection;
pub(crate) use query::{Query, query, query_scalar};
pub(crate) use row::{Read, Row, Stored};
#[cfg(test)]
pub(crate) use table_columns::TABLES;
pub(crate) use value::{Value, columns, without_nul};
