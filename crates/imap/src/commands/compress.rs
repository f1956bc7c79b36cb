//! COMPRESS (RFC 4978).

use super::unsupported;
use crate::{encode::Command, error::Error, session::Session};

impl Session {
    /// Compresses both ways from now on. Worth it on slow lines, not on fast ones.
    pub async fn compress(&mut self) -> Result<(), Error> {
        if !self.link.has("COMPRESS=DEFLATE") {
            return Err(unsupported("COMPRESS=DEFLATE"));
        }
        self.link.execute("COMPRESS", &Command::new("COMPRESS DEFLATE")).await?;
        self.link.start_compression();
        Ok(())
    }
}
