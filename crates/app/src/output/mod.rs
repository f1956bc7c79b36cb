//! Text for the terminal and for report files.

pub(crate) mod csv_cell;
pub(crate) mod text;
pub(crate) mod ui;
