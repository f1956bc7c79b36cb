//! Stalled mailboxes, and other users that wait for their place.

use mailhaul_migration::UserStatus as S;
use mailhaul_testkit::Cut;
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _, copy_bidirectional},
    net::TcpListener,
};

use super::*;

/// Takes the first connection and says nothing on it; all others go to the server.
async fn silent_at_first(server: u16) -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    tokio::spawn(async move {
        let _silent = listener.accept().await.unwrap();
        while let Ok((mut client, _)) = listener.accept().await {
            tokio::spawn(async move {
                let mut onward = tokio::net::TcpStream::connect(("127.0.0.1", server)).await.unwrap();
                _ = copy_bidirectional(&mut client, &mut onward).await;
            });
        }
    });
    port
}

#[tokio::test(flavor = "multi_thread")]
async fn a_mailbox_without_progress_gives_its_place_to_the_next_one() {
    let directory = tempfile::tempdir().unwrap();
    let server = filled(&["annb", "paulc"], 5).await;
    let mut site = Site::new(directory.path(), silent_at_first(server.port()).await, 1).await;
    site.batch(&["annb", "paulc"]).await;
    let mut place = site.context.service_context();
    place.stall_window = Duration::from_millis(300);
    site.run_in(place);
    site.wait_for("paulc", S::Synced).await;
    let stalled = site.context.store.users().get("annb@contoso.edu", None).await.unwrap();
    assert_eq!((stalled.status, stalled.attempts), (S::Queued, 1));
    let words = stalled.failure.unwrap().message;
    assert!(words.starts_with("no progress in 0.3 s"), "{words}");
    site.end().await;
}

/// Brings what the server says to the client, 40 kB in a second and never more than 2 kB at once.
async fn slow_line(server: u16) -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    tokio::spawn(async move {
        while let Ok((client, _)) = listener.accept().await {
            let (mut from_client, mut to_client) = client.into_split();
            let onward = tokio::net::TcpStream::connect(("127.0.0.1", server)).await.unwrap();
            let (mut from_server, mut to_server) = onward.into_split();
            tokio::spawn(async move { tokio::io::copy(&mut from_client, &mut to_server).await });
            tokio::spawn(async move {
                let mut piece = [0; 2048];
                while let Ok(length @ 1..) = from_server.read(&mut piece).await {
                    _ = to_client.write_all(&piece[..length]).await;
                    tokio::time::sleep(Duration::from_millis(50)).await;
                }
            });
        }
    });
    port
}

#[tokio::test(flavor = "multi_thread")]
async fn a_scan_of_a_large_folder_is_progress() {
    let directory = tempfile::tempdir().unwrap();
    let server = filled(&["annb", "paulc"], 2500).await;
    // The scan takes several windows before the first message is sent.
    let mut site = Site::new(directory.path(), slow_line(server.port()).await, 1).await;
    site.batch(&["annb", "paulc"]).await;
    let mut place = site.context.service_context();
    place.stall_window = Duration::from_secs(2);
    site.run_in(place);
    let store = site.context.store.clone();
    for _ in 0..1200 {
        let user = store.users().get("annb@contoso.edu", None).await.unwrap();
        assert_eq!((user.attempts, &user.failure), (0, &None));
        let copied = site.context.workers.statistics(user.guid).map_or(0, |statistics| statistics.pass_items);
        if copied > 0 {
            return site.end().await;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    panic!("no message arrived: {:#?}", store.users().get("annb@contoso.edu", None).await.unwrap());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_service_that_ends_does_not_wait_for_silent_servers() {
    let directory = tempfile::tempdir().unwrap();
    let server = filled(&["annb"], 30).await;
    let faults = Faults { cut_download: Some(10_000), cut: Cut::Hold, ..Faults::default() };
    let silent = Proxy::start(server.port(), faults);
    let mut site = Site::new(directory.path(), silent.port(), 1).await;
    site.batch(&["annb"]).await;
    site.run();
    while silent.cuts() == 0 {
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    site.end().await;
    // Its worker still waits for a message, and was left.
    assert_eq!(site.context.workers.all().len(), 1);
    let user = site.context.store.users().get("annb@contoso.edu", None).await.unwrap();
    assert_eq!((user.status, user.attempts, user.failure), (S::Queued, 0, None));
    assert_eq!(site.context.store.jobs().running().await.unwrap(), []);
}
