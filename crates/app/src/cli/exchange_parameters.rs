//! Parameters of Exchange's cmdlets that mailhaul does not have.

use mailhaul_operations::Entry;
use mailhaul_shell::{Argument, Value};

/// A value that follows a parameter.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Takes {
    Value,

    /// A switch in some cmdlets, a Boolean in others.
    Maybe,
}

const NOT_HERE: &str = "Set-MigrationBatch -NotificationEmails sets the receivers";
const ALL_ITEMS: &str = "every skipped message is listed, and none makes a mailbox fail";
const INTERNAL: &str = "it concerns Exchange's own servers";

/// Cmdlets of Exchange that mailhaul has.
const EXCHANGE: [&str; 21] = [
    "Complete-MigrationBatch",
    "Export-MigrationReport",
    "Get-MigrationBatch",
    "Get-MigrationConfig",
    "Get-MigrationEndpoint",
    "Get-MigrationUser",
    "Get-MigrationUserStatistics",
    "New-MigrationBatch",
    "New-MigrationEndpoint",
    "Remove-MigrationBatch",
    "Remove-MigrationEndpoint",
    "Remove-MigrationUser",
    "Set-MigrationBatch",
    "Set-MigrationConfig",
    "Set-MigrationEndpoint",
    "Set-MigrationUser",
    "Start-MigrationBatch",
    "Start-MigrationUser",
    "Stop-MigrationBatch",
    "Stop-MigrationUser",
    "Test-MigrationServerAvailability",
];
const NEW: &[&str] = &["New-MigrationBatch"];
const ENDPOINTS: &[&str] =
    &["New-MigrationEndpoint", "Set-MigrationEndpoint", "Test-MigrationServerAvailability"];
const DATABASES: &str = "a target of mailhaul has no databases of Exchange";
const NEW_AND_SET: &[&str] = &["New-MigrationBatch", "Set-MigrationBatch"];
const LIMITS: &[&str] = &["New-MigrationBatch", "Set-MigrationBatch", "Set-MigrationUser"];
const DIAGNOSTIC: &[&str] = &["Get-MigrationBatch", "Get-MigrationEndpoint", "Get-MigrationUserStatistics"];

/// Parameter of Exchange whose lack changes nothing about mail.
struct WithoutEffect {
    name: &'static str,
    takes: Takes,
    /// Cmdlets that have it in Exchange.
    cmdlets: &'static [&'static str],
    why: &'static str,
}

const fn without_effect(
    name: &'static str,
    takes: Takes,
    cmdlets: &'static [&'static str],
    why: &'static str,
) -> WithoutEffect {
    WithoutEffect { name, takes, cmdlets, why }
}

/// Parameters whose lack changes nothing about mail.
const WITHOUT_EFFECT: [WithoutEffect; 17] = [
    without_effect("NotificationEmails", Takes::Value, &["Complete-MigrationBatch"], NOT_HERE),
    without_effect("BadItemLimit", Takes::Value, LIMITS, ALL_ITEMS),
    without_effect("LargeItemLimit", Takes::Value, LIMITS, ALL_ITEMS),
    without_effect(
        "AutoRetryCount",
        Takes::Value,
        NEW_AND_SET,
        "failed passes are tried again by themselves",
    ),
    without_effect("TargetDeliveryDomain", Takes::Value, NEW, "it concerns mailbox moves only"),
    without_effect("Locale", Takes::Value, NEW, "mailhaul writes English"),
    without_effect("DisallowExistingUsers", Takes::Maybe, NEW, "a user is in one batch only"),
    without_effect("DisableOnCopy", Takes::Maybe, NEW, "users are not copied between batches"),
    without_effect("Diagnostic", Takes::Maybe, DIAGNOSTIC, INTERNAL),
    without_effect("DiagnosticInfo", Takes::Value, DIAGNOSTIC, INTERNAL),
    without_effect("DiagnosticArgument", Takes::Value, DIAGNOSTIC, INTERNAL),
    without_effect("Partition", Takes::Value, &EXCHANGE, INTERNAL),
    without_effect("DomainController", Takes::Value, &EXCHANGE, INTERNAL),
    without_effect("SkipSubscription", Takes::Maybe, &["Get-MigrationUserStatistics"], INTERNAL),
    without_effect(
        "NspiServer",
        Takes::Value,
        ENDPOINTS,
        "a mail server that speaks IMAP has no address book",
    ),
    without_effect("TargetDatabases", Takes::Value, NEW, DATABASES),
    without_effect("TargetArchiveDatabases", Takes::Value, NEW, DATABASES),
];

const NO_EXCHANGE: &str = "mailhaul moves mail by IMAP; give -IMAP, -Microsoft365 or -GoogleWorkspace";
const NO_DISCOVERY: &str = "it concerns the protocols of Exchange; name the IMAP server with -RemoteServer";
const NO_LOCAL: &str =
    "it moves mailboxes between databases of one Exchange; mailhaul moves mail from -SourceEndpoint";
const NO_FOLDERS: &str = "mailhaul moves mailboxes, not public folders or groups";
const RETRY: &str = "Start-MigrationBatch retries the failed users of a batch; -CSVData names the users";
const MOVES: &str = "it concerns mailbox moves inside Exchange";

/// Parameters whose lack would change what happens to mail, with the form to write instead.
const REFUSED: [(&str, &str); 30] = [
    ("AutoComplete", "Complete-MigrationBatch, or -CompleteAfter with a date, completes a batch"),
    ("SyncAndComplete", "Complete-MigrationBatch syncs once more before it completes"),
    ("Users", RETRY),
    ("UserIds", RETRY),
    ("AdoptPreexisting", RETRY),
    ("RemoveOnCopy", RETRY),
    ("PrimaryOnly", "it concerns mailbox moves; there are no archive mailboxes here"),
    ("ArchiveOnly", "it concerns mailbox moves; there are no archive mailboxes here"),
    ("WorkflowTemplate", "mailhaul has no workflows"),
    ("ExchangeRemoteMove", NO_EXCHANGE),
    ("ExchangeOutlookAnywhere", NO_EXCHANGE),
    ("Compliance", NO_EXCHANGE),
    ("PSTImport", "mailhaul moves mail by IMAP and reads no PST files"),
    ("Autodiscover", NO_DISCOVERY),
    ("ExchangeServer", NO_DISCOVERY),
    ("RPCProxyServer", NO_DISCOVERY),
    ("MailboxPermission", NO_DISCOVERY),
    ("SourceMailboxLegacyDN", NO_DISCOVERY),
    ("Local", NO_LOCAL),
    ("PublicFolder", NO_FOLDERS),
    ("PublicFolderToUnifiedGroup", NO_FOLDERS),
    ("PublicFolderDatabaseServerLegacyDN", NO_FOLDERS),
    ("SourcePublicFolderDatabase", NO_FOLDERS),
    ("ManagedGmailTeams", NO_FOLDERS),
    ("WorkflowControlFlags", "mailhaul has no workflows"),
    ("ArchiveDomain", MOVES),
    ("MoveOptions", MOVES),
    ("SkipMoving", MOVES),
    ("SkipMerging", "-ExcludeFolders and -ContentFilter leave mail out"),
    ("IncludeAssociatedBatches", "a user is in one batch only"),
];

/// Other names of parameters in Exchange, with those here.
const ALIASES: [(&str, &str); 3] = [("Credentials", "Credential"), ("cf", "Confirm"), ("wi", "WhatIf")];

/// Returns the name of a parameter here.
pub(crate) fn own_name(written: &str) -> &str {
    ALIASES.iter().find(|(alias, _)| is(alias, written)).map_or(written, |(_, name)| name)
}

fn is(known: &str, written: &str) -> bool {
    known.eq_ignore_ascii_case(written)
}

/// Finds a parameter of a cmdlet that is accepted without an effect.
fn find(command: &str, written: &str) -> Option<&'static WithoutEffect> {
    WITHOUT_EFFECT
        .iter()
        .find(|known| is(known.name, written) && known.cmdlets.iter().any(|cmdlet| is(cmdlet, command)))
}

/// True if a cmdlet accepts the parameter without an effect.
pub(crate) fn is_without_effect(command: &str, written: &str) -> bool {
    find(command, written).is_some()
}

/// Returns the reason why a parameter of Exchange is refused.
pub(crate) fn refusal(entry: &Entry, written: &str) -> Option<String> {
    let (name, why) = REFUSED.iter().find(|(known, _)| is(known, written))?;
    Some(format!("{} cannot take -{name} here\n  {why}.", entry.name()))
}

/// Takes the parameters without an effect out of the arguments. Returns a warning for each.
///
/// The places of the other arguments change, so their old ones are returned too.
pub(crate) fn take_out(command: &str, arguments: Vec<Argument>) -> (Vec<Argument>, Vec<usize>, Vec<String>) {
    let (mut kept, mut places, mut warnings) = (Vec::new(), Vec::new(), Vec::new());
    let mut arguments = arguments.into_iter().enumerate().peekable();
    while let Some((place, argument)) = arguments.next() {
        let found = match &argument {
            Argument::Parameter { name, value } => {
                find(command, name).map(|known| (known.name, known.takes, known.why, value.is_some()))
            }
            Argument::Value(_) => None,
        };
        let Some((known, takes, why, has_value)) = found else {
            kept.push(named(argument));
            places.push(place);
            continue;
        };
        warnings.push(format!("-{known} has no effect here: {why}"));
        if has_value {
            continue;
        }
        let follows = |next: &(usize, Argument)| match &next.1 {
            Argument::Value(Value::Bool(_)) => true,
            Argument::Value(_) => takes == Takes::Value,
            Argument::Parameter { .. } => false,
        };
        arguments.next_if(follows);
    }
    (kept, places, warnings)
}

fn named(argument: Argument) -> Argument {
    match argument {
        Argument::Parameter { name, value } => {
            Argument::Parameter { name: own_name(&name).to_owned(), value }
        }
        value @ Argument::Value(_) => value,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parameter(name: &str) -> Argument {
        Argument::Parameter { name: name.to_owned(), value: None }
    }

    #[test]
    fn parameters_go_with_their_values_and_the_others_stay() {
        let arguments = vec![
            Argument::Value("B".into()),
            parameter("badItemLimit"),
            Argument::Value("unlimited".into()),
            parameter("AutoRetryCount"),
            Argument::Value("2".into()),
            parameter("Partition"),
            Argument::Value("p".into()),
            parameter("Name"),
            Argument::Value("x".into()),
            parameter("CF"),
        ];
        let (kept, places, warnings) = take_out("Set-MigrationBatch", arguments);
        let own = [
            Argument::Value("B".into()),
            parameter("Name"),
            Argument::Value("x".into()),
            parameter("Confirm"),
        ];
        assert_eq!(kept, own);
        assert_eq!(places, [0, 7, 8, 9]);
        assert_eq!(warnings.len(), 3);
        assert!(warnings[0].starts_with("-BadItemLimit has no effect here: "), "{warnings:?}");
    }

    #[test]
    fn each_cmdlet_accepts_the_parameters_that_it_has_in_exchange() {
        for (command, accepted) in [
            ("Get-MigrationBatch", "Diagnostic DiagnosticInfo DiagnosticArgument Partition DomainController"),
            ("Complete-MigrationBatch", "NotificationEmails Partition DomainController"),
            ("Set-MigrationUser", "BadItemLimit LargeItemLimit Partition DomainController"),
            ("Start-MigrationUser", "Partition DomainController"),
            ("Set-MigrationBatch", "BadItemLimit LargeItemLimit AutoRetryCount Partition DomainController"),
            ("Get-MigrationNode", ""),
        ] {
            let names = WITHOUT_EFFECT.iter().map(|known| known.name);
            let found: Vec<&str> = names.filter(|name| is_without_effect(command, name)).collect();
            assert_eq!(found.join(" "), accepted, "{command}");
        }
    }
}
