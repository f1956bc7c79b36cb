//! The listener: reads requests, and passes them on.

use std::sync::Arc;

use http_body_util::BodyExt as _;
use hyper::{Method, Request, StatusCode, body::Incoming, service::service_fn};
use hyper_util::rt::TokioIo;
use tokio::net::TcpListener;

use super::{
    super::server::Server,
    api_state::Fault,
    gmail_api,
    reply::{Answer, Closed, refusal},
    request::ApiRequest,
    token,
};

/// Serves all clients.
pub(in crate::fake) async fn listen(server: Arc<Server>, listener: TcpListener) {
    while let Ok((stream, _)) = listener.accept().await {
        let server = Arc::clone(&server);
        let service = service_fn(move |request| {
            let server = Arc::clone(&server);
            async move { answer(&server, request).await }
        });
        tokio::spawn(async move {
            // The end of a connection concerns only the client.
            _ = hyper::server::conn::http1::Builder::new()
                .serve_connection(TokioIo::new(stream), service)
                .await;
        });
    }
}

async fn answer(server: &Server, request: Request<Incoming>) -> Answer {
    let (head, mut body) = request.into_parts();
    let query = head.uri.query().unwrap_or_default();
    let mut request = ApiRequest {
        method: head.method,
        path: head.uri.path().to_owned(),
        query: form_urlencoded::parse(query.as_bytes()).into_owned().collect(),
        headers: head.headers,
        body: Vec::new(),
        fault: None,
    };
    let call = gmail_api::call(server, &request);
    if let Some(call) = &call {
        request.fault = call.user.api().take_fault(call.step);
    }
    let most = match request.fault {
        Some(Fault::CutAfter(octets)) => octets,
        _ => usize::MAX,
    };
    while request.body.len() < most
        && let Some(frame) = body.frame().await
    {
        let frame = frame.map_err(|_| Closed)?;
        request.body.extend_from_slice(frame.data_ref().map_or(&[], |it| it));
    }
    request.body.truncate(most);
    match (call, request.path.as_str()) {
        (Some(call), _) => gmail_api::answer(server, &call, &request),
        (None, "/token") if request.method == Method::POST => Ok(token::answer(server, &request.body)),
        (None, path) if path.contains("/gmail/v1/users/") => {
            Ok(refusal(StatusCode::UNAUTHORIZED, "authError", "Invalid Credentials"))
        }
        _ => Ok(refusal(StatusCode::NOT_FOUND, "notFound", "Not Found")),
    }
}
