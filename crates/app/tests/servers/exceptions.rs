//! What servers do not hold as it was given to them.

use mailhaul_testkit::Shape;

/// What becomes of a message; `None` where it is refused.
type Change = fn(&[u8]) -> Option<Vec<u8>>;

/// By server: the only ways in which a message may arrive otherwise than it was, and why. Dovecot has none.
const EXCEPTIONS: [(fn(&Shape) -> bool, Change, &str); 3] = [
    (is_courier, ended, "Courier ends a message with CRLF where it does not end with one"),
    (
        is_cyrus,
        unless_invalid,
        "Cyrus refuses a line in the header that is no field, or not ended: Message contains invalid header",
    ),
    (munges, munged, "Cyrus replaces 8-bit characters in the header by X, unless munge8bit is off"),
];

/// What a server of this shape keeps of the message; `None` where it refuses it.
pub(crate) fn kept(shape: &Shape, message: Vec<u8>) -> Option<Vec<u8>> {
    let mut changes = EXCEPTIONS.iter().filter(|(is_meant, ..)| is_meant(shape));
    changes.try_fold(message, |message, (_, change, _)| change(&message))
}

fn is_courier(shape: &Shape) -> bool {
    matches!(shape, Shape::Courier(_))
}

fn is_cyrus(shape: &Shape) -> bool {
    matches!(shape, Shape::Cyrus(_))
}

fn munges(shape: &Shape) -> bool {
    matches!(shape, Shape::Cyrus(it) if it.munges_8bit)
}

fn ended(message: &[u8]) -> Option<Vec<u8>> {
    let end: &[u8] = if message.ends_with(b"\r\n") { b"" } else { b"\r\n" };
    Some([message, end].concat())
}

fn unless_invalid(message: &[u8]) -> Option<Vec<u8>> {
    (!has_invalid_header(message)).then(|| message.to_vec())
}

fn munged(message: &[u8]) -> Option<Vec<u8>> {
    let ends = message.windows(4).position(|it| it == b"\r\n\r\n").unwrap_or(message.len());
    let end = if message.starts_with(b"\r\n") { 0 } else { ends };
    let (header, text) = message.split_at(end);
    let header: Vec<u8> = header.iter().map(|it| if it.is_ascii() { *it } else { b'X' }).collect();
    Some([header.as_slice(), text].concat())
}

/// Whether a line of the header is not ended, or is neither a field, nor the rest of one, nor what mbox files have before
/// messages. Names of fields may hold 8-bit characters.
pub(crate) fn has_invalid_header(mut message: &[u8]) -> bool {
    while let Some(end) = message.iter().position(|it| *it == b'\n') {
        let line = &message[..end];
        let line = line.strip_suffix(b"\r").unwrap_or(line);
        if line.is_empty() {
            return false;
        }
        let name = line.split(|it| *it == b':').next().unwrap_or_default();
        let is_field =
            name.len() < line.len() && !name.is_empty() && name.iter().all(|it| *it > b' ' && *it != 127);
        if !is_field && ![&b" "[..], b"\t", b"From "].iter().any(|it| line.starts_with(it)) {
            return true;
        }
        message = &message[end + 1..];
    }
    !message.is_empty()
}
