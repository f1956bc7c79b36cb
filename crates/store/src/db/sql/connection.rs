//! A connection to one of the two databases.

use sqlx::{Connection as _, PgConnection, Postgres, Sqlite, SqliteConnection, Transaction};

/// A connection. The holder decides about its transaction.
pub(crate) enum Connection {
    /// The file, opened by one process.
    File(SqliteConnection),
    /// A reader of the file, inside a transaction.
    FileReader(Transaction<'static, Sqlite>),
    /// A server, inside a transaction.
    Server(Transaction<'static, Postgres>),
    /// A server, outside of a transaction.
    Alone(PgConnection),
}

/// The connection of sqlx.
pub(super) enum Inner<'c> {
    File(&'c mut SqliteConnection),
    Server(&'c mut PgConnection),
}

impl Connection {
    pub(super) fn inner(&mut self) -> Inner<'_> {
        match self {
            Self::File(connection) => Inner::File(connection),
            Self::FileReader(transaction) => Inner::File(transaction),
            Self::Server(transaction) => Inner::Server(transaction),
            Self::Alone(connection) => Inner::Server(connection),
        }
    }

    /// Commits the transaction.
    ///
    /// That of a file stays open for the next one.
    pub(crate) async fn commit(self) -> Result<Option<Self>, sqlx::Error> {
        match self {
            Self::Server(transaction) => transaction.commit().await.map(|()| None),
            Self::FileReader(transaction) => transaction.commit().await.map(|()| None),
            Self::Alone(connection) => connection.close().await.map(|()| None),
            Self::File(mut connection) => {
                sqlx::query("COMMIT").execute(&mut connection).await?;
                Ok(Some(Self::File(connection)))
            }
        }
    }

    /// Ends a reading: rolls the transaction back, or closes the file.
    pub(crate) async fn end(self) -> Result<(), sqlx::Error> {
        match self {
            Self::File(connection) => connection.close().await,
            Self::FileReader(transaction) => transaction.rollback().await,
            Self::Server(transaction) => transaction.rollback().await,
            Self::Alone(connection) => connection.close().await,
        }
    }

    /// True if other processes write at the same time: what a change decides from, it must lock first.
    pub(crate) fn is_shared(&self) -> bool {
        matches!(self, Self::Server(_) | Self::Alone(_))
    }

    /// Returns the end of a query that locks its rows; empty for a file, which has one writer at a time.
    pub(crate) fn locking(&self, sql: &'static str) -> &'static str {
        if self.is_shared() { sql } else { "" }
    }
}
