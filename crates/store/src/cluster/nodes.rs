//! The right to run the service on a database.

use std::time::Duration;

use mailhaul_migration::Guid;

use crate::{
    Store,
    error::{Fault, StoreError},
    lock::ServiceLock,
    sql::{self, Connection},
};

/// Lifetime of the right on a server without a renewal. A machine that is lost is replaced after this time.
pub const SERVICE_LEASE_TIME: Duration = Duration::from_mins(1);

/// The server's clock, in milliseconds since 1970.
const NOW: &str = "CAST(extract(epoch FROM clock_timestamp()) * 1000 AS BIGINT)";

impl Store {
    /// Takes the right to run the service. At most one service runs on a database at any time.
    ///
    /// On a server it ends [`SERVICE_LEASE_TIME`] after the last renewal.
    ///
    /// # Errors
    /// [`StoreError::ServiceRuns`] while another process has it.
    pub async fn take_service(&self) -> Result<ServiceLock, StoreError> {
        if !self.is_on_server() {
            return self.lock_service();
        }
        let lock = ServiceLock::on_server();
        let (owner, data) = (lock.owner(), self.place());
        let name = name_of_process();
        self.change(move |connection| Box::pin(take(connection, owner, name, data))).await?;
        Ok(lock)
    }

    /// Prolongs the right to run the service.
    ///
    /// # Errors
    /// [`StoreError::ServiceRuns`] if another process has taken it over meanwhile.
    pub async fn renew_service(&self, owner: Guid) -> Result<(), StoreError> {
        if !self.is_on_server() {
            return Ok(());
        }
        let data = self.place();
        self.change_beside(move |connection| {
            Box::pin(async move {
                let sql = format!("UPDATE service SET until = {NOW} + ?1 WHERE owner = ?2");
                match sql::query(sql).bind(lease_millis()).bind(owner).execute(connection).await? {
                    0 => Err(runs(connection, data).await?.into()),
                    _ => Ok(()),
                }
            })
        })
        .await
    }

    /// Returns the right, so that the next service need not wait for its end.
    pub async fn end_service(&self, owner: Guid) -> Result<(), StoreError> {
        if !self.is_on_server() {
            return Ok(());
        }
        self.change(move |connection| {
            Box::pin(async move {
                sql::query("DELETE FROM service WHERE owner = ?").bind(owner).execute(connection).await?;
                Ok(())
            })
        })
        .await
    }
}

async fn take(connection: &mut Connection, owner: Guid, name: String, data: String) -> Result<(), Fault> {
    let sql = format!(
        "INSERT INTO service (id, owner, name, until) VALUES (1, ?1, ?2, {NOW} + ?3) ON CONFLICT (id) DO UPDATE SET \
         owner = excluded.owner, name = excluded.name, until = excluded.until WHERE service.until <= {NOW}"
    );
    match sql::query(sql).bind(owner).bind(name).bind(lease_millis()).execute(connection).await? {
        0 => Err(runs(connection, data).await?.into()),
        _ => Ok(()),
    }
}

/// Returns an error if another process has the right to run the service.
///
/// A process that slept may have lost it without knowing. On a file the lock excludes that.
pub(crate) async fn check(connection: &mut Connection, owner: Guid) -> Result<(), Fault> {
    if !connection.is_shared() {
        return Ok(());
    }
    let found = sql::query("SELECT owner FROM service FOR SHARE").fetch_optional(connection).await?;
    match found.map(|row| row.try_get::<Guid>(0)).transpose()? {
        Some(other) if other != owner => Err(runs(connection, "this database".to_owned()).await?.into()),
        _ => Ok(()),
    }
}

async fn runs(connection: &mut Connection, data: String) -> Result<StoreError, Fault> {
    let holder: Option<String> =
        sql::query_scalar("SELECT name FROM service").fetch_optional(connection).await?;
    Ok(StoreError::ServiceRuns { data, holder: holder.unwrap_or_else(|| "unknown process".to_owned()) })
}

fn lease_millis() -> i64 {
    i64::try_from(SERVICE_LEASE_TIME.as_millis()).unwrap_or(i64::MAX)
}

/// Describes this process for the messages of others: `process 123 on mail1`.
fn name_of_process() -> String {
    let machine = nix::unistd::gethostname().ok().and_then(|name| name.into_string().ok());
    format!(
        "process {} on {}",
        std::process::id(),
        machine.unwrap_or_else(|| "an unknown machine".to_owned())
    )
}
