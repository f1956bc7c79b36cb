//! PROXYAUTH: an administrator becomes another user. For Sun, Oracle and Netscape servers; in no RFC, without capability.

use mailhaul_mail::{Retry, Scope};

use crate::{
    driver::Link,
    encode::Command,
    error::{Error, ErrorKind},
};

/// Continues the session as this user.
///
/// # Errors
/// A refusal means that the credentials give no access to the mailbox, unless it asks for a delay.
pub(crate) async fn proxy_auth(link: &mut Link, user: &str) -> Result<(), Error> {
    // The other user may have other capabilities, and the server does not send them unasked.
    link.state_mut().has_current_capabilities = false;
    let command = Command::new("PROXYAUTH").astring(user.as_bytes());
    link.execute("PROXYAUTH", &command).await.map(drop).map_err(|error| {
        if error.scope >= Scope::Session {
            return error;
        }
        Error { scope: Scope::Endpoint, retry: Retry::Never, kind: ErrorKind::Authentication, ..error }
    })
}
