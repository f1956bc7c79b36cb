//! Matches the messages of each APPEND with its answer. Either may be known first.

use std::{
    collections::BTreeMap,
    sync::atomic::{AtomicBool, Ordering},
};

use mailhaul_engine::{Ack, Acks, AppendedUids, Error};
use mailhaul_imap::{self as imap, AppendReply, CommandId};
use mailhaul_mail::{Flags, FolderPath, Retry, Scope, Uid};
use parking_lot::{Mutex, MutexGuard};
use tokio::sync::Notify;

use crate::{
    error::into_engine_error,
    imap::append::{learned::LearnedLimits, permanent_flags::PermanentFlags, rules::AppendRules},
};

/// A message as it was sent.
#[derive(Clone, Debug)]
pub(crate) struct SentMessage {
    /// UID on the source.
    pub(crate) uid: Uid,
    pub(crate) flags: Flags,
    /// Longest line (bytes); 0 if it was not measured.
    pub(crate) line: usize,
}

/// Equal refusals in a row after which nothing more is sent. The engine decides their meaning.
const MAX_ALIKE: u32 = 50;

/// Tracks the APPENDs of one pipeline: which message each command carries, and its outcome.
pub(crate) struct AppendTracker<'a> {
    folder: &'a FolderPath,
    rules: AppendRules,
    permanent: &'a PermanentFlags,
    learned: &'a Mutex<LearnedLimits>,
    acks: Acks,
    state: Mutex<PipelineState>,
    /// True if the server refused more than a message. No more is sent.
    is_refused: AtomicBool,
    /// True if no more answers come.
    is_over: AtomicBool,
    /// Notified by an answer, and by the end of the answers.
    pub(crate) turned: Notify,
}

#[derive(Default)]
struct PipelineState {
    written: BTreeMap<CommandId, CommandState>,
    /// Messages of the command that is still open.
    open: Vec<Uid>,
    begun: u32,
    answered: u32,
    /// Commands of several messages without an answer. The messages of a refused one are sent again.
    several: u32,
    refused: u32,
    is_any_accepted: bool,
    /// Words of the last refusal of one message, and the number of equal refusals in a row.
    alike: (String, u32),
    /// Refusals of more than a message.
    wide_refusals: Vec<(Vec<Uid>, imap::Error)>,
}

enum CommandState {
    Unanswered(Vec<SentMessage>),
    Answered(AppendReply),
}

/// Facts that remain to be handled after the pipeline ended.
pub(crate) struct AppendOutcome {
    /// Refusals of more than a message, not reported yet.
    pub(crate) wide_refusals: Vec<(Vec<Uid>, imap::Error)>,
    /// The messages of the first command without an answer.
    pub(crate) unanswered: Vec<Uid>,
    /// True if no other command is without an answer.
    pub(crate) is_alone: bool,
}

impl<'a> AppendTracker<'a> {
    pub(crate) fn new(
        folder: &'a FolderPath,
        rules: AppendRules,
        permanent: &'a PermanentFlags,
        learned: &'a Mutex<LearnedLimits>,
        acks: Acks,
    ) -> Self {
        Self {
            folder,
            rules,
            permanent,
            learned,
            acks,
            state: Mutex::default(),
            is_refused: AtomicBool::new(false),
            is_over: AtomicBool::new(false),
            turned: Notify::new(),
        }
    }

    fn state(&self) -> MutexGuard<'_, PipelineState> {
        self.state.lock()
    }

    pub(crate) fn is_refused(&self) -> bool {
        self.is_refused.load(Ordering::Relaxed)
    }

    pub(crate) fn is_over(&self) -> bool {
        self.is_over.load(Ordering::Relaxed)
    }

    /// Number of refused commands, and of commands without an answer.
    pub(crate) fn counts(&self) -> (u32, u32) {
        let state = self.state();
        (state.refused, state.begun.saturating_sub(state.answered))
    }

    /// True while a command of several messages has no answer.
    pub(crate) fn awaits_several(&self) -> bool {
        self.state().several > 0
    }

    /// True if no message was accepted yet, and the number of open answers has reached the limit of equal
    /// refusals.
    pub(crate) fn is_untried(&self) -> bool {
        let state = self.state();
        !state.is_any_accepted && state.begun.saturating_sub(state.answered) >= MAX_ALIKE
    }

    /// True while each message waits for the answer to the one before.
    pub(crate) fn is_careful(&self) -> bool {
        self.learned.lock().folder(self.folder).is_careful()
    }

    /// Adds a message to the open command.
    pub(crate) fn writing(&self, uid: Uid) {
        let mut state = self.state();
        state.begun += u32::from(state.open.is_empty());
        state.open.push(uid);
    }

    pub(crate) fn sent(&self, command: CommandId, sent: Vec<SentMessage>) {
        let mut state = self.state();
        state.open.clear();
        if let Some(CommandState::Answered(reply)) = state.written.remove(&command) {
            self.record_outcome(&mut state, &sent, &reply);
        } else {
            state.several += u32::from(sent.len() > 1);
            state.written.insert(command, CommandState::Unanswered(sent));
        }
    }

    pub(crate) fn answered(&self, reply: AppendReply) {
        if reply.outcome().is_err_and(|error| error.scope > Scope::Message) {
            self.is_refused.store(true, Ordering::Relaxed);
        }
        let mut state = self.state();
        state.answered += 1;
        state.refused += u32::from(reply.outcome().is_err());
        match state.written.remove(&reply.command) {
            Some(CommandState::Unanswered(sent)) => {
                state.several -= u32::from(sent.len() > 1);
                self.record_outcome(&mut state, &sent, &reply);
            }
            _ => _ = state.written.insert(reply.command, CommandState::Answered(reply)),
        }
        drop(state);
        self.turned.notify_one();
    }

    /// Marks the end of the answers.
    pub(crate) fn over(&self) {
        self.is_over.store(true, Ordering::Relaxed);
        self.turned.notify_one();
    }

    /// Refuses a message that is not sent.
    pub(crate) fn refuse(&self, uid: Uid, error: Error) {
        self.acks.report(Ack { sent: vec![uid], result: Err(error), is_bare: false });
    }

    fn record_outcome(&self, state: &mut PipelineState, sent: &[SentMessage], reply: &AppendReply) {
        let uids: Vec<Uid> = sent.iter().map(|it| it.uid).collect();
        let mut learned = self.learned.lock();
        let learned = learned.folder(self.folder);
        match reply.outcome() {
            Err(error) if error.scope > Scope::Message => state.wide_refusals.push((uids, error)),
            Err(error) => {
                if state.alike.0 == error.message {
                    state.alike.1 += 1;
                } else {
                    state.alike = (error.message.clone(), 1);
                }
                if state.alike.1 >= MAX_ALIKE {
                    self.is_refused.store(true, Ordering::Relaxed);
                }
                if sent.len() > 1 {
                    // They are sent again in smaller commands, before those that follow them in the source.
                    self.is_refused.store(true, Ordering::Relaxed);
                }
                let flags: Vec<(Uid, &Flags)> = sent.iter().map(|it| (it.uid, &it.flags)).collect();
                let is_vague = error.kind == imap::ErrorKind::Refused;
                let mut error = into_engine_error(error);
                if is_vague && learned.learn(&reply.status.text, &flags, |it| self.permanent.lists(it)) {
                    error.retry = Retry::Now;
                } else if let [message] = sent {
                    error.message += &self.rules.hint(message.line).unwrap_or_default();
                    learned.forget(message.uid);
                }
                self.acks.report(Ack { sent: uids, result: Err(error), is_bare: false });
            }
            Ok(()) => {
                state.alike.1 = 0;
                state.is_any_accepted = true;
                for uid in &uids {
                    learned.accepted(*uid);
                }
                let appended = reply
                    .uids()
                    .map(|(uid_validity, uids)| AppendedUids { uid_validity, uids: uids.clone() });
                let is_bare = self.rules.sets_flags_later && sent.iter().any(|it| !it.flags.is_empty());
                self.acks.report(Ack { sent: uids, result: Ok(appended), is_bare });
            }
        }
    }

    /// Returns the facts that remain after the pipeline ended.
    pub(crate) fn outcome(self) -> AppendOutcome {
        let state = self.state.into_inner();
        let is_alone = state.begun.saturating_sub(state.answered) == 1;
        let first = state.written.into_values().find_map(|command| match command {
            CommandState::Unanswered(sent) => Some(sent.iter().map(|it| it.uid).collect()),
            CommandState::Answered(_) => None,
        });
        AppendOutcome {
            wide_refusals: state.wide_refusals,
            unanswered: first.unwrap_or(state.open),
            is_alone,
        }
    }
}
