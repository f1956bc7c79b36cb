//! Sessions of the web console, which every node of a database knows. Only digests of both halves are stored.

use jiff::Timestamp;
use mailhaul_migration::Guid;

use crate::{
    db::{
        columns::{Cells, millis},
        error::{Fault, StoreError},
        sql::{self, Connection},
    },
    handles::ConsoleSessions,
};

/// A new session. `cookie` and `key` are digests.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewConsoleSession {
    pub cookie: [u8; 32],
    pub key: [u8; 32],
    /// Token that began the session and ends it; `None` after a ticket.
    pub token: Option<Guid>,
    pub name: String,
    /// The rights of its bearer after a ticket, in the caller's words.
    pub role: String,
    pub begun: Timestamp,
}

/// A session that has not ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConsoleSession {
    pub name: String,
    /// The rights of its bearer; after a token, those that the token has now.
    pub role: String,
    pub begun: Timestamp,
    /// Its last use, to the minute.
    pub seen: Timestamp,
}

/// Sessions that began before a time, or were not used since another one, have ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SessionLimits {
    pub begun_after: Timestamp,
    pub seen_after: Timestamp,
}

/// Condition of sessions that have not ended.
const LIVING: &str = "console_session.begun > ? AND console_session.seen > ? \
     AND (console_session.token IS NULL OR EXISTS (SELECT 1 FROM api_token \
     WHERE api_token.guid = console_session.token AND api_token.revoked IS NULL))";

impl ConsoleSessions<'_> {
    /// Stores a new session, and removes those that have ended. If there are more than `most`, the oldest end.
    pub async fn insert(
        self,
        session: NewConsoleSession,
        limits: SessionLimits,
        most: u32,
    ) -> Result<(), StoreError> {
        let db = self.0;
        db.change_beside(move |connection| {
            Box::pin(async move {
                remove_ended(connection, limits).await?;
                sql::query(
                    "INSERT INTO console_session (cookie, key, token, name, role, begun, seen) \
                     VALUES (?, ?, ?, ?, ?, ?, ?)",
                )
                .bind(session.cookie)
                .bind(session.key)
                .bind(session.token)
                .bind(session.name)
                .bind(session.role)
                .bind(millis(session.begun))
                .bind(millis(session.begun))
                .execute(&mut *connection)
                .await?;
                sql::query(
                    "DELETE FROM console_session WHERE id <= \
                     (SELECT id FROM console_session ORDER BY id DESC LIMIT 1 OFFSET ?)",
                )
                .bind(i64::from(most))
                .execute(connection)
                .await?;
                Ok(())
            })
        })
        .await
    }

    /// Returns the session with both halves; `None` if it has ended. Reads its row alone, and that of its token.
    pub async fn get(
        self,
        cookie: [u8; 32],
        key: [u8; 32],
        limits: SessionLimits,
    ) -> Result<Option<ConsoleSession>, StoreError> {
        let db = self.0;
        db.read(|connection| {
            Box::pin(async move {
                let row = sql::query(format!(
                    "SELECT console_session.name, coalesce(api_token.role, console_session.role) AS role, \
                     console_session.begun, console_session.seen FROM console_session \
                     LEFT JOIN api_token ON api_token.guid = console_session.token \
                     WHERE console_session.cookie = ? AND console_session.key = ? AND {LIVING}"
                ))
                .bind(cookie)
                .bind(key)
                .bind(millis(limits.begun_after))
                .bind(millis(limits.seen_after))
                .fetch_optional(connection)
                .await?;
                let read = |row| {
                    let cells = Cells(row);
                    Ok(ConsoleSession {
                        name: cells.get("name")?,
                        role: cells.get("role")?,
                        begun: cells.time("begun")?,
                        seen: cells.time("seen")?,
                    })
                };
                row.as_ref().map(read).transpose()
            })
        })
        .await
    }

    /// Saves the time of last use, and removes the sessions that have ended.
    pub async fn touch(
        self,
        cookie: [u8; 32],
        now: Timestamp,
        limits: SessionLimits,
    ) -> Result<(), StoreError> {
        let db = self.0;
        db.change_beside(move |connection| {
            Box::pin(async move {
                sql::query("UPDATE console_session SET seen = ? WHERE cookie = ?")
                    .bind(millis(now))
                    .bind(cookie)
                    .execute(&mut *connection)
                    .await?;
                remove_ended(connection, limits).await
            })
        })
        .await
    }

    /// Removes the session with this cookie.
    pub async fn remove(self, cookie: [u8; 32]) -> Result<(), StoreError> {
        let db = self.0;
        db.change_beside(move |connection| {
            Box::pin(async move {
                let query = sql::query("DELETE FROM console_session WHERE cookie = ?").bind(cookie);
                query.execute(connection).await?;
                Ok(())
            })
        })
        .await
    }

    /// Removes the sessions that have ended.
    pub async fn remove_ended(self, limits: SessionLimits) -> Result<(), StoreError> {
        let db = self.0;
        db.change_beside(move |connection| Box::pin(remove_ended(connection, limits))).await
    }
}

async fn remove_ended(connection: &mut Connection, limits: SessionLimits) -> Result<(), Fault> {
    sql::query(format!("DELETE FROM console_session WHERE NOT ({LIVING})"))
        .bind(millis(limits.begun_after))
        .bind(millis(limits.seen_after))
        .execute(connection)
        .await?;
    Ok(())
}
