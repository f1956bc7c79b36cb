//! The audit log: calls of operations with their callers and outcomes.

use jiff::Timestamp;

use crate::{
    db::{
        columns::{Cells, millis},
        error::{Fault, StoreError},
        pages::{Bookmark, Page, rows},
        sql::{self, Connection, Row},
    },
    handles::Audit,
};

/// Entries that are kept of each kind.
///
/// Completed and refused calls have limits of their own: neither pushes the other out.
const MAX_ENTRIES: [(&str, i64); 2] = [("outcome = 'Done'", 200_000), ("outcome <> 'Done'", 20_000)];
/// Entries between two removals of old entries.
const CLEANUP_INTERVAL: i64 = 1000;

/// A call of an operation, or an attempt at one. Contains no secrets.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AuditEntry {
    pub time: Timestamp,
    /// The caller: the name of a token, or a user of the machine.
    pub who: String,
    pub operation: String,
    /// The object of the operation, for example the name of a batch.
    pub identity: String,
    /// `Done`, or the reason of the refusal.
    pub outcome: String,
}

impl Audit<'_> {
    /// Appends an entry, and removes old ones from time to time.
    pub async fn append(self, entry: AuditEntry) -> Result<(), StoreError> {
        let db = self.0;
        db.change_beside(move |connection| {
            Box::pin(async move {
                let id: i64 = sql::query_scalar(
                    "INSERT INTO audit (time, who, operation, identity, outcome) VALUES (?, ?, ?, ?, ?) \
                     RETURNING id",
                )
                .bind(millis(entry.time))
                .bind(entry.who)
                .bind(entry.operation)
                .bind(entry.identity)
                .bind(entry.outcome)
                .fetch_one(&mut *connection)
                .await?;
                if id % CLEANUP_INTERVAL == 0 {
                    forget(connection, MAX_ENTRIES).await?;
                }
                Ok(())
            })
        })
        .await
    }

    /// Returns a page of the log, newest entries first.
    pub async fn list(self, after: Option<Bookmark>, limit: u32) -> Result<Page<AuditEntry>, StoreError> {
        let db = self.0;
        db.read(|connection| {
            Box::pin(async move {
                let found = sql::query("SELECT audit.* FROM audit WHERE id < ? ORDER BY id DESC LIMIT ?")
                    .bind(after.map_or(i64::MAX, |it| it.0))
                    .bind(rows(limit))
                    .fetch_all(connection)
                    .await?;
                let entries = found.iter().map(|row| Ok((Cells(row).get("id")?, entry(row)?)));
                Ok(Page::from_rows(entries.collect::<Result<_, Fault>>()?, limit))
            })
        })
        .await
    }
}

/// Removes the oldest entries beyond the limit of each kind.
async fn forget(connection: &mut Connection, kept: [(&str, i64); 2]) -> Result<(), Fault> {
    for (kind, most) in kept {
        // The text is made of constants only.
        let sql = format!(
            "DELETE FROM audit WHERE {kind} AND id <= \
             (SELECT id FROM audit WHERE {kind} ORDER BY id DESC LIMIT 1 OFFSET ?)"
        );
        sql::query(sql).bind(most).execute(&mut *connection).await?;
    }
    Ok(())
}

fn entry(row: &Row) -> Result<AuditEntry, Fault> {
    let cells = Cells(row);
    Ok(AuditEntry {
        time: cells.time("time")?,
        who: cells.get("who")?,
        operation: cells.get("operation")?,
        identity: cells.get("identity")?,
        outcome: cells.get("outcome")?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Store;

    #[tokio::test]
    async fn the_oldest_are_forgotten_kind_by_kind() {
        let data = tempfile::tempdir().unwrap();
        let store = Store::open(data.path()).await.unwrap();
        for number in 0..20 {
            let outcome = if number % 2 == 0 { "Done" } else { "refused" }.to_owned();
            let (who, operation, identity) = (String::new(), String::new(), number.to_string());
            let entry = AuditEntry { time: Timestamp::UNIX_EPOCH, who, operation, identity, outcome };
            store.audit().append(entry).await.unwrap();
        }
        let kept = [("outcome = 'Done'", 5), ("outcome <> 'Done'", 2)];
        store.change(move |connection| Box::pin(forget(connection, kept))).await.unwrap();
        let left = store.audit().list(None, 100).await.unwrap().items;
        let left: Vec<&str> = left.iter().map(|entry| entry.identity.as_str()).collect();
        assert_eq!(left, ["19", "18", "17", "16", "14", "12", "10"]);
        store.close().await;
    }
}
