//! Habits of the source code that a reviewer would otherwise have to check by eye.

#![allow(clippy::unwrap_used, reason = "tests")]

mod arguments;
mod cycles;
mod import_directions;
mod plain_words;
mod sources;
mod type_names;
