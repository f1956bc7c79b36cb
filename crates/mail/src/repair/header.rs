//! Repairs header lines.
//!
//! Cyrus refuses a header line as invalid if its name is empty, or if a space or control character
//! precedes the colon. Other servers refuse bytes that are not ASCII.

use super::{
    encoded_word::encoded,
    fields::{LONGEST_NAME, bare, fields, header_length, is_blank, lines, name_length},
    kinds::{Edit, EditKind, note},
};

pub(super) fn mended(message: &[u8], edits: &mut Vec<Edit>) -> Option<Vec<u8>> {
    let (header, text) = message.split_at(header_length(message));
    let before = edits.len();
    let Shaped { header: shaped, cut } = shape(header, edits);
    let mut out = Vec::with_capacity(message.len() + 64);
    let mut line = 1;
    for field in fields(&shaped) {
        match encoded(field) {
            Some((encoded, is_utf8)) => {
                let change = if is_utf8 { EditKind::HeaderEncoded } else { EditKind::UnknownHeaderEncoded };
                note(edits, change, line, false);
                out.extend_from_slice(&encoded);
            }
            None => out.extend_from_slice(field),
        }
        line += lines(field).count() as u64;
    }
    if edits.len() == before {
        return None;
    }
    out.extend_from_slice(&header[cut..]);
    out.extend_from_slice(text);
    Some(out)
}

/// Header that consists of fields, and the start of the text after it.
struct Shaped {
    header: Vec<u8>,
    cut: usize,
}

fn shape(header: &[u8], edits: &mut Vec<Edit>) -> Shaped {
    let last_field = last_field(header);
    let mut out: Vec<u8> = Vec::with_capacity(header.len() + 64);
    // Start in `out` of the field that the next line may continue.
    let mut open: Option<usize> = None;
    let mut at = 0;
    for (number, line) in (1..).zip(lines(header)) {
        if line.first().is_some_and(|it| is_blank(*it)) && open.is_some() {
            out.extend_from_slice(line);
        } else if name_length(line).is_some() {
            open = Some(out.len());
            out.extend_from_slice(line);
        } else if let Some((name, rest)) = spaced_name(line) {
            note(edits, EditKind::ColonClosedUp, number, false);
            open = Some(out.len());
            out.extend_from_slice(name);
            out.extend_from_slice(rest);
        } else if last_field.is_none_or(|last| last < at) && open.is_none_or(|it| !is_unfinished(&out[it..]))
        {
            // No field follows, and the last one is complete: the text begins here.
            note(edits, EditKind::HeaderEnded, number, false);
            out.extend_from_slice(b"\r\n");
            return Shaped { header: out, cut: at };
        } else if open.is_some() {
            note(edits, EditKind::LineIndented, number, false);
            out.push(b' ');
            out.extend_from_slice(line);
        } else {
            note(edits, EditKind::LineKeptAsField, number, false);
            open = Some(out.len());
            out.extend_from_slice(b"X-Invalid-Header: ");
            out.extend_from_slice(line);
        }
        at += line.len();
    }
    Shaped { header: out, cut: header.len() }
}

/// Start of the last line that is a field once its colon is moved to the name.
fn last_field(header: &[u8]) -> Option<usize> {
    let (mut at, mut last) = (0, None);
    for line in lines(header) {
        if name_length(line).is_some() || spaced_name(line).is_some() {
            last = Some(at);
        }
        at += line.len();
    }
    last
}

/// Splits a line with spaces between name and colon (RFC 5322, section 4.5) into the name and the
/// rest from the colon on.
fn spaced_name(line: &[u8]) -> Option<(&[u8], &[u8])> {
    let (name, rest) = line.split_at(line.iter().take(LONGEST_NAME).position(|it| *it == b':')?);
    let visible = name.trim_ascii_end();
    let is_spaced = visible.len() < name.len() && name[visible.len()..].iter().all(|it| is_blank(*it));
    (is_spaced && !visible.is_empty() && visible.iter().all(|it| matches!(it, 33..=126)))
        .then_some((visible, rest))
}

/// True if a field is incomplete: an open list, parameter, quotation or address.
fn is_unfinished(field: &[u8]) -> bool {
    let field = field.trim_ascii_end();
    let (mut angles, mut parentheses, mut is_quoted) = (0_i64, 0_i64, false);
    for octet in field {
        match octet {
            b'"' => is_quoted = !is_quoted,
            b'<' if !is_quoted => angles += 1,
            b'>' if !is_quoted => angles -= 1,
            b'(' if !is_quoted => parentheses += 1,
            b')' if !is_quoted => parentheses -= 1,
            _ => {}
        }
    }
    is_quoted
        || angles > 0
        || parentheses > 0
        || bare(field).last().is_some_and(|it| matches!(it, b',' | b';' | b'='))
}
