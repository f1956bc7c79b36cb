//! The start of a session: sign-in, identity, namespaces. Sessions can be started before they are used.

use std::{sync::Arc, time::Duration};

use mailhaul_engine::Side;
use mailhaul_imap::{self as imap, Introduction, ListedMailbox, Session, response::Namespaces};
use parking_lot::Mutex;
use tokio::{task::JoinSet, time::Instant};
use tokio_util::sync::CancellationToken;
use tracing::Instrument as _;

use crate::{
    imap::{
        account::Account,
        culprits::is_hangup,
        listing::{self, names::EVERYTHING, user_root},
        scan::limited,
    },
    login::{SignInError, SignedInSession},
    profile::{ProfileChoice, Profiles, ServerIdentity},
};

/// A ready session, and the server's facts at its start.
pub(crate) struct StartedSession {
    pub(crate) session: Session,
    /// End of the token of the sign-in.
    pub(crate) ends: Option<Instant>,
    pub(crate) choice: ProfileChoice,
    pub(crate) namespaces: Option<Namespaces>,
    /// Time between a command and its answer.
    pub(crate) round_trip: Duration,
    /// All folders, if they were listed at the start.
    pub(crate) listed: Option<Vec<ListedMailbox>>,
}

impl StartedSession {
    /// Connects, signs in, and detects the kind of server. With `lists` it also lists all folders in the
    /// same round trip, if the pattern does not depend on the answers.
    ///
    /// Invariant: no session begins after `stop`. All connections of a mailbox are opened here, and one that
    /// is not signed in by then is closed.
    pub(crate) async fn new(
        account: &Account,
        stop: &CancellationToken,
        lists: bool,
    ) -> Result<Self, SignInError> {
        tokio::select! {
            biased;
            () = stop.cancelled() => Err(SignInError::Stopped),
            started = Self::start(account, lists) => started,
        }
    }

    async fn start(account: &Account, lists: bool) -> Result<Self, SignInError> {
        let is_plain = lists && account.user_root.is_none();
        match Self::begin(account, is_plain).await {
            // The server may disconnect at one of its folders: the caller lists in another way.
            Err(StartError::AtList) => {
                Self::begin(account, false).await.map_err(StartError::into_sign_in_error)
            }
            other => other.map_err(StartError::into_sign_in_error),
        }
    }

    async fn begin(account: &Account, lists: bool) -> Result<Self, StartError> {
        let Account { options, login, side, profile, .. } = account;
        let SignedInSession { mut session, ends } =
            login.sign_in(options).await.map_err(StartError::Otherwise)?;
        let fields = [("name", "mailhaul"), ("version", env!("CARGO_PKG_VERSION"))];
        // The greeting may decide the profile already. The server's name comes with the other answers.
        let first = deny(&mut session, &[], profile.as_deref())?;
        let is_source = *side == Side::Source;
        let extensions = if is_source { limited::extensions(&session) } else { &[] };
        let lists = lists && session.capabilities().has("NAMESPACE");
        let query = lists.then(|| listing::query(EVERYTHING.to_vec(), is_source));
        let introduced = session.introduce(&fields, extensions, query.as_ref()).await;
        let Introduction { id, namespaces, listed, round_trip } = introduced
            .map_err(|error| if lists && is_hangup(&error) { StartError::AtList } else { error.into() })?;
        let namespaces = namespaces.filter(user_root::tells_something);
        let choice = deny(&mut session, &id, profile.as_deref())?;
        // LIST may have used an extension that is denied now.
        let is_same = choice.profile.deny.iter().all(|it| first.profile.deny.contains(it));
        let listed = listed.filter(|_| is_same);
        Ok(Self { session, ends, choice, namespaces, round_trip, listed })
    }
}

/// Reason of a failed start.
enum StartError {
    /// The connection ended at LIST.
    AtList,
    Otherwise(SignInError),
}

impl StartError {
    fn into_sign_in_error(self) -> SignInError {
        match self {
            Self::Otherwise(why) => why,
            Self::AtList => {
                imap::Error::session(imap::ErrorKind::Connection, "the connection ended at LIST").into()
            }
        }
    }
}

impl From<imap::Error> for StartError {
    fn from(error: imap::Error) -> Self {
        Self::Otherwise(error.into())
    }
}

/// Sessions that are started before they are used. All connections of one mailbox share them.
#[derive(Clone, Default)]
pub(crate) struct StartingSessions(Arc<Mutex<Vec<StartingSession>>>);

impl StartingSessions {
    /// Drops sessions beyond the number `kept`.
    pub(crate) fn truncate(&self, kept: usize) {
        self.0.lock().truncate(kept);
    }

    /// Starts sessions until their number is `wanted`. With `lists` the first one lists all folders.
    pub(crate) fn fill(&self, wanted: usize, account: &Account, stop: &CancellationToken, lists: bool) {
        let mut begun = self.0.lock();
        while begun.len() < wanted {
            let lists = lists && begun.is_empty();
            begun.push(StartingSession::start(account.clone(), stop.clone(), lists));
        }
    }

    /// Takes a session, if there is one. A further connection takes the last one, because the first may
    /// have listed.
    pub(crate) fn take(&self, is_further: bool) -> Option<StartingSession> {
        let mut begun = self.0.lock();
        if is_further || begun.is_empty() { begun.pop() } else { Some(begun.remove(0)) }
    }
}

/// A session that starts in the background. Dropping this value ends its connection.
pub(crate) struct StartingSession(JoinSet<Result<StartedSession, SignInError>>);

impl StartingSession {
    fn start(account: Account, stop: CancellationToken, lists: bool) -> Self {
        let mut tasks = JoinSet::new();
        tasks.spawn(async move { StartedSession::new(&account, &stop, lists).await }.in_current_span());
        Self(tasks)
    }

    /// Waits for the session.
    pub(crate) async fn finish(mut self) -> Result<StartedSession, SignInError> {
        let failed = |words: String| imap::Error::session(imap::ErrorKind::Connection, words).into();
        match self.0.join_next().await {
            Some(Ok(begun)) => begun,
            // The task panicked.
            Some(Err(error)) => Err(failed(error.to_string())),
            None => Err(failed("the sign-in was given up".to_owned())),
        }
    }
}

/// Chooses the server's profile, and denies the capabilities that do not work there.
fn deny(
    session: &mut Session,
    id: &[(String, Option<String>)],
    profile: Option<&str>,
) -> Result<ProfileChoice, imap::Error> {
    let server =
        ServerIdentity { greeting: &session.greeting().text, id, capabilities: session.capabilities() };
    let choice = Profiles::built_in().choose(&server, profile);
    let choice = choice.map_err(|words| imap::Error::endpoint(imap::ErrorKind::Unsupported, words))?;
    session.deny(&choice.profile.deny);
    Ok(choice)
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicU64, Ordering};

    use mailhaul_engine::{ErrorKind, Mailbox as _};
    use mailhaul_imap::{ConnectOptions, Credentials, Security};
    use mailhaul_mail::{CurrentPermit, EXPIRED_PERMIT, FolderPath, Permit, PermitClock, Retry, Secret};
    use mailhaul_testkit::fake::{Fake, Personality, VirtualClock};
    use tokio::io::AsyncReadExt as _;

    use super::*;
    use crate::{ImapMailbox, Login};

    async fn mailbox(password: &str) -> (ImapMailbox, Fake) {
        let server = Fake::start(Personality::plain()).await;
        server.add_user("terrya", "pw", VirtualClock::default());
        (ImapMailbox::new(account(server.port, password)), server)
    }

    fn account(port: u16, password: &str) -> Account {
        Account {
            side: Side::Target,
            options: ConnectOptions::new("127.0.0.1", port, Security::Clear),
            login: Login::Password(Credentials::password("terrya", Secret::new(password))),
            user_root: None,
            profile: None,
        }
    }

    fn sign_ins(server: &Fake) -> usize {
        server.commands().iter().filter(|command| command.contains("AUTHENTICATE")).count()
    }

    #[tokio::test]
    async fn connections_are_made_before_they_are_used() {
        let (mut mailbox, server) = mailbox("pw").await;
        mailbox.connect_ahead(1);
        while sign_ins(&server) < 2 {
            tokio::task::yield_now().await;
        }
        let mut another = mailbox.another();
        another.status(&FolderPath::inbox()).await.unwrap();
        mailbox.status(&FolderPath::inbox()).await.unwrap();
        assert_eq!(sign_ins(&server), 2);
        mailbox.another().status(&FolderPath::inbox()).await.unwrap();
        assert_eq!(sign_ins(&server), 3, "one that was not made ahead");
    }

    #[tokio::test]
    async fn a_refused_sign_in_is_not_tried_again() {
        let (mut mailbox, server) = mailbox("wrong").await;
        mailbox.connect_ahead(0);
        let error = mailbox.status(&FolderPath::inbox()).await.unwrap_err();
        assert_eq!((error.kind, sign_ins(&server)), (ErrorKind::Authentication, 1), "{error}");
    }

    #[tokio::test]
    async fn connections_beyond_the_last_number_are_given_up() {
        let (mut mailbox, _server) = mailbox("pw").await;
        let waiting = |mailbox: &ImapMailbox| mailbox.ahead.0.lock().len();
        mailbox.connect_ahead(3);
        assert_eq!(waiting(&mailbox), 4);
        mailbox.connect_ahead(1);
        assert_eq!(waiting(&mailbox), 2);
        mailbox.another().close().await;
        assert_eq!(waiting(&mailbox), 2, "they are the mailbox's");
        mailbox.reconnect().await.unwrap();
        assert_eq!(waiting(&mailbox), 0);
    }

    #[tokio::test]
    async fn a_stopped_mailbox_opens_no_connection() {
        let (mailbox, server) = mailbox("pw").await;
        let stop = CancellationToken::new();
        let mut mailbox = mailbox.stopped_by(stop.clone());
        mailbox.status(&FolderPath::inbox()).await.unwrap();
        let before = server.commands().len();
        stop.cancel();
        // An open session stays.
        mailbox.status(&FolderPath::inbox()).await.unwrap();
        let open = server.commands().len();
        assert!(open > before);
        mailbox.reconnect().await.unwrap();
        mailbox.connect_ahead(2);
        for mut mailbox in [mailbox.another(), mailbox] {
            let error = mailbox.status(&FolderPath::inbox()).await.unwrap_err();
            assert_eq!(error.kind, ErrorKind::Interrupted, "{error}");
            let error = mailbox.check_access().await.unwrap_err();
            assert_eq!(error.kind, ErrorKind::Interrupted, "{error}");
        }
        assert_eq!(server.commands().len(), open);
    }

    #[tokio::test]
    async fn a_sign_in_that_is_under_way_ends_with_the_stop() {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let stop = CancellationToken::new();
        let account = account(listener.local_addr().unwrap().port(), "pw");
        let mut mailbox = ImapMailbox::new(account).stopped_by(stop.clone());
        let served = async {
            let (mut held, _) = listener.accept().await.unwrap();
            stop.cancel();
            held.read_to_end(&mut Vec::new()).await
        };
        let (opened, closed) =
            futures_util::join!(async { mailbox.status(&FolderPath::inbox()).await }, served);
        assert_eq!(opened.unwrap_err().kind, ErrorKind::Interrupted);
        assert_eq!(closed.unwrap(), 0);
    }

    #[tokio::test]
    async fn a_connection_ends_with_its_permit_and_the_next_one_has_a_new_one() {
        let second = Arc::new(AtomicU64::new(0));
        let shown = Arc::clone(&second);
        let clock: PermitClock = Arc::new(move || Duration::from_secs(shown.load(Ordering::SeqCst)));
        let validity = Duration::from_secs(3);
        let permit = CurrentPermit::from(Permit::new(clock, Duration::ZERO, validity));
        let (mailbox, server) = mailbox("pw").await;
        let mut mailbox = mailbox.permitted_by(permit.clone());
        mailbox.status(&FolderPath::inbox()).await.unwrap();
        let before = server.commands().len();
        second.store(100, Ordering::SeqCst);
        permit.renew_or_replace(validity);
        let error = mailbox.status(&FolderPath::inbox()).await.unwrap_err();
        assert_eq!((error.kind, error.retry), (ErrorKind::Connection, Retry::Now), "{error}");
        assert!(error.message.ends_with(EXPIRED_PERMIT), "{error}");
        assert_eq!(server.commands().len(), before);
        mailbox.reconnect().await.unwrap();
        mailbox.status(&FolderPath::inbox()).await.unwrap();
    }
}
