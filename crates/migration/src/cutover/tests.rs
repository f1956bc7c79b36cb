//! The rule of the seed, each condition, and random lives.

mod lives;

use jiff::{SignedDuration, Timestamp, ToSpan as _, tz::TimeZone};

use super::*;
use crate::{
    cutover_facts::{Arrivals, DeliveringHost, NamedUsers, RecordRemark},
    cutover_settings::Waiver,
    routing::{AskedServer, DomainRouting, MxAnswer, MxHost, RoutingLook, RoutingRules},
};

fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}

fn look(at: Timestamp, host: &str) -> RoutingLook {
    let host = MxHost { preference: 10, name: host.to_owned(), addresses: Vec::new(), address_ttl: 3600 };
    let answer = MxAnswer::Hosts { ttl: 3600, hosts: vec![host] };
    let asked = |name: &str| AskedServer { name: name.to_owned(), answer: answer.clone() };
    RoutingLook {
        at,
        name_servers: vec![asked("ns1"), asked("ns2")],
        name_server_ttl: 86_400,
        resolvers: vec![asked("resolver")],
        trouble: None,
        source_addresses: Vec::new(),
    }
}

/// Facts of a batch of two users, one domain, and all conditions met, at a look of this moment.
fn facts(routing: &mut DomainRouting, now: Timestamp, host: &str) -> CutoverFacts {
    routing.observe(look(now, host), &RoutingRules::default());
    let settle = CutoverSettings::default().settle_period();
    CutoverFacts {
        now,
        zone: TimeZone::UTC,
        batch: "Staff".to_owned(),
        users: 2,
        domains: vec![DomainFacts {
            domain: "contoso.edu".to_owned(),
            state: routing.state(now, &RoutingRules::default(), settle),
            direct_since: Some(at("2026-11-27T18:10:00Z")),
        }],
        sees_direct_mail: true,
        arrivals: Some(Arrivals::default()),
        unsynced: NamedUsers::default(),
        failed: NamedUsers::default(),
        parked: None,
        skipped: NamedUsers::default(),
        skipped_messages: 0,
        records: Some(Vec::new()),
    }
}

/// Users whose last sync is not later than the needed time.
fn unsynced(facts: &mut CutoverFacts, settings: &CutoverSettings, syncs: &[Timestamp]) {
    let Some(needed) = sync_needed_after(facts, settings) else { return };
    let count = syncs.iter().filter(|sync| **sync <= needed).count() as u64;
    facts.unsynced = NamedUsers { count, first: Vec::new() };
}

fn state(judgement: &Judgement, condition: Condition) -> ConditionState {
    judgement.conditions.iter().find(|it| it.condition == condition).unwrap().state
}

/// The seed: wait at least 72 hours after the move, and see that the last sync is younger than the moment from
/// which mail was routed directly.
#[test]
fn the_rule_of_the_seed() {
    let settings = CutoverSettings::default();
    let mut routing = DomainRouting::default();
    facts(&mut routing, at("2026-11-27T18:00:00Z"), "mx.old.example");
    facts(&mut routing, at("2026-11-27T18:02:00Z"), "mx.new.example");
    let saturday = at("2026-11-28T09:00:00Z");
    let monday = at("2026-11-30T18:30:00Z");
    let last = Some(at("2026-11-29T23:40:00Z"));
    for (now, syncs, arrived, verdict, sentence) in [
        (
            at("2026-11-28T12:00:00Z"),
            [saturday; 2],
            None,
            Verdict::NotSafe,
            "Not safe to remove: contoso.edu: its MX moved on Friday at 18:02; caches may tell the old until Monday at 18:02; \
             3 more conditions are not met or not known.",
        ),
        (
            at("2026-11-30T18:10:00Z"),
            [saturday; 2],
            last,
            Verdict::NotSafe,
            "Not safe to remove: 2 users were not synced after Monday at 18:02: Set-MigrationBatch \"Staff\" -SyncNow.",
        ),
        (
            at("2026-11-30T18:31:00Z"),
            [monday; 2],
            last,
            Verdict::SafeToRemove,
            "Safe to remove: since Monday at 18:02 all mail goes to the target, the last message on the source arrived on \
             Sunday at 23:40 and is on the target.",
        ),
        // A message arrives on Monday at 19:00 after all: it must be synced, and 24 hours must be quiet.
        (
            at("2026-11-30T20:00:00Z"),
            [monday; 2],
            Some(at("2026-11-30T19:00:00Z")),
            Verdict::NotSafe,
            "Not safe to remove: 1 message arrived on the source in the last 24 h: 1 from smtp.partner.example (203.0.113.7); \
             1 more condition is not met or not known.",
        ),
        (
            at("2026-12-01T19:30:00Z"),
            [monday; 2],
            Some(at("2026-11-30T19:00:00Z")),
            Verdict::NotSafe,
            "Not safe to remove: 2 users were not synced after Monday at 19:00: Set-MigrationBatch \"Staff\" -SyncNow.",
        ),
        (
            at("2026-12-01T19:30:00Z"),
            [at("2026-12-01T19:00:00Z"); 2],
            Some(at("2026-11-30T19:00:00Z")),
            Verdict::SafeToRemove,
            "Safe to remove: since Monday at 18:02 all mail goes to the target, the last message on the source arrived on \
             Monday at 19:00 and is on the target.",
        ),
    ] {
        let mut facts = facts(&mut routing, now, "mx.new.example");
        let host = DeliveringHost {
            name: "smtp.partner.example".to_owned(),
            address: Some("203.0.113.7".parse().unwrap()),
            messages: 1,
        };
        facts.arrivals =
            Some(Arrivals { last: arrived, recent: 1, hosts: vec![host], ..Arrivals::default() });
        unsynced(&mut facts, &settings, &syncs);
        let judgement = judge(&facts, &settings);
        assert_eq!((judgement.verdict, judgement.sentence.as_str()), (verdict, sentence), "{now}");
    }
}

/// A batch that is safe to remove.
fn safe() -> CutoverFacts {
    let mut routing = DomainRouting::default();
    facts(&mut routing, at("2026-11-27T18:00:00Z"), "mx.old.example");
    facts(&mut routing, at("2026-11-27T18:02:00Z"), "mx.new.example");
    facts(&mut routing, at("2026-12-01T12:00:00Z"), "mx.new.example")
}

#[test]
fn each_condition_alone_keeps_a_batch_from_being_safe() {
    use ConditionState::{NotMet, Unknown};
    type Change = fn(&mut CutoverFacts);
    let cases: [(Condition, ConditionState, &str, Change); 12] = [
        (Condition::Routing, NotMet, "its MX has not moved", |it| {
            it.domains[0].state.status = RoutingStatus::NotMoved;
        }),
        (Condition::Routing, Unknown, "it is not known where its mail goes", |it| {
            it.domains[0].state.status = RoutingStatus::Unknown;
        }),
        (Condition::Routing, Unknown, "the batch has no domain", |it| it.domains.clear()),
        (Condition::DirectMail, NotMet, "no mail of contoso.edu has arrived directly", |it| {
            it.domains[0].direct_since = None;
        }),
        (Condition::DirectMail, Unknown, "does not look for mail", |it| it.sees_direct_mail = false),
        (Condition::SourceIsQuiet, NotMet, "from its own host (web form?)", |it| {
            let last = Some("2026-12-01T11:00:00Z".parse().unwrap());
            it.arrivals = Some(Arrivals { last, recent: 1, internal: 1, ..Arrivals::default() });
        }),
        (Condition::SourceIsQuiet, Unknown, "does not count messages", |it| it.arrivals = None),
        (Condition::LastSync, NotMet, "1 user was not synced (ann@contoso.edu) after", |it| {
            it.unsynced = NamedUsers { count: 1, first: vec!["ann@contoso.edu".to_owned()] };
        }),
        (Condition::NoFailures, NotMet, "1 user failed", |it| it.failed.count = 1),
        (Condition::NoFailures, NotMet, "the endpoint \"Old\" is paused", |it| {
            it.parked = Some("Old".to_owned());
        }),
        (Condition::Skipped, NotMet, "17 skipped messages are not approved, of 2 users", |it| {
            (it.skipped.count, it.skipped_messages) = (2, 17);
        }),
        (Condition::Records, NotMet, "contoso.edu: the MTA-STS policy", |it| {
            it.records = Some(vec![RecordRemark {
                domain: "contoso.edu".to_owned(),
                kind: RemarkKind::LosesMail,
                words: "the MTA-STS policy does not name the new MX".to_owned(),
            }]);
        }),
    ];
    for (condition, expected, words, change) in cases {
        let mut facts = safe();
        assert_eq!(judge(&facts, &CutoverSettings::default()).verdict, Verdict::SafeToRemove);
        change(&mut facts);
        let judgement = judge(&facts, &CutoverSettings::default());
        let judged = judgement.conditions.iter().find(|it| it.condition == condition).unwrap();
        assert_eq!(judged.state, expected, "{condition}: {}", judged.words);
        assert!(judged.words.contains(words), "{condition}: {}", judged.words);
        assert_ne!(judgement.verdict, Verdict::SafeToRemove, "{condition}");
        // A waiver for this condition, and for those that follow from it.
        let waiver = |condition| Waiver {
            condition,
            reason: "looked".to_owned(),
            by: "ada".to_owned(),
            at: Timestamp::UNIX_EPOCH,
        };
        let open = judgement.conditions.iter().filter(|it| it.state != ConditionState::Met);
        let waivers = open.map(|it| waiver(it.condition)).collect();
        let after = judge(&facts, &CutoverSettings { waivers, ..CutoverSettings::default() });
        assert_eq!(after.verdict, Verdict::SafeToRemove, "{condition}");
        let words = &after.conditions.iter().find(|it| it.condition == condition).unwrap().words;
        assert!(words.starts_with("waived by ada: looked; without that: "), "{words}");
    }
}

#[test]
fn users_who_write_on_the_source_are_a_warning() {
    let mut facts = safe();
    let writers = NamedUsers { count: 1, first: vec!["paul@contoso.edu".to_owned()] };
    let last_saved = Some(at("2026-12-01T09:12:00Z"));
    facts.arrivals = Some(Arrivals { writers, last_saved, ..Arrivals::default() });
    let judgement = judge(&facts, &CutoverSettings::default());
    assert_eq!(judgement.verdict, Verdict::SafeToRemove);
    let judged = judgement.conditions.iter().find(|it| it.condition == Condition::SourceIsUnused).unwrap();
    assert_eq!(judged.state, ConditionState::NotMet);
    assert_eq!(
        judged.words,
        "1 user still writes (paul@contoso.edu) on the old server (last: Tuesday at 09:12)"
    );
}

#[test]
fn verification_is_not_available_and_required_only_on_demand() {
    let judgement = judge(&safe(), &CutoverSettings::default());
    assert_eq!(state(&judgement, Condition::Verified), ConditionState::Waived);
    let settings = CutoverSettings { require_verification: true, ..CutoverSettings::default() };
    let judgement = judge(&safe(), &settings);
    assert_eq!(state(&judgement, Condition::Verified), ConditionState::Unknown);
    assert_eq!(judgement.verdict, Verdict::Unknown);
    assert!(judgement.sentence.contains("not available"), "{}", judgement.sentence);
}

#[test]
fn a_stated_time_counts_behind_a_gateway() {
    let mut facts = safe();
    facts.domains[0].state.status = RoutingStatus::NotMoved;
    let stated = |routed_at| CutoverSettings { routed_at: Some(routed_at), ..CutoverSettings::default() };
    let judgement = judge(&facts, &stated(facts.now - 1.hour()));
    assert_eq!(judgement.verdict, Verdict::SafeToRemove);
    let judgement = judge(&facts, &stated(facts.now + 1.hour()));
    assert_eq!(state(&judgement, Condition::Routing), ConditionState::NotMet);
    assert_eq!(state(&judgement, Condition::LastSync), ConditionState::Unknown);
}

#[test]
fn records_that_lose_no_mail_are_told() {
    let mut facts = safe();
    let words = "SPF does not name the new servers".to_owned();
    facts.records =
        Some(vec![RecordRemark { domain: "contoso.edu".to_owned(), kind: RemarkKind::Advice, words }]);
    let judgement = judge(&facts, &CutoverSettings::default());
    assert_eq!(judgement.verdict, Verdict::SafeToRemove);
    let records = &judgement.conditions[8];
    assert_eq!(records.words, "no mail is lost, but contoso.edu: SPF does not name the new servers");
}

#[test]
fn a_short_quiet_period_is_kept() {
    let mut facts = safe();
    let last = Some(facts.now - 3.hours());
    facts.arrivals = Some(Arrivals { last, recent: 1, ..Arrivals::default() });
    let with = |hours| {
        let quiet_period = Some(SignedDuration::from_hours(hours));
        judge(&facts, &CutoverSettings { quiet_period, ..CutoverSettings::default() })
    };
    assert_eq!(state(&with(2), Condition::SourceIsQuiet), ConditionState::Met);
    assert_eq!(state(&with(4), Condition::SourceIsQuiet), ConditionState::NotMet);
}
