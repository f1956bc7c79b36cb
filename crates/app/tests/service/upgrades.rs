//! Nodes of one release while the next release changes the schema of the database.

use crate::{
    on_server::{MESSAGES, Site, mailboxes_of},
    support::{Service, until},
};

/// A change by which the next release could widen each table. One table is locked at a time, as by one step.
const WIDER: &str = "DO $$ DECLARE it regclass; BEGIN FOR it IN SELECT oid FROM pg_class WHERE relkind IN ('r', 'p') \
     AND NOT relispartition AND relnamespace = current_schema()::regnamespace AND relname <> '_sqlx_migrations' \
     LOOP EXECUTE format('ALTER TABLE %s ADD COLUMN next_release BIGINT NOT NULL DEFAULT 1', it); COMMIT; END LOOP; END $$; \
     INSERT INTO _sqlx_migrations SELECT max(version) + 1, 'next', now(), true, '', 0 FROM _sqlx_migrations; \
     INSERT INTO schema_support SELECT max(version) + 1, max(version) FROM schema_support;";
/// A change that only the next release can work with.
const NARROWER: &str = "INSERT INTO _sqlx_migrations SELECT max(version) + 1, 'last', now(), true, '', 0 FROM _sqlx_migrations; \
     INSERT INTO schema_support SELECT max(version) + 1, max(version) + 1 FROM schema_support;";

/// The nodes of this release go on, and one after another is started again, while mail moves.
#[tokio::test(flavor = "multi_thread")]
async fn three_nodes_go_on_while_the_next_release_widens_the_schema() {
    let site = Site::new(12).await;
    let mut nodes: Vec<(&str, Service)> =
        ["mail1", "mail2", "mail3"].into_iter().map(|name| (name, site.node(name))).collect();
    site.start_batch(&nodes[0].1, "6");
    until(|| nodes.iter().all(|(name, _)| mailboxes_of(&nodes[0].1, name) > Some(0)).then_some(()));
    site.server.ask(WIDER);
    for (name, node) in &mut nodes {
        assert_eq!(node.stop(), Some(0), "{name}");
        node.run_with(&["--name", name]);
        until(|| mailboxes_of(node, name).is_some().then_some(()));
    }
    site.assert_synced(&nodes[1].1, MESSAGES).await;
    site.give_mail(50).await;
    nodes[0].1.expect(&["Set-MigrationBatch", "Staff", "-SyncNow"]);
    site.assert_synced(&nodes[2].1, 2 * MESSAGES).await;

    site.server.ask(NARROWER);
    let (_, late) = &mut nodes[1];
    assert_eq!(late.stop(), Some(0));
    for command in [&["serve"][..], &["batch", "get"]] {
        let refused = late.ask(command);
        refused.assert(2);
        assert!(refused.stderr.contains("a newer mailhaul changed it"), "{}", refused.stderr);
    }
}
