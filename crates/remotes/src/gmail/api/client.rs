//! One request to Gmail's API: adds a valid token, and waits out short delays.

use std::time::Duration;

use bytes::Bytes;
use mailhaul_engine::{Error, ErrorKind};
use mailhaul_mail::{CurrentPermit, Reach, Redactor, Retry, Scope, Secret};
use mailhaul_oauth::{Tokens, check_url, innermost};
use parking_lot::MutexGuard;
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use reqwest::{Method, Response, Url, header::HeaderName};

use super::{
    Uploads,
    answer::{Answer, Meaning},
    labels::{Label, Labels, find},
    safe,
};
use crate::login::without_token;

/// Longest delay that is waited out here. For a longer one the pass ends and frees its slot.
const IN_PLACE: Duration = Duration::from_secs(30);
/// Attempts per request that the server delays.
const TRIES: u32 = 5;
/// Searches for a new label.
const LOOKS: u32 = 3;
/// Longest answer that is read (bytes).
const LONGEST_ANSWER: usize = 4 << 20;

/// An error of the API.
#[derive(Debug)]
pub(crate) enum ApiError {
    /// The server refused the request.
    Refused(Error),
    /// The outcome of the request is unknown.
    Unknown(Error),
}

#[derive(Clone, Debug)]
pub(crate) struct Request {
    pub(crate) method: Method,
    pub(crate) url: Url,
    pub(crate) headers: Vec<(&'static str, String)>,
    pub(crate) body: Bytes,
}

/// Gmail's API for one mailbox.
#[derive(Clone)]
pub(crate) struct Api {
    pub(crate) uploads: Uploads,
    pub(crate) user: String,
    pub(crate) tokens: Tokens,
    /// Permit without which no request is sent.
    pub(crate) permit: Option<CurrentPermit>,
}

impl Api {
    /// The address of a resource of the mailbox.
    pub(crate) fn url(&self, prefix: &str, what: &str) -> Result<Url, ApiError> {
        let base = self.uploads.api.base.as_str().trim_end_matches('/');
        // The owner by name: `me` would be the user of the token.
        let user = utf8_percent_encode(&self.user, NON_ALPHANUMERIC);
        let text = format!("{base}{prefix}/gmail/v1/users/{user}/{what}");
        Url::parse(&text).map_err(|error| {
            let words = format!("{text} is not a valid address: {error}");
            ApiError::Refused(Error::new(Scope::Endpoint, Retry::Never, ErrorKind::Refused, words))
        })
    }

    pub(crate) async fn pause(&self, wait: Duration) {
        (self.uploads.api.pause)(wait).await;
    }

    /// Sends the request, and repeats it while the server asks for a short delay.
    pub(crate) async fn ask(&self, request: &Request) -> Result<(Answer, Meaning), ApiError> {
        let mut tries = 0;
        loop {
            let (pauses, answer) = {
                let pauses = self.uploads.shared.pauses.read().await;
                (*pauses, self.send_with_token(request).await?)
            };
            let meaning = answer.meaning();
            let Meaning::Patience(told, words) = meaning else { return Ok((answer, meaning)) };
            tries += 1;
            let wait = told.unwrap_or(Duration::from_secs(1 << (tries - 1)));
            if wait > IN_PLACE || tries == TRIES {
                let retry = Retry::After(told);
                return Err(ApiError::Refused(Error::new(
                    Scope::Mailbox,
                    retry,
                    ErrorKind::Throttled,
                    words,
                )));
            }
            let mut now = self.uploads.shared.pauses.write().await;
            // Another request has already waited for the same delay.
            if *now == pauses {
                self.pause(wait).await;
                *now += 1;
            }
        }
    }

    /// Sends the request. A refused token is replaced once.
    async fn send_with_token(&self, request: &Request) -> Result<Answer, ApiError> {
        let none = |error| ApiError::Refused(without_token(error));
        let first = self.tokens.token(&self.user).await.map_err(none)?;
        let answer = self.send(request, first.secret.expose()).await?;
        let Meaning::Unauthorized(words) = answer.meaning() else { return Ok(answer) };
        let second = self.tokens.instead_of(&self.user, &first.secret).await.map_err(none)?;
        if second.secret != first.secret {
            let answer = self.send(request, second.secret.expose()).await?;
            if !matches!(answer.meaning(), Meaning::Unauthorized(_)) {
                return Ok(answer);
            }
        }
        let error = Error::new(Scope::Mailbox, Retry::Never, ErrorKind::Authentication, words);
        Err(ApiError::Refused(error))
    }

    async fn send(&self, request: &Request, token: &[u8]) -> Result<Answer, ApiError> {
        if self.permit.as_ref().is_some_and(|permit| !permit.get().is_valid()) {
            return Err(ApiError::Unknown(Error::session(mailhaul_mail::EXPIRED_PERMIT)));
        }
        let token = String::from_utf8_lossy(token);
        let mut sending = self.uploads.api.client.request(request.method.clone(), request.url.clone());
        sending = sending.bearer_auth(&token).body(request.body.clone());
        for (name, value) in &request.headers {
            sending = sending.header(*name, value);
        }
        let mut secrets = Redactor::default();
        secrets.add(&Secret::new(token.as_bytes()));
        let response = sending.send().await.map_err(|error| self.broken(&error))?;
        self.answer(response, secrets).await.map_err(|error| self.broken(&error))
    }

    async fn answer(&self, mut response: Response, secrets: Redactor) -> Result<Answer, reqwest::Error> {
        use reqwest::header::{DATE, LOCATION, RANGE, RETRY_AFTER};
        let field = |name: HeaderName| {
            response.headers().get(name).and_then(|it| it.to_str().ok()).map(str::to_owned)
        };
        let mut answer = Answer {
            status: response.status().as_u16(),
            retry_after: field(RETRY_AFTER),
            date: field(DATE),
            range: field(RANGE),
            location: field(LOCATION),
            body: Vec::new(),
            secrets,
        };
        while answer.body.len() < LONGEST_ANSWER
            && let Some(octets) = response.chunk().await?
        {
            answer.body.extend_from_slice(&octets);
        }
        Ok(answer)
    }

    fn broken(&self, error: &reqwest::Error) -> ApiError {
        let words = innermost(error);
        let host = self.uploads.api.base.host_str().unwrap_or_default();
        ApiError::Unknown(Error::session(format!("the connection to {host} broke: {words}")))
    }

    /// The ID of the user's label of this name. IMAP has just shown or created it.
    pub(crate) async fn label(&self, name: &str) -> Result<String, ApiError> {
        let known = find(&self.labels(), name);
        if let Some(id) = known {
            return Ok(id);
        }
        for look in 0..LOOKS {
            if look > 0 {
                self.pause(Duration::from_secs(1)).await;
            }
            let labels = self.list_labels().await?;
            let id = find(&labels, name);
            *self.labels() = labels;
            if let Some(id) = id {
                return Ok(id);
            }
        }
        let words = format!("Gmail's API does not know the label \"{name}\", which IMAP shows");
        Err(ApiError::Refused(Error::new(Scope::Folder, Retry::Now, ErrorKind::Refused, words)))
    }

    /// Forgets the known labels.
    pub(crate) fn forget_labels(&self) {
        self.labels().clear();
    }

    /// The known labels.
    fn labels(&self) -> MutexGuard<'_, Vec<Label>> {
        self.uploads.shared.labels.lock()
    }

    async fn list_labels(&self) -> Result<Vec<Label>, ApiError> {
        let url = self.url("", "labels")?;
        let request = Request { method: Method::GET, url, headers: Vec::new(), body: Bytes::new() };
        let (answer, meaning) = self.ask(&request).await?;
        match meaning {
            Meaning::Done => {
                let labels: Labels = serde_json::from_slice(&answer.body).map_err(|error| {
                    let words = answer.struck(&error.to_string());
                    ApiError::Unknown(Error::session(format!("Gmail's API sent no labels: {words}")))
                })?;
                Ok(labels.labels)
            }
            other => Err(unexpected(other)),
        }
    }
}

/// Address of an upload, given by the server. Tokens are sent there: only over TLS or within this machine.
pub(crate) fn address(answer: &Answer, reach: Reach) -> Result<Url, ApiError> {
    let told = answer.location.as_deref().unwrap_or_default();
    let checked = safe(told).and_then(|url| check_url(&url, reach).map(|()| url));
    checked.map_err(|words| {
        let told = answer.struck(told);
        let words = format!("Gmail's API gives \"{told}\" as the address of an upload: {words}");
        ApiError::Unknown(Error::session(words))
    })
}

/// The error of an answer that is neither success nor progress.
pub(crate) fn unexpected(meaning: Meaning) -> ApiError {
    match meaning {
        Meaning::Refused(error) => ApiError::Refused(error),
        Meaning::Away(wait, words) => ApiError::Unknown(Error {
            retry: wait.map_or(Retry::Now, |it| Retry::After(Some(it))),
            ..Error::session(words)
        }),
        Meaning::Gone(words) => {
            ApiError::Refused(Error::new(Scope::Mailbox, Retry::Never, ErrorKind::Refused, words))
        }
        Meaning::Unauthorized(words) | Meaning::Patience(_, words) => {
            ApiError::Unknown(Error::session(words))
        }
        Meaning::Done | Meaning::Incomplete(_) => {
            ApiError::Unknown(Error::session("Gmail's API sent an unexpected answer"))
        }
    }
}

#[cfg(test)]
mod tests {
    use mailhaul_oauth::FixedToken;
    use tokio::{
        io::{AsyncReadExt as _, AsyncWriteExt as _},
        net::TcpListener,
    };

    use super::{super::GmailApi, *};

    /// A server that answers each request with this status and text, in Google's error format.
    async fn server(status: u16, said: String) -> String {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = format!("http://{}", listener.local_addr().unwrap());
        tokio::spawn(async move {
            while let Ok((mut stream, _)) = listener.accept().await {
                let mut head = [0; 4096];
                _ = stream.read(&mut head).await;
                let body =
                    format!(r#"{{"error":{{"status":"{said}","message":"{said}"}},"labels":"{said}"}}"#);
                let length = body.len();
                let answer = format!(
                    "HTTP/1.1 {status} x\r\nConnection: close\r\nLocation: {said}\r\nContent-Length: {length}\r\n\r\n{body}"
                );
                _ = stream.write_all(answer.as_bytes()).await;
            }
        });
        address
    }

    #[tokio::test]
    async fn words_of_a_server_that_sends_the_token_back_do_not_show_it() {
        let forms = ["ya29.hunter2", "eWEyOS5odW50ZXIy", "796132392e68756e74657232", "2retnuh.92ay"];
        for status in [200, 302, 400, 401, 403, 404, 500] {
            let base = server(status, format!("Bearer {}", forms.join(" "))).await;
            let api = Api {
                uploads: Uploads::new(GmailApi::new(&base).unwrap()),
                user: "ann@example.org".to_owned(),
                tokens: Tokens::new(FixedToken(Secret::new(forms[0]))),
                permit: None,
            };
            let url = api.url("", "labels").unwrap();
            let request = Request { method: Method::GET, url, headers: Vec::new(), body: Bytes::new() };
            let labels = api.label("Work").await.unwrap_err();
            let upload = match api.ask(&request).await {
                Ok((answer, _)) => address(&answer, Reach::Anywhere).unwrap_err(),
                Err(failure) => failure,
            };
            for failure in [labels, upload] {
                let (ApiError::Refused(error) | ApiError::Unknown(error)) = failure;
                let words = error.message.to_lowercase();
                assert!(words.contains("[redacted]"), "{status}: {words}");
                for form in forms {
                    assert!(!words.contains(&form.to_lowercase()), "{status}: {form} in {words}");
                }
            }
        }
    }
}
