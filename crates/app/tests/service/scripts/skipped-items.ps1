# Lists the messages that were not migrated, for the owners of the mailboxes.
# One text file for each user, and one CSV file for us.

param(
    [string]$BatchName = '*',
    [ValidateNotNullOrEmpty()][string]$OutFolder = '.'
)

$VerbosePreference = 'SilentlyContinue'
$all = New-Object System.Collections.ArrayList

$users = Get-MigrationUser -ResultSize Unlimited |
    Where-Object { $_.BatchId -like $BatchName -and $_.SkippedItemCount -gt 0 }

if (-not $users) { 'No skipped items.'; exit }

foreach ($user in $users) {
    $stat = Get-MigrationUserStatistics $user.Identity -IncludeSkippedItems -LimitSkippedItemsTo 50
    foreach ($item in $stat.SkippedItems) {
        [void]$all.Add([pscustomobject]@{
            Mailbox  = $stat.Identity
            Folder   = $item.FolderName
            Subject  = if ([string]::IsNullOrEmpty($item.Subject)) { '(no subject)' } else { $item.Subject }
            Received = $item.DateReceived
            SizeKB   = [int]($item.MessageSize / 1KB)
            Kind     = $item.Kind
        })
    }
}

$all | Sort-Object Mailbox, Folder, SizeKB | Export-Csv "$OutFolder\skipped.csv" -NoTypeInformation

foreach ($group in ($all | Group-Object Mailbox)) {
    $file = Join-Path $OutFolder ('skipped-' + ($group.Name -replace '@.*$') + '.txt')
    $text = @"
Dear user,

$($group.Count) of your messages could not be moved. They are still in your old mailbox:

$($group.Group | Sort-Object SizeKB | Format-Table Folder, SizeKB, Kind -AutoSize | Out-String)
Your help desk
"@
    $text | Out-File $file -Force
    Write-Host "$(Split-Path $file -Leaf): $($group.Count) messages"
}

$measure = $all | Measure-Object SizeKB -Sum -Minimum -Maximum
'{0} messages of {1} users, {2:N0} KB, from {3} to {4} KB' -f $measure.Count, @($users).Count, $measure.Sum, $measure.Minimum, $measure.Maximum
$all | Group-Object -Property Kind, Folder | Select-Object Count, Name
$all.Count
