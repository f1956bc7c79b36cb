//! Mechanisms that a server offers and cannot check for this user, and accounts that lock.

use base64::{Engine as _, engine::general_purpose::STANDARD};
use mailhaul_imap::{ConnectOptions, Connection, Credentials, Error, ErrorKind, Security, Session};
use mailhaul_mail::{Retry, Scope, Secret};
use mailhaul_testkit::peer::{alice, peer};

const DENIED: &str = "NO [AUTHENTICATIONFAILED] Authentication failed.";
const WELCOME: &str = "OK [CAPABILITY IMAP4rev1] welcome";

async fn sign_in(options: &ConnectOptions, credentials: &Credentials) -> Result<Session, Error> {
    Connection::open(options).await?.authenticate(credentials).await
}

/// The mechanism that worked, and the refusals before it.
async fn signed_in(security: Security, script: &str) -> Result<(String, Vec<String>), Error> {
    let peer = peer(script).await;
    let options = peer.options(security);
    let outcome = sign_in(&options, &alice()).await;
    let outcome = outcome
        .map(|session| (session.mechanism().unwrap().to_owned(), session.refused_mechanisms().to_vec()));
    peer.done().await;
    outcome
}

/// The steps of AUTHENTICATE PLAIN with hunter2, without SASL-IR.
fn plain(user: &str, answer: &str) -> String {
    let message = STANDARD.encode(format!("\0{user}\0hunter2"));
    format!("C: t AUTHENTICATE PLAIN\nS: +\nC: {message}\nS: TAG {answer}\n")
}

/// A connection: greeting with these mechanisms, then these steps. The first tag of a client is a1.
fn connection(mechanisms: &str, steps: &[String]) -> String {
    let offered: Vec<String> = mechanisms.split(' ').map(|mechanism| format!("AUTH={mechanism}")).collect();
    let mut script = format!("S: * OK [CAPABILITY IMAP4rev1 {}] hello\n", offered.join(" "));
    for (index, step) in steps.iter().enumerate() {
        script += &step.replace("TAG", &format!("a{}", index + 1));
        script.push('\n');
    }
    script
}

fn refuses(mechanism: &str, answer: &str) -> String {
    format!("C: t AUTHENTICATE {mechanism}\nS: TAG {answer}")
}

#[tokio::test]
async fn a_server_that_cannot_check_a_proof_is_shown_the_password() {
    for mechanism in ["SCRAM-SHA-256", "SCRAM-SHA-1"] {
        for answer in [DENIED, "NO Login failed."] {
            let steps = [refuses(mechanism, answer), plain("alice", WELCOME)];
            let script = connection(&format!("{mechanism} PLAIN CRAM-MD5"), &steps);
            let (name, refused) = signed_in(Security::Implicit, &format!("TLS\n{script}")).await.unwrap();
            assert_eq!(name, "PLAIN");
            assert_eq!(refused, [format!("AUTHENTICATE {mechanism} refused: {answer}")]);
        }
    }
}

#[tokio::test]
async fn on_an_open_line_every_proof_comes_first() {
    let steps = [refuses("SCRAM-SHA-1", DENIED), refuses("CRAM-MD5", DENIED), plain("alice", WELCOME)];
    let script = connection("PLAIN CRAM-MD5 SCRAM-SHA-1", &steps);
    let (name, refused) = signed_in(Security::Clear, &script).await.unwrap();
    assert_eq!((name.as_str(), refused.len()), ("PLAIN", 2));
    // A server that accepts no password there does not receive one.
    let script = connection("PLAIN CRAM-MD5 LOGINDISABLED", &[refuses("CRAM-MD5", DENIED)])
        .replace("AUTH=LOGINDISABLED", "LOGINDISABLED");
    let error = signed_in(Security::Clear, &script).await.unwrap_err();
    assert_eq!((error.kind, error.retry), (ErrorKind::Authentication, Retry::Never));
}

#[tokio::test]
async fn an_answer_about_the_account_ends_the_sign_in() {
    for answer in [
        "NO [CONTACTADMIN] no",
        "NO [EXPIRED] no",
        "NO [AUTHENTICATIONFAILED] The account is locked",
        "NO [ALERT] Application-specific password required",
        "NO [ALERT] Too many attempts, try again later",
        "NO [UNAVAILABLE] try again later",
    ] {
        let script = connection("SCRAM-SHA-256 PLAIN", &[refuses("SCRAM-SHA-256", answer)]);
        let error = signed_in(Security::Implicit, &format!("TLS\n{script}")).await.unwrap_err();
        assert!(error.to_string().contains(answer), "{error}");
    }
}

/// At most one further try; exactly one if a mechanism has worked for another user.
#[tokio::test]
async fn a_wrong_password_costs_at_most_two_refusals() {
    let offered = "SCRAM-SHA-256 PLAIN LOGIN CRAM-MD5";
    let both = |answer: &str| [refuses("SCRAM-SHA-256", DENIED), plain("alice", answer)];
    let script = [
        connection(offered, &both(DENIED)),
        connection(offered, &both(WELCOME)),
        connection(offered, &[plain("alice", WELCOME)]),
        connection(offered, &[plain("bob", DENIED)]),
    ];
    let peer = peer(&format!("TLS\n{}", script.join("CONNECTION\nTLS\n"))).await;
    let options = peer.options(Security::Implicit);
    let error = sign_in(&options, &alice()).await.err().unwrap();
    assert_eq!(
        (error.kind, error.scope, error.retry),
        (ErrorKind::Authentication, Scope::Endpoint, Retry::Never)
    );
    let words = format!(
        "AUTHENTICATE PLAIN refused: {DENIED}; before that: AUTHENTICATE SCRAM-SHA-256 refused: {DENIED}"
    );
    assert_eq!(error.to_string(), words);
    for _ in 0..2 {
        drop(sign_in(&options, &alice()).await.unwrap());
    }
    let bob = Credentials::password("bob", Secret::new("hunter2"));
    let error = sign_in(&options, &bob).await.err().unwrap();
    assert_eq!(error.to_string(), format!("AUTHENTICATE PLAIN refused: {DENIED}"));
    peer.done().await;
}

#[tokio::test]
async fn after_a_disconnect_the_next_mechanism_gets_a_new_connection() {
    let script = [
        connection("SCRAM-SHA-256 PLAIN", &[refuses("SCRAM-SHA-256", DENIED), "CLOSE".to_owned()]),
        connection("SCRAM-SHA-256 PLAIN", &[plain("alice", WELCOME)]),
    ];
    let script = script.join("CONNECTION\n");
    assert_eq!(signed_in(Security::Clear, &script).await.unwrap().0, "PLAIN");
}

/// The connection broke in the second try: the first one is not repeated.
#[tokio::test]
async fn a_refusal_is_remembered_over_connections() {
    let offered = "SCRAM-SHA-256 CRAM-MD5 PLAIN";
    let broken = "C: t AUTHENTICATE CRAM-MD5\nS: * BYE [UNAVAILABLE] maintenance\nCLOSE".to_owned();
    let script = [
        connection(offered, &[refuses("SCRAM-SHA-256", DENIED), broken]),
        connection(offered, &[refuses("CRAM-MD5", DENIED), plain("alice", WELCOME)]),
    ];
    let peer = peer(&script.join("CONNECTION\n")).await;
    let options = peer.options(Security::Clear);
    let error = sign_in(&options, &alice()).await.err().unwrap();
    assert_eq!(error.kind, ErrorKind::Busy, "{error}");
    assert_eq!(sign_in(&options, &alice()).await.unwrap().mechanism(), Some("PLAIN"));
    peer.done().await;
}

/// Users who sign in at the same time do not all find out by themselves.
#[tokio::test]
async fn one_user_finds_the_mechanism_for_all() {
    let offered = "SCRAM-SHA-256 PLAIN";
    let first = connection(offered, &[refuses("SCRAM-SHA-256", DENIED), plain("alice", WELCOME)]);
    let later = connection(offered, &[plain("alice", WELCOME)]);
    let peer = peer(&[first, later.clone(), later].join("CONNECTION\n")).await;
    let options = peer.options(Security::Clear);
    // The connections are made in this order, and the first one begins.
    let first = Connection::open(&options).await.unwrap();
    let second = Connection::open(&options).await.unwrap();
    let third = Connection::open(&options).await.unwrap();
    let alice = alice();
    let sessions =
        tokio::join!(first.authenticate(&alice), second.authenticate(&alice), third.authenticate(&alice));
    for session in [sessions.0, sessions.1, sessions.2] {
        assert_eq!(session.unwrap().mechanism(), Some("PLAIN"));
    }
    peer.done().await;
}
