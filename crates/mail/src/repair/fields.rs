//! A header as lines and fields, whatever it is made of.

/// The octets up to and with the first LF, and what follows.
pub(super) fn split_line(octets: &[u8]) -> (&[u8], &[u8]) {
    octets.split_at(octets.iter().position(|it| *it == b'\n').map_or(octets.len(), |it| it + 1))
}

/// The lines, each with its end.
pub(super) fn lines(octets: &[u8]) -> impl Iterator<Item = &[u8]> {
    octets.split_inclusive(|it| *it == b'\n')
}

/// How many lines end in the octets.
pub(super) fn line_ends(octets: &[u8]) -> u64 {
    octets.split(|it| *it == b'\n').skip(1).count() as u64
}

/// A line without its end.
pub(super) fn bare(line: &[u8]) -> &[u8] {
    let line = line.strip_suffix(b"\n").unwrap_or(line);
    line.strip_suffix(b"\r").unwrap_or(line)
}

pub(super) fn is_blank(octet: u8) -> bool {
    matches!(octet, b' ' | b'\t')
}

/// How many octets of the message are its header, without the empty line that ends it.
pub(super) fn header_length(message: &[u8]) -> usize {
    let mut length = 0;
    for line in lines(message) {
        if bare(line).is_empty() {
            break;
        }
        length += line.len();
    }
    length
}

/// Longer names are none: their line would have to be cut inside the name.
pub(super) const LONGEST_NAME: usize = 256;

/// The length of the name of the field that the line begins (RFC 5322, section 3.6.8): visible ASCII and a colon.
pub(super) fn name_length(line: &[u8]) -> Option<usize> {
    let colon = line.iter().take(LONGEST_NAME).position(|it| *it == b':')?;
    (colon > 0 && line[..colon].iter().all(|it| matches!(it, 33..=126))).then_some(colon)
}

/// The fields of a valid header, each with its folded lines.
pub(super) fn fields(header: &[u8]) -> impl Iterator<Item = &[u8]> {
    let mut rest = header;
    std::iter::from_fn(move || {
        if rest.is_empty() {
            return None;
        }
        let (line, after) = split_line(rest);
        let folded: usize =
            lines(after).take_while(|it| it.first().is_some_and(|it| is_blank(*it))).map(<[u8]>::len).sum();
        let (field, after) = rest.split_at(line.len() + folded);
        rest = after;
        Some(field)
    })
}

/// The value of the first field of this name, as it stands.
pub(super) fn value<'a>(header: &'a [u8], name: &str) -> Option<&'a [u8]> {
    fields(header).find_map(|field| {
        let colon = name_length(field)?;
        field[..colon].eq_ignore_ascii_case(name.as_bytes()).then(|| &field[colon + 1..])
    })
}
