//! Asking a server whether it is there and what it can do, before anything is built on it.
//!
//! `opening` goes the way to the server and says at which step it ends, `admin` finds out by which form (`forms`) an
//! administrator opens a mailbox, `bearer` shows an access token (`causes` says why it is not taken, `setup` how the other side is set
//! up), `mailbox` looks into it, `speed` and `connections` measure. Nothing is changed.

pub(crate) mod advice;
mod findings;
mod obstacle;
mod other_side;
mod steps;
#[cfg(test)]
mod tests;

use std::{sync::Arc, time::Duration};

use mailhaul_imap::{ConnectOptions, Connection, Credentials, Error, ErrorKind, MailboxName, Session};
use tokio::time::timeout;

use self::steps::{connect::Watch, root::Root};
pub(crate) use self::{
    advice::setup::setup,
    findings::Findings,
    obstacle::Obstacle,
    other_side::OtherSide,
    steps::{administrator::Administrator, bearer::Bearer},
};
use crate::output::text;

/// How long each step may take.
const PATIENCE: Duration = Duration::from_secs(15);

const SIGN_IN: &str = "Sign in";

/// Who is to log in.
pub(crate) enum Login {
    /// Nobody.
    Nobody,
    /// Somebody, into the own mailbox.
    User(Credentials),
    /// An administrator into somebody else's mailbox, by the form that an endpoint has.
    KnownForm(Credentials),
    /// An administrator into somebody else's mailbox, by the form that is found to work.
    Administrator(Administrator),
    /// Whoever has an access token, into the mailbox that is named, or into none.
    Bearer(Bearer),
}

impl Login {
    /// The service where a token is shown.
    pub(crate) fn side(&self) -> Option<&OtherSide> {
        match self {
            Self::Bearer(bearer) => Some(&bearer.side),
            _ => None,
        }
    }
}

/// What is asked of a server.
pub(crate) struct Question {
    /// How it is reached.
    pub(crate) options: ConnectOptions,
    /// The endpoint that is tested, where it is one.
    pub(crate) endpoint: Option<String>,
    /// The profile of servers that the operator named for it.
    pub(crate) profile: Option<String>,
    /// Who logs in.
    pub(crate) login: Login,
    /// Whether everything is looked at and measured, and not only what lets a migration begin.
    pub(crate) is_thorough: bool,
    /// So many connections at once are tried, where that is asked for.
    pub(crate) connections: Option<u32>,
}

impl Question {
    /// Whether the server can be reached, and whether somebody can log in.
    pub(crate) fn quick(options: ConnectOptions, login: Login) -> Self {
        Self { options, endpoint: None, profile: None, login, is_thorough: false, connections: None }
    }
}

/// Asks. What was found is told however it ends.
pub(crate) async fn probe(question: &Question) -> (Findings, Result<(), Obstacle>) {
    let mut findings = Findings::default();
    let asking = Asking { side: question.login.side().cloned(), ..Asking::new(&question.options, PATIENCE) };
    let outcome = Box::pin(asking.ask(question, &mut findings)).await;
    findings.sign_in_attempts = asking.watch.sign_ins();
    (findings, outcome)
}

/// A mailbox that somebody opened.
struct Opened {
    session: Session,
    credentials: Credentials,
    /// Whether it is somebody else's.
    is_administrator: bool,
    /// Where the mailbox is, if it is another folder than the login's own INBOX.
    root: Option<Root>,
}

impl Opened {
    fn inbox(&self) -> MailboxName {
        self.root.as_ref().map_or_else(|| MailboxName::from_wire("INBOX"), |it| it.inbox.clone())
    }
}

/// A conversation that does not last for ever.
struct Asking {
    options: ConnectOptions,
    watch: Arc<Watch>,
    patience: Duration,
    /// What is known of the service where a token is shown.
    side: Option<OtherSide>,
}

impl Asking {
    fn new(options: &ConnectOptions, patience: Duration) -> Self {
        let watch = Arc::new(Watch::default());
        let mut options = options.clone();
        options.trace = Some(Arc::clone(&watch) as _);
        let it = &mut options.timeouts;
        (it.connect, it.greeting, it.read, it.write) = (patience, patience, patience, patience);
        Self { options, watch, patience, side: None }
    }

    async fn ask(&self, question: &Question, findings: &mut Findings) -> Result<(), Obstacle> {
        let connection = self.open(findings).await?;
        let mut opened = match &question.login {
            Login::Nobody => return Ok(()),
            Login::User(credentials) => Box::pin(self.sign_in(connection, credentials, findings)).await?,
            Login::Bearer(bearer) => match Box::pin(self.show_token(connection, bearer, findings)).await? {
                Some(opened) => opened,
                None => return Ok(()),
            },
            Login::KnownForm(credentials) => {
                let opened = Box::pin(self.sign_in(connection, credentials, findings)).await?;
                Opened { is_administrator: true, ..opened }
            }
            Login::Administrator(admin) => {
                let found = Box::pin(self.find_form(connection, admin, findings)).await;
                let tried = text::count(u64::from(self.watch.sign_ins()), "sign-in was", "sign-ins were");
                findings.success("Sign-ins", format!("{tried} tried"));
                let (opened, form) = found?;
                let root = opened.root.as_ref().map(|it| it.path.as_str());
                let endpoint = question.endpoint.as_deref();
                findings.instructions =
                    advice::instructions::instructions(&self.options, endpoint, admin, &form, root);
                findings.user_root = root.map(str::to_owned);
                findings.admin_form = Some(form.name());
                opened
            }
        };
        findings.logged_in_as = Some(opened.credentials.owner().to_owned());
        self.look(&mut opened, question, findings).await?;
        let Opened { session, credentials, .. } = opened;
        // It has told all that was asked; how it says goodbye does not matter.
        let _unheard = timeout(self.patience, session.logout()).await;
        if let Some(most) = question.connections {
            Box::pin(self.count_connections(&credentials, most, findings)).await;
        }
        Ok(())
    }

    async fn sign_in(
        &self,
        connection: Connection,
        credentials: &Credentials,
        findings: &mut Findings,
    ) -> Result<Opened, Obstacle> {
        match self.in_time(connection.authenticate(credentials)).await {
            Ok(session) => {
                findings.success(SIGN_IN, signed_in(credentials, &session));
                Ok(Opened { session, credentials: credentials.clone(), is_administrator: false, root: None })
            }
            Err(error) => {
                let obstacle = self.obstacle(error);
                findings.failed(SIGN_IN, obstacle.explained());
                Err(obstacle)
            }
        }
    }

    async fn in_time<T>(&self, step: impl Future<Output = Result<T, Error>>) -> Result<T, Error> {
        match timeout(self.patience, step).await {
            Ok(outcome) => outcome,
            Err(_) => Err(Error::session(ErrorKind::Timeout, "the server did not answer")),
        }
    }

    fn obstacle(&self, error: Error) -> Obstacle {
        let is_refused = error.kind == ErrorKind::Authentication;
        let obstacle = Obstacle::of(error, &self.options.host, self.patience);
        match self.side.as_ref().and_then(|it| advice::causes::explain(it, &obstacle.detail)) {
            Some((message, advice)) if is_refused => Obstacle { message, advice, ..obstacle },
            _ => obstacle,
        }
    }
}

/// Who is in, and how.
fn signed_in(credentials: &Credentials, session: &Session) -> String {
    let owner = match credentials.owner() {
        owner if owner == credentials.user => String::new(),
        owner => format!(" for {owner}"),
    };
    let by = session.mechanism().unwrap_or("nothing (PREAUTH)");
    let refused = match session.refused_mechanisms().join("; ") {
        none if none.is_empty() => none,
        some => format!(" ({some})"),
    };
    format!("{}{owner}, by {by}{refused}", credentials.user)
}
