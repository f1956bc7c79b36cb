//! An archive that several nodes share.

use std::{
    fs,
    os::unix::fs::{MetadataExt as _, PermissionsExt as _},
    path::Path,
    process::Command,
};

use mailhaul_testkit::Setup;

use crate::{
    common::{assert_equal, contents},
    on_server::{MESSAGES, Site, has_synced, mailboxes_of},
    support::{Service, until},
};

/// Starts a node that leaves mailboxes to others.
fn node_with(site: &Site, name: &str, archive: &Path) -> Service {
    let mut service = site.machine();
    service.run_with(&["--name", name, "--capacity", "2", "--archive", archive.to_str().unwrap()]);
    service
}

/// The archives that the nodes have, by name of the node.
fn archives(service: &Service) -> Vec<Option<String>> {
    let nodes = service.expect(&["Get-MigrationNode"]);
    nodes.iter().map(|node| node["Archive"].as_str().map(str::to_owned)).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn mailboxes_of_a_lost_node_continue_in_the_shared_archive() {
    let site = Site::new(6).await;
    let shared = site.keys.path().join("archive");
    // The node without an archive could take all mailboxes.
    let without = site.node("mail0");
    let mut first = node_with(&site, "mail1", &shared);
    let second = node_with(&site, "mail2", &shared);
    let ids = archives(&second);
    assert!(ids[0].is_none() && ids[1].is_some() && ids[1] == ids[2], "{ids:?}");

    without.endpoints(site.source.port(), 1, &["-MaxConcurrentMigrations", "4", "-SkipVerification"]);
    let csv = without.csv(&site.users);
    let new = ["New-MigrationBatch", "-Name", "Staff", "-SourceEndpoint", "Old", "-CSVData", &csv];
    without.expect(&[&new[..], &["-AutoStart"]].concat());
    until(|| (mailboxes_of(&second, "mail1") > Some(0)).then_some(()));
    first.kill();
    until(|| {
        assert_eq!(mailboxes_of(&second, "mail0"), Some(0), "mail0 has no archive");
        site.users.iter().all(|it| has_synced(&second, it, MESSAGES)).then_some(())
    });

    // A foreign server reads what is there. As root, Dovecot runs as another user.
    if fs::metadata(&shared).unwrap().uid() == 0 {
        let given = Command::new("chown").args(["-R", "mail:mail"]).arg(&shared).status();
        assert!(given.unwrap().success());
        fs::set_permissions(site.keys.path(), fs::Permissions::from_mode(0o755)).unwrap();
    }
    let users: Vec<&str> = site.users.iter().map(String::as_str).collect();
    let mail_location = format!("maildir:{}/%u@contoso.edu", shared.display());
    let reader = Setup { mail_location, ..Setup::with_users(&users) }.start();
    for user in users {
        assert_equal(&contents(site.from.port(), user).await, &contents(reader.port(), user).await);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_batch_without_its_archive_is_refused() {
    let site = Site::new(1).await;
    let directories = ["one", "two"].map(|name| site.keys.path().join(name));
    let plain = site.node("mail0");
    plain.endpoints(1, 2, &["-SkipVerification"]);
    let csv = plain.csv(&site.users);
    let new = ["New-MigrationBatch", "-Name", "Staff", "-SourceEndpoint", "Old", "-CSVData", &csv];
    let refused = plain.ask(&new);
    refused.assert(2);
    assert!(refused.stderr.contains("no node has an archive"), "{}", refused.stderr);

    let _first = node_with(&site, "mail1", &directories[0]);
    let second = node_with(&site, "mail2", &directories[1]);
    let refused = plain.ask(&new);
    refused.assert(2);
    assert!(refused.stderr.contains("the nodes have different archives"), "{}", refused.stderr);
    // At a node that has one, it is clear.
    assert_eq!(second.expect(&new)[0]["TargetEndpoint"], "Archive");

    let local = Service::idle();
    let refused = local.ask(&["serve", "--archive", directories[0].to_str().unwrap()]);
    assert_ne!(refused.code, Some(0));
    let words = "without --database, the archive is in the data directory";
    assert!(refused.stderr.contains(words), "{}", refused.stderr);
}
