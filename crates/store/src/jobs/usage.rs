//! Bytes read from and written to each mailbox of an endpoint, by hour.
//!
//! They are stored so that a restart does not begin a new day.

use mailhaul_migration::Guid;

use crate::{
    cluster::day_bytes::count_saved,
    db::{
        columns::{Cells, whole},
        error::StoreError,
        sql,
    },
    handles::Jobs,
};

/// Mailbox whose bytes are counted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CountedMailbox {
    pub endpoint: Guid,
    pub name: String,
    /// The node that has reserved the bytes; `None` on a data directory.
    pub node: Option<Guid>,
}

impl Jobs<'_> {
    /// Returns the bytes of an endpoint by hours since 1970, from this hour on.
    ///
    /// `mailbox` restricts them to one mailbox.
    pub async fn usage(
        self,
        endpoint: Guid,
        mailbox: Option<&str>,
        first_hour: u64,
    ) -> Result<Vec<(u64, u64)>, StoreError> {
        let db = self.0;
        db.read(|connection| {
            let mailbox = mailbox.map(str::to_owned);
            Box::pin(async move {
                let rows = sql::query(
                    "SELECT hour, CAST(sum(octets) AS BIGINT) AS octets FROM usage WHERE endpoint = ? AND hour >= ? \
                     AND (?3 IS NULL OR mailbox = ?3) GROUP BY hour",
                )
                .bind(endpoint)
                .bind(whole(first_hour))
                .bind(mailbox)
                .fetch_all(connection)
                .await?;
                rows.iter()
                    .map(|row| Ok((Cells(row).number("hour")?, Cells(row).number("octets")?)))
                    .collect()
            })
        })
        .await
    }

    /// Adds bytes of a mailbox of an endpoint, and removes the hours before `first`.
    ///
    /// They are no longer reserved by the node.
    pub async fn add_usage(
        self,
        mailbox: CountedMailbox,
        hours: Vec<(u64, u64)>,
        first_hour: u64,
    ) -> Result<(), StoreError> {
        let db = self.0;
        let CountedMailbox { endpoint, name, node } = mailbox;
        db.change_beside(move |connection| {
            Box::pin(async move {
                let bytes = hours.iter().map(|(_, bytes)| bytes).sum();
                // The endpoint stays until the end of the transaction.
                let lock = connection.locking(" FOR KEY SHARE");
                let skip = connection.locking(" FOR UPDATE SKIP LOCKED");
                for (hour, octets) in hours {
                    // An endpoint that was removed meanwhile has no usage.
                    sql::query(format!(
                        "INSERT INTO usage (endpoint, mailbox, hour, octets) \
                         SELECT ?1, ?2, ?3, ?4 WHERE EXISTS (SELECT 1 FROM endpoint WHERE guid = ?1{lock}) \
                         ON CONFLICT (endpoint, mailbox, hour) DO UPDATE SET octets = usage.octets + excluded.octets",
                    ))
                    .bind(endpoint)
                    .bind(name.clone())
                    .bind(whole(hour))
                    .bind(whole(octets))
                    .execute(&mut *connection)
                    .await?;
                }
                if let Some(node) = node {
                    count_saved(connection, endpoint, node, bytes).await?;
                }
                let old = format!(
                    "DELETE FROM usage WHERE (endpoint, mailbox, hour) IN \
                     (SELECT endpoint, mailbox, hour FROM usage WHERE hour < ?{skip})"
                );
                sql::query(old).bind(whole(first_hour)).execute(connection).await?;
                Ok(())
            })
        })
        .await
    }
}
