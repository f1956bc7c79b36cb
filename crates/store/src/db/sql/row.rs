//! Rows of an answer.

use mailhaul_migration::Guid;
use sqlx::{Row as _, TypeInfo as _, ValueRef as _, postgres::PgRow, sqlite::SqliteRow};

/// A row. Columns are read by number or by name.
pub(crate) enum Row {
    File(SqliteRow),
    Server(PgRow),
}

/// A column of a row.
#[derive(Clone, Copy)]
pub(crate) enum Place<'a> {
    Number(usize),
    Name(&'a str),
}

impl From<usize> for Place<'_> {
    fn from(number: usize) -> Self {
        Self::Number(number)
    }
}

impl<'a> From<&'a str> for Place<'a> {
    fn from(name: &'a str) -> Self {
        Self::Name(name)
    }
}

/// A type that both databases can give.
pub(crate) trait Read<'r>: Sized {
    fn from_file(row: &'r SqliteRow, place: usize) -> Result<Self, sqlx::Error>;
    fn from_server(row: &'r PgRow, place: usize) -> Result<Self, sqlx::Error>;
}

/// One value as the row holds it.
pub(crate) enum Stored<'r> {
    Null,
    Number(i64),
    Text(&'r str),
    Bytes(&'r [u8]),
    Guid(Guid),
}

impl Row {
    pub(crate) fn try_get<'r, 'p, T>(&'r self, place: impl Into<Place<'p>>) -> Result<T, sqlx::Error>
    where
        T: Read<'r>,
    {
        let place = self.number(place.into())?;
        match self {
            Self::File(row) => T::from_file(row, place),
            Self::Server(row) => T::from_server(row, place),
        }
    }

    fn number(&self, place: Place<'_>) -> Result<usize, sqlx::Error> {
        match place {
            Place::Number(number) => Ok(number),
            Place::Name(name) => match self {
                Self::File(row) => row.try_column(name).map(sqlx::Column::ordinal),
                Self::Server(row) => row.try_column(name).map(sqlx::Column::ordinal),
            },
        }
    }

    /// Returns the names of the columns, in order.
    pub(crate) fn names(&self) -> Vec<&str> {
        match self {
            Self::File(row) => row.columns().iter().map(sqlx::Column::name).collect(),
            Self::Server(row) => row.columns().iter().map(sqlx::Column::name).collect(),
        }
    }

    /// Returns a value with the type that is stored; `None` if mailhaul writes no such type.
    pub(crate) fn stored(&self, place: usize) -> Result<Option<Stored<'_>>, sqlx::Error> {
        match self {
            Self::File(row) => {
                let value = row.try_get_raw(place)?;
                if value.is_null() {
                    Ok(Some(Stored::Null))
                } else {
                    self.typed(place, value.type_info().name())
                }
            }
            Self::Server(row) => {
                let value = row.try_get_raw(place)?;
                if value.is_null() {
                    Ok(Some(Stored::Null))
                } else {
                    self.typed(place, value.type_info().name())
                }
            }
        }
    }

    /// Reads a value as this type of the database; `None` if mailhaul writes no such type.
    fn typed(&self, place: usize, kind: &str) -> Result<Option<Stored<'_>>, sqlx::Error> {
        Ok(Some(match kind {
            "INTEGER" | "INT8" => Stored::Number(self.try_get(place)?),
            "TEXT" => Stored::Text(self.try_get(place)?),
            "BLOB" | "BYTEA" => Stored::Bytes(self.try_get(place)?),
            "UUID" => Stored::Guid(self.try_get(place)?),
            _ => return Ok(None),
        }))
    }
}

impl<'r, T: Read<'r>> Read<'r> for Option<T> {
    fn from_file(row: &'r SqliteRow, place: usize) -> Result<Self, sqlx::Error> {
        if row.try_get_raw(place)?.is_null() { Ok(None) } else { T::from_file(row, place).map(Some) }
    }

    fn from_server(row: &'r PgRow, place: usize) -> Result<Self, sqlx::Error> {
        if row.try_get_raw(place)?.is_null() { Ok(None) } else { T::from_server(row, place).map(Some) }
    }
}

/// Types that sqlx reads from both databases.
macro_rules! read {
    ($($type:ty),+) => {
        $(
            impl<'r> Read<'r> for $type {
                fn from_file(row: &'r SqliteRow, place: usize) -> Result<Self, sqlx::Error> {
                    row.try_get(place)
                }

                fn from_server(row: &'r PgRow, place: usize) -> Result<Self, sqlx::Error> {
                    row.try_get(place)
                }
            }
        )+
    };
}

read!(String, &'r str, Vec<u8>, &'r [u8], Guid);

impl<'r> Read<'r> for i64 {
    fn from_file(row: &'r SqliteRow, place: usize) -> Result<Self, sqlx::Error> {
        row.try_get(place)
    }

    /// A constant in a statement has 32 bits on a server.
    fn from_server(row: &'r PgRow, place: usize) -> Result<Self, sqlx::Error> {
        if row.try_get_raw(place)?.type_info().name() == "INT4" {
            return row.try_get::<i32, _>(place).map(i64::from);
        }
        row.try_get(place)
    }
}

impl<'r> Read<'r> for bool {
    fn from_file(row: &'r SqliteRow, place: usize) -> Result<Self, sqlx::Error> {
        row.try_get(place)
    }

    /// A condition is a Boolean on a server. A column is a number there, as in the file.
    fn from_server(row: &'r PgRow, place: usize) -> Result<Self, sqlx::Error> {
        if row.try_get_raw(place)?.type_info().name() == "BOOL" {
            return row.try_get(place);
        }
        i64::from_server(row, place).map(|number| number != 0)
    }
}
