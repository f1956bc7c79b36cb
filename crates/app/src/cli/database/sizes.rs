//! Sizes of tables as a page of text.

use mailhaul_store::TableSize;

use crate::output::text;

/// Returns the page: tables with rows, bytes, and bytes of each row.
pub(super) fn page(tables: &[TableSize]) -> String {
    let width = tables.iter().map(|table| table.name.len()).max().unwrap_or_default().max(5);
    let mut lines = vec![format!("{:width$}  {:>12}  {:>10}  {:>9}", "table", "rows", "size", "per row")];
    lines.extend(tables.iter().map(|table| {
        let each = table.bytes.checked_div(table.rows).map(text::bytes).unwrap_or_default();
        format!("{:width$}  {:>12}  {:>10}  {each:>9}", table.name, table.rows, text::bytes(table.bytes))
    }));
    lines.iter().map(|line| line.trim_end()).collect::<Vec<_>>().join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_are_aligned() {
        let size = |name: &str, rows, bytes| TableSize { name: name.to_owned(), rows, bytes };
        let page = page(&[size("message", 2_000, 500_000), size("config", 0, 4_096)]);
        let lines: Vec<_> = page.lines().collect();
        assert_eq!(lines[0], "table            rows        size    per row");
        assert_eq!(lines[1], "message          2000    500.0 kB      250 B");
        assert_eq!(lines[2], "config              0      4.0 kB");
    }
}
