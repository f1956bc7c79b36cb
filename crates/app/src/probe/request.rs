//! Request for a server test.

use mailhaul_imap::{ConnectOptions, Credentials};
use mailhaul_mail::Secret;
use mailhaul_migration::AdminForm;
use mailhaul_oauth::Tokens;
use mailhaul_operations::Steps;

use super::other_side::OtherSide;

/// Server, login and extent of a test.
pub(crate) struct ProbeRequest {
    pub(crate) options: ConnectOptions,
    /// Name of the tested endpoint, if there is one.
    pub(crate) endpoint: Option<String>,
    /// Server profile that the operator named.
    pub(crate) profile: Option<String>,
    pub(crate) login: Login,
    /// True for all steps and measurements; false for those that a migration needs to begin.
    pub(crate) is_thorough: bool,
    /// Maximum number of concurrent connections to try, if they are tested.
    pub(crate) connections: Option<u32>,
    /// Receives each step when it ends.
    pub(crate) steps: Steps,
}

impl ProbeRequest {
    /// Request that only connects and signs in.
    pub(crate) fn quick(options: ConnectOptions, login: Login) -> Self {
        Self {
            options,
            endpoint: None,
            profile: None,
            login,
            is_thorough: false,
            connections: None,
            steps: Steps::default(),
        }
    }
}

/// Login of a test.
pub(crate) enum Login {
    /// No sign-in.
    None,
    /// A user, into the user's own mailbox.
    User(Credentials),
    /// An administrator into a user's mailbox, by the form of the endpoint.
    KnownForm(Credentials),
    /// An administrator into a user's mailbox, by the first form that works.
    Administrator(Administrator),
    /// An access token, into the named mailbox or into none.
    Bearer(Bearer),
}

impl Login {
    /// Service that gets the access token.
    pub(crate) fn side(&self) -> Option<&OtherSide> {
        match self {
            Self::Bearer(bearer) => Some(&bearer.side),
            _ => None,
        }
    }
}

/// Administrator who opens the mailboxes of users.
pub(crate) struct Administrator {
    pub(crate) user_name: String,
    pub(crate) password: Secret,
    /// Mailbox to open: the user name of its owner.
    pub(crate) mailbox: String,
    /// Form of the endpoint. It is tried first.
    pub(crate) form: Option<AdminForm>,
}

/// Access token.
pub(crate) struct Bearer {
    /// Source of the token, or the reason why there is none.
    pub(crate) tokens: Result<Tokens, String>,
    /// Service that gets the token.
    pub(crate) side: OtherSide,
}
