//! Connections of a test. Each step has a time limit.

use std::{sync::Arc, time::Duration};

use mailhaul_imap::{ConnectOptions, Connection, Credentials, Error, ErrorKind, MailboxName, Session};
use tokio::time::timeout;

use super::{
    advice::token_causes, findings::Findings, milestones::MilestoneRecorder, obstacle::Obstacle,
    other_side::OtherSide, steps::root::Root,
};

/// Name of the step in which the user signs in.
pub(crate) const SIGN_IN: &str = "Sign in";

/// Connections to one server.
pub(crate) struct Conversation {
    pub(crate) options: ConnectOptions,
    pub(crate) recorder: Arc<MilestoneRecorder>,
    pub(crate) step_timeout: Duration,
    /// Service that gets the access token.
    pub(crate) side: Option<OtherSide>,
}

/// Mailbox after a successful sign-in.
pub(crate) struct OpenedMailbox {
    pub(crate) session: Session,
    pub(crate) credentials: Credentials,
    /// True if an administrator opened the mailbox of a user.
    pub(crate) is_administrator: bool,
    /// Root of the mailbox, if it is not the INBOX of the login.
    pub(crate) root: Option<Root>,
}

impl OpenedMailbox {
    pub(crate) fn inbox(&self) -> MailboxName {
        self.root.as_ref().map_or_else(|| MailboxName::from_wire("INBOX"), |root| root.inbox.clone())
    }
}

impl Conversation {
    pub(crate) fn new(options: &ConnectOptions, step_timeout: Duration, side: Option<OtherSide>) -> Self {
        let recorder = Arc::new(MilestoneRecorder::default());
        let mut options = options.clone();
        options.trace = Some(Arc::clone(&recorder) as _);
        let timeouts = &mut options.timeouts;
        (timeouts.connect, timeouts.greeting) = (step_timeout, step_timeout);
        (timeouts.read, timeouts.write) = (step_timeout, step_timeout);
        Self { options, recorder, step_timeout, side }
    }

    pub(crate) async fn sign_in(
        &self,
        connection: Connection,
        credentials: &Credentials,
        findings: &mut Findings,
    ) -> Result<OpenedMailbox, Obstacle> {
        match self.in_time(connection.authenticate(credentials)).await {
            Ok(session) => {
                findings.success(SIGN_IN, signed_in(credentials, &session));
                let credentials = credentials.clone();
                Ok(OpenedMailbox { session, credentials, is_administrator: false, root: None })
            }
            Err(error) => {
                let obstacle = self.obstacle(error);
                findings.failed(SIGN_IN, obstacle.explained());
                Err(obstacle)
            }
        }
    }

    /// Runs the step, at most for the step timeout.
    pub(crate) async fn in_time<T>(&self, step: impl Future<Output = Result<T, Error>>) -> Result<T, Error> {
        match timeout(self.step_timeout, step).await {
            Ok(outcome) => outcome,
            Err(_) => Err(Error::session(ErrorKind::Timeout, "the server did not answer")),
        }
    }

    /// Returns the obstacle for this error, with the advice of the service if there is one.
    pub(crate) fn obstacle(&self, error: Error) -> Obstacle {
        let is_refused = error.kind == ErrorKind::Authentication;
        let obstacle = Obstacle::from_error(error, &self.options.host, self.step_timeout);
        match self.side.as_ref().and_then(|side| token_causes::explain(side, &obstacle.detail)) {
            Some((message, advice)) if is_refused => Obstacle { message, advice, ..obstacle },
            _ => obstacle,
        }
    }
}

/// Describes the account that signed in, and the mechanism.
pub(crate) fn signed_in(credentials: &Credentials, session: &Session) -> String {
    let owner = match credentials.owner() {
        owner if owner == credentials.user => String::new(),
        owner => format!(" for {owner}"),
    };
    let mechanism = session.mechanism().unwrap_or("nothing (PREAUTH)");
    let refused = match session.refused_mechanisms().join("; ") {
        none if none.is_empty() => none,
        some => format!(" ({some})"),
    };
    format!("{}{owner}, by {mechanism}{refused}", credentials.user)
}
