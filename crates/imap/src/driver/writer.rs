//! Writing half of a connection.

use std::{
    io::{self, IoSlice},
    sync::Arc,
    time::Duration,
};

use tokio::{
    io::{AsyncWriteExt as _, WriteHalf},
    time::timeout,
};

use super::{pace::Pace, pending::Pending};
use crate::{
    command_id::CommandId,
    compress::Deflater,
    error::{Error, ErrorKind},
    stream::Stream,
    trace::{Direction, Trace},
};

/// Bytes up to which small writes are collected.
const MAX_COLLECTED: usize = 64 << 10;
/// Size below which a part is copied to save a write.
const MAX_COPIED: usize = 16 << 10;

pub(crate) struct Writer {
    half: WriteHalf<Stream>,
    pending: Arc<Pending>,
    /// Collected bytes.
    buffer: Vec<u8>,
    /// Bytes that are being sent, compressed if COMPRESS is active. The first `sent` are out.
    wire: Vec<u8>,
    sent: usize,
    deflater: Option<Deflater>,
    /// True if the stream may still buffer bytes.
    unflushed: bool,
    patience: Duration,
    /// Progress while the client waits for the server to read.
    pace: Pace,
    pub(crate) trace: Option<Arc<dyn Trace>>,
    /// Error after which nothing more can be sent.
    broken: Option<Error>,
}

impl Writer {
    pub(crate) fn new(
        half: WriteHalf<Stream>,
        pending: Arc<Pending>,
        patience: Duration,
        trace: Option<Arc<dyn Trace>>,
    ) -> Self {
        Self {
            half,
            pending,
            buffer: Vec::new(),
            wire: Vec::new(),
            sent: 0,
            deflater: None,
            unflushed: false,
            patience,
            pace: Pace::default(),
            trace,
            broken: None,
        }
    }

    /// Starts a command with its tag and a blank.
    pub(crate) fn open(&mut self) -> CommandId {
        let id = self.pending.open();
        self.queue(format!("{id} ").as_bytes());
        id
    }

    /// Ends the command.
    pub(crate) fn close(&mut self) {
        self.queue(b"\r\n");
        self.pending.close();
    }

    /// Collects bytes for the next flush.
    pub(crate) fn queue(&mut self, octets: &[u8]) {
        self.buffer.extend_from_slice(octets);
    }

    pub(crate) fn trace(&self, text: &str) {
        if let Some(trace) = &self.trace {
            trace.line(Direction::Client, text);
        }
    }

    /// True if everything is sent.
    pub(crate) fn is_clean(&self) -> bool {
        self.buffer.is_empty() && self.wire.is_empty() && !self.unflushed
    }

    pub(crate) fn broken(&self) -> Option<&Error> {
        self.broken.as_ref()
    }

    pub(crate) fn start_deflating(&mut self) {
        self.deflater = Some(Deflater::new());
    }

    pub(crate) fn into_half(self) -> WriteHalf<Stream> {
        self.half
    }

    /// Writes bytes in the order of the calls. Small parts are collected.
    ///
    /// Large parts are sent at once without a copy, in one system call with the collected bytes.
    pub(crate) async fn write(&mut self, octets: &[u8]) -> Result<(), Error> {
        if octets.len() < MAX_COPIED || self.buffer.len() + octets.len() <= MAX_COLLECTED {
            self.queue(octets);
            if self.buffer.len() > MAX_COLLECTED { self.send_collected().await } else { Ok(()) }
        } else if let Some(deflater) = &mut self.deflater {
            let packed = deflater
                .compress(&self.buffer, &mut self.wire)
                .and_then(|()| deflater.compress(octets, &mut self.wire));
            self.buffer.clear();
            self.guard(packed)?;
            self.send_wire().await
        } else {
            self.write_through(octets).await
        }
    }

    /// Sends everything. Cancel safe: unsent bytes stay.
    pub(crate) async fn flush(&mut self) -> Result<(), Error> {
        self.send_collected().await?;
        if self.unflushed {
            let outcome = timeout(self.patience, self.half.flush()).await;
            self.timed(outcome)?;
            self.unflushed = false;
        }
        Ok(())
    }

    /// Shuts the stream down. The connection ends anyway, so errors are ignored.
    pub(crate) async fn shutdown(&mut self) {
        _ = timeout(Duration::from_secs(1), self.half.shutdown()).await;
    }

    async fn send_collected(&mut self) -> Result<(), Error> {
        self.send_wire().await?;
        if self.buffer.is_empty() {
            return Ok(());
        }
        match &mut self.deflater {
            Some(deflater) => {
                let packed = deflater.compress(&self.buffer, &mut self.wire);
                self.buffer.clear();
                self.guard(packed)?;
            }
            None => std::mem::swap(&mut self.buffer, &mut self.wire),
        }
        self.send_wire().await
    }

    async fn send_wire(&mut self) -> Result<(), Error> {
        if let Some(error) = &self.broken {
            return Err(error.clone());
        }
        while self.sent < self.wire.len() {
            self.unflushed = true;
            let begun = tokio::time::Instant::now();
            let outcome = timeout(self.patience, self.half.write(&self.wire[self.sent..])).await;
            let sent = self.timed(outcome.map(some))?;
            self.sent += sent;
            self.took(sent, begun)?;
        }
        self.wire.clear();
        self.sent = 0;
        Ok(())
    }

    async fn write_through(&mut self, octets: &[u8]) -> Result<(), Error> {
        self.send_wire().await?;
        // If this future is dropped now, the number of sent bytes is unknown.
        self.broken = Some(torn());
        self.unflushed = true;
        let (mut head, mut body) = (0, 0);
        while body < octets.len() {
            let slices = [IoSlice::new(&self.buffer[head..]), IoSlice::new(&octets[body..])];
            let slices = if head < self.buffer.len() { &slices[..] } else { &slices[1..] };
            let begun = tokio::time::Instant::now();
            let outcome = timeout(self.patience, self.half.write_vectored(slices)).await;
            let sent = self.timed(outcome.map(some))?;
            self.took(sent, begun)?;
            let of_head = sent.min(self.buffer.len() - head);
            head += of_head;
            body += sent - of_head;
        }
        self.buffer.clear();
        self.broken = None;
        Ok(())
    }

    fn timed<T>(&mut self, outcome: Result<io::Result<T>, tokio::time::error::Elapsed>) -> Result<T, Error> {
        self.pending.touch();
        let Ok(outcome) = outcome else {
            let words = format!("the server accepted no data for {} s", self.patience.as_secs_f32());
            let error = Error::session(ErrorKind::Timeout, words);
            self.broken = Some(error.clone());
            return Err(error);
        };
        self.guard(outcome)
    }

    /// Counts bytes that the server received. A server that reads too slowly is treated like one that does not read.
    fn took(&mut self, bytes: usize, begun: tokio::time::Instant) -> Result<(), Error> {
        self.pace.add(bytes as u64);
        self.pace.wait(begun.elapsed(), self.patience).inspect_err(|error| self.broken = Some(error.clone()))
    }

    fn guard<T>(&mut self, outcome: io::Result<T>) -> Result<T, Error> {
        outcome.map_err(|error| {
            let error = Error::io("the connection broke", &error);
            self.broken = Some(error.clone());
            error
        })
    }
}

fn torn() -> Error {
    Error::session(ErrorKind::Protocol, "a command was cancelled while it was sent")
}

/// Treats a write of zero bytes as an error, because the stream has ended.
fn some(outcome: io::Result<usize>) -> io::Result<usize> {
    match outcome {
        Ok(0) => Err(io::ErrorKind::WriteZero.into()),
        other => other,
    }
}
