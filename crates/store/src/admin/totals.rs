//! Sums over all users, for monitoring.

use jiff::Timestamp;
use mailhaul_migration::{FailureClass, Statistics};

use crate::{
    admin::overview::sum_of_all,
    db::{
        columns::{Cells, millis},
        error::StoreError,
        sql,
    },
    handles::UserRows,
};

impl UserRows<'_> {
    /// Returns the sums of all users' numbers.
    pub async fn totals(self) -> Result<Statistics, StoreError> {
        let db = self.0;
        db.read(|connection| Box::pin(sum_of_all(connection))).await
    }

    /// Counts the users with a failure, for each class that occurs.
    pub async fn count_failures(self) -> Result<Vec<(FailureClass, u64)>, StoreError> {
        let db = self.0;
        db.read(|connection| {
            Box::pin(async move {
                let rows = sql::query(
                    "SELECT failure_class, count(*) AS users FROM migration_user WHERE failure_class IS NOT NULL \
                     GROUP BY failure_class",
                )
                .fetch_all(connection)
                .await?;
                rows.iter()
                    .map(|row| Ok((Cells(row).word("failure_class")?, Cells(row).number("users")?)))
                    .collect()
            })
        })
        .await
    }

    /// Counts the users that wait for another attempt after their pass broke off.
    pub async fn count_waiting(self, now: Timestamp) -> Result<u64, StoreError> {
        let db = self.0;
        db.read(|connection| {
            Box::pin(async move {
                let row =
                    sql::query("SELECT count(*) AS users FROM migration_user WHERE attempts > 0 AND due > ?")
                        .bind(millis(now))
                        .fetch_one(connection)
                        .await?;
                Cells(&row).number("users")
            })
        })
        .await
    }
}
