//! Checks of the servers that the other tests assume.

use mailhaul_imap::{
    AuthorizeAs, ConnectOptions, Connection, Credentials, MailboxName, Security, SelectOptions, Session,
};
use mailhaul_mail::Secret;
use mailhaul_testkit::{CourierSetup, CyrusSetup, Setup, Shape, connect};

const ADMINISTRATOR: (&str, &str) = ("mailadmin", "P@ssw0rd");
const USERS: [&str; 2] = ["terry.adams", "ann.beebe"];

fn dovecot() -> Setup {
    Setup::with_users(&USERS).with_administrator(ADMINISTRATOR.0, ADMINISTRATOR.1)
}

async fn put(session: &mut Session, subject: &str) {
    let message = format!("Subject: {subject}\r\n\r\ntext\r\n").into_bytes();
    let date = mailhaul_mail::InternalDate::new(1_500_000_000, 0).unwrap();
    mailhaul_testkit::fill(session, "INBOX", [(message, mailhaul_mail::Flags::new(), date)]).await;
}

async fn sign_in(port: u16, credentials: &Credentials) -> Session {
    let options = ConnectOptions::new("127.0.0.1", port, Security::Clear);
    Connection::open(&options).await.unwrap().authenticate(credentials).await.unwrap()
}

async fn messages_in(session: &mut Session, folder: &str) -> u32 {
    let options = SelectOptions::default();
    session.examine(&MailboxName::from_text(folder), &options).await.unwrap().data().exists
}

#[tokio::test(flavor = "multi_thread")]
async fn names_are_built_as_the_shape_says() {
    let cyrus = CyrusSetup::with_users(&USERS);
    for shape in [
        Shape::Dovecot(Setup::with_users(&USERS)),
        Shape::Dovecot(Setup::with_users(&USERS).maildir()),
        Shape::Dovecot(Setup::with_users(&USERS).separated_by('.')),
        Shape::Dovecot(Setup::with_users(&USERS).below_inbox()),
        Shape::Cyrus(cyrus.clone()),
        Shape::Cyrus(cyrus.traditional()),
        Shape::Courier(CourierSetup::with_users(&USERS)),
    ] {
        let server = shape.clone().start();
        let mut session = connect(server.port(), USERS[0], "secret-terry.adams").await;
        let namespaces = session.namespace().await.unwrap().unwrap();
        let personal = &namespaces.personal[0];
        let said = (personal.prefix.to_text(), personal.delimiter);
        let (prefix, separator) = shape.naming();
        assert_eq!(said, (prefix.to_owned(), Some(separator)), "{shape:?}");
        session.logout().await.unwrap();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_administrator_opens_the_mailbox_in_every_known_form() {
    let (name, password) = ADMINISTRATOR;
    let dovecot = dovecot().with_acl().with_special_use().with_virtual_namespace().start();
    let cyrus = CyrusSetup::with_users(&USERS).with_administrator(name, password).start();
    let mut as_another = Credentials::password(name, Secret::new(password));
    as_another.authorize_as = Some(AuthorizeAs::Identity("terry.adams".to_owned()));
    let login = |user: &str| Credentials::password(user, Secret::new(password));
    let forms = [
        (&dovecot as &dyn mailhaul_testkit::Server, login("terry.adams*mailadmin")),
        (&dovecot, login("contoso-students/mailadmin/terry.adams")),
        (&dovecot, login("#terry.adams@contoso-students.edu#mailadmin#")),
        (&dovecot, as_another.clone()),
        (&cyrus, as_another),
    ];
    for server in [&dovecot as &dyn mailhaul_testkit::Server, &cyrus] {
        let mut session = connect(server.port(), "terry.adams", "secret-terry.adams").await;
        put(&mut session, "to be found").await;
        session.logout().await.unwrap();
    }
    for (server, credentials) in forms {
        let mut session = sign_in(server.port(), &credentials).await;
        assert_eq!(messages_in(&mut session, "INBOX").await, 1, "{credentials:?}");
        session.logout().await.unwrap();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn couriers_administrator_sees_users_as_shared_folders() {
    let courier =
        CourierSetup::with_users(&USERS).with_administrator(ADMINISTRATOR.0, ADMINISTRATOR.1).start();
    let port = mailhaul_testkit::Server::port(&courier);
    let mut session = connect(port, "terry.adams", "secret-terry.adams").await;
    put(&mut session, "to be found").await;
    session.logout().await.unwrap();
    let mut session = connect(port, ADMINISTRATOR.0, ADMINISTRATOR.1).await;
    assert_eq!(messages_in(&mut session, "#shared.users.terry adams").await, 1);
    session.logout().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn in_the_acl_trap_the_sign_in_succeeds_and_no_folder_opens() {
    let dovecot = dovecot().with_acl_trap().start();
    let credentials = Credentials::password("terry.adams*mailadmin", Secret::new(ADMINISTRATOR.1));
    let mut session = sign_in(dovecot.port(), &credentials).await;
    let error = session
        .examine(&MailboxName::from_text("INBOX"), &SelectOptions::default())
        .await
        .map(|it| it.data().exists)
        .unwrap_err();
    assert!(error.message.contains("Mailbox doesn't exist: INBOX"), "{error}");
}
