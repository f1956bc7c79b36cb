//! Shows values as they come: objects as a table or a list, other values line by line.

use std::sync::Arc;

use crate::{
    format::{self, OpenTable},
    text,
    value::{Form, Object, Value},
};

/// Maximum number of properties of objects that are shown as a table by default.
const MAX_TABLE_COLUMNS: usize = 4;
/// Size of the objects that wait for the next one of their kind, in bytes. Above it, they are shown.
const MAX_PENDING: usize = 64 << 20;

/// Objects that wait for the next one of their kind, and the table that is open on the screen.
#[derive(Default)]
pub(crate) struct Printer {
    pub(crate) width: Option<usize>,
    pending: Vec<Object>,
    pending_size: usize,
    /// Last table on the screen, while nothing follows it.
    open: Option<(Vec<String>, OpenTable)>,
    has_written: bool,
    lines: String,
}

impl Printer {
    pub(crate) fn new(width: Option<usize>) -> Self {
        Self { width, ..Self::default() }
    }

    /// Takes a value. What is ready is in [`Printer::take`].
    pub(crate) fn show(&mut self, value: Value) {
        match value {
            Value::Object(object) if *object.form() == Form::Screen => {
                self.flush();
                self.write_block(&text::show(&Value::Object(object)));
            }
            Value::Object(object) if *object.form() == Form::Error => {
                let message = text::show(&Value::Object(object));
                self.write_line(&message);
            }
            Value::Object(object) => {
                if self.pending.last().is_some_and(|last| shape(last) != shape(&object)) {
                    self.flush();
                }
                let value = Value::Object(object);
                self.pending_size += value.size().unwrap_or(MAX_PENDING);
                if let Value::Object(object) = value {
                    self.pending.push(object);
                }
                if self.pending_size > MAX_PENDING {
                    self.flush();
                }
            }
            value => self.write_line(&text::show(&value)),
        }
    }

    /// Returns the lines that are ready.
    pub(crate) fn take(&mut self) -> String {
        std::mem::take(&mut self.lines)
    }

    /// True if objects wait for the next one of their kind.
    pub(crate) fn is_waiting(&self) -> bool {
        !self.pending.is_empty()
    }

    /// Notes that other lines were written to the screen.
    pub(crate) fn interrupt(&mut self) {
        self.flush();
        self.open = None;
    }

    /// Formats the objects that wait.
    pub(crate) fn flush(&mut self) {
        let objects = std::mem::take(&mut self.pending);
        self.pending_size = 0;
        let Some(first) = objects.first() else { return };
        let view = view(first);
        let columns: Vec<&str> = view.iter().flat_map(|view| view.iter()).map(String::as_str).collect();
        let is_table = !columns.is_empty() || objects.iter().all(|object| object.len() <= MAX_TABLE_COLUMNS);
        if !is_table {
            let shown = format::list(&objects, &[]);
            return self.write_block(&shown);
        }
        let names = shape(first);
        if let Some((open_names, open)) = &self.open
            && *open_names == names
            && let Some(rows) = open.rows(&objects)
        {
            self.lines.push_str(&rows);
            return;
        }
        let (shown, open) = format::open_table(&objects, &columns, self.width);
        self.write_block(&shown);
        self.open = open.map(|open| (names, open));
    }

    /// Writes text of several lines, after an empty line.
    fn write_block(&mut self, text: &str) {
        if text.is_empty() {
            return;
        }
        if self.has_written {
            self.lines.push('\n');
        }
        self.lines.push_str(text);
        self.has_written = true;
        self.open = None;
    }

    pub(crate) fn write_line(&mut self, text: &str) {
        self.flush();
        self.lines.push_str(&text::harmless_on_screen(text));
        self.lines.push('\n');
        self.has_written = true;
        self.open = None;
    }
}

fn view(object: &Object) -> Option<Arc<[String]>> {
    match object.form() {
        Form::Viewed(view) => Some(view.clone()),
        _ => None,
    }
}

/// Returns the names that make objects rows of one table: those of the view, or of all properties.
fn shape(object: &Object) -> Vec<String> {
    view(object)
        .map_or_else(|| object.iter().map(|(name, _)| name.to_lowercase()).collect(), |view| view.to_vec())
}
