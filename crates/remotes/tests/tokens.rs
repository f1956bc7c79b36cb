//! Access tokens of a real authorization server, shown to a real Dovecot.

#![allow(clippy::unwrap_used, reason = "tests")]

use std::time::Duration;

use mailhaul_engine::{Error, ErrorKind, Mailbox as _};
use mailhaul_imap::{ConnectOptions, Security};
use mailhaul_mail::{Retry, Scope, Secret};
use mailhaul_oauth::{
    CertificateFile, ClientCertificate, ClientSecret, FixedToken, ServiceAccount, ServiceAccountKey,
    TokenEndpoint, TokenSource as _, TokenUrl, Tokens,
};
use mailhaul_remotes::{Account, ImapMailbox, Login, Side};
use mailhaul_testkit::{Dovecot, Setup, TokenServer, TokensOf};

const USERS: [&str; 5] =
    ["ann@contoso.edu", "paul@contoso.edu", "terry@contoso.edu", "eve@contoso.edu", "bob@contoso.edu"];

fn endpoint(server: &TokenServer) -> TokenEndpoint {
    TokenEndpoint::new(TokenUrl::parse(&server.token_url()).unwrap()).unwrap()
}

fn application(server: &TokenServer) -> ClientSecret {
    ClientSecret {
        endpoint: endpoint(server),
        client_id: TokenServer::WITH_SECRET.to_owned(),
        secret: Secret::new(TokenServer::CLIENT_SECRET),
        scope: TokenServer::DEFAULT_SCOPE.to_owned(),
    }
}

fn dovecot(server: &TokenServer, tokens_of: TokensOf, mechanisms: &str) -> Dovecot {
    let bearer = server.bearer(tokens_of, TokenServer::MICROSOFT);
    Setup {
        bearer: Some(bearer),
        extra: format!("auth_mechanisms = {mechanisms}\n"),
        ..Setup::with_users(&USERS)
    }
    .start()
}

/// Lists the folders of the user's mailbox.
async fn open(dovecot: &Dovecot, user: &str, tokens: &Tokens) -> Result<usize, Error> {
    let mut mailbox = ImapMailbox::new(Account {
        side: Side::Source,
        options: ConnectOptions::new("127.0.0.1", dovecot.port(), Security::Clear),
        login: Login::Tokens { user: user.to_owned(), tokens: tokens.clone() },
        user_root: None,
        profile: None,
    });
    let folders = mailbox.folders().await.map(|it| it.len());
    mailbox.close().await;
    folders
}

/// Opens all users' mailboxes at the same time. None opens.
async fn refusals(dovecot: &Dovecot, tokens: &Tokens) -> Vec<Error> {
    let all = USERS.map(|user| open(dovecot, user, tokens));
    futures_util::future::join_all(all).await.into_iter().map(Result::unwrap_err).collect()
}

#[track_caller]
fn assert_refused(error: &Error) {
    assert_eq!((error.kind, error.retry), (ErrorKind::Authentication, Retry::Never), "{error}");
    assert!(error.to_string().contains("refused: NO [AUTHENTICATIONFAILED]"), "{error}");
}

/// Number of sign-ins that Dovecot accepted, by mechanism.
fn logins(dovecot: &Dovecot, mechanism: &str) -> usize {
    let log = dovecot.log();
    log.lines().filter(|it| it.contains(" Login: ") && it.contains(&format!("method={mechanism}"))).count()
}

/// Number of tokens that Dovecot refused.
fn refused(dovecot: &Dovecot) -> usize {
    dovecot.log().lines().filter(|it| it.contains("oauth2 failed")).count()
}

#[tokio::test(flavor = "multi_thread")]
async fn one_application_token_opens_every_mailbox() {
    let server = TokenServer::start();
    for (offered, used) in [("plain xoauth2", "XOAUTH2"), ("plain xoauth2 oauthbearer", "OAUTHBEARER")] {
        let dovecot = dovecot(&server, TokensOf::Applications, offered);
        let tokens = Tokens::new(application(&server));
        let before = server.requests().len();
        for opened in futures_util::future::join_all(USERS.map(|user| open(&dovecot, user, &tokens))).await {
            assert_eq!(opened.ok(), Some(1), "{}", dovecot.log());
        }
        assert_eq!(logins(&dovecot, used), USERS.len(), "{}", dovecot.log());
        assert_eq!(server.requests().len() - before, 1);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wrong_client_secret_is_told_to_all_and_asked_once() {
    let server = TokenServer::start();
    let dovecot = dovecot(&server, TokensOf::Applications, "plain xoauth2");
    let tokens = Tokens::new(ClientSecret { secret: Secret::new("wrong"), ..application(&server) });
    for error in refusals(&dovecot, &tokens).await {
        assert_eq!((error.scope, error.retry), (Scope::Endpoint, Retry::Never), "{error}");
        assert!(error.to_string().contains("127.0.0.1 refused to issue a token (invalid_client"), "{error}");
    }
    assert_eq!(server.requests().len(), 1, "{:?}", server.requests());
    assert_eq!((logins(&dovecot, ""), refused(&dovecot)), (0, 0), "{}", dovecot.log());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_for_another_audience_is_replaced_once() {
    let server = TokenServer::start();
    let dovecot = dovecot(&server, TokensOf::Applications, "plain xoauth2 oauthbearer");
    let scope = TokenServer::OTHER_SCOPE.to_owned();
    let tokens = Tokens::new(ClientSecret { scope, ..application(&server) });
    for error in refusals(&dovecot, &tokens).await {
        assert_refused(&error);
    }
    // The first token, and one replacement. Every mailbox may have tried both.
    assert_eq!(server.requests().len(), 2, "{:?}", server.requests());
    assert!(refused(&dovecot) <= 2 * USERS.len(), "{}", dovecot.log());
    assert!(dovecot.log().contains("Provided token is not valid"), "{}", dovecot.log());
}

#[tokio::test(flavor = "multi_thread")]
async fn the_token_of_another_user_opens_nothing() {
    let server = TokenServer::start();
    let dovecot = dovecot(&server, TokensOf::Users, "plain xoauth2 oauthbearer");
    // The subject of the token is the application.
    let tokens = Tokens::new(application(&server));
    for error in refusals(&dovecot, &tokens).await {
        assert_refused(&error);
    }
    assert_eq!(server.requests().len(), 2, "{:?}", server.requests());
    assert!(dovecot.log().contains("did not match"), "{}", dovecot.log());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_clock_that_is_wrong_by_five_minutes_makes_no_storm() {
    let server = TokenServer::start();
    server.set_token_life(Duration::from_mins(2));
    let dovecot = dovecot(&server, TokensOf::Applications, "plain xoauth2 oauthbearer");
    for (ahead, words) in [(-300, "Token has expired"), (300, "Token is")] {
        server.set_clock_ahead(ahead);
        let (before, refused_before) = (server.requests().len(), refused(&dovecot));
        let tokens = Tokens::new(application(&server));
        for error in refusals(&dovecot, &tokens).await {
            assert_refused(&error);
        }
        assert_eq!(server.requests().len() - before, 2, "{:?}", server.requests());
        assert!(refused(&dovecot) - refused_before <= 2 * USERS.len(), "{}", dovecot.log());
        assert!(dovecot.log().contains(words), "{}", dovecot.log());
    }
    // Tokens that live longer than the clock is wrong are valid from the beginning.
    server.set_clock_ahead(-300);
    server.set_token_life(Duration::from_hours(1));
    let tokens = Tokens::new(application(&server));
    assert_eq!(open(&dovecot, USERS[0], &tokens).await.unwrap(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_fixed_token_that_has_expired_is_told_after_one_try() {
    let server = TokenServer::start();
    let dovecot = dovecot(&server, TokensOf::Applications, "plain xoauth2 oauthbearer");
    server.set_token_life(Duration::from_mins(1));
    server.set_clock_ahead(-300);
    let given = application(&server).ask("").await.unwrap();
    let tokens = Tokens::new(FixedToken(given.secret));
    for error in refusals(&dovecot, &tokens).await {
        assert_refused(&error);
    }
    assert_eq!(refused(&dovecot), USERS.len(), "{}", dovecot.log());
}

fn certified(server: &TokenServer) -> Tokens {
    let file = CertificateFile::parse(server.certificate().as_bytes(), jiff::Timestamp::now()).unwrap();
    let (id, scope) = (TokenServer::WITH_CERTIFICATE.to_owned(), TokenServer::DEFAULT_SCOPE.to_owned());
    Tokens::new(
        ClientCertificate::new(endpoint(server), id, &file.certificate, &file.private_key, scope).unwrap(),
    )
}

fn delegated(server: &TokenServer) -> Tokens {
    let key = ServiceAccountKey::parse(server.service_account_key().as_bytes()).unwrap();
    let scope = format!("{}/", TokenServer::GOOGLE);
    let ServiceAccountKey { email, client_id, key_id, private_key, .. } = key;
    Tokens::new(ServiceAccount::new(endpoint(server), email, client_id, key_id, &private_key, scope).unwrap())
}

/// The errors of the requests since then.
fn errors(server: &TokenServer, before: usize) -> Vec<Option<String>> {
    server.requests().split_off(before).into_iter().map(|it| it.error).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn assertions_are_signed_at_the_time_of_the_token_server() {
    let server = TokenServer::start();
    let microsoft = dovecot(&server, TokensOf::Applications, "plain xoauth2 oauthbearer");
    let google = Setup {
        bearer: Some(server.bearer(TokensOf::Users, TokenServer::GOOGLE)),
        ..Setup::with_users(&USERS)
    }
    .start();
    // A server that is five minutes behind gets its own time after one refusal, from every user's request.
    for (ahead, first) in [(0, None), (-300, Some(()))] {
        server.set_clock_ahead(ahead);
        for (dovecot, tokens, refusal, questions) in [
            (&microsoft, certified(&server), "invalid_client", 1),
            (&google, delegated(&server), "invalid_grant", 2),
        ] {
            let before = server.requests().len();
            for user in &USERS[..2] {
                let opened = open(dovecot, user, &tokens).await;
                assert_eq!(opened.ok(), Some(1), "{:?}\n{}", server.log().last(), dovecot.log());
            }
            let refusals = first.map(|()| Some(refusal.to_owned()));
            let expected: Vec<_> = refusals.into_iter().chain(vec![None; questions]).collect();
            assert_eq!(errors(&server, before), expected, "{:?}", server.log());
        }
    }
    // Assertions for a server that is ahead are still valid there.
    server.set_clock_ahead(300);
    for tokens in [certified(&server), delegated(&server)] {
        let before = server.requests().len();
        tokens.token(USERS[0]).await.unwrap();
        assert_eq!(errors(&server, before), [None]);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_service_account_opens_the_mailboxes_of_its_domain_alone() {
    let server = TokenServer::start();
    let tokens = delegated(&server);
    let error = tokens.token("ann@other.example").await.unwrap_err();
    assert!(error.message.contains("Invalid email or User ID") && !error.concerns_all, "{error:?}");
    for user in USERS {
        tokens.token(user).await.unwrap();
    }
    let subjects: Vec<_> = server.requests().into_iter().filter_map(|it| it.subject).collect();
    assert_eq!(subjects, USERS);
    // A key that the server does not know.
    let key = TokenServer::start().service_account_key();
    let key = ServiceAccountKey::parse(key.as_bytes()).unwrap();
    let scope = format!("{}/", TokenServer::GOOGLE);
    let ServiceAccountKey { email, client_id, key_id, private_key, .. } = key;
    let foreign = ServiceAccount::new(endpoint(&server), email, client_id, key_id, &private_key, scope);
    let foreign = Tokens::new(foreign.unwrap());
    let before = server.requests().len();
    for user in USERS {
        let error = foreign.token(user).await.unwrap_err();
        assert!(error.message.contains("Invalid JWT Signature"), "{error:?}");
    }
    assert_eq!(errors(&server, before).len(), 1);
}
