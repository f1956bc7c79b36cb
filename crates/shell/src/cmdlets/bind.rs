//! Assigns arguments to the parameters of a cmdlet of the language.

use std::{borrow::Cow, iter::Peekable, sync::Arc};

use super::table::Cmdlet;
use crate::{
    ast::Block,
    error::Fault,
    text,
    value::{Object, Value},
};

type Bound<T> = Result<T, Fault>;

/// Argument with its value.
#[derive(Debug)]
pub(crate) enum CmdletArgument<'a> {
    Parameter { at: usize, name: Cow<'a, str>, value: Option<Value> },
    Value { at: usize, item: Value },
}

impl CmdletArgument<'_> {
    pub(crate) fn at(&self) -> usize {
        match self {
            Self::Parameter { at, .. } | Self::Value { at, .. } => *at,
        }
    }
}

/// Encodings that UTF-8 stands for.
const ENCODINGS: [&str; 7] = ["utf8", "utf8NoBOM", "utf8BOM", "utf-8", "ASCII", "Default", "OEM"];

/// Arguments of a cmdlet by parameter.
#[derive(Debug, Default)]
pub(crate) struct BoundArguments {
    switches: Vec<&'static str>,
    values: Vec<(&'static str, usize, Value)>,
}

/// Property that a cmdlet selects, sorts by or shows.
#[derive(Clone, Debug)]
pub(crate) enum Column {
    /// Name or pattern.
    Pattern(String),
    /// Calculated one.
    Computed { name: String, block: Arc<Block>, is_descending: bool },
    /// Property with another name, or with an order.
    Renamed { name: String, property: String, is_descending: bool },
}

impl BoundArguments {
    pub(crate) fn new(cmdlet: Cmdlet, arguments: Vec<CmdletArgument<'_>>) -> Bound<Self> {
        let mut bound = Self::default();
        let mut arguments = arguments.into_iter().peekable();
        let mut left = Vec::new();
        while let Some(next) = arguments.next() {
            match next {
                CmdletArgument::Value { at, item } => left.push((at, item)),
                CmdletArgument::Parameter { at, name, value } => {
                    let name = parameter(cmdlet, at, &name)?;
                    if cmdlet.switches.contains(&name) {
                        if value.as_ref().is_none_or(Value::is_true) {
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
        for (at, item) in left {
            bound.position(cmdlet, at, item)?;
        }
        Ok(bound)
    }

    /// Assigns an argument without a name to the first parameter that is free.
    fn position(&mut self, cmdlet: Cmdlet, at: usize, item: Value) -> Bound<()> {
        if cmdlet.gathers
            && let Some(first) = cmdlet.values.first()
        {
            let mut values = match self.value(first) {
                Some((_, Value::List(values))) => values,
                Some((_, one)) => vec![one],
                None => Vec::new(),
            };
            values.extend(item.into_stream());
            return self.set(first, at, Value::List(values));
        }
        let positions = &cmdlet.values[..cmdlet.positions.min(cmdlet.values.len())];
        match positions.iter().find(|name| !self.values.iter().any(|(known, ..)| known == *name)) {
            Some(name) => self.set(name, at, item),
            None if cmdlet.positions == 0 => {
                Err(Fault::value(at, format!("{} has no parameter for this value", cmdlet.name)))
            }
            None => Err(Fault::value(
                at,
                format!(
                    "-{} already has a value; separate several with commas",
                    positions.last().unwrap_or(&"")
                ),
            )),
        }
    }

    fn set(&mut self, name: &'static str, at: usize, item: Value) -> Bound<()> {
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

    /// Takes the value of a parameter.
    pub(crate) fn value(&mut self, name: &str) -> Option<(usize, Value)> {
        let index = self.values.iter().position(|(known, ..)| *known == name)?;
        let (_, at, item) = self.values.swap_remove(index);
        Some((at, item))
    }

    /// Takes a text.
    pub(crate) fn text(&mut self, name: &str) -> Option<String> {
        self.value(name).map(|(_, value)| text::interpolate(&value))
    }

    /// Takes the name of a file, from any of these parameters.
    pub(crate) fn path(&mut self, at: usize, cmdlet: &str, names: &[&str]) -> Bound<String> {
        let found = names.iter().find_map(|name| self.value(name));
        match found {
            Some((_, Value::Text(path))) if !path.is_empty() => Ok(path),
            Some((at, other)) => {
                Err(Fault::value(at, format!("`{}` is not the name of a file", text::show(&other))))
            }
            None => Err(Fault::value(at, format!("{cmdlet} needs the name of a file"))),
        }
    }

    /// Takes names and patterns of properties; empty without the parameter.
    pub(crate) fn texts(&mut self, name: &str) -> Bound<Vec<String>> {
        let Some((at, value)) = self.value(name) else { return Ok(Vec::new()) };
        let values = value.into_stream();
        if values.is_empty() {
            return Err(Fault::value(at, format!("the value of -{name} is empty")));
        }
        let text = |value: Value| match value {
            Value::Text(text) if !text.is_empty() => Ok(text),
            Value::Number(_) => Ok(text::show(&value)),
            _ => Err(Fault::value(at, format!("`{}` is not a name", text::show(&value)))),
        };
        values.into_iter().map(text).collect()
    }

    /// Takes names, patterns and calculated properties; empty without the parameter.
    pub(crate) fn columns(&mut self, name: &str) -> Bound<Vec<Column>> {
        let Some((at, value)) = self.value(name) else { return Ok(Vec::new()) };
        let values = value.into_stream();
        if values.is_empty() {
            return Err(Fault::value(at, format!("the value of -{name} is empty")));
        }
        values.into_iter().map(|value| column(at, value)).collect()
    }

    /// Takes a count.
    pub(crate) fn count(&mut self, name: &str) -> Bound<Option<usize>> {
        let Some((at, value)) = self.value(name) else { return Ok(None) };
        let number = match &value {
            Value::Number(number) => Some(number.clone()),
            Value::Text(text) => crate::number::parse(text.trim()),
            _ => None,
        };
        let count = number.and_then(|number| number.as_u64()).and_then(|number| usize::try_from(number).ok());
        count.map(Some).ok_or_else(|| {
            Fault::value(at, format!("-{name} must be a whole number, not `{}`", text::show(&value)))
        })
    }

    /// Takes the character between cells.
    pub(crate) fn delimiter(&mut self) -> Bound<char> {
        let Some((at, value)) = self.value("Delimiter") else { return Ok(',') };
        let text = text::show(&value);
        let mut characters = text.chars();
        match (characters.next(), characters.next()) {
            (Some(one), None) if one.is_ascii() && !one.is_alphanumeric() && !"\"\r\n".contains(one) => {
                Ok(one)
            }
            _ => Err(Fault::value(at, format!("`{text}` is not a delimiter, such as ';' or \"`t\""))),
        }
    }

    /// Checks `-Encoding`: all files are UTF-8.
    pub(crate) fn encoding(&mut self) -> Bound<()> {
        let Some((at, encoding)) = self.value("Encoding") else { return Ok(()) };
        let name = text::show(&encoding);
        if ENCODINGS.iter().any(|known| known.eq_ignore_ascii_case(&name)) {
            return Ok(());
        }
        Err(Fault::unsupported(at, format!("the encoding {name} (files are UTF-8) is")))
    }
}

fn column(at: usize, value: Value) -> Bound<Column> {
    match value {
        Value::Text(text) if !text.is_empty() => Ok(Column::Pattern(text)),
        Value::Number(_) => Ok(Column::Pattern(text::show(&value))),
        Value::Block(ref script) => Ok(Column::Computed {
            name: script.text().trim().to_owned(),
            block: block(at, &value)?,
            is_descending: false,
        }),
        Value::Object(object) => calculated(at, &object),
        _ => Err(Fault::value(at, format!("`{}` is not a name", text::show(&value)))),
    }
}

/// Reads `@{ Name = 'x'; Expression = { ... } }`. Names may be shortened.
fn calculated(at: usize, object: &Object) -> Bound<Column> {
    let (mut name, mut expression, mut is_descending) = (None, None, false);
    for (key, value) in object.iter() {
        let key = key.to_ascii_lowercase();
        let is = |full: &str| !key.is_empty() && full.starts_with(&key);
        if is("name") || is("label") {
            name = Some(text::show(value));
        } else if is("expression") {
            expression = Some(value);
        } else if is("descending") {
            is_descending = value.is_true();
        } else if is("ascending") {
            is_descending = !value.is_true();
        } else if !["width", "alignment", "align", "formatstring"].contains(&key.as_str()) {
            let message = format!("a calculated property has Name and Expression, but no {key}");
            return Err(Fault::value(at, message));
        }
    }
    match expression {
        Some(value @ Value::Block(script)) => Ok(Column::Computed {
            name: name.unwrap_or_else(|| script.text().trim().to_owned()),
            block: block(at, value)?,
            is_descending,
        }),
        Some(Value::Text(property)) => Ok(Column::Renamed {
            name: name.unwrap_or_else(|| property.clone()),
            property: property.clone(),
            is_descending,
        }),
        _ => Err(Fault::value(
            at,
            "a calculated property needs an Expression: @{ Name = 'x'; Expression = { $_.y } }",
        )),
    }
}

/// Returns the content of a script block.
pub(crate) fn block(at: usize, value: &Value) -> Bound<Arc<Block>> {
    let block = match value {
        Value::Block(block) => block.content::<Block>(),
        _ => None,
    };
    block.ok_or_else(|| Fault::value(at, "a script block or the name of a property is expected here"))
}

/// Takes the value after a parameter, if there is one.
pub(crate) fn following<'a>(
    arguments: &mut Peekable<impl Iterator<Item = CmdletArgument<'a>>>,
) -> Option<Value> {
    match arguments.next_if(|next| matches!(next, CmdletArgument::Value { .. })) {
        Some(CmdletArgument::Value { item, .. }) => Some(item),
        _ => None,
    }
}

/// Finds a parameter by its name, or by a unique beginning of it.
pub(crate) fn parameter(cmdlet: Cmdlet, at: usize, name: &str) -> Bound<&'static str> {
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
