//! Presets of known services.

use mailhaul_migration::{EndpointSecurity, EndpointType};

use super::access_method::AccessMethod;

#[derive(Debug)]
pub(crate) struct Preset {
    pub(crate) endpoint_type: EndpointType,
    /// Host of its IMAP server.
    pub(crate) remote_server: &'static str,
    /// Encryption of the connection.
    pub(crate) security: EndpointSecurity,
    /// Name of its server profile.
    pub(crate) server_profile: &'static str,
    /// Its public authorization server.
    pub(crate) authority: &'static str,
    /// Token endpoint below the authority; `{tenant}` is the organisation.
    pub(crate) token_path: &'static str,
    /// Device authorization endpoint (RFC 8628); empty if the service grants no mail scope to
    /// devices.
    pub(crate) device_path: &'static str,
    /// Scope of a token that opens every mailbox.
    pub(crate) scope: &'static str,
    /// Scope of a token for the mailboxes of a user who signs in.
    pub(crate) delegated_scope: &'static str,
}

/// Google's public address of the Gmail API.
pub(crate) const GMAIL_API: &str = "https://gmail.googleapis.com";

/// Tenant for users of any organisation.
pub(crate) const ANY_TENANT: &str = "common";

const PRESETS: [Preset; 2] = [
    Preset {
        endpoint_type: EndpointType::Microsoft365,
        remote_server: "outlook.office365.com",
        security: EndpointSecurity::Ssl,
        server_profile: "Microsoft 365",
        authority: "https://login.microsoftonline.com",
        token_path: "/{tenant}/oauth2/v2.0/token",
        device_path: "/{tenant}/oauth2/v2.0/devicecode",
        scope: "https://outlook.office365.com/.default",
        delegated_scope: "https://outlook.office.com/IMAP.AccessAsUser.All offline_access",
    },
    Preset {
        endpoint_type: EndpointType::GoogleWorkspace,
        remote_server: "imap.gmail.com",
        security: EndpointSecurity::Ssl,
        server_profile: "Gmail",
        authority: "https://oauth2.googleapis.com",
        token_path: "/token",
        // Google gives devices no scope that reads mail.
        device_path: "",
        scope: "https://mail.google.com/",
        delegated_scope: "https://mail.google.com/",
    },
];

impl Preset {
    /// Preset of this service; `None` for any IMAP server.
    pub(crate) fn of(endpoint_type: EndpointType) -> Option<&'static Self> {
        PRESETS.iter().find(|it| it.endpoint_type == endpoint_type)
    }

    /// Token endpoint of this authority.
    pub(crate) fn token_url(&self, authority: &str, tenant: &str) -> String {
        format!("{}{}", authority.trim_end_matches('/'), self.token_path.replace("{tenant}", tenant))
    }

    /// Device authorization endpoint of this authority; empty if it has none.
    pub(crate) fn device_url(&self, authority: &str, tenant: &str) -> String {
        if self.device_path.is_empty() {
            return String::new();
        }
        format!("{}{}", authority.trim_end_matches('/'), self.device_path.replace("{tenant}", tenant))
    }

    /// Scope of a token for this access method.
    pub(crate) fn scope_of(&self, method: AccessMethod) -> &'static str {
        if method.is_delegated() { self.delegated_scope } else { self.scope }
    }

    /// Authority of a token endpoint with the usual path.
    pub(crate) fn authority_of<'a>(&self, token_url: &'a str, tenant: &str) -> Option<&'a str> {
        token_url.strip_suffix(&self.token_path.replace("{tenant}", tenant))
    }
}

#[cfg(test)]
mod tests {
    use mailhaul_oauth::TokenUrl;
    use mailhaul_remotes::Profiles;

    use super::*;

    #[test]
    fn what_is_known_holds_together() {
        for preset in &PRESETS {
            assert!(Profiles::built_in().find(preset.server_profile).is_some(), "{preset:?}");
            let url = preset.token_url(preset.authority, "contoso.com");
            assert!(TokenUrl::parse(&url).is_ok() && !url.contains('{'), "{url}");
            assert_eq!(preset.authority_of(&url, "contoso.com"), Some(preset.authority));
        }
        let microsoft = Preset::of(EndpointType::Microsoft365).unwrap();
        assert_eq!(
            microsoft.token_url("https://login.microsoftonline.us/", "t"),
            "https://login.microsoftonline.us/t/oauth2/v2.0/token"
        );
        assert_eq!(microsoft.device_url("http://[::1]:1", "t"), "http://[::1]:1/t/oauth2/v2.0/devicecode");
        assert_eq!(microsoft.authority_of("https://a.example/token", "t"), None);
        assert!(Preset::of(EndpointType::Imap).is_none());
    }
}
