//! GETQUOTAROOT (RFC 9208).

use mailhaul_mail::Scope;

use crate::{
    encode::Command,
    error::Error,
    mailbox_name::MailboxName,
    response::{QuotaResource, Untagged},
    session::Session,
};

/// Maximum number of quota roots of a mailbox.
const MAX_QUOTAS: usize = 256;

/// Usage and limits of one quota root.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Quota {
    /// Name of the root; empty, or for display.
    pub root: String,
    /// Usage and limits.
    pub resources: Vec<QuotaResource>,
}

impl Session {
    /// Returns the quotas of a mailbox. Empty if the server has none.
    pub async fn quota_root(&mut self, name: &MailboxName) -> Result<Vec<Quota>, Error> {
        if !self.link.has("QUOTA") {
            return Ok(Vec::new());
        }
        let mut quotas = Vec::new();
        let collect = |untagged| {
            if let Untagged::Quota { root, resources } = untagged
                && quotas.len() < MAX_QUOTAS
            {
                quotas.push(Quota { root, resources });
            }
        };
        let outcome =
            self.link.run("GETQUOTAROOT", &Command::new("GETQUOTAROOT").mailbox(name), collect).await;
        outcome.map_err(|error| error.at_least(Scope::Folder))?;
        Ok(quotas)
    }
}
