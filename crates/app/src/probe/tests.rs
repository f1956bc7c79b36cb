//! Conversations with scripted servers, and one that is silent.

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

use super::{
    findings::{Step, StepResult},
    *,
};

/// What was found, and why it failed, once the peer has followed its script to the end.
async fn asked(peer: Peer, question: Question) -> (Findings, Option<Obstacle>) {
    let (findings, outcome) =
        mailhaul_testkit::peer::finish(peer, async move { probe(&question).await }).await;
    (findings, outcome.err())
}

fn as_alice(peer: &Peer) -> Question {
    Question::quick(peer.options(Security::Clear), Login::User(alice()))
}

fn as_admin(peer: &Peer, mailbox: &str) -> Question {
    let admin = Administrator {
        user_name: "root".to_owned(),
        password: Secret::new("hunter2"),
        mailbox: mailbox.to_owned(),
        form: None,
    };
    Question::quick(peer.options(Security::Clear), Login::Administrator(admin))
}

fn last(findings: &Findings) -> (&str, StepResult, &str) {
    // How many sign-ins were tried is told behind all of an administrator's steps.
    let Step { name, result, detail } = findings.steps.iter().rfind(|it| it.name != "Sign-ins").unwrap();
    (name, *result, detail)
}

#[tokio::test]
async fn a_server_that_says_nothing_is_not_waited_for_long() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let options = ConnectOptions::new("127.0.0.1", listener.local_addr().unwrap().port(), Security::Clear);
    let asking = Asking::new(&options, Duration::from_secs(1));
    let mut findings = Findings::default();
    let question = Question::quick(options, Login::Nobody);
    let obstacle = Box::pin(asking.ask(&question, &mut findings)).await.unwrap_err();
    assert_eq!(obstacle.message, "the connection to the server 127.0.0.1 timed out after 00:00:01");
    assert!(obstacle.advice.contains("993 with Ssl"), "{}", obstacle.advice);
    assert_eq!((findings.addresses.len(), findings.greeting.clone()), (1, None));
    assert_eq!((last(&findings).0, last(&findings).1), ("Greeting", StepResult::Failed));
}

#[tokio::test]
async fn a_certificate_that_vouches_for_itself_can_be_pinned() {
    let peer = peer("TLS\nS: * OK [CAPABILITY IMAP4rev1] hello").await;
    let mut options = peer.options(Security::Implicit);
    let pin = crate::output::text::hexadecimal(&options.tls.pin_sha256.take().unwrap());
    options.tls.ca_pem = Some(fs::read_to_string(Certificate::valid().ca_file()).unwrap());
    let (findings, obstacle) = asked(peer, Question::quick(options, Login::Nobody)).await;
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
async fn a_port_without_tls_is_told_at_the_step_of_tls() {
    let peer = peer("S: * OK [CAPABILITY IMAP4rev1] hello").await;
    let question = Question::quick(peer.options(Security::Implicit), Login::Nobody);
    let (findings, obstacle) = asked(peer, question).await;
    assert_eq!((last(&findings).0, last(&findings).1), ("TLS", StepResult::Failed));
    assert!(obstacle.unwrap().detail.contains("does not speak TLS on this port"));
}

#[tokio::test]
async fn a_server_that_takes_no_password_is_not_given_one() {
    let peer = peer("S: * OK [CAPABILITY IMAP4rev1 LOGINDISABLED AUTH=PLAIN] hello").await;
    let question = as_alice(&peer);
    let (findings, obstacle) = asked(peer, question).await;
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
async fn who_is_in_need_not_be_in_the_mailbox() {
    let peer = peer(
        "S: * OK [CAPABILITY IMAP4rev1] hello
         C: t LOGIN \"alice\" \"hunter2\"
         S: t OK [CAPABILITY IMAP4rev1] welcome
         C: t EXAMINE \"INBOX\"
         S: t NO [NOPERM] not for you",
    )
    .await;
    let question = as_alice(&peer);
    let (findings, obstacle) = asked(peer, question).await;
    let obstacle = obstacle.unwrap();
    assert_eq!(obstacle.message, "the server 127.0.0.1 lets alice in, and does not open the mailbox");
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
    let question = Question { connections: Some(16), ..as_alice(&peer) };
    let (findings, obstacle) = asked(peer, question).await;
    assert_eq!(obstacle, None);
    let limit = findings.connections.clone().unwrap();
    assert_eq!((limit.accepted, limit.tried), (2, 16));
    assert!(limit.refusal.unwrap().contains("BYE too many connections for you"));
    assert_eq!((last(&findings).0, last(&findings).1), ("Connections", StepResult::Warning));
    assert!(last(&findings).2.contains("MaxConcurrentMigrations"));
    assert_eq!(findings.sign_in_attempts, 3);
}

#[tokio::test]
async fn proxyauth_is_found_where_the_server_says_whose_it_is() {
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
    let question = as_admin(&peer, "bob");
    let (findings, obstacle) = asked(peer, question).await;
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
async fn a_server_that_does_not_heed_the_user_is_found_out_and_a_locked_account_ends_the_tries() {
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
    let question = as_admin(&peer, "bob");
    let (findings, obstacle) = asked(peer, question).await;
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
async fn forms_that_cannot_be_said_or_need_another_login_cost_no_try() {
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
    let question = as_admin(&peer, "bob");
    let (findings, obstacle) = asked(peer, question).await;
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
async fn a_password_that_is_told_to_be_wrong_is_sent_once() {
    let peer = peer(
        "S: * OK [CAPABILITY IMAP4rev1] hello
         C: t LOGIN \"root\" \"hunter2\"
         S: t NO Incorrect password",
    )
    .await;
    let question = as_admin(&peer, "bob@contoso.edu");
    let (findings, obstacle) = asked(peer, question).await;
    assert!(obstacle.unwrap().advice.contains("confirm the administrator's password"));
    assert_eq!((last(&findings).0, last(&findings).1), ("Administrator", StepResult::Failed));
    assert_eq!(findings.sign_in_attempts, 1);
}

/// Somebody with this token for a mailbox at Google.
fn with_token(peer: &Peer, endpoint_type: EndpointType) -> Question {
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
    Question::quick(peer.options(Security::Clear), Login::Bearer(Bearer { tokens, side }))
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
async fn a_service_that_has_imap_switched_off_is_told_from_one_that_refuses_the_token() {
    for (words, message, advice) in [
        (
            "[ALERT] Your account is not enabled for IMAP use. (Failure)",
            "IMAP switched off",
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
        let question = with_token(&peer, EndpointType::GoogleWorkspace);
        let (findings, obstacle) = asked(peer, question).await;
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
async fn a_mailbox_that_is_full_is_told_with_its_quota() {
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
    let question = with_token(&peer, EndpointType::GoogleWorkspace);
    let (findings, obstacle) = asked(peer, question).await;
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
async fn without_a_mailbox_only_the_token_is_asked_for() {
    let peer = peer("S: * OK [CAPABILITY IMAP4rev1 SASL-IR AUTH=XOAUTH2] ready").await;
    let mut question = with_token(&peer, EndpointType::Microsoft365);
    let Login::Bearer(bearer) = &mut question.login else { panic!("a bearer") };
    bearer.side.mailbox = None;
    let (findings, obstacle) = asked(peer, question).await;
    assert_eq!(obstacle, None);
    assert_eq!(step_names(&findings), [("Token", StepResult::Success), (SIGN_IN, StepResult::Skipped)]);
    assert!(last(&findings).2.contains("-TestMailbox"));
}
