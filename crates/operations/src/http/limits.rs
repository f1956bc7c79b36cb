//! Limits for clients: bytes, connections, times.

use std::time::Duration;

/// Default maximum bytes of a body.
pub(crate) const MAX_BODY: usize = 16 << 20;

/// Limits for clients.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// Maximum bytes of a body.
    pub body: usize,
    /// Time for the head of a request, and for the TLS handshake.
    pub header_time: Duration,
    /// Time for the body.
    pub body_time: Duration,
    /// Time in which a client must read a part of the answer.
    pub write_time: Duration,
    /// Bytes of all bodies in memory; further requests wait.
    pub bodies: usize,
    /// Simultaneous connections; further ones wait.
    pub connections: usize,
    /// Time for active requests after shutdown begins.
    pub ending_time: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            body: MAX_BODY,
            header_time: Duration::from_secs(15),
            body_time: Duration::from_mins(5),
            write_time: Duration::from_secs(30),
            bodies: 64 << 20,
            connections: 512,
            ending_time: Duration::from_secs(30),
        }
    }
}
