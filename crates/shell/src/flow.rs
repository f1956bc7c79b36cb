//! Results of statements and pipelines.

use crate::{error::Fault, value::Value};

pub(crate) type EvalResult<T> = Result<T, Fault>;

/// Output of a pipeline.
#[derive(Default)]
pub(crate) struct Flow {
    pub(crate) values: Vec<Value>,
    /// Default columns for the values.
    pub(crate) view: Option<Vec<String>>,
    /// Text for the screen, from a Format cmdlet.
    pub(crate) screen: Option<String>,
}

impl Flow {
    pub(crate) fn new(values: Vec<Value>) -> Self {
        Self { values, ..Self::default() }
    }
}
