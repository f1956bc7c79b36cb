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

const NO_REPORTS: &str = "mailhaul sends no mail; reports are in Get-MigrationUserStatistics -IncludeReport";
const ALL_ITEMS: &str = "every skipped message is listed, and none makes a mailbox fail";
const INTERNAL: &str = "it concerns Exchange's own servers";

/// Parameters whose lack changes nothing about mail.
const WITHOUT_EFFECT: [(&str, Takes, &str); 19] = [
    ("NotificationEmails", Takes::Value, NO_REPORTS),
    ("ReportInterval", Takes::Value, NO_REPORTS),
    ("SkipReports", Takes::Maybe, NO_REPORTS),
    ("BadItemLimit", Takes::Value, ALL_ITEMS),
    ("LargeItemLimit", Takes::Value, ALL_ITEMS),
    ("AutoRetryCount", Takes::Value, "failed passes are tried again by themselves"),
    ("TargetDeliveryDomain", Takes::Value, "it concerns mailbox moves only"),
    ("NspiServer", Takes::Value, "a mail server that speaks IMAP has no address book"),
    ("TargetDatabases", Takes::Value, "a target of mailhaul has no databases of Exchange"),
    ("TargetArchiveDatabases", Takes::Value, "a target of mailhaul has no databases of Exchange"),
    ("Locale", Takes::Value, "mailhaul writes English"),
    ("DisallowExistingUsers", Takes::Maybe, "a user is in one batch only"),
    ("DisableOnCopy", Takes::Maybe, "users are not copied between batches"),
    ("Diagnostic", Takes::Maybe, INTERNAL),
    ("DiagnosticInfo", Takes::Value, INTERNAL),
    ("DiagnosticArgument", Takes::Value, INTERNAL),
    ("Partition", Takes::Value, INTERNAL),
    ("DomainController", Takes::Value, INTERNAL),
    ("SkipSubscription", Takes::Maybe, INTERNAL),
];

const NO_EXCHANGE: &str = "mailhaul moves mail by IMAP; give -IMAP, -Microsoft365 or -GoogleWorkspace";
const NO_DISCOVERY: &str = "it concerns the protocols of Exchange; name the IMAP server with -RemoteServer";
const NO_LOCAL: &str =
    "it moves mailboxes between databases of one Exchange; mailhaul moves mail from -SourceEndpoint";
const NO_FOLDERS: &str = "mailhaul moves mailboxes, not public folders or groups";
const RETRY: &str = "Start-MigrationBatch retries the failed users of a batch; -CSVData names the users";

/// Parameters whose lack would change what happens to mail, with the form to write instead.
const REFUSED: [(&str, &str); 23] = [
    ("AutoComplete", "Complete-MigrationBatch, or -CompleteAfter with a date, completes a batch"),
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

/// True if the parameter is accepted without an effect.
pub(crate) fn is_without_effect(written: &str) -> bool {
    WITHOUT_EFFECT.iter().any(|(known, ..)| is(known, written))
}

/// Returns the reason why a parameter of Exchange is refused.
pub(crate) fn refusal(entry: &Entry, written: &str) -> Option<String> {
    let (name, why) = REFUSED.iter().find(|(known, _)| is(known, written))?;
    Some(format!("{} cannot take -{name} here\n  {why}.", entry.name()))
}

/// Takes the parameters without an effect out of the arguments. Returns a warning for each.
///
/// The places of the other arguments change, so their old ones are returned too.
pub(crate) fn take_out(arguments: Vec<Argument>) -> (Vec<Argument>, Vec<usize>, Vec<String>) {
    let (mut kept, mut places, mut warnings) = (Vec::new(), Vec::new(), Vec::new());
    let mut arguments = arguments.into_iter().enumerate().peekable();
    while let Some((place, argument)) = arguments.next() {
        let found = match &argument {
            Argument::Parameter { name, value } => WITHOUT_EFFECT
                .iter()
                .find(|(known, ..)| is(known, name))
                .map(|(known, takes, why)| (*known, *takes, *why, value.is_some())),
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
            parameter("SkipReports"),
            Argument::Value(true.into()),
            parameter("Diagnostic"),
            parameter("Name"),
            Argument::Value("x".into()),
            parameter("CF"),
        ];
        let (kept, places, warnings) = take_out(arguments);
        let own = [
            Argument::Value("B".into()),
            parameter("Name"),
            Argument::Value("x".into()),
            parameter("Confirm"),
        ];
        assert_eq!(kept, own);
        assert_eq!(places, [0, 6, 7, 8]);
        assert_eq!(warnings.len(), 3);
        assert!(warnings[0].starts_with("-BadItemLimit has no effect here: "), "{warnings:?}");
    }
}
