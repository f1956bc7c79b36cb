//! A mailbox on an IMAP server: connects, lists, scans. Changes nothing on the server.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{Arc, atomic::AtomicU64},
    time::Duration,
};

use mailhaul_engine::{
    Budget, Cursor, Error, ErrorKind, FetchedPart, Folder, FolderStatus, Mailbox, NameRules, Scan, Side,
    Source as _, WantedMessage, pipe,
};
use mailhaul_imap::{self as imap, ListedMailbox, MailboxName, Session, StatusItem};
use mailhaul_mail::{
    CurrentPermit, Digests, FINGERPRINT_FIELDS, Fingerprint, FolderPath, MessageHasher, Retry, Scope, Uid,
    UidSet,
};
use parking_lot::{Mutex, MutexGuard};
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;

use crate::{
    error::into_engine_error,
    gmail::{
        api::{GmailApi, Uploads},
        labels::{LabelRules, Labels},
    },
    imap::{
        account::Account,
        append::learned::LearnedLimits,
        connect::{StartedSession, StartingSessions},
        culprits::{Culprits, NumberedFolder, is_break, is_hangup},
        link_speed::LinkSpeed,
        listing::{
            self, STATUS_ITEMS, folder_status,
            names::Names,
            user_root::{self, components},
        },
        numbering::{Numbering, SelectMode},
        scan::{
            self, ScanResult, Since, dates, halving::fetch_in_halves, limited, prefetched::PrefetchedScans,
        },
        source::sizes::Sizes,
    },
    login::{SignInError, without_token},
    profile::{Profile, ProfileChoice},
};

/// Bytes in flight while bodies are read only for their hashes.
const HASH_BUDGET: u32 = 2 << 20;
/// A session ends this long before its token.
const BEFORE_END: Duration = Duration::from_secs(2);
/// Timeout of LOGOUT.
const GOODBYE: Duration = Duration::from_secs(5);
/// Note on a folder without a lasting UIDVALIDITY.
const WITHOUT_VALIDITY: &str =
    "the server sends no UIDVALIDITY; each pass matches the messages by their headers";

/// Receives the detected server profile at each connection.
pub type ProfileListener = Arc<dyn Fn(&'static Profile) + Send + Sync>;

/// A mailbox on an IMAP server, connected on first use.
pub struct ImapMailbox {
    pub(crate) account: Account,
    pub(crate) session: Option<Session>,
    /// Cancelled when no further session may begin.
    stop: CancellationToken,
    /// Connections that are made before they are used.
    pub(crate) ahead: StartingSessions,
    /// End of the session's token.
    ends: Option<tokio::time::Instant>,
    /// Time of an answer at the start of the last session; `None` before the first one.
    ///
    /// Outages of a server that was never reached are not waited out.
    round_trip: Option<Duration>,
    /// The detected server profile.
    pub(crate) choice: ProfileChoice,
    listener: Option<ProfileListener>,
    names: Names,
    list_at_once: ListAtOnce,
    /// Names on the wire of the listed folders.
    pub(crate) listed: BTreeMap<FolderPath, MailboxName>,
    /// Listed folders that hold no messages.
    pub(crate) unselectable: BTreeSet<FolderPath>,
    label_rules: LabelRules,
    /// On Gmail: the home folder of each message.
    pub(crate) labels: Option<Arc<Labels>>,
    learned: Arc<Mutex<LearnedLimits>>,
    /// Messages at which connections broke.
    pub(crate) culprits: Culprits,
    /// The accuracy of the server's message sizes.
    pub(crate) sizes: Sizes,
    /// Decides if the connection is compressed.
    pub(crate) link_speed: LinkSpeed,
    /// The UIDVALIDITY of the folders.
    pub(crate) numbering: Numbering,
    /// On Gmail with the API: the state of uploads.
    pub(crate) uploads: Option<Uploads>,
    /// True after the advice that a `UserRoot` may be needed.
    is_root_advised: bool,
    pub(crate) copy_reading: CopyReading,
    /// Counts the messages that scans have shown, on all connections.
    pub(crate) scanned: Arc<AtomicU64>,
    /// Scans that were made before the engine asked for them.
    pub(crate) prefetched: PrefetchedScans,
    /// True for an additional connection of the mailbox. It fails where the first connection would start a
    /// new session.
    pub(crate) is_further: bool,
}

/// Decides if a session lists all folders at its start.
#[derive(Default, PartialEq, Eq)]
enum ListAtOnce {
    #[default]
    No,
    /// The next session lists them.
    Wanted,
    /// The session has listed them.
    Done(Vec<ListedMailbox>),
}

/// Decides if copies are read in one round trip with their list.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum CopyReading {
    WithList,
    /// In commands of their own, after a connection broke at both.
    Apart,
}

/// True if no connection was made, or no greeting came.
fn is_unreachable(error: &imap::Error) -> bool {
    use imap::ErrorKind as K;
    match error.kind {
        K::Unreachable | K::Tls => true,
        K::Timeout => error.scope == Scope::Endpoint,
        _ => false,
    }
}

impl ImapMailbox {
    /// A mailbox that is not connected yet.
    pub fn new(account: Account) -> Self {
        Self {
            account,
            session: None,
            stop: CancellationToken::new(),
            ahead: StartingSessions::default(),
            ends: None,
            round_trip: None,
            choice: ProfileChoice::default(),
            listener: None,
            names: Names::default(),
            list_at_once: ListAtOnce::default(),
            listed: BTreeMap::new(),
            unselectable: BTreeSet::new(),
            label_rules: LabelRules::default(),
            labels: None,
            learned: Arc::default(),
            culprits: Culprits::default(),
            sizes: Sizes::default(),
            link_speed: LinkSpeed::default(),
            numbering: Numbering::default(),
            uploads: None,
            is_root_advised: false,
            copy_reading: CopyReading::WithList,
            scanned: Arc::default(),
            prefetched: PrefetchedScans::default(),
            is_further: false,
        }
    }

    /// Sets the rules for Gmail's labels of a source.
    #[must_use]
    pub fn with_labels(self, label_rules: LabelRules) -> Self {
        Self { label_rules, ..self }
    }

    /// Lets no session begin after `stop`. Open sessions stay.
    #[must_use]
    pub fn stopped_by(self, stop: CancellationToken) -> Self {
        Self { stop, ..self }
    }

    /// Writes to the server only while its permit is valid.
    #[must_use]
    pub fn permitted_by(mut self, permit: CurrentPermit) -> Self {
        self.account.options.permit = Some(permit);
        self
    }

    /// Uploads messages by Gmail's API in place of APPEND. The login must have access tokens.
    #[must_use]
    pub fn uploading_by(mut self, api: GmailApi) -> Self {
        self.uploads = Some(Uploads::new(api));
        self
    }

    /// Reports the detected server profile at each connection.
    #[must_use]
    pub fn with_profile_listener(mut self, listener: ProfileListener) -> Self {
        self.listener = Some(listener);
        self
    }

    /// Counts the messages that scans show. The counter shows the progress of a huge folder's scan.
    #[must_use]
    pub fn counting_scans(mut self, count: Arc<AtomicU64>) -> Self {
        self.scanned = count;
        self
    }

    /// The server profile and its reason; known after the first connection.
    pub fn profile(&self) -> &ProfileChoice {
        &self.choice
    }

    /// Prepares for a new request. A session that ended while idle is replaced; one that ends later is an
    /// error.
    pub(crate) async fn begin(&mut self) -> Result<(), Error> {
        if let Some(session) = &mut self.session
            && let Some(error) = session.ended().await
        {
            self.session = None;
            // An error beyond the connection would meet the next connection too.
            if self.is_further || error.scope > Scope::Session {
                return Err(self.explain(error));
            }
        }
        self.session().await.map(drop)
    }

    /// Returns the session, or starts a new one.
    pub(crate) async fn session(&mut self) -> Result<&mut Session, Error> {
        let session = match self.session.take() {
            Some(session) if !self.should_end(&session) => session,
            ended => {
                if let Some(session) = ended {
                    goodbye(session).await;
                }
                Box::pin(self.connect()).await.map_err(|why| match why {
                    SignInError::Server(error) => self.explain(error),
                    SignInError::NoToken(error) => {
                        without_token(error).context(self.end()).at(self.account.side)
                    }
                    SignInError::Stopped => Error::interrupted(),
                })?
            }
        };
        Ok(self.session.insert(session))
    }

    /// Limits learned from refusals on any connection.
    pub(crate) fn learned(&self) -> MutexGuard<'_, LearnedLimits> {
        self.learned.lock()
    }

    /// The same, to share.
    pub(crate) fn shared_limits(&self) -> Arc<Mutex<LearnedLimits>> {
        Arc::clone(&self.learned)
    }

    /// Size of the largest message that a folder takes (bytes): the server's limit, the folder's, or the
    /// profile's.
    pub(crate) fn append_limit(&self, folder: &FolderPath) -> Option<u64> {
        let told = self.session.as_ref().and_then(|it| it.capabilities().append_limit());
        let limits = [told, self.learned().folder(folder).append_limit, self.choice.profile.size_limit];
        // A limit of 0 would exclude all messages. The server itself must refuse them.
        limits.into_iter().flatten().filter(|it| *it > 0).min()
    }

    /// True if the session should end: its allowed errors are used up, or its token ends.
    fn should_end(&self, session: &Session) -> bool {
        self.choice.profile.allowance(session.refusals()) == Some(0)
            || self.ends.is_some_and(|ends| ends <= tokio::time::Instant::now() + BEFORE_END)
    }

    pub(crate) async fn connect(&mut self) -> Result<Session, SignInError> {
        let lists = self.list_at_once == ListAtOnce::Wanted;
        let begun = match self.ahead.take(self.is_further) {
            Some(ahead) => ahead.finish().await,
            None => StartedSession::new(&self.account, &self.stop, lists).await,
        };
        let StartedSession { mut session, ends, choice, namespaces, round_trip, listed } =
            begun.map_err(|mut why| {
                if let SignInError::Server(error) = &mut why
                    && self.round_trip.is_none()
                    && is_unreachable(error)
                {
                    // Probably a wrong address, or an outage: the operator waits for an answer.
                    (error.scope, error.retry) = (Scope::Endpoint, Retry::Never);
                }
                why
            })?;
        self.ends = ends;
        self.list_at_once = listed.map_or(ListAtOnce::No, ListAtOnce::Done);
        self.choice = choice;
        if let Some(listener) = &self.listener {
            listener(self.choice.profile);
        }
        self.round_trip = Some(round_trip);
        if self.link_speed == LinkSpeed::Slow {
            compress(&mut session).await?;
        }
        let delimiter = if namespaces.is_none() { user_root::delimiter(&mut session).await? } else { None };
        let wanted_root = self.account.user_root.as_deref();
        let root = match (wanted_root.filter(|it| components(it).is_some()), self.names.root()) {
            (None, _) => None,
            (_, Some(known)) => Some(known.clone()),
            (Some(root), None) => {
                Some(user_root::resolve(&mut session, namespaces.as_ref(), delimiter, root).await?)
            }
        };
        self.names = Names::new(namespaces.as_ref(), delimiter, root);
        Ok(session)
    }

    /// Compresses the connection from now on, if the server can.
    pub(crate) async fn compress(&mut self) -> Result<(), Error> {
        self.link_speed = LinkSpeed::Slow;
        let compressed = compress(self.session().await?).await;
        compressed.map_err(|error| self.explain(error))
    }

    /// The error as one of the engine, with the mailbox's name in front.
    pub(crate) fn explain(&self, error: imap::Error) -> Error {
        into_engine_error(error).context(self.end()).at(self.account.side)
    }

    /// The side and the name of the mailbox.
    pub(crate) fn end(&self) -> String {
        let side = match self.account.side {
            Side::Source => "source",
            Side::Target => "target",
        };
        format!("{side} {}", self.describe())
    }

    /// The folder with its known UIDVALIDITY.
    pub(crate) fn numbered(&self, folder: &FolderPath) -> NumberedFolder {
        (folder.clone(), self.numbering.validity(folder))
    }

    /// The server's name of the folder.
    pub(crate) fn wire(&self, folder: &FolderPath) -> MailboxName {
        self.listed.get(folder).cloned().unwrap_or_else(|| self.names.wire(folder))
    }

    pub(crate) fn explain_in(&self, folder: &FolderPath, error: imap::Error) -> Error {
        self.explain(error.context(format_args!("folder {folder}")))
    }
}

impl Mailbox for ImapMailbox {
    fn describe(&self) -> String {
        format!("{}@{}", self.account.login.user(), self.account.options.host)
    }

    async fn folders(&mut self) -> Result<Vec<Folder>, Error> {
        self.list_at_once = ListAtOnce::Wanted;
        let begun = self.begin().await;
        let told = match std::mem::take(&mut self.list_at_once) {
            ListAtOnce::Done(listed) => Some(listed),
            ListAtOnce::No | ListAtOnce::Wanted => None,
        };
        begun?;
        let with_status = self.account.side == Side::Source;
        let names = self.names.clone();
        let mut listed = listing::list(self.session().await?, &names, with_status, told).await;
        if with_status && listed.as_ref().is_err_and(is_hangup) {
            // The server may fail at one folder. Opening each one shows which.
            self.session = None;
            listed = listing::list(self.session().await?, &names, false, None).await;
        }
        let mut listing = listed.map_err(|error| self.explain(error.context("listing the folders")))?;
        if self.names.root().is_none() && self.account.side == Side::Source {
            self.advise_root(&listing.folders);
        }
        if let Some(root) = self.names.root()
            && listing.folders.is_empty()
        {
            let message =
                format!("source {}: there is no folder \"{}\" (UserRoot)", self.describe(), root.name);
            return Err(Error::new(Scope::Endpoint, Retry::Never, ErrorKind::Refused, message));
        }
        if self.account.side == Side::Source {
            for folder in &mut listing.folders {
                folder.leave_out = folder.leave_out.take().or_else(|| self.choice.profile.leave_out(folder));
            }
        }
        let has_labels = self.session.as_ref().is_some_and(|it| it.capabilities().has("X-GM-EXT-1"));
        if self.account.side == Side::Source && has_labels {
            let labels = Labels::from_listing(&mut listing.folders, &listing.names, &self.label_rules);
            self.labels = Some(Arc::new(labels));
        }
        if let Some(uploads) = &mut self.uploads {
            uploads.learn(&listing.folders);
        }
        self.listed = listing.names;
        self.unselectable =
            listing.folders.iter().filter(|it| !it.selectable).map(|it| it.path.clone()).collect();
        for folder in &listing.folders {
            self.numbering.set_validity(&folder.path, folder.status.map(|it| it.uid_validity));
        }
        Ok(listing.folders)
    }

    async fn status(&mut self, folder: &FolderPath) -> Result<FolderStatus, Error> {
        self.begin().await?;
        let name = self.wire(folder);
        let mut items = STATUS_ITEMS.to_vec();
        // A limit in the capability itself is the same for all folders (RFC 7889).
        if self.account.side == Side::Target && self.session().await?.capabilities().has("APPENDLIMIT") {
            items.push(StatusItem::AppendLimit);
        }
        let answers = self.session().await?.status_many(std::slice::from_ref(&name), &items).await;
        let items = match answers.map_err(|error| self.explain(error))?.pop() {
            Some(Ok(items)) => items,
            Some(Err(error)) if self.is_refusal_of_status(folder, &error) => {
                let opened = self.opened_status(folder).await;
                let is_refused = |it: &Error| it.scope <= Scope::Folder;
                return opened
                    .map_err(|it| if is_refused(&it) { self.explain_in(folder, error) } else { it });
            }
            Some(Err(error)) => return Err(self.explain_in(folder, error)),
            None => return Err(Error::session("STATUS was not answered")),
        };
        self.learned().folder(folder).append_limit = items.append_limit;
        match folder_status(&items) {
            Some(status) => {
                self.numbering.set_validity(folder, Some(status.uid_validity));
                Ok(status)
            }
            // Quirk: Dovecot 2.3 sends UIDVALIDITY 0 for a folder that another connection has just created.
            None => self.opened_status(folder).await,
        }
    }

    async fn name_rules(&mut self) -> Result<NameRules, Error> {
        self.session().await?;
        Ok(self.choice.profile.names.rules(self.names.delimiter()))
    }

    async fn scan(&mut self, folder: &FolderPath, since: Option<&Cursor>) -> Result<Scan, Error> {
        if let Some(mut scan) = self.prefetched.take(folder, since) {
            self.numbering.set_validity(folder, Some(scan.status.uid_validity));
            scan.notes.extend(self.doubt(scan.status.messages));
            return Ok(scan);
        }
        self.begin().await?;
        let mut status = self.opened_status(folder).await?;
        let since = since.filter(|it| it.status.uid_validity == status.uid_validity);
        let since = since.filter(|_| status.highest_modseq.is_some()).and_then(Since::new);
        let ScanResult { mut messages, present, unseen, incomplete } = self.look(folder, since).await?;
        if self.account.side == Side::Target
            && let Some(why) = incomplete.as_ref().or(unseen.first().map(|it| &it.why))
        {
            // Messages that are not shown would be copied once more.
            return Err(self.explain_in(folder, scan::incomplete(why)));
        }
        let mut notes =
            if self.numbering.is_made_up(folder) { vec![WITHOUT_VALIDITY.to_owned()] } else { Vec::new() };
        notes.extend(self.doubt(status.messages));
        let mut dated_by_header = UidSet::new();
        if self.account.side == Side::Source {
            // Expunged messages are not shown, and must not be counted.
            status.messages = status.messages.min(self.selected()?.data().exists);
            let completed = dates::complete(&mut self.selected()?, &mut messages).await;
            dated_by_header = completed.map_err(|error| self.explain_in(folder, error))?;
        }
        Ok(Scan { status, messages, present, unseen, incomplete, dated_by_header, notes })
    }

    async fn scan_ahead(&mut self, folders: &[(FolderPath, Cursor)]) -> Result<(), Error> {
        Box::pin(self.look_ahead(folders)).await
    }

    fn view(&self) -> String {
        self.labels.as_deref().map(Labels::text).unwrap_or_default()
    }

    async fn fingerprints(
        &mut self,
        folder: &FolderPath,
        uids: &UidSet,
    ) -> Result<Vec<(Uid, Fingerprint)>, Error> {
        // A message that breaks connections is not read.
        let known = self.culprits.in_folder(&self.numbered(folder));
        let uids: UidSet = uids.iter().filter(|uid| !matches!(known.get(uid), Some(Some(_)))).collect();
        if uids.is_empty() {
            return Ok(Vec::new());
        }
        let items = format!("(UID BODY.PEEK[HEADER.FIELDS ({})])", FINGERPRINT_FIELDS.join(" "));
        let mut found: BTreeMap<Uid, Option<Fingerprint>> = BTreeMap::new();
        self.begin().await?;
        let mut selected = self.open(folder, SelectMode::Examine).await?;
        let fetched = fetch_in_halves(&mut selected, uids.clone(), &items, |fetch| {
            let header = fetch.sections.iter().find(|it| it.spec.starts_with("HEADER.FIELDS"));
            let (Some(uid), Some(header)) = (fetch.uid, header) else { return false };
            let fingerprint = fetch.inline(&header.spec).and_then(|it| Fingerprint::of_header(it));
            found.insert(uid, fingerprint);
            true
        });
        let fetched = fetched.await;
        if let Err(error) = fetched {
            if is_break(&error) {
                self.culprits.broke_among(&self.numbered(folder), &uids, &error);
            }
            return Err(self.explain_in(folder, error));
        }
        // Without these fields, or if the server refuses them, the whole message is read.
        let nameless: UidSet = uids.iter().filter(|uid| !matches!(found.get(uid), Some(Some(_)))).collect();
        let mut fingerprints: Vec<(Uid, Fingerprint)> =
            found.into_iter().filter_map(|(uid, it)| Some((uid, it?))).collect();
        fingerprints.extend(self.hashes(folder, &nameless).await?.into_iter().map(|(uid, it, _)| (uid, it)));
        Ok(fingerprints)
    }

    async fn digests(&mut self, folder: &FolderPath, uids: &UidSet) -> Result<Vec<(Uid, Digests)>, Error> {
        Ok(self.hashes(folder, uids).await?.into_iter().map(|(uid, _, it)| (uid, it)).collect())
    }

    async fn reconnect(&mut self) -> Result<(), Error> {
        // The next command connects, if there is one.
        self.session = None;
        self.prefetched.clear();
        self.ahead.truncate(0);
        Ok(())
    }

    fn connect_ahead(&mut self, further: usize) {
        let own = usize::from(self.session.is_none());
        // Only the source of a known mailbox is listed at once.
        let lists = own > 0 && self.listed.is_empty() && self.account.side == Side::Source;
        self.ahead.truncate(own + further);
        self.ahead.fill(own + further, &self.account, &self.stop, lists);
    }

    fn another(&self) -> Self {
        Self {
            account: self.account.clone(),
            session: None,
            stop: self.stop.clone(),
            ahead: self.ahead.clone(),
            ends: None,
            round_trip: self.round_trip,
            choice: self.choice.clone(),
            listener: self.listener.clone(),
            names: self.names.clone(),
            list_at_once: ListAtOnce::default(),
            listed: self.listed.clone(),
            unselectable: self.unselectable.clone(),
            label_rules: self.label_rules.clone(),
            labels: self.labels.clone(),
            learned: Arc::clone(&self.learned),
            culprits: self.culprits.clone(),
            sizes: self.sizes.clone(),
            link_speed: self.link_speed,
            numbering: self.numbering.clone(),
            uploads: self.uploads.clone(),
            is_root_advised: self.is_root_advised,
            copy_reading: self.copy_reading,
            scanned: Arc::clone(&self.scanned),
            prefetched: PrefetchedScans::default(),
            is_further: true,
        }
    }

    fn round_trip(&self) -> Option<Duration> {
        self.round_trip
    }

    async fn close(&mut self) {
        if let Some(session) = self.give_up_sessions() {
            goodbye(session).await;
        }
    }

    async fn leave(&mut self) {
        if let Some(session) = self.give_up_sessions() {
            _ = timeout(GOODBYE, session.leave()).await;
        }
    }
}

impl ImapMailbox {
    /// Ends the connections that were started ahead. Returns the one in use.
    fn give_up_sessions(&mut self) -> Option<Session> {
        if !self.is_further {
            self.ahead.truncate(0);
        }
        self.session.take()
    }

    /// True if STATUS is refused for a folder that can probably be opened (GNU imap4d for INBOX).
    fn is_refusal_of_status(&self, folder: &FolderPath, error: &imap::Error) -> bool {
        error.scope == Scope::Folder
            && error.kind == imap::ErrorKind::Refused
            && (folder.is_inbox() || self.listed.contains_key(folder))
            && !self.unselectable.contains(folder)
    }

    /// Note on a folder that may have more messages than it shows.
    fn doubt(&self, shown: u32) -> Option<String> {
        let session = self.session.as_ref().filter(|_| self.account.side == Side::Source)?;
        limited::doubt(session, shown, self.choice.profile.shows_all_at.as_deref())
    }

    /// Warns once if files of a home directory are listed as folders (UW-imapd).
    fn advise_root(&mut self, folders: &[Folder]) {
        let is_file = |it: &&Folder| it.path.segments().first().is_some_and(|it| it.starts_with('.'));
        let Some(file) = folders.iter().find(is_file).filter(|_| !self.is_root_advised) else { return };
        self.is_root_advised = true;
        tracing::warn!(
            "{}: folder {} looks like a file of a home directory; give UserRoot to migrate only the folders below the \
             user's mail directory",
            self.end(),
            file.path
        );
    }

    /// Reads the bodies only for their hashes.
    async fn hashes(
        &mut self,
        folder: &FolderPath,
        uids: &UidSet,
    ) -> Result<Vec<(Uid, Fingerprint, Digests)>, Error> {
        if uids.is_empty() {
            return Ok(Vec::new());
        }
        let wanted: Vec<WantedMessage> = uids.iter().map(|uid| WantedMessage { uid, size: 0 }).collect();
        let (outlet, mut inlet) = pipe(&Budget::new(HASH_BUDGET));
        let mut found = Vec::new();
        let hashing = async {
            let mut passing: Option<(Uid, MessageHasher)> = None;
            while let Some(piece) = inlet.next().await {
                match piece {
                    FetchedPart::Message(uid, body) => {
                        let mut hasher = MessageHasher::new();
                        hasher.update(&body);
                        let (fingerprint, digests) = hasher.finish();
                        found.push((uid, fingerprint, digests));
                    }
                    FetchedPart::Start(uid, _) => passing = Some((uid, MessageHasher::new())),
                    FetchedPart::Chunk(octets) => {
                        if let Some((_, hasher)) = &mut passing {
                            hasher.update(&octets);
                        }
                    }
                    FetchedPart::End => {
                        if let Some((uid, hasher)) = passing.take() {
                            let (fingerprint, digests) = hasher.finish();
                            found.push((uid, fingerprint, digests));
                        }
                    }
                }
            }
        };
        let (fetched, ()) = futures_util::join!(self.fetch(folder, &wanted, outlet), hashing);
        fetched?;
        Ok(found)
    }
}

async fn goodbye(session: Session) {
    // All answers that matter came before.
    _ = timeout(GOODBYE, session.logout()).await;
}

async fn compress(session: &mut Session) -> Result<(), imap::Error> {
    if !session.capabilities().has("COMPRESS=DEFLATE") {
        return Ok(());
    }
    match session.compress().await {
        // A refusal changes nothing.
        Err(error) if error.scope < Scope::Session => Ok(()),
        other => other,
    }
}
