//! Routes of the session: sign in, look, sign out, and the ticket of `mailhaul console`.

use std::net::{IpAddr, SocketAddr};

use axum::{
    Router,
    body::{Body, to_bytes},
    extract::Request,
    http::{HeaderMap, HeaderValue, StatusCode, header, request::Parts},
    response::{IntoResponse as _, Response},
    routing::{get, post},
};
use jiff::Timestamp;
use mailhaul_mail::Secret;
use mailhaul_operations::{Caller, Failure, Gate as _, Peer, Record, Role};
use serde::Deserialize;
use serde_json::{Value, json};

use super::{
    LastUse, Sessions, SignIn,
    halves::{is_same_origin, set_cookies},
};
use crate::serve::{events::feed::FeedEvent, local_service::LocalService, roles::ROLES};

/// Path of the tickets, which only callers on the socket of this machine get.
pub(crate) const TICKET_PATH: &str = "/session/ticket";
/// Maximum bytes of a sign-in.
const MAX_BODY: usize = 4096;
/// Names of the session's changes in the audit log.
const SIGN_IN: &str = "SignIn";
const SIGN_OUT: &str = "SignOut";

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
struct SignInRequest {
    token: Option<String>,
    ticket: Option<String>,
}

/// Address of the console, in the form that its tickets need.
#[derive(Clone, Debug)]
pub(crate) struct ConsoleAddress {
    pub(crate) address: SocketAddr,
    pub(crate) is_encrypted: bool,
}

impl ConsoleAddress {
    fn link(&self, ticket: &str) -> String {
        let scheme = if self.is_encrypted { "https" } else { "http" };
        let mut address = self.address;
        // All addresses of this machine; its own one leads there.
        if address.ip().is_unspecified() {
            let here: IpAddr =
                if address.is_ipv4() { [127, 0, 0, 1].into() } else { [0, 0, 0, 0, 0, 0, 0, 1].into() };
            address.set_ip(here);
        }
        format!("{scheme}://{address}/console/#ticket={ticket}")
    }
}

/// Routes of the sessions, for a service that listens.
pub(crate) fn routes(local: &LocalService) -> Router {
    let (begin, look, end) = (local.clone(), local.clone(), local.clone());
    let routes = get(move |request: Request| async move { answer(show(&look, request).await) })
        .post(move |request: Request| async move { answer(sign_in(&begin, request).await) })
        .delete(move |request: Request| async move { answer(sign_out(&end, request).await) });
    Router::new().route("/session", routes)
}

/// Route of the tickets; `None` as an address if the service does not listen.
pub(crate) fn ticket_route(local: &LocalService, address: Option<ConsoleAddress>) -> Router {
    let local = local.clone();
    let answer_one = move |request: Request| {
        let (local, address) = (local.clone(), address.clone());
        async move { answer(ticket(&local.sessions, address.as_ref(), &request)) }
    };
    Router::new().route(TICKET_PATH, post(answer_one))
}

fn answer(outcome: Result<Response, Failure>) -> Response {
    outcome.unwrap_or_else(Failure::into_response)
}

fn ticket(
    sessions: &Sessions,
    address: Option<&ConsoleAddress>,
    request: &Request,
) -> Result<Response, Failure> {
    let caller = request.extensions().get::<Caller>().filter(|it| it.is_local);
    let Some(caller) = caller else {
        return Err(Failure::forbidden("tickets are for callers on the service's own machine"));
    };
    let Some(address) = address else {
        return Err(Failure::conflict(
            "the service has no console, because it does not listen on an address",
        )
        .with_advice("Start it with an address: mailhaul serve --listen 127.0.0.1:34080"));
    };
    let ticket = sessions.new_ticket(caller.clone(), Timestamp::now())?;
    Ok(reply(StatusCode::CREATED, &json!({ "Value": [{ "Address": address.link(&ticket) }] })))
}

async fn sign_in(local: &LocalService, request: Request) -> Result<Response, Failure> {
    let (head, body) = request.into_parts();
    check_origin(&head)?;
    let now = Timestamp::now();
    let address = head.extensions.get::<Peer>().map(|peer| peer.address);
    if let Some(Err(seconds)) = address.map(|address| local.sessions.may_try(address, now)) {
        return Ok(too_many(seconds));
    }
    let Some(new) = local.sessions.begin(proof(&head.headers, body).await?, now).await? else {
        if let Some(address) = address.filter(|address| local.sessions.count_wrong(*address, now)) {
            let caller = Caller { name: address.to_string(), role: Role::Viewer, is_local: false };
            let outcome = Err(Failure::unauthorized("the token or ticket is unknown"));
            record(local, caller, SIGN_IN, outcome).await;
        }
        return Err(Failure::unauthorized("the token is unknown").with_advice(
            "Make one with: mailhaul token new. A ticket of mailhaul console opens once, for a minute.",
        ));
    };
    let mut answer = reply(StatusCode::CREATED, &{
        let mut shown = view(&new.caller, new.until);
        shown["Key"] = new.key.into();
        shown
    });
    let is_encrypted = head.extensions.get::<Peer>().is_some_and(|peer| peer.is_encrypted);
    add_cookies(&mut answer, &new.cookie, is_encrypted);
    record(local, new.caller, SIGN_IN, Ok(())).await;
    Ok(answer)
}

/// Reads the token or ticket.
async fn proof(headers: &HeaderMap, body: Body) -> Result<SignIn, Failure> {
    let wrong = || Failure::invalid("a sign-in has a Token or a Ticket, as JSON");
    // A form of another page cannot send this type.
    let content_type = headers.get(header::CONTENT_TYPE).and_then(|it| it.to_str().ok());
    if !content_type.is_some_and(|it| it.starts_with("application/json")) {
        return Err(wrong());
    }
    let body = to_bytes(body, MAX_BODY).await.map_err(|_| wrong())?;
    match serde_json::from_slice(&body).map_err(|_| wrong())? {
        SignInRequest { token: Some(token), ticket: None } => Ok(SignIn::Token(Secret::new(token))),
        SignInRequest { token: None, ticket: Some(ticket) } => Ok(SignIn::Ticket(Secret::new(ticket))),
        SignInRequest { .. } => Err(wrong()),
    }
}

async fn show(local: &LocalService, request: Request) -> Result<Response, Failure> {
    let (head, _) = request.into_parts();
    let now = Timestamp::now();
    match local.sessions.find(&head, LastUse::Update, now).await? {
        Some((caller, until)) => Ok(reply(StatusCode::OK, &view(&caller, until))),
        None => Err(Failure::unauthorized("the request has no session")),
    }
}

async fn sign_out(local: &LocalService, request: Request) -> Result<Response, Failure> {
    let (head, _) = request.into_parts();
    check_origin(&head)?;
    let ended = local.sessions.end(&head.headers, Timestamp::now()).await?;
    let caller = ended.ok_or_else(|| Failure::unauthorized("the request has no session"))?;
    local.feed.add(FeedEvent::SessionEnded);
    record(local, caller, SIGN_OUT, Ok(())).await;
    let mut answer = StatusCode::NO_CONTENT.into_response();
    let site_data = HeaderValue::from_static("\"cache\", \"cookies\", \"storage\"");
    answer.headers_mut().insert("clear-site-data", site_data);
    let is_encrypted = head.extensions.get::<Peer>().is_some_and(|peer| peer.is_encrypted);
    add_cookies(&mut answer, "", is_encrypted);
    Ok(answer)
}

fn check_origin(head: &Parts) -> Result<(), Failure> {
    if is_same_origin(head) {
        return Ok(());
    }
    Err(Failure::forbidden("a page of another origin sent the request"))
}

/// The session as its page sees it.
fn view(caller: &Caller, until: Timestamp) -> Value {
    let role = ROLES.iter().find(|(_, role)| *role == caller.role).map(|(name, _)| *name);
    let (time, version) = (Timestamp::now(), env!("CARGO_PKG_VERSION"));
    let name = caller.name.trim_end_matches(" (console)");
    json!({ "Name": name, "Role": role, "Until": until, "Time": time, "Version": version })
}

async fn record(local: &LocalService, caller: Caller, operation: &str, outcome: Result<(), Failure>) {
    let operation = operation.to_owned();
    local.authorizer.record(Record { caller, operation, identity: None, selection: None, outcome }).await;
}

fn reply(status: StatusCode, body: &Value) -> Response {
    let headers = [(header::CONTENT_TYPE, "application/json"), (header::CACHE_CONTROL, "no-store")];
    (status, headers, body.to_string()).into_response()
}

fn too_many(seconds: i64) -> Response {
    let message = format!("too many wrong sign-ins; the next one is possible in {seconds} s");
    let body = json!({ "Error": { "Code": "TooManyRequests", "Message": message, "Advice": null } });
    let mut answer = reply(StatusCode::TOO_MANY_REQUESTS, &body);
    answer.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from(seconds));
    answer
}

fn add_cookies(answer: &mut Response, value: &str, is_encrypted: bool) {
    for cookie in set_cookies(value, is_encrypted) {
        if let Ok(cookie) = HeaderValue::from_str(&cookie) {
            answer.headers_mut().append(header::SET_COOKIE, cookie);
        }
    }
}
