//! Reading half of a connection.

use std::{
    io,
    sync::Arc,
    time::{Duration, Instant},
};

use bytes::BytesMut;
use tokio::{
    io::{AsyncReadExt as _, ReadHalf},
    time::timeout,
};

use super::pace::Pace;
use crate::{
    compress::Inflater,
    error::{Error, ErrorKind},
    framer::{Frame, Framer},
    limits::ResponseLimits,
    stream::Stream,
    trace::{self, Direction, Trace},
};

/// Bytes that are decompressed at a time.
const INFLATE_CHUNK: usize = 64 << 10;

pub(crate) struct Reader {
    half: ReadHalf<Stream>,
    framer: Framer,
    inflate: Option<Inflate>,
    /// Length of the streamed literal, and the bytes of it that arrived.
    literal: Option<(u64, u64)>,
    read: Instant,
    /// Progress while the client waits.
    pub(super) pace: Pace,
    trace: Option<Arc<dyn Trace>>,
    /// True if continuations contain challenges, which are not shown.
    pub(crate) hides_continuations: bool,
}

struct Inflate {
    inflater: Inflater,
    /// Compressed bytes that wait.
    packed: BytesMut,
    /// True if the inflater may have more output without more input.
    full: bool,
}

impl Reader {
    pub(crate) fn new(half: ReadHalf<Stream>, limits: ResponseLimits, trace: Option<Arc<dyn Trace>>) -> Self {
        Self {
            half,
            framer: Framer::new(limits),
            inflate: None,
            literal: None,
            read: Instant::now(),
            pace: Pace::default(),
            trace,
            hides_continuations: false,
        }
    }

    /// Returns the next frame. Cancel safe. Without a timeout it waits without end.
    pub(crate) async fn next(&mut self, patience: Option<Duration>) -> Result<Frame, Error> {
        loop {
            if let Some(frame) = self.framer.next_frame()? {
                self.follow(&frame);
                return Ok(frame);
            }
            match patience {
                None => self.fill().await?,
                Some(patience) => {
                    let begun = tokio::time::Instant::now();
                    match timeout(patience, self.fill()).await {
                        Ok(outcome) => outcome?,
                        Err(_) => return Err(silence(patience)),
                    }
                    self.pace.wait(begun.elapsed(), patience)?;
                }
            }
        }
    }

    /// Time of the last read.
    pub(crate) fn last_read(&self) -> Instant {
        self.read
    }

    /// Starts decompression. The bytes after the server's OK are already compressed.
    pub(crate) fn start_inflating(&mut self) {
        let packed = self.framer.buffer_mut().split();
        self.framer.discard();
        self.inflate = Some(Inflate { inflater: Inflater::new(), packed, full: false });
    }

    /// Returns the half for TLS. Unread bytes from before TLS are discarded, to prevent response injection.
    pub(crate) fn into_half(mut self) -> ReadHalf<Stream> {
        let dropped = self.framer.discard();
        if dropped > 0
            && let Some(trace) = &self.trace
        {
            let words = format!("({dropped} bytes from before TLS are discarded)");
            trace.line(Direction::Server, &words);
        }
        self.half
    }

    fn follow(&mut self, frame: &Frame) {
        match frame {
            Frame::LiteralStart { length, .. } => self.literal = Some((*length, 0)),
            Frame::LiteralChunk(chunk) => {
                if let Some((_, came)) = &mut self.literal {
                    *came += chunk.len() as u64;
                }
            }
            Frame::LiteralEnd => self.literal = None,
            Frame::Response(raw) => {
                if let Some(trace) = &self.trace {
                    let hidden = self.hides_continuations && raw.text.starts_with(b"+");
                    let text = if hidden { "+ [redacted]".to_owned() } else { trace::response(raw) };
                    trace.line(Direction::Server, &text);
                }
            }
        }
    }

    async fn fill(&mut self) -> Result<(), Error> {
        let Some(inflate) = &mut self.inflate else {
            let outcome = self.half.read_buf(self.framer.buffer_mut()).await;
            return self.came(outcome);
        };
        if inflate.packed.is_empty() && !inflate.full {
            inflate.packed.reserve(INFLATE_CHUNK);
            let outcome = self.half.read_buf(&mut inflate.packed).await;
            self.came(outcome)?;
        }
        self.inflate()
    }

    fn inflate(&mut self) -> Result<(), Error> {
        let Some(inflate) = &mut self.inflate else { return Ok(()) };
        let out = self.framer.buffer_mut();
        let before = (inflate.packed.len(), out.len());
        inflate.inflater.inflate(&mut inflate.packed, out, INFLATE_CHUNK).map_err(|error| {
            Error::session(
                ErrorKind::Protocol,
                format!("the compressed data of the server cannot be read: {error}"),
            )
        })?;
        inflate.full = out.len() - before.1 == INFLATE_CHUNK;
        if !inflate.full && !inflate.packed.is_empty() && before == (inflate.packed.len(), out.len()) {
            return Err(Error::session(
                ErrorKind::Protocol,
                "the compressed data of the server cannot be read",
            ));
        }
        Ok(())
    }

    fn came(&mut self, outcome: io::Result<usize>) -> Result<(), Error> {
        match outcome {
            Ok(0) => Err(self.ended()),
            Ok(bytes) => {
                self.read = Instant::now();
                self.pace.add(bytes as u64);
                Ok(())
            }
            // TLS without close_notify. For IMAP this is an end like any other.
            Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => Err(self.ended()),
            Err(error) => Err(Error::io("the connection broke", &error)),
        }
    }

    fn ended(&self) -> Error {
        let place = match self.literal {
            Some((length, came)) => {
                format!(" in the middle of a literal: {came} of {length} bytes arrived")
            }
            None if self.framer.is_inside_literal() => " in the middle of a literal".to_owned(),
            None if self.framer.is_inside_response() => " in the middle of a response".to_owned(),
            None => String::new(),
        };
        Error::session(ErrorKind::Connection, format!("the server closed the connection{place}"))
    }
}

/// Error of a server that does not answer.
pub(crate) fn silence(patience: Duration) -> Error {
    let words = format!("the server did not answer within {} s", patience.as_secs_f32());
    Error::session(ErrorKind::Timeout, words)
}
