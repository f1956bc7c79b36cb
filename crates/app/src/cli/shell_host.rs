//! Operations as cmdlets of the shell.

use std::{fs, io, sync::Arc};

use mailhaul_operations::{Failure, Form, Operations, cmdlet};
use mailhaul_shell::{Argument, Host, HostError, Object, Value};

use super::{
    command::{expects_service, with_advice},
    console::{self, Console},
};
use crate::{
    context::Context, data_directory::DataPlace, output::text, serve::service_connection::ServiceConnection,
};

/// Prints the result of a statement.
pub(crate) fn show(lines: &str) {
    text::print_page(lines.trim_end_matches('\n'));
}

/// Runs each cmdlet as an operation: in the service if it runs, else in this process.
pub(crate) struct ShellHost {
    pub(crate) data: DataPlace,
    pub(crate) operations: Arc<Operations<Context>>,
}

impl Host for ShellHost {
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
                "ConvertTo-SecureString is not supported: the secret would be in the script; write (Read-Host -AsSecureString)",
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

impl ShellHost {
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
                    Some(index) => HostError::at_argument(with_advice(&refusal.failure), index),
                    None => failed(&refusal.failure),
                };
                if refusal.conceals { error.concealed() } else { error }
            })?);
        }
        let connection = ServiceConnection::open(&self.data, &self.operations)
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
            match connection.client.call(entry, bound.request).await {
                Ok(results) => values.extend(results.into_iter().map(Value::from)),
                Err(failure) => {
                    outcome = Err(failed(&failure));
                    break;
                }
            }
        }
        if outcome.is_ok() && expects_service(entry.verb()) {
            connection.note_if_no_service();
        }
        connection.close().await;
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
            self.operations.find(name).map_err(|failure| HostError::at_argument(with_advice(&failure), 0))?;
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

/// Runs `Get-Credential NAME`: asks for the password.
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

/// Runs `Read-Host WORDS [-AsSecureString]`: asks for a secret or a text.
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
    HostError::new(with_advice(failure))
}
