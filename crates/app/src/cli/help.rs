//! `Get-Help` in the shell.

use mailhaul_operations::{Entry, Operations};
use mailhaul_shell::{
    Argument, CmdletHelp, HostError, Object, Value, cmdlet_help, cmdlet_helps, matches_wildcard,
};

use super::command::with_advice;
use crate::context::Context;

/// Shows one cmdlet, the cmdlets that match a pattern, or all of migrations.
pub(super) fn help(
    operations: &Operations<Context>,
    arguments: &[Argument],
) -> Result<Vec<Value>, HostError> {
    let name = arguments.iter().find_map(|argument| match argument {
        Argument::Value(Value::Text(name)) | Argument::Parameter { value: Some(Value::Text(name)), .. } => {
            Some(name)
        }
        _ => None,
    });
    let Some(name) = name else { return Ok(list(own(operations))) };
    if name.contains('*') {
        let of_language = cmdlet_helps().map(|help| (help.name, help.synopsis));
        let all = own(operations).chain(of_language);
        return Ok(list(all.filter(|(known, _)| matches_wildcard(name, known))));
    }
    if let Some(help) = cmdlet_help(name) {
        return Ok(vec![of_language(help)]);
    }
    match operations.find(name) {
        Ok(entry) => Ok(parameters(entry)),
        Err(failure) => Err(HostError::at_argument(with_advice(&failure).replace("operation", "command"), 0)),
    }
}

fn own(operations: &Operations<Context>) -> impl Iterator<Item = (&str, &str)> {
    operations.entries().iter().map(|entry| (entry.name(), entry.about()))
}

fn list<'t>(commands: impl Iterator<Item = (&'t str, &'t str)>) -> Vec<Value> {
    commands
        .map(|(name, about)| object([("Name", name.to_owned()), ("Synopsis", about.to_owned())]))
        .collect()
}

fn of_language(help: CmdletHelp) -> Value {
    object([
        ("Name", help.name.to_owned()),
        ("Synopsis", help.synopsis.to_owned()),
        ("Syntax", help.syntax),
        ("Aliases", help.aliases.join(", ")),
    ])
}

fn parameters(entry: &Entry) -> Vec<Value> {
    let parameter = |parameter: &mailhaul_operations::Parameter| {
        object([
            ("Parameter", format!("-{}", parameter.name)),
            ("Required", if parameter.required { "True" } else { "False" }.to_owned()),
            ("Description", parameter.help.clone()),
        ])
    };
    entry.parameters_for_people().map(parameter).collect()
}

fn object<const N: usize>(texts: [(&str, String); N]) -> Value {
    Value::Object(texts.into_iter().map(|(name, text)| (name, Value::Text(text))).collect::<Object>())
}
