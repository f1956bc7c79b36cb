//! Numbers as people read them, and where they read them: all that the program prints goes through here or `ui`, and none of it
//! moves a cursor, whatever a server put into a name.

use std::{
    fmt,
    io::{self, Write as _},
    time::Duration,
};

use mailhaul_engine::{FolderOption, RepairedItem, Unmatched};
use mailhaul_mail::{FolderPath, for_screen, json_for_screen};

/// Maximum number of folders that one sentence names.
const NAMED_FOLDERS: usize = 10;

/// Prints a line, with advice below it. Whoever closed the pipe does not want to read on, and that is no failure.
pub(crate) fn print(line: impl fmt::Display) {
    let _unread = writeln!(io::stdout(), "{}", shown(&line.to_string()));
}

/// The same for failures.
pub(crate) fn print_error(line: impl fmt::Display) {
    let _unread = writeln!(io::stderr(), "{}", shown(&line.to_string()));
}

/// Prints lines that are laid out already, such as a table.
pub(crate) fn print_page(page: impl fmt::Display) {
    let _unread = writeln!(io::stdout(), "{}", for_screen(&page.to_string()));
}

/// Prints JSON.
pub(crate) fn print_json(json: &str) {
    let _unread = writeln!(io::stdout(), "{}", json_for_screen(json));
}

/// Prints CSV, whose cells are harmless already, with its own line ends.
pub(crate) fn print_csv(csv: &str) {
    let _unread = writeln!(io::stdout(), "{csv}");
}

/// What a terminal may get of a line. A line end within it stays only before advice, which is indented: no name can look like a
/// line of ours.
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

/// The sentence with a capital.
pub(crate) fn capitalised(sentence: &str) -> String {
    let mut letters = sentence.chars();
    letters.next().map_or_else(String::new, |first| first.to_uppercase().chain(letters).collect())
}

/// Octets in a second.
pub(crate) fn rate(octets: u64, elapsed: Duration) -> String {
    let millis = u64::try_from(elapsed.as_millis()).unwrap_or(u64::MAX).max(1);
    format!("{}/s", bytes(octets.saturating_mul(1000) / millis))
}

/// Octets with a decimal unit: `12.3 MB`.
pub(crate) fn bytes(octets: u64) -> String {
    const UNITS: [&str; 5] = ["B", "kB", "MB", "GB", "TB"];
    let mut value = octets;
    let mut tenths = 0;
    let mut unit = 0;
    while value >= 1000 && unit + 1 < UNITS.len() {
        tenths = value % 1000 / 100;
        value /= 1000;
        unit += 1;
    }
    if unit == 0 { format!("{value} B") } else { format!("{value}.{tenths} {}", UNITS[unit]) }
}

/// Octets as hexadecimal digits.
pub(crate) fn hexadecimal(octets: &[u8]) -> String {
    use fmt::Write as _;
    octets.iter().fold(String::new(), |mut text, octet| {
        // Writing into a text cannot fail.
        let _ = write!(text, "{octet:02x}");
        text
    })
}

/// `1 message`, `2 messages`.
pub(crate) fn count(number: u64, one: &str, many: &str) -> String {
    if number == 1 { format!("1 {one}") } else { format!("{number} {many}") }
}

/// A folder of the target that became empty because the source has it no more.
pub(crate) fn emptied(folder: &FolderPath, is_removed: bool) -> String {
    let what = if is_removed { "it was removed" } else { "it can be removed" };
    format!("target folder {folder} is empty, because the source has the folder no more; {what}")
}

/// Folders of the target whose subscription no pass takes away.
pub(crate) fn stay_subscribed(folders: &[FolderPath]) -> String {
    let named: Vec<String> = folders.iter().take(NAMED_FOLDERS).map(ToString::to_string).collect();
    let more = match folders.len().saturating_sub(NAMED_FOLDERS) {
        0 => String::new(),
        more => format!(" and {more} more"),
    };
    format!(
        "subscribed on the target and not on the source: {}{more}; unsubscribing is not carried over, users do it themselves",
        named.join(", ")
    )
}

/// An option that matches no folder, by its name on the command line.
pub(crate) fn unmatched(option: &Unmatched) -> String {
    let name = match option.option {
        FolderOption::Include => "--include-folder",
        FolderOption::Exclude => "--exclude-folder",
        FolderOption::Map => "--map",
    };
    format!("{name}: {option}")
}

/// The same by its name in a batch.
pub(crate) fn unmatched_of_batch(option: &Unmatched) -> String {
    let name = match option.option {
        FolderOption::Include => "IncludeFolders",
        FolderOption::Exclude => "ExcludeFolders",
        FolderOption::Map => "FolderMap",
    };
    format!("{name}: {option}")
}

/// A message whose copy was edited: which it is, and what was edited.
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
    fn numbers_read_well() {
        let table = [
            (0, "0 B"),
            (999, "999 B"),
            (1000, "1.0 kB"),
            (12_345_678, "12.3 MB"),
            (u64::MAX, "18446744.0 TB"),
        ];
        for (octets, text) in table {
            assert_eq!(bytes(octets), text);
        }
        assert_eq!(count(1, "message", "messages"), "1 message");
        assert_eq!(count(0, "message", "messages"), "0 messages");
    }
}
