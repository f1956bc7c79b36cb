# What happened since yesterday: compares the users with the file of the last run.

param($Folder = '.', [switch]$Reset)

$file = "$Folder\state.xml"
$today = Get-MigrationUser -ResultSize Unlimited |
    Select-Object Identity, BatchId, Status, SyncedItemCount, SkippedItemCount, LastSuccessfulSyncTime

if ($Reset -or !(Test-Path $file)) {
    $today | Export-Clixml -Path $file -Depth 3
    "First run: $(@($today).Count) users saved"
    return
}

$yesterday = Import-Clixml $file
"Last run: $(@($yesterday).Count) users, $(($yesterday | Measure-Object SyncedItemCount -Sum).Sum) items"

$index = @{}
foreach ($user in $yesterday) { $index.Add($user.Identity, $user) }

$changes = foreach ($user in $today) {
    $before = $index[$user.Identity]
    if ($null -eq $before) { $what = 'new' }
    elseif ($before.Status -ne $user.Status) { $what = "$($before.Status) -> $($user.Status)" }
    elseif ($before.SyncedItemCount -lt $user.SyncedItemCount) { $what = 'more items' }
    else { continue }
    New-Object PSObject -Property @{
        User = $user.Identity; Change = $what; Items = $user.SyncedItemCount - [int]$before.SyncedItemCount
    }
}
$changes | Sort-Object User | Format-Table User, Change, Items -AutoSize

Compare-Object -ReferenceObject $yesterday -DifferenceObject $today -Property Identity |
    Sort-Object Identity |
    ForEach-Object {
        $difference = $_
        switch ($difference.SideIndicator) {
            '<=' { "$($difference.Identity) is gone" }
            '=>' { "$($difference.Identity) was added" }
        }
    }

$hours = $today | Where-Object LastSuccessfulSyncTime -ne $null |
    ForEach-Object { ((Get-Date) - $_.LastSuccessfulSyncTime).TotalHours }
'{0} users were synced in the last hour' -f ($hours | Where-Object { $_ -lt 1 } | Measure-Object).Count

$today | Export-Clixml $file -Force
Write-Host "Saved: $((Import-Clixml $file | Measure-Object).Count) users"
