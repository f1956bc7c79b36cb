//! Detection of the kind of server, and the operator's choice.

use mailhaul_engine::Mailbox as _;
use mailhaul_imap::Security;
use mailhaul_mail::{FolderPath, Retry, Scope};
use mailhaul_remotes::{Account, ImapMailbox, Login, Side};
use mailhaul_testkit::peer::{Peer, alice, peer};

fn mailbox(peer: &Peer, profile: Option<&str>) -> ImapMailbox {
    ImapMailbox::new(Account {
        side: Side::Source,
        options: peer.options(Security::Clear),
        login: Login::Password(alice()),
        user_root: None,
        profile: profile.map(str::to_owned),
    })
}

/// The profile and its reason, for a server with this greeting and ID. It must not be asked for
/// mod-sequences.
async fn taken_for(greeting: &str, id: &str, profile: Option<&str>) -> (String, String) {
    let script = format!(
        "HELLO: {greeting}
         LOGIN: ID NAMESPACE CONDSTORE
         C: t ID (\"name\" \"mailhaul\" \"version\" \"{}\")
         S: * ID {id}
         S: t OK done
         C: t NAMESPACE
         S: * NAMESPACE ((\"\" \"/\")) NIL NIL
         S: t OK done
         C: t STATUS \"INBOX\" (MESSAGES UIDNEXT UIDVALIDITY)
         S: * STATUS INBOX (MESSAGES 1 UIDNEXT 2 UIDVALIDITY 3)
         S: t OK done",
        env!("CARGO_PKG_VERSION")
    );
    let peer = peer(&script).await;
    let mut mailbox = mailbox(&peer, profile);
    mailbox.status(&FolderPath::inbox()).await.unwrap();
    let choice = mailbox.profile().clone();
    drop(mailbox);
    peer.done().await;
    (choice.profile.name.clone(), choice.reason)
}

#[tokio::test]
async fn id_chooses_the_profile_and_its_denied_capabilities() {
    let (name, reason) = taken_for("ready", "(\"name\" \"SmarterMail\" \"version\" \"16.3\")", None).await;
    assert_eq!((name.as_str(), reason.as_str()), ("SmarterMail", "ID says SmarterMail"));
}

#[tokio::test]
async fn an_operators_choice_goes_before_what_a_server_says() {
    let (name, reason) = taken_for("Dovecot ready.", "(\"name\" \"Dovecot\")", Some("smartermail")).await;
    assert_eq!((name.as_str(), reason.as_str()), ("SmarterMail", "chosen by the operator"));
}

#[tokio::test]
async fn a_profile_that_does_not_exist_is_refused_with_those_that_do() {
    let peer = peer("HELLO: Dovecot ready.\nLOGIN: NAMESPACE").await;
    let mut mailbox = mailbox(&peer, Some("Lotus"));
    let error = mailbox.folders().await.unwrap_err();
    drop(mailbox);
    peer.done().await;
    assert_eq!((error.scope, error.retry), (Scope::Endpoint, Retry::Never));
    assert!(error.message.contains("no server profile \"Lotus\"; the profiles are Gmail, "), "{error}");
}
