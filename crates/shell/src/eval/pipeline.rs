//! Runs pipelines.

use super::{Evaluator, changed_variable, consumer::Consumer, interrupt::Flow};
use crate::{
    ast::{ExpressionKind, Pipeline, StageKind},
    host::Host,
};

impl<H: Host> Evaluator<'_, H> {
    pub(super) async fn pipeline(&mut self, pipeline: &Pipeline) -> Flow<()> {
        let before = self.errors.total;
        let (base, depth, held) = (self.consumers.len(), self.scopes.depth(), self.errors.routes.len());
        let result = match changed_variable(pipeline) {
            None => self.stages(pipeline, base).await,
            Some(name) => self.change_members(pipeline, name).await,
        };
        if result.is_err() {
            // The stages that are left end here, with the scopes of their functions.
            self.scopes.close_to(depth);
        }
        self.consumers.truncate(base);
        self.errors.routes.truncate(held);
        self.errors.is_ok = self.errors.total == before;
        result
    }

    pub(super) async fn stages(&mut self, pipeline: &Pipeline, base: usize) -> Flow<()> {
        let mut prepared = Vec::with_capacity(pipeline.stages.len());
        let mut expression = None;
        for (index, stage) in pipeline.stages.iter().enumerate() {
            let redirected = self.redirect(&stage.redirections).await?;
            let state = match &stage.kind {
                StageKind::Expression(first) => {
                    expression = Some(first);
                    None
                }
                StageKind::Command(command) => Some(self.prepare(command, index == 0).await?),
            };
            prepared.push((state, redirected));
        }
        let mut first = None;
        for (state, redirected) in prepared.into_iter().rev() {
            self.consumers.extend(redirected.into_iter().map(|stage| Consumer::Stage(Box::new(stage))));
            let Some((state, captured)) = state else { continue };
            self.consumers.extend(captured.map(|stage| Consumer::Stage(Box::new(stage))));
            if state.is_first {
                first = Some(state);
            } else {
                self.consumers.push(Consumer::Stage(Box::new(state)));
            }
        }
        if let Some(first) = first {
            self.start(first).await?;
        } else if let Some(expression) = expression {
            let value = self.expression(expression).await?;
            if !matches!(expression.kind, ExpressionKind::Increment { .. }) {
                self.emit_all(expression.at, value).await?;
            }
        }
        while self.consumers.len() > base {
            let Some(Consumer::Stage(stage)) = self.consumers.pop() else { continue };
            self.finish(*stage).await?;
        }
        Ok(())
    }
}
