//! A mailbox that an administrator sees among others' folders: Courier's `UserRoot`.

use mailhaul_imap::{Error, MailboxName, Session};

/// A mailbox within a login's folders.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Root {
    /// As a CSV file has it: `/users/terry.adams`.
    pub(crate) path: String,
    /// As the server has it: `#shared.users.terry adams`.
    pub(crate) name: MailboxName,
    /// Its INBOX, as a rule the same.
    pub(crate) inbox: MailboxName,
    /// What separates levels there.
    pub(crate) delimiter: Option<char>,
}

impl Root {
    /// Whether the folder belongs to this mailbox.
    pub(crate) fn holds(&self, name: &MailboxName) -> bool {
        let Some(rest) = name.as_wire().strip_prefix(self.name.as_wire()) else { return false };
        rest.is_empty() || self.delimiter.is_some_and(|it| rest.starts_with(it.to_string().as_bytes()))
    }
}

/// Looks for this user's mailbox.
///
/// # Errors
/// Says what was tried and what the administrator sees.
pub(crate) async fn find(session: &mut Session, user: &str) -> Result<Root, Error> {
    let path = format!("/users/{user}");
    let found = mailhaul_remotes::resolve_root(session, &path).await?;
    Ok(Root { path, name: found.name, inbox: found.inbox, delimiter: found.delimiter })
}
