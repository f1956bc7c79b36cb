//! Runs `switch`.

use super::{
    Evaluator,
    interrupt::{Boxed, Flow, Interrupt},
};
use crate::{
    ast::{ExpressionKind, Switch, SwitchTest},
    compare::compare,
    error::Fault,
    host::Host,
    operator::{Comparison, Test},
    value::Value,
};

impl<H: Host> Evaluator<'_, H> {
    pub(super) fn switch<'a>(&'a mut self, switch: &'a Switch) -> Boxed<'a, ()> {
        Box::pin(async move {
            let values = match self.value_of(&switch.value).await? {
                Value::List(values) => values,
                one => vec![one],
            };
            let outer = self.current.take();
            let result = self.cases(switch, values).await;
            self.current = outer;
            result
        })
    }

    async fn cases(&mut self, switch: &Switch, values: Vec<Value>) -> Flow<()> {
        for value in values {
            self.current = Some(value.clone());
            match self.case(switch, &value).await {
                Err(Interrupt::Break(None)) => return Ok(()),
                Err(Interrupt::Continue(None)) => {}
                Err(Interrupt::Break(Some(label))) if switch.label.as_ref() == Some(&label) => return Ok(()),
                other => other?,
            }
        }
        Ok(())
    }

    async fn case(&mut self, switch: &Switch, value: &Value) -> Flow<()> {
        let mut matched = false;
        for (condition, body) in &switch.clauses {
            self.tick(condition.at, 0).await?;
            let holds = if let ExpressionKind::Block { block, .. } = &condition.kind {
                self.block_value(block, value.clone()).await?.is_true()
            } else {
                let wanted = self.expression(condition).await?;
                let test = match switch.test {
                    SwitchTest::Equal => Test::Equal,
                    SwitchTest::Wildcard => Test::Like,
                    SwitchTest::Regex => Test::Match,
                };
                let comparison = Comparison { test, negated: false, case_sensitive: switch.case_sensitive };
                let holds = compare(value, comparison, &wanted, &mut self.regexes);
                self.count_work(condition.at)?;
                holds.map_err(|message| Fault::value(condition.at, message))?.is_true()
            };
            if holds {
                matched = true;
                self.body(body).await?;
            }
        }
        match &switch.default {
            Some(body) if !matched => self.body(body).await,
            _ => Ok(()),
        }
    }
}
