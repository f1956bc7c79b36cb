//! Help for the cmdlets of the language.

use std::fmt::Write as _;

use super::table::{CMDLETS, Cmdlet, find};

/// Help for a cmdlet of the language.
#[derive(Clone, Debug)]
pub struct CmdletHelp {
    pub name: &'static str,
    /// One sentence.
    pub synopsis: &'static str,
    /// All parameters in one line.
    pub syntax: String,
    pub aliases: &'static [&'static str],
}

/// Cmdlets with their synopses.
const SYNOPSES: [(&str, &str); 43] = [
    ("Add-Content", "Adds lines to the end of a file."),
    ("Add-Member", "Adds a property to objects."),
    ("Compare-Object", "Shows the objects that only one of two lists has."),
    ("ConvertFrom-Csv", "Parses CSV text to objects."),
    ("ConvertFrom-Json", "Parses JSON text to objects."),
    ("ConvertTo-Csv", "Returns objects as lines of CSV."),
    ("ConvertTo-Html", "Returns objects as a page, or a table, of HTML."),
    ("ConvertTo-Json", "Returns objects as JSON text."),
    ("Export-Clixml", "Writes values to a file of PowerShell's XML, without secrets."),
    ("Export-Csv", "Writes objects to a CSV file, one row for each."),
    ("ForEach-Object", "Runs a block, or reads a property, for each object."),
    ("Format-List", "Shows objects with one line for each property."),
    ("Format-Table", "Shows objects with one line for each object."),
    ("Get-Command", "Lists the commands whose names match a pattern."),
    ("Get-Content", "Reads the lines of a text file."),
    ("Get-Date", "Returns the time, or a date, possibly as text in a format."),
    ("Get-Member", "Lists the properties of the first object."),
    ("Group-Object", "Groups objects with equal properties, and counts them."),
    ("Import-Clixml", "Reads values from a file of Export-Clixml."),
    ("Import-Csv", "Reads a CSV file to objects, one for each row."),
    ("Join-Path", "Joins a folder and a name to a path."),
    ("Measure-Object", "Counts objects, and adds up a property."),
    ("New-Object", "Makes an object from a table, or an empty list."),
    ("New-TimeSpan", "Returns the time between two dates, or of some hours."),
    ("Out-File", "Writes to a file what the screen would show."),
    ("Out-GridView", "Shows objects as a table."),
    ("Out-Host", "Shows objects on the screen."),
    ("Out-Null", "Drops its input."),
    ("Out-String", "Returns as text what the screen would show."),
    ("Select-Object", "Selects properties, and the first or last objects."),
    ("Set-Content", "Writes lines to a file, in place of its content."),
    ("Sort-Object", "Sorts objects by properties."),
    ("Split-Path", "Returns a part of a path: its folder or its name."),
    ("Start-Sleep", "Waits."),
    ("Test-Path", "Returns true if there is such a file or folder."),
    ("Where-Object", "Lets the objects pass for which a condition is true."),
    ("Write-Error", "Writes an error, after which the script goes on."),
    ("Write-Host", "Writes text to the screen."),
    ("Write-Information", "Writes a note, if $InformationPreference says so."),
    ("Write-Output", "Returns its values."),
    ("Write-Progress", "Writes the progress of a task."),
    ("Write-Verbose", "Writes a note, with -Verbose."),
    ("Write-Warning", "Writes a warning."),
];

/// Commands that each host has, with their synopses and their parameters.
const DELEGATED: [(&str, &str, &str); 3] = [
    ("Get-Credential", "Asks for the password of a user.", "[[-UserName] <value>] [-Message <value>]"),
    ("Get-Help", "Shows the parameters of a command, or all commands.", "[[-Name] <value>]"),
    ("Read-Host", "Asks for a line of text, or a secret.", "[[-Prompt] <value>] [-AsSecureString]"),
];

/// Help for all cmdlets of the language, by name.
pub fn cmdlet_helps() -> impl Iterator<Item = CmdletHelp> {
    let cmdlets = CMDLETS.into_iter().map(help);
    let delegated = DELEGATED.into_iter().map(|(name, synopsis, parameters)| CmdletHelp {
        name,
        synopsis,
        syntax: format!("{name} {parameters}"),
        aliases: &[],
    });
    cmdlets.chain(delegated)
}

/// Help for a cmdlet of the language, by its name or alias.
pub fn cmdlet_help(name: &str) -> Option<CmdletHelp> {
    let name = find(name).map_or(name, |cmdlet| cmdlet.name);
    cmdlet_helps().find(|help| help.name.eq_ignore_ascii_case(name))
}

fn help(cmdlet: Cmdlet) -> CmdletHelp {
    let synopsis =
        SYNOPSES.iter().find(|(name, _)| *name == cmdlet.name).map_or("", |(_, synopsis)| synopsis);
    let mut syntax = cmdlet.name.to_owned();
    for (index, name) in cmdlet.values.iter().enumerate() {
        // Writing to a string cannot fail.
        _ = if index < cmdlet.positions {
            write!(syntax, " [[-{name}] <value>]")
        } else {
            write!(syntax, " [-{name} <value>]")
        };
    }
    for name in cmdlet.switches {
        _ = write!(syntax, " [-{name}]");
    }
    CmdletHelp { name: cmdlet.name, synopsis, syntax, aliases: cmdlet.aliases }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_cmdlet_has_help() {
        for help in cmdlet_helps() {
            assert!(help.synopsis.ends_with('.') && help.synopsis.len() <= 80, "{help:?}");
        }
        let help = cmdlet_help("EPCSV").unwrap();
        assert!(
            help.syntax
                .starts_with("Export-Csv [[-Path] <value>] [[-Delimiter] <value>] [-Encoding <value>]")
        );
        assert!(help.syntax.ends_with(" [-IncludeTypeInformation]"), "{}", help.syntax);
        assert_eq!(help.aliases, ["epcsv"]);
        assert!(cmdlet_help("read-host").is_some() && cmdlet_help("nothing").is_none());
    }
}
