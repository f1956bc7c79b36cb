//! Limits that the refusals of servers have taught. All nodes of a database share them.

use jiff::Timestamp;
use mailhaul_migration::Guid;

use crate::{
    db::{
        columns::{Cells, millis_if, whole},
        error::{Fault, StoreError},
        sql::{self, Row},
    },
    handles::Nodes,
};

/// A number of connections that a server accepted, and the time of its last refusal.
pub type LearnedLimit = Option<(u64, Timestamp)>;

/// Limits of an endpoint.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct LearnedLimits {
    /// Mailboxes at the same time.
    pub mailboxes: LearnedLimit,
    /// Connection pairs of one mailbox.
    pub pairs: LearnedLimit,
}

impl Nodes<'_> {
    /// Changes the limits of an endpoint, as `learn` computes from the known ones. Returns the new ones.
    ///
    /// Does nothing on a data directory, where one process knows them.
    pub async fn learn(
        self,
        endpoint: Guid,
        learn: impl FnOnce(LearnedLimits) -> LearnedLimits + Send + 'static,
    ) -> Result<(), StoreError> {
        let db = self.0;
        if !db.is_on_server() {
            return Ok(());
        }
        db.change(move |connection| {
            Box::pin(async move {
                let row = sql::query("SELECT learned.* FROM learned WHERE endpoint = ?")
                    .bind(endpoint)
                    .fetch_optional(&mut *connection)
                    .await?;
                let new = learn(row.as_ref().map(limits).transpose()?.unwrap_or_default());
                let number = |limit: LearnedLimit| limit.map(|(number, _)| whole(number));
                let since = |limit: LearnedLimit| millis_if(limit.map(|(_, since)| since));
                sql::query(
                    "INSERT INTO learned (endpoint, mailboxes, mailboxes_since, pairs, pairs_since) \
                     SELECT ?1, ?2, ?3, ?4, ?5 WHERE EXISTS (SELECT 1 FROM endpoint WHERE guid = ?1) \
                     ON CONFLICT (endpoint) DO UPDATE SET mailboxes = excluded.mailboxes, \
                     mailboxes_since = excluded.mailboxes_since, pairs = excluded.pairs, pairs_since = excluded.pairs_since",
                )
                .bind(endpoint)
                .bind(number(new.mailboxes))
                .bind(since(new.mailboxes))
                .bind(number(new.pairs))
                .bind(since(new.pairs))
                .execute(connection)
                .await?;
                Ok(())
            })
        })
        .await
    }

    /// Returns the limits of all endpoints; none for a data directory.
    pub async fn learned(self) -> Result<Vec<(Guid, LearnedLimits)>, StoreError> {
        let db = self.0;
        if !db.is_on_server() {
            return Ok(Vec::new());
        }
        db.read(|connection| {
            Box::pin(async move {
                let rows = sql::query("SELECT learned.* FROM learned").fetch_all(connection).await?;
                rows.iter().map(|row| Ok((Cells(row).get("endpoint")?, limits(row)?))).collect()
            })
        })
        .await
    }

    /// Counts the users with a pass at this endpoint on any node, and those of them with this user name.
    pub async fn active_at(self, endpoint: Guid, user_name: &str) -> Result<(u64, u64), StoreError> {
        let db = self.0;
        db.read(|connection| {
            let user_name = user_name.to_owned();
            Box::pin(async move {
                let row = sql::query(
                    "SELECT count(*) AS users, count(CASE WHEN migration_user.source_endpoint = ?1 \
                     AND migration_user.user_name = ?2 OR batch.target_endpoint = ?1 AND migration_user.target_user_name = ?2 \
                     THEN 1 END) AS of_login FROM migration_user JOIN batch ON batch.guid = migration_user.batch \
                     WHERE migration_user.lease_until IS NOT NULL \
                     AND (migration_user.source_endpoint = ?1 OR batch.target_endpoint = ?1)",
                )
                .bind(endpoint)
                .bind(user_name)
                .fetch_one(connection)
                .await?;
                Ok((Cells(&row).number("users")?, Cells(&row).number("of_login")?))
            })
        })
        .await
    }
}

fn limits(row: &Row) -> Result<LearnedLimits, Fault> {
    let cells = Cells(row);
    let limit = |number, since| -> Result<LearnedLimit, Fault> {
        let number: Option<i64> = cells.get(number)?;
        let number = number.map(u64::try_from).transpose().map_err(|_| Fault::Unreadable("learned"))?;
        Ok(number.zip(cells.time_if(since)?))
    };
    Ok(LearnedLimits {
        mailboxes: limit("mailboxes", "mailboxes_since")?,
        pairs: limit("pairs", "pairs_since")?,
    })
}
