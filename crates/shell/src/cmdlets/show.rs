//! `Format-List` and `Format-Table`.

use super::bind::BoundArguments;
use crate::{
    flow::{EvalResult, Flow},
    format::{self, Layout},
    text,
    value::{Object, Value},
};

pub(crate) fn format_list(mut bound: BoundArguments<'_>, input: Flow) -> EvalResult<Flow> {
    let properties = bound.texts("Property")?;
    let properties: Vec<&str> = properties.iter().map(String::as_str).collect();
    Ok(screen(input.values, |objects| format::list(objects, &properties)))
}

pub(crate) fn format_table(
    mut bound: BoundArguments<'_>,
    input: Flow,
    width: Option<usize>,
) -> EvalResult<Flow> {
    let mut columns = bound.texts("Property")?;
    if columns.is_empty() {
        columns = input.view.unwrap_or_default();
    }
    let columns: Vec<&str> = columns.iter().map(String::as_str).collect();
    let layout = Layout { width, wrap: bound.has("Wrap") };
    Ok(screen(input.values, |objects| format::draw(objects, &columns, layout)))
}

/// Formats consecutive objects together, and each other value as a line.
fn screen(values: Vec<Value>, draw: impl Fn(&[Object]) -> String) -> Flow {
    let mut blocks = Vec::new();
    let mut objects = Vec::new();
    for value in values {
        match value {
            Value::Object(object) => objects.push(object),
            other => {
                if !objects.is_empty() {
                    blocks.push(draw(&std::mem::take(&mut objects)));
                }
                blocks.push(format!("{}\n", text::harmless_on_screen(&text::show(&other))));
            }
        }
    }
    if !objects.is_empty() {
        blocks.push(draw(&objects));
    }
    Flow { screen: Some(blocks.concat()), ..Flow::default() }
}
