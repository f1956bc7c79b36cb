//! `GET /api/v1/events`.

use axum::{
    Router,
    body::Body,
    extract::Request,
    http::{header, request::Parts},
    response::{IntoResponse as _, Response},
    routing::get,
};
use jiff::Timestamp;
use mailhaul_migration::Guid;
use mailhaul_operations::{Failure, Role};
use serde_json::Value;
use tokio_util::sync::CancellationToken;

use super::{
    stream::{EventId, EventStream, Permission, StreamBegin},
    topic::Topic,
};
use crate::{
    ops::{MigrationUserReport, into_failure},
    serve::{local_service::LocalService, session::LastUse},
};

pub(crate) const PATH: &str = "/api/v1/events";
/// Maximum number of lines of a report that are sent at once.
const MAX_LINES: u32 = 100;
/// Parameter with the objects that the page shows.
const TOPIC: &str = "Topic";

/// The head of the request that began a stream: it must stay valid.
struct Listener {
    local: LocalService,
    head: Parts,
    role: Role,
}

impl Permission for Listener {
    async fn is_valid(&self) -> bool {
        // An open page is no use of its session.
        match self.local.sessions.find(&self.head, LastUse::Keep, Timestamp::now()).await {
            Ok(Some(_)) => true,
            Ok(None) => self.local.service.caller(&self.head).await.is_ok(),
            Err(_) => false,
        }
    }

    fn may_see_audit(&self) -> bool {
        self.role == Role::Admin
    }

    async fn report_after(&self, user: Guid, number: u64) -> Vec<(u64, Value)> {
        // A user that was removed has no lines.
        let page = self.local.context.store.reports().numbered(user, number, MAX_LINES).await;
        let lines = page.map(|page| page.items).unwrap_or_default().into_iter();
        let shown = lines.map(|(number, entry)| {
            (number, serde_json::to_value(MigrationUserReport::of(&user.to_string(), number, entry)))
        });
        shown.filter_map(|(number, line)| Some((number, line.ok()?))).collect()
    }
}

/// Route of the events. Its streams end when the shutdown begins.
pub(crate) fn route(local: &LocalService, shutdown: &CancellationToken) -> Router {
    let (local, shutdown) = (local.clone(), shutdown.clone());
    let answer = move |request: Request| {
        let (local, shutdown) = (local.clone(), shutdown.clone());
        async move { begin(local, shutdown, request).await.unwrap_or_else(Failure::into_response) }
    };
    Router::new().route(PATH, get(answer))
}

async fn begin(
    local: LocalService,
    shutdown: CancellationToken,
    request: Request,
) -> Result<Response, Failure> {
    let (head, _) = request.into_parts();
    let role = local.service.caller(&head).await?.role;
    let topic = Topic::parse(&local.context, &topic_of(&head)?).await?;
    let last = head.headers.get("last-event-id").and_then(|it| it.to_str().ok()).and_then(EventId::parse);
    let feed = local.feed.clone();
    let place = feed.enter().ok_or_else(|| {
        Failure::unavailable("too many pages are open").with_advice("Close some of them, and try again.")
    })?;
    let last_line = match topic {
        Topic::User { guid, .. } => {
            local.context.store.reports().newest_entry(guid).await.map_err(into_failure)?
        }
        _ => 0,
    };
    let listener = Listener { local, head, role };
    let begin = StreamBegin { last, last_line };
    let body = EventStream::new(&feed, place, topic, listener, shutdown, begin).into_body();
    let headers = [
        (header::CONTENT_TYPE, "text/event-stream"),
        (header::CACHE_CONTROL, "no-store"),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
    ];
    Ok((headers, Body::from_stream(body)).into_response())
}

/// Topic in the query [default: all].
fn topic_of(head: &Parts) -> Result<String, Failure> {
    let mut topic = None;
    for (name, value) in url::form_urlencoded::parse(head.uri.query().unwrap_or_default().as_bytes()) {
        if name != TOPIC || topic.is_some() {
            return Err(Failure::invalid("the only parameter of events is one Topic"));
        }
        topic = Some(value.into_owned());
    }
    Ok(topic.unwrap_or_else(|| "all".to_owned()))
}
