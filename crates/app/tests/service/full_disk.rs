//! A full disk: a file system in memory, which only root can mount.

use std::{fs, path::PathBuf, process::Command};

use mailhaul_testkit::{Dovecot, Setup};

use crate::{
    support::{Service, give, until},
    web::Web,
};

/// A small file system in memory at the data directory, until it is dropped.
struct Disk(PathBuf);

impl Disk {
    /// Returns `None`, with a note, if it cannot be mounted.
    #[expect(clippy::print_stderr, reason = "a note in the output of the test")]
    fn mount(service: &Service, options: &str) -> Option<Self> {
        let path = service.data();
        fs::create_dir(&path).unwrap();
        let mounted = Command::new("mount").args(["-t", "tmpfs", "-o", options, "tmpfs"]).arg(&path).output();
        match mounted {
            Ok(ran) if ran.status.success() => Some(Self(path)),
            other => {
                eprintln!("not tried: a file system can be mounted by root alone: {other:?}");
                None
            }
        }
    }

    /// Writes until nothing more fits.
    fn fill(&self) {
        let full =
            Command::new("dd").arg("if=/dev/zero").arg(format!("of={}", self.ballast().display())).output();
        assert!(!full.unwrap().status.success(), "the disk takes everything");
    }

    fn ballast(&self) -> PathBuf {
        self.0.join("ballast")
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        // Lazily: the service may still have it open where the test failed.
        _ = Command::new("umount").arg("-l").arg(&self.0).status();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_full_disk_stops_nothing_for_good() {
    let from = Setup::with_users(&["annb"]).start();
    give(&from, "annb", "INBOX", &[200_000; 60], 1).await;
    let mut service = Service::idle();
    // 12 MB of mail come to an archive beside the database.
    let Some(disk) = Disk::mount(&service, "size=32m,mode=0700") else { return };
    fs::write(disk.ballast(), vec![0; 24 << 20]).unwrap();
    let web = Web::of(&mut service);
    service.with_passwords("Old", from.port());
    let row = format!("annb@contoso.edu,annb,{}", Dovecot::password("annb"));
    let csv = service.write("users.csv", &format!("EmailAddress,UserName,Password\n{row}\n"));
    service.expect(&["New-MigrationBatch", "-Name", "B", "-SourceEndpoint", "Old", "-CSVData", &csv]);
    assert_eq!(web.ask("GET", "/readyz", None, "").0, 200);
    service.expect(&["Start-MigrationBatch", "B"]);
    // The archive meets the end of the disk; nothing is left for the database and for trial files either.
    until(|| service.user("annb@contoso.edu").to_string().contains("No space left").then_some(()));
    disk.fill();
    until(|| (web.ask("GET", "/readyz", None, "").0 == 503).then_some(()));
    let refused = service.ask(&["Set-MigrationConfig", "-MaxNumberOfBatches", "50"]);
    assert_ne!(refused.code, Some(0), "{}", refused.stdout);
    let user = service.user("annb@contoso.edu");
    assert!(["Queued", "Syncing", "Validating"].contains(&user["Status"].as_str().unwrap()), "{user}");
    fs::remove_file(disk.ballast()).unwrap();
    until(|| (web.ask("GET", "/readyz", None, "").0 == 200).then_some(()));
    let user = service.wait_for_user("annb@contoso.edu", &["Synced", "Failed"]);
    assert_eq!((&user["Status"], &user["SyncedItemCount"]), (&"Synced".into(), &60.into()), "{user}");
    assert_eq!(service.stop(), Some(0));
}
