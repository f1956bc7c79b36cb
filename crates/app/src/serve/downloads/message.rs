//! `GET /api/v1/skipped-items/{Identity}/message`: a skipped message, as it is on the source.

use std::io;

use axum::{
    Router,
    body::{Body, Bytes},
    extract::{Path, Request},
    http::{header, request::Parts},
    response::{IntoResponse as _, Response},
    routing::get,
};
use futures_util::{StreamExt as _, stream};
use mailhaul_operations::{Caller, Failure, Gate as _, Record, Role, attachment};
use tokio::sync::mpsc;

use crate::{
    ops::{MessageSink, SkippedSource},
    serve::local_service::LocalService,
};

const PATH: &str = "/api/v1/skipped-items/{identity}/message";
/// Name of the download in the audit log.
const OPERATION: &str = "SaveSkippedMessage";

/// Folder and UID of the message.
#[derive(Default)]
struct Place {
    folder: Option<String>,
    uid: Option<u32>,
}

/// Passes the bytes on to the answer.
struct Pieces(mpsc::Sender<io::Result<Bytes>>);

impl MessageSink for Pieces {
    async fn write(&mut self, octets: Bytes) -> io::Result<()> {
        self.0.send(Ok(octets)).await.map_err(|_| io::ErrorKind::BrokenPipe.into())
    }
}

pub(super) fn route(local: &LocalService) -> Router {
    let local = local.clone();
    let answer = move |Path(identity): Path<String>, request: Request| async move {
        let (head, _) = request.into_parts();
        send(&local, &head, identity).await.unwrap_or_else(Failure::into_response)
    };
    Router::new().route(PATH, get(answer))
}

/// Sends the message. The audit log tells who read it.
async fn send(local: &LocalService, head: &Parts, identity: String) -> Result<Response, Failure> {
    let caller = local.service.caller(head).await?;
    let asked = place(head);
    let shown = match &asked {
        Ok((folder, uid)) => format!("{identity}, {folder}, UID {uid}"),
        Err(_) => identity.clone(),
    };
    let answer = match asked {
        Ok((folder, uid)) => message(local, &caller, &identity, &folder, uid).await,
        Err(failure) => Err(failure),
    };
    let outcome = answer.as_ref().map(|_| ()).map_err(Clone::clone);
    let operation = OPERATION.to_owned();
    let record = Record { caller, operation, identity: Some(shown), selection: None, outcome };
    local.authorizer.record(record).await;
    answer
}

async fn message(
    local: &LocalService,
    caller: &Caller,
    identity: &str,
    folder: &str,
    uid: u32,
) -> Result<Response, Failure> {
    if caller.role < Role::Admin {
        return Err(Failure::forbidden("the text of a message needs the role Admin"));
    }
    let source = SkippedSource::find(&local.context, identity, folder, uid).await?;
    let name = source.file_name();
    let (sender, mut pieces) = mpsc::channel(1);
    tokio::spawn(async move {
        let failures = sender.clone();
        if let Err(words) = Box::pin(source.read(&mut Pieces(sender))).await {
            _ = failures.send(Err(io::Error::other(words))).await;
        }
    });
    // The first piece tells if the source has the message.
    let first = match pieces.recv().await {
        Some(Ok(first)) => first,
        Some(Err(error)) => return Err(Failure::unavailable(error)),
        None => return Err(Failure::unavailable("the source sent nothing")),
    };
    let rest = stream::unfold(pieces, |mut pieces| async { Some((pieces.recv().await?, pieces)) });
    let body = Body::from_stream(stream::iter([Ok(first)]).chain(rest));
    let headers = [
        (header::CONTENT_TYPE, "message/rfc822".to_owned()),
        (header::CONTENT_DISPOSITION, attachment(&name)),
        (header::CONTENT_SECURITY_POLICY, "sandbox".to_owned()),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff".to_owned()),
        (header::CACHE_CONTROL, "no-store".to_owned()),
    ];
    Ok((headers, body).into_response())
}

fn place(head: &Parts) -> Result<(String, u32), Failure> {
    let wrong = || Failure::invalid("the parameters of a message are its FolderName and its UID");
    let mut found = Place::default();
    for (name, value) in url::form_urlencoded::parse(head.uri.query().unwrap_or_default().as_bytes()) {
        match name.as_ref() {
            "FolderName" => found.folder = Some(value.into_owned()),
            "UID" => found.uid = Some(value.parse().map_err(|_| wrong())?),
            _ => return Err(wrong()),
        }
    }
    found.folder.zip(found.uid).ok_or_else(wrong)
}
