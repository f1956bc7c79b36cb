# The cmdlets of mailhaul for PowerShell. Each calls the program: `mailhaul invoke` takes the request as JSON.
Set-StrictMode -Version 3.0

# The program: $env:MAILHAUL_PROGRAM, else what the PATH has.
$script:Program = if ($env:MAILHAUL_PROGRAM) { $env:MAILHAUL_PROGRAM } else { 'mailhaul' }
$script:Common = @([System.Management.Automation.PSCmdlet]::CommonParameters) +
    @([System.Management.Automation.PSCmdlet]::OptionalCommonParameters)

function ConvertTo-MailhaulValue($Value) {
    if ($null -eq $Value) { return $null }
    if ($Value -is [switch]) { return [bool]$Value }
    if ($Value -is [byte[]]) { return [Convert]::ToBase64String($Value) }
    if ($Value -is [pscredential]) {
        return @{ UserName = $Value.UserName; Password = $Value.GetNetworkCredential().Password }
    }
    if ($Value -is [securestring]) { return [System.Net.NetworkCredential]::new('', $Value).Password }
    if ($Value -is [datetime]) {
        # Without a zone it is read in the zone that the operation is told.
        if ($Value.Kind -eq [DateTimeKind]::Unspecified) { return $Value.ToString('s') }
        return $Value.ToUniversalTime().ToString('yyyy-MM-ddTHH:mm:ssZ')
    }
    if ($Value -is [timespan]) { return '{0}.{1:00}:{2:00}:{3:00}' -f $Value.Days, $Value.Hours, $Value.Minutes, $Value.Seconds }
    if ($Value -is [hashtable]) {
        $map = @{}
        foreach ($name in $Value.Keys) { $map["$name"] = "$($Value[$name])" }
        return $map
    }
    if ($Value -is [array]) { return , @($Value | ForEach-Object { ConvertTo-MailhaulValue $_ }) }
    return $Value
}

# The category of an error, by the code of the failure.
$script:Categories = @{
    NotFound = 'ObjectNotFound'; Conflict = 'InvalidOperation'; Invalid = 'InvalidArgument'
    Forbidden = 'PermissionDenied'; Unauthorized = 'PermissionDenied'; TooLarge = 'LimitsExceeded'
    Unavailable = 'ResourceUnavailable'
}

# Writes an error that obeys -ErrorAction of the cmdlet, or else $ErrorActionPreference of its caller.
# With Continue, the pipeline goes on with the next object; with Stop, the error ends it.
function Write-MailhaulError($Cmdlet, $Failure, $Parameters) {
    $message = $Failure.Message
    if ($Failure.Advice) { $message = "$message. $($Failure.Advice)" }
    $category = 'NotSpecified'
    if ($script:Categories.ContainsKey($Failure.Code)) { $category = $script:Categories[$Failure.Code] }
    $target = $null
    foreach ($name in 'Identity', 'Name') {
        if ($null -eq $target -and $Parameters.ContainsKey($name)) { $target = $Parameters[$name] }
    }
    $exception = [System.InvalidOperationException]::new($message)
    $record = [System.Management.Automation.ErrorRecord]::new($exception, $Failure.Code, $category, $target)
    # A module does not see the preference of its caller by itself.
    $preference = $Cmdlet.GetVariableValue('ErrorActionPreference')
    if (-not $Parameters.ContainsKey('ErrorAction') -and $null -ne $preference) { $ErrorActionPreference = $preference }
    $Cmdlet.WriteError($record)
}

function Invoke-MailhaulOperation($Cmdlet, [string] $Operation, [string[]] $TypeNames, $Parameters) {
    $request = @{}
    foreach ($name in $Parameters.Keys) {
        if ($script:Common -notcontains $name) { $request[$name] = ConvertTo-MailhaulValue $Parameters[$name] }
    }
    # What programs read and write is UTF-8.
    $OutputEncoding = [System.Text.UTF8Encoding]::new($false)
    $before = [Console]::OutputEncoding
    try {
        [Console]::OutputEncoding = $OutputEncoding
        $text = ConvertTo-Json -InputObject $request -Depth 5 -Compress | & $script:Program invoke $Operation
    } finally {
        [Console]::OutputEncoding = $before
    }
    if (-not $text) { throw "$script:Program gave no answer (exit code $LASTEXITCODE)" }
    $answer = ($text -join "`n") | ConvertFrom-Json
    if ($answer.PSObject.Properties['Error']) {
        Write-MailhaulError $Cmdlet $answer.Error $Parameters
        return
    }
    foreach ($result in @($answer.Value)) {
        # The first name decides the view.
        for ($index = $TypeNames.Count - 1; $index -ge 0; $index--) {
            $result.PSObject.TypeNames.Insert(0, $TypeNames[$index])
        }
        $result
    }
}

# Properties that are shown where none are named. Format-List * shows all.
Update-TypeData -Force -TypeName 'Mailhaul.MigrationApiToken' -DefaultDisplayPropertySet 'Identity', 'Role', 'CreationDateTime', 'LastUsedDateTime', 'RevokedDateTime'
Update-TypeData -Force -TypeName 'Mailhaul.MigrationApiToken#New-MigrationApiToken' -DefaultDisplayPropertySet 'Identity', 'Role', 'Token'
Update-TypeData -Force -TypeName 'Mailhaul.MigrationApiToken#Remove-MigrationApiToken' -DefaultDisplayPropertySet 'Identity', 'Role', 'RevokedDateTime'
Update-TypeData -Force -TypeName 'Mailhaul.MigrationBatch' -DefaultDisplayPropertySet 'Identity', 'Status', 'PercentageComplete', 'TotalCount', 'SyncedCount', 'FinalizedCount', 'FailedCount'
Update-TypeData -Force -TypeName 'Mailhaul.MigrationBatch#Complete-MigrationBatch' -DefaultDisplayPropertySet 'Identity', 'Status', 'Message'
Update-TypeData -Force -TypeName 'Mailhaul.MigrationBatch#New-MigrationBatch' -DefaultDisplayPropertySet 'Identity', 'Status', 'TotalCount', 'ValidationWarningCount'
Update-TypeData -Force -TypeName 'Mailhaul.MigrationBatch#Set-MigrationBatch' -DefaultDisplayPropertySet 'Identity', 'Status', 'Message'
Update-TypeData -Force -TypeName 'Mailhaul.MigrationBatch#Start-MigrationBatch' -DefaultDisplayPropertySet 'Identity', 'Status', 'Message'
Update-TypeData -Force -TypeName 'Mailhaul.MigrationBatch#Stop-MigrationBatch' -DefaultDisplayPropertySet 'Identity', 'Status', 'Message'
Update-TypeData -Force -TypeName 'Mailhaul.MigrationBatchTest' -DefaultDisplayPropertySet 'IsValid', 'Message', 'Errors', 'Warnings'
Update-TypeData -Force -TypeName 'Mailhaul.MigrationCutover' -DefaultDisplayPropertySet 'Identity', 'Verdict', 'Message'
Update-TypeData -Force -TypeName 'Mailhaul.MigrationEndpoint' -DefaultDisplayPropertySet 'Identity', 'EndpointType', 'RemoteServer', 'Port', 'Security', 'ActiveMigrationCount', 'ParkedUntil'
Update-TypeData -Force -TypeName 'Mailhaul.MigrationEndpoint#New-MigrationEndpoint' -DefaultDisplayPropertySet 'Identity', 'EndpointType', 'RemoteServer', 'Port', 'Security'
Update-TypeData -Force -TypeName 'Mailhaul.MigrationEndpoint#Set-MigrationEndpoint' -DefaultDisplayPropertySet 'Identity', 'EndpointType', 'RemoteServer', 'Port', 'Security'
Update-TypeData -Force -TypeName 'Mailhaul.MigrationFailure' -DefaultDisplayPropertySet 'BatchId', 'ErrorClass', 'Count', 'Message', 'Example'
Update-TypeData -Force -TypeName 'Mailhaul.MigrationFolderPlan' -DefaultDisplayPropertySet 'SourceFolder', 'TargetFolder', 'ItemCount', 'Reason'
Update-TypeData -Force -TypeName 'Mailhaul.MigrationFolderPlanTest' -DefaultDisplayPropertySet 'UserCount', 'Folders', 'Clashes', 'Failures'
Update-TypeData -Force -TypeName 'Mailhaul.MigrationIssue' -DefaultDisplayPropertySet 'Severity', 'Object', 'Message'
Update-TypeData -Force -TypeName 'Mailhaul.MigrationMasterKey' -DefaultDisplayPropertySet 'KeyFile', 'Message'
Update-TypeData -Force -TypeName 'Mailhaul.MigrationNode' -DefaultDisplayPropertySet 'Identity', 'State', 'Mailboxes', 'Capacity', 'MasterKeys', 'Version', 'LastBeatDateTime'
Update-TypeData -Force -TypeName 'Mailhaul.MigrationNode#Set-MigrationNode' -DefaultDisplayPropertySet 'Identity', 'State', 'Mailboxes', 'Capacity'
Update-TypeData -Force -TypeName 'Mailhaul.MigrationNotification' -DefaultDisplayPropertySet 'CreationTime', 'Event', 'BatchId', 'Recipient', 'Status', 'Tries', 'Error'
Update-TypeData -Force -TypeName 'Mailhaul.MigrationReport' -DefaultDisplayPropertySet 'FileName'
Update-TypeData -Force -TypeName 'Mailhaul.MigrationServerAvailability' -DefaultDisplayPropertySet 'Result', 'Message', 'Steps', 'Instructions'
Update-TypeData -Force -TypeName 'Mailhaul.MigrationSkippedItem' -DefaultDisplayPropertySet 'Identity', 'FolderName', 'UID', 'Subject', 'MessageSize', 'Reason', 'FileName'
Update-TypeData -Force -TypeName 'Mailhaul.MigrationStatistics' -DefaultDisplayPropertySet 'BatchCount', 'TotalCount', 'ActiveCount', 'SyncedCount', 'FinalizedCount', 'FailedCount'
Update-TypeData -Force -TypeName 'Mailhaul.MigrationThroughput' -DefaultDisplayPropertySet 'StartTime', 'BytesTransferred', 'CopiedCount', 'ActiveCount', 'PendingCount', 'FailedCount'
Update-TypeData -Force -TypeName 'Mailhaul.MigrationUser' -DefaultDisplayPropertySet 'Identity', 'BatchId', 'Status', 'SyncedItemCount', 'SkippedItemCount', 'LastSuccessfulSyncTime', 'ErrorSummary', 'CheckError'
Update-TypeData -Force -TypeName 'Mailhaul.MigrationUser#Set-MigrationUser' -DefaultDisplayPropertySet 'Identity', 'BatchId', 'Status', 'StartAfter', 'CompleteAfter'
Update-TypeData -Force -TypeName 'Mailhaul.MigrationUser#Start-MigrationUser' -DefaultDisplayPropertySet 'Identity', 'BatchId', 'Status'
Update-TypeData -Force -TypeName 'Mailhaul.MigrationUser#Stop-MigrationUser' -DefaultDisplayPropertySet 'Identity', 'BatchId', 'Status'
Update-TypeData -Force -TypeName 'Mailhaul.MigrationUserReport' -DefaultDisplayPropertySet 'Number', 'CreationTime', 'Message'
Update-TypeData -Force -TypeName 'Mailhaul.MigrationUserStatistics' -DefaultDisplayPropertySet 'Identity', 'Status', 'PercentageComplete', 'SyncedItemCount', 'SkippedItemCount', 'BytesTransferred', 'EstimatedTimeRemaining'

function Test-MigrationServerAvailability {
    <#
    .SYNOPSIS
    Tests a mail server step by step (DNS, TCP, TLS, sign-in, mailbox) and shows its features. If you give a login, it also measures the speed; with TestMailbox, it finds the administrator's login form. Changes nothing.
    .PARAMETER IMAP
    Any IMAP server [default if no other type is given].
    .PARAMETER Microsoft365
    Exchange Online. Address, quirks and limits are preset; access tokens open the mailboxes.
    .PARAMETER GoogleWorkspace
    Gmail of a Google Workspace organisation. Address, quirks and limits are preset; access tokens open the mailboxes.
    .PARAMETER Gmail
    The same as GoogleWorkspace (Exchange's name).
    .PARAMETER RemoteServer
    Host of the IMAP server [preset for Microsoft365 and GoogleWorkspace].
    .PARAMETER Port
    TCP port [default: 993 with Ssl, 143 with Tls or None].
    .PARAMETER Security
    Encryption of the connection [default: Ssl, on port 143 Tls].
    .PARAMETER Authentication
    Sign-in method of users.
    .PARAMETER AcceptUntrustedCertificates
    Accepts any certificate. An attacker on the network can read passwords and mail.
    .PARAMETER CertificateAuthorities
    PEM file of certificate authorities, trusted instead of the system's.
    .PARAMETER CertificateSha256
    SHA-256 of the only accepted certificate (64 hexadecimal digits, colons allowed).
    .PARAMETER Endpoint
    Endpoint whose settings are tested, instead of a server.
    .PARAMETER Credential
    Login of a user to test; with TestMailbox, an administrator.
    .PARAMETER AuthMechanism
    Only sign-in mechanism to use [default: the strongest that works]. SCRAM-SHA-256, SCRAM-SHA-1, CRAM-MD5, PLAIN or LOGIN.
    .PARAMETER TestMailbox
    Mailbox to open, with an access token or as the administrator. Give the user name with which the owner of the mailbox signs in. The test finds the login form that the server accepts; it tries each form at most once.
    .PARAMETER TenantId
    Microsoft tenant, by GUID or domain.
    .PARAMETER ApplicationId
    Application (client) id at the authorization server. For an endpoint without secret and certificate, a user signs in with `mailhaul login`.
    .PARAMETER ClientSecret
    Secret of the application.
    .PARAMETER CertificateFile
    PEM file with the application's certificate and private key.
    .PARAMETER ServiceAccountKeyFileData
    JSON key file of a Google service account with domain-wide delegation.
    .PARAMETER AccessToken
    One access token, for a test; used until it expires.
    .PARAMETER AuthorityUrl
    Authorization server [default of a new endpoint: the service's public one]. Needed for national clouds.
    .PARAMETER TokenUrl
    Token endpoint [default: derived from AuthorityUrl].
    .PARAMETER Scope
    Scope of the access token [default of a new endpoint: what the service needs].
    .PARAMETER ShowInstructions
    Shows the setup commands of the server's side even if the test succeeds. For Microsoft 365 and Google Workspace.
    .PARAMETER TestConnections
    Opens connections until the server refuses one [max: 16]. For an endpoint, the maximum is MaxConcurrentMigrations. Warning: some servers lock such clients out for a while.
    #>
    [CmdletBinding()]
    param(
        [switch] $IMAP,
        [switch] $Microsoft365,
        [switch] $GoogleWorkspace,
        [switch] $Gmail,
        [string] $RemoteServer,
        [long] $Port,
        [ValidateSet('None', 'Ssl', 'Tls')] [string] $Security,
        [ValidateSet('Basic', 'Ntlm')] [string] $Authentication,
        [switch] $AcceptUntrustedCertificates,
        [byte[]] $CertificateAuthorities,
        [string] $CertificateSha256,
        [string] $Endpoint,
        [Alias('Credentials')] [pscredential] $Credential,
        [string] $AuthMechanism,
        [string] $TestMailbox,
        [string] $TenantId,
        [string] $ApplicationId,
        [securestring] $ClientSecret,
        [byte[]] $CertificateFile,
        [byte[]] $ServiceAccountKeyFileData,
        [securestring] $AccessToken,
        [string] $AuthorityUrl,
        [string] $TokenUrl,
        [string] $Scope,
        [switch] $ShowInstructions,
        [switch] $TestConnections
    )
    process {
        Invoke-MailhaulOperation $PSCmdlet 'Test-MigrationServerAvailability' @('Mailhaul.MigrationServerAvailability') $PSBoundParameters
    }
}

function New-MigrationEndpoint {
    <#
    .SYNOPSIS
    Makes an endpoint: a mail server with its login and limits.
    .PARAMETER Name
    Unique name of the endpoint.
    .PARAMETER IMAP
    Any IMAP server [default if no other type is given].
    .PARAMETER Microsoft365
    Exchange Online. Address, quirks and limits are preset; access tokens open the mailboxes.
    .PARAMETER GoogleWorkspace
    Gmail of a Google Workspace organisation. Address, quirks and limits are preset; access tokens open the mailboxes.
    .PARAMETER Gmail
    The same as GoogleWorkspace (Exchange's name).
    .PARAMETER RemoteServer
    Host of the IMAP server [preset for Microsoft365 and GoogleWorkspace].
    .PARAMETER Port
    TCP port [default: 993 with Ssl, 143 with Tls or None].
    .PARAMETER Security
    Encryption of the connection [default: Ssl, on port 143 Tls].
    .PARAMETER Authentication
    Sign-in method of users.
    .PARAMETER AcceptUntrustedCertificates
    Accepts any certificate. An attacker on the network can read passwords and mail.
    .PARAMETER CertificateAuthorities
    PEM file of certificate authorities, trusted instead of the system's.
    .PARAMETER CertificateSha256
    SHA-256 of the only accepted certificate (64 hexadecimal digits, colons allowed).
    .PARAMETER MaxConcurrentMigrations
    Maximum number of active mailboxes, or unlimited [default: 20].
    .PARAMETER MaxConcurrentIncrementalSyncs
    Maximum number of mailboxes in an incremental sync [default: 10]. They count against MaxConcurrentMigrations too.
    .PARAMETER ServerProfile
    Server profile, which selects quirks and limits [default: detected].
    .PARAMETER AuthMechanism
    Only sign-in mechanism to use [default: the strongest that works]. SCRAM-SHA-256, SCRAM-SHA-1, CRAM-MD5, PLAIN or LOGIN.
    .PARAMETER MessagesPerSecond
    Maximum messages per second over all mailboxes, read and written [default: none]. If it is set, the profile's messages per second of each mailbox do not apply.
    .PARAMETER BytesPerSecond
    Maximum bytes per second over all mailboxes [default: none].
    .PARAMETER BytesPerDay
    Maximum bytes in 24 hours over all mailboxes [default: none]. The limit of each mailbox (MailboxBytesPerDay) applies too.
    .PARAMETER MailboxBytesPerDay
    Maximum bytes in 24 hours for each mailbox [default: the profile's].
    .PARAMETER Credential
    Administrator login that opens every mailbox, instead of the users' logins.
    .PARAMETER UserNameTemplate
    Form of the administrator's login, for example {user}*{admin}, or PROXYAUTH. Without it, the SASL authorization identity names the mailbox.
    .PARAMETER TenantId
    Microsoft tenant, by GUID or domain.
    .PARAMETER ApplicationId
    Application (client) id at the authorization server. For an endpoint without secret and certificate, a user signs in with `mailhaul login`.
    .PARAMETER ClientSecret
    Secret of the application.
    .PARAMETER CertificateFile
    PEM file with the application's certificate and private key.
    .PARAMETER ServiceAccountKeyFileData
    JSON key file of a Google service account with domain-wide delegation.
    .PARAMETER AccessToken
    One access token, for a test; used until it expires.
    .PARAMETER AuthorityUrl
    Authorization server [default of a new endpoint: the service's public one]. Needed for national clouds.
    .PARAMETER TokenUrl
    Token endpoint [default: derived from AuthorityUrl].
    .PARAMETER Scope
    Scope of the access token [default of a new endpoint: what the service needs].
    .PARAMETER RefreshToken
    Refresh token of a user who signed in elsewhere.
    .PARAMETER TokenCommand
    Program (absolute path) and arguments; it prints an access token. {user} becomes the mailbox. Can be set only on the service's machine.
    .PARAMETER DeviceUrl
    Device authorization endpoint [default: derived from AuthorityUrl].
    .PARAMETER GmailApi
    Uploads messages through the Gmail API instead of IMAP. By IMAP, Gmail accepts 500 MB a day for each user.
    .PARAMETER GmailApiUrl
    URL of the Gmail API [default: Google's public one].
    .PARAMETER TestMailbox
    Mailbox that is opened to test the endpoint.
    .PARAMETER EmailAddress
    The same as TestMailbox (Exchange's name for Gmail).
    .PARAMETER SkipVerification
    Saves the endpoint without connecting to its server.
    .PARAMETER ExchangeOutlookAnywhere
    Not supported.
    .PARAMETER ExchangeRemoteMove
    Not supported.
    .PARAMETER PublicFolder
    Not supported.
    #>
    [CmdletBinding(SupportsShouldProcess)]
    param(
        [Parameter(Mandatory, Position = 0)] [string] $Name,
        [switch] $IMAP,
        [switch] $Microsoft365,
        [switch] $GoogleWorkspace,
        [switch] $Gmail,
        [string] $RemoteServer,
        [long] $Port,
        [ValidateSet('None', 'Ssl', 'Tls')] [string] $Security,
        [ValidateSet('Basic', 'Ntlm')] [string] $Authentication,
        [switch] $AcceptUntrustedCertificates,
        [byte[]] $CertificateAuthorities,
        [string] $CertificateSha256,
        [string] $MaxConcurrentMigrations,
        [string] $MaxConcurrentIncrementalSyncs,
        [string] $ServerProfile,
        [string] $AuthMechanism,
        [long] $MessagesPerSecond,
        [long] $BytesPerSecond,
        [long] $BytesPerDay,
        [long] $MailboxBytesPerDay,
        [Alias('Credentials')] [pscredential] $Credential,
        [string] $UserNameTemplate,
        [string] $TenantId,
        [string] $ApplicationId,
        [securestring] $ClientSecret,
        [byte[]] $CertificateFile,
        [byte[]] $ServiceAccountKeyFileData,
        [securestring] $AccessToken,
        [string] $AuthorityUrl,
        [string] $TokenUrl,
        [string] $Scope,
        [securestring] $RefreshToken,
        [string[]] $TokenCommand,
        [string] $DeviceUrl,
        [switch] $GmailApi,
        [string] $GmailApiUrl,
        [string] $TestMailbox,
        [string] $EmailAddress,
        [switch] $SkipVerification,
        [switch] $ExchangeOutlookAnywhere,
        [switch] $ExchangeRemoteMove,
        [switch] $PublicFolder
    )
    process {
        if ($PSCmdlet.ShouldProcess($Name)) { Invoke-MailhaulOperation $PSCmdlet 'New-MigrationEndpoint' @('Mailhaul.MigrationEndpoint#New-MigrationEndpoint', 'Mailhaul.MigrationEndpoint') $PSBoundParameters }
    }
}

function Get-MigrationEndpoint {
    <#
    .SYNOPSIS
    Shows endpoints and the number of active mailboxes at each.
    .PARAMETER Identity
    Name or GUID of the endpoint [default: all].
    .PARAMETER Type
    Only endpoints of this type.
    #>
    [CmdletBinding()]
    param(
        [Parameter(Position = 0, ValueFromPipeline, ValueFromPipelineByPropertyName)] [string] $Identity,
        [ValidateSet('IMAP', 'Microsoft365', 'GoogleWorkspace')] [string] $Type
    )
    process {
        Invoke-MailhaulOperation $PSCmdlet 'Get-MigrationEndpoint' @('Mailhaul.MigrationEndpoint') $PSBoundParameters
    }
}

function Set-MigrationEndpoint {
    <#
    .SYNOPSIS
    Changes an endpoint, also while batches run. New limits apply at once. Other changes apply from the next pass; to apply them at once, run Set-MigrationBatch -Update.
    .PARAMETER Identity
    Name or GUID of the endpoint.
    .PARAMETER IfRevision
    Revision that the endpoint must have; otherwise nothing is changed.
    .PARAMETER RemoteServer
    Host of the IMAP server.
    .PARAMETER Port
    TCP port.
    .PARAMETER Security
    Encryption of the connection. It does not change the port.
    .PARAMETER Authentication
    Sign-in method of users.
    .PARAMETER AcceptUntrustedCertificates
    Accepts any certificate. An attacker on the network can read passwords and mail.
    .PARAMETER CertificateAuthorities
    PEM file of certificate authorities, trusted instead of the system's.
    .PARAMETER CertificateSha256
    SHA-256 of the only accepted certificate.
    .PARAMETER MaxConcurrentMigrations
    Maximum number of active mailboxes, or unlimited. Takes effect immediately. If more mailboxes are active, the surplus ones finish the messages in transfer and wait again.
    .PARAMETER MaxConcurrentIncrementalSyncs
    Maximum number of mailboxes in an incremental sync. They count against MaxConcurrentMigrations too.
    .PARAMETER ServerProfile
    Server profile, which selects quirks and limits; $null detects it.
    .PARAMETER AuthMechanism
    Only sign-in mechanism to use; $null for the strongest that works.
    .PARAMETER MessagesPerSecond
    Maximum messages per second over all mailboxes, read and written; $null for none. If it is set, the profile's messages per second of each mailbox do not apply.
    .PARAMETER BytesPerSecond
    Maximum bytes per second over all mailboxes; $null for none.
    .PARAMETER BytesPerDay
    Maximum bytes in 24 hours over all mailboxes; $null for none. The limit of each mailbox (MailboxBytesPerDay) applies too.
    .PARAMETER MailboxBytesPerDay
    Maximum bytes in 24 hours for each mailbox; $null for the profile's.
    .PARAMETER Credential
    Administrator login that opens every mailbox; $null for the users' logins.
    .PARAMETER UserNameTemplate
    Form of the administrator's login, for example {user}*{admin}, or PROXYAUTH. $null uses the SASL authorization identity.
    .PARAMETER TenantId
    Microsoft tenant, by GUID or domain.
    .PARAMETER ApplicationId
    Application (client) id at the authorization server. For an endpoint without secret and certificate, a user signs in with `mailhaul login`.
    .PARAMETER ClientSecret
    Secret of the application.
    .PARAMETER CertificateFile
    PEM file with the application's certificate and private key.
    .PARAMETER ServiceAccountKeyFileData
    JSON key file of a Google service account with domain-wide delegation.
    .PARAMETER AccessToken
    One access token, for a test; used until it expires.
    .PARAMETER AuthorityUrl
    Authorization server [default of a new endpoint: the service's public one]. Needed for national clouds.
    .PARAMETER TokenUrl
    Token endpoint [default: derived from AuthorityUrl].
    .PARAMETER Scope
    Scope of the access token [default of a new endpoint: what the service needs].
    .PARAMETER RefreshToken
    Refresh token of a user who signed in elsewhere.
    .PARAMETER TokenCommand
    Program (absolute path) and arguments; it prints an access token. {user} becomes the mailbox. Can be set only on the service's machine.
    .PARAMETER DeviceUrl
    Device authorization endpoint [default: derived from AuthorityUrl].
    .PARAMETER GmailApi
    Uploads messages through the Gmail API instead of IMAP.
    .PARAMETER GmailApiUrl
    URL of the Gmail API.
    .PARAMETER EndPause
    Ends the pause of the endpoint, so that waiting users continue now. The server may ask for another pause.
    .PARAMETER TestMailbox
    Mailbox that is opened to test the change.
    .PARAMETER SkipVerification
    Saves the change without connecting to the server.
    #>
    [CmdletBinding(SupportsShouldProcess)]
    param(
        [Parameter(Mandatory, Position = 0, ValueFromPipeline, ValueFromPipelineByPropertyName)] [string] $Identity,
        [string] $IfRevision,
        [string] $RemoteServer,
        [long] $Port,
        [ValidateSet('None', 'Ssl', 'Tls')] [string] $Security,
        [ValidateSet('Basic', 'Ntlm')] [string] $Authentication,
        [System.Nullable[bool]] $AcceptUntrustedCertificates,
        [AllowNull()] [object] $CertificateAuthorities,
        [AllowNull()] [object] $CertificateSha256,
        [string] $MaxConcurrentMigrations,
        [string] $MaxConcurrentIncrementalSyncs,
        [AllowNull()] [object] $ServerProfile,
        [AllowNull()] [object] $AuthMechanism,
        [System.Nullable[long]] $MessagesPerSecond,
        [System.Nullable[long]] $BytesPerSecond,
        [System.Nullable[long]] $BytesPerDay,
        [System.Nullable[long]] $MailboxBytesPerDay,
        [Alias('Credentials')] [AllowNull()] [object] $Credential,
        [AllowNull()] [object] $UserNameTemplate,
        [string] $TenantId,
        [string] $ApplicationId,
        [securestring] $ClientSecret,
        [byte[]] $CertificateFile,
        [byte[]] $ServiceAccountKeyFileData,
        [securestring] $AccessToken,
        [string] $AuthorityUrl,
        [string] $TokenUrl,
        [string] $Scope,
        [securestring] $RefreshToken,
        [string[]] $TokenCommand,
        [string] $DeviceUrl,
        [System.Nullable[bool]] $GmailApi,
        [string] $GmailApiUrl,
        [switch] $EndPause,
        [string] $TestMailbox,
        [switch] $SkipVerification
    )
    process {
        if ($PSCmdlet.ShouldProcess($Identity)) { Invoke-MailhaulOperation $PSCmdlet 'Set-MigrationEndpoint' @('Mailhaul.MigrationEndpoint#Set-MigrationEndpoint', 'Mailhaul.MigrationEndpoint') $PSBoundParameters }
    }
}

function Test-MigrationEndpoint {
    <#
    .SYNOPSIS
    Connects to an endpoint's server, and can sign in. Changes nothing.
    .PARAMETER Identity
    Name or GUID of the endpoint.
    .PARAMETER Credential
    Login of a user to test too.
    .PARAMETER TestMailbox
    Mailbox to open, as the endpoint's administrator or with an access token.
    .PARAMETER ShowInstructions
    Shows the setup commands of the server's side even if the test succeeds. For Microsoft 365 and Google Workspace.
    #>
    [CmdletBinding()]
    param(
        [Parameter(Mandatory, Position = 0, ValueFromPipeline, ValueFromPipelineByPropertyName)] [string] $Identity,
        [Alias('Credentials')] [pscredential] $Credential,
        [string] $TestMailbox,
        [switch] $ShowInstructions
    )
    process {
        Invoke-MailhaulOperation $PSCmdlet 'Test-MigrationEndpoint' @('Mailhaul.MigrationServerAvailability') $PSBoundParameters
    }
}

function Remove-MigrationEndpoint {
    <#
    .SYNOPSIS
    Removes an endpoint that no batch uses.
    .PARAMETER Identity
    Name or GUID of the endpoint.
    #>
    [CmdletBinding(SupportsShouldProcess, ConfirmImpact = 'High')]
    param(
        [Parameter(Mandatory, Position = 0, ValueFromPipeline, ValueFromPipelineByPropertyName)] [string] $Identity
    )
    process {
        if ($PSCmdlet.ShouldProcess($Identity)) { Invoke-MailhaulOperation $PSCmdlet 'Remove-MigrationEndpoint' @('Mailhaul.MigrationEndpoint') $PSBoundParameters }
    }
}

function New-MigrationEndpointSignIn {
    <#
    .SYNOPSIS
    Shows an address and a code, waits until a user has signed in there, and keeps the access for the endpoint.
    .PARAMETER Identity
    Name or GUID of the endpoint.
    #>
    [CmdletBinding(SupportsShouldProcess)]
    param(
        [Parameter(Mandatory, Position = 0, ValueFromPipeline, ValueFromPipelineByPropertyName)] [string] $Identity
    )
    process {
        if ($PSCmdlet.ShouldProcess($Identity)) { Invoke-MailhaulOperation $PSCmdlet 'New-MigrationEndpointSignIn' @('Mailhaul.MigrationEndpointSignIn') $PSBoundParameters }
    }
}

function Test-MigrationBatch {
    <#
    .SYNOPSIS
    Checks the CSV file of a batch, and names all errors. Makes nothing.
    .PARAMETER Name
    Name of the batch, if it is to be tested too.
    .PARAMETER CSVData
    CSV file of mailboxes, as for New-MigrationBatch.
    .PARAMETER SourceEndpoint
    Endpoint that mail comes from. Without it, only the file itself is checked, and no login is required.
    .PARAMETER TargetEndpoint
    Endpoint that mail goes to [default: the default target of Set-MigrationConfig]. Write Archive for the archive in the data directory.
    .PARAMETER AllowUnknownColumnsInCsv
    Ignores unknown CSV columns with a warning instead of refusing them.
    #>
    [CmdletBinding()]
    param(
        [Parameter(Position = 0)] [string] $Name,
        [Parameter(Mandatory)] [byte[]] $CSVData,
        [string] $SourceEndpoint,
        [string] $TargetEndpoint,
        [System.Nullable[bool]] $AllowUnknownColumnsInCsv
    )
    process {
        Invoke-MailhaulOperation $PSCmdlet 'Test-MigrationBatch' @('Mailhaul.MigrationBatchTest') $PSBoundParameters
    }
}

function New-MigrationBatch {
    <#
    .SYNOPSIS
    Makes a batch from a CSV file of mailboxes, and can start it.
    .PARAMETER Name
    Unique name of the batch [max: 64 characters].
    .PARAMETER CSVData
    CSV file of mailboxes [max: 50,000 rows, 10 MB]. Columns: EmailAddress, UserName, Password; optional: UserRoot, TargetUserName, TargetPassword.
    .PARAMETER SourceEndpoint
    Endpoint that mail comes from.
    .PARAMETER TargetEndpoint
    Endpoint that mail goes to [default: the default target of Set-MigrationConfig]. Write Archive for the archive in the data directory.
    .PARAMETER AutoStart
    Starts the batch immediately.
    .PARAMETER StartAfter
    Time before which no mail is moved.
    .PARAMETER CompleteAfter
    Time of the final sync; until then, mailboxes are kept in sync.
    .PARAMETER TimeZone
    Time zone for dates that are given without a time zone [default: UTC]. It is an IANA or Windows name.
    .PARAMETER ExcludeFolders
    Folders to leave out: Name, Name/* with subfolders, or #DeletedItems#.
    .PARAMETER IncludeFolders
    Only these folders, written as in ExcludeFolders.
    .PARAMETER FolderMap
    Source and target folders, for example @{"Sent" = "Sent Items"}. Name/* includes all subfolders; - leaves a folder out.
    .PARAMETER FolderMapData
    Folder map as a CSV file with the columns Source and Target. Source is Name, or Name/* with all subfolders. Target is a folder; - or an empty cell leaves the folder out.
    .PARAMETER ContentFilter
    Only messages that match, for example: Received -ge '2024-01-01'. Operators: -gt, -ge, -lt, -le, -eq and -ne with a date, joined by -and, -or, -not and parentheses.
    .PARAMETER ContentFilterLanguage
    Language of the dates in ContentFilter. 2024-12-31 is read in every language; 12/31/2024 only with en-US.
    .PARAMETER AllowUnknownColumnsInCsv
    Ignores unknown CSV columns with a warning instead of refusing them.
    .PARAMETER AllowIncrementalSyncs
    Runs incremental syncs after the first sync [default: $true].
    .PARAMETER SyncInterval
    Time between incremental syncs [min: 00:01:00, default: 24:00:00].
    .PARAMETER Deletions
    Handling of copies whose message was deleted on the source [default: Keep].
    .PARAMETER MaxDeletionPercent
    Maximum share of a mailbox's copies that one sync removes, in percent [default: 10]. Applies to Deletions Mirror. If it would remove more, the copies wait until a sync at least one hour later also misses their messages, or until you give ConfirmDeletions.
    .PARAMETER MaxDeletionCount
    Number of copies that one sync may remove, even if they are more than MaxDeletionPercent [default: 10]. Applies to Deletions Mirror.
    .PARAMETER NewestFirst
    Copies the newest messages first.
    .PARAMETER MaxItems
    Maximum number of messages per folder; the newest are copied.
    .PARAMETER MaxMessageSize
    Maximum message size in bytes; larger messages are skipped and reported.
    .PARAMETER Repair
    Edits allowed for messages that the target refuses [default: none]. NulBytes, BareNewlines, LongLines, InvalidHeaders, MissingFinalNewline, or All. Without a matching edit, such messages are skipped and reported.
    .PARAMETER GmailLabels
    Handling of Gmail messages with several labels [default: Automatic].
    .PARAMETER NotificationEmails
    Addresses that get notifications and reports of the batch by mail. Set-MigrationConfig -SmtpServer names the server that takes the mail.
    .PARAMETER ReportInterval
    Time between two reports, 00:00:00 for none [min: 00:01:00, default: 24:00:00].
    .PARAMETER SkipReports
    Sends no reports; events are sent.
    .PARAMETER Users
    Not supported.
    .PARAMETER UserIds
    Not supported.
    #>
    [CmdletBinding(SupportsShouldProcess)]
    param(
        [Parameter(Mandatory, Position = 0)] [string] $Name,
        [Parameter(Mandatory)] [byte[]] $CSVData,
        [Parameter(Mandatory)] [string] $SourceEndpoint,
        [string] $TargetEndpoint,
        [switch] $AutoStart,
        [datetime] $StartAfter,
        [datetime] $CompleteAfter,
        [string] $TimeZone,
        [string[]] $ExcludeFolders,
        [string[]] $IncludeFolders,
        [hashtable] $FolderMap,
        [byte[]] $FolderMapData,
        [string] $ContentFilter,
        [string] $ContentFilterLanguage,
        [System.Nullable[bool]] $AllowUnknownColumnsInCsv,
        [System.Nullable[bool]] $AllowIncrementalSyncs,
        [timespan] $SyncInterval,
        [ValidateSet('Keep', 'Mirror')] [string] $Deletions,
        [long] $MaxDeletionPercent,
        [long] $MaxDeletionCount,
        [switch] $NewestFirst,
        [long] $MaxItems,
        [long] $MaxMessageSize,
        [ValidateSet('NulBytes', 'BareNewlines', 'LongLines', 'InvalidHeaders', 'MissingFinalNewline', 'All')] [string[]] $Repair,
        [ValidateSet('Automatic', 'PrimaryFolder', 'EveryFolder')] [string] $GmailLabels,
        [string[]] $NotificationEmails,
        [timespan] $ReportInterval,
        [switch] $SkipReports,
        [string[]] $Users,
        [string[]] $UserIds
    )
    process {
        if ($PSCmdlet.ShouldProcess($Name)) { Invoke-MailhaulOperation $PSCmdlet 'New-MigrationBatch' @('Mailhaul.MigrationBatch#New-MigrationBatch', 'Mailhaul.MigrationBatch') $PSBoundParameters }
    }
}

function Get-MigrationBatch {
    <#
    .SYNOPSIS
    Shows batches with their status and the number of users in each state.
    .PARAMETER Identity
    Name or GUID of the batch [default: all].
    .PARAMETER Endpoint
    Only batches with this endpoint as source or target.
    .PARAMETER Status
    Only batches with this status.
    .PARAMETER IncludeReport
    Adds the report: creation, start, and the reasons of failed users.
    .PARAMETER ResultSize
    Maximum number of results, or unlimited [default: 1000].
    #>
    [CmdletBinding()]
    param(
        [Parameter(Position = 0, ValueFromPipeline, ValueFromPipelineByPropertyName)] [string] $Identity,
        [string] $Endpoint,
        [ValidateSet('Created', 'Starting', 'Waiting', 'Syncing', 'IncrementalSyncing', 'Synced', 'SyncedWithErrors', 'Stopping', 'Stopped', 'Completing', 'Completed', 'CompletedWithErrors', 'Failed')] [string] $Status,
        [switch] $IncludeReport,
        [string] $ResultSize
    )
    process {
        Invoke-MailhaulOperation $PSCmdlet 'Get-MigrationBatch' @('Mailhaul.MigrationBatch') $PSBoundParameters
    }
}

function Set-MigrationBatch {
    <#
    .SYNOPSIS
    Changes a batch, also while it runs: users, passwords, settings, or a sync now.
    .PARAMETER Identity
    Name or GUID of the batch.
    .PARAMETER IfRevision
    Revision that the batch must have; otherwise nothing is changed.
    .PARAMETER AddUsers
    Adds the users of CSVData. For a user who is already in the batch, the file replaces logins and passwords.
    .PARAMETER CSVData
    CSV file of mailboxes, with AddUsers.
    .PARAMETER AllowUnknownColumnsInCsv
    Ignores unknown CSV columns with a warning instead of refusing them.
    .PARAMETER StartAfter
    Time before which no mail is moved; $null removes it.
    .PARAMETER CompleteAfter
    Time of the final sync; $null waits for Complete-MigrationBatch.
    .PARAMETER TimeZone
    Time zone for dates that are given without a time zone; $null is UTC. It is an IANA or Windows name.
    .PARAMETER SyncNow
    Starts a sync of all synced users now.
    .PARAMETER CheckNow
    Checks now whether all mailboxes can be opened. Get-MigrationUser -CheckFailed shows those that cannot.
    .PARAMETER Update
    Applies changed endpoint and batch settings to running passes. Otherwise they apply from the next pass on.
    .PARAMETER ApproveSkippedItems
    Approves the messages skipped so far.
    .PARAMETER ConfirmDeletions
    Lets the next sync remove copies whose removal waits for you. Their messages are gone from the source. The users' reports name the folders.
    .PARAMETER AllowIncrementalSyncs
    Runs incremental syncs after the first sync.
    .PARAMETER SyncInterval
    Time between incremental syncs, counted from now [min: 00:01:00].
    .PARAMETER ExcludeFolders
    Folders to leave out.
    .PARAMETER IncludeFolders
    Only these folders.
    .PARAMETER FolderMap
    Target folders. Folders that were copied already keep their target.
    .PARAMETER FolderMapData
    Folder map as a CSV file with the columns Source and Target. FolderMap and FolderMapData together replace the whole map.
    .PARAMETER ContentFilter
    Only messages that match.
    .PARAMETER ContentFilterLanguage
    Language of the dates in ContentFilter.
    .PARAMETER Deletions
    Handling of copies whose message was deleted on the source.
    .PARAMETER MaxDeletionPercent
    Maximum share of a mailbox's copies that one sync removes, in percent. Applies to Deletions Mirror. If it would remove more, the copies wait until a sync at least one hour later also misses their messages, or until you give ConfirmDeletions.
    .PARAMETER MaxDeletionCount
    Number of copies that one sync may remove, even if they are more than MaxDeletionPercent. Applies to Deletions Mirror.
    .PARAMETER NewestFirst
    Copies the newest messages first.
    .PARAMETER MaxItems
    Maximum number of messages per folder; the newest are copied.
    .PARAMETER MaxMessageSize
    Maximum message size in bytes; larger messages are skipped and reported.
    .PARAMETER Repair
    Edits allowed for messages that the target refuses; $null for none.
    .PARAMETER GmailLabels
    Handling of Gmail messages with several labels.
    .PARAMETER NotificationEmails
    Addresses that get notifications and reports of the batch by mail; $null for none.
    .PARAMETER ReportInterval
    Time between two reports, 00:00:00 for none [min: 00:01:00].
    .PARAMETER SkipReports
    Sends no reports; events are sent.
    #>
    [CmdletBinding(SupportsShouldProcess)]
    param(
        [Parameter(Mandatory, Position = 0, ValueFromPipeline, ValueFromPipelineByPropertyName)] [string] $Identity,
        [string] $IfRevision,
        [switch] $AddUsers,
        [byte[]] $CSVData,
        [System.Nullable[bool]] $AllowUnknownColumnsInCsv,
        [System.Nullable[datetime]] $StartAfter,
        [System.Nullable[datetime]] $CompleteAfter,
        [AllowNull()] [object] $TimeZone,
        [switch] $SyncNow,
        [switch] $CheckNow,
        [switch] $Update,
        [switch] $ApproveSkippedItems,
        [switch] $ConfirmDeletions,
        [System.Nullable[bool]] $AllowIncrementalSyncs,
        [timespan] $SyncInterval,
        [AllowNull()] [object] $ExcludeFolders,
        [AllowNull()] [object] $IncludeFolders,
        [AllowNull()] [object] $FolderMap,
        [byte[]] $FolderMapData,
        [AllowNull()] [object] $ContentFilter,
        [string] $ContentFilterLanguage,
        [ValidateSet('Keep', 'Mirror')] [string] $Deletions,
        [long] $MaxDeletionPercent,
        [long] $MaxDeletionCount,
        [System.Nullable[bool]] $NewestFirst,
        [System.Nullable[long]] $MaxItems,
        [System.Nullable[long]] $MaxMessageSize,
        [AllowNull()] [object] $Repair,
        [ValidateSet('Automatic', 'PrimaryFolder', 'EveryFolder')] [string] $GmailLabels,
        [AllowNull()] [object] $NotificationEmails,
        [timespan] $ReportInterval,
        [System.Nullable[bool]] $SkipReports
    )
    process {
        if ($PSCmdlet.ShouldProcess($Identity)) { Invoke-MailhaulOperation $PSCmdlet 'Set-MigrationBatch' @('Mailhaul.MigrationBatch#Set-MigrationBatch', 'Mailhaul.MigrationBatch') $PSBoundParameters }
    }
}

function Start-MigrationBatch {
    <#
    .SYNOPSIS
    Starts a batch, resumes a stopped one, and retries failed users.
    .PARAMETER Identity
    Name or GUID of the batch.
    #>
    [CmdletBinding(SupportsShouldProcess)]
    param(
        [Parameter(Mandatory, Position = 0, ValueFromPipeline, ValueFromPipelineByPropertyName)] [string] $Identity
    )
    process {
        if ($PSCmdlet.ShouldProcess($Identity)) { Invoke-MailhaulOperation $PSCmdlet 'Start-MigrationBatch' @('Mailhaul.MigrationBatch#Start-MigrationBatch', 'Mailhaul.MigrationBatch') $PSBoundParameters }
    }
}

function Stop-MigrationBatch {
    <#
    .SYNOPSIS
    Stops a batch. Running users finish the messages that they are copying.
    .PARAMETER Identity
    Name or GUID of the batch.
    #>
    [CmdletBinding(SupportsShouldProcess, ConfirmImpact = 'High')]
    param(
        [Parameter(Mandatory, Position = 0, ValueFromPipeline, ValueFromPipelineByPropertyName)] [string] $Identity
    )
    process {
        if ($PSCmdlet.ShouldProcess($Identity)) { Invoke-MailhaulOperation $PSCmdlet 'Stop-MigrationBatch' @('Mailhaul.MigrationBatch#Stop-MigrationBatch', 'Mailhaul.MigrationBatch') $PSBoundParameters }
    }
}

function Complete-MigrationBatch {
    <#
    .SYNOPSIS
    Runs the final sync of a batch's users; no sync follows it. A user that is not synced yet is completed after its first sync. A user's own CompleteAfter still applies.
    .PARAMETER Identity
    Name or GUID of the batch.
    .PARAMETER SyncAndComplete
    Completes only if every user is synced. The command is refused if a user failed, is stopped, or is being synced.
    #>
    [CmdletBinding(SupportsShouldProcess)]
    param(
        [Parameter(Mandatory, Position = 0, ValueFromPipeline, ValueFromPipelineByPropertyName)] [string] $Identity,
        [switch] $SyncAndComplete
    )
    process {
        if ($PSCmdlet.ShouldProcess($Identity)) { Invoke-MailhaulOperation $PSCmdlet 'Complete-MigrationBatch' @('Mailhaul.MigrationBatch#Complete-MigrationBatch', 'Mailhaul.MigrationBatch') $PSBoundParameters }
    }
}

function Remove-MigrationBatch {
    <#
    .SYNOPSIS
    Removes a batch with its users, their passwords and reports, whatever its status. Mail on the target stays; a new batch of the same users copies nothing twice. If the old server may still be needed, the answer says so (Get-MigrationCutover).
    .PARAMETER Identity
    Name or GUID of the batch.
    .PARAMETER Force
    Removes the batch also if the CutoverPolicy of the configuration refuses it.
    #>
    [CmdletBinding(SupportsShouldProcess, ConfirmImpact = 'High')]
    param(
        [Parameter(Mandatory, Position = 0, ValueFromPipeline, ValueFromPipelineByPropertyName)] [string] $Identity,
        [switch] $Force
    )
    process {
        if ($PSCmdlet.ShouldProcess($Identity)) { Invoke-MailhaulOperation $PSCmdlet 'Remove-MigrationBatch' @('Mailhaul.MigrationBatch') $PSBoundParameters }
    }
}

function Get-MigrationCutover {
    <#
    .SYNOPSIS
    Shows if the old server of a batch is still needed, and the reasons. Asks nothing of the network.
    .PARAMETER Identity
    Name or GUID of the batch.
    #>
    [CmdletBinding()]
    param(
        [Parameter(Mandatory, Position = 0, ValueFromPipeline, ValueFromPipelineByPropertyName)] [string] $Identity
    )
    process {
        Invoke-MailhaulOperation $PSCmdlet 'Get-MigrationCutover' @('Mailhaul.MigrationCutover') $PSBoundParameters
    }
}

function Test-MigrationCutover {
    <#
    .SYNOPSIS
    Reads the DNS records of a batch's domains now, and shows if the old server is still needed. Changes neither mail nor records.
    .PARAMETER Identity
    Name or GUID of the batch.
    .PARAMETER Domain
    Only this domain of the batch.
    #>
    [CmdletBinding()]
    param(
        [Parameter(Mandatory, Position = 0, ValueFromPipeline, ValueFromPipelineByPropertyName)] [string] $Identity,
        [string] $Domain
    )
    process {
        Invoke-MailhaulOperation $PSCmdlet 'Test-MigrationCutover' @('Mailhaul.MigrationCutover') $PSBoundParameters
    }
}

function Set-MigrationCutover {
    <#
    .SYNOPSIS
    Changes how the cut-over of a batch is judged.
    .PARAMETER Identity
    Name or GUID of the batch.
    .PARAMETER ExpectedMX
    Hosts that take mail for the target; $null compares with the first MX records.
    .PARAMETER ExpectedAt
    Planned time of the move; the records are read often around it.
    .PARAMETER RoutedAt
    States the time from which mail goes to the target, for example behind a gateway. MX records are not judged then.
    .PARAMETER SettlePeriod
    Time for which old records may be believed after the move [default: 3.00:00:00].
    .PARAMETER QuietPeriod
    Time without an arrival on the source [default: 1.00:00:00].
    .PARAMETER RequireVerification
    True if the batch must be verified.
    .PARAMETER Domain
    Domains in place of those of the users' addresses; $null for these.
    .PARAMETER Waive
    Conditions that are not judged, with Reason; $null judges all.
    .PARAMETER Reason
    Reason to waive, for the audit log.
    #>
    [CmdletBinding(SupportsShouldProcess)]
    param(
        [Parameter(Mandatory, Position = 0, ValueFromPipeline, ValueFromPipelineByPropertyName)] [string] $Identity,
        [AllowNull()] [object] $ExpectedMX,
        [System.Nullable[datetime]] $ExpectedAt,
        [System.Nullable[datetime]] $RoutedAt,
        [System.Nullable[timespan]] $SettlePeriod,
        [System.Nullable[timespan]] $QuietPeriod,
        [System.Nullable[bool]] $RequireVerification,
        [AllowNull()] [object] $Domain,
        [AllowNull()] [object] $Waive,
        [string] $Reason
    )
    process {
        if ($PSCmdlet.ShouldProcess($Identity)) { Invoke-MailhaulOperation $PSCmdlet 'Set-MigrationCutover' @('Mailhaul.MigrationCutover') $PSBoundParameters }
    }
}

function Get-MigrationUser {
    <#
    .SYNOPSIS
    Shows users with their status, failures, and mailbox checks.
    .PARAMETER Identity
    E-mail address or GUID of the user [default: all].
    .PARAMETER EmailAddress
    E-mail address of the user; the same as Identity.
    .PARAMETER MailboxGuid
    GUID of the user; the same as Identity.
    .PARAMETER BatchId
    Only users of this batch.
    .PARAMETER Status
    Only users with one of these statuses.
    .PARAMETER StatusSummary
    Only users with a status of this group.
    .PARAMETER CheckFailed
    Only users with a failed mailbox check; CheckError gives the reason.
    .PARAMETER ErrorClass
    Only users whose last pass failed or was interrupted with one of these classes.
    .PARAMETER IsWaiting
    Only users whose pass is due and has not begun.
    .PARAMETER HasSkippedItems
    Only users with skipped messages.
    .PARAMETER Search
    Only users with this text in an address, a login or the failure, without regard to case.
    .PARAMETER SortBy
    Property to sort by [default: the order of creation].
    .PARAMETER Descending
    Sorts from the largest value to the smallest.
    .PARAMETER Offset
    Number of users to leave out at the beginning of the list.
    .PARAMETER ResultSize
    Maximum number of results, or unlimited [default: 1000].
    #>
    [CmdletBinding()]
    param(
        [Parameter(Position = 0, ValueFromPipeline, ValueFromPipelineByPropertyName)] [string] $Identity,
        [string] $EmailAddress,
        [string] $MailboxGuid,
        [string] $BatchId,
        [ValidateSet('Queued', 'Validating', 'Syncing', 'Synced', 'IncrementalSyncing', 'IncrementalFailed', 'IncrementalStopped', 'Stopping', 'Stopped', 'Completing', 'CompletionFailed', 'Completed', 'CompletedWithWarnings', 'Failed')] [string[]] $Status,
        [ValidateSet('Active', 'Synced', 'Completed', 'Failed', 'Stopped')] [string] $StatusSummary,
        [switch] $CheckFailed,
        [ValidateSet('Authentication', 'Connection', 'Throttled', 'Quota', 'Refused', 'Storage', 'Internal')] [string[]] $ErrorClass,
        [switch] $IsWaiting,
        [switch] $HasSkippedItems,
        [string] $Search,
        [ValidateSet('Creation', 'EmailAddress', 'Status', 'StatusSince', 'SyncedItemCount', 'SkippedItemCount', 'PercentageComplete', 'BytesTransferred', 'LastSuccessfulSyncTime', 'NextSyncTime', 'ErrorClass')] [string] $SortBy,
        [switch] $Descending,
        [long] $Offset,
        [string] $ResultSize
    )
    process {
        Invoke-MailhaulOperation $PSCmdlet 'Get-MigrationUser' @('Mailhaul.MigrationUser') $PSBoundParameters
    }
}

function Set-MigrationUser {
    <#
    .SYNOPSIS
    Changes the times of one user or many, syncs or checks them now, or changes one user's logins.
    .PARAMETER Identity
    E-mail address or GUID of one user.
    .PARAMETER Identities
    E-mail addresses or GUIDs of several users [max: 1000]. The answer counts the users, and names those for whom it was refused.
    .PARAMETER AllBatches
    With a filter: users of all batches.
    .PARAMETER BatchId
    Only users of this batch.
    .PARAMETER Status
    Only users with one of these statuses.
    .PARAMETER StatusSummary
    Only users with a status of this group.
    .PARAMETER CheckFailed
    Only users with a failed mailbox check; CheckError gives the reason.
    .PARAMETER ErrorClass
    Only users whose last pass failed or was interrupted with one of these classes.
    .PARAMETER IsWaiting
    Only users whose pass is due and has not begun.
    .PARAMETER HasSkippedItems
    Only users with skipped messages.
    .PARAMETER Search
    Only users with this text in an address, a login or the failure, without regard to case.
    .PARAMETER StartAfter
    Time before which no mail is moved; $null for the batch's StartAfter.
    .PARAMETER CompleteAfter
    Time of the user's final sync; $null for the batch's CompleteAfter.
    .PARAMETER SyncNow
    Syncs the user now.
    .PARAMETER CheckNow
    Checks now whether both mailboxes can be opened. Get-MigrationUser shows the result.
    .PARAMETER ApproveSkippedItems
    Approves the messages skipped so far.
    .PARAMETER ConfirmDeletions
    Lets the next sync remove copies whose removal waits for you. Their messages are gone from the source. The user's report names the folders.
    .PARAMETER Credential
    New login at the source.
    .PARAMETER TargetCredential
    New login at the target.
    .PARAMETER CSVData
    CSV file with this user's row, for new logins.
    #>
    [CmdletBinding(SupportsShouldProcess)]
    param(
        [Parameter(Position = 0, ValueFromPipeline, ValueFromPipelineByPropertyName)] [string] $Identity,
        [string[]] $Identities,
        [switch] $AllBatches,
        [string] $BatchId,
        [ValidateSet('Queued', 'Validating', 'Syncing', 'Synced', 'IncrementalSyncing', 'IncrementalFailed', 'IncrementalStopped', 'Stopping', 'Stopped', 'Completing', 'CompletionFailed', 'Completed', 'CompletedWithWarnings', 'Failed')] [string[]] $Status,
        [ValidateSet('Active', 'Synced', 'Completed', 'Failed', 'Stopped')] [string] $StatusSummary,
        [switch] $CheckFailed,
        [ValidateSet('Authentication', 'Connection', 'Throttled', 'Quota', 'Refused', 'Storage', 'Internal')] [string[]] $ErrorClass,
        [switch] $IsWaiting,
        [switch] $HasSkippedItems,
        [string] $Search,
        [System.Nullable[datetime]] $StartAfter,
        [System.Nullable[datetime]] $CompleteAfter,
        [switch] $SyncNow,
        [switch] $CheckNow,
        [switch] $ApproveSkippedItems,
        [switch] $ConfirmDeletions,
        [Alias('Credentials')] [pscredential] $Credential,
        [pscredential] $TargetCredential,
        [byte[]] $CSVData
    )
    process {
        if ($PSCmdlet.ShouldProcess($Identity)) { Invoke-MailhaulOperation $PSCmdlet 'Set-MigrationUser' @('Mailhaul.MigrationUser#Set-MigrationUser', 'Mailhaul.MigrationUser') $PSBoundParameters }
    }
}

function Start-MigrationUser {
    <#
    .SYNOPSIS
    Starts, resumes or retries one user or many. Their batch then runs; its other users do not change.
    .PARAMETER Identity
    E-mail address or GUID of one user.
    .PARAMETER Identities
    E-mail addresses or GUIDs of several users [max: 1000]. The answer counts the users, and names those for whom it was refused.
    .PARAMETER AllBatches
    With a filter: users of all batches.
    .PARAMETER BatchId
    Only users of this batch.
    .PARAMETER Status
    Only users with one of these statuses.
    .PARAMETER StatusSummary
    Only users with a status of this group.
    .PARAMETER CheckFailed
    Only users with a failed mailbox check; CheckError gives the reason.
    .PARAMETER ErrorClass
    Only users whose last pass failed or was interrupted with one of these classes.
    .PARAMETER IsWaiting
    Only users whose pass is due and has not begun.
    .PARAMETER HasSkippedItems
    Only users with skipped messages.
    .PARAMETER Search
    Only users with this text in an address, a login or the failure, without regard to case.
    #>
    [CmdletBinding(SupportsShouldProcess)]
    param(
        [Parameter(Position = 0, ValueFromPipeline, ValueFromPipelineByPropertyName)] [string] $Identity,
        [string[]] $Identities,
        [switch] $AllBatches,
        [string] $BatchId,
        [ValidateSet('Queued', 'Validating', 'Syncing', 'Synced', 'IncrementalSyncing', 'IncrementalFailed', 'IncrementalStopped', 'Stopping', 'Stopped', 'Completing', 'CompletionFailed', 'Completed', 'CompletedWithWarnings', 'Failed')] [string[]] $Status,
        [ValidateSet('Active', 'Synced', 'Completed', 'Failed', 'Stopped')] [string] $StatusSummary,
        [switch] $CheckFailed,
        [ValidateSet('Authentication', 'Connection', 'Throttled', 'Quota', 'Refused', 'Storage', 'Internal')] [string[]] $ErrorClass,
        [switch] $IsWaiting,
        [switch] $HasSkippedItems,
        [string] $Search
    )
    process {
        if ($PSCmdlet.ShouldProcess($Identity)) { Invoke-MailhaulOperation $PSCmdlet 'Start-MigrationUser' @('Mailhaul.MigrationUser#Start-MigrationUser', 'Mailhaul.MigrationUser') $PSBoundParameters }
    }
}

function Stop-MigrationUser {
    <#
    .SYNOPSIS
    Stops one user or many. Each finishes the messages that it is copying.
    .PARAMETER Identity
    E-mail address or GUID of one user.
    .PARAMETER Identities
    E-mail addresses or GUIDs of several users [max: 1000]. The answer counts the users, and names those for whom it was refused.
    .PARAMETER AllBatches
    With a filter: users of all batches.
    .PARAMETER BatchId
    Only users of this batch.
    .PARAMETER Status
    Only users with one of these statuses.
    .PARAMETER StatusSummary
    Only users with a status of this group.
    .PARAMETER CheckFailed
    Only users with a failed mailbox check; CheckError gives the reason.
    .PARAMETER ErrorClass
    Only users whose last pass failed or was interrupted with one of these classes.
    .PARAMETER IsWaiting
    Only users whose pass is due and has not begun.
    .PARAMETER HasSkippedItems
    Only users with skipped messages.
    .PARAMETER Search
    Only users with this text in an address, a login or the failure, without regard to case.
    #>
    [CmdletBinding(SupportsShouldProcess, ConfirmImpact = 'High')]
    param(
        [Parameter(Position = 0, ValueFromPipeline, ValueFromPipelineByPropertyName)] [string] $Identity,
        [string[]] $Identities,
        [switch] $AllBatches,
        [string] $BatchId,
        [ValidateSet('Queued', 'Validating', 'Syncing', 'Synced', 'IncrementalSyncing', 'IncrementalFailed', 'IncrementalStopped', 'Stopping', 'Stopped', 'Completing', 'CompletionFailed', 'Completed', 'CompletedWithWarnings', 'Failed')] [string[]] $Status,
        [ValidateSet('Active', 'Synced', 'Completed', 'Failed', 'Stopped')] [string] $StatusSummary,
        [switch] $CheckFailed,
        [ValidateSet('Authentication', 'Connection', 'Throttled', 'Quota', 'Refused', 'Storage', 'Internal')] [string[]] $ErrorClass,
        [switch] $IsWaiting,
        [switch] $HasSkippedItems,
        [string] $Search
    )
    process {
        if ($PSCmdlet.ShouldProcess($Identity)) { Invoke-MailhaulOperation $PSCmdlet 'Stop-MigrationUser' @('Mailhaul.MigrationUser#Stop-MigrationUser', 'Mailhaul.MigrationUser') $PSBoundParameters }
    }
}

function Remove-MigrationUser {
    <#
    .SYNOPSIS
    Removes one user or many from their batch, with passwords and reports. Mail on the target stays.
    .PARAMETER Identity
    E-mail address or GUID of one user.
    .PARAMETER Identities
    E-mail addresses or GUIDs of several users [max: 1000]. The answer counts the users, and names those for whom it was refused.
    .PARAMETER AllBatches
    With a filter: users of all batches.
    .PARAMETER BatchId
    Only users of this batch.
    .PARAMETER Status
    Only users with one of these statuses.
    .PARAMETER StatusSummary
    Only users with a status of this group.
    .PARAMETER CheckFailed
    Only users with a failed mailbox check; CheckError gives the reason.
    .PARAMETER ErrorClass
    Only users whose last pass failed or was interrupted with one of these classes.
    .PARAMETER IsWaiting
    Only users whose pass is due and has not begun.
    .PARAMETER HasSkippedItems
    Only users with skipped messages.
    .PARAMETER Search
    Only users with this text in an address, a login or the failure, without regard to case.
    .PARAMETER Force
    Accepted for compatibility with Exchange scripts; has no effect.
    #>
    [CmdletBinding(SupportsShouldProcess, ConfirmImpact = 'High')]
    param(
        [Parameter(Position = 0, ValueFromPipeline, ValueFromPipelineByPropertyName)] [string] $Identity,
        [string[]] $Identities,
        [switch] $AllBatches,
        [string] $BatchId,
        [ValidateSet('Queued', 'Validating', 'Syncing', 'Synced', 'IncrementalSyncing', 'IncrementalFailed', 'IncrementalStopped', 'Stopping', 'Stopped', 'Completing', 'CompletionFailed', 'Completed', 'CompletedWithWarnings', 'Failed')] [string[]] $Status,
        [ValidateSet('Active', 'Synced', 'Completed', 'Failed', 'Stopped')] [string] $StatusSummary,
        [switch] $CheckFailed,
        [ValidateSet('Authentication', 'Connection', 'Throttled', 'Quota', 'Refused', 'Storage', 'Internal')] [string[]] $ErrorClass,
        [switch] $IsWaiting,
        [switch] $HasSkippedItems,
        [string] $Search,
        [switch] $Force
    )
    process {
        if ($PSCmdlet.ShouldProcess($Identity)) { Invoke-MailhaulOperation $PSCmdlet 'Remove-MigrationUser' @('Mailhaul.MigrationUser') $PSBoundParameters }
    }
}

function Get-MigrationUserStatistics {
    <#
    .SYNOPSIS
    Shows a user's progress: messages, bytes and rates, in total and for each folder.
    .PARAMETER Identity
    E-mail address or GUID of the user.
    .PARAMETER IncludeReport
    Adds the report.
    .PARAMETER IncludeSkippedItems
    Adds the skipped messages.
    .PARAMETER LimitSkippedItemsTo
    Maximum number of skipped messages, or unlimited [default: 1000].
    .PARAMETER SkipSubscription
    Accepted for compatibility with Exchange scripts; has no effect.
    #>
    [CmdletBinding()]
    param(
        [Parameter(Mandatory, Position = 0, ValueFromPipeline, ValueFromPipelineByPropertyName)] [string] $Identity,
        [switch] $IncludeReport,
        [switch] $IncludeSkippedItems,
        [string] $LimitSkippedItemsTo,
        [switch] $SkipSubscription
    )
    process {
        Invoke-MailhaulOperation $PSCmdlet 'Get-MigrationUserStatistics' @('Mailhaul.MigrationUserStatistics') $PSBoundParameters
    }
}

function Get-MigrationUserReport {
    <#
    .SYNOPSIS
    Shows the lines of a user's report, oldest first; those after a number, if it grows.
    .PARAMETER Identity
    E-mail address or GUID of the user.
    .PARAMETER After
    Only lines after the one with this number.
    .PARAMETER ResultSize
    Maximum number of results, or unlimited [default: 1000].
    #>
    [CmdletBinding()]
    param(
        [Parameter(Mandatory, Position = 0, ValueFromPipeline, ValueFromPipelineByPropertyName)] [string] $Identity,
        [long] $After,
        [string] $ResultSize
    )
    process {
        Invoke-MailhaulOperation $PSCmdlet 'Get-MigrationUserReport' @('Mailhaul.MigrationUserReport') $PSBoundParameters
    }
}

function Get-MigrationSkippedItem {
    <#
    .SYNOPSIS
    Lists messages that the last pass skipped, and can save them as files.
    .PARAMETER Identity
    E-mail address or GUID of the user.
    .PARAMETER BatchId
    All users of this batch, instead of one user.
    .PARAMETER Export
    Saves each message as an .eml file in this directory (absolute path). The directory is on this machine. Existing files are not overwritten. The messages are as on the source.
    .PARAMETER ResultSize
    Maximum number of results, or unlimited [default: 1000].
    #>
    [CmdletBinding()]
    param(
        [Parameter(Position = 0, ValueFromPipeline, ValueFromPipelineByPropertyName)] [string] $Identity,
        [string] $BatchId,
        [string] $Export,
        [string] $ResultSize
    )
    process {
        Invoke-MailhaulOperation $PSCmdlet 'Get-MigrationSkippedItem' @('Mailhaul.MigrationSkippedItem') $PSBoundParameters
    }
}

function Get-MigrationFolderPlan {
    <#
    .SYNOPSIS
    Shows the target of each folder of a user, with the reason. Changes nothing.
    .PARAMETER Identity
    E-mail address or GUID of the user.
    #>
    [CmdletBinding()]
    param(
        [Parameter(Mandatory, Position = 0, ValueFromPipeline, ValueFromPipelineByPropertyName)] [string] $Identity
    )
    process {
        Invoke-MailhaulOperation $PSCmdlet 'Get-MigrationFolderPlan' @('Mailhaul.MigrationFolderPlan') $PSBoundParameters
    }
}

function Test-MigrationFolderPlan {
    <#
    .SYNOPSIS
    Tries folder settings before they are saved: shows the target of each folder, summed over users, and folders that meet in one target. Changes nothing.
    .PARAMETER Identity
    E-mail address or GUID of a user, or name or GUID of a batch.
    .PARAMETER Users
    E-mail addresses of the batch's users to read [default: the first 10] [max: 100].
    .PARAMETER FolderMap
    Target folders to try, instead of those of the batch; - leaves a folder out.
    .PARAMETER ExcludeFolders
    Folders to leave out, instead of those of the batch.
    #>
    [CmdletBinding()]
    param(
        [Parameter(Mandatory, Position = 0, ValueFromPipeline, ValueFromPipelineByPropertyName)] [string] $Identity,
        [string[]] $Users,
        [hashtable] $FolderMap,
        [string[]] $ExcludeFolders
    )
    process {
        Invoke-MailhaulOperation $PSCmdlet 'Test-MigrationFolderPlan' @('Mailhaul.MigrationFolderPlanTest') $PSBoundParameters
    }
}

function Get-MigrationFailure {
    <#
    .SYNOPSIS
    Shows why users failed: each cause once, with the number of its users.
    .PARAMETER BatchId
    Only users of this batch.
    .PARAMETER ErrorClass
    Only failures of this class.
    #>
    [CmdletBinding()]
    param(
        [string] $BatchId,
        [ValidateSet('Authentication', 'Connection', 'Throttled', 'Quota', 'Refused', 'Storage', 'Internal')] [string] $ErrorClass
    )
    process {
        Invoke-MailhaulOperation $PSCmdlet 'Get-MigrationFailure' @('Mailhaul.MigrationFailure') $PSBoundParameters
    }
}

function Get-MigrationIssue {
    <#
    .SYNOPSIS
    Shows what needs the administrator now: failed users, paused endpoints, skipped messages, mailboxes that cannot be opened, lost nodes.
    .PARAMETER Severity
    Only issues with this severity.
    #>
    [CmdletBinding()]
    param(
        [ValidateSet('Error', 'Warning', 'Information')] [string] $Severity
    )
    process {
        Invoke-MailhaulOperation $PSCmdlet 'Get-MigrationIssue' @('Mailhaul.MigrationIssue') $PSBoundParameters
    }
}

function Get-MigrationStatistics {
    <#
    .SYNOPSIS
    Shows the progress of all batches together.
    #>
    [CmdletBinding()]
    param(

    )
    process {
        Invoke-MailhaulOperation $PSCmdlet 'Get-MigrationStatistics' @('Mailhaul.MigrationStatistics') $PSBoundParameters
    }
}

function Get-MigrationThroughput {
    <#
    .SYNOPSIS
    Shows bytes, messages and users of a batch or endpoint over time.
    .PARAMETER Identity
    Name or GUID of a batch or of an endpoint.
    .PARAMETER From
    Start of the series [default: an hour before To].
    .PARAMETER To
    End of the series [default: now].
    .PARAMETER Step
    Length of a period [default: by the length of the series]. Less than a minute is possible for the last 10 minutes, and shows the work of this service alone, beside others on one database. Minutes are kept for 48 hours, quarter-hours for 90 days.
    #>
    [CmdletBinding()]
    param(
        [Parameter(Mandatory, Position = 0, ValueFromPipeline, ValueFromPipelineByPropertyName)] [string] $Identity,
        [datetime] $From,
        [datetime] $To,
        [timespan] $Step
    )
    process {
        Invoke-MailhaulOperation $PSCmdlet 'Get-MigrationThroughput' @('Mailhaul.MigrationThroughput') $PSBoundParameters
    }
}

function Get-MigrationConfig {
    <#
    .SYNOPSIS
    Shows the configuration for all batches.
    #>
    [CmdletBinding()]
    param(

    )
    process {
        Invoke-MailhaulOperation $PSCmdlet 'Get-MigrationConfig' @('Mailhaul.MigrationConfig') $PSBoundParameters
    }
}

function Set-MigrationConfig {
    <#
    .SYNOPSIS
    Changes the configuration for all batches.
    .PARAMETER IfRevision
    Revision that the configuration must have; otherwise nothing is changed.
    .PARAMETER MaxNumberOfBatches
    Maximum number of batches, or unlimited.
    .PARAMETER MaxConcurrentMigrations
    Maximum number of active mailboxes over all endpoints, or unlimited.
    .PARAMETER TargetEndpoint
    Default target of new batches; Archive or $null for the archive in the data directory. Existing batches keep their target.
    .PARAMETER CutoverPolicy
    Answer to the removal of a batch whose old server may still be needed [default: Warn]. Off also ends all questions to DNS.
    .PARAMETER PublicResolvers
    Resolvers to ask beside those of the machine, as ADDRESS or ADDRESS:PORT; $null for none. They learn the domains of the batches.
    .PARAMETER SmtpServer
    Server that takes the mails of notifications; $null for none.
    .PARAMETER SmtpPort
    TCP port of the SMTP server; $null for the usual one of SmtpSecurity: 587, 465 or 25.
    .PARAMETER SmtpSecurity
    Encryption to the SMTP server: Tls is STARTTLS [default: Tls].
    .PARAMETER SmtpCredential
    Login at the SMTP server; $null for none.
    .PARAMETER NotificationFrom
    Sender of the mails [default: the user name of SmtpCredential].
    .PARAMETER WebhookUrl
    URL that takes webhooks; $null for none.
    .PARAMETER WebhookSecret
    Secret that signs webhooks, as Standard Webhooks say: whsec_ and Base64, or a text.
    #>
    [CmdletBinding(SupportsShouldProcess)]
    param(
        [string] $IfRevision,
        [string] $MaxNumberOfBatches,
        [string] $MaxConcurrentMigrations,
        [AllowNull()] [object] $TargetEndpoint,
        [ValidateSet('Off', 'Warn', 'Refuse')] [string] $CutoverPolicy,
        [AllowNull()] [object] $PublicResolvers,
        [AllowNull()] [object] $SmtpServer,
        [System.Nullable[long]] $SmtpPort,
        [ValidateSet('None', 'Ssl', 'Tls')] [string] $SmtpSecurity,
        [AllowNull()] [object] $SmtpCredential,
        [AllowNull()] [object] $NotificationFrom,
        [AllowNull()] [object] $WebhookUrl,
        [AllowNull()] [object] $WebhookSecret
    )
    process {
        if ($PSCmdlet.ShouldProcess('mailhaul')) { Invoke-MailhaulOperation $PSCmdlet 'Set-MigrationConfig' @('Mailhaul.MigrationConfig') $PSBoundParameters }
    }
}

function Get-MigrationNotification {
    <#
    .SYNOPSIS
    Lists notifications, one for each receiver, newest first.
    .PARAMETER BatchId
    Only notifications of this batch.
    .PARAMETER Undelivered
    Leaves out what was delivered.
    .PARAMETER ResultSize
    Maximum number of results, or unlimited [default: 1000].
    #>
    [CmdletBinding()]
    param(
        [string] $BatchId,
        [switch] $Undelivered,
        [string] $ResultSize
    )
    process {
        Invoke-MailhaulOperation $PSCmdlet 'Get-MigrationNotification' @('Mailhaul.MigrationNotification') $PSBoundParameters
    }
}

function Test-MigrationNotification {
    <#
    .SYNOPSIS
    Sends a test mail and a test webhook now, and shows the answers of the servers.
    .PARAMETER To
    Addresses that get the test mail [default: NotificationFrom].
    .PARAMETER BatchId
    Sends the test mail to the addresses of this batch too.
    #>
    [CmdletBinding()]
    param(
        [string[]] $To,
        [string] $BatchId
    )
    process {
        Invoke-MailhaulOperation $PSCmdlet 'Test-MigrationNotification' @('Mailhaul.MigrationNotificationTest') $PSBoundParameters
    }
}

function Export-MigrationReport {
    <#
    .SYNOPSIS
    Writes a report of a batch as a CSV file: statistics, errors, or skipped messages.
    .PARAMETER Identity
    Name or GUID of the batch.
    .PARAMETER Kind
    Report to write [default: Statistics].
    .PARAMETER WithByteOrderMark
    Begins the file with a byte order mark, by which some spreadsheets recognise UTF-8.
    #>
    [CmdletBinding()]
    param(
        [Parameter(Mandatory, Position = 0, ValueFromPipeline, ValueFromPipelineByPropertyName)] [string] $Identity,
        [ValidateSet('Statistics', 'Errors', 'SkippedItems')] [string] $Kind,
        [switch] $WithByteOrderMark
    )
    process {
        Invoke-MailhaulOperation $PSCmdlet 'Export-MigrationReport' @('Mailhaul.MigrationReport') $PSBoundParameters
    }
}

function Get-MigrationAuditLog {
    <#
    .SYNOPSIS
    Lists all changes with caller and time, newest first.
    .PARAMETER ResultSize
    Maximum number of results, or unlimited [default: 1000].
    #>
    [CmdletBinding()]
    param(
        [string] $ResultSize
    )
    process {
        Invoke-MailhaulOperation $PSCmdlet 'Get-MigrationAuditLog' @('Mailhaul.MigrationAuditLog') $PSBoundParameters
    }
}

function New-MigrationApiToken {
    <#
    .SYNOPSIS
    Makes a token for the HTTP interface, and shows its value once.
    .PARAMETER Name
    Name of the token, as shown in the audit log.
    .PARAMETER Role
    Rights of the token's owner.
    #>
    [CmdletBinding(SupportsShouldProcess)]
    param(
        [Parameter(Mandatory, Position = 0)] [string] $Name,
        [Parameter(Mandatory)] [ValidateSet('Viewer', 'Operator', 'Admin')] [string] $Role
    )
    process {
        if ($PSCmdlet.ShouldProcess($Name)) { Invoke-MailhaulOperation $PSCmdlet 'New-MigrationApiToken' @('Mailhaul.MigrationApiToken#New-MigrationApiToken', 'Mailhaul.MigrationApiToken') $PSBoundParameters }
    }
}

function Get-MigrationApiToken {
    <#
    .SYNOPSIS
    Lists the tokens of the HTTP interface, without their secret values.
    .PARAMETER Identity
    Name or GUID of the token [default: all].
    #>
    [CmdletBinding()]
    param(
        [Parameter(Position = 0, ValueFromPipeline, ValueFromPipelineByPropertyName)] [string] $Identity
    )
    process {
        Invoke-MailhaulOperation $PSCmdlet 'Get-MigrationApiToken' @('Mailhaul.MigrationApiToken') $PSBoundParameters
    }
}

function Remove-MigrationApiToken {
    <#
    .SYNOPSIS
    Revokes a token immediately. It stays in the list.
    .PARAMETER Identity
    Name or GUID of the token.
    #>
    [CmdletBinding(SupportsShouldProcess, ConfirmImpact = 'High')]
    param(
        [Parameter(Mandatory, Position = 0, ValueFromPipeline, ValueFromPipelineByPropertyName)] [string] $Identity
    )
    process {
        if ($PSCmdlet.ShouldProcess($Identity)) { Invoke-MailhaulOperation $PSCmdlet 'Remove-MigrationApiToken' @('Mailhaul.MigrationApiToken#Remove-MigrationApiToken', 'Mailhaul.MigrationApiToken') $PSBoundParameters }
    }
}

function New-MigrationMasterKey {
    <#
    .SYNOPSIS
    Encrypts all passwords with a new key; all of them or none.
    .PARAMETER KeyFile
    File with the new key [default: a new key in the data directory]. If you give KeyFile, set `MAILHAUL_MASTER_KEY_FILE` to it before the next start. Without KeyFile, this works only if the current key is in the data directory.
    #>
    [CmdletBinding(SupportsShouldProcess, ConfirmImpact = 'High')]
    param(
        [string] $KeyFile
    )
    process {
        if ($PSCmdlet.ShouldProcess('mailhaul')) { Invoke-MailhaulOperation $PSCmdlet 'New-MigrationMasterKey' @('Mailhaul.MigrationMasterKey') $PSBoundParameters }
    }
}

function Get-MigrationNode {
    <#
    .SYNOPSIS
    Lists the services that run on one PostgreSQL database. With a data directory there is one service, and no list.
    .PARAMETER Identity
    Name or GUID of the node [default: all].
    #>
    [CmdletBinding()]
    param(
        [Parameter(Position = 0, ValueFromPipeline, ValueFromPipelineByPropertyName)] [string] $Identity
    )
    process {
        Invoke-MailhaulOperation $PSCmdlet 'Get-MigrationNode' @('Mailhaul.MigrationNode') $PSBoundParameters
    }
}

function Set-MigrationNode {
    <#
    .SYNOPSIS
    Takes the mailboxes from a node, or gives it mailboxes again.
    .PARAMETER Identity
    Name or GUID of the node.
    .PARAMETER Drain
    Ends the passes of the node, which other nodes continue, and begins no more; $false begins again. Do this before you stop or update a machine.
    #>
    [CmdletBinding(SupportsShouldProcess)]
    param(
        [Parameter(Mandatory, Position = 0, ValueFromPipeline, ValueFromPipelineByPropertyName)] [string] $Identity,
        [Parameter(Mandatory)] [System.Nullable[bool]] $Drain
    )
    process {
        if ($PSCmdlet.ShouldProcess($Identity)) { Invoke-MailhaulOperation $PSCmdlet 'Set-MigrationNode' @('Mailhaul.MigrationNode#Set-MigrationNode', 'Mailhaul.MigrationNode') $PSBoundParameters }
    }
}

Export-ModuleMember -Function 'Test-MigrationServerAvailability', 'New-MigrationEndpoint', 'Get-MigrationEndpoint', 'Set-MigrationEndpoint', 'Test-MigrationEndpoint', 'Remove-MigrationEndpoint', 'New-MigrationEndpointSignIn', 'Test-MigrationBatch', 'New-MigrationBatch', 'Get-MigrationBatch', 'Set-MigrationBatch', 'Start-MigrationBatch', 'Stop-MigrationBatch', 'Complete-MigrationBatch', 'Remove-MigrationBatch', 'Get-MigrationCutover', 'Test-MigrationCutover', 'Set-MigrationCutover', 'Get-MigrationUser', 'Set-MigrationUser', 'Start-MigrationUser', 'Stop-MigrationUser', 'Remove-MigrationUser', 'Get-MigrationUserStatistics', 'Get-MigrationUserReport', 'Get-MigrationSkippedItem', 'Get-MigrationFolderPlan', 'Test-MigrationFolderPlan', 'Get-MigrationFailure', 'Get-MigrationIssue', 'Get-MigrationStatistics', 'Get-MigrationThroughput', 'Get-MigrationConfig', 'Set-MigrationConfig', 'Get-MigrationNotification', 'Test-MigrationNotification', 'Export-MigrationReport', 'Get-MigrationAuditLog', 'New-MigrationApiToken', 'Get-MigrationApiToken', 'Remove-MigrationApiToken', 'New-MigrationMasterKey', 'Get-MigrationNode', 'Set-MigrationNode'

