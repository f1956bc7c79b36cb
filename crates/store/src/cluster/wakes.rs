//! Wakes: messages between the nodes of a database, so that an order does not wait for their next beat.
//!
//! A lost message does no harm: rows decide, and each node looks at them with each beat.

use mailhaul_migration::Guid;
use sqlx::postgres::PgListener;

use crate::{
    db::{
        error::{Fault, StoreError},
        sql::{self, Connection},
    },
    handles::Nodes,
    store::Backend,
};

const CHANNEL: &str = "mailhaul";
const RESTART: &str = "restart ";

/// A message to all nodes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wake {
    /// Users, endpoints or the configuration were changed.
    Look,
    /// The passes of this batch end and begin again with its new settings.
    Restart(Guid),
}

impl Wake {
    fn text(self) -> String {
        match self {
            Self::Look => String::new(),
            Self::Restart(batch) => format!("{RESTART}{batch}"),
        }
    }

    /// Reads a message. A text of another version means that something was changed.
    fn parse(text: &str) -> Self {
        let batch = text.strip_prefix(RESTART).and_then(|batch| batch.parse().ok());
        batch.map_or(Self::Look, Self::Restart)
    }
}

/// Receiver of the messages.
pub struct Wakes(PgListener);

impl Wakes {
    /// Waits for the next message. After the connection was lost, returns [`Wake::Look`]: a message may be lost too.
    ///
    /// # Errors
    /// The database cannot be reached.
    pub async fn next(&mut self) -> Result<Wake, StoreError> {
        let received = self
            .0
            .try_recv()
            .await
            .map_err(|error| StoreError::database("the channel of the nodes", "read")(error.into()))?;
        Ok(received.map_or(Wake::Look, |message| Wake::parse(message.payload())))
    }
}

impl Nodes<'_> {
    /// Sends a message to all nodes, and to this one. Does nothing on a data directory.
    pub async fn wake(self, wake: Wake) -> Result<(), StoreError> {
        let db = self.0;
        if !db.is_on_server() {
            return Ok(());
        }
        db.change_beside(move |connection| Box::pin(notify(connection, wake))).await
    }

    /// Returns the receiver of the messages; `None` for a data directory.
    pub async fn wakes(self) -> Result<Option<Wakes>, StoreError> {
        let db = self.0;
        let Backend::Server(server) = &db.shared.backend else { return Ok(None) };
        let failed = |error: sqlx::Error| StoreError::database(&server.words(), "read")(error.into());
        let mut listener = server.listener().await.map_err(failed)?;
        listener.listen(CHANNEL).await.map_err(failed)?;
        Ok(Some(Wakes(listener)))
    }
}

/// Sends a message when the transaction is committed.
pub(crate) async fn notify(connection: &mut Connection, wake: Wake) -> Result<(), Fault> {
    sql::query("SELECT pg_notify(?, ?)").bind(CHANNEL).bind(wake.text()).execute(connection).await?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn messages_are_read_as_they_were_sent() {
        for wake in [Wake::Look, Wake::Restart(Guid::from_u128(7))] {
            assert_eq!(Wake::parse(&wake.text()), wake);
        }
        for text in ["restart ", "restart x", "a later version's word"] {
            assert_eq!(Wake::parse(text), Wake::Look, "{text}");
        }
    }
}
