//! `Where-Object`.

use std::sync::Arc;

use super::{Evaluator, interrupt::Flow};
use crate::{
    ast::Block,
    cmdlets::{self, Cmdlet, CmdletArgument},
    compare::compare,
    error::Fault,
    host::Host,
    members::property,
    operator::{self, Comparison},
    value::Value,
};

/// Condition of `Where-Object`.
pub(super) enum Filter {
    Block(Arc<Block>),
    /// `Status -eq Failed`; without a comparison, the property must be true.
    Property {
        name: String,
        comparison: Option<Wanted>,
        negated: bool,
    },
}

/// Comparison with a value.
pub(super) struct Wanted {
    at: usize,
    comparison: Comparison,
    value: Value,
}

impl<H: Host> Evaluator<'_, H> {
    pub(super) async fn passes(&mut self, at: usize, filter: &Filter, value: &Value) -> Flow<bool> {
        match filter {
            Filter::Block(block) => Ok(self.block_value(block, value.clone()).await?.is_true()),
            Filter::Property { name, comparison, negated } => {
                let found = property(value, name).map_err(|message| Fault::value(at, message))?;
                let passes = match comparison {
                    Some(wanted) => {
                        let passes = compare(&found, wanted.comparison, &wanted.value, &mut self.regexes);
                        self.count_work(wanted.at)?;
                        passes.map_err(|message| Fault::value(wanted.at, message))?
                    }
                    None => found,
                };
                Ok(passes.is_true() != *negated)
            }
        }
    }
}

/// Arguments of `Where-Object` so far.
#[derive(Default)]
struct Given {
    block: Option<Arc<Block>>,
    name: Option<String>,
    comparison: Option<(usize, Comparison)>,
    wanted: Option<Value>,
    negated: bool,
}

impl Given {
    fn take(&mut self, at: usize, slot: &str, item: Value) -> Result<(), Fault> {
        let taken = match (slot, item) {
            ("FilterScript", item @ Value::Block(_)) => {
                self.block.replace(cmdlets::block(at, &item)?).is_some()
            }
            ("FilterScript", _) => {
                return Err(Fault::value(at, "a script block must follow -FilterScript"));
            }
            ("Property", Value::Text(text)) => self.name.replace(text).is_some(),
            ("Property", _) => return Err(Fault::value(at, "the name of a property is expected here")),
            (_, item) => self.wanted.replace(item).is_some(),
        };
        if taken { Err(Fault::value(at, "there is already such a value")) } else { Ok(()) }
    }

    fn compare(&mut self, at: usize, comparison: Comparison) -> Result<(), Fault> {
        if self.comparison.replace((at, comparison)).is_some() {
            return Err(Fault::value(at, "there can be one comparison only; use { ... -and ... } for more"));
        }
        Ok(())
    }
}

/// Reads the arguments of `Where-Object`.
pub(super) fn filter(cmdlet: Cmdlet, at: usize, arguments: Vec<CmdletArgument<'_>>) -> Result<Filter, Fault> {
    let mut given = Given::default();
    let mut arguments = arguments.into_iter().peekable();
    while let Some(next) = arguments.next() {
        match next {
            CmdletArgument::Value { at, item: item @ Value::Block(_) } => {
                given.take(at, "FilterScript", item)?;
            }
            CmdletArgument::Value { at, item } => {
                let slot = if given.name.is_none() { "Property" } else { "Value" };
                given.take(at, slot, item)?;
            }
            CmdletArgument::Parameter { at, name: typed, value } => {
                let operator = operator::comparison(&typed);
                let slot = if operator.is_some() { "Value" } else { cmdlets::parameter(cmdlet, at, &typed)? };
                if slot == "Not" {
                    given.negated = true;
                    continue;
                }
                if let Some(operator) = operator {
                    given.compare(at, operator)?;
                }
                match value.or_else(|| cmdlets::following(&mut arguments)) {
                    Some(item) => given.take(at, slot, item)?,
                    // `Status -eq -Value Failed`
                    None if operator.is_some() => {}
                    None => return Err(Fault::value(at, format!("a value must follow -{slot}"))),
                }
            }
        }
    }
    match given {
        Given { block: Some(block), name: None, comparison: None, wanted: None, negated: false } => {
            Ok(Filter::Block(block))
        }
        Given {
            block: None,
            name: Some(name),
            comparison: Some((at, comparison)),
            wanted: Some(value),
            negated,
        } => Ok(Filter::Property { name, comparison: Some(Wanted { at, comparison, value }), negated }),
        Given { block: None, name: Some(name), comparison: None, wanted: None, negated } => {
            Ok(Filter::Property { name, comparison: None, negated })
        }
        _ => Err(Fault::value(
            at,
            "Where-Object needs a condition, as in `Where-Object { $_.Status -eq 'Failed' }` or \
             `Where-Object Status -eq Failed`",
        )),
    }
}
