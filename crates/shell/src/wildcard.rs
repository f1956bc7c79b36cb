//! Patterns with `*`, `?` and `[a-z]`.

pub(crate) struct Wildcard {
    pieces: Vec<Piece>,
    case_sensitive: bool,
}

enum Piece {
    /// `*`
    Any,
    /// `?`
    One,
    Is(char),
    /// `[...]`: ranges of characters.
    Among(Vec<(char, char)>),
}

impl Wildcard {
    pub(crate) fn new(pattern: &str, case_sensitive: bool) -> Self {
        let pattern = fold(pattern, case_sensitive);
        let mut pieces = Vec::new();
        let mut rest = pattern.chars();
        // Searched once. With many open brackets, a search for each would be slow.
        let last_close = pattern.rfind(']');
        while let Some(c) = rest.next() {
            let at = pattern.len() - rest.as_str().len();
            pieces.push(match c {
                '*' => Piece::Any,
                '?' => Piece::One,
                '`' => Piece::Is(rest.next().unwrap_or('`')),
                '[' if last_close.is_some_and(|close| close > at) => {
                    let (set, after) = set(rest.as_str());
                    rest = after.chars();
                    Piece::Among(set)
                }
                c => Piece::Is(c),
            });
        }
        Self { pieces, case_sensitive }
    }

    /// True if the text has wildcards.
    pub(crate) fn is_pattern(text: &str) -> bool {
        text.contains(['*', '?', '['])
    }

    pub(crate) fn matches(&self, text: &str) -> bool {
        let text: Vec<char> = fold(text, self.case_sensitive).chars().collect();
        let (mut piece, mut at) = (0, 0);
        // Only the last `*` is extended, so the time is bounded by the product of the two lengths.
        let mut star = None;
        loop {
            match self.pieces.get(piece) {
                Some(Piece::Any) => {
                    star = Some((piece + 1, at));
                    piece += 1;
                    continue;
                }
                Some(one) if text.get(at).is_some_and(|c| one.takes(*c)) => {
                    piece += 1;
                    at += 1;
                    continue;
                }
                None if at == text.len() => return true,
                _ => {}
            }
            match &mut star {
                Some((after, from)) if *from < text.len() => {
                    *from += 1;
                    (piece, at) = (*after, *from);
                }
                _ => return false,
            }
        }
    }
}

impl Piece {
    fn takes(&self, c: char) -> bool {
        match self {
            Self::Any => false,
            Self::One => true,
            Self::Is(wanted) => *wanted == c,
            Self::Among(ranges) => ranges.iter().any(|(from, to)| (*from..=*to).contains(&c)),
        }
    }
}

/// Parses a set after its `[`. Returns its ranges, and the text after its `]`.
fn set(text: &str) -> (Vec<(char, char)>, &str) {
    // A `]` at the start is an ordinary character, so a set is never empty.
    let skipped = text.chars().next().map_or(0, char::len_utf8);
    let end = text[skipped..].find(']').map_or(text.len(), |end| skipped + end);
    let inside: Vec<char> = text[..end].chars().collect();
    let mut ranges = Vec::new();
    let mut rest = inside.as_slice();
    loop {
        rest = match rest {
            [from, '-', to, rest @ ..] => {
                ranges.push((*from, *to));
                rest
            }
            [one, rest @ ..] => {
                ranges.push((*one, *one));
                rest
            }
            [] => break,
        };
    }
    (ranges, text[end..].strip_prefix(']').unwrap_or_default())
}

fn fold(text: &str, case_sensitive: bool) -> String {
    if case_sensitive { text.to_owned() } else { text.to_lowercase() }
}

/// True if a text matches a pattern with `*`, `?` and `[a-z]`, without regard to case.
pub fn matches_wildcard(pattern: &str, text: &str) -> bool {
    Wildcard::new(pattern, false).matches(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns() {
        for (pattern, text, matches) in [
            ("Max*", "MaxConcurrentMigrations", true),
            ("max*", "MAX", true),
            ("Max*", "TheMax", false),
            ("*count", "TotalCount", true),
            ("*a*b", "aab", true),
            ("*a*b", "aba", false),
            ("a?c", "abc", true),
            ("a?c", "ac", false),
            ("[a-c]x", "Bx", true),
            ("[a-c]x", "dx", false),
            ("[]]", "]", true),
            ("[ab", "[ab", true),
            ("`*", "*", true),
            ("`*", "x", false),
            ("", "", true),
            ("", "x", false),
            ("*", "", true),
        ] {
            assert_eq!(Wildcard::new(pattern, false).matches(text), matches, "{pattern} {text}");
        }
        assert!(!Wildcard::new("max*", true).matches("MAX"));
    }

    #[test]
    fn many_stars_and_brackets_are_fast() {
        let pattern = format!("{}b", "*a".repeat(200));
        assert!(!Wildcard::new(&pattern, false).matches(&"a".repeat(20_000)));
        Wildcard::new(&"[".repeat(200_000), false);
    }
}
