//! Writes a feed into pipelined APPEND commands, while their answers are read.

use std::{pin::pin, time::Duration};

use mailhaul_engine::{AppendPart, Envelope, Error, Feed};
use mailhaul_imap::{
    self as imap, AppendHead, AppendReplies, AppendSink, BeginOutcome, MailboxName, Session,
};
use mailhaul_mail::{Flags, repair::is_strictly_formed};
use tokio::time::timeout;

use crate::imap::{
    append::{
        rules::{AppendRules, Ruler},
        tracker::{AppendTracker, SentMessage},
    },
    link_speed::Gauge,
};

/// Bytes per command, unless one message alone is larger. A refused command is sent again in halves.
const COMMAND_OCTETS: u64 = 4 << 20;
/// A command stays open for 5 round trips, at least 20 ms and at most 500 ms, for more messages of a slow
/// source. The next command waits for the answer to a command of several messages.
const LINGER: Duration = Duration::from_millis(20);
const ROUND_TRIPS: u32 = 5;
const LONGEST_LINGER: Duration = Duration::from_millis(500);

/// Reason of an aborted pipeline.
pub(crate) enum PipelineError {
    /// The source or the ledger failed.
    Feed(Error),
    /// The connection to the target broke.
    Wire(imap::Error),
}

impl From<imap::Error> for PipelineError {
    fn from(error: imap::Error) -> Self {
        Self::Wire(error)
    }
}

/// The position in the feed at which a pipeline ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum PipelineEnd {
    All,
    /// The server refused more than a message. Nothing more is sent.
    UntilRefused,
    /// The link is slow. The feed continues over a compressed connection.
    UntilCompressed,
    /// The server would disconnect at further refusals. The feed continues over a new connection.
    UntilAnotherSession,
}

/// Settings for all messages of a feed.
#[derive(Clone, Copy)]
pub(crate) struct PipelineSettings<'a> {
    pub(crate) rules: AppendRules,
    /// Returns the flags that a message may be sent with.
    pub(crate) flags: &'a (dyn Fn(&Envelope) -> Flags + Sync),
    /// Maximum number of messages per command.
    pub(crate) batch: usize,
    /// Time that a command waits for its next message.
    pub(crate) linger: Duration,
    pub(crate) tracker: &'a AppendTracker<'a>,
}

/// Time that a command waits for its next message, for this round trip.
pub(crate) fn linger(round_trip: Option<Duration>) -> Duration {
    LINGER.max(round_trip.unwrap_or_default() * ROUND_TRIPS).min(LONGEST_LINGER)
}

/// Sends the messages of the feed, and reads the answers meanwhile.
pub(crate) async fn run_pipeline<F: Feed>(
    session: &mut Session,
    name: &MailboxName,
    settings: PipelineSettings<'_>,
    feed: &mut F,
    gauge: &mut Gauge,
    lost: &mut Flags,
) -> Result<PipelineEnd, PipelineError> {
    let (sink, replies) = session.append_pipeline(name).await?;
    let sender = Sender { sink, settings, command: Vec::new(), octets: 0, lost };
    let (sent, answered) = futures_util::join!(sender.run(feed, gauge), read(replies, settings.tracker));
    let sent = sent?;
    answered?;
    Ok(sent)
}

async fn read(mut replies: AppendReplies<'_>, tracker: &AppendTracker<'_>) -> Result<(), imap::Error> {
    let outcome = loop {
        match replies.next().await {
            Ok(Some(reply)) => tracker.answered(reply),
            Ok(None) => break Ok(()),
            Err(error) => break Err(error),
        }
    };
    tracker.over();
    outcome
}

struct Sender<'a> {
    sink: AppendSink<'a>,
    settings: PipelineSettings<'a>,
    /// The messages of the open command.
    command: Vec<SentMessage>,
    octets: u64,
    lost: &'a mut Flags,
}

impl Sender<'_> {
    async fn run<F: Feed>(mut self, feed: &mut F, gauge: &mut Gauge) -> Result<PipelineEnd, PipelineError> {
        let mut sent = PipelineEnd::All;
        // True while the chunks of a refused message pass.
        let mut is_refused = false;
        let mut ruler = None;
        let mut is_slow = false;
        // An announced message must be sent to its end, or the connection is lost.
        let mut is_within = false;
        while is_within || !self.settings.tracker.is_refused() {
            if !is_within && !self.may_go_on().await? {
                sent = PipelineEnd::UntilAnotherSession;
                break;
            }
            if self.settings.tracker.is_over() {
                // Further messages would be among the suspects. The reading half knows the reason.
                return Ok(sent);
            }
            if !is_within && self.settings.tracker.is_refused() {
                break;
            }
            let part = self.next_part(feed).await?;
            is_within = matches!(part, Some(AppendPart::Start(..) | AppendPart::Chunk(_)));
            match part {
                None => break,
                Some(AppendPart::Message(envelope, body)) => {
                    let line = self.settings.rules.ruler().map_or(0, |mut ruler| {
                        ruler.measure(&body);
                        ruler.longest()
                    });
                    let shares = self.shares_command(Some(&body));
                    if self.begin(&envelope, body.len() as u64, line, shares).await? {
                        self.sink.write(&body).await?;
                        self.end_message(shares)?;
                    }
                    is_slow |= gauge.passed(body.len());
                }
                Some(AppendPart::Start(envelope, length)) => {
                    ruler = self.settings.rules.ruler();
                    let shares = self.shares_command(None);
                    is_refused = !self.begin(&envelope, length, 0, shares).await?;
                }
                Some(AppendPart::Chunk(octets)) if !is_refused => {
                    is_slow |= gauge.passed(octets.len());
                    if let Some(ruler) = &mut ruler {
                        ruler.measure(&octets);
                    }
                    self.sink.write(&octets).await?;
                }
                Some(AppendPart::End) if !is_refused => {
                    if let (Some(message), Some(ruler)) = (self.command.last_mut(), &ruler) {
                        message.line = Ruler::longest(ruler);
                    }
                    self.end_message(false)?;
                }
                Some(AppendPart::Chunk(_) | AppendPart::End) => {}
            }
            if is_within {
                continue;
            }
            if is_slow {
                sent = PipelineEnd::UntilCompressed;
                break;
            }
        }
        self.end_command();
        self.sink.flush().await?;
        Ok(if self.settings.tracker.is_refused() { PipelineEnd::UntilRefused } else { sent })
    }

    /// Returns the next part of the feed. A command that waits too long for it is ended.
    async fn next_part<F: Feed>(&mut self, feed: &mut F) -> Result<Option<AppendPart>, PipelineError> {
        if !feed.is_ready() {
            self.sink.flush().await?;
        }
        let mut next = pin!(feed.next());
        let part = if let Ok(part) = timeout(self.settings.linger, &mut next).await {
            part
        } else {
            self.end_command();
            self.sink.flush().await?;
            next.await
        };
        part.map_err(PipelineError::Feed)
    }

    /// Waits until the next message may be sent. False if too many commands were refused in this session.
    ///
    /// After a connection ended, it waits for each answer. It also waits for the answer that may be the
    /// last refusal before the server disconnects.
    async fn may_go_on(&mut self) -> Result<bool, PipelineError> {
        let tracker = self.settings.tracker;
        let is_careful = tracker.is_careful();
        loop {
            let (refused, unanswered) = tracker.counts();
            if tracker.is_over() {
                return Ok(true);
            }
            let is_spent = self.settings.rules.allowance.is_some_and(|it| refused + unanswered >= it);
            let waits = is_spent || (is_careful && unanswered > 0) || tracker.is_untried();
            if !waits || tracker.is_refused() {
                return Ok(true);
            }
            if unanswered == 0 {
                return Ok(false);
            }
            self.end_command();
            self.sink.flush().await?;
            tracker.turned.notified().await;
        }
    }

    /// Waits for the answers to commands of several messages. False if one is refused: its messages are
    /// sent again before those that follow.
    async fn are_several_accepted(&mut self) -> Result<bool, PipelineError> {
        let tracker = self.settings.tracker;
        while tracker.awaits_several() && !tracker.is_over() && !tracker.is_refused() {
            self.sink.flush().await?;
            tracker.turned.notified().await;
        }
        Ok(!tracker.is_refused())
    }

    /// True if the message may share a command.
    ///
    /// A message that a strict server may refuse has its own command. Otherwise all messages of the command
    /// would be refused, and arrive late.
    fn shares_command(&self, message: Option<&[u8]>) -> bool {
        let may_share = self.sink.is_multi() && self.settings.batch > 1;
        may_share && message.is_some_and(is_strictly_formed)
    }

    /// Starts a message. False if the message, the command that it belongs to, or an earlier command of several
    /// messages is refused.
    async fn begin(
        &mut self,
        envelope: &Envelope,
        length: u64,
        line: usize,
        shares: bool,
    ) -> Result<bool, PipelineError> {
        if let Some(refusal) = self.settings.rules.refusal(length, line) {
            self.settings.tracker.refuse(envelope.uid, refusal);
            return Ok(false);
        }
        let is_full = self.command.len() >= self.settings.batch || self.octets + length > COMMAND_OCTETS;
        if !self.sink.is_multi() || !shares || is_full {
            self.end_command();
        }
        if self.command.is_empty() && !self.are_several_accepted().await? {
            return Ok(false);
        }
        let flags = (self.settings.flags)(envelope);
        envelope.flags.without(&flags).iter().for_each(|name| self.lost.insert(name));
        let message = SentMessage { uid: envelope.uid, flags, line };
        self.settings.tracker.writing(message.uid);
        self.octets += length;
        let head = AppendHead { flags: &message.flags, date: envelope.internal_date, length };
        let begin = self.sink.begin(&head).await;
        self.command.push(message);
        match begin? {
            BeginOutcome::Ready => Ok(true),
            BeginOutcome::Refused(command) => {
                self.octets = 0;
                self.settings.tracker.sent(command, std::mem::take(&mut self.command));
                Ok(false)
            }
        }
    }

    fn end_message(&mut self, shares: bool) -> Result<(), PipelineError> {
        self.sink.end_message()?;
        if !shares || self.command.len() >= self.settings.batch {
            self.end_command();
        }
        Ok(())
    }

    /// Ends the open command. The sink ignores the call within a message.
    fn end_command(&mut self) {
        if let Some(command) = self.sink.end_command() {
            self.octets = 0;
            self.settings.tracker.sent(command, std::mem::take(&mut self.command));
        }
    }
}
