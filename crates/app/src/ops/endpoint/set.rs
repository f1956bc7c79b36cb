//! Set-MigrationEndpoint.

use mailhaul_mail::Secret;
use mailhaul_migration::{Access, AdminForm, Endpoint, EndpointSecurity, EndpointType, Limit};
use mailhaul_operations::{Answer, Bytes, Caller, Change, Credential, Failure, Noun, Operation, Role, Verb};
use mailhaul_store::{NewSecret, SecretName, Store};
use schemars::JsonSchema;
use serde::Deserialize;

use super::{
    access::{
        AccessParameters, SavedTokenParameters, TokenParameters, changed_access, gmail_api, here_alone,
    },
    reach, redirection,
    settings::{self, Authentication},
    view::{Active, MigrationEndpoint},
};
use crate::{
    context::Context,
    ops::shared::{
        failures::{at_least_one, into_failure},
        nouns::ENDPOINT,
    },
};

/// Advice about a limit of 0.
const WITHOUT_RATE: &str = "With $null, the endpoint has no such limit, or that of its profile.";

pub(crate) struct SetMigrationEndpoint;

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub(crate) struct Request {
    /// Name or GUID of the endpoint.
    identity: String,
    /// Host of the IMAP server.
    remote_server: Option<String>,
    /// TCP port.
    #[schemars(range(min = 1))]
    port: Option<u16>,
    /// Encryption of the connection. It does not change the port.
    security: Option<EndpointSecurity>,
    /// Sign-in method of users.
    authentication: Option<Authentication>,
    /// Accepts any certificate. An attacker on the network can read passwords and mail.
    accept_untrusted_certificates: Option<bool>,
    /// PEM file of certificate authorities, trusted instead of the system's.
    #[serde(default)]
    certificate_authorities: Change<Bytes>,
    /// SHA-256 of the only accepted certificate.
    #[serde(default)]
    certificate_sha256: Change<String>,
    /// Maximum number of active mailboxes, or unlimited. Takes effect immediately.
    ///
    /// If more mailboxes are active, the surplus ones finish the messages in transfer and wait again.
    max_concurrent_migrations: Option<Limit>,
    /// Maximum number of mailboxes in an incremental sync.
    ///
    /// They count against MaxConcurrentMigrations too.
    max_concurrent_incremental_syncs: Option<Limit>,
    /// Server profile, which selects quirks and limits; $null detects it.
    #[serde(default)]
    server_profile: Change<String>,
    /// Only sign-in mechanism to use; $null for the strongest that works.
    #[serde(default)]
    auth_mechanism: Change<String>,
    /// Maximum messages per second over all mailboxes, read and written; $null for none.
    ///
    /// If it is set, the profile's messages per second of each mailbox do not apply.
    #[serde(default)]
    messages_per_second: Change<u64>,
    /// Maximum bytes per second over all mailboxes; $null for none.
    #[serde(default)]
    bytes_per_second: Change<u64>,
    /// Maximum bytes in 24 hours over all mailboxes; $null for none.
    ///
    /// The limit of each mailbox (MailboxBytesPerDay) applies too.
    #[serde(default)]
    bytes_per_day: Change<u64>,
    /// Maximum bytes in 24 hours for each mailbox; $null for the profile's.
    #[serde(default)]
    mailbox_bytes_per_day: Change<u64>,
    /// Administrator login that opens every mailbox; $null for the users' logins.
    #[serde(default)]
    credential: Change<Credential>,
    /// Form of the administrator's login, for example {user}*{admin}, or PROXYAUTH.
    ///
    /// $null uses the SASL authorization identity.
    #[serde(default)]
    user_name_template: Change<String>,
    #[serde(flatten)]
    tokens: TokenParameters,
    #[serde(flatten)]
    saved: SavedTokenParameters,
    /// Uploads messages through the Gmail API instead of IMAP.
    gmail_api: Option<bool>,
    /// URL of the Gmail API.
    gmail_api_url: Option<String>,
    /// Mailbox that is opened to test the change.
    test_mailbox: Option<String>,
    /// Saves the change without connecting to the server.
    #[serde(default)]
    skip_verification: bool,
}

impl Operation<Context> for SetMigrationEndpoint {
    const VERB: Verb = Verb::Set;
    const NOUN: Noun = ENDPOINT;
    const ROLE: Role = Role::Operator;
    const ABOUT: &'static str = "Changes an endpoint, also while batches run. New limits apply at once. Other changes \
                                 apply from the next pass; to apply them at once, run Set-MigrationBatch -Update.";
    const VIEW: &'static [&'static str] = &["Identity", "EndpointType", "RemoteServer", "Port", "Security"];

    type Request = Request;
    type Response = MigrationEndpoint;

    async fn run(
        context: &Context,
        caller: &Caller,
        request: Request,
    ) -> Result<Answer<MigrationEndpoint>, Failure> {
        here_alone(caller, request.saved.token_command.is_some())?;
        let store = &context.store;
        let now = context.now();
        let before = store.endpoints().get(&request.identity).await.map_err(into_failure)?;
        let (skip_verification, mailbox) = (request.skip_verification, request.test_mailbox.clone());
        let mut after = before.clone();
        let is_command_given = request.saved.token_command.is_some();
        let names_host = request.names_host();
        let secret = change(&mut after, request)?;
        after.reach = reach::changed(&before, &after, caller, names_host);
        reach::check(&after)?;
        redirection::check(store, caller, &before, &after, &secret, is_command_given).await?;
        let has_other_limits = (before.rates, &before.server_profile) != (after.rates, &after.server_profile);
        let is_token_new = after.access.oauth().is_some() && !matches!(secret, NewSecret::Keep);
        let is_new = is_reached_otherwise(&before, &after) || is_token_new;
        if !skip_verification && (is_new || mailbox.is_some()) {
            let kept = kept_secret(store, &before, &secret).await?;
            settings::verify(&after, kept.as_ref(), mailbox).await?;
        }
        after.modified = now;
        // The endpoint that was checked must be the one that is changed: another caller may have
        // changed it meanwhile.
        let endpoint =
            store.endpoints().replace(before.clone(), after, secret).await.map_err(into_failure)?;
        if has_other_limits {
            // Users that wait for the old limits may be able to continue.
            store.jobs().unpark(before.guid, now).await.map_err(into_failure)?;
        }
        store.checks().resume(before.guid, now).await.map_err(into_failure)?;
        context.wake().await;
        let active = Active::load(store, now).await.map_err(into_failure)?;
        Ok(Answer::one(MigrationEndpoint::of(endpoint, &active)))
    }
}

impl Request {
    /// True if the request names a host or a port, even an unchanged one.
    fn names_host(&self) -> bool {
        let urls = [
            &self.remote_server,
            &self.tokens.authority_url,
            &self.tokens.token_url,
            &self.saved.device_url,
            &self.gmail_api_url,
        ];
        self.port.is_some() || urls.iter().any(|it| it.is_some())
    }
}

/// Returns the secret that the endpoint will have.
async fn kept_secret(
    store: &Store,
    before: &Endpoint,
    secret: &NewSecret,
) -> Result<Option<Secret>, Failure> {
    match secret {
        NewSecret::Set(secret) => Ok(Some(secret.clone())),
        NewSecret::Remove => Ok(None),
        NewSecret::Keep => {
            let name = match before.access {
                Access::OAuth(_) => SecretName::TokenSecret,
                Access::Users | Access::Admin(_) => SecretName::AdminPassword,
            };
            store.secrets().get(before.guid, name).await.map_err(into_failure)
        }
    }
}

/// Applies the request; returns what happens to the secret.
fn change(endpoint: &mut Endpoint, request: Request) -> Result<NewSecret, Failure> {
    Authentication::check(request.authentication)?;
    if let Some(server) = &request.remote_server {
        endpoint.remote_server = settings::host(server)?;
    }
    endpoint.port = request.port.unwrap_or(endpoint.port);
    endpoint.security = request.security.unwrap_or(endpoint.security);
    endpoint.accept_untrusted_certificates =
        request.accept_untrusted_certificates.unwrap_or(endpoint.accept_untrusted_certificates);
    let authorities = request.certificate_authorities.try_map(|file| settings::authorities(&file))?;
    authorities.apply(&mut endpoint.certificate_authorities);
    let fingerprint = request.certificate_sha256.try_map(|text| settings::fingerprint(&text))?;
    fingerprint.apply(&mut endpoint.certificate_sha256);
    let migrations = request.max_concurrent_migrations.unwrap_or(endpoint.max_concurrent_migrations);
    let incremental =
        request.max_concurrent_incremental_syncs.unwrap_or(endpoint.max_concurrent_incremental_syncs);
    settings::check_limits(migrations, incremental)?;
    (endpoint.max_concurrent_migrations, endpoint.max_concurrent_incremental_syncs) =
        (migrations, incremental);
    let profile = request.server_profile.try_map(|name| settings::server_profile(&name))?;
    profile.apply(&mut endpoint.server_profile);
    let mechanism = request.auth_mechanism.try_map(|name| settings::auth_mechanism(&name))?;
    mechanism.apply(&mut endpoint.auth_mechanism);
    let rates = &mut endpoint.rates;
    for (name, change, rate) in [
        ("MessagesPerSecond", request.messages_per_second, &mut rates.messages_per_second),
        ("BytesPerSecond", request.bytes_per_second, &mut rates.bytes_per_second),
        ("BytesPerDay", request.bytes_per_day, &mut rates.bytes_per_day),
        ("MailboxBytesPerDay", request.mailbox_bytes_per_day, &mut rates.mailbox_bytes_per_day),
    ] {
        change.try_map(|it| at_least_one(name, it, WITHOUT_RATE))?.apply(rate);
    }
    let gmail = match (request.gmail_api, request.gmail_api_url) {
        (None, None) => endpoint.gmail_api.take(),
        (Some(false), None) => None,
        (Some(false), Some(_)) => {
            return Err(Failure::invalid("GmailApiUrl cannot be given with -GmailApi $false"));
        }
        (_, url) => {
            let url = url.or(endpoint.gmail_api.take());
            gmail_api(endpoint.endpoint_type, true, url.as_deref())?
        }
    };
    endpoint.gmail_api = gmail;
    let parameters =
        AccessParameters { tokens: request.tokens, saved: request.saved, ..AccessParameters::default() };
    change_access(endpoint, request.credential, request.user_name_template, parameters)
}

/// Applies the parameters about access to the mailboxes.
fn change_access(
    endpoint: &mut Endpoint,
    credential: Change<Credential>,
    template: Change<String>,
    mut parameters: AccessParameters,
) -> Result<NewSecret, Failure> {
    let is_cleared = credential == Change::Clear;
    if is_cleared {
        if endpoint.endpoint_type != EndpointType::Imap {
            return Err(Failure::invalid(format_args!(
                "an endpoint of {} has no Credential to clear",
                endpoint.endpoint_type
            )));
        }
        endpoint.access = Access::Users;
    }
    if let (Access::Admin(admin), Change::Clear) = (&mut endpoint.access, &template) {
        admin.form = AdminForm::default();
    }
    if let Change::To(credential) = credential {
        parameters.credential = Some(credential);
    }
    if let Change::To(template) = template {
        parameters.user_name_template = Some(template);
    }
    let (access, secret) = changed_access(endpoint.endpoint_type, &endpoint.access, parameters)?;
    endpoint.access = access;
    Ok(if is_cleared && matches!(secret, NewSecret::Keep) { NewSecret::Remove } else { secret })
}

/// True if the change may break a connection that worked before.
fn is_reached_otherwise(before: &Endpoint, after: &Endpoint) -> bool {
    let by = |it: &Endpoint| {
        (
            (it.remote_server.clone(), it.port, it.security, it.auth_mechanism.clone()),
            (it.accept_untrusted_certificates, it.certificate_authorities.clone(), it.certificate_sha256),
            it.access.oauth().cloned(),
        )
    };
    by(before) != by(after)
}
