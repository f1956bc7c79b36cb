//! Sessions of the web console.

use mailhaul_migration::Guid;

use super::{at, on_both, service};
use crate::{NewConsoleSession, SessionLimits, db::sql};

on_both! {
    sessions_are_known_to_every_node_until_they_end,
}

/// Sessions that last 100 seconds, and 10 without a use.
pub(super) fn limits(second: i64) -> SessionLimits {
    SessionLimits { begun_after: at(second - 100), seen_after: at(second - 10) }
}

pub(super) fn session(cookie: u8, token: Option<Guid>, second: i64) -> NewConsoleSession {
    let (name, role) = ("ada".to_owned(), "Viewer".to_owned());
    NewConsoleSession { cookie: [cookie; 32], key: [9; 32], token, name, role, begun: at(second) }
}

async fn sessions_are_known_to_every_node_until_they_end() {
    let (home, store) = service().await;
    let (token, _) = store.tokens().create("ada", "Operator", at(0)).await.unwrap();
    store.sessions().insert(session(1, Some(token.guid), 0), limits(0), 3).await.unwrap();
    store.sessions().insert(session(2, None, 0), limits(0), 3).await.unwrap();
    let other = home.open().await;
    let role = async |cookie: u8, key: u8, second: i64| {
        let found = other.sessions().get([cookie; 32], [key; 32], limits(second)).await.unwrap();
        found.map(|session| session.role)
    };
    // After a token the role is the token's.
    assert_eq!(role(1, 9, 9).await.as_deref(), Some("Operator"));
    assert_eq!(role(2, 9, 9).await.as_deref(), Some("Viewer"));
    assert_eq!((role(1, 8, 9).await, role(3, 9, 9).await), (None, None));
    assert_eq!(role(2, 9, 10).await, None);
    // In use, a session lasts until it is too old.
    for second in (5..100).step_by(5) {
        other.sessions().touch([1; 32], at(second), limits(second)).await.unwrap();
    }
    assert_eq!(role(1, 9, 99).await.as_deref(), Some("Operator"));
    assert_eq!(role(1, 9, 100).await, None);
    let rows = async || -> i64 {
        store
            .read(|connection| {
                Box::pin(async move {
                    let query = sql::query_scalar("SELECT count(*) FROM console_session");
                    Ok(query.fetch_one(connection).await?)
                })
            })
            .await
            .unwrap()
    };
    assert_eq!(rows().await, 1, "an ended session is removed by the use of another");
    store.tokens().revoke("ada", at(99)).await.unwrap();
    assert_eq!(role(1, 9, 99).await, None);
    for cookie in 4..9 {
        store.sessions().insert(session(cookie, None, 99), limits(99), 3).await.unwrap();
    }
    assert_eq!(rows().await, 3);
    assert_eq!((role(5, 9, 100).await, role(6, 9, 100).await.as_deref()), (None, Some("Viewer")));
    store.sessions().remove([6; 32]).await.unwrap();
    assert_eq!(role(6, 9, 100).await, None);
    store.sessions().remove_ended(limits(200)).await.unwrap();
    assert_eq!(rows().await, 0);
    other.close().await;
    store.close().await;
}
