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
    reach,
    settings::{self, Authentication},
    view::{Active, MigrationEndpoint},
};
use crate::{
    context::Context,
    ops::shared::{
        failures::{into_failure, unsupported},
        nouns::ENDPOINT,
    },
};

pub(crate) struct NewMigrationEndpoint;

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
#[expect(clippy::struct_excessive_bools, reason = "each is a switch of the cmdlet")]
pub(crate) struct Request {
    /// Unique name of the endpoint.
    name: String,
    /// Any IMAP server [default if no other type is given].
    #[serde(rename = "IMAP", default)]
    imap: bool,
    /// Exchange Online.
    ///
    /// Address, quirks and limits are preset; access tokens open the mailboxes.
    #[serde(rename = "Microsoft365", default)]
    microsoft_365: bool,
    /// Gmail of a Google Workspace organisation.
    ///
    /// Address, quirks and limits are preset; access tokens open the mailboxes.
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
    /// Accepts any certificate. An attacker on the network can read passwords and mail.
    #[serde(default)]
    accept_untrusted_certificates: bool,
    /// PEM file of certificate authorities, trusted instead of the system's.
    certificate_authorities: Option<Bytes>,
    /// SHA-256 of the only accepted certificate (64 hexadecimal digits, colons allowed).
    certificate_sha256: Option<String>,
    /// Maximum number of active mailboxes, or unlimited [default: 20].
    max_concurrent_migrations: Option<Limit>,
    /// Maximum number of mailboxes in an incremental sync [default: 10].
    ///
    /// They count against MaxConcurrentMigrations too.
    max_concurrent_incremental_syncs: Option<Limit>,
    /// Server profile, which selects quirks and limits [default: detected].
    server_profile: Option<String>,
    /// Only sign-in mechanism to use [default: the strongest that works].
    ///
    /// SCRAM-SHA-256, SCRAM-SHA-1, CRAM-MD5, PLAIN or LOGIN.
    auth_mechanism: Option<String>,
    /// Maximum messages per second over all mailboxes, read and written [default: none].
    ///
    /// If it is set, the profile's messages per second of each mailbox do not apply.
    #[schemars(range(min = 1))]
    messages_per_second: Option<u64>,
    /// Maximum bytes per second over all mailboxes [default: none].
    #[schemars(range(min = 1))]
    bytes_per_second: Option<u64>,
    /// Maximum bytes in 24 hours over all mailboxes [default: none].
    ///
    /// The limit of each mailbox (MailboxBytesPerDay) applies too.
    #[schemars(range(min = 1))]
    bytes_per_day: Option<u64>,
    /// Maximum bytes in 24 hours for each mailbox [default: the profile's].
    #[schemars(range(min = 1))]
    mailbox_bytes_per_day: Option<u64>,
    /// Administrator login that opens every mailbox, instead of the users' logins.
    credential: Option<Credential>,
    /// Form of the administrator's login, for example {user}*{admin}, or PROXYAUTH.
    ///
    /// Without it, the SASL authorization identity names the mailbox.
    user_name_template: Option<String>,
    /// Microsoft tenant, by GUID or domain.
    tenant_id: Option<String>,
    /// Application (client) id at the authorization server.
    ///
    /// Without secret and certificate, a user signs in with `mailhaul login`.
    application_id: Option<String>,
    /// Secret of the application.
    client_secret: Option<SecretText>,
    /// PEM file with the application's certificate and private key.
    certificate_file: Option<Bytes>,
    /// JSON key file of a Google service account with domain-wide delegation.
    service_account_key_file_data: Option<Bytes>,
    /// Refresh token of a user who signed in elsewhere.
    refresh_token: Option<SecretText>,
    /// Program (absolute path) and arguments; it prints an access token.
    ///
    /// {user} becomes the mailbox. Can be set only on the service's machine.
    token_command: Option<Vec<String>>,
    /// One access token, for a test; used until it expires.
    access_token: Option<SecretText>,
    /// Authorization server [default: the public one of the service].
    ///
    /// Needed for national clouds.
    authority_url: Option<String>,
    /// Token endpoint [default: derived from AuthorityUrl].
    token_url: Option<String>,
    /// Device authorization endpoint [default: derived from AuthorityUrl].
    device_url: Option<String>,
    /// Scope of the access token [default: what the service needs].
    scope: Option<String>,
    /// Uploads messages through the Gmail API instead of IMAP.
    ///
    /// By IMAP, Gmail accepts 500 MB a day for each user.
    #[serde(default)]
    gmail_api: bool,
    /// URL of the Gmail API [default: Google's public one].
    gmail_api_url: Option<String>,
    /// Mailbox that is opened to test the endpoint.
    test_mailbox: Option<String>,
    /// The same as TestMailbox (Exchange's name for Gmail).
    email_address: Option<String>,
    /// Saves the endpoint without connecting to its server.
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
    const ABOUT: &'static str = "Makes an endpoint: a mail server with its login and limits.";
    const VIEW: &'static [&'static str] = &["Identity", "EndpointType", "RemoteServer", "Port", "Security"];

    type Request = Request;
    type Response = MigrationEndpoint;

    async fn run(
        context: &Context,
        caller: &Caller,
        request: Request,
    ) -> Result<Answer<MigrationEndpoint>, Failure> {
        const IMAP_ONLY: &str = "mailhaul moves mail by IMAP: give -IMAP, -Microsoft365 or -GoogleWorkspace.";
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
        let endpoint = context.store.insert_endpoint(endpoint, secret).await.map_err(into_failure)?;
        Ok(Answer::one(MigrationEndpoint::of(endpoint, &Active::default())))
    }
}

/// Builds the endpoint and its secret from the request.
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
    // The preset port belongs to the preset security.
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
