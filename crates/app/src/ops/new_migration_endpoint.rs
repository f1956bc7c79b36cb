//! New-MigrationEndpoint.

use mailhaul_migration::{
    Access, DEFAULT_MAX_CONCURRENT_INCREMENTAL_SYNCS, DEFAULT_MAX_CONCURRENT_MIGRATIONS, Endpoint,
    EndpointSecurity, EndpointType, Grant, Guid, Limit, OAuth, Rates,
};
use mailhaul_operations::{Answer, Bytes, Caller, Credential, Failure, Noun, Operation, Role, Verb};
use schemars::JsonSchema;
use serde::Deserialize;

use super::{
    endpoint_settings::{self as settings, Authentication},
    failures::{told, unsupported},
    nouns::ENDPOINT,
    views::{Active, MigrationEndpoint},
};
use crate::context::Context;

/// Makes an endpoint.
pub(crate) struct NewMigrationEndpoint;

/// What it takes.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
#[expect(clippy::struct_excessive_bools, reason = "each is a switch of the cmdlet")]
pub(crate) struct Request {
    /// The endpoint's name.
    name: String,
    /// An IMAP server, as every endpoint is.
    #[serde(rename = "IMAP", default)]
    #[expect(dead_code, reason = "it goes without saying")]
    imap: bool,
    /// Exchange Online: its address, peculiarities and limits are known.
    #[serde(rename = "Microsoft365", default)]
    microsoft_365: bool,
    /// The host of the IMAP server; that of Exchange Online with Microsoft365.
    remote_server: Option<String>,
    /// The TCP port: 993 with Ssl and 143 with Tls or None, where nothing else is said.
    #[schemars(range(min = 1))]
    port: Option<u16>,
    /// How the connection is secured; Ssl where nothing is said.
    security: Option<EndpointSecurity>,
    /// How users prove who they are.
    authentication: Option<Authentication>,
    /// Takes any certificate: whoever stands between reads passwords and mail.
    #[serde(default)]
    accept_untrusted_certificates: bool,
    /// A file of certificates (PEM) of authorities that are trusted in place of the system's.
    certificate_authorities: Option<Bytes>,
    /// The SHA-256 of the only certificate that is taken: 64 hexadecimal digits, with or without colons.
    certificate_sha256: Option<String>,
    /// Mailboxes under way at once; 20 where nothing is said.
    max_concurrent_migrations: Option<Limit>,
    /// Of these, mailboxes in a later pass; 10 where nothing is said, never above MaxConcurrentMigrations.
    max_concurrent_incremental_syncs: Option<Limit>,
    /// The profile of the server, by which its peculiarities are known; recognised by what the server says where nothing is
    /// given.
    server_profile: Option<String>,
    /// Messages in a second at most, read and written, over all mailboxes; the profile's where nothing is said.
    #[schemars(range(min = 1))]
    messages_per_second: Option<u64>,
    /// Octets in a second at most, over all mailboxes; the profile's where nothing is said.
    #[schemars(range(min = 1))]
    bytes_per_second: Option<u64>,
    /// Octets in 24 hours at most, over all mailboxes; the profile's where nothing is said.
    #[schemars(range(min = 1))]
    bytes_per_day: Option<u64>,
    /// Octets in 24 hours at most, for each mailbox; the profile's where nothing is said.
    #[schemars(range(min = 1))]
    mailbox_bytes_per_day: Option<u64>,
    /// An administrator who opens every mailbox, in place of each user's own login.
    credential: Option<Credential>,
    /// How the administrator's login names the mailbox, such as {user}*{admin}, or PROXYAUTH; without it the SASL
    /// authorization identity does.
    user_name_template: Option<String>,
    /// The organisation at Microsoft, by GUID or domain.
    tenant_id: Option<String>,
    /// The application, as the authorization server knows it.
    application_id: Option<String>,
    /// A file with the application's secret.
    client_secret: Option<Bytes>,
    /// The authorization server, where it is not Microsoft's public one.
    authority_url: Option<String>,
    /// The token endpoint of any other authorization server.
    token_url: Option<String>,
    /// For what a token is to be good.
    scope: Option<String>,
    /// Keeps the endpoint without connecting to its server.
    #[serde(default)]
    skip_verification: bool,
    /// Not supported.
    #[serde(default)]
    gmail: bool,
    /// Not supported.
    #[serde(default)]
    exchange_outlook_anywhere: bool,
    /// Not supported.
    #[serde(default)]
    exchange_remote_move: bool,
    /// Not supported.
    #[serde(default)]
    public_folder: bool,
}

impl Operation<Context> for NewMigrationEndpoint {
    const VERB: Verb = Verb::New;
    const NOUN: Noun = ENDPOINT;
    const ROLE: Role = Role::Operator;
    const ABOUT: &'static str =
        "Makes an endpoint: a mail server, and how many mailboxes may be under way there at once.";
    const VIEW: &'static [&'static str] = &["Identity", "EndpointType", "RemoteServer", "Port", "Security"];

    type Request = Request;
    type Response = MigrationEndpoint;

    async fn run(
        context: &Context,
        _caller: &Caller,
        request: Request,
    ) -> Result<Answer<MigrationEndpoint>, Failure> {
        const IMAP_ONLY: &str = "Endpoints are IMAP servers: give -IMAP, -RemoteServer, -Port and -Security.";
        unsupported(&[
            (
                "Gmail",
                request.gmail,
                "Gmail speaks IMAP: give -IMAP -RemoteServer imap.gmail.com -Port 993 -Security Ssl, and passwords for \
                 applications in the CSV file.",
            ),
            ("ExchangeOutlookAnywhere", request.exchange_outlook_anywhere, IMAP_ONLY),
            ("ExchangeRemoteMove", request.exchange_remote_move, IMAP_ONLY),
            ("PublicFolder", request.public_folder, IMAP_ONLY),
        ])?;
        Authentication::check(request.authentication)?;
        let security = request.security.unwrap_or_default();
        let migrations = request.max_concurrent_migrations.unwrap_or(DEFAULT_MAX_CONCURRENT_MIGRATIONS);
        let incremental = request
            .max_concurrent_incremental_syncs
            .unwrap_or_else(|| DEFAULT_MAX_CONCURRENT_INCREMENTAL_SYNCS.min(migrations));
        settings::check_limits(migrations, incremental)?;
        let (endpoint_type, server, profile) = match (request.microsoft_365, request.remote_server) {
            (true, server) => (
                EndpointType::Microsoft365,
                server.unwrap_or_else(|| "outlook.office365.com".to_owned()),
                Some("Microsoft 365".to_owned()),
            ),
            (false, Some(server)) => (EndpointType::Imap, server, None),
            (false, None) => return Err(Failure::invalid("RemoteServer must be given")),
        };
        let (access, secret) = match (request.credential, request.user_name_template) {
            (Some(credential), template) => settings::admin(credential, template.as_deref())
                .map(|(it, password)| (Access::Admin(it), Some(password)))?,
            (None, None) => match (request.application_id, request.client_secret) {
                (Some(client_id), Some(secret)) => {
                    let tenant = request.tenant_id.unwrap_or_default();
                    let authority = request.authority_url;
                    let authority = authority.as_deref().unwrap_or("https://login.microsoftonline.com");
                    let token_url = format!("{authority}/{tenant}/oauth2/v2.0/token");
                    let oauth = OAuth {
                        grant: Grant::ClientSecret,
                        token_url: request.token_url.unwrap_or(token_url),
                        device_url: String::new(),
                        client_id,
                        scope: request.scope.unwrap_or_default(),
                        tenant: Some(tenant),
                    };
                    let secret = secret.trim_ascii_end();
                    (Access::OAuth(oauth), Some(mailhaul_mail::Secret::new(secret)))
                }
                _ => (Access::Users, None),
            },
            (None, Some(_)) => {
                return Err(Failure::invalid(
                    "UserNameTemplate needs Credential, the administrator whom it names",
                ));
            }
        };
        let now = context.now();
        let endpoint = Endpoint {
            guid: Guid::new_v4(),
            name: settings::name(&request.name)?,
            endpoint_type,
            remote_server: settings::host(&server)?,
            port: request.port.unwrap_or_else(|| settings::usual_port(security)),
            security,
            accept_untrusted_certificates: request.accept_untrusted_certificates,
            certificate_authorities: request
                .certificate_authorities
                .as_ref()
                .map(settings::authorities)
                .transpose()?,
            certificate_sha256: request
                .certificate_sha256
                .as_deref()
                .map(settings::fingerprint)
                .transpose()?,
            max_concurrent_migrations: migrations,
            max_concurrent_incremental_syncs: incremental,
            server_profile: match &request.server_profile {
                Some(name) => Some(settings::server_profile(name)?),
                None => profile,
            },
            rates: Rates {
                messages_per_second: request.messages_per_second,
                bytes_per_second: request.bytes_per_second,
                bytes_per_day: request.bytes_per_day,
                mailbox_bytes_per_day: request.mailbox_bytes_per_day,
            },
            access,
            gmail_api: None,
            created: now,
            modified: now,
        };
        if !request.skip_verification {
            settings::verify(&endpoint).await?;
        }
        let endpoint = context.store.insert_endpoint(endpoint, secret).await.map_err(told)?;
        Ok(Answer::one(MigrationEndpoint::of(endpoint, &Active::default())))
    }
}
