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
