//! Tests of endpoints with access tokens, against a fake Microsoft 365 and a scripted token server.

use mailhaul_operations::FailureKind::{Invalid, Unavailable};
use mailhaul_testkit::fake::{Fake, Personality, VirtualClock};
use serde_json::{Value, json};
use tokio::{
    io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader},
    net::TcpListener,
};

use super::support::Desk;

const MAILBOX: &str = "ann@contoso.com";

/// Starts a token server that answers request number n (from 0) with status and JSON; returns its
/// address. Each connection has one request.
async fn token_server(answer: impl Fn(usize) -> (u16, Value) + Send + 'static) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(async move {
        for number in 0.. {
            let (stream, _) = listener.accept().await.unwrap();
            let mut stream = BufReader::new(stream);
            let (mut line, mut length) = (String::new(), 0);
            while stream.read_line(&mut line).await.unwrap() > 2 {
                if let Some(number) = line.to_ascii_lowercase().strip_prefix("content-length:") {
                    length = number.trim().parse().unwrap();
                }
                line.clear();
            }
            stream.read_exact(&mut vec![0; length]).await.unwrap();
            let (status, body) = answer(number);
            let body = body.to_string();
            let head = format!(
                "HTTP/1.1 {status} Said\r\nConnection: close\r\nContent-Length: {}\r\n\r\n",
                body.len()
            );
            stream.write_all(format!("{head}{body}").as_bytes()).await.unwrap();
            stream.shutdown().await.unwrap();
        }
    });
    address
}

async fn microsoft() -> Fake {
    let fake = Fake::start(Personality::microsoft_365()).await;
    fake.add_user(MAILBOX, "hunter2", VirtualClock::default());
    fake
}

fn gives(token: &str) -> Value {
    json!({ "access_token": token, "token_type": "Bearer", "expires_in": 3599 })
}

/// Connection parameters of the fake, and its token server.
fn there(fake: &Fake, authority: &str) -> Value {
    json!({
        "Microsoft365": true, "RemoteServer": "127.0.0.1", "Port": fake.port, "Security": "None",
        "AuthorityUrl": authority, "TenantId": "contoso.com", "ApplicationId": "app-1", "ClientSecret": "s3cret",
    })
}

fn with(mut request: Value, more: Value) -> Value {
    let Value::Object(more) = more else { panic!("an object is needed") };
    request.as_object_mut().unwrap().extend(more);
    request
}

/// Steps after the connection to the server, with result and detail.
fn steps(shown: &Value) -> Vec<(&str, &str, &str)> {
    let steps = shown["Steps"].as_array().unwrap();
    let at = steps.iter().position(|it| it["Step"] == "Capabilities").unwrap();
    steps[at + 1..]
        .iter()
        .map(|it| {
            (it["Step"].as_str().unwrap(), it["Result"].as_str().unwrap(), it["Detail"].as_str().unwrap())
        })
        .collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn every_step_is_shown_if_all_succeed() {
    let (desk, fake) = (Desk::new().await, microsoft().await);
    let token = fake.issue_token(MAILBOX);
    let authority = token_server(move |_| (200, gives(&token))).await;
    let request = with(there(&fake, &authority), json!({ "Name": "M365", "TestMailbox": MAILBOX }));
    desk.one("New-MigrationEndpoint", request).await;
    let shown =
        desk.one("Test-MigrationEndpoint", json!({ "Identity": "M365", "TestMailbox": MAILBOX })).await;
    assert_eq!((&shown["Result"], &shown["LoggedInAs"]), (&json!("Success"), &json!(MAILBOX)), "{shown}");
    let told = steps(&shown);
    let names: Vec<_> = told.iter().map(|it| (it.0, it.1)).collect();
    assert_eq!(
        names,
        [("Token", "Success"), ("Sign in", "Success"), ("INBOX", "Success"), ("Quota", "Success")]
    );
    assert!(
        told[0].2.contains("for https://outlook.office365.com/.default, valid for 59 minutes"),
        "{}",
        told[0].2
    );
    assert_eq!(shown["Instructions"], json!([]));

    let thorough = json!({ "Endpoint": "M365", "TestMailbox": MAILBOX, "ShowInstructions": true });
    let shown = desk.one("Test-MigrationServerAvailability", thorough).await;
    assert_eq!(
        (&shown["Result"], &shown["ServerProfile"]),
        (&json!("Success"), &json!("Microsoft 365")),
        "{shown}"
    );
    let commands = shown["Instructions"].to_string();
    for words in ["New-ServicePrincipal -AppId app-1", "Connect-ExchangeOnline -Organization contoso.com"] {
        assert!(commands.contains(words), "{commands}");
    }
    // The same without an endpoint.
    let request = with(there(&fake, &authority), json!({ "TestMailbox": MAILBOX }));
    let shown = desk.one("Test-MigrationServerAvailability", request).await;
    assert_eq!((&shown["Result"], &shown["TestedEndpoint"]), (&json!("Success"), &Value::Null), "{shown}");
    assert!(!shown.to_string().contains("s3cret") && !shown.to_string().contains("token-1-of"), "{shown}");
    assert!(fake.violations().is_empty(), "{:?}", fake.violations());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_failed_step_has_its_causes_and_advice() {
    let desk = Desk::new().await;
    let refusal = json!({
        "error": "invalid_client", "error_description": "AADSTS7000215: Invalid client secret provided.",
    });
    let stranger = || gives("token-of-nobody");
    for (name, status, answer, is_shut, step, words) in [
        ("Refused", 401, refusal, false, "Token", &["AADSTS7000215", "admin consent"][..]),
        (
            "Stranger",
            200,
            stranger(),
            false,
            "Sign in",
            &[
                "New-ServicePrincipal -AppId app-1",
                "ENTERPRISE",
                "Add-MailboxPermission -Identity ann@contoso.com",
            ],
        ),
        (
            "Shut",
            200,
            Value::Null,
            true,
            "Mailbox",
            &[
                "authenticated but not connected",
                "(1) no permission",
                "(2) there is no mailbox",
                "(3) IMAP is disabled",
                "Set-CASMailbox -Identity ann@contoso.com -ImapEnabled $true",
            ],
        ),
    ] {
        let fake = microsoft().await;
        let answer = if answer.is_null() { gives(&fake.issue_token(MAILBOX)) } else { answer };
        if is_shut {
            fake.shut(MAILBOX);
        }
        let authority = token_server(move |_| (status, answer.clone())).await;
        let request = with(there(&fake, &authority), json!({ "Name": name, "TestMailbox": MAILBOX }));
        // An endpoint that does not work is not saved; the refusal shows the setup commands.
        desk.refused("New-MigrationEndpoint", request.clone(), Unavailable, "New-ServicePrincipal").await;
        desk.one("New-MigrationEndpoint", with(request, json!({ "SkipVerification": true }))).await;
        for (cmdlet, named) in
            [("Test-MigrationEndpoint", "Identity"), ("Test-MigrationServerAvailability", "Endpoint")]
        {
            let shown = desk.one(cmdlet, json!({ named: name, "TestMailbox": MAILBOX })).await;
            assert_eq!(shown["Result"], "Failed", "{shown}");
            let told = steps(&shown);
            let (failed, result, detail) = told.last().unwrap();
            assert_eq!((*failed, *result), (step, "Failed"), "{cmdlet} {name}: {told:?}");
            for words in words {
                assert!(detail.contains(words), "{cmdlet} {name}: {words}: {detail}");
                assert!(shown["ErrorDetail"].as_str().unwrap().contains(words), "{shown}");
            }
            assert!(
                shown["Instructions"].to_string().contains("Get-Mailbox -ResultSize Unlimited"),
                "{shown}"
            );
            assert!(
                !shown.to_string().contains("s3cret") && !shown.to_string().contains("token-of"),
                "{shown}"
            );
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn rights_that_came_later_are_seen_with_another_token() {
    let (desk, fake) = (Desk::new().await, microsoft().await);
    // The server refuses the first token and accepts the second.
    let good = fake.issue_token(MAILBOX);
    let authority = token_server(move |number| (200, gives(if number == 0 { "stale" } else { &good }))).await;
    let request = with(there(&fake, &authority), json!({ "Name": "M365", "SkipVerification": true }));
    desk.one("New-MigrationEndpoint", request).await;
    let shown =
        desk.one("Test-MigrationEndpoint", json!({ "Identity": "M365", "TestMailbox": MAILBOX })).await;
    assert_eq!((&shown["Result"], &shown["SignInAttempts"]), (&json!("Success"), &json!(2)), "{shown}");
}

#[tokio::test]
async fn what_cannot_be_tried_is_told() {
    let desk = Desk::new().await;
    let server = json!({ "Name": "New", "RemoteServer": "127.0.0.1", "Port": 9, "TestMailbox": "ann" });
    desk.refused("New-MigrationEndpoint", server, Invalid, "each user signs in with the password").await;
    let signs_in =
        json!({ "Name": "New", "Microsoft365": true, "ApplicationId": "app", "TestMailbox": "ann" });
    desk.refused("New-MigrationEndpoint", signs_in, Invalid, "is not saved yet").await;
    let both = json!({
        "Microsoft365": true, "AccessToken": "t", "Credential": { "UserName": "a", "Password": "b" },
    });
    desk.refused("Test-MigrationServerAvailability", both, Invalid, "either Credential or an access token")
        .await;
    let with_endpoint = json!({ "Endpoint": "Old", "ClientSecret": "s3cret" });
    desk.refused(
        "Test-MigrationServerAvailability",
        with_endpoint,
        Invalid,
        "either Endpoint or ClientSecret",
    )
    .await;
}

#[tokio::test]
async fn a_missing_sign_in_is_explained() {
    let (desk, fake) = (Desk::new().await, microsoft().await);
    let mut request =
        with(there(&fake, "http://127.0.0.1:9"), json!({ "Name": "M365", "SkipVerification": true }));
    request.as_object_mut().unwrap().remove("ClientSecret");
    let made = desk.one("New-MigrationEndpoint", request).await;
    assert_eq!(made["TokenSource"], "RefreshToken");
    let shown =
        desk.one("Test-MigrationEndpoint", json!({ "Identity": "M365", "TestMailbox": MAILBOX })).await;
    let told = steps(&shown);
    assert_eq!((told[0].0, told[0].1), ("Token", "Failed"));
    assert!(told[0].2.contains("mailhaul login"), "{}", told[0].2);
    assert!(shown["Instructions"].to_string().contains("mailhaul login M365"), "{shown}");
}
