//! What happens to users: the one place that changes a status, by the one table of [`UserStatus::on`].

use jiff::Timestamp;
use mailhaul_migration::{Guid, IllegalEvent, UserEvent, UserStatus};
use sqlx::{AssertSqlSafe, SqliteConnection};

use crate::{
    Store,
    columns::{Cells, millis},
    error::{Fault, StoreError},
    pass_kind::PassKind,
    users,
};

/// To whom something happens.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Users {
    /// To this one.
    One(Guid),
    /// To those of this batch for whom it is possible.
    OfBatch(Guid),
}

/// When a worker shall take the user next. A user in a state that nobody takes has no time, whatever is asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Due {
    /// As it was.
    Keep,
    /// Not by itself.
    Never,
    /// Then.
    At(Timestamp),
    /// Then, but not before the user's `StartAfter`, or its batch's where it has none of its own.
    AfterStart(Timestamp),
}

impl Store {
    /// Lets an event happen, and returns to how many users it did. The milliseconds that they were in their state before
    /// are added to its duration. A `Start` forgets failure and attempts. A `Stop` of somebody at whom no worker is ends
    /// at once.
    ///
    /// # Errors
    /// For one user [`StoreError::NotFound`] and [`StoreError::Illegal`]; of a batch those are left out for whom the
    /// event cannot be.
    pub async fn apply(
        &self,
        users: Users,
        event: UserEvent,
        now: Timestamp,
        due: Due,
    ) -> Result<u64, StoreError> {
        self.change(move |connection| Box::pin(happen(connection, users, event, now, due))).await
    }

    /// Changes when those of the users in one of these states are due whom a worker could take: `SyncNow` is
    /// `[Synced, IncrementalFailed]` and [`Due::At`] now. Returns how many.
    pub async fn reschedule(
        &self,
        users: Users,
        statuses: Vec<UserStatus>,
        due: Due,
    ) -> Result<u64, StoreError> {
        self.change(move |connection| {
            Box::pin(async move {
                let (whom, (time, when)) = (Whom::of(users), due.sql());
                let names: Vec<String> = statuses.iter().map(|it| format!("'{it}'")).collect();
                let sql = format!(
                    "UPDATE user SET due = {when} WHERE pass IS NOT NULL AND lease_until IS NULL \
                     AND status IN ({}) AND {}",
                    names.join(", "),
                    whom.sql()
                );
                // Made of our own words alone; below too. The second parameter is the clock, and this does without.
                let query = sqlx::query(AssertSqlSafe(sql)).persistent(false);
                let query = query.bind(whom.guid()).bind(None::<i64>).bind(time);
                Ok(query.execute(connection).await?.rows_affected())
            })
        })
        .await
    }

    /// Notes that the administrator has approved what was skipped so far. Returns for how many users.
    pub async fn approve(&self, users: Users, now: Timestamp) -> Result<u64, StoreError> {
        self.change(move |connection| {
            Box::pin(async move {
                let whom = Whom::of(users);
                let sql = format!("UPDATE user SET approved = ?2 WHERE {}", whom.sql());
                let query = sqlx::query(AssertSqlSafe(sql)).bind(whom.guid()).bind(millis(now));
                Ok(query.execute(connection).await?.rows_affected())
            })
        })
        .await
    }

    /// Begins the final pass of those who are in step, in batches that run, and whose `CompleteAfter` has come: their own,
    /// or their batch's where they have none. They are due at once. Returns how many.
    pub async fn complete_due(&self, now: Timestamp) -> Result<u64, StoreError> {
        if !self.read(|connection| Box::pin(is_anybody(connection, Whom::ToComplete, now))).await? {
            return Ok(0);
        }
        self.change(move |connection| {
            Box::pin(move_all(connection, Whom::ToComplete, UserEvent::Complete, now, Due::At(now)))
        })
        .await
    }
}

/// The event for these users, inside a transaction.
pub(crate) async fn happen(
    connection: &mut SqliteConnection,
    users: Users,
    event: UserEvent,
    now: Timestamp,
    due: Due,
) -> Result<u64, Fault> {
    let moved = move_all(connection, Whom::of(users), event, now, due).await?;
    match users {
        Users::One(guid) if moved == 0 => {
            let user = users::find(connection, guid).await?;
            let reason = IllegalEvent { status: user.status, event };
            Err(StoreError::Illegal { user: user.email_address, reason }.into())
        }
        _ => Ok(moved),
    }
}

impl Due {
    /// The third parameter, and what is made of it.
    fn sql(self) -> (Option<i64>, &'static str) {
        match self {
            Self::Keep => (None, "coalesce(?3, due)"),
            Self::Never => (None, "?3"),
            Self::At(time) => (Some(millis(time)), "?3"),
            Self::AfterStart(time) => (Some(millis(time)), AFTER_START),
        }
    }
}

/// To whom, in SQL with two parameters, a GUID and the time.
#[derive(Clone, Copy)]
pub(crate) enum Whom {
    One(Guid),
    OfBatch(Guid),
    ToComplete,
}

impl Whom {
    pub(crate) fn of(users: Users) -> Self {
        match users {
            Users::One(guid) => Self::One(guid),
            Users::OfBatch(batch) => Self::OfBatch(batch),
        }
    }

    pub(crate) fn guid(self) -> Option<Guid> {
        match self {
            Self::One(guid) | Self::OfBatch(guid) => Some(guid),
            Self::ToComplete => None,
        }
    }

    pub(crate) fn sql(self) -> &'static str {
        match self {
            Self::One(_) => "guid = ?1",
            Self::OfBatch(_) => "batch = ?1",
            Self::ToComplete => {
                "user.status IN ('Synced', 'IncrementalFailed') AND lease_until IS NULL AND ?2 >= \
                 coalesce(complete_after, (SELECT complete_after FROM batch WHERE batch.guid = user.batch)) \
                 AND (SELECT intent FROM batch WHERE batch.guid = user.batch) = 'Run'"
            }
        }
    }
}

/// The time in the third parameter, or the `StartAfter` that holds for the user, whichever comes later.
const AFTER_START: &str = "max(?3, coalesce(start_after, \
                           (SELECT start_after FROM batch WHERE batch.guid = user.batch), ?3))";

/// Where a user stands, as far as the next state depends on it.
#[derive(Clone, Copy)]
struct Standing {
    status: UserStatus,
    has_synced: bool,
    is_leased: bool,
}

impl Standing {
    fn after(self, event: UserEvent) -> Result<UserStatus, IllegalEvent> {
        match self.status.on(event, self.has_synced)? {
            // Nobody is there who could come to an end.
            UserStatus::Stopping if !self.is_leased => {
                UserStatus::Stopping.on(UserEvent::Halted, self.has_synced)
            }
            status => Ok(status),
        }
    }

    /// A row of [`move_all`]'s table.
    fn step(self, to: UserStatus) -> String {
        let Self { status, has_synced, is_leased } = self;
        let pass = PassKind::before(to).map_or("NULL".to_owned(), |pass| format!("'{pass}'"));
        let counts = match status {
            // Time in a state is counted when it is left.
            _ if to == status => "",
            UserStatus::Queued => "queued",
            UserStatus::Synced => "synced",
            status if status.is_running() => "in progress",
            _ => "",
        };
        format!("('{status}', {has_synced}, {is_leased}, '{to}', {pass}, '{counts}')")
    }
}

async fn is_anybody(connection: &mut SqliteConnection, whom: Whom, now: Timestamp) -> Result<bool, Fault> {
    let sql = format!("SELECT EXISTS (SELECT 1 FROM user WHERE {})", whom.sql());
    let query = sqlx::query_scalar(AssertSqlSafe(sql)).bind(whom.guid()).bind(millis(now));
    Ok(query.fetch_one(connection).await?)
}

/// Moves those for whom the event is possible, in one statement: nobody is moved twice.
pub(crate) async fn move_all(
    connection: &mut SqliteConnection,
    whom: Whom,
    event: UserEvent,
    now: Timestamp,
    due: Due,
) -> Result<u64, Fault> {
    let steps = steps(connection, whom, event, now).await?;
    if steps.is_empty() {
        return Ok(0);
    }
    let (time, when) = due.sql();
    let forget = match event {
        UserEvent::Start => {
            ", attempts = 0, lost = 0, failure_class = NULL, failure_message = NULL, failure_advice = NULL"
        }
        _ => "",
    };
    let sql = format!(
        "UPDATE user SET status = step.next, \
         pass = CASE WHEN step.is_leased THEN user.pass ELSE step.next_pass END, \
         due = CASE WHEN step.next_pass IS NULL THEN NULL ELSE {when} END, \
         status_since = CASE WHEN step.next = step.status THEN status_since ELSE ?2 END, \
         queued_millis = queued_millis + CASE step.counts WHEN 'queued' THEN max(?2 - status_since, 0) ELSE 0 END, \
         in_progress_millis = in_progress_millis \
             + CASE step.counts WHEN 'in progress' THEN max(?2 - status_since, 0) ELSE 0 END, \
         synced_millis = synced_millis + CASE step.counts WHEN 'synced' THEN max(?2 - status_since, 0) ELSE 0 END \
         {forget} \
         FROM (SELECT column1 AS status, column2 AS has_synced, column3 AS is_leased, column4 AS next, \
               column5 AS next_pass, column6 AS counts FROM (VALUES {})) AS step \
         WHERE user.status = step.status AND (initial_synced IS NOT NULL) = step.has_synced \
         AND (lease_until IS NOT NULL) = step.is_leased AND {}",
        steps.join(", "),
        whom.sql()
    );
    let query = sqlx::query(AssertSqlSafe(sql)).persistent(false);
    let query = query.bind(whom.guid()).bind(millis(now)).bind(time);
    Ok(query.execute(connection).await?.rows_affected())
}

/// How everybody stands, and where the event leads from there: rows of SQL.
async fn steps(
    connection: &mut SqliteConnection,
    whom: Whom,
    event: UserEvent,
    now: Timestamp,
) -> Result<Vec<String>, Fault> {
    let sql = format!(
        "SELECT DISTINCT status, initial_synced IS NOT NULL AS has_synced, lease_until IS NOT NULL AS is_leased \
         FROM user WHERE {}",
        whom.sql()
    );
    let query = sqlx::query(AssertSqlSafe(sql)).bind(whom.guid()).bind(millis(now));
    let rows = query.fetch_all(connection).await?;
    let mut steps = Vec::new();
    for row in &rows {
        let cells = Cells(row);
        let from = Standing {
            status: cells.word("status")?,
            has_synced: cells.get("has_synced")?,
            is_leased: cells.get("is_leased")?,
        };
        if let Ok(to) = from.after(event) {
            steps.push(from.step(to));
        }
    }
    Ok(steps)
}
