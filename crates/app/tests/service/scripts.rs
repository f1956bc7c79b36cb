//! Administrators' scripts with control flow, run whole on the service and a real server.

use std::fs;

use mailhaul_testkit::{Certificate, Mailmaker, Setup, connect, fill};

use crate::support::Service;

/// One batch for each department, a loop that waits for them, a report, and the end of what is done.
const WAVES: &str = r#"
param([int]$Seconds = 60)
$ErrorActionPreference = 'Stop'
Connect-ExchangeOnline -ShowBanner:$false

function New-Wave {
    param(
        [Parameter(Mandatory = $true)][string]$Name,
        [Parameter(Mandatory = $true)]$People
    )
    $file = "FOLDER\$Name.csv"
    $People | Select-Object @{ n = 'EmailAddress'; e = { $_.Mail } }, @{ n = 'UserName'; e = { $_.Login } }, Password |
        Export-Csv $file -NoTypeInformation -Encoding UTF8
    New-MigrationBatch -Name $Name -SourceEndpoint Old -CSVData ([System.IO.File]::ReadAllBytes($file)) -BadItemLimit 50 -AutoStart
}

New-MigrationEndpoint -IMAP -Name Old -RemoteServer localhost -Port PORT -Security Tls | Out-Null
foreach ($department in Import-Csv FOLDER\people.csv | Group-Object Department) {
    $wave = New-Wave -Name "Wave-$($department.Name)" -People $department.Group
    '{0,-10} {1} of {2}' -f $wave.Identity.Name, $wave.TotalCount, $department.Count
}

$started = Get-Date
do {
    $open = @(Get-MigrationUser | Where-Object { $_.Status -notin 'Synced', 'Failed' })
    if ($open.Count -gt 0) { Start-Sleep -Milliseconds 200 }
} while ($open.Count -gt 0 -and ((Get-Date) - $started).TotalSeconds -lt $Seconds)

$report = foreach ($user in Get-MigrationUser | Sort-Object Identity) {
    [pscustomobject]@{ User = $user.Identity.Name; State = $user.Status.Value; Items = $user.SyncedItemCount }
}
$report | Format-Table -AutoSize
$report | Export-Csv FOLDER\report.csv -NTI -Delimiter ';'

switch (@($report | ? State -eq 'Failed').Count) { 0 { 'nothing failed' } 1 { 'one user failed' } default { "$_ users failed" } }
foreach ($batch in Get-MigrationBatch) {
    try {
        if ($batch.Status.Value -ne 'Synced') { throw "$($batch.Identity) is $($batch.Status)" }
        Complete-MigrationBatch $batch.Identity -Confirm:$false
        "$($batch.Identity) completes"
    } catch {
        Write-Warning "left: $_"
    } finally { $seen += 1 }
}
"$seen batches"
exit 4
"#;

#[tokio::test(flavor = "multi_thread")]
async fn batches_of_departments_are_made_watched_and_reported() {
    let certificate = Certificate::valid();
    let users = ["ann", "bob", "cid"].map(|name| (name.to_owned(), "secret".to_owned()));
    let server = Setup { users: users.to_vec(), ..Setup::default() }.start_tls(&certificate);
    for (seed, (name, password)) in (1..).zip(&users) {
        let mut session = connect(server.port(), name, password).await;
        let mut maker = Mailmaker::new(seed);
        fill(&mut session, "INBOX", vec![maker.item(900), maker.item(4_000)]).await;
        session.logout().await.unwrap();
    }
    let mut service = Service::idle();
    service.trust(&certificate);
    service.run();
    let people = "Mail,Login,Password,Department\r\nann@b.c,ann,secret,Sales\r\nbob@b.c,bob,secret,IT\r\ncid@b.c,cid,wrong,Sales\r\n";
    let people = service.write("people.csv", people);
    let folder = people.strip_suffix("/people.csv").unwrap();
    let script = WAVES.replace("FOLDER", folder).replace("PORT", &server.port().to_string());

    let ran = service.ask(&["shell", &service.write("waves.ps1", &script)]);
    ran.assert(4);
    let expected = "\
Wave-Sales 2 of 2
Wave-IT    1 of 1

User    State  Items
----    -----  -----
ann@b.c Synced     2
bob@b.c Synced     2
cid@b.c Failed     0
one user failed
";
    assert!(ran.stdout.starts_with(expected), "{}{}", ran.stdout, ran.stderr);
    assert!(
        ran.stdout.contains("Wave-IT completes\n") && ran.stdout.ends_with("2 batches\n"),
        "{}",
        ran.stdout
    );
    assert!(ran.stderr.contains("warning: left: Wave-Sales is "), "{}", ran.stderr);
    assert!(ran.stderr.contains("-BadItemLimit has no effect here"), "{}", ran.stderr);
    let report = fs::read_to_string(format!("{folder}/report.csv")).unwrap();
    assert_eq!(report, "User;State;Items\r\nann@b.c;Synced;2\r\nbob@b.c;Synced;2\r\ncid@b.c;Failed;0\r\n");
}

/// Removal after a check of dates, with a backup, a page for the archive, and a log of what could not be done.
const CLEANUP: &str = r#"
$log = 'FOLDER\cleanup.log'
function Write-Log {
    param([string]$Text, [ValidateSet('Info', 'Error')][string]$Level = 'Info')
    "[$Level] $Text" >> $log
    if ($Level -eq 'Error') { Write-Warning $Text } else { Write-Host $Text }
}

New-MigrationEndpoint -IMAP -Name Old -RemoteServer localhost -Port PORT -Security None -SkipVerification | Out-Null
$header = 'EmailAddress,UserName,Password'
for ($n = 1; $n -le 3; $n++) {
    $header, "user$n@b.c,user$n,secret" | Set-Content FOLDER\rows.csv
    $null = New-MigrationBatch -Name "Old$n" -SourceEndpoint Old -CSVData ([IO.File]::ReadAllBytes('FOLDER\rows.csv'))
}

$batches = Get-MigrationBatch | Where-Object { $_.CreationDateTime -lt '12/31/2099 11:59 PM' -and $_.CreationDateTime -gt '1/1/2020' }
$batches | Export-Clixml FOLDER\batches.xml
$batches | Sort-Object Identity | Select-Object Identity, Status, @{ Name = 'Users'; Expression = { "{0:N0}" -f $_.TotalCount } } |
    ConvertTo-Html -Title 'Batches before the clean-up' -PreContent '<h1>Batches</h1>' | Out-File FOLDER\batches.html

$names = @($batches.Identity.Name | Sort-Object) + 'Gone'
$removed, $left = 0, 0
:each foreach ($name in $names) {
    if ($name -match '2$') { Write-Log "$name stays"; continue each }
    try {
        Remove-MigrationBatch $name -Confirm:$false -ErrorAction Stop
        $removed++
        Write-Log "$name is removed"
    } catch {
        $left++
        Write-Log "$name was not removed" -Level Error
    }
}
$i = 0
while (@(Get-MigrationBatch).Count -gt 1 -and $i -lt 100) { Start-Sleep -Milliseconds 100; $i++ }
"removed $removed, left $left, there: $((Get-MigrationBatch).Identity -join ', ')"
(Import-Clixml FOLDER\batches.xml | Measure-Object TotalCount -Sum).Sum
Get-MigrationBatch Gone -ErrorAction SilentlyContinue
if (-not $?) { "last error: $(($Error[0].Exception.Message -split "`n")[0])" }
"#;

#[tokio::test(flavor = "multi_thread")]
async fn old_batches_are_removed_with_a_backup_and_a_log() {
    let mut service = Service::idle();
    service.run();
    let file = service.write("x.csv", "");
    let folder = file.strip_suffix("/x.csv").unwrap();
    let script = CLEANUP.replace("FOLDER", folder).replace("PORT", "1");
    let ran = service.ask(&["shell", &service.write("cleanup.ps1", &script)]);
    ran.assert(0);
    let expected = "\
Old1 is removed
Old2 stays
Old3 is removed
removed 2, left 1, there: Old2
3
last error: the migration batch \"Gone\" could not be found
";
    assert_eq!(ran.stdout, expected, "{}", ran.stderr);
    assert!(ran.stderr.contains("warning: Gone was not removed"), "{}", ran.stderr);
    let log = fs::read_to_string(format!("{folder}/cleanup.log")).unwrap();
    assert_eq!(
        log,
        "[Info] Old1 is removed\n[Info] Old2 stays\n[Info] Old3 is removed\n[Error] Gone was not removed\n"
    );
    let page = fs::read_to_string(format!("{folder}/batches.html")).unwrap();
    assert!(
        page.contains("<h1>Batches</h1>") && page.contains("<td>Old3</td><td>Created</td><td>1</td>"),
        "{page}"
    );
}
