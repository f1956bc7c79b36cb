//! View of the cut-over of a batch.

use jiff::Timestamp;
use mailhaul_migration::{
    Condition, ConditionState, CutoverSettings, DeliveringHost, RoutingLook, RoutingStatus, Verdict,
};
use mailhaul_operations::TimeSpan;
use schemars::JsonSchema;
use serde::Serialize;

use crate::{
    cutover::report::{CutoverReport, ReportedDomain},
    ops::shared::moment::Moment,
};

/// TTL above which a move takes long to be seen everywhere, in seconds.
const LONG_TTL: u32 = 3600;

/// Cut-over of a batch: is the old server still needed? Times are in the batch's time zone.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct MigrationCutover {
    /// Name of the batch.
    identity: String,
    /// Answer: the batch is safe to remove, it is not, or it is not known.
    verdict: Verdict,
    /// The answer in a sentence, with the first reason.
    message: String,
    /// Time from which on all mail goes to the target; null before the move.
    settled_at: Option<Moment>,
    /// Conditions of the answer.
    conditions: Vec<CutoverCondition>,
    /// Domains of the users.
    domains: Vec<CutoverDomain>,
    /// Changes of the mail hosts, the oldest first.
    changes: Vec<CutoverChange>,
    /// Messages that arrived on the source in the last 24 hours, as far as passes have copied them.
    arrivals_last_day: u64,
    /// The same of the last 7 days.
    arrivals_last_week: u64,
    /// Time of the last arrival on the source in the last 8 days; null without one.
    last_arrival: Option<Moment>,
    /// Hosts that delivered most messages to the source in the quiet period.
    delivering_hosts: Vec<CutoverHost>,
    /// Hosts that take mail for the target.
    #[serde(rename = "ExpectedMX")]
    expected_mx: Vec<String>,
    /// Planned time of the move.
    expected_at: Option<Moment>,
    /// Time of the move, as stated with RoutedAt.
    routed_at: Option<Moment>,
    /// Time for which old records may be believed after the move.
    settle_period: TimeSpan,
    /// Time without an arrival on the source.
    quiet_period: TimeSpan,
    /// True if the batch must be verified.
    require_verification: bool,
}

/// Host that delivers messages to the source.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "PascalCase")]
struct CutoverHost {
    /// Name of the host; null if it is not known.
    name: Option<String>,
    /// Address of the host; null if it is not known.
    address: Option<String>,
    /// Messages of the quiet period.
    messages: u64,
}

/// Condition of a safe removal.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "PascalCase")]
struct CutoverCondition {
    /// Name of the condition, for Waive.
    condition: Condition,
    /// State of the condition.
    state: ConditionState,
    /// Reason of the state.
    message: String,
}

/// Domain of a batch, as its name servers and the resolvers tell it.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "PascalCase")]
struct CutoverDomain {
    /// Name of the domain.
    domain: String,
    /// State of the domain.
    state: RoutingStatus,
    /// Detail of the state.
    message: Option<String>,
    /// MX records: preference and host.
    #[serde(rename = "MX")]
    mx: Vec<String>,
    /// Longest TTL of the MX records in seconds.
    #[serde(rename = "TTL")]
    ttl: Option<u32>,
    /// Hosts when the domain was seen first.
    first_hosts: Vec<String>,
    /// Last look at the old hosts.
    changed_after: Option<Moment>,
    /// First look at the new hosts alone: the change lies between.
    changed_before: Option<Moment>,
    /// Time from which on caches hold the new hosts.
    settled_at: Option<Moment>,
    /// Time of the last look.
    looked_at: Option<Moment>,
}

/// Change of the mail hosts of a domain.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "PascalCase")]
struct CutoverChange {
    /// Name of the domain.
    domain: String,
    /// MX records before the change.
    old: String,
    /// MX records after it.
    new: String,
    /// Last look at the old records.
    changed_after: Moment,
    /// First look at the new records.
    changed_before: Moment,
}

impl MigrationCutover {
    pub(crate) fn new(name: &str, report: CutoverReport) -> Self {
        let zone = report.zone;
        let local = |at: Timestamp| Moment::in_zone(at, &zone);
        let judgement = report.judgement;
        let settings: CutoverSettings = report.settings;
        let conditions = judgement.conditions.into_iter().map(|judged| CutoverCondition {
            condition: judged.condition,
            state: judged.state,
            message: judged.words,
        });
        let changes = report.changes.into_iter().map(|change| CutoverChange {
            domain: change.domain,
            old: change.old,
            new: change.new,
            changed_after: local(change.old_seen),
            changed_before: local(change.new_seen),
        });
        let arrivals = report.arrivals;
        Self {
            identity: name.to_owned(),
            arrivals_last_day: arrivals.day,
            arrivals_last_week: arrivals.week,
            last_arrival: arrivals.last.map(local),
            delivering_hosts: arrivals.hosts.into_iter().map(host_view).collect(),
            verdict: judgement.verdict,
            message: judgement.sentence,
            settled_at: judgement.settled_at.map(local),
            conditions: conditions.collect(),
            domains: report.domains.into_iter().map(|domain| domain_view(domain, &local)).collect(),
            changes: changes.collect(),
            settle_period: span(settings.settle_period()),
            quiet_period: span(settings.quiet_period()),
            expected_mx: settings.expected_mx,
            expected_at: settings.expected_at.map(local),
            routed_at: settings.routed_at.map(local),
            require_verification: settings.require_verification,
        }
    }
}

fn host_view(host: DeliveringHost) -> CutoverHost {
    CutoverHost {
        name: Some(host.name).filter(|name| !name.is_empty()),
        address: host.address.map(|address| address.to_string()),
        messages: host.messages,
    }
}

fn domain_view(domain: ReportedDomain, local: &impl Fn(Timestamp) -> Moment) -> CutoverDomain {
    let ReportedDomain { row, state } = domain;
    let look = row.routing.look.as_ref();
    let ttl = look.and_then(RoutingLook::ttl);
    let hosts = look.map(|look| look.hosts()).unwrap_or_default();
    let message = state.reason.clone().or_else(|| advice(state.status, ttl));
    CutoverDomain {
        state: state.status,
        message,
        mx: hosts.iter().map(|host| format!("{} {}", host.preference, host.name)).collect(),
        ttl,
        first_hosts: row.routing.baseline.iter().flatten().cloned().collect(),
        changed_after: state.changed.and_then(|(old, _)| old).map(local),
        changed_before: state.changed.map(|(_, new)| local(new)),
        settled_at: state.settled_at.map(local),
        looked_at: look.map(|look| local(look.at)),
        domain: row.domain,
    }
}

/// Advice before the move.
fn advice(status: RoutingStatus, ttl: Option<u32>) -> Option<String> {
    let ttl = ttl.filter(|ttl| status == RoutingStatus::NotMoved && *ttl > LONG_TTL)?;
    Some(format!("lower the TTL of its MX records from {ttl} s to 300 s, at least {ttl} s before the move"))
}

fn span(duration: jiff::SignedDuration) -> TimeSpan {
    TimeSpan(duration.unsigned_abs())
}
