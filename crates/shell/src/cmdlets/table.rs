//! Names and parameters of the cmdlets of the language.

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum CmdletKind {
    FormatList,
    FormatTable,
    SelectObject,
    WhereObject,
    ForEachObject,
    SortObject,
    MeasureObject,
    GroupObject,
    ConvertToJson,
    ConvertToCsv,
    ExportCsv,
    OutNull,
    WriteOutput,
    WriteHost,
    GetCommand,
    GetDate,
}

/// Names and parameters of a cmdlet.
#[derive(Clone, Copy)]
pub(crate) struct Cmdlet {
    pub(crate) kind: CmdletKind,
    pub(crate) name: &'static str,
    pub(crate) aliases: &'static [&'static str],
    pub(crate) switches: &'static [&'static str],
    /// Parameters with a value. The name of the first one is optional.
    pub(crate) values: &'static [&'static str],
    /// True if the first one takes several values without commas.
    pub(crate) gathers: bool,
}

/// `Out-Null`. Its empty fields are the defaults of the others.
const OUT_NULL: Cmdlet = Cmdlet {
    kind: CmdletKind::OutNull,
    name: "Out-Null",
    aliases: &[],
    switches: &[],
    values: &[],
    gathers: false,
};

pub(crate) const CMDLETS: [Cmdlet; 16] = [
    Cmdlet {
        kind: CmdletKind::FormatList,
        name: "Format-List",
        aliases: &["fl"],
        values: &["Property"],
        ..OUT_NULL
    },
    Cmdlet {
        kind: CmdletKind::FormatTable,
        name: "Format-Table",
        aliases: &["ft"],
        switches: &["AutoSize", "Wrap"],
        values: &["Property"],
        ..OUT_NULL
    },
    Cmdlet {
        kind: CmdletKind::SelectObject,
        name: "Select-Object",
        aliases: &["select"],
        switches: &["Unique"],
        values: &["Property", "ExcludeProperty", "ExpandProperty", "First", "Last", "Skip"],
        ..OUT_NULL
    },
    // Its comparisons are parameters too. `eval/filter.rs` reads them.
    Cmdlet {
        kind: CmdletKind::WhereObject,
        name: "Where-Object",
        aliases: &["where", "?"],
        switches: &["Not"],
        values: &["FilterScript", "Property", "Value"],
        ..OUT_NULL
    },
    Cmdlet {
        kind: CmdletKind::ForEachObject,
        name: "ForEach-Object",
        aliases: &["foreach", "%"],
        values: &["Process"],
        ..OUT_NULL
    },
    Cmdlet {
        kind: CmdletKind::SortObject,
        name: "Sort-Object",
        aliases: &["sort"],
        switches: &["Descending", "Unique"],
        values: &["Property"],
        ..OUT_NULL
    },
    Cmdlet {
        kind: CmdletKind::MeasureObject,
        name: "Measure-Object",
        aliases: &["measure"],
        switches: &["Sum", "Average", "Minimum", "Maximum"],
        values: &["Property"],
        ..OUT_NULL
    },
    Cmdlet {
        kind: CmdletKind::GroupObject,
        name: "Group-Object",
        aliases: &["group"],
        switches: &["NoElement"],
        values: &["Property"],
        ..OUT_NULL
    },
    Cmdlet {
        kind: CmdletKind::ConvertToJson,
        name: "ConvertTo-Json",
        switches: &["Compress", "AsArray"],
        // Output is never cut at a depth, so the value has no effect.
        values: &["Depth"],
        ..OUT_NULL
    },
    Cmdlet {
        kind: CmdletKind::ConvertToCsv,
        name: "ConvertTo-Csv",
        switches: &["NoTypeInformation"],
        ..OUT_NULL
    },
    Cmdlet {
        kind: CmdletKind::ExportCsv,
        name: "Export-Csv",
        aliases: &["epcsv"],
        switches: &["NoTypeInformation"],
        values: &["Path", "Encoding"],
        ..OUT_NULL
    },
    OUT_NULL,
    Cmdlet {
        kind: CmdletKind::WriteOutput,
        name: "Write-Output",
        aliases: &["echo", "write"],
        values: &["InputObject"],
        gathers: true,
        ..OUT_NULL
    },
    Cmdlet {
        kind: CmdletKind::WriteHost,
        name: "Write-Host",
        values: &["Object", "ForegroundColor"],
        gathers: true,
        ..OUT_NULL
    },
    Cmdlet {
        kind: CmdletKind::GetCommand,
        name: "Get-Command",
        aliases: &["gcm"],
        values: &["Name"],
        ..OUT_NULL
    },
    Cmdlet { kind: CmdletKind::GetDate, name: "Get-Date", values: &["Date"], ..OUT_NULL },
];

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
