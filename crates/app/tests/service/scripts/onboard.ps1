##############################################################################
# IMAP onboarding to Exchange Online
# - connects, tests the old server, makes the endpoint and the batch
# - started by the scheduler, so there must be no question
##############################################################################

Set-ExecutionPolicy RemoteSigned -Scope Process -Force
Import-Module ExchangeOnlineManagement -ErrorAction SilentlyContinue
$UserCredential = $null
$Session = New-PSSession -ConfigurationName Microsoft.Exchange -ConnectionUri https://outlook.office365.com/powershell-liveid/ -Credential $UserCredential -Authentication Basic -AllowRedirection
Import-PSSession $Session -DisableNameChecking -AllowClobber | Out-Null
Connect-ExchangeOnline -UserPrincipalName admin@contoso.edu -ShowBanner:$false -ShowProgress $true

$Server   = 'localhost'
$Name     = 'IMAPEndpoint'
$CsvFile  = Join-Path $PSScriptRoot 'users.csv'
$Notify   = 'admin@contoso.edu', 'helpdesk@contoso.edu'

# 1. Is the old server there?
$connection = @{
    IMAP         = $true
    RemoteServer = $Server
    Port         = 993
    Security     = 'Ssl'
}
$test = Test-MigrationServerAvailability @connection
If ($test.Result -ne 'Success') {
    Throw "The server $Server cannot be reached: $($test.Message)"
}
"$Server : $($test.Result)"

# 2. Endpoint, unless it is there
$endpoint = Get-MigrationEndpoint | ? {$_.Identity -eq $Name}
If (!$endpoint) {
    $endpoint = New-MigrationEndpoint @connection -Name $Name -MaxConcurrentMigrations 50 -MaxConcurrentIncrementalSyncs 25
    "Endpoint $($endpoint.Identity) created"
} Else {
    Set-MigrationEndpoint $Name -MaxConcurrentMigrations 50 -MaxConcurrentIncrementalSyncs 25
}
Get-MigrationEndpoint $Name | Format-List EndpointType,RemoteServer,Port,Security,Max*

# 3. Batch
$batchParams = @{
    Name                = 'Onboarding-{0}' -f [System.IO.Path]::GetFileNameWithoutExtension($CsvFile)
    SourceEndpoint      = $endpoint.Identity
    CSVData             = [System.IO.File]::ReadAllBytes($CsvFile)
    TargetDeliveryDomain = 'contoso.mail.onmicrosoft.com'
    NotificationEmails  = $Notify
    BadItemLimit        = 100
    LargeItemLimit      = 'Unlimited'
    TimeZone            = 'Pacific Standard Time'
    ExcludeFolders      = 'Trash', 'Junk E-Mail'
    AutoStart           = $true
}
Try {
    $batch = New-MigrationBatch @batchParams -ErrorAction Stop
    "Batch {0} with {1} mailboxes" -f $batch.Identity, $batch.TotalCount
}
Catch {
    Write-Host -ForegroundColor Red "Batch not created: $_"
    Exit 1
}
Finally {
    Remove-PSSession $Session
}

While ((Get-MigrationBatch $batch.Identity).Status -notlike 'Synced*') { Start-Sleep -Milliseconds 250 }
Get-MigrationUser -BatchId $batch.Identity | Sort Identity | FT Identity, Status, SyncedItemCount
Disconnect-ExchangeOnline -Confirm:$false
