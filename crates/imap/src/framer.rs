//! Splits the bytes of a server into responses, without I/O.
//!
//! A response is a line, or several lines with literals between them (RFC 9051, section 4.3). Small literals stay in the
//! response. Large ones are returned in chunks as they arrive, so that no message is held in memory as a whole.

use bytes::{Bytes, BytesMut};
use memchr::memchr;

use crate::limits::ResponseLimits;

/// Buffer space for each read, in bytes.
const READ_SIZE: usize = 64 << 10;
/// Buffer space below which the buffer grows, in bytes.
const MIN_READ_SIZE: usize = 16 << 10;

/// Result of [`Framer::next_frame`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Frame {
    /// The end of a response.
    Response(RawResponse),
    /// Start of a literal that is too large for its response.
    LiteralStart {
        /// Response so far. Its text ends with `{n}\r\n`, and the last entry of `streamed` is this literal.
        head: RawResponse,
        /// Number of bytes that follow.
        length: u64,
    },
    /// Next bytes of that literal; never empty.
    LiteralChunk(Bytes),
    /// End of that literal. The rest of the response follows.
    LiteralEnd,
}

/// Response, or its beginning, as on the wire.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RawResponse {
    /// Bytes with the inline literals and their `{n}\r\n`, without streamed literals and without the final line end.
    pub text: Bytes,
    /// Streamed literals: position in `text` directly after their `{n}\r\n`, and length. Ascending.
    pub streamed: Vec<(usize, u64)>,
}

/// The server exceeded [`ResponseLimits`]. Nothing more can be read from the connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum FrameError {
    /// See [`ResponseLimits::line`].
    #[error("the server sent a line of more than {limit} octets")]
    LineTooLong {
        /// In bytes.
        limit: usize,
    },
    /// See [`ResponseLimits::response`].
    #[error("the server sent a response of more than {limit} octets")]
    ResponseTooLong {
        /// In bytes.
        limit: usize,
    },
    /// See [`ResponseLimits::literal`].
    #[error("the server announced a literal of {length} octets; at most {limit} are taken")]
    LiteralTooLarge {
        /// In bytes. The greatest number of 64 bits also means all greater ones.
        length: u64,
        /// In bytes.
        limit: u64,
    },
    /// See [`ResponseLimits::literals_per_response`].
    #[error("the server sent more than {limit} literals in one response")]
    TooManyLiterals {
        /// Number of literals.
        limit: usize,
    },
}

/// The framer. Fill [`Framer::buffer_mut`], then call [`Framer::next_frame`] until it returns `None`.
#[derive(Debug, Default)]
pub struct Framer {
    limits: ResponseLimits,
    /// Received bytes that were not returned yet.
    ///
    /// Within a streamed literal they begin with its next byte, otherwise with the response, or with the bytes after `head`.
    buffer: BytesMut,
    /// Start of the current line in `buffer`: after an inline literal, which may be incomplete.
    line: usize,
    /// End of the part of `buffer` that was searched for a line end. Invariant: never less than `line`.
    searched: usize,
    /// Bytes of inline literals in this response.
    inline: usize,
    /// Literals of this response.
    literals: usize,
    /// Response up to the last streamed literal, and the streamed literals.
    head: RawResponse,
    /// Bytes of the streamed literal that are missing.
    streaming: Option<u64>,
    /// Error that every further call returns.
    failed: Option<FrameError>,
}

impl Framer {
    /// Returns an empty framer.
    pub fn new(limits: ResponseLimits) -> Self {
        Self { limits, ..Self::default() }
    }

    /// Returns the buffer, to append bytes of the server. It has space for a read of useful size, and for the rest of an
    /// inline literal.
    pub fn buffer_mut(&mut self) -> &mut BytesMut {
        let missing = self.line.saturating_sub(self.buffer.len());
        if self.buffer.capacity() - self.buffer.len() < missing.max(MIN_READ_SIZE) {
            self.buffer.reserve(missing.saturating_add(READ_SIZE));
        }
        &mut self.buffer
    }

    /// Returns the next frame; `None` if more bytes are necessary. Each byte is searched only once.
    pub fn next_frame(&mut self) -> Result<Option<Frame>, FrameError> {
        if let Some(error) = self.failed {
            return Err(error);
        }
        let frame = match self.streaming {
            Some(remaining) => Ok(self.next_chunk(remaining)),
            None => self.next_lines(),
        };
        self.failed = frame.as_ref().err().copied();
        frame
    }

    /// Discards all buffered bytes, for the start of TLS. Returns their number.
    pub fn discard(&mut self) -> usize {
        let dropped = self.buffer.len();
        *self = Self::new(self.limits.clone());
        dropped
    }

    /// True if a response is incomplete. If the connection ends now, data is lost.
    pub fn is_inside_response(&self) -> bool {
        !self.buffer.is_empty() || !self.head.text.is_empty() || self.streaming.is_some()
    }

    /// True if a literal is incomplete.
    pub fn is_inside_literal(&self) -> bool {
        self.streaming.is_some() || self.line > self.buffer.len()
    }

    fn next_chunk(&mut self, remaining: u64) -> Option<Frame> {
        if remaining == 0 {
            self.streaming = None;
            return Some(Frame::LiteralEnd);
        }
        if self.buffer.is_empty() {
            return None;
        }
        let length = usize::try_from(remaining).unwrap_or(usize::MAX).min(self.buffer.len());
        self.streaming = Some(remaining - length as u64);
        Some(Frame::LiteralChunk(self.buffer.split_to(length).freeze()))
    }

    /// Reads lines and inline literals until the response ends or a streamed literal begins.
    fn next_lines(&mut self) -> Result<Option<Frame>, FrameError> {
        // False while an inline literal is incomplete.
        while self.searched <= self.buffer.len() {
            let Some(found) = memchr(b'\n', &self.buffer[self.searched..]) else {
                self.searched = self.buffer.len();
                self.check_length(self.searched)?;
                return Ok(None);
            };
            let end = self.searched + found + 1;
            self.check_length(end)?;
            let content = without_line_end(&self.buffer[self.line..end]);
            let first = self.line == 0 && self.head.text.is_empty();
            if first && content.is_empty() {
                // Some servers send an empty line after a literal or a refused command. It has no meaning.
                _ = self.buffer.split_to(end);
                self.searched = 0;
                continue;
            }
            let literal = if first && is_status(content) { None } else { announced_literal(content) };
            let Some(length) = literal else {
                if !first && content.is_empty() && self.is_fetch() {
                    match self.buffer.get(end) {
                        None => {
                            self.searched = end - 1;
                            return Ok(None);
                        }
                        // Quirk: Xeams ends the line after a literal, and continues the items in the next line.
                        Some(b' ') => {
                            (self.line, self.searched) = (end, end);
                            continue;
                        }
                        Some(_) => {}
                    }
                }
                let stop = self.line + content.len();
                return Ok(Some(Frame::Response(self.finish(stop, end))));
            };
            self.check_literal(length)?;
            match usize::try_from(length) {
                Ok(length) if length <= self.limits.inline_literal => self.keep_inline(end, length)?,
                _ => return Ok(Some(self.start_streaming(end, length))),
            }
        }
        Ok(None)
    }

    /// True if this response is a FETCH, which never ends with a literal.
    fn is_fetch(&self) -> bool {
        let start = if self.head.text.is_empty() { &self.buffer[..] } else { &self.head.text[..] };
        let mut words = start.split(|octet| *octet == b' ').filter(|word| !word.is_empty());
        let (star, _number, name) = (words.next(), words.next(), words.next());
        star == Some(b"*") && name.is_some_and(is_fetch)
    }

    /// Checks the limits. `end` is the part of the buffer that belongs to this response.
    ///
    /// The stricter limit determines the error, so that the error does not depend on the sizes of reads.
    fn check_length(&self, end: usize) -> Result<(), FrameError> {
        let ResponseLimits { line, response, .. } = self.limits;
        let total = self.head.text.len().saturating_add(end);
        let line_end = line.saturating_add(self.inline);
        if total <= line_end.min(response) {
            Ok(())
        } else if line_end <= response {
            Err(FrameError::LineTooLong { limit: line })
        } else {
            Err(FrameError::ResponseTooLong { limit: response })
        }
    }

    fn check_literal(&mut self, length: u64) -> Result<(), FrameError> {
        self.literals += 1;
        if self.literals > self.limits.literals_per_response {
            return Err(FrameError::TooManyLiterals { limit: self.limits.literals_per_response });
        }
        // The greatest number also stands for an overflow, so it exceeds every limit.
        if length > self.limits.literal || length == u64::MAX {
            return Err(FrameError::LiteralTooLarge { length, limit: self.limits.literal });
        }
        Ok(())
    }

    fn keep_inline(&mut self, end: usize, length: usize) -> Result<(), FrameError> {
        let next = end.saturating_add(length);
        // Checked before the bytes arrive, so that they are not collected first.
        if self.head.text.len().saturating_add(next) > self.limits.response {
            return Err(FrameError::ResponseTooLong { limit: self.limits.response });
        }
        self.inline += length;
        self.line = next;
        self.searched = next;
        Ok(())
    }

    fn start_streaming(&mut self, end: usize, length: u64) -> Frame {
        self.head.text = self.take(end, end);
        self.head.streamed.push((self.head.text.len(), length));
        self.streaming = Some(length);
        Frame::LiteralStart { head: self.head.clone(), length }
    }

    fn finish(&mut self, stop: usize, end: usize) -> RawResponse {
        let text = self.take(stop, end);
        self.inline = 0;
        self.literals = 0;
        RawResponse { text, streamed: std::mem::take(&mut self.head).streamed }
    }

    /// Takes `end` bytes from the buffer and returns the first `stop` of them, after the head if there is one.
    ///
    /// Only responses with streamed literals are copied, without those literals.
    fn take(&mut self, stop: usize, end: usize) -> Bytes {
        let mut text = self.buffer.split_to(end).freeze();
        text.truncate(stop);
        self.line = 0;
        self.searched = 0;
        if self.head.text.is_empty() {
            return text;
        }
        let mut whole = BytesMut::with_capacity(self.head.text.len() + text.len());
        whole.extend_from_slice(&self.head.text);
        whole.extend_from_slice(&text);
        whole.freeze()
    }
}

/// Removes LF or CRLF at the end of the line.
fn without_line_end(line: &[u8]) -> &[u8] {
    let line = line.strip_suffix(b"\n").unwrap_or(line);
    line.strip_suffix(b"\r").unwrap_or(line)
}

/// True if this is the first line of a response that ends with text for display. A `{5}` at its end is no literal.
fn is_status(line: &[u8]) -> bool {
    let Some(data) = line.strip_prefix(b"*") else {
        return true; // tagged, or a continuation
    };
    let data = data.trim_ascii_start();
    let word = data.split(|octet| matches!(octet, b' ' | b'\t' | b'[')).next().unwrap_or_default();
    ["OK", "NO", "BAD", "BYE", "PREAUTH"].iter().any(|known| word.eq_ignore_ascii_case(known.as_bytes()))
}

/// Returns the length in a `{n}`, `{n+}` or `~{n}` at the end of the line. Overflow becomes the greatest number.
///
/// A brace within an atom belongs to the atom, because some servers do not quote mailbox names with braces.
fn announced_literal(line: &[u8]) -> Option<u64> {
    let line = line.strip_suffix(b"}")?;
    let line = line.strip_suffix(b"+").unwrap_or(line);
    let start = line.iter().rposition(|octet| !octet.is_ascii_digit())? + 1;
    let (before, digits) = line.split_at(start);
    let before = before.strip_suffix(b"{")?;
    let before = before.strip_suffix(b"~").unwrap_or(before);
    if digits.is_empty() || !matches!(before.last(), Some(b' ' | b'\t' | b'(' | b')' | b']' | b'>')) {
        return None;
    }
    let add = |number: u64, digit: &u8| number.checked_mul(10)?.checked_add(u64::from(digit - b'0'));
    Some(digits.iter().try_fold(0, add).unwrap_or(u64::MAX))
}

/// True for the name of a response about a message: FETCH, or UIDFETCH (RFC 9586).
pub(crate) fn is_fetch(name: &[u8]) -> bool {
    name.eq_ignore_ascii_case(b"FETCH") || name.eq_ignore_ascii_case(b"UIDFETCH")
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn small() -> ResponseLimits {
        ResponseLimits {
            line: 60,
            inline_literal: 8,
            literal: 1000,
            literals_per_response: 3,
            response: 100,
            ..ResponseLimits::default()
        }
    }

    /// All frames of what comes in these pieces, chunks of one literal joined, and the error at the end if there is one.
    fn frames<'a>(
        limits: &ResponseLimits,
        pieces: impl IntoIterator<Item = &'a [u8]>,
    ) -> (Vec<Frame>, Option<FrameError>) {
        let mut framer = Framer::new(limits.clone());
        let mut found: Vec<Frame> = Vec::new();
        for piece in pieces {
            framer.buffer_mut().extend_from_slice(piece);
            loop {
                match framer.next_frame() {
                    Ok(None) => break,
                    Ok(Some(Frame::LiteralChunk(chunk))) => {
                        assert!(!chunk.is_empty());
                        if let Some(Frame::LiteralChunk(before)) = found.last_mut() {
                            *before = [&before[..], &chunk].concat().into();
                        } else {
                            found.push(Frame::LiteralChunk(chunk));
                        }
                    }
                    Ok(Some(frame)) => found.push(frame),
                    Err(error) => {
                        assert_eq!(framer.next_frame(), Err(error), "the error stays");
                        return (found, Some(error));
                    }
                }
            }
        }
        (found, None)
    }

    fn whole(wire: &[u8]) -> (Vec<Frame>, Option<FrameError>) {
        frames(&small(), [wire])
    }

    fn error(wire: &[u8]) -> Option<FrameError> {
        let (_, error) = whole(wire);
        assert_eq!(frames(&small(), wire.chunks(1)).1, error, "octet by octet");
        error
    }

    fn response(text: &[u8]) -> Frame {
        Frame::Response(RawResponse { text: Bytes::copy_from_slice(text), streamed: Vec::new() })
    }

    #[test]
    fn small_literals_stay_inside_their_response() {
        for announced in ["{3}", "{3+}", "~{3}", "{003}"] {
            let text = format!("* 1 FETCH (BODY[] {announced}\r\na\nb FLAGS ())");
            let (found, error) = whole(format!("{text}\r\n* 2 EXISTS\r\n").as_bytes());
            assert_eq!((found, error), (vec![response(text.as_bytes()), response(b"* 2 EXISTS")], None));
        }
        let empty = b"* 1 FETCH (BODY[] {0}\r\n)";
        assert_eq!(whole(&[empty, &b"\r\n"[..]].concat()).0, [response(empty)]);
    }

    #[test]
    fn a_fetch_may_continue_on_the_line_after_a_literal() {
        let text = b"* 1 FETCH (BODY[] {3}\r\na\nb\r\n UID 1)";
        let (found, error) = whole(&[&text[..], b"\r\n* 2 EXISTS\r\n"].concat());
        assert_eq!((found, error), (vec![response(text), response(b"* 2 EXISTS")], None));
        // Nothing goes on here.
        let cut = b"* 1 FETCH (BODY[] {3}\r\na\nb";
        let (found, _) = whole(&[&cut[..], b"\r\n* 2 EXISTS\r\n"].concat());
        assert_eq!(found[..1], [response(&[&cut[..], b""].concat())]);
        let list = b"* LIST () NIL {3}\r\nabc";
        assert_eq!(whole(&[&list[..], b"\r\n"].concat()).0, [response(list)]);
    }

    #[test]
    fn the_rest_of_a_response_is_joined_to_its_head() {
        let (head, tail) = (b"* 1 FETCH (UID 7 BODY[] {9}\r\n", b" X {2}\r\nab)");
        let wire = [&head[..], b"123\r\n6789", tail, b"\r\n* 2 EXISTS\r\n"].concat();
        let streamed = vec![(head.len(), 9)];
        let head = RawResponse { text: head[..].into(), streamed: streamed.clone() };
        let text = [&head.text[..], tail].concat().into();
        let expected = [
            Frame::LiteralStart { head, length: 9 },
            Frame::LiteralChunk(b"123\r\n6789"[..].into()),
            Frame::LiteralEnd,
            Frame::Response(RawResponse { text, streamed }),
            response(b"* 2 EXISTS"),
        ];
        assert_eq!(whole(&wire), (expected.to_vec(), None));
    }

    #[test]
    fn chunks_come_without_waiting_for_the_literal() {
        let mut framer = Framer::new(small());
        framer.buffer_mut().extend_from_slice(b"* 1 FETCH (BODY[] {900}\r\nabc");
        assert!(matches!(framer.next_frame(), Ok(Some(Frame::LiteralStart { length: 900, .. }))));
        assert_eq!(framer.next_frame(), Ok(Some(Frame::LiteralChunk(b"abc"[..].into()))));
        assert_eq!(framer.next_frame(), Ok(None));
        assert!(framer.is_inside_response(), "the literal has not ended");
    }

    #[test]
    fn a_brace_at_the_end_of_words_for_people_is_text() {
        for text in [
            "* OK welcome {5}",
            "* bye {5}",
            "*  NO[ALERT] {5}",
            "* PREAUTH {5}",
            "a1 BAD what is {5}",
            "+ go {5}",
        ] {
            let (found, error) = whole(format!("{text}\r\n* 2 EXISTS\r\n").as_bytes());
            assert_eq!((found, error), (vec![response(text.as_bytes()), response(b"* 2 EXISTS")], None));
        }
    }

    #[test]
    fn a_brace_that_announces_nothing_is_text() {
        for text in ["* LIST () \"/\" foo{5}", "* X {}", "* X {+}", "* X {a}", "* X {5", "* X {5}x", "* X 5}"]
        {
            assert_eq!(whole(format!("{text}\r\n").as_bytes()).0, [response(text.as_bytes())]);
        }
    }

    #[test]
    fn a_bare_lf_ends_lines_and_empty_lines_say_nothing() {
        let (found, error) = whole(b"\r\n* 1 EXISTS\n\n\r\n* LIST () NIL {2}\n\n\n x\ny\rz\n");
        let expected = [response(b"* 1 EXISTS"), response(b"* LIST () NIL {2}\n\n\n x"), response(b"y\rz")];
        assert_eq!((found, error), (expected.to_vec(), None));
    }

    #[test]
    fn each_limit_has_its_error() {
        let line = |length: usize| [&b"* "[..], &vec![b'x'; length - 4], b"\r\n"].concat();
        assert_eq!(error(&line(60)), None);
        assert_eq!(error(&line(61)), Some(FrameError::LineTooLong { limit: 60 }));
        assert_eq!(error(&line(61)[..60]), None, "may still be a line of 60");
        assert_eq!(error(&[b'x'; 61]), Some(FrameError::LineTooLong { limit: 60 }), "no end in sight");

        assert_eq!(error(b"* X {1000}\r\n"), None);
        assert_eq!(error(b"* X {1001}\r\n"), Some(FrameError::LiteralTooLarge { length: 1001, limit: 1000 }));
        let overflow = error(b"* X {18446744073709551616}\r\n").unwrap();
        assert_eq!(overflow, FrameError::LiteralTooLarge { length: u64::MAX, limit: 1000 });
        assert_eq!(
            overflow.to_string(),
            "the server announced a literal of 18446744073709551615 octets; at most 1000 are taken"
        );
        let unlimited =
            ResponseLimits { literal: u64::MAX, inline_literal: usize::MAX, ..ResponseLimits::default() };
        let refused = Some(FrameError::LiteralTooLarge { length: u64::MAX, limit: u64::MAX });
        assert_eq!(frames(&unlimited, [&b"* X {99999999999999999999}\r\n"[..]]).1, refused);

        assert_eq!(
            error(b"* {0}\r\n {0}\r\n {0}\r\n\r\n* {0}\r\n\r\n"),
            None,
            "counted anew in each response"
        );
        assert_eq!(
            error(b"* {0}\r\n {0}\r\n {0}\r\n {0}\r\n"),
            Some(FrameError::TooManyLiterals { limit: 3 })
        );

        let tight = ResponseLimits { response: 30, ..small() };
        let too_long = Some(FrameError::ResponseTooLong { limit: 30 });
        assert_eq!(frames(&tight, [&b"* X {8}\r\n12345678 {8}\r\n"[..]]).1, too_long, "before it comes");
        assert_eq!(frames(&tight, [&b"* X {8}\r\n12345678 some more octets"[..]]).1, too_long);
        let enormous = ResponseLimits {
            response: 100,
            line: 60,
            inline_literal: usize::MAX,
            literal: u64::MAX,
            ..small()
        };
        let wire = b"* X {18446744073709551614}\r\n";
        assert_eq!(frames(&enormous, [&wire[..]]).1, Some(FrameError::ResponseTooLong { limit: 100 }));
    }

    #[test]
    fn inline_octets_do_not_count_as_line() {
        let wire = |blanks: usize| [&b"* X {8}\r\n12345678"[..], &vec![b' '; blanks], b"\r\n"].concat();
        assert_eq!(error(&wire(49)), None, "60 octets beside the literal");
        assert_eq!(error(&wire(50)), Some(FrameError::LineTooLong { limit: 60 }));
        let next = [&wire(49)[..], b"* ", &[b'x'; 57], b"\r\n"].concat();
        assert_eq!(
            error(&next),
            Some(FrameError::LineTooLong { limit: 60 }),
            "counted anew in each response"
        );
    }

    #[test]
    fn streamed_octets_do_not_count_as_response() {
        let wire = [&b"* X {900}\r\n"[..], &[b'x'; 900], b" {900}\r\n", &[b'x'; 900], b"\r\n"].concat();
        let (found, error) = whole(&wire);
        assert_eq!((found.len(), error), (7, None));
    }

    #[test]
    fn nothing_is_searched_twice_and_there_is_room_for_the_literal() {
        let mut framer = Framer::new(ResponseLimits::default());
        framer.buffer_mut().extend_from_slice(b"* 1 FETCH");
        assert_eq!(framer.next_frame(), Ok(None));
        assert_eq!(framer.searched, 9);
        framer.buffer_mut().extend_from_slice(b" (BODY[] {200000}\r\nx");
        assert_eq!(framer.next_frame(), Ok(None));
        assert_eq!(framer.searched, 28 + 200_000, "goes on behind the literal");
        let buffer = framer.buffer_mut();
        assert!(buffer.capacity() - buffer.len() >= 199_999);
        let start = buffer.as_ptr();
        buffer.extend_from_slice(&vec![b'x'; 199_999]);
        buffer.extend_from_slice(b")\r\n");
        let Ok(Some(Frame::Response(found))) = framer.next_frame() else { panic!("complete") };
        assert_eq!(found.text.len(), 28 + 200_000 + 1);
        assert_eq!(found.text.as_ptr(), start, "not copied");
    }

    #[test]
    fn discarding_forgets_everything() {
        let mut framer = Framer::new(small());
        framer.buffer_mut().extend_from_slice(b"* X {900}\r\nabc");
        assert!(framer.is_inside_response());
        assert!(matches!(framer.next_frame(), Ok(Some(Frame::LiteralStart { .. }))));
        assert_eq!(framer.discard(), 3);
        assert!(!framer.is_inside_response());
        framer.buffer_mut().extend_from_slice(b"* 1 EXISTS\r\n");
        assert_eq!(framer.next_frame(), Ok(Some(response(b"* 1 EXISTS"))));
        assert!(!framer.is_inside_response());
    }

    /// Cuts the octets at lengths that are used again and again.
    fn cut<'a>(wire: &'a [u8], lengths: &[usize]) -> Vec<&'a [u8]> {
        let mut pieces = Vec::new();
        let mut rest = wire;
        for length in lengths.iter().cycle() {
            if rest.is_empty() {
                break;
            }
            let (piece, after) = rest.split_at((*length).min(rest.len()));
            pieces.push(piece);
            rest = after;
        }
        pieces
    }

    /// A data response with literals of up to 40 octets, and the frames that it must give when more than 8 are
    /// streamed: found without the framer.
    fn data_response() -> impl Strategy<Value = (Vec<u8>, Vec<Frame>)> {
        let literal = prop::collection::vec(prop::sample::select(b"\r\n{}5+* ~".to_vec()), 0..40);
        let part = ("[a-z(){5+~ ]{0,6}", prop::sample::select(vec![" {", " ~{"]), any::<bool>(), literal);
        // Behind a literal, the line of a FETCH that is empty may go on in the next.
        (prop::collection::vec(part, 0..4), "[a-z) ][a-z) ]{0,5}", any::<bool>()).prop_map(
            |(parts, last, cr)| {
                let mut wire = b"* 1 FETCH ".to_vec();
                let mut text = wire.clone();
                let (mut streamed, mut frames) = (Vec::new(), Vec::new());
                for (before, open, plus, literal) in parts {
                    let plus = if plus { "+" } else { "" };
                    let head = format!("{before}{open}{}{plus}}}\r\n", literal.len());
                    wire.extend_from_slice(head.as_bytes());
                    wire.extend_from_slice(&literal);
                    text.extend_from_slice(head.as_bytes());
                    if literal.len() <= 8 {
                        text.extend_from_slice(&literal);
                        continue;
                    }
                    let length = literal.len() as u64;
                    streamed.push((text.len(), length));
                    let head = RawResponse { text: text.clone().into(), streamed: streamed.clone() };
                    frames.push(Frame::LiteralStart { head, length });
                    frames.push(Frame::LiteralChunk(literal.into()));
                    frames.push(Frame::LiteralEnd);
                }
                text.extend_from_slice(last.as_bytes());
                wire.extend_from_slice(last.as_bytes());
                wire.extend_from_slice(if cr { b"\r\n" } else { b"\n" });
                frames.push(Frame::Response(RawResponse { text: text.into(), streamed }));
                (wire, frames)
            },
        )
    }

    proptest! {
        #[test]
        fn responses_are_found_however_they_are_cut(
            responses in prop::collection::vec(data_response(), 1..5),
            lengths in prop::collection::vec(1usize..30, 1..6),
        ) {
            let wire: Vec<u8> = responses.iter().flat_map(|(wire, _)| wire.clone()).collect();
            let expected: Vec<Frame> = responses.into_iter().flat_map(|(_, frames)| frames).collect();
            let limits = ResponseLimits { inline_literal: 8, ..ResponseLimits::default() };
            prop_assert_eq!(frames(&limits, cut(&wire, &lengths)), (expected, None));
        }

        #[test]
        fn noise_gives_the_same_frames_and_error_with_any_reads(
            words in prop::collection::vec(
                prop::sample::select(vec![
                    "* ", "* 1 FETCH (", "\r\n", "\n", " {", "}", "+", "~{", "0", "3", "9", "12", "99999999999999999999",
                    " {2}\r\n", " {9}\r\n", "{1+}\r\n", "OK ", "a1 ", "\r", "(", ")", "xyz", "\0", "\u{fc}",
                ]),
                0..60,
            ),
            lengths in prop::collection::vec(1usize..20, 1..6),
        ) {
            let wire = words.concat();
            prop_assert_eq!(frames(&small(), cut(wire.as_bytes(), &lengths)), whole(wire.as_bytes()));
        }
    }
}
