//! Results of statements and pipelines.

use crate::{error::Fault, value::Value};

pub(crate) type EvalResult<T> = Result<T, Fault>;

/// What comes out of a pipeline.
#[derive(Default)]
pub(crate) struct Flow {
    pub(crate) values: Vec<Value>,
    /// The columns of the table in which the values are shown where nobody says how.
    pub(crate) view: Option<Vec<String>>,
    /// Values that were made text for the screen already.
    pub(crate) screen: Option<String>,
}

impl Flow {
    pub(crate) fn new(values: Vec<Value>) -> Self {
        Self { values, ..Self::default() }
    }
}
