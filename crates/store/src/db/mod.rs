//! The database: file or server, its schema, its statements, and what protects it.

pub(crate) mod catalogue;
pub(crate) mod checksum;
pub(crate) mod clock;
pub(crate) mod columns;
pub(crate) mod database;
pub(crate) mod error;
pub(crate) mod lock;
pub(crate) mod pages;
pub(crate) mod reading;
pub(crate) mod relocation;
pub(crate) mod server;
pub(crate) mod server_schema;
pub(crate) mod server_text;
pub(crate) mod service_rows;
pub(crate) mod space;
pub(crate) mod sql;
pub(crate) mod upgrade;
pub(crate) mod writer;
