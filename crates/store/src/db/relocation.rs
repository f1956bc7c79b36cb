//! The mark of a database whose data went to another one, or that is an unfinished copy of another one.
//!
//! Invariant: of two databases with the same ledger at most one has no mark. Whatever opens or changes a database
//! looks for the mark first.

use jiff::Timestamp;

use crate::{
    Store,
    db::{
        columns::millis,
        error::{Fault, StoreError},
        sql::{self, Connection},
        writer::Work,
    },
};

/// Step of the schema that added the table.
pub(crate) const RELOCATION_SINCE: i64 = 19;

/// The mark.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Relocation {
    /// A copy from this place is unfinished.
    Filling(String),
    /// The data went to this place.
    Moved(String),
}

impl Relocation {
    /// Returns the mark of a database; `None` if it is in use, or new.
    pub(crate) async fn read(connection: &mut Connection) -> Result<Option<Self>, Fault> {
        let query = sql::query("SELECT state, place FROM relocation");
        let Some(row) = query.fetch_optional(connection).await? else { return Ok(None) };
        let place: String = row.try_get("place")?;
        match row.try_get("state")? {
            "Filling" => Ok(Some(Self::Filling(place))),
            "Moved" => Ok(Some(Self::Moved(place))),
            _ => Err(Fault::Unreadable("state")),
        }
    }

    /// Adds the mark. A database that has one already is an error.
    pub(crate) async fn write(&self, connection: &mut Connection, now: Timestamp) -> Result<(), Fault> {
        let (state, place) = match self {
            Self::Filling(from) => ("Filling", from),
            Self::Moved(to) => ("Moved", to),
        };
        sql::query("INSERT INTO relocation (id, state, place, since) VALUES (1, ?, ?, ?)")
            .bind(state)
            .bind(place.clone())
            .bind(millis(now))
            .execute(connection)
            .await?;
        Ok(())
    }

    pub(crate) async fn remove(connection: &mut Connection) -> Result<(), Fault> {
        sql::query("DELETE FROM relocation").execute(connection).await?;
        Ok(())
    }

    /// Converts the mark to the error of those who want to use the database.
    pub(crate) fn into_error(self, data: String) -> StoreError {
        match self {
            Self::Filling(from) => StoreError::Filling { data, from },
            Self::Moved(to) => StoreError::Moved { data, to },
        }
    }
}

/// Returns an error if the database has a mark.
pub(crate) async fn refuse(connection: &mut Connection, data: String) -> Result<(), Fault> {
    match Relocation::read(connection).await? {
        Some(mark) => Err(mark.into_error(data).into()),
        None => Ok(()),
    }
}

/// Returns the work behind a look for the mark, in one transaction.
pub(crate) fn guarded<T, F>(
    data: String,
    work: F,
) -> impl for<'c> FnOnce(&'c mut Connection) -> Work<'c, T> + Send + 'static
where
    T: Send + 'static,
    F: for<'c> FnOnce(&'c mut Connection) -> Work<'c, T> + Send + 'static,
{
    move |connection| {
        Box::pin(async move {
            refuse(connection, data).await?;
            work(connection).await
        })
    }
}

impl Store {
    /// Returns an error if the database has a mark.
    pub(crate) async fn refuse_relocated(&self) -> Result<(), StoreError> {
        if self.shared.schema < RELOCATION_SINCE {
            return Ok(());
        }
        let data = self.place();
        let failed = StoreError::database(&self.shared.words(), "opened");
        self.shared.read(|connection| Box::pin(refuse(connection, data.clone()))).await.map_err(failed)
    }
}
