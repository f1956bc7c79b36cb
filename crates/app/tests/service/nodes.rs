//! Several nodes on one database: partitions, clocks, and a change of the master key.

use std::{fs, os::unix::fs::PermissionsExt as _, path::Path};

use mailhaul_testkit::{Faults, Proxy};

use crate::{
    clock::{JumpingClock, clean_up_after},
    on_server::{MESSAGES, Site, mailboxes_of},
    support::{Service, until},
};

/// A node that cannot reach the database, and reaches both mail servers, is replaced. Nothing is there twice.
#[tokio::test(flavor = "multi_thread")]
async fn a_node_that_is_cut_off_from_the_database_is_replaced() {
    let site = Site::new(8).await;
    let way = Proxy::start(site.server.port(), Faults::default());
    let mut first = site.machine();
    let url = site.server.url().replace(&site.server.port().to_string(), &way.port().to_string());
    first.set("MAILHAUL_DATABASE", url.into());
    first.run_with(&["--name", "mail1"]);
    let second = site.node("mail2");
    site.start_batch(&second, "4");
    until(|| (mailboxes_of(&second, "mail1") > Some(0)).then_some(()));
    way.hold(true);
    site.assert_synced(&second, MESSAGES).await;
    until(|| mailboxes_of(&second, "mail1").is_none().then_some(()));
    way.hold(false);
    // It joins again.
    until(|| mailboxes_of(&second, "mail1").is_some().then_some(()));
    site.give_mail(50).await;
    second.expect(&["Set-MigrationBatch", "Staff", "-SyncNow"]);
    site.assert_synced(&second, 2 * MESSAGES).await;
}

/// The clock of the database counts, not that of the node.
#[tokio::test(flavor = "multi_thread")]
async fn a_node_whose_clock_is_five_minutes_ahead_keeps_the_time_of_the_database() {
    let site = Site::new(4).await;
    let mut node = site.machine();
    let Some(clock) = JumpingClock::install(&mut node) else {
        panic!("scripts/servers.sh installs libfaketime")
    };
    clock.set(300);
    let log = site.keys.path().join("log");
    node.run_logging(&log);
    // Its name is that of the machine.
    until(|| {
        fs::read_to_string(&log)
            .unwrap()
            .contains("differs by -300 s from that of the database")
            .then_some(())
    });
    let other = site.node("mail2");
    site.start_batch(&other, "2");
    site.assert_synced(&other, MESSAGES).await;
    // The next sync is due a day after the last one by the database's clock.
    let distances = site.server.ask(
        "SELECT max(abs(due - 86400000 - extract(epoch FROM clock_timestamp()) * 1000))::bigint FROM migration_user",
    );
    let distance: i64 = distances.trim().parse().unwrap();
    assert!(distance < 200_000, "{distance} ms");
    assert_eq!(other.expect(&["Get-MigrationNode"]).len(), 2, "no node is lost");
    let process = node.id();
    drop(node);
    clean_up_after(process);
}

/// Writes the keys of a node: the new one first.
fn write_keys(file: &Path, keys: &[&str]) {
    let lines: Vec<String> = keys.iter().map(|key| key.repeat(32)).collect();
    fs::write(file, lines.join("\n")).unwrap();
    fs::set_permissions(file, fs::Permissions::from_mode(0o600)).unwrap();
}

/// The ids of the master keys of each node.
fn keys_of(service: &Service) -> Vec<usize> {
    let nodes = service.expect(&["Get-MigrationNode"]);
    nodes.iter().map(|node| node["MasterKeys"].as_array().unwrap().len()).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn the_master_key_is_changed_while_nodes_run() {
    let site = Site::new(4).await;
    let files = ["first", "second"].map(|name| site.keys.path().join(name));
    let mut nodes: Vec<Service> = Vec::new();
    for (name, file) in ["mail1", "mail2"].iter().zip(&files) {
        write_keys(file, &["5a"]);
        let mut node = site.machine();
        node.set("MAILHAUL_MASTER_KEY_FILE", file.clone());
        node.run_with(&["--name", name]);
        nodes.push(node);
    }
    site.start_batch(&nodes[0], "2");
    write_keys(&files[0], &["77", "5a"]);
    let change = ["New-MigrationMasterKey", "-KeyFile", files[0].to_str().unwrap(), "-Confirm:false"];
    until(|| (keys_of(&nodes[0]) == [2, 1]).then_some(()));
    let refused = nodes[0].ask(&change);
    assert_eq!(refused.code, Some(4), "{}", refused.stderr);
    assert!(refused.stderr.contains("the new master key is missing on mail2"), "{}", refused.stderr);
    write_keys(&files[1], &["77", "5a"]);
    until(|| (keys_of(&nodes[0]) == [2, 2]).then_some(()));
    nodes[0].ask(&change).assert(0);
    for file in &files {
        write_keys(file, &["77"]);
    }
    until(|| (keys_of(&nodes[0]) == [1, 1]).then_some(()));
    site.assert_synced(&nodes[1], MESSAGES).await;
    site.give_mail(70).await;
    nodes[1].expect(&["Set-MigrationBatch", "Staff", "-SyncNow"]);
    site.assert_synced(&nodes[1], 2 * MESSAGES).await;
    // The old key opens nothing any more.
    write_keys(&files[1], &["5a"]);
    let refused = nodes[1].ask(&["serve"]);
    assert!(
        refused.stderr.contains("is not the one that the passwords are sealed with"),
        "{}",
        refused.stderr
    );
}
