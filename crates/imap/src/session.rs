//! A connection on which somebody logged in.

use crate::{
    capability::Capabilities, driver::Link, error::Error, limits::ResponseLimits, response::StatusResponse,
};

/// An authenticated connection. Its commands are in files of their own.
///
/// Any future may be dropped: what the server still says to it is read before the next command. Where a command was only
/// half sent, the session is spoilt and says so.
pub struct Session {
    pub(crate) link: Link,
    pub(crate) greeting: StatusResponse,
    pub(crate) mechanism: Option<&'static str>,
    pub(crate) refused: Vec<String>,
    pub(crate) limits: ResponseLimits,
}

impl Session {
    /// What the server can do, for the one who logged in.
    pub fn capabilities(&self) -> &Capabilities {
        &self.link.state().capabilities
    }

    /// What the server said first.
    pub fn greeting(&self) -> &StatusResponse {
        &self.greeting
    }

    /// From now on the session behaves as if the server did not offer these, whatever the server says later: for
    /// servers whose extensions do not work.
    pub fn deny(&mut self, extensions: &[impl AsRef<str>]) {
        self.link.state_mut().deny(extensions);
    }

    /// What ended the session while nobody listened: a goodbye, a connection that was closed. Asks nothing and waits for
    /// nothing: `None` means only that nothing of the kind has come yet.
    pub async fn ended(&mut self) -> Option<Error> {
        self.link.ended().await
    }

    /// How many commands were answered with NO or BAD: some servers hang up when there are too many.
    pub fn refusals(&self) -> u32 {
        self.link.state().refusals
    }

    /// How somebody logged in: a SASL mechanism, or the command LOGIN. `None` where nobody had to (PREAUTH).
    pub fn mechanism(&self) -> Option<&'static str> {
        self.mechanism
    }

    /// What the server said to the mechanisms that it refused before the one that worked.
    pub fn refused_mechanisms(&self) -> &[String] {
        &self.refused
    }

    /// Whether ENABLE switched this on.
    pub fn has_enabled(&self, capability: &str) -> bool {
        self.link.state().has_enabled(capability)
    }
}
