//! Shared cache of access tokens for the mailboxes of one endpoint.

use std::{
    collections::{HashMap, HashSet},
    fmt,
    sync::Arc,
    time::Duration,
};

use mailhaul_mail::{Retry, Secret};
use parking_lot::{Mutex, MutexGuard};
use tokio::{
    sync::{Mutex as AsyncMutex, OwnedMutexGuard, Semaphore},
    time::Instant,
};

use crate::{
    error::TokenError,
    source::{Token, TokenSource},
};

/// A token is replaced this long before it expires, or a fifth of its lifetime if that is less.
const RENEWAL_MARGIN: Duration = Duration::from_mins(5);
/// Minimum time between two requests for the same mailbox.
const MIN_REQUEST_INTERVAL: Duration = Duration::from_secs(5);
/// If the replacement of a refused token is refused too, and never opened the mailbox, it is not
/// replaced for this long: another token would not help.
const MIN_REPLACEMENT_INTERVAL: Duration = Duration::from_mins(1);
/// Time for which a refusal of the token server is remembered.
const REFUSAL_LIFETIME: Duration = Duration::from_mins(1);
/// Delay before an unreachable token server is asked again, if it names no delay.
const RETRY_DELAY: Duration = Duration::from_secs(10);
/// Maximum mailboxes with a request at once. The others first see whether it succeeds.
const MAX_CONCURRENT_REQUESTS: usize = 8;

/// Tokens of one source. Clones share them.
#[derive(Clone)]
pub struct Tokens(Arc<Shared>);

struct Shared {
    source: Box<dyn TokenSource>,
    asking: Semaphore,
    /// One for each mailbox, or one for all.
    slots: Mutex<HashMap<String, Slot>>,
    /// Error that concerns every mailbox.
    trouble: Mutex<Option<Trouble>>,
}

/// Locked during a request: other callers wait, and use its result.
type Slot = Arc<AsyncMutex<CacheEntry>>;

#[derive(Default)]
struct CacheEntry {
    token: Option<CachedToken>,
    trouble: Option<Trouble>,
}

struct CachedToken {
    token: Token,
    at: Instant,
    /// True if it replaced a token that a mail server refused.
    is_replacement: bool,
    opened: HashSet<String>,
}

#[derive(Clone)]
struct Trouble {
    error: TokenError,
    until: Instant,
}

impl Tokens {
    pub fn new(source: impl TokenSource + 'static) -> Self {
        Self(Arc::new(Shared {
            source: Box::new(source),
            asking: Semaphore::new(MAX_CONCURRENT_REQUESTS),
            slots: Mutex::default(),
            trouble: Mutex::default(),
        }))
    }

    /// Returns a token that opens this mailbox and does not expire soon, with the rest of its lifetime.
    ///
    /// # Errors
    /// [`TokenError`]. An error that concerns every mailbox is returned to all for a while, without
    /// another request.
    pub async fn token(&self, mailbox: &str) -> Result<Token, TokenError> {
        let entry = self.slot(mailbox).lock_owned().await;
        if let Some(cached) = &entry.token
            && cached.is_good(Instant::now())
        {
            return Ok(cached.rest());
        }
        self.ask(mailbox, entry, false).await
    }

    /// Returns another token after a mail server refused this one before it expired. Returns the same
    /// one if another would not help.
    ///
    /// # Errors
    /// As [`Tokens::token`].
    pub async fn instead_of(&self, mailbox: &str, refused: &Secret) -> Result<Token, TokenError> {
        let entry = self.slot(mailbox).lock_owned().await;
        if let Some(cached) = &entry.token {
            let is_fresh = cached.token.secret != *refused && cached.is_good(Instant::now());
            let is_in_vain = cached.is_replacement && !cached.opened.contains(mailbox);
            if is_fresh || (is_in_vain && cached.at.elapsed() < MIN_REPLACEMENT_INTERVAL) {
                return Ok(cached.rest());
            }
        }
        self.ask(mailbox, entry, true).await
    }

    /// Records that the token opened this mailbox. If it is refused later, it has expired, and
    /// another token will help.
    pub async fn opened(&self, mailbox: &str, token: &Secret) {
        let slot = self.slot(mailbox);
        if let Some(cached) = &mut slot.lock().await.token
            && cached.token.secret == *token
            && !cached.opened.contains(mailbox)
        {
            cached.opened.insert(mailbox.to_owned());
        }
    }

    fn slot(&self, mailbox: &str) -> Slot {
        let key = if self.0.source.opens_every_mailbox() { "" } else { mailbox };
        let mut slots = self.0.slots.lock();
        Arc::clone(slots.entry(key.to_owned()).or_default())
    }

    /// Requests a token in a task of its own.
    ///
    /// A caller that is cancelled does not lose the answer: it may contain the only valid refresh
    /// token.
    async fn ask(
        &self,
        mailbox: &str,
        mut entry: OwnedMutexGuard<CacheEntry>,
        is_replacement: bool,
    ) -> Result<Token, TokenError> {
        let (shared, mailbox) = (Arc::clone(&self.0), mailbox.to_owned());
        let asking = tokio::spawn(async move { shared.ask(&mailbox, &mut entry, is_replacement).await });
        match asking.await {
            Ok(answer) => answer,
            Err(error) => match error.try_into_panic() {
                Ok(panic) => std::panic::resume_unwind(panic),
                Err(_) => Err(TokenError::unreachable("the program is ending", None)),
            },
        }
    }
}

impl Shared {
    async fn ask(
        &self,
        mailbox: &str,
        entry: &mut CacheEntry,
        is_replacement: bool,
    ) -> Result<Token, TokenError> {
        // The semaphore is never closed.
        let _place = self.asking.acquire().await;
        let now = Instant::now();
        let shared = self.trouble().clone();
        if let Some(trouble) = [entry.trouble.clone(), shared].into_iter().flatten().find(|it| now < it.until)
        {
            return Err(trouble.with_remaining_delay(now));
        }
        match self.source.ask(mailbox).await {
            Ok(token) => {
                entry.trouble = None;
                let cached =
                    CachedToken { token, at: Instant::now(), is_replacement, opened: HashSet::new() };
                let rest = cached.rest();
                entry.token = Some(cached);
                Ok(rest)
            }
            Err(error) => {
                let pause = match error.retry {
                    Retry::Never => REFUSAL_LIFETIME,
                    Retry::After(wait) => wait.unwrap_or(RETRY_DELAY),
                    Retry::Now => Duration::ZERO,
                };
                let trouble = Trouble { error: error.clone(), until: Instant::now() + pause };
                if error.concerns_all {
                    *self.trouble() = Some(trouble);
                } else {
                    entry.trouble = Some(trouble);
                }
                Err(error)
            }
        }
    }

    fn trouble(&self) -> MutexGuard<'_, Option<Trouble>> {
        self.trouble.lock()
    }
}

impl CachedToken {
    fn is_good(&self, now: Instant) -> bool {
        let age = now.duration_since(self.at);
        age < MIN_REQUEST_INTERVAL
            || self.token.life.is_none_or(|life| age < life.saturating_sub(RENEWAL_MARGIN.min(life / 5)))
    }

    /// Returns the token with the rest of its lifetime.
    fn rest(&self) -> Token {
        let life = self.token.life.map(|life| life.saturating_sub(self.at.elapsed()));
        Token { life, ..self.token.clone() }
    }
}

impl Trouble {
    /// Returns the error with the rest of its delay.
    fn with_remaining_delay(self, now: Instant) -> TokenError {
        let retry = match self.error.retry {
            Retry::After(_) => Retry::After(Some(self.until.duration_since(now))),
            other => other,
        };
        TokenError { retry, ..self.error }
    }
}

impl fmt::Debug for Tokens {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Tokens(redacted)")
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use super::*;
    use crate::source::Asking;

    /// Issues numbered tokens with this lifetime, or an error.
    struct Counting {
        asked: Arc<AtomicUsize>,
        life: Option<Duration>,
        for_all: bool,
        error: Option<TokenError>,
    }

    impl TokenSource for Counting {
        fn opens_every_mailbox(&self) -> bool {
            self.for_all
        }

        fn ask<'a>(&'a self, mailbox: &'a str) -> Asking<'a> {
            Box::pin(async move {
                tokio::time::sleep(Duration::from_millis(10)).await;
                let number = self.asked.fetch_add(1, Ordering::SeqCst);
                if let Some(error) = &self.error {
                    return Err(error.clone());
                }
                let owner = if self.for_all { "all" } else { mailbox };
                Ok(Token { secret: Secret::new(format!("{owner}-{number}")), life: self.life })
            })
        }
    }

    fn counting(life: Option<u64>, for_all: bool, error: Option<TokenError>) -> (Tokens, Arc<AtomicUsize>) {
        let asked = Arc::new(AtomicUsize::new(0));
        let life = life.map(Duration::from_secs);
        let source = Counting { asked: Arc::clone(&asked), life, for_all, error };
        (Tokens::new(source), asked)
    }

    async fn secret(tokens: &Tokens, mailbox: &str) -> String {
        text(&tokens.token(mailbox).await.unwrap())
    }

    fn text(token: &Token) -> String {
        String::from_utf8(token.secret.expose().to_vec()).unwrap()
    }

    #[tokio::test(start_paused = true)]
    async fn one_question_serves_all_who_wait_until_shortly_before_the_end() {
        let (tokens, asked) = counting(Some(60), true, None);
        let all = futures_util::future::join_all((0..200).map(|number| {
            let tokens = tokens.clone();
            async move { secret(&tokens, &format!("user{number}")).await }
        }));
        assert!(all.await.iter().all(|it| it == "all-0"));
        tokio::time::sleep(Duration::from_secs(47)).await;
        assert_eq!(secret(&tokens, "user1").await, "all-0");
        tokio::time::sleep(Duration::from_secs(2)).await;
        assert_eq!(secret(&tokens, "user1").await, "all-1");
        assert_eq!(asked.load(Ordering::SeqCst), 2);
    }

    #[tokio::test(start_paused = true)]
    async fn a_token_that_is_refused_is_replaced_once() {
        let (tokens, asked) = counting(Some(3600), true, None);
        let first = tokens.token("a").await.unwrap();
        let second = tokens.instead_of("a", &first.secret).await.unwrap();
        assert_eq!(text(&second), "all-1");
        // Callers that hold the first token get the second; one that was refused with the second
        // gets no third.
        for mailbox in 0..200 {
            let mailbox = format!("user{mailbox}");
            assert_eq!(text(&tokens.instead_of(&mailbox, &first.secret).await.unwrap()), "all-1");
            assert_eq!(text(&tokens.instead_of(&mailbox, &second.secret).await.unwrap()), "all-1");
        }
        assert_eq!(asked.load(Ordering::SeqCst), 2);
        tokio::time::sleep(MIN_REPLACEMENT_INTERVAL).await;
        assert_eq!(text(&tokens.instead_of("a", &second.secret).await.unwrap()), "all-2");
    }

    #[tokio::test(start_paused = true)]
    async fn a_token_that_opened_the_mailbox_is_replaced_whenever_it_is_refused() {
        let (tokens, asked) = counting(Some(3600), true, None);
        let mut token = tokens.token("a").await.unwrap();
        for _ in 0..5 {
            tokens.opened("a", &token.secret).await;
            token = tokens.instead_of("a", &token.secret).await.unwrap();
        }
        assert_eq!((text(&token).as_str(), asked.load(Ordering::SeqCst)), ("all-5", 6));
        // A mailbox that it does not open gets the same token.
        assert_eq!(text(&tokens.instead_of("b", &token.secret).await.unwrap()), "all-5");
    }

    #[tokio::test(start_paused = true)]
    async fn tokens_that_end_before_they_are_given_make_no_storm() {
        let (tokens, asked) = counting(Some(0), true, None);
        for _ in 0..100 {
            tokens.token("a").await.unwrap();
        }
        assert_eq!(asked.load(Ordering::SeqCst), 1);
    }

    #[tokio::test(start_paused = true)]
    async fn mailboxes_with_a_token_of_their_own_do_not_share() {
        let (tokens, asked) = counting(Some(3600), false, None);
        assert_eq!(secret(&tokens, "a").await, "a-0");
        assert_eq!(secret(&tokens, "b").await, "b-1");
        assert_eq!(secret(&tokens, "a").await, "a-0");
        assert_eq!(asked.load(Ordering::SeqCst), 2);
    }

    #[tokio::test(start_paused = true)]
    async fn a_refusal_that_concerns_all_is_asked_for_once_in_a_while() {
        let (tokens, asked) = counting(None, false, Some(TokenError::refused("invalid_client")));
        for mailbox in 0..200 {
            let error = tokens.token(&format!("user{mailbox}")).await.unwrap_err();
            assert_eq!((error.message.as_str(), error.retry), ("invalid_client", Retry::Never));
        }
        assert_eq!(asked.load(Ordering::SeqCst), 1);
        tokio::time::sleep(REFUSAL_LIFETIME).await;
        tokens.token("a").await.unwrap_err();
        assert_eq!(asked.load(Ordering::SeqCst), 2);
    }

    #[tokio::test(start_paused = true)]
    async fn a_token_server_that_is_away_is_left_alone_for_as_long_as_it_says() {
        let away = TokenError::unreachable("429", Some(Duration::from_secs(30)));
        let (tokens, asked) = counting(None, true, Some(away));
        tokens.token("a").await.unwrap_err();
        tokio::time::sleep(Duration::from_secs(10)).await;
        let error = tokens.token("b").await.unwrap_err();
        assert_eq!(error.retry, Retry::After(Some(Duration::from_secs(20))));
        assert_eq!(asked.load(Ordering::SeqCst), 1);
    }
    #[tokio::test(start_paused = true)]
    async fn a_cancelled_request_still_serves_the_other_callers() {
        let (tokens, asked) = counting(Some(3600), true, None);
        for _ in 0..20 {
            let tokens = tokens.clone();
            let first = tokio::spawn(async move { tokens.token("a").await.map(drop) });
            tokio::time::sleep(Duration::from_millis(1)).await;
            first.abort();
            assert!(first.await.unwrap_err().is_cancelled());
            if asked.load(Ordering::SeqCst) == 1 {
                break;
            }
        }
        assert_eq!(secret(&tokens, "b").await, "all-0");
        assert_eq!(asked.load(Ordering::SeqCst), 1);
    }

    #[tokio::test(start_paused = true)]
    async fn a_cancelled_waiter_wakes_the_next_one() {
        let (tokens, asked) = counting(Some(3600), true, None);
        let task = |tokens: Tokens| tokio::spawn(async move { tokens.token("a").await.map(drop) });
        let first = task(tokens.clone());
        tokio::task::yield_now().await;
        let waiting: Vec<_> = (0..10).map(|_| task(tokens.clone())).collect();
        tokio::task::yield_now().await;
        for (number, task) in waiting.iter().enumerate() {
            if number % 2 == 0 {
                task.abort();
            }
        }
        first.await.unwrap().unwrap();
        for (number, task) in waiting.into_iter().enumerate() {
            assert_eq!(task.await.is_ok(), number % 2 == 1, "{number}");
        }
        assert_eq!(asked.load(Ordering::SeqCst), 1);
    }

    #[tokio::test(start_paused = true)]
    async fn many_mailboxes_at_once_do_not_all_run_into_the_same_refusal() {
        let (tokens, asked) = counting(None, false, Some(TokenError::refused("unauthorized_client")));
        let all = futures_util::future::join_all((0..200).map(|number| {
            let tokens = tokens.clone();
            async move { tokens.token(&format!("user{number}")).await.unwrap_err() }
        }));
        assert!(all.await.iter().all(|it| it.message == "unauthorized_client"));
        assert_eq!(asked.load(Ordering::SeqCst), MAX_CONCURRENT_REQUESTS);
    }

    #[tokio::test(start_paused = true)]
    async fn another_token_that_has_ended_meanwhile_is_no_replacement() {
        let (tokens, asked) = counting(Some(60), true, None);
        let first = tokens.token("a").await.unwrap();
        tokio::time::sleep(Duration::from_secs(50)).await;
        let second = tokens.token("a").await.unwrap();
        assert_eq!((text(&second).as_str(), asked.load(Ordering::SeqCst)), ("all-1", 2));
        // A caller that held the first token for long is refused with it, when the second is near
        // its end too.
        tokio::time::sleep(Duration::from_secs(55)).await;
        assert_eq!(text(&tokens.instead_of("a", &first.secret).await.unwrap()), "all-2");
    }

    #[tokio::test(start_paused = true)]
    async fn a_refusal_of_one_mailbox_is_its_own() {
        let error = TokenError { concerns_all: false, ..TokenError::refused("Invalid email or User ID") };
        let (tokens, asked) = counting(None, false, Some(error));
        for mailbox in ["a", "b", "a", "b"] {
            tokens.token(mailbox).await.unwrap_err();
        }
        assert_eq!(asked.load(Ordering::SeqCst), 2);
    }
}
