//! The operations, ready to be asked.

use std::sync::Arc;

use axum::Router;
use mailhaul_operations::{Operations, Service};

use crate::{context::Context, gate::StoreGate, ops};

/// Who answers for one data directory.
pub(crate) struct Desk {
    pub(crate) context: Arc<Context>,
    pub(crate) service: Arc<Service<Context>>,
}

impl Desk {
    /// For this directory.
    pub(crate) fn new(context: Context, operations: Arc<Operations<Context>>) -> Self {
        let context = Arc::new(context);
        let gate = Arc::new(StoreGate::new(context.store.clone()));
        let service = Arc::new(Service::new(operations, context.clone(), gate, env!("CARGO_PKG_VERSION")));
        Self { context, service }
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
