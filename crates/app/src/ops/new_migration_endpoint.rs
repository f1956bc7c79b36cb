//! New-MigrationEndpoint.

use jiff::Timestamp;
use mailhaul_mail::Secret;
use mailhaul_migration::{
    DEFAULT_MAX_CONCURRENT_INCREMENTAL_SYNCS, DEFAULT_MAX_CONCURRENT_MIGRATIONS, Endpoint, EndpointSecurity,
    Guid, Limit, Rates,
};
use mailhaul_operations::{
    Answer, Bytes, Caller, Credential, Failure, Noun, Operation, Role, SecretText, Verb,
};
use schemars::JsonSchema;
use serde::Deserialize;

use super::{
    access::{AccessParameters, Kinds, Preset, gmail_api, here_alone, new_access},
    endpoint_settings::{self as settings, Authentication},
    failures::{told, unsupported},
    nouns::ENDPOINT,
    reach,
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
    /// Any IMAP server, as every endpoint is where nothing else is said.
    #[serde(rename = "IMAP", default)]
    imap: bool,
    /// Exchange Online: its address, peculiarities and limits are known, and mailboxes are opened with access tokens.
    #[serde(rename = "Microsoft365", default)]
    microsoft_365: bool,
    /// Gmail of an organisation: its address, peculiarities and limits are known, and mailboxes are opened with access tokens.
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
    /// The only sign-in mechanism: SCRAM-SHA-256, SCRAM-SHA-1, CRAM-MD5, PLAIN or LOGIN; the strongest that works if
    /// not given.
    auth_mechanism: Option<String>,
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
    /// The application, as the authorization server knows it. With neither secret nor certificate somebody signs in with
    /// `mailhaul login`.
    application_id: Option<String>,
    /// The application's secret.
    client_secret: Option<SecretText>,
    /// A file (PEM) with the application's certificate and its private key.
    certificate_file: Option<Bytes>,
    /// A file (JSON) with the key of a service account of Google, to which the organisation has delegated.
    service_account_key_file_data: Option<Bytes>,
    /// A refresh token of somebody who signed in elsewhere.
    refresh_token: Option<SecretText>,
    /// A program, by its full path, and its arguments: it prints an access token; {user} is the mailbox. Only on the
    /// machine itself.
    token_command: Option<Vec<String>>,
    /// One access token, for a test: it is used until it ends.
    access_token: Option<SecretText>,
    /// The authorization server, where it is not the service's public one: that of a national cloud.
    authority_url: Option<String>,
    /// The token endpoint, where it does not follow from AuthorityUrl.
    token_url: Option<String>,
    /// Where a device asks for a code, where it does not follow from AuthorityUrl.
    device_url: Option<String>,
    /// For what a token is to be good, where it is not what the service wants.
    scope: Option<String>,
    /// Uploads messages to Gmail by its API, and not by IMAP, of which Gmail takes 500 MB a day for each user.
    #[serde(default)]
    gmail_api: bool,
    /// The address of Gmail's API, where it is not Google's public one.
    gmail_api_url: Option<String>,
    /// A mailbox that is opened to try the endpoint.
    test_mailbox: Option<String>,
    /// The same as TestMailbox: Exchange's word with Gmail.
    email_address: Option<String>,
    /// Keeps the endpoint without connecting to its server.
    #[serde(default)]
    skip_verification: bool,
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
        caller: &Caller,
        request: Request,
    ) -> Result<Answer<MigrationEndpoint>, Failure> {
        const IMAP_ONLY: &str = "Mail is moved by IMAP: give -IMAP, -Microsoft365 or -GoogleWorkspace.";
        unsupported(&[
            ("ExchangeOutlookAnywhere", request.exchange_outlook_anywhere, IMAP_ONLY),
            ("ExchangeRemoteMove", request.exchange_remote_move, IMAP_ONLY),
            ("PublicFolder", request.public_folder, IMAP_ONLY),
        ])?;
        let skip_verification = request.skip_verification;
        let mailbox = match (request.test_mailbox.clone(), request.email_address.clone()) {
            (Some(_), Some(_)) => {
                return Err(Failure::invalid("either TestMailbox or EmailAddress can be given, not both"));
            }
            (mailbox, address) => mailbox.or(address),
        };
        here_alone(caller, request.token_command.is_some())?;
        let (endpoint, secret) = endpoint(request, caller, context.now())?;
        reach::check(&endpoint)?;
        if !skip_verification {
            settings::verify(&endpoint, secret.as_ref(), mailbox).await?;
        }
        let endpoint = context.store.insert_endpoint(endpoint, secret).await.map_err(told)?;
        Ok(Answer::one(MigrationEndpoint::of(endpoint, &Active::default())))
    }
}

/// The endpoint that is asked for, and its secret.
fn endpoint(
    request: Request,
    caller: &Caller,
    now: Timestamp,
) -> Result<(Endpoint, Option<Secret>), Failure> {
    Authentication::check(request.authentication)?;
    let kinds = Kinds {
        imap: request.imap,
        microsoft_365: request.microsoft_365,
        google_workspace: request.google_workspace,
        gmail: request.gmail,
    };
    let endpoint_type = kinds.endpoint_type()?;
    let known = Preset::of(endpoint_type);
    let security = request.security.or(known.map(|it| it.security)).unwrap_or_default();
    // The known port is that of the known security.
    let known_port = known.filter(|it| it.security == security).map(|it| it.port);
    let server = request.remote_server.or_else(|| known.map(|it| it.remote_server.to_owned()));
    let server = server.ok_or_else(|| Failure::invalid("RemoteServer must be given"))?;
    let migrations = request.max_concurrent_migrations.unwrap_or(DEFAULT_MAX_CONCURRENT_MIGRATIONS);
    let incremental = request
        .max_concurrent_incremental_syncs
        .unwrap_or_else(|| DEFAULT_MAX_CONCURRENT_INCREMENTAL_SYNCS.min(migrations));
    settings::check_limits(migrations, incremental)?;
    let (access, secret) = new_access(
        endpoint_type,
        AccessParameters {
            credential: request.credential,
            user_name_template: request.user_name_template,
            tenant_id: request.tenant_id,
            application_id: request.application_id,
            client_secret: request.client_secret,
            certificate_file: request.certificate_file,
            service_account_key_file_data: request.service_account_key_file_data,
            refresh_token: request.refresh_token,
            access_token: request.access_token,
            token_command: request.token_command,
            authority_url: request.authority_url,
            token_url: request.token_url,
            device_url: request.device_url,
            scope: request.scope,
        },
    )?;
    let authorities = request.certificate_authorities.as_ref().map(settings::authorities);
    let fingerprint = request.certificate_sha256.as_deref().map(settings::fingerprint);
    let profile = match &request.server_profile {
        Some(name) => Some(settings::server_profile(name)?),
        None => known.map(|it| it.server_profile.to_owned()),
    };
    let endpoint = Endpoint {
        guid: Guid::new_v4(),
        name: settings::name(&request.name)?,
        endpoint_type,
        remote_server: settings::host(&server)?,
        port: request.port.or(known_port).unwrap_or_else(|| settings::usual_port(security)),
        security,
        accept_untrusted_certificates: request.accept_untrusted_certificates,
        certificate_authorities: authorities.transpose()?,
        certificate_sha256: fingerprint.transpose()?,
        max_concurrent_migrations: migrations,
        max_concurrent_incremental_syncs: incremental,
        server_profile: profile,
        auth_mechanism: request.auth_mechanism.as_deref().map(settings::auth_mechanism).transpose()?,
        reach: reach::reach_of(caller),
        rates: Rates {
            messages_per_second: request.messages_per_second,
            bytes_per_second: request.bytes_per_second,
            bytes_per_day: request.bytes_per_day,
            mailbox_bytes_per_day: request.mailbox_bytes_per_day,
        },
        access,
        gmail_api: gmail_api(endpoint_type, request.gmail_api, request.gmail_api_url.as_deref())?,
        created: now,
        modified: now,
    };
    Ok((endpoint, secret))
}
