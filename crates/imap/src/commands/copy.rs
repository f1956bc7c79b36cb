//! UID COPY (RFC 9051, section 6.4.7) and UID MOVE (RFC 6851).

use mailhaul_mail::{Flags, Uid, UidSet, UidValidity};

use super::{StoreMode, parts::run_in_parts, unsupported};
use crate::{
    error::Error,
    mailbox_name::MailboxName,
    response::{Code, StatusResponse},
    selected::Selected,
};

/// UIDs of copied messages and of their copies (COPYUID, RFC 4315).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CopyUids {
    /// UIDVALIDITY of the other mailbox. `None` if the server does not report it.
    pub validity: Option<UidValidity>,
    /// UIDs of message and copy. Messages that no longer existed are missing. Empty if the server does not report UIDs.
    pub pairs: Vec<(Uid, Uid)>,
}

impl CopyUids {
    fn observe(&mut self, status: &StatusResponse) {
        if let Some(Code::CopyUid { validity, pairs }) = &status.code {
            self.validity = Some(*validity);
            self.pairs.extend(pairs);
        }
    }
}

impl Selected<'_> {
    /// Copies messages to another mailbox.
    pub async fn uid_copy(&mut self, uids: &UidSet, to: &MailboxName) -> Result<CopyUids, Error> {
        self.transfer("UID COPY", uids, to).await
    }

    /// Moves messages to another mailbox.
    ///
    /// Without MOVE they are copied, marked and expunged. This requires UIDPLUS, so that no other message is expunged.
    pub async fn uid_move(&mut self, uids: &UidSet, to: &MailboxName) -> Result<CopyUids, Error> {
        let link = &self.session.link;
        if link.has("MOVE") || link.has("IMAP4rev2") {
            return self.transfer("UID MOVE", uids, to).await;
        }
        if !link.has("UIDPLUS") {
            return Err(unsupported("MOVE or UIDPLUS"));
        }
        let copied = self.transfer("UID COPY", uids, to).await?;
        let deleted: Flags = ["\\Deleted"].into_iter().collect();
        self.uid_store(uids, StoreMode::Add, &deleted).await?;
        self.uid_expunge(uids).await?;
        Ok(copied)
    }

    async fn transfer(&mut self, name: &str, uids: &UidSet, to: &MailboxName) -> Result<CopyUids, Error> {
        let mut copied = CopyUids::default();
        // MOVE reports the UIDs before the messages vanish, COPY at the end (RFC 6851, section 4.3).
        let collect = |status: &StatusResponse| copied.observe(status);
        run_in_parts(&mut self.session.link, name, uids, |command| command.mailbox(to), collect).await?;
        Ok(copied)
    }
}
