//! The cmdlets of the language, to the last blank of what they show.

use crate::support::{FakeHost, failure, run_on, shown};

#[tokio::test]
async fn objects_are_shown_as_tables_or_lists() {
    let table = "\
Identity BatchId Status
-------- ------- ------
ann@b.c  B1      Synced
bob@b.c  B1      Failed
cid@b.c  B2      Syncing
";
    assert_eq!(shown("Get-MigrationUser").await, table);
    // The view stays with the objects.
    assert_eq!(shown("$u = Get-MigrationUser; $u").await, table);
    assert_eq!(shown("Get-MigrationUser | sort Identity | ft").await, table);
    let few = "Identity Features    MaxNumberOfBatches\n-------- --------    ------------------\nDefault  {IMAP, PAW}                100\n";
    assert_eq!(shown("Get-MigrationConfig").await, few);
    let many =
        "Identity   : IMAPBatch1\nStatus     : Syncing\nTotalCount : 3\nTags       : {}\nNote       :\n";
    assert_eq!(shown("Get-MigrationBatch").await, many);
    // One after the other, set apart.
    assert_eq!(shown("'x'; Get-MigrationConfig; Get-MigrationBatch").await, format!("x\n\n{few}\n{many}"));
}

#[tokio::test]
async fn lists_and_tables_by_choice() {
    for (script, output) in [
        (
            "Get-MigrationUser | select -First 1 | fl status, *count",
            "Status           : Synced\nSyncedItemCount  : 120\nSkippedItemCount : 0\n",
        ),
        (
            "Get-MigrationUser | ft Identity,SyncedItemCount -AutoSize",
            "Identity SyncedItemCount\n-------- ---------------\nann@b.c              120\nbob@b.c                9\ncid@b.c               30\n",
        ),
        (
            "Get-MigrationUser | ft -Property Identity,Nope",
            "Identity Nope\n-------- ----\nann@b.c\nbob@b.c\ncid@b.c\n",
        ),
        ("'a', @{ x = 1 }, 'b' | fl", "a\nx : 1\nb\n"),
        ("Get-MigrationUser | ? { $false } | fl", ""),
        ("Get-MigrationUser | fl | Out-Null", ""),
        (
            "Get-MigrationUser | % { $_ | fl Identity }",
            "Identity : ann@b.c\n\nIdentity : bob@b.c\n\nIdentity : cid@b.c\n",
        ),
    ] {
        assert_eq!(shown(script).await, output, "{script}");
    }
}

#[tokio::test]
async fn objects_are_sifted() {
    let identities = |names: &[&str]| names.iter().flat_map(|name| [*name, "@b.c\n"]).collect::<String>();
    for (condition, names) in [
        ("Where-Object { $_.Status -eq 'failed' }", &["bob"][..]),
        ("where { $PSItem.SkippedItemCount -gt 0 -and $_.Status -ne 'Failed' }", &["cid"]),
        ("? Status -like 'Sync*'", &["ann", "cid"]),
        ("? Status -Like Sync*", &["ann", "cid"]),
        ("? -Property SkippedItemCount -GE -Value 1", &["bob", "cid"]),
        ("? ErrorSummary", &["bob"]),
        ("? -Not ErrorSummary", &["ann", "cid"]),
        ("? Status -in Synced,Failed", &["ann", "bob"]),
        ("? { $_.LastSuccessfulSyncTime -lt (Get-Date).AddHours(-2) }", &["bob", "cid"]),
        ("? {$_.Identity -match '^[ab].*\\.c$'}", &["ann", "bob"]),
        ("? -FilterScript { !($_.BatchId -eq 'B1') }", &["cid"]),
        ("? Nothing -eq $null", &["ann", "bob", "cid"]),
    ] {
        let script = format!("Get-MigrationUser | {condition} | select -ExpandProperty Identity");
        assert_eq!(shown(&script).await, identities(names), "{condition}");
    }
    for condition in ["?", "? Status -eq", "? Status -eq a -ne b", "? Status Failed", "? { 1 } -eq 5"] {
        failure(&format!("Get-MigrationUser | {condition}")).await;
    }
}

#[tokio::test]
async fn objects_are_chosen_and_cut() {
    let json = |script: &str| format!("Get-MigrationUser | {script} | ConvertTo-Json -Compress");
    for (script, output) in [
        ("select Status,Identity,st* -First 1", r#"{"Status":"Synced","Identity":"ann@b.c"}"#),
        ("select identity,Nope -Last 1", r#"{"Identity":"cid@b.c","Nope":null}"#),
        (
            "select -ExcludeProperty *Count,Last*,Error* -Skip 2",
            r#"{"Identity":"cid@b.c","BatchId":"B2","Status":"Syncing"}"#,
        ),
        ("select BatchId -Unique", r#"[{"BatchId":"B1"},{"BatchId":"B2"}]"#),
        ("select -ExpandProperty SyncedItemCount -First 2 -Skip 1", "[9,30]"),
        ("select -First 1 -Last 1 | % Identity", r#"["ann@b.c","cid@b.c"]"#),
        ("select -First 5 -Last 5 | measure | % Count", "3"),
        ("select -Last 1 -Skip 1 | % Identity", r#""bob@b.c""#),
        ("% { $_.SyncedItemCount; $_.SkippedItemCount }", "[120,0,9,2,30,1]"),
        ("sort SyncedItemCount | % SyncedItemCount", "[9,30,120]"),
        ("sort BatchId,SyncedItemCount -Descending | % Identity", r#"["cid@b.c","ann@b.c","bob@b.c"]"#),
        ("sort BatchId -Unique | % Identity", r#"["ann@b.c","cid@b.c"]"#),
        ("sort LastSuccessfulSyncTime | % Identity", r#"["bob@b.c","cid@b.c","ann@b.c"]"#),
        ("group BatchId -NoElement", r#"[{"Count":2,"Name":"B1"},{"Count":1,"Name":"B2"}]"#),
        (
            "measure SyncedItemCount -Sum -Average -Max",
            r#"{"Count":3,"Average":53,"Sum":159,"Maximum":120,"Minimum":null,"Property":"SyncedItemCount"}"#,
        ),
        ("measure", r#"{"Count":3,"Average":null,"Sum":null,"Maximum":null,"Minimum":null,"Property":null}"#),
    ] {
        assert_eq!(shown(&json(script)).await, format!("{output}\n"), "{script}");
    }
    let error = failure("Get-MigrationUser | select -ExpandProperty Identiy").await;
    assert!(error.message.contains("did you mean Identity?"), "{error}");
    let error = failure("Get-MigrationUser | measure Identity -Sum").await;
    assert!(error.message.contains("`ann@b.c` is not a number"), "{error}");
    failure("Get-MigrationUser | % { $_ } x").await;
    let error = failure("Get-MigrationUser | fl Identity -Verbosely").await;
    assert!(error.message.contains("no parameter -Verbosely"), "{error}");
}

#[tokio::test]
async fn json_and_csv() {
    assert_eq!(
        shown("@{ a = 1; b = @('x') } | ConvertTo-Json").await,
        "{\n  \"a\": 1,\n  \"b\": [\n    \"x\"\n  ]\n}\n"
    );
    assert_eq!(shown("5 | ConvertTo-Json -AsArray -Compress").await, "[5]\n");
    assert_eq!(
        shown("Get-MigrationUser | select Identity,ErrorSummary | ConvertTo-Csv -NoTypeInformation").await,
        "Identity,ErrorSummary\nann@b.c,\nbob@b.c,login refused\ncid@b.c,\n"
    );
    let host = FakeHost::default();
    let script = "@{ a = '=1+1'; b = 'x, y' } | Export-Csv -Path out.csv -NoTypeInformation -Encoding UTF8";
    let (shown, result) = run_on(&host, script).await;
    result.unwrap();
    assert_eq!(shown, "");
    assert_eq!(host.written.lock().unwrap()["out.csv"], "a,b\r\n'=1+1,\"x, y\"\r\n");
    for (script, says) in [
        ("1 | Export-Csv x", "only objects have columns"),
        ("@{a=1} | Export-Csv", "needs the name of a file"),
        ("@{a=1} | Export-Csv /forbidden/x", "not permitted"),
        ("@{a=1} | Export-Csv x -Encoding Unicode", "files are UTF-8"),
        ("@{a=1} | Export-Csv x -Appendix 1", "no parameter -Appendix"),
        (r"@{a=1} | Export-Csv c:\temp\errors.csv", "no drive"),
    ] {
        assert!(failure(script).await.message.contains(says), "{script}");
    }
}

#[tokio::test]
async fn output_and_commands() {
    assert_eq!(
        shown("Write-Host Status: $true 'a b' -ForegroundColor Red; echo a b,c; 'x' | Write-Output").await,
        "Status: True a b\na\nb\nc\nx\n"
    );
    assert_eq!(
        shown("Get-Command *-MigrationBatch, Out-N*").await,
        "CommandType Name\n----------- ----\nCmdlet      Get-MigrationBatch\nCmdlet      New-MigrationBatch\n\
         Cmdlet      Out-Null\nCmdlet      Remove-MigrationBatch\nCmdlet      Set-MigrationBatch\nCmdlet      Stop-MigrationBatch\n"
    );
    let host = FakeHost::default();
    run_on(&host, "help New-MigrationBatch").await.1.unwrap();
    assert_eq!(host.lines(), [r#"Get-Help "New-MigrationBatch""#]);
}

#[tokio::test]
async fn nothing_that_is_shown_moves_the_cursor() {
    let output = shown("$e = [Convert]::FromBase64String('G1syShs='); $t = [System.Text.Encoding]::UTF8.GetString($e); $t; @{ a = $t }").await;
    assert!(!output.contains('\u{1b}') && output.contains("[2J"), "{output:?}");
}
