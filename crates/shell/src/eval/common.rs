//! Parameters that every command has: `-ErrorAction`, `-Verbose`, `-OutVariable` and their like.

use super::{Evaluator, function::Call, interrupt::Flow};
use crate::{cmdlets::CmdletArgument, error::Fault, host::Host, text, value::Value};

/// Reaction to an error or a warning.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Action {
    Continue,
    SilentlyContinue,
    Ignore,
    Stop,
}

/// Names of actions.
const ACTIONS: [(&str, Action); 5] = [
    ("Continue", Action::Continue),
    ("SilentlyContinue", Action::SilentlyContinue),
    ("Ignore", Action::Ignore),
    ("Stop", Action::Stop),
    // There is no question at each error; the script ends.
    ("Inquire", Action::Stop),
];

impl Action {
    fn name(self) -> &'static str {
        ACTIONS.iter().find(|(_, action)| *action == self).map_or("", |(name, _)| name)
    }

    pub(super) fn parse(at: usize, value: &Value) -> Result<Self, Fault> {
        let name = text::show(value);
        ACTIONS
            .iter()
            .find(|(known, _)| known.eq_ignore_ascii_case(&name))
            .map(|(_, action)| *action)
            .ok_or_else(|| {
                Fault::value(
                    at,
                    format!("`{name}` is not one of Continue, SilentlyContinue, Ignore and Stop"),
                )
            })
    }
}

/// Values of the common parameters of a command.
#[derive(Clone, Debug, Default)]
pub(super) struct Common {
    pub(super) error_action: Option<Action>,
    pub(super) error_variable: Option<String>,
    pub(super) warning_action: Option<Action>,
    pub(super) warning_variable: Option<String>,
    pub(super) out_variable: Option<String>,
    pub(super) is_verbose: bool,
}

impl<H: Host> Evaluator<'_, H> {
    /// Sets the preferences of a function to the common parameters of its call: they hold for all its commands.
    pub(super) fn prefer(&mut self, call: &mut Call, common: &Common) -> Flow<()> {
        call.errors_before = self.errors.total;
        let Some(scope) = call.scope.take() else { return Ok(()) };
        self.scopes.enter(scope);
        let verbose = if common.is_verbose { Some(Action::Continue) } else { None };
        let mut outcome = Ok(());
        for (name, action) in [
            ("ErrorActionPreference", common.error_action),
            ("WarningPreference", common.warning_action),
            ("VerbosePreference", verbose),
        ] {
            if let Some(action) = action {
                outcome = outcome.and(self.set_variable(0, name, action.name().into(), false));
            }
        }
        call.scope = Some(self.scopes.leave());
        outcome
    }

    /// Sets the variable of `-ErrorVariable` to the errors of a function.
    pub(super) fn keep_errors(&mut self, call: &Call, common: &Common) -> Flow<()> {
        let Some(name) = &common.error_variable else { return Ok(()) };
        let count = self.errors.total - call.errors_before;
        let records = self.errors.records.iter().take(count).rev().cloned().collect();
        self.set_variable(0, name, Value::List(records), false)
    }
}

/// Takes the common parameters out of the arguments.
pub(super) fn common(arguments: Vec<CmdletArgument<'_>>) -> Flow<(Common, Vec<CmdletArgument<'_>>)> {
    let (mut common, mut rest) = (Common::default(), Vec::new());
    let mut arguments = arguments.into_iter().peekable();
    while let Some(next) = arguments.next() {
        let CmdletArgument::Parameter { at, name, value } = next else {
            rest.push(next);
            continue;
        };
        let Some((known, takes_value)) = crate::cmdlets::common(&name) else {
            rest.push(CmdletArgument::Parameter { at, name, value });
            continue;
        };
        if !takes_value {
            let is_on = value.as_ref().is_none_or(Value::is_true);
            common.is_verbose |= is_on && known == "Verbose";
            continue;
        }
        let value = value.or_else(|| crate::cmdlets::following(&mut arguments));
        let value = value.ok_or_else(|| Fault::value(at, format!("a value must follow -{known}")))?;
        // `+name` appends in PowerShell; here each call sets the variable.
        let variable = || Some(text::show(&value).trim_start_matches(['+', '$']).to_owned());
        match known {
            "ErrorAction" => common.error_action = Some(Action::parse(at, &value)?),
            "WarningAction" => common.warning_action = Some(Action::parse(at, &value)?),
            "ErrorVariable" => common.error_variable = variable(),
            "WarningVariable" => common.warning_variable = variable(),
            "OutVariable" => common.out_variable = variable(),
            _ => {}
        }
    }
    Ok((common, rest))
}
