//! Parameters that every command has: `-ErrorAction`, `-Verbose`, `-OutVariable` and their like.

use super::interrupt::Flow;
use crate::{cmdlets::CmdletArgument, error::Fault, text, value::Value};

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
