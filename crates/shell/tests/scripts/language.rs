//! Variables, values, conditions, and what goes to the host.

use crate::support::{FakeHost, failure, run_all, run_in, run_on, shown};
use mailhaul_mail::Secret;
use mailhaul_shell::{Argument, ErrorKind, Shell, Value};

#[tokio::test]
async fn values_and_what_they_look_like() {
    for (script, output) in [
        ("'a'; 5; $true; 1.50; 'it''s'", "a\n5\nTrue\n1.5\nit's\n"),
        ("$null", ""),
        ("1,2,'c'", "1\n2\nc\n"),
        ("$x = 'Ann'; \"Hello $x, $($x.Length) letters`n!\"", "Hello Ann, 3 letters\n!\n"),
        ("$x = 1,2; \"$x / ${x}s / `$x / $ / $($x[1])\"", "1 2 / 1 2s / $x / $ / 2\n"),
        ("$a = @(); $a.Count; @(5).Count; @(5)[0]; $b = 'x'; $b.Count", "0\n1\n5\n1\n"),
        ("(1,2,3)[-1]; ('a','b').Length", "3\n2\n"),
        ("(5).ToString().Length", "1\n"),
        ("10MB; 1KB", "10485760\n1024\n"),
        ("[int]'7' -gt 5; [string]5; [bool]0", "True\n5\nFalse\n"),
        ("@{ b = 1; a = 'x' }", "b a\n- -\n1 x\n"),
        ("$t = @{ Name = 'n'; Size = 2 }; $t.name; $t['SIZE']; $t.None", "n\n2\n"),
        (
            "(Get-Date).AddHours(1); [DateTime]::UtcNow; Get-Date 2026-01-31",
            "2026-11-02T10:00:00Z\n2026-11-02T09:00:00Z\n2026-01-31T00:00:00Z\n",
        ),
        ("[Convert]::ToBase64String([System.IO.File]::ReadAllBytes('users.csv'))", "RW1haWxBZGRyZXNzDQo=\n"),
        ("[System.IO.File]::ReadAllBytes('users.csv')", "(14 bytes)\n"),
        ("[IO.File]::ReadAllText('users.csv').Trim()", "EmailAddress\n"),
        ("[System.Text.Encoding]::UTF8.GetBytes('é').Length", "2\n"),
        ("'a' # no\n<# nor\nthis #> 'b'", "a\nb\n"),
        ("$(1; 2) | Measure-Object | select Count", "Count\n-----\n    2\n"),
    ] {
        assert_eq!(shown(script).await, output, "{script}");
    }
}

#[tokio::test]
async fn conditions() {
    for (script, output) in [
        ("'Failed' -eq 'failed'", "True"),
        ("!$true -or 5 -gt 4", "True"),
        ("1 -eq 2 -and (Stop-MigrationBatch -ErrorAction Stop)", "False"),
        ("'x' -eq 'x' -or (Stop-MigrationBatch -ErrorAction Stop)", "True"),
        ("-not ('a' -like 'b*')", "True"),
        ("3 -in 1,2,3", "True"),
        ("'2026-11-02' -lt (Get-Date)", "True"),
        ("$true -xor $true", "False"),
        ("'a','b','A' -eq 'a'", "a\nA"),
    ] {
        assert_eq!(shown(script).await, format!("{output}\n"), "{script}");
    }
}

#[tokio::test]
async fn arguments_arrive_as_they_were_typed() {
    let host = FakeHost::default();
    let script = "$name = 'B 1'; $since = (Get-Date).AddDays(-1)\n\
        New-MigrationBatch $name -AutoStart -Confirm:$false -StartAfter $since -ReportInterval 24:00:00 \
        -NotificationEmails a@b.c,d@e.f -Note \"batch $name\" -Code 007 -Limit:50 -Users (Get-MigrationUser).Identity";
    run_on(&host, script).await.1.unwrap();
    let expected = "New-MigrationBatch \"B 1\" -AutoStart -Confirm:false -StartAfter \"2026-11-01T09:00:00Z\" \
        -ReportInterval \"24:00:00\" -NotificationEmails [\"a@b.c\",\"d@e.f\"] -Note \"batch B 1\" -Code \"007\" \
        -Limit:50 -Users [\"ann@b.c\",\"bob@b.c\",\"cid@b.c\"]";
    assert_eq!(host.lines(), ["Get-MigrationUser", expected]);
}

#[tokio::test]
async fn credentials_come_from_the_host_and_are_never_shown() {
    let host = FakeHost::default();
    let script = "$c = Get-Credential admin; $c; \"$c\"; $c.UserName; $c | ConvertTo-Json -Compress\n\
        New-MigrationEndpoint -Credentials $c";
    let (shown, result) = run_on(&host, script).await;
    result.unwrap();
    assert_eq!(shown, "(credential of admin)\n(credential of admin)\nadmin\n{\"UserName\":\"admin\"}\n");
    let calls = host.calls();
    assert_eq!(calls[0].arguments, [Argument::Value("admin".into())]);
    let Argument::Value(Value::Credential { password, .. }) = &calls[1].arguments[1] else {
        panic!("{calls:?}")
    };
    assert_eq!(password.expose(), b"hunter2");
    assert!(!format!("{calls:?}").contains("hunter2"));
}

#[tokio::test]
async fn secrets_come_from_the_host_and_are_never_shown() {
    let host = FakeHost::default();
    let script = "$s = Read-Host 'Client secret' -AsSecureString; $s; \"$s\"; $s | ConvertTo-Json -Compress\n\
        $p = (Get-Credential admin).Password; $p\n\
        New-MigrationEndpoint -ClientSecret $s -Password $p";
    let (shown, result) = run_on(&host, script).await;
    result.unwrap();
    assert_eq!(shown, "(secret)\n(secret)\n{}\n(secret)\n");
    let calls = host.calls();
    let secret = Value::Secret(Secret::new("hunter2"));
    assert_eq!(calls[2].arguments[1], Argument::Value(secret.clone()));
    assert_eq!(calls[2].arguments[3], Argument::Value(secret));
    assert!(!format!("{calls:?}").contains("hunter2"));
}

#[tokio::test]
async fn pipes_feed_the_host_and_nothing_is_never_all() {
    let host = FakeHost::default();
    run_on(
        &host,
        "Get-MigrationUser -Status Failed | ? Status -eq Failed | Start-MigrationUser -Confirm:$false",
    )
    .await
    .1
    .unwrap();
    assert_eq!(
        host.lines(),
        [r#"Get-MigrationUser -Status "Failed""#, r#"Start-MigrationUser -Confirm:false < "bob@b.c""#]
    );
    let host = FakeHost::default();
    run_on(&host, "Get-MigrationUser | where Status -eq Nonsense | Start-MigrationUser").await.1.unwrap();
    assert_eq!(host.lines(), ["Get-MigrationUser"]);
}

#[tokio::test]
async fn a_block_may_call_the_host_for_each_object() {
    let host = FakeHost::default();
    let script =
        "Get-MigrationUser | % { $id = $_.Identity; Start-MigrationUser $id -Note \"$($_.BatchId)!\" }; $id";
    let (shown, result) = run_on(&host, script).await;
    result.unwrap();
    assert_eq!(shown, "cid@b.c\n");
    assert_eq!(
        host.lines()[1..],
        [
            r#"Start-MigrationUser "ann@b.c" -Note "B1!""#,
            r#"Start-MigrationUser "bob@b.c" -Note "B1!""#,
            r#"Start-MigrationUser "cid@b.c" -Note "B2!""#,
        ]
    );
}

#[tokio::test]
async fn variables_stay_from_line_to_line() {
    let host = FakeHost::default();
    let mut shell = Shell::new();
    let mut shown = String::new();
    for line in [
        "$Users = Get-MigrationUser",
        "nonsense",
        "function twice($n) { $n * 2 }",
        "$users[1].Status; twice $users.Count",
    ] {
        shown.push_str(&run_in(&mut shell, &host, line).await.text);
    }
    assert_eq!(shown, "Failed\n6\n");
    // The place of an error is in the line that has it.
    run_in(&mut shell, &host, "function f {\n  throw 'no' }").await;
    let error = run_in(&mut shell, &host, "f").await.end.unwrap();
    assert_eq!(error.to_string(), "Line 2, column 3, at `throw 'no' }`: no");
}

#[tokio::test]
async fn errors_have_their_place() {
    for (script, kind, place, text, says) in [
        (
            "Get-MigrationBatch\n  Get-MigrationBacth x",
            ErrorKind::UnknownCommand,
            (2, 3),
            "Get-MigrationBacth x",
            "did you mean Get-MigrationBatch?",
        ),
        ("Frobnicate", ErrorKind::UnknownCommand, (1, 1), "Frobnicate", "there is no command Frobnicate"),
        ("1 | fromat-list", ErrorKind::UnknownCommand, (1, 5), "fromat-list", "did you mean Format-List?"),
        ("$batch = 1; $bacth", ErrorKind::Value, (1, 13), "$bacth", "did you mean $batch?"),
        ("$_", ErrorKind::Value, (1, 1), "$_", "inside a script block"),
        ("Stop-MigrationBatch x", ErrorKind::Host, (1, 1), "Stop-MigrationBatch x", "already stopped"),
        ("'a'; Set-MigrationBatch x -Prot 1", ErrorKind::Host, (1, 27), "-Prot 1", "no parameter -Prot"),
        ("1 -gt 'x'", ErrorKind::Value, (1, 3), "-gt 'x'", "cannot be compared"),
        ("'a' -match '('", ErrorKind::Value, (1, 5), "-match '('", "regular expression"),
        ("(Get-Date).AddHours('x')", ErrorKind::Value, (1, 11), ".AddHours('x')", "cannot add"),
        ("Get-MigrationUser | fl | ft", ErrorKind::Value, (1, 26), "ft", "text for the screen"),
        ("$x = Get-MigrationUser | fl", ErrorKind::Value, (1, 26), "fl", "text for the screen"),
        ("Get-MigrationUser | select -First x", ErrorKind::Value, (1, 28), "-First x", "whole number"),
        (
            "Get-MigrationUser | sort -Sideways",
            ErrorKind::Value,
            (1, 26),
            "-Sideways",
            "it has -Property, -InputObject, -Descending",
        ),
        (
            "Get-MigrationUser | select -Ex a",
            ErrorKind::Value,
            (1, 28),
            "-Ex a",
            "-ExcludeProperty or -ExpandProperty",
        ),
        ("[regex]'a'", ErrorKind::Unsupported, (1, 1), "[regex]'a'", "[regex]"),
    ] {
        let error = failure(script).await;
        assert_eq!(
            (error.kind, (error.line, error.column), error.text.as_str()),
            (kind, place, text),
            "{error}"
        );
        assert!(error.message.contains(says), "{error}");
    }
}

#[tokio::test]
async fn a_script_goes_on_after_the_failure_of_a_command_and_ends_at_its_own() {
    let host = FakeHost::default();
    let shown =
        run_all(&host, "'one'; Stop-MigrationBatch; 'two'; $?; Get-MigrationConfig | Out-Null; $?").await;
    assert_eq!((shown.text.as_str(), shown.outcome.errors), ("one\ntwo\nTrue\nTrue\n", 1));
    assert_eq!(shown.errors[0].message, "the batch is already stopped");
    let shown = run_all(&host, "'one'; Stop-MigrationBatch -ErrorAction Stop; 'two'").await;
    assert_eq!((shown.text.as_str(), shown.end.is_some()), ("one\n", true));
    let shown = run_all(&host, "'one'; $x = 1 / 0; 'two'").await;
    assert_eq!((shown.text.as_str(), shown.end.unwrap().message.as_str()), ("one\n", "division by zero"));
    // A misspelt command asks for nothing before it is refused.
    let host = FakeHost::default();
    assert!(run_on(&host, "New-MigrationEndpiont -Credentials (Get-Credential)").await.1.is_err());
    assert_eq!(host.calls(), []);
}

/// As deep as the parser lets it be, on the small stack of a test.
#[tokio::test]
async fn deep_scripts_are_carried_out() {
    for (open, close, output) in [
        ("(", ")", "1"),
        ("@(", ")", "1"),
        ("$(", ")", "1"),
        ("!", "", "True"),
        ("[int]", "", "1"),
        ("\"$(", ")\"", "1"),
        ("1 | % { ", " }", "1"),
        ("1 | ? { ", " }", "1"),
        ("Write-Output (", ")", "1"),
    ] {
        let script = format!("{}1{}", open.repeat(32), close.repeat(32));
        assert_eq!(shown(&script).await, format!("{output}\n"), "{open}");
    }
}

#[tokio::test]
async fn values_that_grow_without_end_are_stopped() {
    let doubling = |statement: &str| format!("$x = 'aaaaaaaa'\n{}", format!("{statement}\n").repeat(64));
    for statement in ["$x = \"$x$x\"", "$x = @($x; $x)", "$x = $x, $x", "$x = $x.Replace('a', 'aa')"] {
        let error = failure(&doubling(statement)).await;
        assert!(error.message.contains("becomes too l"), "{error}");
    }
    let deep = format!("1{}", " | % { @{ a = $_ } }".repeat(1000));
    assert!(failure(&deep).await.message.contains("too deep"));
}
