//! Header lines and fields, valid or not.

/// Splits after the first LF.
pub(super) fn split_line(octets: &[u8]) -> (&[u8], &[u8]) {
    octets.split_at(octets.iter().position(|it| *it == b'\n').map_or(octets.len(), |it| it + 1))
}

/// Iterates over the lines, each with its end.
pub(super) fn lines(octets: &[u8]) -> impl Iterator<Item = &[u8]> {
    octets.split_inclusive(|it| *it == b'\n')
}

pub(super) fn line_ends(octets: &[u8]) -> u64 {
    octets.split(|it| *it == b'\n').skip(1).count() as u64
}

/// Returns a line without its end.
pub(super) fn bare(line: &[u8]) -> &[u8] {
    let line = line.strip_suffix(b"\n").unwrap_or(line);
    line.strip_suffix(b"\r").unwrap_or(line)
}

pub(super) fn is_blank(octet: u8) -> bool {
    matches!(octet, b' ' | b'\t')
}

/// Length of the header, without the empty line that ends it.
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

/// Maximum length of a field name. A longer line would have to be cut inside the name.
pub(super) const LONGEST_NAME: usize = 256;

/// Length of the field name at the start of the line (RFC 5322, section 3.6.8): visible ASCII and a
/// colon.
pub(super) fn name_length(line: &[u8]) -> Option<usize> {
    let colon = line.iter().take(LONGEST_NAME).position(|it| *it == b':')?;
    (colon > 0 && line[..colon].iter().all(|it| matches!(it, 33..=126))).then_some(colon)
}

/// Iterates over the fields of a valid header, each with its folded lines.
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

/// Returns the raw value of the first field with this name.
pub(super) fn value<'a>(header: &'a [u8], name: &str) -> Option<&'a [u8]> {
    fields(header).find_map(|field| {
        let colon = name_length(field)?;
        field[..colon].eq_ignore_ascii_case(name.as_bytes()).then(|| &field[colon + 1..])
    })
}
