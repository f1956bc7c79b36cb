//! Resolves the names of commands.

use std::sync::Arc;

use crate::{
    ast::Block,
    cmdlets::{self, Cmdlet},
    error::{ErrorKind, Fault},
    host::Host,
    scopes::Scopes,
    text,
    value::{Object, Value, same_name},
};

/// Meaning of the name of a command.
pub(crate) enum Resolved {
    Function(Arc<Block>),
    Cmdlet(Cmdlet),
    /// The host's spelling.
    Host(String),
    /// Its name, and why it has no effect here.
    WithoutEffect(&'static str, &'static str),
}

/// Commands of PowerShell that have no effect here, with the reason.
const WITHOUT_EFFECT: [(&[&str], &str); 4] = [
    (
        &[
            "Connect-ExchangeOnline",
            "Disconnect-ExchangeOnline",
            "Connect-IPPSSession",
            "New-PSSession",
            "Import-PSSession",
            "Remove-PSSession",
            "Get-PSSession",
            "Get-ConnectionInformation",
            "Enter-PSSession",
            "Exit-PSSession",
            "Connect-MsolService",
            "Connect-MgGraph",
            "Disconnect-MgGraph",
            "Connect-AzureAD",
            "New-ExoPSSession",
            "Connect-EXOPSSession",
            "Connect-AzAccount",
        ],
        "the cmdlets of mailhaul are always there",
    ),
    (
        &[
            "Import-Module",
            "Install-Module",
            "Update-Module",
            "Add-PSSnapin",
            "Get-Module",
            "Remove-Module",
            "Set-PSRepository",
        ],
        "the cmdlets of mailhaul are always there",
    ),
    (&["Set-ExecutionPolicy", "Set-StrictMode"], "scripts run, and a misspelled variable is always an error"),
    (
        &["Clear-Host", "cls", "clear", "Start-Transcript", "Stop-Transcript", "Set-PSDebug"],
        "the screen stays as it is",
    ),
];

/// Returns the answer of a command that has no effect. Scripts ask whether they are connected.
pub(crate) fn answer(name: &str) -> Option<Value> {
    let properties: &[(&str, &str)] = match name {
        "New-PSSession" | "Get-PSSession" => &[
            ("Name", "mailhaul"),
            ("ConfigurationName", "Microsoft.Exchange"),
            ("State", "Opened"),
            ("Availability", "Available"),
        ],
        "Get-ConnectionInformation" => {
            &[("Name", "mailhaul"), ("State", "Connected"), ("TokenStatus", "Active")]
        }
        "Get-Module" => &[("Name", "ExchangeOnlineManagement"), ("ModuleType", "Script")],
        _ => return None,
    };
    Some(properties.iter().copied().collect::<Object>().into())
}

/// Commands that are left out, with the form to write instead.
const LEFT_OUT: [(&[&str], &str); 14] = [
    (&["Send-MailMessage"], "the report to a file (`... | Export-Csv report.csv`); mailhaul sends no mail"),
    (
        &[
            "Get-Mailbox",
            "Get-EXOMailbox",
            "Get-MailboxStatistics",
            "Get-EXOMailboxStatistics",
            "Set-Mailbox",
            "New-Mailbox",
            "Get-User",
            "Get-Recipient",
            "Get-MailUser",
            "New-MailUser",
            "Get-MsolUser",
            "Get-MgUser",
            "Get-AcceptedDomain",
            "Get-OrganizationConfig",
            "Enable-Mailbox",
            "Add-MailboxPermission",
            "Get-ExchangeServer",
            "Get-ADUser",
            "Get-ADComputer",
            "Get-ADGroupMember",
            "Set-MsolUserLicense",
        ],
        "this line in Exchange's own PowerShell; mailhaul knows only migrations",
    ),
    (
        &[
            "Get-MoveRequest",
            "New-MoveRequest",
            "Get-MoveRequestStatistics",
            "Get-SyncRequest",
            "Get-SyncRequestStatistics",
            "New-SyncRequest",
        ],
        "Get-MigrationUser and Get-MigrationUserStatistics",
    ),
    (&["Get-SyncRequestConfig", "Export-MigrationReport"], "`Get-MigrationUser | Export-Csv report.csv`"),
    (&["Invoke-Expression", "iex"], "the line itself, or `& { ... }`"),
    (&["Invoke-Command", "icm"], "`& { ... }`"),
    (
        &["Start-Job", "Wait-Job", "Receive-Job", "Get-Job", "Remove-Job", "Start-ThreadJob"],
        "the statements one after another",
    ),
    (
        &["Invoke-WebRequest", "Invoke-RestMethod", "iwr", "irm", "curl", "wget"],
        "the request in another program",
    ),
    (&["Format-Wide", "fw", "Format-Custom", "fc"], "`Format-Table`"),
    (
        &[
            "New-Item",
            "ni",
            "mkdir",
            "md",
            "Remove-Item",
            "rm",
            "del",
            "ri",
            "Copy-Item",
            "cp",
            "copy",
            "Move-Item",
            "mv",
            "move",
            "Rename-Item",
            "Get-ChildItem",
            "ls",
            "dir",
            "gci",
            "Get-Item",
            "Set-Location",
            "cd",
            "Get-Location",
            "pwd",
            "Push-Location",
            "Pop-Location",
        ],
        "this line in the program that starts `mailhaul shell`",
    ),
    (
        &[
            "Add-Type",
            "Register-ScheduledTask",
            "New-ScheduledTask",
            "Start-Process",
            "Get-Process",
            "Get-Service",
            "Write-EventLog",
        ],
        "this line outside of mailhaul",
    ),
    (&["Export-Excel", "Import-Excel"], "Export-Csv and Import-Csv"),
    (&["Tee-Object", "tee"], "`-OutVariable name`, or two pipelines"),
    (
        &[
            "Get-Variable",
            "Set-Variable",
            "Remove-Variable",
            "Clear-Variable",
            "New-Variable",
            "Get-Random",
            "Select-String",
        ],
        "the variable or the comparison itself",
    ),
];

/// Finds a command: a function of the script, a cmdlet of the language, or a command of the host.
pub(crate) fn resolve<H: Host>(name: &str, at: usize, scopes: &Scopes, host: &H) -> Result<Resolved, Fault> {
    if let Some(block) = scopes.function(name) {
        return Ok(Resolved::Function(block));
    }
    if name.get(name.len().saturating_sub(4)..).is_some_and(|end| end.eq_ignore_ascii_case(".ps1")) {
        return Err(Fault::instead(at, "running another script is", "its lines into this script"));
    }
    // `Microsoft.PowerShell.Utility\Get-Date`
    let name = name.rsplit('\\').next().unwrap_or(name);
    if let Some(cmdlet) = cmdlets::find(name) {
        return Ok(Resolved::Cmdlet(cmdlet));
    }
    let mut known = host.commands();
    if let Some(name) = known.iter().find(|known| same_name(known, name)) {
        return Ok(Resolved::Host(name.clone()));
    }
    if let Some((_, name)) = cmdlets::DELEGATED.iter().find(|(alias, _)| same_name(alias, name)) {
        return Ok(Resolved::Host((*name).to_owned()));
    }
    for (names, why) in WITHOUT_EFFECT {
        if let Some(known) = names.iter().find(|known| known.eq_ignore_ascii_case(name)) {
            return Ok(Resolved::WithoutEffect(known, why));
        }
    }
    for (names, form) in LEFT_OUT {
        if let Some(known) = names.iter().find(|known| known.eq_ignore_ascii_case(name)) {
            return Err(Fault::instead(at, format!("the command {known} is"), form));
        }
    }
    known.extend(cmdlets::names().map(ToOwned::to_owned));
    known.extend(scopes.functions().map(ToOwned::to_owned));
    let message = format!(
        "there is no command {}{}",
        text::harmless_on_screen(name),
        text::did_you_mean(name, known.iter().map(String::as_str))
    );
    Err(Fault::new(ErrorKind::UnknownCommand, at, message))
}
