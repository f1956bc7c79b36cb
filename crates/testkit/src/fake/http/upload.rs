//! Uploads: in one request with their metadata, or in chunks that can be resumed.

use hyper::{StatusCode, header};
use serde_json::Value;

use super::{
    super::{Server, User},
    Asked, Fault,
    gmail_api::{Reply, invalid, keep, too_large},
    refusal, reply, with_header,
};

/// Unit of chunks in bytes. All but the last are multiples of it, and so is the kept part of a cut one.
const GRAIN: usize = 256 << 10;

/// An upload in chunks.
#[derive(Clone, Debug)]
pub(super) struct Upload {
    metadata: Value,
    length: usize,
    received: Vec<u8>,
    /// The answer at its end.
    done: Option<Value>,
}

/// Handles a message with its metadata in one request (RFC 2387).
pub(super) fn multipart(server: &Server, user: &User, asked: &Asked) -> Reply {
    let boundary = asked.header("content-type").and_then(|it| it.split_once("boundary="));
    let parts = boundary.and_then(|(_, it)| parts(&asked.body, it.trim_matches('"')));
    let Some((metadata, octets)) = parts else {
        server.violation(&user.name, "a multipart upload is malformed");
        return invalid("Malformed multipart body.");
    };
    if let Some(refused) = too_large(octets.len() as u64) {
        return refused;
    }
    match keep(server, user, asked, &metadata, octets) {
        Ok(told) => reply(StatusCode::OK, &told),
        Err(refused) => *refused,
    }
}

/// Returns metadata and message.
fn parts<'a>(body: &'a [u8], boundary: &str) -> Option<(Value, &'a [u8])> {
    let body = body.strip_prefix(format!("--{boundary}\r\n").as_bytes())?;
    let separator = format!("\r\n--{boundary}");
    let find = |text: &[u8], what: &[u8]| text.windows(what.len()).position(|it| it == what);
    let (first, rest) = body.split_at(find(body, separator.as_bytes())?);
    let rest = rest.strip_prefix(format!("{separator}\r\n").as_bytes())?;
    let (second, end) = rest.split_at(find(rest, separator.as_bytes())?);
    end.strip_prefix(format!("{separator}--").as_bytes())?;
    let content = |part: &'a [u8], kind: &str| {
        let end = find(part, b"\r\n\r\n")?;
        let head = String::from_utf8_lossy(&part[..end]).to_ascii_lowercase();
        head.contains(&format!("content-type: {kind}")).then(|| &part[end + 4..])
    };
    let metadata = serde_json::from_slice(content(first, "application/json")?).ok()?;
    Some((metadata, content(second, "message/rfc822")?))
}

/// Begins an upload, whose URL is in the answer.
pub(super) fn start(user: &User, asked: &Asked) -> Reply {
    let length = asked.header("x-upload-content-length").and_then(|it| it.parse::<usize>().ok());
    let metadata = serde_json::from_slice(&asked.body).ok();
    let (Some(length), Some(metadata), Some("message/rfc822")) =
        (length, metadata, asked.header("x-upload-content-type"))
    else {
        return invalid("An upload needs its type, its length and its metadata.");
    };
    if let Some(refused) = too_large(length as u64) {
        return refused;
    }
    user.meter().note("sessions");
    let mut api = user.api();
    let id = api.uploads.keys().last().map_or(1, |it| it + 1);
    api.uploads.insert(id, Upload { metadata, length, received: Vec::new(), done: None });
    let host = asked.header("host").unwrap_or_default();
    let query: Vec<String> = asked.query.iter().map(|(name, value)| format!("{name}={value}")).collect();
    let location = format!("http://{host}{}?{}&upload_id={id}", asked.path, query.join("&"));
    with_header(reply(StatusCode::OK, &Value::Null), header::LOCATION, &location)
}

/// Handles a chunk, or the received part of it.
pub(super) fn chunk(server: &Server, user: &User, asked: &Asked) -> Reply {
    user.meter().note("chunks");
    let Some((id, mut upload)) = find(user, asked) else { return gone(asked) };
    let wrong = |words: String| {
        server.violation(&user.name, &words);
        invalid(&words)
    };
    let Some((first, last, length)) = asked.header("content-range").and_then(range) else {
        return wrong("a chunk has no Content-Range".to_owned());
    };
    let is_cut = matches!(asked.fault, Some(Fault::CutAfter(_)));
    if upload.done.is_some() {
        return wrong("a chunk is sent to an upload that is complete".to_owned());
    }
    if first != upload.received.len() || length != upload.length || last >= length {
        let there = upload.received.len();
        return wrong(format!("a chunk of {first}-{last}/{length}, where {there} octets are there"));
    }
    if last + 1 < length && (last + 1 - first) % GRAIN != 0 {
        return wrong(format!("a chunk of {} octets, and it is not the last", last + 1 - first));
    }
    if !is_cut && asked.body.len() != last + 1 - first {
        return wrong(format!("a chunk of {} octets, where {first}-{last} was told", asked.body.len()));
    }
    let taken = if is_cut { asked.body.len() / GRAIN * GRAIN } else { asked.body.len() };
    upload.received.extend_from_slice(&asked.body[..taken]);
    let answer = if upload.received.len() == length {
        match keep(server, user, asked, &upload.metadata, &std::mem::take(&mut upload.received)) {
            Ok(told) => {
                upload.done = Some(told.clone());
                reply(StatusCode::OK, &told)
            }
            Err(refused) => {
                user.api().uploads.remove(&id);
                return *refused;
            }
        }
    } else {
        so_far(&upload)
    };
    user.api().uploads.insert(id, upload);
    answer
}

/// Returns the length of the received part.
pub(super) fn query(server: &Server, user: &User, asked: &Asked) -> Reply {
    user.meter().note("queries");
    let Some((_, upload)) = find(user, asked) else { return gone(asked) };
    if asked.header("content-range") != Some(&format!("bytes */{}", upload.length)) || !asked.body.is_empty()
    {
        server.violation(&user.name, "a malformed question for how much has arrived");
    }
    match &upload.done {
        Some(told) => reply(StatusCode::OK, told),
        None => so_far(&upload),
    }
}

/// 308 with the length of the received part.
fn so_far(upload: &Upload) -> Reply {
    let response = reply(StatusCode::PERMANENT_REDIRECT, &Value::Null);
    match upload.received.len() {
        0 => response,
        there => with_header(response, header::RANGE, &format!("bytes=0-{}", there - 1)),
    }
}

/// Finds the upload, unless it is dropped now or was before.
fn find(user: &User, asked: &Asked) -> Option<(u64, Upload)> {
    let id = asked.query.get("upload_id")?.parse().ok()?;
    let mut api = user.api();
    if matches!(asked.fault, Some(Fault::SessionGone(_))) {
        api.uploads.remove(&id);
    }
    api.uploads.get(&id).cloned().map(|it| (id, it))
}

fn gone(asked: &Asked) -> Reply {
    let status = match asked.fault {
        Some(Fault::SessionGone(status)) => StatusCode::from_u16(status).unwrap(),
        _ => StatusCode::NOT_FOUND,
    };
    refusal(status, "notFound", "Upload session not found.")
}

/// Parses `bytes 0-262143/1000000`.
fn range(text: &str) -> Option<(usize, usize, usize)> {
    let (range, length) = text.strip_prefix("bytes ")?.split_once('/')?;
    let (first, last) = range.split_once('-')?;
    Some((first.parse().ok()?, last.parse().ok()?, length.parse().ok()?))
}
