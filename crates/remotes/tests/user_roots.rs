//! The folder that an operator calls a user's root, on different servers. Courier's answers are real ones.

#![allow(clippy::unwrap_used, reason = "tests")]

use mailhaul_engine::{Levels, Mailbox as _};
use mailhaul_imap::{ErrorKind, Security};
use mailhaul_remotes::{Account, ImapMailbox, Login, Side, resolve_root};
use mailhaul_testkit::peer::{Peer, alice, peer, session};

const COURIER: &str = "* NAMESPACE ((\"INBOX.\" \".\")) NIL ((\"#shared.\" \".\"))";

/// A mailbox with this root, on a server that continues with the script after NAMESPACE, which is its third
/// command.
async fn source(root: &str, script: &str) -> (ImapMailbox, Peer) {
    let script = format!(
        "S: * OK [CAPABILITY IMAP4rev1 SASL-IR AUTH=PLAIN] hello
         C: a1 AUTHENTICATE PLAIN AGFsaWNlAGh1bnRlcjI=
         S: a1 OK [CAPABILITY IMAP4rev1 NAMESPACE CHILDREN] welcome
         C: a2 NAMESPACE
         S: {COURIER}
         S: a2 OK done
         {script}"
    );
    let peer = peer(&script).await;
    let options = peer.options(Security::Clear);
    let user_root = Some(root.to_owned());
    (
        ImapMailbox::new(Account {
            side: Side::Source,
            options,
            login: Login::Password(alice()),
            user_root,
            profile: None,
        }),
        peer,
    )
}

#[tokio::test]
async fn the_root_is_inbox_and_children_keep_their_names() {
    let script = "C: a3 LIST \"\" \"users.big\"
         S: a3 OK done
         C: a4 LIST \"\" \"INBOX.users.big\"
         S: a4 OK done
         C: a5 LIST \"\" \"#shared.users.big\"
         S: * LIST (\\HasChildren) \".\" \"#shared.users.big\"
         S: a5 OK done
         C: a6 LIST \"\" \"#shared.users.big\"
         S: * LIST (\\HasChildren) \".\" \"#shared.users.big\"
         S: a6 OK done
         C: a7 LIST \"\" \"#shared.users.big.*\"
         S: * LIST (\\HasNoChildren) \".\" \"#shared.users.big.Sent.2020\"
         S: * LIST (\\HasChildren) \".\" \"#shared.users.big.Sent\"
         S: a7 OK done
         C: a8 STATUS \"#shared.users.big\" (MESSAGES UIDNEXT UIDVALIDITY)
         C: a9 STATUS \"#shared.users.big.Sent.2020\" (MESSAGES UIDNEXT UIDVALIDITY)
         C: a10 STATUS \"#shared.users.big.Sent\" (MESSAGES UIDNEXT UIDVALIDITY)
         S: * STATUS \"#shared.users.big\" (MESSAGES 2 UIDNEXT 3 UIDVALIDITY 7)
         S: a8 OK done
         S: * STATUS \"#shared.users.big.Sent.2020\" (MESSAGES 1 UIDNEXT 3 UIDVALIDITY 8)
         S: a9 OK done
         S: * STATUS \"#shared.users.big.Sent\" (MESSAGES 0 UIDNEXT 3 UIDVALIDITY 9)
         S: a10 OK done";
    let (mut source, peer) = source("/users/big", script).await;
    let mut folders = source.folders().await.unwrap();
    assert_eq!(source.name_rules().await.unwrap().levels, Levels::Separated('.'));
    drop(source);
    peer.done().await;
    folders.sort_by(|a, b| a.path.cmp(&b.path));
    let told: Vec<String> = folders
        .iter()
        .map(|it| {
            assert_eq!(it.leave_out, None);
            format!("{} {} {}", it.path, it.subscribed, it.status.map_or(0, |it| it.messages))
        })
        .collect();
    assert_eq!(told, ["INBOX true 2", "Sent true 0", "Sent/2020 true 1"]);
}

#[tokio::test]
async fn a_missing_root_tells_the_attempts_and_visible_names() {
    let script = "C: a3 LIST \"\" \"users.nobody\"
         S: a3 OK done
         C: a4 LIST \"\" \"INBOX.users.nobody\"
         S: a4 OK done
         C: a5 LIST \"\" \"#shared.users.nobody\"
         S: a5 OK done
         C: a6 LIST \"\" \"%\"
         S: * LIST (\\Unmarked \\HasNoChildren) \".\" \"INBOX\"
         S: a6 OK done
         C: a7 LIST \"\" \"INBOX.%\"
         S: a7 OK done
         C: a8 LIST \"\" \"#shared.%\"
         S: * LIST (\\Noselect \\HasChildren) \".\" \"#shared.users\"
         S: a8 OK done
         C: a9 LIST \"\" \"#shared.users.%\"
         S: * LIST (\\HasNoChildren) \".\" \"#shared.users.big\"
         S: * LIST (\\HasChildren) \".\" \"#shared.users.terry adams\"
         S: a9 OK done";
    let (mut source, peer) = source("/users/nobody", script).await;
    let error = source.folders().await.unwrap_err();
    drop(source);
    peer.done().await;
    let expected = "there is no folder \"users/nobody\" (UserRoot); tried \"#shared.users.nobody\", \
                    \"INBOX.users.nobody\", \"users.nobody\"; the login sees \"#shared.users.big\", \
                    \"#shared.users.terry adams\", \"#shared.users\", \"INBOX\"";
    assert!(error.message.ends_with(expected), "{error}");
}

#[tokio::test]
async fn the_users_of_a_server_are_not_one_of_them() {
    let script = format!(
        "C: a1 NAMESPACE
         S: {COURIER}
         S: a1 OK done
         C: a2 LIST \"\" \"users\"
         S: a2 OK done
         C: a3 LIST \"\" \"INBOX.users\"
         S: a3 OK done
         C: a4 LIST \"\" \"#shared.users\"
         S: * LIST (\\Noselect \\HasChildren) \".\" \"#shared.users\"
         S: a4 OK done
         C: a5 LIST \"\" \"#shared.users.INBOX\"
         S: a5 OK done
         C: a6 LIST \"\" \"%\"
         S: a6 OK done
         C: a7 LIST \"\" \"INBOX.%\"
         S: a7 OK done
         C: a8 LIST \"\" \"#shared.%\"
         S: * LIST (\\Noselect \\HasChildren) \".\" \"#shared.users\"
         S: a8 OK done"
    );
    let (mut session, peer) = session("NAMESPACE CHILDREN", &script).await;
    let error = resolve_root(&mut session, "/users").await.unwrap_err();
    drop(session);
    peer.done().await;
    assert_eq!(error.kind, ErrorKind::NotFound, "{error}");
}

#[tokio::test]
async fn an_inbox_below_the_root_and_a_server_without_namespace() {
    let (mut shared, peer) = session(
        "NAMESPACE",
        "C: a1 NAMESPACE
         S: * NAMESPACE ((\"\" \"/\")) ((\"shared/\" \"/\")) NIL
         S: a1 OK done
         C: a2 LIST \"\" \"terry.adams\"
         S: a2 OK done
         C: a3 LIST \"\" \"shared/terry.adams\"
         S: * LIST (\\Noselect \\HasChildren) \"/\" shared/terry.adams
         S: a3 OK done
         C: a4 LIST \"\" \"shared/terry.adams/INBOX\"
         S: * LIST (\\HasNoChildren) \"/\" shared/terry.adams/INBOX
         S: a4 OK done",
    )
    .await;
    let found = resolve_root(&mut shared, "terry.adams").await.unwrap();
    drop(shared);
    peer.done().await;
    let told = |it: &mailhaul_remotes::ResolvedRoot| format!("{} {} {:?}", it.name, it.inbox, it.delimiter);
    assert_eq!(told(&found), "shared/terry.adams shared/terry.adams/INBOX Some('/')");

    let (mut silent, peer) = session(
        "NAMESPACE",
        "C: a1 NAMESPACE
         S: * NAMESPACE NIL NIL NIL
         S: a1 OK done
         C: a2 LIST \"\" \"\"
         S: * LIST (\\Noselect) \"/\" \"\"
         S: a2 OK done
         C: a3 LIST \"\" \"terry\"
         S: a3 OK done
         C: a4 LIST \"\" \"user/terry\"
         S: * LIST () \"/\" user/terry
         S: a4 OK done",
    )
    .await;
    let found = resolve_root(&mut silent, "terry").await.unwrap();
    drop(silent);
    peer.done().await;
    assert_eq!(told(&found), "user/terry user/terry Some('/')");
}
