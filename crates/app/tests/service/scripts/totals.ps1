# Totals of all batches: mailboxes, items, megabytes, rates. For the weekly meeting.

$stats = Get-MigrationUser -ResultSize Unlimited | Get-MigrationUserStatistics

# One line for each batch
$perBatch = $stats | Group-Object -Property BatchId | Sort-Object Name | ForEach-Object {
    $bytes = ($_.Group | Measure-Object -Property BytesTransferred -Sum).Sum
    $items = ($_.Group | Measure-Object -Property SyncedItemCount -Sum -Maximum -Average)
    [PSCustomObject]@{
        Batch     = $_.Name
        Mailboxes = $_.Count
        Items     = $items.Sum
        Largest   = $items.Maximum
        Average   = [math]::Round($items.Average, 1)
        MB        = [math]::Round($bytes / 1MB, 2)
        Failed    = @($_.Group | Where-Object { $_.Status -like '*Failed' }).Count
    }
}
$perBatch | Format-Table Batch, Mailboxes, Items, Largest, Average, MB, Failed -AutoSize

# Status over all batches
$stats | Group-Object Status -NoElement | Sort-Object -Property @{ Expression = 'Count'; Descending = $true }, Name |
    Select-Object Name, Count, @{ n = 'Percent'; e = { '{0:N1} %' -f ($_.Count / @($stats).Count * 100) } }

# The five largest mailboxes
$stats |
    Sort-Object EstimatedTotalTransferSize, Identity -Descending |
    Select-Object -First 5 -Property Identity,
        @{ Name = 'Size (KB)'; Expression = { [math]::Round($_.EstimatedTotalTransferSize / 1KB) } },
        @{ Name = 'Items'; Expression = { $_.TotalItemsInSourceMailboxCount } },
        @{ Name = 'Done'; Expression = { "$($_.PercentageComplete)%" } } |
    Format-Table -AutoSize

$folders = @{}
foreach ($s in $stats) {
    foreach ($f in $s.Folders) {
        if ($folders.ContainsKey($f.FolderName)) { $folders[$f.FolderName] += $f.CopiedCount }
        else { $folders.Add($f.FolderName, $f.CopiedCount) }
    }
}
$folders.GetEnumerator() | Sort-Object -Property Value -Descending | ForEach-Object { '{0,-12}{1,5}' -f $_.Key, $_.Value }

$sum = 0; $stats | ForEach-Object { $sum += $_.SyncedItemCount }
$total = Get-MigrationStatistics
if ($sum -ne ($perBatch | Measure-Object Items -Sum).Sum) { throw 'The sums differ' }
Write-Host ("{0:N0} items in {1} mailboxes; {2} failed" -f $sum, $total.TotalCount, $total.FailedCount)
