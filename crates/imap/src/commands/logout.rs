//! LOGOUT (RFC 9051, section 6.1.3).

use crate::{
    encode::Command,
    error::{Error, ErrorKind},
    session::Session,
};

impl Session {
    /// Sends LOGOUT without waiting for the answer. All earlier commands are answered, so nothing is lost.
    pub async fn leave(mut self) -> Result<(), Error> {
        self.link.drain_abandoned().await?;
        self.link.send(&Command::new("LOGOUT")).await?;
        let sent = self.link.writer.flush().await;
        self.link.writer.shutdown().await;
        sent
    }

    /// Signs out, and closes the connection.
    pub async fn logout(mut self) -> Result<(), Error> {
        self.link.drain_abandoned().await?;
        self.link.state_mut().is_closing = true;
        let outcome = self.link.execute("LOGOUT", &Command::new("LOGOUT")).await;
        self.link.writer.shutdown().await;
        match outcome {
            // Some servers close the connection without an answer.
            Err(error) if error.kind != ErrorKind::Connection => Err(error),
            _ => Ok(()),
        }
    }
}
