//! The start of a session: sign-in, identity, namespaces. Sessions can be started before they are used.

use std::{sync::Arc, time::Duration};

use mailhaul_engine::Side;
use mailhaul_imap::{self as imap, Introduction, ListedMailbox, Session, response::Namespaces};
use parking_lot::Mutex;
use tokio::{task::JoinSet, time::Instant};
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
    pub(crate) async fn new(account: &Account, lists: bool) -> Result<Self, SignInError> {
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
    /// Starts or drops sessions until their number is `wanted`. With `lists` the first one lists all
    /// folders.
    pub(crate) fn resize(&self, wanted: usize, account: &Account, lists: bool) {
        let mut begun = self.0.lock();
        while begun.len() < wanted {
            let lists = lists && begun.is_empty();
            begun.push(StartingSession::start(account.clone(), lists));
        }
        begun.truncate(wanted);
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
    fn start(account: Account, lists: bool) -> Self {
        let mut tasks = JoinSet::new();
        tasks.spawn(async move { StartedSession::new(&account, lists).await }.in_current_span());
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
    use mailhaul_engine::{ErrorKind, Mailbox as _};
    use mailhaul_imap::{ConnectOptions, Credentials, Security};
    use mailhaul_mail::{FolderPath, Secret};
    use mailhaul_testkit::fake::{Fake, Personality, VirtualClock};

    use super::*;
    use crate::{ImapMailbox, Login};

    async fn mailbox(password: &str) -> (ImapMailbox, Fake) {
        let server = Fake::start(Personality::plain()).await;
        server.add_user("terrya", "pw", VirtualClock::default());
        let account = Account {
            side: Side::Target,
            options: ConnectOptions::new("127.0.0.1", server.port, Security::Clear),
            login: Login::Password(Credentials::password("terrya", Secret::new(password))),
            user_root: None,
            profile: None,
        };
        (ImapMailbox::new(account), server)
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
}
