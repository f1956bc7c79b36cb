//! The common part of all real servers, for tests with a table of them.

use std::{
    thread::sleep,
    time::{Duration, Instant},
};

use crate::{CourierSetup, CyrusSetup, Dovecot, Setup, processes::GREETING_TIMEOUT, room::Room};

/// A running server. Stops when dropped.
pub trait Server {
    /// Port of IMAP, on 127.0.0.1.
    fn port(&self) -> u16;

    /// The text of its log.
    fn log(&self) -> String;
}

impl Server for Dovecot {
    fn port(&self) -> u16 {
        self.port()
    }

    fn log(&self) -> String {
        self.log()
    }
}

/// The settings of a real server of any kind.
#[derive(Clone, Debug)]
pub enum Shape {
    Dovecot(Setup),
    Cyrus(CyrusSetup),
    Courier(CourierSetup),
}

impl Shape {
    /// Prefix of folder names, and separator of their levels.
    pub fn naming(&self) -> (&str, char) {
        match self {
            Self::Dovecot(it) => (&it.prefix, it.separator),
            Self::Cyrus(it) if it.is_beside_inbox => ("", it.separator),
            Self::Cyrus(it) => (if it.separator == '/' { "INBOX/" } else { "INBOX." }, it.separator),
            Self::Courier(_) => ("INBOX.", '.'),
        }
    }

    /// Starts the server without TLS.
    pub fn start(self) -> Box<dyn Server> {
        match self {
            Self::Dovecot(it) => Box::new(it.start()),
            Self::Cyrus(it) => Box::new(it.start()),
            Self::Courier(it) => Box::new(it.start()),
        }
    }
}

/// Waits until the server greets. Returns false if another program has the port.
///
/// `greets` returns `None` without a greeting, and true if the greeting is that of this server.
#[track_caller]
pub(crate) fn wait_for(server: &str, room: &mut Room, greets: impl Fn() -> Option<bool>) -> bool {
    let begun = Instant::now();
    while begun.elapsed() < GREETING_TIMEOUT {
        if room.has_ended() {
            return false;
        }
        if let Some(is_ours) = greets() {
            return is_ours && !room.has_ended();
        }
        sleep(Duration::from_millis(50));
    }
    panic!("{server} does not greet");
}
