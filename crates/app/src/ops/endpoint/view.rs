//! View of an endpoint.

use jiff::Timestamp;
use mailhaul_mail::Reach;
use mailhaul_migration::{Endpoint, EndpointSecurity, EndpointType, Grant, Guid, Limit, OAuth};
use mailhaul_store::{Parking, PassKind, RunningPasses, Store, StoreError};
use schemars::JsonSchema;
use serde::Serialize;

use crate::output::text;

/// Migration endpoint. Its secrets are never shown.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct MigrationEndpoint {
    /// Name of the endpoint.
    identity: String,
    /// Permanent id.
    guid: Guid,
    /// Type of service.
    endpoint_type: EndpointType,
    /// Host.
    remote_server: String,
    /// TCP port.
    port: u16,
    /// Encryption of the connection.
    security: EndpointSecurity,
    /// `Basic`: user name and password, with the strongest mechanism that the server offers.
    /// `OAuth`: access tokens.
    authentication: &'static str,
    /// True if any certificate is accepted.
    accept_untrusted_certificates: bool,
    /// Number of certificate authorities that replace the system's.
    certificate_authorities: usize,
    /// SHA-256 of the only accepted certificate.
    certificate_sha256: Option<String>,
    /// Maximum number of active mailboxes.
    max_concurrent_migrations: Limit,
    /// Maximum number of mailboxes in an incremental sync.
    max_concurrent_incremental_syncs: Limit,
    /// Server profile that the administrator set.
    server_profile: Option<String>,
    /// Only sign-in mechanism to use, if the administrator set one.
    auth_mechanism: Option<String>,
    /// Maximum messages per second over all mailboxes, read and written; null for none.
    messages_per_second: Option<u64>,
    /// Maximum bytes per second over all mailboxes; null for none.
    bytes_per_second: Option<u64>,
    /// Maximum bytes in 24 hours over all mailboxes; null for none.
    bytes_per_day: Option<u64>,
    /// Maximum bytes in 24 hours for each mailbox; null for the profile's.
    mailbox_bytes_per_day: Option<u64>,
    /// Active mailboxes.
    active_migration_count: u64,
    /// Active mailboxes in an incremental sync.
    active_incremental_sync_count: u64,
    /// Time until which no pass starts, because the server asked for a delay or a limit is used up;
    /// null if not parked.
    parked_until: Option<Timestamp>,
    /// Reason of the parking, with the server's words.
    parked_reason: Option<String>,
    /// Administrator that opens every mailbox, if any.
    user_name: Option<String>,
    /// Form of the administrator's login, or PROXYAUTH; null if the SASL authorization identity is
    /// used.
    user_name_template: Option<String>,
    /// Source of access tokens: `ClientSecret`, `ClientCertificate`, `ServiceAccount`,
    /// `RefreshToken`, `TokenCommand` or `Token`; null without tokens.
    token_source: Option<&'static str>,
    /// Microsoft tenant.
    tenant_id: Option<String>,
    /// Application (client) id at the authorization server.
    application_id: Option<String>,
    /// Scope of the access token.
    scope: Option<String>,
    /// Token endpoint.
    token_url: Option<String>,
    /// Device authorization endpoint.
    device_url: Option<String>,
    /// Address of the service account.
    service_account: Option<String>,
    /// User who signed in, if any.
    signed_in_as: Option<String>,
    /// URL of the Gmail API, if messages are uploaded through it.
    gmail_api_url: Option<String>,
    /// True if connections may reach the service's own machine and link-local addresses (endpoints of administrators).
    reaches_this_machine: bool,
    /// True if the endpoint can be used.
    is_valid: bool,
    /// Time of creation.
    creation_time: Timestamp,
    /// Time of the last change.
    last_modified_time: Timestamp,
}

/// Active mailboxes at all endpoints.
#[derive(Default)]
pub(crate) struct Active {
    running: Vec<RunningPasses>,
    parked: Vec<(Guid, Parking)>,
}

impl Active {
    pub(crate) async fn load(store: &Store, now: Timestamp) -> Result<Self, StoreError> {
        Ok(Self { running: store.jobs().running().await?, parked: store.jobs().parked(now).await? })
    }

    /// Active mailboxes at this endpoint, and those of them in an incremental sync.
    fn at(&self, endpoint: Guid) -> (u64, u64) {
        let here =
            |it: &&RunningPasses| it.source_endpoint == endpoint || it.target_endpoint == Some(endpoint);
        let of = |later: bool| {
            let counted = |it: &&RunningPasses| here(it) && (it.kind != PassKind::First || !later);
            self.running.iter().filter(counted).map(|it| it.users).sum()
        };
        (of(false), of(true))
    }
}

impl MigrationEndpoint {
    /// View of the endpoint, with its active mailboxes.
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
