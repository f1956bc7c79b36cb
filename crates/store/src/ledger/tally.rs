//! Number and checksum sum of a folder's rows of messages. They reveal a missing or duplicate row.

use crate::{
    db::{
        error::Fault,
        sql::{self, Connection, Row},
    },
    ledger::{ledger_rows, message_row::state},
};

/// A number of rows, and the sum of their checksums.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct RowCount {
    pub(crate) rows: i64,
    pub(crate) sum: i64,
}

impl RowCount {
    fn add(&mut self, checksum: i64) {
        self.rows += 1;
        // Only the checksum of a damaged row can make the sum overflow.
        self.sum = self.sum.wrapping_add(checksum);
    }
}

/// The rows of a folder, or of some of its messages.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct RowTally {
    /// Messages that are on the target.
    pub(crate) done: RowCount,
    /// All other messages.
    pub(crate) open: RowCount,
}

/// Counts the rows of `message` for which the condition holds. [`RowTally::from_sums`] reads the answer.
macro_rules! count_where {
    ($condition:literal) => {
        concat!(
            "SELECT count(*) FILTER (WHERE state = 1), CAST(coalesce(sum(checksum) FILTER (WHERE state = 1), 0) AS BIGINT), \
             count(*) FILTER (WHERE state <> 1), CAST(coalesce(sum(checksum) FILTER (WHERE state <> 1), 0) AS BIGINT) \
             FROM message WHERE ",
            $condition
        )
    };
}

impl RowTally {
    /// SQL of the numbers of some messages (`?2`) of a folder (`?1`).
    pub(crate) const LISTED: &str =
        count_where!("folder_id = ?1 AND uid IN (SELECT value FROM json_each(?2))");

    pub(crate) fn add(&mut self, state: i64, checksum: i64) {
        let count = if state == state::DONE { &mut self.done } else { &mut self.open };
        count.add(checksum);
    }

    /// Returns an error if these are not the rows that the folder must have.
    pub(crate) fn check(self, expected: Self) -> Result<(), Fault> {
        if self == expected {
            return Ok(());
        }
        let rows = |tally: Self| tally.done.rows + tally.open.rows;
        Err(Fault::Damaged(if rows(self) == rows(expected) {
            "the records of its messages do not match their sum".to_owned()
        } else {
            format!("it has {} records of messages and must have {}", rows(self), rows(expected))
        }))
    }

    /// Reads the numbers in the folder's row.
    pub(crate) fn from_folder(row: &Row) -> Result<Self, Fault> {
        let count = |rows, sum| Ok::<_, Fault>(RowCount { rows: row.try_get(rows)?, sum: row.try_get(sum)? });
        Ok(Self { done: count("done", "done_sum")?, open: count("open", "open_sum")? })
    }

    /// Reads the numbers that [`RowTally::LISTED`] selects.
    pub(crate) fn from_sums(row: &Row) -> Result<Self, Fault> {
        let count =
            |first| Ok::<_, Fault>(RowCount { rows: row.try_get(first)?, sum: row.try_get(first + 1)? });
        Ok(Self { done: count(0)?, open: count(2)? })
    }

    /// Counts all rows of the folder in the file.
    pub(crate) async fn in_file(connection: &mut Connection, folder: i64) -> Result<Self, Fault> {
        let row = sql::query(count_where!("folder_id = ?1")).bind(folder).fetch_one(connection).await?;
        Self::from_sums(&row)
    }

    /// Counts the rows of these messages in the database.
    pub(crate) async fn for_messages(
        connection: &mut Connection,
        folder: i64,
        uids: &[i64],
    ) -> Result<Self, Fault> {
        let query = sql::query(Self::LISTED).bind(folder).bind(uids.to_owned());
        Self::from_sums(&query.fetch_one(connection).await?)
    }

    /// Updates the folder's numbers and its checksum after its rows changed from `before` to `after`.
    pub(crate) async fn replace(
        connection: &mut Connection,
        folder: i64,
        before: Self,
        after: Self,
    ) -> Result<(), Fault> {
        // The file knows no other form.
        let all = if connection.is_shared() { "folder.*" } else { "*" };
        let row = sql::query(format!(
            "UPDATE folder SET done = done + ?, done_sum = done_sum + ?, open = open + ?, open_sum = open_sum + ? \
             WHERE id = ? RETURNING {all}"
        ))
        .bind(after.done.rows - before.done.rows)
        .bind(after.done.sum - before.done.sum)
        .bind(after.open.rows - before.open.rows)
        .bind(after.open.sum - before.open.sum)
        .bind(folder)
        .fetch_one(&mut *connection)
        .await?;
        ledger_rows::stamp_folder_row(connection, folder, &row).await
    }
}
