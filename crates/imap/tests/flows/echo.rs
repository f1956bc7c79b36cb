//! Servers that send back what they were sent: no secret comes out of the connection.

use base64::{Engine as _, engine::general_purpose::STANDARD};
use mailhaul_imap::{Connection, CredentialKind, Credentials, Security};
use mailhaul_mail::Secret;
use mailhaul_testkit::peer::{Peer, peer};

const SECRET: &str = "Hunter2 \"x\"";

fn credentials() -> Credentials {
    Credentials::password("u", Secret::new(SECRET))
}

/// None of the texts, and no line of the trace, has the secret or what it was sent as.
#[track_caller]
fn check(peer: &Peer, texts: &[String]) {
    let plain = STANDARD.encode(format!("\0u\0{SECRET}"));
    let part = STANDARD.encode(SECRET);
    let lines = peer.lines.all();
    for text in texts.iter().chain(&lines) {
        for secret in [SECRET, "Hunter2", &plain, &plain[8..], &part[..8]] {
            assert!(!text.to_lowercase().contains(&secret.to_lowercase()), "{secret:?} is in {text:?}");
        }
    }
}

#[tokio::test]
async fn an_echo_of_the_command_login() {
    for echo in [
        r#"a1 LOGIN u "Hunter2 \"x\"""#,
        r#"a1 LOGIN U "HUNTER2 \"X\"""#,
        "LOGIN u Hunter2 x",
        "aHVudGVyMiAieCI=",
        "48756e746572322022782",
        "SHVudGVyMiAieCI=",
    ] {
        for answer in
            ["t BAD unknown command: ", "t NO [ALERT] ", "* BYE ", "* NO ", "x BAD ", "gibberish ", "* XYZ "]
        {
            let script = format!("S: * OK [CAPABILITY IMAP4rev1] hi\nEAT: 30\nS: {answer}{echo}\nCLOSE");
            let peer = peer(&script).await;
            let connection = peer.open(Security::Clear).await.unwrap();
            let error = connection.authenticate(&credentials()).await.err().unwrap();
            check(&peer, &[format!("{error:?}"), error.to_string()]);
        }
    }
}

#[tokio::test]
async fn an_echo_of_a_sasl_exchange() {
    let plain = STANDARD.encode(format!("\0u\0{SECRET}"));
    for echo in [
        format!("AUTHENTICATE PLAIN {plain}"),
        plain.trim_end_matches('=').to_owned(),
        format!("{} {}", &plain[..8], &plain[8..]),
        STANDARD.encode(&plain),
        STANDARD.encode(format!("{SECRET}\0u\0")),
    ] {
        let script = format!(
            "S: * OK [CAPABILITY IMAP4rev1 SASL-IR AUTH=PLAIN LOGINDISABLED] hi
             C: a1 AUTHENTICATE PLAIN {plain}
             S: a1 NO [X-{echo}] what is {echo}?"
        );
        let peer = peer(&script).await;
        let connection = peer.open(Security::Clear).await.unwrap();
        let error = connection.authenticate(&credentials()).await.err().unwrap();
        check(&peer, &[format!("{error:?}")]);
    }
}

#[tokio::test]
async fn an_echo_of_a_token() {
    let token = "ya29.a0AfH6SMBx-3kZ_7QwErTyUiOpAsDfGhJkLzXcVbNm0123456789";
    let credentials =
        Credentials { kind: CredentialKind::BearerToken, ..Credentials::password("u", Secret::new(token)) };
    for name in ["XOAUTH2", "OAUTHBEARER"] {
        let message = match name {
            "XOAUTH2" => format!("user=u\x01auth=Bearer {token}\x01\x01"),
            _ => format!("n,a=u,\x01auth=Bearer {token}\x01\x01"),
        };
        let sent = STANDARD.encode(&message);
        let challenge = STANDARD.encode(format!("{{\"status\":\"no {sent} and {}\"}}", &token[5..40]));
        let script = format!(
            "S: * OK [CAPABILITY IMAP4rev1 SASL-IR AUTH={name}] hi
             C: a1 AUTHENTICATE {name} {sent}
             S: + {challenge}
             EAT: {}
             S: a1 NO bad {sent}, {token}, {}...",
            if name == "XOAUTH2" { 2 } else { 6 },
            &token[3..33],
        );
        let peer = peer(&script).await;
        let connection = peer.open(Security::Clear).await.unwrap();
        let error = connection.authenticate(&credentials).await.err().unwrap();
        for text in peer.lines.all().iter().chain([&format!("{error:?}")]) {
            assert!(!text.contains(&token[5..20]) && !text.contains(&sent[30..60]), "{text:?}");
        }
        assert!(error.message.contains("[redacted]"), "{error}");
    }
}

#[tokio::test]
async fn an_echo_in_a_session_and_in_the_next_greeting() {
    let peer = peer(
        r#"S: * OK [CAPABILITY IMAP4rev1 ID] hi
           C: a1 LOGIN "u" "Hunter2 \"x\""
           S: * NO you said Hunter2 "x"%a1 OK [CAPABILITY IMAP4rev1 ID] welcome Hunter2 "x"
           C: a2 ID NIL
           S: * ID ("name" "Hunter2 \"x\"" "version" "SHVudGVyMiAieCI=")
           S: a2 OK SHVudGVyMiAieCI=
           C: a3 NOOP
           S: a3 NO [XYZ Hunter2 "x"] Hunter2 "x"
           CLOSE
           CONNECTION
           S: * OK [CAPABILITY IMAP4rev1] I know Hunter2 "x"!"#,
    )
    .await;
    let options = peer.options(Security::Clear);
    let connection = Connection::open(&options).await.unwrap();
    let mut session = connection.authenticate(&credentials()).await.unwrap();
    let id = session.id(&[]).await.unwrap();
    let error = session.noop().await.unwrap_err();
    drop(session);
    let again = Connection::open(&options).await.unwrap();
    check(&peer, &[format!("{id:?}"), format!("{error:?}"), again.greeting().text.clone()]);
    assert_eq!(error.message, "NOOP refused: NO [XYZ [redacted]] [redacted]");
    assert_eq!(again.greeting().text, "I know [redacted]!");
}
