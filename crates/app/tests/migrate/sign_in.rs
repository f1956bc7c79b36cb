//! Mechanisms that a real server offers and cannot check: it keeps only hashes of the passwords.

use mailhaul_testkit::{Certificate, Dovecot, Setup};

use crate::support::{Haul, assert_same, commands, give};

/// SHA512-CRYPT of `secret-annb`, and of `secret-bert`.
const HASHES: &str = "annb:{SHA512-CRYPT}$6$saltsalt$Y7VKHWDOPoEo2l982IewUcNRLdB9qvZZGxMTbwskt7O3ybyN2nZta/a45xU6syZhzP8wNxPvEQjK1lvi/1eP3/::::::\n\
                      bert:{SHA512-CRYPT}$6$saltsalt$gVk9/o8jkYtcmyjOxP4sFLwb2oo7ibRD4jHsAn6yJBkXCx/JVmFJjm2s9xsox2D7IDWoHcY6DY9dccmEcL6Do1::::::\n";

/// A Dovecot that offers SCRAM-SHA-256 and CRAM-MD5 for users whose passwords are hashed.
fn hashed() -> Setup {
    Setup {
        files: vec![("hashed", HASHES.to_owned())],
        extra: "auth_mechanisms = plain login scram-sha-256 cram-md5\n\
                passdb {\n driver = passwd-file\n args = {home}/hashed\n}\n\
                userdb {\n driver = passwd-file\n args = {home}/hashed\n}\n"
            .to_owned(),
        ..Setup::default()
    }
}

/// Commands of the client to sign in, in order.
fn sign_ins(haul: &Haul, side: &str) -> Vec<String> {
    let said = commands(&haul.file("trace"), side);
    let mechanism = |line: String| {
        let words: Vec<&str> = line.split(' ').collect();
        match words.get(1).copied() {
            Some("AUTHENTICATE") => words.get(2).map(|it| (*it).to_owned()),
            Some("LOGIN") => Some("LOGIN".to_owned()),
            _ => None,
        }
    };
    said.into_iter().filter_map(mechanism).collect()
}

fn tracing(haul: &Haul) -> Vec<String> {
    let trace = haul.file("trace");
    ["--trace", trace.to_str().unwrap(), "--concurrency", "1"].map(str::to_owned).to_vec()
}

async fn source(certificate: Option<&Certificate>) -> Dovecot {
    let from = match certificate {
        Some(certificate) => hashed().start_tls(certificate),
        None => hashed().start(),
    };
    give(&from, "annb", "INBOX", &[700; 3], 1).await;
    from
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_with_hashed_passwords_is_signed_in_to_over_tls() {
    let certificate = Certificate::valid();
    let (from, to) = (source(Some(&certificate)).await, Setup::with_users(&["annb"]).start());
    let mut haul = Haul::new("annb", 0, to.port());
    haul.from = format!("imaps://annb@localhost:{}", from.tls_port());
    let ca = certificate.ca_file();
    let mut options = tracing(&haul);
    options.extend(["--from-ca".to_owned(), ca.to_str().unwrap().to_owned()]);
    let options: Vec<&str> = options.iter().map(String::as_str).collect();
    haul.expect(0, &options);
    assert_eq!(sign_ins(&haul, "from"), ["SCRAM-SHA-256", "PLAIN"]);
    assert_same(&from, &to, "annb").await;

    // The named mechanism is the only one.
    haul.expect(0, &[&options[..], &["--from-auth", "plain"]].concat());
    assert_eq!(sign_ins(&haul, "from"), ["PLAIN"]);
    haul.expect(20, &[&options[..], &["--from-auth", "CRAM-MD5"]].concat())
        .says(&["AUTHENTICATE CRAM-MD5 refused"]);
    assert_eq!(sign_ins(&haul, "from"), ["CRAM-MD5"]);

    let mut command = haul.command(&options);
    let ran = crate::support::ran(command.env("MAILHAUL_FROM_PASSWORD", "wrong-hunter2"));
    ran.assert(20);
    ran.says(&["check the user name and the password", "before that: AUTHENTICATE SCRAM-SHA-256 refused"]);
    assert_eq!(sign_ins(&haul, "from"), ["SCRAM-SHA-256", "PLAIN"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_with_hashed_passwords_is_signed_in_to_without_tls() {
    let (from, to) = (source(None).await, Setup::with_users(&["annb"]).start());
    let haul = Haul::new("annb", from.port(), to.port());
    let options = tracing(&haul);
    let options: Vec<&str> = options.iter().map(String::as_str).collect();
    haul.expect(0, &options);
    assert_eq!(sign_ins(&haul, "from"), ["SCRAM-SHA-256", "CRAM-MD5", "PLAIN"]);
    // The same server as target.
    let back = Haul::new("annb", to.port(), from.port());
    back.expect(0, &[]);
    assert_same(&from, &to, "annb").await;
}

/// The first user finds the mechanism; a wrong password of the next one costs one refusal.
#[tokio::test(flavor = "multi_thread")]
async fn what_one_mailbox_finds_out_holds_for_all_mailboxes() {
    let (from, to) = (source(None).await, Setup::with_users(&["annb", "bert"]).start());
    let mut haul = Haul::new("annb", from.port(), to.port());
    let users = haul.write(
        "users.csv",
        "EmailAddress,UserName,Password,TargetUserName,TargetPassword\n\
         annb@contoso.edu,annb,secret-annb,annb,secret-annb\n\
         bert@contoso.edu,bert,wrong-hunter2,bert,secret-bert\n",
    );
    haul.from = format!("imap+plain://127.0.0.1:{}", from.port());
    haul.to = format!("imap+plain://127.0.0.1:{}", to.port());
    let options = tracing(&haul);
    let mut options: Vec<&str> = options.iter().map(String::as_str).collect();
    options.extend(["--users", users.to_str().unwrap()]);
    let mut command = haul.command(&options);
    let ran =
        crate::support::ran(command.env_remove("MAILHAUL_FROM_PASSWORD").env_remove("MAILHAUL_TO_PASSWORD"));
    ran.assert(20);
    assert_eq!(sign_ins(&haul, "from"), ["SCRAM-SHA-256", "CRAM-MD5", "PLAIN", "PLAIN"]);
}
