//! Access tokens of one user: their expiry, and the violations of their bearers.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

/// One token. A token of an application belongs to every user.
#[derive(Debug)]
pub(super) struct AccessToken {
    pub(super) text: String,
    /// True if a login with it was refused.
    pub(super) was_refused: AtomicBool,
}

/// The tokens that open one mailbox.
#[derive(Debug, Default)]
pub(super) struct Tokens {
    issued: Vec<IssuedToken>,
    /// Consecutive refused logins.
    refused_in_a_row: u32,
}

#[derive(Debug)]
struct IssuedToken {
    token: Arc<AccessToken>,
    life: Duration,
    /// Expiry in the user's own time; `None` if the lifetime begins with the first use.
    end: Option<Duration>,
    /// Number of uses after the expiry.
    in_vain: u32,
}

/// A refused login.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct RefusedLogin {
    /// Violations of its client.
    pub(super) violations: Vec<String>,
}

impl Tokens {
    /// Adds a token with this lifetime, from this time on or from its first use here.
    pub(super) fn give(&mut self, token: Arc<AccessToken>, life: Duration, since: Option<Duration>) {
        self.issued.push(IssuedToken { token, life, end: since.map(|it| it + life), in_vain: 0 });
    }

    /// True if the last token is as good as a new one: it has not expired, and no login with it was refused.
    pub(super) fn is_last_good(&self, now: Duration) -> bool {
        let is_good = |it: &IssuedToken| {
            it.end.is_none_or(|end| now < end) && !it.token.was_refused.load(Ordering::SeqCst)
        };
        self.issued.last().is_some_and(is_good)
    }

    /// Revokes all tokens.
    pub(super) fn revoke(&mut self) {
        self.issued.clear();
    }

    /// True if the token opens the mailbox now.
    pub(super) fn opens(&self, text: &str, now: Duration) -> bool {
        self.issued.iter().any(|it| it.token.text == text && it.end.is_none_or(|end| now < end))
    }

    /// Uses a token. Returns its expiry, or the reason of the refusal.
    pub(super) fn show(&mut self, text: &str, now: Duration) -> Result<Duration, RefusedLogin> {
        let issued = self.issued.iter_mut().rev().find(|it| it.token.text == text);
        let mut violations = Vec::new();
        if let Some(issued) = issued {
            let end = *issued.end.get_or_insert(now + issued.life);
            if now < end {
                self.refused_in_a_row = 0;
                return Ok(end);
            }
            issued.token.was_refused.store(true, Ordering::SeqCst);
            issued.in_vain += 1;
            if issued.in_vain > 1 {
                violations.push("shows a token again that was refused because it had ended".to_owned());
            }
        }
        self.refused_in_a_row += 1;
        if self.refused_in_a_row > 1 {
            violations.push(format!("shows {} tokens in a row that open nothing", self.refused_in_a_row));
        }
        Err(RefusedLogin { violations })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_is_refused_once_and_no_two_in_a_row() {
        let second = Duration::from_secs(1);
        let token =
            |text: &str| Arc::new(AccessToken { text: text.to_owned(), was_refused: AtomicBool::new(false) });
        let mut tokens = Tokens::default();
        assert!(!tokens.is_last_good(second));
        tokens.give(token("a"), 10 * second, Some(Duration::ZERO));
        assert!(tokens.is_last_good(9 * second) && !tokens.is_last_good(10 * second));
        assert_eq!(tokens.show("a", 9 * second), Ok(10 * second));
        assert_eq!(tokens.show("a", 10 * second), Err(RefusedLogin { violations: Vec::new() }));
        tokens.give(token("b"), 9 * second, None);
        assert_eq!(tokens.show("b", 11 * second), Ok(20 * second));
        assert_eq!(tokens.show("a", 12 * second).unwrap_err().violations.len(), 1);
        let told = tokens.show("never issued", 12 * second).unwrap_err().violations;
        assert_eq!(told, ["shows 2 tokens in a row that open nothing"]);
        assert!(tokens.is_last_good(12 * second));
    }
}
