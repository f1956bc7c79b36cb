//! Operations that report steps while they run.

use std::sync::Arc;

use axum::{
    Router,
    body::Body,
    http::{HeaderMap, Request as HttpRequest},
};
use http_body_util::BodyExt as _;
use mailhaul_operations::{
    Answer, Caller, Client, Entry, Failure, FailureKind, Noun, Operation, Operations, Role, Service, StepUse,
    Steps, Verb,
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use tokio::sync::Notify;
use tower::ServiceExt as _;

use crate::support::Door;

const FUSE: Noun = Noun { cmdlet: "Fuse", word: "fuse", path: "fuses", about: "Fuses of the house" };

/// The operation goes on when the test has seen its first step.
type Seen = Notify;

#[derive(Deserialize, JsonSchema)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
struct Request {
    /// The fuse.
    identity: String,
    /// Maximum current.
    #[serde(default)]
    amperes: u8,
}

/// A fuse.
#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "PascalCase")]
struct Fuse {
    identity: String,
}

async fn run(seen: &Seen, request: Request, steps: &Steps) -> Result<Answer<Fuse>, Failure> {
    if request.amperes > 100 {
        return Err(Failure::invalid("Amperes may be at most 100"));
    }
    if request.identity == "quiet" {
        return Ok(Answer::none());
    }
    steps.report(&json!({ "Step": "Out", "Watched": steps.is_watched() }));
    seen.notified().await;
    steps.report(&json!({ "Step": "In" }));
    if request.amperes == 16 {
        Err(Failure::unavailable("it is blown"))
    } else {
        Ok(Answer::one(Fuse { identity: request.identity }))
    }
}

macro_rules! fuse {
    ($name:ident, $verb:ident, $steps:ident) => {
        struct $name;

        impl Operation<Seen> for $name {
            const VERB: Verb = Verb::$verb;
            const NOUN: Noun = FUSE;
            const ROLE: Role = Role::Operator;
            const ABOUT: &'static str = "Takes a fuse out, and puts it in.";
            const STEPS: StepUse = StepUse::$steps;

            type Request = Request;
            type Response = Fuse;

            async fn run(seen: &Seen, _: &Caller, request: Request) -> Result<Answer<Fuse>, Failure> {
                run(seen, request, &Steps::default()).await
            }

            async fn run_in_steps(
                seen: &Seen,
                _: &Caller,
                request: Request,
                steps: &Steps,
            ) -> Result<Answer<Fuse>, Failure> {
                run(seen, request, steps).await
            }
        }
    };
}

fuse!(TestFuse, Test, Progress);
fuse!(StartFuse, Start, Instructions);

struct FuseBox {
    seen: Arc<Seen>,
    operations: Arc<Operations<Seen>>,
    router: Router,
}

impl FuseBox {
    fn new() -> Self {
        let (seen, operations) =
            (Arc::new(Seen::new()), Arc::new(Operations::new().with::<TestFuse>().with::<StartFuse>()));
        let service = Service::new(operations.clone(), seen.clone(), Arc::new(Door::default()), "1.2.3");
        Self { seen, operations, router: Arc::new(service).router() }
    }

    fn entry(&self, name: &str) -> &Entry {
        self.operations.entry(name).unwrap()
    }

    fn client(&self) -> Client {
        let root = Caller { name: "root".to_owned(), role: Role::Admin, is_local: true };
        Client::local(self.router.clone(), root)
    }

    async fn send(&self, address: &str, accept: &str, body: &'static str) -> (u16, HeaderMap, Body) {
        let request = HttpRequest::post(address)
            .header("authorization", "Bearer operator")
            .header("accept", accept)
            .body(Body::from(body))
            .unwrap();
        let (head, body) = self.router.clone().oneshot(request).await.unwrap().into_parts();
        (head.status.as_u16(), head.headers, body)
    }
}

async fn line(body: &mut Body) -> Value {
    let frame = body.frame().await.unwrap().unwrap().into_data().unwrap();
    assert!(frame.ends_with(b"\n"), "{frame:?}");
    serde_json::from_slice(&frame).unwrap()
}

const LINES: &str = "application/x-ndjson";

#[tokio::test]
async fn each_step_is_sent_when_it_ends() {
    let fuses = FuseBox::new();
    let (status, headers, mut body) = fuses.send("/api/v1/fuses/a/test", LINES, "").await;
    assert_eq!((status, &headers["content-type"]), (200, &LINES.parse().unwrap()));
    // The operation still runs.
    assert_eq!(line(&mut body).await, json!({ "Step": "Out", "Watched": true }));
    fuses.seen.notify_one();
    assert_eq!(line(&mut body).await, json!({ "Step": "In" }));
    assert_eq!(line(&mut body).await, json!({ "Value": [{ "Identity": "a" }] }));
    assert!(body.frame().await.is_none());
    // A failure after a step is the last line.
    fuses.seen.notify_one();
    let (status, _, body) = fuses.send("/api/v1/fuses/a/test", LINES, r#"{"Amperes":16}"#).await;
    let text = String::from_utf8(body.collect().await.unwrap().to_bytes().to_vec()).unwrap();
    let last: Value = serde_json::from_str(text.lines().next_back().unwrap()).unwrap();
    assert_eq!((status, text.lines().count(), &last["Error"]["Code"]), (200, 3, &json!("Unavailable")));
}

#[tokio::test]
async fn a_failure_before_the_first_step_has_its_status() {
    let fuses = FuseBox::new();
    let (status, headers, body) = fuses.send("/api/v1/fuses/a/test", LINES, r#"{"Amperes":101}"#).await;
    assert_eq!((status, &headers["content-type"]), (422, &"application/json".parse().unwrap()));
    let body: Value = serde_json::from_slice(&body.collect().await.unwrap().to_bytes()).unwrap();
    assert_eq!(body["Error"]["Parameter"], "Amperes");
    let (status, _, mut body) = fuses.send("/api/v1/fuses/quiet/test", LINES, "").await;
    assert_eq!((status, line(&mut body).await), (200, json!({ "Value": [] })));
}

#[tokio::test]
async fn callers_that_do_not_watch_get_the_answer_alone() {
    let fuses = FuseBox::new();
    fuses.seen.notify_one();
    let (status, _, body) = fuses.send("/api/v1/fuses/a/test", "application/json", "").await;
    let body: Value = serde_json::from_slice(&body.collect().await.unwrap().to_bytes()).unwrap();
    assert_eq!((status, body), (200, json!({ "Value": [{ "Identity": "a" }] })));
    // Instructions must be seen.
    let (status, _, body) = fuses.send("/api/v1/fuses/a/start", "application/json", "").await;
    let body: Value = serde_json::from_slice(&body.collect().await.unwrap().to_bytes()).unwrap();
    assert_eq!(status, 422, "{body}");
    assert!(body["Error"]["Advice"].as_str().unwrap().contains(LINES), "{body}");
}

#[tokio::test]
async fn a_client_receives_steps_then_the_results() {
    let fuses = FuseBox::new();
    let client = fuses.client();
    for name in ["Test-Fuse", "Start-Fuse"] {
        let mut steps = Vec::new();
        let on_step = |step: &Value| {
            steps.push(step["Step"].clone());
            fuses.seen.notify_one();
        };
        let results = client.call_in_steps(fuses.entry(name), json!({ "Identity": "a" }), on_step).await;
        assert_eq!(results, Ok(vec![json!({ "Identity": "a" })]));
        assert_eq!(steps, ["Out", "In"]);
        // The second step left a permit.
        fuses.seen.notified().await;
    }
    let request = json!({ "Identity": "a", "Amperes": 101 });
    let failure = client.call_in_steps(fuses.entry("Test-Fuse"), request, |_| {}).await.unwrap_err();
    assert_eq!((failure.kind, failure.place.unwrap().parameter.as_str()), (FailureKind::Invalid, "Amperes"));
}

#[test]
fn the_document_names_the_second_content_type() {
    let fuses = FuseBox::new();
    let document = fuses.operations.openapi("1.2.3");
    let content = &document["paths"]["/api/v1/fuses/{Identity}/test"]["post"]["responses"]["200"]["content"];
    assert!(content[LINES]["schema"]["description"].as_str().unwrap().contains("last line"), "{content}");
}
