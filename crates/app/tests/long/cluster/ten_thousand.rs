//! Ten thousand mailboxes that three nodes keep in step each minute.

use std::{
    fs,
    thread::sleep,
    time::{Duration, Instant},
};

use mailhaul_testkit::{
    Dovecot, Postgres,
    fake::{Fake, Personality, VirtualClock},
};

use tempfile::TempDir;

use super::machine;
use crate::{
    service::{Service, names},
    support::extent,
};

/// Notes of the database: for each claim of a user who is synced, the milliseconds since it was due.
const NOTES: &str = "
    CREATE TABLE seen_claim (late BIGINT, at BIGINT);
    CREATE FUNCTION see_claim() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
        INSERT INTO seen_claim VALUES (extract(epoch FROM clock_timestamp()) * 1000 - OLD.due,
            extract(epoch FROM clock_timestamp()) * 1000);
        RETURN NULL; END $$;
    CREATE TRIGGER see_claim AFTER UPDATE ON migration_user FOR EACH ROW
        WHEN (OLD.lease_owner IS NULL AND NEW.lease_owner IS NOT NULL AND OLD.status = 'Synced')
        EXECUTE FUNCTION see_claim();";

/// Mailboxes: 10,000 of `make test-cluster ROUNDS=50`.
fn mailboxes() -> usize {
    usize::try_from(200 * extent()).unwrap()
}

/// Seconds of the measurement.
const SECONDS: u64 = 180;

/// Processor seconds of the processes and of their children that have ended. The kernel counts hundredths.
fn processor(of: &[u32]) -> f64 {
    let ticks = |process: &u32| {
        let stat = fs::read_to_string(format!("/proc/{process}/stat")).unwrap_or_default();
        let fields = stat.rsplit_once(") ").map_or("", |it| it.1).split(' ').collect::<Vec<_>>();
        let field = |at: usize| fields.get(at).and_then(|it| it.parse::<f64>().ok()).unwrap_or_default();
        (11..15).map(field).sum::<f64>()
    };
    of.iter().map(ticks).sum::<f64>() / 100.0
}

async fn server(users: &[String]) -> Fake {
    let fake = Fake::start(Personality::plain()).await;
    let clock = VirtualClock::default();
    for user in users {
        fake.add_user(user, &Dovecot::password(user), clock.clone());
    }
    fake
}

fn node(server: &Postgres, directory: &TempDir, name: &str) -> Service {
    let mut service = machine(server, server.url(), directory);
    service.run_with(&["--name", name]);
    service
}

#[tokio::test(flavor = "multi_thread")]
async fn three_nodes_keep_many_mailboxes_in_step_each_minute() {
    let users = names(mailboxes());
    let (source, target) = (server(&users).await, server(&users).await);
    let database = Postgres::start(&[]);
    let files = tempfile::tempdir().unwrap();
    let nodes = ["mail1", "mail2", "mail3"].map(|name| node(&database, &files, name));
    database.ask(NOTES);
    let limits = ["-MaxConcurrentMigrations", "300", "-MaxConcurrentIncrementalSyncs", "300"];
    nodes[0].endpoints(source.port, target.port, &limits);
    let csv = nodes[0].csv(&users);
    let new = ["New-MigrationBatch", "-Name", "Staff", "-SourceEndpoint", "Old", "-TargetEndpoint", "New"];
    let more = ["-SyncInterval", "00:01:00", "-CSVData", &csv, "-AutoStart"];
    nodes[0].expect(&[&new[..], &more].concat());
    let begun = Instant::now();
    let open = || database.ask("SELECT count(*) FROM migration_user WHERE status <> 'Synced'");
    while open() != "0" {
        assert!(begun.elapsed() < Duration::from_mins(15), "{} are not synced", open());
        sleep(Duration::from_secs(1));
    }
    println!("{} mailboxes synced after {:?}", users.len(), begun.elapsed());
    // Users who became due during the first passes are late because of them.
    sleep(Duration::from_mins(2));
    let postmaster = database.processes();
    let programs: Vec<u32> = nodes.iter().map(Service::id).collect();
    let before = (processor(&postmaster), processor(&programs), processor(&[std::process::id()]));
    database.ask("DELETE FROM seen_claim");
    let begun = Instant::now();
    sleep(Duration::from_secs(SECONDS));
    let late = database.ask(
        "SELECT count(*), max(late), percentile_cont(0.5) WITHIN GROUP (ORDER BY late), \
         percentile_cont(0.99) WITHIN GROUP (ORDER BY late) FROM seen_claim",
    );
    let seconds = begun.elapsed().as_secs_f64();
    let share = |before: f64, after: f64| (after - before) * 100.0 / seconds;
    println!(
        "{} mailboxes, {seconds:.0} s, passes|latest|median|99 % in ms after the due time: {late}; per cent of one processor: \
         database {:.0}, nodes {:.0}, servers {:.0}",
        users.len(),
        share(before.0, processor(&postmaster)),
        share(before.1, processor(&programs)),
        share(before.2, processor(&[std::process::id()])),
    );
    let figures: Vec<f64> = late.split('|').map(|it| it.parse().unwrap()).collect();
    let passes = u32::try_from(2 * users.len()).unwrap();
    assert!(figures[0] >= f64::from(passes), "each mailbox had a pass each minute: {late}");
    assert!(figures[1] <= 15_000.0, "ms after the due time: {late}");
    // Some are being synced at any moment; none has failed.
    let failed = database.ask("SELECT count(*) FROM migration_user WHERE status LIKE '%Failed'");
    assert_eq!(failed, "0");
}
