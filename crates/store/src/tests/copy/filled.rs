//! A database with rows in each table, and all that it has.

use mailhaul_engine::{Arrival, Ledger, LedgerRecord};
use mailhaul_mail::{FolderPath, Secret, UidValidity, Via};
use mailhaul_migration::{
    AskedServer, BatchIntent, CutoverSettings, Guid, MigrationConfig, MigrationUser, MxAnswer, MxHost,
    RoutingLook, UserEvent,
};

use super::super::{
    at, batch, claim,
    console_sessions::{limits, session},
    counted, end, endpoint, failure,
    ledger::{done, opened},
    reports::{folder, item},
    row, rows,
};
use crate::{
    AuditEntry, Claim, Due, FolderStatistics, MinuteOfWork, Parking, PendingUsers, Release, ReportEntry,
    SkippedMessage, Store, Work,
    db::{
        server_text::replace_nul,
        sql::{self, Stored},
    },
};

/// Fills all tables, and writes these calls, each list to a mailbox of its own.
pub(super) async fn fill(store: &Store, ledgers: Vec<Vec<Vec<LedgerRecord>>>) {
    more(store).await;
    for (number, calls) in ledgers.into_iter().enumerate() {
        let known =
            store.ledgers().mailbox("terry@old.example", &format!("user{number}@new.example")).await.unwrap();
        for mut records in calls {
            records.iter_mut().for_each(replace_nul);
            records.retain(|record| !has_nul(record));
            // A folder that was not opened before is refused.
            _ = known.record(&records).await;
        }
    }
    let known = store.ledgers().mailbox("terry@old.example", "sent@new.example").await.unwrap();
    known.record(&[opened("INBOX"), done("INBOX", 1), repaired("INBOX", 2)]).await.unwrap();
}

/// True if a server would have another name for the record's folder.
fn has_nul(record: &LedgerRecord) -> bool {
    let target = match record {
        LedgerRecord::Opened { target, .. } => target,
        _ => record.folder(),
    };
    record.folder().to_string().contains('\0') || target.to_string().contains('\0')
}

/// Adds a table of several pages.
pub(super) async fn many(store: &Store) {
    let sql = "WITH RECURSIVE it (number) AS (SELECT 1 UNION ALL SELECT number + 1 FROM it WHERE number < 12000) \
               INSERT INTO audit (time, who, operation, identity, outcome) SELECT number, 'anna', 'o', 'i', 'done' FROM it";
    let change = store
        .change(move |connection| Box::pin(async move { Ok(sql::query(sql).execute(connection).await?) }));
    change.await.unwrap();
}

/// A message that was edited.
fn repaired(folder: &str, number: u32) -> LedgerRecord {
    let LedgerRecord::Message { folder, uid, state: Some(mut state) } = done(folder, number) else {
        unreachable!()
    };
    if let mailhaul_engine::MessageState::Done(copied) = &mut state {
        copied.edited = Some(Box::new(super::super::ledger::edited("NulBytes")));
    }
    LedgerRecord::Message { folder, uid, state: Some(state) }
}

/// Adds some rows to each table of the service.
pub(super) async fn more(store: &Store) {
    let number = store.users().list(&crate::UserFilter::default(), None, 9).await.unwrap().items.len();
    more_of(store, if number == 0 { "first" } else { "second" }).await;
}

/// Adds a batch with this name, and rows to the other tables of the service.
pub(super) async fn more_of(store: &Store, name: &str) {
    let secret = Secret::new("the administrator's".to_owned());
    let source = store.endpoints().insert(endpoint(&format!("Old {name}")), Some(secret)).await.unwrap();
    let target = store.endpoints().insert(endpoint(&format!("New {name}")), None).await.unwrap();
    let mut new = batch(name, &source, BatchIntent::Run);
    new.target_endpoint = Some(target.guid);
    let users = if name == "first" { rows(&["terry", "anna"]) } else { vec![row(2, name)] };
    let made = store.batches().insert(new, users).await.unwrap();
    let wanted = Claim { target_endpoint: Some(target.guid), ..claim(&source, Guid::new_v4(), 10) };
    let claimed = store.jobs().claim(wanted).await.unwrap();
    let release = Release {
        failure: Some(failure()),
        entries: vec![ReportEntry { time: at(11), text: "a server's text: \0".to_owned() }],
        folders: Some(vec![FolderStatistics::from(&folder("INBOX", 2))]),
        skipped: Some(vec![SkippedMessage::from_item(
            &mailhaul_mail::FolderPath::parse("a/b"),
            &item(1),
            "TooLarge",
        )]),
        ..end(UserEvent::Deferred, 12, Due::At(at(60)))
    };
    add_arrival(store, &claimed[0].user, &claimed[0].lease).await;
    store.jobs().release(&claimed[0].lease, release).await.unwrap();
    let config = MigrationConfig { target_endpoint: Some(target.guid), ..MigrationConfig::default() };
    store.config().update(move |it| *it = config).await.unwrap();
    let hook = |it: &mut MigrationConfig| {
        it.notifications.webhook = Some("https://hook.example".to_owned());
    };
    store.config().update(hook).await.unwrap();
    if let Some(anna) = claimed.get(1) {
        let release = Release { failure: Some(failure()), ..end(UserEvent::Failed, 13, Due::Never) };
        store.jobs().release(&anna.lease, release).await.unwrap();
    }
    store.tokens().create(name, "operator", at(0)).await.unwrap();
    let parking = Parking { since: at(0), until: at(9), reason: "slow down".to_owned() };
    store.jobs().park(source.guid, move |_| parking).await.unwrap();
    store.jobs().add_usage(counted(source.guid, "terry"), vec![(7, 70), (8, 80)], 0).await.unwrap();
    let minute = MinuteOfWork {
        owner: source.guid,
        begun: 60,
        work: Work { bytes: 5, messages: 2, busy_seconds: 60 },
        pending: PendingUsers { waiting: 1, failed: 1 },
    };
    store.throughput().add_work(vec![minute], jiff::Timestamp::UNIX_EPOCH).await.unwrap();
    let cookie = name.as_bytes()[0];
    store.sessions().insert(session(cookie, None, 9), limits(9), 9).await.unwrap();
    add_cutover(store, made.batch.guid).await;
    for number in 0..2 {
        let entry = AuditEntry {
            time: at(number),
            who: "anna".to_owned(),
            operation: "New-MigrationBatch".to_owned(),
            identity: name.to_owned(),
            outcome: "done".to_owned(),
        };
        store.audit().append(entry).await.unwrap();
    }
}

/// Adds settings of a cut-over, and a domain whose mail host changed.
async fn add_cutover(store: &Store, batch: Guid) {
    let set = |settings: &mut CutoverSettings| settings.expected_mx = vec!["mx.new.example".to_owned()];
    store.cutover().update_cutover(batch, set).await.unwrap();
    for (second, host) in [(1, "mx.old.example"), (2, "mx.new.example")] {
        let host = MxHost { preference: 1, name: host.to_owned(), addresses: Vec::new(), address_ttl: 60 };
        let answer = MxAnswer::Hosts { ttl: 60, hosts: vec![host] };
        let look = RoutingLook {
            at: at(second),
            name_servers: vec![AskedServer { name: "ns1".to_owned(), answer }],
            name_server_ttl: 60,
            resolvers: Vec::new(),
            trouble: None,
            source_addresses: Vec::new(),
        };
        let domain = "new.example".to_owned();
        store.cutover().observe_domain(batch, domain, look, Vec::new(), None).await.unwrap();
    }
}

/// Adds a message that came to the user's source lately.
async fn add_arrival(store: &Store, user: &MigrationUser, lease: &crate::Lease) {
    let path = FolderPath::parse("INBOX");
    let ledger = store.ledgers().leased_mailbox(&user.email_address, "new", lease).await.unwrap();
    let arrivals = vec![Arrival { via: Via::Internal, at: at(5).as_second() }];
    let uid_validity = UidValidity::new(7).unwrap();
    let opened = LedgerRecord::Opened { folder: path.clone(), target: path.clone(), uid_validity };
    ledger.record(&[opened, LedgerRecord::Arrived { folder: path, arrivals }]).await.unwrap();
}

/// Returns the names of all tables with their rows, sorted. NUL is shown as a server keeps it.
///
/// It has a list of tables of its own, so that it sees a table that the copy forgets.
pub(super) async fn dump(store: &Store) -> Vec<(String, Vec<String>)> {
    let sql = if store.is_on_server() {
        "SELECT tablename::text FROM pg_tables WHERE schemaname = 'public' AND tablename !~ '^message_' \
         AND tablename NOT IN ('_sqlx_migrations', 'relocation', 'held', 'learned', 'node', 'schema_support', 'share')"
    } else {
        "SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite_%' \
         AND name NOT IN ('_sqlx_migrations', 'relocation')"
    };
    let dumped = store.read(|connection| {
        Box::pin(async move {
            let mut tables: Vec<String> = sql::query_scalar(sql).fetch_all(&mut *connection).await?;
            tables.sort();
            let mut all = Vec::new();
            for table in tables {
                let found = sql::query(format!("SELECT * FROM {table}")).fetch_all(&mut *connection).await?;
                let mut rows: Vec<String> = found.iter().map(words).collect();
                rows.sort();
                all.push((table, rows));
            }
            Ok(all)
        })
    });
    dumped.await.unwrap()
}

/// Describes a row by the names of its columns, in their order.
fn words(row: &sql::Row) -> String {
    let mut cells: Vec<String> = row
        .names()
        .into_iter()
        .enumerate()
        .map(|(place, name)| {
            let value = match row.stored(place).unwrap().unwrap() {
                Stored::Null => "NULL".to_owned(),
                Stored::Number(number) => number.to_string(),
                Stored::Text(text) => format!("{:?}", text.replace('\0', "\u{2400}")),
                Stored::Bytes(bytes) => format!("{bytes:?}"),
                Stored::Guid(guid) => format!("{:?}", guid.as_bytes()),
            };
            format!("{name}={value}")
        })
        .collect();
    cells.sort();
    cells.join(" ")
}

/// Fails if a table has no row: then no test would see that it is not copied.
pub(super) fn assert_full(dumped: &[(String, Vec<String>)]) {
    assert!(dumped.len() > 10, "{dumped:?}");
    let empty: Vec<_> = dumped.iter().filter(|(_, rows)| rows.is_empty()).map(|(table, _)| table).collect();
    assert!(empty.is_empty(), "fill these tables: {empty:?}");
}
