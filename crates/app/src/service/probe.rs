//! Asking a server whether it is there and what it can do, before anything is built on it.

use std::{net::IpAddr, time::Duration};

use mailhaul_imap::{
    ConnectOptions, Connection, Credentials, Error, ErrorKind, ListQuery, Security, Session, TlsOptions,
};
use mailhaul_mail::Secret;
use mailhaul_migration::{AdminAccess, Endpoint, EndpointSecurity};
use mailhaul_operations::TimeSpan;
use tokio::{net::lookup_host, time::timeout};

/// How long each step may take.
const PATIENCE: Duration = Duration::from_secs(15);

/// What a server showed of itself.
#[derive(Clone, Debug, Default)]
pub(crate) struct Seen {
    /// What the name service knows of it.
    pub(crate) addresses: Vec<IpAddr>,
    /// What it says first.
    pub(crate) greeting: Option<String>,
    /// What it can do, after login where somebody logged in.
    pub(crate) capabilities: Vec<String>,
    /// How many folders the mailbox has into which somebody logged in.
    pub(crate) folders: Option<u64>,
}

/// Why a server cannot be used.
#[derive(Clone, Debug)]
pub(crate) struct Obstacle {
    /// What happened, in one sentence.
    pub(crate) message: String,
    /// The reason, with the server's words.
    pub(crate) detail: String,
    /// What can be done about it.
    pub(crate) advice: &'static str,
}

/// What can be done about each kind of error.
const ADVICE: [(ErrorKind, &str); 8] = [
    (
        ErrorKind::Unreachable,
        "Check the server's name and the port, and that no firewall keeps connections to it back.",
    ),
    (
        ErrorKind::Timeout,
        "Check the port and the security (993 with Ssl, 143 with Tls or None), and that no firewall swallows connections.",
    ),
    (
        ErrorKind::Tls,
        "Check the security (993 with Ssl, 143 with Tls) and the server's certificate; a certificate of its own authority is \
         trusted with -CertificateAuthorities, a single one with -CertificateSha256.",
    ),
    (ErrorKind::Protocol, "Check the port and the security: 993 with Ssl, 143 with Tls or None."),
    (
        ErrorKind::Connection,
        "Check the port and the security (993 with Ssl, 143 with Tls or None), or try again later.",
    ),
    (
        ErrorKind::Authentication,
        "Confirm the user name and the password. Some services want a password made for applications.",
    ),
    (ErrorKind::TooManyConnections, "Close other programs that use the mailbox, or try again later."),
    (ErrorKind::Throttled, "The server asks for patience: try again later."),
];

/// How the endpoint's server is reached.
pub(crate) fn connect_options(endpoint: &Endpoint) -> ConnectOptions {
    let security = match endpoint.security {
        EndpointSecurity::None => Security::Clear,
        EndpointSecurity::Ssl => Security::Implicit,
        EndpointSecurity::Tls => Security::StartTls,
    };
    let mut options = ConnectOptions::new(endpoint.remote_server.clone(), endpoint.port, security);
    options.tls = TlsOptions {
        ca_file: None,
        ca_pem: endpoint.certificate_authorities.clone(),
        pin_sha256: endpoint.certificate_sha256,
        accept_untrusted: endpoint.accept_untrusted_certificates,
    };
    options
}

/// How an administrator opens this mailbox.
pub(crate) fn admin_credentials(admin: &AdminAccess, password: Secret, mailbox: &str) -> Credentials {
    match admin.login(mailbox) {
        Some(login) => Credentials::password(login, password),
        None => Credentials {
            authorize_as: Some(mailbox.to_owned()),
            ..Credentials::password(admin.user_name.clone(), password)
        },
    }
}

/// Connects, and logs in and counts folders where there are credentials. What was seen is told however it ends.
pub(crate) async fn probe(
    options: &ConnectOptions,
    credentials: Option<&Credentials>,
) -> (Seen, Result<(), Obstacle>) {
    let mut seen = Seen::default();
    let outcome = Box::pin(Asking::new(options, PATIENCE).ask(credentials, &mut seen)).await;
    (seen, outcome)
}

/// A conversation that does not last for ever.
struct Asking {
    options: ConnectOptions,
    patience: Duration,
}

impl Asking {
    fn new(options: &ConnectOptions, patience: Duration) -> Self {
        let mut options = options.clone();
        let it = &mut options.timeouts;
        (it.connect, it.greeting, it.read, it.write) = (patience, patience, patience, patience);
        Self { options, patience }
    }

    async fn ask(&self, credentials: Option<&Credentials>, seen: &mut Seen) -> Result<(), Obstacle> {
        let host = self.options.host.trim_matches(['[', ']']);
        // Only to show them: connecting asks again, and tells when there is none.
        if let Ok(Ok(found)) = timeout(self.patience, lookup_host((host, self.options.port))).await {
            seen.addresses = found.map(|it| it.ip()).collect();
        }
        let connection = self.in_time(Connection::open(&self.options)).await?;
        seen.greeting = Some(connection.greeting().text.clone());
        seen.capabilities = connection.capabilities().iter().map(str::to_owned).collect();
        let Some(credentials) = credentials else { return Ok(()) };
        let mut session = self.in_time(connection.authenticate(credentials)).await?;
        seen.capabilities = session.capabilities().iter().map(str::to_owned).collect();
        seen.folders = Some(self.in_time(folders(&mut session)).await?);
        // It has told all that was asked; how it says goodbye does not matter.
        let _unheard = timeout(self.patience, session.logout()).await;
        Ok(())
    }

    async fn in_time<T>(&self, step: impl Future<Output = Result<T, Error>>) -> Result<T, Obstacle> {
        match timeout(self.patience, step).await {
            Ok(Ok(done)) => Ok(done),
            Ok(Err(error)) => Err(self.obstacle(error.kind, error.message)),
            Err(_) => Err(self.obstacle(ErrorKind::Timeout, "the server did not answer".to_owned())),
        }
    }

    fn obstacle(&self, kind: ErrorKind, detail: String) -> Obstacle {
        let host = &self.options.host;
        let message = match kind {
            ErrorKind::Timeout => {
                let patience = TimeSpan(self.patience);
                format!("the connection to the server {host} timed out after {patience}")
            }
            ErrorKind::Authentication => format!("the server {host} refused to sign in to this account"),
            ErrorKind::Tls => format!("no secure connection to the server {host} could be made"),
            _ => format!("the server {host} could not be connected to"),
        };
        let advice = ADVICE.iter().find(|(known, _)| *known == kind);
        Obstacle { message, detail, advice: advice.map_or("Try again later.", |(_, advice)| advice) }
    }
}

async fn folders(session: &mut Session) -> Result<u64, Error> {
    Ok(session.list(&ListQuery::default()).await?.len() as u64)
}

#[cfg(test)]
mod tests {
    use tokio::net::TcpListener;

    use super::*;

    #[tokio::test]
    async fn a_server_that_says_nothing_is_not_waited_for_long() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let options =
            ConnectOptions::new("127.0.0.1", listener.local_addr().unwrap().port(), Security::Clear);
        let asking = Asking::new(&options, Duration::from_secs(1));
        let mut seen = Seen::default();
        let obstacle = Box::pin(asking.ask(None, &mut seen)).await.unwrap_err();
        assert_eq!(obstacle.message, "the connection to the server 127.0.0.1 timed out after 00:00:01");
        assert!(obstacle.advice.contains("993 with Ssl"), "{}", obstacle.advice);
        assert_eq!((seen.addresses.len(), seen.greeting), (1, None));
    }
}
