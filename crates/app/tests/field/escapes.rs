//! Names, subjects and texts of servers with control characters for terminals.

use mailhaul_testkit::fake::when;

use crate::support::{Field, message};

/// Escape sequence, OSC 52, backspaces, carriage return, a line of its own; direction and zero width.
const WORDS: &str = "\u{1b}[2J\u{1b}]52;c;aGk=\u{7}x\u{8}\u{8}\u{9b}31m\u{202e}evil\u{200b}";

/// Output and report contain no control characters.
#[track_caller]
fn is_harmless(text: &str) {
    for character in ['\u{1b}', '\u{7}', '\u{8}', '\u{9b}', '\u{202e}', '\u{200b}', '\u{feff}'] {
        assert!(!text.contains(character), "{character:?} in {text:?}");
    }
    assert!(!text.replace("\r\n", "\n").contains('\r'), "{text:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_that_is_printed_is_obeyed_by_a_terminal() {
    let field = Field::of_5().await;
    // U+202E and U+200B in modified UTF-7, and characters that stand for themselves.
    field.give("Evil&IC4gCw-", (11..=12).map(message));
    let subject = format!("Subject: {WORDS}");
    let odd = String::from_utf8(message(6)).unwrap().replace("Subject: Number 006", &subject);
    field.give("INBOX", [odd.into_bytes()]);
    field.target.lie(when("APPEND").holding("evil").answer(&format!("t NO [X-{WORDS}] {WORDS}")));
    field.source.lie(when("SELECT *Evil | EXAMINE *Evil").answer(&format!("t NO {WORDS}")));
    for more in [&["--json", "--verbose"][..], &["--verbose"], &["--json", "--dry-run"], &["--dry-run"]] {
        let run = field.run_as_text(more);
        is_harmless(&run.text);
        assert!(run.text.contains("vil"), "{}", run.text);
    }
}
