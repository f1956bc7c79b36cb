//! Search forms of one secret.

use std::ops::Range;

use zeroize::Zeroizing;

use super::view::{View, ViewKind};

/// A secret with fewer characters is searched for as a whole word only.
const SHORT: usize = 4;
/// A secret with fewer letters and digits is not searched for with other characters between them.
const SQUEEZED: usize = 6;
/// A secret with fewer bytes is removed only as a whole: its parts may be ordinary words.
const LONG: usize = 16;
/// Bytes of a part of a long secret.
const PART: usize = 12;
/// The parts of a secret with more bytes do not overlap.
const OVERLAPPING: usize = 64;

/// Search form, in lower case.
type Needle = Zeroizing<Vec<u8>>;

#[derive(Clone, PartialEq, Eq)]
pub(super) struct Needles {
    plain: Needle,
    is_short: bool,
    /// Forms searched for in every text.
    whole: Vec<Needle>,
    /// Forms searched for in decoded text only.
    decoded: Vec<Needle>,
    /// Letters and digits only.
    squeezed: Option<Needle>,
    parts: Vec<Needle>,
}

impl Needles {
    /// Returns `None` for an empty secret.
    pub(super) fn secret(secret: &[u8]) -> Option<Self> {
        let text = Zeroizing::new(String::from_utf8_lossy(secret).into_owned());
        let length = text.chars().count();
        let is_short = length < SHORT;
        let mut whole = spellings(secret, &text);
        let mut decoded = Vec::new();
        if !is_short {
            whole.extend(base64_cores(secret));
            decoded.extend(in_utf16(&text));
            let half = secret.len().div_ceil(2).max(SHORT);
            decoded.extend(parts(secret, half));
        }
        if length >= SQUEEZED {
            let backwards: Zeroizing<String> = Zeroizing::new(text.chars().rev().collect());
            whole.push(lower(backwards.as_bytes()));
            whole.push(Zeroizing::new(text.bytes().map(rotated).collect::<Vec<u8>>().to_ascii_lowercase()));
        }
        let parts = if secret.len() >= LONG { parts(secret, PART) } else { Vec::new() };
        let squeezed = Zeroizing::new(squeeze(secret));
        let squeezed = Some(squeezed).filter(|it| it.len() >= SQUEEZED);
        Some(Self { plain: lower(secret), is_short, whole, decoded, squeezed, parts })
            .filter(|_| !secret.is_empty())
    }

    /// Forms of a message that is secret only as a whole.
    pub(super) fn message(message: &[u8]) -> Option<Self> {
        if message.len() < LONG {
            return None;
        }
        let whole = vec![lower(message)];
        let (decoded, parts) = (Vec::new(), Vec::new());
        Some(Self { plain: lower(message), is_short: false, whole, decoded, squeezed: None, parts })
    }

    pub(super) fn is_short(&self) -> bool {
        self.is_short
    }

    /// Adds the positions of the secret in the original text of the view.
    pub(super) fn find(&self, view: &View<'_>, found: &mut Vec<Range<usize>>) {
        if view.kind == ViewKind::Squeezed {
            if let Some(needle) = &self.squeezed {
                view.find(needle, false, found);
            }
            return;
        }
        self.whole.iter().for_each(|needle| view.find(needle, false, found));
        self.parts.iter().for_each(|needle| view.find(needle, true, found));
        if view.kind == ViewKind::Decoded {
            self.decoded.iter().for_each(|needle| view.find(needle, true, found));
        }
    }

    /// Adds the positions of a short secret that has no letter or digit next to it.
    pub(super) fn find_words(&self, view: &View<'_>, found: &mut Vec<Range<usize>>) {
        self.whole.iter().for_each(|needle| view.find_word(needle, found));
    }

    /// True if the view is the secret, or a list of fields that contains it.
    pub(super) fn is_field(&self, view: &View<'_>) -> bool {
        view.lower.split(|octet| matches!(octet, 0 | 1 | b' ' | b':')).any(|field| field == *self.plain)
    }

    /// Adds a truncated secret at the start or end of the text: servers truncate what they show.
    pub(super) fn find_cut(&self, text: &str, is_start: bool, is_end: bool, found: &mut Vec<Range<usize>>) {
        let least = self.plain.len().div_ceil(2).max(SHORT);
        let is_border = |octet: Option<&u8>| octet.is_none_or(|it| !it.is_ascii_alphanumeric());
        let octets = text.as_bytes().to_ascii_lowercase();
        let cut = text.trim_end_matches(['.', '\u{2026}', '"', '\'', ' ', ')', '\u{fffd}']).len();
        for length in least..self.plain.len() {
            if is_end
                && let Some(before) = octets[..cut].strip_suffix(&self.plain[..length])
                && is_border(before.last())
            {
                found.push(before.len()..cut);
            }
            let rest = &self.plain[self.plain.len() - length..];
            if is_start && octets.starts_with(rest) && is_border(octets.get(length)) {
                found.push(0..length);
            }
        }
    }
}

fn lower(octets: &[u8]) -> Needle {
    Zeroizing::new(octets.to_ascii_lowercase())
}

/// Spellings of the secret that no decoding reverses.
fn spellings(secret: &[u8], text: &str) -> Vec<Needle> {
    let mut all = vec![lower(secret), lower(text.as_bytes())];
    all.extend([text.to_lowercase(), text.to_uppercase()].map(|it| lower(it.as_bytes())));
    // Control characters are replaced before a text is shown.
    let shown: String = text.chars().map(|it| if it.is_control() { '\u{fffd}' } else { it }).collect();
    all.push(lower(shown.as_bytes()));
    // RFC 9051, section 9: quoted-specials.
    all.push(lower(text.replace('\\', "\\\\").replace('"', "\\\"").as_bytes()));
    all.push(lower(text.replace(' ', "+").as_bytes()));
    all.sort_unstable_by(|one, other| one.as_slice().cmp(other.as_slice()));
    all.dedup();
    all.retain(|it| !it.is_empty());
    all
}

/// Base64 digits that depend only on the secret, at each alignment. They are found even if the case
/// changed.
fn base64_cores(secret: &[u8]) -> Vec<Needle> {
    const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut cores = Vec::new();
    for before in 0..3 {
        let mut octets = Zeroizing::new(vec![0; before]);
        octets.extend_from_slice(secret);
        octets.extend([0, 0]);
        let first = (before * 8).div_ceil(6);
        let end = (before + secret.len()) * 8 / 6;
        let digit = |index: usize| {
            let bit = index * 6;
            let pair = u16::from(octets[bit / 8]) << 8 | u16::from(octets[bit / 8 + 1]);
            DIGITS[usize::from(pair >> (10 - bit % 8) & 0x3f)]
        };
        let core: Vec<u8> = (first..end).map(digit).collect();
        if core.len() > SHORT {
            let for_urls = core.iter().map(|it| match it {
                b'+' => b'-',
                b'/' => b'_',
                other => *other,
            });
            cores.push(lower(&for_urls.collect::<Vec<u8>>()));
            cores.push(lower(&core));
        }
    }
    cores
}

fn in_utf16(text: &str) -> [Needle; 2] {
    let units = || text.to_lowercase().encode_utf16().collect::<Vec<u16>>();
    let little = units().into_iter().flat_map(u16::to_le_bytes).collect();
    let big = units().into_iter().flat_map(u16::to_be_bytes).collect();
    [Zeroizing::new(little), Zeroizing::new(big)]
}

/// Overlapping parts of this length, so that every longer piece of the secret contains one.
fn parts(secret: &[u8], length: usize) -> Vec<Needle> {
    let length = length.min(PART);
    let step = if secret.len() > OVERLAPPING { length } else { 1 };
    secret.windows(length).step_by(step).map(lower).collect()
}

fn rotated(octet: u8) -> u8 {
    match octet {
        b'a'..=b'z' => (octet - b'a' + 13) % 26 + b'a',
        b'A'..=b'Z' => (octet - b'A' + 13) % 26 + b'A',
        other => other,
    }
}

/// Returns the letters and digits in lower case.
pub(super) fn squeeze(octets: &[u8]) -> Vec<u8> {
    octets.iter().filter(|it| it.is_ascii_alphanumeric()).map(u8::to_ascii_lowercase).collect()
}
