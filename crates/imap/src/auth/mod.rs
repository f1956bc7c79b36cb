//! Authentication (RFC 9051, sections 6.2.2 and 6.2.3): which mechanisms there are, and which to try.

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

/// What a [`Secret`] is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CredentialKind {
    /// A password, or what is used like one.
    Password,
    /// An OAuth 2.0 access token (RFC 6750).
    BearerToken,
}

/// How the owner of another mailbox is named.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum AuthorizeAs {
    /// By the authorization identity of SASL (RFC 4422, section 3.4.1).
    Identity(String),
    /// By PROXYAUTH after login, the command of Sun's and Oracle's servers, in no RFC.
    ProxyAuth(String),
}

impl AuthorizeAs {
    /// The mailbox's owner.
    pub fn owner(&self) -> &str {
        match self {
            Self::Identity(owner) | Self::ProxyAuth(owner) => owner,
        }
    }
}

/// Who logs in, and with what.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Credentials {
    /// Whose secret it is.
    pub user: String,
    /// Whose mailbox is to be opened, where that is another one.
    pub authorize_as: Option<AuthorizeAs>,
    /// Any octets.
    pub secret: Secret,
    /// What the secret is.
    pub kind: CredentialKind,
    /// The one mechanism to use, whatever the server offers. `LOGIN` also means the command.
    pub mechanism: Option<String>,
}

impl Credentials {
    /// A user with a password, by the strongest mechanism.
    pub fn password(user: impl Into<String>, secret: Secret) -> Self {
        Self {
            user: user.into(),
            authorize_as: None,
            secret,
            kind: CredentialKind::Password,
            mechanism: None,
        }
    }

    /// The owner of a mailbox, with an access token that opens it.
    pub fn bearer(owner: impl Into<String>, token: Secret) -> Self {
        Self { kind: CredentialKind::BearerToken, ..Self::password(owner, token) }
    }

    /// Whose mailbox is opened.
    pub fn owner(&self) -> &str {
        self.authorize_as.as_ref().map_or(&self.user, AuthorizeAs::owner)
    }

    /// The same with this mechanism alone, if they name none and it is one of their kind.
    pub(crate) fn by_mechanism(&self, name: Option<&str>) -> Self {
        let fits = |name: &&str| {
            MECHANISMS.iter().any(|entry| entry.kind == self.kind && entry.name.eq_ignore_ascii_case(name))
        };
        let named = self.mechanism.as_deref().or(name.filter(fits));
        Self { mechanism: named.map(str::to_owned), ..self.clone() }
    }

    /// Whom the mechanism has to name beside the user.
    fn identity(&self) -> Option<&str> {
        match &self.authorize_as {
            Some(AuthorizeAs::Identity(owner)) => Some(owner),
            Some(AuthorizeAs::ProxyAuth(_)) | None => None,
        }
    }

    /// The user of mechanisms that can say one name only: whose mailbox it is.
    fn only_name(&self) -> &str {
        self.identity().unwrap_or(&self.user)
    }
}

/// The client's side of a SASL exchange (RFC 4422). Base64 and the wire are the caller's matter.
pub(crate) trait Mechanism: Send {
    /// Its name on the wire.
    fn name(&self) -> &'static str;

    /// What is said first, for mechanisms in which the client begins.
    fn initial(&mut self) -> Option<Vec<u8>>;

    /// The answer to a challenge.
    fn respond(&mut self, challenge: &[u8]) -> Result<Vec<u8>, Error>;

    /// What the server said of its refusal before it says NO, where the mechanism has words for it.
    fn refusal(&self) -> Option<&str> {
        None
    }

    /// To be asked when the server says OK: an error where the server has not proved itself, as SCRAM demands.
    fn finish(&self) -> Result<(), Error> {
        Ok(())
    }
}

/// A way to sign in.
pub(crate) struct SignInMethod {
    /// The mechanism, or [`LOGIN_COMMAND`].
    pub(crate) name: &'static str,
    /// True if the server sees the password itself, and so can check it against any hash.
    pub(crate) reveals: bool,
    pub(crate) exchange: Exchange,
}

/// How a way to sign in is spoken.
pub(crate) enum Exchange {
    /// AUTHENTICATE.
    Sasl(Box<dyn Mechanism + Send>),
    /// LOGIN.
    LoginCommand,
}

/// The name of the way that is no mechanism.
pub(crate) const LOGIN_COMMAND: &str = "the command LOGIN";

/// One line of [`MECHANISMS`].
struct MechanismEntry {
    name: &'static str,
    kind: CredentialKind,
    /// Whether the secret itself is sent.
    reveals: bool,
    /// `None` where these credentials cannot be said in this mechanism.
    start: fn(&Credentials) -> Option<Box<dyn Mechanism + Send>>,
}

/// What there is, the strongest first. To add a mechanism: a file, and a line here.
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

/// The mechanism of this name, in its usual spelling.
pub fn mechanism(name: &str) -> Option<&'static str> {
    mechanism_names().into_iter().find(|known| known.eq_ignore_ascii_case(name))
}

/// All mechanisms, the strongest first: those of passwords before those of access tokens.
pub fn mechanism_names() -> Vec<&'static str> {
    MECHANISMS.iter().map(|entry| entry.name).collect()
}

/// The methods to sign in that both sides know, in order of preference; empty where there is none.
///
/// Under TLS, CRAM-MD5 comes last: it protects nothing there, it cannot name another mailbox, and servers offer it that
/// keep no password to check it with. Without TLS the password itself is offered last, and only if the operator chose an
/// unencrypted connection; a server that says LOGINDISABLED never sees it there.
pub(crate) fn choose(
    capabilities: &Capabilities,
    credentials: &Credentials,
    line: LineSecurity,
) -> Vec<SignInMethod> {
    let forced = credentials.mechanism.as_deref();
    let offers = |name: &str| capabilities.mechanisms().any(|offered| offered.eq_ignore_ascii_case(name));
    let wanted = |name: &str| match forced {
        // Both mean something when LOGIN is forced: the mechanism only where it is offered.
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

/// Whether others on the network path can read what is sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum LineSecurity {
    /// TLS.
    Encrypted,
    /// No TLS, and the operator chose so.
    ChosenClear,
    /// No TLS, though the operator asked for it. A safeguard: no connection gets so far.
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

/// A server that does not keep to the mechanism.
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
    fn an_open_line_does_not_carry_the_password_where_that_can_be_helped() {
        let both = "AUTH=PLAIN AUTH=CRAM-MD5";
        assert_eq!(names(both, &password(), true), ["CRAM-MD5", "PLAIN", LOGIN_COMMAND]);
        assert_eq!(names("AUTH=PLAIN", &password(), true), ["PLAIN", LOGIN_COMMAND]);
        // Without TLS, though it was asked for: never.
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
        // PROXYAUTH names it after login, which may be any.
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
