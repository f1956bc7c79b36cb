<#
.SYNOPSIS
    Writes the state of every mailbox of a migration batch to a CSV file.
.DESCRIPTION
    One row per mailbox, with items, size and the reason of a failure. The file is named after
    the batch and the day. A summary is shown on the screen.
.PARAMETER BatchName
    Name of the migration batch.
.EXAMPLE
    .\batch-report.ps1 -BatchName Staff -ReportFolder .\Reports -FailedOnly
#>
[CmdletBinding()]
param(
    [Parameter(Mandatory = $true, Position = 0, HelpMessage = 'Name of the migration batch')]
    [ValidateNotNullOrEmpty()]
    [string]$BatchName,

    [Parameter(Mandatory = $false)]
    [string]$ReportFolder = $PSScriptRoot,

    [switch]$FailedOnly
)

$batch = Get-MigrationBatch -Identity $BatchName -ErrorAction SilentlyContinue
if ($null -eq $batch) {
    Write-Host "The batch $BatchName does not exist." -ForegroundColor Red
    exit 1
}

$stamp = Get-Date -Format 'yyyyMMdd'
$path = Join-Path -Path $ReportFolder -ChildPath "$($batch.Identity.Name)-$stamp.csv"

#region Collect
$users = @(Get-MigrationUser -BatchId $batch.Identity -ResultSize Unlimited)
if ($FailedOnly.IsPresent) {
    $users = @($users | Where-Object { $_.Status -like '*Failed*' })
}

$i = 0
$result = @()
foreach ($user in $users) {
    $i++
    Write-Progress -Activity 'Reading statistics' -Status "$i of $($users.Count)" -PercentComplete (($i / $users.Count) * 100)
    $stats = Get-MigrationUserStatistics -Identity $user.Identity.ToString()

    $obj = New-Object -TypeName PSObject
    $obj | Add-Member -MemberType NoteProperty -Name Mailbox -Value $stats.Identity
    $obj | Add-Member -MemberType NoteProperty -Name Status -Value $stats.Status
    $obj | Add-Member -MemberType NoteProperty -Name Synced -Value $stats.SyncedItemCount
    $obj | Add-Member -MemberType NoteProperty -Name Skipped -Value $stats.SkippedItemCount
    $obj | Add-Member -MemberType NoteProperty -Name SizeKB -Value ([math]::Round($stats.BytesTransferred / 1KB, 1))
    $obj | Add-Member -MemberType NoteProperty -Name Error -Value ($stats.ErrorSummary -split ';')[0]
    $result += $obj
}
Write-Progress -Activity 'Reading statistics' -Completed
#endregion

#region Output
$result | Sort-Object -Property Status, Mailbox | Export-Csv -Path $path -NoTypeInformation -Encoding UTF8 -Delimiter ';'

$result | Group-Object -Property Status | Sort-Object -Property Count -Descending |
    Format-Table -Property @{Label = 'Status'; Expression = { $_.Name } }, Count -AutoSize

$failed = $result | Where-Object { $_.Error }
if ($failed) {
    Write-Warning ('{0} of {1} mailboxes need attention' -f @($failed).Count, $result.Count)
    $failed | Format-List Mailbox, Error
}
"Report of $($result.Count) mailboxes: $(Split-Path -Path $path -Leaf)"
#endregion
