//! UID EXPUNGE (RFC 4315).

use mailhaul_mail::UidSet;

use super::{parts::run_in_parts, unsupported};
use crate::{error::Error, selected::Selected};

impl Selected<'_> {
    /// Expunges exactly these messages. They must be marked `\Deleted`.
    pub async fn uid_expunge(&mut self, uids: &UidSet) -> Result<(), Error> {
        let link = &mut self.session.link;
        if !(link.has("UIDPLUS") || link.has("IMAP4rev2")) {
            return Err(unsupported("UIDPLUS"));
        }
        run_in_parts(link, "UID EXPUNGE", uids, |command| command, |_| {}).await
    }
}
