//! Limits of scripts, and the exit codes at their end.

use mailhaul_shell::{Outcome, ScriptLimits};

use crate::exit::Exit;

/// Exit code of a script that is wrong, or that ended itself by an error.
pub(crate) const WRONG_SCRIPT: u8 = 2;

/// Limits of a script. The stack of this program has room for deep calls.
pub(crate) const LIMITS: ScriptLimits =
    ScriptLimits { steps: 50_000_000, memory: 512 << 20, output: 256 << 20, depth: 320 };

/// Exit code of a script that ran to its end.
pub(crate) fn exit_of(outcome: Outcome) -> Exit {
    match outcome {
        Outcome { exit: Some(code), .. } => Exit::Operation(u8::try_from(code.rem_euclid(256)).unwrap_or(1)),
        Outcome { errors: 0, .. } => Exit::Synced,
        Outcome { code, .. } => Exit::Operation(code.unwrap_or(WRONG_SCRIPT)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn exit_codes_are_those_of_the_first_failure() {
        for (outcome, exit) in [
            (Outcome::default(), Exit::Synced),
            (Outcome { errors: 2, code: Some(3), exit: None }, Exit::Operation(3)),
            (Outcome { errors: 1, code: None, exit: None }, Exit::Operation(2)),
            (Outcome { errors: 1, code: Some(3), exit: Some(7) }, Exit::Operation(7)),
            (Outcome { errors: 0, code: None, exit: Some(-1) }, Exit::Operation(255)),
        ] {
            assert_eq!(exit_of(outcome), exit);
        }
    }
}
