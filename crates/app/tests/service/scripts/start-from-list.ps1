# Starts, syncs or approves the users of a text file: one address per line, # begins a comment.
#   .\start-from-list.ps1 .\addresses.txt

Param([string]$ListFile = '.\addresses.txt')

if (-not (Test-Path -Path $ListFile -PathType Leaf)) { throw "File not found: $ListFile" }

$addresses = Get-Content $ListFile | ForEach-Object { $_.Trim() } | Where-Object { $_ -and $_ -notmatch '^#' } | Select-Object -Unique
Write-Host "$($addresses.Count) addresses in the list"

$known = (Get-MigrationUser -ResultSize Unlimited).Identity
$unknown = $addresses | ? { $_ -notin $known }
$unknown | % { Write-Warning "$_ is in no batch" }

# What to do depends on the state
$todo = @{ Start = @(); Sync = @(); Nothing = @() }
$last = @{}
foreach ($address in $addresses | Where { $known -contains $_ }) {
    $user = Get-MigrationUser -Identity $address
    switch -Wildcard ($user.Status) {
        '*Failed'   { $todo.Start += $address; break }
        'Stopped'   { $todo.Start += $address; break }
        'Synced'    { $todo.Sync += $address; $last[$address] = $user.LastSuccessfulSyncTime }
        default     { $todo['Nothing'] += $address }
    }
}
foreach ($key in $todo.Keys | Sort-Object) { "{0,-8}: {1}" -f $key, ($todo[$key] -join ' ') }

$todo.Sync  | Set-MigrationUser -SyncNow -Confirm:$false | Out-Null
$todo.Start | Start-MigrationUser -Confirm:$false -ErrorAction SilentlyContinue -ErrorVariable startErrors | Out-Null
$startErrors | ForEach-Object { Write-Warning $_.Exception.Message }

# The unknown ones again, to have the errors in the log
$unknown | Start-MigrationUser -ErrorVariable notFound 2>> .\errors.log
"$($notFound.Count) errors in errors.log"
Get-Content .\errors.log | Measure-Object -Line | Select-Object -ExpandProperty Lines

# Until no user is active, and each sync has another time
do {
    Start-Sleep -Milliseconds 200
    $open = Get-MigrationUser | Where-Object {
        $_.StatusSummary -eq 'Active' -or ($last.ContainsKey($_.Identity) -and $_.LastSuccessfulSyncTime -eq $last[$_.Identity])
    }
} while ($open)

$addresses | Where-Object { $_ -in $known } | Get-MigrationUser | Sort-Object -Property Status, Identity |
    Format-Table -Property Identity, Status, SyncedItemCount -HideTableHeaders
exit @($unknown).Count
