//! Requests to the service, byte by byte as from a socket.

use std::{cell::RefCell, sync::Arc};

use axum::{Router, body::Body};
use futures_util::future::BoxFuture;
use hyper::{Request, body::Incoming, server::conn::http1, service::service_fn};
use hyper_util::rt::TokioIo;
use mailhaul_operations::{Caller, Failure, Gate, Operations, Record, Role, Service};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    runtime::{Builder, Runtime},
};
use tower::ServiceExt as _;

use crate::lamps::{House, operations};

/// The input of one connection, headers and bodies.
pub fn http(wire: &[u8]) {
    // The test operations wait and panic for these two.
    if contains(wire, b"complete") || contains(wire, b"666") {
        return;
    }
    let answers = RUNTIME.with_borrow(|runtime| runtime.block_on(converse(wire)));
    for status in statuses(&answers) {
        assert!(status < 500 || status == 503, "{}", String::from_utf8_lossy(&answers));
    }
}

thread_local! {
    static RUNTIME: RefCell<Runtime> =
        RefCell::new(Builder::new_current_thread().enable_time().build().expect("a runtime"));
    static OPERATIONS: Arc<Operations<House>> = Arc::new(operations());
}

async fn converse(wire: &[u8]) -> Vec<u8> {
    let (client, server) = tokio::io::duplex(64 << 10);
    let (mut from_server, mut to_server) = tokio::io::split(client);
    let router = router();
    let service =
        service_fn(move |request: Request<Incoming>| router.clone().oneshot(request.map(Body::new)));
    let serve = async {
        let connection =
            http1::Builder::new().half_close(true).serve_connection(TokioIo::new(server), service);
        _ = connection.await;
    };
    let send = async {
        // The server may close before it has read everything.
        _ = to_server.write_all(wire).await;
        _ = to_server.shutdown().await;
    };
    let mut answers = Vec::new();
    let receive = async { _ = from_server.read_to_end(&mut answers).await };
    tokio::join!(serve, send, receive);
    answers
}

fn router() -> Router {
    let (house, door) = (Arc::new(House::default()), Arc::new(Door));
    let operations = OPERATIONS.with(Arc::clone);
    Arc::new(Service::new(operations, house, door, "1.2.3")).router()
}

/// The statuses of all answers. A line of a body cannot begin like this.
fn statuses(answers: &[u8]) -> Vec<u16> {
    let text = String::from_utf8_lossy(answers);
    text.split("HTTP/1.").skip(1).filter_map(|answer| answer.get(2..5)?.parse().ok()).collect()
}

fn contains(wire: &[u8], part: &[u8]) -> bool {
    wire.windows(part.len()).any(|window| window.eq_ignore_ascii_case(part))
}

/// Accepts one token.
struct Door;

impl Gate for Door {
    fn admit<'a>(&'a self, token: &'a str) -> BoxFuture<'a, Result<Option<Caller>, Failure>> {
        let caller = Caller { name: "admin".to_owned(), role: Role::Admin, is_local: false };
        let admitted = if token == "admin" { Some(caller) } else { None };
        Box::pin(std::future::ready(Ok(admitted)))
    }

    fn record(&self, _record: Record) -> BoxFuture<'_, ()> {
        Box::pin(std::future::ready(()))
    }
}
