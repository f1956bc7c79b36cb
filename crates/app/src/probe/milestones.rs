//! Milestones that the IMAP client reports while it connects.

use std::{
    net::SocketAddr,
    sync::atomic::{AtomicU32, Ordering},
};

use mailhaul_imap::{Capabilities, Certificate, Direction, Milestone, Trace};
use parking_lot::Mutex;
use tokio::sync::Notify;

/// Milestones of one connection.
#[derive(Default)]
pub(crate) struct Milestones {
    pub(crate) addresses: Option<Vec<SocketAddr>>,
    pub(crate) connected: Option<SocketAddr>,
    pub(crate) chain: Vec<Certificate>,
    /// True if the server's certificate is valid for the host.
    pub(crate) names_host: bool,
    /// TLS version and cipher.
    pub(crate) secured: Option<(String, String)>,
    pub(crate) greeting: Option<String>,
    pub(crate) capabilities: Option<Capabilities>,
}

/// Records the milestones and sign-ins of all connections of a test.
#[derive(Default)]
pub(crate) struct MilestoneRecorder {
    milestones: Mutex<Milestones>,
    changed: Notify,
    sign_ins: AtomicU32,
}

impl MilestoneRecorder {
    /// Number of sign-in attempts, as the server counts them.
    pub(crate) fn sign_ins(&self) -> u32 {
        self.sign_ins.load(Ordering::Relaxed)
    }

    /// Waits for the next milestone.
    pub(crate) async fn changed(&self) {
        self.changed.notified().await;
    }

    /// Looks at the milestones since the last `take`.
    pub(crate) fn look<T>(&self, look: impl FnOnce(&Milestones) -> T) -> T {
        look(&self.milestones.lock())
    }

    /// Returns the milestones since the last call.
    pub(crate) fn take(&self) -> Milestones {
        std::mem::take(&mut *self.milestones.lock())
    }
}

impl Trace for MilestoneRecorder {
    fn line(&self, direction: Direction, text: &str) {
        let command = text.split(' ').nth(1).unwrap_or_default();
        if direction == Direction::Client && ["LOGIN", "AUTHENTICATE"].contains(&command) {
            self.sign_ins.fetch_add(1, Ordering::Relaxed);
        }
    }

    fn milestone(&self, milestone: &Milestone<'_>) {
        let mut milestones = self.milestones.lock();
        match milestone {
            Milestone::Addresses(addresses) => milestones.addresses = Some(addresses.to_vec()),
            Milestone::Connected(address) => milestones.connected = Some(*address),
            Milestone::Certificates { chain, names_host } => {
                (milestones.chain, milestones.names_host) = (chain.to_vec(), *names_host);
            }
            Milestone::Secured { version, cipher } => {
                milestones.secured = Some(((*version).to_owned(), (*cipher).to_owned()));
            }
            Milestone::Greeted(text) => milestones.greeting = Some((*text).to_owned()),
            Milestone::Capabilities(capabilities) => milestones.capabilities = Some((*capabilities).clone()),
            _ => {}
        }
        self.changed.notify_one();
    }
}
