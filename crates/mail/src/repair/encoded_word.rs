//! Encodes header bytes that are not ASCII: parameters by RFC 2231, other text by RFC 2047.
//!
//! Bytes that are not UTF-8 have an unknown charset. They are labelled `unknown-8bit` (RFC 1428),
//! so that all of them can be recovered.

use super::fields::{bare, is_blank, name_length};

/// Maximum characters of an encoded word (RFC 2047, section 2).
const WORD: usize = 75;

/// Characters that separate the words of an address or list.
const SPECIALS: &[u8] = b"()<>[]:;@\\,\"";

/// Returns the field in ASCII, and true if its bytes were UTF-8. Returns `None` if it is ASCII.
pub(super) fn encoded(field: &[u8]) -> Option<(Vec<u8>, bool)> {
    if field.is_ascii() {
        return None;
    }
    let is_utf8 = std::str::from_utf8(field).is_ok();
    let charset = if is_utf8 { "utf-8" } else { "unknown-8bit" };
    let colon = name_length(field)?;
    let (name, value) = field.split_at(colon + 1);
    let kind = Kind::of(&name[..colon]);
    let mut out = name.to_vec();
    let end = value.len() - bare(value).len();
    let (value, end) = value.split_at(value.len() - end);
    let mut words = Words { charset, is_utf8, out: &mut out };
    for token in tokens(value, kind) {
        words.push(token);
    }
    out.extend_from_slice(end);
    Some((out, is_utf8))
}

/// Structure of a field's value.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    /// Words and spaces.
    Text,
    /// Words, quotations, comments and special characters.
    Structured,
    /// A structured value with parameters.
    Parameters,
}

impl Kind {
    fn of(name: &[u8]) -> Self {
        const STRUCTURED: [&str; 14] = [
            "From",
            "Sender",
            "Reply-To",
            "To",
            "Cc",
            "Bcc",
            "Message-ID",
            "In-Reply-To",
            "References",
            "Received",
            "Return-Path",
            "Resent-From",
            "Resent-To",
            "Resent-Cc",
        ];
        const PARAMETERS: [&str; 2] = ["Content-Type", "Content-Disposition"];
        let is_among = |names: &[&str]| names.iter().any(|it| name.eq_ignore_ascii_case(it.as_bytes()));
        if is_among(&PARAMETERS) {
            Self::Parameters
        } else if is_among(&STRUCTURED) {
            Self::Structured
        } else {
            Self::Text
        }
    }
}

enum Token<'a> {
    /// Copied as it is.
    Plain(&'a [u8]),
    /// Words to encode, with the spaces between them.
    Words(Vec<u8>),
    /// Parameter to encode: its name, and its value without quotes.
    Parameter(&'a [u8], Vec<u8>),
}

/// Splits a value. Words to encode that only spaces separate are one token, because spaces between
/// encoded words do not count.
fn tokens(value: &[u8], kind: Kind) -> Vec<Token<'_>> {
    let mut tokens: Vec<Token<'_>> = Vec::new();
    let mut rest = value;
    while let Some(&first) = rest.first() {
        let length = match kind {
            _ if is_space(first) => run(rest, is_space),
            Kind::Text => run(rest, |it| !is_space(it)),
            _ if first == b'"' => quotation(rest),
            _ if SPECIALS.contains(&first) => 1,
            _ => run(rest, |it| !is_space(it) && !SPECIALS.contains(&it)),
        };
        let (piece, after) = rest.split_at(length);
        rest = after;
        if piece.is_ascii() {
            tokens.push(Token::Plain(piece));
            continue;
        }
        let is_quotation = piece.starts_with(b"\"") && kind != Kind::Text;
        let words = if is_quotation { unquoted(piece) } else { piece.to_vec() };
        let equals = parameter(piece).filter(|_| kind == Kind::Parameters && !is_quotation);
        if let Some(equals) = equals {
            tokens.push(Token::Parameter(&piece[..equals], piece[equals + 1..].to_vec()));
            continue;
        }
        match tokens.as_mut_slice() {
            [.., Token::Plain(before)] if kind == Kind::Parameters && before.ends_with(b"=") => {
                let name = *before;
                tokens.pop();
                tokens.push(Token::Parameter(&name[..name.len() - 1], words));
            }
            [.., Token::Words(before), Token::Plain(blanks)] if blanks.iter().all(|it| is_space(*it)) => {
                // Unfolds.
                before.extend(blanks.iter().filter(|it| is_blank(**it)));
                before.extend(words);
                tokens.pop();
            }
            _ => tokens.push(Token::Words(words)),
        }
    }
    tokens
}

fn is_space(octet: u8) -> bool {
    matches!(octet, b' ' | b'\t' | b'\r' | b'\n')
}

fn run(octets: &[u8], of: impl Fn(u8) -> bool) -> usize {
    octets.iter().position(|it| !of(*it)).unwrap_or(octets.len())
}

/// Length of the quotation, including its end.
fn quotation(octets: &[u8]) -> usize {
    let mut is_escaped = false;
    for (index, octet) in octets.iter().enumerate().skip(1) {
        match octet {
            _ if is_escaped => is_escaped = false,
            b'\\' => is_escaped = true,
            b'"' => return index + 1,
            _ => {}
        }
    }
    octets.len()
}

fn unquoted(quotation: &[u8]) -> Vec<u8> {
    let inner = quotation.strip_prefix(b"\"").unwrap_or(quotation);
    let inner = inner.strip_suffix(b"\"").unwrap_or(inner);
    let mut out = Vec::with_capacity(inner.len());
    let mut is_escaped = false;
    for &octet in inner {
        is_escaped = octet == b'\\' && !is_escaped;
        // Unfolds inside the quotation.
        if !is_escaped && !matches!(octet, b'\r' | b'\n') {
            out.push(octet);
        }
    }
    out
}

/// Position of the `=` in `name=value`.
fn parameter(word: &[u8]) -> Option<usize> {
    let equals = word.iter().position(|it| *it == b'=')?;
    let is_name = equals > 0 && word[..equals].iter().all(|it| it.is_ascii_alphanumeric() || *it == b'-');
    is_name.then_some(equals)
}

struct Words<'a> {
    charset: &'static str,
    is_utf8: bool,
    out: &'a mut Vec<u8>,
}

impl Words<'_> {
    fn push(&mut self, token: Token<'_>) {
        match token {
            Token::Plain(octets) => {
                // An encoded word must be separated from other text (RFC 2047, section 5).
                if self.out.ends_with(b"?=") && octets.first().is_some_and(|it| *it == b'"') {
                    self.out.push(b' ');
                }
                self.out.extend_from_slice(octets);
            }
            Token::Words(octets) => self.encode(&octets),
            Token::Parameter(name, octets) => self.parameter(name, &octets),
        }
    }

    fn encode(&mut self, octets: &[u8]) {
        if self.out.last() == Some(&b'"') {
            self.out.push(b' ');
        }
        let room = WORD - "=???Q??=".len() + 1 - self.charset.len();
        let mut word = Vec::new();
        for character in self.characters(octets) {
            let mut quoted = Vec::new();
            for &octet in character {
                match octet {
                    b' ' => quoted.push(b'_'),
                    b'0'..=b'9' | b'a'..=b'z' | b'A'..=b'Z' | b'!' | b'*' | b'+' | b'-' | b'/' => {
                        quoted.push(octet);
                    }
                    other => quoted.extend_from_slice(format!("={other:02X}").as_bytes()),
                }
            }
            if word.len() + quoted.len() > room {
                self.word(&word);
                self.out.extend_from_slice(b"\r\n ");
                word.clear();
            }
            word.extend(quoted);
        }
        self.word(&word);
    }

    fn word(&mut self, quoted: &[u8]) {
        self.out.extend_from_slice(format!("=?{}?Q?", self.charset).as_bytes());
        self.out.extend_from_slice(quoted);
        self.out.extend_from_slice(b"?=");
    }

    /// Encodes a parameter by RFC 2231, in one piece: file names are no long lines.
    fn parameter(&mut self, name: &[u8], octets: &[u8]) {
        self.out.extend_from_slice(name);
        self.out.extend_from_slice(format!("*={}''", self.charset).as_bytes());
        for &octet in octets {
            match octet {
                b'0'..=b'9' | b'a'..=b'z' | b'A'..=b'Z' | b'-' | b'.' | b'_' => self.out.push(octet),
                other => self.out.extend_from_slice(format!("%{other:02X}").as_bytes()),
            }
        }
    }

    /// Splits the bytes into characters; an encoded word never ends inside one.
    fn characters<'o>(&self, octets: &'o [u8]) -> Vec<&'o [u8]> {
        let begins = |octet: u8| !self.is_utf8 || octet & 0xC0 != 0x80;
        let mut characters = Vec::new();
        let mut start = 0;
        for index in 1..=octets.len() {
            if octets.get(index).is_none_or(|it| begins(*it)) {
                characters.push(&octets[start..index]);
                start = index;
            }
        }
        characters
    }
}
