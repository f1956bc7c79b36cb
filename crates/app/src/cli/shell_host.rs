//! Operations as cmdlets of the shell.

use std::{
    collections::HashSet,
    fs,
    io::{self, Read as _, Write as _},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use mailhaul_operations::{
    Entry, Failure, FailureKind, Form, Kind, Operations, Output, check_parameter_name, cmdlet,
};
use mailhaul_shell::{Argument, Host, HostError, ScriptOutput, Value};
use tokio::sync::Mutex;

use super::{
    batch_warnings,
    command::{expects_service, with_advice},
    console::{self, Console},
    exchange_parameters, help, proposals, steps,
};
use crate::{
    context::Context, data_directory::DataPlace, output::text, serve::service_connection::ServiceConnection,
};

/// Maximum size of a file that a script reads, in bytes. A value cannot be larger.
const MAX_FILE: u64 = 96 << 20;

/// Key of the note that no service runs.
const NO_SERVICE: &str = "no service";

/// Prints what a script shows.
pub(crate) fn show(output: ScriptOutput<'_>) {
    match output {
        ScriptOutput::Text(lines) => text::print_page(lines.strip_suffix('\n').unwrap_or(lines)),
        ScriptOutput::Error(error) => text::print_error(format_args!("{error}")),
        ScriptOutput::Warning(warning) => text::print_error(format_args!("warning: {warning}")),
        ScriptOutput::Note(note) => text::print_error(note),
    }
}

/// Runs each cmdlet as an operation: in the service if it runs, else in this process.
pub(crate) struct ShellHost {
    data: DataPlace,
    operations: Arc<Operations<Context>>,
    /// Open while commands follow each other.
    connection: Mutex<Option<ServiceConnection>>,
    is_asking: AtomicBool,
    /// Warnings and notes that were shown.
    warned: parking_lot::Mutex<HashSet<String>>,
    /// Warnings of the last command.
    warnings: parking_lot::Mutex<Vec<String>>,
}

impl Host for ShellHost {
    async fn invoke(
        &self,
        command: &str,
        arguments: Vec<Argument>,
        input: Option<Value>,
    ) -> Result<Vec<Value>, HostError> {
        match command {
            "Get-Credential" => self.ask(move || credential(&arguments)).await?,
            "Get-Help" => help::help(&self.operations, &arguments),
            "Read-Host" => self.ask(move || read_host(&arguments)).await?,
            "ConvertTo-SecureString" => Err(HostError::new(
                "ConvertTo-SecureString is not supported: the secret would be in the script; write (Read-Host -AsSecureString)",
            )
            .refusal()
            .concealed()),
            _ => self.operation(command, arguments, input.as_ref()).await,
        }
    }

    fn read_file(&self, path: &str) -> io::Result<Vec<u8>> {
        // Devices are files without an end.
        let mut content = Vec::new();
        fs::File::open(path)?.take(MAX_FILE + 1).read_to_end(&mut content)?;
        if content.len() as u64 > MAX_FILE {
            return Err(io::Error::other(format!("it has more than {} MB", MAX_FILE >> 20)));
        }
        Ok(content)
    }

    fn has_file(&self, path: &str) -> bool {
        fs::exists(path).unwrap_or(false)
    }

    fn write_file(&self, path: &str, content: &[u8]) -> io::Result<()> {
        fs::write(path, content)
    }

    fn append_file(&self, path: &str, content: &[u8]) -> io::Result<()> {
        fs::OpenOptions::new().append(true).create(true).open(path)?.write_all(content)
    }

    fn commands(&self) -> Vec<String> {
        self.operations.entries().iter().map(|it| it.name().to_owned()).collect()
    }

    fn parameters(&self, command: &str) -> Vec<String> {
        let entry = self.operations.entry(command);
        entry.map_or_else(Vec::new, |it| it.parameters_for_people().map(|it| it.name.clone()).collect())
    }

    fn values(&self, command: &str, parameter: Option<&str>) -> Vec<String> {
        proposals::values(&self.data, &self.operations, command, parameter)
    }

    fn check_parameter(&self, command: &str, parameter: &str) -> Result<(), HostError> {
        let Some(entry) = self.operations.entry(command) else { return Ok(()) };
        let parameter = exchange_parameters::own_name(parameter);
        if exchange_parameters::is_without_effect(entry.name(), parameter) {
            return Ok(());
        }
        if let Some(why) = exchange_parameters::refusal(entry, parameter) {
            return Err(HostError::new(why).refusal().with_code(FailureKind::Invalid.exit_code()));
        }
        check_parameter_name(entry, parameter).map_err(|failure| failed(&failure))
    }

    fn default_view(&self, command: &str) -> Option<Vec<String>> {
        let entry = self.operations.entry(command)?;
        Some(entry.view().iter().map(|it| (*it).to_owned()).collect())
    }

    fn environment(&self, name: &str) -> Option<String> {
        let name = match name.to_ascii_uppercase().as_str() {
            // Names that Windows has.
            "USERNAME" => "USER".to_owned(),
            "USERPROFILE" | "HOMEPATH" => "HOME".to_owned(),
            "TEMP" | "TMP" => return Some(std::env::temp_dir().display().to_string()),
            "COMPUTERNAME" => "HOSTNAME".to_owned(),
            _ => name.to_owned(),
        };
        std::env::var(name).ok()
    }

    async fn sleep(&self, duration: Duration) {
        // Others may use the data directory meanwhile.
        self.finish().await;
        tokio::time::sleep(duration).await;
    }

    fn take_warnings(&self) -> Vec<String> {
        std::mem::take(&mut *self.warnings.lock())
    }

    fn for_each_object(&self, command: &str, arguments: Vec<Argument>) -> Vec<Vec<Argument>> {
        match self.operations.entry(command) {
            Some(entry) => each_identity(entry, arguments),
            None => vec![arguments],
        }
    }

    async fn breathe(&self) -> Result<(), HostError> {
        tokio::task::yield_now().await;
        Ok(())
    }
}

impl ShellHost {
    pub(crate) fn new(data: DataPlace, operations: Arc<Operations<Context>>) -> Self {
        Self {
            data,
            operations,
            connection: Mutex::default(),
            warned: parking_lot::Mutex::default(),
            warnings: parking_lot::Mutex::default(),
            is_asking: AtomicBool::new(false),
        }
    }

    /// Closes the connection. The next command opens another one.
    pub(crate) async fn finish(&self) {
        if let Some(connection) = self.connection.lock().await.take() {
            connection.close().await;
        }
    }

    /// Asks on the terminal, in a thread of its own so that Ctrl-C is noticed meanwhile.
    async fn ask<T: Send + 'static>(
        &self,
        question: impl FnOnce() -> T + Send + 'static,
    ) -> Result<T, HostError> {
        self.is_asking.store(true, Ordering::Relaxed);
        let answer = tokio::task::spawn_blocking(question).await;
        self.is_asking.store(false, Ordering::Relaxed);
        answer.map_err(|error| HostError::new(format!("the question failed: {error}")))
    }

    /// True if a question waits for its answer.
    pub(crate) fn is_asking(&self) -> bool {
        self.is_asking.load(Ordering::Relaxed)
    }

    async fn operation(
        &self,
        command: &str,
        arguments: Vec<Argument>,
        input: Option<&Value>,
    ) -> Result<Vec<Value>, HostError> {
        let entry = self.operations.find(command).map_err(|failure| failed(&failure))?;
        let (arguments, places, warnings) = exchange_parameters::take_out(entry.name(), arguments);
        let warnings = warnings.into_iter().filter(|warning| self.is_first(warning)).collect::<Vec<_>>();
        self.warnings.lock().extend(warnings);
        let bound = cmdlet(entry, &arguments, input, Form::Shell, &Console).map_err(|refusal| {
            let place = refusal.argument.and_then(|index| places.get(index).copied());
            let error = match place {
                Some(index) => HostError::at_argument(with_advice(&refusal.failure), index),
                None => HostError::new(with_advice(&refusal.failure)).refusal(),
            };
            let error = error.with_code(refusal.failure.kind.exit_code());
            if refusal.conceals { error.concealed() } else { error }
        })?;
        if bound.what_if {
            text::print(bound.effect(entry));
            return Ok(Vec::new());
        }
        if bound.must_ask(entry, console::is_terminal()) {
            let question = bound.question(entry);
            if !self.ask(move || console::agrees(&question)).await? {
                return Ok(Vec::new());
            }
        }
        let mut connection = self.connection.lock().await;
        let opened = match connection.take() {
            Some(opened) => opened,
            None => ServiceConnection::open(&self.data, &self.operations).await.map_err(|error| {
                HostError::new(format!("{error:#}")).with_code(FailureKind::Unavailable.exit_code())
            })?,
        };
        let opened = connection.insert(opened);
        let may_warn = batch_warnings::may_come(entry, &bound.request);
        let results = steps::call(&opened.client, entry, bound.request, Output::Table).await;
        let mut results = results.map_err(|failure| failed(&failure))?;
        if expects_service(entry.verb()) && !opened.is_service() && self.is_first(NO_SERVICE) {
            opened.note_if_no_service();
        }
        self.warnings.lock().extend(batch_warnings::of_removal(entry, &mut results));
        if may_warn {
            self.warnings.lock().extend(results.iter().flat_map(batch_warnings::warnings));
        }
        Ok(results.into_iter().map(Value::from).collect())
    }

    /// True if this was not told before.
    fn is_first(&self, told: &str) -> bool {
        self.warned.lock().insert(told.to_owned())
    }
}

/// Divides `-Identity a, b` into two commands.
fn each_identity(entry: &Entry, arguments: Vec<Argument>) -> Vec<Vec<Argument>> {
    let is_identity = |name: Option<&str>| {
        proposals::find(entry, name).is_some_and(|parameter| parameter.name == "Identity")
    };
    let takes_value = |name: &str| {
        // A parameter that has no effect here has a value all the same.
        proposals::find(entry, Some(name)).is_none_or(|parameter| parameter.kind != Kind::Switch)
    };
    let mut owner = None;
    let mut place = None;
    for (index, argument) in arguments.iter().enumerate() {
        match argument {
            Argument::Parameter { name, value: Some(Value::List(_)) } if is_identity(Some(name)) => {
                place = Some(index);
            }
            Argument::Parameter { name, value: None } if takes_value(name) => owner = Some(name.as_str()),
            Argument::Value(Value::List(_)) if is_identity(owner) => place = Some(index),
            _ => owner = None,
        }
    }
    let list = match place.and_then(|place| arguments.get(place)) {
        Some(
            Argument::Parameter { value: Some(Value::List(list)), .. } | Argument::Value(Value::List(list)),
        ) => list.clone(),
        _ => return vec![arguments],
    };
    let with = |identity: Value| {
        let mut arguments = arguments.clone();
        if let Some(Argument::Parameter { value: Some(value), .. } | Argument::Value(value)) =
            place.and_then(|place| arguments.get_mut(place))
        {
            *value = identity;
        }
        arguments
    };
    list.into_iter().map(with).collect()
}

/// Runs `Get-Credential NAME`: asks for the password.
fn credential(arguments: &[Argument]) -> Result<Vec<Value>, HostError> {
    let texts: Vec<&String> = arguments
        .iter()
        .filter_map(|it| if let Argument::Value(Value::Text(text)) = it { Some(text) } else { None })
        .collect();
    // -Message is for a window; the name is what is asked about.
    let has_message = |it: &Argument| matches!(it, Argument::Parameter { name, .. } if name.eq_ignore_ascii_case("Message"));
    let name = match texts.as_slice() {
        [_] if arguments.iter().any(has_message) => None,
        [first, ..] => Some((*first).clone()),
        [] => None,
    };
    let user = match name {
        Some(name) => name,
        None => console::ask_text("User name")
            .map_err(|error| HostError::new(format!("write Get-Credential NAME ({error})")).refusal())?,
    };
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
    HostError::new(with_advice(failure)).with_code(failure.kind.exit_code())
}
