//! Lines and scripts of Exchange administrators that went wrong once: one test for each kind of fault.

use crate::support::{FakeHost, failure, run_all, shown};
use mailhaul_shell::{check, decode, is_complete};

/// Finding 1: a date is compared with a text as a date, or not at all.
#[tokio::test]
async fn dates_are_compared_as_dates() {
    for (condition, names) in [
        ("-lt '12/01/2026'", "ann@b.c bob@b.c cid@b.c"),
        ("-gt '12/01/2026'", ""),
        ("-lt '11/2/2026 7:00 AM'", "bob@b.c cid@b.c"),
        ("-ge 'November 2, 2026 8:00 AM'", "ann@b.c"),
        ("-lt '2026-11-02'", "bob@b.c cid@b.c"),
        ("-lt (Get-Date).AddHours(-2)", "bob@b.c cid@b.c"),
        ("-eq $null", "bob@b.c"),
    ] {
        let script =
            format!("(Get-MigrationUser | ? {{ $_.LastSuccessfulSyncTime {condition} }}).Identity -join ' '");
        assert_eq!(shown(&script).await, format!("{names}\n"), "{condition}");
    }
    for condition in ["-ge '28.11.2026 23:00'", "-lt 'yesterday'", "-gt ''"] {
        let script = format!("Get-MigrationUser | ? {{ $_.LastSuccessfulSyncTime {condition} }}");
        let error = failure(&script).await;
        assert!(error.message.contains("one is a date, and the other is none"), "{error}");
    }
}

/// Finding 2: nothing in the braces of a statement runs by itself.
#[test]
fn a_block_is_read_to_its_end() {
    assert!(!is_complete("if ($failed.Count -eq 0) {"));
    assert!(!is_complete("if ($failed.Count -eq 0) {\nRemove-MigrationBatch Paste -Confirm:$false\n"));
    assert!(is_complete("if ($failed.Count -eq 0) {\nRemove-MigrationBatch Paste -Confirm:$false\n}"));
    assert!(!is_complete("trap {"));
}

/// Finding 3: a pipeline goes on after the failure for one object, and shows what it did.
#[tokio::test]
async fn a_pipeline_goes_on_after_an_error() {
    let host = FakeHost::default();
    let shown = run_all(&host, "'u05','typo','u06' | Start-MigrationUser").await;
    assert_eq!(
        shown.text,
        "Identity Status\n-------- ------\nu05      Queued\nu06      Queued\n"
            .replace("u06", "\nIdentity Status\n-------- ------\nu06")
    );
    assert_eq!((shown.errors.len(), shown.outcome.code), (1, Some(4)));
    assert_eq!(shown.errors[0].message, "there is no migration user typo");
    assert_eq!(host.lines().len(), 3);
    let host = FakeHost::default();
    let shown = run_all(&host, "'u05','typo','u06' | Start-MigrationUser -ErrorAction Stop").await;
    assert!(shown.text.contains("u05") && shown.end.is_some());
    assert_eq!(host.lines().len(), 2);
}

/// Finding 5: a path is one of this machine, or refused.
#[tokio::test]
async fn windows_paths_are_not_names_of_files() {
    let host = FakeHost::default();
    run_all(&host, r"Get-MigrationUser | Export-Csv .\mig.csv -NoTypeInformation").await;
    assert_eq!(host.written.lock().unwrap().keys().collect::<Vec<_>>(), ["./mig.csv"]);
    let error = failure(r"Get-MigrationUser | Export-Csv c:\temp\errors.csv -NoTypeInformation").await;
    assert!(error.message.contains("there is no drive on this machine"), "{error}");
}

/// Finding 8: parameters that every command has.
#[tokio::test]
async fn common_parameters_are_known_everywhere() {
    for script in [
        "Get-MigrationBatch -ErrorAction Stop | Out-Null",
        "Get-MigrationUser -EA SilentlyContinue -Verbose -WarningAction Ignore -OutVariable x | Out-Null; $x.Count | Out-Null",
        "Get-MigrationUser | Select-Object Identity -Debug -ErrorVariable e | Out-Null",
    ] {
        assert_eq!(shown(script).await, "", "{script}");
    }
    let host = FakeHost::default();
    run_all(&host, "Get-MigrationUser -Status Failed -ErrorAction Stop").await;
    assert_eq!(host.lines(), [r#"Get-MigrationUser -Status "Failed""#]);
}

/// Findings 9 and 10: control flow, calculated properties, arithmetic.
#[tokio::test]
async fn scripts_with_control_flow_and_calculations_run() {
    let script = "foreach ($u in Get-MigrationUser) { if ($u.Status -eq 'Failed') { $bad += 1; $list += \"$($u.Identity);\" } }; \"$bad $list\"\n\
        Get-MigrationUser | select @{n='Mailbox';e={$_.Identity}}, @{Name='GB';Expression={[math]::Round($_.SyncedItemCount/1KB,2)}} -First 1\n\
        Get-MigrationUser | ft @{Label='Who';Expression='Identity'}, Status\n\
        'a' + 5";
    let expected = "1 bob@b.c;\n\nMailbox   GB\n-------   --\nann@b.c 0.12\n\nWho     Status\n---     ------\nann@b.c Synced\nbob@b.c Failed\ncid@b.c Syncing\na5\n";
    assert_eq!(shown(script).await, expected);
}

/// Finding 11: an identity or a state is the text itself.
#[tokio::test]
async fn properties_of_identities_are_the_text() {
    assert_eq!(
        shown("$b = Get-MigrationBatch; $b.Identity.Name; $b.Identity.Id; $b.Status.Value; \"$($b.Identity.Guid)\"").await,
        "IMAPBatch1\nIMAPBatch1\nSyncing\nIMAPBatch1\n"
    );
}

/// Finding 13: the whole script is checked before its first line.
#[tokio::test]
async fn wrong_names_are_found_before_the_first_line() {
    for script in [
        "New-MigrationEndpoint -Name x\nNew-MigrationBatch -Frobnicate 5",
        "New-MigrationEndpoint -Name x\nGet-MigrationBatch | ? Status -eq Nope | Remove-MigrationBatch -Frobnicate",
        "New-MigrationEndpoint -Name x\nGet-MigrationBacth",
    ] {
        let host = FakeHost::default();
        let shown = run_all(&host, script).await;
        assert!(shown.end.is_some_and(|error| error.line == 2), "{script}");
        assert_eq!(host.calls(), [], "{script}");
    }
}

/// Finding 15: American dates, as in Microsoft's examples.
#[tokio::test]
async fn american_dates_are_read() {
    assert_eq!(
        shown("[datetime]'09/01/2027 7:00 PM'; [datetime]'2019/4/30'; ([datetime]'12/31/2024 11:59 PM').AddMinutes(1)").await,
        "2027-09-01T19:00:00Z\n2019-04-30T00:00:00Z\n2025-01-01T00:00:00Z\n"
    );
}

/// Finding 18: the view belongs to the object, also in a block, a variable and a function.
#[tokio::test]
async fn views_belong_to_the_type() {
    let table = "Identity BatchId Status\n-------- ------- ------\nann@b.c  B1      Synced\n";
    for script in [
        "Get-MigrationUser | ? Identity -like a* | % { $_ }",
        "$u = Get-MigrationUser; $u[0]",
        "function f { Get-MigrationUser } f | select -First 1",
        "foreach ($u in Get-MigrationUser) { if ($u.Status -eq 'Synced') { $u } }",
    ] {
        assert_eq!(shown(script).await, table, "{script}");
    }
}

/// Finding 19: what comes from a Windows machine is read.
#[test]
fn scripts_and_lines_of_windows_are_read() {
    assert_eq!(decode(b"\xFF\xFEG\0e\0t\0").as_deref(), Some("Get"));
    assert_eq!(decode(b"\xFE\xFF\0G\0e\0t").as_deref(), Some("Get"));
    assert_eq!(decode(b"\xEF\xBB\xBFGet").as_deref(), Some("Get"));
    assert_eq!(decode(b"\xFF\xFEG").as_deref(), None);
    check(
        "PS C:\\> Get-MigrationBatch\r\n[PS] C:\\Windows\\system32>Get-MigrationUser\nPS> Get-MigrationUser",
    )
    .unwrap();
}

/// Finding 20: small things.
#[tokio::test]
async fn small_things() {
    let host = FakeHost::default();
    let script = "Get-MigrationUser | select Identity,BatchId | Export-Csv a.csv -NTI -Delimiter ';' -Force\n\
        Get-MigrationUser | ft Identity -HideTableHeaders\nGet-MigrationUser | ft Identity -GroupBy BatchId\n$t = @'\ntwo\nlines\n'@\n$t.Length; (Get-Date -Format yyyy)";
    let shown = run_all(&host, script).await;
    assert_eq!(shown.end, None);
    assert_eq!(
        shown.text,
        "ann@b.c\nbob@b.c\ncid@b.c\n\n   BatchId: B1\n\nIdentity\n--------\nann@b.c\nbob@b.c\n\n   BatchId: B2\n\nIdentity\n--------\ncid@b.c\n9\n2026\n"
    );
    assert!(host.written.lock().unwrap()["a.csv"].starts_with("Identity;BatchId\r\n"));
}
