//! The lines of Exchange's own document, in its order and spelling, in `mailhaul shell`.

use mailhaul_testkit::{Certificate, Mailmaker, Setup, connect, fill};

use crate::support::{Service, ran};

/// The users of the document.
const USERS: [(&str, &str); 3] =
    [("terry.adams", "1091990"), ("ann.beebe", "2111991"), ("paul.cannon", "3281986")];
const CSV: &str = "EmailAddress,UserName,Password
terrya@contoso.edu,terry.adams,1091990
annb@contoso.edu,ann.beebe,2111991
paulc@contoso.edu,paul.cannon,3281986
";

#[tokio::test(flavor = "multi_thread")]
async fn the_lines_of_the_document_move_three_mailboxes_into_the_archive() {
    let certificate = Certificate::valid();
    let users = USERS.map(|(name, password)| (name.to_owned(), password.to_owned()));
    let server = Setup { users: users.to_vec(), ..Setup::default() }.start_tls(&certificate);
    for (seed, (name, password)) in (1..).zip(USERS) {
        let mut session = connect(server.port(), name, password).await;
        let mut maker = Mailmaker::new(seed);
        fill(&mut session, "INBOX", vec![maker.item(900), maker.item(4_000)]).await;
        fill(&mut session, "Sent", vec![maker.item(2_000)]).await;
        session.logout().await.unwrap();
    }
    let mut service = Service::idle();
    service.trust(&certificate);
    service.run();
    let csv = service.write("IMAPmigration_1.csv", CSV);
    let (ssl, tls) = (server.tls_port(), server.port());

    let script = format!(
        "Test-MigrationServerAvailability -IMAP -RemoteServer localhost -Port {ssl} -Security Ssl\n\
         New-MigrationEndpoint -IMAP -Name IMAPEndpoint -RemoteServer localhost -Port {ssl} -Security Ssl\n\
         Remove-MigrationEndpoint IMAPEndpoint\n\
         New-MigrationEndpoint -IMAP -Name IMAPEndpoint -RemoteServer localhost -Port {tls} -Security Tls \
         -MaxConcurrentMigrations 50 -MaxConcurrentIncrementalSyncs 25\n\
         Get-MigrationEndpoint IMAPEndpoint | Format-List EndpointType,RemoteServer,Port,Security,Max*\n\
         New-MigrationBatch -Name IMAPBatch1 -SourceEndpoint IMAPEndpoint -CSVData \
         ([System.IO.File]::ReadAllBytes(\"{csv}\")) -AutoStart\n\
         Get-MigrationBatch -Identity IMAPBatch1 | Format-List\n"
    );
    let file = service.write("first.ps1", &script);
    let first = service.ask(&["shell", &file]);
    first.assert(0);
    let properties = format!(
        "EndpointType                  : IMAP\nRemoteServer                  : localhost\nPort                          : {tls}\n\
         Security                      : Tls\nMaxConcurrentMigrations       : 50\nMaxConcurrentIncrementalSyncs : 25\n"
    );
    for words in ["Success", &properties, "Identity", "IMAPBatch1"] {
        assert!(first.stdout.contains(words), "{words:?} is not in:\n{}", first.stdout);
    }

    service.wait_for("IMAPBatch1", &["Synced"]);
    let status =
        service.ask(&["shell", "-c", "Get-MigrationBatch -Identity IMAPBatch1 | Format-List Status"]);
    status.assert(0);
    assert_eq!(status.stdout.trim(), "Status : Synced");
    for (address, _) in [("terrya@contoso.edu", 3), ("annb@contoso.edu", 3), ("paulc@contoso.edu", 3)] {
        assert_eq!(service.user(address)["SyncedItemCount"], 3, "{address}");
        let archive = service.data().join("archive").join(address);
        assert_eq!((messages_in(&archive), messages_in(&archive.join(".Sent"))), (2, 1), "{address}");
    }

    service.ask(&["shell", "-c", "Remove-MigrationBatch -Identity IMAPBatch1"]).assert(0);
    let gone = service.ask(&["shell", "-c", "Get-MigrationBatch IMAPBatch1"]);
    assert_ne!(gone.code, Some(0));
    assert!(gone.stderr.contains("IMAPBatch1") && gone.stderr.contains("found"), "{}", gone.stderr);
    // The document's own line ends with a quote that nobody opened.
    let stray = ran(service.command(&["shell", "-c", "Get-MigrationBatch IMAPBatch1\""]).env("LC_ALL", "C"));
    assert_ne!(stray.code, Some(0));
    assert!(stray.stderr.contains("Line 1, column 30"), "{}", stray.stderr);
    // The mail stays where it is.
    assert_eq!(messages_in(&service.data().join("archive/terrya@contoso.edu")), 2);
    assert_eq!(service.stop(), Some(0));
}

fn messages_in(maildir: &std::path::Path) -> usize {
    ["cur", "new"].iter().map(|it| std::fs::read_dir(maildir.join(it)).unwrap().count()).sum()
}
