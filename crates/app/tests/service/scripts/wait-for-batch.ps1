<#
    Starts a batch, waits until the initial sync is done, and completes it.
    Ends with 0 if every mailbox is done, with 1 if some failed, and with 3 after the timeout.
#>
Param (
    [Parameter(Mandatory=$True)]
    [String] $BatchName,
    [Int] $IntervalInSeconds = 300,
    [TimeSpan] $Timeout = '08:00:00',
    [Switch] $CompleteWhenDone
)

Function Write-Log {
    Param ([String] $Message, [ConsoleColor] $Color = 'Gray')
    $line = "$(Get-Date -Format 'yyyy-MM-dd HH:mm:ss')  $Message"
    Add-Content -Path ".\wait.log" -Value $line
    Write-Host $Message -ForegroundColor $Color
}

Function Get-Percentage ($Done, $Total) {
    If ($Total -eq 0) { Return 0 }
    Return [int]([math]::Floor($Done * 100 / $Total))
}

$stopwatch = [System.Diagnostics.Stopwatch]::StartNew()
$batch = Get-MigrationBatch $BatchName -ErrorAction Stop

Switch ($batch.Status.Value) {
    'Created'  { Write-Log "Starting $BatchName"; Start-MigrationBatch $BatchName | Out-Null }
    'Stopped'  { Write-Log "Resuming $BatchName" -Color Yellow; Start-MigrationBatch $BatchName | Out-Null }
    {$_ -in 'Completed','CompletedWithErrors'} { Write-Log 'Already completed' -Color Green; Exit 0 }
    Default    { Write-Log "The batch is $_" }
}

While ($True) {
    $batch = Get-MigrationBatch $BatchName
    $done = $batch.SyncedCount + $batch.FinalizedCount + $batch.FailedCount
    $percent = Get-Percentage $done $batch.TotalCount
    Write-Progress -Activity "Migration of $BatchName" -Status "$done of $($batch.TotalCount) mailboxes" `
        -PercentComplete $percent -CurrentOperation $batch.Status.Value

    If ($batch.Status -match '^Synced|^Failed$') { Break }
    If ($stopwatch.Elapsed -gt $Timeout) {
        Write-Log "$BatchName is still $($batch.Status) after $($stopwatch.Elapsed.TotalHours.ToString('N1')) hours" -Color Red
        Exit 3
    }
    Start-Sleep -Seconds $IntervalInSeconds
}
$stopwatch.Stop()
Write-Log ("{0}: {1} synced, {2} failed" -f $BatchName, $batch.SyncedCount, $batch.FailedCount)

If ($CompleteWhenDone -and $batch.FailedCount -eq 0) {
    Complete-MigrationBatch -Identity $BatchName -Confirm:$False | Out-Null
    $try = 0
    Do {
        Start-Sleep -s $IntervalInSeconds
        $try++
        $status = (Get-MigrationBatch $BatchName).Status
    } While ("$status" -eq 'Completing' -and $try -lt 500)
    Write-Log "$BatchName is now $status" -Color Green
}
ElseIf ($batch.FailedCount) {
    Get-MigrationUser -BatchId $BatchName | ? {$_.StatusSummary -eq 'Failed'} | % { Write-Log "  $($_.Identity): $($_.ErrorSummary)" -Color Red }
    Exit 1
}
