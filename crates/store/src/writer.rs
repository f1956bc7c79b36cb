//! The one writer. What waits while it works goes into its next transaction, so that many mailboxes share one sync of
//! the disk.

use std::{panic::AssertUnwindSafe, path::PathBuf, pin::Pin};

use futures_util::FutureExt;
use mailhaul_engine::{LedgerRecord, MessageState};
use sqlx::{ConnectOptions, SqliteConnection, sqlite::SqliteConnectOptions};
use tokio::sync::{mpsc, oneshot};

use crate::{
    apply::apply,
    database,
    error::{Fault, StoreError},
    leases::{self, Lease},
    recovery,
};

/// Requests that may wait, and that one transaction takes.
const QUEUE: usize = 256;

/// What is done on a connection.
pub(crate) type Work<'c, T> = Pin<Box<dyn Future<Output = Result<T, Fault>> + Send + 'c>>;

/// A change that answers by itself.
type Change = Box<dyn for<'t> FnOnce(&'t mut Task) -> Pin<Box<dyn Future<Output = ()> + Send + 't>> + Send>;

/// What the writer is asked.
enum Request {
    /// Work in a transaction of its own.
    Change(Change),
    /// Records of one mailbox, all or none.
    Write(Write),
    /// To end, after everything that was asked before.
    Close(oneshot::Sender<()>),
}

struct Write {
    mailbox: i64,
    lease: Option<Lease>,
    records: Vec<LedgerRecord>,
    answer: oneshot::Sender<Result<(), StoreError>>,
}

/// Speaks to the writer.
#[derive(Clone)]
pub(crate) struct Writer {
    requests: mpsc::Sender<Request>,
    path: PathBuf,
}

impl Writer {
    /// Starts the writer's task, which ends when nobody can ask it any more.
    pub(crate) fn start(path: PathBuf, options: SqliteConnectOptions) -> Self {
        let (requests, received) = mpsc::channel(QUEUE);
        let task = Task { options, path: path.clone(), connection: None };
        tokio::spawn(task.run(received));
        Self { requests, path }
    }

    /// Does the work in a transaction of its own; durable when it returns, without a trace where the work fails. It is
    /// done also for a caller who does not wait any more.
    pub(crate) async fn change<T, F>(&self, work: F) -> Result<T, StoreError>
    where
        T: Send + 'static,
        F: for<'c> FnOnce(&'c mut SqliteConnection) -> Work<'c, T> + Send + 'static,
    {
        self.ask(|answer| Request::Change(change(work, answer))).await?
    }

    /// Writes; durable when it returns.
    pub(crate) async fn write(
        &self,
        mailbox: i64,
        lease: Option<Lease>,
        records: Vec<LedgerRecord>,
    ) -> Result<(), StoreError> {
        self.ask(|answer| Request::Write(Write { mailbox, lease, records, answer })).await?
    }

    /// Ends the writer, after everything that was asked before.
    pub(crate) async fn close(&self) {
        // An error says that it has ended already.
        let _ended = self.ask(Request::Close).await;
    }

    async fn ask<T>(&self, request: impl FnOnce(oneshot::Sender<T>) -> Request) -> Result<T, StoreError> {
        let closed = || StoreError::Unavailable { path: self.path.clone(), how: "closed" };
        let (answer, answered) = oneshot::channel();
        self.requests.send(request(answer)).await.map_err(|_| closed())?;
        answered.await.map_err(|_| closed())
    }
}

/// The work and its answer as one thing, so that the queue need not know what is answered.
fn change<T, F>(work: F, answer: oneshot::Sender<Result<T, StoreError>>) -> Change
where
    T: Send + 'static,
    F: for<'c> FnOnce(&'c mut SqliteConnection) -> Work<'c, T> + Send + 'static,
{
    Box::new(move |task| {
        Box::pin(async move {
            let done = task.change(work).await.map_err(StoreError::database(&task.path, "written"));
            // Who does not wait for the answer any more does not need it; here and below.
            let _unwanted = answer.send(done);
        })
    })
}

/// True if a message has arrived, or is settled otherwise.
fn is_gain(record: &LedgerRecord) -> bool {
    use MessageState as S;
    matches!(record, LedgerRecord::Message { state: Some(S::Done(_) | S::Skipped(_)), .. })
}

struct Task {
    options: SqliteConnectOptions,
    path: PathBuf,
    /// `None` after a failure: the next request begins with a new connection, whatever state the old one was in.
    connection: Option<SqliteConnection>,
}

impl Task {
    async fn run(mut self, mut received: mpsc::Receiver<Request>) {
        let mut waiting = Vec::new();
        while received.recv_many(&mut waiting, QUEUE).await > 0 {
            let mut writes = Vec::new();
            let mut closing = None;
            for request in waiting.drain(..) {
                match request {
                    Request::Write(write) => writes.push(write),
                    Request::Change(change) => {
                        // A mistake in one change must not end the writer of all: its connection, and with it its
                        // transaction, is gone, and who waits for its answer is told that there will be none.
                        let _panicked = AssertUnwindSafe(change(&mut self)).catch_unwind().await;
                    }
                    Request::Close(answer) => closing = Some(answer),
                }
            }
            self.write_all(writes).await;
            if let Some(answer) = closing {
                if let Some(connection) = self.connection.take() {
                    // Everything is durable already; closing only tidies up the write-ahead log.
                    let _untidy = database::close(connection).await;
                }
                let _unwanted = answer.send(());
                return;
            }
        }
    }

    /// All in one transaction; where that fails, each alone, so that one bad request does not spoil its neighbours.
    async fn write_all(&mut self, writes: Vec<Write>) {
        if writes.len() > 1 && self.transaction(&writes).await.is_ok() {
            for write in writes {
                let _unwanted = write.answer.send(Ok(()));
            }
            return;
        }
        for write in writes {
            let done = self.transaction(std::slice::from_ref(&write)).await;
            let done = done.map_err(StoreError::database(&self.path, "written"));
            let _unwanted = write.answer.send(done);
        }
    }

    async fn transaction(&mut self, writes: &[Write]) -> Result<(), Fault> {
        let mut connection = self.connection().await?;
        sqlx::query("BEGIN IMMEDIATE").execute(&mut connection).await?;
        for write in writes {
            if let Some(lease) = &write.lease {
                leases::check(&mut connection, lease).await?;
                if write.records.iter().any(is_gain) {
                    recovery::gained(&mut connection, lease.user).await?;
                }
            }
            apply(&mut connection, write.mailbox, &write.records).await?;
        }
        sqlx::query("COMMIT").execute(&mut connection).await?;
        self.connection = Some(connection);
        Ok(())
    }

    async fn change<T, F>(&mut self, work: F) -> Result<T, Fault>
    where
        F: for<'c> FnOnce(&'c mut SqliteConnection) -> Work<'c, T>,
    {
        let mut connection = self.connection().await?;
        sqlx::query("BEGIN IMMEDIATE").execute(&mut connection).await?;
        let answer = work(&mut connection).await;
        let end = if answer.is_ok() { "COMMIT" } else { "ROLLBACK" };
        let ended = sqlx::query(end).execute(&mut connection).await;
        match (answer, ended) {
            (Ok(_), Err(error)) => Err(error.into()),
            (answer, Ok(_)) => {
                self.connection = Some(connection);
                answer
            }
            // Rolled back by dropping the connection.
            (answer, Err(_)) => answer,
        }
    }

    /// The connection is taken, and put back only after success: dropping one rolls its transaction back.
    async fn connection(&mut self) -> Result<SqliteConnection, Fault> {
        match self.connection.take() {
            Some(connection) => Ok(connection),
            None => Ok(self.options.connect().await?),
        }
    }
}
