//! `[System.Diagnostics.Stopwatch]`.

use jiff::Timestamp;

use super::{Evaluator, interrupt::Flow};
use crate::{
    ast::{Expression, ExpressionKind, Scope, Step, StepKind},
    error::Fault,
    host::Host,
    times,
    value::{Form, Object, Value},
};

/// Nanoseconds before the last start.
const BEFORE: &str = "Before";
/// Time of the last start; `$null` while the watch stands.
const SINCE: &str = "Since";

/// Returns a stopwatch that runs, or one that stands.
pub(super) fn stopwatch(since: Option<Timestamp>) -> Value {
    watch(0, since)
}

fn watch(before: i64, since: Option<Timestamp>) -> Value {
    let since = since.map_or(Value::Null, |moment| moment.to_string().into());
    Object::from_iter([(BEFORE, Value::from(before)), (SINCE, since)]).with_form(Form::Stopwatch).into()
}

impl<H: Host> Evaluator<'_, H> {
    /// Evaluates the first step of `$watch.Elapsed` or `$watch.Stop()`, if the variable is a stopwatch.
    pub(super) fn stopwatch_step(&mut self, base: &Expression, steps: &[Step]) -> Flow<Option<Value>> {
        let (ExpressionKind::Variable { scope: Scope::Nearest, name }, Some(step)) =
            (&base.kind, steps.first())
        else {
            return Ok(None);
        };
        let Some(Value::Object(object)) = self.scopes.get(name) else { return Ok(None) };
        if *object.form() != Form::Stopwatch {
            return Ok(None);
        }
        let now = self.host.now();
        let (before, since) = state(object);
        let elapsed = before.saturating_add(since.map_or(0, |since| nanoseconds(since, now)));
        let (word, is_call) = match &step.kind {
            StepKind::Member(word) => (word, false),
            StepKind::Call(word, arguments) if arguments.is_empty() => (word, true),
            _ => return Err(unknown(step).into()),
        };
        let changed = match (word.to_ascii_lowercase().as_str(), is_call) {
            ("elapsed", false) => return Ok(Some(times::show_span(elapsed.into()).into())),
            ("elapsedmilliseconds", false) => return Ok(Some((elapsed / 1_000_000).into())),
            ("isrunning", false) => return Ok(Some(since.is_some().into())),
            ("start", true) => watch(before, since.or(Some(now))),
            ("stop", true) => watch(elapsed, None),
            ("reset", true) => watch(0, None),
            ("restart", true) => watch(0, Some(now)),
            _ => return Err(unknown(step).into()),
        };
        let size = changed.size().unwrap_or_default();
        if self.scopes.take(name).is_some() {
            self.scopes.put_back(name, changed, size);
        }
        Ok(Some(Value::Null))
    }
}

fn unknown(step: &Step) -> Fault {
    Fault::value(
        step.at,
        "a stopwatch has Elapsed, ElapsedMilliseconds, IsRunning, Start(), Stop(), Reset() and Restart()",
    )
}

fn state(object: &Object) -> (i64, Option<Timestamp>) {
    let before = match object.get(BEFORE) {
        Some(Value::Number(number)) => number.as_i64().unwrap_or(0),
        _ => 0,
    };
    let since = match object.get(SINCE) {
        Some(Value::Text(text)) => times::exact_moment(text),
        _ => None,
    };
    (before, since)
}

fn nanoseconds(since: Timestamp, now: Timestamp) -> i64 {
    i64::try_from(now.as_nanosecond() - since.as_nanosecond()).unwrap_or(i64::MAX).max(0)
}
