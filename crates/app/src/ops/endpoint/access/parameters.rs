//! Groups of parameters that several requests flatten. Each field is the parameter of its name.
//!
//! A group must not flatten another one: serde would then refuse all its parameters as unknown.

use mailhaul_migration::EndpointType;
use mailhaul_operations::{Bytes, Credential, Failure, SecretText};
use schemars::JsonSchema;
use serde::Deserialize;

/// Parameters that decide who opens the mailboxes.
#[derive(Debug, Default)]
pub(crate) struct AccessParameters {
    pub(crate) credential: Option<Credential>,
    pub(crate) user_name_template: Option<String>,
    pub(crate) tokens: TokenParameters,
    pub(crate) saved: SavedTokenParameters,
}

/// Source of access tokens, for an endpoint or for a test.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct TokenParameters {
    /// Microsoft tenant, by GUID or domain.
    pub(crate) tenant_id: Option<String>,
    /// Application (client) id at the authorization server.
    ///
    /// For an endpoint without secret and certificate, a user signs in with `mailhaul login`.
    pub(crate) application_id: Option<String>,
    /// Secret of the application.
    pub(crate) client_secret: Option<SecretText>,
    /// PEM file with the application's certificate and private key.
    pub(crate) certificate_file: Option<Bytes>,
    /// JSON key file of a Google service account with domain-wide delegation.
    pub(crate) service_account_key_file_data: Option<Bytes>,
    /// One access token, for a test; used until it expires.
    pub(crate) access_token: Option<SecretText>,
    /// Authorization server [default of a new endpoint: the service's public one].
    ///
    /// Needed for national clouds.
    pub(crate) authority_url: Option<String>,
    /// Token endpoint [default: derived from AuthorityUrl].
    pub(crate) token_url: Option<String>,
    /// Scope of the access token [default of a new endpoint: what the service needs].
    pub(crate) scope: Option<String>,
}

/// Source of access tokens that only a saved endpoint can have.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct SavedTokenParameters {
    /// Refresh token of a user who signed in elsewhere.
    pub(crate) refresh_token: Option<SecretText>,
    /// Program (absolute path) and arguments; it prints an access token.
    ///
    /// {user} becomes the mailbox. Can be set only on the service's machine.
    pub(crate) token_command: Option<Vec<String>>,
    /// Device authorization endpoint [default: derived from AuthorityUrl].
    pub(crate) device_url: Option<String>,
}

/// Switches for the type of an endpoint.
#[derive(Clone, Copy, Debug, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "PascalCase")]
#[expect(clippy::struct_excessive_bools, reason = "each is a switch of the cmdlet")]
pub(crate) struct Kinds {
    /// Any IMAP server [default if no other type is given].
    #[serde(rename = "IMAP", default)]
    pub(crate) imap: bool,
    /// Exchange Online.
    ///
    /// Address, quirks and limits are preset; access tokens open the mailboxes.
    #[serde(rename = "Microsoft365", default)]
    pub(crate) microsoft_365: bool,
    /// Gmail of a Google Workspace organisation.
    ///
    /// Address, quirks and limits are preset; access tokens open the mailboxes.
    #[serde(default)]
    pub(crate) google_workspace: bool,
    /// The same as GoogleWorkspace (Exchange's name).
    #[serde(default)]
    pub(crate) gmail: bool,
}

impl AccessParameters {
    /// Names of the parameters that were given.
    pub(crate) fn given(&self) -> Vec<&'static str> {
        let logins = [
            ("Credential", self.credential.is_some()),
            ("UserNameTemplate", self.user_name_template.is_some()),
            ("RefreshToken", self.saved.refresh_token.is_some()),
            ("TokenCommand", self.saved.token_command.is_some()),
            ("DeviceUrl", self.saved.device_url.is_some()),
        ];
        names(logins).chain(self.tokens.given()).collect()
    }
}

impl TokenParameters {
    /// Names of the parameters that were given.
    pub(crate) fn given(&self) -> impl Iterator<Item = &'static str> {
        names([
            ("TenantId", self.tenant_id.is_some()),
            ("ApplicationId", self.application_id.is_some()),
            ("ClientSecret", self.client_secret.is_some()),
            ("CertificateFile", self.certificate_file.is_some()),
            ("ServiceAccountKeyFileData", self.service_account_key_file_data.is_some()),
            ("AccessToken", self.access_token.is_some()),
            ("AuthorityUrl", self.authority_url.is_some()),
            ("TokenUrl", self.token_url.is_some()),
            ("Scope", self.scope.is_some()),
        ])
    }
}

impl Kinds {
    /// Names of the switches that were given.
    pub(crate) fn given(self) -> impl Iterator<Item = &'static str> {
        names([
            ("IMAP", self.imap),
            ("Microsoft365", self.microsoft_365),
            ("GoogleWorkspace", self.google_workspace),
            ("Gmail", self.gmail),
        ])
    }

    /// Type of the endpoint: the only switch given, else IMAP.
    pub(crate) fn endpoint_type(self) -> Result<EndpointType, Failure> {
        let google = if self.google_workspace { "GoogleWorkspace" } else { "Gmail" };
        let given: Vec<(&str, EndpointType)> = [
            ("IMAP", self.imap, EndpointType::Imap),
            ("Microsoft365", self.microsoft_365, EndpointType::Microsoft365),
            (google, self.google_workspace || self.gmail, EndpointType::GoogleWorkspace),
        ]
        .into_iter()
        .filter_map(|(name, is_given, kind)| is_given.then_some((name, kind)))
        .collect();
        match given.as_slice() {
            [] => Ok(EndpointType::Imap),
            [(_, kind)] => Ok(*kind),
            [(one, _), (other, _), ..] => {
                Err(Failure::invalid(format_args!("either {one} or {other} can be given, not both")))
            }
        }
    }
}

/// Names of the parameters that are given.
pub(crate) fn names<const N: usize>(
    parameters: [(&'static str, bool); N],
) -> impl Iterator<Item = &'static str> {
    parameters.into_iter().filter(|(_, is_given)| *is_given).map(|(name, _)| name)
}
