//! Uploads one message: a small one whole, with its labels in one request; a large one in chunks that can
//! be resumed.
//!
//! Google's guide suggests 5 MB as the limit between them. Here it is the engine's limit for whole messages
//! (256 KiB): of a larger message only one chunk is in memory.

use std::time::Duration;

use bytes::{Bytes, BytesMut};
use mailhaul_engine::{Error, Feed};
use mailhaul_mail::Retry;
use reqwest::{Method, Url};
use serde_json::json;

use super::{
    answer::{Answer, Meaning},
    client::{Api, ApiError, Request, address, unexpected},
    split::Split,
};

/// Bytes per chunk: a multiple of 256 KiB, as the protocol demands.
const CHUNK: usize = 1 << 20;
/// Attempts per chunk after a broken connection or an unavailable server.
const TRIES: u32 = 6;
/// Longest wait between two attempts.
const LONGEST_WAIT: Duration = Duration::from_secs(30);

/// Parameters of every import: the date of the Date field, no spam filter, no calendar.
const QUERY: &str = "internalDateSource=dateHeader&neverMarkSpam=true&processForCalendar=false";

/// Progress of an upload.
enum Progress {
    /// The complete message.
    Complete(u64),
    /// Number of bytes that arrived.
    There(u64),
    /// The upload does not exist any more.
    Gone(String),
}

impl Api {
    fn import_url(&self, kind: &str) -> Result<Url, ApiError> {
        self.url("/upload", &format!("messages/import?uploadType={kind}&{QUERY}"))
    }

    /// Uploads a whole message. Returns Gmail's number of it.
    pub(crate) async fn upload(&self, labels: &[String], message: &Bytes) -> Result<u64, ApiError> {
        let boundary = boundary(message);
        let head = format!(
            "--{boundary}\r\nContent-Type: application/json; charset=UTF-8\r\n\r\n{}\r\n--{boundary}\r\n\
             Content-Type: message/rfc822\r\n\r\n",
            json!({"labelIds": labels})
        );
        let tail = format!("\r\n--{boundary}--");
        let mut body = BytesMut::with_capacity(head.len() + message.len() + tail.len());
        body.extend_from_slice(head.as_bytes());
        body.extend_from_slice(message);
        body.extend_from_slice(tail.as_bytes());
        let headers = vec![("content-type", format!("multipart/related; boundary={boundary}"))];
        let (method, url) = (Method::POST, self.import_url("multipart")?);
        let (answer, meaning) = self.ask(&Request { method, url, headers, body: body.freeze() }).await?;
        match meaning {
            Meaning::Done => imported(&answer),
            other => Err(unexpected(other)),
        }
    }

    /// Uploads the current message of this length to its end.
    pub(crate) async fn upload_chunks<F: Feed>(
        &self,
        labels: &[String],
        length: u64,
        feed: &mut Split<'_, F>,
    ) -> Result<u64, ApiError> {
        let mut session = self.start(labels, length).await?;
        let (mut at, mut rest, mut is_over) = (0, BytesMut::new(), false);
        loop {
            // The end of the message is read before its last chunk is sent: then the engine knows what it
            // sent.
            while !is_over && (rest.len() < CHUNK || at + rest.len() as u64 >= length) {
                match feed.chunk().await.map_err(ApiError::Unknown)? {
                    Some(octets) => rest.extend_from_slice(&octets),
                    None => is_over = true,
                }
                if at + rest.len() as u64 > length {
                    break;
                }
            }
            let so_far = at + rest.len() as u64;
            if so_far > length || (is_over && so_far < length) {
                let words = format!("a message of {length} bytes has {so_far} bytes");
                return Err(ApiError::Unknown(Error::session(words)));
            }
            let chunk = rest.split_to(rest.len().min(CHUNK)).freeze();
            let end = at + chunk.len() as u64;
            match self.send_chunk(&mut session, labels, &chunk, at, length).await? {
                Some(message) if end == length => return Ok(message),
                None if end < length => at = end,
                _ => {
                    let words = "Gmail's API and mailhaul disagree if an upload is complete";
                    return Err(ApiError::Unknown(Error::session(words)));
                }
            }
        }
    }

    /// Starts an upload. Returns the address for its chunks.
    async fn start(&self, labels: &[String], length: u64) -> Result<Url, ApiError> {
        let headers = vec![
            ("content-type", "application/json; charset=UTF-8".to_owned()),
            ("x-upload-content-type", "message/rfc822".to_owned()),
            ("x-upload-content-length", length.to_string()),
        ];
        let body = Bytes::from(json!({"labelIds": labels}).to_string());
        let request = Request { method: Method::POST, url: self.import_url("resumable")?, headers, body };
        let mut tries = 0;
        loop {
            let trouble = match self.ask(&request).await {
                Ok((answer, Meaning::Done)) => return address(&answer, self.uploads.api.reach),
                // Nothing was stored yet, so that it cannot be stored twice.
                Ok((_, meaning @ Meaning::Away(..))) => unexpected(meaning),
                Ok((_, meaning)) => return Err(unexpected(meaning)),
                Err(trouble @ ApiError::Unknown(_)) => trouble,
                Err(told) => return Err(told),
            };
            tries += 1;
            if tries == TRIES {
                return Err(trouble);
            }
            self.pause(wait(&trouble, tries)).await;
        }
    }

    /// Sends one chunk at this offset until all of it arrived. Returns the message if that completes it.
    ///
    /// After an error the server is asked for its progress before anything is sent again.
    async fn send_chunk(
        &self,
        session: &mut Url,
        labels: &[String],
        chunk: &Bytes,
        at: u64,
        length: u64,
    ) -> Result<Option<u64>, ApiError> {
        let end = at + chunk.len() as u64;
        let (mut there, mut tries, mut is_asking) = (at, 0, false);
        loop {
            let (range, body) = if is_asking {
                (format!("bytes */{length}"), Bytes::new())
            } else {
                let start = usize::try_from(there - at).unwrap_or(chunk.len());
                (format!("bytes {there}-{}/{length}", end - 1), chunk.slice(start..))
            };
            let headers = vec![("content-range", range)];
            let request = Request { method: Method::PUT, url: session.clone(), headers, body };
            let progress = match self.ask(&request).await {
                Ok((answer, meaning)) => progress(&answer, meaning),
                Err(failure) => Err(failure),
            };
            let trouble = match progress {
                Ok(Progress::Complete(message)) => return Ok(Some(message)),
                Ok(Progress::There(now)) if now == end => return Ok(None),
                Ok(Progress::There(now)) if (at..end).contains(&now) => {
                    is_asking = false;
                    if now > there {
                        (there, tries) = (now, 0);
                        continue;
                    }
                    ApiError::Unknown(Error::session("Gmail's API does not store the bytes of an upload"))
                }
                Ok(Progress::There(now)) => {
                    let words = format!("Gmail's API has {now} bytes of an upload, and had {at} before");
                    return Err(ApiError::Unknown(Error::session(words)));
                }
                // All that was sent is still here, and was not the whole message: the server cannot have
                // stored it.
                Ok(Progress::Gone(_)) if at == 0 && end < length && tries < TRIES => {
                    *session = self.start(labels, length).await?;
                    (there, is_asking) = (0, false);
                    tries += 1;
                    continue;
                }
                Ok(Progress::Gone(words)) => return Err(ApiError::Unknown(Error::session(words))),
                Err(trouble @ ApiError::Unknown(_)) => {
                    is_asking = true;
                    trouble
                }
                Err(told) => return Err(told),
            };
            tries += 1;
            if tries > TRIES {
                return Err(trouble);
            }
            self.pause(wait(&trouble, tries)).await;
        }
    }
}

/// Wait before the next attempt: longer each time, and at least the server's delay.
fn wait(trouble: &ApiError, tries: u32) -> Duration {
    let told = match trouble {
        ApiError::Unknown(Error { retry: Retry::After(told), .. }) => told.unwrap_or_default(),
        _ => Duration::ZERO,
    };
    Duration::from_secs(1 << tries.min(5)).max(told).min(LONGEST_WAIT)
}

fn progress(answer: &Answer, meaning: Meaning) -> Result<Progress, ApiError> {
    match meaning {
        Meaning::Done => imported(answer).map(Progress::Complete),
        Meaning::Incomplete(there) => Ok(Progress::There(there)),
        Meaning::Gone(words) => Ok(Progress::Gone(words)),
        other => Err(unexpected(other)),
    }
}

fn imported(answer: &Answer) -> Result<u64, ApiError> {
    answer.message().ok_or_else(|| {
        ApiError::Unknown(Error::session("Gmail's API does not say which message it imported"))
    })
}

/// A line that is not in the message (RFC 2046, section 5.1.1).
fn boundary(message: &[u8]) -> String {
    let candidates = (0u64..).map(|number| format!("mailhaul-{number}"));
    let is_free = |it: &String| memchr::memmem::find(message, it.as_bytes()).is_none();
    candidates.into_iter().find(is_free).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_boundary_is_not_in_the_message() {
        assert_eq!(boundary(b"x"), "mailhaul-0");
        assert_eq!(boundary(b"--mailhaul-0 and mailhaul-1"), "mailhaul-2");
        // The beginning of another one is one too.
        assert_eq!(boundary(b"mailhaul-10"), "mailhaul-0");
        assert_eq!(boundary(b"mailhaul-01"), "mailhaul-1");
        assert_eq!(CHUNK % (256 << 10), 0);
    }
}
