//! Limits of a running script.

use crate::error::Fault;

/// Limits of a running script. Steps and output count from the last command of the host or `Start-Sleep`.
#[derive(Clone, Copy, Debug)]
pub struct ScriptLimits {
    pub steps: u64,
    /// Bytes of all variables and intermediate results, approximately.
    pub memory: usize,
    /// Bytes that are shown or written to files.
    pub output: u64,
    /// Nested calls, blocks and expressions.
    pub depth: usize,
}

impl Default for ScriptLimits {
    fn default() -> Self {
        Self { steps: 50_000_000, memory: 512 << 20, output: 256 << 20, depth: 100 }
    }
}

/// Use of the limits.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Meter {
    pub(crate) limits: ScriptLimits,
    steps: u64,
    output: u64,
    /// Bytes of intermediate results.
    held: usize,
    pub(crate) depth: usize,
}

impl Meter {
    pub(crate) fn new(limits: ScriptLimits) -> Self {
        Self { limits, ..Self::default() }
    }

    /// Counts steps. Returns true if the host should breathe.
    pub(crate) fn step(&mut self, at: usize, count: usize) -> Result<bool, Fault> {
        const BREATH: u64 = 1 << 12;
        let before = self.steps;
        self.steps += 1 + (count >> 4) as u64;
        if self.steps > self.limits.steps {
            let message = format!(
                "{} steps passed without a command or Start-Sleep; does a loop never end?",
                self.limits.steps
            );
            return Err(Fault::limit(at, message));
        }
        Ok(before / BREATH != self.steps / BREATH)
    }

    pub(crate) fn write(&mut self, at: usize, bytes: usize) -> Result<(), Fault> {
        self.output += bytes as u64;
        if self.output > self.limits.output {
            let message = format!(
                "{} MB of output passed without a command or Start-Sleep; does a loop never end?",
                self.limits.output >> 20
            );
            return Err(Fault::limit(at, message));
        }
        Ok(())
    }

    /// Starts the counts again, because the outside world was asked.
    pub(crate) fn restart(&mut self) {
        self.steps = 0;
        self.output = 0;
    }

    /// Counts bytes of intermediate results beside those of variables.
    pub(crate) fn hold(&mut self, at: usize, bytes: usize, variables: usize) -> Result<(), Fault> {
        self.held += bytes;
        self.check_memory(at, variables)
    }

    pub(crate) fn release(&mut self, bytes: usize) {
        self.held = self.held.saturating_sub(bytes);
    }

    pub(crate) fn check_memory(&self, at: usize, variables: usize) -> Result<(), Fault> {
        if self.held + variables > self.limits.memory {
            let message = format!("this script holds more than {} MB of values", self.limits.memory >> 20);
            return Err(Fault::limit(at, message));
        }
        Ok(())
    }
}
