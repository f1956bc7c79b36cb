//! Writes arrivals in the transaction of the copies: a crash loses both or none.

use std::collections::BTreeMap;

use mailhaul_engine::{Arrival, LedgerRecord};
use mailhaul_mail::Via;
use mailhaul_migration::Guid;

use crate::db::{
    error::Fault,
    sql::{self, Connection},
};

pub(crate) const HOUR_MILLIS: i64 = 3_600_000;

/// Key of a row, without its user: hour, way, host and address.
type ArrivalKey = (i64, &'static str, String, String);

/// Counts the arrivals of a user in these records.
pub(crate) async fn count(
    connection: &mut Connection,
    user: Guid,
    records: &[LedgerRecord],
) -> Result<(), Fault> {
    let mut counts: BTreeMap<ArrivalKey, (i64, i64)> = BTreeMap::new();
    for record in records {
        let LedgerRecord::Arrived { arrivals, .. } = record else { continue };
        for arrival in arrivals {
            let last = arrival.at.saturating_mul(1_000);
            let count = counts.entry(key(arrival, last)).or_insert((0, last));
            *count = (count.0 + 1, count.1.max(last));
        }
    }
    for ((hour, way, host, address), (messages, last)) in counts {
        sql::query(
            "INSERT INTO arrival (user_id, hour, way, host, address, messages, last) \
             VALUES ((SELECT id FROM migration_user WHERE guid = ?), ?, ?, ?, ?, ?, ?) \
             ON CONFLICT (user_id, hour, way, host, address) DO UPDATE SET \
             messages = arrival.messages + excluded.messages, \
             last = CASE WHEN excluded.last > arrival.last THEN excluded.last ELSE arrival.last END",
        )
        .bind(user)
        .bind(hour)
        .bind(way.to_owned())
        .bind(host)
        .bind(address)
        .bind(messages)
        .bind(last)
        .execute(&mut *connection)
        .await?;
    }
    Ok(())
}

fn key(arrival: &Arrival, last: i64) -> ArrivalKey {
    let (way, deliverer) = match &arrival.via {
        Via::External(deliverer) => ("External", Some(deliverer)),
        Via::Internal => ("Internal", None),
        Via::Saved => ("Saved", None),
        Via::Returned => ("Returned", None),
    };
    let host = deliverer.and_then(|host| host.name.clone()).unwrap_or_default();
    let address = deliverer.and_then(|host| host.address).map(|address| address.to_string());
    (last.div_euclid(HOUR_MILLIS) * HOUR_MILLIS, way, host, address.unwrap_or_default())
}
