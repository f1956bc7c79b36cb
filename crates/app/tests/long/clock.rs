//! The clock of the service alone, which jumps: libfaketime reads the difference from a file at each look at the clock.
//!
//! Only the time of day jumps. Timeouts run on the monotonic clock, which no administrator can set.

use std::{fs, path::PathBuf};

use jiff::Timestamp;

use crate::service::Service;

const DAY: i64 = 86_400;

/// A clock that differs from that of the machine.
pub(crate) struct JumpingClock {
    difference: PathBuf,
}

impl JumpingClock {
    /// Gives the service a clock of its own, from its next start on. `None` where libfaketime is missing.
    pub(crate) fn install(service: &mut Service) -> Option<Self> {
        let Some(library) = library() else {
            println!("the clock does not jump: libfaketime is missing (scripts/servers.sh installs it)");
            return None;
        };
        let clock = Self { difference: service.write("clock", "+0").into() };
        service.set("LD_PRELOAD", library);
        service.set("FAKETIME_TIMESTAMP_FILE", clock.difference.clone());
        for variable in ["FAKETIME_NO_CACHE", "FAKETIME_DONT_FAKE_MONOTONIC", "NO_FAKE_STAT"] {
            service.set(variable, "1".into());
        }
        Some(clock)
    }

    /// The same for all its clocks: after [`Self::set`], also those that no administrator can set differ.
    pub(crate) fn install_for_all_clocks(service: &mut Service) -> Option<Self> {
        let clock = Self::install(service)?;
        service.unset("FAKETIME_DONT_FAKE_MONOTONIC");
        Some(clock)
    }

    /// Sets the clock to that of the machine plus these seconds.
    pub(crate) fn set(&self, seconds: i64) {
        // Renamed into place: a look at the clock never sees half of it.
        let new = self.difference.with_extension("new");
        fs::write(&new, format!("{seconds:+}")).unwrap();
        fs::rename(new, &self.difference).unwrap();
    }

    /// Fails if the running service does not use this clock. Its endpoint `Check` stays.
    pub(crate) fn check(&self, service: &Service) {
        self.set(400 * DAY);
        let new = ["New-MigrationEndpoint", "-IMAP", "-Name", "Check", "-RemoteServer", "127.0.0.1"];
        let made = service.expect(&[&new[..], &["-Port", "1", "-SkipVerification"]].concat()).remove(0);
        let made: Timestamp = made["CreationTime"].as_str().unwrap().parse().unwrap();
        assert!(made.as_second() > Timestamp::now().as_second() + 300 * DAY, "{made}");
        self.set(0);
    }
}

/// Removes what libfaketime leaves in shared memory of a process that was killed.
pub(crate) fn clean_up_after(process: u32) {
    for name in ["faketime_shm", "sem.faketime_sem"] {
        _ = fs::remove_file(format!("/dev/shm/{name}_{process}"));
    }
}

fn library() -> Option<PathBuf> {
    let directories = fs::read_dir("/usr/lib").ok()?;
    directories
        .filter_map(Result::ok)
        .map(|entry| entry.path().join("faketime/libfaketimeMT.so.1"))
        .find(|path| path.exists())
}
