//! Servers that are away for a while: their users wait, and nothing is held against them.

use std::{
    io,
    net::{TcpListener, TcpStream},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    thread,
};

use mailhaul_testkit::{Dovecot, Setup};

use crate::support::{Service, give, names, until};

/// A port that refuses connections.
fn closed_port() -> u16 {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

/// Brings what connects to a port to another one, once that is open; before, it is silent.
fn forward(listener: TcpListener, to: u16, is_open: Arc<AtomicBool>) {
    thread::spawn(move || {
        let mut silent = Vec::new();
        for client in listener.incoming().map_while(Result::ok) {
            if !is_open.load(Ordering::Relaxed) {
                silent.push(client);
                continue;
            }
            let server = TcpStream::connect(("127.0.0.1", to)).unwrap();
            for (mut from, mut to) in
                [(client.try_clone().unwrap(), server.try_clone().unwrap()), (server, client)]
            {
                thread::spawn(move || {
                    _ = io::copy(&mut from, &mut to);
                    _ = to.shutdown(std::net::Shutdown::Both);
                });
            }
        }
    });
}

/// A server where each of these users has three messages.
async fn server(users: &[String]) -> Dovecot {
    let from = Setup::with_users(&users.iter().map(String::as_str).collect::<Vec<_>>()).start();
    for (seed, user) in (1..).zip(users) {
        give(&from, user, "INBOX", &[900; 3], seed).await;
    }
    from
}

/// Starts a batch of these users, and waits until the endpoint is left alone for this reason.
fn start(service: &Service, port: u16, users: &[String], reason: &str) {
    let port = port.to_string();
    let new = ["New-MigrationEndpoint", "-IMAP", "-Name", "Old", "-RemoteServer", "127.0.0.1"];
    service.expect(&[&new[..], &["-Port", &port, "-Security", "None", "-SkipVerification"]].concat());
    let csv = service.csv(users);
    let new = ["New-MigrationBatch", "-Name", "B", "-SourceEndpoint", "Old", "-CSVData", &csv];
    service.expect(&[&new[..], &["-AutoStart"]].concat());
    until(|| {
        let endpoint = service.expect(&["Get-MigrationEndpoint", "Old"]).remove(0);
        endpoint["ParkedReason"].as_str().is_some_and(|words| words.contains(reason)).then_some(())
    });
    let batch = service.batch("B");
    assert_eq!(batch["FailedCount"], 0, "{batch}");
}

/// Waits until all users have gone on by themselves.
fn all_are_synced(service: &Service, users: usize) {
    let batch = service.wait_for("B", &["Synced", "SyncedWithErrors", "Failed"]);
    assert_eq!((&batch["SyncedCount"], &batch["FailedCount"]), (&users.into(), &0.into()), "{batch}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_port_that_refuses_for_a_while_fails_nobody() {
    let users = names(12);
    let from = server(&users).await;
    let (service, port) = (Service::start(), closed_port());
    start(&service, port, &users, "cannot connect to 127.0.0.1");
    let listener = TcpListener::bind(("127.0.0.1", port)).unwrap();
    forward(listener, from.port(), Arc::new(AtomicBool::new(true)));
    all_are_synced(&service, 12);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_says_nothing_for_a_while_fails_nobody() {
    let users = names(3);
    let from = server(&users).await;
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let (port, is_open) = (listener.local_addr().unwrap().port(), Arc::new(AtomicBool::new(false)));
    forward(listener, from.port(), is_open.clone());
    let service = Service::start();
    start(&service, port, &users, "no greeting within 30 s");
    is_open.store(true, Ordering::Relaxed);
    all_are_synced(&service, 3);
}
