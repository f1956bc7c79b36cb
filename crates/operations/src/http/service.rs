//! HTTP service: authorizes a request, runs its operation, and answers.

use std::{panic::AssertUnwindSafe, sync::Arc};

use axum::{
    Router,
    body::{Body, HttpBody as _},
    extract::Request,
    http::{HeaderMap, HeaderValue, Response, header, request::Parts},
};
use futures_util::FutureExt as _;
use serde_json::{Map, Value, json};
use tokio::{
    sync::{OwnedSemaphorePermit, Semaphore},
    task::JoinHandle,
};
use tokio_util::task::TaskTracker;

use super::{
    address::{self, DESCRIPTION},
    body,
    compression::{self, MayHoldSecret},
    csv,
    limits::Limits,
    lines,
    query::{from_query, to_query},
    reply::{NEXT_LINK, Refused, TOTAL_COUNT, VALUE, json_reply, not_modified, text_reply},
    revision,
};
use crate::{
    caller::{Caller, Gate, Record},
    entry::{Entry, object, selection},
    failure::Failure,
    kind::Kind,
    operation::Answer,
    operations::Operations,
    parameter::{IDENTITY, RESULT_SIZE},
    steps::{StepUse, Steps},
    verb::Verb,
};

/// Bytes per unit of body memory.
const BODY_UNIT: usize = 1 << 10;

/// HTTP service of the operations and their context.
pub struct Service<C> {
    operations: Arc<Operations<C>>,
    context: Arc<C>,
    gate: Arc<dyn Gate>,
    limits: Limits,
    description: Value,
    /// Free body memory, in units of [`BODY_UNIT`].
    bodies: Arc<Semaphore>,
    /// Running operations, including those whose client has disconnected.
    under_way: TaskTracker,
}

impl<C: Send + Sync + 'static> Service<C> {
    /// `version` is the program's, for the `OpenAPI` document.
    pub fn new(operations: Arc<Operations<C>>, context: Arc<C>, gate: Arc<dyn Gate>, version: &str) -> Self {
        let description = operations.openapi(version);
        let (limits, under_way) = (Limits::default(), TaskTracker::new());
        let bodies = Arc::new(Semaphore::new(limits.bodies / BODY_UNIT));
        Self { operations, context, gate, limits, description, bodies, under_way }
    }

    #[must_use]
    pub fn with_limits(mut self, limits: Limits) -> Self {
        self.limits = limits;
        self.bodies = Arc::new(Semaphore::new(limits.bodies.max(limits.body) / BODY_UNIT + 1));
        self
    }

    /// Builds the router. Routes that are merged into it take precedence. It has its own fallback,
    /// so a router with another fallback cannot be merged.
    pub fn router(self: &Arc<Self>) -> Router {
        let service = self.clone();
        let answer = move |request: Request| {
            let service = service.clone();
            async move { service.carry_out(request).await.unwrap_or_else(Refused::into_response) }
        };
        Router::new().fallback(answer).layer(compression::layer())
    }

    /// Waits for operations that are still running after the servers have ended.
    pub async fn finish(&self) {
        self.under_way.close();
        self.under_way.wait().await;
    }

    /// Returns the caller: known from the socket, or the owner of the token.
    pub async fn caller(&self, head: &Parts) -> Result<Caller, Failure> {
        if let Some(caller) = head.extensions.get::<Caller>() {
            return Ok(caller.clone());
        }
        let token = head.headers.get(header::AUTHORIZATION).and_then(|it| bearer(it.to_str().ok()?));
        if let Some(caller) = self.gate.recognize(head).await? {
            return match token {
                None => Ok(caller),
                Some(_) => Err(Failure::unauthorized("the request has a token and a session")
                    .with_advice("Send one of them alone.")),
            };
        }
        let Some(token) = token else {
            return Err(Failure::unauthorized("the token is missing")
                .with_advice("Send the header \"Authorization: Bearer <token>\"."));
        };
        self.gate.admit(token).await?.ok_or_else(|| Failure::unauthorized("the token is unknown"))
    }

    async fn carry_out(self: &Arc<Self>, request: Request) -> Result<Response<Body>, Refused> {
        let (head, body) = request.into_parts();
        let caller = self.caller(&head).await?;
        let (method, path) = (head.method.as_str(), head.uri.path());
        if path == DESCRIPTION {
            return match method {
                "GET" | "HEAD" => Ok(json_reply(200, &self.description)),
                _ => Err(Refused::wrong_method(method, path, &["GET"])),
            };
        }
        let place = address::find(self.operations.entries(), method, path)?;
        let entry = &self.operations.entries()[place.index];
        if caller.role < entry.role() {
            let failure = Failure::forbidden(format_args!(
                "{} needs the role {:?}, and {} has {:?}",
                entry.name(),
                entry.role(),
                caller.name,
                caller.role
            ));
            if entry.verb().changes() {
                let (operation, outcome) = (entry.name().to_owned(), Err(failure.clone()));
                let (identity, selection) = (place.identity, None);
                self.gate.record(Record { caller, operation, identity, selection, outcome }).await;
            }
            return Err(failure.into());
        }
        // Held until the request is answered.
        let _room = self.room_for_body(&head.headers, body.is_end_stream()).await?;
        let query = head.uri.query().unwrap_or_default();
        // A removal of many objects does not fit into a URL.
        let is_in_body = entry.verb().form().in_body
            || (entry.verb() == Verb::Remove && query.is_empty() && !body.is_end_stream());
        let mut request = if !is_in_body {
            from_query(entry, query)?
        } else if query.is_empty() {
            body::object(&head.headers, body, self.limits).await?
        } else {
            return Err(Failure::invalid("this request takes its parameters in the body").into());
        };
        if let Some(identity) = place.identity {
            let identity = Value::String(identity);
            if request.get(IDENTITY).is_some_and(|other| *other != identity) {
                return Err(Failure::invalid("Identity differs from the one in the path").into());
            }
            request.insert(IDENTITY.to_owned(), identity);
        } else if request.contains_key(IDENTITY) {
            return Err(Failure::invalid("Identity must be in the path").into());
        }
        if entry.verb().changes() {
            revision::add_condition(entry, &head.headers, &mut request)?;
        }
        // Only a query is needed again; a body may contain secrets.
        let again = (!is_in_body).then(|| request.clone());
        if csv::is_wanted(entry, &head.headers) {
            return Ok(self.csv(place.index, caller, request).await?);
        }
        let request = Value::Object(request);
        match entry.steps() {
            StepUse::Progress | StepUse::Instructions if lines::accepts(&head.headers) => {
                self.run_in_lines(place.index, caller, request).await
            }
            StepUse::Instructions => Err(unseen_steps(entry).into()),
            _ => Ok(reply(entry, &head.headers, again, self.run(place.index, caller, request).await?)?),
        }
    }

    /// Answers with all results as CSV, unless the caller limits their number.
    async fn csv(
        self: &Arc<Self>,
        index: usize,
        caller: Caller,
        mut request: Map<String, Value>,
    ) -> Result<Response<Body>, Failure> {
        let entry = &self.operations.entries()[index];
        if entry.parameter(RESULT_SIZE).is_some() {
            request.entry(RESULT_SIZE).or_insert_with(|| "unlimited".into());
        }
        let first = self.run(index, caller.clone(), Value::Object(request.clone())).await?;
        let (form, name) = (csv::CsvForm::of(entry), csv::file_name(entry, &first));
        let continuation = entry.parameters().iter().find(|it| it.kind == Kind::Continuation);
        let continuation = continuation.map(|it| it.name.clone());
        let service = self.clone();
        let more = move |next: String| {
            let (service, caller, mut request) = (service.clone(), caller.clone(), request.clone());
            if let Some(name) = &continuation {
                request.insert(name.clone(), next.into());
            }
            async move { service.run(index, caller, Value::Object(request)).await }
        };
        Ok(csv::reply(form, &name, first, more))
    }

    /// Runs an operation to its end without showing its steps.
    async fn run(&self, index: usize, caller: Caller, request: Value) -> Result<Answer<Value>, Failure> {
        self.start(index, caller, request, Steps::default()).await.unwrap_or_else(|_| Err(broken()))
    }

    /// Waits for free body memory. A body of unknown length counts with the maximum.
    async fn room_for_body(
        &self,
        headers: &HeaderMap,
        is_empty: bool,
    ) -> Result<OwnedSemaphorePermit, Refused> {
        let told = headers.get(header::CONTENT_LENGTH).and_then(|it| it.to_str().ok()?.parse::<usize>().ok());
        let octets = if is_empty { 0 } else { told.unwrap_or(usize::MAX).min(self.limits.body) };
        let units = u32::try_from(octets.div_ceil(BODY_UNIT)).unwrap_or(u32::MAX);
        let room = self.bodies.clone().acquire_many_owned(units);
        match tokio::time::timeout(self.limits.body_time, room).await {
            Ok(Ok(room)) => Ok(room),
            Ok(Err(_)) | Err(_) => Err(Failure::unavailable("too many large requests are being processed")
                .with_advice("Try again later.")
                .into()),
        }
    }

    /// Runs an operation, and answers with a line for each step.
    ///
    /// A failure before the first step has its own status.
    async fn run_in_lines(
        &self,
        index: usize,
        caller: Caller,
        request: Value,
    ) -> Result<Response<Body>, Refused> {
        let (steps, mut received) = Steps::channel();
        let task = self.start(index, caller, request, steps);
        let ended = async move { task.await.unwrap_or_else(|_| Err(broken())) };
        match received.recv().await {
            None => {
                let answer = ended.await?;
                Ok(lines::stream(None, received, async move { json!({ VALUE: answer.value }) }))
            }
            first => Ok(lines::stream(first, received, async move {
                match ended.await {
                    Ok(answer) => json!({ VALUE: answer.value }),
                    Err(failure) => failure.to_json(),
                }
            })),
        }
    }

    /// Runs an operation to its end, even if the client disconnects, and writes the audit record.
    fn start(
        &self,
        index: usize,
        caller: Caller,
        request: Value,
        steps: Steps,
    ) -> JoinHandle<Result<Answer<Value>, Failure>> {
        let operations = self.operations.clone();
        let entry = &operations.entries()[index];
        let (changes, operation, identity) =
            (entry.verb().changes(), entry.name().to_owned(), object(&request));
        let selection = if identity.is_none() { selection(entry, &request) } else { None };
        let running = self.operations.run(index, self.context.clone(), caller.clone(), request, steps);
        let gate = self.gate.clone();
        self.under_way.spawn(async move {
            let outcome = AssertUnwindSafe(running).catch_unwind().await.unwrap_or_else(|_| {
                tracing::error!("{operation} panicked");
                Err(broken())
            });
            let outcome = outcome.map_err(|failure| operations.entries()[index].placed(failure));
            if changes {
                let outcome = outcome.as_ref().map(|_| ()).map_err(Clone::clone);
                gate.record(Record { caller, operation, identity, selection, outcome }).await;
            }
            outcome
        })
    }
}

/// Failure of a call that would not see what its caller must do.
fn unseen_steps(entry: &Entry) -> Failure {
    let name = entry.name();
    Failure::invalid(format_args!(
        "{name} shows while it runs what is to be done, and this call cannot see it"
    ))
    .with_advice(format_args!("Send the header \"Accept: {}\".", lines::LINES))
}

/// Failure after a panic; it shows nothing of the panic's message.
pub(crate) fn broken() -> Failure {
    Failure::internal("internal error; the log of the service has the details")
}

fn bearer(header: &str) -> Option<&str> {
    let (scheme, token) = header.split_once(' ')?;
    Some(token.trim()).filter(|it| scheme.eq_ignore_ascii_case("bearer") && !it.is_empty())
}

fn reply(
    entry: &Entry,
    headers: &HeaderMap,
    request: Option<Map<String, Value>>,
    answer: Answer<Value>,
) -> Result<Response<Body>, Failure> {
    let status = if entry.verb() == Verb::New { 201 } else { 200 };
    let mut body = json!({ VALUE: answer.value });
    if let Some(many) = &answer.many
        && let Value::Object(many) = many.to_json()
    {
        body.as_object_mut().into_iter().for_each(|body| body.extend(many.clone()));
    }
    if let Some(total) = answer.total {
        body[TOTAL_COUNT] = total.into();
    }
    let continuation = entry.parameters().iter().find(|it| it.kind == Kind::Continuation);
    if let (Some(next), Some(mut request), Some(parameter)) = (answer.next, request, continuation) {
        // The same request, from the next page on.
        request.insert(parameter.name.clone(), next.into());
        let identity = request.get(IDENTITY).and_then(Value::as_str);
        body[NEXT_LINK] = format!("{}?{}", address::address(entry, identity), to_query(&request)?).into();
    }
    let text = body.to_string();
    let tag = if entry.verb() == Verb::Get { revision::tag(&body, &text) } else { None };
    let mut response = match &tag {
        Some(tag) if revision::has_it(headers, tag) => not_modified(),
        _ => text_reply(status, text),
    };
    if entry.verb() == Verb::New {
        // It shows a new token.
        response.extensions_mut().insert(MayHoldSecret);
    }
    if let Some(tag) = tag.and_then(|tag| HeaderValue::from_str(&tag).ok()) {
        response.headers_mut().insert(header::ETAG, tag);
    }
    Ok(response)
}
