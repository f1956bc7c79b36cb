//! The access to one mailbox on an IMAP server.

use mailhaul_engine::Side;
use mailhaul_imap::ConnectOptions;

use crate::login::Login;

/// How to reach one mailbox.
#[derive(Clone)]
pub struct Account {
    /// Which end it is.
    pub side: Side,
    /// The server.
    pub options: ConnectOptions,
    /// Who logs in.
    pub login: Login,
    /// The folder that is taken for the whole mailbox, in the form `a/b`, where it is not the login's own.
    pub user_root: Option<String>,
    /// What kind of server it is taken for; where there is none, it is known by what it says.
    pub profile: Option<String>,
}
