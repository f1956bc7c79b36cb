//! PROXYAUTH: an administrator goes on as another user (Sun, Oracle and Netscape servers; in no RFC, and told by no
//! capability).

use mailhaul_mail::{Retry, Scope};

use crate::{
    driver::Link,
    encode::Command,
    error::{Error, ErrorKind},
};

/// From here on, the one who logged in is this user.
///
/// # Errors
/// A refusal says that the mailbox is not open to these credentials, unless it asks for patience.
pub(crate) async fn proxy_auth(link: &mut Link, user: &str) -> Result<(), Error> {
    // The other user may have other capabilities, and is not told unasked.
    link.state_mut().has_current_capabilities = false;
    let command = Command::new("PROXYAUTH").astring(user.as_bytes());
    link.execute("PROXYAUTH", &command).await.map(drop).map_err(|error| {
        if error.scope >= Scope::Session {
            return error;
        }
        Error { scope: Scope::Endpoint, retry: Retry::Never, kind: ErrorKind::Authentication, ..error }
    })
}
