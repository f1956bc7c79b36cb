//! Removes secrets from the texts of a server that echoes what it was sent.

mod needles;
mod view;

use std::{borrow::Cow, fmt, ops::Range};

use self::{
    needles::Needles,
    view::{ENCLOSING, View, views},
};
use crate::secret::Secret;

pub const REDACTED: &str = "[redacted]";
/// Bytes that are searched at once.
const WINDOW: usize = 4096;
/// Bytes that a window shares with the previous one.
const OVERLAP: usize = 1024;

/// Thoroughness of a search.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Search {
    /// Searches the text as it is, in any case.
    Plain,
    /// Also searches everything that can be decoded from the text.
    Decoded,
}

/// Secrets that a server has seen, and the search for them in its texts.
///
/// A secret is found in any case, with other characters between its letters, backwards, escaped
/// (`\"`, `\x41`, `%41`, `=41`, `&#65;`), in hexadecimal or decimal numbers, in base64 at any
/// alignment and divided by spaces, and encoded twice. A secret of fewer than four characters is
/// removed only as a whole word, because its letters occur in every text.
#[derive(Clone, Default)]
pub struct Redactor {
    secrets: Vec<Needles>,
}

impl Redactor {
    pub fn add(&mut self, secret: &Secret) {
        self.add_needles(Needles::secret(secret.expose()));
    }

    /// Adds a message that is secret only as a whole: its parts (a user name, a nonce) are not.
    pub fn add_whole(&mut self, message: &[u8]) {
        self.add_needles(Needles::message(message));
    }

    fn add_needles(&mut self, needles: Option<Needles>) {
        if let Some(needles) = needles.filter(|it| !self.secrets.contains(it)) {
            self.secrets.push(needles);
        }
    }

    pub fn is_empty(&self) -> bool {
        self.secrets.is_empty()
    }

    /// Returns the text without the secrets.
    pub fn redact<'a>(&self, text: &'a str, search: Search) -> Cow<'a, str> {
        if self.secrets.is_empty() || text.is_empty() {
            return Cow::Borrowed(text);
        }
        let mut found = Vec::new();
        let mut start = 0_usize;
        loop {
            let end = boundary_before(text, start.saturating_add(WINDOW));
            self.search(text, start..end, search, &mut found);
            if end == text.len() {
                break;
            }
            start = boundary_before(text, end - OVERLAP);
        }
        strike(text, found)
    }

    /// Finds the secrets in one window of a text.
    fn search(&self, text: &str, window: Range<usize>, search: Search, found: &mut Vec<Range<usize>>) {
        let piece = &text[window.clone()];
        let mut here = Vec::new();
        let all = views(piece, search == Search::Decoded);
        for needles in &self.secrets {
            if needles.is_short() {
                short(piece, needles, search, &mut here);
                continue;
            }
            for view in &all {
                needles.find(view, &mut here);
            }
            needles.find_cut(piece, window.start == 0, window.end == text.len(), &mut here);
        }
        found.extend(here.into_iter().map(|it| it.start + window.start..it.end + window.start));
    }
}

impl fmt::Debug for Redactor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Redactor(redacted)")
    }
}

/// Finds a short secret: as a word of the text, or as a field of a decoded word.
fn short(text: &str, needles: &Needles, search: Search, found: &mut Vec<Range<usize>>) {
    needles.find_words(&View::identity(text), found);
    if search == Search::Plain {
        return;
    }
    let is_border = |letter: char| letter.is_whitespace() || ENCLOSING.contains(&letter);
    for word in text.split(is_border).filter(|word| word.len() > 1 && word.len() <= OVERLAP) {
        let start = word.as_ptr() as usize - text.as_ptr() as usize;
        let is_secret = views(word, true).iter().skip(1).any(|view| needles.is_field(view));
        if is_secret {
            found.push(start..start + word.len());
        }
    }
}

fn boundary_before(text: &str, at: usize) -> usize {
    let mut at = at.min(text.len());
    while !text.is_char_boundary(at) {
        at -= 1;
    }
    at
}

/// Replaces the ranges; ranges that touch are replaced once.
fn strike(text: &str, mut found: Vec<Range<usize>>) -> Cow<'_, str> {
    if found.is_empty() {
        return Cow::Borrowed(text);
    }
    found.sort_unstable_by_key(|range| range.start);
    let mut struck = String::with_capacity(text.len());
    let mut after = 0;
    for range in found {
        let start = boundary_before(text, range.start);
        let mut end = range.end.min(text.len());
        while !text.is_char_boundary(end) {
            end += 1;
        }
        if start > after || after == 0 {
            struck.push_str(&text[after..start]);
            struck.push_str(REDACTED);
        }
        after = after.max(end);
    }
    struck.push_str(&text[after..]);
    Cow::Owned(struck)
}

#[cfg(test)]
mod tests;
