//! Service whose mailboxes are opened with access tokens: its settings, without secrets.

use mailhaul_migration::{Endpoint, EndpointType, Grant, OAuth};

/// Settings of the service and the sign-in.
#[derive(Clone, Debug)]
pub(crate) struct OtherSide {
    pub(crate) endpoint_type: EndpointType,
    /// Name of the endpoint, if it is saved.
    pub(crate) endpoint: Option<String>,
    /// Source of the tokens.
    pub(crate) oauth: OAuth,
    /// Mailbox to open.
    pub(crate) mailbox: Option<String>,
    /// True if messages are uploaded by Gmail's API.
    pub(crate) by_gmail_api: bool,
}

impl OtherSide {
    /// Returns the service of this endpoint; `None` if it uses no tokens.
    pub(crate) fn from_endpoint(
        endpoint: &Endpoint,
        is_saved: bool,
        mailbox: Option<String>,
    ) -> Option<Self> {
        Some(Self {
            endpoint_type: endpoint.endpoint_type,
            endpoint: is_saved.then(|| endpoint.name.clone()),
            oauth: endpoint.access.oauth()?.clone(),
            mailbox,
            by_gmail_api: endpoint.gmail_api.is_some(),
        })
    }

    /// True if an application opens mailboxes in its own name, without a user's sign-in.
    pub(super) fn is_application(&self) -> bool {
        matches!(self.oauth.grant, Grant::ClientSecret | Grant::ClientCertificate { .. })
    }

    /// True if each mailbox needs its own token, so that there is none without a mailbox.
    pub(super) fn needs_mailbox(&self) -> bool {
        match &self.oauth.grant {
            Grant::ServiceAccount { .. } => true,
            Grant::Command { command } => command.iter().any(|it| it.contains("{user}")),
            _ => false,
        }
    }

    /// Returns the mailbox, or a placeholder for commands.
    pub(super) fn mailbox(&self) -> &str {
        self.mailbox.as_deref().unwrap_or("<mailbox>")
    }

    /// Returns the application id, or a placeholder for commands.
    pub(super) fn application(&self) -> &str {
        if self.oauth.client_id.is_empty() { "<application id>" } else { &self.oauth.client_id }
    }
}
