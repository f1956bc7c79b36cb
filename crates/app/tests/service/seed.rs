//! The lines of Exchange's own document, in its order and spelling, in `mailhaul shell`.

use std::{fmt::Write as _, fs, path::Path};

use mailhaul_testkit::{Certificate, Mailmaker, Setup, connect, fill};

use crate::support::{Service, ran};

/// The users of the document.
pub(crate) const USERS: [(&str, &str); 3] =
    [("terry.adams", "1091990"), ("ann.beebe", "2111991"), ("paul.cannon", "3281986")];
pub(crate) const CSV: &str = "EmailAddress,UserName,Password
terrya@contoso.edu,terry.adams,1091990
annb@contoso.edu,ann.beebe,2111991
paulc@contoso.edu,paul.cannon,3281986
";
/// Stands between the outputs of two lines.
pub(crate) const MARK: &str = "== next ==";

/// The lines up to the start of the batch; the ports and the path of the CSV file are those of this machine, and the two lines
/// that the document breaks are whole.
fn lines(ssl: u16, tls: u16, csv: &str) -> Vec<String> {
    vec![
        format!("Test-MigrationServerAvailability -IMAP -RemoteServer localhost -Port {ssl} -Security Ssl"),
        format!(
            "New-MigrationEndpoint -IMAP -Name IMAPEndpoint -RemoteServer localhost -Port {ssl} -Security Ssl"
        ),
        // The document makes the endpoint of this name twice, in two ways.
        "Remove-MigrationEndpoint IMAPEndpoint".to_owned(),
        format!(
            "New-MigrationEndpoint -IMAP -Name IMAPEndpoint -RemoteServer localhost -Port {tls} -Security Tls \
             -MaxConcurrentMigrations 50 -MaxConcurrentIncrementalSyncs 25"
        ),
        "Get-MigrationEndpoint IMAPEndpoint | Format-List EndpointType,RemoteServer,Port,Security,Max*"
            .to_owned(),
        format!(
            "New-MigrationBatch -Name IMAPBatch1 -SourceEndpoint IMAPEndpoint -CSVData \
             ([System.IO.File]::ReadAllBytes(\"{csv}\")) -AutoStart"
        ),
        "Get-MigrationBatch -Identity IMAPBatch1 | Format-List".to_owned(),
        "Get-MigrationBatch -Identity IMAPBatch1 | Format-List Status".to_owned(),
    ]
}

#[tokio::test(flavor = "multi_thread")]
async fn the_documents_lines_migrate_into_the_archive() {
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

    let lines = lines(ssl, tls, &csv);
    let script = lines.join(&format!("\nWrite-Host '{MARK}'\n")) + &format!("\nWrite-Host '{MARK}'\n");
    let first = service.ask(&["shell", &service.write("first.ps1", &script)]);
    first.assert(0);
    let outputs: Vec<&str> = first.stdout.split(MARK).map(str::trim).collect();
    assert_eq!(outputs.len(), lines.len() + 1, "{}", first.stdout);
    assert!(outputs[0].contains("Success"), "{}", outputs[0]);
    let properties = format!(
        "EndpointType                  : IMAP\nRemoteServer                  : localhost\nPort                          : {tls}\n\
         Security                      : Tls\nMaxConcurrentMigrations       : 50\nMaxConcurrentIncrementalSyncs : 25"
    );
    assert_eq!(outputs[4], properties);
    assert!(outputs[5].contains("IMAPBatch1"), "{}", outputs[5]);
    let batch = outputs[6];
    for property in ["Identity", "Status", "TotalCount", "SourceEndpoint", "LastSyncedDateTime"] {
        assert!(batch.lines().any(|it| it.starts_with(property)), "{property} is not in:\n{batch}");
    }
    assert!(
        ["Status : Starting", "Status : Syncing", "Status : Synced"].contains(&outputs[7]),
        "{}",
        outputs[7]
    );

    service.wait_for("IMAPBatch1", &["Synced"]);
    let last = [
        "Get-MigrationBatch -Identity IMAPBatch1 | Format-List Status,LastSyncedDateTime",
        "Remove-MigrationBatch -Identity IMAPBatch1",
        "Get-MigrationBatch IMAPBatch1",
    ];
    let status = service.ask(&["shell", "-c", last[0]]);
    status.assert(0);
    assert!(status.stdout.contains("Status             : Synced"), "{}", status.stdout);
    for (address, messages) in [("terrya@contoso.edu", 3), ("annb@contoso.edu", 3), ("paulc@contoso.edu", 3)]
    {
        assert_eq!(service.user(address)["SyncedItemCount"], messages, "{address}");
        let archive = service.data().join("archive").join(address);
        assert_eq!((messages_in(&archive), messages_in(&archive.join(".Sent"))), (2, 1), "{address}");
    }
    let removed = service.ask(&["shell", "-c", last[1]]);
    removed.assert(0);
    let gone = service.ask(&["shell", "-c", last[2]]);
    assert_ne!(gone.code, Some(0));
    assert!(gone.stderr.contains("\"IMAPBatch1\" could not be found"), "{}", gone.stderr);
    // The document's own line ends with an unmatched quote.
    let stray = ran(&mut service.command(&["shell", "-c", "Get-MigrationBatch IMAPBatch1\""]));
    assert_ne!(stray.code, Some(0));
    assert!(stray.stderr.contains("Line 1, column 30"), "{}", stray.stderr);
    // The mail stays where it is.
    assert_eq!(messages_in(&service.data().join("archive/terrya@contoso.edu")), 2);
    assert_eq!(service.stop(), Some(0));

    if std::env::var_os("UPDATE_DOCUMENTS").is_some() {
        let shown = [status.stdout.trim(), removed.stdout.trim(), gone.stderr.trim()];
        let all = lines.iter().map(String::as_str).zip(outputs).chain(last.into_iter().zip(shown));
        let ports = [(ssl, "993"), (tls, "143")];
        write_walkthrough("guides/seed-walkthrough.md", HEAD, all, &ports, service.directory.path());
    }
}

fn messages_in(maildir: &Path) -> usize {
    ["cur", "new"].iter().map(|it| fs::read_dir(maildir.join(it)).unwrap().count()).sum()
}

const HEAD: &str = "# Exchange's own document, line by line

Microsoft's page \"Use PowerShell to perform an IMAP migration to Office 365\" is the model of mailhaul. This page shows its
lines in `mailhaul shell`, with their output. `mailhaul serve` runs on the data directory. No target endpoint is named, so the mail goes
into the archive below that directory.

The test `seed` writes this page from a run against a real Dovecot, whose ports are shown as 993 and 143. Two lines that Microsoft's page
breaks are joined here, and a stray quote in its last line is removed; `mailhaul shell` names the position of each such error.

The CSV file is the page's:

";

/// Writes the page of a run. It is not compared, because times and GUIDs change with each run.
pub(crate) fn write_walkthrough<'a>(
    name: &str,
    head: &str,
    steps: impl Iterator<Item = (&'a str, &'a str)>,
    ports: &[(u16, &str)],
    directory: &Path,
) {
    let mut page = head.to_owned();
    _ = writeln!(page, "```\n{CSV}```");
    for (line, output) in steps {
        _ = writeln!(page, "\n```\nmailhaul> {line}\n\n{output}\n```");
    }
    for (port, usual) in ports {
        // In a table it stands at the right of its column.
        page = page.replace(&format!("localhost    {port}"), &format!("localhost    {usual:>5}"));
        page = page.replace(&port.to_string(), usual);
    }
    page = page.replace(&directory.display().to_string(), "/home/administrator");
    fs::write(format!("{}/../../docs/{name}", env!("CARGO_MANIFEST_DIR")), page).unwrap();
}
