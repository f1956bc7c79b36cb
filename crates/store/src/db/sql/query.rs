//! Statements with their parameters.

use std::borrow::Cow;

use sqlx::{AssertSqlSafe, Postgres, Sqlite, postgres::PgArguments, sqlite::SqliteArguments};

use super::{
    connection::{Connection, Inner},
    parameters::numbered,
    row::{Read, Row},
    table_columns::with_columns,
    value::Value,
};

/// A statement.
///
/// The text is made of constants only: every value is a parameter.
pub(crate) fn query(sql: impl Into<Cow<'static, str>>) -> Query {
    Query { sql: sql.into(), values: Vec::new(), is_kept: true }
}

/// A statement whose rows are read as the value of their first column.
pub(crate) fn query_scalar(sql: impl Into<Cow<'static, str>>) -> Scalar {
    Scalar(query(sql))
}

/// A statement with its values.
pub(crate) struct Query {
    pub(super) sql: Cow<'static, str>,
    pub(super) values: Vec<Value>,
    pub(super) is_kept: bool,
}

impl Query {
    /// Adds the value of the next parameter.
    #[must_use]
    pub(crate) fn bind(mut self, value: impl Into<Value>) -> Self {
        self.values.push(value.into());
        self
    }

    /// True, the default, if the connection keeps the prepared statement for its next use.
    #[must_use]
    pub(crate) fn persistent(mut self, is_kept: bool) -> Self {
        self.is_kept = is_kept;
        self
    }

    /// Runs the statement, and returns the number of rows that it changed.
    pub(crate) async fn execute(self, connection: &mut Connection) -> Result<u64, sqlx::Error> {
        match connection.inner() {
            Inner::File(connection) => Ok(self.for_file()?.execute(connection).await?.rows_affected()),
            Inner::Server(connection) => Ok(self.for_server()?.execute(connection).await?.rows_affected()),
        }
    }

    pub(crate) async fn fetch_all(self, connection: &mut Connection) -> Result<Vec<Row>, sqlx::Error> {
        match connection.inner() {
            Inner::File(connection) => {
                let rows = self.for_file()?.fetch_all(connection).await?;
                Ok(rows.into_iter().map(Row::File).collect())
            }
            Inner::Server(connection) => {
                let rows = self.for_server()?.fetch_all(connection).await?;
                Ok(rows.into_iter().map(Row::Server).collect())
            }
        }
    }

    pub(crate) async fn fetch_optional(
        self,
        connection: &mut Connection,
    ) -> Result<Option<Row>, sqlx::Error> {
        match connection.inner() {
            Inner::File(connection) => Ok(self.for_file()?.fetch_optional(connection).await?.map(Row::File)),
            Inner::Server(connection) => {
                Ok(self.for_server()?.fetch_optional(connection).await?.map(Row::Server))
            }
        }
    }

    /// Returns the only row. A missing one is an error.
    pub(crate) async fn fetch_one(self, connection: &mut Connection) -> Result<Row, sqlx::Error> {
        self.fetch_optional(connection).await?.ok_or(sqlx::Error::RowNotFound)
    }

    fn for_file(self) -> Result<sqlx::query::Query<'static, Sqlite, SqliteArguments>, sqlx::Error> {
        let mut arguments = SqliteArguments::default();
        for value in self.values {
            value.add_to_file(&mut arguments).map_err(sqlx::Error::Encode)?;
        }
        Ok(sqlx::query_with(AssertSqlSafe(self.sql.into_owned()), arguments).persistent(self.is_kept))
    }

    fn for_server(self) -> Result<sqlx::query::Query<'static, Postgres, PgArguments>, sqlx::Error> {
        let mut arguments = PgArguments::default();
        for value in self.values {
            value.add_to_server(&mut arguments).map_err(sqlx::Error::Encode)?;
        }
        Ok(sqlx::query_with(AssertSqlSafe(numbered(&with_columns(&self.sql))), arguments)
            .persistent(self.is_kept))
    }
}

/// A statement with one column.
pub(crate) struct Scalar(Query);

impl Scalar {
    #[must_use]
    pub(crate) fn bind(self, value: impl Into<Value>) -> Self {
        Self(self.0.bind(value))
    }

    pub(crate) async fn fetch_all<T>(self, connection: &mut Connection) -> Result<Vec<T>, sqlx::Error>
    where
        T: for<'r> Read<'r>,
    {
        self.0.fetch_all(connection).await?.iter().map(|row| row.try_get(0)).collect()
    }

    pub(crate) async fn fetch_optional<T>(self, connection: &mut Connection) -> Result<Option<T>, sqlx::Error>
    where
        T: for<'r> Read<'r>,
    {
        self.0.fetch_optional(connection).await?.map(|row| row.try_get(0)).transpose()
    }

    pub(crate) async fn fetch_one<T>(self, connection: &mut Connection) -> Result<T, sqlx::Error>
    where
        T: for<'r> Read<'r>,
    {
        self.0.fetch_one(connection).await?.try_get(0)
    }
}
