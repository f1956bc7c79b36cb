//! Commands as tokens, sets of numbers, and strings in wire form.

use std::fmt::Write as _;

use super::octets::replace;

/// A piece of a command.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Token {
    /// A word, with its brackets and their contents.
    Word(String),
    /// A quoted string.
    Quoted(Vec<u8>),
    /// A literal.
    Literal(Vec<u8>),
    Open,
    Close,
}

/// A command in wire form: texts, each with the literal that follows it.
#[derive(Debug, Default)]
pub(super) struct Raw {
    pub(super) pieces: Vec<(Vec<u8>, Option<Vec<u8>>)>,
}

impl Raw {
    /// Returns the tag, and the text after it with the announcements of literals.
    pub(super) fn line(&self) -> (String, String) {
        let text: Vec<u8> = self.pieces.iter().flat_map(|(text, _)| text).copied().collect();
        let text = String::from_utf8_lossy(&text);
        let (tag, line) = text.split_once(' ').unwrap_or((&text, ""));
        (tag.to_owned(), line.to_owned())
    }

    /// Returns the bytes of all literals.
    pub(super) fn octets(&self) -> Vec<u8> {
        self.pieces.iter().filter_map(|(_, literal)| literal.as_ref()).flatten().copied().collect()
    }

    /// Replaces `from` by `to` in the text and in literals.
    pub(super) fn change(&mut self, from: &[u8], to: &[u8]) {
        for (text, literal) in &mut self.pieces {
            *text = replace(text, from, to);
            if let Some(string) = literal {
                *string = replace(string, from, to);
            }
        }
    }

    /// Returns all tokens; `None` for invalid syntax.
    pub(super) fn tokens(self) -> Option<Vec<Token>> {
        let mut tokens = Vec::new();
        for (text, literal) in self.pieces {
            let text =
                if literal.is_some() { &text[..text.iter().rposition(|it| *it == b'{')?] } else { &text };
            words(text, &mut tokens)?;
            tokens.extend(literal.map(Token::Literal));
        }
        Some(tokens)
    }
}

fn words(text: &[u8], tokens: &mut Vec<Token>) -> Option<()> {
    let mut rest = text;
    while let Some((&first, after)) = rest.split_first() {
        match first {
            b' ' => rest = after,
            b'(' => {
                tokens.push(Token::Open);
                rest = after;
            }
            b')' => {
                tokens.push(Token::Close);
                rest = after;
            }
            b'"' => {
                let mut string = Vec::new();
                let mut octets = after.iter();
                loop {
                    match octets.next()? {
                        b'"' => break,
                        b'\\' => string.push(*octets.next()?),
                        octet => string.push(*octet),
                    }
                }
                tokens.push(Token::Quoted(string));
                rest = octets.as_slice();
            }
            _ => {
                let mut brackets = 0;
                let end = rest.iter().position(|octet| {
                    match octet {
                        b'[' => brackets += 1,
                        b']' => brackets -= 1,
                        _ => {}
                    }
                    brackets == 0 && matches!(octet, b' ' | b'(' | b')' | b'"')
                });
                let (word, after) = rest.split_at(end.unwrap_or(rest.len()));
                tokens.push(Token::Word(String::from_utf8_lossy(word).into_owned()));
                rest = after;
            }
        }
    }
    Some(())
}

/// The unread rest of a command.
pub(super) struct Arguments<'a>(pub(super) &'a [Token]);

impl<'a> Arguments<'a> {
    pub(super) fn next(&mut self) -> Option<&'a Token> {
        let (first, rest) = self.0.split_first()?;
        self.0 = rest;
        Some(first)
    }

    /// Reads a word or a string, as text.
    pub(super) fn string(&mut self) -> Option<String> {
        match self.next()? {
            Token::Word(word) => Some(word.clone()),
            Token::Quoted(octets) | Token::Literal(octets) => {
                Some(String::from_utf8_lossy(octets).into_owned())
            }
            Token::Open | Token::Close => None,
        }
    }

    /// Reads a word in upper case.
    pub(super) fn word(&mut self) -> Option<String> {
        match self.next()? {
            Token::Word(word) => Some(word.to_ascii_uppercase()),
            _ => None,
        }
    }

    /// Reads the words of a list, or one word without parentheses.
    pub(super) fn list(&mut self) -> Option<Vec<String>> {
        match self.next()? {
            Token::Open => {}
            Token::Word(word) => return Some(vec![word.clone()]),
            _ => return None,
        }
        let mut words = Vec::new();
        loop {
            match self.next()? {
                Token::Close => return Some(words),
                Token::Word(word) => words.push(word.clone()),
                Token::Open => {
                    self.0.iter().position(|it| *it == Token::Close)?;
                    while !matches!(self.next()?, Token::Close) {}
                }
                Token::Quoted(octets) | Token::Literal(octets) => {
                    words.push(String::from_utf8_lossy(octets).into_owned());
                }
            }
        }
    }
}

/// Returns the numbers that are in a set such as `1:4,9,12:*`.
pub(super) fn among(set: &str, numbers: impl DoubleEndedIterator<Item = u32> + Clone) -> Option<Vec<u32>> {
    let last = numbers.clone().next_back().unwrap_or(0);
    let number = |text: &str| if text == "*" { Some(last) } else { text.parse().ok() };
    let mut ranges = Vec::new();
    for part in set.split(',') {
        let (first, end) = part.split_once(':').unwrap_or((part, part));
        let (first, end) = (number(first)?, number(end)?);
        ranges.push((first.min(end), first.max(end)));
    }
    Some(numbers.filter(|it| ranges.iter().any(|(first, end)| (first..=end).contains(&it))).collect())
}

/// Formats numbers as a set, in their order.
pub(super) fn set(numbers: &[u32]) -> String {
    let mut text = String::new();
    let mut rest = numbers;
    while let Some(&first) = rest.first() {
        let run = (1..).zip(&rest[1..]).take_while(|(step, it)| first + step == **it).count();
        let comma = if text.is_empty() { "" } else { "," };
        write!(text, "{comma}{first}").unwrap();
        if run > 0 {
            write!(text, ":{}", rest[run]).unwrap();
        }
        rest = &rest[run + 1..];
    }
    text
}

/// Formats a string in quotes.
pub(super) fn quoted(text: &str) -> String {
    format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\""))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn commands_fall_into_tokens() {
        let raw = Raw {
            pieces: vec![
                (b"a APPEND \"x \\\" y\" (\\Seen) {3}".to_vec(), Some(b"a)b".to_vec())),
                (b" BODY.PEEK[HEADER.FIELDS (DATE TO)]".to_vec(), None),
            ],
        };
        let word = |it: &str| Token::Word(it.to_owned());
        assert_eq!(
            raw.tokens().unwrap(),
            [
                word("a"),
                word("APPEND"),
                Token::Quoted(b"x \" y".to_vec()),
                Token::Open,
                word("\\Seen"),
                Token::Close,
                Token::Literal(b"a)b".to_vec()),
                word("BODY.PEEK[HEADER.FIELDS (DATE TO)]"),
            ]
        );
    }

    #[test]
    fn sets_are_read_and_written() {
        let numbers = [1, 2, 3, 7, 9];
        assert_eq!(among("2:3,9:*", numbers.into_iter()).unwrap(), [2, 3, 9]);
        assert_eq!(among("20:*", numbers.into_iter()).unwrap(), [9]);
        assert_eq!(among("x", numbers.into_iter()), None);
        assert_eq!(set(&numbers), "1:3,7,9");
        assert_eq!(set(&[4, 3]), "4,3");
    }
}
