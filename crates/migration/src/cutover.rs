//! The gate: nine conditions under which the old server is not needed any more, and the verdict. Pure.

use jiff::Timestamp;

use crate::{
    cutover_facts::{
        Condition, ConditionState, CutoverFacts, DomainFacts, JudgedCondition, RemarkKind, Verdict,
    },
    cutover_settings::CutoverSettings,
    cutover_words::{self as words, Words},
    routing_state::RoutingStatus,
};

/// The verdict in one sentence, with its conditions.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Judgement {
    pub verdict: Verdict,
    pub sentence: String,
    pub settled_at: Option<Timestamp>,
    pub conditions: Vec<JudgedCondition>,
}

/// Returns the time from which all mail goes to the target; `None` if it does not yet.
fn settled_at(facts: &CutoverFacts, settings: &CutoverSettings) -> Option<Timestamp> {
    if let Some(stated) = settings.routed_at {
        return Some(stated).filter(|at| *at <= facts.now);
    }
    let settled = facts.domains.iter().map(|domain| match domain.state.status {
        RoutingStatus::Moved => domain.state.settled_at,
        _ => None,
    });
    settled.collect::<Option<Vec<_>>>()?.into_iter().max()
}

/// Returns the begin of the quiet period, and the time from which all mail goes to the target.
pub fn quiet_times(facts: &CutoverFacts, settings: &CutoverSettings) -> (Timestamp, Option<Timestamp>) {
    let begin = facts.now.checked_sub(settings.quiet_period()).unwrap_or(Timestamp::MIN);
    let settled = settled_at(facts, settings);
    (settled.map_or(begin, |settled| begin.max(settled)), settled)
}

/// Returns the time after which each user must be synced; `None` while mail may still go to the source.
pub fn sync_needed_after(facts: &CutoverFacts, settings: &CutoverSettings) -> Option<Timestamp> {
    let settled = settled_at(facts, settings)?;
    let last = facts.arrivals.as_ref().and_then(|arrivals| arrivals.last);
    Some(last.map_or(settled, |last| last.max(settled)))
}

/// Judges all conditions.
pub fn judge(facts: &CutoverFacts, settings: &CutoverSettings) -> Judgement {
    let words = Words::new(facts);
    let settled = settled_at(facts, settings);
    let judged = [
        (Condition::Routing, routing(facts, settings, &words)),
        (Condition::DirectMail, direct_mail(facts)),
        (Condition::SourceIsQuiet, source_is_quiet(facts, settings, &words)),
        (Condition::LastSync, last_sync(facts, settings, &words)),
        (Condition::NoFailures, no_failures(facts)),
        (Condition::Skipped, skipped(facts)),
        (Condition::SourceIsUnused, source_is_unused(facts, settled, &words)),
        (Condition::Verified, verified(settings)),
        (Condition::Records, records(facts)),
    ];
    let conditions: Vec<JudgedCondition> = judged
        .into_iter()
        .map(|(condition, (state, words))| match settings.waiver(condition) {
            Some(waiver) if state != ConditionState::Met => JudgedCondition {
                condition,
                state: ConditionState::Waived,
                words: format!("waived by {}: {}; without that: {words}", waiver.by, waiver.reason),
            },
            _ => JudgedCondition { condition, state, words },
        })
        .collect();
    let (verdict, sentence) = verdict(facts, settled, &conditions, &words);
    Judgement { verdict, sentence, settled_at: settled, conditions }
}

fn verdict(
    facts: &CutoverFacts,
    settled: Option<Timestamp>,
    conditions: &[JudgedCondition],
    words: &Words<'_>,
) -> (Verdict, String) {
    let in_state = |state| conditions.iter().filter(move |it| it.state == state);
    let mut hindrances = in_state(ConditionState::NotMet).filter(|it| !it.condition.is_warning());
    let unknown = in_state(ConditionState::Unknown).count();
    if let Some(first) = hindrances.next() {
        let more = words::more(hindrances.count() + unknown);
        return (Verdict::NotSafe, format!("Not safe to remove: {}{more}.", first.words));
    }
    if let Some(first) = in_state(ConditionState::Unknown).next() {
        let more = words::more(unknown - 1);
        return (Verdict::Unknown, format!("Not known to be safe to remove: {}{more}.", first.words));
    }
    (Verdict::SafeToRemove, words.safe(settled, facts))
}

type Judged = (ConditionState, String);

fn met(words: impl Into<String>) -> Judged {
    (ConditionState::Met, words.into())
}

fn not_met(words: impl Into<String>) -> Judged {
    (ConditionState::NotMet, words.into())
}

fn unknown(words: impl Into<String>) -> Judged {
    (ConditionState::Unknown, words.into())
}

fn routing(facts: &CutoverFacts, settings: &CutoverSettings, words: &Words<'_>) -> Judged {
    if let Some(stated) = settings.routed_at {
        let when = words.time(stated);
        return if stated <= facts.now {
            met(format!("mail goes to the target since {when}, as stated with -RoutedAt"))
        } else {
            not_met(format!("mail goes to the target from {when} on, as stated with -RoutedAt"))
        };
    }
    if facts.domains.is_empty() {
        return unknown("the batch has no domain; state the time of the move with -RoutedAt");
    }
    let is_unknown = |domain: &&DomainFacts| domain.state.status == RoutingStatus::Unknown;
    let unmoved = |domain: &&DomainFacts| !is_unknown(domain) && domain.state.status != RoutingStatus::Moved;
    let unmoved: Vec<&DomainFacts> = facts.domains.iter().filter(unmoved).collect();
    if let Some(first) = unmoved.first() {
        return not_met(format!("{}{}", words.domain(first), words::more_domains(unmoved.len() - 1)));
    }
    let unknowns: Vec<&DomainFacts> = facts.domains.iter().filter(is_unknown).collect();
    match unknowns.first() {
        Some(first) => unknown(format!("{}{}", words.domain(first), words::more_domains(unknowns.len() - 1))),
        None => met(words.moved(&facts.domains)),
    }
}

fn direct_mail(facts: &CutoverFacts) -> Judged {
    if !facts.sees_direct_mail {
        return unknown(
            "not available: this version does not look for mail that arrives directly on the target; \
             send a message from outside, look for it, and waive DirectMail",
        );
    }
    let missing = facts.domains.iter().find(|domain| domain.direct_since.is_none());
    match missing {
        None if facts.domains.is_empty() => unknown("the batch has no domain"),
        None => met("mail has arrived directly on the target"),
        Some(domain) => {
            not_met(format!("no mail of {} has arrived directly on the target yet", domain.domain))
        }
    }
}

fn source_is_quiet(facts: &CutoverFacts, settings: &CutoverSettings, words: &Words<'_>) -> Judged {
    let Some(arrivals) = &facts.arrivals else {
        return unknown(
            "not available: this version does not count messages that arrive on the source; \
             look there, and waive SourceIsQuiet",
        );
    };
    let (begin, Some(_)) = quiet_times(facts, settings) else {
        return unknown("known after the move: messages may still arrive on the source");
    };
    match arrivals.last {
        Some(last) if last > begin => not_met(Words::arrivals(arrivals, settings.quiet_period())),
        Some(last) => met(format!("the last message arrived on the source on {}", words.time(last))),
        None => met("no message has arrived on the source"),
    }
}

fn last_sync(facts: &CutoverFacts, settings: &CutoverSettings, words: &Words<'_>) -> Judged {
    let Some(needed) = sync_needed_after(facts, settings) else {
        return unknown("known after the move: each user needs a sync after it");
    };
    if facts.users == 0 {
        return met("the batch has no users");
    }
    match facts.unsynced.count {
        0 => met(format!("each user was synced after {}", words.time(needed))),
        _ => not_met(format!(
            "{} after {}: Set-MigrationBatch \"{}\" -SyncNow",
            words::users(&facts.unsynced, "user was not synced", "users were not synced"),
            words.time(needed),
            facts.batch
        )),
    }
}

fn no_failures(facts: &CutoverFacts) -> Judged {
    if let Some(endpoint) = &facts.parked {
        return not_met(format!("the endpoint \"{endpoint}\" is paused"));
    }
    match facts.failed.count {
        0 => met("no user failed or is stopped"),
        _ => not_met(words::users(
            &facts.failed,
            "user failed, is stopped, or was never synced",
            "users failed, are stopped, or were never synced",
        )),
    }
}

fn skipped(facts: &CutoverFacts) -> Judged {
    match facts.skipped.count {
        0 => met("no skipped message waits for an approval"),
        _ => not_met(format!(
            "{} not approved, of {}",
            words::number(facts.skipped_messages, "skipped message is", "skipped messages are"),
            words::users(&facts.skipped, "user", "users")
        )),
    }
}

fn source_is_unused(facts: &CutoverFacts, settled: Option<Timestamp>, words: &Words<'_>) -> Judged {
    let Some(arrivals) = &facts.arrivals else {
        return unknown(
            "not available: this version does not see who still writes on the source; ask the users, and \
             waive SourceIsUnused",
        );
    };
    if settled.is_none() {
        return unknown("known after the move: users may still write on the source");
    }
    match arrivals.writers.count {
        0 => met("no user has saved a message on the source since the move"),
        _ => not_met(words.writers(arrivals)),
    }
}

fn verified(settings: &CutoverSettings) -> Judged {
    let words = "not available: this version does not verify";
    if settings.require_verification {
        return unknown(words);
    }
    (ConditionState::Waived, format!("{words}, and -RequireVerification is not set"))
}

fn records(facts: &CutoverFacts) -> Judged {
    let Some(remarks) = &facts.records else {
        return unknown(
            "the other records of the domains (MTA-STS) have not been read: Test-MigrationCutover reads them",
        );
    };
    let first = |kind| {
        let remark = remarks.iter().find(|remark| remark.kind == kind)?;
        Some(format!("{}: {}", remark.domain, remark.words))
    };
    if let Some(losing) = first(RemarkKind::LosesMail) {
        return not_met(losing);
    }
    if let Some(unread) = first(RemarkKind::Unread) {
        return unknown(unread);
    }
    if remarks.is_empty() {
        return met("no record makes other servers refuse the new hosts");
    }
    let each: Vec<String> =
        remarks.iter().map(|remark| format!("{}: {}", remark.domain, remark.words)).collect();
    met(format!("no mail is lost, but {}", each.join("; ")))
}

#[cfg(test)]
mod tests;
