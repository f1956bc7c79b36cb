//! The secrets that a connection has shown its server, struck out of whatever the server says afterwards.

use std::{
    borrow::Cow,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use mailhaul_mail::{Redactor, Search, Secret};

use crate::{
    error::Error,
    response::{Code, Response, Status, StatusResponse, Untagged},
    trace::{Direction, Milestone, Trace},
};

/// Bytes of a status response that are kept for people.
const LONGEST_TEXT: usize = 4096;

/// Known secrets. Clones share them.
#[derive(Clone, Default)]
pub(crate) struct Secrets(Arc<Mutex<Redactor>>);

impl Secrets {
    pub(crate) fn new(secrets: &[Secret]) -> Self {
        let mut redactor = Redactor::default();
        for secret in secrets {
            redactor.add(secret);
        }
        Self(Arc::new(Mutex::new(redactor)))
    }

    fn redactor(&self) -> MutexGuard<'_, Redactor> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// From now on this is struck.
    pub(crate) fn add(&self, secret: &Secret) {
        self.redactor().add(secret);
    }

    /// A message of a SASL exchange, which is struck where it is whole.
    pub(crate) fn add_message(&self, message: &[u8]) {
        self.redactor().add_whole(message);
    }

    fn redact(&self, text: &mut String, search: Search) {
        if let Cow::Owned(struck) = self.redactor().redact(text, search) {
            *text = struck;
        }
    }

    /// The error without secrets.
    pub(crate) fn strike_error(&self, mut error: Error) -> Error {
        self.redact(&mut error.message, Search::Decoded);
        if let Some(code) = &mut error.code {
            self.strike_code(code);
        }
        error
    }

    /// The response without secrets, where it is words and no data. Challenges stay: the mechanism has to read them.
    pub(crate) fn strike(&self, response: &mut Response) {
        if self.redactor().is_empty() {
            return;
        }
        match response {
            Response::Tagged { status, .. } => {
                // There is one for each message, and its words are shown nowhere where it is an OK.
                let is_shown = status.status != Status::Ok;
                self.strike_status(status, if is_shown { Search::Decoded } else { Search::Plain });
            }
            Response::Untagged(Untagged::Status(status)) => self.strike_status(status, Search::Decoded),
            Response::Untagged(Untagged::Unknown(line)) => {
                let text = String::from_utf8_lossy(line);
                if let Cow::Owned(struck) = self.redactor().redact(&text, Search::Decoded) {
                    *line = struck.into_bytes().into();
                }
            }
            Response::Untagged(Untagged::Id(fields)) => {
                for (name, value) in fields {
                    self.redact(name, Search::Decoded);
                    if let Some(value) = value {
                        self.redact(value, Search::Decoded);
                    }
                }
            }
            Response::Untagged(Untagged::Fetch(fetch)) => {
                // They are shown where they cannot be read.
                if let Some(text) = &mut fetch.odd_uid {
                    self.redact(text, Search::Decoded);
                }
                if let Some(text) =
                    fetch.internal_date_text.as_mut().filter(|_| fetch.internal_date.is_none())
                {
                    self.redact(text, Search::Decoded);
                }
            }
            Response::Continue(_) | Response::Untagged(_) => {}
        }
    }

    fn strike_status(&self, status: &mut StatusResponse, search: Search) {
        if let Some(end) = status.text.char_indices().map(|(at, _)| at).find(|at| *at >= LONGEST_TEXT) {
            status.text.truncate(end);
        }
        if let Some(code) = &mut status.code {
            self.strike_code(code);
        }
        self.redact(&mut status.text, search);
    }

    fn strike_code(&self, code: &mut Code) {
        if let Code::Other { name, rest } = code {
            self.redact(name, Search::Decoded);
            self.redact(rest, Search::Decoded);
        }
    }

    /// A trace that is shown no secret.
    pub(crate) fn guard(&self, trace: Arc<dyn Trace>) -> Arc<dyn Trace> {
        Arc::new(Guarded { trace, secrets: self.clone() })
    }
}

struct Guarded {
    trace: Arc<dyn Trace>,
    secrets: Secrets,
}

impl Trace for Guarded {
    fn line(&self, direction: Direction, text: &str) {
        let redactor = self.secrets.redactor();
        self.trace.line(direction, &redactor.redact(text, Search::Decoded));
    }

    fn milestone(&self, milestone: &Milestone<'_>) {
        let Milestone::Greeted(text) = milestone else { return self.trace.milestone(milestone) };
        let redactor = self.secrets.redactor();
        self.trace.milestone(&Milestone::Greeted(&redactor.redact(text, Search::Decoded)));
    }
}
