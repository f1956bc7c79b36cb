//! Account of a user's mailbox at an endpoint.

use mailhaul_imap::{AuthorizeAs, ConnectOptions, Credentials, Security, TlsOptions};
use mailhaul_mail::Secret;
use mailhaul_migration::{Access, AdminAccess, AdminForm, Endpoint, EndpointSecurity};
use mailhaul_remotes::Login;
use mailhaul_store::{SecretName, Store, StoreError};

use super::tokens::TokenSources;

/// Returns the connection settings of the endpoint.
pub(crate) fn connect_options(endpoint: &Endpoint) -> ConnectOptions {
    let security = match endpoint.security {
        EndpointSecurity::None => Security::Clear,
        EndpointSecurity::Ssl => Security::Implicit,
        EndpointSecurity::Tls => Security::StartTls,
    };
    let mut options = ConnectOptions::new(endpoint.remote_server.clone(), endpoint.port, security);
    options.reach = endpoint.reach;
    options.mechanism.clone_from(&endpoint.auth_mechanism);
    options.tls = TlsOptions {
        ca_file: None,
        ca_pem: endpoint.certificate_authorities.clone(),
        pin_sha256: endpoint.certificate_sha256,
        accept_untrusted: endpoint.accept_untrusted_certificates,
    };
    options
}

/// Returns the credentials with which an administrator opens this mailbox.
pub(crate) fn admin_credentials(admin: &AdminAccess, password: Secret, mailbox: &str) -> Credentials {
    let authorize_as = match admin.form {
        AdminForm::AuthorizationIdentity => Some(AuthorizeAs::Identity(mailbox.to_owned())),
        AdminForm::ProxyAuth => Some(AuthorizeAs::ProxyAuth(mailbox.to_owned())),
        AdminForm::Template(_) => None,
    };
    let login = admin.form.login(&admin.user_name, mailbox);
    Credentials { authorize_as, ..Credentials::password(login, password) }
}

/// Returns the login for this mailbox: the user's own password, or the endpoint's login for all mailboxes.
///
/// The inner error is a text for the administrator.
pub(crate) async fn login(
    store: &Store,
    sources: &TokenSources,
    endpoint: &Endpoint,
    user_name: &str,
    password: Option<Secret>,
) -> Result<Result<Login, String>, StoreError> {
    if let Some(password) = password {
        return Ok(Ok(Login::Password(Credentials::password(user_name, password))));
    }
    Ok(match &endpoint.access {
        Access::Users => Err(no_password(endpoint, user_name)),
        Access::Admin(admin) => {
            let password = store.secrets().get(endpoint.guid, SecretName::AdminPassword).await?;
            password
                .map(|it| Login::Password(admin_credentials(admin, it, user_name)))
                .ok_or_else(|| no_password(endpoint, user_name))
        }
        Access::OAuth(oauth) => {
            let tokens = sources.tokens(store, endpoint, oauth).await;
            tokens.map(|tokens| Login::Tokens { user: user_name.to_owned(), tokens })
        }
    })
}

fn no_password(endpoint: &Endpoint, user_name: &str) -> String {
    format!(
        "there is no password for {user_name} at {}; neither the CSV file nor the endpoint \"{}\" has one",
        endpoint.remote_server, endpoint.name
    )
}

/// Key of a mailbox in the ledger. It is the same in all batches, so a new batch continues an old one.
pub(crate) fn ledger_key(endpoint: &Endpoint, user_name: &str, user_root: Option<&str>) -> String {
    let root = user_root.map(|it| format!(" {it}")).unwrap_or_default();
    format!("{user_name}@{}:{}{root}", endpoint.remote_server, endpoint.port)
}

/// Name of a mailbox at its endpoint.
pub(crate) fn mailbox(user_name: &str, user_root: Option<&str>) -> String {
    user_root.map_or_else(|| user_name.to_owned(), |root| format!("{user_name} {root}"))
}

#[cfg(test)]
pub(crate) mod tests {
    use mailhaul_migration::{
        DEFAULT_MAX_CONCURRENT_INCREMENTAL_SYNCS, DEFAULT_MAX_CONCURRENT_MIGRATIONS, Guid,
    };

    use super::*;

    fn admin(setting: Option<&str>) -> AdminAccess {
        AdminAccess { user_name: "mailadmin".into(), form: AdminForm::of_setting(setting.map(str::to_owned)) }
    }

    pub(crate) fn endpoint() -> Endpoint {
        Endpoint {
            name: "New".into(),
            max_concurrent_migrations: DEFAULT_MAX_CONCURRENT_MIGRATIONS,
            max_concurrent_incremental_syncs: DEFAULT_MAX_CONCURRENT_INCREMENTAL_SYNCS,
            ..Endpoint::of_server("new.example.org".into())
        }
    }

    #[test]
    fn an_administrator_logs_in_for_the_user() {
        let login = |setting| admin_credentials(&admin(setting), Secret::new("admin"), "terry");
        let authorized = login(None);
        let terry = || "terry".to_owned();
        assert_eq!(
            (authorized.user.as_str(), authorized.authorize_as),
            ("mailadmin", Some(AuthorizeAs::Identity(terry())))
        );
        let proxy = login(Some("PROXYAUTH"));
        assert_eq!(
            (proxy.user.as_str(), proxy.authorize_as),
            ("mailadmin", Some(AuthorizeAs::ProxyAuth(terry())))
        );
        let by_name = login(Some("{user}*{admin}"));
        assert_eq!((by_name.user.as_str(), by_name.authorize_as), ("terry*mailadmin", None));
    }

    #[tokio::test]
    async fn the_user_or_the_endpoints_administrator_logs_in() {
        let data = tempfile::TempDir::new().unwrap();
        let store = Store::open(data.path()).await.unwrap();
        store.secrets().unlock(mailhaul_store::MasterKeySource::DataDirectory).await.unwrap();
        let (secret, sources) = (|text: &str| Some(Secret::new(text)), TokenSources::default());
        let with = |access| Endpoint {
            guid: Guid::new_v4(),
            name: Guid::new_v4().to_string(),
            access,
            ..endpoint()
        };
        let administered = with(Access::Admin(admin(None)));
        store.endpoints().insert(administered.clone(), secret("admin")).await.unwrap();
        let own = login(&store, &sources, &administered, "terry", secret("own")).await.unwrap().unwrap();
        assert!(matches!(own, Login::Password(it) if it.user == "terry" && it.secret.expose() == b"own"));
        let by_admin = login(&store, &sources, &administered, "terry", None).await.unwrap().unwrap();
        assert_eq!(by_admin.user(), "mailadmin");
        let without_password = login(&store, &sources, &endpoint(), "terry", None).await.unwrap();
        assert!(without_password.unwrap_err().contains("no password for terry at new.example.org"));
    }

    #[test]
    fn ledger_keys_name_user_server_and_root() {
        let endpoint = endpoint();
        assert_eq!(ledger_key(&endpoint, "terry", None), "terry@new.example.org:993");
        assert_eq!(
            ledger_key(&endpoint, "admin", Some("/users/terry")),
            "admin@new.example.org:993 /users/terry"
        );
    }
}
