//! Scenario 9: a server that asks for a pause, and a budget of a day.

use std::{io::Write as _, net::TcpListener, thread};

use serde_json::json;

use crate::{common::assert_same, world::World};

/// A server that greets everyone with a request for a pause.
fn throttled() -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    thread::spawn(move || {
        for mut client in listener.incoming().map_while(Result::ok) {
            _ = client.write_all(b"* BYE [UNAVAILABLE] Server busy, try again later\r\n");
        }
    });
    port
}

#[tokio::test(flavor = "multi_thread")]
async fn a_pause_is_shown_and_ended_and_others_go_on() {
    let mut world = World::new(4).await;
    let port = world.from.port().to_string();
    let spare = ["New-MigrationEndpoint", "-IMAP", "-Name", "Spare", "-RemoteServer", "127.0.0.1", "-Port"];
    world.service.expect(&[&spare[..], &[&port, "-Security", "None"]].concat());
    world.batch("Staff", 2);
    world.batch_of_one("Others", "Spare", "user3");
    world.batch_of_one("Budget", "Spare", "user4");
    world.proxy.lead_to(throttled());
    let token = world.token("ada", "Admin");
    world.play("throttled", &json!({ "token": token }));
    for user in ["user1", "user2", "user3", "user4"] {
        assert_same(&world.from, &world.to, user).await;
    }
}
