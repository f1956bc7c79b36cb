//! A host in memory that remembers what it was asked.

use std::{
    collections::HashMap,
    future::Future,
    io,
    sync::{
        Mutex,
        atomic::{AtomicUsize, Ordering},
    },
};

use mailhaul_mail::Secret;
use mailhaul_shell::{Argument, Host, HostError, Outcome, ScriptError, ScriptOutput, Shell, Value};
use serde_json::json;

/// Invocation of a command, with its arguments and its input.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Call {
    pub(crate) command: String,
    pub(crate) arguments: Vec<Argument>,
    pub(crate) input: Vec<Value>,
}

pub(crate) struct FakeHost {
    /// Breaths after which the host ends the script.
    pub(crate) breaths_left: AtomicUsize,
    /// Paths of the files that were read.
    pub(crate) read: Mutex<Vec<String>>,
    pub(crate) calls: Mutex<Vec<Call>>,
    pub(crate) written: Mutex<HashMap<String, String>>,
    pub(crate) slept: Mutex<std::time::Duration>,
}

impl Default for FakeHost {
    fn default() -> Self {
        Self {
            breaths_left: AtomicUsize::new(usize::MAX),
            read: Mutex::default(),
            calls: Mutex::default(),
            written: Mutex::default(),
            slept: Mutex::default(),
        }
    }
}

impl FakeHost {
    pub(crate) fn calls(&self) -> Vec<Call> {
        self.calls.lock().unwrap().clone()
    }

    /// The calls as lines: `Command -Parameter value < input`.
    pub(crate) fn lines(&self) -> Vec<String> {
        self.calls().iter().map(draw).collect()
    }
}

fn draw(call: &Call) -> String {
    let json = |value: &Value| serde_json::Value::from(value).to_string();
    let mut line = call.command.clone();
    for argument in &call.arguments {
        let word = match argument {
            Argument::Parameter { name, value: None } => format!(" -{name}"),
            Argument::Parameter { name, value: Some(value) } => format!(" -{name}:{}", json(value)),
            Argument::Value(value) => format!(" {}", json(value)),
        };
        line.push_str(&word);
    }
    for value in &call.input {
        let identity = if let Value::Object(object) = value { object.get("Identity") } else { None };
        line.extend([" < ", &json(identity.unwrap_or(value))]);
    }
    line
}

pub(crate) fn users() -> serde_json::Value {
    json!([
        { "Identity": "ann@b.c", "BatchId": "B1", "Status": "Synced", "SyncedItemCount": 120, "SkippedItemCount": 0,
          "LastSuccessfulSyncTime": "2026-11-02T08:00:00Z", "ErrorSummary": null },
        { "Identity": "bob@b.c", "BatchId": "B1", "Status": "Failed", "SyncedItemCount": 9, "SkippedItemCount": 2,
          "LastSuccessfulSyncTime": null, "ErrorSummary": "login refused" },
        { "Identity": "cid@b.c", "BatchId": "B2", "Status": "Syncing", "SyncedItemCount": 30, "SkippedItemCount": 1,
          "LastSuccessfulSyncTime": "2026-11-01T20:00:00Z", "ErrorSummary": null },
    ])
}

impl Host for FakeHost {
    fn invoke(
        &self,
        command: &str,
        arguments: Vec<Argument>,
        input: Option<Value>,
    ) -> impl Future<Output = Result<Vec<Value>, HostError>> + Send {
        let call = Call { command: command.to_owned(), arguments, input: input.into_iter().collect() };
        self.calls.lock().unwrap().push(call.clone());
        async move {
            Ok(match call.command.as_str() {
                "Get-MigrationUser" => vec![users().into()],
                "Get-MigrationBatch" => {
                    let batch = json!({ "Identity": "IMAPBatch1", "Status": "Syncing", "TotalCount": 3, "Tags": [], "Note": null });
                    vec![batch.into()]
                }
                "Get-MigrationConfig" => {
                    vec![json!({ "Identity": "Default", "Features": ["IMAP", "PAW"], "MaxNumberOfBatches": 100 }).into()]
                }
                "Get-Credential" => {
                    vec![Value::Credential { user: "admin".to_owned(), password: Secret::new("hunter2") }]
                }
                "Read-Host" => vec![Value::Secret(Secret::new("hunter2"))],
                "Start-MigrationUser" if call.input.first() == Some(&"typo".into()) => {
                    return Err(HostError::new("there is no migration user typo").with_code(4));
                }
                "Start-MigrationUser" if !call.input.is_empty() => {
                    let input = &call.input[0];
                    let identity =
                        if let Value::Object(object) = input { object.get("Identity") } else { Some(input) };
                    vec![
                        json!({ "Identity": serde_json::Value::from(identity.unwrap()), "Status": "Queued" })
                            .into(),
                    ]
                }
                "Stop-MigrationBatch" => return Err(HostError::new("the batch is already stopped")),
                "Set-MigrationBatch" => return Err(HostError::at_argument("there is no parameter -Prot", 1)),
                _ => Vec::new(),
            })
        }
    }

    async fn breathe(&self) -> Result<(), HostError> {
        let left = self.breaths_left.load(Ordering::Relaxed);
        self.breaths_left.store(left.saturating_sub(1), Ordering::Relaxed);
        if left == 0 { Err(HostError::new("stopped")) } else { Ok(()) }
    }

    fn read_file(&self, path: &str) -> io::Result<Vec<u8>> {
        self.read.lock().unwrap().push(path.to_owned());
        match path {
            "/srv" => Err(io::Error::from(io::ErrorKind::IsADirectory)),
            "users.csv" => Ok(b"EmailAddress\r\n".to_vec()),
            "people.csv" | "./people.csv" => {
                Ok(b"\xEF\xBB\xBFEmailAddress,Department\r\nann@b.c,Sales\r\n\"cid@b.c\",\"R, D\"\r\n"
                    .to_vec())
            }
            _ if self.written.lock().unwrap().contains_key(path) => {
                Ok(self.written.lock().unwrap()[path].clone().into_bytes())
            }
            _ => Err(io::Error::new(io::ErrorKind::NotFound, "no such file")),
        }
    }

    fn write_file(&self, path: &str, content: &[u8]) -> io::Result<()> {
        if path.starts_with("/forbidden") {
            return Err(io::Error::new(io::ErrorKind::PermissionDenied, "not permitted"));
        }
        let content = String::from_utf8(content.to_vec()).unwrap();
        self.written.lock().unwrap().insert(path.to_owned(), content);
        Ok(())
    }

    fn append_file(&self, path: &str, content: &[u8]) -> io::Result<()> {
        let content = String::from_utf8(content.to_vec()).unwrap();
        self.written.lock().unwrap().entry(path.to_owned()).or_default().push_str(&content);
        Ok(())
    }

    async fn sleep(&self, duration: std::time::Duration) {
        *self.slept.lock().unwrap() += duration;
    }

    fn environment(&self, name: &str) -> Option<String> {
        (name == "USER").then(|| "ann".to_owned())
    }

    fn commands(&self) -> Vec<String> {
        [
            "Test-MigrationServerAvailability",
            "New-MigrationEndpoint",
            "Get-MigrationEndpoint",
            "New-MigrationBatch",
            "Get-MigrationBatch",
            "Set-MigrationBatch",
            "Stop-MigrationBatch",
            "Remove-MigrationBatch",
            "Get-MigrationUser",
            "Start-MigrationUser",
            "Get-MigrationConfig",
        ]
        .map(ToOwned::to_owned)
        .to_vec()
    }

    fn parameters(&self, command: &str) -> Vec<String> {
        match command {
            "Get-MigrationUser" => {
                ["Identity", "BatchId", "Status", "StatusSummary"].map(ToOwned::to_owned).to_vec()
            }
            _ => Vec::new(),
        }
    }

    fn values(&self, command: &str, parameter: Option<&str>) -> Vec<String> {
        let values = match (command, parameter) {
            ("Get-MigrationUser" | "", Some("Status" | "status")) => &["Synced", "Syncing", "Failed"][..],
            ("Get-MigrationBatch", None | Some("Identity")) => &["Wave 1", "Wave-2", "O'Neil", "Other"],
            _ => &[],
        };
        values.iter().map(ToString::to_string).collect()
    }

    fn check_parameter(&self, command: &str, parameter: &str) -> Result<(), HostError> {
        if parameter.starts_with("Frob") || parameter == "Prot" {
            return Err(HostError::new(format!("{command} has no parameter -{parameter}")));
        }
        Ok(())
    }

    fn default_view(&self, command: &str) -> Option<Vec<String>> {
        (command == "Get-MigrationUser")
            .then(|| ["Identity", "BatchId", "Status"].map(ToOwned::to_owned).to_vec())
    }

    fn now(&self) -> jiff::Timestamp {
        "2026-11-02T09:00:00Z".parse().unwrap()
    }
}

/// All that a script showed.
#[derive(Debug, Default)]
pub(crate) struct Shown {
    pub(crate) text: String,
    pub(crate) errors: Vec<ScriptError>,
    pub(crate) warnings: Vec<String>,
    pub(crate) notes: Vec<String>,
    pub(crate) outcome: Outcome,
    /// Error that ended the script.
    pub(crate) end: Option<ScriptError>,
}

pub(crate) async fn run_in(shell: &mut Shell, host: &FakeHost, script: &str) -> Shown {
    let mut shown = Shown::default();
    let result = shell
        .run(script, host, &mut |output| match output {
            ScriptOutput::Text(text) => shown.text.push_str(text),
            ScriptOutput::Error(error) => shown.errors.push(error.clone()),
            ScriptOutput::Warning(text) => shown.warnings.push(text.to_owned()),
            ScriptOutput::Note(text) => shown.notes.push(text.to_owned()),
        })
        .await;
    match result {
        Ok(outcome) => shown.outcome = outcome,
        Err(error) => shown.end = Some(error),
    }
    shown
}

pub(crate) async fn run_all(host: &FakeHost, script: &str) -> Shown {
    run_in(&mut Shell::new().with_width(Some(80)), host, script).await
}

/// Output of a script, and its first error.
pub(crate) async fn run_on(host: &FakeHost, script: &str) -> (String, Result<(), ScriptError>) {
    let shown = run_all(host, script).await;
    let error = shown.errors.into_iter().next().or(shown.end);
    (shown.text, error.map_or(Ok(()), Err))
}

/// Output of a script that must succeed.
pub(crate) async fn shown(script: &str) -> String {
    let (shown, result) = run_on(&FakeHost::default(), script).await;
    result.unwrap_or_else(|error| panic!("{script}: {error}"));
    shown
}

/// Error of a script that must fail.
pub(crate) async fn failure(script: &str) -> ScriptError {
    let (shown, result) = run_on(&FakeHost::default(), script).await;
    result.expect_err(&format!("{script} showed {shown}"))
}
