//! Rights that one pass has at a time: to a mailbox, and to a user of a target.

use std::fs::File;

use crate::{
    db::{error::StoreError, lock, server::Turn, sql},
    jobs::leases::Lease,
    store::{Backend, Shared},
};

/// The thing that one pass has at a time.
#[derive(Clone, Copy)]
pub(crate) enum HeldName<'a> {
    /// A mailbox of the ledger, by its id.
    Mailbox(i64),
    /// The user of a target, as `user@host`.
    Target(&'a str),
}

/// A right, which ends with this value or with the lease.
pub(crate) enum Held {
    /// A lock on a file in the data directory.
    File { _lock: File },
    /// A row of the server. It counts while the lease of its holder lasts.
    Row,
}

/// True in SQL if the holder of a right has its lease.
const IS_LEASED: &str = "EXISTS (SELECT 1 FROM migration_user \
     WHERE guid = held.holder AND fence = held.fence AND lease_owner IS NOT NULL)";

impl Shared {
    /// Takes a right; `None` if another pass has it.
    ///
    /// On a server nothing is taken without a lease: only the service runs passes there.
    pub(crate) async fn hold(
        &self,
        name: HeldName<'_>,
        lease: Option<Lease>,
    ) -> Result<Option<Held>, StoreError> {
        let server = match &self.backend {
            Backend::File(file) => {
                let lock = match name {
                    HeldName::Mailbox(id) => lock::mailbox(&file.data, id)?,
                    HeldName::Target(owner) => lock::target(&file.data, owner)?,
                };
                return Ok(lock.map(|lock| Held::File { _lock: lock }));
            }
            Backend::Server(server) => server,
        };
        let name = match name {
            HeldName::Mailbox(id) => format!("mailbox {id}"),
            // Mail servers compare names of users without regard to case.
            HeldName::Target(owner) => format!("target {}", owner.to_lowercase()),
        };
        let taken = server.change(Turn::Beside, move |connection| {
            Box::pin(async move {
                let Some(lease) = lease else {
                    let sql = format!("SELECT name FROM held WHERE name = ? AND {IS_LEASED}");
                    return Ok(sql::query(sql).bind(name).fetch_optional(connection).await?.is_none());
                };
                let sql = format!(
                    "INSERT INTO held (name, holder, fence) VALUES (?, ?, ?) ON CONFLICT (name) DO UPDATE \
                     SET holder = excluded.holder, fence = excluded.fence \
                     WHERE held.holder = excluded.holder OR NOT {IS_LEASED}"
                );
                let query = sql::query(sql).bind(name).bind(lease.user).bind(lease.fence);
                Ok(query.execute(connection).await? == 1)
            })
        });
        Ok(taken.await?.then_some(Held::Row))
    }
}
