//! The part of Gmail's API that imports messages: `users.labels.list` and `users.messages.import`.

use std::{sync::Arc, time::Duration};

use hyper::{Method, Response, StatusCode, header};
use mail_parser::DateTime;
use mailhaul_imap::MailboxName;
use mailhaul_mail::{Flags, InternalDate};
use percent_encoding::percent_decode_str;
use serde_json::{Value, json};

use super::{
    super::{
        Server, User,
        personality::Verdict,
        store::{Kept, Mailbox},
    },
    Answer, Asked, Closed, Fault, Step, refusal, reply, seconds, upload, with_header,
};

/// Bytes of the largest message.
const LARGEST: u64 = 150 << 20;
/// Labels without a folder in IMAP, and those with one, by the attributes there.
const SYSTEM: [(&str, &str); 7] = [
    ("SENT", "\\Sent"),
    ("SPAM", "\\Junk"),
    ("TRASH", "\\Trash"),
    ("DRAFT", "\\Drafts"),
    ("IMPORTANT", "\\Important"),
    ("STARRED", "\\Flagged"),
    ("CHAT", "\\Chats"),
];

/// The mailbox and the purpose of a request.
pub(super) struct Meant {
    pub(super) user: Arc<User>,
    pub(super) step: Step,
}

/// Reads the mailbox and the purpose of a request.
///
/// `None` if it is not for the API, or its token does not open this mailbox.
pub(super) fn meant(server: &Server, asked: &Asked) -> Option<Meant> {
    let is_upload = asked.path.starts_with("/upload/gmail/v1/users/");
    let rest = asked.path.trim_start_matches("/upload").strip_prefix("/gmail/v1/users/")?;
    let (user, method) = rest.split_once('/')?;
    let user = percent_decode_str(user).decode_utf8().ok()?;
    let is_query = || asked.header("content-range").is_some_and(|it| it.starts_with("bytes */"));
    let kind = asked.query.get("uploadType").map(String::as_str);
    let step = match (&asked.method, is_upload, method, kind) {
        (&Method::GET, false, "labels", None) => Step::Labels,
        (&Method::POST, true, "messages/import", Some("multipart")) => Step::Import,
        (&Method::POST, true, "messages/import", Some("resumable")) => Step::Start,
        (&Method::PUT, true, "messages/import", Some("resumable")) if is_query() => Step::Query,
        (&Method::PUT, true, "messages/import", Some("resumable")) => Step::Chunk,
        _ => return None,
    };
    let token = asked.header("authorization")?.strip_prefix("Bearer ")?;
    let users = server.users.lock().unwrap();
    let mut named = users.values().filter(|it| user == "me" || it.name == user);
    let found = named.find(|it| it.tokens().opens(token, it.clock.now())).cloned();
    if found.is_none()
        && let Some(owner) = users.get(user.as_ref())
    {
        owner.meter().note("unauthorized");
    }
    Some(Meant { user: found?, step })
}

pub(super) fn answer(server: &Server, meant: &Meant, asked: &Asked) -> Answer {
    let Meant { user, step } = meant;
    let now = user.clock.now();
    user.meter().note("requests");
    let early = user.api().away_until.saturating_sub(now);
    if !early.is_zero() {
        server.violation(&user.name, format!("{step:?} came {early:?} before it was allowed to"));
        return Ok(patience(Some(early)));
    }
    let units = match step {
        Step::Labels => 1,
        Step::Import | Step::Start => 25,
        Step::Chunk | Step::Query => 0,
    };
    let spent = user.api().spend(units, server.personality.limits.quota_units_per_minute, now);
    if let Err(wait) = spent {
        server.violation(&user.name, format!("{step:?} costs more units than are left of this minute"));
        return Ok(patience(Some(wait)));
    }
    match asked.fault {
        Some(Fault::TooManyRequests(wait)) => {
            user.api().away_until = now + wait.unwrap_or_default();
            return Ok(patience(wait));
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
            if matches!(asked.fault, Some(Fault::CutAfter(_))) {
                return Err(Closed);
            }
            upload::multipart(server, user, asked)
        }
        Step::Start => upload::start(user, asked),
        Step::Chunk => {
            let answer = upload::chunk(server, user, asked);
            if matches!(asked.fault, Some(Fault::CutAfter(_))) {
                return Err(Closed);
            }
            answer
        }
        Step::Query => upload::query(server, user, asked),
    };
    if asked.fault == Some(Fault::AnswerLost) { Err(Closed) } else { Ok(answer) }
}

pub(super) type Reply = Response<http_body_util::Full<bytes::Bytes>>;

fn patience(wait: Option<Duration>) -> Reply {
    let response =
        refusal(StatusCode::TOO_MANY_REQUESTS, "rateLimitExceeded", "Too many concurrent requests for user");
    match wait {
        Some(wait) => with_header(response, header::RETRY_AFTER, &seconds(wait).to_string()),
        None => response,
    }
}

pub(super) fn invalid(words: &str) -> Reply {
    refusal(StatusCode::BAD_REQUEST, "invalidArgument", words)
}

pub(super) fn too_large(octets: u64) -> Option<Reply> {
    (octets > LARGEST)
        .then(|| refusal(StatusCode::PAYLOAD_TOO_LARGE, "uploadTooLarge", "Request is too large."))
}

/// A label: its ID, its name, and its folder in IMAP.
struct Label {
    id: String,
    name: String,
    folder: Option<String>,
}

fn all_labels(mailbox: &Mailbox) -> Vec<Label> {
    let system = SYSTEM.iter().map(|(id, attribute)| ((*id).to_owned(), mailbox.special(attribute)));
    let inbox = ("INBOX".to_owned(), Some("INBOX".to_owned()));
    let unread = ("UNREAD".to_owned(), None);
    let system = system.chain([inbox, unread]);
    let mut labels: Vec<Label> = system.map(|(id, folder)| Label { name: id.clone(), id, folder }).collect();
    for (name, folder) in &mailbox.folders {
        if folder.attributes.is_empty() && name != "INBOX" {
            labels.push(Label {
                id: format!("Label_{}", folder.uid_validity),
                name: MailboxName::from_wire(name.as_bytes()).to_text(),
                folder: Some(name.clone()),
            });
        }
    }
    labels
}

fn labels(user: &User) -> Reply {
    let told: Vec<Value> = all_labels(&user.mailbox())
        .iter()
        .map(|it| {
            let kind = if it.id.starts_with("Label_") { "user" } else { "system" };
            json!({"id": it.id, "name": it.name, "type": kind})
        })
        .collect();
    reply(StatusCode::OK, &json!({"labels": told}))
}

/// Stores a message. Returns the answer, or the reason of the refusal.
pub(super) fn keep(
    server: &Server,
    user: &User,
    asked: &Asked,
    metadata: &Value,
    octets: &[u8],
) -> Result<Value, Box<Reply>> {
    let personality = &server.personality;
    user.clock.pass(personality.limits.append_time);
    if let Verdict::Refuse(words) | Verdict::HangUp(words) = (personality.judge)(octets) {
        user.meter().note("refused");
        return Err(invalid(words).into());
    }
    for (parameter, value) in
        [("internalDateSource", "dateHeader"), ("neverMarkSpam", "true"), ("processForCalendar", "false")]
    {
        if asked.query.get(parameter).map(String::as_str) != Some(value) {
            server.violation(&user.name, format!("{parameter} is not {value}"));
        }
    }
    let mut mailbox = user.mailbox();
    let known = all_labels(&mailbox);
    let ids = metadata.get("labelIds").and_then(Value::as_array).into_iter().flatten();
    let ids: Vec<&str> = ids.filter_map(Value::as_str).collect();
    let (mut flags, mut folders) = (Flags::new(), Vec::new());
    if !ids.contains(&"UNREAD") {
        flags.insert("\\Seen");
    }
    for id in &ids {
        let Some(label) = known.iter().find(|it| it.id == *id) else {
            return Err(invalid(&format!("Invalid label: {id}")).into());
        };
        match *id {
            "DRAFT" | "CHAT" => return Err(invalid(&format!("Invalid label: {id}")).into()),
            "STARRED" => flags.insert("\\Flagged"),
            _ => folders.extend(label.folder.clone()),
        }
    }
    let now = user.clock.now();
    let shown = match asked.fault {
        Some(Fault::SeenAfter(wait)) => now + wait,
        _ => now,
    };
    let seconds = date_header(octets).unwrap_or_else(|| i64::try_from(now.as_secs()).unwrap());
    let date = InternalDate::new(seconds, 0).unwrap();
    let kept = Kept { octets: Arc::new(octets.to_vec()), flags, date };
    let (message, is_there) = mailbox.import(folders, kept, shown);
    mailbox.arrive(now);
    drop(mailbox);
    user.meter().note("imported");
    if is_there {
        server.violation(&user.name, format!("sent {message:x} again, with labels that it has"));
    }
    Ok(json!({"id": format!("{message:x}"), "threadId": format!("{message:x}"), "labelIds": ids}))
}

/// Reads the time of the Date field.
fn date_header(octets: &[u8]) -> Option<i64> {
    let end = octets.windows(4).position(|it| it == b"\r\n\r\n").unwrap_or(octets.len());
    let header = String::from_utf8_lossy(&octets[..end]).into_owned();
    let line = header.lines().find(|it| it.to_ascii_lowercase().starts_with("date:"))?.to_owned();
    DateTime::parse_rfc822(line[5..].trim()).filter(DateTime::is_valid).map(|it| it.to_timestamp())
}
