//! Set-MigrationEndpoint.

use mailhaul_mail::Secret;
use mailhaul_migration::{Access, AdminForm, Endpoint, EndpointSecurity, EndpointType, Limit};
use mailhaul_operations::{
    Answer, Bytes, Caller, Change, Credential, Failure, Noun, Operation, Role, SecretText, Verb,
};
use mailhaul_store::{NewSecret, SecretName, Store};
use schemars::JsonSchema;
use serde::Deserialize;

use super::{
    access::{AccessParameters, changed_access, gmail_api, here_alone},
    endpoint_settings::{self as settings, Authentication},
    failures::{at_least_one, told},
    nouns::ENDPOINT,
    reach, redirection,
    views::{Active, MigrationEndpoint},
};
use crate::context::Context;

/// Changes an endpoint.
pub(crate) struct SetMigrationEndpoint;

/// What it takes.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub(crate) struct Request {
    /// The endpoint's name or GUID.
    identity: String,
    /// The host of the IMAP server.
    remote_server: Option<String>,
    /// The TCP port.
    #[schemars(range(min = 1))]
    port: Option<u16>,
    /// How the connection is secured. The port stays as it is where none is given.
    security: Option<EndpointSecurity>,
    /// How users prove who they are.
    authentication: Option<Authentication>,
    /// Whether any certificate is taken: whoever stands between reads passwords and mail then.
    accept_untrusted_certificates: Option<bool>,
    /// A file of certificates (PEM) of authorities that are trusted in place of the system's.
    #[serde(default)]
    certificate_authorities: Change<Bytes>,
    /// The SHA-256 of the only certificate that is taken.
    #[serde(default)]
    certificate_sha256: Change<String>,
    /// Mailboxes under way at once. It counts at once, also where fewer are allowed than are under way.
    max_concurrent_migrations: Option<Limit>,
    /// Of these, mailboxes in a later pass; never above MaxConcurrentMigrations.
    max_concurrent_incremental_syncs: Option<Limit>,
    /// The profile of the server, by which its peculiarities are known; $null to recognise it by what the
    /// server says.
    #[serde(default)]
    server_profile: Change<String>,
    /// The only sign-in mechanism; $null for the strongest that works.
    #[serde(default)]
    auth_mechanism: Change<String>,
    /// Messages in a second at most, read and written, over all mailboxes; $null for the profile's.
    #[serde(default)]
    messages_per_second: Change<u64>,
    /// Octets in a second at most, over all mailboxes; $null for the profile's.
    #[serde(default)]
    bytes_per_second: Change<u64>,
    /// Octets in 24 hours at most, over all mailboxes; $null for the profile's.
    #[serde(default)]
    bytes_per_day: Change<u64>,
    /// Octets in 24 hours at most, for each mailbox; $null for the profile's.
    #[serde(default)]
    mailbox_bytes_per_day: Change<u64>,
    /// An administrator who opens every mailbox; $null for each user's own login.
    #[serde(default)]
    credential: Change<Credential>,
    /// How the administrator's login names the mailbox, such as {user}*{admin}, or PROXYAUTH; $null for the SASL
    /// authorization identity.
    #[serde(default)]
    user_name_template: Change<String>,
    /// The organisation at Microsoft, by GUID or domain.
    tenant_id: Option<String>,
    /// The application, as the authorization server knows it.
    application_id: Option<String>,
    /// A new secret of the application.
    client_secret: Option<SecretText>,
    /// A file (PEM) with a new certificate of the application and its private key.
    certificate_file: Option<Bytes>,
    /// A file (JSON) with a new key of a service account of Google.
    service_account_key_file_data: Option<Bytes>,
    /// A new refresh token of somebody who signed in elsewhere.
    refresh_token: Option<SecretText>,
    /// A program, by its full path, and its arguments: it prints an access token; {user} is the mailbox. Only on the
    /// machine itself.
    token_command: Option<Vec<String>>,
    /// One access token, for a test.
    access_token: Option<SecretText>,
    /// The authorization server: TokenUrl and DeviceUrl follow from it.
    authority_url: Option<String>,
    /// The token endpoint.
    token_url: Option<String>,
    /// Where a device asks for a code.
    device_url: Option<String>,
    /// For what a token is to be good.
    scope: Option<String>,
    /// Whether messages are uploaded to Gmail by its API, and not by IMAP.
    gmail_api: Option<bool>,
    /// The address of Gmail's API.
    gmail_api_url: Option<String>,
    /// A mailbox that is opened to try the change.
    test_mailbox: Option<String>,
    /// Keeps the change without connecting to the server.
    #[serde(default)]
    skip_verification: bool,
}

impl Operation<Context> for SetMigrationEndpoint {
    const VERB: Verb = Verb::Set;
    const NOUN: Noun = ENDPOINT;
    const ROLE: Role = Role::Operator;
    const ABOUT: &'static str = "Changes an endpoint, also while batches run: how many mailboxes may be under way and how much \
                                 may be sent in a time counts at once, everything else from the next pass on, or at once with Set-MigrationBatch -Update.";
    const VIEW: &'static [&'static str] = &["Identity", "EndpointType", "RemoteServer", "Port", "Security"];

    type Request = Request;
    type Response = MigrationEndpoint;

    async fn run(
        context: &Context,
        caller: &Caller,
        request: Request,
    ) -> Result<Answer<MigrationEndpoint>, Failure> {
        here_alone(caller, request.token_command.is_some())?;
        let store = &context.store;
        let now = context.now();
        let before = store.endpoint(&request.identity).await.map_err(told)?;
        let (skip_verification, mailbox) = (request.skip_verification, request.test_mailbox.clone());
        let mut after = before.clone();
        let is_command_given = request.token_command.is_some();
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
        // What was checked is what is changed: another caller may have changed it meanwhile.
        let endpoint = store.replace_endpoint(before.clone(), after, secret).await.map_err(told)?;
        if has_other_limits {
            // Who waits for the old ones may not have to.
            store.unpark(before.guid, now).await.map_err(told)?;
        }
        store.resume_checks(before.guid, now).await.map_err(told)?;
        context.workers.nudge();
        let active = Active::load(store, now).await.map_err(told)?;
        Ok(Answer::one(MigrationEndpoint::of(endpoint, &active)))
    }
}

impl Request {
    /// True if the request says where connections go, be it where they went before.
    fn names_host(&self) -> bool {
        let urls = [
            &self.remote_server,
            &self.authority_url,
            &self.token_url,
            &self.device_url,
            &self.gmail_api_url,
        ];
        self.port.is_some() || urls.iter().any(|it| it.is_some())
    }
}

/// The secret that the endpoint will have.
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
            store.secret(before.guid, name).await.map_err(told)
        }
    }
}

/// Makes the changes, and says what becomes of the secret.
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
        change.try_map(|it| at_least_one(name, it, "With $null the profile's limit counts."))?.apply(rate);
    }
    let gmail = match (request.gmail_api, request.gmail_api_url) {
        (None, None) => endpoint.gmail_api.take(),
        (Some(false), None) => None,
        (Some(false), Some(_)) => {
            return Err(Failure::invalid("GmailApiUrl has no meaning with -GmailApi $false"));
        }
        (_, url) => {
            let url = url.or(endpoint.gmail_api.take());
            gmail_api(endpoint.endpoint_type, true, url.as_deref())?
        }
    };
    endpoint.gmail_api = gmail;
    let (credential, template) = (request.credential, request.user_name_template);
    let parameters = AccessParameters {
        credential: None,
        user_name_template: None,
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
    };
    change_access(endpoint, credential, template, parameters)
}

/// Changes who opens the mailboxes.
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
                "an endpoint of {} has no Credential that could be cleared",
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

/// Whether a connection that could be made before may not be possible any more.
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
