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
    availability::{new_bearer, run_test, thorough, thorough_login},
    availability_view::MigrationServerAvailability,
    reach,
    settings::{self, Authentication},
};
use crate::{
    context::Context,
    ops::shared::{failures::into_failure, nouns::SERVER_AVAILABILITY},
};

pub(crate) struct TestMigrationServerAvailability;

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
#[expect(clippy::struct_excessive_bools, reason = "each is a switch of the cmdlet")]
pub(crate) struct Request {
    /// Any IMAP server [default if no other type is given].
    #[serde(rename = "IMAP", default)]
    imap: bool,
    /// Exchange Online, with the parameters of New-MigrationEndpoint.
    #[serde(rename = "Microsoft365", default)]
    microsoft_365: bool,
    /// Gmail of an organisation, with the parameters of New-MigrationEndpoint.
    #[serde(default)]
    google_workspace: bool,
    /// The same as GoogleWorkspace (Exchange's name).
    #[serde(default)]
    gmail: bool,
    /// Host of the IMAP server [preset for Microsoft365 and GoogleWorkspace].
    remote_server: Option<String>,
    /// TCP port [default: 993 with Ssl, 143 with Tls or None].
    #[schemars(range(min = 1))]
    port: Option<u16>,
    /// Encryption of the connection [default: Ssl].
    security: Option<EndpointSecurity>,
    /// Sign-in method of users.
    authentication: Option<Authentication>,
    /// Accepts any certificate.
    #[serde(default)]
    accept_untrusted_certificates: bool,
    /// PEM file of certificate authorities, trusted instead of the system's.
    certificate_authorities: Option<Bytes>,
    /// SHA-256 of the only accepted certificate.
    certificate_sha256: Option<String>,
    /// Endpoint whose settings are tested, instead of a server.
    endpoint: Option<String>,
    /// Login of a user to test; with TestMailbox, an administrator.
    credential: Option<Credential>,
    /// Only sign-in mechanism to use [default: the strongest that works].
    ///
    /// SCRAM-SHA-256, SCRAM-SHA-1, CRAM-MD5, PLAIN or LOGIN.
    auth_mechanism: Option<String>,
    /// Mailbox to open, with an access token or as the administrator.
    ///
    /// Give the user name with which the owner of the mailbox signs in. The test finds the login
    /// form that the server accepts; it tries each form at most once.
    test_mailbox: Option<String>,
    /// Microsoft tenant, by GUID or domain.
    tenant_id: Option<String>,
    /// Application (client) id at the authorization server.
    application_id: Option<String>,
    /// Secret of the application.
    client_secret: Option<SecretText>,
    /// PEM file with the application's certificate and private key.
    certificate_file: Option<Bytes>,
    /// JSON key file of a Google service account.
    service_account_key_file_data: Option<Bytes>,
    /// One access token.
    access_token: Option<SecretText>,
    /// Authorization server [default: the public one of the service].
    authority_url: Option<String>,
    /// Token endpoint [default: derived from AuthorityUrl].
    token_url: Option<String>,
    /// Scope of the access token [default: what the service needs].
    scope: Option<String>,
    /// Shows the setup commands of the server's side even if the test succeeds.
    ///
    /// For Microsoft 365 and Google Workspace.
    #[serde(default)]
    show_instructions: bool,
    /// Opens connections until the server refuses one [max: 16].
    ///
    /// For an endpoint, the maximum is MaxConcurrentMigrations. Warning: some servers lock such
    /// clients out for a while.
    #[serde(default)]
    test_connections: bool,
}

impl Operation<Context> for TestMigrationServerAvailability {
    const VERB: Verb = Verb::Test;
    const NOUN: Noun = SERVER_AVAILABILITY;
    const ROLE: Role = Role::Operator;
    const ABOUT: &'static str = "Tests a mail server step by step (DNS, TCP, TLS, sign-in, mailbox) and shows its features. \
        If you give a login, it also measures the speed; with TestMailbox, it finds the administrator's login form. \
        Changes nothing.";
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
                "TestConnections needs Credential or TestMailbox, because it signs in",
            ));
        }
        let (endpoint, name, login) = if let Some(identity) = request.endpoint.take() {
            request.is_alone()?;
            let endpoint = context.store.endpoint(&identity).await.map_err(into_failure)?;
            let login = thorough_login(context, &endpoint, credential, mailbox).await?;
            let name = endpoint.name.clone();
            (endpoint, Some(name), login)
        } else {
            let (endpoint, secret) = request.server(reach::reach_of(caller))?;
            reach::check(&endpoint)?;
            let login = match endpoint.access.oauth() {
                Some(_) if credential.is_some() => {
                    return Err(Failure::invalid(
                        "either Credential or an access token can be tested, not both",
                    ));
                }
                Some(_) => new_bearer(&endpoint, secret.as_ref(), mailbox),
                None => thorough_login(context, &endpoint, credential, mailbox).await?,
            };
            (endpoint, None, login)
        };
        let question = thorough(&endpoint, name.as_deref(), login, connections);
        Ok(Answer::one(run_test(&endpoint, name, question, with_instructions).await))
    }
}

impl Request {
    /// Refuses server parameters beside Endpoint, which has its own settings.
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

    /// Builds an endpoint that is not saved, and its secret.
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
