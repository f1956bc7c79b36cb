//! Who opens a mailbox, and with what.

use std::time::Duration;

use mailhaul_engine::{Error, ErrorKind};
use mailhaul_imap::{self as imap, AuthorizeAs, ConnectOptions, Connection, Credentials, Session};
use mailhaul_mail::{Retry, Scope};
use mailhaul_oauth::{Token, TokenError, Tokens};
use tokio::time::Instant;

/// Who opens a mailbox.
#[derive(Clone, Debug)]
pub enum Login {
    /// Somebody with a password.
    Password(Credentials),
    /// Whoever has an access token for it (RFC 6750).
    Tokens {
        /// Whose mailbox it is.
        user: String,
        /// Where tokens come from.
        tokens: Tokens,
    },
}

impl Login {
    /// Who logs in; with a token, whose mailbox it is.
    pub fn user(&self) -> &str {
        match self {
            Self::Password(credentials) => &credentials.user,
            Self::Tokens { user, .. } => user,
        }
    }

    /// The user whose mailbox is opened, who may be another than the one who signs in.
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

/// The end of a token that lives shorter is not foreseen, but met.
const WORTH_WATCHING: Duration = Duration::from_secs(10);

/// What a login came to.
pub(crate) struct SignedInSession {
    pub(crate) session: Session,
    /// When its token ends: it is better ended before that.
    pub(crate) ends: Option<Instant>,
}

/// Why nobody is in.
pub(crate) enum SignInError {
    /// The server did not let anybody in, or could not be reached.
    Server(imap::Error),
    /// There was no token to be shown to it.
    NoToken(TokenError),
}

impl From<imap::Error> for SignInError {
    fn from(error: imap::Error) -> Self {
        Self::Server(error)
    }
}

impl Login {
    /// Connects and logs in. A token that is refused is replaced once.
    pub(crate) async fn sign_in(&self, options: &ConnectOptions) -> Result<SignedInSession, SignInError> {
        let (user, tokens) = match self {
            Self::Password(credentials) => {
                let session = Connection::open(options).await?.authenticate(credentials).await?;
                return Ok(SignedInSession { session, ends: None });
            }
            Self::Tokens { user, tokens } => (user, tokens),
        };
        // A server that is not there is told of first, and takes no token.
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

/// The refusal, and what the token says of itself that may be the reason.
fn with_token_facts(error: imap::Error, user: &str, token: &Token) -> imap::Error {
    if error.kind != imap::ErrorKind::Authentication {
        return error;
    }
    match mailhaul_oauth::explain_refused(&token.secret, user) {
        Some(words) => imap::Error { message: format!("{}; {words}", error.message), ..error },
        None => error,
    }
}

/// What ends at once was not worth asking for, and is not worth watching.
fn end(token: &Token) -> Option<Instant> {
    token.life.filter(|life| *life >= WORTH_WATCHING).map(|life| Instant::now() + life)
}

/// The same error in the engine's words.
pub(crate) fn without_token(error: TokenError) -> Error {
    let scope = if error.concerns_all { Scope::Endpoint } else { Scope::Mailbox };
    let kind = match error.retry {
        Retry::Never => ErrorKind::Authentication,
        Retry::Now | Retry::After(_) => ErrorKind::Connection,
    };
    Error::new(scope, error.retry, kind, error.message)
}
