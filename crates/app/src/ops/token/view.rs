//! View of a token for the HTTP interface.

use jiff::Timestamp;
use mailhaul_migration::Guid;
use mailhaul_store::ApiToken;
use schemars::JsonSchema;
use serde::Serialize;

/// Token for the HTTP interface. Its secret value is shown once, when the token is made.
#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct MigrationApiToken {
    /// Name, as shown in the audit log.
    identity: String,
    /// Permanent id.
    guid: Guid,
    /// Rights of the token's owner.
    role: String,
    /// Time of creation.
    creation_date_time: Timestamp,
    /// Time of the last use.
    last_used_date_time: Option<Timestamp>,
    /// Time from which the token is no longer accepted.
    revoked_date_time: Option<Timestamp>,
    /// Secret value, for `Authorization: Bearer`. It cannot be shown again.
    #[serde(skip_serializing_if = "Option::is_none")]
    token: Option<String>,
}

impl MigrationApiToken {
    pub(crate) fn new(token: ApiToken) -> Self {
        Self {
            identity: token.name,
            guid: token.guid,
            role: token.role,
            creation_date_time: token.created,
            last_used_date_time: token.last_used,
            revoked_date_time: token.revoked,
            token: None,
        }
    }

    /// With the secret value, for the caller that made the token.
    pub(crate) fn with_token(token: ApiToken, secret: &mailhaul_mail::Secret) -> Self {
        Self { token: Some(String::from_utf8_lossy(secret.expose()).into_owned()), ..Self::new(token) }
    }
}
