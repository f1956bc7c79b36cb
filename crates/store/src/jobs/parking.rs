//! Parked endpoints: those that asked for a delay, and until when.

use jiff::Timestamp;
use mailhaul_migration::{FailureClass, Guid};

use crate::{
    db::{
        columns::{Cells, millis},
        error::{Fault, StoreError},
        sql::{self, Row},
    },
    handles::Jobs,
};

/// A pause of an endpoint.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Parking {
    /// Time of the server's request.
    pub since: Timestamp,
    /// No mailbox is begun at the endpoint before this time.
    pub until: Timestamp,
    /// The server's message.
    pub reason: String,
}

impl Jobs<'_> {
    /// Parks an endpoint, as `decide` computes from the previous pause.
    ///
    /// `decide` gets the previous pause even if it has ended. An endpoint that was removed meanwhile is
    /// ignored.
    pub async fn park(
        self,
        endpoint: Guid,
        decide: impl FnOnce(Option<Parking>) -> Parking + Send + 'static,
    ) -> Result<(), StoreError> {
        let db = self.0;
        db.change(move |connection| {
            Box::pin(async move {
                let row = sql::query("SELECT parking.* FROM parking WHERE endpoint = ?")
                    .bind(endpoint)
                    .fetch_optional(&mut *connection)
                    .await?;
                let parking = decide(row.as_ref().map(parking).transpose()?);
                sql::query(
                    "INSERT INTO parking (endpoint, since, until, reason) \
                     SELECT ?1, ?2, ?3, ?4 WHERE EXISTS (SELECT 1 FROM endpoint WHERE guid = ?1) \
                     ON CONFLICT (endpoint) DO UPDATE SET since = excluded.since, until = excluded.until, \
                     reason = excluded.reason",
                )
                .bind(endpoint)
                .bind(millis(parking.since))
                .bind(millis(parking.until))
                .bind(parking.reason)
                .execute(connection)
                .await?;
                Ok(())
            })
        })
        .await
    }

    /// Returns the endpoints that are parked at this time.
    pub async fn parked(self, now: Timestamp) -> Result<Vec<(Guid, Parking)>, StoreError> {
        let db = self.0;
        db.read(|connection| {
            Box::pin(async move {
                let rows = sql::query("SELECT parking.* FROM parking WHERE until > ?")
                    .bind(millis(now))
                    .fetch_all(connection)
                    .await?;
                rows.iter().map(|row| Ok((Cells(row).get("endpoint")?, parking(row)?))).collect()
            })
        })
        .await
    }

    /// Ends the pause of an endpoint, and makes its throttled users due.
    pub async fn unpark(self, endpoint: Guid, now: Timestamp) -> Result<(), StoreError> {
        let db = self.0;
        db.change(move |connection| {
            Box::pin(async move {
                sql::query("DELETE FROM parking WHERE endpoint = ?")
                    .bind(endpoint)
                    .execute(&mut *connection)
                    .await?;
                sql::query(
                    "UPDATE migration_user SET due = ?2 WHERE due > ?2 AND attempts > 0 AND failure_class = ?3 \
                     AND lease_until IS NULL AND batch IN (SELECT guid FROM batch WHERE source_endpoint = ?1 \
                     OR target_endpoint = ?1)",
                )
                .bind(endpoint)
                .bind(millis(now))
                .bind(FailureClass::Throttled.to_string())
                .execute(connection)
                .await?;
                Ok(())
            })
        })
        .await
    }
}

fn parking(row: &Row) -> Result<Parking, Fault> {
    let cells = Cells(row);
    Ok(Parking { since: cells.time("since")?, until: cells.time("until")?, reason: cells.get("reason")? })
}
