//! APPEND, pipelined (RFC 9051, section 6.3.12; MULTIAPPEND is RFC 3502; literals that do not wait are RFC 7888).
//!
//! Two halves are driven at once, in one task: [`AppendSink`] sends messages, [`AppendReplies`] reads the answers. The sink
//! waits for the server only if the server does not support literals without continuation.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, Instant},
};

use mailhaul_mail::{Flags, InternalDate, UidSet, UidValidity};
use parking_lot::Mutex;
use tokio::{
    sync::Notify,
    time::{sleep, timeout},
};

use crate::{
    capability::LiteralMode,
    command_id::CommandId,
    driver::{Event, Incoming, Pending, Writer, longest_stall, silence},
    encode::{Command, is_flag},
    error::{Error, ErrorKind},
    mailbox_name::MailboxName,
    response::{Code, Status, StatusResponse, Untagged},
    session::Session,
    trace,
};

/// Bytes at the end of a message that are sent together with the CRLF after them. A segment of CRLF alone would be slow.
const MIN_TAIL: usize = 4 << 10;

/// Arguments of APPEND before the bytes of a message.
#[derive(Clone, Copy, Debug)]
pub struct AppendHead<'a> {
    /// Flags and keywords. Those that break the grammar are left out.
    pub flags: &'a Flags,
    /// INTERNALDATE. Without one, the server uses the current time.
    pub date: Option<InternalDate>,
    /// Exact number of bytes that follow.
    pub length: u64,
}

/// Answer of the server to the start of a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BeginOutcome {
    /// The bytes of the message may be written.
    Ready,
    /// The server refused the message before its bytes. The command and all its messages have ended, and its reply follows.
    Refused(CommandId),
}

/// The end of an APPEND.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AppendReply {
    /// The command.
    pub command: CommandId,
    /// Status of the server.
    pub status: StatusResponse,
}

impl AppendReply {
    /// UIDs of the new messages, in order, if the server reports them (RFC 4315).
    pub fn uids(&self) -> Option<(UidValidity, &UidSet)> {
        match &self.status.code {
            Some(Code::AppendUid { validity, uids }) => Some((*validity, uids)),
            _ => None,
        }
    }

    /// Returns the refusal as an error.
    pub fn outcome(&self) -> Result<(), Error> {
        match self.status.status {
            Status::Ok => Ok(()),
            _ => Err(Error::refused("APPEND", &self.status)),
        }
    }
}

/// State that the two halves share.
#[derive(Default)]
struct ContinuationHandshake {
    state: Mutex<HandshakeState>,
    /// Wakes the sink.
    answered: Notify,
    /// Wakes the replies.
    changed: Notify,
    sink_gone: AtomicBool,
    /// The sink was dropped with unsent bytes.
    unsent: AtomicBool,
}

#[derive(Default)]
struct HandshakeState {
    /// Command that waits for a continuation.
    asked: Option<CommandId>,
    consented: bool,
    /// Command that was answered before all of it was written.
    ended: Option<CommandId>,
    /// Command that is being written.
    open: Option<CommandId>,
    /// Error after which the replies read nothing more.
    failed: Option<Error>,
}

impl ContinuationHandshake {
    fn with<T>(&self, change: impl FnOnce(&mut HandshakeState) -> T) -> T {
        change(&mut self.state.lock())
    }

    fn fail(&self, error: &Error) {
        self.with(|state| _ = state.failed.get_or_insert_with(|| error.clone()));
        self.answered.notify_one();
    }
}

/// Sends messages. Made by [`Session::append_pipeline`].
///
/// Call [`AppendSink::flush`] before a pause and before dropping it. Collected bytes are not sent automatically.
pub struct AppendSink<'s> {
    writer: &'s mut Writer,
    pending: Arc<Pending>,
    handshake: Arc<ContinuationHandshake>,
    mode: LiteralMode,
    is_multi: bool,
    name: MailboxName,
    open: Option<CommandId>,
    /// Bytes of the message that are not written yet.
    missing: Option<u64>,
}

/// Reads the answers. Made by [`Session::append_pipeline`].
pub struct AppendReplies<'s> {
    incoming: &'s mut Incoming,
    pending: Arc<Pending>,
    handshake: Arc<ContinuationHandshake>,
    patience: Duration,
    /// Time of the last answer to a command. Keep-alives are no answers.
    answered: Instant,
    /// An untagged BAD: the reason of an answer that may never arrive.
    complaint: Option<StatusResponse>,
}

/// Longest wait for the tagged answer after an untagged BAD.
const COMPLAINT_TIMEOUT: Duration = Duration::from_secs(5);

impl Session {
    /// Starts a pipeline of APPENDs into one mailbox. Both halves must be driven at once, for example with `tokio::join!`.
    ///
    /// The session stays usable if the replies are dropped early: the open answers are read before the next command. It
    /// becomes unusable if the sink is dropped within a message.
    pub async fn append_pipeline(
        &mut self,
        name: &MailboxName,
    ) -> Result<(AppendSink<'_>, AppendReplies<'_>), Error> {
        let link = &mut self.link;
        link.drain_abandoned().await?;
        let handshake = Arc::new(ContinuationHandshake::default());
        let sink = AppendSink {
            mode: link.incoming.state.capabilities.literal_mode(),
            is_multi: link.incoming.state.has("MULTIAPPEND"),
            writer: &mut link.writer,
            pending: Arc::clone(&link.pending),
            handshake: Arc::clone(&handshake),
            name: name.clone(),
            open: None,
            missing: None,
        };
        let replies = AppendReplies {
            incoming: &mut link.incoming,
            pending: Arc::clone(&link.pending),
            handshake,
            patience: link.timeouts.read,
            answered: Instant::now(),
            complaint: None,
        };
        Ok((sink, replies))
    }

    /// Appends one message from memory, and waits for the answer.
    pub async fn append(
        &mut self,
        name: &MailboxName,
        flags: &Flags,
        date: Option<InternalDate>,
        octets: &[u8],
    ) -> Result<AppendReply, Error> {
        let (mut sink, mut replies) = self.append_pipeline(name).await?;
        let sending = async move {
            if sink.begin(&AppendHead { flags, date, length: octets.len() as u64 }).await?
                == BeginOutcome::Ready
            {
                sink.write(octets).await?;
                sink.end_message()?;
                sink.end_command();
            }
            sink.flush().await
        };
        let (sent, reply) = tokio::join!(sending, replies.next());
        let reply = match (reply?, sent) {
            (Some(reply), _) => reply,
            (None, Err(error)) => return Err(error),
            (None, Ok(())) => return Err(Error::session(ErrorKind::Protocol, "APPEND: no answer")),
        };
        reply.outcome().map(|()| reply)
    }
}

impl AppendSink<'_> {
    /// True if one command may have several messages (RFC 3502). The server keeps all of them or none.
    pub fn is_multi(&self) -> bool {
        self.is_multi
    }

    /// Opens a command, or adds a message to the open one. Without MULTIAPPEND, the open command must be ended first.
    pub async fn begin(&mut self, head: &AppendHead<'_>) -> Result<BeginOutcome, Error> {
        if self.missing.is_some() {
            return Err(misuse("a message was started within another"));
        }
        if let Some(error) = self.handshake.with(|state| state.failed.clone()) {
            return Err(error);
        }
        let (id, command) = match self.open {
            Some(id) if self.handshake.with(|state| state.ended == Some(id)) => {
                self.end_command();
                return Ok(BeginOutcome::Refused(id));
            }
            Some(id) if self.is_multi => (id, Command::new("")),
            Some(_) => return Err(misuse("the server accepts only one message per command")),
            None => (self.open(), Command::new("APPEND").mailbox(&self.name)),
        };
        let command = if head.flags.iter().any(is_flag) { command.flags(head.flags) } else { command };
        let command = head.date.into_iter().fold(command, Command::date);
        if self.writer.trace.is_some() {
            self.writer.trace(&format!("{} {{{}}} ...", trace::command(id, &command), head.length));
        }
        for fragment in &command.fragments {
            let octets = fragment.octets();
            if fragment.is_literal() && !self.announce(id, octets.len() as u64).await? {
                return Ok(BeginOutcome::Refused(id));
            }
            self.writer.queue(octets);
        }
        self.writer.queue(b" ");
        if !self.announce(id, head.length).await? {
            return Ok(BeginOutcome::Refused(id));
        }
        self.missing = Some(head.length);
        Ok(BeginOutcome::Ready)
    }

    /// Writes the next bytes of the message. Small parts are collected, large ones are sent without a copy.
    ///
    /// # Errors
    /// More bytes than announced are an error, and are not sent.
    pub async fn write(&mut self, octets: &[u8]) -> Result<(), Error> {
        let length = octets.len() as u64;
        let Some(missing) = self.missing.and_then(|missing| missing.checked_sub(length)) else {
            return Err(misuse("more bytes than announced"));
        };
        let outcome = if missing == 0 && octets.len() > MIN_TAIL {
            let (body, tail) = octets.split_at(octets.len() - MIN_TAIL);
            let outcome = self.writer.write(body).await;
            self.writer.queue(tail);
            outcome
        } else {
            self.writer.write(octets).await
        };
        self.missing = Some(missing);
        self.verdict(outcome).await
    }

    /// Ends the message. All its bytes must be written.
    pub fn end_message(&mut self) -> Result<(), Error> {
        match self.missing.take() {
            Some(0) => Ok(()),
            Some(missing) => {
                self.missing = Some(missing);
                Err(misuse(&format!("{missing} bytes of a message are missing")))
            }
            None => Err(misuse("a message was ended that was not started")),
        }
    }

    /// Ends the command; `None` if no command is open.
    ///
    /// Within a message the command stays open, because its end would corrupt the message. The session is unusable then.
    pub fn end_command(&mut self) -> Option<CommandId> {
        if self.missing.is_some() {
            return None;
        }
        let id = self.open.take()?;
        self.writer.close();
        self.handshake.with(|state| state.open = None);
        self.handshake.changed.notify_one();
        Some(id)
    }

    /// Sends all collected bytes.
    pub async fn flush(&mut self) -> Result<(), Error> {
        let outcome = self.writer.flush().await;
        self.verdict(outcome).await
    }

    fn open(&mut self) -> CommandId {
        let id = self.writer.open();
        self.open = Some(id);
        self.handshake.with(|state| state.open = Some(id));
        self.handshake.changed.notify_one();
        id
    }

    /// Announces a literal, and waits for the continuation if necessary. Returns false if the server refuses it.
    async fn announce(&mut self, id: CommandId, length: u64) -> Result<bool, Error> {
        if self.mode.is_free(length) {
            self.writer.queue(format!("{{{length}+}}\r\n").as_bytes());
            return Ok(true);
        }
        self.writer.queue(format!("{{{length}}}\r\n").as_bytes());
        self.handshake.with(|state| (state.asked, state.consented) = (Some(id), false));
        self.flush().await?;
        loop {
            let (failed, consented, ended) =
                self.handshake.with(|state| (state.failed.clone(), state.consented, state.ended == Some(id)));
            if let Some(error) = failed {
                return Err(error);
            }
            if consented || ended {
                self.handshake.with(|state| state.asked = None);
            }
            if ended {
                self.pending.close();
                self.open = None;
                self.handshake.with(|state| state.open = None);
                return Ok(false);
            }
            if consented {
                return Ok(true);
            }
            self.handshake.answered.notified().await;
        }
    }

    /// Prefers the error of the other half, which reads the reason of a failed write.
    async fn verdict(&self, outcome: Result<(), Error>) -> Result<(), Error> {
        let Err(own) = outcome else { return Ok(()) };
        let reason = async {
            loop {
                if let Some(error) = self.handshake.with(|state| state.failed.clone()) {
                    return error;
                }
                self.handshake.answered.notified().await;
            }
        };
        Err(timeout(Duration::from_secs(2), reason).await.unwrap_or(own))
    }
}

impl Drop for AppendSink<'_> {
    fn drop(&mut self) {
        self.handshake.unsent.store(!self.writer.is_clean(), Ordering::Release);
        self.handshake.sink_gone.store(true, Ordering::Release);
        self.handshake.changed.notify_one();
    }
}

fn misuse(what: &str) -> Error {
    Error::session(ErrorKind::Protocol, format!("APPEND: {what}"))
}

impl AppendReplies<'_> {
    /// Returns the next answer, usually in the order of the commands; `None` if the sink is dropped and all is answered.
    pub async fn next(&mut self) -> Result<Option<AppendReply>, Error> {
        let outcome = self.read().await;
        if let Err(error) = &outcome {
            self.handshake.fail(error);
        }
        outcome
    }

    async fn read(&mut self) -> Result<Option<AppendReply>, Error> {
        loop {
            if self.handshake.sink_gone.load(Ordering::Acquire) {
                self.check_ending()?;
                if self.pending.is_empty() {
                    return Ok(None);
                }
            }
            self.check_progress()?;
            let longest_silence = self.longest_silence();
            let event = tokio::select! {
                biased;
                event = self.incoming.next(None) => event?,
                () = self.handshake.changed.notified() => continue,
                () = sleep(longest_silence) => {
                    self.check_silence()?;
                    continue;
                }
            };
            match event {
                Event::Continue(_) => {
                    self.answered = Instant::now();
                    self.handshake.with(|state| state.consented = state.asked.is_some());
                    self.handshake.answered.notify_one();
                }
                // Some servers refuse a literal like this, and send no other answer to the command.
                Event::Untagged(Untagged::Status(status)) if status.status == Status::Bad => {
                    let asked = self.handshake.with(|state| if state.consented { None } else { state.asked });
                    let Some(id) = asked else {
                        self.complaint = Some(status);
                        continue;
                    };
                    self.pending.abandon(id);
                    self.handshake.with(|state| state.ended = Some(id));
                    self.handshake.answered.notify_one();
                    return Ok(Some(AppendReply { command: id, status }));
                }
                Event::Tagged { id, status } => {
                    self.complaint = None;
                    self.answered = Instant::now();
                    self.handshake.with(|state| {
                        if state.open == Some(id) {
                            state.ended = Some(id);
                        }
                    });
                    self.handshake.answered.notify_one();
                    return Ok(Some(AppendReply { command: id, status }));
                }
                _ => {}
            }
        }
    }

    /// Returns an error if the sink was dropped in a state without a regular end.
    fn check_ending(&mut self) -> Result<(), Error> {
        if self.pending.is_open() && !self.pending.is_empty() {
            return Err(self.incoming.fail(misuse("cancelled within a message")));
        }
        if self.handshake.unsent.load(Ordering::Acquire) && !self.pending.is_empty() {
            return Err(self.incoming.fail(misuse("the sink was dropped before it was flushed")));
        }
        Ok(())
    }

    /// Returns an error if the server was silent too long. It may be silent while it receives bytes or owes no answer.
    fn check_silence(&mut self) -> Result<(), Error> {
        let owes = self.pending.is_answer_owed()
            || self.handshake.with(|state| state.asked.is_some() && !state.consented);
        let last = self.incoming.last_read().max(self.pending.last_written());
        let patience = self.longest_silence();
        if !owes || Instant::now().duration_since(last) < patience {
            return Ok(());
        }
        let error = match &self.complaint {
            Some(status) => {
                let words =
                    format!("{}, and the server gave no other answer", Error::refused("APPEND", status));
                Error::session(ErrorKind::Protocol, words)
            }
            None => silence(patience),
        };
        Err(self.incoming.fail(error))
    }

    /// Returns an error if the server sends other responses but no answer for too long.
    fn check_progress(&mut self) -> Result<(), Error> {
        let owes = self.pending.is_answer_owed()
            || self.handshake.with(|state| state.asked.is_some() && !state.consented);
        let waited = self.answered.max(self.pending.last_written()).elapsed();
        if !owes || waited < longest_stall(self.patience) {
            return Ok(());
        }
        let words = format!("the server gave no answer within {} s", waited.as_secs());
        Err(self.incoming.fail(Error::session(ErrorKind::Timeout, words)))
    }

    fn longest_silence(&self) -> Duration {
        if self.complaint.is_some() { self.patience.min(COMPLAINT_TIMEOUT) } else { self.patience }
    }
}

impl Drop for AppendReplies<'_> {
    fn drop(&mut self) {
        self.handshake.fail(&misuse("the reader of the answers was dropped"));
    }
}
