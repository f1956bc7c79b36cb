# Page for the help desk: all batches, and the users who need help.

[CmdletBinding()]
Param(
    [string] $Path = "$PSScriptRoot\migration.html",
    [string] $Title = 'Mailbox migration'
)

$css = @"
<style>
    body  { font-family: Calibri, Arial; font-size: 11pt; }
    table { border-collapse: collapse; }
    th    { background: #0072C6; color: white; padding: 4px; }
    td    { border: 1px solid #ccc; padding: 4px; }
    .ok   { color: green }
    .bad  { color: red; font-weight: bold }
</style>
<title>$Title</title>
"@

function Get-DurationText {
    param($Start, $End)
    if (!$Start -or !$End) { return '-' }
    $span = New-TimeSpan -Start $Start -End $End
    if ($span.TotalHours -ge 1) { return "{0} h {1} min" -f [int]$span.TotalHours, $span.Minutes }
    return 'less than an hour'
}

$batches = Get-MigrationBatch | Sort-Object -Property Identity | ForEach-Object {
    New-Object PSObject -Property ([ordered]@{
        'Batch'     = $_.Identity.Name
        'Status'    = $_.Status
        'Mailboxes' = $_.TotalCount
        'Synced'    = $_.SyncedCount
        'Failed'    = $_.FailedCount
        'Progress'  = if ($_.TotalCount -gt 0) { '{0:P0}' -f (($_.SyncedCount + $_.FinalizedCount) / $_.TotalCount) } else { 'n/a' }
        'Duration'  = Get-DurationText -Start $_.StartDateTime -End $_.InitialSyncDateTime
    })
}

$problems = Get-MigrationUser -ResultSize Unlimited |
    Where-Object { $_.StatusSummary -eq 'Failed' -or $_.SkippedItemCount -gt 0 } |
    Select-Object Identity, BatchId, Status, SkippedItemCount, @{
        Name       = 'Reason'
        Expression = { if ($_.ErrorSummary.Length -gt 60) { $_.ErrorSummary.Substring(0, 60) + '...' } else { $_.ErrorSummary } }
    }

$body = @()
$body += "<h1>$Title</h1>"
$body += $batches | ConvertTo-Html -Fragment -PreContent '<h2>Batches</h2>'
if ($problems) {
    $body += $problems | ConvertTo-Html -Fragment -PreContent "<h2>Users with problems ($(@($problems).Count))</h2>"
} else {
    $body += '<p class="ok">No problems.</p>'
}

# Colours, by hand
$body = $body -replace '<td>(Failed|SyncedWithErrors)</td>', '<td class="bad">$1</td>'
$body = $body -replace '<td>Synced</td>', '<td class="ok">Synced</td>'

ConvertTo-Html -Head $css -Body ($body -join "`r`n") -PostContent "<p><i>$env:COMPANY help desk</i></p>" |
    Out-File -FilePath $Path -Encoding utf8

Write-Output "$(@($batches).Count) batches, $(@($problems).Count) users with problems"
Write-Output "Written to $([System.IO.Path]::GetFileName($Path))"
