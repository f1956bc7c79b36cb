//! IMAP servers in memory that store mail, count, and have the faults of the large providers.
//!
//! They also speak HTTP: [`Fake::token_url`] issues access tokens (RFC 6749), and a server with labels
//! accepts messages by Gmail's API at [`Fake::http_url`].
//!
//! The TCP connections and the mailboxes are real: folders, UIDs, mod-sequences, flags, dates, bytes. The
//! differences of a provider are a [`Personality`]: data, and a few pure functions. Time is a
//! [`VirtualClock`] that server and test share. No server depends on the speed of the machine.
//!
//! A client that ignores a server's answer makes a [violation](Fake::violations): it comes back too early, it
//! uses an extension that was not offered, it shows expired tokens. Tests assert that there is none.
//!
//! ```no_run
//! # async fn example() {
//! use mailhaul_testkit::fake::{Fake, Personality, VirtualClock};
//! let server = Fake::start(Personality::gmail()).await;
//! server.add_user("terrya", "hunter2", VirtualClock::default());
//! server.with("terrya", |mailbox| mailbox.create("Projects"));
//! assert!(server.violations().is_empty());
//! # }
//! ```

mod append;
mod authenticate;
mod change;
mod clock;
mod connection;
mod fetch;
mod folders;
mod gmail;
mod hostile;
mod http;
mod lie;
mod limits;
mod microsoft;
mod octets;
mod personality;
mod replies;
mod search;
mod select;
mod session;
mod store;
mod syntax;
#[cfg(test)]
mod tests;
mod tokens;

use std::{
    collections::BTreeMap,
    sync::{
        Arc, Mutex, MutexGuard,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    time::Duration,
};

use tokio::{net::TcpListener, task::JoinHandle};

pub use clock::VirtualClock;
pub use hostile::{Hostile, hostile};
pub use http::{Fault, Step};
pub use lie::{Lie, When, when};
pub use limits::{Limits, Throttle};
pub use personality::{Personality, Verdict};
pub use replies::{Flow, Replies};
pub use store::{Kept, Mailbox};

use self::{
    connection::Peers,
    http::ApiState,
    lie::Lies,
    limits::Meter,
    tokens::{AccessToken, Tokens},
};

/// One server, which runs until it is dropped.
pub struct Fake {
    /// Port of IMAP, on 127.0.0.1.
    pub port: u16,
    http_port: u16,
    server: Arc<Server>,
    listeners: [JoinHandle<()>; 2],
}

/// The shared state of all connections.
struct Server {
    personality: Personality,
    users: Mutex<BTreeMap<String, Arc<User>>>,
    /// Access tokens that open every mailbox.
    application_tokens: Mutex<Vec<Arc<AccessToken>>>,
    violations: Mutex<Vec<String>>,
    tokens_issued: AtomicU64,
    lies: Lies,
    /// Number of connections since the start.
    connections: AtomicU64,
    /// All complete commands, without tags.
    commands: Mutex<Vec<String>>,
}

/// A user who may log in.
struct User {
    name: String,
    password: String,
    clock: VirtualClock,
    mailbox: Mutex<Mailbox>,
    meter: Mutex<Meter>,
    tokens: Mutex<Tokens>,
    /// The requests over HTTP.
    api: Mutex<ApiState>,
    peers: Peers,
    /// True if the mailbox is missing after a login.
    is_shut: AtomicBool,
}

impl Server {
    fn violation(&self, user: &str, what: impl std::fmt::Display) {
        self.violations.lock().unwrap().push(format!("{user}: {what}"));
    }

    fn user(&self, name: &str) -> Option<Arc<User>> {
        self.users.lock().unwrap().get(name).cloned()
    }

    /// Issues an access token for the user. A request while the last token is valid is a violation.
    fn issue_token(&self, user: &User) -> String {
        let now = user.clock.now();
        if user.tokens().is_last_good(now) {
            self.violation(&user.name, "is asked a token for, while the last one is good");
        }
        let token = self.new_token();
        user.tokens().give(Arc::clone(&token), self.personality.limits.token_lifetime, Some(now));
        token.text.clone()
    }

    /// Issues a token that opens every mailbox, also future ones.
    fn issue_application_token(&self) -> String {
        let users: Vec<Arc<User>> = self.users.lock().unwrap().values().cloned().collect();
        if !users.is_empty() && users.iter().all(|it| it.tokens().is_last_good(it.clock.now())) {
            self.violation("everybody", "is asked a token for, while the last one is good");
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
    fn mailbox(&self) -> MutexGuard<'_, Mailbox> {
        self.mailbox.lock().unwrap()
    }

    fn meter(&self) -> MutexGuard<'_, Meter> {
        self.meter.lock().unwrap()
    }

    fn api(&self) -> MutexGuard<'_, ApiState> {
        self.api.lock().unwrap()
    }

    fn tokens(&self) -> MutexGuard<'_, Tokens> {
        self.tokens.lock().unwrap()
    }
}

impl Fake {
    /// Starts a server.
    pub async fn start(personality: Personality) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let http = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let http_port = http.local_addr().unwrap().port();
        let server = Arc::new(Server {
            personality,
            users: Mutex::default(),
            application_tokens: Mutex::default(),
            violations: Mutex::default(),
            tokens_issued: AtomicU64::new(0),
            lies: Lies::default(),
            connections: AtomicU64::new(0),
            commands: Mutex::default(),
        });
        let http = tokio::spawn(http::listen(Arc::clone(&server), http));
        let shared = Arc::clone(&server);
        let listener = tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                stream.set_nodelay(true).unwrap();
                tokio::spawn(session::serve(Arc::clone(&shared), stream));
            }
        });
        Self { port, http_port, server, listeners: [listener, http] }
    }

    /// URL of its HTTP side, without a slash at the end.
    pub fn http_url(&self) -> String {
        format!("http://127.0.0.1:{}", self.http_port)
    }

    /// URL of its token endpoint (RFC 6749).
    ///
    /// Client credentials (any secret or assertion) get a token that opens every mailbox. An assertion (RFC
    /// 7523, not verified) gets one for the mailbox of its `sub`.
    pub fn token_url(&self) -> String {
        format!("{}/token", self.http_url())
    }

    /// Adds a fault for the next request of this kind for the user's mailbox. Several faults form a queue.
    pub fn fail(&self, name: &str, step: Step, fault: Fault) {
        let user = self.server.user(name).expect("there is such a user");
        user.api().faults.push_back((step, fault));
    }

    /// Adds a mailbox with the personality's own folders.
    ///
    /// It uses this clock. Mailboxes with separate clocks do not influence each other.
    pub fn add_user(&self, name: &str, password: &str, clock: VirtualClock) {
        let user = User {
            name: name.to_owned(),
            password: password.to_owned(),
            clock,
            mailbox: Mutex::new(Mailbox::new(&self.server.personality)),
            meter: Mutex::default(),
            tokens: Mutex::default(),
            api: Mutex::default(),
            peers: Peers::default(),
            is_shut: AtomicBool::new(false),
        };
        let life = self.server.personality.limits.token_lifetime;
        for token in self.server.application_tokens.lock().unwrap().iter() {
            user.tokens().give(Arc::clone(token), life, None);
        }
        self.server.users.lock().unwrap().insert(name.to_owned(), Arc::new(user));
    }

    /// Issues an access token for the user, with the personality's lifetime.
    ///
    /// A request while the last token is valid is a violation.
    pub fn issue_token(&self, name: &str) -> String {
        let user = self.server.user(name).expect("there is such a user");
        self.server.issue_token(&user)
    }

    /// Issues an access token that opens every mailbox, like that of an application.
    ///
    /// In each mailbox it has the personality's lifetime, from its first use there.
    pub fn issue_application_token(&self) -> String {
        self.server.issue_application_token()
    }

    /// Number of issued tokens.
    pub fn tokens_issued(&self) -> u64 {
        self.server.tokens_issued.load(Ordering::SeqCst)
    }

    /// Lifetime of a token.
    pub fn token_lifetime(&self) -> Duration {
        self.server.personality.limits.token_lifetime
    }

    /// Makes the mailbox unavailable after a correct login: no licence, no rights, no IMAP.
    pub fn shut(&self, name: &str) {
        let user = self.server.user(name).expect("there is such a user");
        user.is_shut.store(true, Ordering::SeqCst);
    }

    /// Reads a mailbox, or changes it like another client.
    pub fn with<R>(&self, name: &str, look: impl FnOnce(&mut Mailbox) -> R) -> R {
        let user = self.server.user(name).expect("there is such a user");
        let mut mailbox = user.mailbox();
        mailbox.arrive(user.clock.now());
        look(&mut mailbox)
    }

    /// Counters of the user, by name.
    ///
    /// `logins` that succeeded, and `stale` tokens that did not; messages `refused` for their contents,
    /// `errors` in all, and sessions that ended with the last error or with a message (`bye`); sessions that
    /// ended with their token (`expired`), and connections that broke without an answer (`broken`); requested
    /// delays (`throttled`), days closed for a spent `budget`; `appended` messages. Over HTTP: `imported`
    /// messages, `requests` in all, upload `sessions`, their `chunks` and `queries`, and requests without a
    /// valid token (`unauthorized`).
    pub fn count(&self, name: &str, what: &str) -> u64 {
        let user = self.server.user(name).expect("there is such a user");
        user.meter().count(what)
    }

    /// Adds a lie to those of the server.
    pub fn lie(&self, lie: Lie) {
        self.server.lies.add(lie);
    }

    /// Removes all lies.
    pub fn be_honest(&self) {
        self.server.lies.clear();
    }

    /// All complete commands of all clients, without tags and bytes of literals.
    pub fn commands(&self) -> Vec<String> {
        self.server.commands.lock().unwrap().clone()
    }

    /// The violations of clients, with their users.
    pub fn violations(&self) -> Vec<String> {
        self.server.violations.lock().unwrap().clone()
    }
}

impl Drop for Fake {
    fn drop(&mut self) {
        self.listeners.iter().for_each(JoinHandle::abort);
    }
}
