//! Folders as directories below the root: Maildir++, in the spelling of Dovecot.
//!
//! `Sent/2020` is `.Sent.2020`, in modified UTF-7. Characters that a segment cannot hold are written as
//! Dovecot's plugin `listescape` writes them: `a.b` is `a\2eb`, `\` is `\5c`, a leading `~` is `\7e`. A
//! Dovecot with that plugin shows the original name. Characters that the plugin cannot write change the
//! name that Dovecot shows: `/` is `\2f`, NUL is `\00`, an empty segment is `\-`.

use std::fmt::Write as _;

use mailhaul_imap::MailboxName;
use mailhaul_mail::{Digest, FolderPath};

/// Bytes of a directory's name. File systems take 255, some a little less.
const LONGEST: usize = 240;
/// Prefix of a digest that replaces a longer name.
const LONG: &str = ".\\5c+";
/// Digits of a digest.
const DIGITS: usize = 32;

/// The directory of the folder below the root; empty for INBOX, which is the root.
///
/// Invariant: two folders have different names.
pub(super) fn directory(path: &FolderPath) -> String {
    if path.is_inbox() {
        return String::new();
    }
    let name = in_full(path);
    if name.len() <= LONGEST { name } else { format!("{LONG}{}", Digest::of(name.as_bytes())) }
}

fn in_full(path: &FolderPath) -> String {
    let mut name = String::new();
    for segment in path.segments() {
        name.push('.');
        escape(&visible(segment), &mut name);
    }
    String::from_utf8_lossy(MailboxName::from_text(&name).as_wire()).into_owned()
}

/// True if the directory's name replaces a longer one, which a file in it holds.
pub(super) fn is_long(directory: &str) -> bool {
    directory.strip_prefix(LONG).is_some_and(is_digest)
}

/// The folder of a directory with a short name; `None` for names that no folder of mailhaul has.
pub(super) fn path(name: &str) -> Option<FolderPath> {
    let text = MailboxName::from_wire(name).to_text();
    let segments: Option<Vec<String>> =
        text.strip_prefix('.')?.split('.').map(|it| unescape(it).map(|it| unescape_visible(&it))).collect();
    // Invariant: two directories are never one folder. Of several spellings only mailhaul's counts.
    segments.map(FolderPath::new).filter(|path| directory(path) == name)
}

fn is_digest(text: &str) -> bool {
    text.len() == DIGITS && text.bytes().all(is_digit)
}

fn is_digit(octet: u8) -> bool {
    matches!(octet, b'0'..=b'9' | b'a'..=b'f')
}

/// The character of two hex digits behind a backslash.
fn code(text: &str) -> Option<char> {
    let digits = text.get(..2).filter(|it| it.bytes().all(is_digit))?;
    u8::from_str_radix(digits, 16).ok().filter(u8::is_ascii).map(char::from)
}

/// The segment as Dovecot's users see it.
fn visible(segment: &str) -> String {
    if segment.is_empty() {
        return "\\-".to_owned();
    }
    let mut shown = String::with_capacity(segment.len());
    for (index, character) in segment.char_indices() {
        let is_coded = match character {
            '/' | '\0' => true,
            // A backslash that would be read as an escape.
            '\\' => {
                let rest = &segment[index + 1..];
                let is_sign = rest == "-" || rest.strip_prefix('+').is_some_and(is_digest);
                code(rest).is_some() || (index == 0 && is_sign)
            }
            _ => false,
        };
        if is_coded {
            // Writing into a string does not fail.
            _ = write!(shown, "\\{:02x}", u32::from(character));
        } else {
            shown.push(character);
        }
    }
    shown
}

/// Reverses [`visible`].
fn unescape_visible(shown: &str) -> String {
    if shown == "\\-" {
        return String::new();
    }
    let mut segment = String::with_capacity(shown.len());
    let mut rest = shown;
    while let Some(character) = rest.chars().next() {
        rest = &rest[character.len_utf8()..];
        if character == '\\'
            && let Some(coded) = code(rest)
        {
            segment.push(coded);
            rest = &rest[2..];
        } else {
            segment.push(character);
        }
    }
    segment
}

/// Writes the segment as the plugin does.
fn escape(shown: &str, name: &mut String) {
    for (index, character) in shown.char_indices() {
        match character {
            '.' => name.push_str("\\2e"),
            '\\' => name.push_str("\\5c"),
            '~' if index == 0 => name.push_str("\\7e"),
            other => name.push(other),
        }
    }
}

/// Reverses [`escape`]; `None` for texts that `escape` never writes.
fn unescape(name: &str) -> Option<String> {
    let mut parts = name.split('\\');
    let mut shown = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        shown.push(code(part)?);
        shown.push_str(&part[2..]);
    }
    Some(shown)
}

#[cfg(test)]
mod tests {
    use std::path::{Component, Path};

    use proptest::prelude::*;

    use super::*;

    #[test]
    fn names_are_those_of_dovecot() {
        for (folder, name) in [
            ("INBOX", ""),
            ("inbox/Sub", ".INBOX.Sub"),
            ("Sent/2020", ".Sent.2020"),
            ("Gelöscht/日本語", ".Gel&APY-scht.&ZeVnLIqe-"),
            ("a.b/c d", ".a\\2eb.c d"),
            ("&-tilde~", ".&--tilde~"),
            ("~lead/~x", ".\\7elead.\\7ex"),
            ("a\\\\b", ".a\\5cb"),
            ("a\\/b", ".a\\5c2fb"),
            ("a//b", ".a.\\5c-.b"),
            ("", ".\\5c-"),
            (".", ".\\2e"),
            ("..", ".\\2e\\2e"),
            ("cur", ".cur"),
            ("x/inbox", ".x.inbox"),
            ("\\\\-", ".\\5c5c-"),
            ("\\\\2f", ".\\5c5c2f"),
            ("new\nline", ".new&AAo-line"),
        ] {
            let parsed = FolderPath::parse(folder);
            assert_eq!(directory(&parsed), name, "{folder}");
            if !name.is_empty() {
                assert_eq!(path(name), Some(parsed), "{name}");
            }
        }
        let long = FolderPath::new(["日本語".repeat(40)]);
        assert!(is_long(&directory(&long)) && directory(&long).len() == LONG.len() + DIGITS);
        // A folder whose name looks like a replaced long name is another folder.
        let sly = FolderPath::new([format!("\\{}", &directory(&long)[LONG.len() - 1..])]);
        assert!(!is_long(&directory(&sly)), "{}", directory(&sly));
        assert_eq!(path(&directory(&sly)), Some(sly));
    }

    #[test]
    fn what_others_write_otherwise_is_no_folder_of_ours() {
        for name in [
            ".", "..", ".INBOX", ".inbox.x", ".a\\b", ".a\\2fb", ".a..b", ".&AGE-", "cur", ".\\7Ea", ".a\\7e",
        ] {
            assert_eq!(path(name), None, "{name}");
        }
    }

    /// Segments made of difficult parts.
    fn segment() -> impl Strategy<Value = String> {
        let hard = prop::sample::select(vec![
            ".",
            "/",
            "\\",
            "~",
            "&",
            "-",
            "+",
            "2e",
            "5c",
            "2f",
            "00",
            "\0",
            "\n",
            "\t",
            "ü",
            "語",
            "\u{1F4E7}",
            "INBOX",
            "inbox",
            "cur",
            "a",
            "A",
            " ",
            ",",
            ":",
            "*",
            "%",
        ]);
        prop_oneof![
            4 => prop::collection::vec(hard, 0..6).prop_map(|it| it.concat()),
            1 => ".{0,8}",
            1 => "[a-z]{230,250}",
        ]
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: 4000, failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn every_folder_has_a_directory_of_its_own_inside_the_root(
            one in prop::collection::vec(segment(), 1..4),
            other in prop::collection::vec(segment(), 1..4),
        ) {
            let (one, other) = (FolderPath::new(one), FolderPath::new(other));
            let name = directory(&one);
            prop_assert_eq!(name == directory(&other), one == other, "{} {}", one, other);
            if one.is_inbox() {
                prop_assert_eq!(name, "");
            } else {
                prop_assert!(name.len() <= LONGEST);
                prop_assert!(name.bytes().all(|octet| (b' '..=b'~').contains(&octet)));
                let components: Vec<Component<'_>> = Path::new(&name).components().collect();
                prop_assert!(matches!(components.as_slice(), [Component::Normal(it)] if *it == name.as_str()), "{}", name);
                prop_assert!(name.starts_with('.') && name.len() > 1);
                if !is_long(&name) {
                    prop_assert_eq!(path(&name), Some(one));
                }
            }
        }

        #[test]
        fn no_name_of_a_directory_is_read_as_that_of_another(name in "\\.[a-c.&~/\\\\2-]{0,12}") {
            if let Some(folder) = path(&name) {
                prop_assert_eq!(directory(&folder), name);
            }
        }
    }
}
