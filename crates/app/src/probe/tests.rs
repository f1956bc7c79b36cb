//! Tests with scripted servers.

use std::fs;

use mailhaul_imap::Security;
use mailhaul_mail::Secret;
use mailhaul_migration::{EndpointType, Grant, OAuth};
use mailhaul_oauth::{FixedToken, Tokens};
use mailhaul_testkit::{
    Certificate,
    peer::{Peer, alice, peer},
};
use tokio::net::TcpListener;

use mailhaul_imap::ConnectOptions;

use super::{
    conversation::SIGN_IN,
    findings::{Step, StepResult},
    *,
};

/// Runs the test, and waits until the peer has finished its script.
async fn tested(peer: Peer, request: ProbeRequest) -> (Findings, Option<Obstacle>) {
    let (findings, outcome) =
        mailhaul_testkit::peer::finish(peer, async move { probe(&request).await }).await;
    (findings, outcome.err())
}

fn as_alice(peer: &Peer) -> ProbeRequest {
    ProbeRequest::quick(peer.options(Security::Clear), Login::User(alice()))
}

fn as_admin(peer: &Peer, mailbox: &str) -> ProbeRequest {
    let admin = Administrator {
        user_name: "root".to_owned(),
        password: Secret::new("hunter2"),
        mailbox: mailbox.to_owned(),
        form: None,
    };
    ProbeRequest::quick(peer.options(Security::Clear), Login::Administrator(admin))
}

fn last(findings: &Findings) -> (&str, StepResult, &str) {
    // The step with the number of sign-ins follows all steps of an administrator.
    let Step { name, result, detail } = findings.steps.iter().rfind(|it| it.name != "Sign-ins").unwrap();
    (name, *result, detail)
}

#[tokio::test]
async fn a_silent_server_times_out() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let options = ConnectOptions::new("127.0.0.1", listener.local_addr().unwrap().port(), Security::Clear);
    let conversation = Conversation::new(&options, Duration::from_secs(1), None);
    let mut findings = Findings::default();
    let request = ProbeRequest::quick(options, Login::None);
    let obstacle = Box::pin(run(&conversation, &request, &mut findings)).await.unwrap_err();
    assert_eq!(obstacle.message, "the connection to the server 127.0.0.1 timed out after 00:00:01");
    assert!(obstacle.advice.contains("993 with Ssl"), "{}", obstacle.advice);
    assert_eq!((findings.addresses.len(), findings.greeting.clone()), (1, None));
    assert_eq!((last(&findings).0, last(&findings).1), ("Greeting", StepResult::Failed));
}

#[tokio::test]
async fn a_self_signed_certificate_can_be_pinned() {
    let peer = peer("TLS\nS: * OK [CAPABILITY IMAP4rev1] hello").await;
    let mut options = peer.options(Security::Implicit);
    let pin = crate::output::text::hexadecimal(&options.tls.pin_sha256.take().unwrap());
    options.tls.ca_pem = Some(fs::read_to_string(Certificate::valid().ca_file()).unwrap());
    let (findings, obstacle) = tested(peer, ProbeRequest::quick(options, Login::None)).await;
    let obstacle = obstacle.unwrap();
    assert_eq!((last(&findings).0, last(&findings).1), ("Certificate", StepResult::Failed));
    for words in ["it is self-signed, and no authority vouches for it", &pin] {
        assert!(last(&findings).2.contains(words) && obstacle.detail.contains(words), "{obstacle:?}");
    }
    assert!(obstacle.advice.contains(&format!("-CertificateSha256 {pin}")), "{}", obstacle.advice);
    assert!(findings.certificates[0].is_self_signed && findings.certificates[0].sha256 == pin);
    assert_eq!(findings.certificate_names_host, Some(false));
}

#[tokio::test]
async fn a_port_without_tls_fails_in_the_tls_step() {
    let peer = peer("S: * OK [CAPABILITY IMAP4rev1] hello").await;
    let request = ProbeRequest::quick(peer.options(Security::Implicit), Login::None);
    let (findings, obstacle) = tested(peer, request).await;
    assert_eq!((last(&findings).0, last(&findings).1), ("TLS", StepResult::Failed));
    assert!(obstacle.unwrap().detail.contains("does not speak TLS on this port"));
}

#[tokio::test]
async fn no_password_is_sent_if_the_server_accepts_none() {
    let peer = peer("S: * OK [CAPABILITY IMAP4rev1 LOGINDISABLED AUTH=PLAIN] hello").await;
    let request = as_alice(&peer);
    let (findings, obstacle) = tested(peer, request).await;
    let capabilities = findings.steps.iter().find(|it| it.name == "Capabilities").unwrap();
    assert_eq!(capabilities.result, StepResult::Warning);
    assert!(capabilities.detail.contains("use -Security Tls or Ssl"), "{}", capabilities.detail);
    assert_eq!((last(&findings).0, last(&findings).1), (SIGN_IN, StepResult::Failed));
    let obstacle = obstacle.unwrap();
    assert!(obstacle.detail.contains("LOGINDISABLED"), "{obstacle:?}");
    assert_eq!(obstacle.advice, "Give -Security Ssl (port 993) or Tls (port 143).");
    assert_eq!((findings.sign_in_attempts, findings.logged_in_as), (0, None));
}

#[tokio::test]
async fn a_sign_in_may_succeed_without_access_to_the_mailbox() {
    let peer = peer(
        "S: * OK [CAPABILITY IMAP4rev1] hello
         C: t LOGIN \"alice\" \"hunter2\"
         S: t OK [CAPABILITY IMAP4rev1] welcome
         C: t EXAMINE \"INBOX\"
         S: t NO [NOPERM] not for you",
    )
    .await;
    let request = as_alice(&peer);
    let (findings, obstacle) = tested(peer, request).await;
    let obstacle = obstacle.unwrap();
    assert_eq!(
        obstacle.message,
        "the server 127.0.0.1 accepts the login of alice but does not open the mailbox"
    );
    assert!(obstacle.detail.contains("NO [NOPERM] not for you"), "{obstacle:?}");
    assert!(obstacle.advice.contains("whether it exists and is enabled"), "{obstacle:?}");
    assert_eq!((last(&findings).0, last(&findings).1), ("INBOX", StepResult::Failed));
    assert_eq!(findings.sign_in_attempts, 1);
}

#[tokio::test]
async fn connections_are_counted_until_one_is_refused() {
    const IN: &str = "S: * OK [CAPABILITY IMAP4rev1] hello
         C: t LOGIN \"alice\" \"hunter2\"
         S: t OK [CAPABILITY IMAP4rev1] welcome";
    const OUT: &str = "C: t LOGOUT\nS: * BYE\nS: t OK";
    let script = format!(
        "{IN}
         C: t EXAMINE \"INBOX\"
         S: * 0 EXISTS
         S: t OK
         C: t LIST \"\" \"*\"
         S: * LIST () \"/\" INBOX
         S: t OK
         {OUT}
         CONNECTION
         {IN}
         {OUT}
         CONNECTION
         {IN}
         {OUT}
         CONNECTION
         S: * BYE too many connections for you"
    );
    let peer = peer(&script).await;
    let request = ProbeRequest { connections: Some(16), ..as_alice(&peer) };
    let (findings, obstacle) = tested(peer, request).await;
    assert_eq!(obstacle, None);
    let limit = findings.connections.clone().unwrap();
    assert_eq!((limit.accepted, limit.tried), (2, 16));
    assert!(limit.refusal.unwrap().contains("BYE too many connections for you"));
    assert_eq!((last(&findings).0, last(&findings).1), ("Connections", StepResult::Warning));
    assert!(last(&findings).2.contains("MaxConcurrentMigrations"));
    assert_eq!(findings.sign_in_attempts, 3);
}

#[tokio::test]
async fn proxyauth_is_tried_first_on_an_oracle_server() {
    let peer = peer(
        "S: * OK [CAPABILITY IMAP4rev1] Oracle Communications Messaging Server
         C: t LOGIN \"root\" \"hunter2\"
         S: t OK [CAPABILITY IMAP4rev1] welcome
         C: t EXAMINE \"INBOX\"
         S: t NO no mailbox
         CONNECTION
         S: * OK [CAPABILITY IMAP4rev1] Oracle Communications Messaging Server
         C: t LOGIN \"root\" \"hunter2\"
         S: t OK [CAPABILITY IMAP4rev1] welcome
         C: t PROXYAUTH \"bob\"
         S: * CAPABILITY IMAP4rev1
         S: t OK
         C: t EXAMINE \"INBOX\"
         S: * 3 EXISTS
         S: t OK
         C: t EXAMINE \"INBOX\"
         S: * 3 EXISTS
         S: t OK
         C: t LIST \"\" \"*\"
         S: * LIST () \"/\" INBOX
         S: t OK
         C: t LOGOUT
         S: t OK",
    )
    .await;
    let request = as_admin(&peer, "bob");
    let (findings, obstacle) = tested(peer, request).await;
    assert_eq!(obstacle, None);
    assert_eq!(
        (findings.admin_form.as_deref(), findings.logged_in_as.as_deref()),
        (Some("PROXYAUTH"), Some("bob"))
    );
    assert_eq!(findings.sign_in_attempts, 2);
    let shown = findings.instructions.join("\n");
    assert!(shown.contains("-Credential root -UserNameTemplate PROXYAUTH"), "{shown}");
    assert!(!format!("{findings:?}").contains("hunter2"));
}

#[tokio::test]
async fn an_ignored_user_name_is_detected_and_a_lock_ends_the_search() {
    const OWN: &str = "C: t EXAMINE \"INBOX\"
         S: * 5 EXISTS
         S: * OK [UIDVALIDITY 7]
         S: * OK [UIDNEXT 9]
         S: t OK";
    let hello = "S: * OK [CAPABILITY IMAP4rev1 SASL-IR AUTH=PLAIN] hello";
    let plain = |identity: &str| {
        use base64::{Engine as _, prelude::BASE64_STANDARD};
        format!("C: t AUTHENTICATE PLAIN {}", BASE64_STANDARD.encode(format!("{identity}\0root\0hunter2")))
    };
    let script = format!(
        "{hello}
         {}
         S: t OK [CAPABILITY IMAP4rev1] welcome
         {OWN}
         CONNECTION
         {hello}
         {}
         S: t OK [CAPABILITY IMAP4rev1] welcome
         {OWN}
         CONNECTION
         {hello}
         {}
         S: t NO Account is locked",
        plain(""),
        plain("bob"),
        plain("")
    );
    let peer = peer(&script).await;
    let request = as_admin(&peer, "bob");
    let (findings, obstacle) = tested(peer, request).await;
    let obstacle = obstacle.unwrap();
    let identity = findings.steps.iter().find(|it| it.name.contains("identity")).unwrap();
    assert_eq!(identity.result, StepResult::Failed);
    assert!(identity.detail.contains("the administrator's own mailbox"), "{}", identity.detail);
    assert_eq!((last(&findings).0, last(&findings).1), ("Form PROXYAUTH", StepResult::Failed));
    assert!(
        obstacle.detail.contains("Account is locked") && obstacle.advice.contains("No further form"),
        "{obstacle:?}"
    );
    assert_eq!((findings.sign_in_attempts, findings.admin_form), (3, None));
}

#[tokio::test]
async fn impossible_forms_cost_no_sign_in() {
    // Without a mechanism that names two users there is no authorization identity.
    let peer = peer(
        "S: * OK [CAPABILITY IMAP4rev1] hello
         C: t LOGIN \"root\" \"hunter2\"
         S: t NO [AUTHENTICATIONFAILED] no
         CONNECTION
         S: * OK [CAPABILITY IMAP4rev1] hello
         CONNECTION
         S: * OK [CAPABILITY IMAP4rev1] hello
         C: t LOGIN \"bob*root\" \"hunter2\"
         S: t NO [AUTHENTICATIONFAILED] no
         CONNECTION
         S: * OK [CAPABILITY IMAP4rev1] hello
         C: t LOGIN \"bob%root\" \"hunter2\"
         S: t OK [CAPABILITY IMAP4rev1] welcome
         C: t EXAMINE \"INBOX\"
         S: * 3 EXISTS
         S: t OK
         C: t EXAMINE \"INBOX\"
         S: * 3 EXISTS
         S: t OK
         C: t LIST \"\" \"*\"
         S: * LIST () \"/\" INBOX
         S: t OK
         C: t LOGOUT
         S: t OK",
    )
    .await;
    let request = as_admin(&peer, "bob");
    let (findings, obstacle) = tested(peer, request).await;
    assert_eq!((obstacle, findings.sign_in_attempts), (None, 3));
    assert_eq!(findings.admin_form.as_deref(), Some("{user}%{admin}"));
    let results: Vec<(&str, StepResult)> = findings
        .steps
        .iter()
        .filter(|it| it.name.starts_with("Form "))
        .map(|it| (it.name.as_str(), it.result))
        .collect();
    let expected = [
        ("Form SASL authorization identity", StepResult::Refused),
        ("Form PROXYAUTH", StepResult::Skipped),
        ("Form UserRoot", StepResult::Skipped),
        ("Form {user}*{admin}", StepResult::Refused),
        ("Form {user}%{admin}", StepResult::Success),
    ];
    assert_eq!(results, expected);
}

#[tokio::test]
async fn a_wrong_password_is_sent_once() {
    let peer = peer(
        "S: * OK [CAPABILITY IMAP4rev1] hello
         C: t LOGIN \"root\" \"hunter2\"
         S: t NO Incorrect password",
    )
    .await;
    let request = as_admin(&peer, "bob@contoso.edu");
    let (findings, obstacle) = tested(peer, request).await;
    assert!(obstacle.unwrap().advice.contains("confirm the administrator's password"));
    assert_eq!((last(&findings).0, last(&findings).1), ("Administrator", StepResult::Failed));
    assert_eq!(findings.sign_in_attempts, 1);
}

/// Test with an access token for a mailbox.
fn with_token(peer: &Peer, endpoint_type: EndpointType) -> ProbeRequest {
    let oauth = OAuth {
        grant: Grant::Token,
        token_url: String::new(),
        device_url: String::new(),
        client_id: String::new(),
        scope: String::new(),
        tenant: None,
    };
    let mailbox = Some("ann@contoso.com".to_owned());
    let side = OtherSide { endpoint_type, endpoint: None, oauth, mailbox, by_gmail_api: false };
    let tokens = Ok(Tokens::new(FixedToken(Secret::new("t0ken"))));
    ProbeRequest::quick(peer.options(Security::Clear), Login::Bearer(Bearer { tokens, side }))
}

fn xoauth2() -> String {
    use base64::{Engine as _, prelude::BASE64_STANDARD};
    BASE64_STANDARD.encode("user=ann@contoso.com\x01auth=Bearer t0ken\x01\x01")
}

fn step_names(findings: &Findings) -> Vec<(&str, StepResult)> {
    let from_capabilities = findings.steps.iter().skip_while(|it| it.name != "Capabilities").skip(1);
    from_capabilities.map(|it| (it.name.as_str(), it.result)).collect()
}

#[tokio::test]
async fn disabled_imap_and_a_refused_token_have_different_advice() {
    for (words, message, advice) in [
        (
            "[ALERT] Your account is not enabled for IMAP use. (Failure)",
            "IMAP is disabled",
            "organisational unit",
        ),
        ("[AUTHENTICATIONFAILED] Invalid credentials (Failure)", "refuses the token", "aliases and groups"),
    ] {
        let script = format!(
            "S: * OK [CAPABILITY IMAP4rev1 SASL-IR AUTH=XOAUTH2] Gimap ready
             C: t AUTHENTICATE XOAUTH2 {}
             S: t NO {words}",
            xoauth2()
        );
        let peer = peer(&script).await;
        let request = with_token(&peer, EndpointType::GoogleWorkspace);
        let (findings, obstacle) = tested(peer, request).await;
        let obstacle = obstacle.unwrap();
        assert!(
            obstacle.message.contains(message) && obstacle.message.contains("ann@contoso.com"),
            "{obstacle:?}"
        );
        assert!(obstacle.detail.contains(words) && obstacle.advice.contains(advice), "{obstacle:?}");
        assert_eq!(step_names(&findings), [("Token", StepResult::Success), (SIGN_IN, StepResult::Failed),]);
        assert!(!format!("{findings:?} {obstacle:?}").contains("t0ken"));
    }
}

#[tokio::test]
async fn a_full_mailbox_is_shown_with_its_quota() {
    let script = format!(
        "S: * OK [CAPABILITY IMAP4rev1 SASL-IR AUTH=XOAUTH2] Gimap ready
         C: t AUTHENTICATE XOAUTH2 {}
         S: t OK [CAPABILITY IMAP4rev1 QUOTA] welcome
         C: t EXAMINE \"INBOX\"
         S: * 0 EXISTS
         S: t OK
         C: t LIST \"\" \"*\"
         S: * LIST () \"/\" INBOX
         S: t OK
         C: t GETQUOTAROOT \"INBOX\"
         S: * QUOTAROOT INBOX \"\"
         S: * QUOTA \"\" (STORAGE 1048576 1048576)
         S: t OK
         C: t LOGOUT
         S: t OK",
        xoauth2()
    );
    let peer = peer(&script).await;
    let request = with_token(&peer, EndpointType::GoogleWorkspace);
    let (findings, obstacle) = tested(peer, request).await;
    assert_eq!(obstacle, None);
    assert_eq!(
        step_names(&findings),
        [
            ("Token", StepResult::Success),
            (SIGN_IN, StepResult::Success),
            ("INBOX", StepResult::Success),
            ("Quota", StepResult::Warning)
        ]
    );
    assert!(last(&findings).2.contains("1.0 GB of 1.0 GB: the mailbox is full"), "{}", last(&findings).2);
    assert_eq!(findings.logged_in_as.as_deref(), Some("ann@contoso.com"));
}

#[tokio::test]
async fn without_a_mailbox_only_a_token_is_requested() {
    let peer = peer("S: * OK [CAPABILITY IMAP4rev1 SASL-IR AUTH=XOAUTH2] ready").await;
    let mut request = with_token(&peer, EndpointType::Microsoft365);
    let Login::Bearer(bearer) = &mut request.login else { panic!("a bearer") };
    bearer.side.mailbox = None;
    let (findings, obstacle) = tested(peer, request).await;
    assert_eq!(obstacle, None);
    assert_eq!(step_names(&findings), [("Token", StepResult::Success), (SIGN_IN, StepResult::Skipped)]);
    assert!(last(&findings).2.contains("-TestMailbox"));
}
