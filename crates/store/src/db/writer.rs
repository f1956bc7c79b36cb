//! The only writer.
//!
//! Requests that wait while it works share its next transaction, so that many mailboxes share one sync of the
//! disk.

use std::{panic::AssertUnwindSafe, pin::Pin};

use futures_util::FutureExt;
use mailhaul_engine::{LedgerRecord, MessageState};
use sqlx::{ConnectOptions, sqlite::SqliteConnectOptions};
use tokio::sync::{mpsc, oneshot};

use crate::{
    db::{
        database,
        error::{Fault, StoreError},
        sql::{self, Connection},
    },
    jobs::{
        leases::{self, Hold, Lease},
        recovery,
    },
    ledger::{apply::apply, arrivals},
};

/// Maximum number of waiting requests, and of requests in one transaction.
const MAX_REQUESTS: usize = 256;

/// Work on a connection.
pub(crate) type Work<'c, T> = Pin<Box<dyn Future<Output = Result<T, Fault>> + Send + 'c>>;

/// A change that sends its own answer.
type Change = Box<dyn for<'t> FnOnce(&'t mut Task) -> Pin<Box<dyn Future<Output = ()> + Send + 't>> + Send>;

/// A request to the writer.
enum Request {
    /// Work in a transaction of its own.
    Change(Change),
    /// Records of one mailbox, all or none.
    Write(Write),
    /// The end, after all earlier requests.
    Close(oneshot::Sender<()>),
}

struct Write {
    mailbox: i64,
    lease: Option<Lease>,
    records: Vec<LedgerRecord>,
    answer: oneshot::Sender<Result<(), StoreError>>,
}

/// A handle to the writer.
#[derive(Clone)]
pub(crate) struct Writer {
    requests: mpsc::Sender<Request>,
    /// The file, for messages.
    words: String,
}

impl Writer {
    /// Starts the writer's task, which ends with the last handle. Without a connection, the first request opens one.
    pub(crate) fn start(
        words: String,
        options: SqliteConnectOptions,
        connection: Option<Connection>,
    ) -> Self {
        let (requests, received) = mpsc::channel(MAX_REQUESTS);
        let task = Task { options, words: words.clone(), connection };
        tokio::spawn(task.run(received));
        Self { requests, words }
    }

    /// Runs the work in a transaction of its own.
    ///
    /// The result is durable when it returns; a failure changes nothing. The work runs even if the caller
    /// stops waiting.
    pub(crate) async fn change<T, F>(&self, work: F) -> Result<T, StoreError>
    where
        T: Send + 'static,
        F: for<'c> FnOnce(&'c mut Connection) -> Work<'c, T> + Send + 'static,
    {
        self.ask(|answer| Request::Change(change(work, answer))).await?
    }

    /// Writes records; durable when it returns.
    pub(crate) async fn write(
        &self,
        mailbox: i64,
        lease: Option<Lease>,
        records: Vec<LedgerRecord>,
    ) -> Result<(), StoreError> {
        self.ask(|answer| Request::Write(Write { mailbox, lease, records, answer })).await?
    }

    /// Ends the writer, after all earlier requests.
    pub(crate) async fn close(&self) {
        // An error means that it has ended already.
        _ = self.ask(Request::Close).await;
    }

    async fn ask<T>(&self, request: impl FnOnce(oneshot::Sender<T>) -> Request) -> Result<T, StoreError> {
        let closed = || StoreError::Unavailable { database: self.words.clone(), how: "closed" };
        let (answer, answered) = oneshot::channel();
        self.requests.send(request(answer)).await.map_err(|_| closed())?;
        answered.await.map_err(|_| closed())
    }
}

/// Combines the work with its answer, so that the queue does not depend on the type of the result.
fn change<T, F>(work: F, answer: oneshot::Sender<Result<T, StoreError>>) -> Change
where
    T: Send + 'static,
    F: for<'c> FnOnce(&'c mut Connection) -> Work<'c, T> + Send + 'static,
{
    Box::new(move |task| {
        Box::pin(async move {
            let done = task.change(work).await.map_err(StoreError::database(&task.words, "written"));
            // A caller that stopped waiting does not need the answer; here and below.
            _ = answer.send(done);
        })
    })
}

/// Writes records of a ledger in the transaction of the connection.
pub(crate) async fn write(
    connection: &mut Connection,
    mailbox: i64,
    lease: Option<Lease>,
    records: &[LedgerRecord],
) -> Result<(), Fault> {
    if let Some(lease) = &lease {
        // Before the shared lock: two transactions with it could not both change the row.
        if records.iter().any(is_gain) {
            recovery::gained(connection, lease.user).await?;
        }
        leases::check(connection, lease, Hold::Share).await?;
        arrivals::count(connection, lease.user, records).await?;
    }
    apply(connection, mailbox, records).await
}

/// True if a message was copied or skipped.
fn is_gain(record: &LedgerRecord) -> bool {
    use MessageState as S;
    matches!(record, LedgerRecord::Message { state: Some(S::Done(_) | S::Skipped(_)), .. })
}

struct Task {
    options: SqliteConnectOptions,
    /// The file, for messages.
    words: String,
    /// `None` after a failure. The next request opens a new connection.
    connection: Option<Connection>,
}

impl Task {
    async fn run(mut self, mut received: mpsc::Receiver<Request>) {
        let mut waiting = Vec::new();
        while received.recv_many(&mut waiting, MAX_REQUESTS).await > 0 {
            let mut writes = Vec::new();
            let mut closing = None;
            for request in waiting.drain(..) {
                match request {
                    Request::Write(write) => writes.push(write),
                    Request::Change(change) => {
                        // A panic in one change must not end the writer of all. Its connection is dropped
                        // with its transaction, and its caller gets the error that there is no answer.
                        _ = AssertUnwindSafe(change(&mut self)).catch_unwind().await;
                    }
                    Request::Close(answer) => closing = Some(answer),
                }
            }
            self.write_all(writes).await;
            if let Some(answer) = closing {
                if let Some(connection) = self.connection.take() {
                    // Everything is durable already; the close only empties the write-ahead log.
                    _ = database::close(connection).await;
                }
                _ = answer.send(());
                return;
            }
        }
    }

    /// Writes all requests in one transaction.
    ///
    /// If that fails, each gets its own, so that one bad request does not fail the others.
    async fn write_all(&mut self, writes: Vec<Write>) {
        if writes.len() > 1 && self.transaction(&writes).await.is_ok() {
            for write in writes {
                _ = write.answer.send(Ok(()));
            }
            return;
        }
        for write in writes {
            let done = self.transaction(std::slice::from_ref(&write)).await;
            let done = done.map_err(StoreError::database(&self.words, "written"));
            _ = write.answer.send(done);
        }
    }

    async fn transaction(&mut self, writes: &[Write]) -> Result<(), Fault> {
        let mut connection = self.connection().await?;
        sql::query("BEGIN IMMEDIATE").execute(&mut connection).await?;
        for it in writes {
            write(&mut connection, it.mailbox, it.lease, &it.records).await?;
        }
        sql::query("COMMIT").execute(&mut connection).await?;
        self.connection = Some(connection);
        Ok(())
    }

    async fn change<T, F>(&mut self, work: F) -> Result<T, Fault>
    where
        F: for<'c> FnOnce(&'c mut Connection) -> Work<'c, T>,
    {
        let mut connection = self.connection().await?;
        sql::query("BEGIN IMMEDIATE").execute(&mut connection).await?;
        let answer = work(&mut connection).await;
        let end = if answer.is_ok() { "COMMIT" } else { "ROLLBACK" };
        let ended = sql::query(end).execute(&mut connection).await;
        match (answer, ended) {
            (Ok(_), Err(error)) => Err(error.into()),
            (answer, Ok(_)) => {
                self.connection = Some(connection);
                answer
            }
            // Dropping the connection rolled it back.
            (answer, Err(_)) => answer,
        }
    }

    /// Takes the connection, which returns only after a success.
    ///
    /// Dropping a connection rolls its transaction back.
    async fn connection(&mut self) -> Result<Connection, Fault> {
        match self.connection.take() {
            Some(connection) => Ok(connection),
            None => Ok(Connection::File(self.options.connect().await?)),
        }
    }
}
