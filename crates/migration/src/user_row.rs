//! Row of the CSV file of users.

use mailhaul_mail::Secret;

/// Known columns, the required ones first. Names are exact.
pub const COLUMNS: [&str; 6] =
    ["EmailAddress", "UserName", "Password", "UserRoot", "TargetUserName", "TargetPassword"];

// Indexes of COLUMNS.
pub(crate) const EMAIL_ADDRESS: usize = 0;
pub(crate) const USER_NAME: usize = 1;
pub(crate) const TARGET_USER_NAME: usize = 4;
pub(crate) const PASSWORDS: [usize; 2] = [2, 5];

/// One mailbox to migrate.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UserRow {
    /// Row in the file; the header is row 1.
    pub row: usize,
    /// Target mailbox, as the administrator names it.
    pub email_address: String,
    /// Login at the source, in the form that the source accepts.
    pub user_name: String,
    /// Password of that login; `None` if an administrator opens the mailbox.
    pub password: Option<Secret>,
    /// Folder on the source that becomes the root of the migration.
    pub user_root: Option<String>,
    /// Login at the target; the e-mail address by default.
    pub target_user_name: String,
    /// Password at the target; `None` if the endpoint supplies it.
    pub target_password: Option<Secret>,
}
