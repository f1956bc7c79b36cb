//! `Where-Object` and `ForEach-Object`.

use super::Evaluator;
use crate::{
    ast::Statement,
    cmdlets::{self, ArgumentValue, BoundArguments, Cmdlet, CmdletArgument},
    compare::compare,
    error::Fault,
    flow::{EvalResult, Flow},
    host::Host,
    members::property,
    operator::{self, Comparison},
    value::Value,
};

/// Condition of `Where-Object`.
enum Filter<'a> {
    Block(&'a [Statement]),
    /// `Status -eq Failed`; without a comparison, the property must be true.
    Property {
        name: String,
        comparison: Option<(usize, Comparison, Value)>,
        negated: bool,
    },
}

impl<H: Host> Evaluator<'_, H> {
    pub(super) async fn where_object(
        &mut self,
        cmdlet: Cmdlet,
        at: usize,
        arguments: Vec<CmdletArgument<'_>>,
        input: Flow,
    ) -> EvalResult<Flow> {
        let filter = filter(cmdlet, at, arguments)?;
        let mut kept = Vec::new();
        for value in input.values {
            let (value, passes) = match &filter {
                Filter::Block(statements) => {
                    let (value, results) = self.with(value, statements).await?;
                    (value, Value::from_stream(results).is_true())
                }
                Filter::Property { name, comparison, negated } => {
                    let found = property(&value, name).map_err(|message| Fault::value(at, message))?;
                    let passes = match comparison {
                        Some((at, comparison, wanted)) => {
                            compare(&found, *comparison, wanted, &mut self.regexes)
                                .map_err(|message| Fault::value(*at, message))?
                        }
                        None => found,
                    };
                    (value, passes.is_true() != *negated)
                }
            };
            if passes {
                kept.push(value);
            }
        }
        Ok(Flow { values: kept, view: input.view, screen: None })
    }

    pub(super) async fn for_each_object(
        &mut self,
        at: usize,
        mut bound: BoundArguments<'_>,
        input: Flow,
    ) -> EvalResult<Flow> {
        let Some((at, process)) = bound.take("Process") else {
            return Err(Fault::value(
                at,
                "ForEach-Object needs a script block, as in `ForEach-Object { $_.Identity }`",
            ));
        };
        let mut values = Vec::new();
        match process {
            ArgumentValue::Block(statements) => {
                for value in input.values {
                    values.append(&mut self.with(value, statements).await?.1);
                }
            }
            ArgumentValue::Value(Value::Text(name)) => {
                for value in input.values {
                    let found = property(&value, &name).map_err(|message| Fault::value(at, message))?;
                    values.append(&mut found.into_stream());
                }
            }
            ArgumentValue::Value(_) => {
                return Err(Fault::value(at, "a script block or the name of a property is expected here"));
            }
        }
        Ok(Flow::new(values))
    }

    /// Runs statements with the value as `$_`.
    async fn with(&mut self, value: Value, statements: &[Statement]) -> EvalResult<(Value, Vec<Value>)> {
        let outer = self.current.replace(value);
        let results = self.block(statements).await;
        let value = std::mem::replace(&mut self.current, outer).unwrap_or_default();
        Ok((value, results?))
    }
}

fn filter(cmdlet: Cmdlet, at: usize, arguments: Vec<CmdletArgument<'_>>) -> EvalResult<Filter<'_>> {
    let mut block = None;
    let mut name = None;
    let mut comparison: Option<(usize, Comparison)> = None;
    let mut wanted = None;
    let mut negated = false;
    let mut arguments = arguments.into_iter().peekable();
    while let Some(next) = arguments.next() {
        // Purpose of the argument: the next one in order, or the named one.
        let (at, slot, item) = match next {
            CmdletArgument::Value { at, item: item @ ArgumentValue::Block(_) } => (at, "FilterScript", item),
            CmdletArgument::Value { at, item } if name.is_none() => (at, "Property", item),
            CmdletArgument::Value { at, item } => (at, "Value", item),
            CmdletArgument::Parameter { at, name: typed, value } => {
                let operator = operator::comparison(typed);
                let slot = if operator.is_some() { "Value" } else { cmdlets::parameter(cmdlet, at, typed)? };
                if slot == "Not" {
                    negated = true;
                    continue;
                }
                if let Some(operator) = operator
                    && comparison.replace((at, operator)).is_some()
                {
                    return Err(Fault::value(
                        at,
                        "there can be one comparison only; use { ... -and ... } for more",
                    ));
                }
                let value = value.or_else(|| cmdlets::following(&mut arguments));
                match value {
                    Some(item) => (at, slot, item),
                    // `Status -eq -Value Failed`
                    None if operator.is_some() => continue,
                    None => return Err(Fault::value(at, format!("a value must follow -{slot}"))),
                }
            }
        };
        let taken = match (slot, item) {
            ("FilterScript", ArgumentValue::Block(statements)) => block.replace(statements).is_some(),
            ("FilterScript", ArgumentValue::Value(_)) => {
                return Err(Fault::value(at, "a script block must follow -FilterScript"));
            }
            ("Property", item) => match item.value(at)? {
                Value::Text(text) => name.replace(text).is_some(),
                _ => return Err(Fault::value(at, "the name of a property is expected here")),
            },
            (_, item) => wanted.replace(item.value(at)?).is_some(),
        };
        if taken {
            return Err(Fault::value(at, "there is already such a value"));
        }
    }
    match (block, name, comparison, wanted) {
        (Some(block), None, None, None) if !negated => Ok(Filter::Block(block)),
        (None, Some(name), Some((at, comparison)), Some(value)) => {
            Ok(Filter::Property { name, comparison: Some((at, comparison, value)), negated })
        }
        (None, Some(name), None, None) => Ok(Filter::Property { name, comparison: None, negated }),
        _ => Err(Fault::value(
            at,
            "Where-Object needs a condition, as in `Where-Object { $_.Status -eq 'Failed' }` or \
             `Where-Object Status -eq Failed`",
        )),
    }
}
