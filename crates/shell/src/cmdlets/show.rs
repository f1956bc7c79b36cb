//! `Format-List` and `Format-Table`.

use crate::{
    format::{self, Layout},
    text,
    value::{Form, Object, Value},
};

/// Options of `Format-Table`.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct TableStyle {
    pub(crate) width: Option<usize>,
    pub(crate) wrap: bool,
    pub(crate) hides_header: bool,
}

pub(crate) fn format_list(values: Vec<Value>, properties: &[String]) -> Value {
    let properties: Vec<&str> = properties.iter().map(String::as_str).collect();
    screen(values, |objects| format::list(objects, &properties))
}

pub(crate) fn format_table(values: Vec<Value>, columns: &[String], style: TableStyle) -> Value {
    let columns: Vec<&str> = columns.iter().map(String::as_str).collect();
    let layout = Layout { width: style.width, wrap: style.wrap };
    screen(values, |objects| {
        let table = format::draw(objects, &columns, layout);
        if !style.hides_header {
            return table;
        }
        table.split_inclusive('\n').skip(2).collect()
    })
}

/// Formats consecutive objects together, and each other value as a line.
fn screen(values: Vec<Value>, draw: impl Fn(&[Object]) -> String) -> Value {
    let mut blocks = Vec::new();
    let mut objects = Vec::new();
    for value in values {
        match value {
            Value::Object(object) if !matches!(object.form(), Form::Error | Form::Screen) => {
                objects.push(object);
            }
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
    on_screen(blocks.concat())
}

/// Returns text for the screen.
fn on_screen(text: String) -> Value {
    Value::Object(Object::from_iter([("Text", text)]).with_form(Form::Screen))
}
