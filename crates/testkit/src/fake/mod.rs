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
mod server;
mod session;
mod store;
mod syntax;
#[cfg(test)]
mod tests;
mod tokens;

use std::{
    sync::{Arc, atomic::Ordering},
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
pub use store::{Mailbox, StoredMessage};

use self::server::{Server, User};

/// One server, which runs until it is dropped.
pub struct Fake {
    /// Port of IMAP, on 127.0.0.1.
    pub port: u16,
    http_port: u16,
    server: Arc<Server>,
    listeners: [JoinHandle<()>; 2],
}

impl Fake {
    /// Starts a server.
    pub async fn start(personality: Personality) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let http = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let http_port = http.local_addr().unwrap().port();
        let server = Arc::new(Server::new(personality));
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
        let user = User::new(name, password, clock, &self.server.personality);
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
