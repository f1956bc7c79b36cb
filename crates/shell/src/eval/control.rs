//! Runs loops.

use super::{
    Evaluator,
    interrupt::{Boxed, Flow, Interrupt},
};
use crate::{
    ast::{Loop, LoopKind, Statement},
    host::Host,
};

impl<H: Host> Evaluator<'_, H> {
    pub(super) fn run_loop<'a>(&'a mut self, a_loop: &'a Loop) -> Boxed<'a, ()> {
        Box::pin(async move {
            match &a_loop.kind {
                LoopKind::Foreach { variable, list } => {
                    let values = self.value_of(list).await?.into_stream();
                    let mut size = 0;
                    for value in &values {
                        size += value.size().unwrap_or_default();
                    }
                    self.meter.hold(list.at, size, self.scopes.size())?;
                    let result = self.foreach(a_loop, variable, values, list.at).await;
                    self.meter.release(size);
                    result
                }
                LoopKind::For { first, condition, step } => {
                    if let Some(first) = first {
                        self.quietly(first).await?;
                    }
                    while self.holds(condition.as_ref()).await? {
                        if !self.once(a_loop).await? {
                            return Ok(());
                        }
                        if let Some(step) = step {
                            self.quietly(step).await?;
                        }
                    }
                    Ok(())
                }
                LoopKind::While(condition) => {
                    while self.value_of(condition).await?.is_true() {
                        if !self.once(a_loop).await? {
                            return Ok(());
                        }
                    }
                    Ok(())
                }
                LoopKind::Do { condition, until } => {
                    while self.once(a_loop).await? {
                        if self.value_of(condition).await?.is_true() == *until {
                            return Ok(());
                        }
                    }
                    Ok(())
                }
            }
        })
    }

    async fn foreach(
        &mut self,
        a_loop: &Loop,
        variable: &str,
        values: Vec<crate::value::Value>,
        at: usize,
    ) -> Flow<()> {
        for value in values {
            self.set_variable(at, variable, value, false)?;
            if !self.once(a_loop).await? {
                return Ok(());
            }
        }
        Ok(())
    }

    async fn holds(&mut self, condition: Option<&Statement>) -> Flow<bool> {
        match condition {
            Some(condition) => Ok(self.value_of(condition).await?.is_true()),
            None => Ok(true),
        }
    }

    async fn quietly(&mut self, statement: &Statement) -> Flow<()> {
        self.gather(statement).await.map(drop)
    }

    /// Runs the body of a loop once. Returns false if the loop is to end.
    async fn once(&mut self, a_loop: &Loop) -> Flow<bool> {
        self.tick(0, 0).await?;
        let is_mine = |label: &Option<String>| match (label, &a_loop.label) {
            (None, _) => true,
            (Some(label), Some(own)) => label.eq_ignore_ascii_case(own),
            (Some(_), None) => false,
        };
        match self.body(&a_loop.body).await {
            Ok(()) => Ok(true),
            Err(Interrupt::Break(label)) if is_mine(&label) => Ok(false),
            Err(Interrupt::Continue(label)) if is_mine(&label) => Ok(true),
            Err(other) => Err(other),
        }
    }
}
