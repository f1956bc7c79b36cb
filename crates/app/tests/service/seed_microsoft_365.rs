//! The lines of Exchange's own document with Microsoft 365 as the default target, as the document means it.

use mailhaul_mail::{Flags, InternalDate};
use mailhaul_testkit::{
    Certificate, Dovecot, Mailmaker, Setup, TlsFront, connect,
    fake::{Fake, Personality, VirtualClock},
    fill,
};

use crate::{
    seed::{CSV, MARK, USERS, write_walkthrough},
    support::{Ran, Service},
};

const HEAD: &str = "# Exchange's own document, into Microsoft 365

The lines of Microsoft's page \"Use PowerShell to perform an IMAP migration to Office 365\" in `mailhaul shell`, with their output. The
default target is an endpoint of Microsoft 365. [microsoft-365.md](microsoft-365.md) describes the setup at Microsoft, and
`mailhaul serve` runs on the data directory.

The test `seed_microsoft_365` writes this page from a run between a real Dovecot and a server on the same machine that behaves like
Exchange Online. The names of that server and of its token server are replaced by Microsoft's.

The CSV file is the page's:

";

const SECRET: &str = "kE~8Q.not-a-real-secret";

/// Address, messages of INBOX and of Sent.
type Mail = (String, Vec<(Vec<u8>, Flags, InternalDate)>, Vec<(Vec<u8>, Flags, InternalDate)>);

/// Creates the mailboxes of the document's users on both servers, and fills those of the source.
async fn give_mail(source: &Dovecot, target: &Fake) -> Vec<Mail> {
    let mut mail: Vec<Mail> = Vec::new();
    for (seed, ((name, password), row)) in (1..).zip(USERS.iter().zip(CSV.lines().skip(1))) {
        let address = row.split(',').next().unwrap();
        target.add_user(address, "no password opens this", VirtualClock::default());
        let mut session = connect(source.port(), name, password).await;
        let mut maker = Mailmaker::new(seed);
        let (inbox, sent) = (vec![maker.item(900), maker.item(4_000)], vec![maker.item(2_000)]);
        fill(&mut session, "INBOX", inbox.clone()).await;
        fill(&mut session, "Sent", sent.clone()).await;
        session.logout().await.unwrap();
        mail.push((address.to_owned(), inbox, sent));
    }
    mail
}

/// The lines of the document, with Microsoft 365 as the target.
fn lines(secret: &str, csv: &str, here: &str, ports: (u16, u16)) -> [String; 7] {
    let (ssl, tls) = ports;
    [
        format!("Test-MigrationServerAvailability -IMAP -RemoteServer localhost -Port {ssl} -Security Ssl"),
        format!(
            "New-MigrationEndpoint -Microsoft365 -Name M365 -TenantId contoso.onmicrosoft.com \
             -ApplicationId 4765445b-32c6-49b0-83e6-1d93765276ca -ClientSecretFile {secret}{here} \
             | Format-List Identity,EndpointType,RemoteServer,Port,Security,TokenSource"
        ),
        "Test-MigrationServerAvailability -Endpoint M365 -TestMailbox terrya@contoso.edu".to_owned(),
        "Set-MigrationConfig -TargetEndpoint M365".to_owned(),
        format!(
            "New-MigrationEndpoint -IMAP -Name IMAPEndpoint -RemoteServer localhost -Port {tls} -Security Tls \
             -MaxConcurrentMigrations 50 -MaxConcurrentIncrementalSyncs 25"
        ),
        format!(
            "New-MigrationBatch -Name IMAPBatch1 -SourceEndpoint IMAPEndpoint -CSVData \
             ([System.IO.File]::ReadAllBytes(\"{csv}\")) -AutoStart"
        ),
        "Get-MigrationBatch -Identity IMAPBatch1 | Format-List Status".to_owned(),
    ]
}

/// Compares the targets with the sources: each message arrived once, in the right folder, byte for byte.
fn assert_copied(target: &Fake, mail: &[Mail]) {
    for (address, inbox, sent) in mail {
        for (folder, expected) in [("INBOX", inbox), ("Sent Items", sent)] {
            let there = target.with(address, |mailbox| mailbox.messages(folder));
            let mut there: Vec<_> =
                there.iter().map(|(_, it)| (it.octets.to_vec(), it.date.unix_seconds())).collect();
            let mut expected: Vec<_> =
                expected.iter().map(|(octets, _, date)| (octets.clone(), date.unix_seconds())).collect();
            there.sort();
            expected.sort();
            assert!(there == expected, "{address}: {folder}");
        }
        assert_eq!(target.with(address, |it| it.total()), 3, "{address}");
    }
}

/// Checks the answers to the last lines: the batch was synced, then removed.
fn assert_synced_and_removed(asked: &[Ran]) {
    asked[..3].iter().for_each(|it| it.assert(0));
    for property in [
        "Status           : Synced",
        "TargetEndpoint   : M365",
        "SyncedItemCount  : 9",
        "SkippedItemCount : 0",
    ] {
        assert!(asked[1].stdout.contains(property), "{property} is not in:\n{}", asked[1].stdout);
    }
    assert!(asked[3].stderr.contains("\"IMAPBatch1\" could not be found"), "{}", asked[3].stderr);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_documents_lines_migrate_into_microsoft_365() {
    let certificate = Certificate::valid();
    let users = USERS.map(|(name, password)| (name.to_owned(), password.to_owned()));
    let source = Setup { users: users.to_vec(), ..Setup::default() }.start_tls(&certificate);
    let target = Fake::start(Personality::microsoft_365()).await;
    let mail = give_mail(&source, &target).await;
    let mut service = Service::idle();
    service.trust(&certificate);
    service.run();
    let (csv, secret) = (service.write("IMAPmigration_1.csv", CSV), service.write("secret.txt", SECRET));
    let (ssl, tls) = (source.tls_port(), source.port());
    // Parameters that replace Microsoft's server by that of this test.
    let door = TlsFront::start(&certificate, target.port).await;
    let here = format!(" -RemoteServer localhost -Port {} -TokenUrl {}", door.port, target.token_url());

    let lines = lines(&secret, &csv, &here, (ssl, tls));
    let mark = format!("\nWrite-Host '{MARK}'\n");
    let first = service.ask(&["shell", &service.write("first.ps1", &(lines.join(&mark) + &mark))]);
    first.assert(0);
    let outputs: Vec<&str> = first.stdout.split(MARK).map(str::trim).collect();
    assert_eq!(outputs.len(), lines.len() + 1, "{}", first.stdout);
    assert!(outputs[1].contains("M365") && outputs[1].contains("Microsoft365"), "{}", outputs[1]);
    assert!(outputs[2].contains("Success"), "{}", outputs[2]);

    service.wait_for("IMAPBatch1", &["Synced"]);
    let last = [
        "Get-MigrationUser -BatchId IMAPBatch1",
        "Get-MigrationBatch -Identity IMAPBatch1 | Format-List Status,TargetEndpoint,SyncedItemCount,SkippedItemCount",
        "Remove-MigrationBatch -Identity IMAPBatch1",
        "Get-MigrationBatch IMAPBatch1",
    ];
    let asked: Vec<_> = last.iter().map(|line| service.ask(&["shell", "-c", line])).collect();
    assert_synced_and_removed(&asked);
    assert_copied(&target, &mail);
    // One token to verify the endpoint before it was saved, and one for everything since.
    assert_eq!(target.tokens_issued(), 2);
    assert_eq!(target.violations(), ["all users: requests a token while the last one is valid"]);
    assert_eq!(service.stop(), Some(0));

    if std::env::var_os("UPDATE_DOCUMENTS").is_some() {
        let shown =
            asked.iter().map(|it| if it.code == Some(0) { it.stdout.trim() } else { it.stderr.trim() });
        let token_host = target.http_url().replace("http://", "");
        let microsofts = |text: &str| {
            let text = text.replace(&here, "").replace(&token_host, "login.microsoftonline.com");
            if text.contains("M365") || text.contains(&door.port.to_string()) {
                text.replace("localhost", "outlook.office365.com").replace(&door.port.to_string(), "993")
            } else {
                text
            }
        };
        let all: Vec<(String, String)> = lines
            .iter()
            .map(String::as_str)
            .zip(outputs)
            .chain(last.into_iter().zip(shown))
            .map(|(line, output)| (microsofts(line), microsofts(output)))
            .collect();
        let all = all.iter().map(|(line, output)| (line.as_str(), output.as_str()));
        let ports = [(ssl, "993"), (tls, "143")];
        write_walkthrough(
            "guides/seed-walkthrough-microsoft-365.md",
            HEAD,
            all,
            &ports,
            service.directory.path(),
        );
    }
}
