//! Functions as administrators write them: rules for parameters, objects of the pipe, `-WhatIf`, and a script's arguments.

use mailhaul_shell::Shell;

use crate::support::{FakeHost, failure, run_all, run_in, shown};

#[tokio::test]
async fn rules_of_parameters_are_checked() {
    let rule = |rule: &str, call: &str| format!("function f {{ param([{rule}]$x) \"<$x>\" }} f {call}");
    for (name, call, output) in [
        ("ValidateRange(1, 500)", "500", "<500>\n"),
        ("ValidateRange(-5, 5)", "-5", "<-5>\n"),
        ("ValidateLength(2, 3)", "abc", "<abc>\n"),
        ("ValidateCount(1, 2)", "a,b", "<a b>\n"),
        ("ValidatePattern('^[^@]+@b\\.c$')", "ann@b.c", "<ann@b.c>\n"),
        ("ValidateScript({ $_ -gt 3 })", "4", "<4>\n"),
        ("ValidateNotNullOrEmpty()", "a", "<a>\n"),
        ("Parameter(Mandatory)][AllowNull()", "$null", "<>\n"),
        ("Parameter(Mandatory)][AllowEmptyString()", "''", "<>\n"),
        // A default is not checked, as in PowerShell.
        ("ValidateRange(1, 2)", "", "<>\n"),
    ] {
        assert_eq!(shown(&rule(name, call)).await, output, "{name}");
    }
    for (name, call, says) in [
        ("ValidateRange(1, 500)", "501", "-x must be from 1 to 500, not `501`"),
        ("ValidateRange(1, 500)", "abc", "-x must be from 1 to 500, not `abc`"),
        ("ValidateLength(2, 3)", "a", "-x must have from 2 to 3 characters, not 1"),
        ("ValidateCount(1, 2)", "a,b,c", "-x must have from 1 to 2 values, not 3"),
        (
            "ValidatePattern('^[^@]+@b\\.c$')",
            "ann@x.y",
            "-x must match the pattern ^[^@]+@b\\.c$, not `ann@x.y`",
        ),
        ("ValidateScript({ $_ -gt 3 })", "3", "-x `3` does not pass the check"),
        ("ValidateScript({ $_ -gt $nope })", "3", "$nope was never set"),
        ("ValidateNotNullOrEmpty()", "''", "-x must not be empty"),
        ("ValidateNotNullOrEmpty()", "@('a', '')", "-x must not be empty"),
        ("ValidateSet('a', 'b')", "a,c", "-x must be one of a, b, not `c`"),
        ("Parameter(Mandatory)", "''", "-x must not be empty"),
        ("Parameter(Mandatory)", "$null", "-x must not be empty"),
        ("Parameter(Mandatory)", "@()", "-x must not be empty"),
        ("Parameter(Mandatory, ValueFromPipeline)", "", "nothing is piped to the function, so it needs -x"),
        ("Parameter(ParameterSetName = 'A')", "a", "ParameterSetName is not supported"),
        ("ValidateDrive('C')", "a", "the attribute [validatedrive()] in this form is not supported"),
    ] {
        let error = failure(&rule(name, call)).await;
        assert!(error.message.contains(says), "{name}: {error}");
    }
}

#[tokio::test]
async fn parameters_take_properties_of_the_pipe() {
    let function = |attributes: &str, kind: &str| {
        format!(
            "function f {{ param([Parameter({attributes})][Alias('Identity')]{kind}$Name) process {{ \"<$Name>\" }} }} "
        )
    };
    let both = "Mandatory = $true, ValueFromPipeline = $true, ValueFromPipelineByPropertyName = $true";
    for (attributes, kind, call, output) in [
        (both, "[string[]]", "Get-MigrationUser | select -First 2 | f", "<ann@b.c>\n<bob@b.c>\n"),
        (both, "[string]", "'x', 'y' | f", "<x>\n<y>\n"),
        ("ValueFromPipelineByPropertyName", "", "Get-MigrationUser | select -First 1 | f", "<ann@b.c>\n"),
        // A parameter with an argument keeps it.
        ("ValueFromPipelineByPropertyName", "", "Get-MigrationUser | select -First 1 | f -Name z", "<z>\n"),
    ] {
        let script = function(attributes, kind) + call;
        assert_eq!(shown(&script).await, output, "{script}");
    }
    // Where every type fits, the object itself.
    let script = function(both, "[object]").replace("\"<$Name>\"", "$Name.Status") + "Get-MigrationUser | f";
    assert_eq!(shown(&script).await, "Synced\nFailed\nSyncing\n");
    // An object without the property does not get that of the one before.
    let script = "function f { param([Parameter(ValueFromPipelineByPropertyName)]$a = 0) process { $a } } \
                  [pscustomobject]@{ a = 1 }, [pscustomobject]@{ b = 2 } | f";
    assert_eq!(shown(script).await, "1\n0\n");
}

#[tokio::test]
async fn common_parameters_hold_for_the_whole_function() {
    let host = FakeHost::default();
    let script =
        "function f { [CmdletBinding()] param() Stop-MigrationBatch x; Write-Verbose 'on'; 'end' }\n";
    let ran = run_all(&host, &format!("{script}f")).await;
    assert_eq!((ran.text.as_str(), ran.errors.len(), ran.notes.len()), ("end\n", 1, 0));
    let ran =
        run_all(&host, &format!("{script}try {{ f -ErrorAction Stop }} catch {{ \"caught $_\" }}")).await;
    assert_eq!((ran.text.as_str(), ran.errors.len()), ("caught the batch is already stopped\n", 0));
    let ran =
        run_all(&host, &format!("{script}f -EA SilentlyContinue -EV e -Verbose; \"$($e.Count) $e\"")).await;
    assert_eq!((ran.text.as_str(), ran.errors.len()), ("end\n1 the batch is already stopped\n", 0));
    assert_eq!(ran.notes, ["on"]);
}

#[tokio::test]
async fn what_if_reaches_the_commands_of_a_function() {
    let script = "function f { [CmdletBinding(SupportsShouldProcess)] param($Name)\n\
                  if ($PSCmdlet.ShouldProcess($Name, 'Remove')) { 'removed' }; Remove-MigrationBatch $Name; Get-MigrationBatch | Out-Null }\n";
    let host = FakeHost::default();
    let ran = run_all(&host, &format!("{script}f B -WhatIf")).await;
    assert_eq!(ran.text, "What if: Remove on B\n");
    assert_eq!(host.lines(), ["Remove-MigrationBatch \"B\" -WhatIf:true", "Get-MigrationBatch"]);
    // A switch of that name alone is the function's own.
    let host = FakeHost::default();
    run_all(&host, "function f { param([switch]$WhatIf) Remove-MigrationBatch B } f -WhatIf").await;
    assert_eq!(host.lines(), ["Remove-MigrationBatch \"B\""]);
    let host = FakeHost::default();
    let ran = run_all(&host, &format!("{script}f B -Confirm:$false")).await;
    assert_eq!(ran.text, "removed\n");
    assert_eq!(host.lines(), ["Remove-MigrationBatch \"B\"", "Get-MigrationBatch"]);
}

/// `@PSBoundParameters` must not become no parameters: that means "all" to some commands.
#[tokio::test]
async fn given_parameters_go_on_as_they_came() {
    let host = FakeHost::default();
    let script = "function f { param([Parameter(ValueFromPipeline)]$Identity, $Status = 'Failed') process {\n\
                  \"$($PSBoundParameters.Keys) $($PSBoundParameters.ContainsKey('Status'))\"; Get-MigrationUser @PSBoundParameters | Out-Null } }\n\
                  f -Identity a; 'b' | f -Status Synced; 'c', 'd' | f";
    let ran = run_all(&host, script).await;
    assert_eq!(ran.text, "Identity False\nStatus Identity True\nIdentity False\nIdentity False\n");
    let lines = [
        "Get-MigrationUser -Identity:\"a\"",
        "Get-MigrationUser -Status:\"Synced\" -Identity:\"b\"",
        "Get-MigrationUser -Identity:\"c\"",
        "Get-MigrationUser -Identity:\"d\"",
    ];
    assert_eq!(host.lines(), lines);
}

#[tokio::test]
async fn a_script_gets_arguments_and_knows_its_place() {
    let script = "param([Parameter(Mandatory)][string]$Name, [int]$Count = 1, [switch]$Force)\n\
                  \"$Name $($Count + 1) $($Force.IsPresent) $PSScriptRoot $($MyInvocation.MyCommand.Name)\"";
    for (words, output) in [
        (&["-Name", "x y", "-Count", "4", "-Force"][..], "x y 5 True /srv/reports daily.ps1\n"),
        (&["x", "-Force:$false"], "x 2 False /srv/reports daily.ps1\n"),
    ] {
        let words = words.iter().map(ToString::to_string).collect();
        let mut shell = Shell::new().with_file("/srv/reports/daily.ps1", words);
        assert_eq!(run_in(&mut shell, &FakeHost::default(), script).await.text, output);
    }
    for (words, says) in [
        (&[][..], "the script needs -Name"),
        (&["x", "-Cuont", "5"], "the script has no parameter -Cuont"),
        (&["x", "five"], "`five` is not a whole number"),
        (&["x", "1", "2"], "the script has no parameter for `2`"),
    ] {
        let words = words.iter().map(ToString::to_string).collect();
        let mut shell = Shell::new().with_file("daily.ps1", words);
        let ran = run_in(&mut shell, &FakeHost::default(), script).await;
        assert!(ran.end.as_ref().is_some_and(|error| error.message.contains(says)), "{says}: {:?}", ran.end);
    }
    let mut shell = Shell::new().with_file("a.ps1", vec!["1".to_owned(), "2".to_owned()]);
    let ran = run_in(&mut shell, &FakeHost::default(), "$args.Count; $args[1]; $PSScriptRoot").await;
    assert_eq!(ran.text, "2\n2\n.\n");
}

#[tokio::test]
async fn members_are_added_where_the_object_is() {
    for (script, output) in [
        (
            "$o = New-Object PSObject; $o | Add-Member -MemberType NoteProperty -Name a -Value 1; $o | Add-Member b 2; \"$o\"",
            "@{a=1}\n",
        ),
        ("$o = New-Object PSObject; $o | Add-Member NoteProperty a 1; $o.a", "1\n"),
        (
            "$o = [pscustomobject]@{ a = 1 }; Add-Member -InputObject $o -NotePropertyName b -NotePropertyValue 2; $o.b",
            "2\n",
        ),
        (
            "$l = @(1, 2 | % { [pscustomobject]@{ n = $_ } }); $l | Add-Member -NotePropertyName s -NotePropertyValue x; $l.s -join ''; $l.Count",
            "xx\n2\n",
        ),
        (
            "$o = New-Object PSObject; function f { $o | Add-Member -NotePropertyName a -NotePropertyValue 1 } f; $o.a",
            "1\n",
        ),
    ] {
        if script.contains("Add-Member b 2") {
            // A type of member is the first word without a name.
            assert!(failure(script).await.message.contains("Add-Member with -MemberType b"));
        } else {
            assert_eq!(shown(script).await, output, "{script}");
        }
    }
    let error = failure("$l = Get-MigrationUser; foreach ($u in $l) { $u | Add-Member -NotePropertyName a -NotePropertyValue 1 }").await;
    assert!(error.message.contains("the list keeps its own"), "{error}");
}

#[tokio::test]
async fn smaller_helpers_of_scripts() {
    for (script, output) in [
        (
            "if (!(Get-PSSession | ? ConfigurationName -eq 'Microsoft.Exchange')) { 'none' }; (Get-ConnectionInformation).State; $s = New-PSSession; $s.State",
            "Connected\nOpened\n",
        ),
        (
            "[Text.Encoding]::ASCII.GetBytes('ab').Count; [string]::Empty.Length; [int]::MaxValue",
            "2\n0\n2147483647\n",
        ),
        (
            "Test-Path /srv; Test-Path /srv -PathType Leaf; Test-Path users.csv -PathType Container; Test-Path nope",
            "True\nFalse\nFalse\nFalse\n",
        ),
        (
            "Split-Path .\\a\\b.csv -Leaf; Split-Path .\\a\\b.csv; Split-Path -Path x\\y.ps1 -Parent",
            "b.csv\n.\\a\nx\n",
        ),
        (
            "[IO.Path]::GetFileNameWithoutExtension('.\\a\\b.csv'); [IO.Path]::GetExtension('b.csv'); [IO.Path]::Combine('a', 'b', 'c')",
            "b\n.csv\na/b/c\n",
        ),
        ("'a b', 'c' | Measure-Object -Line -Word | % { \"$($_.Lines) $($_.Words)\" }", "2 3\n"),
        (
            "$w = [System.Diagnostics.Stopwatch]::StartNew(); $w.Elapsed.TotalSeconds; $w.IsRunning; $w.Stop(); $w.IsRunning",
            "0\nTrue\nFalse\n",
        ),
        ("[pscustomobject]@{ PSTypeName = 'T'; a = 1 } | ConvertTo-Json -Compress", "{\"a\":1}\n"),
        ("Compare-Object 1,2 2,3 | % { \"$($_.InputObject) $($_.SideIndicator)\" }", "3 =>\n1 <=\n"),
        (
            "Compare-Object (Get-MigrationUser) (Get-MigrationUser | select -First 2) -Property Identity -IncludeEqual | % { $_.Identity + $_.SideIndicator }",
            "ann@b.c==\nbob@b.c==\ncid@b.c<=\n",
        ),
    ] {
        assert_eq!(shown(script).await, output, "{script}");
    }
    for (script, says) in [
        (
            "'never'; [System.IO.File]::WriteAllText('a', 'b')",
            "[System.IO.File]::WriteAllText in this form is not supported",
        ),
        (
            "'never'; [System.Text.Encoding]::Unicode.GetBytes('a')",
            "[System.Text.Encoding]::Unicode in this form",
        ),
        ("'never'; Export-Excel x.xlsx", "write Export-Csv"),
    ] {
        let ran = run_all(&FakeHost::default(), script).await;
        assert_eq!(ran.text, "", "{script}");
        assert!(
            ran.end.as_ref().is_some_and(|error| error.message.contains(says)),
            "{script}: {:?}",
            ran.end
        );
    }
    let error = failure("'never'; .\\lib\\other.ps1 -Name x").await;
    assert!(error.message.contains("running another script is not supported"), "{error}");
    let error = failure("$w = [Diagnostics.Stopwatch]::StartNew(); $w.Elapsd").await;
    assert!(error.message.contains("a stopwatch has Elapsed"), "{error}");
}
