//! Mailbox that an administrator sees among the folders of other users: Courier's `UserRoot`.

use mailhaul_imap::{Error, MailboxName, Session};

/// Mailbox within the folders of a login.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Root {
    /// Value in a CSV file: `/users/terry.adams`.
    pub(crate) path: String,
    /// Name on the server: `#shared.users.terry adams`.
    pub(crate) name: MailboxName,
    /// INBOX of the mailbox, usually the same folder.
    pub(crate) inbox: MailboxName,
    /// Separator of the folder names.
    pub(crate) delimiter: Option<char>,
}

impl Root {
    /// True if the folder belongs to this mailbox.
    pub(crate) fn holds(&self, name: &MailboxName) -> bool {
        let Some(rest) = name.as_wire().strip_prefix(self.name.as_wire()) else { return false };
        rest.is_empty() || self.delimiter.is_some_and(|it| rest.starts_with(it.to_string().as_bytes()))
    }
}

/// Finds the mailbox of this user.
///
/// # Errors
/// The error contains what was tried and what the administrator sees.
pub(crate) async fn find(session: &mut Session, user: &str) -> Result<Root, Error> {
    let path = format!("/users/{user}");
    let found = mailhaul_remotes::resolve_root(session, &path).await?;
    Ok(Root { path, name: found.name, inbox: found.inbox, delimiter: found.delimiter })
}
