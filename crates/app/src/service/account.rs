//! How a user's mailbox is reached at an endpoint.

use mailhaul_imap::{AuthorizeAs, ConnectOptions, Credentials, Security, TlsOptions};
use mailhaul_mail::Secret;
use mailhaul_migration::{AdminAccess, AdminForm, Endpoint, EndpointSecurity};

/// How the endpoint's server is reached.
pub(crate) fn connect_options(endpoint: &Endpoint) -> ConnectOptions {
    let security = match endpoint.security {
        EndpointSecurity::None => Security::Clear,
        EndpointSecurity::Ssl => Security::Implicit,
        EndpointSecurity::Tls => Security::StartTls,
    };
    let mut options = ConnectOptions::new(endpoint.remote_server.clone(), endpoint.port, security);
    options.tls = TlsOptions {
        ca_file: None,
        ca_pem: endpoint.certificate_authorities.clone(),
        pin_sha256: endpoint.certificate_sha256,
        accept_untrusted: endpoint.accept_untrusted_certificates,
    };
    options
}

/// How an administrator opens this mailbox.
pub(crate) fn admin_credentials(admin: &AdminAccess, password: Secret, mailbox: &str) -> Credentials {
    let authorize_as = match admin.form {
        AdminForm::AuthorizationIdentity => Some(AuthorizeAs::Identity(mailbox.to_owned())),
        AdminForm::ProxyAuth => Some(AuthorizeAs::ProxyAuth(mailbox.to_owned())),
        AdminForm::Template(_) => None,
    };
    let login = admin.form.login(&admin.user_name, mailbox);
    Credentials { authorize_as, ..Credentials::password(login, password) }
}

/// Who logs in for this mailbox: the user, or the endpoint's administrator for the user.
///
/// # Errors
/// Where neither the user nor the endpoint has a password; with words for the administrator.
pub(crate) fn credentials(
    endpoint: &Endpoint,
    user_name: &str,
    password: Option<Secret>,
    admin_password: Option<Secret>,
) -> Result<Credentials, String> {
    if let Some(password) = password {
        return Ok(Credentials::password(user_name, password));
    }
    match (&endpoint.admin, admin_password) {
        (Some(admin), Some(password)) => Ok(admin_credentials(admin, password, user_name)),
        _ => Err(format!(
            "there is no password for {user_name} at {}: neither the CSV file nor the endpoint \"{}\" has one",
            endpoint.remote_server, endpoint.name
        )),
    }
}

/// By which the ledger knows one end: the same for every batch, so that a new batch goes on where an old one stopped.
pub(crate) fn ledger_key(endpoint: &Endpoint, user_name: &str, user_root: Option<&str>) -> String {
    let root = user_root.map(|it| format!(" {it}")).unwrap_or_default();
    format!("{user_name}@{}:{}{root}", endpoint.remote_server, endpoint.port)
}

/// What a mailbox is called at its endpoint.
pub(crate) fn mailbox(user_name: &str, user_root: Option<&str>) -> String {
    user_root.map_or_else(|| user_name.to_owned(), |root| format!("{user_name} {root}"))
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;
    use mailhaul_migration::{
        DEFAULT_MAX_CONCURRENT_INCREMENTAL_SYNCS, DEFAULT_MAX_CONCURRENT_MIGRATIONS, Guid, Rates,
    };

    use super::*;

    fn endpoint(setting: Option<&str>) -> Endpoint {
        let now = Timestamp::UNIX_EPOCH;
        Endpoint {
            guid: Guid::nil(),
            name: "New".into(),
            remote_server: "new.example.org".into(),
            port: 993,
            security: EndpointSecurity::Ssl,
            accept_untrusted_certificates: false,
            certificate_authorities: None,
            certificate_sha256: None,
            max_concurrent_migrations: DEFAULT_MAX_CONCURRENT_MIGRATIONS,
            max_concurrent_incremental_syncs: DEFAULT_MAX_CONCURRENT_INCREMENTAL_SYNCS,
            server_profile: None,
            rates: Rates::default(),
            admin: Some(AdminAccess {
                user_name: "mailadmin".into(),
                form: AdminForm::of_setting(setting.map(str::to_owned)),
            }),
            created: now,
            modified: now,
        }
    }

    #[test]
    fn the_user_or_the_administrator_logs_in() {
        let secret = |text: &str| Some(Secret::new(text));
        let own = credentials(&endpoint(None), "terry", secret("own"), secret("admin")).unwrap();
        assert_eq!((own.user.as_str(), own.authorize_as, own.secret.expose()), ("terry", None, &b"own"[..]));
        let authorized = credentials(&endpoint(None), "terry", None, secret("admin")).unwrap();
        let terry = || "terry".to_owned();
        assert_eq!(
            (authorized.user.as_str(), authorized.authorize_as),
            ("mailadmin", Some(AuthorizeAs::Identity(terry())))
        );
        let proxy = credentials(&endpoint(Some("PROXYAUTH")), "terry", None, secret("admin")).unwrap();
        assert_eq!(
            (proxy.user.as_str(), proxy.authorize_as),
            ("mailadmin", Some(AuthorizeAs::ProxyAuth(terry())))
        );
        let by_name = credentials(&endpoint(Some("{user}*{admin}")), "terry", None, secret("admin")).unwrap();
        assert_eq!((by_name.user.as_str(), by_name.authorize_as), ("terry*mailadmin", None));
        let nobody = credentials(&Endpoint { admin: None, ..endpoint(None) }, "terry", None, None);
        assert!(nobody.unwrap_err().contains("no password for terry at new.example.org"));
    }

    #[test]
    fn ledgers_are_found_again() {
        let endpoint = endpoint(None);
        assert_eq!(ledger_key(&endpoint, "terry", None), "terry@new.example.org:993");
        assert_eq!(
            ledger_key(&endpoint, "admin", Some("/users/terry")),
            "admin@new.example.org:993 /users/terry"
        );
    }
}
