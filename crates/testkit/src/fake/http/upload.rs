//! Uploads: in one request with their metadata, or in chunks that can be resumed.

use hyper::{StatusCode, header};
use serde_json::Value;

use super::{
    super::server::{Server, User},
    api_state::{Fault, Upload},
    import::store,
    reply::{Reply, invalid, refusal, reply, too_large, with_header},
    request::ApiRequest,
};

/// Unit of chunks in bytes. All but the last are multiples of it, and so is the kept part of a cut one.
const CHUNK_UNIT: usize = 256 << 10;

/// Handles a message with its metadata in one request (RFC 2387).
pub(super) fn multipart(server: &Server, user: &User, request: &ApiRequest) -> Reply {
    let boundary = request.header("content-type").and_then(|it| it.split_once("boundary="));
    let parts = boundary.and_then(|(_, it)| parts(&request.body, it.trim_matches('"')));
    let Some((metadata, octets)) = parts else {
        server.violation(&user.name, "a multipart upload is malformed");
        return invalid("Malformed multipart body.");
    };
    if let Some(refused) = too_large(octets.len() as u64) {
        return refused;
    }
    match store(server, user, request, &metadata, octets) {
        Ok(content) => reply(StatusCode::OK, &content),
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
pub(super) fn start(user: &User, request: &ApiRequest) -> Reply {
    let length = request.header("x-upload-content-length").and_then(|it| it.parse::<usize>().ok());
    let metadata = serde_json::from_slice(&request.body).ok();
    let (Some(length), Some(metadata), Some("message/rfc822")) =
        (length, metadata, request.header("x-upload-content-type"))
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
    let host = request.header("host").unwrap_or_default();
    let query: Vec<String> = request.query.iter().map(|(name, value)| format!("{name}={value}")).collect();
    let location = format!("http://{host}{}?{}&upload_id={id}", request.path, query.join("&"));
    with_header(reply(StatusCode::OK, &Value::Null), header::LOCATION, &location)
}

/// Handles a chunk, or the received part of it.
pub(super) fn chunk(server: &Server, user: &User, request: &ApiRequest) -> Reply {
    user.meter().note("chunks");
    let Some((id, mut upload)) = find(user, request) else { return gone(request) };
    let wrong = |words: String| {
        server.violation(&user.name, &words);
        invalid(&words)
    };
    let Some((first, last, length)) = request.header("content-range").and_then(range) else {
        return wrong("a chunk has no Content-Range".to_owned());
    };
    let is_cut = matches!(request.fault, Some(Fault::CutAfter(_)));
    if upload.done.is_some() {
        return wrong("a chunk is sent to an upload that is complete".to_owned());
    }
    if first != upload.received.len() || length != upload.length || last >= length {
        let there = upload.received.len();
        return wrong(format!("a chunk of {first}-{last}/{length}, after {there} received bytes"));
    }
    if last + 1 < length && (last + 1 - first) % CHUNK_UNIT != 0 {
        return wrong(format!("a chunk of {} bytes that is not the last", last + 1 - first));
    }
    if !is_cut && request.body.len() != last + 1 - first {
        return wrong(format!("a chunk of {} bytes, announced as {first}-{last}", request.body.len()));
    }
    let taken = if is_cut { request.body.len() / CHUNK_UNIT * CHUNK_UNIT } else { request.body.len() };
    upload.received.extend_from_slice(&request.body[..taken]);
    let answer = if upload.received.len() == length {
        match store(server, user, request, &upload.metadata, &std::mem::take(&mut upload.received)) {
            Ok(content) => {
                upload.done = Some(content.clone());
                reply(StatusCode::OK, &content)
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
pub(super) fn query(server: &Server, user: &User, request: &ApiRequest) -> Reply {
    user.meter().note("queries");
    let Some((_, upload)) = find(user, request) else { return gone(request) };
    if request.header("content-range") != Some(&format!("bytes */{}", upload.length))
        || !request.body.is_empty()
    {
        server.violation(&user.name, "a malformed query for the received length");
    }
    match &upload.done {
        Some(content) => reply(StatusCode::OK, content),
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
fn find(user: &User, request: &ApiRequest) -> Option<(u64, Upload)> {
    let id = request.query.get("upload_id")?.parse().ok()?;
    let mut api = user.api();
    if matches!(request.fault, Some(Fault::SessionGone(_))) {
        api.uploads.remove(&id);
    }
    api.uploads.get(&id).cloned().map(|it| (id, it))
}

fn gone(request: &ApiRequest) -> Reply {
    let status = match request.fault {
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
