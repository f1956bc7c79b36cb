//! Statements made of parts.

use super::{
    query::{Query, query},
    value::Value,
};

/// A statement that grows with its values.
pub(crate) struct Builder {
    sql: String,
    values: Vec<Value>,
}

impl Builder {
    pub(crate) fn new(sql: &str) -> Self {
        Self { sql: sql.to_owned(), values: Vec::new() }
    }

    /// Adds text. It is made of constants only.
    pub(crate) fn push(&mut self, sql: &str) -> &mut Self {
        self.sql.push_str(sql);
        self
    }

    /// Adds a parameter with its value.
    pub(crate) fn push_bind(&mut self, value: impl Into<Value>) -> &mut Self {
        self.sql.push('?');
        self.values.push(value.into());
        self
    }

    /// Adds `(?, ?), (?, ?)`: rows of values.
    pub(crate) fn push_rows<const N: usize>(
        &mut self,
        rows: impl IntoIterator<Item = [Value; N]>,
    ) -> &mut Self {
        for (number, row) in rows.into_iter().enumerate() {
            self.sql.push_str(if number == 0 { "(" } else { ", (" });
            for (place, value) in row.into_iter().enumerate() {
                self.sql.push_str(if place == 0 { "?" } else { ", ?" });
                self.values.push(value);
            }
            self.sql.push(')');
        }
        self
    }

    pub(crate) fn build(self) -> Query {
        Query { values: self.values, ..query(self.sql) }
    }
}
