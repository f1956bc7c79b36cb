//! The part of Gmail's API that imports messages: `users.labels.list` and `users.messages.import`.

use std::sync::Arc;

use hyper::{Method, StatusCode};
use percent_encoding::percent_decode_str;

use super::{
    super::server::{Server, User},
    api_state::{Fault, Step},
    import::labels,
    reply::{Answer, Closed, invalid, refusal, too_many_requests},
    request::ApiRequest,
    upload,
};

/// The mailbox and the purpose of a request.
pub(super) struct ApiCall {
    pub(super) user: Arc<User>,
    pub(super) step: Step,
}

/// Reads the mailbox and the purpose of a request.
///
/// `None` if it is not for the API, or its token does not open this mailbox.
pub(super) fn call(server: &Server, request: &ApiRequest) -> Option<ApiCall> {
    let is_upload = request.path.starts_with("/upload/gmail/v1/users/");
    let rest = request.path.trim_start_matches("/upload").strip_prefix("/gmail/v1/users/")?;
    let (user, method) = rest.split_once('/')?;
    let user = percent_decode_str(user).decode_utf8().ok()?;
    let is_query = || request.header("content-range").is_some_and(|it| it.starts_with("bytes */"));
    let kind = request.query.get("uploadType").map(String::as_str);
    let step = match (&request.method, is_upload, method, kind) {
        (&Method::GET, false, "labels", None) => Step::Labels,
        (&Method::POST, true, "messages/import", Some("multipart")) => Step::Import,
        (&Method::POST, true, "messages/import", Some("resumable")) => Step::Start,
        (&Method::PUT, true, "messages/import", Some("resumable")) if is_query() => Step::Query,
        (&Method::PUT, true, "messages/import", Some("resumable")) => Step::Chunk,
        _ => return None,
    };
    let token = request.header("authorization")?.strip_prefix("Bearer ")?;
    let users = server.users.lock().unwrap();
    let mut named = users.values().filter(|it| user == "me" || it.name == user);
    let found = named.find(|it| it.tokens().opens(token, it.clock.now())).cloned();
    if found.is_none()
        && let Some(owner) = users.get(user.as_ref())
    {
        owner.meter().note("unauthorized");
    }
    Some(ApiCall { user: found?, step })
}

pub(super) fn answer(server: &Server, call: &ApiCall, request: &ApiRequest) -> Answer {
    let ApiCall { user, step } = call;
    let now = user.clock.now();
    user.meter().note("requests");
    let early = user.api().away_until.saturating_sub(now);
    if !early.is_zero() {
        server.violation(&user.name, format!("{step:?} came {early:?} before it was allowed to"));
        return Ok(too_many_requests(Some(early)));
    }
    let units = match step {
        Step::Labels => 1,
        Step::Import | Step::Start => 25,
        Step::Chunk | Step::Query => 0,
    };
    let spent = user.api().spend(units, server.personality.limits.quota_units_per_minute, now);
    if let Err(wait) = spent {
        server.violation(&user.name, format!("{step:?} costs more units than are left of this minute"));
        return Ok(too_many_requests(Some(wait)));
    }
    match request.fault {
        Some(Fault::TooManyRequests(wait)) => {
            user.api().away_until = now + wait.unwrap_or_default();
            return Ok(too_many_requests(wait));
        }
        Some(Fault::RateLimited) => {
            return Ok(refusal(StatusCode::FORBIDDEN, "userRateLimitExceeded", "User Rate Limit Exceeded"));
        }
        Some(Fault::Unavailable) => {
            return Ok(refusal(StatusCode::SERVICE_UNAVAILABLE, "backendError", "Backend Error"));
        }
        Some(Fault::Unauthorized) => {
            user.tokens().revoke();
            user.meter().note("unauthorized");
            return Ok(refusal(StatusCode::UNAUTHORIZED, "authError", "Invalid Credentials"));
        }
        Some(Fault::Refused(words)) => return Ok(invalid(words)),
        Some(Fault::CutAfter(_) | Fault::AnswerLost | Fault::SessionGone(_) | Fault::SeenAfter(_)) | None => {
        }
    }
    let answer = match step {
        Step::Labels => labels(user),
        Step::Import => {
            if matches!(request.fault, Some(Fault::CutAfter(_))) {
                return Err(Closed);
            }
            upload::multipart(server, user, request)
        }
        Step::Start => upload::start(user, request),
        Step::Chunk => {
            let answer = upload::chunk(server, user, request);
            if matches!(request.fault, Some(Fault::CutAfter(_))) {
                return Err(Closed);
            }
            answer
        }
        Step::Query => upload::query(server, user, request),
    };
    if request.fault == Some(Fault::AnswerLost) { Err(Closed) } else { Ok(answer) }
}
