//! UNSELECT (RFC 3691) and CLOSE (RFC 9051, section 6.4.1).

use super::SelectOptions;
use crate::{encode::Command, error::Error, selected::Selected};

impl Selected<'_> {
    /// Closes the mailbox without expunging messages.
    ///
    /// Without UNSELECT it is opened read-only first, because CLOSE would expunge messages marked `\Deleted`.
    pub async fn unselect(self) -> Result<(), Error> {
        let session = self.session;
        if session.link.has("UNSELECT") || session.link.has("IMAP4rev2") {
            session.link.execute("UNSELECT", &Command::new("UNSELECT")).await?;
            session.link.state_mut().selected = None;
            return Ok(());
        }
        let state = session.link.state().selected.as_ref();
        if let Some(name) =
            state.filter(|selected| !selected.data.read_only).map(|selected| selected.name.clone())
        {
            session.examine(&name, &SelectOptions::default()).await?;
        }
        Selected { session }.close().await
    }

    /// Closes the mailbox. Unless it is read-only, messages marked `\Deleted` are expunged.
    pub async fn close(self) -> Result<(), Error> {
        self.session.link.execute("CLOSE", &Command::new("CLOSE")).await?;
        self.session.link.state_mut().selected = None;
        Ok(())
    }
}
