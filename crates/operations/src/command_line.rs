//! Command line of the list: a command for each noun, below it one for each verb, with parameters
//! as options.

use clap::{
    Arg, ArgAction, ArgMatches, Command, ValueHint,
    builder::{PossibleValue, PossibleValuesParser},
};

use crate::{
    bind::{CONFIRM, OUTPUT, WHAT_IF},
    check::must_be,
    entry::Entry,
    kind::{AllowedValue, Kind},
    operations::Operations,
    output::Output,
    parameter::{IDENTITY, Parameter, kebab},
};

const RESULTS: &str = "Results";

impl<C: Send + Sync + 'static> Operations<C> {
    /// One command for each noun, beside the program's own commands.
    pub fn commands(&self) -> Vec<Command> {
        let mut commands: Vec<Command> = Vec::new();
        for entry in self.entries() {
            let noun = entry.noun();
            let of_verb = of_verb(entry);
            match commands.iter_mut().find(|it| it.get_name() == noun.word) {
                Some(command) => *command = std::mem::take(command).subcommand(of_verb),
                None => commands.push(
                    Command::new(noun.word)
                        .about(noun.about)
                        .subcommand_required(true)
                        .arg_required_else_help(true)
                        .arg(output())
                        .subcommand(of_verb),
                ),
            }
        }
        commands
    }

    /// Finds the operation of the matched command; `None` for the program's own commands.
    pub fn matched<'a>(&self, matches: &'a ArgMatches) -> Option<(&Entry, &'a ArgMatches)> {
        let (noun, matches) = matches.subcommand()?;
        let (verb, matches) = matches.subcommand()?;
        let entry =
            self.entries().iter().find(|it| it.noun().word == noun && it.verb().form().word == verb)?;
        Some((entry, matches))
    }
}

fn output() -> Arg {
    Arg::new(OUTPUT)
        .long(kebab(OUTPUT))
        .value_name("FORM")
        .value_parser(PossibleValuesParser::new(Output::names()))
        .ignore_case(true)
        .global(true)
        .help_heading(RESULTS)
        .help("Output format [default: table on a terminal, json elsewhere]")
}

fn of_verb(entry: &Entry) -> Command {
    let mut command = Command::new(entry.verb().form().word)
        .about(entry.about())
        .after_help(format!("As a cmdlet: {}", entry.name()));
    for parameter in entry.parameters_for_people() {
        command = command.args(arguments(parameter));
    }
    if entry.verb().changes() {
        command = command
            .arg(
                Arg::new(WHAT_IF)
                    .long(kebab(WHAT_IF))
                    .action(ArgAction::SetTrue)
                    .help("Show what would be done, and change nothing"),
            )
            .arg(
                Arg::new(CONFIRM)
                    .long(kebab(CONFIRM))
                    .value_name("true|false")
                    .num_args(0..=1)
                    .require_equals(true)
                    .default_missing_value("true")
                    .value_parser(["true", "false"])
                    .hide_possible_values(true)
                    .help(if entry.confirm {
                        "--confirm=false runs without confirmation (asked only on a terminal)"
                    } else {
                        "Ask for confirmation (only on a terminal)"
                    }),
            );
    }
    command
}

fn arguments(parameter: &Parameter) -> Vec<Arg> {
    if parameter.name == IDENTITY {
        let arg = with_help(Arg::new(IDENTITY).index(1), parameter);
        return vec![arg.required(parameter.required).value_name("IDENTITY")];
    }
    let mut arg = with_help(Arg::new(parameter.name.clone()).long(parameter.option()), parameter)
        .required(parameter.required)
        .value_name(value_name(&parameter.kind));
    arg = match &parameter.kind {
        Kind::Switch => arg.required(false).action(ArgAction::SetTrue),
        Kind::Choice(choices) if !parameter.clearable => {
            arg.value_parser(possible(choices)).ignore_case(true)
        }
        Kind::Boolean if !parameter.clearable => {
            arg.value_parser(["true", "false"]).ignore_case(true).hide_possible_values(true)
        }
        Kind::Integer { least, .. } => arg.allow_negative_numbers(*least < 0),
        Kind::Bytes => arg.value_hint(ValueHint::FilePath),
        // A value is accepted only to refuse it without repeating it.
        Kind::Secret => arg.required(false).num_args(0..=1).default_missing_value(""),
        Kind::List(kind) => match &**kind {
            Kind::Choice(choices) => arg
                .action(ArgAction::Append)
                .value_delimiter(',')
                .value_parser(possible(choices))
                .ignore_case(true),
            _ => arg.action(ArgAction::Append),
        },
        Kind::Map => arg.action(ArgAction::Append),
        _ => arg,
    };
    let (Some(id), option) = (parameter.secret_file(), parameter.option()) else { return vec![arg] };
    let file = Arg::new(id.clone()).long(kebab(&id)).value_name("FILE").value_hint(ValueHint::FilePath);
    if parameter.kind == Kind::Secret {
        let file = file.conflicts_with(parameter.name.clone());
        return vec![arg, file.help(format!("File with the secret, instead of --{option}"))];
    }
    let file = file.requires(parameter.name.clone());
    vec![arg, file.help(format!("File with the password of --{option} [default: prompt]"))]
}

fn possible(choices: &[AllowedValue]) -> PossibleValuesParser {
    PossibleValuesParser::new(choices.iter().map(|it| {
        let value = PossibleValue::new(it.name.clone());
        if it.help.is_empty() { value } else { value.help(it.help.clone()) }
    }))
}

fn with_help(arg: Arg, parameter: &Parameter) -> Arg {
    let mut notes = Vec::new();
    match &parameter.kind {
        Kind::List(_) => notes.push("[several: separate by commas, or repeat the option]".to_owned()),
        Kind::Map => notes.push("[several: repeat the option]".to_owned()),
        Kind::Secret => notes.extend(
            parameter.secret_variable().map(|it| format!("[takes no value: read from {it}, or prompt]")),
        ),
        Kind::Limit => notes.push(format!("[{}]", must_be(&parameter.kind))),
        _ => {}
    }
    match &parameter.default {
        Some(serde_json::Value::String(text)) => notes.push(format!("[default: {text}]")),
        Some(value) => notes.push(format!("[default: {value}]")),
        None => {}
    }
    if parameter.clearable {
        notes.push("['$null' clears it]".to_owned());
    }
    let (short, more) = parameter.help.split_once("\n\n").unwrap_or((&parameter.help, ""));
    let notes = notes.join(" ");
    let first = [short, &notes].into_iter().filter(|it| !it.is_empty()).collect::<Vec<_>>().join(" ");
    let arg = arg.help(first.clone());
    if more.is_empty() { arg } else { arg.long_help(format!("{first}\n\n{more}")) }
}

fn value_name(kind: &Kind) -> &'static str {
    match kind {
        Kind::Switch | Kind::Boolean => "true|false",
        Kind::Integer { .. } => "N",
        Kind::Limit => "N|unlimited",
        Kind::Text | Kind::Choice(_) | Kind::Continuation => "TEXT",
        Kind::DateTime => "DATE",
        Kind::TimeSpan => "TIME",
        Kind::Bytes => "FILE",
        Kind::Credential => "USER",
        Kind::Secret => "SECRET",
        Kind::List(kind) => value_name(kind),
        Kind::Map => "NAME=VALUE",
    }
}
