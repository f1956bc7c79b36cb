//! The meaning of an answer of Google's API. Pure.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use mail_parser::DateTime;
use mailhaul_engine::{Error, ErrorKind};
use mailhaul_mail::{Redactor, Retry, Scope, Search};
use serde_json::Value;

/// An answer with the header fields that matter.
#[derive(Clone, Debug, Default)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) retry_after: Option<String>,
    /// The server's current time.
    pub(crate) date: Option<String>,
    pub(crate) range: Option<String>,
    pub(crate) location: Option<String>,
    pub(crate) body: Vec<u8>,
    /// The token that the server was sent. It is removed from the server's words.
    pub(crate) secrets: Redactor,
}

/// Characters of the server's words that are searched for secrets, and that are shown.
const SEARCHED: usize = 4096;
const SHOWN: usize = 500;

/// The meaning of an answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Meaning {
    Done,
    /// Number of bytes that arrived of an incomplete upload.
    Incomplete(u64),
    /// The server asks for a delay.
    Patience(Option<Duration>, String),
    /// The server cannot answer now. The outcome of the request is unknown.
    Away(Option<Duration>, String),
    /// The upload does not exist any more.
    Gone(String),
    /// The token was refused.
    Unauthorized(String),
    /// The request was refused for good.
    Refused(Error),
}

impl Answer {
    pub(crate) fn meaning(&self) -> Meaning {
        let words = || self.words();
        match self.status {
            200..=299 => Meaning::Done,
            308 => Meaning::Incomplete(self.received()),
            401 => Meaning::Unauthorized(words()),
            404 | 410 => Meaning::Gone(words()),
            429 => Meaning::Patience(self.wait(), words()),
            403 if self.is_about_rates() => Meaning::Patience(self.wait(), words()),
            500..=599 => Meaning::Away(self.wait(), words()),
            _ => Meaning::Refused(self.refusal()),
        }
    }

    /// The imported message (X-GM-MSGID). The API writes it in hexadecimal digits.
    pub(crate) fn message(&self) -> Option<u64> {
        let content: Value = serde_json::from_slice(&self.body).ok()?;
        u64::from_str_radix(content.get("id")?.as_str()?, 16).ok()
    }

    /// Number of bytes that arrived, from `bytes=0-524287`; 0 without that field.
    fn received(&self) -> u64 {
        let last = self
            .range
            .as_deref()
            .and_then(|it| it.rsplit_once('-'))
            .and_then(|(_, it)| it.trim().parse().ok());
        last.map_or(0, |last: u64| last + 1)
    }

    fn error(&self) -> Value {
        let content: Value = serde_json::from_slice(&self.body).unwrap_or_default();
        content.get("error").cloned().unwrap_or_default()
    }

    /// The reason, such as `rateLimitExceeded`.
    fn reason(&self) -> String {
        let error = self.error();
        let reason = error.pointer("/errors/0/reason").or_else(|| error.get("status"));
        reason.and_then(Value::as_str).unwrap_or_default().to_owned()
    }

    fn message_text(&self) -> String {
        self.error().get("message").and_then(Value::as_str).unwrap_or_default().to_owned()
    }

    /// The server's words, for people.
    fn words(&self) -> String {
        let (reason, message) = (self.reason(), self.message_text());
        let told: Vec<String> = [reason, message].into_iter().filter(|it| !it.is_empty()).collect();
        format!("Gmail's API says {} {}", self.status, self.struck(&told.join(": "))).trim_end().to_owned()
    }

    /// Removes secrets from the server's words, and cuts them to a readable length.
    pub(crate) fn struck(&self, words: &str) -> String {
        let words: String = words.chars().take(SEARCHED).collect();
        self.secrets.redact(&words, Search::Decoded).chars().take(SHOWN).collect()
    }

    fn is_about_rates(&self) -> bool {
        const REASONS: [&str; 4] =
            ["rateLimitExceeded", "userRateLimitExceeded", "dailyLimitExceeded", "RESOURCE_EXHAUSTED"];
        REASONS.contains(&self.reason().as_str())
    }

    /// The requested delay: in seconds, as a date (RFC 9110, section 10.2.3), or as a date in words, as
    /// Gmail does.
    fn wait(&self) -> Option<Duration> {
        if let Some(text) = &self.retry_after {
            if let Ok(seconds) = text.trim().parse() {
                return Some(Duration::from_secs(seconds));
            }
            return self.until(DateTime::parse_rfc822(text)?);
        }
        let message = self.message_text();
        let (_, moment) = message.split_once("Retry after ")?;
        self.until(DateTime::parse_rfc3339(moment.split_whitespace().next()?)?)
    }

    fn until(&self, moment: DateTime) -> Option<Duration> {
        let here = || {
            SystemTime::now().duration_since(UNIX_EPOCH).ok().and_then(|it| i64::try_from(it.as_secs()).ok())
        };
        let now = self.date.as_deref().and_then(DateTime::parse_rfc822).map(|it| it.to_timestamp());
        // One second more, because the server's times have fractions of a second.
        let wait = moment.is_valid().then(|| moment.to_timestamp())? - now.or_else(here)? + 1;
        Some(Duration::from_secs(u64::try_from(wait).unwrap_or(0)))
    }

    fn refusal(&self) -> Error {
        let words = self.words();
        let is_full = {
            let words = words.to_ascii_lowercase();
            words.contains("storage quota") || words.contains("storagequota")
        };
        let (scope, kind) = match self.status {
            403 if is_full => (Scope::Endpoint, ErrorKind::Quota),
            403 if words.contains("accessNotConfigured")
                || words.contains("has not been used in project") =>
            {
                (Scope::Endpoint, ErrorKind::Authentication)
            }
            403 => (Scope::Mailbox, ErrorKind::Authentication),
            413 => (Scope::Message, ErrorKind::TooLarge),
            // A missing label concerns every message of the folder.
            400 if words.to_ascii_lowercase().contains("label") => {
                return Error::new(Scope::Folder, Retry::Now, ErrorKind::Refused, words);
            }
            400..=499 => (Scope::Message, ErrorKind::Refused),
            _ => {
                let words = format!("{words}: unexpected status");
                return Error::new(Scope::Session, Retry::Now, ErrorKind::Connection, words);
            }
        };
        Error::new(scope, Retry::Never, kind, words)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answer(status: u16, body: &str) -> Answer {
        Answer { status, body: body.as_bytes().to_vec(), ..Answer::default() }
    }

    fn refused(status: u16, reason: &str, message: &str) -> Answer {
        let body = format!(
            r#"{{"error":{{"code":{status},"message":"{message}","errors":[{{"reason":"{reason}","message":"{message}"}}]}}}}"#
        );
        answer(status, &body)
    }

    #[test]
    fn refusals_that_are_limits_ask_for_patience() {
        for (status, reason) in [
            (429, "rateLimitExceeded"),
            (403, "userRateLimitExceeded"),
            (403, "rateLimitExceeded"),
            (429, ""),
        ] {
            let meaning = refused(status, reason, "Quota exceeded").meaning();
            assert!(matches!(meaning, Meaning::Patience(None, _)), "{status} {reason}: {meaning:?}");
        }
        let is_away = |it: Answer| matches!(it.meaning(), Meaning::Away(..));
        assert!(is_away(refused(503, "backendError", "x")) && is_away(answer(502, "<html>")));
        let full = refused(403, "quotaExceeded", "The user's Drive storage quota has been exceeded.");
        let Meaning::Refused(error) = full.meaning() else { panic!() };
        assert_eq!((error.kind, error.retry), (ErrorKind::Quota, Retry::Never));
        let Meaning::Refused(error) = refused(403, "insufficientPermissions", "x").meaning() else {
            panic!()
        };
        assert_eq!((error.scope, error.kind), (Scope::Mailbox, ErrorKind::Authentication));
    }

    #[test]
    fn a_wait_is_told_in_three_ways() {
        let wait = |retry_after: Option<&str>, message: &str| {
            let told = Answer {
                retry_after: retry_after.map(str::to_owned),
                date: Some("Mon, 27 Mar 2017 15:57:04 GMT".to_owned()),
                ..refused(429, "rateLimitExceeded", message)
            };
            let Meaning::Patience(wait, _) = told.meaning() else { panic!() };
            wait.map(|it| it.as_secs())
        };
        assert_eq!(wait(Some("30"), ""), Some(30));
        assert_eq!(wait(Some("Mon, 27 Mar 2017 15:58:04 GMT"), ""), Some(61));
        assert_eq!(wait(None, "User-rate limit exceeded.  Retry after 2017-03-27T15:57:14.123Z"), Some(11));
        assert_eq!(wait(None, "User-rate limit exceeded.  Retry after 2017-03-27T15:00:00.000Z"), Some(0));
        assert_eq!(wait(None, "Too many"), None);
    }

    #[test]
    fn messages_are_told_from_what_concerns_more() {
        let scope = |it: Answer| match it.meaning() {
            Meaning::Refused(error) => (error.scope, error.kind),
            other => panic!("{other:?}"),
        };
        let words = refused(400, "invalidArgument", "'raw' RFC822 payload message string required");
        assert_eq!(scope(words), (Scope::Message, ErrorKind::Refused));
        assert_eq!(scope(answer(413, "")), (Scope::Message, ErrorKind::TooLarge));
        assert_eq!(
            scope(refused(400, "invalidArgument", "Invalid label: Label_1")),
            (Scope::Folder, ErrorKind::Refused)
        );
        assert_eq!(scope(answer(302, "")), (Scope::Session, ErrorKind::Connection));
    }

    #[test]
    fn what_is_there_and_who_it_is() {
        let so_far = |range: Option<&str>| {
            let told = Answer { range: range.map(str::to_owned), ..answer(308, "") };
            told.meaning()
        };
        assert_eq!(so_far(Some("bytes=0-524287")), Meaning::Incomplete(524_288));
        assert_eq!(so_far(None), Meaning::Incomplete(0));
        assert_eq!(answer(200, r#"{"id":"11bdf9a1b2c3d4e5"}"#).message(), Some(0x11bd_f9a1_b2c3_d4e5));
        assert_eq!(answer(200, r#"{"id":7}"#).message(), None);
    }
}
