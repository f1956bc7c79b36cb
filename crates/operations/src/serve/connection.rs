//! Serves one connection: HTTP/1.1, timeouts for slow clients, an answer after a panic.

use std::{
    convert::Infallible,
    future::pending,
    panic::AssertUnwindSafe,
    pin::pin,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
};

use axum::body::Body;
use futures_util::FutureExt as _;
use hyper::{Request, StatusCode, body::Incoming, server::conn::http1, service::service_fn};
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::io::{AsyncRead, AsyncWrite};
use tower::ServiceExt as _;

use super::{Server, strangers::Guest};
use crate::{
    caller::{Caller, Peer},
    http::{Refused, broken},
};

impl Server {
    /// Serves a connection to its end. `caller` is known from the socket, the guest from TCP.
    pub(super) async fn carry<I>(self, io: I, caller: Option<Caller>, guest: Option<(Guest, Peer)>)
    where
        I: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    {
        let begun = Arc::new(AtomicBool::new(false));
        let (guest, peer) = guest.unzip();
        let router = self.router;
        let service = service_fn(|mut request: Request<Incoming>| {
            begun.store(true, Ordering::Relaxed);
            if let Some(caller) = &caller {
                request.extensions_mut().insert(caller.clone());
            }
            if let Some(peer) = peer {
                request.extensions_mut().insert(peer);
            }
            let answer = router.clone().oneshot(request.map(Body::new));
            let guest = guest.as_ref();
            async move {
                let answer = AssertUnwindSafe(answer).catch_unwind().await;
                Ok::<_, Infallible>(match answer {
                    Ok(Ok(response)) => {
                        if let Some(guest) = guest.filter(|_| response.status() != StatusCode::UNAUTHORIZED) {
                            guest.is_known();
                        }
                        response
                    }
                    Ok(Err(never)) => match never {},
                    Err(_) => {
                        tracing::error!("answering a request panicked");
                        Refused::from(broken()).into_response()
                    }
                })
            }
        });
        let mut connection = pin!(
            http1::Builder::new()
                .timer(TokioTimer::new())
                .header_read_timeout(self.limits.header_time)
                .serve_connection(TokioIo::new(io), service)
        );
        let is_cut = async {
            match &guest {
                Some(guest) => guest.cut.cancelled().await,
                None => pending().await,
            }
        };
        let ended = tokio::select! {
            ended = connection.as_mut() => ended,
            () = is_cut => {
                tracing::debug!("a connection without a token was closed for a newer one");
                return;
            }
            () = self.shutdown.cancelled() => {
                // Without a request, no client waits for an answer.
                if !begun.load(Ordering::Relaxed) {
                    return;
                }
                connection.as_mut().graceful_shutdown();
                connection.await
            }
        };
        if let Err(error) = ended {
            tracing::debug!("a connection broke: {error}");
        }
    }
}
