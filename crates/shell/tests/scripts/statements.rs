//! Control flow, functions, errors and operators, by what they show.

use crate::support::{FakeHost, failure, run_all, shown};
use mailhaul_shell::{ErrorKind, ScriptLimits, Shell};

#[tokio::test]
async fn loops_and_conditions() {
    for (script, output) in [
        ("foreach ($n in 1..3) { if ($n -eq 2) { continue }; $n }", "1\n3\n"),
        (
            "foreach ($n in 1,2,3) { if ($n -gt 2) { 'many' } elseif ($n -eq 2) { 'two' } else { 'one' } }",
            "one\ntwo\nmany\n",
        ),
        ("for ($i = 0; $i -lt 3; $i++) { $i }", "0\n1\n2\n"),
        ("$i = 3; while ($i) { $i; $i-- }", "3\n2\n1\n"),
        ("$i = 0; do { $i += 2 } while ($i -lt 5); $i; do { $i-- } until ($i -le 3); $i", "6\n3\n"),
        (
            ":outer foreach ($a in 1..3) { foreach ($b in 1..3) { if ($b -eq 2) { continue outer }; \"$a$b\" } }",
            "11\n21\n31\n",
        ),
        ("foreach ($x in $null) { 'never' }; foreach ($x in 'one') { $x }", "one\n"),
        ("switch ('Failed') { 'synced' { 1 } 'failed' { 2 } default { 3 } }", "2\n"),
        (
            "switch -Wildcard ('Syncing','x') { 'S*' { \"s $_\" } default { \"other $_\" } }",
            "s Syncing\nother x\n",
        ),
        ("switch (7) { {$_ -gt 5} { 'big' } {$_ -gt 6} { 'bigger'; break } 7 { 'seven' } }", "big\nbigger\n"),
        (
            "$r = if (5 -gt 4) { 'yes' } else { 'no' }; $s = foreach ($i in 1..3) { $i * 2 }; \"$r $s\"",
            "yes 2 4 6\n",
        ),
        ("1..3 | ForEach-Object -Begin { $t = 0 } -Process { $t += $_ } -End { $t }", "6\n"),
        ("1..2 | % { $a = 0 } { $a += $_ } { \"sum $a\" }", "sum 3\n"),
        ("if (!$null) { 'a' }; if (@()) { 'b' }; if ('x' -and 1) { 'c' }", "a\nc\n"),
    ] {
        assert_eq!(shown(script).await, output, "{script}");
    }
}

#[tokio::test]
async fn functions_and_blocks() {
    for (script, output) in [
        ("function Add-It($a, $b = 10) { $a + $b } Add-It 1 2; Add-It 5; Add-It -b 1 -a 3", "3\n15\n4\n"),
        (
            "function f { param([Parameter(Mandatory=$true)][string]$Name, [int]$n = 2, [switch]$Loud) if ($Loud) { \"$Name!\" * $n } else { $Name } } f x; f -Name y -Loud",
            "x\ny!y!\n",
        ),
        ("function f { 'a'; return 'b'; 'c' } $r = f; $r.Count; f", "2\na\nb\n"),
        ("function Get-Total { begin { $t = 0 } process { $t += $_ } end { $t } } 1..4 | Get-Total", "10\n"),
        (
            "function Show-It { param([Parameter(ValueFromPipeline=$true)]$User) process { \"<$User>\" } } 'a','b' | Show-It",
            "<a>\n<b>\n",
        ),
        ("filter double { $_ * 2 } 1..3 | double", "2\n4\n6\n"),
        ("$x = 1; function f { $x = 2; $x } f; $x; function g { $script:x = 3 } g; $x", "2\n1\n3\n"),
        ("function f { $args.Count; $args[1] } f a b c", "3\nb\n"),
        ("$b = { param($n) $n + 1 }; & $b 4; & { $y = 9 }; $null -eq $y", "5\nTrue\n"),
        ("function f($n) { if ($n -le 1) { 1 } else { $n * (f ($n - 1)) } } f 6", "720\n"),
        // A function that emits does not catch the variables of what comes after it.
        ("$n = 0; function f { 'a'; 'b' } f | % { $n++ }; $n", "2\n"),
        (
            "function f { [CmdletBinding()] param([ValidateSet('a','b')]$x, [Alias('n')]$Name) \"$x$Name\" } f -n 5 -x B",
            "B5\n",
        ),
    ] {
        assert_eq!(shown(script).await, output, "{script}");
    }
    for (script, says) in [
        ("function f { param([Parameter(Mandatory)]$Name) } f", "f needs -Name"),
        ("function f { param($Name) } f -Nome x", "f has no parameter -Nome; it has -Name"),
        ("function f { param([int]$n) } f abc", "`abc` is not a whole number"),
        ("function f { param([ValidateSet('a','b')]$x) } f c", "must be one of a, b"),
        ("function f($n) { f ($n + 1) } f 1", "nested too deeply"),
    ] {
        let error = failure(script).await;
        assert!(error.message.contains(says), "{script}: {error}");
    }
}

#[tokio::test]
async fn errors_are_caught_thrown_and_counted() {
    for (script, output) in [
        (
            "try { Stop-MigrationBatch x -ErrorAction Stop; 'never' } catch { \"caught $($_.Exception.Message)\" } finally { 'end' }",
            "caught the batch is already stopped\nend\n",
        ),
        ("try { throw 'no' } catch [System.Exception] { \"$_\" }; 'on'", "no\non\n"),
        (
            "try { 1 / 0 } catch { $_.InvocationInfo.ScriptLineNumber; $Error[0].Exception.Message }",
            "1\ndivision by zero\n",
        ),
        ("try { try { throw 'a' } catch { throw } } catch { \"outer $_\" }", "outer a\n"),
        ("foreach ($i in 1..2) { try { if ($i -eq 1) { throw 'x' }; $i } catch { continue } }", "2\n"),
        ("function f { try { return 1 } finally { 'f' } } f", "1\nf\n"),
        ("$ErrorActionPreference = 'Stop'; try { Stop-MigrationBatch x } catch { 'caught' }", "caught\n"),
        (
            "Stop-MigrationBatch x -EA SilentlyContinue; $?; Stop-MigrationBatch x -ErrorAction Ignore -ErrorVariable e; $e.Count; \"$($e[0])\"",
            "False\n1\nthe batch is already stopped\n",
        ),
        ("Stop-MigrationBatch x 2>$null; 'on'", "on\n"),
        ("$all = Stop-MigrationBatch x 2>&1; \"[$all]\"", "[the batch is already stopped]\n"),
    ] {
        let shown = run_all(&FakeHost::default(), script).await;
        assert_eq!((shown.text.as_str(), shown.errors.len(), shown.end), (output, 0, None), "{script}");
    }
    let shown = run_all(
        &FakeHost::default(),
        "try { Stop-MigrationBatch x } catch { 'never' }; Write-Error 'own'; 'on'",
    )
    .await;
    assert_eq!((shown.text.as_str(), shown.outcome.errors), ("on\n", 2));
    let shown = run_all(&FakeHost::default(), "'a'; exit 3; 'b'").await;
    assert_eq!((shown.text.as_str(), shown.outcome.exit), ("a\n", Some(3)));
    let end = run_all(&FakeHost::default(), "function f { throw 'deep' }\nf").await.end.unwrap();
    assert_eq!((end.kind, end.line, end.message.as_str()), (ErrorKind::Thrown, 1, "deep"));
}

#[tokio::test]
async fn operators() {
    for (script, output) in [
        ("1 + 2 * 3; 7 / 2; 6 / 2; 7 % 4; -(5); 2 - -1", "7\n3.5\n3\n3\n-5\n3\n"),
        ("'a' + 1; 'ab' * 2; 1,2 + 3; (1,2) * 2", "a1\nabab\n1\n2\n3\n1\n2\n1\n2\n"),
        (
            "'{0:N2} of {1}' -f 1234.5, 'x'; 'a,b;c' -split '[,;]'; 'a','b' -join '-'; -join ('x','y')",
            "1,234.50 of x\na\nb\nc\na-b\nxy\n",
        ),
        (
            "'Batch 12' -replace '\\D+(\\d+)', 'n$1x'; 'aXb' -creplace 'x', '-'; 'a.b' -replace '\\.'",
            "n12x\naXb\nab\n",
        ),
        (
            "'user@b.c' -match '^(\\w+)@(?<host>.+)$'; $Matches[1]; $Matches['host']; $matches.host",
            "True\nuser\nb.c\nb.c\n",
        ),
        (
            "1..3 -contains 2; 'b' -in 'a','b'; 'x' -notin 'a'; 5 -is [int]; 'a' -is [string]; '7' -as [int]; 'x' -as [int]",
            "True\nTrue\nTrue\nTrue\nTrue\n7\n",
        ),
        (
            "[math]::Round(2.345, 2); [math]::Round(5MB / 3MB, 1); [int]2.5; [int]'3'; [math]::Floor(2.9)",
            "2.35\n1.7\n2\n3\n2\n",
        ),
        (
            "$x = 1,2; $x += 3; $x.Count; $s = 'a'; $s += 'b'; $s; $n = 5; $n -= 2; $n *= 3; $n /= 2; $n",
            "3\nab\n4.5\n",
        ),
        (
            "$h = @{ a = 1 }; $h.b = 2; $h['c'] = 3; $h.Count; $h.Keys -join ','; $h.ContainsKey('A'); $h.Remove('a'); $h.Count",
            "3\na,b,c\nTrue\n2\n",
        ),
        (
            "$l = New-Object System.Collections.ArrayList; [void]$l.Add('x'); $l.Add('y') | Out-Null; $l.Count; $l -join '+'",
            "2\nx+y\n",
        ),
        (
            "$l = [System.Collections.Generic.List[string]]::new(); $l.Add('x'); $l.Count; $a = @(); $a += 'p'; $a.Count",
            "1\n1\n",
        ),
        ("$a, $b = 1, 2, 3; \"$a|$b\"; $p = $q = 5; $p + $q", "1|2 3\n10\n"),
        (
            "$o = [pscustomobject]@{ A = 1; B = 'x' }; $o.A = 5; $o.A; \"$($o.B)\"; $o.'B'; $n = 'A'; $o.$n",
            "5\nx\nx\n5\n",
        ),
        ("@'\nit's $x\n'@; $n = 2; @\"\nn is $n\n  \"\"$($n + 1)\n\"@", "it's $x\nn is 2\n  \"\"3\n"),
        ("$p = @{ First = 1 }; 'a','b' | Select-Object @p; $env:USER; $i = 1; $i++; ++$i; $i", "a\nann\n3\n"),
        (
            "'abc'.Substring(1); 'a-b'.Split('-')[1]; 'abc'.IndexOf('c'); ' x '.Trim() + '|'; 'x'.PadLeft(3)",
            "bc\nb\n2\nx|\n  x\n",
        ),
        (
            "(1..5 | ? { $_ % 2 }).Count; (1..3).Where({ $_ -gt 1 }).Count; (5).GetType().Name; 'a'.GetType().Name",
            "3\n2\nInt32\nString\n",
        ),
        (
            "$null -eq $x; $x = $null; $x.Count; [string]::IsNullOrEmpty($x); [string]::Join(',', @('a','b'))",
            "True\n0\nTrue\na,b\n",
        ),
    ] {
        assert_eq!(shown(script).await, output, "{script}");
    }
}

#[tokio::test]
async fn operators_refuse_what_they_cannot_do() {
    for (script, says) in [
        ("1 + 'x'", "`x` is not a number"),
        ("1 / 0", "division by zero"),
        ("$x = 1; $x.Foo = 5", "no property Foo that can be set"),
        ("$o = [pscustomobject]@{ A = 1 }; $o.B = 2", "no property B"),
        ("'{0' -f 1", "a brace too many"),
        ("1..99999999", "a range may have"),
        ("$users = Get-MigrationUser; foreach ($u in $users) { $u.Status = 'x' }", "the list keeps its own"),
    ] {
        let error = failure(script).await;
        assert!(error.message.contains(says), "{script}: {error}");
    }
}

#[tokio::test]
async fn dates_and_spans() {
    for (script, output) in [
        (
            "(Get-Date).AddDays(-1).ToString('yyyy-MM-dd'); Get-Date -Format 'yyyyMMdd-HHmm'; (Get-Date).Year",
            "2026-11-01\n20261102-0900\n2026\n",
        ),
        (
            "$s = (Get-Date) - (Get-Date).AddHours(-36); $s; $s.Days; $s.TotalHours; '{0:hh\\:mm}' -f $s",
            "1.12:00:00\n1\n36\n12:00\n",
        ),
        (
            "(Get-Date) -gt [datetime]'11/01/2026 6:00 PM'; (Get-Date).DayOfWeek; Get-Date '9/1/2027 7 PM'",
            "True\nMonday\n2027-09-01T19:00:00Z\n",
        ),
        (
            "(New-TimeSpan -Hours 3).TotalMinutes; (Get-Date) + (New-TimeSpan -Days 1); (Get-Date).Date",
            "180\n2026-11-03T09:00:00Z\n2026-11-02T00:00:00Z\n",
        ),
        ("\"at $(Get-Date -Format 'HH:mm')\"; (Get-Date) -is [datetime]", "at 09:00\nTrue\n"),
    ] {
        assert_eq!(shown(script).await, output, "{script}");
    }
}

#[tokio::test]
async fn files_go_through_the_host() {
    let host = FakeHost::default();
    let script = r"
foreach ($p in Import-Csv .\people.csv) { '{0} in {1}' -f $p.EmailAddress, $p.Department | Out-File .\out\log.txt -Append }
Get-MigrationUser | Select-Object Identity, @{ Name = 'Left'; Expression = { 200 - $_.SyncedItemCount } } | Export-Csv a.csv -NTI -Delimiter ';'
Get-MigrationUser | select Identity, @{ n = 'Left'; e = { 0 } } | Export-Csv a.csv -Append -Delimiter ';' -Force
'x' > b.txt; 'y' >> b.txt; Get-Content b.txt | % { $_ + '!' }
Get-MigrationUser | Export-Clixml c.xml; (Import-Clixml c.xml)[1].ErrorSummary
Get-MigrationUser | select Identity, Status | ConvertTo-Html -Title 'A<B' -PreContent '<h1>x</h1>' | Out-File d.html
(Get-Content d.html -Raw) -match '<td>bob@b.c</td><td>Failed</td>'; Test-Path d.html; Test-Path nope
Get-MigrationConfig | Out-File e.txt
";
    let shown = run_all(&host, script).await;
    assert_eq!((shown.end, shown.errors), (None, Vec::new()));
    assert_eq!(shown.text, "x!\ny!\nlogin refused\nTrue\nTrue\nFalse\n");
    let written = host.written.lock().unwrap();
    assert_eq!(written["./out/log.txt"], "ann@b.c in Sales\ncid@b.c in R, D\n");
    assert_eq!(
        written["a.csv"],
        "Identity;Left\r\nann@b.c;80\r\nbob@b.c;191\r\ncid@b.c;170\r\nann@b.c;0\r\nbob@b.c;0\r\ncid@b.c;0\r\n"
    );
    assert!(
        written["d.html"].contains("<title>A&lt;B</title>")
            && written["d.html"].contains("<h1>x</h1>\n<table>")
    );
    assert!(written["e.txt"].starts_with("Identity Features    MaxNumberOfBatches\n"));
}

#[tokio::test]
async fn messages_and_waits() {
    let host = FakeHost::default();
    let script = "Write-Warning 'w'; Write-Verbose 'quiet'; Write-Verbose 'loud' -Verbose; Write-Progress -Activity 'Sync' -Status 'a' -PercentComplete 50\n\
        Start-Sleep -Seconds 90; Start-Sleep 5; Write-Host 'a' 'b' -ForegroundColor Red; Connect-ExchangeOnline -UserPrincipalName a@b.c; Import-Module ExchangeOnlineManagement; Connect-ExchangeOnline\n\
        Write-Warning 'off' -WarningAction SilentlyContinue; Get-MigrationUser -OutVariable u | Out-Null; $u.Count";
    let shown = run_all(&host, script).await;
    assert_eq!((shown.end, shown.text.as_str()), (None, "a b\n3\n"));
    assert_eq!(shown.warnings, ["w"]);
    assert_eq!(shown.notes[..2], ["loud", "Sync: a: 50%"]);
    assert_eq!(shown.notes[2..].len(), 2, "{:?}", shown.notes);
    assert!(shown.notes[2].starts_with("Connect-ExchangeOnline is not needed here"), "{:?}", shown.notes);
    assert_eq!(host.slept.lock().unwrap().as_secs(), 95);
}

#[tokio::test]
async fn everything_is_checked_before_the_first_line() {
    for (script, place, says) in [
        (
            "Get-MigrationUser\nif ($false) { Get-MigrationBacth }",
            (2, 15),
            "did you mean Get-MigrationBatch?",
        ),
        (
            "Get-MigrationUser\nGet-MigrationUser | ? Status -eq Nope | Remove-MigrationBatch -Frobnicate",
            (2, 63),
            "no parameter -Frobnicate",
        ),
        ("Get-MigrationUser\n$usres", (2, 1), "was never set"),
        ("$users = Get-MigrationUser\n$usres | fl", (2, 1), "did you mean $users?"),
        ("Get-MigrationUser\nfunction f { param($a) } f -b 1", (2, 28), "f has no parameter -b"),
        ("Get-MigrationUser\nSend-MailMessage -To a@b.c", (2, 1), "mailhaul sends no mail"),
        ("Get-MigrationUser\nGet-Mailbox", (2, 1), "in Exchange's own PowerShell"),
        ("Get-MigrationUser\n$x = Get-MigrationUser | fl", (2, 26), "cannot be used as a value"),
        ("Get-MigrationUser\nGet-MigrationUser | ft | Export-Csv x", (2, 26), "text for the screen"),
    ] {
        let host = FakeHost::default();
        let shown = run_all(&host, script).await;
        let error = shown.end.unwrap_or_else(|| panic!("{script}"));
        assert_eq!((error.line, error.column), place, "{script}: {error}");
        assert!(error.message.contains(says), "{script}: {error}");
        assert_eq!(host.calls(), [], "{script}");
    }
}

#[tokio::test]
async fn nothing_runs_for_ever_or_eats_all_memory() {
    let limits = ScriptLimits { steps: 200_000, memory: 4 << 20, output: 1 << 16, depth: 60 };
    for (script, says) in [
        ("while ($true) { }", "steps passed"),
        ("for (;;) { $i++ }", "steps passed"),
        ("do { Start-Sleep 0 } while (1)", "steps passed"),
        ("function f { f } f", "nested too deeply"),
        ("$x = 'aaaaaaaa'; while (1) { $x += $x }", "this text becomes too long"),
        ("$x = @(); while (1) { $x += 'some more text that is kept' }", "MB of values"),
        ("while (1) { 'x' * 1000 }", "of output"),
        ("while (1) { 'x' * 1000 > out.txt }", "of output"),
        ("while (1) { try { throw 'x' } catch { } }", "steps passed"),
        ("try { while (1) { } } catch { 'caught' } finally { 'finally' }", "steps passed"),
        ("$x = 1..30000; $y = 1..30000; $z = 1..30000", "MB of values"),
        ("$x = 1..50000; $x | sort", "MB of values"),
    ] {
        let host = FakeHost::default();
        let mut shell = Shell::new().with_limits(limits);
        let shown = crate::support::run_in(&mut shell, &host, script).await;
        let error = shown.end.unwrap_or_else(|| panic!("{script}"));
        assert!(error.message.contains(says), "{script}: {error}");
        assert!(!shown.text.contains("caught") && !shown.text.contains("finally"), "{script}");
    }
    let long = "'x'\n".repeat(3 << 20);
    assert!(mailhaul_shell::check(&long).unwrap_err().message.contains("4 MB"));
}
