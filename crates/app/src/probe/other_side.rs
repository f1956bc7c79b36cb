//! The service on the other side of an endpoint whose mailboxes are opened with access tokens: what is known of how it is set up,
//! without anything secret.

use mailhaul_migration::{Endpoint, EndpointType, Grant, OAuth};

/// What is known of the service, and of who is let in there.
#[derive(Clone, Debug)]
pub(crate) struct OtherSide {
    /// Which service.
    pub(crate) endpoint_type: EndpointType,
    /// The endpoint, where it is kept.
    pub(crate) endpoint: Option<String>,
    /// How tokens are come by.
    pub(crate) oauth: OAuth,
    /// The mailbox that is to be opened.
    pub(crate) mailbox: Option<String>,
    /// Whether messages go to Gmail by its API.
    pub(crate) by_gmail_api: bool,
}

impl OtherSide {
    /// That of this endpoint; `None` where no tokens are shown there.
    pub(crate) fn of(endpoint: &Endpoint, is_kept: bool, mailbox: Option<String>) -> Option<Self> {
        Some(Self {
            endpoint_type: endpoint.endpoint_type,
            endpoint: is_kept.then(|| endpoint.name.clone()),
            oauth: endpoint.access.oauth()?.clone(),
            mailbox,
            by_gmail_api: endpoint.gmail_api.is_some(),
        })
    }

    /// Whether an application opens mailboxes in its own name, and nobody signs in.
    pub(super) fn is_application(&self) -> bool {
        matches!(self.oauth.grant, Grant::ClientSecret | Grant::ClientCertificate { .. })
    }

    /// Whether a token opens one mailbox alone, so that without a mailbox there is none.
    pub(super) fn needs_mailbox(&self) -> bool {
        match &self.oauth.grant {
            Grant::ServiceAccount { .. } => true,
            Grant::Command { command } => command.iter().any(|it| it.contains("{user}")),
            _ => false,
        }
    }

    /// The mailbox, or what stands for it in a command.
    pub(super) fn mailbox(&self) -> &str {
        self.mailbox.as_deref().unwrap_or("<mailbox>")
    }

    /// The application, or what stands for it in a command.
    pub(super) fn application(&self) -> &str {
        if self.oauth.client_id.is_empty() { "<application id>" } else { &self.oauth.client_id }
    }
}
