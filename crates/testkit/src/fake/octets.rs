//! Search and replacement in bytes; patterns of names.

/// True if the bytes contain the text.
pub(super) fn contains(octets: &[u8], text: &[u8]) -> bool {
    octets.windows(text.len()).any(|window| window == text)
}

/// Replaces `from` by `to` in the bytes.
pub(super) fn replace(octets: &[u8], from: &[u8], to: &[u8]) -> Vec<u8> {
    let mut new = Vec::with_capacity(octets.len());
    let mut rest = octets;
    while let Some(&first) = rest.first() {
        if rest.starts_with(from) {
            new.extend_from_slice(to);
            rest = &rest[from.len()..];
        } else {
            new.push(first);
            rest = &rest[1..];
        }
    }
    new
}

/// True if the pattern matches the name. `*` matches any text, `%` any text within a level.
pub(super) fn matches(pattern: &str, name: &str, delimiter: char) -> bool {
    let Some(first) = pattern.chars().next() else { return name.is_empty() };
    let rest = &pattern[first.len_utf8()..];
    match first {
        '*' | '%' => {
            let ends = name.char_indices().map(|(at, _)| at).chain([name.len()]);
            let within = ends.take_while(|at| first == '*' || !name[..*at].contains(delimiter));
            within.into_iter().any(|at| matches(rest, &name[at..], delimiter))
        }
        _ => name.strip_prefix(first).is_some_and(|name| matches(rest, name, delimiter)),
    }
}
