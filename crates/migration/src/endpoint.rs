//! Migration endpoints: address, login and limits of a server.

use jiff::Timestamp;
use mailhaul_mail::Reach;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use strum::{Display, EnumString, VariantArray};
use uuid::Uuid;

use crate::{endpoint_limits::Rates, number_or_unlimited::Limit, oauth::OAuth};

/// Encryption of the connection. Exchange's names.
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

/// Default number of mailboxes in their first pass.
pub const DEFAULT_MAX_CONCURRENT_MIGRATIONS: Limit = Limit::At(20);
/// Default number of mailboxes in an incremental sync.
pub const DEFAULT_MAX_CONCURRENT_INCREMENTAL_SYNCS: Limit = Limit::At(10);

/// Form in which an administrator's login names the mailbox to open.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum AdminForm {
    /// Beside the login, as the SASL authorization identity.
    #[default]
    AuthorizationIdentity,
    /// Within the login, such as `{user}*{admin}`.
    Template(String),
    /// After the login, with PROXYAUTH.
    ProxyAuth,
}

impl AdminForm {
    const PROXY_AUTH: &str = "PROXYAUTH";

    /// Parses a setting: nothing, a template, or the word PROXYAUTH in any case.
    pub fn of_setting(setting: Option<String>) -> Self {
        match setting {
            None => Self::AuthorizationIdentity,
            Some(word) if word.eq_ignore_ascii_case(Self::PROXY_AUTH) => Self::ProxyAuth,
            Some(template) => Self::Template(template),
        }
    }

    /// Returns the form as a setting.
    pub fn setting(&self) -> Option<&str> {
        match self {
            Self::AuthorizationIdentity => None,
            Self::Template(template) => Some(template),
            Self::ProxyAuth => Some(Self::PROXY_AUTH),
        }
    }

    /// Builds the administrator's login for this user's mailbox.
    pub fn login(&self, admin: &str, user: &str) -> String {
        match self {
            Self::Template(template) => template.replace("{admin}", admin).replace("{user}", user),
            Self::AuthorizationIdentity | Self::ProxyAuth => admin.to_owned(),
        }
    }
}

/// Administrator for every mailbox of a server. The password is in the vault, under the endpoint's
/// GUID.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AdminAccess {
    pub user_name: String,
    pub form: AdminForm,
}

/// Login that opens the mailboxes of a server.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Access {
    /// Each user's own, with a password of the CSV file.
    #[default]
    Users,
    /// An administrator's, for users without a password.
    Admin(AdminAccess),
    /// An access token, for users without a password.
    OAuth(OAuth),
}

impl Access {
    /// True if mailboxes are opened without their users' passwords.
    pub fn opens_every_mailbox(&self) -> bool {
        *self != Self::Users
    }

    pub fn admin(&self) -> Option<&AdminAccess> {
        match self {
            Self::Admin(admin) => Some(admin),
            Self::Users | Self::OAuth(_) => None,
        }
    }

    pub fn oauth(&self) -> Option<&OAuth> {
        match self {
            Self::OAuth(oauth) => Some(oauth),
            Self::Users | Self::Admin(_) => None,
        }
    }
}

/// Type of an endpoint's service. Exchange's names.
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

/// Server that mail comes from or goes to. Passwords of users are stored with the users.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Endpoint {
    pub guid: Uuid,
    /// Unique without regard to case.
    pub name: String,
    pub endpoint_type: EndpointType,
    pub remote_server: String,
    pub port: u16,
    pub security: EndpointSecurity,
    /// True if any certificate is accepted.
    pub accept_untrusted_certificates: bool,
    /// PEM certificates of authorities, trusted instead of the system's.
    pub certificate_authorities: Option<String>,
    /// SHA-256 of the only accepted certificate.
    pub certificate_sha256: Option<[u8; 32]>,
    /// Maximum number of active mailboxes.
    pub max_concurrent_migrations: Limit,
    /// Maximum number of mailboxes in an incremental sync; never above `max_concurrent_migrations`.
    pub max_concurrent_incremental_syncs: Limit,
    /// Name of the server profile; `None` to detect it.
    pub server_profile: Option<String>,
    /// Only sign-in mechanism to use; `None` for the strongest that works.
    pub auth_mechanism: Option<String>,
    /// Addresses that its connections may go to.
    pub reach: Reach,
    pub rates: Rates,
    /// URL of the Gmail API, if messages are uploaded through it instead of APPEND.
    pub gmail_api: Option<String>,
    /// Login that opens the mailboxes.
    pub access: Access,
    pub created: Timestamp,
    pub modified: Timestamp,
}

impl Endpoint {
    /// Returns an endpoint that is not saved: its server with TLS on port 993, without limits, opened by the users.
    pub fn of_server(remote_server: String) -> Self {
        Self {
            guid: Uuid::nil(),
            name: remote_server.clone(),
            endpoint_type: EndpointType::Imap,
            remote_server,
            port: 993,
            security: EndpointSecurity::Ssl,
            accept_untrusted_certificates: false,
            certificate_authorities: None,
            certificate_sha256: None,
            max_concurrent_migrations: Limit::Unlimited,
            max_concurrent_incremental_syncs: Limit::Unlimited,
            server_profile: None,
            auth_mechanism: None,
            reach: Reach::default(),
            rates: Rates::default(),
            gmail_api: None,
            access: Access::Users,
            created: Timestamp::UNIX_EPOCH,
            modified: Timestamp::UNIX_EPOCH,
        }
    }
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
