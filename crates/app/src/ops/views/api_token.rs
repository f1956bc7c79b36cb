//! A token for the HTTP interface.

use jiff::Timestamp;
use mailhaul_migration::Guid;
use mailhaul_store::ApiToken;
use schemars::JsonSchema;
use serde::Serialize;

/// A token. What it is itself is shown once, when it is made.
#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct MigrationApiToken {
    /// Its name, as the audit log shows it.
    identity: String,
    /// Its number for ever.
    guid: Guid,
    /// What its owner may do.
    role: String,
    /// When it was made.
    creation_date_time: Timestamp,
    /// When it was used last.
    last_used_date_time: Option<Timestamp>,
    /// Since when it opens nothing any more.
    revoked_date_time: Option<Timestamp>,
    /// The token, for `Authorization: Bearer`. Nobody can show it again.
    #[serde(skip_serializing_if = "Option::is_none")]
    token: Option<String>,
}

impl MigrationApiToken {
    /// As it is kept.
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

    /// As it is shown to whoever made it.
    pub(crate) fn with_token(token: ApiToken, secret: &mailhaul_mail::Secret) -> Self {
        Self { token: Some(String::from_utf8_lossy(secret.expose()).into_owned()), ..Self::new(token) }
    }
}
