//! Arrivals of a batch: messages that came to the source lately, as its passes counted them.

use jiff::{SignedDuration, Timestamp};
use mailhaul_migration::{Arrivals, DeliveringHost, Guid, NamedUsers};

use crate::{
    db::{
        columns::{Cells, millis},
        error::{Fault, StoreError},
        sql::{self, Connection},
    },
    handles::Cutover,
    ledger::arrivals::HOUR_MILLIS,
};

/// Hosts that are named; messages of the others are counted.
const MAX_HOSTS: i64 = 5;
/// Users that are named; the others are counted.
const MAX_WRITERS: i64 = 10;
const DAY: SignedDuration = SignedDuration::from_hours(24);
const WEEK: SignedDuration = SignedDuration::from_hours(7 * 24);

/// Time for which arrivals are kept: a week and a day.
pub const KEPT_ARRIVALS: SignedDuration = SignedDuration::from_hours(8 * 24);

/// Times from which arrivals count.
#[derive(Clone, Copy, Debug)]
pub struct ArrivalTimes {
    pub now: Timestamp,
    /// Begin of the quiet period.
    pub quiet_from: Timestamp,
    /// Time after which users should not write on the source; `None` before the move.
    pub settled: Option<Timestamp>,
}

impl Cutover<'_> {
    /// Returns the arrivals of a batch.
    pub async fn arrivals(self, batch: Guid, times: ArrivalTimes) -> Result<Arrivals, StoreError> {
        let db = self.0;
        db.read(|connection| Box::pin(arrivals(connection, batch, times))).await
    }

    /// Deletes arrivals that are older than [`KEPT_ARRIVALS`].
    pub async fn delete_old_arrivals(self, now: Timestamp) -> Result<(), StoreError> {
        let db = self.0;
        let first = millis(now.checked_sub(KEPT_ARRIVALS).unwrap_or(Timestamp::MIN));
        let any = "SELECT EXISTS (SELECT 1 FROM arrival WHERE hour < ?)";
        let has_old: bool = db
            .read(|it| Box::pin(async move { Ok(sql::query_scalar(any).bind(first).fetch_one(it).await?) }))
            .await?;
        if !has_old {
            return Ok(());
        }
        db.change(move |connection| {
            Box::pin(async move {
                sql::query("DELETE FROM arrival WHERE hour < ?").bind(first).execute(connection).await?;
                Ok(())
            })
        })
        .await
    }
}

/// The rows of a batch from an hour on, with the condition of each part.
const OF_BATCH: &str = "FROM arrival JOIN migration_user ON migration_user.id = arrival.user_id WHERE arrival.hour > ? AND batch = ?";

async fn arrivals(connection: &mut Connection, batch: Guid, times: ArrivalTimes) -> Result<Arrivals, Fault> {
    let before = |duration| times.now.checked_sub(duration).unwrap_or(Timestamp::MIN);
    let (quiet, day, week) = (millis(times.quiet_from), millis(before(DAY)), millis(before(WEEK)));
    let rows = sql::query(format!(
        "SELECT way, CAST(sum(CASE WHEN arrival.last > ? THEN messages ELSE 0 END) AS BIGINT) AS recent, \
         CAST(sum(CASE WHEN arrival.last > ? THEN messages ELSE 0 END) AS BIGINT) AS day, \
         CAST(sum(CASE WHEN arrival.last > ? THEN messages ELSE 0 END) AS BIGINT) AS week, \
         max(arrival.last) AS latest {OF_BATCH} GROUP BY way"
    ))
    .bind(quiet)
    .bind(day)
    .bind(week)
    .bind(millis(before(KEPT_ARRIVALS)))
    .bind(batch)
    .fetch_all(&mut *connection)
    .await?;
    let mut found = Arrivals::default();
    for row in &rows {
        let cells = Cells(row);
        let recent: u64 = cells.number("recent")?;
        match cells.get::<&str>("way")? {
            "External" => {}
            "Internal" => found.internal = recent,
            "Returned" => {
                found.returned = cells.number("week")?;
                continue;
            }
            _ => continue,
        }
        found.recent += recent;
        found.day += cells.number::<u64>("day")?;
        found.week += cells.number::<u64>("week")?;
        found.last = found.last.max(Some(cells.time("latest")?));
    }
    found.hosts = hosts(connection, batch, quiet).await?;
    if let Some(settled) = times.settled {
        (found.writers, found.last_saved) = writers(connection, batch, millis(settled)).await?;
    }
    Ok(found)
}

/// Returns the hosts that delivered most messages since this time.
async fn hosts(connection: &mut Connection, batch: Guid, since: i64) -> Result<Vec<DeliveringHost>, Fault> {
    let rows = sql::query(format!(
        "SELECT host, address, CAST(sum(messages) AS BIGINT) AS messages {OF_BATCH} \
         AND way = 'External' AND arrival.last > ? GROUP BY host, address \
         ORDER BY messages DESC, host, address LIMIT {MAX_HOSTS}"
    ))
    .bind(since.saturating_sub(HOUR_MILLIS))
    .bind(batch)
    .bind(since)
    .fetch_all(connection)
    .await?;
    let hosts = rows.iter().map(|row| {
        let cells = Cells(row);
        Ok(DeliveringHost {
            name: cells.get("host")?,
            address: cells.get::<&str>("address")?.parse().ok(),
            messages: cells.number("messages")?,
        })
    });
    hosts.collect()
}

/// Returns the users who saved messages on the source after this time, with the last time.
async fn writers(
    connection: &mut Connection,
    batch: Guid,
    since: i64,
) -> Result<(NamedUsers, Option<Timestamp>), Fault> {
    let select = |columns: &str, end: &str| {
        sql::query(format!("SELECT {columns} {OF_BATCH} AND way = 'Saved' AND arrival.last > ?{end}"))
            .bind(since.saturating_sub(HOUR_MILLIS))
            .bind(batch)
            .bind(since)
    };
    let row = select("count(DISTINCT user_id) AS users, max(arrival.last) AS latest", "")
        .fetch_one(&mut *connection)
        .await?;
    let (count, last) = (Cells(&row).number("users")?, Cells(&row).time_if("latest")?);
    if count == 0 {
        return Ok((NamedUsers::default(), None));
    }
    let end = format!(" GROUP BY email_address ORDER BY email_address LIMIT {MAX_WRITERS}");
    let rows = select("email_address", &end).fetch_all(connection).await?;
    let first = rows.iter().map(|row| Cells(row).get("email_address"));
    Ok((NamedUsers { count, first: first.collect::<Result<_, Fault>>()? }, last))
}
