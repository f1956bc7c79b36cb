# Functions of the migration team. Kept in one file, with an example of their use at the end.

function Get-MigrationSummary {
    <#
    .SYNOPSIS
        One line for each batch that is piped in.
    #>
    [CmdletBinding()]
    [OutputType([pscustomobject])]
    param(
        [Parameter(Mandatory = $true, ValueFromPipeline = $true, ValueFromPipelineByPropertyName = $true)]
        [Alias('Identity', 'BatchName')]
        [string[]]$Name,

        [Parameter()]
        [ValidateSet('All', 'Failed', 'Synced')]
        [string]$Show = 'All'
    )
    begin {
        $count = 0
        Write-Verbose 'Start'
    }
    process {
        foreach ($one in $Name) {
            $batch = Get-MigrationBatch -Identity $one -ErrorAction SilentlyContinue -ErrorVariable +problems
            if (-not $batch) { continue }
            $count++
            if ($Show -eq 'Failed' -and $batch.FailedCount -eq 0) { continue }
            [pscustomobject]@{
                PSTypeName = 'Contoso.MigrationSummary'
                Batch      = $batch.Identity
                Total      = $batch.TotalCount
                Failed     = $batch.FailedCount
            }
        }
    }
    end {
        Write-Verbose "$count batches" -Verbose
    }
}

function Set-UserSchedule {
    [CmdletBinding(SupportsShouldProcess = $true)]
    param(
        [Parameter(Mandatory = $true)]
        [ValidatePattern('^[^@\s]+@contoso\.edu$')]
        [string]$User,

        [ValidateRange(0, 23)]
        [int]$Hour = 20,

        [ValidateScript({ $_ -gt (Get-Date) })]
        [datetime]$Day = (Get-Date).AddDays(7)
    )
    $time = $Day.Date.AddHours($Hour)
    if ($PSCmdlet.ShouldProcess($User, "Complete at $Hour o'clock")) {
        $null = Set-MigrationUser -Identity $User -CompleteAfter $time
    }
    return $time.Hour
}

function Invoke-Safely([scriptblock]$Action, [string]$What, [int]$Tries = 2) {
    for ($try = 1; $try -le $Tries; $try++) {
        try {
            $r = & $Action
            Write-Host "$What succeeded: $r"
            return
        } catch [System.Exception] {
            Write-Host "$What failed (attempt $try of $Tries): $(($_.Exception.Message -split "`n")[0])"
        } finally {
            $script:attempts++
        }
    }
}

$script:attempts = 0
Get-MigrationBatch | Get-MigrationSummary | Format-Table -AutoSize
'Nowhere', 'Staff' | Get-MigrationSummary -Show Failed -ErrorAction SilentlyContinue
Get-MigrationSummary -BatchName Nothing -Verbose:$false
"{0} problems; the first one: {1}" -f $Error.Count, $Error[-1].Exception.Message.Split("`n")[0]

Invoke-Safely { Set-UserSchedule -User annb@contoso.edu -Hour 22 } 'A good call'
Invoke-Safely { Set-UserSchedule -User annb@fabrikam.com } 'A wrong domain' -Tries 1
Invoke-Safely { Set-UserSchedule -User annb@contoso.edu -Hour 24 } 'A wrong hour' -Tries 1
Invoke-Safely { Set-UserSchedule -User annb@contoso.edu -Day '1/31/2020' } 'A day in the past' -Tries 1
Invoke-Safely { Set-UserSchedule -User nobody@contoso.edu -ErrorAction Stop } 'An unknown user'
"$attempts attempts"
(Get-MigrationUser annb@contoso.edu).CompleteAfter.Hour
