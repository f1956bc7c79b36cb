//! How access tokens for the mailboxes of an endpoint are come by. What is secret of it is in the vault.

use serde::{Deserialize, Serialize};

/// How access tokens are come by.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct OAuth {
    /// On what grounds the token server gives them.
    pub grant: Grant,
    /// The token endpoint; empty where no server is asked.
    #[serde(default)]
    pub token_url: String,
    /// Where a device asks for a code (RFC 8628); empty where it cannot.
    #[serde(default)]
    pub device_url: String,
    /// The application, as the authorization server knows it.
    #[serde(default)]
    pub client_id: String,
    /// For what a token is to be good; empty where the server knows.
    #[serde(default)]
    pub scope: String,
    /// The organisation at Microsoft, by GUID or domain.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tenant: Option<String>,
}

/// On what grounds a token is given. Each has one secret in the vault, named in its comment.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Grant {
    /// The application itself opens every mailbox (RFC 6749, section 4.4): its client secret.
    ClientSecret,
    /// The same, proved by a certificate (RFC 7523, section 2.2): its private key in PEM.
    ClientCertificate {
        /// The certificate in PEM.
        certificate: String,
    },
    /// A service account of Google in the name of each user (RFC 7523, section 2.1): its private key in PEM.
    ServiceAccount {
        /// Its address.
        email: String,
        /// The number of its key.
        key_id: String,
    },
    /// Somebody signed in once (RFC 6749, section 6): the refresh token, or nothing before that.
    RefreshToken {
        /// Who signed in, where the server said so.
        user: Option<String>,
    },
    /// A command prints a token; `{user}` in its arguments is the mailbox. No secret.
    Command {
        /// Program and arguments.
        command: Vec<String>,
    },
    /// One token, for tests: itself.
    Token,
}

impl Grant {
    /// What it is called.
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
