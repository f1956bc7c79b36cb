//! One administrator reads every mailbox: the CSV files of Exchange's own document, and an administrator in the endpoint.

use mailhaul_testkit::{CourierSetup, CyrusSetup, Mailbox, Mailmaker, Server, Setup, Shape, connect, fill};

use crate::{
    holdings::{assert_holds, name_on, shown},
    service::Service,
};

const ADMINISTRATOR: (&str, &str) = ("mailadmin", "P@ssw0rd");
/// Names on the source, and addresses, which are the names on the target.
const USERS: [(&str, &str); 3] = [
    ("terry.adams", "terrya@contoso.edu"),
    ("ann.beebe", "annb@contoso.edu"),
    ("paul.cannon", "paulc@contoso.edu"),
];

const EXCHANGE: &str = "EmailAddress,UserName,Password
terrya@contoso.edu,contoso-students/mailadmin/terry.adams,P@ssw0rd
annb@contoso.edu,contoso-students/mailadmin/ann.beebe,P@ssw0rd
paulc@contoso.edu,contoso-students/mailadmin/paul.cannon,P@ssw0rd
";
const DOVECOT: &str = "EmailAddress,UserName,Password
terrya@contoso.edu,terry.adams*mailadmin,P@ssw0rd
annb@contoso.edu,ann.beebe*mailadmin,P@ssw0rd
paulc@contoso.edu,paul.cannon*mailadmin,P@ssw0rd
";
const MIRAPOINT: &str = "EmailAddress,UserName,Password
terrya@contoso.edu,#terry.adams@contoso-students.edu#mailadmin#,P@ssw0rd
annb@contoso.edu,#ann.beebe@contoso-students.edu#mailadmin#,P@ssw0rd
paulc@contoso.edu,#paul.cannon@contoso-students.edu#mailadmin#,P@ssw0rd
";
const COURIER: &str = "EmailAddress,UserName,Password,UserRoot
terrya@contoso.edu,mailadmin,P@ssw0rd,/users/terry.adams
annb@contoso.edu,mailadmin,P@ssw0rd,/users/ann.beebe
paulc@contoso.edu,mailadmin,P@ssw0rd,/users/paul.cannon
";
const NO_PASSWORDS: &str = "EmailAddress,UserName
terrya@contoso.edu,terry.adams
annb@contoso.edu,ann.beebe
paulc@contoso.edu,paul.cannon
";

fn names() -> [&'static str; 3] {
    USERS.map(|(name, _)| name)
}

fn dovecot() -> Shape {
    let (name, password) = ADMINISTRATOR;
    Shape::Dovecot(Setup::with_users(&names()).with_acl().with_administrator(name, password))
}

fn cyrus() -> Shape {
    let (name, password) = ADMINISTRATOR;
    Shape::Cyrus(CyrusSetup::with_users(&names()).with_administrator(name, password))
}

fn courier() -> Shape {
    let (name, password) = ADMINISTRATOR;
    Shape::Courier(CourierSetup::with_users(&names()).with_administrator(name, password))
}

/// Each user's own mail.
async fn load(shape: &Shape, server: &dyn Server) {
    for (seed, user) in (1..).zip(names()) {
        let mut session = connect(server.port(), user, &format!("secret-{user}")).await;
        let mut maker = Mailmaker::new(seed);
        for folder in ["INBOX", "Sent", "Sent/2020", "Größe & Maße"] {
            let messages: Vec<_> = (0..5).map(|number| maker.item(600 + 400 * number)).collect();
            fill(&mut session, &name_on(shape, folder), messages).await;
        }
        session.logout().await.unwrap();
    }
}

async fn of_all(shape: &Shape, server: &dyn Server, users: [&str; 3]) -> Vec<Mailbox> {
    let mut all = Vec::new();
    for user in users {
        let mut mailbox = shown(shape, server, user).await;
        // In shared folders an administrator sees only the administrator's own subscriptions, so all are subscribed.
        if matches!(shape, Shape::Courier(_)) {
            for folder in mailbox.values_mut() {
                folder.subscribed = true;
            }
        }
        all.push(mailbox);
    }
    all
}

/// Creates an endpoint `Name`, with an administrator if `more` says so.
fn endpoint(service: &Service, name: &str, port: u16, more: &[&str]) {
    let port = port.to_string();
    let words =
        ["New-MigrationEndpoint", "-IMAP", "-Name", name, "-RemoteServer", "127.0.0.1", "-Port", &port];
    service.expect(&[&words[..], &["-Security", "None"], more].concat());
}

/// A batch with this CSV file brings all mail of all three users to another server, and changes nothing on the first.
async fn brings_all(from: Shape, csv: &str, source_administrator: bool) {
    let (name, password) = ADMINISTRATOR;
    let addresses = USERS.map(|(_, address)| address);
    let to = Shape::Dovecot(Setup::with_users(&addresses).with_administrator(name, password));
    let (source, target) = (from.clone().start(), to.clone().start());
    load(&from, &*source).await;
    let before = of_all(&from, &*source, names()).await;

    let service = Service::start();
    let file = service.write("administrator", password);
    let administrator = ["-Credential", name, "-CredentialPasswordFile", &file];
    let none: &[&str] = &[];
    endpoint(&service, "Old", source.port(), if source_administrator { &administrator } else { none });
    endpoint(&service, "New", target.port(), &administrator);
    let new = ["New-MigrationBatch", "-Name", "All", "-SourceEndpoint", "Old", "-TargetEndpoint", "New"];
    service.expect(&[&new[..], &["-CSVData", &service.write("users.csv", csv), "-AutoStart"]].concat());
    let batch = service.wait_for("All", &["Synced", "SyncedWithErrors", "Failed"]);
    assert_eq!(
        (&batch["Status"], batch["SyncedItemCount"].as_u64()),
        (&"Synced".into(), Some(60)),
        "{batch:#}"
    );
    let after = of_all(&to, &*target, addresses).await;
    for ((user, _), (before, after)) in USERS.iter().zip(before.iter().zip(after)) {
        assert_holds(user, before, &after);
    }
    assert_eq!(before, of_all(&from, &*source, names()).await);
}

#[tokio::test(flavor = "multi_thread")]
async fn exchanges_domain_admin_user() {
    brings_all(dovecot(), EXCHANGE, false).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn dovecots_user_and_master_user() {
    brings_all(dovecot(), DOVECOT, false).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn mirapoints_user_at_domain_admin() {
    brings_all(dovecot(), MIRAPOINT, false).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn couriers_user_root_in_virtual_shared_folders() {
    brings_all(courier(), COURIER, false).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn authorization_identity_on_dovecot_without_passwords() {
    brings_all(dovecot(), NO_PASSWORDS, true).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn authorization_identity_on_cyrus_without_passwords() {
    brings_all(cyrus(), NO_PASSWORDS, true).await;
}
