//! Serves a router on this machine's socket and over TCP.

mod connection;
mod patient;
mod strangers;
mod tcp;
mod unix;

use std::{io, sync::Arc, time::Duration};

use axum::Router;
use tokio::{sync::Semaphore, task::JoinSet};
use tokio_util::sync::CancellationToken;

pub use unix::UnixSocket;

use self::strangers::Strangers;
use crate::http::Limits;

/// Router with limits and shutdown.
#[derive(Clone)]
pub struct Server {
    router: Router,
    shutdown: CancellationToken,
    limits: Limits,
    strangers: Strangers,
}

/// Source of connections.
trait Accept: Sync {
    type Socket: Send;

    fn accept_one(&self) -> impl Future<Output = io::Result<Self::Socket>> + Send;
}

impl Server {
    /// Serves this router until the token is cancelled.
    pub fn new(router: Router, shutdown: CancellationToken) -> Self {
        Self { router, shutdown, limits: Limits::default(), strangers: Strangers::default() }
    }

    #[must_use]
    pub fn with_limits(mut self, limits: Limits) -> Self {
        self.limits = limits;
        self
    }

    /// Accepts connections until shutdown, each in its own task; then waits for active requests.
    async fn serve<L: Accept, F>(&self, listener: &L, carry: impl Fn(L::Socket) -> F)
    where
        F: Future<Output = ()> + Send + 'static,
    {
        let places = Arc::new(Semaphore::new(self.limits.connections));
        let mut connections = JoinSet::new();
        loop {
            let accepted = tokio::select! {
                biased;
                () = self.shutdown.cancelled() => break,
                accepted = async {
                    let place = places.clone().acquire_owned().await;
                    listener.accept_one().await.map(|socket| (socket, place))
                } => accepted,
            };
            // Collects connections that have ended.
            while connections.try_join_next().is_some() {}
            match accepted {
                Ok((socket, place)) => {
                    let carried = carry(socket);
                    connections.spawn(async move {
                        carried.await;
                        drop(place);
                    });
                }
                Err(error) => {
                    // For example no free file descriptors; they return when connections end.
                    tracing::warn!("a connection cannot be accepted: {error}");
                    tokio::time::sleep(Duration::from_millis(100)).await;
                }
            }
        }
        let all = async { while connections.join_next().await.is_some() {} };
        if tokio::time::timeout(self.limits.ending_time, all).await.is_err() {
            tracing::warn!("connections that did not end were closed");
        }
    }
}
