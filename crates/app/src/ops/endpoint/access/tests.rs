//! Access parameters, without a database.

use EndpointType::{GoogleWorkspace, Imap, Microsoft365};
use std::sync::OnceLock;

use mailhaul_migration::AdminForm;
use mailhaul_operations::{Bytes, Credential};
use rcgen::{CertificateParams, KeyPair, PKCS_RSA_SHA256, RsaKeySize};
use serde_json::json;

use super::*;

/// Certificate and private key in PEM, shared by all tests.
fn pair() -> &'static (String, String) {
    static PAIR: OnceLock<(String, String)> = OnceLock::new();
    PAIR.get_or_init(|| {
        let key = KeyPair::generate_rsa_for(&PKCS_RSA_SHA256, RsaKeySize::_2048).unwrap();
        let certificate = CertificateParams::new([]).unwrap().self_signed(&key).unwrap();
        (certificate.pem(), key.serialize_pem())
    })
}

fn certificate_file() -> Bytes {
    let (certificate, key) = pair();
    Bytes::new(format!("{certificate}{key}"))
}

#[expect(clippy::unnecessary_wraps, reason = "as the parameters have it")]
fn text(text: &str) -> Option<String> {
    Some(text.to_owned())
}

#[expect(clippy::unnecessary_wraps, reason = "as the parameters have it")]
fn secret(text: &str) -> Option<SecretText> {
    Some(SecretText(Secret::new(text)))
}

#[expect(clippy::unnecessary_wraps, reason = "as the parameters have it")]
fn key(client_id: &str) -> Option<Bytes> {
    let key = json!({
        "type": "service_account", "private_key_id": format!("key of {client_id}"), "private_key": pair().1,
        "client_email": "haul@p.iam.gserviceaccount.com", "client_id": client_id, "token_uri": "https://oauth2.googleapis.com/token",
    });
    Some(Bytes::new(key.to_string()))
}

/// Application at Microsoft with a secret.
fn application() -> TokenParameters {
    TokenParameters {
        tenant_id: text("contoso.com"),
        application_id: text("app"),
        client_secret: secret("s3cret"),
        ..TokenParameters::default()
    }
}

impl From<TokenParameters> for AccessParameters {
    fn from(tokens: TokenParameters) -> Self {
        Self { tokens, ..Self::default() }
    }
}

impl From<SavedTokenParameters> for AccessParameters {
    fn from(saved: SavedTokenParameters) -> Self {
        Self { saved, ..Self::default() }
    }
}

/// Application of another service that a user signs in to.
fn device() -> AccessParameters {
    AccessParameters {
        tokens: TokenParameters {
            token_url: text("https://id.example/token"),
            application_id: text("app"),
            ..TokenParameters::default()
        },
        saved: SavedTokenParameters {
            device_url: text("https://id.example/device"),
            ..SavedTokenParameters::default()
        },
        ..AccessParameters::default()
    }
}

fn made(endpoint_type: EndpointType, parameters: impl Into<AccessParameters>) -> OAuth {
    new_access(endpoint_type, parameters.into()).unwrap().0.oauth().unwrap().clone()
}

#[test]
fn what_is_known_of_a_service_need_not_be_said() {
    let (access, secret) = new_access(Microsoft365, application().into()).unwrap();
    let expected = OAuth {
        grant: Grant::ClientSecret,
        token_url: "https://login.microsoftonline.com/contoso.com/oauth2/v2.0/token".to_owned(),
        device_url: String::new(),
        client_id: "app".to_owned(),
        scope: "https://outlook.office365.com/.default".to_owned(),
        tenant: text("contoso.com"),
    };
    assert_eq!(access.oauth(), Some(&expected));
    assert_eq!(secret.unwrap().expose(), b"s3cret");

    let device =
        made(Microsoft365, TokenParameters { client_secret: None, tenant_id: None, ..application() });
    assert_eq!(device.grant, Grant::RefreshToken { user: None });
    assert_eq!(device.token_url, "https://login.microsoftonline.com/common/oauth2/v2.0/token");
    assert_eq!(device.device_url, "https://login.microsoftonline.com/common/oauth2/v2.0/devicecode");
    assert_eq!(device.scope, "https://outlook.office.com/IMAP.AccessAsUser.All offline_access");

    let google = TokenParameters { service_account_key_file_data: key("1234"), ..TokenParameters::default() };
    let (access, secret) = new_access(GoogleWorkspace, google.into()).unwrap();
    let expected = OAuth {
        grant: Grant::ServiceAccount {
            email: "haul@p.iam.gserviceaccount.com".to_owned(),
            key_id: "key of 1234".to_owned(),
        },
        token_url: "https://oauth2.googleapis.com/token".to_owned(),
        device_url: String::new(),
        client_id: "1234".to_owned(),
        scope: "https://mail.google.com/".to_owned(),
        tenant: None,
    };
    assert_eq!(access.oauth(), Some(&expected));
    assert!(secret.unwrap().expose().starts_with(b"-----BEGIN PRIVATE KEY-----"));
}

#[test]
fn all_of_it_can_be_said_otherwise() {
    let cloud = TokenParameters {
        client_secret: None,
        certificate_file: Some(certificate_file()),
        authority_url: text("https://login.microsoftonline.us/"),
        scope: text("https://outlook.office365.us/.default"),
        ..application()
    };
    let oauth = made(Microsoft365, cloud);
    assert!(matches!(oauth.grant, Grant::ClientCertificate { .. }));
    assert_eq!(oauth.token_url, "https://login.microsoftonline.us/contoso.com/oauth2/v2.0/token");
    assert_eq!(oauth.scope, "https://outlook.office365.us/.default");

    let here = TokenParameters { token_url: text("http://127.0.0.1:8080/token"), ..application() };
    assert_eq!(made(Microsoft365, here).token_url, "http://127.0.0.1:8080/token");

    let any = device();
    let oauth = made(Imap, any);
    assert_eq!((oauth.device_url.as_str(), oauth.scope.as_str()), ("https://id.example/device", ""));

    let command = vec!["/usr/bin/token".to_owned(), "{user}".to_owned()];
    let oauth = made(
        Imap,
        SavedTokenParameters { token_command: Some(command.clone()), ..SavedTokenParameters::default() },
    );
    assert_eq!((oauth.grant, oauth.token_url.as_str()), (Grant::Command { command }, ""));
}

#[test]
fn what_cannot_be_is_told() {
    let token = |command: &[&str]| SavedTokenParameters {
        token_command: Some(command.iter().map(|it| (*it).to_owned()).collect()),
        ..SavedTokenParameters::default()
    };
    for (parameters, words) in [
        (
            TokenParameters { authority_url: text("http://login.example"), ..application() },
            "AuthorityUrl: it must begin",
        ),
        (TokenParameters { token_url: text("nonsense"), ..application() }, "TokenUrl: it is not a URL"),
        (TokenParameters { tenant_id: text("../common"), ..application() }, "TenantId must be"),
        (TokenParameters { tenant_id: text(" "), ..application() }, "TenantId must be"),
        (TokenParameters { application_id: text("a\nb"), ..application() }, "ApplicationId must be one line"),
        (TokenParameters { scope: text(""), ..application() }, "Scope must be one line"),
        (
            TokenParameters {
                client_secret: None,
                certificate_file: Some(Bytes::new("s3cret")),
                ..application()
            },
            "CertificateFile: ",
        ),
        (TokenParameters { certificate_file: Some(certificate_file()), ..application() }, "not both"),
    ] {
        let failure = new_access(Microsoft365, parameters.into()).unwrap_err();
        assert!(failure.message.contains(words) && !format!("{failure:?}").contains("s3cret"), "{failure:?}");
    }
    for command in [&[][..], &["token", "{user}"]] {
        let failure = new_access(Microsoft365, token(command).into()).unwrap_err();
        assert!(failure.message.contains("TokenCommand must begin"), "{failure:?}");
    }
}

#[test]
fn kinds_exclude_each_other() {
    let none = Kinds::default();
    for (kinds, kind) in [
        (none, Imap),
        (Kinds { imap: true, ..none }, Imap),
        (Kinds { microsoft_365: true, ..none }, Microsoft365),
        (Kinds { gmail: true, ..none }, GoogleWorkspace),
        (Kinds { gmail: true, google_workspace: true, ..none }, GoogleWorkspace),
    ] {
        assert_eq!(kinds.endpoint_type(), Ok(kind), "{kinds:?}");
    }
    let failure = Kinds { imap: true, gmail: true, ..none }.endpoint_type().unwrap_err();
    assert!(failure.message.contains("either IMAP or Gmail"), "{failure}");

    assert_eq!(gmail_api(GoogleWorkspace, true, None).unwrap().as_deref(), Some(GMAIL_API));
    let url = "http://localhost:1/gmail";
    assert_eq!(gmail_api(GoogleWorkspace, false, Some(url)), Ok(Some(url.to_owned())));
    assert_eq!(gmail_api(Imap, false, None), Ok(None));
    assert!(gmail_api(Microsoft365, true, None).unwrap_err().message.contains("GmailApi does not apply to"));
    assert!(gmail_api(GoogleWorkspace, true, Some("http://gmail.example")).is_err());
}

/// Changes an endpoint that was made with these parameters.
fn changed(
    endpoint_type: EndpointType,
    before: impl Into<AccessParameters>,
    change: impl Into<AccessParameters>,
) -> Result<(Access, NewSecret), Failure> {
    let (before, _) = new_access(endpoint_type, before.into()).unwrap();
    changed_access(endpoint_type, &before, change.into())
}

#[test]
fn a_change_keeps_what_it_does_not_name() {
    let none = TokenParameters::default;
    let (access, kept) = changed(Microsoft365, application(), none()).unwrap();
    assert_eq!(
        Some(access.oauth().unwrap()),
        new_access(Microsoft365, application().into()).unwrap().0.oauth()
    );
    assert!(matches!(kept, NewSecret::Keep));

    // A new secret alone.
    let change = TokenParameters { client_secret: secret("new"), ..none() };
    let (access, kept) = changed(Microsoft365, application(), change).unwrap();
    assert_eq!(access.oauth(), Some(&made(Microsoft365, application())));
    assert!(matches!(kept, NewSecret::Set(it) if it.expose() == b"new"));

    // Another organisation: the address follows, in the cloud that was chosen.
    let us = || TokenParameters { authority_url: text("https://login.microsoftonline.us"), ..application() };
    let change = TokenParameters { tenant_id: text("fabrikam.com"), ..none() };
    let (access, kept) = changed(Microsoft365, us(), change).unwrap();
    let oauth = access.oauth().unwrap();
    assert_eq!(oauth.token_url, "https://login.microsoftonline.us/fabrikam.com/oauth2/v2.0/token");
    assert_eq!((oauth.client_id.as_str(), oauth.grant.clone()), ("app", Grant::ClientSecret));
    assert!(matches!(kept, NewSecret::Keep));

    // From a secret to a certificate, and to a user who signs in: the usual scope of each.
    let change = TokenParameters { certificate_file: Some(certificate_file()), ..none() };
    let (access, kept) = changed(Microsoft365, application(), change).unwrap();
    assert!(matches!(access.oauth().unwrap().grant, Grant::ClientCertificate { .. }));
    assert!(matches!(kept, NewSecret::Set(_)));
    let change = SavedTokenParameters { refresh_token: secret("refresh"), ..SavedTokenParameters::default() };
    let (access, _) = changed(Microsoft365, application(), change).unwrap();
    let oauth = access.oauth().unwrap();
    assert_eq!(oauth.scope, "https://outlook.office.com/IMAP.AccessAsUser.All offline_access");
    assert_eq!(oauth.device_url, "https://login.microsoftonline.com/contoso.com/oauth2/v2.0/devicecode");

    // A new key of another service account; a scope of one's own stays.
    let google = TokenParameters {
        service_account_key_file_data: key("1"),
        scope: text("https://mail.google.com/ more"),
        token_url: text("https://token.example/here"),
        ..none()
    };
    let change = TokenParameters { service_account_key_file_data: key("2"), ..none() };
    let (access, _) = changed(GoogleWorkspace, google, change).unwrap();
    let oauth = access.oauth().unwrap();
    assert_eq!((oauth.client_id.as_str(), oauth.scope.as_str()), ("2", "https://mail.google.com/ more"));
    assert_eq!(oauth.token_url, "https://token.example/here");
    let google = TokenParameters { service_account_key_file_data: key("1"), ..none() };
    let change = TokenParameters { scope: text("other"), ..none() };
    let (access, kept) = changed(GoogleWorkspace, google, change).unwrap();
    let oauth = access.oauth().unwrap();
    assert_eq!((oauth.client_id.as_str(), oauth.scope.as_str()), ("1", "other"));
    assert!(matches!(oauth.grant, Grant::ServiceAccount { .. }) && matches!(kept, NewSecret::Keep));
}

#[test]
fn a_saved_secret_goes_to_no_new_server() {
    let none = TokenParameters::default;
    let change = || TokenParameters { authority_url: text("https://login.example"), ..none() };
    let failure = changed(Microsoft365, application(), change()).unwrap_err();
    assert!(failure.message.contains("another token server"), "{failure}");
    let with_secret = TokenParameters { client_secret: secret("new"), ..change() };
    assert!(changed(Microsoft365, application(), with_secret).is_ok());
    // An assertion is valid only for the server that it names.
    let certified =
        TokenParameters { client_secret: None, certificate_file: Some(certificate_file()), ..application() };
    assert!(changed(Microsoft365, certified, change()).is_ok());
}

#[test]
fn one_who_opens_mailboxes_follows_another() {
    let none = AccessParameters::default;
    let admin = || {
        let credential = Credential { user_name: "root".to_owned(), password: Secret::new("s3cret") };
        AccessParameters { credential: Some(credential), ..none() }
    };
    let (access, kept) = changed(Imap, none(), admin()).unwrap();
    assert!(access.admin().is_some() && matches!(kept, NewSecret::Set(_)));
    let form = AccessParameters { user_name_template: text("{user}*{admin}"), ..admin() };
    let (access, _) = changed(Imap, form, admin()).unwrap();
    assert_eq!(access.admin().unwrap().form, AdminForm::Template("{user}*{admin}".to_owned()));
    let form = AccessParameters { user_name_template: text("PROXYAUTH"), ..none() };
    let (access, kept) = changed(Imap, admin(), form).unwrap();
    assert_eq!(access.admin().unwrap().form, AdminForm::ProxyAuth);
    assert!(matches!(kept, NewSecret::Keep));

    // A user who signs in later has no secret yet, and the administrator's is no longer used.
    let failure = changed(Imap, admin(), device()).unwrap_err();
    assert!(failure.message.contains("cannot be given with Credential"), "{failure}");
    let command = SavedTokenParameters {
        token_command: Some(vec!["/bin/token".to_owned()]),
        ..SavedTokenParameters::default()
    };
    let (access, kept) = changed(Imap, admin(), command).unwrap();
    assert!(access.oauth().is_some() && matches!(kept, NewSecret::Remove));
    let failure = changed(Microsoft365, application(), admin()).unwrap_err();
    assert!(failure.message.contains("Credential does not apply to Microsoft365 endpoints"), "{failure}");
}
