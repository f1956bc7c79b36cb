//! The state that all connections of a server share, and its users.

use std::{
    collections::BTreeMap,
    sync::{
        Arc, Mutex, MutexGuard,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
};

use super::{
    clock::VirtualClock,
    connection::Peers,
    http::ApiState,
    lie::Lies,
    limits::Meter,
    personality::Personality,
    store::Mailbox,
    tokens::{AccessToken, Tokens},
};

/// The shared state of all connections.
pub(super) struct Server {
    pub(super) personality: Personality,
    pub(super) users: Mutex<BTreeMap<String, Arc<User>>>,
    /// Access tokens that open every mailbox.
    pub(super) application_tokens: Mutex<Vec<Arc<AccessToken>>>,
    pub(super) violations: Mutex<Vec<String>>,
    pub(super) tokens_issued: AtomicU64,
    pub(super) lies: Lies,
    /// Number of connections since the start.
    pub(super) connections: AtomicU64,
    /// All complete commands, without tags.
    pub(super) commands: Mutex<Vec<String>>,
}

/// A user who may log in.
pub(super) struct User {
    pub(super) name: String,
    pub(super) password: String,
    pub(super) clock: VirtualClock,
    pub(super) mailbox: Mutex<Mailbox>,
    pub(super) meter: Mutex<Meter>,
    pub(super) tokens: Mutex<Tokens>,
    /// The requests over HTTP.
    pub(super) api: Mutex<ApiState>,
    pub(super) peers: Peers,
    /// True if the mailbox is missing after a login.
    pub(super) is_shut: AtomicBool,
}

impl Server {
    pub(super) fn new(personality: Personality) -> Self {
        Self {
            personality,
            users: Mutex::default(),
            application_tokens: Mutex::default(),
            violations: Mutex::default(),
            tokens_issued: AtomicU64::new(0),
            lies: Lies::default(),
            connections: AtomicU64::new(0),
            commands: Mutex::default(),
        }
    }

    pub(super) fn violation(&self, user: &str, what: impl std::fmt::Display) {
        self.violations.lock().unwrap().push(format!("{user}: {what}"));
    }

    pub(super) fn user(&self, name: &str) -> Option<Arc<User>> {
        self.users.lock().unwrap().get(name).cloned()
    }

    /// Issues an access token for the user. A request while the last token is valid is a violation.
    pub(super) fn issue_token(&self, user: &User) -> String {
        let now = user.clock.now();
        if user.tokens().is_last_good(now) {
            self.violation(&user.name, "requests a token while the last one is valid");
        }
        let token = self.new_token();
        user.tokens().give(Arc::clone(&token), self.personality.limits.token_lifetime, Some(now));
        token.text.clone()
    }

    /// Issues a token that opens every mailbox, also future ones.
    pub(super) fn issue_application_token(&self) -> String {
        let users: Vec<Arc<User>> = self.users.lock().unwrap().values().cloned().collect();
        if !users.is_empty() && users.iter().all(|it| it.tokens().is_last_good(it.clock.now())) {
            self.violation("all users", "requests a token while the last one is valid");
        }
        let token = self.new_token();
        self.application_tokens.lock().unwrap().push(Arc::clone(&token));
        for user in users {
            user.tokens().give(Arc::clone(&token), self.personality.limits.token_lifetime, None);
        }
        token.text.clone()
    }

    fn new_token(&self) -> Arc<AccessToken> {
        let number = self.tokens_issued.fetch_add(1, Ordering::SeqCst) + 1;
        Arc::new(AccessToken { text: format!("token-{number}"), was_refused: AtomicBool::new(false) })
    }
}

impl User {
    pub(super) fn new(name: &str, password: &str, clock: VirtualClock, personality: &Personality) -> Self {
        Self {
            name: name.to_owned(),
            password: password.to_owned(),
            clock,
            mailbox: Mutex::new(Mailbox::new(personality)),
            meter: Mutex::default(),
            tokens: Mutex::default(),
            api: Mutex::default(),
            peers: Peers::default(),
            is_shut: AtomicBool::new(false),
        }
    }

    pub(super) fn mailbox(&self) -> MutexGuard<'_, Mailbox> {
        self.mailbox.lock().unwrap()
    }

    pub(super) fn meter(&self) -> MutexGuard<'_, Meter> {
        self.meter.lock().unwrap()
    }

    pub(super) fn api(&self) -> MutexGuard<'_, ApiState> {
        self.api.lock().unwrap()
    }

    pub(super) fn tokens(&self) -> MutexGuard<'_, Tokens> {
        self.tokens.lock().unwrap()
    }
}
