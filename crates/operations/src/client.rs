//! Client of the operations: of a running service through its socket, or in this process through
//! the same router.

use std::{io, path::PathBuf};

use axum::{
    Router,
    body::Body,
    http::{HeaderValue, Method, Request, Response, header},
};
use http_body_util::BodyExt as _;
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use serde_json::{Map, Value};
use tokio::net::UnixStream;
use tower::ServiceExt as _;

use crate::{
    caller::Caller,
    entry::Entry,
    failure::Failure,
    http::{JSON, LINES, MAX_BODY, NEXT_LINK, VALUE, address, to_query},
    operation::CHANGED_COUNT,
    parameter::IDENTITY,
    steps::{STEP, StepUse},
    verb::Verb,
};

/// Bytes of a query above which a removal sends its parameters in the body.
const MAX_QUERY: usize = 8 << 10;

#[derive(Clone, Debug)]
pub struct Client(Transport);

#[derive(Clone, Debug)]
enum Transport {
    Socket(PathBuf),
    Local(Router, Caller),
}

impl Client {
    /// Connects to the service that listens at this socket.
    pub fn unix(path: impl Into<PathBuf>) -> Self {
        Self(Transport::Socket(path.into()))
    }

    /// Runs operations in this process, as this caller.
    pub fn local(router: Router, caller: Caller) -> Self {
        Self(Transport::Local(router, caller))
    }

    pub async fn call(&self, entry: &Entry, request: Value) -> Result<Vec<Value>, Failure> {
        let mut pages = self.pages(entry, request)?;
        let mut results = Vec::new();
        while let Some(page) = pages.next().await? {
            results.extend(page);
        }
        Ok(results)
    }

    /// Calls an operation, and receives its steps while it runs.
    pub async fn call_in_steps(
        &self,
        entry: &Entry,
        request: Value,
        mut on_step: impl FnMut(&Value),
    ) -> Result<Vec<Value>, Failure> {
        if entry.steps() == StepUse::None {
            return self.call(entry, request).await;
        }
        let mut message = request_of(entry, request)?;
        message.headers_mut().insert(header::ACCEPT, HeaderValue::from_static(LINES));
        let response = self.send(message).await?;
        let status = response.status().as_u16();
        let kind = response.headers().get(header::CONTENT_TYPE);
        if kind.is_none_or(|kind| kind.as_bytes() != LINES.as_bytes()) {
            return results(status, &mut body_of(response).await?);
        }
        let (mut body, mut received) = (response.into_body(), Vec::new());
        while let Some(frame) = body.frame().await {
            let frame = frame.map_err(|error| broken(&error))?;
            received.extend_from_slice(frame.data_ref().map_or(&[], |data| data.as_ref()));
            while let Some(end) = received.iter().position(|byte| *byte == b'\n') {
                let line: Vec<u8> = received.drain(..=end).collect();
                let mut line: Value = serde_json::from_slice(&line).map_err(|_| odd(status))?;
                if line.get(STEP).is_none() {
                    return results(status, &mut line);
                }
                on_step(&line);
            }
        }
        Err(broken(&io::Error::from(io::ErrorKind::UnexpectedEof)))
    }

    /// Returns the results in pages, each fetched when it is requested.
    pub fn pages(&self, entry: &Entry, request: Value) -> Result<Pages<'_>, Failure> {
        Ok(Pages { client: self, next: Some(request_of(entry, request)?) })
    }

    /// Sends an empty POST request to one of the program's own routes, which answers as operations do.
    pub async fn post(&self, path: &str) -> Result<Vec<Value>, Failure> {
        let mut request = get(path)?;
        *request.method_mut() = Method::POST;
        let mut pages = Pages { client: self, next: Some(request) };
        Ok(pages.next().await?.unwrap_or_default())
    }

    async fn send(&self, request: Request<Body>) -> Result<Response<Body>, Failure> {
        match &self.0 {
            Transport::Local(router, caller) => {
                let mut request = request;
                request.extensions_mut().insert(caller.clone());
                router.clone().oneshot(request).await.map_err(|never| match never {})
            }
            Transport::Socket(path) => {
                let stream = UnixStream::connect(path).await.map_err(|error| absent(path, &error))?;
                let peer = stream.peer_cred().map_err(|error| absent(path, &error))?.uid();
                check_peer(path, peer, nix::unistd::geteuid().as_raw())?;
                let (mut sender, connection) =
                    http1::handshake(TokioIo::new(stream)).await.map_err(|error| broken(&error))?;
                // The task ends with the answer.
                tokio::spawn(connection);
                Ok(sender.send_request(request).await.map_err(|error| broken(&error))?.map(Body::new))
            }
        }
    }
}

#[derive(Debug)]
pub struct Pages<'a> {
    client: &'a Client,
    next: Option<Request<Body>>,
}

impl Pages<'_> {
    /// Returns the next page; `None` after the last.
    pub async fn next(&mut self) -> Result<Option<Vec<Value>>, Failure> {
        let Some(request) = self.next.take() else { return Ok(None) };
        let response = self.client.send(request).await?;
        let status = response.status().as_u16();
        let mut body = body_of(response).await?;
        let results = results(status, &mut body)?;
        if let Some(link) = body.get(NEXT_LINK).and_then(Value::as_str) {
            self.next = Some(get(link)?);
        }
        Ok(Some(results))
    }
}

async fn body_of(response: Response<Body>) -> Result<Value, Failure> {
    let status = response.status().as_u16();
    let body = response.into_body().collect().await.map_err(|error| broken(&error))?.to_bytes();
    serde_json::from_slice(&body).map_err(|_| odd(status))
}

/// Takes the results from the body of an answer; its failure, if it has one.
fn results(status: u16, body: &mut Value) -> Result<Vec<Value>, Failure> {
    if let Some(failure) = Failure::from_json(status, body) {
        return Err(failure);
    }
    if !(200..300).contains(&status) {
        return Err(odd(status));
    }
    match body.get_mut(VALUE).map(Value::take) {
        // An operation on many objects has one result: its counts and refusals.
        Some(Value::Array(_)) if body.get(CHANGED_COUNT).is_some() => {
            body.as_object_mut().and_then(|body| body.remove(VALUE));
            Ok(vec![body.take()])
        }
        Some(Value::Array(results)) => Ok(results),
        _ => Err(odd(status)),
    }
}

/// Builds the first request of an operation.
fn request_of(entry: &Entry, request: Value) -> Result<Request<Body>, Failure> {
    let Value::Object(mut request) = request else {
        return Err(Failure::invalid("a request must be a JSON object"));
    };
    let identity = match request.remove(IDENTITY) {
        None => None,
        Some(Value::String(identity)) if !identity.trim().is_empty() => Some(identity),
        Some(_) => return Err(Failure::invalid("Identity must name an object")),
    };
    if identity.is_none() && entry.identity().is_some_and(|it| it.required) {
        return Err(Failure::invalid(format_args!("{} needs {IDENTITY}", entry.name())));
    }
    message(entry, identity.as_deref(), &request)
}

fn message(
    entry: &Entry,
    identity: Option<&str>,
    request: &Map<String, Value>,
) -> Result<Request<Body>, Failure> {
    let form = entry.verb().form();
    let mut address = address(entry, identity);
    let query = if form.in_body { String::new() } else { to_query(request)? };
    let is_in_body = form.in_body || (entry.verb() == Verb::Remove && query.len() > MAX_QUERY);
    let body = if is_in_body {
        let body = serde_json::to_vec(request).map_err(Failure::internal)?;
        // The service would close the connection without an explanation.
        if body.len() > MAX_BODY {
            return Err(Failure::too_large(format_args!("a request may have at most {MAX_BODY} bytes")));
        }
        Body::from(body)
    } else {
        if !query.is_empty() {
            address = format!("{address}?{query}");
        }
        Body::empty()
    };
    let mut message = get(&address)?;
    *message.method_mut() = Method::from_bytes(form.method.as_bytes()).map_err(Failure::internal)?;
    *message.body_mut() = body;
    if is_in_body {
        message.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static(JSON));
    }
    Ok(message)
}

fn get(address: &str) -> Result<Request<Body>, Failure> {
    let request = Request::builder().uri(address).header(header::HOST, "localhost");
    request.body(Body::empty()).map_err(|error| Failure::invalid(format_args!("invalid URL: {error}")))
}

fn absent(path: &std::path::Path, error: &io::Error) -> Failure {
    Failure::unavailable(format_args!("no service answers at {}: {error}", path.display()))
}

/// Checks that the service runs as this user or as root. Another user could have created the socket
/// to receive passwords.
fn check_peer(path: &std::path::Path, peer: u32, user: u32) -> Result<(), Failure> {
    if peer == user || peer == 0 {
        return Ok(());
    }
    let path = path.display();
    Err(Failure::unavailable(format_args!(
        "the service at {path} runs as the user with UID {peer}, and this program as UID {user}; nothing was sent"
    ))
    .with_advice("Run it as the user of the service (`sudo -u`), or name another directory with --data."))
}

fn broken(error: &dyn std::error::Error) -> Failure {
    Failure::unavailable(format_args!("the connection to the service broke: {error}"))
        .with_advice("The operation may have run; check before you try again.")
}

fn odd(status: u16) -> Failure {
    Failure::internal(format_args!("the service sent an unreadable answer with the status {status}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_this_user_and_root_are_sent_anything() {
        let path = std::path::Path::new("/data/mailhaul.sock");
        for (peer, user) in [(1000, 1000), (0, 1000), (0, 0)] {
            assert!(check_peer(path, peer, user).is_ok());
        }
        for (peer, user) in [(1001, 1000), (1000, 0)] {
            let words = check_peer(path, peer, user).unwrap_err().to_string();
            assert!(words.contains(&format!("UID {peer}, and this program as UID {user}")), "{words}");
        }
    }
}
