//! Binds arguments to the parameters of functions and scripts.

use std::sync::Arc;

use super::{
    Evaluator,
    function::Call,
    interrupt::{Boxed, Flow},
    statics,
};
use crate::{
    ast::{Block, Parameter},
    cmdlets::{CmdletArgument, following},
    error::Fault,
    host::Host,
    scopes::Detached,
    text,
    value::{Form, Object, Value},
};

impl<H: Host> Evaluator<'_, H> {
    /// Prepares a call, with its variables. It is on the heap, because calls are nested.
    pub(super) fn call_of<'a>(
        &'a mut self,
        at: usize,
        name: &'a str,
        block: Arc<Block>,
        arguments: Vec<CmdletArgument<'a>>,
        has_scope: bool,
    ) -> Boxed<'a, Box<Call>> {
        Box::pin(async move { Ok(Box::new(self.bind_call(at, name, block, arguments, has_scope).await?)) })
    }

    async fn bind_call(
        &mut self,
        at: usize,
        name: &str,
        block: Arc<Block>,
        arguments: Vec<CmdletArgument<'_>>,
        has_scope: bool,
    ) -> Flow<Call> {
        let (mut values, rest) = assign(at, name, &block.parameters, arguments)?;
        let given = values.iter().map(|(parameter, _)| parameter.name.clone()).collect();
        if !has_scope {
            for (parameter, value) in values {
                self.set_variable(at, &parameter.name, value, false)?;
            }
            return Ok(Call {
                block,
                scope: None,
                has_begun: false,
                input: Vec::new(),
                held: 0,
                given,
                errors_before: 0,
            });
        }
        self.scopes.open();
        let mut outcome = self.set_parameters(at, name, &block, &mut values).await;
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
            given,
            errors_before: 0,
        })
    }

    /// Sets the parameters of the script from the words after its name.
    pub(super) async fn script_parameters(&mut self, script: &Block) -> Flow<()> {
        let words = self.invocation.arguments();
        let (mut values, rest) = assign(0, "the script", &script.parameters, words)?;
        self.set_parameters(0, "the script", script, &mut values).await?;
        self.set_variable(0, "args", Value::List(rest), false)
    }

    /// Sets the parameters that take the object of the pipe or a property of it.
    pub(super) fn piped_parameters<'a>(
        &'a mut self,
        parameters: &'a [Parameter],
        given: &'a [String],
        object: &'a Value,
    ) -> Boxed<'a, ()> {
        Box::pin(self.set_piped(parameters, given, object))
    }

    async fn set_piped(&mut self, parameters: &[Parameter], given: &[String], object: &Value) -> Flow<()> {
        for parameter in parameters {
            if given.contains(&parameter.name) || !(parameter.takes_pipe || parameter.takes_property) {
                continue;
            }
            let property = if parameter.takes_property { property_for(parameter, object) } else { None };
            // An object becomes text only where it has no property of that name.
            let takes_whole = parameter.takes_pipe && (property.is_none() || takes_any(parameter));
            let value = match property {
                _ if takes_whole => object.clone(),
                Some(value) => value,
                None => match &parameter.default {
                    Some(default) => self.expression(default).await?,
                    None => Value::Null,
                },
            };
            let value = convert(0, parameter, value)?;
            self.check_rules(0, parameter, &value).await?;
            self.note_bound(parameter, &value)?;
            self.set_variable(0, &parameter.name, value, false)?;
        }
        Ok(())
    }

    /// Sets all parameters: what was given, or the default.
    async fn set_parameters(
        &mut self,
        at: usize,
        name: &str,
        block: &Block,
        values: &mut Vec<(&Parameter, Value)>,
    ) -> Flow<()> {
        let mut bound = Object::new().with_form(Form::Table);
        for parameter in &block.parameters {
            let given = values.iter().position(|(known, _)| known.name == parameter.name);
            let value = match given {
                Some(index) => values.swap_remove(index).1,
                None if parameter.is_mandatory && !parameter.takes_pipe && !parameter.takes_property => {
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
            if given.is_some() {
                self.check_rules(at, parameter, &value).await?;
                bound.insert(parameter.name.clone(), value.clone());
            }
            self.set_variable(at, &parameter.name, value, false)?;
        }
        if block.asks && self.scopes.get("WhatIf").is_some_and(Value::is_true) {
            self.set_variable(at, WHAT_IF, true.into(), false)?;
        }
        self.set_variable(at, BOUND, bound.into(), false)
    }

    /// Adds a parameter that the pipe set to `$PSBoundParameters`.
    fn note_bound(&mut self, parameter: &Parameter, value: &Value) -> Flow<()> {
        let Some((Value::Object(mut bound), _)) = self.scopes.take(BOUND) else { return Ok(()) };
        bound.insert(parameter.name.clone(), value.clone());
        self.set_variable(0, BOUND, bound.into(), false)
    }
}

/// Variable that makes commands describe a change instead of making it.
pub(super) const WHAT_IF: &str = "WhatIfPreference";

/// Table of the parameters that were given.
const BOUND: &str = "PSBoundParameters";

/// True if the parameter takes values of every type.
fn takes_any(parameter: &Parameter) -> bool {
    parameter.type_name.as_deref().is_none_or(|name| {
        let name = name.to_ascii_lowercase();
        ["object", "psobject", "pscustomobject"].iter().any(|any| name.ends_with(any))
    })
}

/// Returns the property of an object that has the name or an alias of a parameter.
fn property_for(parameter: &Parameter, object: &Value) -> Option<Value> {
    let Value::Object(object) = object else { return None };
    [&parameter.name].into_iter().chain(&parameter.aliases).find_map(|name| object.get(name)).cloned()
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
    Ok(value)
}
