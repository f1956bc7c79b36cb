//! Endpoints: the servers that mail comes from and goes to.

use std::sync::atomic::Ordering;

use jiff::Timestamp;
use mailhaul_mail::{Reach, Secret};
use mailhaul_migration::{Access, AdminAccess, AdminForm, Endpoint, Guid, Limit};

use crate::{
    db::{
        checksum::check_row,
        columns::{Cells, millis},
        error::{Fault, StoreError},
        service_rows,
        sql::{self, Connection, Row},
        writer::Work,
    },
    handles::Endpoints,
    vault::{Keys, SecretName, secrets},
};

/// Stored word for [`Reach::OtherMachines`].
const OTHER_MACHINES: &str = "OtherMachines";

/// A change of an endpoint's stored secret.
///
/// The secret is the administrator's password, or the credential for access tokens.
#[derive(Clone, Debug)]
pub enum NewSecret {
    Keep,
    Set(Secret),
    Remove,
}

impl Endpoints<'_> {
    /// Stores a new endpoint with its secret, if it has one. Returns the endpoint as it is stored.
    ///
    /// # Errors
    /// [`StoreError::NameTaken`]; [`StoreError::VaultLocked`] if there is a secret to seal.
    pub async fn insert(self, endpoint: Endpoint, secret: Option<Secret>) -> Result<Endpoint, StoreError> {
        let db = self.0;
        let keys = db.shared.keys.clone();
        self.count_change(move |connection| {
            Box::pin(async move {
                name_is_free(connection, &endpoint).await?;
                write(connection, &endpoint).await?;
                if let Some(secret) = secret {
                    let one = [(endpoint.guid, secret)];
                    secrets::put(connection, &keys, secret_name(&endpoint), &one).await?;
                }
                find(connection, endpoint.guid).await
            })
        })
        .await
    }

    /// Returns the endpoint of this name or GUID.
    ///
    /// # Errors
    /// [`StoreError::NotFound`].
    pub async fn get(self, identity: &str) -> Result<Endpoint, StoreError> {
        let db = self.0;
        db.read(|connection| {
            let identity = identity.to_owned();
            Box::pin(async move {
                let row = sql::query(
                    "SELECT endpoint.* FROM endpoint WHERE guid = ?1 OR name_key = ?2 ORDER BY guid = ?1 DESC LIMIT 1",
                )
                .bind(Guid::parse_str(&identity).ok())
                .bind(identity.to_ascii_lowercase())
                .fetch_optional(connection)
                .await?;
                endpoint(&row.ok_or_else(|| StoreError::not_found("endpoint", &identity))?)
            })
        })
        .await
    }

    /// Returns the endpoint of this GUID.
    ///
    /// # Errors
    /// [`StoreError::NotFound`].
    pub async fn by_guid(self, guid: Guid) -> Result<Endpoint, StoreError> {
        let db = self.0;
        db.read(|connection| Box::pin(find(connection, guid))).await
    }

    /// Returns the number of changes of endpoints through this store since it was opened.
    pub fn changes(self) -> u64 {
        let db = self.0;
        db.shared.endpoint_changes.load(Ordering::Relaxed)
    }

    async fn count_change<T, F>(self, work: F) -> Result<T, StoreError>
    where
        T: Send + 'static,
        F: for<'c> FnOnce(&'c mut Connection) -> Work<'c, T> + Send + 'static,
    {
        let db = self.0;
        let changed = db.change(work).await?;
        db.shared.endpoint_changes.fetch_add(1, Ordering::Relaxed);
        Ok(changed)
    }

    /// Returns all endpoints, sorted by name.
    pub async fn list(self) -> Result<Vec<Endpoint>, StoreError> {
        let db = self.0;
        db.read(|connection| {
            Box::pin(async move {
                let rows = sql::query("SELECT endpoint.* FROM endpoint ORDER BY name_key")
                    .fetch_all(connection)
                    .await?;
                rows.iter().map(endpoint).collect()
            })
        })
        .await
    }

    /// Changes an endpoint and its secret. GUID and creation time stay.
    ///
    /// # Errors
    /// [`StoreError::NotFound`]; [`StoreError::NameTaken`]; [`StoreError::VaultLocked`] for a new secret.
    pub async fn update(
        self,
        guid: Guid,
        secret: NewSecret,
        change: impl FnOnce(&mut Endpoint) + Send + 'static,
    ) -> Result<Endpoint, StoreError> {
        let db = self.0;
        let keys = db.shared.keys.clone();
        self.count_change(move |connection| {
            Box::pin(async move {
                let mut endpoint = find(connection, guid).await?;
                change(&mut endpoint);
                endpoint.guid = guid;
                put(connection, &keys, endpoint, secret).await
            })
        })
        .await
    }

    /// Replaces the endpoint `before` by `after`, which was made from it, and changes its secret.
    ///
    /// # Errors
    /// [`StoreError::Changed`] if the stored endpoint is not `before` any more; otherwise as
    /// [`Endpoints::update`].
    pub async fn replace(
        self,
        before: Endpoint,
        after: Endpoint,
        secret: NewSecret,
    ) -> Result<Endpoint, StoreError> {
        let db = self.0;
        let keys = db.shared.keys.clone();
        self.count_change(move |connection| {
            Box::pin(async move {
                if find(connection, before.guid).await? != before {
                    return Err(StoreError::Changed { endpoint: before.name }.into());
                }
                put(connection, &keys, Endpoint { guid: before.guid, ..after }, secret).await
            })
        })
        .await
    }

    /// Counts the passwords of users that are sent to this endpoint's server.
    pub async fn count_passwords(self, guid: Guid) -> Result<u64, StoreError> {
        let db = self.0;
        db.read(|connection| {
            Box::pin(async move {
                let count: i64 = sql::query_scalar(
                    "SELECT count(*) FROM batch JOIN migration_user ON migration_user.batch = batch.guid \
                     JOIN secret ON secret.owner = migration_user.guid \
                     WHERE secret.name = 'Password' AND batch.source_endpoint = ?1 \
                     OR secret.name = 'TargetPassword' AND batch.target_endpoint = ?1",
                )
                .bind(guid)
                .fetch_one(connection)
                .await?;
                Ok(u64::try_from(count).unwrap_or(0))
            })
        })
        .await
    }

    /// Removes an endpoint and its secret.
    ///
    /// # Errors
    /// [`StoreError::NotFound`]; [`StoreError::InUse`] while a batch or the configuration names it.
    pub async fn remove(self, guid: Guid) -> Result<(), StoreError> {
        self.count_change(move |connection| {
            Box::pin(async move {
                let endpoint = find(connection, guid).await?;
                let by = users_of(connection, guid).await?;
                if !by.is_empty() {
                    return Err(StoreError::InUse { endpoint: endpoint.name, by }.into());
                }
                secrets::remove(connection, guid).await?;
                sql::query("DELETE FROM endpoint WHERE guid = ?").bind(guid).execute(connection).await?;
                Ok(())
            })
        })
        .await
    }
}

async fn put(
    connection: &mut Connection,
    keys: &Keys,
    endpoint: Endpoint,
    secret: NewSecret,
) -> Result<Endpoint, Fault> {
    let guid = endpoint.guid;
    name_is_free(connection, &endpoint).await?;
    write(connection, &endpoint).await?;
    match secret {
        NewSecret::Keep => {}
        NewSecret::Set(secret) => {
            // A secret of another kind may be stored.
            secrets::remove(connection, guid).await?;
            let one = [(guid, secret)];
            secrets::put(connection, keys, secret_name(&endpoint), &one).await?;
        }
        NewSecret::Remove => secrets::remove(connection, guid).await?,
    }
    find(connection, guid).await
}

pub(crate) async fn find(connection: &mut Connection, guid: Guid) -> Result<Endpoint, Fault> {
    let row = sql::query("SELECT endpoint.* FROM endpoint WHERE guid = ?")
        .bind(guid)
        .fetch_optional(connection)
        .await?;
    endpoint(&row.ok_or_else(|| StoreError::not_found("endpoint", guid))?)
}

async fn name_is_free(connection: &mut Connection, endpoint: &Endpoint) -> Result<(), Fault> {
    let taken: bool =
        sql::query_scalar("SELECT EXISTS (SELECT 1 FROM endpoint WHERE name_key = ? AND guid <> ?)")
            .bind(endpoint.name.to_ascii_lowercase())
            .bind(endpoint.guid)
            .fetch_one(connection)
            .await?;
    if taken {
        return Err(StoreError::NameTaken { what: "endpoint", name: endpoint.name.clone() }.into());
    }
    Ok(())
}

async fn users_of(connection: &mut Connection, guid: Guid) -> Result<Vec<String>, Fault> {
    let by = sql::query_scalar(
        "SELECT 'batch \"' || name || '\"' FROM batch WHERE source_endpoint = ?1 OR target_endpoint = ?1 \
         UNION ALL SELECT 'the configuration' FROM config WHERE target_endpoint = ?1",
    )
    .bind(guid)
    .fetch_all(connection)
    .await?;
    Ok(by)
}

/// Inserts an endpoint, or updates all but the creation time of the one with its GUID.
async fn write(connection: &mut Connection, endpoint: &Endpoint) -> Result<(), Fault> {
    let (user_name, template) = match endpoint.access.admin() {
        Some(admin) => (Some(admin.user_name.clone()), admin.form.setting().map(str::to_owned)),
        None => (None, None),
    };
    let oauth = endpoint.access.oauth().map(serde_json::to_string).transpose();
    let oauth = oauth.map_err(|it| Fault::Json("oauth", it))?;
    let rates = serde_json::to_string(&endpoint.rates).map_err(|it| Fault::Json("rates", it))?;
    sql::query(
        "INSERT INTO endpoint (guid, name, remote_server, port, security, accept_untrusted_certificates, \
         certificate_authorities, certificate_sha256, max_concurrent_migrations, max_concurrent_incremental_syncs, \
         admin_user_name, admin_template, created, modified, server_profile, rates, endpoint_type, oauth, gmail_api, \
         auth_mechanism, reach) \
         VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) \
         ON CONFLICT (guid) DO UPDATE SET name = excluded.name, remote_server = excluded.remote_server, \
         port = excluded.port, security = excluded.security, \
         accept_untrusted_certificates = excluded.accept_untrusted_certificates, \
         certificate_authorities = excluded.certificate_authorities, \
         certificate_sha256 = excluded.certificate_sha256, \
         max_concurrent_migrations = excluded.max_concurrent_migrations, \
         max_concurrent_incremental_syncs = excluded.max_concurrent_incremental_syncs, \
         admin_user_name = excluded.admin_user_name, admin_template = excluded.admin_template, \
         modified = excluded.modified, server_profile = excluded.server_profile, rates = excluded.rates, \
         endpoint_type = excluded.endpoint_type, oauth = excluded.oauth, gmail_api = excluded.gmail_api, \
         auth_mechanism = excluded.auth_mechanism, reach = excluded.reach",
    )
    .bind(endpoint.guid)
    .bind(endpoint.name.clone())
    .bind(endpoint.remote_server.clone())
    .bind(endpoint.port)
    .bind(endpoint.security.to_string())
    .bind(endpoint.accept_untrusted_certificates)
    .bind(endpoint.certificate_authorities.clone())
    .bind(endpoint.certificate_sha256.map(Vec::from))
    .bind(limit_column(endpoint.max_concurrent_migrations))
    .bind(limit_column(endpoint.max_concurrent_incremental_syncs))
    .bind(user_name)
    .bind(template)
    .bind(millis(endpoint.created))
    .bind(millis(endpoint.modified))
    .bind(endpoint.server_profile.clone())
    .bind(rates)
    .bind(endpoint.endpoint_type.to_string())
    .bind(oauth)
    .bind(endpoint.gmail_api.clone())
    .bind(endpoint.auth_mechanism.clone())
    .bind((endpoint.reach == Reach::OtherMachines).then_some(OTHER_MACHINES))
    .execute(&mut *connection)
    .await?;
    service_rows::stamp_endpoint(connection, endpoint.guid).await
}

/// Returns the name of the endpoint's secret.
fn secret_name(endpoint: &Endpoint) -> SecretName {
    match endpoint.access {
        Access::OAuth(_) => SecretName::TokenSecret,
        Access::Users | Access::Admin(_) => SecretName::AdminPassword,
    }
}

pub(crate) fn limit_column(limit: Limit) -> Option<i64> {
    match limit {
        Limit::At(number) => Some(number.into()),
        Limit::Unlimited => None,
    }
}

pub(crate) fn limit(cells: Cells<'_>, column: &'static str) -> Result<Limit, Fault> {
    match cells.get::<Option<i64>>(column)? {
        None => Ok(Limit::Unlimited),
        Some(number) => u32::try_from(number).map(Limit::At).map_err(|_| Fault::Unreadable(column)),
    }
}

fn endpoint(row: &Row) -> Result<Endpoint, Fault> {
    check_row("endpoint", row)?;
    let cells = Cells(row);
    let admin: Option<String> = cells.get("admin_user_name")?;
    let form = AdminForm::of_setting(cells.get("admin_template")?);
    let oauth: Option<&str> = cells.get("oauth")?;
    let access = match (admin, oauth) {
        (_, Some(oauth)) => {
            Access::OAuth(serde_json::from_str(oauth).map_err(|it| Fault::Json("oauth", it))?)
        }
        (Some(user_name), None) => Access::Admin(AdminAccess { user_name, form }),
        (None, None) => Access::Users,
    };
    let pin: Option<&[u8]> = cells.get("certificate_sha256")?;
    let rates: &str = cells.get("rates")?;
    let created: Timestamp = cells.time("created")?;
    Ok(Endpoint {
        guid: cells.get("guid")?,
        name: cells.get("name")?,
        endpoint_type: cells.word("endpoint_type")?,
        remote_server: cells.get("remote_server")?,
        port: cells.number("port")?,
        security: cells.word("security")?,
        accept_untrusted_certificates: cells.get("accept_untrusted_certificates")?,
        certificate_authorities: cells.get("certificate_authorities")?,
        certificate_sha256: pin
            .map(<[u8; 32]>::try_from)
            .transpose()
            .map_err(|_| Fault::Unreadable("certificate_sha256"))?,
        max_concurrent_migrations: limit(cells, "max_concurrent_migrations")?,
        max_concurrent_incremental_syncs: limit(cells, "max_concurrent_incremental_syncs")?,
        server_profile: cells.get("server_profile")?,
        auth_mechanism: cells.get("auth_mechanism")?,
        reach: match cells.get::<Option<&str>>("reach")? {
            None => Reach::Anywhere,
            Some(OTHER_MACHINES) => Reach::OtherMachines,
            Some(_) => return Err(Fault::Unreadable("reach")),
        },
        rates: serde_json::from_str(rates).map_err(|it| Fault::Json("rates", it))?,
        access,
        gmail_api: cells.get("gmail_api")?,
        created,
        modified: cells.time("modified")?,
    })
}
