//! Credentials of a mailbox, and the sign-in.

use std::time::Duration;

use mailhaul_engine::{Error, ErrorKind};
use mailhaul_imap::{self as imap, AuthorizeAs, ConnectOptions, Connection, Credentials, Session};
use mailhaul_mail::{Retry, Scope};
use mailhaul_oauth::{Token, TokenError, Tokens};
use tokio::time::Instant;

/// Credentials that open a mailbox.
#[derive(Clone, Debug)]
pub enum Login {
    /// A password, of the user or of an administrator.
    Password(Credentials),
    /// An access token for the mailbox (RFC 6750).
    Tokens {
        /// The owner of the mailbox.
        user: String,
        /// The source of the tokens.
        tokens: Tokens,
    },
}

impl Login {
    /// The name that signs in; with a token, the owner of the mailbox.
    pub fn user(&self) -> &str {
        match self {
            Self::Password(credentials) => &credentials.user,
            Self::Tokens { user, .. } => user,
        }
    }

    /// The user whose mailbox is opened. An administrator may sign in for another user.
    pub(crate) fn owner(&self) -> &str {
        match self {
            Self::Password(Credentials {
                authorize_as: Some(AuthorizeAs::Identity(owner) | AuthorizeAs::ProxyAuth(owner)),
                ..
            }) => owner,
            login => login.user(),
        }
    }
}

/// Sessions are not renewed ahead for tokens that live shorter than this.
const WORTH_WATCHING: Duration = Duration::from_secs(10);

/// A session after sign-in.
pub(crate) struct SignedInSession {
    pub(crate) session: Session,
    /// End of its token. The session should end before that.
    pub(crate) ends: Option<Instant>,
}

/// Reason of a failed sign-in.
pub(crate) enum SignInError {
    /// The server refused the sign-in, or could not be reached.
    Server(imap::Error),
    /// There was no token to send.
    NoToken(TokenError),
    /// The pass was told to end: no session may begin.
    Stopped,
}

impl From<imap::Error> for SignInError {
    fn from(error: imap::Error) -> Self {
        Self::Server(error)
    }
}

impl Login {
    /// Connects and signs in. A refused token is replaced once.
    pub(crate) async fn sign_in(&self, options: &ConnectOptions) -> Result<SignedInSession, SignInError> {
        let (user, tokens) = match self {
            Self::Password(credentials) => {
                let session = Connection::open(options).await?.authenticate(credentials).await?;
                return Ok(SignedInSession { session, ends: None });
            }
            Self::Tokens { user, tokens } => (user, tokens),
        };
        // An unreachable server is reported first, and uses no token.
        let connection = Connection::open(options).await?;
        let first = tokens.token(user).await.map_err(SignInError::NoToken)?;
        let refusal = match connection.authenticate(&Credentials::bearer(user, first.secret.clone())).await {
            Ok(session) => {
                tokens.opened(user, &first.secret).await;
                return Ok(SignedInSession { session, ends: end(&first) });
            }
            Err(error) if error.kind == imap::ErrorKind::Authentication => error,
            Err(error) => return Err(error.into()),
        };
        let second = tokens.instead_of(user, &first.secret).await.map_err(SignInError::NoToken)?;
        if second.secret == first.secret {
            return Err(with_token_facts(refusal, user, &first).into());
        }
        let session = Connection::open(options)
            .await?
            .authenticate(&Credentials::bearer(user, second.secret.clone()))
            .await;
        let session = session.map_err(|error| with_token_facts(error, user, &second))?;
        tokens.opened(user, &second.secret).await;
        Ok(SignedInSession { session, ends: end(&second) })
    }
}

/// Adds the facts in the token that may explain the refusal.
fn with_token_facts(error: imap::Error, user: &str, token: &Token) -> imap::Error {
    if error.kind != imap::ErrorKind::Authentication {
        return error;
    }
    match mailhaul_oauth::explain_refused(&token.secret, user) {
        Some(words) => imap::Error { message: format!("{}; {words}", error.message), ..error },
        None => error,
    }
}

/// End of the token, unless its life is too short to watch.
fn end(token: &Token) -> Option<Instant> {
    token.life.filter(|life| *life >= WORTH_WATCHING).map(|life| Instant::now() + life)
}

/// The same error as an error of the engine.
pub(crate) fn without_token(error: TokenError) -> Error {
    let scope = if error.concerns_all { Scope::Endpoint } else { Scope::Mailbox };
    let kind = match error.retry {
        Retry::Never => ErrorKind::Authentication,
        Retry::Now | Retry::After(_) => ErrorKind::Connection,
    };
    Error::new(scope, error.retry, kind, error.message)
}
