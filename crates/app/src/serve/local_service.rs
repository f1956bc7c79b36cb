//! Operations that run in this process.

use std::{sync::Arc, time::Duration};

use axum::Router;
use mailhaul_operations::{Operations, Service};

use super::{authorizer::Authorizer, description, events::feed::Feed, session::Sessions};
use crate::{context::Context, ops};

/// Operations on one data directory. Clones share it.
#[derive(Clone)]
pub(crate) struct LocalService {
    pub(crate) context: Arc<Context>,
    pub(crate) service: Arc<Service<Context>>,
    pub(crate) authorizer: Arc<Authorizer>,
    pub(crate) sessions: Sessions,
    pub(crate) feed: Feed,
}

impl LocalService {
    pub(crate) fn new(context: Context, operations: Arc<Operations<Context>>) -> Self {
        let context = Arc::new(context);
        let (sessions, feed) = (Sessions::new(context.store.clone()), Feed::new());
        let authorizer = Arc::new(Authorizer::new(context.store.clone(), sessions.clone(), feed.clone()));
        let service = Arc::new(Service::new(
            operations,
            context.clone(),
            authorizer.clone(),
            env!("CARGO_PKG_VERSION"),
        ));
        Self { context, service, authorizer, sessions, feed }
    }

    /// Waits for running operations, at most for the grace period.
    ///
    /// An operation that is cut leaves whole changes: each is a transaction.
    pub(crate) async fn finish_within(&self, grace: Duration) {
        if tokio::time::timeout(grace, self.service.finish()).await.is_err() {
            tracing::warn!("operations that did not end in time were cut");
        }
    }

    /// Records the refusals that were only counted, and closes the data directory.
    pub(crate) async fn close(&self) {
        self.authorizer.finish().await;
        self.context.store.clone().close().await;
    }

    /// HTTP interface to the operations, without the routes of monitoring.
    pub(crate) fn router(&self) -> Router {
        self.service.router()
    }
}

/// Returns the list of operations, with the descriptions of the service's other routes.
pub(crate) fn operations() -> Arc<Operations<Context>> {
    Arc::new(ops::operations().with_routes(description::routes))
}
