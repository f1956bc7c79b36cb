//! Secrets that were sent to a server. They are redacted in everything that the server says afterwards.

use std::{borrow::Cow, collections::HashSet, sync::Arc};

use mailhaul_mail::{Redactor, Search, Secret};
use parking_lot::{Mutex, MutexGuard};

use crate::{
    error::Error,
    response::{Code, Response, Status, StatusResponse, Untagged},
    trace::{Direction, Milestone, Trace},
};

/// Longest text of a status response that is kept, in bytes.
const MAX_STATUS_TEXT: usize = 4096;

/// Texts that are remembered to contain no secret. Servers repeat a few sentences.
const MAX_REMEMBERED: usize = 64;
/// Longest text that is remembered, in bytes.
const MAX_REMEMBERED_LENGTH: usize = 256;

/// Known secrets. Clones share them.
#[derive(Clone, Default)]
pub(crate) struct Secrets(Arc<Mutex<KnownSecrets>>);

/// Secrets, and texts that are known to contain none of them.
#[derive(Default)]
struct KnownSecrets {
    redactor: Redactor,
    clean: HashSet<(String, Search)>,
}

impl KnownSecrets {
    fn redact(&mut self, text: &mut String, search: Search) {
        // The set cannot be asked with a tuple of borrowed text, so the text is moved into a key.
        let key = (std::mem::take(text), search);
        if self.clean.contains(&key) {
            *text = key.0;
            return;
        }
        let redacted = match self.redactor.redact(&key.0, search) {
            Cow::Owned(redacted) => Some(redacted),
            Cow::Borrowed(_) => None,
        };
        *text = redacted.unwrap_or_else(|| {
            let text = key.0.clone();
            self.remember(key);
            text
        });
    }

    fn remember(&mut self, key: (String, Search)) {
        if key.0.len() > MAX_REMEMBERED_LENGTH {
            return;
        }
        if self.clean.len() == MAX_REMEMBERED {
            self.clean.clear();
        }
        self.clean.insert(key);
    }

    fn learn(&mut self, add: impl FnOnce(&mut Redactor)) {
        add(&mut self.redactor);
        self.clean.clear();
    }
}

impl Secrets {
    pub(crate) fn new(secrets: &[Secret]) -> Self {
        let mut redactor = Redactor::default();
        for secret in secrets {
            redactor.add(secret);
        }
        Self(Arc::new(Mutex::new(KnownSecrets { redactor, clean: HashSet::new() })))
    }

    fn known(&self) -> MutexGuard<'_, KnownSecrets> {
        self.0.lock()
    }

    /// Adds a secret, which is redacted from now on.
    pub(crate) fn add(&self, secret: &Secret) {
        self.known().learn(|redactor| redactor.add(secret));
    }

    /// Adds a message of a SASL exchange. It is redacted only where it occurs as a whole.
    pub(crate) fn add_message(&self, message: &[u8]) {
        self.known().learn(|redactor| redactor.add_whole(message));
    }

    fn redact(&self, text: &mut String, search: Search) {
        self.known().redact(text, search);
    }

    /// Redacts the secrets in an error.
    pub(crate) fn redact_error(&self, mut error: Error) -> Error {
        self.redact(&mut error.message, Search::Decoded);
        if let Some(code) = &mut error.code {
            self.redact_code(code);
        }
        error
    }

    /// Redacts the secrets in the words of a response. Data and challenges stay, because they are read.
    pub(crate) fn redact_response(&self, response: &mut Response) {
        if self.known().redactor.is_empty() {
            return;
        }
        match response {
            Response::Tagged { status, .. } => {
                // Each message has one. The words of an OK are shown nowhere, so the cheap search is enough.
                let is_shown = status.status != Status::Ok;
                self.redact_status(status, if is_shown { Search::Decoded } else { Search::Plain });
            }
            Response::Untagged(Untagged::Status(status)) => {
                let search = if is_folder_data(status) { Search::Plain } else { Search::Decoded };
                self.redact_status(status, search);
            }
            Response::Untagged(Untagged::Unknown(line)) => {
                let text = String::from_utf8_lossy(line);
                if let Cow::Owned(redacted) = self.known().redactor.redact(&text, Search::Decoded) {
                    *line = redacted.into_bytes().into();
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
                // Values that cannot be read are shown.
                if let Some(text) = &mut fetch.odd_uid {
                    self.redact(text, Search::Decoded);
                }
                if fetch.internal_date.is_none()
                    && let Some(text) = &mut fetch.internal_date_text
                {
                    self.redact(text, Search::Decoded);
                }
            }
            Response::Continue(_) | Response::Untagged(_) => {}
        }
    }

    fn redact_status(&self, status: &mut StatusResponse, search: Search) {
        if let Some(end) = status.text.char_indices().map(|(at, _)| at).find(|at| *at >= MAX_STATUS_TEXT) {
            status.text.truncate(end);
        }
        if let Some(code) = &mut status.code {
            self.redact_code(code);
        }
        self.redact(&mut status.text, search);
    }

    fn redact_code(&self, code: &mut Code) {
        if let Code::Other { name, rest } = code {
            self.redact(name, Search::Decoded);
            self.redact(rest, Search::Decoded);
        }
    }

    /// Wraps a trace so that it receives no secret.
    pub(crate) fn redacting(&self, trace: Arc<dyn Trace>) -> Arc<dyn Trace> {
        Arc::new(RedactingTrace { trace, secrets: self.clone() })
    }
}

/// True for the codes that a server sends when a folder is opened. Their words are shown nowhere.
fn is_folder_data(status: &StatusResponse) -> bool {
    use Code as C;
    let is_data = matches!(
        status.code,
        Some(
            C::UidValidity(_)
                | C::UidNext(_)
                | C::Unseen(_)
                | C::HighestModSeq(_)
                | C::NoModSeq
                | C::PermanentFlags(_)
                | C::MailboxId(_)
                | C::Closed
        )
    );
    status.status == Status::Ok && is_data
}

struct RedactingTrace {
    trace: Arc<dyn Trace>,
    secrets: Secrets,
}

impl Trace for RedactingTrace {
    fn line(&self, direction: Direction, text: &str) {
        let known = self.secrets.known();
        self.trace.line(direction, &known.redactor.redact(text, Search::Decoded));
    }

    fn milestone(&self, milestone: &Milestone<'_>) {
        let Milestone::Greeted(text) = milestone else { return self.trace.milestone(milestone) };
        let known = self.secrets.known();
        self.trace.milestone(&Milestone::Greeted(&known.redactor.redact(text, Search::Decoded)));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn redacted(secrets: &Secrets, text: &str) -> String {
        let mut text = text.to_owned();
        secrets.redact(&mut text, Search::Decoded);
        text
    }

    #[test]
    fn a_text_that_was_clean_is_searched_for_a_secret_that_is_new() {
        let secrets = Secrets::new(&[Secret::new("first secret")]);
        for _ in 0..2 {
            assert_eq!(redacted(&secrets, "no hunter2 here"), "no hunter2 here");
            assert_eq!(redacted(&secrets, "a first secret"), "a [redacted]");
        }
        secrets.add(&Secret::new("hunter2"));
        assert_eq!(redacted(&secrets, "no hunter2 here"), "no [redacted] here");
        secrets.add_message(b"n,a=ann,auth=Bearer x");
        assert_eq!(redacted(&secrets, "n,a=ann,auth=Bearer x"), "[redacted]");
    }

    #[test]
    fn few_texts_are_remembered() {
        let secrets = Secrets::new(&[Secret::new("hunter2")]);
        for number in 0..1_000 {
            redacted(&secrets, &format!("words {number}"));
        }
        redacted(&secrets, &"x".repeat(MAX_REMEMBERED_LENGTH + 1));
        let known = secrets.known();
        assert!(known.clean.len() <= MAX_REMEMBERED, "{}", known.clean.len());
        assert!(known.clean.iter().all(|(text, _)| text.len() <= MAX_REMEMBERED_LENGTH));
    }
}
