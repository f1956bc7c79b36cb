//! Builds commands from arguments. No byte of an argument is ever read as syntax.

use std::fmt;

use mailhaul_mail::{Flags, InternalDate, Secret, UidSet};
use zeroize::Zeroizing;

use crate::mailbox_name::MailboxName;

/// Longest string that is sent in quotes, in bytes. Longer ones are literals, because servers limit the length of a line.
const MAX_QUOTED_LENGTH: usize = 1024;

/// A command without its tag and without the CRLF at its end.
///
/// One blank precedes each argument.
///
/// ```
/// use mailhaul_imap::Command;
/// let command = Command::new("LIST").astring(b"").astring(b"Say \"hi\"/%").raw("RETURN (SUBSCRIBED)");
/// assert_eq!(format!("{command:?}"), r#"LIST "" "Say \"hi\"/%" RETURN (SUBSCRIBED)"#);
/// ```
#[derive(Clone, PartialEq, Eq)]
pub struct Command {
    pub(crate) fragments: Vec<Fragment>,
}

/// Part of a command.
#[derive(Clone, PartialEq, Eq)]
pub enum Fragment {
    /// Sent as it is.
    Text(Vec<u8>),
    /// Sent as a literal, without its `{n}` and CRLF.
    Literal(Vec<u8>),
    /// Like `Text`, but never shown, and wiped when dropped.
    SecretText(Zeroizing<Vec<u8>>),
    /// Like `Literal`, but never shown, and wiped when dropped.
    SecretLiteral(Zeroizing<Vec<u8>>),
}

impl Command {
    /// Returns a command with its name, such as `UID FETCH`.
    pub fn new(name: &str) -> Self {
        debug_assert!(is_plain(name), "{name:?}");
        Self { fragments: vec![Fragment::Text(name.as_bytes().to_vec())] }
    }

    /// Adds constant text, such as `(FLAGS UID)`. Never for text from a user or a server.
    #[must_use]
    pub fn raw(mut self, text: &str) -> Self {
        debug_assert!(is_plain(text), "{text:?}");
        self.blank().extend_from_slice(text.as_bytes());
        self
    }

    /// Adds constant words in parentheses.
    #[must_use]
    pub fn list<'a>(self, words: impl IntoIterator<Item = &'a str>) -> Self {
        let words: Vec<_> = words.into_iter().collect();
        self.raw(&format!("({})", words.join(" ")))
    }

    /// Adds a set of UIDs, which must not be empty. A range up to the greatest UID ends with `*`.
    ///
    /// Protocol: `*` is the last message (RFC 9051, section 6.4.8), even if its UID is below the range. In an empty mailbox it
    /// has no meaning.
    #[must_use]
    pub fn uids(self, uids: &UidSet) -> Self {
        debug_assert!(!uids.is_empty(), "a set of UIDs must not be empty");
        let text = uids.to_string();
        match text.strip_suffix(":4294967295") {
            Some(begin) => self.raw(&format!("{begin}:*")),
            None => self.raw(&text),
        }
    }

    /// Adds a mailbox name, byte by byte as the server knows it.
    #[must_use]
    pub fn mailbox(self, name: &MailboxName) -> Self {
        self.astring(name.as_wire())
    }

    /// Adds any bytes: in quotes if possible, otherwise as a literal.
    ///
    /// Never as an atom, because quotes are always correct, even for `NIL`.
    #[must_use]
    pub fn astring(mut self, octets: &[u8]) -> Self {
        self.blank();
        self.push_string(octets);
        self
    }

    /// Adds strings in parentheses, each as with [`Command::astring`].
    #[must_use]
    pub fn strings<S: AsRef<[u8]>>(mut self, strings: impl IntoIterator<Item = S>) -> Self {
        self.blank().push(b'(');
        for (index, string) in strings.into_iter().enumerate() {
            if index > 0 {
                self.blank();
            }
            self.push_string(string.as_ref());
        }
        self.text().push(b')');
        self
    }

    /// Adds a password: like [`Command::astring`], but never shown.
    #[must_use]
    pub fn secret(mut self, secret: &Secret) -> Self {
        self.blank();
        let octets = secret.expose();
        self.fragments.push(if is_quotable(octets) {
            // The vector has its final capacity from the start, because growing leaves copies of the secret.
            let mut text = Zeroizing::new(Vec::with_capacity(2 * octets.len() + 2));
            push_quoted(&mut text, octets);
            Fragment::SecretText(text)
        } else {
            Fragment::SecretLiteral(Zeroizing::new(octets.to_vec()))
        });
        self
    }

    /// Adds text with a secret, such as the base64 of an initial response. It is never shown.
    #[must_use]
    pub fn secret_raw(mut self, text: Zeroizing<Vec<u8>>) -> Self {
        debug_assert!(text.iter().all(|octet| is_text(*octet)), "control characters in a secret text");
        self.blank();
        self.fragments.push(Fragment::SecretText(text));
        self
    }

    /// Adds flags in parentheses, without those that [`is_flag`] refuses.
    #[must_use]
    pub fn flags(self, flags: &Flags) -> Self {
        self.list(flags.iter().filter(|name| is_flag(name)))
    }

    /// Adds a date and time in quotes (RFC 9051, `date-time`).
    #[must_use]
    pub fn date(self, date: InternalDate) -> Self {
        self.raw(&format!("\"{date}\""))
    }

    fn blank(&mut self) -> &mut Vec<u8> {
        let text = self.text();
        text.push(b' ');
        text
    }

    /// Returns the text at the end of the command; a new one after a literal or a secret.
    fn text(&mut self) -> &mut Vec<u8> {
        if !matches!(self.fragments.last(), Some(Fragment::Text(_))) {
            self.fragments.push(Fragment::Text(Vec::new()));
        }
        match self.fragments.last_mut() {
            Some(Fragment::Text(text)) => text,
            _ => unreachable!("the last fragment is a text"),
        }
    }

    fn push_string(&mut self, octets: &[u8]) {
        if is_quotable(octets) {
            push_quoted(self.text(), octets);
        } else {
            self.fragments.push(Fragment::Literal(octets.to_vec()));
        }
    }
}

impl Fragment {
    /// Returns the bytes to send.
    pub fn octets(&self) -> &[u8] {
        match self {
            Self::Text(octets) | Self::Literal(octets) => octets,
            Self::SecretText(octets) | Self::SecretLiteral(octets) => octets,
        }
    }

    /// True if the fragment is sent as a literal.
    pub fn is_literal(&self) -> bool {
        matches!(self, Self::Literal(_) | Self::SecretLiteral(_))
    }

    /// True if the fragment must not be shown.
    pub fn is_secret(&self) -> bool {
        matches!(self, Self::SecretText(_) | Self::SecretLiteral(_))
    }
}

/// Prints the command on one line for a trace: secrets are redacted, and literals follow their `{n}`.
impl fmt::Debug for Command {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.fragments.iter().try_for_each(|fragment| fragment.fmt(f))
    }
}

impl fmt::Debug for Fragment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Text(octets) => f.write_str(&String::from_utf8_lossy(octets)),
            Self::Literal(octets) => write!(f, "{{{}}} {}", octets.len(), octets.escape_ascii()),
            Self::SecretText(_) | Self::SecretLiteral(_) => f.write_str("[redacted]"),
        }
    }
}

/// True if a flag or keyword can be sent: an atom, with at most one backslash before it (RFC 9051, `flag`).
///
/// `]` is allowed too, because some servers have keywords with brackets and accept them.
pub fn is_flag(name: &str) -> bool {
    let atom = name.strip_prefix('\\').unwrap_or(name);
    !atom.is_empty()
        && atom.bytes().all(|octet| {
            octet.is_ascii_graphic() && !matches!(octet, b'(' | b')' | b'{' | b'%' | b'*' | b'"' | b'\\')
        })
}

/// True for a character of a quoted string, except control characters such as TAB, which some servers refuse.
fn is_text(octet: u8) -> bool {
    matches!(octet, b' '..=b'~')
}

fn is_plain(text: &str) -> bool {
    text.bytes().all(is_text)
}

fn is_quotable(octets: &[u8]) -> bool {
    octets.len() <= MAX_QUOTED_LENGTH && octets.iter().all(|octet| is_text(*octet))
}

fn push_quoted(text: &mut Vec<u8>, octets: &[u8]) {
    text.push(b'"');
    for &octet in octets {
        if matches!(octet, b'"' | b'\\') {
            text.push(b'\\');
        }
        text.push(octet);
    }
    text.push(b'"');
}

#[cfg(test)]
mod tests {
    use mailhaul_mail::Uid;
    use proptest::prelude::*;

    use super::*;

    /// Returns the bytes on the wire, with literals as `{n}`.
    fn wire(command: &Command) -> Vec<u8> {
        let mut wire = Vec::new();
        for fragment in &command.fragments {
            if fragment.is_literal() {
                wire.extend_from_slice(format!("{{{}}}\r\n", fragment.octets().len()).as_bytes());
            }
            wire.extend_from_slice(fragment.octets());
        }
        wire
    }

    fn text(command: &Command) -> String {
        String::from_utf8(wire(command)).unwrap()
    }

    #[test]
    fn arguments_are_written_as_the_grammar_wants_them() {
        let uids: UidSet = [1, 2, 3, 7].into_iter().filter_map(Uid::new).collect();
        let command = Command::new("UID FETCH").uids(&uids).list(["UID", "FLAGS"]);
        assert_eq!(text(&command), "UID FETCH 1:3,7 (UID FLAGS)");

        let date = InternalDate::parse("7-Jul-1996 02:44:25 -0700").unwrap();
        let flags: Flags = ["\\Seen", "$Forwarded"].into_iter().collect();
        let command =
            Command::new("APPEND").mailbox(&MailboxName::from_text("Gelöscht")).flags(&flags).date(date);
        assert_eq!(
            text(&command),
            r#"APPEND "Gel&APY-scht" (\Seen $Forwarded) " 7-Jul-1996 02:44:25 -0700""#
        );

        assert_eq!(text(&Command::new("ID").strings(["name", "a\"b"])), r#"ID ("name" "a\"b")"#);
    }

    #[test]
    fn text_that_cannot_be_quoted_is_a_literal() {
        let command = Command::new("X").astring(b"a\r\nb").strings([&b"\0"[..], b"c", b"\xfc"]).raw("Y");
        assert_eq!(wire(&command), b"X {4}\r\na\r\nb ({1}\r\n\0 \"c\" {1}\r\n\xfc) Y");
        assert_eq!(Command::new("X").astring(&[b'x'; 1024]).fragments.len(), 1);
        assert_eq!(Command::new("X").astring(&[b'x'; 1025]).fragments.len(), 2);
    }

    #[test]
    fn flags_that_would_break_the_command_are_left_out() {
        let names =
            ["\\Seen", "a b", "x)", "{3}", "\r\nA1 LOGOUT", "\\*", "\\", "naïve", "a\\b", "[ok]", "$MDNSent"];
        let flags: Flags = names.into_iter().collect();
        assert_eq!(text(&Command::new("X").flags(&flags)), "X (\\Seen $MDNSent [ok])");
        assert_eq!(text(&Command::new("X").flags(&Flags::new())), "X ()");
    }

    #[test]
    fn secrets_are_sent_but_not_shown() {
        for secret in ["hunter2", "hunter2\"\\", "hunter2\u{fc}\r\n"] {
            let command = Command::new("LOGIN").astring(b"me").secret(&Secret::new(secret)).raw("X");
            assert_eq!(format!("{command:?}"), "LOGIN \"me\" [redacted] X");
            assert_eq!(
                wire(&command),
                wire(&Command::new("LOGIN").astring(b"me").astring(secret.as_bytes()).raw("X"))
            );
        }
        let command = Command::new("AUTHENTICATE PLAIN").secret_raw(Zeroizing::new(b"AGh1bnRlcjI=".to_vec()));
        assert_eq!(format!("{command:?}"), "AUTHENTICATE PLAIN [redacted]");
        assert_eq!(text(&command), "AUTHENTICATE PLAIN AGh1bnRlcjI=");
    }

    /// Reads strings as a server does; `None` if anything else follows.
    fn read_strings(mut rest: &[u8]) -> Option<Vec<Vec<u8>>> {
        let mut strings = Vec::new();
        while let Some(argument) = rest.strip_prefix(b" ") {
            let mut string = Vec::new();
            if let Some(literal) = argument.strip_prefix(b"{") {
                let end = literal.iter().position(|octet| *octet == b'}')?;
                let length: usize = std::str::from_utf8(&literal[..end]).ok()?.parse().ok()?;
                let octets = literal[end + 1..].strip_prefix(b"\r\n")?;
                string.extend_from_slice(octets.get(..length)?);
                rest = &octets[length..];
            } else {
                let mut octets = argument.strip_prefix(b"\"")?.iter();
                loop {
                    match octets.next()? {
                        b'"' => break,
                        b'\\' => string.push(*octets.next()?),
                        b'\r' | b'\n' | 0 | 0x80.. => return None,
                        octet => string.push(*octet),
                    }
                }
                rest = octets.as_slice();
            }
            strings.push(string);
        }
        rest.is_empty().then_some(strings)
    }

    proptest! {
        #[test]
        fn any_octets_arrive_as_they_are(
            strings in prop::collection::vec(
                prop_oneof![
                    prop::collection::vec(any::<u8>(), 0..20),
                    "[a-z\"\\\\{}()*% ]{0,20}".prop_map(String::into_bytes),
                ],
                0..6,
            ),
        ) {
            let command = strings.iter().fold(Command::new("X"), |command, string| command.astring(string));
            prop_assert_eq!(read_strings(&wire(&command)[1..]), Some(strings));
        }
    }
}
