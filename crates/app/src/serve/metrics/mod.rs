//! Metrics for Prometheus: of this process, and of the database that all nodes share.

mod database;
mod page;
mod process;
mod route;

pub(super) use route::routes;

#[cfg(test)]
pub(crate) use tests_only::metrics;

#[cfg(test)]
mod tests_only {
    use mailhaul_store::StoreError;

    use super::{database, page::Page, process};
    use crate::context::Context;

    /// Returns all metrics with their current values.
    pub(crate) async fn metrics(context: &Context) -> Result<String, StoreError> {
        let mut page = Page::default();
        process::add(context, &mut page).await?;
        database::add(context, &mut page).await?;
        Ok(page.0)
    }
}
