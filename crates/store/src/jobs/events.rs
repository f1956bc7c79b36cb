//! Status changes. The only writer of user status; transitions are [`UserStatus::on`].

use jiff::Timestamp;
use mailhaul_migration::{Guid, IllegalEvent, UserEvent, UserStatus};

use crate::{
    admin::users,
    db::{
        columns::{Cells, millis},
        error::{Fault, StoreError},
        sql::{self, Connection, Value},
    },
    handles::Jobs,
    jobs::pass_kind::PassKind,
};

/// The users that an event is applied to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Users {
    One(Guid),
    /// Those of this batch for which the event is possible.
    OfBatch(Guid),
    /// Those with these numbers of the database for which the event is possible.
    Listed(Vec<i64>),
}

/// A user's new due time.
///
/// A user whose status no worker can claim has none, whatever is requested.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Due {
    /// The due time stays.
    Keep,
    /// No due time.
    Never,
    At(Timestamp),
    /// This time, or the `StartAfter` of the user or else of its batch, if that is later.
    AfterStart(Timestamp),
}

impl Jobs<'_> {
    /// Applies an event to users. Returns the number of users that it changed.
    ///
    /// The milliseconds in the previous status are added to its duration. A `Start` clears failure and
    /// attempts. A `Stop` of a user without a worker ends at once.
    ///
    /// # Errors
    /// For one user [`StoreError::NotFound`] and [`StoreError::Illegal`]. Of a batch, users for which the
    /// event is impossible are left out.
    pub async fn apply(
        self,
        users: Users,
        event: UserEvent,
        now: Timestamp,
        due: Due,
    ) -> Result<u64, StoreError> {
        let db = self.0;
        db.order(move |connection| Box::pin(happen(connection, users, event, now, due))).await
    }

    /// Changes the due time of users with one of these statuses that a worker could claim. Returns their
    /// number.
    ///
    /// `SyncNow` is `[Synced, IncrementalFailed]` and [`Due::At`] now.
    pub async fn reschedule(
        self,
        users: Users,
        statuses: Vec<UserStatus>,
        due: Due,
    ) -> Result<u64, StoreError> {
        let db = self.0;
        db.order(move |connection| {
            Box::pin(async move {
                let (selection, (time, when)) = (UserSelection::from_users(users), due.sql());
                let names: Vec<String> = statuses.iter().map(|it| format!("'{it}'")).collect();
                let sql = format!(
                    "UPDATE migration_user SET due = {when} WHERE pass IS NOT NULL AND lease_until IS NULL \
                     AND status IN ({}) AND {}",
                    names.join(", "),
                    selection.sql()
                );
                // The text is made of constants only; below too. The second parameter, the time, is not used
                // here.
                let query = sql::query(sql).persistent(false);
                let query = query.bind(selection.value()).bind(None::<i64>).bind(time);
                Ok(query.execute(connection).await?)
            })
        })
        .await
    }

    /// Records that the administrator approved the messages skipped so far. Returns the number of users.
    pub async fn approve(self, users: Users, now: Timestamp) -> Result<u64, StoreError> {
        let db = self.0;
        db.order(move |connection| {
            Box::pin(async move {
                let selection = UserSelection::from_users(users);
                let sql = format!("UPDATE migration_user SET approved = ?2 WHERE {}", selection.sql());
                let query = sql::query(sql).bind(selection.value()).bind(millis(now));
                Ok(query.execute(connection).await?)
            })
        })
        .await
    }

    /// Begins the final pass of users whose `CompleteAfter` has come. Returns their number.
    ///
    /// They are synced and in running batches. A user's own `CompleteAfter` replaces that of the batch. The
    /// pass is due at once.
    pub async fn complete_due(self, now: Timestamp) -> Result<u64, StoreError> {
        let db = self.0;
        if !db.read(|connection| Box::pin(is_anybody(connection, &UserSelection::ToComplete, now))).await? {
            return Ok(0);
        }
        db.change(move |connection| {
            Box::pin(async move {
                move_all(connection, &UserSelection::ToComplete, UserEvent::Complete, now, Due::At(now)).await
            })
        })
        .await
    }
}

/// Applies an event to users inside a transaction.
pub(crate) async fn happen(
    connection: &mut Connection,
    users: Users,
    event: UserEvent,
    now: Timestamp,
    due: Due,
) -> Result<u64, Fault> {
    let selection = UserSelection::from_users(users.clone());
    let moved = move_all(connection, &selection, event, now, due).await?;
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
    /// Returns the third parameter, and the SQL expression that uses it.
    fn sql(self) -> (Option<i64>, &'static str) {
        match self {
            Self::Keep => (None, "coalesce(?3, due)"),
            Self::Never => (None, "?3"),
            Self::At(time) => (Some(millis(time)), "?3"),
            Self::AfterStart(time) => (Some(millis(time)), AFTER_START),
        }
    }
}

/// A selection of users in SQL with two parameters, a GUID and the time.
#[derive(Clone)]
pub(crate) enum UserSelection {
    One(Guid),
    OfBatch(Guid),
    Listed(Vec<i64>),
    ToComplete,
}

impl UserSelection {
    pub(crate) fn from_users(users: Users) -> Self {
        match users {
            Users::One(guid) => Self::One(guid),
            Users::OfBatch(batch) => Self::OfBatch(batch),
            Users::Listed(numbers) => Self::Listed(numbers),
        }
    }

    /// The first parameter.
    pub(crate) fn value(&self) -> Value {
        match self {
            Self::One(guid) | Self::OfBatch(guid) => (*guid).into(),
            Self::Listed(numbers) => numbers.clone().into(),
            Self::ToComplete => None::<Guid>.into(),
        }
    }

    pub(crate) fn sql(&self) -> &'static str {
        match self {
            Self::One(_) => "guid = ?1",
            Self::OfBatch(_) => "batch = ?1",
            Self::Listed(_) => "migration_user.id IN (SELECT value FROM json_each(?1))",
            // Two searches of an index for each running batch. CROSS JOIN keeps the order.
            Self::ToComplete => {
                "migration_user.id IN (SELECT migration_user.id FROM batch CROSS JOIN migration_user WHERE batch.intent = 'Run' \
                 AND migration_user.batch = batch.guid AND migration_user.status IN ('Synced', 'IncrementalFailed') \
                 AND migration_user.lease_until IS NULL AND migration_user.complete_after <= ?2 \
                 UNION ALL SELECT migration_user.id FROM batch CROSS JOIN migration_user WHERE batch.intent = 'Run' \
                 AND batch.complete_after <= ?2 AND migration_user.batch = batch.guid \
                 AND migration_user.status IN ('Synced', 'IncrementalFailed') AND migration_user.lease_until IS NULL \
                 AND migration_user.complete_after IS NULL)"
            }
        }
    }
}

/// The time in the third parameter, or the `StartAfter` that applies to the user, if that is later.
const AFTER_START: &str = "max(?3, coalesce(start_after, \
                           (SELECT start_after FROM batch WHERE batch.guid = migration_user.batch), ?3))";

/// The properties of a user that determine the next status.
#[derive(Clone, Copy)]
pub(crate) struct StatusKey {
    status: UserStatus,
    has_synced: bool,
    is_leased: bool,
}

impl StatusKey {
    /// Columns of a query of users, for [`StatusKey::read`].
    pub(crate) const COLUMNS: &str =
        "status, initial_synced IS NOT NULL AS has_synced, lease_until IS NOT NULL AS is_leased";

    pub(crate) fn read(cells: Cells<'_>) -> Result<Self, Fault> {
        Ok(Self {
            status: cells.word("status")?,
            has_synced: cells.get("has_synced")?,
            is_leased: cells.get("is_leased")?,
        })
    }

    pub(crate) fn after(self, event: UserEvent) -> Result<UserStatus, IllegalEvent> {
        match self.status.on(event, self.has_synced)? {
            // No worker is there that could end the pass.
            UserStatus::Stopping if !self.is_leased => {
                UserStatus::Stopping.on(UserEvent::Halted, self.has_synced)
            }
            status => Ok(status),
        }
    }

    /// Returns a row of [`move_all`]'s table.
    fn step(self, to: UserStatus) -> String {
        let Self { status, has_synced, is_leased } = self;
        let pass = PassKind::before(to).map_or("NULL".to_owned(), |pass| format!("'{pass}'"));
        let counts = match status {
            // Time in a status is counted at its end.
            _ if to == status => "",
            UserStatus::Queued => "queued",
            UserStatus::Synced => "synced",
            status if status.is_running() => "in progress",
            _ => "",
        };
        format!("('{status}', {has_synced}, {is_leased}, '{to}', {pass}, '{counts}')")
    }
}

/// Locks the users of a claim, and keeps their batches from a change. Rows of other transactions are left out.
pub(crate) const LOCK_CLAIMED: &str =
    " FOR UPDATE OF migration_user SKIP LOCKED FOR SHARE OF batch SKIP LOCKED";

async fn is_anybody(
    connection: &mut Connection,
    selection: &UserSelection,
    now: Timestamp,
) -> Result<bool, Fault> {
    let sql = format!("SELECT EXISTS (SELECT 1 FROM migration_user WHERE {})", selection.sql());
    let query = sql::query_scalar(sql).bind(selection.value()).bind(millis(now));
    Ok(query.fetch_one(connection).await?)
}

/// Moves all users for which the event is possible. One statement: no user is moved twice.
pub(crate) async fn move_all(
    connection: &mut Connection,
    selection: &UserSelection,
    event: UserEvent,
    now: Timestamp,
    due: Due,
) -> Result<u64, Fault> {
    lock(connection, selection, now).await?;
    let steps = steps(connection, selection, event, now).await?;
    if steps.is_empty() {
        return Ok(0);
    }
    let (time, when) = due.sql();
    if event == UserEvent::Start {
        // A user that fails again is told again.
        let sql = format!(
            "DELETE FROM failure_notice WHERE user_id IN (SELECT migration_user.id FROM migration_user WHERE {})",
            selection.sql()
        );
        let query = sql::query(sql).bind(selection.value()).bind(millis(now));
        query.execute(&mut *connection).await?;
    }
    let forget = match event {
        UserEvent::Start => {
            ", attempts = 0, lost = 0, failure_class = NULL, failure_message = NULL, failure_advice = NULL"
        }
        _ => "",
    };
    let sql = format!(
        "UPDATE migration_user SET status = step.next, \
         pass = CASE WHEN step.is_leased THEN migration_user.pass ELSE step.next_pass END, \
         due = CASE WHEN step.next_pass IS NULL THEN NULL ELSE {when} END, \
         status_since = CASE WHEN step.next = step.status THEN status_since ELSE ?2 END, \
         queued_millis = queued_millis + CASE step.counts WHEN 'queued' THEN max(?2 - status_since, 0) ELSE 0 END, \
         in_progress_millis = in_progress_millis \
             + CASE step.counts WHEN 'in progress' THEN max(?2 - status_since, 0) ELSE 0 END, \
         synced_millis = synced_millis + CASE step.counts WHEN 'synced' THEN max(?2 - status_since, 0) ELSE 0 END \
         {forget} \
         FROM (SELECT column1 AS status, column2 AS has_synced, column3 AS is_leased, column4 AS next, \
               column5 AS next_pass, column6 AS counts FROM (VALUES {}) AS steps) AS step \
         WHERE migration_user.status = step.status AND (initial_synced IS NOT NULL) = step.has_synced \
         AND (lease_until IS NOT NULL) = step.is_leased AND {}",
        steps.join(", "),
        selection.sql()
    );
    let query = sql::query(sql).persistent(false);
    let query = query.bind(selection.value()).bind(millis(now)).bind(time);
    Ok(query.execute(connection).await?)
}

/// Locks the users on a server, so that their statuses stay until the end of the transaction.
///
/// Without it, an order would miss a user whose pass ends meanwhile.
async fn lock(connection: &mut Connection, selection: &UserSelection, now: Timestamp) -> Result<(), Fault> {
    if connection.is_shared() {
        let sql = format!("SELECT id FROM migration_user WHERE {} ORDER BY id FOR UPDATE", selection.sql());
        sql::query(sql).bind(selection.value()).bind(millis(now)).execute(connection).await?;
    }
    Ok(())
}

/// Returns the transitions of all users in the selection as rows of SQL.
async fn steps(
    connection: &mut Connection,
    selection: &UserSelection,
    event: UserEvent,
    now: Timestamp,
) -> Result<Vec<String>, Fault> {
    let sql = format!("SELECT DISTINCT {} FROM migration_user WHERE {}", StatusKey::COLUMNS, selection.sql());
    let query = sql::query(sql).bind(selection.value()).bind(millis(now));
    let rows = query.fetch_all(connection).await?;
    let mut steps = Vec::new();
    for row in &rows {
        let from = StatusKey::read(Cells(row))?;
        if let Ok(to) = from.after(event) {
            steps.push(from.step(to));
        }
    }
    Ok(steps)
}
