//! Showing the protocol, without what must not be shown.

/// Who speaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Direction {
    /// `C:`, from the client.
    Client,
    /// `S:`, from the server.
    Server,
}

/// Somebody who is shown each line. Literals are named by their size alone, credentials are `[redacted]`.
pub trait Trace: Send + Sync {
    /// One line, without its line end.
    fn line(&self, direction: Direction, text: &str);
}
