//! Mailboxes whose server says nothing, and others that wait for their place.

use mailhaul_migration::UserStatus as S;
use tokio::{io::copy_bidirectional, net::TcpListener};

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
    let mut place = site.context.workplace();
    place.stall_window = Duration::from_millis(300);
    site.run_in(place);
    site.wait_for("paulc", S::Synced).await;
    let stalled = site.context.store.user("annb@contoso.edu", None).await.unwrap();
    assert_eq!((stalled.status, stalled.attempts), (S::Queued, 1));
    let words = stalled.failure.unwrap().message;
    assert!(words.starts_with("no progress in 0.3 s"), "{words}");
    site.end().await;
}
