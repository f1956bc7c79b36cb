//! Authentication (RFC 9051, sections 6.2.2 and 6.2.3): the table of mechanisms, and their order.

mod bearer;
mod cram_md5;
mod login;
mod memory;
mod oauthbearer;
mod order;
mod plain;
mod refusal;
mod scram;
mod xoauth2;

use mailhaul_mail::Secret;

use crate::{
    capability::Capabilities,
    error::{Error, ErrorKind},
    security::Security,
};

pub(crate) use memory::SignInAttempt;
pub use memory::SignInMemory;
pub use refusal::SignInRefusal;
pub(crate) use refusal::{Answer, judge};

/// Kind of a [`Secret`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CredentialKind {
    /// A password, or a secret that is used like one.
    Password,
    /// An OAuth 2.0 access token (RFC 6750).
    BearerToken,
}

/// Command or field that names the owner of another mailbox.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum AuthorizeAs {
    /// The authorization identity of SASL (RFC 4422, section 3.4.1).
    Identity(String),
    /// PROXYAUTH after sign-in: a command of Sun's and Oracle's servers, in no RFC.
    ProxyAuth(String),
}

impl AuthorizeAs {
    /// Owner of the mailbox.
    pub fn owner(&self) -> &str {
        match self {
            Self::Identity(owner) | Self::ProxyAuth(owner) => owner,
        }
    }
}

/// User and secret of a sign-in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Credentials {
    /// Owner of the secret.
    pub user: String,
    /// Owner of the mailbox, if that is another user.
    pub authorize_as: Option<AuthorizeAs>,
    /// Password or token; any bytes.
    pub secret: Secret,
    /// Kind of the secret.
    pub kind: CredentialKind,
    /// The only mechanism to use, even if the server does not offer it. `LOGIN` also means the command.
    pub mechanism: Option<String>,
}

impl Credentials {
    /// Returns credentials with a password, for the strongest mechanism.
    pub fn password(user: impl Into<String>, secret: Secret) -> Self {
        Self {
            user: user.into(),
            authorize_as: None,
            secret,
            kind: CredentialKind::Password,
            mechanism: None,
        }
    }

    /// Returns credentials of a mailbox's owner with an access token.
    pub fn bearer(owner: impl Into<String>, token: Secret) -> Self {
        Self { kind: CredentialKind::BearerToken, ..Self::password(owner, token) }
    }

    /// Owner of the mailbox that is opened.
    pub fn owner(&self) -> &str {
        self.authorize_as.as_ref().map_or(&self.user, AuthorizeAs::owner)
    }

    /// Returns the credentials with this mechanism, if they name none and it is of their kind.
    pub(crate) fn by_mechanism(&self, name: Option<&str>) -> Self {
        let fits = |name: &&str| {
            MECHANISMS.iter().any(|entry| entry.kind == self.kind && entry.name.eq_ignore_ascii_case(name))
        };
        let named = self.mechanism.as_deref().or(name.filter(fits));
        Self { mechanism: named.map(str::to_owned), ..self.clone() }
    }

    /// Authorization identity that the mechanism must send beside the user.
    fn identity(&self) -> Option<&str> {
        match &self.authorize_as {
            Some(AuthorizeAs::Identity(owner)) => Some(owner),
            Some(AuthorizeAs::ProxyAuth(_)) | None => None,
        }
    }

    /// User name for mechanisms with one name only: the owner of the mailbox.
    fn only_name(&self) -> &str {
        self.identity().unwrap_or(&self.user)
    }
}

/// Client side of a SASL exchange (RFC 4422). The caller does base64 and sends the messages.
pub(crate) trait Mechanism: Send {
    /// Name of the mechanism on the wire.
    fn name(&self) -> &'static str;

    /// First message, for mechanisms in which the client begins.
    fn initial(&mut self) -> Option<Vec<u8>>;

    /// Returns the answer to a challenge.
    fn respond(&mut self, challenge: &[u8]) -> Result<Vec<u8>, Error>;

    /// Reason that the server sent before its NO, if the mechanism has a field for it.
    fn refusal(&self) -> Option<&str> {
        None
    }

    /// Called at the server's OK. Returns an error if the server has not proved that it knows the password (SCRAM).
    fn finish(&self) -> Result<(), Error> {
        Ok(())
    }
}

/// Method of signing in.
pub(crate) struct SignInMethod {
    /// The mechanism, or [`LOGIN_COMMAND`].
    pub(crate) name: &'static str,
    /// True if the server receives the password itself. It can then check it against any hash.
    pub(crate) reveals: bool,
    pub(crate) exchange: Exchange,
}

/// Command of a method.
pub(crate) enum Exchange {
    /// AUTHENTICATE.
    Sasl(Box<dyn Mechanism + Send>),
    /// LOGIN.
    LoginCommand,
}

/// Name of the method that is no SASL mechanism.
pub(crate) const LOGIN_COMMAND: &str = "the command LOGIN";

/// Line of [`MECHANISMS`].
struct MechanismEntry {
    name: &'static str,
    kind: CredentialKind,
    /// True if the secret itself is sent.
    reveals: bool,
    /// Returns `None` if the mechanism cannot express the credentials.
    start: fn(&Credentials) -> Option<Box<dyn Mechanism + Send>>,
}

/// All mechanisms, the strongest first. A new mechanism is a file, and a line here.
const MECHANISMS: &[MechanismEntry] = &[
    MechanismEntry {
        name: scram::SHA_256,
        kind: CredentialKind::Password,
        reveals: false,
        start: scram::sha_256,
    },
    MechanismEntry {
        name: scram::SHA_1,
        kind: CredentialKind::Password,
        reveals: false,
        start: scram::sha_1,
    },
    MechanismEntry {
        name: cram_md5::NAME,
        kind: CredentialKind::Password,
        reveals: false,
        start: cram_md5::start,
    },
    MechanismEntry { name: plain::NAME, kind: CredentialKind::Password, reveals: true, start: plain::start },
    MechanismEntry { name: login::NAME, kind: CredentialKind::Password, reveals: true, start: login::start },
    MechanismEntry {
        name: oauthbearer::NAME,
        kind: CredentialKind::BearerToken,
        reveals: true,
        start: oauthbearer::start,
    },
    MechanismEntry {
        name: xoauth2::NAME,
        kind: CredentialKind::BearerToken,
        reveals: true,
        start: xoauth2::start,
    },
];

/// Returns the usual spelling of a mechanism's name, if the mechanism is known.
pub fn mechanism(name: &str) -> Option<&'static str> {
    mechanism_names().into_iter().find(|known| known.eq_ignore_ascii_case(name))
}

/// Names of all mechanisms, the strongest first, those for passwords before those for access tokens.
pub fn mechanism_names() -> Vec<&'static str> {
    MECHANISMS.iter().map(|entry| entry.name).collect()
}

/// Returns the methods that client and server have in common, in order of preference.
///
/// With TLS, CRAM-MD5 is last. It protects nothing there and cannot name another mailbox. Some servers offer it without a
/// stored password to check it with.
///
/// Without TLS, the password itself is last, and only if the operator chose an unencrypted connection. A server with
/// LOGINDISABLED never receives it there.
pub(crate) fn choose(
    capabilities: &Capabilities,
    credentials: &Credentials,
    line: LineSecurity,
) -> Vec<SignInMethod> {
    let forced = credentials.mechanism.as_deref();
    let offers = |name: &str| capabilities.mechanisms().any(|offered| offered.eq_ignore_ascii_case(name));
    let wanted = |name: &str| match forced {
        // LOGIN is the command, and also the mechanism if the server offers it.
        Some(only) => only.eq_ignore_ascii_case(name) && (name != login::NAME || offers(name)),
        None => offers(name),
    };
    let start = |entry: &MechanismEntry| {
        let exchange = Exchange::Sasl((entry.start)(credentials)?);
        Some(SignInMethod { name: entry.name, reveals: entry.reveals, exchange })
    };
    let entries = MECHANISMS.iter().filter(|entry| entry.kind == credentials.kind && wanted(entry.name));
    let mut methods: Vec<SignInMethod> = entries.filter_map(start).collect();
    if line == LineSecurity::Encrypted {
        methods.sort_by_key(|method| method.name == cram_md5::NAME);
    }
    let takes_login_command = credentials.kind == CredentialKind::Password
        && credentials.identity().is_none()
        && forced.is_none_or(|only| only.eq_ignore_ascii_case(login::NAME))
        && !capabilities.has("LOGINDISABLED");
    if takes_login_command {
        methods.push(SignInMethod { name: LOGIN_COMMAND, reveals: true, exchange: Exchange::LoginCommand });
    }
    match line {
        LineSecurity::Encrypted => {}
        LineSecurity::ChosenClear if !capabilities.has("LOGINDISABLED") => {
            methods.sort_by_key(|method| method.reveals);
        }
        LineSecurity::ChosenClear | LineSecurity::Clear => methods.retain(|method| !method.reveals),
    }
    methods
}

/// Encryption of the connection over which credentials are sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum LineSecurity {
    /// TLS.
    Encrypted,
    /// No TLS, as the operator chose.
    ChosenClear,
    /// No TLS, although the operator required it. A safeguard: connecting fails before.
    Clear,
}

impl LineSecurity {
    pub(crate) fn new(is_tls: bool, chosen: Security) -> Self {
        match (is_tls, chosen) {
            (true, _) => Self::Encrypted,
            (false, Security::Clear) => Self::ChosenClear,
            (false, Security::Implicit | Security::StartTls) => Self::Clear,
        }
    }
}

/// Error of a server that violates the mechanism.
fn unexpected(name: &str, what: &str) -> Error {
    Error::session(ErrorKind::Protocol, format!("{name}: {what}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn password() -> Credentials {
        Credentials {
            user: "tim".to_owned(),
            authorize_as: None,
            secret: Secret::new("tanstaaftanstaaf"),
            kind: CredentialKind::Password,
            mechanism: None,
        }
    }

    fn names(words: &str, credentials: &Credentials, clear_text: bool) -> Vec<&'static str> {
        let line = if clear_text { LineSecurity::ChosenClear } else { LineSecurity::Encrypted };
        names_on(words, credentials, line)
    }

    fn names_on(words: &str, credentials: &Credentials, line: LineSecurity) -> Vec<&'static str> {
        let methods = choose(&Capabilities::new(words.split(' ')), credentials, line);
        for method in &methods {
            if let Exchange::Sasl(mechanism) = &method.exchange {
                assert_eq!(mechanism.name(), method.name);
            }
        }
        methods.iter().map(|method| method.name).collect()
    }

    #[test]
    fn the_strongest_that_is_offered_comes_first() {
        let all = "AUTH=LOGIN AUTH=PLAIN AUTH=cram-md5 AUTH=SCRAM-SHA-1 AUTH=SCRAM-SHA-256 AUTH=XOAUTH2";
        assert_eq!(
            names(all, &password(), false),
            ["SCRAM-SHA-256", "SCRAM-SHA-1", "PLAIN", "LOGIN", "CRAM-MD5", LOGIN_COMMAND]
        );
        assert_eq!(names("IMAP4rev1", &password(), false), [LOGIN_COMMAND]);
    }

    #[test]
    fn without_tls_the_password_is_sent_last_or_never() {
        let both = "AUTH=PLAIN AUTH=CRAM-MD5";
        assert_eq!(names(both, &password(), true), ["CRAM-MD5", "PLAIN", LOGIN_COMMAND]);
        assert_eq!(names("AUTH=PLAIN", &password(), true), ["PLAIN", LOGIN_COMMAND]);
        // Never sent without TLS if the operator required TLS.
        assert_eq!(names_on(both, &password(), LineSecurity::Clear), ["CRAM-MD5"]);
        assert!(names_on("AUTH=PLAIN", &password(), LineSecurity::Clear).is_empty());
    }

    #[test]
    fn logindisabled_is_respected() {
        assert!(names("IMAP4rev1 LOGINDISABLED", &password(), false).is_empty());
        let forced = Credentials { mechanism: Some("login".to_owned()), ..password() };
        assert!(names("LOGINDISABLED", &forced, false).is_empty());
        assert!(names("AUTH=PLAIN LOGINDISABLED", &password(), true).is_empty());
        assert_eq!(names("AUTH=PLAIN AUTH=CRAM-MD5 LOGINDISABLED", &password(), true), ["CRAM-MD5"]);
    }

    #[test]
    fn a_forced_mechanism_stands_alone() {
        let forced = |name: &str| Credentials { mechanism: Some(name.to_owned()), ..password() };
        assert_eq!(names("AUTH=SCRAM-SHA-256", &forced("plain"), false), ["PLAIN"]);
        assert_eq!(names("AUTH=LOGIN AUTH=PLAIN", &forced("LOGIN"), false), ["LOGIN", LOGIN_COMMAND]);
        assert_eq!(names("AUTH=PLAIN", &forced("LOGIN"), false), [LOGIN_COMMAND]);
        assert!(names("AUTH=PLAIN", &forced("GSSAPI"), false).is_empty());
    }

    #[test]
    fn another_mailbox_needs_a_mechanism_that_can_name_it() {
        let alice = || "alice".to_owned();
        let admin = Credentials { authorize_as: Some(AuthorizeAs::Identity(alice())), ..password() };
        assert_eq!(names("AUTH=PLAIN AUTH=LOGIN AUTH=CRAM-MD5", &admin, false), ["PLAIN"]);
        // PROXYAUTH names the mailbox after sign-in, so every mechanism is allowed.
        let proxy = Credentials { authorize_as: Some(AuthorizeAs::ProxyAuth(alice())), ..password() };
        assert_eq!(names("AUTH=LOGIN", &proxy, false), ["LOGIN", LOGIN_COMMAND]);
        assert_eq!((proxy.owner(), proxy.only_name()), ("alice", "tim"));
    }

    #[test]
    fn a_token_is_not_a_password() {
        let token = Credentials { kind: CredentialKind::BearerToken, ..password() };
        assert_eq!(
            names("AUTH=PLAIN AUTH=XOAUTH2 AUTH=OAUTHBEARER", &token, false),
            ["OAUTHBEARER", "XOAUTH2"]
        );
        assert!(names("AUTH=PLAIN", &token, false).is_empty());
    }

    #[test]
    fn a_password_with_a_nul_goes_where_it_can() {
        let odd = Credentials { secret: Secret::new(*b"a\0b"), ..password() };
        assert_eq!(names("AUTH=PLAIN AUTH=LOGIN", &odd, false), ["LOGIN", LOGIN_COMMAND]);
    }
}
