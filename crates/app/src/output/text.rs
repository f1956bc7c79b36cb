//! Text for the terminal: numbers, sentences that several commands print, and the print functions.
//!
//! Invariant: all output goes through this file or `ui`, so no text of a server moves the cursor.

use std::{
    fmt,
    io::{self, Write as _},
    time::Duration,
};

use mailhaul_engine::{FolderOption, RepairedItem, Unmatched};
use mailhaul_mail::{FolderPath, for_screen, json_for_screen};

/// Maximum number of folders that one sentence names.
const NAMED_FOLDERS: usize = 10;

/// Prints a line, with advice below it. A closed pipe is no error: its reader has stopped.
pub(crate) fn print(line: impl fmt::Display) {
    _ = writeln!(io::stdout(), "{}", shown(&line.to_string()));
}

/// Prints a line to stderr.
pub(crate) fn print_error(line: impl fmt::Display) {
    _ = writeln!(io::stderr(), "{}", shown(&line.to_string()));
}

/// Prints formatted lines, for example a table.
pub(crate) fn print_page(page: impl fmt::Display) {
    _ = writeln!(io::stdout(), "{}", for_screen(&page.to_string()));
}

/// Prints JSON.
pub(crate) fn print_json(json: &str) {
    _ = writeln!(io::stdout(), "{}", json_for_screen(json));
}

/// Prints CSV with its own line ends. Its cells must be harmless.
pub(crate) fn print_csv(csv: &str) {
    _ = writeln!(io::stdout(), "{csv}");
}

/// Returns the line without control characters.
///
/// A newline stays only before advice, which is indented. So no name can look like a line of mailhaul.
pub(crate) fn shown(line: &str) -> String {
    let line = for_screen(line);
    let mut lines = line.split('\n');
    let mut shown = lines.next().unwrap_or_default().to_owned();
    for line in lines {
        shown.push(if line.starts_with("  ") { '\n' } else { ' ' });
        shown.push_str(line);
    }
    shown
}

/// Returns the sentence with a capital first letter.
pub(crate) fn capitalised(sentence: &str) -> String {
    let mut letters = sentence.chars();
    letters.next().map_or_else(String::new, |first| first.to_uppercase().chain(letters).collect())
}

/// Bytes per second.
pub(crate) fn rate(bytes_sent: u64, elapsed: Duration) -> String {
    let millis = u64::try_from(elapsed.as_millis()).unwrap_or(u64::MAX).max(1);
    format!("{}/s", bytes(bytes_sent.saturating_mul(1000) / millis))
}

/// Bytes with a decimal unit: `12.3 MB`.
pub(crate) fn bytes(number: u64) -> String {
    const UNITS: [&str; 5] = ["B", "kB", "MB", "GB", "TB"];
    let mut value = number;
    let mut tenths = 0;
    let mut unit = 0;
    while value >= 1000 && unit + 1 < UNITS.len() {
        tenths = value % 1000 / 100;
        value /= 1000;
        unit += 1;
    }
    if unit == 0 { format!("{value} B") } else { format!("{value}.{tenths} {}", UNITS[unit]) }
}

/// Bytes as hexadecimal digits.
pub(crate) fn hexadecimal(bytes: &[u8]) -> String {
    use fmt::Write as _;
    bytes.iter().fold(String::new(), |mut text, byte| {
        // Writing into a text cannot fail.
        _ = write!(text, "{byte:02x}");
        text
    })
}

/// `1 message`, `2 messages`.
pub(crate) fn count(number: u64, one: &str, many: &str) -> String {
    if number == 1 { format!("1 {one}") } else { format!("{number} {many}") }
}

/// Describes a target folder that became empty because its source folder is gone.
pub(crate) fn emptied(folder: &FolderPath, is_removed: bool) -> String {
    let what = if is_removed { "it was removed" } else { "it can be removed" };
    format!("target folder {folder} is empty, because the source folder is gone; {what}")
}

/// Describes target folders that stay subscribed although the source's are not.
pub(crate) fn stay_subscribed(folders: &[FolderPath]) -> String {
    let named: Vec<String> = folders.iter().take(NAMED_FOLDERS).map(ToString::to_string).collect();
    let more = match folders.len().saturating_sub(NAMED_FOLDERS) {
        0 => String::new(),
        more => format!(" and {more} more"),
    };
    format!(
        "subscribed on the target but not on the source: {}{more}; mailhaul does not unsubscribe, users do it themselves",
        named.join(", ")
    )
}

/// Describes an option of the command line that matches no folder.
pub(crate) fn unmatched(option: &Unmatched) -> String {
    let name = match option.option {
        FolderOption::Include => "--include-folder",
        FolderOption::Exclude => "--exclude-folder",
        FolderOption::Map => "--map",
    };
    format!("{name}: {option}")
}

/// Describes a setting of a batch that matches no folder.
pub(crate) fn unmatched_of_batch(option: &Unmatched) -> String {
    let name = match option.option {
        FolderOption::Include => "IncludeFolders",
        FolderOption::Exclude => "ExcludeFolders",
        FolderOption::Map => "FolderMap",
    };
    format!("{name}: {option}")
}

/// Describes a message whose copy was edited.
pub(crate) fn repaired(folder: &FolderPath, item: &RepairedItem) -> String {
    let RepairedItem { uid, subject, sha256, edits, .. } = item;
    let subject = subject.as_ref().map(|it| format!(", subject {it:?}")).unwrap_or_default();
    format!("Repaired: folder {folder}, UID {uid}{subject}, original SHA-256 {sha256}, {edits}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_stays_a_line() {
        assert_eq!(shown("a\x1b[2J: b\r\nforged\n  advice"), "a\u{fffd}[2J: b forged\n  advice");
    }

    #[test]
    fn numbers_have_units() {
        let table = [
            (0, "0 B"),
            (999, "999 B"),
            (1000, "1.0 kB"),
            (12_345_678, "12.3 MB"),
            (u64::MAX, "18446744.0 TB"),
        ];
        for (number, text) in table {
            assert_eq!(bytes(number), text);
        }
        assert_eq!(count(1, "message", "messages"), "1 message");
        assert_eq!(count(0, "message", "messages"), "0 messages");
    }
}
