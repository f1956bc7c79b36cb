//! Cuts the octets that a server sends into responses, without I/O of its own.
//!
//! A response is a line, or several lines with literals between them (RFC 9051, section 4.3). Small literals stay where
//! they stood; large ones are handed out in chunks as they come, so that no message is held in memory as a whole.

use bytes::{Bytes, BytesMut};
use memchr::memchr;

use crate::limits::Limits;

/// Room that is made for each read, in octets.
const READ_SIZE: usize = 64 << 10;
/// With less room than this left, new room is made.
const READ_LEAST: usize = 16 << 10;

/// What [`Framer::next_frame`] finds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Frame {
    /// The end of a response.
    Response(RawResponse),
    /// A literal begins that is too large to be kept inside its response.
    LiteralStart {
        /// The response so far. Its text ends with `{n}\r\n`, and the last entry of `streamed` is this literal.
        head: RawResponse,
        /// The octets to come.
        length: u64,
    },
    /// The next octets of that literal: never empty, at most what the buffer held.
    LiteralChunk(Bytes),
    /// All octets of that literal were handed out. The rest of the response follows.
    LiteralEnd,
}

/// A response, or its beginning, as on the wire.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RawResponse {
    /// The octets with the inline literals and their `{n}\r\n`, without the streamed literals' octets and without the
    /// line end of the whole.
    pub text: Bytes,
    /// The literals whose octets are absent: where in `text` they would begin (right behind their `{n}\r\n`), and how
    /// many octets they had. Ascending.
    pub streamed: Vec<(usize, u64)>,
}

/// The server said more than [`Limits`] allows. Nothing more can be read from the connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum FrameError {
    /// See [`Limits::line`].
    #[error("the server sent a line of more than {limit} octets")]
    LineTooLong {
        /// In octets.
        limit: usize,
    },
    /// See [`Limits::response`].
    #[error("the server sent a response of more than {limit} octets")]
    ResponseTooLong {
        /// In octets.
        limit: usize,
    },
    /// See [`Limits::literal`].
    #[error("the server announced a literal of {length} octets; at most {limit} are taken")]
    LiteralTooLarge {
        /// In octets; the greatest number of 64 bits stands for it and all beyond.
        length: u64,
        /// In octets.
        limit: u64,
    },
    /// See [`Limits::literals_per_response`].
    #[error("the server sent more than {limit} literals in one response")]
    TooManyLiterals {
        /// A number of literals.
        limit: usize,
    },
}

/// The framer. Fill [`Framer::buffer_mut`], then call [`Framer::next_frame`] until it has no more.
#[derive(Debug, Default)]
pub struct Framer {
    limits: Limits,
    /// What has come and was not handed out yet. Within a streamed literal it begins with the literal's next octet,
    /// otherwise with the response, or with what follows `head`.
    buffer: BytesMut,
    /// Where in `buffer` the present line begins; behind an inline literal, which may still be incomplete.
    line: usize,
    /// Up to where `buffer` was searched for the line's end. Never less than `line`.
    searched: usize,
    /// The octets of inline literals in this response.
    inline: usize,
    /// The literals of this response.
    literals: usize,
    /// The response up to the last streamed literal, and the streamed literals.
    head: RawResponse,
    /// What is still to come of the streamed literal.
    streaming: Option<u64>,
    /// Told again when asked again.
    failed: Option<FrameError>,
}

impl Framer {
    /// An empty one.
    pub fn new(limits: Limits) -> Self {
        Self { limits, ..Self::default() }
    }

    /// The buffer, to put at its end what the server sent. It has room for a read of useful size, and for the rest of
    /// an inline literal.
    pub fn buffer_mut(&mut self) -> &mut BytesMut {
        let missing = self.line.saturating_sub(self.buffer.len());
        if self.buffer.capacity() - self.buffer.len() < missing.max(READ_LEAST) {
            self.buffer.reserve(missing.saturating_add(READ_SIZE));
        }
        &mut self.buffer
    }

    /// The next frame; `None` when more octets are needed. The octets of the buffer are looked at only once, however
    /// many calls it takes.
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

    /// Drops what is buffered, and all that was begun: before TLS, for nothing that came in clear text may count.
    /// Returns how many octets were dropped.
    pub fn discard(&mut self) -> usize {
        let dropped = self.buffer.len();
        *self = Self::new(self.limits.clone());
        dropped
    }

    /// Whether a response has begun and not ended. If the connection ends now, something is lost.
    pub fn is_inside_response(&self) -> bool {
        !self.buffer.is_empty() || !self.head.text.is_empty() || self.streaming.is_some()
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

    /// Reads lines and inline literals until the response ends or a literal is to be streamed.
    fn next_lines(&mut self) -> Result<Option<Frame>, FrameError> {
        // False while an inline literal is incomplete: there is nothing to search yet.
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
                // Some servers send an empty line after a literal or a refused command. It says nothing.
                let _ = self.buffer.split_to(end);
                self.searched = 0;
                continue;
            }
            let literal = if first && is_status(content) { None } else { announced_literal(content) };
            let Some(length) = literal else {
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

    /// `end`: how much of the buffer belongs to this response. The tighter limit speaks, so that the error does not
    /// depend on how the octets were cut into reads.
    fn check_length(&self, end: usize) -> Result<(), FrameError> {
        let Limits { line, response, .. } = self.limits;
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
        // The greatest number also stands for what overflowed, so it is refused under any limit.
        if length > self.limits.literal || length == u64::MAX {
            return Err(FrameError::LiteralTooLarge { length, limit: self.limits.literal });
        }
        Ok(())
    }

    fn keep_inline(&mut self, end: usize, length: usize) -> Result<(), FrameError> {
        let next = end.saturating_add(length);
        // Checked before the octets come: they would only be collected in vain.
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

    /// Takes `end` octets from the buffer and returns the first `stop` of them, behind the head if there is one. Only
    /// a response with streamed literals is copied, and of it only what is not streamed.
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

/// `line` ends with LF, and a CR before it, if any, belongs to the line's end.
fn without_line_end(line: &[u8]) -> &[u8] {
    let line = line.strip_suffix(b"\n").unwrap_or(line);
    line.strip_suffix(b"\r").unwrap_or(line)
}

/// Whether this is the first line of a response that ends with words for people. They have no literals: a `{5}` at
/// their end is just text.
fn is_status(line: &[u8]) -> bool {
    let Some(data) = line.strip_prefix(b"*") else {
        return true; // tagged, or a continuation
    };
    let data = data.trim_ascii_start();
    let word = data.split(|octet| matches!(octet, b' ' | b'\t' | b'[')).next().unwrap_or_default();
    ["OK", "NO", "BAD", "BYE", "PREAUTH"].iter().any(|it| word.eq_ignore_ascii_case(it.as_bytes()))
}

/// The length in a `{n}`, `{n+}` or `~{n}` at the end of the line. Numbers beyond 64 bits become the greatest one.
/// A brace behind an atom's octet belongs to the atom: some servers do not quote mailbox names that have one.
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
