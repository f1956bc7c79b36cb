//! Statements in the server's form.

use std::fmt::Write;

/// Returns the statement with `$1` in place of `?1`, and numbers for each plain `?`.
///
/// Question marks in quoted texts stay.
pub(super) fn numbered(sql: &str) -> String {
    let mut numbered = String::with_capacity(sql.len() + 32);
    let (mut next, mut in_quotes) = (1_u32, false);
    let mut rest = sql.chars().peekable();
    while let Some(character) = rest.next() {
        in_quotes ^= character == '\'';
        if character != '?' || in_quotes {
            numbered.push(character);
            continue;
        }
        numbered.push('$');
        if rest.peek().is_none_or(|following| !following.is_ascii_digit()) {
            // Writing to a String cannot fail.
            _ = write!(numbered, "{next}");
            next += 1;
        }
    }
    numbered
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parameters_get_the_servers_form() {
        for (sql, expected) in [
            ("SELECT 1", "SELECT 1"),
            ("SET a = ?, b = ? WHERE c = ?", "SET a = $1, b = $2 WHERE c = $3"),
            ("WHERE a = ?2 AND b > ?1 + ?12", "WHERE a = $2 AND b > $1 + $12"),
            ("VALUES ('?', 'it''s ?', ?)", "VALUES ('?', 'it''s ?', $1)"),
        ] {
            assert_eq!(numbered(sql), expected);
        }
    }
}
