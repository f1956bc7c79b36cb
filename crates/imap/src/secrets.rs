//! The secrets that a connection has shown its server, struck out of whatever the server says afterwards.

use std::{borrow::Cow, collections::HashSet, sync::Arc};

use mailhaul_mail::{Redactor, Search, Secret};
use parking_lot::{Mutex, MutexGuard};

use crate::{
    error::Error,
    response::{Code, Response, Status, StatusResponse, Untagged},
    trace::{Direction, Milestone, Trace},
};

/// Bytes of a status response that are kept for people.
const LONGEST_TEXT: usize = 4096;

/// Maximum number of texts that are remembered to hold no secret, and bytes of the longest of them.
const REMEMBERED: usize = 64;
const LONGEST_REMEMBERED: usize = 256;

/// Known secrets. Clones share them.
#[derive(Clone, Default)]
pub(crate) struct Secrets(Arc<Mutex<Known>>);

/// Secrets, and texts that were searched for them: servers say the same few sentences again and again.
#[derive(Default)]
struct Known {
    redactor: Redactor,
    clean: HashSet<(String, Search)>,
}

impl Known {
    fn redact(&mut self, text: &mut String, search: Search) {
        // A tuple of borrowed text is no key of the set: the text is lent to one.
        let key = (std::mem::take(text), search);
        if self.clean.contains(&key) {
            *text = key.0;
            return;
        }
        let struck = match self.redactor.redact(&key.0, search) {
            Cow::Owned(struck) => Some(struck),
            Cow::Borrowed(_) => None,
        };
        *text = struck.unwrap_or_else(|| {
            let text = key.0.clone();
            self.remember(key);
            text
        });
    }

    fn remember(&mut self, key: (String, Search)) {
        if key.0.len() > LONGEST_REMEMBERED {
            return;
        }
        if self.clean.len() == REMEMBERED {
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
        Self(Arc::new(Mutex::new(Known { redactor, clean: HashSet::new() })))
    }

    fn known(&self) -> MutexGuard<'_, Known> {
        self.0.lock()
    }

    /// From now on this is struck.
    pub(crate) fn add(&self, secret: &Secret) {
        self.known().learn(|redactor| redactor.add(secret));
    }

    /// A message of a SASL exchange, which is struck where it is whole.
    pub(crate) fn add_message(&self, message: &[u8]) {
        self.known().learn(|redactor| redactor.add_whole(message));
    }

    fn redact(&self, text: &mut String, search: Search) {
        self.known().redact(text, search);
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
        if self.known().redactor.is_empty() {
            return;
        }
        match response {
            Response::Tagged { status, .. } => {
                // There is one for each message, and its words are shown nowhere where it is an OK.
                let is_shown = status.status != Status::Ok;
                self.strike_status(status, if is_shown { Search::Decoded } else { Search::Plain });
            }
            Response::Untagged(Untagged::Status(status)) => {
                let search = if tells_of_a_folder(status) { Search::Plain } else { Search::Decoded };
                self.strike_status(status, search);
            }
            Response::Untagged(Untagged::Unknown(line)) => {
                let text = String::from_utf8_lossy(line);
                if let Cow::Owned(struck) = self.known().redactor.redact(&text, Search::Decoded) {
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

/// True for the data that come when a folder is opened: the words beside them are shown nowhere.
fn tells_of_a_folder(status: &StatusResponse) -> bool {
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

struct Guarded {
    trace: Arc<dyn Trace>,
    secrets: Secrets,
}

impl Trace for Guarded {
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
        redacted(&secrets, &"x".repeat(LONGEST_REMEMBERED + 1));
        let known = secrets.known();
        assert!(known.clean.len() <= REMEMBERED, "{}", known.clean.len());
        assert!(known.clean.iter().all(|(text, _)| text.len() <= LONGEST_REMEMBERED));
    }
}
