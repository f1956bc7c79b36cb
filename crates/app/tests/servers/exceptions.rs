//! Messages that servers refuse or change.

use mailhaul_testkit::Shape;

/// Treatment of messages.
enum Change {
    /// Refused.
    Refuses(fn(&[u8]) -> bool),
    /// Replaced by this message.
    Alters(fn(&[u8]) -> Vec<u8>),
}

/// Exception of one kind of server, with the reason.
struct Exception(fn(&Shape) -> bool, Change, #[allow(dead_code, reason = "for the reader")] &'static str);

/// All allowed differences between sent and stored messages. Dovecot has none.
const EXCEPTIONS: [Exception; 3] = [
    Exception(
        is_courier,
        Change::Alters(ended),
        "Courier ends a message with CRLF where it does not end with one",
    ),
    Exception(
        is_cyrus,
        Change::Refuses(has_invalid_header),
        "a line in the header that is no field, or not ended: Message contains invalid header",
    ),
    Exception(
        munges,
        Change::Alters(munged),
        "Cyrus replaces 8-bit characters in headers by X, unless munge8bit is off",
    ),
];

/// Returns the message as a server of this shape stores it; `None` if it refuses it.
pub(crate) fn kept(shape: &Shape, message: Vec<u8>) -> Option<Vec<u8>> {
    let mut changes = EXCEPTIONS.iter().filter(|Exception(is_meant, ..)| is_meant(shape));
    changes.try_fold(message, |message, Exception(_, change, _)| match change {
        Change::Refuses(is_refused) => (!is_refused(&message)).then_some(message),
        Change::Alters(alter) => Some(alter(&message)),
    })
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

fn ended(message: &[u8]) -> Vec<u8> {
    let end: &[u8] = if message.ends_with(b"\r\n") { b"" } else { b"\r\n" };
    [message, end].concat()
}

fn munged(message: &[u8]) -> Vec<u8> {
    let ends = message.windows(4).position(|it| it == b"\r\n\r\n").unwrap_or(message.len());
    let end = if message.starts_with(b"\r\n") { 0 } else { ends };
    let (header, text) = message.split_at(end);
    let header: Vec<u8> = header.iter().map(|it| if it.is_ascii() { *it } else { b'X' }).collect();
    [header.as_slice(), text].concat()
}

/// True if the header has an invalid line: without an end, or neither a field, a continuation nor an mbox line.
/// Field names may contain 8-bit characters.
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
