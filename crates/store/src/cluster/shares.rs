//! Division of the limits of endpoints among the nodes of a database.

use mailhaul_migration::Guid;

use super::share::{Holding, Part, Request, ShareKind, part};
use crate::{
    cluster::wakes::{Wake, notify},
    db::{
        columns::{Cells, whole},
        error::{Fault, StoreError},
        sql::{self, Connection},
    },
    handles::Nodes,
};

/// The holding of a node that has no row.
const NOTHING: Holding = Holding { granted: 0, wanted: 0 };

/// A node's wish for a part of a limit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Wish {
    pub endpoint: Guid,
    pub kind: ShareKind,
    /// The limit on all nodes together.
    pub limit: u64,
    /// The amount that the node uses now.
    pub taken: u64,
    /// The amount that the node could use.
    pub wanted: u64,
}

impl Nodes<'_> {
    /// Returns this node's parts, in the order of the wishes. A change wakes the other nodes.
    ///
    /// # Errors
    /// The database cannot be written; the parts stay as they were.
    pub async fn divide(self, node: Guid, wishes: Vec<Wish>) -> Result<Vec<Part>, StoreError> {
        let db = self.0;
        db.change_beside(move |connection| {
            Box::pin(async move {
                // All nodes lock endpoints in one order.
                let mut order: Vec<usize> = (0..wishes.len()).collect();
                order.sort_unstable_by_key(|index| (wishes[*index].endpoint, wishes[*index].kind));
                let (mut parts, mut is_changed) = (vec![Part::default(); wishes.len()], false);
                for index in order {
                    let (found, has_changed) = divide(connection, node, &wishes[index]).await?;
                    parts[index] = found;
                    is_changed |= has_changed;
                }
                if is_changed {
                    notify(connection, Wake::Look).await?;
                }
                Ok(parts)
            })
        })
        .await
    }
}

/// Returns the part, and true if it or the wish differs from the last one.
async fn divide(connection: &mut Connection, node: Guid, wish: &Wish) -> Result<(Part, bool), Fault> {
    sql::query("SELECT guid FROM endpoint WHERE guid = ? FOR NO KEY UPDATE")
        .bind(wish.endpoint)
        .execute(&mut *connection)
        .await?;
    let rows =
        sql::query("SELECT node, granted, wanted FROM share WHERE endpoint = ? AND kind = ? ORDER BY node")
            .bind(wish.endpoint)
            .bind(wish.kind.to_string())
            .fetch_all(&mut *connection)
            .await?;
    let (mut own, mut others, mut place) = (None, Vec::new(), 0);
    for row in &rows {
        let cells = Cells(row);
        let holding = Holding { granted: cells.number("granted")?, wanted: cells.number("wanted")? };
        let other: Guid = cells.get("node")?;
        if other == node {
            own = Some(holding);
        } else {
            place += usize::from(other < node);
            others.push(holding);
        }
    }
    let Wish { limit, taken, wanted, .. } = *wish;
    let wanted = wanted.max(taken);
    let granted = own.map_or(0, |own| own.granted);
    let found = part(&Request { limit, taken, wanted, granted, place }, &others);
    let new = Holding { granted: found.may_begin.max(taken), wanted };
    let is_changed = own.unwrap_or(NOTHING) != new;
    if is_changed {
        keep(connection, node, wish, new).await?;
    }
    // Another node needs to know only if there is one.
    Ok((found, is_changed && !others.is_empty()))
}

async fn keep(connection: &mut Connection, node: Guid, wish: &Wish, new: Holding) -> Result<(), Fault> {
    let of_node =
        |sql: &'static str| sql::query(sql).bind(wish.endpoint).bind(wish.kind.to_string()).bind(node);
    let query = if new == NOTHING {
        of_node("DELETE FROM share WHERE endpoint = ?1 AND kind = ?2 AND node = ?3")
    } else {
        of_node(
            "INSERT INTO share (endpoint, kind, node, granted, wanted) \
             SELECT ?1, ?2, ?3, ?4, ?5 WHERE EXISTS (SELECT 1 FROM endpoint WHERE guid = ?1) \
             ON CONFLICT (endpoint, kind, node) DO UPDATE SET granted = excluded.granted, wanted = excluded.wanted",
        )
        .bind(whole(new.granted))
        .bind(whole(new.wanted))
    };
    query.execute(connection).await?;
    Ok(())
}
