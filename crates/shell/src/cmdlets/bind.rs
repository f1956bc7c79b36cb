//! Assigns arguments to the parameters of a cmdlet of the language.

use std::iter::Peekable;

use super::table::Cmdlet;
use crate::{ast::Statement, error::Fault, flow::EvalResult, text, value::Value};

/// Argument with its value.
pub(crate) enum CmdletArgument<'a> {
    Parameter { at: usize, name: &'a str, value: Option<ArgumentValue<'a>> },
    Value { at: usize, item: ArgumentValue<'a> },
}

impl CmdletArgument<'_> {
    pub(crate) fn at(&self) -> usize {
        match self {
            Self::Parameter { at, .. } | Self::Value { at, .. } => *at,
        }
    }
}

/// Value, or a script block that runs later.
pub(crate) enum ArgumentValue<'a> {
    Value(Value),
    Block(&'a [Statement]),
}

impl ArgumentValue<'_> {
    pub(crate) fn value(self, at: usize) -> EvalResult<Value> {
        match self {
            Self::Value(value) => Ok(value),
            Self::Block(_) => Err(Fault::unsupported(
                at,
                "a script block anywhere but after Where-Object and ForEach-Object is",
            )),
        }
    }
}

/// Arguments of a cmdlet by parameter.
#[derive(Default)]
pub(crate) struct BoundArguments<'a> {
    switches: Vec<&'static str>,
    values: Vec<(&'static str, usize, ArgumentValue<'a>)>,
}

impl<'a> BoundArguments<'a> {
    pub(crate) fn new(cmdlet: Cmdlet, arguments: Vec<CmdletArgument<'a>>) -> EvalResult<Self> {
        let mut bound = Self::default();
        let mut arguments = arguments.into_iter().peekable();
        while let Some(next) = arguments.next() {
            match next {
                CmdletArgument::Value { at, item } => bound.position(cmdlet, at, item)?,
                CmdletArgument::Parameter { at, name, value } => {
                    let name = parameter(cmdlet, at, name)?;
                    if cmdlet.switches.contains(&name) {
                        if value.map_or(Ok(true), |item| item.value(at).map(|value| value.is_true()))? {
                            bound.switches.push(name);
                        }
                        continue;
                    }
                    let value = value.or_else(|| following(&mut arguments));
                    let value =
                        value.ok_or_else(|| Fault::value(at, format!("a value must follow -{name}")))?;
                    bound.set(name, at, value)?;
                }
            }
        }
        Ok(bound)
    }

    /// Assigns an argument without a name to the first parameter.
    fn position(&mut self, cmdlet: Cmdlet, at: usize, item: ArgumentValue<'a>) -> EvalResult<()> {
        let Some(&first) = cmdlet.values.first() else {
            return Err(Fault::value(at, format!("{} has no parameter for this value", cmdlet.name)));
        };
        if !cmdlet.gathers {
            return self.set(first, at, item);
        }
        let mut values = match self.take(first) {
            Some((at, earlier)) => match earlier.value(at)? {
                Value::List(values) => values,
                one => vec![one],
            },
            None => Vec::new(),
        };
        values.extend(item.value(at)?.into_stream());
        self.set(first, at, ArgumentValue::Value(Value::List(values)))
    }

    fn set(&mut self, name: &'static str, at: usize, item: ArgumentValue<'a>) -> EvalResult<()> {
        if self.values.iter().any(|(known, ..)| *known == name) {
            return Err(Fault::value(
                at,
                format!("-{name} already has a value; separate several with commas"),
            ));
        }
        self.values.push((name, at, item));
        Ok(())
    }

    pub(crate) fn has(&self, switch: &str) -> bool {
        self.switches.contains(&switch)
    }

    pub(crate) fn take(&mut self, name: &str) -> Option<(usize, ArgumentValue<'a>)> {
        let index = self.values.iter().position(|(known, ..)| *known == name)?;
        let (_, at, item) = self.values.swap_remove(index);
        Some((at, item))
    }

    pub(crate) fn value(&mut self, name: &str) -> EvalResult<Option<(usize, Value)>> {
        self.take(name).map(|(at, item)| Ok((at, item.value(at)?))).transpose()
    }

    /// Takes names and patterns of properties; empty without the parameter.
    pub(crate) fn texts(&mut self, name: &str) -> EvalResult<Vec<String>> {
        let Some((at, item)) = self.take(name) else { return Ok(Vec::new()) };
        let ArgumentValue::Value(value) = item else {
            return Err(Fault::unsupported(at, "a computed property is"));
        };
        let values = value.into_stream();
        if values.is_empty() {
            return Err(Fault::value(at, format!("the value of -{name} is empty")));
        }
        let text = |value: Value| match value {
            Value::Text(text) if !text.is_empty() => Ok(text),
            Value::Number(_) => Ok(text::show(&value)),
            Value::Object(_) => Err(Fault::unsupported(at, "a computed property is")),
            _ => Err(Fault::value(at, format!("`{}` is not a name", text::show(&value)))),
        };
        values.into_iter().map(text).collect()
    }

    /// Takes a count.
    pub(crate) fn count(&mut self, name: &str) -> EvalResult<Option<usize>> {
        let Some((at, value)) = self.value(name)? else { return Ok(None) };
        let count = match &value {
            Value::Number(number) => number.as_u64().and_then(|number| usize::try_from(number).ok()),
            _ => None,
        };
        count.map(Some).ok_or_else(|| {
            Fault::value(at, format!("-{name} must be a whole number, not `{}`", text::show(&value)))
        })
    }
}

/// Takes the value after a parameter, if there is one.
pub(crate) fn following<'a>(
    arguments: &mut Peekable<impl Iterator<Item = CmdletArgument<'a>>>,
) -> Option<ArgumentValue<'a>> {
    match arguments.next_if(|next| matches!(next, CmdletArgument::Value { .. })) {
        Some(CmdletArgument::Value { item, .. }) => Some(item),
        _ => None,
    }
}

/// Finds a parameter by its name, or by a unique beginning of it.
pub(crate) fn parameter(cmdlet: Cmdlet, at: usize, name: &str) -> EvalResult<&'static str> {
    let all = || cmdlet.values.iter().chain(cmdlet.switches).copied();
    if let Some(exact) = all().find(|known| known.eq_ignore_ascii_case(name)) {
        return Ok(exact);
    }
    let begins = |known: &&str| known.get(..name.len()).is_some_and(|start| start.eq_ignore_ascii_case(name));
    let candidates: Vec<&'static str> = all().filter(begins).collect();
    match candidates.as_slice() {
        [one] => Ok(one),
        [] => {
            let known: Vec<String> = all().map(|known| format!("-{known}")).collect();
            let known = if known.is_empty() { "none".to_owned() } else { known.join(", ") };
            Err(Fault::value(at, format!("{} has no parameter -{name} here; it has {known}", cmdlet.name)))
        }
        several => Err(Fault::value(at, format!("-{name} may mean -{}", several.join(" or -")))),
    }
}
