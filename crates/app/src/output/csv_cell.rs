//! Cells of CSV reports.

use mailhaul_mail::on_one_line;
use mailhaul_shell::format::harmless_cell;

/// Returns the cell on one line, so that no spreadsheet runs it and no terminal obeys it.
pub(crate) fn harmless(cell: &str) -> String {
    on_one_line(&harmless_cell(cell)).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn formulas_are_text() {
        for (cell, shown) in [
            ("=1+1", "'=1+1"),
            ("@x", "'@x"),
            ("-5", "'-5"),
            ("+4", "'+4"),
            ("a=b", "a=b"),
            ("", ""),
            ("x;=1+1", "x;'=1+1"),
            ("x; \"=1", "x;' \"=1"),
            ("a\x1b[2Jb\r\nc", "a\u{fffd}[2Jb c"),
        ] {
            assert_eq!(harmless(cell), shown);
        }
    }
}
