//! The lines of "Use PowerShell to perform an IMAP migration" reach the host as they are meant.

use crate::support::{FakeHost, failure, run_on};
use mailhaul_shell::{Argument, ErrorKind, Value, is_complete};

const BATCH: &str = r#"New-MigrationBatch -Name IMAPBatch1 -SourceEndpoint IMAPEndpoint -CSVData ([System.IO.File]::ReadAllBytes("users.csv")) -AutoStart"#;

#[tokio::test]
async fn every_line_reaches_the_host() {
    for (script, calls) in [
        (
            "Test-MigrationServerAvailability -IMAP -RemoteServer imap.contoso.com -Port 993 -Security Ssl",
            vec![
                r#"Test-MigrationServerAvailability -IMAP -RemoteServer "imap.contoso.com" -Port 993 -Security "Ssl""#,
            ],
        ),
        (
            "New-MigrationEndpoint -IMAP -Name IMAPEndpoint -RemoteServer imap.contoso.com -Port 143 -Security Tls \
             -MaxConcurrentMigrations `\n50 -MaxConcurrentIncrementalSyncs 25",
            vec![
                r#"New-MigrationEndpoint -IMAP -Name "IMAPEndpoint" -RemoteServer "imap.contoso.com" -Port 143 -Security "Tls" -MaxConcurrentMigrations 50 -MaxConcurrentIncrementalSyncs 25"#,
            ],
        ),
        (
            "Get-MigrationEndpoint IMAPEndpoint | Format-List EndpointType,RemoteServer,Port,Security,Max*",
            vec![r#"Get-MigrationEndpoint "IMAPEndpoint""#],
        ),
        (
            BATCH,
            vec![
                r#"New-MigrationBatch -Name "IMAPBatch1" -SourceEndpoint "IMAPEndpoint" -CSVData "RW1haWxBZGRyZXNzDQo=" -AutoStart"#,
            ],
        ),
        (
            "get-migrationbatch -identity IMAPBatch1 | FORMAT-LIST Status\nRemove-MigrationBatch -Identity IMAPBatch1",
            vec![
                r#"Get-MigrationBatch -identity "IMAPBatch1""#,
                r#"Remove-MigrationBatch -Identity "IMAPBatch1""#,
            ],
        ),
    ] {
        let host = FakeHost::default();
        run_on(&host, script).await.1.unwrap();
        assert_eq!(host.lines(), calls);
    }
}

#[tokio::test]
async fn files_arrive_as_octets() {
    let host = FakeHost::default();
    run_on(&host, BATCH).await.1.unwrap();
    let arguments = &host.calls()[0].arguments;
    assert!(arguments.contains(&Argument::Value(Value::Bytes(b"EmailAddress\r\n".to_vec()))));
    let missing = failure(r"New-MigrationBatch -CSVData ([System.IO.File]::ReadAllBytes('none.csv'))").await;
    assert_eq!((missing.line, missing.column), (1, 30));
    assert!(missing.message.contains("none.csv") && missing.message.contains("no such file"), "{missing}");
}

#[tokio::test]
async fn batches_are_shown_as_lists() {
    let host = FakeHost::default();
    let (shown, _) = run_on(&host, "Get-MigrationBatch -Identity IMAPBatch1 | Format-List").await;
    let expected = "\
Identity   : IMAPBatch1
Status     : Syncing
TotalCount : 3
Tags       : {}
Note       :
";
    assert_eq!(shown, expected);
    let (shown, _) = run_on(&host, "Get-MigrationBatch -Identity IMAPBatch1 | Format-List Status").await;
    assert_eq!(shown, "Status : Syncing\n");
}

/// Three lines of the document are wrong; each is told so where it is wrong, and nothing is carried out.
#[tokio::test]
async fn the_defects_of_the_document_are_told() {
    let placeholder = "Test-MigrationServerAvailability -IMAP -RemoteServer <FQDN of IMAP server> -Port 143";
    let broken = "New-MigrationEndpoint -IMAP -Name IMAPEndpoint -MaxConcurrentMigrations\n50 -MaxConcurrentIncrementalSyncs 25";
    let quote = "Get-MigrationUser\nGet-MigrationBatch IMAPBatch1\"";
    for (script, kind, line, column, says) in [
        (placeholder, ErrorKind::Syntax, 1, 54, "`<FQDN of IMAP server>` is a placeholder"),
        (broken, ErrorKind::Syntax, 2, 4, "must end with a backtick"),
        (quote, ErrorKind::Incomplete, 2, 30, "double quote that opens here is never closed"),
    ] {
        let host = FakeHost::default();
        let error = run_on(&host, script).await.1.unwrap_err();
        assert_eq!((error.kind, error.line, error.column), (kind, line, column), "{error}");
        assert!(error.message.contains(says), "{error}");
        assert_eq!(host.calls(), []);
    }
    assert!(!is_complete(quote));
}
