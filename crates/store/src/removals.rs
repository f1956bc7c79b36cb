//! Messages that vanished from the source, and whose copies wait to be removed.

use crate::{error::StoreError, store::Store};

impl Store {
    /// Notes that what waits now in the ledgers of these mailboxes, each named by its two ends, is to be removed: the next
    /// pass that does not see the messages either removes their copies.
    ///
    /// # Errors
    /// Where the database cannot be written; then nothing is noted.
    pub async fn confirm_removals(&self, mailboxes: Vec<(String, String)>) -> Result<(), StoreError> {
        self.change(move |connection| {
            Box::pin(async move {
                for (source, target) in mailboxes {
                    sqlx::query(
                        "UPDATE folder SET waiting_since = 0 WHERE waiting IS NOT NULL \
                         AND mailbox_id = (SELECT id FROM mailbox WHERE source = ? AND target = ?)",
                    )
                    .bind(source)
                    .bind(target)
                    .execute(&mut *connection)
                    .await?;
                }
                Ok(())
            })
        })
        .await
    }
}
