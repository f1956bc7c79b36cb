//! Who did what.

use jiff::Timestamp;
use sqlx::{AssertSqlSafe, SqliteConnection, sqlite::SqliteRow};

use crate::{
    Store,
    columns::{Cells, millis},
    error::{Fault, StoreError},
    pages::{Bookmark, Page, rows},
};

/// Entries that are kept of what was done, and of what was refused: neither pushes the other out.
const KEPT: [(&str, i64); 2] = [("outcome = 'Done'", 200_000), ("outcome <> 'Done'", 20_000)];
/// Entries between two looks at how many there are.
const LOOK: i64 = 1000;

/// One thing that somebody did, or tried to do. Never with a secret in it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AuditEntry {
    /// When.
    pub time: Timestamp,
    /// Who: a token's name, a user of the machine.
    pub who: String,
    /// The operation's name.
    pub operation: String,
    /// What it was done to.
    pub identity: String,
    /// What came of it.
    pub outcome: String,
}

impl Store {
    /// Adds to the log.
    pub async fn append_audit(&self, entry: AuditEntry) -> Result<(), StoreError> {
        self.change(move |connection| {
            Box::pin(async move {
                let added = sqlx::query(
                    "INSERT INTO audit (time, who, operation, identity, outcome) VALUES (?, ?, ?, ?, ?)",
                )
                .bind(millis(entry.time))
                .bind(entry.who)
                .bind(entry.operation)
                .bind(entry.identity)
                .bind(entry.outcome)
                .execute(&mut *connection)
                .await?;
                if added.last_insert_rowid() % LOOK == 0 {
                    forget(connection, KEPT).await?;
                }
                Ok(())
            })
        })
        .await
    }

    /// A page of the log, newest entries first.
    pub async fn audit_log(
        &self,
        after: Option<Bookmark>,
        limit: u32,
    ) -> Result<Page<AuditEntry>, StoreError> {
        self.read(|connection| {
            Box::pin(async move {
                let found = sqlx::query("SELECT * FROM audit WHERE id < ? ORDER BY id DESC LIMIT ?")
                    .bind(after.map_or(i64::MAX, |it| it.0))
                    .bind(rows(limit))
                    .fetch_all(connection)
                    .await?;
                let entries = found.iter().map(|row| Ok((Cells(row).get("id")?, entry(row)?)));
                Ok(Page::of(entries.collect::<Result<_, Fault>>()?, limit))
            })
        })
        .await
    }
}

/// Removes the oldest entries beyond the most of each kind.
async fn forget(connection: &mut SqliteConnection, kept: [(&str, i64); 2]) -> Result<(), Fault> {
    for (kind, most) in kept {
        // Made of our own words alone.
        let sql = format!(
            "DELETE FROM audit WHERE {kind} AND id <= \
             (SELECT id FROM audit WHERE {kind} ORDER BY id DESC LIMIT 1 OFFSET ?)"
        );
        sqlx::query(AssertSqlSafe(sql)).bind(most).execute(&mut *connection).await?;
    }
    Ok(())
}

fn entry(row: &SqliteRow) -> Result<AuditEntry, Fault> {
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

    #[tokio::test]
    async fn the_oldest_are_forgotten_kind_by_kind() {
        let data = tempfile::tempdir().unwrap();
        let store = Store::open(data.path()).await.unwrap();
        for number in 0..20 {
            let outcome = if number % 2 == 0 { "Done" } else { "refused" }.to_owned();
            let (who, operation, identity) = (String::new(), String::new(), number.to_string());
            let entry = AuditEntry { time: Timestamp::UNIX_EPOCH, who, operation, identity, outcome };
            store.append_audit(entry).await.unwrap();
        }
        let kept = [("outcome = 'Done'", 5), ("outcome <> 'Done'", 2)];
        store.change(move |connection| Box::pin(forget(connection, kept))).await.unwrap();
        let left = store.audit_log(None, 100).await.unwrap().items;
        let left: Vec<&str> = left.iter().map(|entry| entry.identity.as_str()).collect();
        assert_eq!(left, ["19", "18", "17", "16", "14", "12", "10"]);
        store.close().await;
    }
}
