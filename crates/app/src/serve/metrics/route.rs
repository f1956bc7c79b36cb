//! `GET /metrics` and `GET /metrics/cluster`.

use std::{sync::Arc, time::Duration};

use axum::{
    Router,
    extract::Request,
    http::{StatusCode, header},
    response::{IntoResponse as _, Response},
    routing::get,
};
use mailhaul_operations::Role;
use mailhaul_store::StoreError;
use tokio::{sync::Mutex, time::Instant};

use super::{database, page::Page, process};
use crate::{context::Context, serve::local_service::LocalService};

const CONTENT_TYPE: &str = "text/plain; version=0.0.4; charset=utf-8";
/// The sums of a server are computed at most once in this time, for all who ask this node.
const SUMS_LIFETIME: Duration = Duration::from_secs(15);

/// The last page of the database's metrics, and when it was computed.
type LastSums = Arc<Mutex<Option<(Instant, String)>>>;

/// Returns both routes. With a data directory `/metrics` has everything: there is one process.
pub(in crate::serve) fn routes(local: &LocalService) -> Router {
    let (node, cluster) = (local.clone(), local.clone());
    let last = LastSums::default();
    Router::new()
        .route(
            "/metrics",
            get(move |request| {
                let local = node.clone();
                async move { answer(&local, request, async |context| own(context).await).await }
            }),
        )
        .route(
            "/metrics/cluster",
            get(move |request| {
                let (local, last) = (cluster.clone(), Arc::clone(&last));
                async move { answer(&local, request, async |context| sums(context, &last).await).await }
            }),
        )
}

async fn answer(
    local: &LocalService,
    request: Request,
    page: impl AsyncFnOnce(&Context) -> Result<String, StoreError>,
) -> Response {
    let (head, _) = request.into_parts();
    match local.service.caller(&head).await {
        Ok(caller) if caller.role >= Role::Viewer => {}
        Ok(_) => return StatusCode::FORBIDDEN.into_response(),
        Err(_) => return StatusCode::UNAUTHORIZED.into_response(),
    }
    match page(&local.context).await {
        Ok(page) => ([(header::CONTENT_TYPE, CONTENT_TYPE)], page).into_response(),
        Err(error) => {
            tracing::error!("{error}");
            StatusCode::SERVICE_UNAVAILABLE.into_response()
        }
    }
}

/// Metrics of this process, and of the database if no other process serves it.
async fn own(context: &Context) -> Result<String, StoreError> {
    let mut page = Page::default();
    process::add(context, &mut page).await?;
    if !context.store.is_on_server() {
        database::add(context, &mut page).await?;
    }
    Ok(page.0)
}

/// Metrics of the database. Two requests at once compute them once.
async fn sums(context: &Context, last: &LastSums) -> Result<String, StoreError> {
    let mut last = last.lock().await;
    if let Some((computed, page)) = &*last
        && computed.elapsed() < SUMS_LIFETIME
    {
        return Ok(page.clone());
    }
    let mut page = Page::default();
    database::add(context, &mut page).await?;
    *last = Some((Instant::now(), page.0.clone()));
    Ok(page.0)
}
