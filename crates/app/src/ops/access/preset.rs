//! What is known of a service beforehand, so that nobody has to look it up.

use mailhaul_migration::{EndpointSecurity, EndpointType};

use super::way::Way;

/// What is known of a service.
#[derive(Debug)]
pub(crate) struct Preset {
    /// Which service.
    pub(crate) endpoint_type: EndpointType,
    /// The host of its IMAP server.
    pub(crate) remote_server: &'static str,
    /// The TCP port.
    pub(crate) port: u16,
    /// How the connection is secured.
    pub(crate) security: EndpointSecurity,
    /// The name of its profile.
    pub(crate) server_profile: &'static str,
    /// Its public authorization server.
    pub(super) authority: &'static str,
    /// The token endpoint behind the authority; `{tenant}` is the organisation.
    pub(super) token_path: &'static str,
    /// Where a device asks for a code (RFC 8628); empty where none may read mail.
    pub(super) device_path: &'static str,
    /// For what a token is to be good that opens every mailbox.
    pub(super) scope: &'static str,
    /// The same for the mailboxes of somebody who signs in.
    pub(super) delegated_scope: &'static str,
}

/// Where Gmail's API is.
pub(super) const GMAIL_API: &str = "https://gmail.googleapis.com";

/// Whoever signs in is of any organisation.
pub(super) const ANY_TENANT: &str = "common";

const PRESETS: [Preset; 2] = [
    Preset {
        endpoint_type: EndpointType::Microsoft365,
        remote_server: "outlook.office365.com",
        port: 993,
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
        port: 993,
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
    /// What is known of this service; nothing of any IMAP server.
    pub(crate) fn of(endpoint_type: EndpointType) -> Option<&'static Self> {
        PRESETS.iter().find(|it| it.endpoint_type == endpoint_type)
    }

    /// The token endpoint of this authority.
    pub(super) fn token_url(&self, authority: &str, tenant: &str) -> String {
        format!("{}{}", authority.trim_end_matches('/'), self.token_path.replace("{tenant}", tenant))
    }

    /// Where a device asks this authority for a code; empty where it cannot.
    pub(super) fn device_url(&self, authority: &str, tenant: &str) -> String {
        if self.device_path.is_empty() {
            return String::new();
        }
        format!("{}{}", authority.trim_end_matches('/'), self.device_path.replace("{tenant}", tenant))
    }

    /// For what a token of this way is to be good.
    pub(super) fn scope_of(&self, way: Way) -> &'static str {
        if way.is_delegated() { self.delegated_scope } else { self.scope }
    }

    /// The authority of a token endpoint that is where it is expected.
    pub(super) fn authority_of<'a>(&self, token_url: &'a str, tenant: &str) -> Option<&'a str> {
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
