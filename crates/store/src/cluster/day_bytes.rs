//! Bytes of a day that nodes reserve before they move them.
//!
//! Invariant: the bytes that all nodes have used and reserved exceed the limit of an endpoint only if it was lowered. A node
//! moves no more than it has reserved, so a node that is cut off or lost exceeds nothing.

use mailhaul_migration::Guid;

use super::{server_clock::SERVER_NOW, share::ShareKind};
use crate::{
    db::{
        columns::{Cells, whole},
        error::{Fault, StoreError},
        sql::{self, Connection},
    },
    handles::Jobs,
};

/// A node's request for bytes of an endpoint's day.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ByteRequest {
    pub endpoint: Guid,
    /// Bytes that all nodes together may move in 24 hours.
    pub limit: u64,
    /// Bytes that the node has moved and not saved as usage.
    pub unsaved: u64,
    /// The smallest reservation that is of use; 0 if the node gives back what it has.
    pub needed: u64,
    /// The reservation that the node wants, at least `needed`.
    pub wanted: u64,
    /// The first hour since 1970 that counts.
    pub first_hour: u64,
    /// The current hour since 1970.
    pub hour: u64,
}

/// Answer to a request.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ByteAnswer {
    /// Bytes that the node may move. They replace those of its last answer.
    pub reserved: u64,
    /// Bytes by hour that count, without those of this node that are not saved. Reservations of others count as used.
    pub used: Vec<(u64, u64)>,
}

impl Jobs<'_> {
    /// Reserves bytes of a day for a node, in place of those that it has reserved.
    ///
    /// Grants less than `wanted` if less is free, and nothing if `needed` is not free. A message that is larger than the
    /// limit is granted when nothing else of the day was used.
    ///
    /// # Errors
    /// [`StoreError::NodeLost`] if other nodes have counted this one as lost.
    pub async fn reserve_bytes(self, node: Guid, request: ByteRequest) -> Result<ByteAnswer, StoreError> {
        let db = self.0;
        let database = db.place();
        db.change_beside(move |connection| {
            Box::pin(async move {
                let endpoint = sql::query("SELECT guid FROM endpoint WHERE guid = ? FOR NO KEY UPDATE");
                let endpoint = endpoint.bind(request.endpoint).fetch_optional(&mut *connection).await?;
                if endpoint.is_none() {
                    return Ok(ByteAnswer::default());
                }
                // The node is not counted as lost before the end of the transaction.
                let alive = sql::query("SELECT guid FROM node WHERE guid = ? FOR KEY SHARE").bind(node);
                if alive.fetch_optional(&mut *connection).await?.is_none() {
                    return Err(StoreError::NodeLost { database }.into());
                }
                let used = used_elsewhere(connection, node, &request).await?;
                let reserved = grant(&request, used.iter().map(|(_, bytes)| *bytes).sum());
                keep(connection, node, &request, reserved).await?;
                Ok(ByteAnswer { reserved, used })
            })
        })
        .await
    }
}

/// Returns the bytes that may be reserved.
fn grant(request: &ByteRequest, used: u64) -> u64 {
    let taken = used.saturating_add(request.unsaved);
    let free = request.limit.saturating_sub(taken);
    match request.needed {
        0 => 0,
        needed if needed <= free => request.wanted.max(needed).min(free),
        needed if taken == 0 => needed,
        _ => 0,
    }
}

/// Reads usage and reservations at one moment: a node moves bytes from these to that when it saves them.
async fn used_elsewhere(
    connection: &mut Connection,
    node: Guid,
    request: &ByteRequest,
) -> Result<Vec<(u64, u64)>, Fault> {
    let rows = sql::query(
        "SELECT hour, CAST(sum(octets) AS BIGINT) AS octets FROM (\
         SELECT hour, octets FROM usage WHERE endpoint = ?1 AND hour >= ?2 UNION ALL \
         SELECT CAST(?3 AS BIGINT), granted FROM share WHERE endpoint = ?1 AND kind = ?4 AND node <> ?5) AS counted \
         GROUP BY hour ORDER BY hour",
    )
    .bind(request.endpoint)
    .bind(whole(request.first_hour))
    .bind(whole(request.hour))
    .bind(ShareKind::DayBytes.to_string())
    .bind(node)
    .fetch_all(connection)
    .await?;
    rows.iter().map(|row| Ok((Cells(row).number("hour")?, Cells(row).number("octets")?))).collect()
}

async fn keep(
    connection: &mut Connection,
    node: Guid,
    request: &ByteRequest,
    reserved: u64,
) -> Result<(), Fault> {
    let of_node = |sql: &'static str| {
        sql::query(sql).bind(request.endpoint).bind(ShareKind::DayBytes.to_string()).bind(node)
    };
    let query = match reserved.saturating_add(request.unsaved) {
        0 => of_node("DELETE FROM share WHERE endpoint = ?1 AND kind = ?2 AND node = ?3"),
        held => of_node(
            "INSERT INTO share (endpoint, kind, node, granted, wanted) VALUES (?1, ?2, ?3, ?4, ?4) \
             ON CONFLICT (endpoint, kind, node) DO UPDATE SET granted = excluded.granted, wanted = excluded.wanted",
        )
        .bind(whole(held)),
    };
    query.execute(connection).await?;
    Ok(())
}

/// Counts bytes as saved that the node had reserved.
pub(crate) async fn count_saved(
    connection: &mut Connection,
    endpoint: Guid,
    node: Guid,
    bytes: u64,
) -> Result<(), Fault> {
    let sql =
        "UPDATE share SET granted = max(granted - ?4, 0) WHERE endpoint = ?1 AND kind = ?2 AND node = ?3";
    let query = sql::query(sql).bind(endpoint).bind(ShareKind::DayBytes.to_string());
    query.bind(node).bind(whole(bytes)).execute(connection).await?;
    Ok(())
}

/// Counts what these nodes have reserved as used: they may have moved it. The caller has locked their rows.
pub(crate) async fn count_as_used(connection: &mut Connection, nodes: &[Guid]) -> Result<(), Fault> {
    for node in nodes {
        // No mailbox has an empty name.
        let sql = format!(
            "INSERT INTO usage (endpoint, mailbox, hour, octets) \
             SELECT endpoint, '', {SERVER_NOW} / 3600000, granted FROM share WHERE kind = ?1 AND node = ?2 \
             ON CONFLICT (endpoint, mailbox, hour) DO UPDATE SET octets = usage.octets + excluded.octets"
        );
        let query = sql::query(sql).bind(ShareKind::DayBytes.to_string()).bind(*node);
        query.execute(&mut *connection).await?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_more_is_granted_than_is_free() {
        // Limit, used by all, unsaved, needed, wanted; expected.
        let table = [
            (100, 0, 0, 0, 0, 0),
            (100, 0, 0, 1, 10, 10),
            (100, 50, 45, 1, 10, 5),
            (100, 50, 45, 6, 10, 0),
            (100, 50, 45, 5, 10, 5),
            (100, 100, 0, 1, 10, 0),
            (100, 130, 0, 1, 10, 0),
            // A message that is larger than a day.
            (100, 0, 0, 500, 500, 500),
            (100, 1, 0, 500, 500, 0),
            (100, 0, 1, 500, 500, 0),
        ];
        for (limit, used, unsaved, needed, wanted, expected) in table {
            let (endpoint, first_hour, hour) = (Guid::from_u128(1), 0, 24);
            let request = ByteRequest { endpoint, limit, unsaved, needed, wanted, first_hour, hour };
            assert_eq!(grant(&request, used), expected, "{request:?}");
        }
    }
}
