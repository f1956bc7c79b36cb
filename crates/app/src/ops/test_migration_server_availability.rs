//! Test-MigrationServerAvailability.

use mailhaul_mail::{Reach, Secret};
use mailhaul_migration::{Endpoint, EndpointSecurity, Guid, Limit, Rates};
use mailhaul_operations::{
    Answer, Bytes, Caller, Credential, Failure, Noun, Operation, Role, SecretText, Verb,
};
use schemars::JsonSchema;
use serde::Deserialize;

use super::{
    access::{AccessParameters, Kinds, Preset, new_access},
    availability::{new_bearer, thorough, thorough_login, try_out},
    endpoint_settings::{self as settings, Authentication},
    failures::told,
    nouns::SERVER_AVAILABILITY,
    reach,
    views::MigrationServerAvailability,
};
use crate::context::Context;

/// Tries a server.
pub(crate) struct TestMigrationServerAvailability;

/// What it takes.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
#[expect(clippy::struct_excessive_bools, reason = "each is a switch of the cmdlet")]
pub(crate) struct Request {
    /// Any IMAP server, as where nothing else is said.
    #[serde(rename = "IMAP", default)]
    imap: bool,
    /// Exchange Online, with what New-MigrationEndpoint takes for it.
    #[serde(rename = "Microsoft365", default)]
    microsoft_365: bool,
    /// Gmail of an organisation, with what New-MigrationEndpoint takes for it.
    #[serde(default)]
    google_workspace: bool,
    /// The same as GoogleWorkspace: Exchange's word.
    #[serde(default)]
    gmail: bool,
    /// The host of the IMAP server; that of the service with Microsoft365 and GoogleWorkspace.
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
    /// The only sign-in mechanism: SCRAM-SHA-256, SCRAM-SHA-1, CRAM-MD5, PLAIN or LOGIN; the strongest that works if
    /// not given.
    auth_mechanism: Option<String>,
    /// A mailbox that is to be opened too: with an access token, or by the administrator, as its owner logs in. The form that the
    /// server takes is found: each is tried once at most.
    test_mailbox: Option<String>,
    /// The organisation at Microsoft, by GUID or domain.
    tenant_id: Option<String>,
    /// The application, as the authorization server knows it.
    application_id: Option<String>,
    /// The application's secret.
    client_secret: Option<SecretText>,
    /// A file (PEM) with the application's certificate and its private key.
    certificate_file: Option<Bytes>,
    /// A file (JSON) with the key of a service account of Google.
    service_account_key_file_data: Option<Bytes>,
    /// One access token.
    access_token: Option<SecretText>,
    /// The authorization server, where it is not the service's public one.
    authority_url: Option<String>,
    /// The token endpoint, where it does not follow from AuthorityUrl.
    token_url: Option<String>,
    /// For what a token is to be good, where it is not what the service wants.
    scope: Option<String>,
    /// Shows how the other side is set up, also where all went well: an administrator's commands for Microsoft 365 or Google
    /// Workspace.
    #[serde(default)]
    show_instructions: bool,
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
        caller: &Caller,
        mut request: Request,
    ) -> Result<Answer<MigrationServerAvailability>, Failure> {
        let (credential, mailbox) = (request.credential.take(), request.test_mailbox.take());
        let (connections, with_instructions) = (request.test_connections, request.show_instructions);
        if connections && credential.is_none() && mailbox.is_none() {
            return Err(Failure::invalid(
                "TestConnections needs Credential or TestMailbox: somebody has to log in",
            ));
        }
        let (endpoint, name, login) = if let Some(identity) = request.endpoint.take() {
            request.is_alone()?;
            let endpoint = context.store.endpoint(&identity).await.map_err(told)?;
            let login = thorough_login(context, &endpoint, credential, mailbox).await?;
            let name = endpoint.name.clone();
            (endpoint, Some(name), login)
        } else {
            let (endpoint, secret) = request.server(reach::reach_of(caller))?;
            reach::check(&endpoint)?;
            let login = match endpoint.access.oauth() {
                Some(_) if credential.is_some() => {
                    return Err(Failure::invalid(
                        "either Credential or an access token can be tried, not both",
                    ));
                }
                Some(_) => new_bearer(&endpoint, secret.as_ref(), mailbox),
                None => thorough_login(context, &endpoint, credential, mailbox).await?,
            };
            (endpoint, None, login)
        };
        let question = thorough(&endpoint, name.as_deref(), login, connections);
        Ok(Answer::one(try_out(&endpoint, name, question, with_instructions).await))
    }
}

impl Request {
    /// An endpoint has settings of its own.
    fn is_alone(&self) -> Result<(), Failure> {
        let others = [
            ("IMAP", self.imap),
            ("Microsoft365", self.microsoft_365),
            ("GoogleWorkspace", self.google_workspace),
            ("Gmail", self.gmail),
            ("TenantId", self.tenant_id.is_some()),
            ("ApplicationId", self.application_id.is_some()),
            ("ClientSecret", self.client_secret.is_some()),
            ("CertificateFile", self.certificate_file.is_some()),
            ("ServiceAccountKeyFileData", self.service_account_key_file_data.is_some()),
            ("AccessToken", self.access_token.is_some()),
            ("AuthorityUrl", self.authority_url.is_some()),
            ("TokenUrl", self.token_url.is_some()),
            ("Scope", self.scope.is_some()),
            ("AuthMechanism", self.auth_mechanism.is_some()),
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

    /// The server as an endpoint that is never kept, and its secret.
    fn server(self, reach: Reach) -> Result<(Endpoint, Option<Secret>), Failure> {
        Authentication::check(self.authentication)?;
        let kinds = Kinds {
            imap: self.imap,
            microsoft_365: self.microsoft_365,
            google_workspace: self.google_workspace,
            gmail: self.gmail,
        };
        let endpoint_type = kinds.endpoint_type()?;
        let known = Preset::of(endpoint_type);
        let Some(server) = self.remote_server.as_deref().or(known.map(|it| it.remote_server)) else {
            return Err(Failure::invalid("RemoteServer or Endpoint must be given"));
        };
        let security = self.security.or(known.map(|it| it.security)).unwrap_or_default();
        let authorities = self.certificate_authorities.as_ref().map(settings::authorities);
        let (access, secret) = new_access(
            endpoint_type,
            AccessParameters {
                tenant_id: self.tenant_id,
                application_id: self.application_id,
                client_secret: self.client_secret,
                certificate_file: self.certificate_file,
                service_account_key_file_data: self.service_account_key_file_data,
                access_token: self.access_token,
                authority_url: self.authority_url,
                token_url: self.token_url,
                scope: self.scope,
                ..AccessParameters::default()
            },
        )?;
        let endpoint = Endpoint {
            guid: Guid::nil(),
            name: server.to_owned(),
            endpoint_type,
            remote_server: settings::host(server)?,
            port: self.port.unwrap_or_else(|| settings::usual_port(security)),
            security,
            accept_untrusted_certificates: self.accept_untrusted_certificates,
            certificate_authorities: authorities.transpose()?,
            certificate_sha256: self.certificate_sha256.as_deref().map(settings::fingerprint).transpose()?,
            max_concurrent_migrations: Limit::Unlimited,
            max_concurrent_incremental_syncs: Limit::Unlimited,
            server_profile: known.map(|it| it.server_profile.to_owned()),
            auth_mechanism: self.auth_mechanism.as_deref().map(settings::auth_mechanism).transpose()?,
            reach,
            rates: Rates::default(),
            access,
            gmail_api: None,
            created: jiff::Timestamp::UNIX_EPOCH,
            modified: jiff::Timestamp::UNIX_EPOCH,
        };
        Ok((endpoint, secret))
    }
}
