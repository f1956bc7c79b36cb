//! `POST /api/v1/downloads` makes a link, and `GET /downloads/...` answers it once.

use axum::{
    Router,
    body::{Body, to_bytes},
    extract::{Path, Request},
    http::{HeaderMap, StatusCode, header},
    response::{IntoResponse as _, Response},
    routing::{get, post},
};
use jiff::Timestamp;
use mailhaul_operations::Failure;
use serde::Deserialize;
use serde_json::json;
use tower::ServiceExt as _;

use super::message;
use crate::serve::local_service::LocalService;

const PATH: &str = "/api/v1/downloads";
/// Maximum bytes of a request for a link.
const MAX_BODY: usize = 4096;

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
struct LinkRequest {
    /// Address of the API whose answer is downloaded.
    address: String,
}

/// Routes of the links, and that of messages.
pub(crate) fn routes(local: &LocalService) -> Router {
    let (of_new, of_link) = (local.clone(), local.clone());
    let new = move |request: Request| async move {
        new_link(&of_new, request).await.unwrap_or_else(Failure::into_response)
    };
    let targets = local.router().merge(message::route(local));
    let link = move |Path(secret): Path<String>, headers: HeaderMap| async move {
        download(&of_link, targets, &secret, &headers).await.unwrap_or_else(Failure::into_response)
    };
    Router::new().route(PATH, post(new)).route("/downloads/{secret}", get(link)).merge(message::route(local))
}

async fn new_link(local: &LocalService, request: Request) -> Result<Response, Failure> {
    let wrong = || Failure::invalid("a download has an Address of the API, as JSON");
    let (head, body) = request.into_parts();
    let now = Timestamp::now();
    let (_, session) = local.sessions.find_with_halves(&head, now).await?;
    let body = to_bytes(body, MAX_BODY).await.map_err(|_| wrong())?;
    let LinkRequest { address } = serde_json::from_slice(&body).map_err(|_| wrong())?;
    if !address.starts_with("/api/v1/") {
        return Err(wrong().with_advice("Example: /api/v1/reports/Staff/export?Kind=Errors."));
    }
    let secret = local.sessions.new_link(session, address, now)?;
    let headers = [(header::CONTENT_TYPE, "application/json"), (header::CACHE_CONTROL, "no-store")];
    let link = json!({ "Value": [{ "Address": format!("/downloads/{secret}") }] });
    Ok((StatusCode::CREATED, headers, link.to_string()).into_response())
}

/// Answers as the address of the link does, to the caller of the session that made it.
async fn download(
    local: &LocalService,
    targets: Router,
    secret: &str,
    headers: &HeaderMap,
) -> Result<Response, Failure> {
    let (caller, address) = local.sessions.take_link(headers, secret, Timestamp::now()).await?;
    let request = Request::get(address).header(header::ACCEPT, "text/csv").body(Body::empty());
    let mut request = request.map_err(|_| Failure::invalid("the address of the download is none"))?;
    request.extensions_mut().insert(caller);
    Ok(targets.oneshot(request).await.unwrap_or_else(|never| match never {}))
}
