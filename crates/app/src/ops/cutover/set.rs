//! Set-MigrationCutover.

use jiff::SignedDuration;
use mailhaul_migration::{Condition, CutoverSettings, Waiver};
use mailhaul_operations::{Answer, Caller, Change, DateTime, Failure, Noun, Operation, Role, TimeSpan, Verb};
use schemars::JsonSchema;
use serde::Deserialize;

use super::{get::shown, view::MigrationCutover};
use crate::{
    context::Context,
    ops::shared::{failures::into_failure, nouns::CUTOVER},
    time_zones::{change, zone},
};

/// Longest period: a year.
const MAX_PERIOD: SignedDuration = SignedDuration::from_hours(366 * 24);

pub(crate) struct SetMigrationCutover;

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub(crate) struct Request {
    /// Name or GUID of the batch.
    identity: String,
    /// Hosts that take mail for the target; $null compares with the first MX records.
    #[serde(default, rename = "ExpectedMX")]
    expected_mx: Change<Vec<String>>,
    /// Planned time of the move; the records are read often around it.
    #[serde(default)]
    expected_at: Change<DateTime>,
    /// States the time from which mail goes to the target, for example behind a gateway.
    ///
    /// MX records are not judged then.
    #[serde(default)]
    routed_at: Change<DateTime>,
    /// Time for which old records may be believed after the move [default: 3.00:00:00].
    #[serde(default)]
    settle_period: Change<TimeSpan>,
    /// Time without an arrival on the source [default: 1.00:00:00].
    #[serde(default)]
    quiet_period: Change<TimeSpan>,
    /// True if the batch must be verified.
    require_verification: Option<bool>,
    /// Domains in place of those of the users' addresses; $null for these.
    #[serde(default)]
    domain: Change<Vec<String>>,
    /// Conditions that are not judged, with Reason; $null judges all.
    #[serde(default)]
    waive: Change<Vec<Condition>>,
    /// Reason to waive, for the audit log.
    reason: Option<String>,
}

impl Operation<Context> for SetMigrationCutover {
    const VERB: Verb = Verb::Set;
    const NOUN: Noun = CUTOVER;
    const ROLE: Role = Role::Operator;
    const ABOUT: &'static str = "Changes how the cut-over of a batch is judged.";
    const VIEW: &'static [&'static str] = &["Identity", "Verdict", "Message"];

    type Request = Request;
    type Response = MigrationCutover;

    async fn run(
        context: &Context,
        caller: &Caller,
        request: Request,
    ) -> Result<Answer<MigrationCutover>, Failure> {
        let store = &context.store;
        let batch = store.batches().get(&request.identity).await.map_err(into_failure)?.batch;
        let zone = zone(batch.settings.time_zone.as_deref())?;
        let expected_at = change("ExpectedAt", request.expected_at, &zone)?;
        let routed_at = change("RoutedAt", request.routed_at, &zone)?;
        let settle = request.settle_period.try_map(|span| period("SettlePeriod", span))?;
        let quiet = request.quiet_period.try_map(|span| period("QuietPeriod", span))?;
        let expected_mx = request.expected_mx.try_map(|hosts| names("ExpectedMX", hosts))?;
        let domains = request.domain.try_map(|domains| names("Domain", domains))?;
        let waivers = waivers(request.waive, request.reason, caller, context.now())?;
        let is_judged_again = expected_mx != Change::Keep;
        let apply = move |settings: &mut CutoverSettings| {
            replace(expected_mx, &mut settings.expected_mx);
            expected_at.apply(&mut settings.expected_at);
            routed_at.apply(&mut settings.routed_at);
            settle.apply(&mut settings.settle_period);
            quiet.apply(&mut settings.quiet_period);
            settings.require_verification =
                request.require_verification.unwrap_or(settings.require_verification);
            replace(domains, &mut settings.domains);
            waive(waivers, &mut settings.waivers);
        };
        let settings = store.cutover().update_cutover(batch.guid, apply).await.map_err(into_failure)?;
        if is_judged_again {
            store
                .cutover()
                .judge_domains_again(batch.guid, settings.expected_mx)
                .await
                .map_err(into_failure)?;
        }
        Ok(Answer::one(shown(context, &request.identity).await?))
    }
}

/// Reads host or domain names as they are compared.
fn names(parameter: &str, names: Vec<String>) -> Result<Vec<String>, Failure> {
    let read = names.into_iter().map(|name| {
        let bare = name.trim().trim_end_matches('.').to_lowercase();
        let is_name = !bare.is_empty()
            && bare.len() <= 253
            && !bare.contains(|letter: char| {
                letter.is_whitespace() || letter.is_control() || "@/:,\"".contains(letter)
            });
        if is_name {
            return Ok(bare);
        }
        Err(Failure::invalid(format_args!("{parameter}: \"{name}\" is no domain name"))
            .with_advice("Example: contoso-edu.mail.protection.outlook.com"))
    });
    read.collect()
}

fn period(parameter: &str, span: TimeSpan) -> Result<SignedDuration, Failure> {
    SignedDuration::try_from(span.0)
        .ok()
        .filter(|period| *period <= MAX_PERIOD)
        .ok_or_else(|| Failure::invalid(format_args!("{parameter} must be at most 366 days")))
}

fn waivers(
    conditions: Change<Vec<Condition>>,
    reason: Option<String>,
    caller: &Caller,
    at: jiff::Timestamp,
) -> Result<Change<Vec<Waiver>>, Failure> {
    let reason = reason.map(|reason| reason.trim().to_owned()).filter(|reason| !reason.is_empty());
    match (conditions, reason) {
        (Change::Keep, None) => Ok(Change::Keep),
        (Change::Clear, _) => Ok(Change::Clear),
        (Change::Keep, Some(_)) => {
            Err(Failure::invalid("Reason needs Waive, the conditions that are not judged"))
        }
        (Change::To(_), None) => Err(Failure::invalid("Waive needs Reason, which the audit log keeps")),
        (Change::To(conditions), Some(reason)) => {
            let waiver =
                |condition| Waiver { condition, reason: reason.clone(), by: caller.name.clone(), at };
            Ok(Change::To(conditions.into_iter().map(waiver).collect()))
        }
    }
}

/// Adds waivers; a new one replaces that of the same condition.
fn waive(change: Change<Vec<Waiver>>, waivers: &mut Vec<Waiver>) {
    match change {
        Change::Keep => {}
        Change::Clear => waivers.clear(),
        Change::To(new) => {
            waivers.retain(|known| new.iter().all(|waiver| waiver.condition != known.condition));
            waivers.extend(new);
        }
    }
}

fn replace<T: Default>(change: Change<T>, setting: &mut T) {
    match change {
        Change::Keep => {}
        Change::Clear => *setting = T::default(),
        Change::To(value) => *setting = value,
    }
}
