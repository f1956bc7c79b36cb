//! Bounds of time and memory: a script ends, whatever it does.

use std::sync::atomic::Ordering;

use mailhaul_shell::{ErrorKind, ScriptLimits, Shell, check, is_complete};

use crate::support::{FakeHost, failure, run_all, run_in, shown};

/// A loop that reads files ends too: files do not start the count again, as commands and waits do.
#[tokio::test]
async fn a_loop_over_a_file_reaches_the_limit() {
    let limits = ScriptLimits { steps: 20_000, ..ScriptLimits::default() };
    for script in [
        "while ($true) { Get-Content users.csv | Out-Null }",
        "while ($true) { Import-Csv people.csv | Out-Null }",
        "while ($true) { $x = [System.IO.File]::ReadAllText('users.csv') }",
        "while ($true) { $x = Test-Path users.csv }",
    ] {
        let mut shell = Shell::new().with_limits(limits);
        let error = run_in(&mut shell, &FakeHost::default(), script).await.end;
        let error = error.unwrap_or_else(|| panic!("{script}"));
        assert_eq!(error.kind, ErrorKind::Limit, "{script}: {error}");
    }
}

/// Every loop lets the host end it, so Ctrl-C does.
#[tokio::test]
async fn every_loop_can_be_ended_by_the_host() {
    for script in [
        "while ($true) { }",
        "while ($true) { Get-Content users.csv | Out-Null }",
        "for (;;) { try { throw 'x' } catch { continue } }",
        "do { $x = 1..1000 } until ($false)",
        "1..900000 | ForEach-Object { $_ } | Out-Null; while ($true) { }",
        "$x = 'a' * 200KB; while ($true) { $y = $x }",
    ] {
        let host = FakeHost::default();
        host.breaths_left.store(5, Ordering::Relaxed);
        let error = run_all(&host, script).await.end.unwrap_or_else(|| panic!("{script}"));
        assert_eq!((error.kind, error.message.as_str()), (ErrorKind::Limit, "stopped"), "{script}");
    }
}

/// Work on large values counts as many steps, so a loop of few statements ends as well.
#[tokio::test]
async fn large_values_count_as_many_steps() {
    let limits = ScriptLimits { steps: 200_000, ..ScriptLimits::default() };
    for script in [
        "$x = 1..100000; while ($true) { $y = $x }",
        "$x = 'a' * 4MB; while ($true) { $y = $x.ToUpper() }",
        "$x = 'a' * 4MB; while ($true) { $y = $x.Length }",
        "$x = 'a' * 4MB; while ($true) { $y = $x -match 'b' }",
        "$x = 'a' * 4MB; while ($true) { $y = $x -like '*b*' }",
        "$x = 'a' * 4MB; while ($true) { $y = $x -replace 'b', 'c' }",
        "$x = 1..100000; while ($true) { $y = $x -contains 'z' }",
        "$x = 1..100000; while ($true) { $y = $x | Measure-Object }",
    ] {
        let mut shell = Shell::new().with_limits(limits);
        let error = run_in(&mut shell, &FakeHost::default(), script).await.end;
        let error = error.unwrap_or_else(|| panic!("{script}"));
        assert_eq!(error.kind, ErrorKind::Limit, "{script}: {error}");
    }
}

/// One operator makes no value beyond the bounds, not even for a moment.
#[tokio::test]
async fn one_operator_makes_no_huge_value() {
    for (script, says) in [
        ("'a' * 1GB", "is too often"),
        ("'aaaaaaaaaaaaaaaaaaaaaaaa' * 1000000", "too long"),
        ("1..2000000", "a range may have 1000000 numbers"),
        ("(1..1000) * 1001", "this list becomes too long"),
        ("$x = 'a' * 1000000; (1..1000000) -join $x", "too long"),
        ("$x = 'a' * 1000000; [string]::Join($x, (1..1000000))", "too long"),
        ("$x = 'a' * 1000000; $x -replace 'a+', ('$0' * 100)", "too long"),
        ("$x = 'a' * 1000000; $x -replace 'a', 'bbbbbbbbbbbbbbbbbbbbbbbb'", "too long"),
        ("$x = 'a' * 1000000; $x.Replace('a', 'bbbbbbbbbbbbbbbbbbbbbbbb')", "too long"),
        ("$x = 'a,' * 1000001; $x -split ','", "too many parts"),
        ("$x = 'a,' * 1000001; $x.Split(',')", "too many parts"),
        ("$x = 'a ' * 1000001; -split $x", "too many parts"),
        ("$x = 'ab' * 600000; $x.ToCharArray()", "too many parts"),
        ("$x = '{0}' * 1000; $y = 'a' * 1000000; $x -f $y", "too long"),
        ("$x = 'a' * 1000000; \"$x$x$x$x$x$x$x$x$x$x$x$x$x$x$x$x$x\"", "too long"),
        ("$x = ',' * 2000; $x | ConvertFrom-Csv", "there may be 1000"),
    ] {
        let error = failure(script).await;
        assert!(error.message.contains(says), "{script}: {error}");
    }
}

/// Memory that a script holds is counted wherever it is.
#[tokio::test]
async fn all_held_values_count() {
    let limits = ScriptLimits { memory: 4 << 20, ..ScriptLimits::default() };
    for script in [
        "$x = @('aaaa'); while ($true) { $x += $x }",
        "$h = @{}; $k = 'k' * 10000; for ($i = 0; ; $i++) { $h[\"$k$i\"] = 1 }",
        "$l = @(); while ($true) { $l += 'some text' }",
        "$l = New-Object System.Collections.ArrayList; while ($true) { $l.Add('some text') | Out-Null }",
        "function f { while ($true) { 'x' * 1000 } }; f -OutVariable v | Out-Null",
        "function f { while ($true) { 'x' * 1000 } }; function g { 'end' }; f | g",
        "function f { while ($true) { 'x' * 1000 } }; f | sort",
        "$x = 'x' * 1000; $y = @(while ($true) { $x })",
    ] {
        let mut shell = Shell::new().with_limits(limits);
        let error = run_in(&mut shell, &FakeHost::default(), script).await.end;
        let error = error.unwrap_or_else(|| panic!("{script}"));
        assert!(
            error.message.contains("MB of values") || error.message.contains("too large"),
            "{script}: {error}"
        );
    }
}

/// The engine of regular expressions does not go back, so nested repetitions cost no more than others.
#[tokio::test]
async fn nested_repetitions_are_searched_in_one_go() {
    let script = "$x = ('a' * 100000) + '!'; $x -match '^(a+)+$'; $x -match '(a|aa)+$'; $x -match '^(a*)*b'; $x -match '(x+x+)+y'";
    assert_eq!(shown(script).await, "False\nFalse\nFalse\nFalse\n");
    let error = failure("'a' -match '((a{100}){100}){100}'").await;
    assert!(error.message.contains("cannot be used"), "{error}");
    let error = failure("$x = 'a' * 8MB; $x -match '(a?){2000}b'").await;
    assert!(error.message.contains("too long for this regular expression"), "{error}");
    let error = failure("$x = 'a' * 1MB; $x -like ('*a' * 2000 + 'b')").await;
    assert!(error.message.contains("takes too long"), "{error}");
    let error = failure("(1..100000) -eq ('a' * 1MB)").await;
    assert!(error.message.contains("takes too long"), "{error}");
}

/// A long cell, a long name or a long error does not multiply.
#[tokio::test]
async fn what_is_shown_does_not_multiply() {
    let script = "$x = 'a' * 1MB; $rows = 1..2000 | % { [pscustomobject]@{ a = 'b'; c = 'd' } }; $rows += [pscustomobject]@{ a = $x; c = 'e' }; ($rows | ft | Out-String).Length -lt 200MB; ($rows | Out-String).Length -lt 200MB";
    assert_eq!(shown(script).await, "True\nTrue\n");
    let script = "$n = 'n' * 100000; $h = @{ $n = 1 }; foreach ($i in 1..2000) { $h[\"k$i\"] = $i }; ([pscustomobject]$h | fl | Out-String).Length -lt 1MB";
    assert_eq!(shown(script).await, "True\n");
    let script = "$x = 'a' * 1MB; foreach ($i in 1..50) { try { throw $x } catch { } }; (\"$($Error[0])\").Length -lt 20000; $Error.Count";
    assert_eq!(shown(script).await, "True\n50\n");
}

/// A table of all users, built name by name, stays cheap.
#[tokio::test]
async fn large_tables_are_built_name_by_name() {
    let script = "$h = @{}; foreach ($i in 1..20000) { $h[\"user$i@contoso.example\"] = @{ Id = $i; Status = 'Synced' } }; $h.Count; $h['USER777@contoso.example'].Id; $h.Remove('user777@contoso.example'); $h.ContainsKey('user777@contoso.example')";
    assert_eq!(shown(script).await, "20000\n777\nFalse\n");
}

#[tokio::test]
async fn deep_and_long_scripts_end_in_an_error() {
    for (open, close) in [
        ("(", ")"),
        ("$(", ")"),
        ("@(", ")"),
        ("if (1) {", "}"),
        ("& {", "}"),
        ("@{a=", "}"),
        ("\"$(", ")\""),
    ] {
        let script = format!("{}1{}", open.repeat(100_000), close.repeat(100_000));
        let error = check(&script).unwrap_err();
        assert!(error.message.contains("nested too deeply"), "{open}: {error}");
        is_complete(&script);
    }
    for unclosed in ["(", "{", "if (1) {", "@'\n", "@\"\n$(", "\"$(", "function f {"] {
        assert!(check(&unclosed.repeat(100_000)).is_err(), "{unclosed}");
        is_complete(&unclosed.repeat(100_000));
    }
    for (repeated, says) in [("'x'\n", "4 MB"), ("((((", "4 MB"), ("@'\nx\n'@\n", "4 MB")] {
        let script = repeated.repeat((10 << 20) / repeated.len());
        assert!(check(&script).unwrap_err().message.contains(says), "{repeated}");
        let error = failure_of_long(&script).await;
        assert!(error.contains(says), "{repeated}: {error}");
    }
    for script in [
        "function f { f }; f",
        "function f { g }; function g { f }; f",
        "$f = { & $f }; & $f",
        "function f { 1 | % { f } }; f",
        "function f { \"$(f)\" }; f",
        "function f { try { f } finally { } }; f",
    ] {
        let error = failure(script).await;
        assert!(error.message.contains("nested too deeply"), "{script}: {error}");
    }
}

async fn failure_of_long(script: &str) -> String {
    let shown = run_all(&FakeHost::default(), script).await;
    shown.end.map(|error| error.message).unwrap_or_default()
}

/// Only files that the script names are read.
#[tokio::test]
async fn only_named_files_are_read() {
    let host = FakeHost::default();
    let script = "Import-Csv people.csv | Out-Null; Get-MigrationUser | Export-Csv out.csv -NTI; Test-Path people.csv | Out-Null; Get-Content users.csv | Out-Null; Get-MigrationUser -Identity '@users.csv' | Out-Null";
    let ended = run_all(&host, script).await;
    assert_eq!(ended.end, None);
    assert_eq!(*host.read.lock().unwrap(), ["people.csv", "people.csv", "users.csv"]);
    for script in
        [". ./profile.ps1", "& ./other.ps1", "Import-Module ./evil.psm1", "using module ./evil.psm1"]
    {
        let host = FakeHost::default();
        run_all(&host, script).await;
        assert_eq!(*host.read.lock().unwrap(), Vec::<String>::new(), "{script}");
    }
}
