//! A migration endpoint: how one server is reached, and how much it may be asked at once.

use jiff::Timestamp;
use mailhaul_mail::Reach;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use strum::{Display, EnumString, VariantArray};
use uuid::Uuid;

use crate::{limit::Limit, oauth::OAuth, rates::Rates};

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

/// How an administrator who logs in names the mailbox that is to be opened.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum AdminForm {
    /// Beside the login: the authorization identity.
    #[default]
    AuthorizationIdentity,
    /// Within the login, such as `{user}*{admin}`.
    Template(String),
    /// After the login: PROXYAUTH.
    ProxyAuth,
}

impl AdminForm {
    const PROXY_AUTH: &str = "PROXYAUTH";

    /// From a setting: nothing, a template, or the word PROXYAUTH in any case.
    pub fn of_setting(setting: Option<String>) -> Self {
        match setting {
            None => Self::AuthorizationIdentity,
            Some(word) if word.eq_ignore_ascii_case(Self::PROXY_AUTH) => Self::ProxyAuth,
            Some(template) => Self::Template(template),
        }
    }

    /// As a setting.
    pub fn setting(&self) -> Option<&str> {
        match self {
            Self::AuthorizationIdentity => None,
            Self::Template(template) => Some(template),
            Self::ProxyAuth => Some(Self::PROXY_AUTH),
        }
    }

    /// The login of this administrator for this user's mailbox.
    pub fn login(&self, admin: &str, user: &str) -> String {
        match self {
            Self::Template(template) => template.replace("{admin}", admin).replace("{user}", user),
            Self::AuthorizationIdentity | Self::ProxyAuth => admin.to_owned(),
        }
    }
}

/// One administrator for every mailbox of a server. The password is in the vault, under the endpoint's GUID.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AdminAccess {
    /// The administrator's login.
    pub user_name: String,
    /// How the mailbox is named.
    pub form: AdminForm,
}

/// Who opens the mailboxes of a server.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Access {
    /// Each user, with a password of the CSV file.
    #[default]
    Users,
    /// An administrator, where the user has no password.
    Admin(AdminAccess),
    /// Whoever has an access token, where the user has no password.
    OAuth(OAuth),
}

impl Access {
    /// Whether mailboxes are opened without passwords of their users.
    pub fn opens_every_mailbox(&self) -> bool {
        *self != Self::Users
    }

    /// The administrator, where there is one.
    pub fn admin(&self) -> Option<&AdminAccess> {
        match self {
            Self::Admin(admin) => Some(admin),
            Self::Users | Self::OAuth(_) => None,
        }
    }

    /// How tokens are come by, where they are.
    pub fn oauth(&self) -> Option<&OAuth> {
        match self {
            Self::OAuth(oauth) => Some(oauth),
            Self::Users | Self::Admin(_) => None,
        }
    }
}

/// What kind of service an endpoint is. Exchange's word.
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
pub enum EndpointType {
    /// Any IMAP server.
    #[default]
    #[serde(rename = "IMAP")]
    #[strum(serialize = "IMAP")]
    Imap,
    /// Exchange Online.
    Microsoft365,
    /// Gmail for organisations.
    GoogleWorkspace,
}

/// A server that mail comes from or goes to. By itself it holds no user's password: those are the users'.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Endpoint {
    /// Its number for ever.
    pub guid: Uuid,
    /// Its name, unique without regard to case.
    pub name: String,
    /// What kind of service it is.
    pub endpoint_type: EndpointType,
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
    /// The only sign-in mechanism; `None` for the strongest that works.
    pub auth_mechanism: Option<String>,
    /// To which addresses its connections may go.
    pub reach: Reach,
    /// How much it may be asked in a time.
    pub rates: Rates,
    /// The address of Gmail's API, where messages are uploaded by it and not by APPEND.
    pub gmail_api: Option<String>,
    /// Who opens the mailboxes.
    pub access: Access,
    /// When it was made.
    pub created: Timestamp,
    /// When it was changed last.
    pub modified: Timestamp,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_form_is_kept_as_a_setting() {
        let star = || Some("{user}*{admin}".to_owned());
        for (setting, form, login) in [
            (None, AdminForm::AuthorizationIdentity, "root"),
            (star(), AdminForm::Template("{user}*{admin}".to_owned()), "ann*root"),
            (Some("PROXYAUTH".to_owned()), AdminForm::ProxyAuth, "root"),
        ] {
            assert_eq!(AdminForm::of_setting(setting.clone()), form);
            assert_eq!(form.setting().map(str::to_owned), setting);
            assert_eq!(form.login("root", "ann"), login);
        }
        assert_eq!(AdminForm::of_setting(Some("ProxyAuth".to_owned())), AdminForm::ProxyAuth);
    }
}
