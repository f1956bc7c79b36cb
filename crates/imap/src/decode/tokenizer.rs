//! Tokens of responses: atoms, strings, literals and lists.

use bytes::Bytes;

use crate::{framer::RawResponse, limits::ResponseLimits};

/// Token, or a list of tokens.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Token {
    /// NIL, as an atom.
    Nil,
    /// An atom, including brackets and their content: `BODY[HEADER.FIELDS (DATE)]<0>`.
    Atom(Bytes),
    /// A quoted string or an inline literal.
    String(Bytes),
    /// A literal that was returned as chunks.
    Streamed(u64),
    /// A parenthesised list.
    List(Vec<Token>),
}

impl Token {
    /// Bytes of an atom or string.
    pub(crate) fn octets(&self) -> Option<&Bytes> {
        match self {
            Self::Atom(octets) | Self::String(octets) => Some(octets),
            _ => None,
        }
    }

    /// Text of an atom or string.
    pub(crate) fn text(&self) -> Option<String> {
        self.octets().map(|octets| super::text(octets))
    }

    /// Number in an atom or string.
    pub(crate) fn number<N: std::str::FromStr>(&self) -> Option<N> {
        std::str::from_utf8(self.octets()?).ok()?.parse().ok()
    }

    /// Members of a list; none for NIL.
    pub(crate) fn list(&self) -> Option<&[Token]> {
        match self {
            Self::List(members) => Some(members),
            Self::Nil => Some(&[]),
            _ => None,
        }
    }

    /// Texts of a list's members. Here NIL is an ordinary word, because flags and labels can have this name.
    pub(crate) fn texts(&self) -> Option<Vec<String>> {
        let text = |member: &Token| match member {
            Self::Nil => Some("NIL".to_owned()),
            other => other.text(),
        };
        self.list()?.iter().map(text).collect()
    }
}

/// Names of items with a section in brackets.
const SECTIONS: [&[u8]; 4] = [b"BODY", b"BINARY", b"BINARY.SIZE", b"BODY.PEEK"];

/// Reads tokens from a response.
pub(crate) struct Tokens<'a> {
    raw: &'a RawResponse,
    position: usize,
    nesting: usize,
}

impl<'a> Tokens<'a> {
    /// Returns a reader that starts at `rest`, the end of the response's text.
    pub(crate) fn after(raw: &'a RawResponse, rest: &[u8], limits: &ResponseLimits) -> Self {
        Self { raw, position: raw.text.len() - rest.len(), nesting: limits.nesting }
    }

    /// Bytes that are not read yet.
    pub(crate) fn rest(&self) -> &'a [u8] {
        &self.raw.text[self.position..]
    }

    /// Position of the next token in the response.
    pub(crate) fn position(&mut self) -> usize {
        self.skip_blanks();
        self.position
    }

    /// Bytes of the response from `start` to the current position.
    pub(crate) fn since(&self, start: usize) -> Bytes {
        self.raw.text.slice(start..self.position)
    }

    /// Takes `octet` if it is next.
    pub(crate) fn take(&mut self, octet: u8) -> bool {
        self.take_all(&[octet])
    }

    /// Takes `octets` if they are next.
    pub(crate) fn take_all(&mut self, octets: &[u8]) -> bool {
        self.skip_blanks();
        let found = self.rest().starts_with(octets);
        self.position += if found { octets.len() } else { 0 };
        found
    }

    /// True if only blanks are left.
    pub(crate) fn at_end(&mut self) -> bool {
        self.skip_blanks();
        self.rest().is_empty()
    }

    /// Returns the next token; `None` at the end, at a closing parenthesis, or if the text is malformed.
    pub(crate) fn next(&mut self) -> Option<Token> {
        self.token(self.nesting)
    }

    /// Returns all tokens to the end; `None` if one is malformed.
    pub(crate) fn all(&mut self) -> Option<Vec<Token>> {
        let mut tokens = Vec::new();
        while !self.at_end() {
            tokens.push(self.next()?);
        }
        Some(tokens)
    }

    /// Returns a list of strings.
    pub(crate) fn strings(&mut self) -> Option<Vec<String>> {
        self.next()?.texts()
    }

    fn skip_blanks(&mut self) {
        self.position += length_until(self.rest(), |octet| !is_blank(octet));
    }

    fn token(&mut self, nesting: usize) -> Option<Token> {
        self.skip_blanks();
        match *self.rest().first()? {
            b'(' => self.list(nesting.checked_sub(1)?),
            b')' => None,
            b'"' => self.quoted(),
            b'{' => self.literal(),
            b'~' if self.rest().get(1) == Some(&b'{') => {
                self.position += 1;
                self.literal()
            }
            _ => self.atom(),
        }
    }

    fn list(&mut self, nesting: usize) -> Option<Token> {
        self.position += 1;
        let mut members = Vec::new();
        while !self.take(b')') {
            members.push(self.token(nesting)?);
        }
        Some(Token::List(members))
    }

    fn quoted(&mut self) -> Option<Token> {
        let start = self.position + 1;
        let rest = &self.raw.text[start..];
        let mut unescaped: Option<Vec<u8>> = None;
        let mut index = 0;
        loop {
            match *rest.get(index)? {
                b'"' => break,
                // RFC 9051 escapes only `"` and `\`. Domino sends other backslashes unescaped.
                b'\\' if matches!(rest.get(index + 1), Some(b'"' | b'\\')) => {
                    unescaped.get_or_insert_with(|| rest[..index].to_vec()).push(rest[index + 1]);
                    index += 2;
                }
                octet => {
                    if let Some(unescaped) = &mut unescaped {
                        unescaped.push(octet);
                    }
                    index += 1;
                }
            }
        }
        self.position = start + index + 1;
        Some(Token::String(unescaped.map_or_else(|| self.raw.text.slice(start..start + index), Bytes::from)))
    }

    fn literal(&mut self) -> Option<Token> {
        let rest = self.rest();
        let close = rest.iter().position(|&octet| octet == b'}')?;
        let digits = rest[1..close].strip_suffix(b"+").unwrap_or(&rest[1..close]);
        let length: u64 = std::str::from_utf8(digits).ok()?.parse().ok()?;
        let line_end = rest[close..].iter().position(|&octet| octet == b'\n')?;
        let start = self.position + close + line_end + 1;
        if self.raw.streamed.iter().any(|&(position, _)| position == start) {
            self.position = start;
            return Some(Token::Streamed(length));
        }
        let end =
            start.checked_add(usize::try_from(length).ok()?).filter(|&end| end <= self.raw.text.len())?;
        self.position = end;
        Some(Token::String(self.raw.text.slice(start..end)))
    }

    fn atom(&mut self) -> Option<Token> {
        let rest = self.rest();
        // Only the atom is searched, never the rest of the response, which may have a million atoms.
        let mut end = length_until(rest, |octet| is_blank(octet) || matches!(octet, b'(' | b')' | b'"'));
        // Brackets contain blanks, lists and quoted strings: `BODY[HEADER.FIELDS ("X )")]`. A keyword may have a single one.
        let open = length_until(&rest[..end], |octet| octet == b'[');
        if open < end && SECTIONS.iter().any(|name| name.eq_ignore_ascii_case(&rest[..open])) {
            let mut quoted = false;
            let close = open
                + length_until(&rest[open..], |octet| {
                    quoted ^= octet == b'"';
                    octet == b']' && !quoted
                });
            // A literal may follow without a blank. As a part of the name, its bytes would be read as items.
            let ends = |octet| is_blank(octet) || matches!(octet, b'(' | b')' | b'"' | b'{' | b'~');
            end = close + length_until(rest.get(close..).filter(|rest| !rest.is_empty())?, ends);
        }
        if end == 0 {
            return None;
        }
        let start = self.position;
        self.position += end;
        let octets = self.raw.text.slice(start..start + end);
        Some(if octets.eq_ignore_ascii_case(b"NIL") { Token::Nil } else { Token::Atom(octets) })
    }
}

fn is_blank(octet: u8) -> bool {
    matches!(octet, b' ' | b'\t' | b'\r' | b'\n')
}

/// Number of bytes before the first one that ends the search.
fn length_until(octets: &[u8], mut ends: impl FnMut(u8) -> bool) -> usize {
    octets.iter().position(|&octet| ends(octet)).unwrap_or(octets.len())
}
