//! The clock of the database's machine. Nodes whose own clocks differ agree by it on what is due.

use std::sync::atomic::Ordering;

use jiff::Timestamp;

use crate::{
    Store,
    db::{
        error::Fault,
        sql::{self, Connection},
    },
};

/// The server's clock in SQL, in milliseconds since 1970.
pub(crate) const SERVER_NOW: &str = "CAST(extract(epoch FROM clock_timestamp()) * 1000 AS BIGINT)";

/// Difference between the server's clock and this machine's, in milliseconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct ClockOffset {
    /// Positive if the server's clock is ahead.
    pub(crate) millis: i64,
    /// The difference can be wrong by this much: half of the round trip.
    pub(crate) error: i64,
}

impl ClockOffset {
    /// Computes the difference from a time of the server, and this machine's times before and after the question.
    pub(crate) fn between(before: Timestamp, server: i64, after: Timestamp) -> Self {
        let (before, after) = (before.as_millisecond(), after.as_millisecond());
        Self { millis: server - i64::midpoint(before, after), error: (after - before) / 2 + 1 }
    }

    /// Asks the server for its time.
    pub(crate) async fn read(connection: &mut Connection) -> Result<Self, Fault> {
        let before = Timestamp::now();
        let server: i64 = sql::query_scalar(format!("SELECT {SERVER_NOW}")).fetch_one(connection).await?;
        Ok(Self::between(before, server, Timestamp::now()))
    }
}

impl Store {
    /// Returns the current time: that of the database's machine, as last compared, or that of this one.
    pub fn now(&self) -> Timestamp {
        let offset = self.shared.clock_offset.load(Ordering::Relaxed);
        let now = Timestamp::now();
        if offset == 0 {
            return now;
        }
        Timestamp::from_millisecond(now.as_millisecond().saturating_add(offset)).unwrap_or(now)
    }

    pub(crate) fn keep_clock(&self, offset: ClockOffset) {
        self.shared.clock_offset.store(offset.millis, Ordering::Relaxed);
    }
}
