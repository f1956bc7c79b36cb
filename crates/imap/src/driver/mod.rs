//! Sends commands and reads responses: tags, pipelining, literals and timeouts.

mod flood;
mod pace;
mod pending;
mod pipeline;
mod reader;
mod state;
mod writer;

use std::{collections::VecDeque, pin::pin, sync::Arc, time::Duration};

use bytes::Bytes;

pub(crate) use pace::longest_stall;
pub(crate) use pending::Pending;
pub(crate) use pipeline::PipelineEvent;
pub(crate) use reader::silence;
pub use state::MailboxData;
pub(crate) use state::{ConnectionState, SelectedState};
pub(crate) use writer::Writer;

use self::{flood::Flood, reader::Reader};
use crate::{
    command_id::CommandId,
    decode::decode,
    encode::Command,
    error::{Error, ErrorKind},
    framer::{Frame, RawResponse},
    limits::ResponseLimits,
    options::{ConnectOptions, Timeouts},
    response::{Response, Status, StatusResponse, Untagged},
    secrets::Secrets,
    stream::Stream,
    trace,
};

/// Maximum number of responses to one command. More are a flood.
const MAX_RESPONSES: u32 = 4_000_000;

/// Time for further responses after a BYE.
const GOODBYE_TIMEOUT: Duration = Duration::from_secs(2);

/// Bytes of the first line that are kept.
const MAX_FIRST_LINE: usize = 80;

/// Event from the server.
#[derive(Debug)]
pub(crate) enum Event {
    /// The server waits for the rest of the command.
    Continue(String),
    /// A command has ended.
    Tagged {
        id: CommandId,
        status: StatusResponse,
    },
    Untagged(Untagged),
    /// Start of a large literal; its chunks and its end follow.
    LiteralStart {
        head: RawResponse,
        length: u64,
    },
    LiteralChunk(Bytes),
    LiteralEnd,
}

/// Reading half, with the state of the connection.
pub(crate) struct Incoming {
    reader: Reader,
    limits: ResponseLimits,
    pending: Arc<Pending>,
    pub(crate) state: ConnectionState,
    pub(crate) secrets: Secrets,
    /// Start of the first line, which may not be IMAP.
    pub(crate) first_line: Vec<u8>,
    /// Error of an unrequested BYE. Later responses are still read, because they may contain the reason.
    farewell: Option<Error>,
    /// Error after which nothing more can be read.
    broken: Option<Error>,
    flood: Flood,
}

impl Incoming {
    /// Returns the next event. Cancel safe. Without a timeout it waits without end.
    pub(crate) async fn next(&mut self, patience: Option<Duration>) -> Result<Event, Error> {
        if let Some(error) = &self.broken {
            return Err(error.clone());
        }
        let patience = if self.farewell.is_some() { Some(GOODBYE_TIMEOUT) } else { patience };
        let frame = self.reader.next(patience).await;
        let frame = frame.map_err(|error| self.farewell.take().unwrap_or(error));
        frame
            .and_then(|frame| self.admit(frame))
            .map_err(|error| self.secrets.redact_error(error))
            .map_err(|error| self.fail(error))
    }

    /// Returns the error that ended the connection, without waiting.
    async fn ended(&mut self) -> Option<Error> {
        loop {
            let event = tokio::select! {
                biased;
                event = self.next(None) => event,
                () = std::future::ready(()) => return None,
            };
            if let Some(error) = event.err().or_else(|| self.farewell.clone()) {
                return Some(error);
            }
        }
    }

    /// Marks the connection as broken. Returns the first error.
    pub(crate) fn fail(&mut self, error: Error) -> Error {
        self.broken.get_or_insert(error).clone()
    }

    pub(crate) fn last_read(&self) -> std::time::Instant {
        self.reader.last_read()
    }

    fn admit(&mut self, frame: Frame) -> Result<Event, Error> {
        let raw = match frame {
            Frame::LiteralStart { head, length } => return Ok(Event::LiteralStart { head, length }),
            Frame::LiteralChunk(chunk) => return Ok(Event::LiteralChunk(chunk)),
            Frame::LiteralEnd => return Ok(Event::LiteralEnd),
            Frame::Response(raw) => raw,
        };
        if self.first_line.is_empty() {
            self.first_line = raw.text[..raw.text.len().min(MAX_FIRST_LINE)].trim_ascii_end().to_vec();
        }
        let mut response = decode(&raw, &self.limits)?;
        match &response {
            Response::Untagged(untagged) => {
                let progress = self.flood.admit(untagged, raw.text.len())?;
                self.reader.pace.add(progress);
            }
            Response::Tagged { .. } => {
                self.flood.ended();
                self.reader.pace.restart();
            }
            Response::Continue(_) => self.flood.admit_continuation(raw.text.len())?,
        }
        self.secrets.redact_response(&mut response);
        match response {
            Response::Continue(text) => Ok(Event::Continue(text)),
            Response::Tagged { tag, status } => {
                self.state.observe_status(&status);
                self.state.refusals += u32::from(status.status != Status::Ok);
                if self.pending.is_abandoned(&tag) {
                    return Ok(Event::Untagged(Untagged::Status(status)));
                }
                let id = self.pending.complete(&tag).ok_or_else(|| {
                    let words = format!("the server answers a command that was not sent (tag {tag:?})");
                    Error::session(ErrorKind::Protocol, words)
                })?;
                if let Some(error) =
                    self.state.sign_in_note.as_deref().and_then(|note| Error::not_connected(&status, note))
                {
                    return Err(error);
                }
                match &self.farewell {
                    // A refusal after a BYE is caused by the end of the connection.
                    Some(farewell) if status.status != Status::Ok => Err(farewell.clone().because(&status)),
                    _ => Ok(Event::Tagged { id, status }),
                }
            }
            Response::Untagged(Untagged::Status(status))
                if status.status == Status::Bye && !self.state.is_closing =>
            {
                self.farewell = Some(Error::bye(&status));
                Ok(Event::Untagged(Untagged::Status(status)))
            }
            Response::Untagged(untagged) => {
                self.state.observe(&untagged);
                Ok(Event::Untagged(untagged))
            }
        }
    }
}

/// Connection: both halves.
pub(crate) struct Link {
    pub(crate) incoming: Incoming,
    pub(crate) writer: Writer,
    pub(crate) pending: Arc<Pending>,
    /// Events that arrived during a wait for a continuation.
    backlog: VecDeque<Event>,
    pub(crate) timeouts: Timeouts,
    pub(crate) is_tls: bool,
}

impl Link {
    pub(crate) fn new(stream: Stream, options: &ConnectOptions, secrets: Secrets) -> Self {
        let is_tls = stream.is_tls();
        let (read, write) = tokio::io::split(stream);
        let pending = Arc::new(Pending::new());
        Self {
            incoming: Incoming {
                reader: Reader::new(read, options.limits.clone(), options.trace.clone()),
                limits: options.limits.clone(),
                pending: Arc::clone(&pending),
                state: ConnectionState::default(),
                secrets,
                first_line: Vec::new(),
                farewell: None,
                broken: None,
                flood: Flood::default(),
            },
            writer: Writer::new(write, Arc::clone(&pending), options.timeouts.write, options.trace.clone()),
            pending,
            backlog: VecDeque::new(),
            timeouts: options.timeouts,
            is_tls,
        }
    }

    /// Returns the stream for TLS. Everything that was received is discarded.
    pub(crate) fn into_stream(self) -> Stream {
        self.incoming.reader.into_half().unsplit(self.writer.into_half())
    }

    pub(crate) fn state(&self) -> &ConnectionState {
        &self.incoming.state
    }

    pub(crate) fn state_mut(&mut self) -> &mut ConnectionState {
        &mut self.incoming.state
    }

    pub(crate) fn has(&self, capability: &str) -> bool {
        self.state().has(capability)
    }

    /// Hides challenges and answers in the trace, or shows them again.
    pub(crate) fn hide_continuations(&mut self, hide: bool) {
        self.incoming.reader.hides_continuations = hide;
    }

    /// Starts compression in both directions, at the server's OK (RFC 4978).
    pub(crate) fn start_compression(&mut self) {
        self.incoming.reader.start_inflating();
        self.writer.start_deflating();
    }

    /// Returns the next event, and sends collected bytes meanwhile. Cancel safe.
    pub(crate) async fn next(&mut self) -> Result<Event, Error> {
        self.next_within(self.timeouts.read).await
    }

    /// Like [`next`](Self::next), with another timeout.
    pub(crate) async fn next_within(&mut self, patience: Duration) -> Result<Event, Error> {
        match self.backlog.pop_front() {
            Some(event) => Ok(event),
            None => self.pump(Some(patience)).await,
        }
    }

    /// Marks the connection as broken, with an error of the caller.
    pub(crate) fn give_up(&mut self, error: Error) -> Error {
        self.incoming.fail(error)
    }

    /// Reads and writes at once. Otherwise a server that waits until the client reads would wait without end.
    pub(crate) async fn pump(&mut self, patience: Option<Duration>) -> Result<Event, Error> {
        let Self { incoming, writer, .. } = self;
        if writer.is_clean() {
            return incoming.next(patience).await;
        }
        let unsent = {
            let mut flush = pin!(writer.flush());
            tokio::select! {
                biased;
                outcome = &mut flush => outcome.err(),
                event = incoming.next(patience) => return event,
            }
        };
        match (incoming.next(patience).await, unsent) {
            // The last response of a server is a better reason than the failed write.
            (Err(error), Some(unsent)) if error.kind == ErrorKind::Timeout => Err(incoming.fail(unsent)),
            (outcome, _) => outcome,
        }
    }

    /// Reads the answers to commands whose futures were dropped. Called before each new command.
    pub(crate) async fn drain_abandoned(&mut self) -> Result<(), Error> {
        if let Some(error) = self.incoming.broken.as_ref().or(self.writer.broken()) {
            return Err(error.clone());
        }
        if self.pending.is_open() {
            let words = "a command was cancelled before all of it was sent";
            return Err(self.incoming.fail(Error::session(ErrorKind::Protocol, words)));
        }
        while !self.pending.is_empty() || self.incoming.farewell.is_some() {
            self.pump(Some(self.timeouts.read)).await?;
        }
        self.backlog.clear();
        Ok(())
    }

    /// Returns the error that ended the connection, without waiting.
    pub(crate) async fn ended(&mut self) -> Option<Error> {
        match self.writer.broken() {
            Some(error) => Some(error.clone()),
            None => self.incoming.ended().await,
        }
    }

    /// Queues a command. Waits only for the continuation of a literal.
    ///
    /// If the server ends the command instead, the answer follows with the next events.
    pub(crate) async fn send(&mut self, command: &Command) -> Result<CommandId, Error> {
        let mode = self.state().capabilities.literal_mode();
        let id = self.writer.open();
        if self.writer.trace.is_some() {
            self.writer.trace(&trace::command(id, command));
        }
        for fragment in &command.fragments {
            let octets = fragment.octets();
            if fragment.is_literal() {
                let length = octets.len() as u64;
                if mode.is_free(length) {
                    self.writer.queue(format!("{{{length}+}}\r\n").as_bytes());
                } else {
                    self.writer.queue(format!("{{{length}}}\r\n").as_bytes());
                    if !self.is_continued(id).await? {
                        self.pending.close();
                        return Ok(id);
                    }
                }
            }
            self.writer.queue(octets);
        }
        self.writer.close();
        Ok(id)
    }

    /// Waits for the continuation. Returns false if the server ended the command instead.
    async fn is_continued(&mut self, id: CommandId) -> Result<bool, Error> {
        loop {
            let event = self.pump(Some(self.timeouts.read)).await?;
            match event {
                Event::Continue(_) => return Ok(true),
                Event::Tagged { id: ended, .. } if ended == id => {
                    self.backlog.push_back(event);
                    return Ok(false);
                }
                other => self.backlog.push_back(other),
            }
        }
    }

    /// Runs one command to its end. `name` is for errors.
    pub(crate) async fn run(
        &mut self,
        name: &str,
        command: &Command,
        mut collect: impl FnMut(Untagged),
    ) -> Result<StatusResponse, Error> {
        self.drain_abandoned().await?;
        let id = self.send(command).await?;
        for _ in 0..MAX_RESPONSES {
            match self.next().await? {
                Event::Tagged { id: ended, status } if ended == id => {
                    return if status.status == Status::Ok {
                        Ok(status)
                    } else {
                        Err(Error::refused(name, &status))
                    };
                }
                Event::Untagged(untagged) => collect(untagged),
                _ => {}
            }
        }
        Err(self.incoming.fail(Error::session(ErrorKind::Protocol, format!("{name}: the answer has no end"))))
    }

    /// Like [`Link::run`], for commands without data.
    pub(crate) async fn execute(&mut self, name: &str, command: &Command) -> Result<StatusResponse, Error> {
        self.run(name, command, |_| {}).await
    }

    /// Requests the capabilities.
    pub(crate) async fn ask_capabilities(&mut self) -> Result<(), Error> {
        self.execute("CAPABILITY", &Command::new("CAPABILITY")).await.map(drop)
    }
}
