//! Authenticated connection.

use crate::{
    capability::Capabilities, driver::Link, error::Error, limits::ResponseLimits, response::StatusResponse,
};

/// An authenticated connection. Each command has its own file.
///
/// Every future may be dropped: the rest of its answer is read before the next command. If only a part of a command was
/// sent, the session fails at the next command.
pub struct Session {
    pub(crate) link: Link,
    pub(crate) greeting: StatusResponse,
    pub(crate) mechanism: Option<&'static str>,
    pub(crate) refused: Vec<String>,
    pub(crate) limits: ResponseLimits,
}

impl Session {
    /// Capabilities of the server for the user who signed in.
    pub fn capabilities(&self) -> &Capabilities {
        &self.link.state().capabilities
    }

    /// Greeting of the server.
    pub fn greeting(&self) -> &StatusResponse {
        &self.greeting
    }

    /// Ignores these extensions from now on, even if the server offers them. For servers whose extensions do not work.
    pub fn deny(&mut self, extensions: &[impl AsRef<str>]) {
        self.link.state_mut().deny(extensions);
    }

    /// Returns the error that ended the session between commands: a BYE, or a closed connection.
    ///
    /// Sends nothing and does not wait. `None` only means that no such error has arrived yet.
    pub async fn ended(&mut self) -> Option<Error> {
        self.link.ended().await
    }

    /// Number of commands that were answered with NO or BAD. Some servers disconnect after too many of them.
    pub fn refusals(&self) -> u32 {
        self.link.state().refusals
    }

    /// Method of the sign-in: a SASL mechanism, or the command LOGIN. `None` if none was necessary (PREAUTH).
    pub fn mechanism(&self) -> Option<&'static str> {
        self.mechanism
    }

    /// Answers of the server to the mechanisms that it refused before one worked.
    pub fn refused_mechanisms(&self) -> &[String] {
        &self.refused
    }

    /// True if ENABLE switched this extension on.
    pub fn has_enabled(&self, capability: &str) -> bool {
        self.link.state().has_enabled(capability)
    }
}
