//! The HTTP interface over TCP: roles and tokens.

use std::{
    io::{Read as _, Write as _},
    net::{TcpListener, TcpStream},
    os::unix::net::UnixDatagram,
    time::Duration,
};

use crate::support::{Service, ran};

/// A service that listens on this TCP port.
pub(crate) struct Web(pub(crate) u16);

impl Web {
    pub(crate) fn of(service: &mut Service) -> Self {
        let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        service.run_with(&["--listen", &format!("127.0.0.1:{port}")]);
        Self(port)
    }

    /// Status and body.
    pub(crate) fn ask(&self, method: &str, path: &str, token: Option<&str>, body: &str) -> (u16, String) {
        let mut stream = TcpStream::connect(("127.0.0.1", self.0)).unwrap();
        stream.set_read_timeout(Some(Duration::from_secs(30))).unwrap();
        let token = token.map(|it| format!("Authorization: Bearer {it}\r\n")).unwrap_or_default();
        let length = body.len();
        let head = format!(
            "{method} {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nContent-Type: application/json\r\n\
             {token}Content-Length: {length}\r\n\r\n{body}"
        );
        // A server that has refused reads no further.
        let _refused = stream.write_all(head.as_bytes());
        let mut answer = Vec::new();
        let _cut = stream.read_to_end(&mut answer);
        let answer = String::from_utf8_lossy(&answer).into_owned();
        let status = answer.split(' ').nth(1).and_then(|it| it.parse().ok());
        let body = answer.split_once("\r\n\r\n").map(|(_, body)| body.to_owned()).unwrap_or_default();
        (status.unwrap_or_else(|| panic!("no status: {answer:?}")), body)
    }
}

#[test]
fn tokens_open_what_their_role_may_do() {
    let mut service = Service::idle();
    let web = Web::of(&mut service);
    let token = |role: &str| {
        let made = service.expect(&["New-MigrationApiToken", "-Name", role, "-Role", role]).remove(0);
        made["Token"].as_str().unwrap().to_owned()
    };
    let (viewer, operator, admin) = (token("Viewer"), token("Operator"), token("Admin"));
    let (batches, config) = ("/api/v1/batches", "/api/v1/config");
    assert_eq!(web.ask("GET", batches, None, "").0, 401);
    assert_eq!(web.ask("GET", batches, Some("mh_wrong"), "").0, 401);
    assert_eq!(web.ask("GET", batches, Some(&viewer), "").0, 200);
    assert_eq!(web.ask("DELETE", "/api/v1/batches/B", Some(&viewer), "").0, 403);
    assert_eq!(web.ask("DELETE", "/api/v1/batches/B", Some(&operator), "").0, 404);
    assert_eq!(web.ask("PATCH", config, Some(&operator), "{\"MaxNumberOfBatches\":7}").0, 403);
    assert_eq!(web.ask("PATCH", config, Some(&admin), "{\"MaxNumberOfBatches\":7}").0, 200);
    assert_eq!(web.ask("GET", "/api/v1/nothing", Some(&admin), "").0, 404);
    assert_eq!(web.ask("PUT", batches, Some(&admin), "").0, 405);
    assert_eq!(web.ask("GET", "/healthz", None, "").0, 200);
    assert_eq!(web.ask("GET", "/readyz", None, "").0, 200);
    assert_eq!(web.ask("GET", "/metrics", None, "").0, 401);
    let (status, page) = web.ask("GET", "/metrics", Some(&viewer), "");
    assert!(status == 200 && page.contains("mailhaul_users{status=\"Syncing\"} 0"), "{page}");
    // With one process the sums of the database are a part of its own page.
    assert_eq!(web.ask("GET", "/metrics/cluster", None, "").0, 401);
    let (status, sums) = web.ask("GET", "/metrics/cluster", Some(&viewer), "");
    assert!(status == 200 && sums.contains("mailhaul_users") && page.ends_with(&sums), "{sums}");
    // 50 MB are refused before they are read.
    let huge = format!("{{\"Name\":\"B\",\"CSVData\":\"{}\"}}", "A".repeat(50 << 20));
    assert_eq!(web.ask("POST", batches, Some(&operator), &huge).0, 413);
    // A token that was revoked opens nothing.
    service.expect(&["Remove-MigrationApiToken", "Viewer"]);
    assert_eq!(web.ask("GET", batches, Some(&viewer), "").0, 401);
}

#[test]
fn the_service_manager_is_notified_of_start_and_stop() {
    let mut service = Service::idle();
    let path = service.directory.path().join("notify");
    let manager = UnixDatagram::bind(&path).unwrap();
    manager.set_read_timeout(Some(Duration::from_secs(30))).unwrap();
    service.set("NOTIFY_SOCKET", path);
    let told = || {
        let mut octets = [0; 64];
        let length = manager.recv(&mut octets).unwrap();
        String::from_utf8(octets[..length].to_vec()).unwrap()
    };
    service.run();
    assert_eq!(told(), "READY=1");
    assert_eq!(service.stop(), Some(0));
    assert_eq!(told(), "STOPPING=1");
}

#[test]
fn it_does_not_listen_in_clear_text_where_others_can_hear() {
    let service = Service::idle();
    let refused = ran(&mut service.command(&["serve", "--listen", "0.0.0.0:0"]));
    assert_eq!(refused.code, Some(2), "{}", refused.stderr);
    assert!(refused.stderr.contains("--tls-certificate"), "{}", refused.stderr);
}

#[test]
fn counted_refusals_are_recorded_when_the_service_stops() {
    let mut service = Service::idle();
    let web = Web::of(&mut service);
    let made = service.expect(&["New-MigrationApiToken", "-Name", "eve", "-Role", "Viewer"]).remove(0);
    for _ in 0..25 {
        assert_eq!(web.ask("DELETE", "/api/v1/batches/B", made["Token"].as_str(), "").0, 403);
    }
    assert_eq!(service.stop(), Some(0));
    let log = service.expect(&["Get-MigrationAuditLog"]);
    let said =
        log.iter().filter(|entry| entry.to_string().contains("5 earlier refusals of eve are not recorded"));
    assert_eq!(said.count(), 1, "{log:?}");
}
