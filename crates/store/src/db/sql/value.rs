//! Values of parameters.

use mailhaul_migration::Guid;
use sqlx::{Arguments as _, error::BoxDynError, postgres::PgArguments, sqlite::SqliteArguments};

/// The value of a parameter. `None` is NULL of this type.
#[derive(Clone, Debug)]
pub(crate) enum Value {
    Number(Option<i64>),
    Text(Option<String>),
    Bytes(Option<Vec<u8>>),
    Guid(Option<Guid>),
    /// A list, which a statement reads with `SELECT value FROM json_each(?)`.
    Numbers(Vec<i64>),
    /// A list of texts, read in the same way.
    Texts(Vec<String>),
    /// One column of many rows, all of one type. A statement for a server reads it with `unnest(?)`.
    Column(Vec<Value>),
}

impl Value {
    pub(super) fn add_to_file(self, arguments: &mut SqliteArguments) -> Result<(), BoxDynError> {
        match self {
            Self::Number(value) => arguments.add(value),
            Self::Text(value) => arguments.add(value),
            Self::Bytes(value) => arguments.add(value),
            Self::Guid(value) => arguments.add(value),
            Self::Numbers(list) => arguments.add(serde_json::to_string(&list)?),
            Self::Texts(list) => arguments.add(serde_json::to_string(&list)?),
            Self::Column(_) => Err("a column of rows is for a server only".into()),
        }
    }

    pub(super) fn add_to_server(self, arguments: &mut PgArguments) -> Result<(), BoxDynError> {
        match self {
            Self::Number(value) => arguments.add(value),
            Self::Text(value) => arguments.add(value.map(without_nul)),
            Self::Bytes(value) => arguments.add(value),
            Self::Guid(value) => arguments.add(value),
            Self::Numbers(list) => arguments.add(list),
            Self::Texts(list) => arguments.add(list.into_iter().map(without_nul).collect::<Vec<_>>()),
            Self::Column(values) => add_column(values, arguments),
        }
    }
}

/// Adds the values as an array of the first one's type.
fn add_column(values: Vec<Value>, arguments: &mut PgArguments) -> Result<(), BoxDynError> {
    let other = || BoxDynError::from("a column of rows has values of two types");
    let values = values.into_iter();
    match values.as_slice().first() {
        Some(Value::Number(_)) => arguments.add(
            values
                .map(|value| if let Value::Number(value) = value { Ok(value) } else { Err(other()) })
                .collect::<Result<Vec<_>, _>>()?,
        ),
        Some(Value::Text(_)) => {
            arguments.add(
                values
                    .map(|value| {
                        if let Value::Text(value) = value { Ok(value.map(without_nul)) } else { Err(other()) }
                    })
                    .collect::<Result<Vec<_>, _>>()?,
            )
        }
        Some(Value::Bytes(_)) => arguments.add(
            values
                .map(|value| if let Value::Bytes(value) = value { Ok(value) } else { Err(other()) })
                .collect::<Result<Vec<_>, _>>()?,
        ),
        Some(Value::Guid(_)) => arguments.add(
            values
                .map(|value| if let Value::Guid(value) = value { Ok(value) } else { Err(other()) })
                .collect::<Result<Vec<_>, _>>()?,
        ),
        _ => Err(other()),
    }
}

/// Turns rows into columns.
pub(crate) fn columns<const N: usize>(rows: impl IntoIterator<Item = [Value; N]>) -> [Value; N] {
    let mut columns = [const { Vec::new() }; N];
    for row in rows {
        for (column, value) in columns.iter_mut().zip(row) {
            column.push(value);
        }
    }
    columns.map(Value::Column)
}

/// Replaces each NUL by its picture (U+2400): a server's text cannot hold NUL.
pub(crate) fn without_nul(text: String) -> String {
    if text.contains('\0') { text.replace('\0', "\u{2400}") } else { text }
}

/// Conversions of Rust's types to a variant, also of an `Option` of them.
macro_rules! from {
    ($variant:ident: $($type:ty),+ => $convert:expr) => {
        $(
            impl From<$type> for Value {
                fn from(value: $type) -> Self {
                    Self::$variant(Some($convert(value)))
                }
            }

            impl From<Option<$type>> for Value {
                fn from(value: Option<$type>) -> Self {
                    Self::$variant(value.map($convert))
                }
            }
        )+
    };
}

from!(Number: i64, i32, u32, u16, bool => i64::from);
from!(Text: String, &str => String::from);
from!(Bytes: Vec<u8>, &[u8], [u8; 16], [u8; 32] => Vec::from);
from!(Guid: Guid => std::convert::identity);

impl From<Vec<i64>> for Value {
    fn from(list: Vec<i64>) -> Self {
        Self::Numbers(list)
    }
}

impl From<Vec<String>> for Value {
    fn from(list: Vec<String>) -> Self {
        Self::Texts(list)
    }
}
