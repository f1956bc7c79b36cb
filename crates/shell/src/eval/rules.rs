//! Checks the values of parameters by their rules: `[ValidateRange()]` and its like.

use std::ops::RangeInclusive;

use super::{
    Evaluator,
    interrupt::{Boxed, Flow},
};
use crate::{
    arithmetic,
    ast::{Parameter, Rule},
    error::Fault,
    host::Host,
    operator::{Comparison, Operator, Test},
    text,
    value::Value,
};

/// Comparison of `-match`.
const MATCHES: Operator =
    Operator::Compare(Comparison { test: Test::Match, negated: false, case_sensitive: false });

impl<H: Host> Evaluator<'_, H> {
    /// Refuses a value that breaks a rule of its parameter.
    pub(super) fn check_rules<'a>(
        &'a mut self,
        at: usize,
        parameter: &'a Parameter,
        value: &'a Value,
    ) -> Boxed<'a, ()> {
        Box::pin(async move {
            for rule in &parameter.rules {
                if let Some(wrong) = self.broken(at, rule, value).await? {
                    return Err(Fault::value(at, format!("-{} {wrong}", parameter.name)).into());
                }
            }
            Ok(())
        })
    }

    /// Returns what is wrong with a value.
    async fn broken(&mut self, at: usize, rule: &Rule, value: &Value) -> Flow<Option<String>> {
        if let Rule::NotEmpty = rule {
            return Ok(if is_empty(value) { Some("must not be empty".to_owned()) } else { None });
        }
        let elements = value.clone().into_stream();
        if let Rule::Count(bounds) = rule {
            return Ok(outside(elements.len(), bounds, "values"));
        }
        for element in elements {
            let shown = text::show(&element);
            let wrong = match rule {
                Rule::Choices(choices) => {
                    let is_one = choices.iter().any(|choice| choice.eq_ignore_ascii_case(&shown));
                    (!is_one).then(|| format!("must be one of {}, not `{shown}`", choices.join(", ")))
                }
                Rule::Range(bounds) => {
                    let number = arithmetic::number(&element).ok().and_then(|number| number.as_f64());
                    let is_inside = number.is_some_and(|number| bounds.contains(&number));
                    let (from, to) = (bounds.start(), bounds.end());
                    (!is_inside).then(|| format!("must be from {from} to {to}, not `{shown}`"))
                }
                Rule::Length(bounds) => outside(shown.chars().count(), bounds, "characters"),
                Rule::Pattern(pattern) => {
                    let found = arithmetic::operate(
                        shown.as_str().into(),
                        MATCHES,
                        pattern.as_str().into(),
                        &mut self.regexes,
                    )
                    .map_err(|message| Fault::value(at, message))?;
                    (!found.is_true()).then(|| format!("must match the pattern {pattern}, not `{shown}`"))
                }
                Rule::Script(block) => {
                    let holds = self.block_value(block, element).await?.is_true();
                    (!holds).then(|| format!("`{shown}` does not pass the check of [ValidateScript()]"))
                }
                Rule::NotEmpty | Rule::Count(_) => None,
            };
            if wrong.is_some() {
                return Ok(wrong);
            }
        }
        Ok(None)
    }
}

fn is_empty(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::Text(text) => text.is_empty(),
        Value::List(values) => values.is_empty() || values.iter().any(is_empty),
        _ => false,
    }
}

#[expect(clippy::cast_precision_loss, reason = "a length is far below the limit of exact numbers")]
fn outside(count: usize, bounds: &RangeInclusive<f64>, unit: &str) -> Option<String> {
    let (from, to) = (bounds.start(), bounds.end());
    (!bounds.contains(&(count as f64))).then(|| format!("must have from {from} to {to} {unit}, not {count}"))
}
