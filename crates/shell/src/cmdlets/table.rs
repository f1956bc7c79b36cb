//! Names and parameters of the cmdlets of the language.

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum CmdletKind {
    AddContent,
    AddMember,
    CompareObject,
    ConvertFromCsv,
    ConvertFromJson,
    ConvertToCsv,
    ConvertToHtml,
    ConvertToJson,
    ExportClixml,
    ExportCsv,
    ForEachObject,
    FormatList,
    FormatTable,
    GetCommand,
    GetContent,
    GetDate,
    GetMember,
    GroupObject,
    ImportClixml,
    ImportCsv,
    JoinPath,
    MeasureObject,
    NewObject,
    NewTimeSpan,
    OutFile,
    OutGridView,
    OutHost,
    OutNull,
    OutString,
    SelectObject,
    SetContent,
    SortObject,
    SplitPath,
    StartSleep,
    TestPath,
    WhereObject,
    WriteError,
    WriteHost,
    WriteInformation,
    WriteOutput,
    WriteProgress,
    WriteVerbose,
    WriteWarning,
}

impl CmdletKind {
    /// True for cmdlets that text for the screen may be piped to.
    pub(crate) fn takes_screen(self) -> bool {
        matches!(
            self,
            Self::OutFile
                | Self::OutString
                | Self::OutHost
                | Self::OutNull
                | Self::SetContent
                | Self::AddContent
                | Self::WriteOutput
                | Self::WriteHost
        )
    }
}

/// Names and parameters of a cmdlet.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Cmdlet {
    pub(crate) kind: CmdletKind,
    pub(crate) name: &'static str,
    pub(crate) aliases: &'static [&'static str],
    pub(crate) switches: &'static [&'static str],
    /// Parameters with a value. The names of the first ones are optional.
    pub(crate) values: &'static [&'static str],
    /// Number of parameters whose name is optional.
    pub(crate) positions: usize,
    /// True if the first one takes several values without commas.
    pub(crate) gathers: bool,
}

type Names = &'static [&'static str];

const fn one(kind: CmdletKind, name: &'static str, aliases: Names, switches: Names, values: Names) -> Cmdlet {
    Cmdlet { kind, name, aliases, switches, values, positions: 1, gathers: false }
}

const fn with_positions(positions: usize, cmdlet: Cmdlet) -> Cmdlet {
    Cmdlet { positions, ..cmdlet }
}

const fn gathering(cmdlet: Cmdlet) -> Cmdlet {
    Cmdlet { gathers: true, ..cmdlet }
}

/// Parameters of `Export-Csv` without a value.
const CSV_SWITCHES: Names =
    &["NoTypeInformation", "NTI", "Append", "Force", "UseCulture", "NoClobber", "IncludeTypeInformation"];

pub(crate) const CMDLETS: [Cmdlet; 43] = {
    use CmdletKind as Kind;
    [
        with_positions(
            2,
            one(
                Kind::AddContent,
                "Add-Content",
                &["ac"],
                &["Force", "NoNewline"],
                &["Path", "Value", "Encoding", "LiteralPath"],
            ),
        ),
        with_positions(
            3,
            one(
                Kind::AddMember,
                "Add-Member",
                &[],
                &["Force", "PassThru"],
                &[
                    "MemberType",
                    "Name",
                    "Value",
                    "InputObject",
                    "NotePropertyName",
                    "NotePropertyValue",
                    "NotePropertyMembers",
                    "Type",
                ],
            ),
        ),
        with_positions(
            2,
            one(
                Kind::CompareObject,
                "Compare-Object",
                &["compare", "diff"],
                &["IncludeEqual", "ExcludeDifferent", "PassThru"],
                &["ReferenceObject", "DifferenceObject", "Property", "SyncWindow"],
            ),
        ),
        one(
            Kind::ConvertFromCsv,
            "ConvertFrom-Csv",
            &[],
            &["UseCulture"],
            &["InputObject", "Delimiter", "Header"],
        ),
        one(
            Kind::ConvertFromJson,
            "ConvertFrom-Json",
            &[],
            &["AsHashtable", "NoEnumerate"],
            &["InputObject", "Depth"],
        ),
        one(
            Kind::ConvertToCsv,
            "ConvertTo-Csv",
            &[],
            &["NoTypeInformation", "NTI", "UseCulture", "IncludeTypeInformation"],
            &["InputObject", "Delimiter"],
        ),
        one(
            Kind::ConvertToHtml,
            "ConvertTo-Html",
            &[],
            &["Fragment"],
            &[
                "Property",
                "Head",
                "Title",
                "Body",
                "CssUri",
                "PreContent",
                "PostContent",
                "As",
                "InputObject",
            ],
        ),
        // Output is never cut at a depth, so the value has no effect.
        one(Kind::ConvertToJson, "ConvertTo-Json", &[], &["Compress", "AsArray"], &["InputObject", "Depth"]),
        one(
            Kind::ExportClixml,
            "Export-Clixml",
            &["epcl"],
            &["Force", "NoClobber"],
            &["Path", "Depth", "Encoding", "InputObject"],
        ),
        with_positions(
            2,
            one(
                Kind::ExportCsv,
                "Export-Csv",
                &["epcsv"],
                CSV_SWITCHES,
                &["Path", "Delimiter", "Encoding", "InputObject", "LiteralPath"],
            ),
        ),
        // Two blocks without a name are those before and for the objects.
        gathering(one(
            Kind::ForEachObject,
            "ForEach-Object",
            &["foreach", "%"],
            &[],
            &["Process", "Begin", "End", "MemberName"],
        )),
        one(Kind::FormatList, "Format-List", &["fl"], &["Force"], &["Property", "GroupBy", "InputObject"]),
        one(
            Kind::FormatTable,
            "Format-Table",
            &["ft"],
            &["AutoSize", "Wrap", "HideTableHeaders", "Force"],
            &["Property", "GroupBy", "InputObject"],
        ),
        one(Kind::GetCommand, "Get-Command", &["gcm"], &[], &["Name", "Module", "Noun", "Verb"]),
        one(
            Kind::GetContent,
            "Get-Content",
            &["gc", "cat", "type"],
            &["Raw", "ReadCount"],
            &["Path", "TotalCount", "Tail", "Encoding", "LiteralPath", "Head", "First", "Last"],
        ),
        one(
            Kind::GetDate,
            "Get-Date",
            &[],
            &["AsUTC"],
            &["Date", "Format", "UFormat", "Year", "Month", "Day", "Hour", "Minute", "Second"],
        ),
        one(Kind::GetMember, "Get-Member", &["gm"], &[], &["Name", "MemberType", "InputObject"]),
        one(
            Kind::GroupObject,
            "Group-Object",
            &["group"],
            &["NoElement", "AsHashTable", "AsString"],
            &["Property", "InputObject"],
        ),
        one(Kind::ImportClixml, "Import-Clixml", &["ipcl"], &[], &["Path", "LiteralPath"]),
        with_positions(
            2,
            one(
                Kind::ImportCsv,
                "Import-Csv",
                &["ipcsv"],
                &["UseCulture"],
                &["Path", "Delimiter", "Header", "Encoding", "LiteralPath"],
            ),
        ),
        with_positions(2, one(Kind::JoinPath, "Join-Path", &[], &[], &["Path", "ChildPath"])),
        one(
            Kind::MeasureObject,
            "Measure-Object",
            &["measure"],
            &["Sum", "Average", "Minimum", "Maximum", "Line", "Word", "Character"],
            &["Property", "InputObject"],
        ),
        with_positions(
            2,
            one(Kind::NewObject, "New-Object", &[], &[], &["TypeName", "ArgumentList", "Property"]),
        ),
        with_positions(
            2,
            one(
                Kind::NewTimeSpan,
                "New-TimeSpan",
                &[],
                &[],
                &["Start", "End", "Days", "Hours", "Minutes", "Seconds"],
            ),
        ),
        with_positions(
            2,
            one(
                Kind::OutFile,
                "Out-File",
                &[],
                &["Append", "Force", "NoClobber", "NoNewline"],
                &["FilePath", "Encoding", "Width", "InputObject", "LiteralPath"],
            ),
        ),
        one(
            Kind::OutGridView,
            "Out-GridView",
            &["ogv"],
            &["PassThru", "Wait"],
            &["Title", "OutputMode", "InputObject"],
        ),
        one(Kind::OutHost, "Out-Host", &["oh"], &["Paging"], &["InputObject"]),
        Cmdlet { positions: 0, ..one(Kind::OutNull, "Out-Null", &[], &[], &["InputObject"]) },
        one(Kind::OutString, "Out-String", &[], &["Stream", "NoNewline"], &["Width", "InputObject"]),
        one(
            Kind::SelectObject,
            "Select-Object",
            &["select"],
            &["Unique", "Wait"],
            &[
                "Property",
                "ExcludeProperty",
                "ExpandProperty",
                "First",
                "Last",
                "Skip",
                "Index",
                "InputObject",
            ],
        ),
        with_positions(
            2,
            one(
                Kind::SetContent,
                "Set-Content",
                &["sc"],
                &["Force", "NoNewline"],
                &["Path", "Value", "Encoding", "LiteralPath"],
            ),
        ),
        one(
            Kind::SortObject,
            "Sort-Object",
            &["sort"],
            &["Descending", "Unique", "CaseSensitive"],
            &["Property", "InputObject"],
        ),
        one(Kind::SplitPath, "Split-Path", &[], &["Parent", "Leaf", "LeafBase"], &["Path", "LiteralPath"]),
        one(Kind::StartSleep, "Start-Sleep", &["sleep"], &[], &["Seconds", "Milliseconds", "Duration"]),
        one(Kind::TestPath, "Test-Path", &[], &[], &["Path", "PathType", "LiteralPath"]),
        // Its comparisons are parameters too. `eval/where_object.rs` reads them.
        one(
            Kind::WhereObject,
            "Where-Object",
            &["where", "?"],
            &["Not"],
            &["FilterScript", "Property", "Value", "InputObject"],
        ),
        one(
            Kind::WriteError,
            "Write-Error",
            &[],
            &[],
            &[
                "Message",
                "Exception",
                "Category",
                "ErrorId",
                "TargetObject",
                "RecommendedAction",
                "ErrorRecord",
            ],
        ),
        gathering(one(
            Kind::WriteHost,
            "Write-Host",
            &[],
            &["NoNewline"],
            &["Object", "ForegroundColor", "BackgroundColor", "Separator"],
        )),
        one(Kind::WriteInformation, "Write-Information", &[], &[], &["MessageData", "Tags"]),
        gathering(one(
            Kind::WriteOutput,
            "Write-Output",
            &["echo", "write"],
            &["NoEnumerate"],
            &["InputObject"],
        )),
        with_positions(
            2,
            one(
                Kind::WriteProgress,
                "Write-Progress",
                &[],
                &["Completed"],
                &[
                    "Activity",
                    "Status",
                    "Id",
                    "PercentComplete",
                    "SecondsRemaining",
                    "CurrentOperation",
                    "ParentId",
                ],
            ),
        ),
        one(Kind::WriteVerbose, "Write-Verbose", &["Write-Debug"], &[], &["Message"]),
        one(Kind::WriteWarning, "Write-Warning", &[], &[], &["Message"]),
    ]
};

/// Parameters that every command has: name, alias, and whether a value follows.
const COMMON: [(&str, &str, bool); 13] = [
    ("ErrorAction", "EA", true),
    ("ErrorVariable", "EV", true),
    ("WarningAction", "WA", true),
    ("WarningVariable", "WV", true),
    ("InformationAction", "InfA", true),
    ("InformationVariable", "IV", true),
    ("OutVariable", "OV", true),
    ("OutBuffer", "OB", true),
    ("PipelineVariable", "PV", true),
    ("ProgressAction", "ProgA", true),
    ("Verbose", "VB", false),
    ("Debug", "DB", false),
    ("UseTransaction", "UseTx", false),
];

/// Finds a common parameter by its name or alias. Returns its name, and whether a value follows.
pub(crate) fn common(name: &str) -> Option<(&'static str, bool)> {
    let found = COMMON
        .iter()
        .find(|(known, alias, _)| known.eq_ignore_ascii_case(name) || alias.eq_ignore_ascii_case(name));
    found.map(|(known, _, takes_value)| (*known, *takes_value))
}

/// Commands that the host always runs, even if it does not list them: name or alias, and name.
pub(crate) const DELEGATED: [(&str, &str); 6] = [
    // The host refuses it with a reason, because it converts text to a secret.
    ("ConvertTo-SecureString", "ConvertTo-SecureString"),
    ("Get-Credential", "Get-Credential"),
    ("Get-Help", "Get-Help"),
    ("help", "Get-Help"),
    ("man", "Get-Help"),
    ("Read-Host", "Read-Host"),
];

/// Finds a cmdlet by name or alias.
pub(crate) fn find(name: &str) -> Option<Cmdlet> {
    CMDLETS.into_iter().find(|cmdlet| {
        cmdlet.aliases.iter().chain([&cmdlet.name]).any(|known| known.eq_ignore_ascii_case(name))
    })
}

/// Names of all commands that exist with every host.
pub(crate) fn names() -> impl Iterator<Item = &'static str> {
    CMDLETS.into_iter().map(|cmdlet| cmdlet.name).chain(["Get-Credential", "Get-Help", "Read-Host"])
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn every_kind_and_name_is_there_once() {
        let mut seen = HashSet::new();
        for cmdlet in CMDLETS {
            assert!(seen.insert(format!("{:?}", cmdlet.kind)), "{}", cmdlet.name);
            for name in cmdlet.aliases.iter().chain([&cmdlet.name]) {
                assert!(seen.insert((*name).to_owned()), "{name}");
                assert_eq!(find(&name.to_uppercase()).map(|found| found.kind), Some(cmdlet.kind));
            }
        }
    }
}
