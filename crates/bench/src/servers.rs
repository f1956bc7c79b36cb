//! Two private Dovecots, a third one with Dovecot's default for writes to disk, and slow links to each.

use std::{path::PathBuf, time::Duration};

use anyhow::Result;
use mailhaul_testkit::{Certificate, Dovecot, Faults, Proxy, Setup};
use serde::{Deserialize, Serialize};

/// The link of a tool to the servers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Link {
    /// Loopback without TLS.
    Plain,
    /// Loopback with TLS from the first byte.
    Tls,
    /// Without TLS, 20 ms for a round trip to each server.
    Far,
    /// As `Far`, with 2 MB per second in each connection. The servers offer COMPRESS.
    Slow,
}

/// The target.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Disk {
    /// `mail_fsync = never`.
    NoSync,
    /// `mail_fsync = optimized`: Dovecot's default.
    Sync,
}

/// One direction of a round trip of 20 ms.
const DELAY: Duration = Duration::from_millis(10);
/// Bytes per second over a slow link.
const SLOW_RATE: u64 = 2_000_000;

pub(crate) struct Servers {
    source: Dovecot,
    target: Dovecot,
    synced: Dovecot,
    /// The same mailboxes on servers with COMPRESS.
    ///
    /// The other servers do not offer it, because the tools would compress where it is of no use.
    _compressing: [Dovecot; 2],
    /// In front of source and target.
    far: [Proxy; 2],
    slow: [Proxy; 2],
    certificate: Certificate,
}

impl Servers {
    pub(crate) fn start(source_users: &[String], target_users: &[String]) -> Self {
        let certificate = Certificate::valid();
        let setup = |users: &[String], extra: &str| {
            let names: Vec<&str> = users.iter().map(String::as_str).collect();
            let mut setup = Setup::with_users(&names);
            "service imap {\n process_min_avail = 2\n}\ndefault_vsz_limit = 2 G\n"
                .clone_into(&mut setup.extra);
            setup.extra.push_str(extra);
            setup.start_tls(&certificate)
        };
        let source = setup(source_users, "");
        let target = setup(target_users, "");
        let synced = setup(target_users, "mail_fsync = optimized\n");
        let compressing = [(&source, source_users), (&target, target_users)].map(|(server, users)| {
            let mail = server.home("%u");
            setup(
                users,
                &format!("mail_home = {}\nprotocol imap {{\n mail_plugins = imap_zlib\n}}\n", mail.display()),
            )
        });
        let far = Faults { delay: DELAY, ..Faults::default() };
        let slow = Faults { rate: Some(SLOW_RATE), ..far };
        Self {
            far: [&source, &target].map(|it| Proxy::start(it.port(), far)),
            slow: [0, 1].map(|side: usize| Proxy::start(compressing[side].port(), slow)),
            _compressing: compressing,
            source,
            target,
            synced,
            certificate,
        }
    }

    pub(crate) fn source(&self) -> &Dovecot {
        &self.source
    }

    pub(crate) fn target(&self, disk: Disk) -> &Dovecot {
        match disk {
            Disk::NoSync => &self.target,
            Disk::Sync => &self.synced,
        }
    }

    /// Ports of source and target.
    pub(crate) fn ports(&self, link: Link, disk: Disk) -> (u16, u16) {
        let target = self.target(disk);
        match link {
            Link::Plain => (self.source.port(), target.port()),
            Link::Tls => (self.source.tls_port(), target.tls_port()),
            Link::Far => (self.far[0].port(), self.far[1].port()),
            Link::Slow => (self.slow[0].port(), self.slow[1].port()),
        }
    }

    pub(crate) fn ca_file(&self) -> PathBuf {
        self.certificate.ca_file()
    }

    /// Removes the user's target mailbox.
    pub(crate) fn wipe(&self, user: &str, disk: Disk) -> Result<()> {
        let home = self.target(disk).home(user);
        if home.exists() {
            std::fs::remove_dir_all(home)?;
        }
        Ok(())
    }
}
