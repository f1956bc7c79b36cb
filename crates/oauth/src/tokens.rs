//! Tokens that are kept fresh, shared by all who open mailboxes of one endpoint.

use std::{
    collections::{HashMap, HashSet},
    fmt,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use mailhaul_mail::{Retry, Secret};
use tokio::{
    sync::{Mutex as AsyncMutex, OwnedMutexGuard, Semaphore},
    time::Instant,
};

use crate::{
    error::TokenError,
    source::{Token, TokenSource},
};

/// A token is replaced so long before it ends, or a fifth of its life where that is less.
const MARGIN: Duration = Duration::from_mins(5);
/// A token server is not asked again for the same mailbox within so long, whatever it gave.
const LEAST: Duration = Duration::from_secs(5);
/// What took the place of a refused token, and is refused too without having opened the mailbox, is not replaced within so
/// long: another one would not help.
const AFTER_REFUSAL: Duration = Duration::from_mins(1);
/// A refusal of the token server is believed for so long.
const BELIEVED: Duration = Duration::from_mins(1);
/// After that long a token server that could not be asked is asked again, where it does not say when.
const PAUSE: Duration = Duration::from_secs(10);
/// Mailboxes that are asked for at once: the others see first whether it is any use.
const AT_ONCE: usize = 8;

/// The tokens of one source. Clones share them.
#[derive(Clone)]
pub struct Tokens(Arc<Shared>);

struct Shared {
    source: Box<dyn TokenSource>,
    asking: Semaphore,
    /// One for each mailbox, or one for all.
    slots: Mutex<HashMap<String, Slot>>,
    /// What concerns every mailbox.
    trouble: Mutex<Option<Trouble>>,
}

/// Held while somebody asks: the others wait, and get what came.
type Slot = Arc<AsyncMutex<Kept>>;

#[derive(Default)]
struct Kept {
    token: Option<Given>,
    trouble: Option<Trouble>,
}

struct Given {
    token: Token,
    at: Instant,
    /// Whether it took the place of one that a mail server refused.
    is_replacement: bool,
    /// The mailboxes that it opened.
    opened: HashSet<String>,
}

#[derive(Clone)]
struct Trouble {
    error: TokenError,
    until: Instant,
}

impl Tokens {
    /// Nothing is asked yet.
    pub fn new(source: impl TokenSource + 'static) -> Self {
        Self(Arc::new(Shared {
            source: Box::new(source),
            asking: Semaphore::new(AT_ONCE),
            slots: Mutex::default(),
            trouble: Mutex::default(),
        }))
    }

    /// A token that opens this mailbox, and that does not end at once; with the time that is left of it, as far as is known.
    ///
    /// # Errors
    /// [`TokenError`]; what concerns every mailbox is told to each without asking anew for a while.
    pub async fn token(&self, mailbox: &str) -> Result<Token, TokenError> {
        let kept = self.slot(mailbox).lock_owned().await;
        if let Some(given) = &kept.token
            && given.is_good(Instant::now())
        {
            return Ok(given.rest());
        }
        self.ask(mailbox, kept, false).await
    }

    /// A mail server refused this token, although it should be good: another one. The same, where another one would not do
    /// better.
    ///
    /// # Errors
    /// As [`Tokens::token`].
    pub async fn instead_of(&self, mailbox: &str, refused: &Secret) -> Result<Token, TokenError> {
        let kept = self.slot(mailbox).lock_owned().await;
        if let Some(given) = &kept.token {
            let is_fresh = given.token.secret != *refused && given.is_good(Instant::now());
            let is_in_vain = given.is_replacement && !given.opened.contains(mailbox);
            if is_fresh || (is_in_vain && given.at.elapsed() < AFTER_REFUSAL) {
                return Ok(given.rest());
            }
        }
        self.ask(mailbox, kept, true).await
    }

    /// The token opened this mailbox: where it is refused later, it has ended, and another one will do better.
    pub async fn opened(&self, mailbox: &str, token: &Secret) {
        let slot = self.slot(mailbox);
        if let Some(given) = &mut slot.lock().await.token
            && given.token.secret == *token
            && !given.opened.contains(mailbox)
        {
            given.opened.insert(mailbox.to_owned());
        }
    }

    fn slot(&self, mailbox: &str) -> Slot {
        let key = if self.0.source.opens_every_mailbox() { "" } else { mailbox };
        let mut slots = self.0.slots.lock().unwrap_or_else(PoisonError::into_inner);
        Arc::clone(slots.entry(key.to_owned()).or_default())
    }

    /// Asks in a task of its own: whoever waits may go away, and what the server gave is kept all the same. It may have replaced
    /// what the next question needs.
    async fn ask(
        &self,
        mailbox: &str,
        mut kept: OwnedMutexGuard<Kept>,
        is_replacement: bool,
    ) -> Result<Token, TokenError> {
        let (shared, mailbox) = (Arc::clone(&self.0), mailbox.to_owned());
        let asking = tokio::spawn(async move { shared.ask(&mailbox, &mut kept, is_replacement).await });
        match asking.await {
            Ok(answer) => answer,
            Err(error) => match error.try_into_panic() {
                Ok(panic) => std::panic::resume_unwind(panic),
                Err(_) => Err(TokenError::unreachable("the program ends", None)),
            },
        }
    }
}

impl Shared {
    async fn ask(&self, mailbox: &str, kept: &mut Kept, is_replacement: bool) -> Result<Token, TokenError> {
        // Never closed.
        let _place = self.asking.acquire().await;
        let now = Instant::now();
        let shared = self.trouble().clone();
        if let Some(trouble) = [kept.trouble.clone(), shared].into_iter().flatten().find(|it| now < it.until)
        {
            return Err(trouble.told(now));
        }
        match self.source.ask(mailbox).await {
            Ok(token) => {
                kept.trouble = None;
                let given = Given { token, at: Instant::now(), is_replacement, opened: HashSet::new() };
                let rest = given.rest();
                kept.token = Some(given);
                Ok(rest)
            }
            Err(error) => {
                let pause = match error.retry {
                    Retry::Never => BELIEVED,
                    Retry::After(wait) => wait.unwrap_or(PAUSE),
                    Retry::Now => Duration::ZERO,
                };
                let trouble = Trouble { error: error.clone(), until: Instant::now() + pause };
                if error.concerns_all {
                    *self.trouble() = Some(trouble);
                } else {
                    kept.trouble = Some(trouble);
                }
                Err(error)
            }
        }
    }

    fn trouble(&self) -> MutexGuard<'_, Option<Trouble>> {
        self.trouble.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Given {
    fn is_good(&self, now: Instant) -> bool {
        let age = now.duration_since(self.at);
        age < LEAST || self.token.life.is_none_or(|life| age < life.saturating_sub(MARGIN.min(life / 5)))
    }

    /// The token with what is left of its life.
    fn rest(&self) -> Token {
        let life = self.token.life.map(|life| life.saturating_sub(self.at.elapsed()));
        Token { life, ..self.token.clone() }
    }
}

impl Trouble {
    /// The same error, with the time that is left.
    fn told(self, now: Instant) -> TokenError {
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

    /// Gives tokens with a number, of this life; or an error.
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
        // Others who still have the first one get the second; who was refused with that gets no third.
        for mailbox in 0..200 {
            let mailbox = format!("user{mailbox}");
            assert_eq!(text(&tokens.instead_of(&mailbox, &first.secret).await.unwrap()), "all-1");
            assert_eq!(text(&tokens.instead_of(&mailbox, &second.secret).await.unwrap()), "all-1");
        }
        assert_eq!(asked.load(Ordering::SeqCst), 2);
        tokio::time::sleep(AFTER_REFUSAL).await;
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
        // Whom it does not open gets the same.
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
        tokio::time::sleep(BELIEVED).await;
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
    async fn whoever_asked_may_go_away_and_the_answer_serves_the_others() {
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
    async fn whoever_waited_may_go_away_and_the_next_is_woken() {
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
        assert_eq!(asked.load(Ordering::SeqCst), AT_ONCE);
    }

    #[tokio::test(start_paused = true)]
    async fn another_token_that_has_ended_meanwhile_is_no_replacement() {
        let (tokens, asked) = counting(Some(60), true, None);
        let first = tokens.token("a").await.unwrap();
        tokio::time::sleep(Duration::from_secs(50)).await;
        let second = tokens.token("a").await.unwrap();
        assert_eq!((text(&second).as_str(), asked.load(Ordering::SeqCst)), ("all-1", 2));
        // Whoever held the first one for long is refused with it, when the second is at its end too.
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
