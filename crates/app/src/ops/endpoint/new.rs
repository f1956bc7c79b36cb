//! New-MigrationEndpoint.

use jiff::Timestamp;
use mailhaul_mail::Secret;
use mailhaul_migration::{
    DEFAULT_MAX_CONCURRENT_INCREMENTAL_SYNCS, DEFAULT_MAX_CONCURRENT_MIGRATIONS, Endpoint, Guid, Limit, Rates,
};
use mailhaul_operations::{Answer, Caller, Credential, Failure, Noun, Operation, Role, Verb};
use schemars::JsonSchema;
use serde::Deserialize;

use super::{
    access::{AccessParameters, Kinds, SavedTokenParameters, TokenParameters, gmail_api, here_alone},
    reach,
    server::ServerParameters,
    settings,
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
    #[serde(flatten)]
    kinds: Kinds,
    #[serde(flatten)]
    server: ServerParameters,
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
    #[serde(flatten)]
    tokens: TokenParameters,
    #[serde(flatten)]
    saved: SavedTokenParameters,
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
        here_alone(caller, request.saved.token_command.is_some())?;
        let (endpoint, secret) = endpoint(request, caller, context.now())?;
        reach::check(&endpoint)?;
        if !skip_verification {
            settings::verify(&endpoint, secret.as_ref(), mailbox).await?;
        }
        let endpoint = context.store.endpoints().insert(endpoint, secret).await.map_err(into_failure)?;
        Ok(Answer::one(MigrationEndpoint::of(endpoint, &Active::default())))
    }
}

/// Builds the endpoint and its secret from the request.
fn endpoint(
    request: Request,
    caller: &Caller,
    now: Timestamp,
) -> Result<(Endpoint, Option<Secret>), Failure> {
    let endpoint_type = request.kinds.endpoint_type()?;
    let migrations = request.max_concurrent_migrations.unwrap_or(DEFAULT_MAX_CONCURRENT_MIGRATIONS);
    let incremental = request
        .max_concurrent_incremental_syncs
        .unwrap_or_else(|| DEFAULT_MAX_CONCURRENT_INCREMENTAL_SYNCS.min(migrations));
    settings::check_limits(migrations, incremental)?;
    let access = AccessParameters {
        credential: request.credential,
        user_name_template: request.user_name_template,
        tokens: request.tokens,
        saved: request.saved,
    };
    let (server, secret) = request.server.endpoint(endpoint_type, access, reach::reach_of(caller))?;
    let endpoint = Endpoint {
        guid: Guid::new_v4(),
        name: settings::name(&request.name)?,
        max_concurrent_migrations: migrations,
        max_concurrent_incremental_syncs: incremental,
        server_profile: match &request.server_profile {
            Some(name) => Some(settings::server_profile(name)?),
            None => server.server_profile,
        },
        auth_mechanism: request.auth_mechanism.as_deref().map(settings::auth_mechanism).transpose()?,
        rates: Rates {
            messages_per_second: request.messages_per_second,
            bytes_per_second: request.bytes_per_second,
            bytes_per_day: request.bytes_per_day,
            mailbox_bytes_per_day: request.mailbox_bytes_per_day,
        },
        gmail_api: gmail_api(endpoint_type, request.gmail_api, request.gmail_api_url.as_deref())?,
        created: now,
        modified: now,
        ..server
    };
    Ok((endpoint, secret))
}
