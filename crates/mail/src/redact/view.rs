//! Views of a text: as it is, without its escapes, and decoded.

use std::ops::Range;

/// Characters that enclose words and are never part of an encoded secret.
pub(super) const ENCLOSING: &[char] = &['"', '\'', '`', '<', '>', '(', ')', '[', ']', '{', '}', ',', ';'];
/// Maximum depth of nested encodings.
const DEPTH: usize = 2;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum ViewKind {
    /// The text, with or without escapes.
    Text,
    /// Only the letters and digits of a text.
    Squeezed,
    /// Decoded bytes.
    Decoded,
}

/// Bytes, each with its position in the original text.
pub(super) struct View<'a> {
    text: &'a str,
    pub(super) kind: ViewKind,
    octets: Vec<u8>,
    pub(super) lower: Vec<u8>,
    origin: Vec<Range<usize>>,
}

/// Returns all views of a text; the first is the text itself.
pub(super) fn views(text: &str, decodes: bool) -> Vec<View<'_>> {
    let mut all = vec![View::identity(text)];
    let mut first = 0;
    for _ in 0..DEPTH {
        let end = all.len();
        for index in first..end {
            let view = &all[index];
            let more = if decodes { view.decoded() } else { vec![view.unescaped()] };
            all.extend(more.into_iter().filter(|it| !it.octets.is_empty()));
        }
        first = end;
        if !decodes {
            break;
        }
    }
    let squeezed: Vec<View<'_>> =
        all.iter().filter(|view| view.kind == ViewKind::Text).map(View::squeezed).collect();
    all.extend(squeezed);
    all
}

impl<'a> View<'a> {
    pub(super) fn identity(text: &'a str) -> Self {
        let each = text.bytes().enumerate().map(|(at, octet)| (octet, at..at + 1));
        Self::new(text, ViewKind::Text, each)
    }

    fn new(text: &'a str, kind: ViewKind, each: impl Iterator<Item = (u8, Range<usize>)>) -> Self {
        let (octets, origin): (Vec<u8>, Vec<Range<usize>>) = each.unzip();
        let lower = octets.to_ascii_lowercase();
        Self { text, kind, octets, lower, origin }
    }

    fn squeezed(&self) -> Self {
        let letters = self.octets.iter().zip(&self.origin).filter(|(octet, _)| octet.is_ascii_alphanumeric());
        Self::new(self.text, ViewKind::Squeezed, letters.map(|(octet, origin)| (*octet, origin.clone())))
    }

    /// Adds each occurrence of the needle, which is in lower case. `widens` also takes the rest of
    /// its word.
    pub(super) fn find(&self, needle: &[u8], widens: bool, found: &mut Vec<Range<usize>>) {
        if needle.is_empty() || needle.len() > self.lower.len() {
            return;
        }
        let mut from = 0;
        while let Some(at) = memchr::memmem::find(&self.lower[from..], needle) {
            self.add(from + at..from + at + needle.len(), widens, found);
            from += at + 1;
        }
    }

    /// Adds each occurrence of the needle without a letter or digit next to it.
    pub(super) fn find_word(&self, needle: &[u8], found: &mut Vec<Range<usize>>) {
        let is_border = |at: Option<usize>| {
            at.and_then(|at| self.lower.get(at)).is_none_or(|octet| !octet.is_ascii_alphanumeric())
        };
        let mut from = 0;
        while let Some(at) = memchr::memmem::find(&self.lower[from..], needle) {
            let (start, end) = (from + at, from + at + needle.len());
            if is_border(start.checked_sub(1)) && is_border(Some(end)) {
                self.add(start..end, false, found);
            }
            from = start + 1;
        }
    }

    fn add(&self, place: Range<usize>, widens: bool, found: &mut Vec<Range<usize>>) {
        let (Some(first), Some(last)) = (self.origin.get(place.start), self.origin.get(place.end - 1)) else {
            return;
        };
        let (mut start, mut end) = (first.start.min(last.start), last.end.max(first.end));
        if widens || self.kind == ViewKind::Decoded {
            let is_border = |letter: char| letter.is_whitespace() || ENCLOSING.contains(&letter);
            let (before, after) = (self.text.get(..start), self.text.get(end..));
            start = before.map_or(start, |it| {
                it.len()
                    - it.chars().rev().take_while(|it| !is_border(*it)).map(char::len_utf8).sum::<usize>()
            });
            end +=
                after.map_or(0, |it| it.chars().take_while(|it| !is_border(*it)).map(char::len_utf8).sum());
        }
        found.push(start..end);
    }

    fn decoded(&self) -> Vec<Self> {
        let mut all = vec![self.unescaped(), self.numbers()];
        all.extend((0..2).map(|alignment| self.digits(alignment, 2, 4, hexadecimal)));
        all.extend((0..4).map(|alignment| self.digits(alignment, 4, 6, base64)));
        all
    }

    /// Decodes digits of `bits` bits each, whatever characters separate them; skips the first
    /// `skipped` digits.
    fn digits(&self, skipped: usize, group: usize, bits: u32, value: fn(u8) -> Option<u8>) -> Self {
        let mut known: Vec<(u8, &Range<usize>)> = Vec::with_capacity(self.octets.len());
        for (index, octet) in self.octets.iter().enumerate() {
            // In `0x41`, the 0 is not a digit of the number.
            let is_prefix =
                group == 2 && *octet == b'0' && matches!(self.octets.get(index + 1), Some(b'x' | b'X'));
            if let Some(value) = value(*octet).filter(|_| !is_prefix) {
                known.push((value, &self.origin[index]));
            }
        }
        let known = known.get(skipped..).unwrap_or_default();
        let octets = known.chunks(group).flat_map(|chunk| {
            let number = chunk.iter().fold(0_u32, |number, (value, _)| number << bits | u32::from(*value));
            let missing = u32::try_from(group - chunk.len()).unwrap_or(0) * bits;
            let total = u32::try_from(group).unwrap_or(0) * bits;
            let number = number << missing;
            (0..(total - missing) / 8).map(move |index| {
                let octet = number >> (total - 8 * (index + 1)) & 0xff;
                // The digits that contain the byte's bits.
                let at = |bit: u32| chunk[usize::try_from(bit / bits).unwrap_or(0).min(chunk.len() - 1)].1;
                let (first, last) = (at(8 * index), at(8 * index + 7));
                (u8::try_from(octet).unwrap_or(0), first.start..last.end)
            })
        });
        Self::new(self.text, ViewKind::Decoded, octets)
    }

    /// Decodes `104 117 110` and other lists of numbers.
    fn numbers(&self) -> Self {
        let mut found = Vec::new();
        let mut at = 0;
        while at < self.octets.len() {
            let length = self.octets[at..].iter().take_while(|it| it.is_ascii_digit()).count();
            let digits = std::str::from_utf8(&self.octets[at..at + length]).ok();
            if let Some(octet) = digits.and_then(|it| it.parse::<u8>().ok()) {
                found.push((octet, self.origin[at].start..self.origin[at + length - 1].end));
            }
            at += length.max(1);
        }
        Self::new(self.text, ViewKind::Decoded, found.into_iter())
    }

    fn unescaped(&self) -> Self {
        let mut found = Vec::with_capacity(self.octets.len());
        let mut at = 0;
        while at < self.octets.len() {
            let (octet, length) = unescape(&self.octets[at..]);
            found.push((octet, self.origin[at].start..self.origin[at + length - 1].end));
            at += length;
        }
        // Without escapes, it equals the text.
        let is_same = found.len() == self.octets.len();
        Self::new(self.text, self.kind, found.into_iter().filter(|_| !is_same))
    }
}

/// Decodes the first byte; returns it with the length of its notation. The text must not be empty.
fn unescape(text: &[u8]) -> (u8, usize) {
    const NAMED: [(&[u8], u8); 5] =
        [(b"&amp;", b'&'), (b"&lt;", b'<'), (b"&gt;", b'>'), (b"&quot;", b'"'), (b"&apos;", b'\'')];
    let hex = |from: usize, count: usize| {
        let digits = text.get(from..from + count).and_then(|it| std::str::from_utf8(it).ok())?;
        u32::from_str_radix(digits, 16).ok().and_then(|it| u8::try_from(it).ok())
    };
    let found = match text {
        [b'\\', b'x' | b'X', ..] => hex(2, 2).map(|octet| (octet, 4)),
        [b'\\', b'u' | b'U', b'{', ..] => hex(3, 2).filter(|_| text.get(5) == Some(&b'}')).map(|it| (it, 6)),
        [b'\\', b'u' | b'U', ..] => hex(2, 4).map(|octet| (octet, 6)),
        [b'\\', a @ b'0'..=b'3', b @ b'0'..=b'7', c @ b'0'..=b'7', ..] => {
            Some(((a - b'0') << 6 | (b - b'0') << 3 | (c - b'0'), 4))
        }
        [b'\\', octet, ..] if !octet.is_ascii_alphanumeric() => Some((*octet, 2)),
        [b'%' | b'=', ..] => hex(1, 2).map(|octet| (octet, 3)),
        [b'&', b'#', ..] => character(text),
        [b'&', ..] => {
            NAMED.iter().find(|(name, _)| text.starts_with(name)).map(|(name, octet)| (*octet, name.len()))
        }
        _ => None,
    };
    found.unwrap_or((text[0], 1))
}

/// Decodes `&#65;` and `&#x41;`.
fn character(text: &[u8]) -> Option<(u8, usize)> {
    let end = text.iter().take(8).position(|it| *it == b';')?;
    let digits = std::str::from_utf8(text.get(2..end)?).ok()?;
    let number = match digits.strip_prefix(['x', 'X']) {
        Some(digits) => u8::from_str_radix(digits, 16).ok()?,
        None => digits.parse().ok()?,
    };
    Some((number, end + 1))
}

fn hexadecimal(octet: u8) -> Option<u8> {
    char::from(octet).to_digit(16).and_then(|it| u8::try_from(it).ok())
}

/// Decodes a digit of either base64 alphabet (RFC 4648).
fn base64(octet: u8) -> Option<u8> {
    Some(match octet {
        b'A'..=b'Z' => octet - b'A',
        b'a'..=b'z' => octet - b'a' + 26,
        b'0'..=b'9' => octet - b'0' + 52,
        b'+' | b'-' => 62,
        b'/' | b'_' => 63,
        _ => return None,
    })
}
