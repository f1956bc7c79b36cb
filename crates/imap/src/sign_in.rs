//! Sign-in: tries mechanisms one after another, as few as possible.

use mailhaul_mail::{Retry, Scope};

use crate::{
    auth::{Answer, AuthorizeAs, Credentials, LineSecurity, SignInAttempt, choose},
    commands::{authenticate::try_method, proxy_auth::proxy_auth},
    connection::Connection,
    error::{Error, ErrorKind},
    session::Session,
};

impl Connection {
    /// Signs in with the strongest mechanism that client and server have in common.
    ///
    /// If the server cannot check it, tries the next one that the security of the connection allows. If all fail, the
    /// connection is closed.
    pub async fn authenticate(self, credentials: &Credentials) -> Result<Session, Error> {
        self.options.sign_in.remember_secret(&credentials.secret);
        let secrets = self.secrets.clone();
        secrets.add(&credentials.secret);
        Box::pin(self.sign_in(credentials)).await.map_err(|error| secrets.redact_error(error))
    }

    async fn sign_in(mut self, credentials: &Credentials) -> Result<Session, Error> {
        if self.is_preauthenticated() {
            let words = "the server says that a user is signed in already (PREAUTH), and does not say who";
            return Err(Error::endpoint(ErrorKind::Authentication, words));
        }
        let credentials = &credentials.by_mechanism(self.options.mechanism.as_deref());
        let mut attempt = SignInAttempt::new(&self.options.sign_in, credentials);
        let (mechanism, mut connection) = loop {
            let line = LineSecurity::new(self.link.is_tls, self.options.security);
            match self.try_methods(credentials, &mut attempt, line).await {
                Ok(Some(mechanism)) => break (mechanism, self),
                // The server refused one mechanism and disconnected. The next one needs another connection.
                Ok(None) => self = Box::pin(Self::open(&self.options)).await?,
                Err(error) if error.retry == Retry::Never => return Err(attempt.record_failure(error)),
                Err(error) => return Err(error),
            }
        };
        if let Some(AuthorizeAs::ProxyAuth(owner)) = &credentials.authorize_as {
            proxy_auth(&mut connection.link, owner).await?;
        }
        let refused = attempt.record_success(mechanism);
        Ok(Session { refused, ..connection.enter(Some(mechanism)).await? })
    }

    /// Returns the mechanism that worked; `None` if the connection broke after a refusal, and another one may succeed.
    async fn try_methods(
        &mut self,
        credentials: &Credentials,
        attempt: &mut SignInAttempt,
        line: LineSecurity,
    ) -> Result<Option<&'static str>, Error> {
        let mut methods = choose(&self.link.state().capabilities, credentials, line);
        let is_ambiguous = methods.len() > 1 && methods.first().is_some_and(|method| !method.reveals);
        attempt.wait_for_turn(is_ambiguous, self.options.timeouts.greeting).await;
        let mut last = self.no_method(credentials, line);
        let mut refusals_here = 0;
        while let Some(method) = attempt.next(&mut methods, line) {
            let (name, reveals) = (method.name, method.reveals);
            match try_method(&mut self.link, method.exchange, credentials).await {
                Ok(Answer::SignedIn(note)) => {
                    self.link.state_mut().sign_in_note = note;
                    return Ok(Some(name));
                }
                Ok(Answer::Missing(error)) => {
                    attempt.add_missing(name);
                    last = error;
                }
                Ok(Answer::Refused(error)) => {
                    attempt.add_refusal(name, reveals, error.clone());
                    refusals_here += 1;
                    last = error;
                }
                Err(error) if refusals_here > 0 && is_hangup(&error) => return Ok(None),
                Err(error) => return Err(error),
            }
        }
        Err(Error { scope: Scope::Endpoint, retry: Retry::Never, kind: ErrorKind::Authentication, ..last })
    }

    fn no_method(&self, credentials: &Credentials, line: LineSecurity) -> Error {
        let offered: Vec<&str> = self.capabilities().mechanisms().collect();
        let offered = if offered.is_empty() { "none".to_owned() } else { offered.join(", ") };
        let mut words = format!("no sign-in method in common; the server's mechanisms: {offered}");
        if let Some(mechanism) = &credentials.mechanism {
            words = format!("{words}; requested: {mechanism}");
        }
        if self.capabilities().has("LOGINDISABLED") {
            words.push_str(match line {
                LineSecurity::Encrypted => "; the server has no LOGIN (LOGINDISABLED)",
                _ => "; the server takes no password without TLS (LOGINDISABLED)",
            });
        }
        Error::endpoint(ErrorKind::Authentication, words)
    }
}

/// True if the connection broke without a reason from the server.
fn is_hangup(error: &Error) -> bool {
    error.scope == Scope::Session && error.kind == ErrorKind::Connection
}
