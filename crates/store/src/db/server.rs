//! The database on a `PostgreSQL` server.

use std::{fmt, time::Duration};

use mailhaul_mail::Secret;
use sqlx::{
    ConnectOptions as _, PgPool,
    postgres::{PgConnectOptions, PgListener, PgPoolOptions, PgSslMode},
};

use crate::db::{
    error::{Fault, StoreError},
    server_schema,
    sql::{self, Connection},
    writer::Work,
};

/// Connections of one process. Reading and writing of 200 mailboxes needs no more.
const MAX_CONNECTIONS: u32 = 8;
/// Timeout for a free connection: as for the file, the last of many mailboxes must wait, not fail.
const ACQUIRE_TIMEOUT: Duration = Duration::from_mins(10);

/// Settings of each connection. A time of 0 is no limit.
///
/// A process that stops inside a transaction must not keep its rows locked.
const SETTINGS: [(&str, &str); 6] = settings("10s", "60s");
/// Settings of the connections of a copy, which waits for the other database between two statements.
const COPY_SETTINGS: [(&str, &str); 6] = settings("0", "0");
/// Begins a transaction whose values are of one moment.
pub(crate) const READ_ONLY: &str = "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY";

/// Returns the settings with these times for an idle transaction and for a statement.
const fn settings(idle: &'static str, statement: &'static str) -> [(&'static str, &'static str); 6] {
    [
        ("idle_in_transaction_session_timeout", idle),
        ("lock_timeout", "30s"),
        ("statement_timeout", statement),
        ("tcp_keepalives_idle", "10"),
        ("tcp_user_timeout", "15s"),
        ("TimeZone", "UTC"),
    ]
}

/// Lock of the changes that run alone. Its number is arbitrary.
const ALONE: &str = "SELECT pg_advisory_xact_lock(7106488237400)";

/// The address of a database, with the credentials to open it.
#[derive(Clone)]
pub struct ServerAddress {
    pub(crate) options: PgConnectOptions,
}

impl fmt::Debug for ServerAddress {
    /// Never shows the password.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.words())
    }
}

impl ServerAddress {
    /// Parses `postgres://user@host:port/database?sslmode=...`.
    ///
    /// Without `sslmode`, a server on the network must have a certificate of a known authority for its name.
    ///
    /// # Errors
    /// The reason, without the text: it may hold a password.
    pub fn parse(url: &str) -> Result<Self, String> {
        let Some((scheme, rest)) = url.split_once("://") else {
            return Err("it does not begin with postgres://".to_owned());
        };
        if !matches!(scheme, "postgres" | "postgresql") {
            return Err("it does not begin with postgres://".to_owned());
        }
        let (authority, after) = rest.find(['/', '?']).map_or((rest, ""), |end| rest.split_at(end));
        let has_password = authority.rsplit_once('@').is_some_and(|(user, _)| user.contains(':'));
        // An `@` further on means a password with a slash or a question mark. A `%` can hide the name of a setting.
        if has_password || after.contains(['@', '%']) || after.contains("password=") {
            return Err("it holds a password, or a character (@, %) that hides one; every process of this machine could read it. \
                        Put the password into the file that PGPASSFILE names, or into PGPASSWORD"
                .to_owned());
        }
        let mut options: PgConnectOptions =
            url.parse().map_err(|error: sqlx::Error| error.to_string().replace(url, "it"))?;
        if options.get_database().is_none() {
            return Err("it names no database: postgres://user@host/database".to_owned());
        }
        if !rest.contains("sslmode=") && !is_local(&options) {
            options = options.ssl_mode(PgSslMode::VerifyFull);
        }
        Ok(Self { options: options.disable_statement_logging() })
    }

    /// Sets the password.
    #[must_use]
    pub fn with_password(self, password: &Secret) -> Self {
        let password = String::from_utf8_lossy(password.expose()).into_owned();
        Self { options: self.options.password(&password) }
    }

    fn words(&self) -> String {
        let database = self.options.get_database().unwrap_or_default();
        let place = match self.options.get_socket() {
            Some(socket) => socket.display().to_string(),
            None => format!("{}:{}", self.options.get_host(), self.options.get_port()),
        };
        format!("the database {database} at {place}")
    }
}

/// True if the connection never leaves the machine.
fn is_local(options: &PgConnectOptions) -> bool {
    let host = options.get_host();
    options.get_socket().is_some()
        || host.starts_with('/')
        || host == "localhost"
        || host.parse::<std::net::IpAddr>().is_ok_and(|address| address.is_loopback())
}

/// The relation of a change to others.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Turn {
    /// After all other changes that run alone.
    Alone,
    /// Beside all others.
    Beside,
}

/// An open database.
#[derive(Clone)]
pub(crate) struct Server {
    pool: PgPool,
    words: String,
}

impl Server {
    /// Connects, and brings the schema up to date.
    pub(crate) async fn connect(address: &ServerAddress) -> Result<Self, StoreError> {
        let server = Self::new(address, SETTINGS);
        server.migrate(address).await?;
        Ok(server)
    }

    /// Connects for a copy, and brings the schema up to date.
    pub(crate) async fn connect_to_copy(address: &ServerAddress) -> Result<Self, StoreError> {
        let server = Self::new(address, COPY_SETTINGS);
        server.migrate(address).await?;
        Ok(server)
    }

    /// Connects to the database as it is: its schema may be another one, or missing.
    pub(crate) async fn connect_as_it_is(address: &ServerAddress) -> Result<Self, StoreError> {
        let server = Self::new(address, COPY_SETTINGS);
        let failed = StoreError::database(&server.words, "opened");
        // The pool would wait for a server that refuses connections.
        let connection = address.options.connect().await.map_err(|error| failed(error.into()))?;
        drop(connection);
        Ok(server)
    }

    async fn migrate(&self, address: &ServerAddress) -> Result<(), StoreError> {
        let options = address.options.clone().application_name("mailhaul");
        server_schema::prepare(&options).await.map_err(StoreError::database(&self.words, "opened"))
    }

    fn new(address: &ServerAddress, settings: [(&str, &str); 6]) -> Self {
        let options = address.options.clone().application_name("mailhaul").options(settings);
        let pool = PgPoolOptions::new()
            .max_connections(MAX_CONNECTIONS)
            .acquire_timeout(ACQUIRE_TIMEOUT)
            .connect_lazy_with(options);
        Self { pool, words: address.words() }
    }

    /// Opens a connection that receives messages of other processes.
    pub(crate) async fn listener(&self) -> Result<PgListener, sqlx::Error> {
        PgListener::connect_with(&self.pool).await
    }

    pub(crate) async fn close(&self) {
        self.pool.close().await;
    }

    /// Describes the database for messages.
    pub(crate) fn words(&self) -> String {
        self.words.clone()
    }

    /// Reads inside a transaction, so that all values are of one moment.
    pub(crate) async fn read<T, F>(&self, work: F) -> Result<T, Fault>
    where
        F: for<'c> FnOnce(&'c mut Connection) -> Work<'c, T>,
    {
        let mut connection = self.begin(READ_ONLY).await?;
        let answer = work(&mut connection).await;
        connection.end().await?;
        answer
    }

    /// Begins a transaction with this statement.
    pub(crate) async fn begin(&self, begin: &'static str) -> Result<Connection, Fault> {
        Ok(Connection::Server(self.pool.begin_with(begin).await?))
    }

    /// Runs the work in a transaction.
    ///
    /// The work runs even if the caller stops waiting.
    pub(crate) async fn change<T, F>(&self, turn: Turn, work: F) -> Result<T, StoreError>
    where
        T: Send + 'static,
        F: for<'c> FnOnce(&'c mut Connection) -> Work<'c, T> + Send + 'static,
    {
        let pool = self.pool.clone();
        let done = tokio::spawn(async move { transaction(&pool, turn, work).await });
        match done.await {
            Ok(done) => done.map_err(StoreError::database(&self.words, "written")),
            // A panic in the work. Its transaction was rolled back.
            Err(_) => Err(StoreError::Unavailable { database: self.words(), how: "closed" }),
        }
    }
}

async fn transaction<T, F>(pool: &PgPool, turn: Turn, work: F) -> Result<T, Fault>
where
    F: for<'c> FnOnce(&'c mut Connection) -> Work<'c, T>,
{
    let mut connection = Connection::Server(pool.begin().await?);
    if turn == Turn::Alone {
        // An order about a large batch may take its time.
        sql::query("SET LOCAL lock_timeout = '60s'").execute(&mut connection).await?;
        sql::query(ALONE).execute(&mut connection).await?;
    }
    let answer = work(&mut connection).await;
    let Connection::Server(transaction) = connection else { return answer };
    match answer {
        Ok(answer) => {
            transaction.commit().await?;
            Ok(answer)
        }
        Err(fault) => {
            // Dropping the connection would roll it back too.
            _ = transaction.rollback().await;
            Err(fault)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_hold_no_password() {
        for (url, fault) in [
            ("mysql://a@b/c", "postgres://"),
            ("db.example", "postgres://"),
            ("postgres://mailhaul:secret@db.example/mailhaul", "password"),
            ("postgres://mailhaul@db.example/mailhaul?password=secret", "password"),
            ("postgres://mailhaul@db.example/mailhaul?pass%77ord=secret", "password"),
            ("postgres://mailhaul:12/secret@db.example/mailhaul", "password"),
            ("postgres://mailhaul:12?secret@db.example/mailhaul", "password"),
            ("postgres://mailhaul@db.example", "names no database"),
        ] {
            let error = ServerAddress::parse(url).unwrap_err();
            assert!(error.contains(fault) && !error.contains("secret"), "{url}: {error}");
        }
    }

    #[test]
    fn a_server_on_the_network_must_prove_its_name() {
        for (url, mode) in [
            ("postgres://m@db.example/mailhaul", PgSslMode::VerifyFull),
            ("postgres://m@127.0.0.1:5433/mailhaul", PgSslMode::Prefer),
            ("postgres://m@localhost/mailhaul", PgSslMode::Prefer),
            ("postgres://m@db.example/mailhaul?sslmode=require", PgSslMode::Require),
        ] {
            let address = ServerAddress::parse(url).unwrap();
            assert_eq!(
                std::mem::discriminant(&address.options.get_ssl_mode()),
                std::mem::discriminant(&mode),
                "{url}"
            );
        }
        let address = ServerAddress::parse("postgres://m@db.example:5433/mailhaul").unwrap();
        let address = address.with_password(&Secret::new("secret".to_owned()));
        assert_eq!(format!("{address:?}"), "the database mailhaul at db.example:5433");
    }
}
