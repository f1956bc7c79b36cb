//! Who did what.

use jiff::Timestamp;
use sqlx::sqlite::SqliteRow;

use crate::{
    Store,
    columns::{Cells, millis},
    error::{Fault, StoreError},
    pages::{Bookmark, Page, rows},
};

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
                sqlx::query(
                    "INSERT INTO audit (time, who, operation, identity, outcome) VALUES (?, ?, ?, ?, ?)",
                )
                .bind(millis(entry.time))
                .bind(entry.who)
                .bind(entry.operation)
                .bind(entry.identity)
                .bind(entry.outcome)
                .execute(connection)
                .await?;
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
