//! Makes foreign text safe for a terminal: folder names, subjects, and texts of servers.

use std::{borrow::Cow, fmt::Write as _};

/// Replacement for control characters and invisible characters.
const REPLACEMENT: char = '\u{fffd}';

/// True for characters that control a terminal (escape sequences, cursor movements, writing
/// direction), and for invisible ones, which make different names look the same.
pub fn is_obeyed(character: char) -> bool {
    match character {
        // Zero width and direction (Unicode, chapter 23); line and paragraph separators.
        '\u{ad}'
        | '\u{61c}'
        | '\u{180e}'
        | '\u{200b}'..='\u{200f}'
        | '\u{2028}'..='\u{202e}'
        | '\u{2060}'..='\u{206f}'
        | '\u{feff}'
        | '\u{fff9}'..='\u{fffb}'
        | '\u{e0000}'..='\u{e0fff}'
        // Fillers, which are letters by name only.
        | '\u{115f}' | '\u{1160}' | '\u{3164}' | '\u{ffa0}' => true,
        other => other.is_control(),
    }
}

/// Returns the text without such characters. Line ends and tabs stay.
pub fn for_screen(text: &str) -> Cow<'_, str> {
    if !text.contains(|character| is_obeyed(character) && character != '\n' && character != '\t') {
        return Cow::Borrowed(text);
    }
    let text = text.replace("\r\n", "\n");
    let clean = |character| match character {
        '\n' | '\t' => character,
        other if is_obeyed(other) => REPLACEMENT,
        other => other,
    };
    Cow::Owned(text.chars().map(clean).collect())
}

/// Returns the text on one line, without such characters.
pub fn on_one_line(text: &str) -> Cow<'_, str> {
    match for_screen(text) {
        text if text.contains(['\n', '\t']) => Cow::Owned(text.replace(['\n', '\t'], " ")),
        text => text,
    }
}

/// Escapes such characters in the strings of a JSON text; the values stay the same.
pub fn json_for_screen(json: &str) -> Cow<'_, str> {
    let is_foreign = |character| is_obeyed(character) && character != '\n';
    if !json.contains(is_foreign) {
        return Cow::Borrowed(json);
    }
    let mut escaped = String::with_capacity(json.len());
    for character in json.chars() {
        if is_foreign(character) {
            let mut units = [0; 2];
            for unit in character.encode_utf16(&mut units) {
                // Writing to a String cannot fail.
                let _ = write!(escaped, "\\u{unit:04x}");
            }
        } else {
            escaped.push(character);
        }
    }
    Cow::Owned(escaped)
}

#[cfg(test)]
mod tests {
    use super::*;

    const FOREIGN: &str =
        "a\x1b]52;c;aGk=\x07b\x08\x08\rc\u{9b}2Jd\u{202e}e\u{200b}f\u{2028}g\u{e0041}h\u{3164}";

    #[test]
    fn nothing_moves_the_cursor_or_hides() {
        let fffd = '\u{fffd}';
        let shown =
            format!("a{fffd}]52;c;aGk={fffd}b{fffd}{fffd}{fffd}c{fffd}2Jd{fffd}e{fffd}f{fffd}g{fffd}h{fffd}");
        assert_eq!(for_screen(FOREIGN), shown);
        assert_eq!(for_screen("a\r\nb\tc"), "a\nb\tc");
        assert_eq!(on_one_line("a\r\nb\tc"), "a b c");
        for plain in ["L\u{f8}bende / \u{5d0}\u{5d1} \u{6f22}\u{5b57} e\u{301} \u{1f600}", ""] {
            assert!(matches!(for_screen(plain), Cow::Borrowed(it) if it == plain));
        }
    }

    #[test]
    fn json_keeps_its_values() {
        let json = format!("{{\n  \"a\": \"{}\"\n}}", "\u{202e}\u{9b}\u{e0041}x");
        let shown = json_for_screen(&json);
        assert_eq!(shown, "{\n  \"a\": \"\\u202e\\u009b\\udb40\\udc41x\"\n}");
    }
}
