//! OAuth settings of an endpoint. Their secrets are in the vault.

use serde::{Deserialize, Serialize};

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct OAuth {
    /// Grant by which the token server issues tokens.
    pub grant: Grant,
    /// Token endpoint; empty if no server is asked.
    #[serde(default)]
    pub token_url: String,
    /// Device authorization endpoint (RFC 8628); empty if there is none.
    #[serde(default)]
    pub device_url: String,
    /// Application (client) id at the authorization server.
    #[serde(default)]
    pub client_id: String,
    /// Scope of the access token; empty for the server's default.
    #[serde(default)]
    pub scope: String,
    /// Microsoft tenant, by GUID or domain.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tenant: Option<String>,
}

/// Grant for access tokens. Each has one secret in the vault, named in its comment.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Grant {
    /// The application opens every mailbox (RFC 6749, section 4.4). Secret: its client secret.
    ClientSecret,
    /// The same, proved by a certificate (RFC 7523, section 2.2). Secret: its private key in PEM.
    ClientCertificate {
        /// In PEM.
        certificate: String,
    },
    /// Google service account in the name of each user (RFC 7523, section 2.1). Secret: its private
    /// key in PEM.
    ServiceAccount {
        /// Address of the service account.
        email: String,
        /// Id of its key.
        key_id: String,
    },
    /// A user signed in once (RFC 6749, section 6). Secret: the refresh token, or nothing before
    /// the first sign-in.
    RefreshToken {
        /// User who signed in, if the server named them.
        user: Option<String>,
    },
    /// Command that prints a token; `{user}` in its arguments is the mailbox. No secret.
    Command {
        /// Program and arguments.
        command: Vec<String>,
    },
    /// One token, for tests. Secret: the token.
    Token,
}

impl Grant {
    pub fn name(&self) -> &'static str {
        match self {
            Self::ClientSecret => "ClientSecret",
            Self::ClientCertificate { .. } => "ClientCertificate",
            Self::ServiceAccount { .. } => "ServiceAccount",
            Self::RefreshToken { .. } => "RefreshToken",
            Self::Command { .. } => "TokenCommand",
            Self::Token => "Token",
        }
    }
}
