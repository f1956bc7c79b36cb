//! Builds commands out of arguments, so that no octet of an argument is ever taken for syntax.

use std::fmt;

use mailhaul_mail::{Flags, InternalDate, Secret, UidSet};
use zeroize::Zeroizing;

use crate::mailbox_name::MailboxName;

/// Strings up to this many octets are sent in quotes, longer ones as literals: servers limit the length of a line.
const LONGEST_QUOTED: usize = 1024;

/// A command without its tag and without the CRLF at its end.
///
/// Each argument is preceded by one blank.
///
/// ```
/// use mailhaul_imap::encode::Command;
/// let command = Command::new("LIST").astring(b"").astring(b"Say \"hi\"/%").raw("RETURN (SUBSCRIBED)");
/// assert_eq!(format!("{command:?}"), r#"LIST "" "Say \"hi\"/%" RETURN (SUBSCRIBED)"#);
/// ```
#[derive(Clone, PartialEq, Eq)]
pub struct Command {
    pub(crate) fragments: Vec<Fragment>,
}

/// A piece of a command.
#[derive(Clone, PartialEq, Eq)]
pub enum Fragment {
    /// To be sent as it is.
    Text(Vec<u8>),
    /// To be sent as a literal; its `{n}` and CRLF are not included.
    Literal(Vec<u8>),
    /// As `Text`, but never shown, and wiped when dropped.
    SecretText(Zeroizing<Vec<u8>>),
    /// As `Literal`, but never shown, and wiped when dropped.
    SecretLiteral(Zeroizing<Vec<u8>>),
}

impl Command {
    /// A command with its name, such as `UID FETCH`.
    pub fn new(name: &str) -> Self {
        debug_assert!(is_plain(name), "{name:?}");
        Self { fragments: vec![Fragment::Text(name.as_bytes().to_vec())] }
    }

    /// Text of our own, such as `(FLAGS UID)`. Never for what a user or a server said.
    #[must_use]
    pub fn raw(mut self, text: &str) -> Self {
        debug_assert!(is_plain(text), "{text:?}");
        self.blank().extend_from_slice(text.as_bytes());
        self
    }

    /// Words of our own in parentheses.
    #[must_use]
    pub fn list<'a>(self, words: impl IntoIterator<Item = &'a str>) -> Self {
        let words: Vec<_> = words.into_iter().collect();
        self.raw(&format!("({})", words.join(" ")))
    }

    /// A set of UIDs, which must not be empty: the grammar has no empty set.
    #[must_use]
    pub fn uids(self, uids: &UidSet) -> Self {
        debug_assert!(!uids.is_empty(), "a set of UIDs must not be empty");
        self.raw(&uids.to_string())
    }

    /// A mailbox name, octet by octet as the server knows it.
    #[must_use]
    pub fn mailbox(self, name: &MailboxName) -> Self {
        self.astring(name.as_wire())
    }

    /// Any octets: in quotes where that is possible, otherwise as a literal. Never as an atom, because quotes are
    /// always right, even for `NIL`.
    #[must_use]
    pub fn astring(mut self, octets: &[u8]) -> Self {
        self.blank();
        self.push_string(octets);
        self
    }

    /// Strings in parentheses, each as by [`Command::astring`].
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

    /// A password: as [`Command::astring`], but never shown.
    #[must_use]
    pub fn secret(mut self, secret: &Secret) -> Self {
        self.blank();
        let octets = secret.expose();
        self.fragments.push(if is_quotable(octets) {
            // Room for all of it at once: a vector that grows leaves copies behind.
            let mut text = Zeroizing::new(Vec::with_capacity(2 * octets.len() + 2));
            push_quoted(&mut text, octets);
            Fragment::SecretText(text)
        } else {
            Fragment::SecretLiteral(Zeroizing::new(octets.to_vec()))
        });
        self
    }

    /// Text of our own that holds a secret, such as the base64 of an initial response: never shown.
    #[must_use]
    pub fn secret_raw(mut self, text: Zeroizing<Vec<u8>>) -> Self {
        debug_assert!(text.iter().all(|octet| is_text(*octet)), "control characters in a secret text");
        self.blank();
        self.fragments.push(Fragment::SecretText(text));
        self
    }

    /// Flags in parentheses, without those that [`is_flag`] refuses.
    #[must_use]
    pub fn flags(self, flags: &Flags) -> Self {
        self.list(flags.iter().filter(|name| is_flag(name)))
    }

    /// A date and time in quotes (RFC 9051, `date-time`).
    #[must_use]
    pub fn date(self, date: InternalDate) -> Self {
        self.raw(&format!("\"{date}\""))
    }

    fn blank(&mut self) -> &mut Vec<u8> {
        let text = self.text();
        text.push(b' ');
        text
    }

    /// The text at the command's end; a new one behind a literal or a secret.
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
    /// The octets to send.
    pub fn octets(&self) -> &[u8] {
        match self {
            Self::Text(octets) | Self::Literal(octets) => octets,
            Self::SecretText(octets) | Self::SecretLiteral(octets) => octets,
        }
    }

    /// Whether it goes as a literal.
    pub fn is_literal(&self) -> bool {
        matches!(self, Self::Literal(_) | Self::SecretLiteral(_))
    }

    /// Whether it must not be shown.
    pub fn is_secret(&self) -> bool {
        matches!(self, Self::SecretText(_) | Self::SecretLiteral(_))
    }
}

/// The command in one line, as people read it in a trace: secrets are redacted, literals stand behind their `{n}`.
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

/// Whether a flag or keyword can be sent at all: an atom, with one backslash before it or none (RFC 9051, `flag`).
/// `]` is allowed too, because servers have such keywords (`[MailboxId]`) and take them back.
pub fn is_flag(name: &str) -> bool {
    let atom = name.strip_prefix('\\').unwrap_or(name);
    !atom.is_empty()
        && atom.bytes().all(|octet| {
            octet.is_ascii_graphic() && !matches!(octet, b'(' | b')' | b'{' | b'%' | b'*' | b'"' | b'\\')
        })
}

/// A character of a quoted string, but for TAB and the like, on which servers do not agree.
fn is_text(octet: u8) -> bool {
    matches!(octet, b' '..=b'~')
}

fn is_plain(text: &str) -> bool {
    text.bytes().all(is_text)
}

fn is_quotable(octets: &[u8]) -> bool {
    octets.len() <= LONGEST_QUOTED && octets.iter().all(|octet| is_text(*octet))
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
