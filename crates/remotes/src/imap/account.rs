//! Access to one mailbox on an IMAP server.

use mailhaul_engine::Side;
use mailhaul_imap::ConnectOptions;

use crate::login::Login;

#[derive(Clone)]
pub struct Account {
    pub side: Side,
    pub options: ConnectOptions,
    pub login: Login,
    /// The folder that counts as the whole mailbox, as `a/b`, if it is not the login's own mailbox.
    pub user_root: Option<String>,
    /// The operator's choice of a server profile. Without it the profile is detected.
    pub profile: Option<String>,
}
