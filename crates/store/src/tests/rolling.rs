//! Programs of two releases on one server: the next release changes the schema while nodes of this one run.

use mailhaul_migration::UserStatus;

use super::{at, claim, node, on_server, running};
use crate::{
    BatchFilter, Claim, Store,
    db::{
        catalogue,
        database::SCHEMA_VERSION,
        server_schema::{SCHEMA, SUPPORT_SINCE, ServerStep, run, version},
        sql::{self, TABLES},
    },
};

/// A change of each table that the next release could make while nodes of this one run.
const WIDER: &str = "DO $$ DECLARE it regclass; BEGIN FOR it IN SELECT oid FROM pg_class WHERE relkind IN ('r', 'p') \
     AND NOT relispartition AND relnamespace = current_schema()::regnamespace AND relname <> '_sqlx_migrations' \
     LOOP EXECUTE format('ALTER TABLE %s ADD COLUMN next_release BIGINT NOT NULL DEFAULT 1', it); END LOOP; END $$; \
     CREATE TABLE of_next_release (id BIGINT PRIMARY KEY); INSERT INTO schema_support VALUES (1001, 22)";
const NARROWER: &str =
    "ALTER TABLE batch DROP COLUMN submitted_by; INSERT INTO schema_support VALUES (1002, 1002)";

fn next_release(last: i64) -> Vec<ServerStep> {
    let newer = [
        ServerStep { step: (1001, "wider", WIDER), oldest: SCHEMA_VERSION },
        ServerStep { step: (1002, "narrower", NARROWER), oldest: 1002 },
    ];
    SCHEMA.into_iter().chain(newer).filter(|it| it.step.0 <= last).collect()
}

#[tokio::test]
async fn each_step_names_its_oldest_program() {
    let (_home, store) = on_server().await;
    let found: Vec<(i64, i64)> = store
        .read(|connection| {
            Box::pin(async move {
                let sql = "SELECT version, oldest FROM schema_support ORDER BY version";
                let rows = sql::query(sql).fetch_all(connection).await?;
                rows.iter().map(|row| Ok((row.try_get(0)?, row.try_get(1)?))).collect()
            })
        })
        .await
        .unwrap();
    let named = SCHEMA.iter().filter(|it| it.step.0 >= SUPPORT_SINCE).map(|it| (it.step.0, it.oldest));
    assert_eq!(found, named.collect::<Vec<_>>());
}

#[tokio::test]
async fn nodes_of_this_release_go_on_while_the_next_one_widens_the_schema() {
    let (home, store) = on_server().await;
    let (source, _) = running(&store, &["anna", "berta", "carla"]).await;
    let lock = store.nodes().take_service(node()).await.unwrap();
    // Each connection has prepared its statements.
    let first = store.jobs().claim(Claim { limit: 1, ..claim(&source, lock.owner(), 10) }).await.unwrap();
    let before = store.batches().list(&BatchFilter::default()).await.unwrap();

    run(&home.address().options, &next_release(1001)).await.unwrap();
    for _ in 0..20 {
        assert_eq!(store.batches().list(&BatchFilter::default()).await.unwrap(), before);
    }
    store.jobs().renew(&first[0].lease, at(100)).await.unwrap();
    let more = store.jobs().claim(claim(&source, lock.owner(), 10)).await.unwrap();
    assert_eq!(more.len(), 2);
    assert_eq!(more[0].user.status, UserStatus::Validating);
    store.nodes().beat(lock.owner(), node().lease).await.unwrap();

    // A node of this release that begins now.
    let late = home.open().await;
    late.nodes().take_service(node()).await.unwrap();
    let seen = late.batches().list(&BatchFilter::default()).await.unwrap();
    assert_eq!(seen, store.batches().list(&BatchFilter::default()).await.unwrap());
}

#[tokio::test]
async fn a_step_that_older_nodes_cannot_use_waits_for_them() {
    let (home, store) = on_server().await;
    let lock = store.nodes().take_service(node()).await.unwrap();
    let refused = run(&home.address().options, &next_release(1002)).await.unwrap_err().to_string();
    assert!(refused.contains("mail1") && refused.contains("older"), "{refused}");
    // Nothing of it ran.
    let found = store.read(|connection| Box::pin(version(connection))).await.unwrap();
    assert_eq!(found, Some(SCHEMA_VERSION));

    store.nodes().end(lock.owner()).await.unwrap();
    run(&home.address().options, &next_release(1002)).await.unwrap();
    let refused = Store::connect(&home.address()).await.err().unwrap().to_string();
    assert!(
        refused.contains("schema 1002") && refused.contains("needs a mailhaul that knows schema 1002"),
        "{refused}"
    );
    // A process that was away during the change begins no node.
    let refused = store.nodes().take_service(node()).await.unwrap_err().to_string();
    assert!(refused.contains("schema 1002"), "{refused}");
}

#[tokio::test]
async fn the_columns_are_those_of_the_schema() {
    let (_home, store) = on_server().await;
    let tables = store.read(|connection| Box::pin(catalogue::tables(connection))).await.unwrap();
    for (name, columns) in TABLES {
        let table = tables.iter().find(|it| it.name == *name).unwrap();
        let mut columns = columns.to_vec();
        columns.sort_unstable();
        let found: Vec<&str> = table.columns.iter().map(|it| it.name.as_str()).collect();
        assert_eq!(columns, found, "{name}");
    }
}
