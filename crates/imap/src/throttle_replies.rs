//! Answers in which a server asks for a delay: their words, scope and duration.
//!
//! The scope is one mailbox ([`Scope::Mailbox`]), so that others continue, or the whole server ([`Scope::Endpoint`]).

use std::time::Duration;

use mailhaul_mail::{Retry, Scope};

use crate::{
    error_kind::ErrorKind,
    response::{Code, Status, StatusResponse},
};

type Verdict = (Scope, Retry, ErrorKind);

/// Longest delay that is accepted. A longer one is shortened.
const MAX_BACKOFF: Duration = DAY;

/// Words about too many connections, in lower case. All words of a row must occur; the first row counts.
const CONNECTIONS: [(&[&str], Scope); 11] = [
    // Dovecot counts connections per user and address.
    (&["number of connections", "user"], Scope::Mailbox),
    // Gmail: 15 connections per account.
    (&["too many simultaneous"], Scope::Mailbox),
    // Cyrus: maxlogins_per_user; Zimbra, Exchange.
    (&["too many", "connections", "user"], Scope::Mailbox),
    (&["too many", "connections", "account"], Scope::Mailbox),
    (&["too many", "connections", "mailbox"], Scope::Mailbox),
    (&["too many sessions"], Scope::Mailbox),
    // Courier: MAXDAEMONS, MAXPERIP; Cyrus: maxlogins_per_host.
    (&["connection limit"], Scope::Endpoint),
    (&["number of connections"], Scope::Endpoint),
    (&["too many", "connections"], Scope::Endpoint),
    (&["too many open"], Scope::Endpoint),
    (&["too many clients"], Scope::Endpoint),
];

/// Gmail's words about an exhausted daily limit of an account. They come with the code of a full mailbox.
const DAILY_LIMIT: &str = "command or bandwidth limit";
/// Time until the daily limit ends.
const DAY: Duration = Duration::from_hours(24);

/// Words that ask for a delay, if no code says anything else. All words of a row must occur; the first row counts.
///
/// [`ErrorKind::Busy`] marks words that may concern one message: servers also use them for a message that they cannot
/// handle.
const WORDS: [(&[&str], Scope, ErrorKind); 8] = [
    // Not a request for a delay: commands of this session were wrong.
    (&["too many invalid"], Scope::Session, ErrorKind::Connection),
    (&["too many bad"], Scope::Session, ErrorKind::Connection),
    (&["too many errors"], Scope::Session, ErrorKind::Connection),
    // Exchange and Gmail have budgets per mailbox.
    (&["throttl"], Scope::Mailbox, ErrorKind::Throttled),
    (&["rate limit"], Scope::Mailbox, ErrorKind::Throttled),
    // Exchange: the database of this mailbox, one of many; or the mailbox is full.
    (&["server unavailable"], Scope::Mailbox, ErrorKind::Busy),
    (&["server", "busy"], Scope::Endpoint, ErrorKind::Busy),
    (&["try again later"], Scope::Endpoint, ErrorKind::Busy),
];

/// "Too many" of these asks for a delay, because servers count them per address.
///
/// "Too many" of anything else (headers, MIME parts, recipients, identical messages) is a refusal of the message.
const COUNTED: [&str; 9] = [
    "connection",
    "login",
    "logon",
    "attempt",
    "request",
    "session",
    "command",
    "simultaneous",
    "failed auth",
];

/// Returns the verdict of a code or of clear words. `text` is the text of the status in lower case.
pub(crate) fn verdict(status: &StatusResponse, text: &str) -> Option<Verdict> {
    if let Some(backoff) = suggested_backoff(text) {
        // Exchange has budgets per mailbox.
        return Some((Scope::Mailbox, Retry::After(Some(backoff)), ErrorKind::Throttled));
    }
    if text.contains(DAILY_LIMIT) {
        return Some((Scope::Mailbox, Retry::After(Some(DAY)), ErrorKind::Throttled));
    }
    if let Some(scope) = scope_in(&CONNECTIONS, text) {
        return Some((scope, Retry::After(None), ErrorKind::TooManyConnections));
    }
    let (scope, kind) = match status.code.as_ref()? {
        // RFC 5530: a lock on this mailbox.
        Code::InUse => (Scope::Mailbox, ErrorKind::Busy),
        // RFC 5530: a subsystem is down. Dovecot also uses it if it cannot look up one user, Yahoo if it cannot read one
        // message.
        Code::Unavailable if text.contains("account") || text.contains("authentication") => {
            (Scope::Mailbox, ErrorKind::Busy)
        }
        Code::Unavailable => (Scope::Endpoint, ErrorKind::Busy),
        // RFC 5530 means a limit on one object. Yahoo means the rate of an account.
        Code::Limit if text.contains("rate") || status.status == Status::Bye => {
            (Scope::Mailbox, ErrorKind::Throttled)
        }
        Code::Other { name, .. } if name.eq_ignore_ascii_case("THROTTLED") => {
            (Scope::Mailbox, ErrorKind::Throttled)
        }
        _ => return None,
    };
    Some((scope, Retry::After(None), kind))
}

/// Returns the verdict of words without a code.
pub(crate) fn verdict_from_words(text: &str) -> Option<Verdict> {
    let row = WORDS.iter().find(|(words, ..)| words.iter().all(|word| text.contains(word)));
    if let Some((_, scope, kind)) = row {
        let retry = if *kind == ErrorKind::Connection { Retry::Now } else { Retry::After(None) };
        return Some((*scope, retry, *kind));
    }
    let is_counted = text.contains("too many") && COUNTED.iter().any(|counted| text.contains(counted));
    if is_counted { Some((Scope::Endpoint, Retry::After(None), ErrorKind::Throttled)) } else { None }
}

fn scope_in(table: &[(&[&str], Scope)], text: &str) -> Option<Scope> {
    let row = table.iter().find(|(words, _)| words.iter().all(|word| text.contains(word)));
    row.map(|(_, scope)| *scope)
}

/// Returns Microsoft's delay: `Suggested Backoff Time: 299961 milliseconds`.
fn suggested_backoff(text: &str) -> Option<Duration> {
    let (_, after) = text.split_once("suggested backoff time:")?;
    let digits: String = after.trim_start().chars().take_while(char::is_ascii_digit).collect();
    digits.parse().ok().map(Duration::from_millis).map(|backoff| backoff.min(MAX_BACKOFF))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{decode::decode_status, error::Error};

    fn judged(line: &str) -> Verdict {
        let error = Error::refused("APPEND", &decode_status(line.as_bytes()).unwrap());
        (error.scope, error.retry, error.kind)
    }

    #[test]
    fn delays_have_a_scope_and_a_duration() {
        let exactly = |millis| Retry::After(Some(Duration::from_millis(millis)));
        let open = Retry::After(None);
        for (line, scope, retry) in [
            // Microsoft 365: the budget of a mailbox.
            (
                "NO Request is throttled. Suggested Backoff Time: 299961 milliseconds",
                Scope::Mailbox,
                exactly(299_961),
            ),
            (
                "BAD Request is throttled. Suggested Backoff Time: 3000000 milliseconds",
                Scope::Mailbox,
                exactly(3_000_000),
            ),
            (
                "BYE Request is throttled. Suggested Backoff Time: 99999999999999 milliseconds",
                Scope::Mailbox,
                exactly(24 * 3_600_000),
            ),
            ("BAD Request is throttled.", Scope::Mailbox, open),
            ("NO Request is throttled. Suggested Backoff Time: soon", Scope::Mailbox, open),
            ("NO Server Unavailable. 15", Scope::Mailbox, open),
            ("NO Server Busy", Scope::Endpoint, open),
            ("NO The server is too busy to process this request.", Scope::Endpoint, open),
            ("BYE Server is unavailable, try again later", Scope::Endpoint, open),
            // Gmail: of an account; in the code's place and at the end.
            ("NO [THROTTLED] slow down", Scope::Mailbox, open),
            ("NO Lockout [THROTTLED]", Scope::Mailbox, open),
            (
                "NO [OVERQUOTA] Account exceeded command or bandwidth limits. (Failure)",
                Scope::Mailbox,
                exactly(24 * 3_600_000),
            ),
            ("BYE Account exceeded command or bandwidth limits.", Scope::Mailbox, exactly(24 * 3_600_000)),
            // Yahoo.
            ("NO [LIMIT] UID FETCH Rate limit hit.", Scope::Mailbox, open),
            ("BYE [LIMIT] FETCH Rate limit hit.", Scope::Mailbox, open),
            ("BYE [LIMIT] goodbye", Scope::Mailbox, open),
            // RFC 5530; Dovecot's words.
            ("NO [INUSE] Mailbox is locked", Scope::Mailbox, open),
            ("NO [UNAVAILABLE] Temporary authentication failure.", Scope::Mailbox, open),
            ("NO [UNAVAILABLE] Account is temporarily unavailable.", Scope::Mailbox, open),
            ("NO [UNAVAILABLE] Server is going down for maintenance", Scope::Endpoint, open),
            ("BYE [UNAVAILABLE] maintenance", Scope::Endpoint, open),
            // Logins are counted by address.
            ("NO Too many failed logins from your address", Scope::Endpoint, open),
        ] {
            let vague =
                ["unavailable", "busy", "inuse"].iter().any(|word| line.to_lowercase().contains(word));
            let kind = if vague { ErrorKind::Busy } else { ErrorKind::Throttled };
            assert_eq!(judged(line), (scope, retry, kind), "{line}");
        }
    }

    #[test]
    fn some_refusals_may_concern_one_message() {
        for (line, expected) in [
            ("NO [UNAVAILABLE] UID FETCH Server error while fetching messages", true),
            ("NO [SERVERBUG] UID FETCH Server error - Please try again later", true),
            ("NO UID FETCH Server error - Please try again later", true),
            ("NO Server Unavailable. 15", true),
            ("NO Not enough disk space", true),
            ("NO [LIMIT] UID FETCH Rate limit hit.", false),
            ("NO [THROTTLED] slow down, try again later", false),
            ("NO Request is throttled. Suggested Backoff Time: 299961 milliseconds", false),
            ("NO [OVERQUOTA] Account exceeded command or bandwidth limits. (Failure)", false),
            ("NO [INUSE] Mailbox is locked", false),
            ("NO [ALERT] Too many simultaneous connections. (Failure)", false),
            ("NO [SERVERBUG] Internal error", false),
        ] {
            let error = Error::refused("UID FETCH", &decode_status(line.as_bytes()).unwrap());
            assert_eq!(error.may_mean_one_message(), expected, "{line}");
        }
    }

    #[test]
    fn too_many_connections_have_a_scope() {
        for (line, scope) in [
            (
                "NO [ALERT] Maximum number of connections from user+IP exceeded (mail_max_userip_connections=10)",
                Scope::Mailbox,
            ),
            (
                "NO [LIMIT] Maximum number of connections from user+IP exceeded (mail_max_userip_connections=10)",
                Scope::Mailbox,
            ),
            ("NO [ALERT] Too many simultaneous connections. (Failure)", Scope::Mailbox),
            ("BYE Too many open connections for this user", Scope::Mailbox),
            ("NO [LIMIT] Too many sessions", Scope::Mailbox),
            ("BYE [ALERT] Maximum connection limit reached for ::ffff:192.0.2.1", Scope::Endpoint),
            ("BYE Too many connections from this host", Scope::Endpoint),
            ("NO [UNAVAILABLE] Too many open connections", Scope::Endpoint),
        ] {
            assert_eq!(judged(line), (scope, Retry::After(None), ErrorKind::TooManyConnections), "{line}");
        }
    }

    #[test]
    fn similar_words_ask_for_no_delay() {
        for (line, expected) in [
            ("NO [OVERQUOTA] Quota exceeded", (Scope::Endpoint, Retry::Never, ErrorKind::Quota)),
            ("BYE Too many invalid IMAP commands.", (Scope::Session, Retry::Now, ErrorKind::Connection)),
            (
                "NO [AUTHENTICATIONFAILED] Too many attempts, try again later",
                (Scope::Endpoint, Retry::Never, ErrorKind::Authentication),
            ),
            ("NO [LIMIT] Too many identical emails", (Scope::Message, Retry::Never, ErrorKind::Refused)),
            ("NO Too many messages in mailbox", (Scope::Message, Retry::Never, ErrorKind::Refused)),
            ("NO Message has too many MIME parts", (Scope::Message, Retry::Never, ErrorKind::Refused)),
            ("BAD Too many header lines", (Scope::Message, Retry::Never, ErrorKind::Refused)),
            ("NO Too many recipients", (Scope::Message, Retry::Never, ErrorKind::Refused)),
            ("NO [LIMIT] Header is too large", (Scope::Message, Retry::Never, ErrorKind::TooLarge)),
        ] {
            assert_eq!(judged(line), expected, "{line}");
        }
    }
}
