//! APPEND, pipelined (RFC 9051, section 6.3.12; MULTIAPPEND is RFC 3502; literals that do not wait are RFC 7888).
//!
//! Two halves that are driven at once, in one task: [`AppendSink`] sends messages, [`AppendReplies`] reads the answers.
//! Nobody waits for a single message, unless the server has no literals that go without asking.

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
    driver::{CommandId, Event, Incoming, Pending, Writer, longest_stall, silence},
    encode::{Command, is_flag},
    error::{Error, ErrorKind},
    mailbox_name::MailboxName,
    response::{Code, Status, StatusResponse, Untagged},
    session::Session,
    trace,
};

/// The last octets of a message are sent together with the CRLF that follows them, never that alone.
const TAIL: usize = 4 << 10;

/// What is said of a message before its octets.
#[derive(Clone, Copy, Debug)]
pub struct AppendHead<'a> {
    /// Flags and keywords. Those that no server could read are left out.
    pub flags: &'a Flags,
    /// When it arrived; the server takes its own clock where there is none.
    pub date: Option<InternalDate>,
    /// The octets that will follow, exactly.
    pub length: u64,
}

/// Whether the server wants the message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Begin {
    /// Its octets may be written.
    Ready,
    /// The server refused it before its octets. The command has ended, with all messages in it, and its reply comes.
    Refused(CommandId),
}

/// The end of an APPEND.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AppendReply {
    /// Which one.
    pub command: CommandId,
    /// What the server said.
    pub status: StatusResponse,
}

impl AppendReply {
    /// The UIDs of the new messages, in their order, where the server tells them (RFC 4315).
    pub fn uids(&self) -> Option<(UidValidity, &UidSet)> {
        match &self.status.code {
            Some(Code::AppendUid { validity, uids }) => Some((*validity, uids)),
            _ => None,
        }
    }

    /// The refusal as an error.
    pub fn outcome(&self) -> Result<(), Error> {
        match self.status.status {
            Status::Ok => Ok(()),
            _ => Err(Error::refused("APPEND", &self.status)),
        }
    }
}

/// What the halves tell each other.
#[derive(Default)]
struct Talk {
    question: Mutex<Question>,
    /// For the sink.
    answered: Notify,
    /// For the replies.
    changed: Notify,
    sink_gone: AtomicBool,
    /// The sink went away and left octets unsent.
    unsent: AtomicBool,
}

#[derive(Default)]
struct Question {
    /// The command that waits for the server's consent.
    asked: Option<CommandId>,
    consented: bool,
    /// The command that was answered before it was at its end.
    ended: Option<CommandId>,
    /// The command being written.
    open: Option<CommandId>,
    /// Why the replies will read no more.
    failed: Option<Error>,
}

impl Talk {
    fn with<T>(&self, change: impl FnOnce(&mut Question) -> T) -> T {
        change(&mut self.question.lock())
    }

    fn fail(&self, error: &Error) {
        self.with(|it| _ = it.failed.get_or_insert_with(|| error.clone()));
        self.answered.notify_one();
    }
}

/// Sends messages. Made by [`Session::append_pipeline`].
///
/// [`AppendSink::flush`] before a pause and before dropping it: what is collected is not sent by itself.
pub struct AppendSink<'s> {
    writer: &'s mut Writer,
    pending: Arc<Pending>,
    talk: Arc<Talk>,
    mode: LiteralMode,
    is_multi: bool,
    name: MailboxName,
    open: Option<CommandId>,
    /// The octets that the message still lacks.
    missing: Option<u64>,
}

/// Reads the answers. Made by [`Session::append_pipeline`].
pub struct AppendReplies<'s> {
    incoming: &'s mut Incoming,
    pending: Arc<Pending>,
    talk: Arc<Talk>,
    patience: Duration,
    /// When a command was answered last; keep-alives are no answers.
    answered: Instant,
    /// An untagged BAD: the reason of an answer that may never come.
    complaint: Option<StatusResponse>,
}

/// Longest wait for the tagged answer after an untagged BAD.
const AFTER_COMPLAINT: Duration = Duration::from_secs(5);

impl Session {
    /// A pipeline of APPENDs into one mailbox. Both halves must be driven at once, for example by `tokio::join!`.
    ///
    /// Dropping the replies early leaves the session usable: what is unanswered is read before the next command.
    /// Dropping the sink within a message spoils the session.
    pub async fn append_pipeline(
        &mut self,
        name: &MailboxName,
    ) -> Result<(AppendSink<'_>, AppendReplies<'_>), Error> {
        let link = &mut self.link;
        link.settle().await?;
        let talk = Arc::new(Talk::default());
        let sink = AppendSink {
            mode: link.incoming.state.capabilities.literal_mode(),
            is_multi: link.incoming.state.has("MULTIAPPEND"),
            writer: &mut link.writer,
            pending: Arc::clone(&link.pending),
            talk: Arc::clone(&talk),
            name: name.clone(),
            open: None,
            missing: None,
        };
        let replies = AppendReplies {
            incoming: &mut link.incoming,
            pending: Arc::clone(&link.pending),
            talk,
            patience: link.timeouts.read,
            answered: Instant::now(),
            complaint: None,
        };
        Ok((sink, replies))
    }

    /// Appends one message that is in memory, and waits for the answer.
    pub async fn append(
        &mut self,
        name: &MailboxName,
        flags: &Flags,
        date: Option<InternalDate>,
        octets: &[u8],
    ) -> Result<AppendReply, Error> {
        let (mut sink, mut replies) = self.append_pipeline(name).await?;
        let sending = async move {
            if sink.begin(&AppendHead { flags, date, length: octets.len() as u64 }).await? == Begin::Ready {
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
    /// Whether one command takes several messages (RFC 3502). The server keeps all of them or none.
    pub fn is_multi(&self) -> bool {
        self.is_multi
    }

    /// Opens a command, or adds a message to the open one, which must be ended first where there is no MULTIAPPEND.
    pub async fn begin(&mut self, head: &AppendHead<'_>) -> Result<Begin, Error> {
        if self.missing.is_some() {
            return Err(misuse("a message is begun within another"));
        }
        if let Some(error) = self.talk.with(|it| it.failed.clone()) {
            return Err(error);
        }
        let (id, command) = match self.open {
            Some(id) if self.talk.with(|it| it.ended == Some(id)) => {
                self.end_command();
                return Ok(Begin::Refused(id));
            }
            Some(id) if self.is_multi => (id, Command::new("")),
            Some(_) => return Err(misuse("the server takes one message in a command")),
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
                return Ok(Begin::Refused(id));
            }
            self.writer.push(octets);
        }
        self.writer.push(b" ");
        if !self.announce(id, head.length).await? {
            return Ok(Begin::Refused(id));
        }
        self.missing = Some(head.length);
        Ok(Begin::Ready)
    }

    /// The next octets of the message. Small pieces are collected, large ones go out uncopied.
    ///
    /// # Errors
    /// More octets than announced are an error, and are not sent.
    pub async fn write(&mut self, octets: &[u8]) -> Result<(), Error> {
        let length = octets.len() as u64;
        let Some(missing) = self.missing.and_then(|missing| missing.checked_sub(length)) else {
            return Err(misuse("more octets than were announced"));
        };
        let outcome = if missing == 0 && octets.len() > TAIL {
            let (body, tail) = octets.split_at(octets.len() - TAIL);
            let outcome = self.writer.write(body).await;
            self.writer.push(tail);
            outcome
        } else {
            self.writer.write(octets).await
        };
        self.missing = Some(missing);
        self.verdict(outcome).await
    }

    /// All octets of the message are written.
    pub fn end_message(&mut self) -> Result<(), Error> {
        match self.missing.take() {
            Some(0) => Ok(()),
            Some(missing) => {
                self.missing = Some(missing);
                Err(misuse(&format!("{missing} octets of a message are missing")))
            }
            None => Err(misuse("a message is ended that was not begun")),
        }
    }

    /// All messages of the command are written; `None` where there is no open command. Not within a message: that
    /// would corrupt it, so the command is left open then, which spoils the session.
    pub fn end_command(&mut self) -> Option<CommandId> {
        if self.missing.is_some() {
            return None;
        }
        let id = self.open.take()?;
        self.writer.close();
        self.talk.with(|it| it.open = None);
        self.talk.changed.notify_one();
        Some(id)
    }

    /// Sends what was collected.
    pub async fn flush(&mut self) -> Result<(), Error> {
        let outcome = self.writer.flush().await;
        self.verdict(outcome).await
    }

    fn open(&mut self) -> CommandId {
        let id = self.writer.open();
        self.open = Some(id);
        self.talk.with(|it| it.open = Some(id));
        self.talk.changed.notify_one();
        id
    }

    /// Announces a literal, and waits for consent where the server wants to be asked. False: refused.
    async fn announce(&mut self, id: CommandId, length: u64) -> Result<bool, Error> {
        if self.mode.is_free(length) {
            self.writer.push(format!("{{{length}+}}\r\n").as_bytes());
            return Ok(true);
        }
        self.writer.push(format!("{{{length}}}\r\n").as_bytes());
        self.talk.with(|it| (it.asked, it.consented) = (Some(id), false));
        self.flush().await?;
        loop {
            let (failed, consented, ended) =
                self.talk.with(|it| (it.failed.clone(), it.consented, it.ended == Some(id)));
            if let Some(error) = failed {
                return Err(error);
            }
            if consented || ended {
                self.talk.with(|it| it.asked = None);
            }
            if ended {
                self.pending.close();
                self.open = None;
                self.talk.with(|it| it.open = None);
                return Ok(false);
            }
            if consented {
                return Ok(true);
            }
            self.talk.answered.notified().await;
        }
    }

    /// When writing fails, the other half is about to read why.
    async fn verdict(&self, outcome: Result<(), Error>) -> Result<(), Error> {
        let Err(own) = outcome else { return Ok(()) };
        let told = async {
            loop {
                if let Some(error) = self.talk.with(|it| it.failed.clone()) {
                    return error;
                }
                self.talk.answered.notified().await;
            }
        };
        Err(timeout(Duration::from_secs(2), told).await.unwrap_or(own))
    }
}

impl Drop for AppendSink<'_> {
    fn drop(&mut self) {
        self.talk.unsent.store(!self.writer.is_clean(), Ordering::Release);
        self.talk.sink_gone.store(true, Ordering::Release);
        self.talk.changed.notify_one();
    }
}

fn misuse(what: &str) -> Error {
    Error::session(ErrorKind::Protocol, format!("APPEND: {what}"))
}

impl AppendReplies<'_> {
    /// The next answer, as a rule in the order of the commands; `None` when the sink is gone and everything is
    /// answered.
    pub async fn next(&mut self) -> Result<Option<AppendReply>, Error> {
        let outcome = self.read().await;
        if let Err(error) = &outcome {
            self.talk.fail(error);
        }
        outcome
    }

    async fn read(&mut self) -> Result<Option<AppendReply>, Error> {
        loop {
            if self.talk.sink_gone.load(Ordering::Acquire) {
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
                () = self.talk.changed.notified() => continue,
                () = sleep(longest_silence) => {
                    self.check_silence()?;
                    continue;
                }
            };
            match event {
                Event::Continue(_) => {
                    self.answered = Instant::now();
                    self.talk.with(|it| it.consented = it.asked.is_some());
                    self.talk.answered.notify_one();
                }
                // Some servers refuse a literal so, and answer the command in no other way.
                Event::Untagged(Untagged::Status(status)) if status.status == Status::Bad => {
                    let asked = self.talk.with(|it| it.asked.filter(|_| !it.consented));
                    let Some(id) = asked else {
                        self.complaint = Some(status);
                        continue;
                    };
                    self.pending.abandon(id);
                    self.talk.with(|it| it.ended = Some(id));
                    self.talk.answered.notify_one();
                    return Ok(Some(AppendReply { command: id, status }));
                }
                Event::Tagged { id, status } => {
                    self.complaint = None;
                    self.answered = Instant::now();
                    self.talk.with(|it| {
                        if it.open == Some(id) {
                            it.ended = Some(id);
                        }
                    });
                    self.talk.answered.notify_one();
                    return Ok(Some(AppendReply { command: id, status }));
                }
                _ => {}
            }
        }
    }

    /// The sink is gone: is there an end to wait for?
    fn check_ending(&mut self) -> Result<(), Error> {
        if self.pending.is_open() && !self.pending.is_empty() {
            return Err(self.incoming.fail(misuse("given up within a message")));
        }
        if self.talk.unsent.load(Ordering::Acquire) && !self.pending.is_empty() {
            return Err(self.incoming.fail(misuse("the sink was dropped before it was flushed")));
        }
        Ok(())
    }

    /// A server that is given octets, or owes nothing, may be silent.
    fn check_silence(&mut self) -> Result<(), Error> {
        let owes = self.pending.is_answer_owed() || self.talk.with(|it| it.asked.is_some() && !it.consented);
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

    /// A server that says other things and does not answer is given up as well.
    fn check_progress(&mut self) -> Result<(), Error> {
        let owes = self.pending.is_answer_owed() || self.talk.with(|it| it.asked.is_some() && !it.consented);
        let waited = self.answered.max(self.pending.last_written()).elapsed();
        if !owes || waited < longest_stall(self.patience) {
            return Ok(());
        }
        let words = format!("the server gave no answer within {} s", waited.as_secs());
        Err(self.incoming.fail(Error::session(ErrorKind::Timeout, words)))
    }

    fn longest_silence(&self) -> Duration {
        if self.complaint.is_some() { self.patience.min(AFTER_COMPLAINT) } else { self.patience }
    }
}

impl Drop for AppendReplies<'_> {
    fn drop(&mut self) {
        self.talk.fail(&misuse("nobody reads the answers any more"));
    }
}
