# One batch for each department, a loop that waits for them, a report, and the end of what is done.

param([int]$Seconds = 60)
$ErrorActionPreference = 'Stop'
Connect-ExchangeOnline -ShowBanner:$false

function New-Wave {
    param(
        [Parameter(Mandatory = $true)][string]$Name,
        [Parameter(Mandatory = $true)]$People
    )
    $file = ".\$Name.csv"
    $People | Select-Object @{ n = 'EmailAddress'; e = { $_.Mail } }, @{ n = 'UserName'; e = { $_.Login } }, Password |
        Export-Csv $file -NoTypeInformation -Encoding UTF8
    New-MigrationBatch -Name $Name -SourceEndpoint Old -CSVData ([System.IO.File]::ReadAllBytes($file)) -BadItemLimit 50 -AutoStart
}

New-MigrationEndpoint -IMAP -Name Old -RemoteServer localhost -Port 143 -Security Tls | Out-Null
foreach ($department in Import-Csv .\people.csv | Group-Object Department) {
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
$report | Export-Csv .\report.csv -NTI -Delimiter ';'

switch (@($report | ? State -eq 'Failed').Count) { 0 { 'nothing failed' } 1 { 'one user failed' } default { "$_ users failed" } }
foreach ($batch in Get-MigrationBatch) {
    try {
        if ($batch.Status.Value -ne 'Synced') { throw "$($batch.Identity) is $($batch.Status)" }
        Complete-MigrationBatch $batch.Identity -Confirm:$false | Out-Null
        "$($batch.Identity) completes"
    } catch {
        Write-Warning "left: $_"
    } finally { $seen += 1 }
}
"$seen batches"
exit 4
