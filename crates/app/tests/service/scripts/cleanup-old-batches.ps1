# Removal after a check of dates, with a backup, a page for the archive, and a log of what could not be done.
$log = '.\cleanup.log'
function Write-Log {
    param([string]$Text, [ValidateSet('Info', 'Error')][string]$Level = 'Info')
    "[$Level] $Text" >> $log
    if ($Level -eq 'Error') { Write-Warning $Text } else { Write-Host $Text }
}

New-MigrationEndpoint -IMAP -Name Old -RemoteServer localhost -Port 143 -Security None -SkipVerification | Out-Null
$header = 'EmailAddress,UserName,Password'
for ($n = 1; $n -le 3; $n++) {
    $header, "user$n@b.c,user$n,secret" | Set-Content .\rows.csv
    $null = New-MigrationBatch -Name "Old$n" -SourceEndpoint Old -CSVData ([IO.File]::ReadAllBytes('.\rows.csv'))
}

$batches = Get-MigrationBatch | Where-Object { $_.CreationDateTime -lt '12/31/2099 11:59 PM' -and $_.CreationDateTime -gt '1/1/2020' }
$batches | Export-Clixml .\batches.xml
$batches | Sort-Object Identity | Select-Object Identity, Status, @{ Name = 'Users'; Expression = { "{0:N0}" -f $_.TotalCount } } |
    ConvertTo-Html -Title 'Batches before the clean-up' -PreContent '<h1>Batches</h1>' | Out-File .\batches.html

$names = @($batches.Identity.Name | Sort-Object) + 'Gone'
$removed, $left = 0, 0
:each foreach ($name in $names) {
    if ($name -match '2$') { Write-Log "$name stays"; continue each }
    try {
        Remove-MigrationBatch $name -Confirm:$false -ErrorAction Stop
        $removed++
        Write-Log "$name is removed"
    } catch {
        $left++
        Write-Log "$name was not removed" -Level Error
    }
}
$i = 0
while (@(Get-MigrationBatch).Count -gt 1 -and $i -lt 100) { Start-Sleep -Milliseconds 100; $i++ }
"removed $removed, left $left, there: $((Get-MigrationBatch).Identity -join ', ')"
(Import-Clixml .\batches.xml | Measure-Object TotalCount -Sum).Sum
Get-MigrationBatch Gone -ErrorAction SilentlyContinue
if (-not $?) { "last error: $(($Error[0].Exception.Message -split "`n")[0])" }
