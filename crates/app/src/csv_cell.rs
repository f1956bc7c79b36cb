//! Cells of exported reports.

/// The cell, made harmless where a spreadsheet would run it: a cell that begins with one of these is a formula there.
pub(crate) fn harmless(cell: &str) -> String {
    if cell.starts_with(['=', '+', '-', '@', '\t', '\r']) { format!("'{cell}") } else { cell.to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn formulas_are_text() {
        for (cell, shown) in
            [("=1+1", "'=1+1"), ("@x", "'@x"), ("-5", "'-5"), ("+4", "'+4"), ("a=b", "a=b"), ("", "")]
        {
            assert_eq!(harmless(cell), shown);
        }
    }
}
