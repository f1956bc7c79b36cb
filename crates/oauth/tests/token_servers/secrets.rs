//! No source and no error shows a secret.

use mailhaul_mail::Secret;
use mailhaul_oauth::{
    CertificateFile, ClientCertificate, ClientSecret, DeviceLogin, FixedToken, Keeping, RefreshToken,
    RefreshTokenKeeper, ServiceAccount, ServiceAccountKey, TokenCommand, TokenSource, Tokens,
};

use crate::support::{Server, key_file, pair, refused};

struct Nowhere;

impl RefreshTokenKeeper for Nowhere {
    fn keep<'a>(&'a self, _before: &'a Secret, _now: &'a Secret) -> Keeping<'a> {
        Box::pin(async { Err("nowhere".to_owned()) })
    }
}

/// Asserts that no secret is shown. The key is recognised by its lines.
fn assert_clean(shown: &str) {
    let key: Vec<&str> = pair().key.lines().filter(|it| !it.starts_with('-')).collect();
    for secret in ["s3cret", "eyJ"].into_iter().chain(key) {
        assert!(!shown.contains(secret), "{shown}");
    }
    // Nor as a list of its bytes.
    assert!(!shown.contains("115, 51, 99"), "{shown}");
}

#[tokio::test]
async fn nothing_shows_a_secret() {
    // A server that echoes all that it receives.
    let server = Server::start(|form, _| {
        let mut all: Vec<String> = form.iter().map(|(name, value)| format!("{name}={value}")).collect();
        // The assertion comes last, because it fills the text.
        all.sort_by_key(String::len);
        refused(&all.join(" "), &all.join(" "))
    })
    .await;
    let (secret, scope, id) = (|| Secret::new("s3cret"), "mail".to_owned(), "app-1".to_owned());
    let file = key_file(&server.url()).to_string();
    let key = ServiceAccountKey::parse(file.as_bytes()).unwrap();
    let pem = format!("{}{}", pair().certificate, pair().key);
    let certificate = CertificateFile::parse(pem.as_bytes(), jiff::Timestamp::now()).unwrap();
    assert_clean(&format!("{key:?} {:?}", certificate.private_key));

    let command = ["sh", "-c", "echo s3cret; echo trouble >&2; exit 1"].map(str::to_owned).to_vec();
    let by_secret = ClientSecret {
        endpoint: server.endpoint(),
        client_id: id.clone(),
        secret: secret(),
        scope: scope.clone(),
    };
    let by_certificate = ClientCertificate::new(
        server.endpoint(),
        id.clone(),
        &certificate.certificate,
        &certificate.private_key,
        scope.clone(),
    )
    .unwrap();
    let account = ServiceAccount::new(
        server.endpoint(),
        key.email.clone(),
        key.client_id.clone(),
        key.key_id.clone(),
        &key.private_key,
        scope.clone(),
    )
    .unwrap();
    let refresh =
        RefreshToken::new(server.endpoint(), id.clone(), Some(secret()), scope.clone(), secret(), Nowhere);
    let by_command =
        TokenCommand::new(vec![command[0].clone(), command[1].clone(), command[2].clone()]).unwrap();
    assert_clean(&format!(
        "{by_secret:?} {by_certificate:?} {account:?} {refresh:?} {:?}",
        FixedToken(secret())
    ));

    let sources: [Box<dyn TokenSource>; 5] = [
        Box::new(by_secret),
        Box::new(by_certificate),
        Box::new(account),
        Box::new(refresh),
        Box::new(by_command),
    ];
    for source in sources {
        let error = source.ask("ann@example.org").await.unwrap_err();
        assert_clean(&format!("{error:?} {error}"));
    }

    let login = DeviceLogin {
        endpoint: server.endpoint(),
        device_url: server.address(),
        client_id: id,
        client_secret: Some(secret()),
        scope,
    };
    let error = login.start().await.unwrap_err();
    assert_clean(&format!("{login:?} {error:?} {error}"));

    let tokens = Tokens::new(FixedToken(secret()));
    let token = tokens.token("ann").await.unwrap();
    assert_clean(&format!("{tokens:?} {token:?}"));
}
