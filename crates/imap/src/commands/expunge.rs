//! UID EXPUNGE (RFC 4315).

use mailhaul_mail::UidSet;

use super::{pieces, unsupported};
use crate::{encode::Command, error::Error, selected::Selected};

impl Selected<'_> {
    /// Removes exactly these messages for good; they must be marked `\Deleted`.
    pub async fn uid_expunge(&mut self, uids: &UidSet) -> Result<(), Error> {
        let link = &mut self.session.link;
        if !(link.has("UIDPLUS") || link.has("IMAP4rev2")) {
            return Err(unsupported("UIDPLUS"));
        }
        for piece in pieces(uids) {
            link.order("UID EXPUNGE", &Command::new("UID EXPUNGE").uids(&piece)).await?;
        }
        Ok(())
    }
}
