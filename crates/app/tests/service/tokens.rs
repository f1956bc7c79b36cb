//! Endpoints that are opened with access tokens: a real authorization server, and a real Dovecot that takes its tokens.

use std::{fs, process::Command, time::Duration};

use mailhaul_testkit::{Dovecot, Setup, TokenServer, TokensOf};
use serde_json::Value;

use crate::support::{Service, assert_same, give, names, until};

/// A Dovecot whose mailboxes all hold the same messages.
pub(crate) async fn source(users: &[String], messages: usize) -> Dovecot {
    let names: Vec<&str> = users.iter().map(String::as_str).collect();
    let from = Setup::with_users(&names).start();
    give(&from, &users[0], "INBOX", &vec![1_500; messages], 1).await;
    for user in &users[1..] {
        let copied = Command::new("cp").arg("-a").args([from.home(&users[0]), from.home(user)]).status();
        assert!(copied.unwrap().success());
    }
    from
}

/// A Dovecot that takes tokens for this audience.
pub(crate) fn target(server: &TokenServer, users: &[String], tokens_of: TokensOf, audience: &str) -> Dovecot {
    let names: Vec<&str> = users.iter().map(String::as_str).collect();
    Setup { bearer: Some(server.bearer(tokens_of, audience)), ..Setup::with_users(&names) }.start()
}

impl Service {
    /// An endpoint whose users have passwords.
    pub(crate) fn with_passwords(&self, name: &str, port: u16) {
        let port = port.to_string();
        let words = ["New-MigrationEndpoint", "-IMAP", "-Name", name, "-RemoteServer", "127.0.0.1"];
        self.expect(&[&words[..], &["-Port", &port, "-Security", "None"]].concat());
    }

    /// Endpoint with tokens of this server. The secret is in a file that is removed afterwards.
    pub(crate) fn with_tokens(&self, name: &str, port: u16, secret: (&str, &str), more: &[&str]) {
        let (port, (option, secret)) = (port.to_string(), secret);
        let file = self.write("secret", secret);
        let words = ["New-MigrationEndpoint", "-IMAP", "-Name", name, "-RemoteServer", "127.0.0.1"];
        let secret = [option, &file, "-Port", &port, "-Security", "None", "-SkipVerification"];
        self.expect(&[&words[..], &secret, more].concat());
        fs::remove_file(file).unwrap();
    }

    /// An endpoint that an application opens with a secret.
    pub(crate) fn with_secret(
        &self,
        name: &str,
        port: u16,
        server: &TokenServer,
        secret: &str,
        more: &[&str],
    ) {
        let url = server.token_url();
        let application = ["-TokenUrl", &url, "-ApplicationId", TokenServer::WITH_SECRET];
        self.with_tokens(name, port, ("-ClientSecretFile", secret), &[&application[..], more].concat());
    }

    /// A batch of these users, who have passwords at the source and none at the target.
    pub(crate) fn token_batch(&self, name: &str, target: &str, users: &[String]) {
        self.new_token_batch(name, target, users, &["-AutoStart"]);
    }

    fn new_token_batch(&self, name: &str, target: &str, users: &[String], more: &[&str]) {
        let mut text = "EmailAddress,UserName,Password,TargetUserName\n".to_owned();
        for user in users {
            text.push_str(&format!("{user}@contoso.edu,{user},{},{user}\n", Dovecot::password(user)));
        }
        let csv = self.write("users.csv", &text);
        let words =
            ["New-MigrationBatch", "-Name", name, "-SourceEndpoint", "Old", "-TargetEndpoint", target];
        self.expect(&[&words[..], &["-CSVData", &csv], more].concat());
    }

    /// Failures of the batch's users.
    pub(crate) fn failures(&self, batch: &str) -> Vec<String> {
        self.wait_for(batch, &["Failed"]);
        let told = |user: &Value| {
            assert_eq!(user["Status"], "Failed", "{user:#}");
            user["ErrorSummary"].as_str().unwrap().to_owned()
        };
        self.expect(&["Get-MigrationUser", "-BatchId", batch]).iter().map(told).collect()
    }
}

/// Number of logins with a token that Dovecot accepted.
fn logins(dovecot: &Dovecot) -> usize {
    let log = dovecot.log();
    log.lines().filter(|it| it.contains(" Login: ") && it.contains("method=OAUTHBEARER")).count()
}

/// Number of tokens that Dovecot refused.
fn refused(dovecot: &Dovecot) -> usize {
    dovecot.log().lines().filter(|it| it.contains("oauth2 failed")).count()
}

#[tokio::test(flavor = "multi_thread")]
async fn two_hundred_users_with_tokens_that_live_a_minute() {
    let users = names(200);
    let server = TokenServer::start();
    server.set_token_life(Duration::from_mins(1));
    let from = source(&users, 12).await;
    let to = target(&server, &users, TokensOf::Applications, TokenServer::MICROSOFT);
    let service = Service::start();
    service.with_passwords("Old", from.port());
    // 2,400 messages at this pace need more than one token's life.
    let scope = ["-Scope", TokenServer::DEFAULT_SCOPE, "-MessagesPerSecond", "32"];
    service.with_secret("New", to.port(), &server, TokenServer::CLIENT_SECRET, &scope);
    service.token_batch("All", "New", &users);
    let batch = service.wait_for("All", &["Synced", "SyncedWithErrors", "Failed"]);
    assert_eq!(
        (batch["Status"].as_str(), batch["SyncedCount"].as_u64(), batch["SyncedItemCount"].as_u64()),
        (Some("Synced"), Some(200), Some(200 * 12)),
        "{batch:#}"
    );
    // A token serves all until a fifth of its life is left.
    let requests = server.requests();
    assert!(requests.iter().all(|it| it.grant == "client_credentials" && it.error.is_none()), "{requests:?}");
    assert!((2..=4).contains(&requests.len()), "{requests:?}");
    assert_eq!(refused(&to), 0, "{}", to.log());
    assert!(logins(&to) >= 200, "{}", logins(&to));
    for user in &users {
        assert_same(&from, &to, user).await;
    }
}

/// Two batches of ten users whose tokens are refused.
#[tokio::test(flavor = "multi_thread")]
async fn refusals_are_reported_after_one_other_token() {
    let users = names(50);
    let server = TokenServer::start();
    let from = source(&users, 1).await;
    let to = target(&server, &users, TokensOf::Applications, TokenServer::MICROSOFT);
    let service = Service::start();
    service.with_passwords("Old", from.port());
    let group = |number: usize| &users[number * 10..(number + 1) * 10];
    let run = |name: &str, number: usize, secret: &str, scope: &str| {
        let (asked, out) = (server.requests().len(), refused(&to));
        service.with_secret(name, to.port(), &server, secret, &["-Scope", scope]);
        service.token_batch(name, name, group(number));
        let told = service.failures(name);
        assert_eq!(told.len(), 10);
        (told, server.requests().split_off(asked), refused(&to) - out)
    };
    let errors = |told: &[String], words: &str| {
        assert!(told.iter().all(|it| it.contains(words)), "{told:#?}");
    };

    let (told, asked, out) = run("Secret", 0, "wrong-client-secret", TokenServer::DEFAULT_SCOPE);
    errors(&told, "refused to issue a token (invalid_client");
    assert_eq!((asked.len(), asked[0].error.as_deref(), out), (1, Some("invalid_client"), 0), "{asked:?}");

    // A token for something else, and tokens of a server whose clock is wrong: given, and refused by Dovecot.
    let given = |(told, asked, out): (Vec<String>, Vec<mailhaul_testkit::TokenRequest>, usize),
                 words: &str| {
        errors(&told, "AUTHENTICATE OAUTHBEARER refused: NO [AUTHENTICATIONFAILED]");
        assert!(asked.len() == 2 && asked.iter().all(|it| it.error.is_none()), "{asked:?}");
        assert!((10..=20).contains(&out), "{out}\n{}", to.log());
        assert!(to.log().contains(words), "{}", to.log());
    };
    let secret = TokenServer::CLIENT_SECRET;
    given(run("Audience", 1, secret, TokenServer::OTHER_SCOPE), "Provided token is not valid");
    // Before a batch is started it is known whom the target does not let in, by as few logins.
    let (asked, out) = (server.requests().len(), refused(&to));
    service.new_token_batch("Checked", "Audience", group(4), &[]);
    until(|| (service.batch("Checked")["CheckFailedCount"] == 10).then_some(()));
    assert!(
        server.requests().len() - asked <= 2 && (10..=20).contains(&(refused(&to) - out)),
        "{}",
        to.log()
    );
    server.set_token_life(Duration::from_mins(2));
    server.set_clock_ahead(-300);
    given(run("Behind", 2, secret, TokenServer::DEFAULT_SCOPE), "Token has expired");
    server.set_clock_ahead(300);
    given(run("Ahead", 3, secret, TokenServer::DEFAULT_SCOPE), "Token is");
    assert_eq!(logins(&to), 0);

    // With the right secret the same users go on.
    server.set_clock_ahead(0);
    let right = service.write("client-secret", TokenServer::CLIENT_SECRET);
    service.expect(&["Set-MigrationEndpoint", "Secret", "-ClientSecretFile", &right]);
    service.expect(&["Start-MigrationBatch", "Secret"]);
    service.wait_for("Secret", &["Synced"]);
    for user in group(0) {
        assert_same(&from, &to, user).await;
    }
}
