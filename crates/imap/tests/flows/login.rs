//! From the first octet to a session: greeting, TLS, authentication.

use std::time::Duration;

use base64::{Engine as _, engine::general_purpose::STANDARD};
use mailhaul_imap::{AuthorizeAs, Connection, CredentialKind, Credentials, Error, ErrorKind, Security};
use mailhaul_mail::{Retry, Scope, Secret};
use mailhaul_testkit::peer::{alice, peer, peer_with};
use rcgen::date_time_ymd;

async fn refused(script: &str, security: Security) -> Error {
    let peer = peer(script).await;
    let error = peer.open(security).await.err().unwrap();
    peer.done().await;
    error
}

#[tokio::test]
async fn the_greeting_is_waited_for_and_capabilities_are_asked_for() {
    let peer = peer(
        "s: * OK
         S:  hello, late
         C: a1 CAPABILITY
         S: * CAPABILITY IMAP4rev1 AUTH=PLAIN
         S: a1 OK done",
    )
    .await;
    let connection = peer.open(Security::Clear).await.unwrap();
    assert!(connection.capabilities().has("auth=plain"));
    assert_eq!(connection.greeting().text, "hello, late");
    let lines = peer.lines.all();
    assert_eq!(lines[..2], ["S: * OK hello, late", "C: a1 CAPABILITY"]);
    drop(connection);
    peer.done().await;
}

#[tokio::test]
async fn a_server_that_does_not_greet_is_given_up() {
    let peer = peer("").await;
    let mut options = peer.options(Security::Clear);
    options.timeouts.greeting = Duration::from_millis(50);
    let error = Connection::open(&options).await.err().unwrap();
    assert_eq!((error.kind, error.scope), (ErrorKind::Timeout, Scope::Endpoint));
    peer.done().await;
}

#[tokio::test]
async fn odd_greetings() {
    let error = refused("S: * BYE [UNAVAILABLE] too many connections", Security::Clear).await;
    assert_eq!((error.kind, error.scope), (ErrorKind::TooManyConnections, Scope::Endpoint));
    assert!(error.to_string().contains("BYE [UNAVAILABLE] too many connections"), "{error}");

    let error = refused("S: +OK POP3 ready", Security::Clear).await;
    assert!(error.to_string().contains("does not speak IMAP"), "{error}");

    let error = refused("S: HTTP/1.1 400 Bad Request", Security::Clear).await;
    assert_eq!(error.kind, ErrorKind::Protocol);
}

#[tokio::test]
async fn what_was_said_before_tls_does_not_count() {
    // Both lines come in one packet: the second is in our buffer when TLS begins.
    let script = "S: * OK [CAPABILITY IMAP4rev1 STARTTLS AUTH=EVIL] hello
         C: a1 STARTTLS
         S: a1 OK go%* CAPABILITY IMAP4rev1 INJECTED
         TLS
         C: a1 CAPABILITY
         S: * CAPABILITY IMAP4rev1 AUTH=PLAIN
         S: a1 OK done";
    let peer = mailhaul_testkit::peer::peer(script).await;
    let connection = peer.open(Security::StartTls).await.unwrap();
    let words: Vec<_> = connection.capabilities().iter().collect();
    assert_eq!(words, ["IMAP4REV1", "AUTH=PLAIN"]);
    assert!(peer.lines.all().iter().any(|line| line.contains("discarded")), "{:?}", peer.lines.all());
    drop(connection);
    peer.done().await;
}

#[tokio::test]
async fn without_starttls_there_is_no_connection() {
    let script = "S: * OK [CAPABILITY IMAP4rev1 AUTH=PLAIN] hello";
    let error = refused(script, Security::StartTls).await;
    assert_eq!((error.kind, error.scope, error.retry), (ErrorKind::Tls, Scope::Endpoint, Retry::Never));
    assert!(error.to_string().contains("does not offer STARTTLS"), "{error}");

    let script = "S: * OK [CAPABILITY IMAP4rev1 STARTTLS] hello
         C: a1 STARTTLS
         S: a1 NO not today";
    let error = refused(script, Security::StartTls).await;
    assert_eq!(error.kind, ErrorKind::Tls);
    assert!(error.to_string().contains("STARTTLS refused: NO not today"), "{error}");

    let error = refused("S: * PREAUTH [CAPABILITY IMAP4rev1] welcome", Security::StartTls).await;
    assert!(error.kind == ErrorKind::Tls && error.to_string().contains("PREAUTH"), "{error}");
}

#[tokio::test]
async fn certificates_are_judged() {
    let greeting = "TLS\nS: * OK [CAPABILITY IMAP4rev1] hello";
    let table: [(&str, &str, Option<[u8; 32]>); 3] = [
        ("127.0.0.1", "not trusted", None),
        ("127.0.0.1", "it is not the pinned one", Some([1; 32])),
        ("localhost", "not trusted", None),
    ];
    for (host, words, pin) in table {
        let peer = peer_with(greeting, |params| params.not_after = date_time_ymd(2001, 1, 1)).await;
        let mut options = peer.options(Security::Implicit);
        options.host = host.to_owned();
        options.tls.pin_sha256 = pin;
        let error = Connection::open(&options).await.err().unwrap();
        assert_eq!((error.kind, error.retry), (ErrorKind::Tls, Retry::Never));
        assert!(error.to_string().contains(words), "{error}");
        peer.done().await;
    }
    let peer = peer_with(greeting, |params| params.not_after = date_time_ymd(2001, 1, 1)).await;
    let mut options = peer.options(Security::Implicit);
    options.tls = mailhaul_imap::TlsOptions { accept_untrusted: true, ..Default::default() };
    drop(Connection::open(&options).await.unwrap());
    peer.done().await;
}

async fn login(
    capabilities: &str,
    credentials: Credentials,
    script: &str,
) -> (Result<(), Error>, Vec<String>) {
    let script = format!("S: * OK [CAPABILITY IMAP4rev1 {capabilities}] hello\n{script}");
    let peer = peer(&script).await;
    let connection = peer.open(Security::Clear).await.unwrap();
    let lines = std::sync::Arc::clone(&peer.lines);
    let outcome =
        mailhaul_testkit::peer::finish(
            peer,
            async move { connection.authenticate(&credentials).await.map(drop) },
        )
        .await;
    (outcome, lines.all())
}

#[tokio::test]
async fn plain_with_and_without_an_initial_response() {
    let message = STANDARD.encode("\0alice\0hunter2");
    let script = format!(
        "C: a1 AUTHENTICATE PLAIN {message}
         S: a1 OK [CAPABILITY IMAP4rev1 UIDPLUS] welcome"
    );
    let (outcome, lines) = login("AUTH=PLAIN SASL-IR", alice(), &script).await;
    outcome.unwrap();
    assert_eq!(lines[1], "C: a1 AUTHENTICATE PLAIN [redacted]");

    let script = format!(
        "C: a1 AUTHENTICATE PLAIN
         S: +
         C: {message}
         S: a1 OK welcome
         C: a2 CAPABILITY
         S: * CAPABILITY IMAP4rev1
         S: a2 OK done"
    );
    let (outcome, lines) = login("AUTH=PLAIN", alice(), &script).await;
    outcome.unwrap();
    assert!(lines.iter().all(|line| !line.contains("hunter2") && !line.contains(&message)), "{lines:?}");
}

#[tokio::test]
async fn any_octet_in_a_password() {
    let script = "C: a1 LOGIN \"alice\" \"a\\\"b\\\\c\"
         S: a1 OK [CAPABILITY IMAP4rev1] welcome";
    let (outcome, lines) = login("", Credentials::password("alice", Secret::new("a\"b\\c")), script).await;
    outcome.unwrap();
    assert_eq!(lines[1], "C: a1 LOGIN [redacted] [redacted]");

    let script = "C: a1 LOGIN \"alice\" {4}
         S: + go on
         C: a\tbc
         S: a1 OK [CAPABILITY IMAP4rev1] welcome";
    login("", Credentials::password("alice", Secret::new("a\tbc")), script).await.0.unwrap();
}

/// Passwords that break programs which build commands as text.
fn odd_passwords() -> Vec<String> {
    let printable: String = (' '..='~').collect();
    let mut passwords: Vec<String> = printable.chars().map(|character| format!("a{character}b")).collect();
    passwords.push(printable);
    passwords.extend(
        [
            " leading",
            "trailing ",
            "  ",
            "\"",
            "\\",
            "\\\"",
            "{5}",
            "{5+}",
            "*",
            "%",
            "$HOME",
            "(a b)",
            "a//b",
        ]
        .map(str::to_owned),
    );
    passwords.extend(["Grüße", "пароль", "密码", "pass\u{301}word", "🔑 "].map(str::to_owned));
    passwords
}

#[tokio::test]
async fn every_password_arrives_as_it_is_by_plain_and_by_login() {
    for password in odd_passwords() {
        let credentials = || Credentials::password("alice", Secret::new(password.as_str()));
        let plain = STANDARD.encode(format!("\0alice\0{password}"));
        let script = format!("C: a1 AUTHENTICATE PLAIN {plain}\nS: a1 OK [CAPABILITY IMAP4rev1] welcome");
        let (outcome, lines) = login("SASL-IR AUTH=PLAIN", credentials(), &script).await;
        outcome.unwrap_or_else(|error| panic!("{password:?}: {error}"));
        assert!(lines.iter().all(|line| !line.contains(&plain)), "{lines:?}");

        // Quoted as far as a quoted string can hold it (RFC 9051, section 4.3), a literal otherwise.
        let command = if password.is_ascii() {
            let quoted = password.replace('\\', "\\\\").replace('"', "\\\"");
            format!("C: a1 LOGIN \"alice\" \"{quoted}\"")
        } else {
            format!("C: a1 LOGIN \"alice\" {{{}}}\nS: + go on\nC: {password}", password.len())
        };
        let script = format!("{command}\nS: a1 OK [CAPABILITY IMAP4rev1] welcome");
        let (outcome, lines) = login("", credentials(), &script).await;
        outcome.unwrap_or_else(|error| panic!("{password:?}: {error}"));
        assert_eq!(lines[1], "C: a1 LOGIN [redacted] [redacted]");
    }
}

#[tokio::test]
async fn wrong_credentials_are_not_tried_again() {
    for text in ["[AUTHENTICATIONFAILED] no", "Login failed.", "[UNAVAILABLE] try later"] {
        let message = STANDARD.encode("\0alice\0hunter2");
        let script = format!("C: a1 AUTHENTICATE PLAIN {message}\nS: a1 NO {text}");
        let (outcome, _) = login("AUTH=PLAIN SASL-IR", alice(), &script).await;
        let error = outcome.unwrap_err();
        assert_eq!(error.scope, Scope::Endpoint);
        assert!(error.to_string().contains(text) && !error.to_string().contains("hunter2"), "{error}");
        let kind = if text.contains("UNAVAILABLE") { ErrorKind::Busy } else { ErrorKind::Authentication };
        assert_eq!((error.kind, error.retry == Retry::Never), (kind, kind == ErrorKind::Authentication));
    }
}

#[tokio::test]
async fn a_mechanism_that_is_only_pretended_is_passed_over() {
    let message = STANDARD.encode("\0alice\0hunter2");
    for text in
        ["BAD what?", "NO CAPABILITY for AUTHENTICATE PLAIN", "NO Unsupported authentication mechanism"]
    {
        let script = format!(
            "C: a1 AUTHENTICATE PLAIN {message}
             S: a1 {text}
             C: a2 LOGIN \"alice\" \"hunter2\"
             S: a2 OK [CAPABILITY IMAP4rev1] welcome"
        );
        login("AUTH=PLAIN SASL-IR", alice(), &script).await.0.unwrap();
    }
    let script = "C: a1 LOGIN \"alice\" \"hunter2\"\nS: a1 BAD what?";
    let error = login("", alice(), script).await.0.unwrap_err();
    assert_eq!((error.kind, error.scope), (ErrorKind::Authentication, Scope::Endpoint));
}

#[tokio::test]
async fn logindisabled_is_respected() {
    let (outcome, lines) = login("LOGINDISABLED AUTH=PLAIN", alice(), "").await;
    let error = outcome.unwrap_err();
    assert_eq!(error.kind, ErrorKind::Authentication);
    assert!(error.to_string().contains("LOGINDISABLED"), "{error}");
    assert_eq!(lines.len(), 1, "nothing is said: {lines:?}");
}

#[tokio::test]
async fn a_refused_token_is_acknowledged() {
    let token = Credentials { kind: CredentialKind::BearerToken, ..alice() };
    let refusal = STANDARD.encode(r#"{"status":"401"}"#);
    for (name, message, answer) in [
        ("XOAUTH2", "user=alice\x01auth=Bearer hunter2\x01\x01", ""),
        ("OAUTHBEARER", "n,a=alice,\x01auth=Bearer hunter2\x01\x01", "AQ=="),
    ] {
        let script = format!(
            "C: a1 AUTHENTICATE {name} {}
             S: + {refusal}
             C: {answer}
             S: a1 NO [AUTHENTICATIONFAILED] expired",
            STANDARD.encode(message)
        );
        let (outcome, _) = login(&format!("AUTH={name} SASL-IR"), token.clone(), &script).await;
        let error = outcome.unwrap_err();
        assert_eq!(error.kind, ErrorKind::Authentication);
        let words = format!(
            "AUTHENTICATE {name} refused: NO [AUTHENTICATIONFAILED] expired; the server said of it: {{\"status\":\"401\"}}"
        );
        assert_eq!(error.message, words);
    }
}

/// Alice, who continues as bob.
fn as_bob() -> Credentials {
    Credentials { authorize_as: Some(AuthorizeAs::ProxyAuth("bob".to_owned())), ..alice() }
}

#[tokio::test]
async fn an_administrator_goes_on_as_another_user() {
    // Bob may have other capabilities than alice.
    let peer = peer(
        "S: * OK [CAPABILITY IMAP4rev1] hello
         C: a1 LOGIN \"alice\" \"hunter2\"
         S: a1 OK [CAPABILITY IMAP4rev1 X-OF-ALICE] welcome
         C: a2 PROXYAUTH \"bob\"
         S: a2 OK completed
         C: a3 CAPABILITY
         S: * CAPABILITY IMAP4rev1 X-OF-BOB
         S: a3 OK done",
    )
    .await;
    let connection = peer.open(Security::Clear).await.unwrap();
    let session = connection.authenticate(&as_bob()).await.unwrap();
    assert!(session.capabilities().has("X-OF-BOB") && !session.capabilities().has("X-OF-ALICE"));
    assert_eq!(session.mechanism(), Some("the command LOGIN"));
    drop(session);
    peer.done().await;
}

#[tokio::test]
async fn whoever_may_not_go_on_as_another_user_is_not_logged_in() {
    for (answer, kind, scope) in [
        ("NO Login incorrect", ErrorKind::Authentication, Scope::Endpoint),
        ("BAD Unrecognized command", ErrorKind::Authentication, Scope::Endpoint),
        ("NO [UNAVAILABLE] try again later", ErrorKind::Busy, Scope::Endpoint),
        ("* BYE too many sessions", ErrorKind::TooManyConnections, Scope::Mailbox),
    ] {
        let answer = answer.strip_prefix("* ").map_or(format!("a2 {answer}"), |bye| format!("* {bye}"));
        let script = format!(
            "C: a1 LOGIN \"alice\" \"hunter2\"
             S: a1 OK [CAPABILITY IMAP4rev1] welcome
             C: a2 PROXYAUTH \"bob\"
             S: {answer}"
        );
        let error = login("", as_bob(), &script).await.0.unwrap_err();
        assert_eq!((error.kind, error.scope), (kind, scope), "{error}");
    }
}

#[tokio::test]
async fn a_broken_exchange_is_cancelled() {
    let script = "C: a1 AUTHENTICATE CRAM-MD5
         S: + ***
         C: *
         S: a1 BAD cancelled";
    let (outcome, _) = login("AUTH=CRAM-MD5", alice(), script).await;
    let error = outcome.unwrap_err();
    assert!(error.kind == ErrorKind::Protocol && error.to_string().contains("not base64"), "{error}");
}

#[tokio::test]
async fn preauth_names_nobody() {
    let peer = peer("S: * PREAUTH [CAPABILITY IMAP4rev1] welcome").await;
    let connection = peer.open(Security::Clear).await.unwrap();
    let error = connection.authenticate(&alice()).await.err().unwrap();
    assert!(error.to_string().contains("PREAUTH"), "{error}");
    peer.done().await;
}
