//! Outages of servers: users wait, and no attempt counts.

use std::{
    fs, io,
    net::{TcpListener, TcpStream},
    process::Command,
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

/// Forwards connections to another port once that is open; before, it is silent.
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

/// Starts a batch of these users, and waits until the endpoint is parked for this reason.
fn start(service: &Service, port: u16, users: &[String], reason: &str) {
    start_at(service, "127.0.0.1", port, users);
    is_parked(service, reason);
}

/// Starts a batch of these users.
fn start_at(service: &Service, host: &str, port: u16, users: &[String]) {
    let port = port.to_string();
    let new = ["New-MigrationEndpoint", "-IMAP", "-Name", "Old", "-RemoteServer", host];
    service.expect(&[&new[..], &["-Port", &port, "-Security", "None", "-SkipVerification"]].concat());
    let csv = service.csv(users);
    let new = ["New-MigrationBatch", "-Name", "B", "-SourceEndpoint", "Old", "-CSVData", &csv];
    service.expect(&[&new[..], &["-AutoStart"]].concat());
}

/// Waits until the endpoint is parked for this reason. No user fails.
fn is_parked(service: &Service, reason: &str) {
    until(|| {
        let endpoint = service.expect(&["Get-MigrationEndpoint", "Old"]).remove(0);
        endpoint["ParkedReason"].as_str().is_some_and(|words| words.contains(reason)).then_some(())
    });
    let batch = service.batch("B");
    assert_eq!(batch["FailedCount"], 0, "{batch}");
}

/// Waits until all users have continued by themselves.
fn all_are_synced(service: &Service, users: usize) {
    let batch = service.wait_for("B", &["Synced", "SyncedWithErrors", "Failed"]);
    assert_eq!((&batch["SyncedCount"], &batch["FailedCount"]), (&users.into(), &0.into()), "{batch}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refused_port_fails_no_user() {
    let users = names(12);
    let from = server(&users).await;
    let (service, port) = (Service::start(), closed_port());
    start(&service, port, &users, "cannot connect to 127.0.0.1");
    let listener = TcpListener::bind(("127.0.0.1", port)).unwrap();
    forward(listener, from.port(), Arc::new(AtomicBool::new(true)));
    all_are_synced(&service, 12);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_silent_server_fails_no_user() {
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

/// The name of a server that only the test's own table of hosts knows.
const NAME: &str = "imap.mailhaul.test";

/// A table of hosts and a resolver for one process, in a mount namespace.
struct Names {
    directory: tempfile::TempDir,
}

impl Names {
    /// No name server answers. `None` where mounting is not allowed.
    fn silent() -> Option<Self> {
        let names = Self { directory: tempfile::tempdir().unwrap() };
        names.write("resolv.conf", "nameserver 127.0.0.1\noptions timeout:1 attempts:1\n");
        names.write("nsswitch.conf", "hosts: files dns\n");
        names.write("hosts", "127.0.0.1 localhost\n");
        let [program, arguments @ ..] = &names.launcher()[..] else { unreachable!() };
        let tried = Command::new(program).args(arguments).arg("true").output();
        if tried.is_ok_and(|output| output.status.success()) {
            return Some(names);
        }
        println!("skipped: a resolver for the service alone needs the right to mount files (root)");
        None
    }

    /// Written in place: the mount shows this file, not its name.
    fn write(&self, name: &str, text: &str) {
        fs::write(self.directory.path().join(name), text).unwrap();
    }

    fn launcher(&self) -> Vec<String> {
        let directory = self.directory.path().display();
        let mount = |name| format!("touch /etc/{name} && mount --bind {directory}/{name} /etc/{name} && ");
        let mounts: String = ["resolv.conf", "nsswitch.conf", "hosts"].map(mount).concat();
        let script = format!("{mounts} exec \"$@\"");
        ["unshare", "--mount", "sh", "-c", &script, "sh"].map(str::to_owned).to_vec()
    }
}

/// The system's resolver says that it may work later (`EAI_AGAIN`), then that there is no such name (`EAI_NONAME`).
#[tokio::test(flavor = "multi_thread")]
async fn a_missing_name_fails_no_user() {
    let Some(resolver) = Names::silent() else { return };
    let users = names(3);
    let from = server(&users).await;
    let mut service = Service::idle();
    let launcher = resolver.launcher();
    service.launch_by(&launcher.iter().map(String::as_str).collect::<Vec<_>>());
    service.run();
    start_at(&service, NAME, from.port(), &users);
    is_parked(&service, "Temporary failure in name resolution");
    resolver.write("nsswitch.conf", "hosts: files\n");
    is_parked(&service, "Name or service not known");
    resolver.write("hosts", &format!("127.0.0.1 localhost {NAME}\n"));
    all_are_synced(&service, 3);
}

/// Sets the number of files that a process may have open.
fn limit_files(process: u32, limit: usize) {
    let limit = format!("--nofile={limit}:");
    let set = Command::new("prlimit").args(["--pid", &process.to_string(), &limit]).status().unwrap();
    assert!(set.success(), "prlimit {limit}");
}

#[tokio::test(flavor = "multi_thread")]
async fn too_many_open_files_fail_no_user() {
    let users = names(12);
    let from = server(&users).await;
    let service = Service::start();
    let process = service.id();
    start_at(&service, "127.0.0.1", closed_port(), &users);
    is_parked(&service, "cannot connect");
    let open = fs::read_dir(format!("/proc/{process}/fd")).unwrap().count();
    // One for the client that asks, and one more.
    limit_files(process, open + 2);
    let port = from.port().to_string();
    service.expect(&["Set-MigrationEndpoint", "Old", "-Port", &port, "-SkipVerification"]);
    is_short_of_files(&service);
    limit_files(process, 1024);
    all_are_synced(&service, 12);
}

/// Waits until the lack of file handles is reported, of the endpoint or of waiting users. No user fails.
fn is_short_of_files(service: &Service) {
    until(|| {
        let endpoint = service.expect(&["Get-MigrationEndpoint", "Old"]).remove(0);
        let users = service.expect(&["Get-MigrationUser", "-BatchId", "B"]);
        assert!(users.iter().all(|user| user["Status"] != "Failed"), "{users:#?}");
        let told = format!("{endpoint} {users:?}");
        (told.contains("Too many open files") || told.contains("unable to open database file")).then_some(())
    });
}
