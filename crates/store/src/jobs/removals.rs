//! Waiting deletions: copies of messages that vanished from the source.

use crate::{
    db::{
        checksum::check_row,
        error::{Fault, StoreError},
        sql::{self, Connection},
    },
    handles::Jobs,
    ledger::ledger_rows::{self, MailboxNames},
};

impl Jobs<'_> {
    /// Confirms the waiting deletions in the ledgers of these mailboxes, each a pair of source and target.
    ///
    /// The next pass removes the copies, unless it sees the messages again.
    ///
    /// # Errors
    /// An error if the database cannot be written. Then nothing is confirmed.
    pub async fn confirm_removals(self, mailboxes: Vec<(String, String)>) -> Result<(), StoreError> {
        let db = self.0;
        db.change(move |connection| {
            Box::pin(async move {
                for (source, target) in mailboxes {
                    confirm(connection, MailboxNames { source, target }).await?;
                }
                Ok(())
            })
        })
        .await
    }
}

async fn confirm(connection: &mut Connection, names: MailboxNames) -> Result<(), Fault> {
    let Some(mailbox) = ledger_rows::mailbox(connection, names).await? else { return Ok(()) };
    check_row("mailbox", &mailbox)?;
    let waiting = sql::query("SELECT folder.* FROM folder WHERE waiting IS NOT NULL AND mailbox_id = ?")
        .bind(mailbox.try_get::<i64>("id")?)
        .fetch_all(&mut *connection)
        .await?;
    for folder in waiting {
        check_row("folder", &folder)?;
        let id: i64 = folder.try_get("id")?;
        let query = sql::query("UPDATE folder SET waiting_since = 0 WHERE id = ?");
        query.bind(id).execute(&mut *connection).await?;
        ledger_rows::stamp_folder(connection, id).await?;
    }
    Ok(())
}
