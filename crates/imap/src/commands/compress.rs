//! COMPRESS (RFC 4978).

use super::unsupported;
use crate::{encode::Command, error::Error, session::Session};

impl Session {
    /// Starts compression in both directions. Useful on slow connections only.
    pub async fn compress(&mut self) -> Result<(), Error> {
        if !self.link.has("COMPRESS=DEFLATE") {
            return Err(unsupported("COMPRESS=DEFLATE"));
        }
        self.link.execute("COMPRESS", &Command::new("COMPRESS DEFLATE")).await?;
        self.link.start_compression();
        Ok(())
    }
}
