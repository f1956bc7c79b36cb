//! Cut-over of a batch: its settings, the routing of its domains, and the numbers that the gate judges.

use std::collections::BTreeSet;

use jiff::Timestamp;
use mailhaul_migration::{
    CutoverSettings, DomainRouting, Guid, NamedUsers, NotificationEvent, NotificationFacts, RecordRemark,
    RoutingLook, RoutingRules, RoutingStatus, StatusSummary, UserStatus,
};
use strum::VariantArray as _;

use crate::{
    admin::batches,
    db::{
        columns::{Cells, millis},
        error::{Fault, StoreError},
        sql::{self, Builder, Connection},
    },
    handles::Cutover,
    jobs::notices::{self, NewNotice, ToldBatch},
};

/// Users that are named; the others are counted.
const MAX_NAMED: i64 = 10;

/// Domains of a batch: one search of the index for each.
pub(crate) const DOMAINS: &str = "WITH RECURSIVE found (domain) AS \
             (SELECT min(email_domain) FROM migration_user WHERE batch = ?1 UNION ALL \
             SELECT (SELECT min(email_domain) FROM migration_user WHERE batch = ?1 AND email_domain > found.domain) \
             FROM found WHERE found.domain IS NOT NULL) SELECT domain FROM found WHERE domain IS NOT NULL";

/// A domain of a batch.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DomainRow {
    pub domain: String,
    pub routing: DomainRouting,
    /// Remarks about its other records; `None` until they are read.
    pub remarks: Option<Vec<RecordRemark>>,
}

/// A change of the mail hosts of a domain, which lies between the two times.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DnsChange {
    pub domain: String,
    pub old: String,
    pub new: String,
    pub old_seen: Timestamp,
    pub new_seen: Timestamp,
}

/// Numbers of a batch's users, at one moment.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SyncFacts {
    pub users: u64,
    /// Users with a sync.
    pub synced: u64,
    /// Users without a sync after the given time.
    pub unsynced: NamedUsers,
    /// Users that failed, are stopped, or were never synced.
    pub failed: NamedUsers,
    /// Users with skipped messages that the administrator has not approved.
    pub skipped: NamedUsers,
    pub skipped_messages: u64,
}

impl Cutover<'_> {
    /// Returns the settings of a batch's cut-over, or the defaults before their first change.
    pub async fn cutover_settings(self, batch: Guid) -> Result<CutoverSettings, StoreError> {
        let db = self.0;
        db.read(|connection| Box::pin(settings(connection, batch))).await
    }

    /// Changes the settings of a batch's cut-over. Returns them as they are stored.
    ///
    /// # Errors
    /// [`StoreError::NotFound`] if the batch does not exist.
    pub async fn update_cutover(
        self,
        batch: Guid,
        change: impl FnOnce(&mut CutoverSettings) + Send + 'static,
    ) -> Result<CutoverSettings, StoreError> {
        let db = self.0;
        db.change(move |connection| {
            Box::pin(async move {
                batches::find(connection, batch).await?;
                let mut settings = settings(connection, batch).await?;
                change(&mut settings);
                let text = serde_json::to_string(&settings).map_err(|it| Fault::Json("settings", it))?;
                sql::query(
                    "INSERT INTO cutover (batch, settings) VALUES (?, ?) \
                     ON CONFLICT (batch) DO UPDATE SET settings = excluded.settings",
                )
                .bind(batch)
                .bind(text)
                .execute(connection)
                .await?;
                Ok(settings)
            })
        })
        .await
    }

    /// Returns the domains of the users' addresses, in lower case. Reads an index, not the users.
    pub async fn mail_domains(self, batch: Guid) -> Result<Vec<String>, StoreError> {
        let domains: Vec<String> = self
            .0
            .read(|connection| {
                Box::pin(
                    async move { Ok(sql::query_scalar(DOMAINS).bind(batch).fetch_all(connection).await?) },
                )
            })
            .await?;
        // The database knows lower case of ASCII letters alone.
        let domains: BTreeSet<String> = domains.iter().map(|domain| domain.to_lowercase()).collect();
        Ok(domains.into_iter().collect())
    }

    /// Returns what is known of a domain of a batch.
    pub async fn domain_routing(self, batch: Guid, domain: &str) -> Result<Option<DomainRow>, StoreError> {
        let (db, domain) = (self.0, domain.to_lowercase());
        let found = db.read(|connection| {
            let domain = domain.clone();
            Box::pin(async move { rows(connection, batch, Some(&domain)).await })
        });
        Ok(found.await?.pop())
    }

    /// Returns what is known of the domains of a batch.
    pub async fn domain_routings(self, batch: Guid) -> Result<Vec<DomainRow>, StoreError> {
        let db = self.0;
        db.read(|connection| Box::pin(rows(connection, batch, None))).await
    }

    /// Adds a look at a domain. An older look than the last one, and a look of a removed batch, are ignored.
    pub async fn observe_domain(
        self,
        batch: Guid,
        domain: String,
        look: RoutingLook,
        expected: Vec<String>,
        remarks: Option<Vec<RecordRemark>>,
    ) -> Result<(), StoreError> {
        let db = self.0;
        db.change(move |connection| {
            Box::pin(async move {
                if !exists(connection, batch).await? {
                    return Ok(());
                }
                let known = rows(connection, batch, Some(&domain)).await?.pop();
                let mut row = known.unwrap_or_else(|| DomainRow {
                    domain,
                    routing: DomainRouting::default(),
                    remarks: None,
                });
                let before = row.routing.look.clone();
                if before.as_ref().is_some_and(|before| before.at > look.at) {
                    return Ok(());
                }
                let change = before.and_then(|before| HostChange::between(&before, &look));
                let rules = RoutingRules { expected, source_addresses: look.source_addresses.clone() };
                row.routing.observe(look, &rules);
                if let Some(change) = change {
                    change.note(connection, batch, &row.domain).await?;
                    tell_change(connection, batch, &row, &rules, &change).await?;
                }
                row.remarks = remarks.or(row.remarks);
                write(connection, batch, &row).await
            })
        })
        .await
    }

    /// Judges the last looks at all domains of a batch by other expected hosts.
    pub async fn judge_domains_again(self, batch: Guid, expected: Vec<String>) -> Result<(), StoreError> {
        let db = self.0;
        db.change(move |connection| {
            Box::pin(async move {
                for mut row in rows(connection, batch, None).await? {
                    let rules = row.routing.rules(&expected);
                    row.routing.judge_again(&rules);
                    write(connection, batch, &row).await?;
                }
                Ok(())
            })
        })
        .await
    }

    /// Returns the changes of the mail hosts of a batch's domains, the oldest first.
    pub async fn dns_changes(self, batch: Guid) -> Result<Vec<DnsChange>, StoreError> {
        let db = self.0;
        db.read(|connection| {
            Box::pin(async move {
                let sql =
                    "SELECT domain, old, new, old_seen, new_seen FROM dns_change WHERE batch = ? ORDER BY id";
                let rows = sql::query(sql).bind(batch).fetch_all(connection).await?;
                let changes = rows.iter().map(|row| {
                    let cells = Cells(row);
                    Ok(DnsChange {
                        domain: cells.get("domain")?,
                        old: cells.get("old")?,
                        new: cells.get("new")?,
                        old_seen: cells.time("old_seen")?,
                        new_seen: cells.time("new_seen")?,
                    })
                });
                changes.collect()
            })
        })
        .await
    }

    /// Returns the numbers of a batch's users. `needed` is the time after which each must be synced.
    pub async fn sync_facts(self, batch: Guid, needed: Option<Timestamp>) -> Result<SyncFacts, StoreError> {
        let db = self.0;
        db.read(|connection| Box::pin(facts(connection, batch, needed))).await
    }
}

/// Condition of users that failed, are stopped, or were never synced.
fn failed() -> String {
    let failing =
        |status: &&UserStatus| matches!(status.summary(), StatusSummary::Failed | StatusSummary::Stopped);
    let words: Vec<String> =
        UserStatus::VARIANTS.iter().filter(failing).map(|status| format!("'{status}'")).collect();
    format!("(last_synced IS NULL OR status IN ({}))", words.join(", "))
}

async fn facts(
    connection: &mut Connection,
    batch: Guid,
    needed: Option<Timestamp>,
) -> Result<SyncFacts, Fault> {
    let row = sql::query(
        "SELECT count(*) AS users, count(last_synced) AS synced, CAST(coalesce(sum(CASE WHEN approved IS NULL \
         THEN skipped_items ELSE 0 END), 0) AS BIGINT) AS skipped FROM migration_user WHERE batch = ?",
    )
    .bind(batch)
    .fetch_one(&mut *connection)
    .await?;
    let cells = Cells(&row);
    let mut found = SyncFacts {
        users: cells.number("users")?,
        synced: cells.number("synced")?,
        skipped_messages: cells.number("skipped")?,
        ..SyncFacts::default()
    };
    if let Some(needed) = needed {
        let condition =
            UserCondition { sql: "(last_synced IS NULL OR last_synced <= ?)".to_owned(), time: Some(needed) };
        found.unsynced = named(connection, batch, &condition).await?;
    }
    found.failed = named(connection, batch, &UserCondition { sql: failed(), time: None }).await?;
    let sql = "(skipped_items > 0 AND approved IS NULL)".to_owned();
    found.skipped = named(connection, batch, &UserCondition { sql, time: None }).await?;
    Ok(found)
}

/// A condition of users, with the time that it compares with.
struct UserCondition {
    sql: String,
    time: Option<Timestamp>,
}

/// Counts the users of a condition, and names the first.
async fn named(
    connection: &mut Connection,
    batch: Guid,
    condition: &UserCondition,
) -> Result<NamedUsers, Fault> {
    let select = |columns: &str, end: &str| {
        let sql = format!("SELECT {columns} FROM migration_user WHERE batch = ? AND {}{end}", condition.sql);
        let query = sql::query(sql).bind(batch);
        match condition.time {
            Some(time) => query.bind(millis(time)),
            None => query,
        }
    };
    let row = select("count(*) AS users", "").fetch_one(&mut *connection).await?;
    let count: u64 = Cells(&row).number("users")?;
    if count == 0 {
        return Ok(NamedUsers::default());
    }
    let rows =
        select("email_address", &format!(" ORDER BY id LIMIT {MAX_NAMED}")).fetch_all(connection).await?;
    let first = rows.iter().map(|row| Cells(row).get("email_address"));
    Ok(NamedUsers { count, first: first.collect::<Result<_, Fault>>()? })
}

async fn settings(connection: &mut Connection, batch: Guid) -> Result<CutoverSettings, Fault> {
    let text: Option<String> = sql::query_scalar("SELECT settings FROM cutover WHERE batch = ?")
        .bind(batch)
        .fetch_optional(connection)
        .await?;
    match text {
        Some(text) => serde_json::from_str(&text).map_err(|_| Fault::Unreadable("settings")),
        None => Ok(CutoverSettings::default()),
    }
}

async fn exists(connection: &mut Connection, batch: Guid) -> Result<bool, Fault> {
    let sql = "SELECT EXISTS (SELECT 1 FROM batch WHERE guid = ?)";
    Ok(sql::query_scalar(sql).bind(batch).fetch_one(connection).await?)
}

async fn rows(
    connection: &mut Connection,
    batch: Guid,
    domain: Option<&str>,
) -> Result<Vec<DomainRow>, Fault> {
    let mut query = Builder::new("SELECT domain, routing, remarks FROM domain_routing WHERE batch = ");
    query.push_bind(batch);
    if let Some(domain) = domain {
        query.push(" AND domain = ").push_bind(domain.to_owned());
    }
    query.push(" ORDER BY domain");
    let found = query.build().fetch_all(connection).await?;
    let rows = found.iter().map(|row| {
        let cells = Cells(row);
        let remarks: Option<&str> = cells.get("remarks")?;
        Ok(DomainRow {
            domain: cells.get("domain")?,
            routing: serde_json::from_str(cells.get("routing")?).map_err(|_| Fault::Unreadable("routing"))?,
            remarks: remarks
                .map(serde_json::from_str)
                .transpose()
                .map_err(|_| Fault::Unreadable("remarks"))?,
        })
    });
    rows.collect()
}

async fn write(connection: &mut Connection, batch: Guid, row: &DomainRow) -> Result<(), Fault> {
    let routing = serde_json::to_string(&row.routing).map_err(|it| Fault::Json("routing", it))?;
    let remarks = row.remarks.as_ref().map(serde_json::to_string).transpose();
    sql::query(
        "INSERT INTO domain_routing (batch, domain, routing, remarks) VALUES (?, ?, ?, ?) \
         ON CONFLICT (batch, domain) DO UPDATE SET routing = excluded.routing, remarks = excluded.remarks",
    )
    .bind(batch)
    .bind(row.domain.clone())
    .bind(routing)
    .bind(remarks.map_err(|it| Fault::Json("remarks", it))?)
    .execute(connection)
    .await?;
    Ok(())
}

/// A change of the mail hosts of a domain between two looks.
struct HostChange {
    old: String,
    new: String,
    old_seen: Timestamp,
    new_seen: Timestamp,
}

impl HostChange {
    /// Returns the change. A look without hosts changes nothing.
    fn between(before: &RoutingLook, look: &RoutingLook) -> Option<Self> {
        let (old, new) = (hosts(before), hosts(look));
        if old == new || old.is_empty() || new.is_empty() {
            return None;
        }
        Some(Self { old, new, old_seen: before.at, new_seen: look.at })
    }

    async fn note(&self, connection: &mut Connection, batch: Guid, domain: &str) -> Result<(), Fault> {
        sql::query(
            "INSERT INTO dns_change (batch, domain, old, new, old_seen, new_seen) VALUES (?, ?, ?, ?, ?, ?)",
        )
        .bind(batch)
        .bind(domain.to_owned())
        .bind(self.old.clone())
        .bind(self.new.clone())
        .bind(millis(self.old_seen))
        .bind(millis(self.new_seen))
        .execute(connection)
        .await?;
        Ok(())
    }
}

/// Tells a change of mail hosts, in its transaction.
async fn tell_change(
    connection: &mut Connection,
    batch: Guid,
    row: &DomainRow,
    rules: &RoutingRules,
    change: &HostChange,
) -> Result<(), Fault> {
    let Some(told) = ToldBatch::find(connection, batch).await? else { return Ok(()) };
    let state = row.routing.state(change.new_seen, rules, CutoverSettings::default().settle_period());
    let event = match state.status {
        RoutingStatus::Returned => NotificationEvent::MxReturned,
        _ => NotificationEvent::MxChanged,
    };
    let (hosts, seen) = ([change.old.as_str(), &change.new], [change.old_seen, change.new_seen]);
    let facts = NotificationFacts::of_mx(event, &row.domain, hosts, seen);
    let notice = NewNotice { event, batch: Some(batch), subject: row.domain.clone(), facts };
    notices::insert(connection, notice, &told.receivers, change.new_seen).await
}

/// Writes the hosts of a look: `10 mx.example.org, 20 backup.example.org`.
fn hosts(look: &RoutingLook) -> String {
    let hosts: Vec<String> =
        look.hosts().iter().map(|host| format!("{} {}", host.preference, host.name)).collect();
    hosts.join(", ")
}
