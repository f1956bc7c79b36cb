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

function Invoke-MailhaulOperation([string] $Operation, $Parameters) {
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
        $message = $answer.Error.Message
        if ($answer.Error.Advice) { $message = "$message. $($answer.Error.Advice)" }
        Write-Error -Message $message -ErrorId $answer.Error.Code -ErrorAction Stop
    }
    $answer.Value
}

function Test-MigrationServerAvailability {
    <#
    .SYNOPSIS
    Goes the way to a mail server step by step, shows what it can do, and where somebody logs in, how fast it is and by which form an administrator opens a mailbox; changes nothing.
    .PARAMETER IMAP
    Any IMAP server, as where nothing else is said.
    .PARAMETER Microsoft365
    Exchange Online, with what New-MigrationEndpoint takes for it.
    .PARAMETER GoogleWorkspace
    Gmail of an organisation, with what New-MigrationEndpoint takes for it.
    .PARAMETER Gmail
    The same as GoogleWorkspace: Exchange's word.
    .PARAMETER RemoteServer
    The host of the IMAP server; that of the service with Microsoft365 and GoogleWorkspace.
    .PARAMETER Port
    The TCP port: 993 with Ssl and 143 with Tls or None, where nothing else is said.
    .PARAMETER Security
    How the connection is secured; Ssl where nothing is said.
    .PARAMETER Authentication
    How users prove who they are.
    .PARAMETER AcceptUntrustedCertificates
    Takes any certificate.
    .PARAMETER CertificateAuthorities
    A file of certificates (PEM) of authorities that are trusted in place of the system's.
    .PARAMETER CertificateSha256
    The SHA-256 of the only certificate that is taken.
    .PARAMETER Endpoint
    An endpoint of which the settings are tried, in place of a server.
    .PARAMETER Credential
    A user who is to log in too; with TestMailbox an administrator.
    .PARAMETER AuthMechanism
    The only sign-in mechanism: SCRAM-SHA-256, SCRAM-SHA-1, CRAM-MD5, PLAIN or LOGIN; the strongest that works if not given.
    .PARAMETER TestMailbox
    A mailbox that is to be opened too: with an access token, or by the administrator, as its owner logs in. The form that the server takes is found: each is tried once at most.
    .PARAMETER TenantId
    The organisation at Microsoft, by GUID or domain.
    .PARAMETER ApplicationId
    The application, as the authorization server knows it.
    .PARAMETER ClientSecret
    The application's secret.
    .PARAMETER CertificateFile
    A file (PEM) with the application's certificate and its private key.
    .PARAMETER ServiceAccountKeyFileData
    A file (JSON) with the key of a service account of Google.
    .PARAMETER AccessToken
    One access token.
    .PARAMETER AuthorityUrl
    The authorization server, where it is not the service's public one.
    .PARAMETER TokenUrl
    The token endpoint, where it does not follow from AuthorityUrl.
    .PARAMETER Scope
    For what a token is to be good, where it is not what the service wants.
    .PARAMETER ShowInstructions
    Shows how the other side is set up, also where all went well: an administrator's commands for Microsoft 365 or Google Workspace.
    .PARAMETER TestConnections
    Opens connections until the server refuses one: as many as the endpoint's MaxConcurrentMigrations, or 16. Some servers shut out for a while who does that.
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
        [pscredential] $Credential,
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
        Invoke-MailhaulOperation 'Test-MigrationServerAvailability' $PSBoundParameters
    }
}

function New-MigrationEndpoint {
    <#
    .SYNOPSIS
    Makes an endpoint: a mail server, and how many mailboxes may be under way there at once.
    .PARAMETER Name
    The endpoint's name.
    .PARAMETER IMAP
    Any IMAP server, as every endpoint is where nothing else is said.
    .PARAMETER Microsoft365
    Exchange Online: its address, peculiarities and limits are known, and mailboxes are opened with access tokens.
    .PARAMETER GoogleWorkspace
    Gmail of an organisation: its address, peculiarities and limits are known, and mailboxes are opened with access tokens.
    .PARAMETER Gmail
    The same as GoogleWorkspace: Exchange's word.
    .PARAMETER RemoteServer
    The host of the IMAP server; that of the service with Microsoft365 and GoogleWorkspace.
    .PARAMETER Port
    The TCP port: 993 with Ssl and 143 with Tls or None, where nothing else is said.
    .PARAMETER Security
    How the connection is secured; Ssl where nothing is said.
    .PARAMETER Authentication
    How users prove who they are.
    .PARAMETER AcceptUntrustedCertificates
    Takes any certificate: whoever stands between reads passwords and mail.
    .PARAMETER CertificateAuthorities
    A file of certificates (PEM) of authorities that are trusted in place of the system's.
    .PARAMETER CertificateSha256
    The SHA-256 of the only certificate that is taken: 64 hexadecimal digits, with or without colons.
    .PARAMETER MaxConcurrentMigrations
    Mailboxes under way at once; 20 where nothing is said.
    .PARAMETER MaxConcurrentIncrementalSyncs
    Of these, mailboxes in a later pass; 10 where nothing is said, never above MaxConcurrentMigrations.
    .PARAMETER ServerProfile
    The profile of the server, by which its peculiarities are known; recognised by what the server says where nothing is given.
    .PARAMETER AuthMechanism
    The only sign-in mechanism: SCRAM-SHA-256, SCRAM-SHA-1, CRAM-MD5, PLAIN or LOGIN; the strongest that works if not given.
    .PARAMETER MessagesPerSecond
    Messages in a second at most, read and written, over all mailboxes; the profile's where nothing is said.
    .PARAMETER BytesPerSecond
    Octets in a second at most, over all mailboxes; the profile's where nothing is said.
    .PARAMETER BytesPerDay
    Octets in 24 hours at most, over all mailboxes; the profile's where nothing is said.
    .PARAMETER MailboxBytesPerDay
    Octets in 24 hours at most, for each mailbox; the profile's where nothing is said.
    .PARAMETER Credential
    An administrator who opens every mailbox, in place of each user's own login.
    .PARAMETER UserNameTemplate
    How the administrator's login names the mailbox, such as {user}*{admin}, or PROXYAUTH; without it the SASL authorization identity does.
    .PARAMETER TenantId
    The organisation at Microsoft, by GUID or domain.
    .PARAMETER ApplicationId
    The application, as the authorization server knows it. With neither secret nor certificate somebody signs in with `mailhaul login`.
    .PARAMETER ClientSecret
    The application's secret.
    .PARAMETER CertificateFile
    A file (PEM) with the application's certificate and its private key.
    .PARAMETER ServiceAccountKeyFileData
    A file (JSON) with the key of a service account of Google, to which the organisation has delegated.
    .PARAMETER RefreshToken
    A refresh token of somebody who signed in elsewhere.
    .PARAMETER TokenCommand
    A program, by its full path, and its arguments: it prints an access token; {user} is the mailbox. Only on the machine itself.
    .PARAMETER AccessToken
    One access token, for a test: it is used until it ends.
    .PARAMETER AuthorityUrl
    The authorization server, where it is not the service's public one: that of a national cloud.
    .PARAMETER TokenUrl
    The token endpoint, where it does not follow from AuthorityUrl.
    .PARAMETER DeviceUrl
    Where a device asks for a code, where it does not follow from AuthorityUrl.
    .PARAMETER Scope
    For what a token is to be good, where it is not what the service wants.
    .PARAMETER GmailApi
    Uploads messages to Gmail by its API, and not by IMAP, of which Gmail takes 500 MB a day for each user.
    .PARAMETER GmailApiUrl
    The address of Gmail's API, where it is not Google's public one.
    .PARAMETER TestMailbox
    A mailbox that is opened to try the endpoint.
    .PARAMETER EmailAddress
    The same as TestMailbox: Exchange's word with Gmail.
    .PARAMETER SkipVerification
    Keeps the endpoint without connecting to its server.
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
        [pscredential] $Credential,
        [string] $UserNameTemplate,
        [string] $TenantId,
        [string] $ApplicationId,
        [securestring] $ClientSecret,
        [byte[]] $CertificateFile,
        [byte[]] $ServiceAccountKeyFileData,
        [securestring] $RefreshToken,
        [string[]] $TokenCommand,
        [securestring] $AccessToken,
        [string] $AuthorityUrl,
        [string] $TokenUrl,
        [string] $DeviceUrl,
        [string] $Scope,
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
        if ($PSCmdlet.ShouldProcess($Name)) { Invoke-MailhaulOperation 'New-MigrationEndpoint' $PSBoundParameters }
    }
}

function Get-MigrationEndpoint {
    <#
    .SYNOPSIS
    Shows endpoints, and how many mailboxes are under way there.
    .PARAMETER Identity
    The endpoint's name or GUID; all where it is left out.
    .PARAMETER Type
    Endpoints of this type.
    #>
    [CmdletBinding()]
    param(
        [Parameter(Position = 0, ValueFromPipeline, ValueFromPipelineByPropertyName)] [string] $Identity,
        [ValidateSet('IMAP', 'Microsoft365', 'GoogleWorkspace')] [string] $Type
    )
    process {
        Invoke-MailhaulOperation 'Get-MigrationEndpoint' $PSBoundParameters
    }
}

function Set-MigrationEndpoint {
    <#
    .SYNOPSIS
    Changes an endpoint, also while batches run: how many mailboxes may be under way and how much may be sent in a time counts at once, everything else from the next pass on, or at once with Set-MigrationBatch -Update.
    .PARAMETER Identity
    The endpoint's name or GUID.
    .PARAMETER RemoteServer
    The host of the IMAP server.
    .PARAMETER Port
    The TCP port.
    .PARAMETER Security
    How the connection is secured. The port stays as it is where none is given.
    .PARAMETER Authentication
    How users prove who they are.
    .PARAMETER AcceptUntrustedCertificates
    Whether any certificate is taken: whoever stands between reads passwords and mail then.
    .PARAMETER CertificateAuthorities
    A file of certificates (PEM) of authorities that are trusted in place of the system's.
    .PARAMETER CertificateSha256
    The SHA-256 of the only certificate that is taken.
    .PARAMETER MaxConcurrentMigrations
    Mailboxes under way at once. It counts at once, also where fewer are allowed than are under way.
    .PARAMETER MaxConcurrentIncrementalSyncs
    Of these, mailboxes in a later pass; never above MaxConcurrentMigrations.
    .PARAMETER ServerProfile
    The profile of the server, by which its peculiarities are known; $null to recognise it by what the server says.
    .PARAMETER AuthMechanism
    The only sign-in mechanism; $null for the strongest that works.
    .PARAMETER MessagesPerSecond
    Messages in a second at most, read and written, over all mailboxes; $null for the profile's.
    .PARAMETER BytesPerSecond
    Octets in a second at most, over all mailboxes; $null for the profile's.
    .PARAMETER BytesPerDay
    Octets in 24 hours at most, over all mailboxes; $null for the profile's.
    .PARAMETER MailboxBytesPerDay
    Octets in 24 hours at most, for each mailbox; $null for the profile's.
    .PARAMETER Credential
    An administrator who opens every mailbox; $null for each user's own login.
    .PARAMETER UserNameTemplate
    How the administrator's login names the mailbox, such as {user}*{admin}, or PROXYAUTH; $null for the SASL authorization identity.
    .PARAMETER TenantId
    The organisation at Microsoft, by GUID or domain.
    .PARAMETER ApplicationId
    The application, as the authorization server knows it.
    .PARAMETER ClientSecret
    A new secret of the application.
    .PARAMETER CertificateFile
    A file (PEM) with a new certificate of the application and its private key.
    .PARAMETER ServiceAccountKeyFileData
    A file (JSON) with a new key of a service account of Google.
    .PARAMETER RefreshToken
    A new refresh token of somebody who signed in elsewhere.
    .PARAMETER TokenCommand
    A program, by its full path, and its arguments: it prints an access token; {user} is the mailbox. Only on the machine itself.
    .PARAMETER AccessToken
    One access token, for a test.
    .PARAMETER AuthorityUrl
    The authorization server: TokenUrl and DeviceUrl follow from it.
    .PARAMETER TokenUrl
    The token endpoint.
    .PARAMETER DeviceUrl
    Where a device asks for a code.
    .PARAMETER Scope
    For what a token is to be good.
    .PARAMETER GmailApi
    Whether messages are uploaded to Gmail by its API, and not by IMAP.
    .PARAMETER GmailApiUrl
    The address of Gmail's API.
    .PARAMETER TestMailbox
    A mailbox that is opened to try the change.
    .PARAMETER SkipVerification
    Keeps the change without connecting to the server.
    #>
    [CmdletBinding(SupportsShouldProcess)]
    param(
        [Parameter(Mandatory, Position = 0, ValueFromPipeline, ValueFromPipelineByPropertyName)] [string] $Identity,
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
        [AllowNull()] [object] $Credential,
        [AllowNull()] [object] $UserNameTemplate,
        [string] $TenantId,
        [string] $ApplicationId,
        [securestring] $ClientSecret,
        [byte[]] $CertificateFile,
        [byte[]] $ServiceAccountKeyFileData,
        [securestring] $RefreshToken,
        [string[]] $TokenCommand,
        [securestring] $AccessToken,
        [string] $AuthorityUrl,
        [string] $TokenUrl,
        [string] $DeviceUrl,
        [string] $Scope,
        [System.Nullable[bool]] $GmailApi,
        [string] $GmailApiUrl,
        [string] $TestMailbox,
        [switch] $SkipVerification
    )
    process {
        if ($PSCmdlet.ShouldProcess($Identity)) { Invoke-MailhaulOperation 'Set-MigrationEndpoint' $PSBoundParameters }
    }
}

function Test-MigrationEndpoint {
    <#
    .SYNOPSIS
    Connects to an endpoint's server, and logs in where that is asked for; changes nothing.
    .PARAMETER Identity
    The endpoint's name or GUID.
    .PARAMETER Credential
    A user who is to log in too.
    .PARAMETER TestMailbox
    A mailbox that is to be opened too, by the endpoint's administrator or with an access token.
    .PARAMETER ShowInstructions
    Shows how the other side is set up, also where all went well: an administrator's commands for Microsoft 365 or Google Workspace.
    #>
    [CmdletBinding()]
    param(
        [Parameter(Mandatory, Position = 0, ValueFromPipeline, ValueFromPipelineByPropertyName)] [string] $Identity,
        [pscredential] $Credential,
        [string] $TestMailbox,
        [switch] $ShowInstructions
    )
    process {
        Invoke-MailhaulOperation 'Test-MigrationEndpoint' $PSBoundParameters
    }
}

function Remove-MigrationEndpoint {
    <#
    .SYNOPSIS
    Removes an endpoint that no batch uses.
    .PARAMETER Identity
    The endpoint's name or GUID.
    #>
    [CmdletBinding(SupportsShouldProcess, ConfirmImpact = 'High')]
    param(
        [Parameter(Mandatory, Position = 0, ValueFromPipeline, ValueFromPipelineByPropertyName)] [string] $Identity
    )
    process {
        if ($PSCmdlet.ShouldProcess($Identity)) { Invoke-MailhaulOperation 'Remove-MigrationEndpoint' $PSBoundParameters }
    }
}

function New-MigrationBatch {
    <#
    .SYNOPSIS
    Makes a batch out of a CSV file of mailboxes, and starts it where that is asked for.
    .PARAMETER Name
    The batch's name: at most 64 characters, and no other batch's.
    .PARAMETER CSVData
    The CSV file of mailboxes: EmailAddress, UserName, Password, and where needed UserRoot, TargetUserName and TargetPassword. At most 50,000 rows and 10 MB.
    .PARAMETER SourceEndpoint
    The endpoint that mail comes from.
    .PARAMETER TargetEndpoint
    The endpoint that mail goes to, or Archive for the archive in the data directory; that of Set-MigrationConfig where nothing is said.
    .PARAMETER AutoStart
    Starts the batch at once.
    .PARAMETER StartAfter
    No mail is moved before.
    .PARAMETER CompleteAfter
    Mailboxes are kept in step until then; then the final sync is made.
    .PARAMETER TimeZone
    The zone of dates without one, as the IANA or Windows names it; UTC where nothing is said.
    .PARAMETER ExcludeFolders
    These folders are left out: Name, Name/* with all below, or a well-known one such as #DeletedItems#.
    .PARAMETER IncludeFolders
    Only these folders; the same forms.
    .PARAMETER FolderMap
    Folders that go to another name: @{"Sent" = "Sent Items"}; Name/* means all below too, and - leaves a folder out.
    .PARAMETER FolderMapData
    The same as a CSV file: Source, which is Name, or Name/* with all below, and Target, which is - or empty where the folder is left out.
    .PARAMETER ContentFilter
    Only messages received then: Received with -gt, -ge, -lt, -le, -eq or -ne and a date, joined by -and, -or, -not and parentheses.
    .PARAMETER ContentFilterLanguage
    The language in which the filter is written. Dates are read as 2024-12-31, and as 12/31/2024 where it is en-US.
    .PARAMETER AllowUnknownColumnsInCsv
    Whether columns that are not known are left out with a warning; otherwise they are refused.
    .PARAMETER AllowIncrementalSyncs
    Whether later passes follow the first; $true where nothing is said.
    .PARAMETER SyncInterval
    From one later pass to the next, at least 00:01:00; 24:00:00 where nothing is said.
    .PARAMETER Deletions
    What becomes of messages on the target that were deleted on the source; Keep where nothing is said.
    .PARAMETER MaxDeletionPercent
    With Deletions Mirror: percent of a mailbox's copies that one sync removes at most [default: 10]. More wait for a second sync an hour later, or for ConfirmDeletions.
    .PARAMETER MaxDeletionCount
    With Deletions Mirror: copies that one sync removes also where they are a larger share [default: 100].
    .PARAMETER NewestFirst
    The newest messages come first.
    .PARAMETER MaxItems
    Of each folder only so many of the newest messages.
    .PARAMETER MaxMessageSize
    Larger messages are skipped, and reported (octets).
    .PARAMETER Repair
    What may be changed in messages that the target refuses: NulBytes, BareNewlines, LongLines, InvalidHeaders, MissingFinalNewline, or All. Nothing where nothing is said: such messages are skipped and reported.
    .PARAMETER GmailLabels
    What becomes of a message of Gmail that has several labels; Automatic where nothing is said.
    .PARAMETER NotificationEmails
    Not supported: no mail is sent.
    .PARAMETER ReportInterval
    Not supported: no mail is sent.
    .PARAMETER SkipReports
    Not supported: no mail is sent.
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
        if ($PSCmdlet.ShouldProcess($Name)) { Invoke-MailhaulOperation 'New-MigrationBatch' $PSBoundParameters }
    }
}

function Get-MigrationBatch {
    <#
    .SYNOPSIS
    Shows batches, where they stand, and how many of their users are how far.
    .PARAMETER Identity
    The batch's name or GUID; all where it is left out.
    .PARAMETER Endpoint
    Batches of which this endpoint is source or target.
    .PARAMETER Status
    Batches in this state.
    .PARAMETER IncludeReport
    Shows the report too: when it was made and started, and why users failed.
    .PARAMETER ResultSize
    How many at most, or unlimited; 1000 where nothing is said.
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
        Invoke-MailhaulOperation 'Get-MigrationBatch' $PSBoundParameters
    }
}

function Set-MigrationBatch {
    <#
    .SYNOPSIS
    Changes a batch, also while it runs: adds users, gives them new passwords, changes settings, syncs at once.
    .PARAMETER Identity
    The batch's name or GUID.
    .PARAMETER AddUsers
    Adds the users of CSVData; of those who are in the batch already, logins and passwords become those of the file.
    .PARAMETER CSVData
    With AddUsers: a CSV file of mailboxes.
    .PARAMETER AllowUnknownColumnsInCsv
    Whether columns that are not known are left out with a warning; otherwise they are refused.
    .PARAMETER StartAfter
    No mail is moved before; $null for at once.
    .PARAMETER CompleteAfter
    Mailboxes are kept in step until then; $null for until Complete-MigrationBatch.
    .PARAMETER TimeZone
    The zone of dates without one, as the IANA or Windows names it; $null for UTC.
    .PARAMETER SyncNow
    Carries over at once what is new, for users who are synced.
    .PARAMETER CheckNow
    Opens all mailboxes at once, to see whether they can be; Get-MigrationUser -CheckFailed shows those that cannot.
    .PARAMETER Update
    Users under way go on with the settings of endpoints and batch as they are now, instead of from the next pass on.
    .PARAMETER ApproveSkippedItems
    Approves what was skipped so far.
    .PARAMETER ConfirmDeletions
    Removes with the next sync the copies of messages that vanished from the source and wait to be removed; the users' reports say which folders they are in.
    .PARAMETER AllowIncrementalSyncs
    Whether later passes follow the first.
    .PARAMETER SyncInterval
    From one later pass to the next, at least 00:01:00; counted from now.
    .PARAMETER ExcludeFolders
    These folders are left out.
    .PARAMETER IncludeFolders
    Only these folders.
    .PARAMETER FolderMap
    Folders that go to another name; those that were copied already stay where they are.
    .PARAMETER FolderMapData
    The same as a CSV file with the columns Source and Target; both together replace the map that there is.
    .PARAMETER ContentFilter
    Only messages received then.
    .PARAMETER ContentFilterLanguage
    The language in which the filter is written.
    .PARAMETER Deletions
    What becomes of messages on the target that were deleted on the source.
    .PARAMETER MaxDeletionPercent
    With Deletions Mirror: percent of a mailbox's copies that one sync removes at most. More wait for a second sync an hour later, or for ConfirmDeletions.
    .PARAMETER MaxDeletionCount
    With Deletions Mirror: copies that one sync removes also where they are a larger share.
    .PARAMETER NewestFirst
    Whether the newest messages come first.
    .PARAMETER MaxItems
    Of each folder only so many of the newest messages.
    .PARAMETER MaxMessageSize
    Larger messages are skipped, and reported (octets).
    .PARAMETER Repair
    What may be changed in messages that the target refuses; $null for nothing.
    .PARAMETER GmailLabels
    What becomes of a message of Gmail that has several labels.
    .PARAMETER NotificationEmails
    Not supported: no mail is sent.
    .PARAMETER ReportInterval
    Not supported: no mail is sent.
    .PARAMETER SkipReports
    Not supported: no mail is sent.
    #>
    [CmdletBinding(SupportsShouldProcess)]
    param(
        [Parameter(Mandatory, Position = 0, ValueFromPipeline, ValueFromPipelineByPropertyName)] [string] $Identity,
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
        [string[]] $NotificationEmails,
        [timespan] $ReportInterval,
        [switch] $SkipReports
    )
    process {
        if ($PSCmdlet.ShouldProcess($Identity)) { Invoke-MailhaulOperation 'Set-MigrationBatch' $PSBoundParameters }
    }
}

function Start-MigrationBatch {
    <#
    .SYNOPSIS
    Starts a batch, goes on with one that was stopped, and tries users that failed again.
    .PARAMETER Identity
    The batch's name or GUID.
    #>
    [CmdletBinding(SupportsShouldProcess)]
    param(
        [Parameter(Mandatory, Position = 0, ValueFromPipeline, ValueFromPipelineByPropertyName)] [string] $Identity
    )
    process {
        if ($PSCmdlet.ShouldProcess($Identity)) { Invoke-MailhaulOperation 'Start-MigrationBatch' $PSBoundParameters }
    }
}

function Stop-MigrationBatch {
    <#
    .SYNOPSIS
    Stops a batch: users under way come to the end of what they do, and nothing follows.
    .PARAMETER Identity
    The batch's name or GUID.
    #>
    [CmdletBinding(SupportsShouldProcess, ConfirmImpact = 'High')]
    param(
        [Parameter(Mandatory, Position = 0, ValueFromPipeline, ValueFromPipelineByPropertyName)] [string] $Identity
    )
    process {
        if ($PSCmdlet.ShouldProcess($Identity)) { Invoke-MailhaulOperation 'Stop-MigrationBatch' $PSBoundParameters }
    }
}

function Complete-MigrationBatch {
    <#
    .SYNOPSIS
    Makes the final sync of a batch's users, after which no other follows. Users that are not synced yet complete when they are; a user's own CompleteAfter is waited for.
    .PARAMETER Identity
    The batch's name or GUID.
    .PARAMETER SyncAndComplete
    Only where every user is synced: refused where one failed, is stopped, or is under way.
    #>
    [CmdletBinding(SupportsShouldProcess)]
    param(
        [Parameter(Mandatory, Position = 0, ValueFromPipeline, ValueFromPipelineByPropertyName)] [string] $Identity,
        [switch] $SyncAndComplete
    )
    process {
        if ($PSCmdlet.ShouldProcess($Identity)) { Invoke-MailhaulOperation 'Complete-MigrationBatch' $PSBoundParameters }
    }
}

function Remove-MigrationBatch {
    <#
    .SYNOPSIS
    Removes a batch with its users, their passwords and reports, at once and in every state. Mail on the target stays, and another batch of the same users copies nothing twice.
    .PARAMETER Identity
    The batch's name or GUID.
    .PARAMETER Force
    Taken for the sake of scripts: every batch can be removed.
    #>
    [CmdletBinding(SupportsShouldProcess, ConfirmImpact = 'High')]
    param(
        [Parameter(Mandatory, Position = 0, ValueFromPipeline, ValueFromPipelineByPropertyName)] [string] $Identity,
        [switch] $Force
    )
    process {
        if ($PSCmdlet.ShouldProcess($Identity)) { Invoke-MailhaulOperation 'Remove-MigrationBatch' $PSBoundParameters }
    }
}

function Get-MigrationUser {
    <#
    .SYNOPSIS
    Shows users, where they stand, why they failed, and whose mailboxes cannot be opened.
    .PARAMETER Identity
    The user's e-mail address or GUID; all where it is left out.
    .PARAMETER EmailAddress
    The same: an e-mail address.
    .PARAMETER MailboxGuid
    The same: a GUID.
    .PARAMETER BatchId
    Users of this batch.
    .PARAMETER Status
    Users in this state.
    .PARAMETER StatusSummary
    Users in a state of this kind.
    .PARAMETER CheckFailed
    Users of whom a mailbox was found that cannot be opened; CheckError says why.
    .PARAMETER ResultSize
    How many at most, or unlimited; 1000 where nothing is said.
    #>
    [CmdletBinding()]
    param(
        [Parameter(Position = 0, ValueFromPipeline, ValueFromPipelineByPropertyName)] [string] $Identity,
        [string] $EmailAddress,
        [string] $MailboxGuid,
        [string] $BatchId,
        [ValidateSet('Queued', 'Validating', 'Syncing', 'Synced', 'IncrementalSyncing', 'IncrementalFailed', 'IncrementalStopped', 'Stopping', 'Stopped', 'Completing', 'CompletionFailed', 'Completed', 'CompletedWithWarnings', 'Failed')] [string] $Status,
        [ValidateSet('Active', 'Synced', 'Completed', 'Failed', 'Stopped')] [string] $StatusSummary,
        [switch] $CheckFailed,
        [string] $ResultSize
    )
    process {
        Invoke-MailhaulOperation 'Get-MigrationUser' $PSBoundParameters
    }
}

function Set-MigrationUser {
    <#
    .SYNOPSIS
    Changes a user: its times, its passwords; syncs it at once.
    .PARAMETER Identity
    The user's e-mail address or GUID.
    .PARAMETER StartAfter
    No mail of this user is moved before; $null for the batch's StartAfter.
    .PARAMETER CompleteAfter
    This user completes then; $null for the batch's CompleteAfter.
    .PARAMETER SyncNow
    Carries over at once what is new.
    .PARAMETER CheckNow
    Opens both mailboxes at once, to see whether they can be; Get-MigrationUser shows what was found.
    .PARAMETER ApproveSkippedItems
    Approves what was skipped so far.
    .PARAMETER ConfirmDeletions
    Removes with the next sync the copies of messages that vanished from the source and wait to be removed; the user's report says which folders they are in.
    .PARAMETER Credential
    A new login at the source.
    .PARAMETER TargetCredential
    A new login at the target.
    .PARAMETER CSVData
    New logins out of a CSV file with this user's row.
    #>
    [CmdletBinding(SupportsShouldProcess)]
    param(
        [Parameter(Mandatory, Position = 0, ValueFromPipeline, ValueFromPipelineByPropertyName)] [string] $Identity,
        [System.Nullable[datetime]] $StartAfter,
        [System.Nullable[datetime]] $CompleteAfter,
        [switch] $SyncNow,
        [switch] $CheckNow,
        [switch] $ApproveSkippedItems,
        [switch] $ConfirmDeletions,
        [pscredential] $Credential,
        [pscredential] $TargetCredential,
        [byte[]] $CSVData
    )
    process {
        if ($PSCmdlet.ShouldProcess($Identity)) { Invoke-MailhaulOperation 'Set-MigrationUser' $PSBoundParameters }
    }
}

function Start-MigrationUser {
    <#
    .SYNOPSIS
    Starts, resumes or retries one user; its batch runs then, and the others stay as they are.
    .PARAMETER Identity
    The user's e-mail address or GUID.
    #>
    [CmdletBinding(SupportsShouldProcess)]
    param(
        [Parameter(Mandatory, Position = 0, ValueFromPipeline, ValueFromPipelineByPropertyName)] [string] $Identity
    )
    process {
        if ($PSCmdlet.ShouldProcess($Identity)) { Invoke-MailhaulOperation 'Start-MigrationUser' $PSBoundParameters }
    }
}

function Stop-MigrationUser {
    <#
    .SYNOPSIS
    Stops one user: it comes to the end of what it does, and nothing follows.
    .PARAMETER Identity
    The user's e-mail address or GUID.
    #>
    [CmdletBinding(SupportsShouldProcess, ConfirmImpact = 'High')]
    param(
        [Parameter(Mandatory, Position = 0, ValueFromPipeline, ValueFromPipelineByPropertyName)] [string] $Identity
    )
    process {
        if ($PSCmdlet.ShouldProcess($Identity)) { Invoke-MailhaulOperation 'Stop-MigrationUser' $PSBoundParameters }
    }
}

function Remove-MigrationUser {
    <#
    .SYNOPSIS
    Takes one user out of its batch, with its passwords and its report. Mail on the target stays.
    .PARAMETER Identity
    The user's e-mail address or GUID.
    .PARAMETER Force
    Taken for the sake of scripts: every user can be removed.
    #>
    [CmdletBinding(SupportsShouldProcess, ConfirmImpact = 'High')]
    param(
        [Parameter(Mandatory, Position = 0, ValueFromPipeline, ValueFromPipelineByPropertyName)] [string] $Identity,
        [switch] $Force
    )
    process {
        if ($PSCmdlet.ShouldProcess($Identity)) { Invoke-MailhaulOperation 'Remove-MigrationUser' $PSBoundParameters }
    }
}

function Get-MigrationUserStatistics {
    <#
    .SYNOPSIS
    Shows how far a user is: messages, octets, rates, folder by folder, also while it is under way.
    .PARAMETER Identity
    The user's e-mail address or GUID.
    .PARAMETER IncludeReport
    Shows the report too.
    .PARAMETER IncludeSkippedItems
    Shows the messages that were skipped too.
    .PARAMETER LimitSkippedItemsTo
    How many of these at most, or unlimited; 1000 where nothing is said.
    .PARAMETER SkipSubscription
    Taken for the sake of scripts: the numbers are always those of this moment.
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
        Invoke-MailhaulOperation 'Get-MigrationUserStatistics' $PSBoundParameters
    }
}

function Get-MigrationSkippedItem {
    <#
    .SYNOPSIS
    Shows the messages that a user's last pass skipped, and saves them as files where that is asked for.
    .PARAMETER Identity
    The user's e-mail address or GUID.
    .PARAMETER BatchId
    In its place: all users of this batch.
    .PARAMETER Export
    Saves each message as a file there, as the source has it: a directory on this machine, with its whole path. What is there already is not written over.
    .PARAMETER ResultSize
    How many at most, or unlimited; 1000 where nothing is said.
    #>
    [CmdletBinding()]
    param(
        [Parameter(Position = 0, ValueFromPipeline, ValueFromPipelineByPropertyName)] [string] $Identity,
        [string] $BatchId,
        [string] $Export,
        [string] $ResultSize
    )
    process {
        Invoke-MailhaulOperation 'Get-MigrationSkippedItem' $PSBoundParameters
    }
}

function Get-MigrationFolderPlan {
    <#
    .SYNOPSIS
    Looks at both mailboxes of a user, and shows where each folder goes and why; changes nothing.
    .PARAMETER Identity
    The user's e-mail address or GUID.
    #>
    [CmdletBinding()]
    param(
        [Parameter(Mandatory, Position = 0, ValueFromPipeline, ValueFromPipelineByPropertyName)] [string] $Identity
    )
    process {
        Invoke-MailhaulOperation 'Get-MigrationFolderPlan' $PSBoundParameters
    }
}

function Get-MigrationStatistics {
    <#
    .SYNOPSIS
    Shows how far all batches are together.
    #>
    [CmdletBinding()]
    param(

    )
    process {
        Invoke-MailhaulOperation 'Get-MigrationStatistics' $PSBoundParameters
    }
}

function Get-MigrationConfig {
    <#
    .SYNOPSIS
    Shows what holds for all batches.
    #>
    [CmdletBinding()]
    param(

    )
    process {
        Invoke-MailhaulOperation 'Get-MigrationConfig' $PSBoundParameters
    }
}

function Set-MigrationConfig {
    <#
    .SYNOPSIS
    Changes what holds for all batches.
    .PARAMETER MaxNumberOfBatches
    Batches that there may be, or unlimited.
    .PARAMETER MaxConcurrentMigrations
    Mailboxes under way at once, over all endpoints, or unlimited.
    .PARAMETER TargetEndpoint
    Where mail goes, where a batch does not say: an endpoint; Archive or $null for the archive in the data directory. Batches that were made before stay as they are.
    #>
    [CmdletBinding(SupportsShouldProcess)]
    param(
        [string] $MaxNumberOfBatches,
        [string] $MaxConcurrentMigrations,
        [AllowNull()] [object] $TargetEndpoint
    )
    process {
        if ($PSCmdlet.ShouldProcess('mailhaul')) { Invoke-MailhaulOperation 'Set-MigrationConfig' $PSBoundParameters }
    }
}

function Export-MigrationReport {
    <#
    .SYNOPSIS
    Writes a report of a batch as a CSV file: statistics, errors, or messages that were skipped.
    .PARAMETER Identity
    The batch's name or GUID.
    .PARAMETER Kind
    Which report; Statistics where nothing is said.
    .PARAMETER WithByteOrderMark
    Begins with the mark by which some spreadsheets know UTF-8.
    #>
    [CmdletBinding()]
    param(
        [Parameter(Mandatory, Position = 0, ValueFromPipeline, ValueFromPipelineByPropertyName)] [string] $Identity,
        [ValidateSet('Statistics', 'Errors', 'SkippedItems')] [string] $Kind,
        [switch] $WithByteOrderMark
    )
    process {
        Invoke-MailhaulOperation 'Export-MigrationReport' $PSBoundParameters
    }
}

function Get-MigrationAuditLog {
    <#
    .SYNOPSIS
    Shows who changed what, and when; the newest first.
    .PARAMETER ResultSize
    How many at most, or unlimited; 1000 where nothing is said.
    #>
    [CmdletBinding()]
    param(
        [string] $ResultSize
    )
    process {
        Invoke-MailhaulOperation 'Get-MigrationAuditLog' $PSBoundParameters
    }
}

function New-MigrationApiToken {
    <#
    .SYNOPSIS
    Makes a token for the HTTP interface, and shows it this once.
    .PARAMETER Name
    The token's name, as the audit log shows it.
    .PARAMETER Role
    What its owner may do.
    #>
    [CmdletBinding(SupportsShouldProcess)]
    param(
        [Parameter(Mandatory, Position = 0)] [string] $Name,
        [Parameter(Mandatory)] [ValidateSet('Viewer', 'Operator', 'Admin')] [string] $Role
    )
    process {
        if ($PSCmdlet.ShouldProcess($Name)) { Invoke-MailhaulOperation 'New-MigrationApiToken' $PSBoundParameters }
    }
}

function Get-MigrationApiToken {
    <#
    .SYNOPSIS
    Shows the tokens of the HTTP interface, but not what they are.
    .PARAMETER Identity
    Its name or GUID; without it, all are shown.
    #>
    [CmdletBinding()]
    param(
        [Parameter(Position = 0, ValueFromPipeline, ValueFromPipelineByPropertyName)] [string] $Identity
    )
    process {
        Invoke-MailhaulOperation 'Get-MigrationApiToken' $PSBoundParameters
    }
}

function Remove-MigrationApiToken {
    <#
    .SYNOPSIS
    Revokes a token: from now on it opens nothing. It stays in the list.
    .PARAMETER Identity
    Its name or GUID.
    #>
    [CmdletBinding(SupportsShouldProcess, ConfirmImpact = 'High')]
    param(
        [Parameter(Mandatory, Position = 0, ValueFromPipeline, ValueFromPipelineByPropertyName)] [string] $Identity
    )
    process {
        if ($PSCmdlet.ShouldProcess($Identity)) { Invoke-MailhaulOperation 'Remove-MigrationApiToken' $PSBoundParameters }
    }
}

function New-MigrationMasterKey {
    <#
    .SYNOPSIS
    Seals all passwords with another key, at once or not at all.
    .PARAMETER KeyFile
    A file with the new key, which `MAILHAUL_MASTER_KEY_FILE` has to name from the next start on. Without it a new key is made in the data directory, if the key is kept there.
    #>
    [CmdletBinding(SupportsShouldProcess, ConfirmImpact = 'High')]
    param(
        [string] $KeyFile
    )
    process {
        if ($PSCmdlet.ShouldProcess('mailhaul')) { Invoke-MailhaulOperation 'New-MigrationMasterKey' $PSBoundParameters }
    }
}

Export-ModuleMember -Function 'Test-MigrationServerAvailability', 'New-MigrationEndpoint', 'Get-MigrationEndpoint', 'Set-MigrationEndpoint', 'Test-MigrationEndpoint', 'Remove-MigrationEndpoint', 'New-MigrationBatch', 'Get-MigrationBatch', 'Set-MigrationBatch', 'Start-MigrationBatch', 'Stop-MigrationBatch', 'Complete-MigrationBatch', 'Remove-MigrationBatch', 'Get-MigrationUser', 'Set-MigrationUser', 'Start-MigrationUser', 'Stop-MigrationUser', 'Remove-MigrationUser', 'Get-MigrationUserStatistics', 'Get-MigrationSkippedItem', 'Get-MigrationFolderPlan', 'Get-MigrationStatistics', 'Get-MigrationConfig', 'Set-MigrationConfig', 'Export-MigrationReport', 'Get-MigrationAuditLog', 'New-MigrationApiToken', 'Get-MigrationApiToken', 'Remove-MigrationApiToken', 'New-MigrationMasterKey'

