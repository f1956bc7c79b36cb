//! The stream of events, read as a program reads it.

use std::{
    io::{BufRead as _, BufReader, Write as _},
    net::TcpStream,
    time::Duration,
};

use crate::world::World;

/// An open stream of events.
struct Events(BufReader<TcpStream>);

impl Events {
    fn open(world: &World, token: &str, topic: &str, last: Option<&str>) -> Self {
        let mut stream = TcpStream::connect(("127.0.0.1", world.port)).unwrap();
        stream.set_read_timeout(Some(Duration::from_mins(2))).unwrap();
        let last = last.map(|it| format!("Last-Event-ID: {it}\r\n")).unwrap_or_default();
        let head = format!(
            "GET /api/v1/events?Topic={topic} HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {token}\r\nConnection: close\r\n{last}\r\n"
        );
        stream.write_all(head.as_bytes()).unwrap();
        let mut events = Self(BufReader::new(stream));
        assert!(events.line().unwrap().starts_with("HTTP/1.1 200 "));
        events
    }

    /// The next line; `None` at the end of the stream.
    fn line(&mut self) -> Option<String> {
        let mut line = String::new();
        match self.0.read_line(&mut line).unwrap() {
            0 => None,
            _ => Some(line.trim_end().to_owned()),
        }
    }

    /// Reads until a line has this text. Returns the line and the last id before it.
    fn until(&mut self, text: &str) -> (String, Option<String>) {
        let mut id = None;
        loop {
            let line = self.line().unwrap_or_else(|| panic!("the stream ended before {text}"));
            if let Some(it) = line.strip_prefix("id: ") {
                id = Some(it.to_owned());
            }
            if line.contains(text) {
                return (line, id);
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stream_tells_changes_and_progress_and_goes_on() {
    let mut world = World::new(2).await;
    world.batch("Staff", 2);
    let token = world.token("ada", "Viewer");
    let mut events = Events::open(&world, &token, "batch:Staff", None);
    events.until("event: hello");
    // Nothing passes, so that the workers are seen.
    world.proxy.hold(true);
    world.service.expect(&["Start-MigrationBatch", "Staff"]);
    let (_, id) = events.until("\"Noun\":\"MigrationBatch\",\"Identity\":\"Staff\"");
    events.until("event: progress");
    events.until("\"SyncedItemCount\"");
    world.proxy.hold(false);
    events.until("\"Noun\":\"MigrationUser\"");
    world.service.wait_for("Staff", &["Synced"]);
    // Another stream goes on behind the start, and tells of the users.
    let mut again = Events::open(&world, &token, "batch:Staff", id.as_deref());
    again.until("event: hello");
    let (changed, _) = again.until("\"Noun\"");
    assert!(changed.contains("MigrationUser"), "{changed}");
    // A service that was started again does not know what was missed.
    assert_eq!(world.service.stop(), Some(0));
    while events.line().is_some() {}
    world.start();
    Events::open(&world, &token, "all", id.as_deref()).until("event: gap");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stream_ends_with_its_token() {
    let world = World::new(1).await;
    let token = world.token("ada", "Viewer");
    let mut events = Events::open(&world, &token, "all", None);
    events.until("event: hello");
    world.service.expect(&["Remove-MigrationApiToken", "ada"]);
    while events.line().is_some() {}
}
