//! Test-MigrationServerAvailability.

use mailhaul_migration::{Access, Endpoint, EndpointSecurity, EndpointType, Guid, Limit, Rates};
use mailhaul_operations::{Answer, Bytes, Caller, Credential, Failure, Noun, Operation, Role, Verb};
use schemars::JsonSchema;
use serde::Deserialize;

use super::{
    availability::{thorough, thorough_login, try_out},
    endpoint_settings::{self as settings, Authentication},
    failures::told,
    nouns::SERVER_AVAILABILITY,
    views::MigrationServerAvailability,
};
use crate::context::Context;

/// Tries a server.
pub(crate) struct TestMigrationServerAvailability;

/// What it takes.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub(crate) struct Request {
    /// An IMAP server.
    #[serde(rename = "IMAP", default)]
    #[expect(dead_code, reason = "it goes without saying")]
    imap: bool,
    /// The host of the IMAP server.
    remote_server: Option<String>,
    /// The TCP port: 993 with Ssl and 143 with Tls or None, where nothing else is said.
    #[schemars(range(min = 1))]
    port: Option<u16>,
    /// How the connection is secured; Ssl where nothing is said.
    security: Option<EndpointSecurity>,
    /// How users prove who they are.
    authentication: Option<Authentication>,
    /// Takes any certificate.
    #[serde(default)]
    accept_untrusted_certificates: bool,
    /// A file of certificates (PEM) of authorities that are trusted in place of the system's.
    certificate_authorities: Option<Bytes>,
    /// The SHA-256 of the only certificate that is taken.
    certificate_sha256: Option<String>,
    /// An endpoint of which the settings are tried, in place of a server.
    endpoint: Option<String>,
    /// A user who is to log in too; with TestMailbox an administrator.
    credential: Option<Credential>,
    /// A mailbox that the administrator is to open too, as its owner logs in. The form that the server takes is found: each is
    /// tried once at most.
    test_mailbox: Option<String>,
    /// Opens connections until the server refuses one: as many as the endpoint's MaxConcurrentMigrations, or 16. Some servers
    /// shut out for a while who does that.
    #[serde(default)]
    test_connections: bool,
}

impl Operation<Context> for TestMigrationServerAvailability {
    const VERB: Verb = Verb::Test;
    const NOUN: Noun = SERVER_AVAILABILITY;
    const ROLE: Role = Role::Operator;
    const ABOUT: &'static str = "Goes the way to a mail server step by step, shows what it can do, and \
        where somebody logs in, how fast it is and by which form an administrator opens a mailbox; changes nothing.";
    const VIEW: &'static [&'static str] = &["Result", "Message", "Steps", "Instructions"];

    type Request = Request;
    type Response = MigrationServerAvailability;

    async fn run(
        context: &Context,
        _caller: &Caller,
        mut request: Request,
    ) -> Result<Answer<MigrationServerAvailability>, Failure> {
        let (credential, mailbox) = (request.credential.take(), request.test_mailbox.take());
        let (endpoint, name) = match request.endpoint.take() {
            Some(identity) => {
                request.is_alone()?;
                let endpoint = context.store.endpoint(&identity).await.map_err(told)?;
                let name = endpoint.name.clone();
                (endpoint, Some(name))
            }
            None => (request.server()?, None),
        };
        if request.test_connections && credential.is_none() && mailbox.is_none() {
            return Err(Failure::invalid("TestConnections needs Credential: somebody has to log in"));
        }
        let login = thorough_login(context, &endpoint, credential, mailbox).await?;
        let question = thorough(&endpoint, name.as_deref(), login, request.test_connections);
        Ok(Answer::one(try_out(&endpoint, name, question).await))
    }
}

impl Request {
    /// An endpoint has settings of its own.
    fn is_alone(&self) -> Result<(), Failure> {
        let others = [
            ("RemoteServer", self.remote_server.is_some()),
            ("Port", self.port.is_some()),
            ("Security", self.security.is_some()),
            ("AcceptUntrustedCertificates", self.accept_untrusted_certificates),
            ("CertificateAuthorities", self.certificate_authorities.is_some()),
            ("CertificateSha256", self.certificate_sha256.is_some()),
        ];
        match others.iter().find(|(_, given)| *given) {
            Some((name, _)) => Err(Failure::invalid(format_args!(
                "either Endpoint or {name} can be given, not both: an endpoint has settings of its own"
            ))),
            None => Ok(()),
        }
    }

    /// The server as an endpoint that is never kept.
    fn server(&self) -> Result<Endpoint, Failure> {
        Authentication::check(self.authentication)?;
        let Some(server) = &self.remote_server else {
            return Err(Failure::invalid("RemoteServer or Endpoint must be given"));
        };
        let security = self.security.unwrap_or_default();
        let authorities = self.certificate_authorities.as_ref().map(settings::authorities);
        Ok(Endpoint {
            guid: Guid::nil(),
            name: server.clone(),
            endpoint_type: EndpointType::Imap,
            remote_server: settings::host(server)?,
            port: self.port.unwrap_or_else(|| settings::usual_port(security)),
            security,
            accept_untrusted_certificates: self.accept_untrusted_certificates,
            certificate_authorities: authorities.transpose()?,
            certificate_sha256: self.certificate_sha256.as_deref().map(settings::fingerprint).transpose()?,
            max_concurrent_migrations: Limit::Unlimited,
            max_concurrent_incremental_syncs: Limit::Unlimited,
            server_profile: None,
            rates: Rates::default(),
            access: Access::Users,
            gmail_api: None,
            created: jiff::Timestamp::UNIX_EPOCH,
            modified: jiff::Timestamp::UNIX_EPOCH,
        })
    }
}
