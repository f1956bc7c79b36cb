//! What all real servers have in common, for tests that are a table of them.

use std::{
    thread::sleep,
    time::{Duration, Instant},
};

use crate::{CourierSetup, CyrusSetup, Dovecot, Setup, dovecot::PATIENCE, room::Room};

/// A running server. Stops when dropped.
pub trait Server {
    /// Where IMAP is spoken, on 127.0.0.1.
    fn port(&self) -> u16;

    /// What it wrote into its log.
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

/// A real server of any kind, as it is to be.
#[derive(Clone, Debug)]
pub enum Shape {
    /// A Dovecot.
    Dovecot(Setup),
    /// A Cyrus.
    Cyrus(CyrusSetup),
    /// A Courier.
    Courier(CourierSetup),
}

impl Shape {
    /// With what the names of folders begin, and what separates their levels.
    pub fn naming(&self) -> (&str, char) {
        match self {
            Self::Dovecot(it) => (&it.prefix, it.separator),
            Self::Cyrus(it) if it.is_beside_inbox => ("", it.separator),
            Self::Cyrus(it) => (if it.separator == '/' { "INBOX/" } else { "INBOX." }, it.separator),
            Self::Courier(_) => ("INBOX.", '.'),
        }
    }

    /// Starts it without TLS.
    pub fn start(self) -> Box<dyn Server> {
        match self {
            Self::Dovecot(it) => Box::new(it.start()),
            Self::Cyrus(it) => Box::new(it.start()),
            Self::Courier(it) => Box::new(it.start()),
        }
    }
}

/// Waits until the server greets as it should: `greets` says whether somebody greeted, and whether it was this server.
/// False where the port is somebody else's.
#[track_caller]
pub(crate) fn wait_for(server: &str, room: &mut Room, greets: impl Fn() -> Option<bool>) -> bool {
    let begun = Instant::now();
    while begun.elapsed() < PATIENCE {
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
