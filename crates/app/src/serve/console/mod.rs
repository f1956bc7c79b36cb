//! Routes of the web console: its page, its files, and the way there.

mod headers;

use std::sync::Arc;

use axum::{
    Router,
    extract::{Path as UrlPath, Request},
    http::{HeaderMap, HeaderValue, StatusCode, header},
    middleware,
    response::{IntoResponse as _, Redirect, Response},
    routing::get,
};
use mailhaul_console::{Console, WebFile};
use mailhaul_operations::{Failure, Peer};

use super::{local_service::LocalService, session::routes as session_routes};

const START: &str = "/console/";
/// Caching of a file whose address changes with its content.
const FOREVER: &str = "public, max-age=31536000, immutable";

/// Source of the console's files.
#[derive(Clone)]
pub(crate) enum ConsoleFiles {
    Embedded(Arc<Console>),
    /// Read again for each request. For debug builds.
    #[cfg_attr(not(debug_assertions), expect(dead_code, reason = "an option of debug builds"))]
    Directory(std::path::PathBuf),
}

impl ConsoleFiles {
    pub(crate) fn embedded() -> Self {
        Self::Embedded(Arc::new(Console::embedded()))
    }

    fn current(&self) -> Result<Arc<Console>, Failure> {
        match self {
            Self::Embedded(console) => Ok(console.clone()),
            Self::Directory(directory) => {
                Console::from_directory(directory).map(Arc::new).map_err(Failure::internal)
            }
        }
    }
}

/// Routes of a service that listens: page, files and sessions.
pub(crate) fn routes(local: &LocalService, files: ConsoleFiles) -> Router {
    let (of_page, of_file, asked) = (files.clone(), files, local.clone());
    let page = move |request: Request| {
        let files = of_page.clone();
        async move { serve(&files, "", request.headers()) }
    };
    let file = move |UrlPath(address): UrlPath<String>, request: Request| {
        let files = of_file.clone();
        async move { serve(&files, &address, request.headers()) }
    };
    Router::new()
        .route(START, get(page))
        .route("/console/{*address}", get(file))
        .route("/console", get(|| async { Redirect::permanent(START) }))
        .route("/", get(move |request: Request| async move { root(&asked, request).await }))
        .merge(session_routes::routes(local))
        .layer(middleware::from_fn(with_headers))
}

async fn with_headers(request: Request, next: middleware::Next) -> Response {
    let is_encrypted = request.extensions().get::<Peer>().is_some_and(|peer| peer.is_encrypted);
    let mut answer = next.run(request).await;
    headers::add(answer.headers_mut(), is_encrypted);
    answer
}

/// Sends browsers to the console. Programs get the answer of an unknown address.
async fn root(local: &LocalService, request: Request) -> Response {
    let accepted = request.headers().get(header::ACCEPT).and_then(|it| it.to_str().ok());
    if accepted.is_some_and(|it| it.contains("text/html")) {
        return Redirect::to(START).into_response();
    }
    let (head, _) = request.into_parts();
    match local.service.caller(&head).await {
        Ok(_) => Failure::not_found("/ does not exist").into_response(),
        Err(failure) => failure.into_response(),
    }
}

/// Answers with the file of the address, else with the page that loads all others.
fn serve(files: &ConsoleFiles, address: &str, headers: &HeaderMap) -> Response {
    let console = match files.current() {
        Ok(console) => console,
        Err(failure) => return failure.into_response(),
    };
    if Console::is_file(address) {
        return match console.file(address) {
            Some(file) => send(file, FOREVER, headers),
            None => StatusCode::NOT_FOUND.into_response(),
        };
    }
    send(console.shell(), "no-cache", headers)
}

fn send(file: &WebFile, caching: &'static str, headers: &HeaderMap) -> Response {
    let accepted = headers.get(header::ACCEPT_ENCODING).and_then(|it| it.to_str().ok());
    let is_compressed = accepted.is_some_and(|it| {
        it.split(',').any(|coding| coding.split(';').next().is_some_and(|name| name.trim() == "gzip"))
    });
    let body = if is_compressed { &file.gzip } else { &file.plain };
    let mut answer = body.clone().into_response();
    let all = answer.headers_mut();
    all.insert(header::CONTENT_TYPE, HeaderValue::from_static(file.content_type));
    all.insert(header::CACHE_CONTROL, HeaderValue::from_static(caching));
    all.insert(header::VARY, HeaderValue::from_static("Accept-Encoding"));
    if is_compressed {
        all.insert(header::CONTENT_ENCODING, HeaderValue::from_static("gzip"));
    }
    answer
}
