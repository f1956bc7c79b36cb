//! Steps of a running operation, for callers that watch it.

use serde::Serialize;
use serde_json::Value;
use tokio::sync::mpsc;

/// Property that each step has, and no answer.
pub(crate) const STEP: &str = "Step";

/// Use of the steps of an operation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StepUse {
    /// The operation has no steps.
    None,
    /// Steps show how far it is. The answer has all of their facts.
    Progress,
    /// The caller must act while it runs: a call that cannot show steps is refused.
    Instructions,
}

/// Receives each step when it ends, if the caller watches.
#[derive(Clone, Debug, Default)]
pub struct Steps(Option<mpsc::UnboundedSender<Value>>);

impl Steps {
    pub(crate) fn channel() -> (Self, mpsc::UnboundedReceiver<Value>) {
        let (sender, receiver) = mpsc::unbounded_channel();
        (Self(Some(sender)), receiver)
    }

    /// Sends the step, an object with the property `Step`. It must contain no secret.
    pub fn report(&self, step: &impl Serialize) {
        let Some(sender) = &self.0 else { return };
        match serde_json::to_value(step) {
            // The operation runs to its end also if its caller has gone.
            Ok(step) => _ = sender.send(step),
            Err(error) => tracing::error!("a step cannot be written: {error}"),
        }
    }

    /// True if the caller sees the steps.
    pub fn is_watched(&self) -> bool {
        self.0.is_some()
    }
}
