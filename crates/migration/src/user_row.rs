//! One mailbox that is to be migrated.

use mailhaul_mail::Secret;

/// A row of the CSV file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UserRow {
    /// Its row in the file; the header is row 1.
    pub row: usize,
    /// The target mailbox, as the administrator names it.
    pub email_address: String,
    /// The login at the source, in whatever form the source wants it.
    pub user_name: String,
    /// The password of that login; `None` where an administrator opens the mailbox.
    pub password: Option<Secret>,
    /// The folder at the source that becomes the root of the migration.
    pub user_root: Option<String>,
    /// The login at the target: the e-mail address where no other is given.
    pub target_user_name: String,
    /// The password at the target; `None` where it comes from elsewhere.
    pub target_password: Option<Secret>,
}
