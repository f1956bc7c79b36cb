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
const WITHOUT_EFFECT: [(&str, Takes, &str); 16] = [
    ("NotificationEmails", Takes::Value, NO_REPORTS),
    ("ReportInterval", Takes::Value, NO_REPORTS),
    ("SkipReports", Takes::Maybe, NO_REPORTS),
    ("BadItemLimit", Takes::Value, ALL_ITEMS),
    ("LargeItemLimit", Takes::Value, ALL_ITEMS),
    ("AutoRetryCount", Takes::Value, "failed passes are tried again by themselves"),
    ("TargetDeliveryDomain", Takes::Value, "it concerns mailbox moves only"),
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

const RETRY: &str = "Start-MigrationBatch retries the failed users of a batch; -CSVData names the users";

/// Parameters whose lack would change what happens to mail, with the form to write instead.
const REFUSED: [(&str, &str); 8] = [
    ("AutoComplete", "Complete-MigrationBatch, or -CompleteAfter with a date, completes a batch"),
    ("Users", RETRY),
    ("UserIds", RETRY),
    ("AdoptPreexisting", RETRY),
    ("RemoveOnCopy", RETRY),
    ("PrimaryOnly", "it concerns mailbox moves; there are no archive mailboxes here"),
    ("ArchiveOnly", "it concerns mailbox moves; there are no archive mailboxes here"),
    ("WorkflowTemplate", "mailhaul has no workflows"),
];

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
            kept.push(argument);
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
        ];
        let (kept, places, warnings) = take_out(arguments);
        assert_eq!(kept, [Argument::Value("B".into()), parameter("Name"), Argument::Value("x".into())]);
        assert_eq!(places, [0, 6, 7]);
        assert_eq!(warnings.len(), 3);
        assert!(warnings[0].starts_with("-BadItemLimit has no effect here: "), "{warnings:?}");
    }
}
