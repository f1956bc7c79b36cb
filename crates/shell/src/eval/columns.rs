//! Calculated properties.

use super::{Evaluator, interrupt::Flow};
use crate::{
    cmdlets::{Cells, Column, pick},
    error::Fault,
    host::Host,
    members::property,
    value::Value,
};

impl<H: Host> Evaluator<'_, H> {
    /// Returns a column's value of an object.
    pub(super) async fn cell(&mut self, at: usize, column: &Column, value: &Value) -> Flow<Value> {
        Ok(match column {
            Column::Pattern(name) | Column::Renamed { property: name, .. } => {
                property(value, name).map_err(|message| Fault::value(at, message))?
            }
            Column::Computed { block, .. } => self.block_value(block, value.clone()).await?,
        })
    }

    /// Returns the value itself without columns, else the values of all columns.
    pub(super) async fn keys(&mut self, at: usize, columns: &[Column], value: &Value) -> Flow<Vec<Value>> {
        if columns.is_empty() {
            return Ok(vec![value.clone()]);
        }
        let mut keys = Vec::with_capacity(columns.len());
        for column in columns {
            keys.push(self.cell(at, column, value).await?);
        }
        Ok(keys)
    }

    /// Returns an object with the columns.
    pub(super) async fn picked(
        &mut self,
        at: usize,
        columns: &[Column],
        excluded: &[String],
        value: &Value,
    ) -> Flow<Value> {
        let mut cells = Vec::with_capacity(columns.len());
        for column in columns {
            cells.push(match column {
                Column::Pattern(pattern) => Cells::Pattern(pattern.clone()),
                Column::Computed { name, .. } | Column::Renamed { name, .. } => {
                    Cells::Value(name.clone(), self.cell(at, column, value).await?)
                }
            });
        }
        Ok(Value::Object(pick(value, cells, excluded)))
    }

    /// Replaces calculated columns by properties. Returns the objects and the names of the columns.
    pub(super) async fn calculated(
        &mut self,
        at: usize,
        columns: Vec<Column>,
        values: Vec<Value>,
    ) -> Flow<(Vec<Value>, Vec<String>)> {
        let name = |column: &Column| match column {
            Column::Pattern(name) | Column::Computed { name, .. } | Column::Renamed { name, .. } => {
                name.clone()
            }
        };
        let names: Vec<String> = columns.iter().map(name).collect();
        if columns.iter().all(|column| matches!(column, Column::Pattern(_))) {
            return Ok((values, names));
        }
        let mut objects = Vec::with_capacity(values.len());
        for value in values {
            objects.push(match value {
                Value::Object(_) => self.picked(at, &columns, &[], &value).await?,
                other => other,
            });
        }
        Ok((objects, names))
    }
}
