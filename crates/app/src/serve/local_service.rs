//! The operations, ready to be asked.

use std::{sync::Arc, time::Duration};

use axum::Router;
use mailhaul_operations::{Operations, Service};

use super::authorizer::StoreGate;
use crate::{context::Context, ops};

/// Who answers for one data directory.
pub(crate) struct Desk {
    pub(crate) context: Arc<Context>,
    pub(crate) service: Arc<Service<Context>>,
    gate: Arc<StoreGate>,
}

impl Desk {
    /// For this directory.
    pub(crate) fn new(context: Context, operations: Arc<Operations<Context>>) -> Self {
        let context = Arc::new(context);
        let gate = Arc::new(StoreGate::new(context.store.clone()));
        let service =
            Arc::new(Service::new(operations, context.clone(), gate.clone(), env!("CARGO_PKG_VERSION")));
        Self { context, service, gate }
    }

    /// Waits for operations under way, at most this long. Each change of an operation that is cut is whole.
    pub(crate) async fn finish_within(&self, grace: Duration) {
        if tokio::time::timeout(grace, self.service.finish()).await.is_err() {
            tracing::warn!("operations that did not end were cut");
        }
    }

    /// Records what was only counted, and closes the directory.
    pub(crate) async fn close(&self) {
        self.gate.finish().await;
        self.context.store.clone().close().await;
    }

    /// The HTTP interface to the operations alone.
    pub(crate) fn router(&self) -> Router {
        self.service.router()
    }
}

/// The list of operations.
pub(crate) fn operations() -> Arc<Operations<Context>> {
    Arc::new(ops::operations())
}
