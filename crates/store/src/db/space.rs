//! Free pages of the database, which are returned to the disk in small steps.

use crate::{
    Store,
    db::{error::StoreError, sql},
};

/// Free pages that stay for later writes (1 MiB).
const SPARE_PAGES: u32 = 256;
/// Pages of one step (8 MiB). All writes wait while it runs.
const MAX_PAGES_PER_STEP: u32 = 2048;

impl Store {
    /// Returns some of the free pages to the disk, if there are more than a few. Returns their number.
    ///
    /// A file of an earlier version keeps its free pages, and uses them again, until `VACUUM` rewrites it.
    pub async fn give_back_space(&self) -> Result<u32, StoreError> {
        if self.data().is_none() {
            // A server returns the space of its tables itself.
            return Ok(0);
        }
        let free: u32 = self
            .read(|connection| {
                Box::pin(async move {
                    let sql = "SELECT freelist_count FROM pragma_freelist_count, pragma_auto_vacuum WHERE auto_vacuum = 2";
                    let free: Option<i64> = sql::query_scalar(sql).fetch_optional(connection).await?;
                    Ok(free.and_then(|free| u32::try_from(free).ok()).unwrap_or_default())
                })
            })
            .await?;
        let step = free.saturating_sub(SPARE_PAGES).min(MAX_PAGES_PER_STEP);
        if step == 0 {
            return Ok(0);
        }
        self.change(move |connection| {
            Box::pin(async move {
                let sql = format!("PRAGMA incremental_vacuum({step})");
                sql::query(sql).persistent(false).execute(connection).await?;
                Ok(step)
            })
        })
        .await
    }
}
