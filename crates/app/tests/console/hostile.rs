//! Scenario 15: servers and folders whose texts look like markup.

use std::{io::Write as _, net::TcpListener, thread};

use serde_json::json;

use crate::{common::give, world::World};

/// Refusal with markup, a character that turns text, and more than fits.
const GREETING: &str = "* BYE <img src=x onerror=\"document.title='owned'\"> \u{202e}gnp.exe ";

/// A server that greets everyone with a refusal.
fn refusing() -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    thread::spawn(move || {
        for mut client in listener.incoming().map_while(Result::ok) {
            _ = client.write_all(format!("{GREETING}{}\r\n", "y".repeat(7000)).as_bytes());
        }
    });
    port
}

#[tokio::test(flavor = "multi_thread")]
async fn texts_of_servers_stay_texts() {
    let mut world = World::new(2).await;
    give(&world.from, "user1", "<img src=x onerror=alert(1)>", &[900; 2], 9).await;
    world.batch("Staff", 1);
    world.service.expect(&["Start-MigrationBatch", "Staff"]);
    world.service.wait_for("Staff", &["Synced"]);
    let port = refusing().to_string();
    let endpoint =
        ["New-MigrationEndpoint", "-IMAP", "-Name", "<b>Bad</b>", "-RemoteServer", "127.0.0.1", "-Port"];
    world.service.expect(&[&endpoint[..], &[&port, "-Security", "None", "-SkipVerification"]].concat());
    let csv = "EmailAddress,UserName,Password,TargetUserName,TargetPassword\nuser2@contoso.edu,user2,x,user2,secret-user2\n";
    let csv = world.service.write("bad.csv", csv);
    let new = [
        "New-MigrationBatch",
        "-Name",
        "<i>Bad</i>",
        "-SourceEndpoint",
        "<b>Bad</b>",
        "-TargetEndpoint",
        "New",
    ];
    world.service.expect(&[&new[..], &["-CSVData", &csv, "-AutoStart"]].concat());
    let token = world.token("ada", "Operator");
    world.play("hostile", &json!({ "token": token }));
}
