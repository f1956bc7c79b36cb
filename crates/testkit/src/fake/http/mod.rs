//! The HTTP side: access tokens, and Gmail's API.

mod gmail_api;
mod token;
mod upload;

use std::{
    collections::{BTreeMap, VecDeque},
    fmt,
    sync::Arc,
    time::Duration,
};

use bytes::Bytes;
use http_body_util::{BodyExt as _, Full};
use hyper::{Method, Request, Response, StatusCode, body::Incoming, header, service::service_fn};
use hyper_util::rt::TokioIo;
use serde_json::{Value, json};
use tokio::net::TcpListener;

use self::upload::Upload;
use super::Server;

/// The purpose of a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    /// The list of labels.
    Labels,
    /// A message with its labels, in one request.
    Import,
    /// The start of an upload in chunks.
    Start,
    /// A chunk.
    Chunk,
    /// A query for the received part of an upload.
    Query,
}

/// A fault of a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// 429. With a duration, the client must not use the mailbox before its end.
    TooManyRequests(Option<Duration>),
    /// 403, `userRateLimitExceeded`.
    RateLimited,
    /// 503.
    Unavailable,
    /// 401, and the token is invalid from now on.
    Unauthorized,
    /// 400 with these words: the message is refused.
    Refused(&'static str),
    /// The connection is closed after this number of bytes of the body.
    CutAfter(usize),
    /// The request takes effect, and the connection is closed without an answer.
    AnswerLost,
    /// This status, 404 or 410: the upload no longer exists.
    SessionGone(u16),
    /// The request takes effect and is answered, but IMAP shows the message only after this time.
    SeenAfter(Duration),
}

/// The requests of one user over HTTP.
#[derive(Debug, Default)]
pub(super) struct ApiState {
    pub(super) faults: VecDeque<(Step, Fault)>,
    uploads: BTreeMap<u64, Upload>,
    /// Spent quota units with their times.
    spent: VecDeque<(Duration, u64)>,
    /// The client must not use the mailbox before this time.
    away_until: Duration,
}

impl ApiState {
    fn take_fault(&mut self, step: Step) -> Option<Fault> {
        let index = self.faults.iter().position(|(it, _)| *it == step)?;
        self.faults.remove(index).map(|(_, fault)| fault)
    }

    /// Spends quota units. Returns the delay if there are too few.
    fn spend(&mut self, units: u64, limit: Option<u64>, now: Duration) -> Result<(), Duration> {
        const MINUTE: Duration = Duration::from_mins(1);
        let Some(limit) = limit else { return Ok(()) };
        while self.spent.front().is_some_and(|(then, _)| *then + MINUTE <= now) {
            self.spent.pop_front();
        }
        let spent: u64 = self.spent.iter().map(|(_, units)| units).sum();
        match self.spent.front() {
            Some((then, _)) if spent + units > limit => Err((*then + MINUTE).saturating_sub(now)),
            _ => {
                self.spent.push_back((now, units));
                Ok(())
            }
        }
    }
}

/// An answer, or the end of the connection without one.
type Answer = Result<Response<Full<Bytes>>, Closed>;

#[derive(Clone, Copy, Debug)]
struct Closed;

impl fmt::Display for Closed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the connection is closed")
    }
}

impl std::error::Error for Closed {}

/// A request with its body, or with the part of the body before a cut.
struct Asked {
    method: Method,
    path: String,
    query: BTreeMap<String, String>,
    headers: header::HeaderMap,
    body: Vec<u8>,
    fault: Option<Fault>,
}

impl Asked {
    fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
    }
}

/// Serves all clients.
pub(super) async fn listen(server: Arc<Server>, listener: TcpListener) {
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
    let mut asked = Asked {
        method: head.method,
        path: head.uri.path().to_owned(),
        query: form_urlencoded::parse(query.as_bytes()).into_owned().collect(),
        headers: head.headers,
        body: Vec::new(),
        fault: None,
    };
    let meant = gmail_api::meant(server, &asked);
    if let Some(meant) = &meant {
        asked.fault = meant.user.api().take_fault(meant.step);
    }
    let most = match asked.fault {
        Some(Fault::CutAfter(octets)) => octets,
        _ => usize::MAX,
    };
    while asked.body.len() < most
        && let Some(frame) = body.frame().await
    {
        let frame = frame.map_err(|_| Closed)?;
        asked.body.extend_from_slice(frame.data_ref().map_or(&[], |it| it));
    }
    asked.body.truncate(most);
    match (meant, asked.path.as_str()) {
        (Some(meant), _) => gmail_api::answer(server, &meant, &asked),
        (None, "/token") if asked.method == Method::POST => Ok(token::answer(server, &asked.body)),
        (None, path) if path.contains("/gmail/v1/users/") => {
            Ok(refusal(StatusCode::UNAUTHORIZED, "authError", "Invalid Credentials"))
        }
        _ => Ok(refusal(StatusCode::NOT_FOUND, "notFound", "Not Found")),
    }
}

fn reply(status: StatusCode, content: &Value) -> Response<Full<Bytes>> {
    let mut response = Response::new(Full::new(Bytes::from(content.to_string())));
    *response.status_mut() = status;
    response
        .headers_mut()
        .insert(header::CONTENT_TYPE, header::HeaderValue::from_static("application/json; charset=UTF-8"));
    response
}

/// A refusal in the form of Google's APIs.
fn refusal(status: StatusCode, reason: &str, words: &str) -> Response<Full<Bytes>> {
    let content = json!({"error": {
        "code": status.as_u16(),
        "message": words,
        "errors": [{"message": words, "domain": "global", "reason": reason}],
    }});
    reply(status, &content)
}

fn with_header(
    mut response: Response<Full<Bytes>>,
    name: header::HeaderName,
    value: &str,
) -> Response<Full<Bytes>> {
    response.headers_mut().insert(name, value.parse().unwrap());
    response
}

/// A delay for HTTP: whole seconds, rounded up.
fn seconds(wait: Duration) -> u64 {
    wait.as_secs() + u64::from(wait.subsec_nanos() > 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn units_are_counted_within_a_minute() {
        let second = Duration::from_secs(1);
        let mut state = ApiState::default();
        assert_eq!(state.spend(60, Some(100), second), Ok(()));
        assert_eq!(state.spend(40, Some(100), 20 * second), Ok(()));
        assert_eq!(state.spend(1, Some(100), 21 * second), Err(40 * second));
        assert_eq!(state.spend(60, Some(100), 61 * second), Ok(()));
        assert_eq!(seconds(Duration::from_millis(1500)), 2);
    }
}
