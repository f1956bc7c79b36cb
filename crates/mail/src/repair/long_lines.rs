//! Shortens long lines without changing their meaning.

use super::{
    entity::{Delimiter, Encoding, Entity, Kind, delimiter},
    fields::{bare, fields, is_blank, line_ends, lines, name_length, value},
    kinds::{Edit, EditKind, note},
    quoted_printable,
};

/// Maximum bytes of a line that was cut or folded (RFC 5322, section 2.1.1).
const SHORT: usize = 998;
/// Bytes of a line of base64 (RFC 2045, section 6.8).
const BASE64_LINE: usize = 76;
/// Maximum depth of nested messages.
const DEPTH: usize = 50;

pub(super) fn shortened(message: &[u8], longest: usize, edits: &mut Vec<Edit>) -> Option<Vec<u8>> {
    if !has_long(message, longest) {
        return None;
    }
    let mut writer =
        Writer { out: Vec::with_capacity(message.len() + message.len() / 8), longest, line: 1, edits };
    writer.entity(message, EntityPosition::default());
    Some(writer.out)
}

fn has_long(octets: &[u8], longest: usize) -> bool {
    lines(octets).any(|line| bare(line).len() > longest)
}

/// Position of an entity in the message.
#[derive(Clone, Copy, Default)]
struct EntityPosition {
    depth: usize,
    is_in_digest: bool,
    is_signed: bool,
}

struct Writer<'a> {
    out: Vec<u8>,
    longest: usize,
    /// Number of the next line.
    line: u64,
    edits: &'a mut Vec<Edit>,
}

impl Writer<'_> {
    fn entity(&mut self, octets: &[u8], place: EntityPosition) {
        if !has_long(octets, self.longest) {
            return self.copy(octets);
        }
        let entity = Entity::parse(octets, place.is_in_digest);
        let place = EntityPosition { is_signed: place.is_signed || entity.is_signed, ..place };
        let inner = EntityPosition { depth: place.depth + 1, is_in_digest: false, ..place };
        let is_deep = place.depth >= DEPTH;
        match (&entity.kind, entity.encoding) {
            (Kind::Parts { boundary, is_digest }, _) if !is_deep => {
                self.header(entity.header, entity.separator);
                self.parts(entity.body, boundary, EntityPosition { is_in_digest: *is_digest, ..inner });
            }
            (Kind::Message, Encoding::Identity) if !is_deep => {
                self.header(entity.header, entity.separator);
                self.entity(entity.body, inner);
            }
            (Kind::Content, Encoding::Identity) if has_long(entity.body, self.longest) => {
                let begin = self.line;
                self.header(&with_encoding(entity.header, place.depth == 0), entity.separator);
                // Numbers of the lines before the edits.
                self.line = begin + line_ends(entity.header) + line_ends(entity.separator);
                note(self.edits, EditKind::PartEncoded, self.line, place.is_signed);
                self.out.extend(quoted_printable::encode(entity.body));
                self.line += line_ends(entity.body);
            }
            (Kind::Content, Encoding::Base64) => {
                self.header(entity.header, entity.separator);
                self.body(entity.body, EditKind::Base64Wrapped, place, wrap);
            }
            (Kind::Content, Encoding::QuotedPrintable) => {
                self.header(entity.header, entity.separator);
                self.body(entity.body, EditKind::SoftlyBroken, place, quoted_printable::break_softly);
            }
            _ => {
                self.header(entity.header, entity.separator);
                self.body(entity.body, EditKind::LineCut, place, cut);
            }
        }
    }

    fn parts(&mut self, body: &[u8], boundary: &[u8], place: EntityPosition) {
        let (mut start, mut at, mut is_part) = (0, 0, false);
        for line in lines(body) {
            if let Some(which) = delimiter(line, boundary) {
                self.between(&body[start..at], is_part, place);
                self.copy(line);
                start = at + line.len();
                is_part = which == Delimiter::Between;
            }
            at += line.len();
        }
        self.between(&body[start..], is_part, place);
    }

    /// Shortens a part, or the text before the first and after the last part.
    fn between(&mut self, octets: &[u8], is_part: bool, place: EntityPosition) {
        if is_part {
            // The last line end belongs to the delimiter (RFC 2046, section 5.1.1).
            let content = bare(octets);
            self.entity(content, place);
            self.copy(&octets[content.len()..]);
        } else {
            self.body(octets, EditKind::LineCut, place, cut);
        }
    }

    fn copy(&mut self, octets: &[u8]) {
        self.out.extend_from_slice(octets);
        self.line += line_ends(octets);
    }

    fn header(&mut self, header: &[u8], separator: &[u8]) {
        for line in lines(header) {
            if bare(line).len() > self.longest {
                fold(line, self.line, &mut self.out, self.edits);
                self.line += 1;
            } else {
                self.copy(line);
            }
        }
        self.copy(separator);
    }

    fn body(
        &mut self,
        body: &[u8],
        change: EditKind,
        place: EntityPosition,
        shorten: impl Fn(&[u8], &mut Vec<u8>),
    ) {
        for line in lines(body) {
            if bare(line).len() > self.longest {
                note(self.edits, change, self.line, place.is_signed);
                shorten(line, &mut self.out);
                self.line += line_ends(line);
            } else {
                self.copy(line);
            }
        }
    }
}

/// Returns the header with quoted-printable as its encoding.
fn with_encoding(header: &[u8], is_whole_message: bool) -> Vec<u8> {
    const FIELD: &[u8] = b"Content-Transfer-Encoding: quoted-printable\r\n";
    const NAME: &[u8] = b"Content-Transfer-Encoding";
    let mut out = Vec::with_capacity(header.len() + 80);
    let mut is_said = false;
    for field in fields(header) {
        if name_length(field).is_some_and(|it| field[..it].eq_ignore_ascii_case(NAME)) {
            if !std::mem::replace(&mut is_said, true) {
                out.extend_from_slice(FIELD);
            }
        } else {
            out.extend_from_slice(field);
        }
    }
    if is_whole_message && value(header, "MIME-Version").is_none() {
        out.extend_from_slice(b"MIME-Version: 1.0\r\n");
    }
    if !is_said {
        out.extend_from_slice(FIELD);
    }
    out
}

fn wrap(line: &[u8], out: &mut Vec<u8>) {
    let content = bare(line);
    let pieces: Vec<&[u8]> = content.chunks(BASE64_LINE).collect();
    out.extend(pieces.join(&b"\r\n"[..]));
    out.extend_from_slice(&line[content.len()..]);
}

/// Cuts a line after spaces, or between characters.
fn cut(line: &[u8], out: &mut Vec<u8>) {
    let mut rest = bare(line);
    let end = &line[rest.len()..];
    while rest.len() > SHORT {
        let blank = rest[..SHORT].iter().rposition(|it| is_blank(*it)).map(|it| it + 1);
        let mut at = blank.unwrap_or_else(|| character_start(rest, SHORT));
        // A piece that would look like a boundary is cut in the middle.
        at += usize::from(rest[at..].starts_with(b"--"));
        let (piece, after) = rest.split_at(at);
        out.extend_from_slice(piece);
        out.extend_from_slice(b"\r\n");
        rest = after;
    }
    out.extend_from_slice(rest);
    out.extend_from_slice(end);
}

/// Folds a header line before spaces (RFC 5322, section 2.2.3); unfolding restores it.
fn fold(line: &[u8], number: u64, out: &mut Vec<u8>, edits: &mut Vec<Edit>) {
    let content = bare(line);
    let end = &line[content.len()..];
    // Trailing spaces, and the number of leading ones, mean nothing. A line must not consist of
    // spaces only.
    let mut rest = content.trim_ascii_end();
    while rest.len() > SHORT {
        let text = rest.iter().position(|it| !is_blank(*it)).unwrap_or(0);
        if text > 1 {
            rest = &rest[text - 1..];
            continue;
        }
        let is_place = |at: &usize| is_blank(rest[*at]) && rest.get(at + 1).is_some_and(|it| !is_blank(*it));
        let before = (text + 1..SHORT).rev().find(is_place);
        let (at, change) = match before {
            Some(at) => (at, EditKind::HeaderFolded),
            None => (character_start(rest, SHORT), EditKind::HeaderCut),
        };
        note(edits, change, number, false);
        let (piece, after) = rest.split_at(at);
        out.extend_from_slice(piece);
        out.extend_from_slice(b"\r\n");
        if change == EditKind::HeaderCut {
            out.push(b' ');
        }
        rest = after;
    }
    out.extend_from_slice(rest);
    out.extend_from_slice(end);
}

/// Last start of a UTF-8 character up to `at`; `at` itself if there is none nearby.
fn character_start(octets: &[u8], at: usize) -> usize {
    (at - 3..=at).rev().find(|it| octets[*it] & 0xC0 != 0x80).unwrap_or(at)
}
