//! `mailhaul shell`: the original's lines at a prompt, from a file, or from an option.

use std::{fs, io, path::Path, path::PathBuf, sync::Arc};

use anyhow::{Context as _, Result, anyhow};
use clap::Args;
use mailhaul_operations::{Failure, Form, Operations, cmdlet};
use mailhaul_shell::{Argument, Host, HostError, Object, Shell, Value};

use super::{
    command::{starts_something, told, width},
    console::{self, Console},
    prompt,
};
use crate::{context::Context, exit::Exit, output::text, serve::service_connection::Line};

/// Options of `mailhaul shell`.
#[derive(Args, Debug)]
#[allow(clippy::doc_markdown, reason = "the comments of options are what --help prints")]
pub(crate) struct ShellOptions {
    /// Script file [default: a prompt, or standard input]
    #[arg(value_name = "FILE")]
    file: Option<PathBuf>,
    /// Lines to run instead of a script
    #[arg(short, long, value_name = "LINE", conflicts_with = "file")]
    command: Option<String>,
}

/// Runs a script, or the prompt.
pub(crate) async fn run(
    options: ShellOptions,
    data: &Path,
    operations: Arc<Operations<Context>>,
) -> Result<Exit> {
    let host = Cmdlets { data: data.to_owned(), operations };
    let script = match (&options.command, &options.file) {
        (Some(lines), _) => lines.clone(),
        (None, Some(file)) => fs::read_to_string(file)
            .with_context(|| format!("the script {} cannot be read", file.display()))?,
        (None, None) if console::is_terminal() => return prompt::run(&host).await,
        (None, None) => io::read_to_string(io::stdin()).context("standard input cannot be read")?,
    };
    let mut shell = Shell::new().with_width(width());
    let ran = shell.run(script.trim_start_matches('\u{feff}'), &host, &mut |lines| show(lines)).await;
    match ran {
        Ok(()) => Ok(Exit::Synced),
        Err(error) => {
            let name = options.file.as_ref().map(|it| format!("{}: ", it.display())).unwrap_or_default();
            Err(anyhow!(Exit::Failed).context(format!("{name}{error}")))
        }
    }
}

/// Prints what a statement gave.
pub(crate) fn show(lines: &str) {
    text::print_page(lines.trim_end_matches('\n'));
}

/// The operations as cmdlets. Each is asked of whoever serves the data directory at that moment.
pub(crate) struct Cmdlets {
    data: PathBuf,
    operations: Arc<Operations<Context>>,
}

impl Host for Cmdlets {
    async fn invoke(
        &self,
        command: &str,
        arguments: Vec<Argument>,
        input: Vec<Value>,
    ) -> Result<Vec<Value>, HostError> {
        match command {
            "Get-Credential" => credential(&arguments),
            "Get-Help" => self.help(&arguments),
            "Read-Host" => read_host(&arguments),
            "ConvertTo-SecureString" => Err(HostError::new(
                "ConvertTo-SecureString is left out: the secret would stand in the script; write (Read-Host -AsSecureString)",
            )
            .concealed()),
            _ => self.operation(command, &arguments, &input).await,
        }
    }

    fn read_file(&self, path: &str) -> io::Result<Vec<u8>> {
        fs::read(path)
    }

    fn write_file(&self, path: &str, content: &[u8]) -> io::Result<()> {
        fs::write(path, content)
    }

    fn commands(&self) -> Vec<String> {
        self.operations.entries().iter().map(|it| it.name().to_owned()).collect()
    }

    fn parameters(&self, command: &str) -> Vec<String> {
        let entry = self.operations.entry(command);
        entry.map_or_else(Vec::new, |it| it.parameters_for_people().map(|it| it.name.clone()).collect())
    }

    fn default_view(&self, command: &str) -> Option<Vec<String>> {
        let entry = self.operations.entry(command)?;
        Some(entry.view().iter().map(|it| (*it).to_owned()).collect())
    }
}

impl Cmdlets {
    async fn operation(
        &self,
        command: &str,
        arguments: &[Argument],
        input: &[Value],
    ) -> Result<Vec<Value>, HostError> {
        let entry = self.operations.find(command).map_err(|failure| failed(&failure))?;
        let mut bounds = Vec::new();
        let inputs: Vec<Option<&Value>> =
            if input.is_empty() { vec![None] } else { input.iter().map(Some).collect() };
        for input in inputs {
            let bound = cmdlet(entry, arguments, input, Form::Shell, &Console);
            bounds.push(bound.map_err(|refusal| {
                let error = match refusal.argument {
                    Some(index) => HostError::at_argument(told(&refusal.failure), index),
                    None => failed(&refusal.failure),
                };
                if refusal.conceals { error.concealed() } else { error }
            })?);
        }
        let line = Line::open(&self.data, &self.operations)
            .await
            .map_err(|error| HostError::new(format!("{error:#}")))?;
        let mut values = Vec::new();
        let mut outcome = Ok(());
        for bound in bounds {
            if bound.what_if {
                text::print(bound.effect(entry));
                continue;
            }
            if bound.must_ask(entry, console::is_terminal()) && !console::agrees(&bound.question(entry)) {
                continue;
            }
            match line.client.call(entry, bound.request).await {
                Ok(results) => values.extend(results.into_iter().map(Value::from)),
                Err(failure) => {
                    outcome = Err(failed(&failure));
                    break;
                }
            }
        }
        if outcome.is_ok() && starts_something(entry.verb()) {
            line.tell_if_nothing_moves();
        }
        line.close().await;
        outcome.map(|()| values)
    }

    fn help(&self, arguments: &[Argument]) -> Result<Vec<Value>, HostError> {
        let Some(Argument::Value(Value::Text(name))) = arguments.first() else {
            let list = self.operations.entries().iter().map(|it| {
                let texts = [("Name", it.name()), ("Synopsis", it.about())];
                Value::Object(
                    texts.into_iter().map(|(name, text)| (name, Value::Text(text.to_owned()))).collect(),
                )
            });
            return Ok(list.collect());
        };
        let entry =
            self.operations.find(name).map_err(|failure| HostError::at_argument(told(&failure), 0))?;
        let parameters = entry.parameters_for_people().map(|it| {
            let texts = [
                ("Parameter", format!("-{}", it.name)),
                ("Required", if it.required { "True" } else { "False" }.to_owned()),
                ("Description", it.help.clone()),
            ];
            Value::Object(texts.into_iter().map(|(name, text)| (name, Value::Text(text))).collect::<Object>())
        });
        Ok(parameters.collect())
    }
}

/// `Get-Credential NAME`: asks for the password.
fn credential(arguments: &[Argument]) -> Result<Vec<Value>, HostError> {
    let name = arguments.iter().find_map(|it| match it {
        Argument::Value(Value::Text(name)) => Some(name.clone()),
        _ => None,
    });
    let user = name.ok_or_else(|| HostError::new("write Get-Credential NAME"))?;
    let password =
        console::ask(&user).map_err(|error| HostError::new(format!("no password for {user}: {error}")))?;
    Ok(vec![Value::Credential { user, password }])
}

/// `Read-Host WORDS -AsSecureString`: asks for a secret, or without the switch for a text.
fn read_host(arguments: &[Argument]) -> Result<Vec<Value>, HostError> {
    let (mut words, mut is_secret) = ("", false);
    for (index, argument) in arguments.iter().enumerate() {
        match argument {
            Argument::Parameter { name, value: None } if name.eq_ignore_ascii_case("AsSecureString") => {
                is_secret = true;
            }
            Argument::Parameter { name, value: None } if name.eq_ignore_ascii_case("Prompt") => {}
            Argument::Value(Value::Text(text)) if words.is_empty() => words = text,
            _ => return Err(HostError::at_argument("write Read-Host 'words' -AsSecureString", index)),
        }
    }
    let answer = if is_secret {
        console::ask_secret(words).map(Value::Secret)
    } else {
        console::ask_text(words).map(Value::Text)
    };
    answer.map(|it| vec![it]).map_err(|error| HostError::new(format!("Read-Host: {error}")))
}

fn failed(failure: &Failure) -> HostError {
    HostError::new(told(failure))
}
