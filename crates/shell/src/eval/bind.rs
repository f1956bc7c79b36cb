//! Binds arguments to the parameters of functions and scripts.

use std::sync::Arc;

use super::{Evaluator, function::Call, interrupt::Flow, statics};
use crate::{
    ast::{Block, Parameter},
    cmdlets::{CmdletArgument, following},
    error::Fault,
    host::Host,
    scopes::Detached,
    text,
    value::Value,
};

impl<H: Host> Evaluator<'_, H> {
    /// Prepares a call, with its variables.
    pub(super) async fn bind_call(
        &mut self,
        at: usize,
        name: &str,
        block: Arc<Block>,
        arguments: Vec<CmdletArgument<'_>>,
        has_scope: bool,
    ) -> Flow<Call> {
        let (mut values, rest) = assign(at, name, &block.parameters, arguments)?;
        let piped = block.parameters.iter().find(|parameter| parameter.takes_pipe).map(|it| it.name.clone());
        if !has_scope {
            for (parameter, value) in values {
                self.set_variable(at, &parameter.name, value, false)?;
            }
            return Ok(Call { block, scope: None, has_begun: false, input: Vec::new(), held: 0, piped });
        }
        self.scopes.open();
        let mut outcome = self.set_parameters(at, name, &block.parameters, &mut values).await;
        if outcome.is_ok() {
            outcome = self.set_variable(at, "args", Value::List(rest), false);
        }
        let scope: Detached = self.scopes.leave();
        outcome?;
        Ok(Call {
            block: block.clone(),
            scope: Some(scope),
            has_begun: false,
            input: Vec::new(),
            held: 0,
            piped,
        })
    }

    /// Sets the parameters of the script, which has no arguments.
    pub(super) async fn script_parameters(&mut self, parameters: &[Parameter]) -> Flow<()> {
        self.set_parameters(0, "the script", parameters, &mut Vec::new()).await
    }

    /// Sets all parameters: what was given, or the default.
    async fn set_parameters(
        &mut self,
        at: usize,
        name: &str,
        parameters: &[Parameter],
        values: &mut Vec<(&Parameter, Value)>,
    ) -> Flow<()> {
        for parameter in parameters {
            let given = values.iter().position(|(known, _)| known.name == parameter.name);
            let value = match given {
                Some(index) => values.swap_remove(index).1,
                None if parameter.is_mandatory && !parameter.takes_pipe => {
                    let message = format!("{name} needs -{}", parameter.name);
                    return Err(Fault::value(if at == 0 { parameter.at } else { at }, message).into());
                }
                None => match &parameter.default {
                    Some(default) => self.expression(default).await?,
                    None if parameter.is_switch() => Value::Bool(false),
                    None => Value::Null,
                },
            };
            let value = convert(at, parameter, value)?;
            self.set_variable(at, &parameter.name, value, false)?;
        }
        Ok(())
    }
}

type Assigned<'p> = (Vec<(&'p Parameter, Value)>, Vec<Value>);

/// Assigns arguments to parameters, by name and then by position. Returns the values that are left too.
fn assign<'p>(
    at: usize,
    name: &str,
    parameters: &'p [Parameter],
    arguments: Vec<CmdletArgument<'_>>,
) -> Result<Assigned<'p>, Fault> {
    let (mut values, mut positional) = (Vec::new(), Vec::new());
    let mut arguments = arguments.into_iter().peekable();
    while let Some(next) = arguments.next() {
        match next {
            CmdletArgument::Value { item, .. } => positional.push(item),
            CmdletArgument::Parameter { at, name: typed, value } => {
                let parameter = find(name, at, parameters, &typed)?;
                let value = if parameter.is_switch() {
                    value.unwrap_or(Value::Bool(true))
                } else {
                    value
                        .or_else(|| following(&mut arguments))
                        .ok_or_else(|| Fault::value(at, format!("a value must follow -{}", parameter.name)))?
                };
                if values.iter().any(|(known, _): &(&Parameter, Value)| known.name == parameter.name) {
                    return Err(Fault::value(at, format!("-{} already has a value", parameter.name)));
                }
                values.push((parameter, value));
            }
        }
    }
    let mut rest = positional.into_iter();
    let free: Vec<&Parameter> = parameters
        .iter()
        .filter(|parameter| {
            !parameter.is_switch() && !values.iter().any(|(known, _)| known.name == parameter.name)
        })
        .collect();
    values.extend(free.into_iter().zip(&mut rest));
    let rest: Vec<Value> = rest.collect();
    if !rest.is_empty() && !parameters.is_empty() {
        return Err(Fault::value(at, format!("{name} has no parameter for `{}`", text::show(&rest[0]))));
    }
    Ok((values, rest))
}

/// Finds a parameter of a function by its name, an alias, or an unambiguous beginning.
pub(crate) fn find<'p>(
    function: &str,
    at: usize,
    parameters: &'p [Parameter],
    typed: &str,
) -> Result<&'p Parameter, Fault> {
    let is = |known: &str| known.eq_ignore_ascii_case(typed);
    if let Some(exact) = parameters.iter().find(|it| is(&it.name) || it.aliases.iter().any(|alias| is(alias)))
    {
        return Ok(exact);
    }
    let begins =
        |it: &&Parameter| it.name.get(..typed.len()).is_some_and(|start| start.eq_ignore_ascii_case(typed));
    let candidates: Vec<&Parameter> = parameters.iter().filter(begins).collect();
    match candidates.as_slice() {
        [one] => Ok(one),
        [] => {
            let known: Vec<String> = parameters.iter().map(|it| format!("-{}", it.name)).collect();
            let known = if known.is_empty() { "none".to_owned() } else { known.join(", ") };
            Err(Fault::value(at, format!("{function} has no parameter -{typed}; it has {known}")))
        }
        _ => Err(Fault::value(at, format!("-{typed} may mean several parameters of {function}"))),
    }
}

fn convert(at: usize, parameter: &Parameter, value: Value) -> Result<Value, Fault> {
    let is_absent = value == Value::Null;
    let value = match &parameter.type_name {
        Some(name)
            if !is_absent
                && !["object", "psobject", "pscredential"]
                    .iter()
                    .any(|any| name.to_ascii_lowercase().ends_with(any)) =>
        {
            statics::cast(at, name, value)?
        }
        Some(name) if name.eq_ignore_ascii_case("string") => Value::Text(String::new()),
        _ => value,
    };
    if !is_absent && !parameter.choices.is_empty() {
        let shown = text::show(&value);
        if !parameter.choices.iter().any(|choice| choice.eq_ignore_ascii_case(&shown)) {
            let message =
                format!("-{} must be one of {}, not `{shown}`", parameter.name, parameter.choices.join(", "));
            return Err(Fault::value(at, message));
        }
    }
    Ok(value)
}
