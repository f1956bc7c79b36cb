# Completes the mailboxes of a batch in waves: two mailboxes tonight, two tomorrow, and so on.
# VIPs come last. A mailbox that is not synced, or was not synced in the last days, is left alone.

param (
    [Parameter(Mandatory)][string]$Batch,
    [ValidateRange(1, 500)][int]$WaveSize = 2,
    [datetime]$FirstWave = (Get-Date).Date.AddDays(1).AddHours(22),
    [string[]]$VIP = @('katieb@contoso.edu'),
    [switch]$WhatIf
)

$users = Get-MigrationUser -BatchId $Batch -ResultSize Unlimited | Sort-Object Identity
$ready, $rest = @(), @()
foreach ($u in $users) {
    if ($u.Status -eq 'Synced' -and $u.LastSuccessfulSyncTime -gt (Get-Date).AddDays(-3)) {
        $ready += $u.Identity
    } else {
        $rest += $u
    }
}

# VIPs to the end
$ordered  = @($ready | Where-Object { $VIP -notcontains $_ })
$ordered += @($ready | Where-Object { $VIP -contains $_ })
Write-Verbose "$($ordered.Count) mailboxes are ready" -Verbose

$plan = [ordered]@{}
$wave = 0
for ($i = 0; $i -lt $ordered.Count; $i += $WaveSize) {
    $wave++
    $last = [Math]::Min($i + $WaveSize, $ordered.Count) - 1
    $time = $FirstWave.AddDays($wave - 1)
    if ($time.DayOfWeek -eq 'Saturday') { $time = $time.AddDays(2) }
    if ($time.DayOfWeek -eq 'Sunday')   { $time = $time.AddDays(1) }
    $plan["Wave $wave"] = @{ Time = $time; Members = @($ordered[$i..$last]) }
}

foreach ($entry in $plan.GetEnumerator()) {
    Write-Host "$($entry.Key) at $($entry.Value.Time.ToString('MM/dd/yyyy h:mm tt')):"
    foreach ($member in $entry.Value.Members) {
        if ($WhatIf) {
            Write-Host "    would complete $member"
            continue
        }
        try {
            Set-MigrationUser -Identity $member -CompleteAfter $entry.Value.Time.ToUniversalTime() -ErrorAction Stop | Out-Null
            Write-Host "    $member"
        }
        catch {
            Write-Warning "    ${member}: $($_.Exception.Message)"
        }
    }
}

Get-MigrationUser -BatchId $Batch | Where-Object { $_.CompleteAfter } | Sort-Object CompleteAfter, Identity |
    Select-Object @{N='Mailbox';E={$_.Identity}}, @{N='Complete';E={ '{0:ddd HH:mm}' -f [datetime]$_.CompleteAfter }} |
    Format-Table -AutoSize

foreach ($r in $rest) {
    Write-Warning ("{0} is {1}, not planned" -f $r.Identity, $r.Status)
}
