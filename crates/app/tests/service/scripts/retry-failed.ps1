# Retries the failed users of a batch. Their new passwords come from a CSV file.
#
#   .\retry-failed.ps1 -BatchName Staff -PasswordFile .\newpasswords.csv

param(
    [string]$BatchName = 'Staff',
    [string]$PasswordFile = '.\newpasswords.csv',
    [int]$TimeoutMinutes = 30,
    [int]$PollSeconds = 60
)

$ErrorActionPreference = 'Stop'

if (-not (Test-Path $PasswordFile)) {
    Write-Error "The file $PasswordFile does not exist."
}

# A table from address to row
$passwords = @{}
Import-Csv $PasswordFile | ForEach-Object { $passwords[$_.EmailAddress.Trim().ToLower()] = $_ }
Write-Host "$($passwords.Keys.Count) new passwords in $PasswordFile"

[array]$failed = Get-MigrationUser -BatchId $BatchName -Status Failed
if ($failed.Count -eq 0) {
    Write-Host 'Nothing to do.' -ForegroundColor Green
    return
}
Write-Host ("Failed users: " + ($failed.Identity -join ', '))

$rows = foreach ($user in $failed) {
    $address = $user.Identity.ToString().ToLower()
    if (!$passwords.ContainsKey($address)) {
        Write-Warning "No new password for $address, skipping"
        continue
    }
    $row = $passwords[$address]
    [PSCustomObject]@{
        EmailAddress   = $row.EmailAddress
        UserName       = $row.UserName
        Password       = $row.Password
        TargetUserName = $row.UserName
        TargetPassword = $row.TargetPassword
    }
}

# The file with the passwords is never written to the disk
$csv = ($rows | ConvertTo-Csv -NoTypeInformation) -join "`r`n"
$bytes = [System.Text.Encoding]::UTF8.GetBytes($csv)

try {
    Set-MigrationBatch -Identity $BatchName -AddUsers -CSVData $bytes | Out-Null
    foreach ($row in $rows) {
        Start-MigrationUser -Identity $row.EmailAddress | Out-Null
        Write-Host "Retrying $($row.EmailAddress) ..."
    }
}
catch {
    Write-Host "The retry could not be started: $($_.Exception.Message)" -ForegroundColor Red
    exit 2
}

$deadline = (Get-Date).AddMinutes($TimeoutMinutes)
do {
    Start-Sleep -Seconds $PollSeconds
    $open = @($rows | Where-Object { (Get-MigrationUser $_.EmailAddress).Status -notin 'Synced', 'Failed' })
    Write-Progress -Activity 'Retry' -Status "$($open.Count) open" -PercentComplete (100 - 100 * $open.Count / @($rows).Count)
} until ($open.Count -eq 0 -or (Get-Date) -gt $deadline)

$rows | Select-Object EmailAddress, @{n = 'Status'; e = { (Get-MigrationUser $_.EmailAddress).Status } } | Format-Table
if (Get-MigrationUser -BatchId $BatchName -StatusSummary Failed) { exit 1 }
