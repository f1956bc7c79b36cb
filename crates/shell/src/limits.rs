//! Limits of a running script.

use crate::error::Fault;

/// Longest text that a script can build, in bytes.
pub(crate) const MAX_TEXT: usize = 16 << 20;
/// Maximum number of elements of a range, or of a list that one operator makes.
pub(crate) const MAX_ITEMS: usize = 1_000_000;
/// Bytes that cost as much as a step: about 16 small values that are copied.
const BYTES_PER_STEP: u32 = 10;
/// Steps after which the host breathes.
const BREATH: u64 = 1 << 12;

/// Limits of a running script. Steps and output count from the last command of the host or `Start-Sleep`.
#[derive(Clone, Copy, Debug)]
pub struct ScriptLimits {
    /// Statements and expressions. A value of more than a kilobyte counts as many steps as it has kilobytes.
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

impl ScriptLimits {
    /// Returns the bounds of one operator's result.
    pub(crate) fn bounds(self) -> Bounds {
        Bounds { text: MAX_TEXT.min(self.memory / 4), items: MAX_ITEMS.min(self.memory / 64) }
    }
}

/// Bounds of the result of one operator, which is made before it can be counted.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Bounds {
    /// Bytes of a text.
    pub(crate) text: usize,
    /// Elements of a list.
    pub(crate) items: usize,
}

impl Default for Bounds {
    fn default() -> Self {
        Self { text: MAX_TEXT, items: MAX_ITEMS }
    }
}

/// Returns the error about a value beyond the limits of a single one.
pub(crate) fn too_large(at: usize) -> Fault {
    Fault::limit(at, "this value becomes too large or too deep")
}

/// Use of the limits.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Meter {
    pub(crate) limits: ScriptLimits,
    steps: u64,
    /// Steps since the host breathed.
    since_breath: u64,
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
        self.add(at, 1 + (count >> 4) as u64)?;
        Ok(self.since_breath >= BREATH)
    }

    /// Counts work on this many bytes.
    pub(crate) fn charge(&mut self, at: usize, bytes: usize) -> Result<(), Fault> {
        let steps = (bytes >> BYTES_PER_STEP) as u64;
        if steps > 0 { self.add(at, steps) } else { Ok(()) }
    }

    /// Notes that the host breathed.
    pub(crate) fn breathed(&mut self) {
        self.since_breath = 0;
    }

    fn add(&mut self, at: usize, steps: u64) -> Result<(), Fault> {
        self.steps = self.steps.saturating_add(steps);
        self.since_breath = self.since_breath.saturating_add(steps);
        if self.steps > self.limits.steps {
            let message = format!(
                "{} steps passed without a command or Start-Sleep; does a loop never end?",
                self.limits.steps
            );
            return Err(Fault::limit(at, message));
        }
        Ok(())
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
        self.charge(at, bytes)?;
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
