//! Windows of a sorted list of users: any 100 rows of 50,000.

use mailhaul_migration::{MigrationUser, UserOrder};

use crate::{
    admin::{user_filter::UserFilter, users::user},
    db::{
        columns::{Cells, whole},
        error::{Fault, StoreError},
        sql::{Builder, Connection},
    },
    handles::UserRows,
};

/// A part of a sorted list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Window<T> {
    pub items: Vec<T>,
    /// Number of items of the whole list.
    pub total: u64,
}

/// Place and order of a window.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct WindowPlace {
    pub order: UserOrder,
    pub is_descending: bool,
    /// Number of users before the window.
    pub offset: u64,
    /// Maximum number of users in the window.
    pub limit: u32,
}

impl UserRows<'_> {
    /// Returns a part of the sorted list of users that match the filter, and their number.
    ///
    /// All of it is of one moment. Two windows of one list can be of two moments.
    pub async fn window(
        self,
        filter: &UserFilter,
        place: WindowPlace,
    ) -> Result<Window<MigrationUser>, StoreError> {
        let db = self.0;
        db.read(|connection| {
            let filter = filter.clone();
            Box::pin(async move { window(connection, &filter, place).await })
        })
        .await
    }
}

async fn window(
    connection: &mut Connection,
    filter: &UserFilter,
    place: WindowPlace,
) -> Result<Window<MigrationUser>, Fault> {
    let mut query = Builder::new("SELECT count(*) FROM migration_user WHERE true");
    filter.push(&mut query);
    let total = query.build().fetch_one(connection).await?.try_get::<i64>(0)?.unsigned_abs();
    // The ids first: sorting reads an index or a few columns, and not whole rows.
    let mut query = Builder::new("SELECT id FROM migration_user WHERE true");
    filter.push(&mut query);
    let end = if place.is_descending { " DESC" } else { "" };
    if let Some(value) = sorted_by(place.order) {
        query.push(" ORDER BY ").push(value).push(end).push(", id").push(end);
    } else {
        query.push(" ORDER BY id").push(end);
    }
    query.push(" LIMIT ").push_bind(i64::from(place.limit)).push(" OFFSET ").push_bind(whole(place.offset));
    let rows = query.build().fetch_all(connection).await?;
    let ids: Vec<i64> = rows.iter().map(|row| row.try_get(0)).collect::<Result<_, _>>()?;
    let mut query =
        Builder::new("SELECT migration_user.* FROM migration_user WHERE id IN (SELECT value FROM json_each(");
    query.push_bind(ids.clone()).push("))");
    let rows = query.build().fetch_all(connection).await?;
    let mut found = Vec::with_capacity(rows.len());
    for row in &rows {
        let id: i64 = Cells(row).get("id")?;
        found.push((ids.iter().position(|it| *it == id), user(row)?));
    }
    found.sort_by_key(|(place, _)| *place);
    Ok(Window { items: found.into_iter().map(|(_, user)| user).collect(), total })
}

/// Returns the SQL of the value that the order compares; `None` for the order of creation.
///
/// No value is NULL: the two databases sort it at different ends.
fn sorted_by(order: UserOrder) -> Option<&'static str> {
    use UserOrder as O;
    Some(match order {
        O::Creation => return None,
        O::EmailAddress => "email_key",
        O::Status => "status",
        O::StatusSince => "status_since",
        O::SyncedItemCount => "synced_items",
        O::SkippedItemCount => "skipped_items",
        O::PercentageComplete => {
            "CASE WHEN total_items > 0 THEN (synced_items + skipped_items) * 1000 / total_items ELSE 0 END"
        }
        O::BytesTransferred => "bytes_transferred",
        O::LastSuccessfulSyncTime => "coalesce(last_synced, 0)",
        O::NextSyncTime => "coalesce(due, 9223372036854775807)",
        O::ErrorClass => "coalesce(failure_class, '')",
    })
}
