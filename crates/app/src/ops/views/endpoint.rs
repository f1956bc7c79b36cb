//! A migration endpoint.

use jiff::Timestamp;
use mailhaul_mail::Reach;
use mailhaul_migration::{Endpoint, EndpointSecurity, EndpointType, Grant, Guid, Limit, OAuth};
use mailhaul_store::{Parking, PassKind, Running, Store, StoreError};
use schemars::JsonSchema;
use serde::Serialize;

use crate::text;

/// A migration endpoint. Its secrets are never shown.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct MigrationEndpoint {
    /// Its name.
    identity: String,
    /// Its number for ever.
    guid: Guid,
    /// What kind of service it is.
    endpoint_type: EndpointType,
    /// The host.
    remote_server: String,
    /// The TCP port.
    port: u16,
    /// How the connection is secured.
    security: EndpointSecurity,
    /// `Basic`: user name and password, by the strongest mechanism that the server offers; `OAuth`: access tokens.
    authentication: &'static str,
    /// Whether any certificate is taken.
    accept_untrusted_certificates: bool,
    /// How many authorities of its own it has, in place of the system's.
    certificate_authorities: usize,
    /// The SHA-256 of the only certificate that is taken.
    certificate_sha256: Option<String>,
    /// Mailboxes under way at once, at most.
    max_concurrent_migrations: Limit,
    /// Of these, mailboxes in a later pass, at most.
    max_concurrent_incremental_syncs: Limit,
    /// The profile of the server, where the administrator named one.
    server_profile: Option<String>,
    /// The only sign-in mechanism, if the administrator named one.
    auth_mechanism: Option<String>,
    /// Messages in a second at most, over all mailboxes; none where the profile's limit counts, here and in what follows.
    messages_per_second: Option<u64>,
    /// Octets in a second at most, over all mailboxes.
    bytes_per_second: Option<u64>,
    /// Octets in 24 hours at most, over all mailboxes.
    bytes_per_day: Option<u64>,
    /// Octets in 24 hours at most, for each mailbox.
    mailbox_bytes_per_day: Option<u64>,
    /// Mailboxes under way now.
    active_migration_count: u64,
    /// Of these, mailboxes in a later pass.
    active_incremental_sync_count: u64,
    /// No mailbox is begun before; none where the server did not ask to be left alone, and no limit is used up.
    parked_until: Option<Timestamp>,
    /// Why, with the server's words.
    parked_reason: Option<String>,
    /// The administrator who opens every mailbox, where there is one.
    user_name: Option<String>,
    /// How the administrator's login names the mailbox, or PROXYAUTH; none where the SASL authorization identity does.
    user_name_template: Option<String>,
    /// How access tokens are come by, where they are: `ClientSecret`, `ClientCertificate`, `ServiceAccount`, `RefreshToken`,
    /// `TokenCommand` or `Token`.
    token_source: Option<&'static str>,
    /// The organisation at Microsoft.
    tenant_id: Option<String>,
    /// The application, as the authorization server knows it.
    application_id: Option<String>,
    /// For what a token is to be good.
    scope: Option<String>,
    /// The token endpoint.
    token_url: Option<String>,
    /// Where a device asks for a code.
    device_url: Option<String>,
    /// The address of the service account.
    service_account: Option<String>,
    /// Who signed in, where somebody did.
    signed_in_as: Option<String>,
    /// The address of Gmail's API, where messages are uploaded by it.
    gmail_api_url: Option<String>,
    /// Whether connections may go to this machine and to addresses of its link: if an administrator made it.
    reaches_this_machine: bool,
    /// Whether it can be used.
    is_valid: bool,
    /// When it was made.
    creation_time: Timestamp,
    /// When it was changed last.
    last_modified_time: Timestamp,
}

/// What goes on now, at all endpoints.
#[derive(Default)]
pub(crate) struct Active {
    running: Vec<Running>,
    parked: Vec<(Guid, Parking)>,
}

impl Active {
    pub(crate) async fn load(store: &Store, now: Timestamp) -> Result<Self, StoreError> {
        Ok(Self { running: store.running().await?, parked: store.parked(now).await? })
    }

    /// Mailboxes at this endpoint, and of these those in a later pass.
    fn at(&self, endpoint: Guid) -> (u64, u64) {
        let here = |it: &&Running| it.source_endpoint == endpoint || it.target_endpoint == Some(endpoint);
        let of = |later: bool| {
            let counted = |it: &&Running| here(it) && (it.kind != PassKind::First || !later);
            self.running.iter().filter(counted).map(|it| it.users).sum()
        };
        (of(false), of(true))
    }
}

impl MigrationEndpoint {
    /// The endpoint, and what is under way there.
    pub(crate) fn of(endpoint: Endpoint, active: &Active) -> Self {
        let (active_migration_count, active_incremental_sync_count) = active.at(endpoint.guid);
        let parking = active.parked.iter().find(|(parked, _)| *parked == endpoint.guid).map(|(_, it)| it);
        let authorities = endpoint.certificate_authorities.unwrap_or_default();
        let (user_name, user_name_template) = match endpoint.access.admin() {
            Some(admin) => (Some(admin.user_name.clone()), admin.form.setting().map(str::to_owned)),
            None => (None, None),
        };
        let oauth = endpoint.access.oauth();
        let setting = |of: fn(&OAuth) -> &str| oauth.map(of).filter(|it| !it.is_empty()).map(str::to_owned);
        let (service_account, signed_in_as) = match oauth.map(|it| &it.grant) {
            Some(Grant::ServiceAccount { email, .. }) => (Some(email.clone()), None),
            Some(Grant::RefreshToken { user }) => (None, user.clone()),
            _ => (None, None),
        };
        Self {
            token_source: oauth.map(|it| it.grant.name()),
            tenant_id: oauth.and_then(|it| it.tenant.clone()),
            application_id: setting(|it| &it.client_id),
            scope: setting(|it| &it.scope),
            token_url: setting(|it| &it.token_url),
            device_url: setting(|it| &it.device_url),
            service_account,
            signed_in_as,
            gmail_api_url: endpoint.gmail_api,
            reaches_this_machine: endpoint.reach == Reach::Anywhere,
            identity: endpoint.name,
            guid: endpoint.guid,
            endpoint_type: endpoint.endpoint_type,
            remote_server: endpoint.remote_server,
            port: endpoint.port,
            security: endpoint.security,
            authentication: if oauth.is_some() { "OAuth" } else { "Basic" },
            accept_untrusted_certificates: endpoint.accept_untrusted_certificates,
            certificate_authorities: authorities.matches("-----BEGIN CERTIFICATE-----").count(),
            certificate_sha256: endpoint.certificate_sha256.map(|it| text::hexadecimal(&it)),
            max_concurrent_migrations: endpoint.max_concurrent_migrations,
            max_concurrent_incremental_syncs: endpoint.max_concurrent_incremental_syncs,
            server_profile: endpoint.server_profile,
            auth_mechanism: endpoint.auth_mechanism,
            messages_per_second: endpoint.rates.messages_per_second,
            bytes_per_second: endpoint.rates.bytes_per_second,
            bytes_per_day: endpoint.rates.bytes_per_day,
            mailbox_bytes_per_day: endpoint.rates.mailbox_bytes_per_day,
            active_migration_count,
            active_incremental_sync_count,
            parked_until: parking.map(|it| it.until),
            parked_reason: parking.map(|it| it.reason.clone()),
            user_name,
            user_name_template,
            is_valid: true,
            creation_time: endpoint.created,
            last_modified_time: endpoint.modified,
        }
    }
}
