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
