//! Writes into an IMAP mailbox: folders, messages in pipelined APPENDs, flags, moves.

pub(crate) mod flag_changes;
pub(crate) mod renaming;
pub(crate) mod stored;

use mailhaul_engine::{
    Ack, Acks, Envelope, Error, ErrorKind, Feed, FlagChange, FolderStatus, Mailbox as _, NewFolder, Side,
    StorageHabits, StoredMessages, Target,
};
use mailhaul_imap::{self as imap, MailboxName, StoreMode, response::QuotaResource};
use mailhaul_mail::{Flags, FolderPath, Retry, Scope, Uid, UidSet};

use crate::{
    error::into_engine_error,
    imap::{
        append::{
            permanent_flags::PermanentFlags,
            rules::AppendRules,
            sender::{PipelineEnd, PipelineError, PipelineSettings, linger, run_pipeline},
            tracker::{AppendOutcome, AppendTracker},
        },
        link_speed::Gauge,
        mailbox::ImapMailbox,
        numbering::SelectMode,
    },
};

impl Target for ImapMailbox {
    fn owner(&self) -> String {
        self.account.login.owner().to_owned()
    }

    async fn create_folders(&mut self, folders: &[NewFolder]) -> Result<Vec<Result<(), Error>>, Error> {
        if folders.is_empty() {
            return Ok(Vec::new());
        }
        self.begin().await?;
        if let Some(inbox) = folders.iter().find(|it| it.path.is_inbox()) {
            // Quirk: Dovecot creates INBOX at its first use. Version 2.3 can fail if two connections do so
            // at once, also those of two programs: the folder exists at the second question.
            match self.status(&inbox.path).await {
                Err(error) if error.scope <= Scope::Folder => self.status(&inbox.path).await?,
                other => other?,
            };
        }
        let names: Vec<MailboxName> = folders.iter().map(|it| self.wire(&it.path)).collect();
        let mut outcomes: Vec<Result<(), Error>> = folders.iter().map(|_| Ok(())).collect();
        let is_missing = |it: &NewFolder| {
            let is_there = self.listed.contains_key(&it.path) && !self.unselectable.contains(&it.path);
            !it.path.is_inbox() && !is_there
        };
        let missing: Vec<usize> = (0..folders.len()).filter(|index| is_missing(&folders[*index])).collect();
        let wanted: Vec<MailboxName> = missing.iter().map(|index| names[*index].clone()).collect();
        let created = self.session().await?.create_many(&wanted).await;
        for (index, created) in missing.into_iter().zip(created.map_err(|error| self.explain(error))?) {
            let folder = &folders[index].path;
            match created {
                Err(error)
                    if error.kind == imap::ErrorKind::AlreadyExists
                        && !self.unselectable.contains(folder) => {}
                // Some servers do not say clearly that the folder exists.
                Err(error) if self.status(folder).await.is_err() => {
                    let words = format_args!("folder {folder} cannot be created");
                    outcomes[index] = Err(self.explain(error.context(words)));
                    continue;
                }
                _ => {}
            }
            self.listed.insert(folder.clone(), names[index].clone());
            self.unselectable.remove(folder);
        }
        let shown: Vec<usize> = (0..folders.len())
            .filter(|index| folders[*index].subscribe && outcomes[*index].is_ok())
            .collect();
        let wanted: Vec<MailboxName> = shown.iter().map(|index| names[*index].clone()).collect();
        let subscribed = self.session().await?.subscribe_many(&wanted).await;
        for (index, subscribed) in shown.into_iter().zip(subscribed.map_err(|error| self.explain(error))?) {
            match subscribed {
                Err(error) if error.scope <= Scope::Folder => {
                    let folder = &folders[index].path;
                    tracing::warn!("{}: folder {folder} could not be subscribed: {error}", self.describe());
                }
                Err(error) => outcomes[index] = Err(self.explain(error)),
                Ok(()) => {}
            }
        }
        Ok(outcomes)
    }

    async fn open_to_write(&mut self, folder: &FolderPath) -> Result<FolderStatus, Error> {
        self.begin().await?;
        // Only STATUS tells the size limit of a folder (RFC 7889).
        if self.uploads.is_some() || self.session().await?.capabilities().has("APPENDLIMIT") {
            return self.status(folder).await;
        }
        match self.reselect(folder).await? {
            Some(status) => Ok(status),
            None => self.status(folder).await,
        }
    }

    fn largest(&self, folder: &FolderPath) -> Option<u64> {
        let by_api = self.uploads.as_ref().and_then(|it| it.largest(folder));
        by_api.or_else(|| self.append_limit(folder))
    }

    async fn append<F: Feed>(
        &mut self,
        folder: &FolderPath,
        batch: usize,
        mut feed: F,
        acks: Acks,
    ) -> Result<(), Error> {
        if self.uploads.is_some() {
            return Box::pin(self.append_by_api(folder, batch, &mut feed, &acks)).await;
        }
        self.append_over_imap(folder, batch, &mut feed, &acks).await.map(drop)
    }

    async fn stored(
        &mut self,
        folder: &FolderPath,
        first: Uid,
        last: Option<Uid>,
        read: &UidSet,
    ) -> Result<StoredMessages, Error> {
        Box::pin(self.stored_from(folder, first, last, read)).await
    }

    fn habits(&self) -> StorageHabits {
        StorageHabits {
            merges_copies: self.choice.profile.merges_copies,
            shows_late: self.uploads.is_some(),
            is_local: false,
        }
    }

    async fn store_flags(&mut self, folder: &FolderPath, changes: &[FlagChange]) -> Result<(), Error> {
        self.begin().await?;
        self.change_flags(folder, changes).await
    }

    async fn move_messages(
        &mut self,
        from: &FolderPath,
        to: &FolderPath,
        uids: &UidSet,
    ) -> Result<Vec<(Uid, Uid)>, Error> {
        self.begin().await?;
        let to = self.wire(to);
        let mut selected = self.open(from, SelectMode::Select).await?;
        if !selected.capabilities().has("UIDPLUS") {
            // Without UIDPLUS the new UIDs are unknown, and the messages cannot be removed alone.
            return Ok(Vec::new());
        }
        let moved = selected.uid_move(uids, &to).await;
        Ok(moved.map_err(|error| self.explain_in(from, error.at_least(Scope::Folder)))?.pairs)
    }

    async fn rename_folder(&mut self, from: &FolderPath, to: &NewFolder) -> Result<(), Error> {
        self.rename(from, to).await
    }

    async fn remove_empty_folder(&mut self, folder: &FolderPath) -> Result<bool, Error> {
        self.remove_empty(folder).await
    }

    async fn remove_messages(&mut self, folder: &FolderPath, uids: &UidSet) -> Result<(), Error> {
        self.begin().await?;
        let mut selected = self.open(folder, SelectMode::Select).await?;
        let deleted: Flags = ["\\Deleted"].into_iter().collect();
        let removed = async {
            if !selected.capabilities().has("UIDPLUS") {
                let words =
                    "the server has no UIDPLUS, without which EXPUNGE would remove other messages too";
                let error = imap::Error::session(imap::ErrorKind::Unsupported, words);
                return Err(imap::Error {
                    scope: Scope::Folder,
                    retry: mailhaul_mail::Retry::Never,
                    ..error
                });
            }
            selected.uid_store(uids, StoreMode::Add, &deleted).await?;
            selected.uid_expunge(uids).await?;
            let left = selected.uids_among(uids).await?;
            if left.is_empty() {
                return Ok(());
            }
            // FTGate offers UID EXPUNGE and removes nothing.
            let words =
                format!("the server says that it removed messages, and {} are still there", left.len());
            Err(imap::Error::session(imap::ErrorKind::Refused, words)).map_err(|error| imap::Error {
                scope: Scope::Folder,
                retry: mailhaul_mail::Retry::Never,
                ..error
            })
        };
        removed.await.map_err(|error| self.explain_in(folder, error.at_least(Scope::Folder)))
    }
}

impl ImapMailbox {
    /// Appends the messages of the feed. False if the server refused more than a message. Nothing more was
    /// sent then.
    pub(crate) async fn append_over_imap<F: Feed>(
        &mut self,
        folder: &FolderPath,
        batch: usize,
        feed: &mut F,
        acks: &Acks,
    ) -> Result<bool, Error> {
        self.begin().await?;
        let mut lost = Flags::new();
        let mut gauge = Gauge::new(self.link_speed, self.round_trip());
        let outcome = loop {
            match self.append_in_pipeline(folder, batch, feed, acks, &mut gauge, &mut lost).await {
                Ok(PipelineEnd::UntilCompressed) => {
                    if let Err(error) = self.compress().await {
                        break Err(error);
                    }
                }
                // The next pipeline starts a new session.
                Ok(PipelineEnd::UntilAnotherSession) => {}
                Ok(PipelineEnd::UntilRefused) => break Ok(false),
                Ok(PipelineEnd::All) => break Ok(true),
                Err(error) => break Err(error),
            }
        };
        self.link_speed = gauge.link_speed();
        self.warn_of_lost_flags(folder, &lost);
        outcome
    }

    /// Sends messages of the feed in one pipeline.
    async fn append_in_pipeline<F: Feed>(
        &mut self,
        folder: &FolderPath,
        batch: usize,
        feed: &mut F,
        acks: &Acks,
        gauge: &mut Gauge,
        lost: &mut Flags,
    ) -> Result<PipelineEnd, Error> {
        let (permanent, rules) = self.rules(folder).await?;
        let batch = if self.learned().folder(folder).is_careful() { 1 } else { batch };
        let name = self.wire(folder);
        let learned = self.shared_limits();
        let flags = |envelope: &Envelope| {
            let mut learned = learned.lock();
            let learned = learned.folder(folder);
            let suits = |name: &str| learned.suits(envelope.uid, name, permanent.lists(name));
            envelope.flags.filtered(|name| permanent.keeps(name) && suits(name))
        };
        let tracker = AppendTracker::new(folder, rules, &permanent, &learned, acks.clone());
        let settings = PipelineSettings {
            rules,
            flags: &flags,
            batch,
            linger: linger(self.round_trip()),
            tracker: &tracker,
        };
        let session = self.session().await?;
        let sent = run_pipeline(session, &name, settings, feed, gauge, lost).await;
        let outcome = tracker.outcome();
        if outcome.wide_refusals.iter().any(|(_, error)| asks_for_patience(error)) {
            // The server may have disconnected. Nothing more is requested from it now.
            for (sent, error) in outcome.wide_refusals {
                let mut error = into_engine_error(error).at(Side::Target);
                if let [uid] = sent.as_slice()
                    && error.kind == ErrorKind::Throttled
                    && self.learned().folder(folder).asks_again(*uid)
                {
                    // Other messages are tried first. If they are accepted, this one is refused.
                    error.kind = ErrorKind::Busy;
                }
                acks.report(Ack { sent, result: Err(error), is_bare: false });
            }
            return match sent {
                Ok(_) => Ok(PipelineEnd::UntilRefused),
                Err(PipelineError::Feed(error)) => Err(error),
                Err(PipelineError::Wire(error)) => Err(self.explain_in(folder, error)),
            };
        }
        let sent = match sent {
            Ok(sent) => sent,
            Err(PipelineError::Feed(error)) => return Err(error),
            Err(PipelineError::Wire(error)) => {
                // The server may have given the reason before it disconnected.
                for (sent, error) in &outcome.wide_refusals {
                    let result = Err(into_engine_error(error.clone()));
                    acks.report(Ack { sent: sent.clone(), result, is_bare: false });
                }
                self.blame(folder, &outcome, &error, acks);
                return Err(self.explain_in(folder, error));
            }
        };
        if outcome.wide_refusals.is_empty() {
            return Ok(sent);
        }
        // Nothing more is sent to a server that refuses more than a message.
        for (sent, error) in outcome.wide_refusals {
            let error = self.interpret_refusal(folder, error).await?;
            acks.report(Ack { sent, result: Err(error), is_bare: false });
        }
        Ok(PipelineEnd::UntilRefused)
    }

    /// Flags that the folder keeps. The server tells them only when the folder is opened.
    pub(crate) async fn permanent_flags(&mut self, folder: &FolderPath) -> Result<PermanentFlags, Error> {
        let permanent = PermanentFlags::from_data(self.open(folder, SelectMode::Select).await?.data());
        Ok(permanent.without(&self.choice.profile.never_sent))
    }

    /// Opens the folder. Returns the flags that it keeps, and the other rules of the target.
    async fn rules(&mut self, folder: &FolderPath) -> Result<(PermanentFlags, AppendRules), Error> {
        let permanent = self.permanent_flags(folder).await?;
        let session = self.session().await?;
        let refusals = session.refusals();
        let profile = self.choice.profile;
        let rules = AppendRules {
            largest: self.append_limit(folder),
            longest_line: profile.longest_line,
            sets_flags_later: profile.sets_flags_later,
            allowance: profile.allowance(refusals),
        };
        Ok((permanent, rules))
    }

    /// Refuses the message that made the server end the connection, if there is one. It is not sent again.
    fn blame(&self, folder: &FolderPath, outcome: &AppendOutcome, error: &imap::Error, acks: &Acks) {
        let AppendOutcome { unanswered, is_alone, .. } = outcome;
        let kinds = [imap::ErrorKind::Connection, imap::ErrorKind::Timeout, imap::ErrorKind::Protocol];
        if error.scope == Scope::Session
            && kinds.contains(&error.kind)
            && self.learned().folder(folder).is_to_blame(unanswered, *is_alone, &error.message)
        {
            let words = format!("at this message {}", error.message);
            let refused = Error::new(Scope::Message, Retry::Never, ErrorKind::Refused, words);
            acks.report(Ack { sent: unanswered.clone(), result: Err(refused), is_bare: false });
        }
    }

    /// Meaning of a refusal of more than a message. `Err` if the pass must begin again with the folder.
    async fn interpret_refusal(&mut self, folder: &FolderPath, error: imap::Error) -> Result<Error, Error> {
        if error.code == Some(imap::response::Code::TryCreate) {
            return self.create_again(folder, error).await;
        }
        if is_ambiguous(&error) && self.is_full(folder).await? {
            let full = imap::Error::endpoint(imap::ErrorKind::Quota, error.message);
            return Ok(self.explain_in(folder, full.context("the mailbox is full")));
        }
        Ok(into_engine_error(error).at(Side::Target))
    }

    /// True if the folder's quota is used up, or if the server reports no quota.
    async fn is_full(&mut self, folder: &FolderPath) -> Result<bool, Error> {
        self.session().await?;
        let name = self.wire(folder);
        let quotas = match self.session().await?.quota_root(&name).await {
            Err(error) if error.scope >= Scope::Session => return Err(self.explain(error)),
            quotas => quotas.unwrap_or_default(),
        };
        let mut resources = quotas.iter().flat_map(|it| &it.resources).peekable();
        // A further message does not fit into less than a megabyte, or below one message.
        let is_full = |it: &QuotaResource| {
            let room = if it.name.eq_ignore_ascii_case("STORAGE") { 1024 } else { 1 };
            it.limit.saturating_sub(it.usage) < room
        };
        Ok(resources.peek().is_none() || resources.any(is_full))
    }

    /// Creates a folder again that was deleted meanwhile. The pass then begins again with it.
    ///
    /// A second TRYCREATE means that the server does not keep the folder, or refuses the one message.
    async fn create_again(&mut self, folder: &FolderPath, error: imap::Error) -> Result<Error, Error> {
        let recreated = {
            let mut learned = self.learned();
            let learned = learned.folder(folder);
            learned.recreated += 1;
            learned.recreated
        };
        if recreated > 1 {
            return Ok(self.explain_in(
                folder,
                error.context("the server says that the folder exists, and refuses messages"),
            ));
        }
        let name = self.wire(folder);
        let created = self.session().await?.create(&name).await;
        Err(match created {
            Err(refused) if refused.kind != imap::ErrorKind::AlreadyExists => {
                self.explain_in(folder, refused)
            }
            // Another client created it meanwhile, or the server contradicts itself.
            Err(_) => Error::session(self.explain_in(folder, error)),
            Ok(()) => {
                Error::session(format!("{}; the folder was created again", self.explain_in(folder, error)))
            }
        })
    }

    /// Warns once of each lost flag.
    pub(crate) fn warn_of_lost_flags(&self, folder: &FolderPath, lost: &Flags) {
        let new = self.learned().new_losses(lost);
        if !new.is_empty() {
            tracing::warn!(
                "target {}: folder {folder}: the server does not keep the flags {}; the messages arrive without them",
                self.describe(),
                new.join(" ")
            );
        }
    }
}

/// True for the words that Exchange uses for a full mailbox and for an overloaded server.
fn is_ambiguous(error: &imap::Error) -> bool {
    error.kind == imap::ErrorKind::Busy
        && error.message.to_ascii_lowercase().contains("server unavailable. 15")
}

fn asks_for_patience(error: &imap::Error) -> bool {
    matches!(error.kind, imap::ErrorKind::Throttled | imap::ErrorKind::Busy) && !is_ambiguous(error)
}
