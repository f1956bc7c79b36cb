//! A migration endpoint: how one server is reached, and how much it may be asked at once.

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use strum::{Display, EnumString, VariantArray};
use uuid::Uuid;

use crate::{limit::Limit, rates::Rates};

/// How the connection is secured. Exchange's names.
#[derive(
    Clone,
    Copy,
    Debug,
    Default,
    PartialEq,
    Eq,
    Display,
    EnumString,
    VariantArray,
    Serialize,
    Deserialize,
    JsonSchema,
)]
#[strum(ascii_case_insensitive)]
pub enum EndpointSecurity {
    /// Clear text.
    None,
    /// TLS from the start (usually port 993).
    #[default]
    Ssl,
    /// STARTTLS, required (usually port 143).
    Tls,
}

/// Mailboxes in their first pass at once, where nobody says otherwise.
pub const DEFAULT_MAX_CONCURRENT_MIGRATIONS: Limit = Limit::At(20);
/// Mailboxes in a later pass at once, where nobody says otherwise.
pub const DEFAULT_MAX_CONCURRENT_INCREMENTAL_SYNCS: Limit = Limit::At(10);

/// One administrator for every mailbox of a server. The password is in the vault, under the endpoint's GUID.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AdminAccess {
    /// The administrator's login.
    pub user_name: String,
    /// How the login names the mailbox: `None` for the SASL authorization identity, else a form such as
    /// `{user}*{admin}`.
    pub template: Option<String>,
}

/// A server that mail comes from or goes to. By itself it holds no user's password: those are the users'.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Endpoint {
    /// Its number for ever.
    pub guid: Uuid,
    /// Its name, unique without regard to case.
    pub name: String,
    /// The host.
    pub remote_server: String,
    /// The TCP port.
    pub port: u16,
    /// How the connection is secured.
    pub security: EndpointSecurity,
    /// Whether any certificate is taken.
    pub accept_untrusted_certificates: bool,
    /// Trusted certificates in PEM, in place of the system's.
    pub certificate_authorities: Option<String>,
    /// The SHA-256 of the only certificate that is taken.
    pub certificate_sha256: Option<[u8; 32]>,
    /// Mailboxes under way at once.
    pub max_concurrent_migrations: Limit,
    /// Of these, mailboxes in a later pass; never more.
    pub max_concurrent_incremental_syncs: Limit,
    /// The name of the server's profile; `None` where it is recognised by what the server says.
    pub server_profile: Option<String>,
    /// How much it may be asked in a time.
    pub rates: Rates,
    /// One login for all mailboxes, where there is one.
    pub admin: Option<AdminAccess>,
    /// When it was made.
    pub created: Timestamp,
    /// When it was changed last.
    pub modified: Timestamp,
}

impl AdminAccess {
    /// The login that opens this user's mailbox, by the template; `None` where the authorization identity does it.
    pub fn login(&self, user: &str) -> Option<String> {
        let template = self.template.as_ref()?;
        Some(template.replace("{admin}", &self.user_name).replace("{user}", user))
    }
}
