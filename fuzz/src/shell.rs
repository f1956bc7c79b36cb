//! Scripts and lines of the prompt.

use std::{
    io,
    sync::atomic::{AtomicUsize, Ordering},
    time::Duration,
};

use futures_util::FutureExt as _;
use mailhaul_mail::Secret;
use mailhaul_shell::{
    Argument, Host, HostError, ScriptLimits, ScriptOutput, Shell, Value, check, complete, is_complete,
};
use serde_json::json;

/// Reads a text of cmdlets.
pub fn shell(octets: &[u8]) {
    let Ok(script) = str::from_utf8(octets) else { return };
    let checked = check(script);
    if !is_complete(script) {
        assert!(checked.is_err(), "a script that is not complete cannot be right");
    }
    let mut shown = 0;
    // Low limits: an execution takes microseconds, and a script that reaches one is as good as any other.
    let limits = ScriptLimits { steps: 2_000, memory: 512 << 10, output: 64 << 10, depth: 60 };
    let mut shell = Shell::new().with_width(Some(80)).with_limits(limits);
    let mut output = |output: ScriptOutput<'_>| {
        if let ScriptOutput::Text(text) = output {
            shown += text.len();
        }
    };
    // The host answers at once: a script that waits for anything else would never end.
    let desk = Desk::default();
    let result =
        shell.run(script, &desk, &mut output).now_or_never().expect("a script waits for its host alone");
    if let Err(error) = result {
        assert!(error.line >= 1 && error.column >= 1);
        assert!(error.line <= script.matches('\n').count() + 1, "{error}");
    }
    if script.len() < 200 {
        complete(script, script.len(), &desk);
    }
}

/// A host without any connection, which answers at once.
#[derive(Default)]
struct Desk {
    calls: AtomicUsize,
}

/// Calls and waits after which the host ends a script, as Ctrl-C does.
const MOST_CALLS: usize = 10;

impl Desk {
    fn count(&self) -> bool {
        self.calls.fetch_add(1, Ordering::Relaxed) >= MOST_CALLS
    }
}

impl Host for Desk {
    fn invoke(
        &self,
        command: &str,
        _arguments: Vec<Argument>,
        _input: Option<Value>,
    ) -> impl Future<Output = Result<Vec<Value>, HostError>> + Send {
        std::future::ready(match command {
            _ if self.count() => Err(HostError::new("stopped").refusal()),
            "Get-MigrationUser" => Ok(vec![json!([
                { "Identity": "ann@b.c", "BatchId": "B1", "Status": "Synced", "SyncedItemCount": 120, "ErrorSummary": null,
                  "LastSuccessfulSyncTime": "2026-11-02T08:00:00Z" },
                { "Identity": "bob@b.c", "BatchId": "B1", "Status": "Failed", "SyncedItemCount": 9, "ErrorSummary": "no",
                  "LastSuccessfulSyncTime": null },
            ])
            .into()]),
            "Get-Credential" => {
                Ok(vec![Value::Credential { user: "admin".to_owned(), password: Secret::new("hunter2") }])
            }
            "Stop-MigrationBatch" => Err(HostError::new("the batch is already stopped")),
            "Set-MigrationBatch" => Err(HostError::at_argument("there is no parameter -Prot", 1)),
            _ => Ok(Vec::new()),
        })
    }

    fn read_file(&self, path: &str) -> io::Result<Vec<u8>> {
        if path == "users.csv" {
            Ok(b"EmailAddress\r\n".to_vec())
        } else {
            Err(io::ErrorKind::NotFound.into())
        }
    }

    fn write_file(&self, _path: &str, _content: &[u8]) -> io::Result<()> {
        Ok(())
    }

    fn append_file(&self, _path: &str, _content: &[u8]) -> io::Result<()> {
        Ok(())
    }

    fn sleep(&self, _duration: Duration) -> impl Future<Output = ()> + Send {
        std::future::ready(())
    }

    fn breathe(&self) -> impl Future<Output = Result<(), HostError>> + Send {
        std::future::ready(if self.count() { Err(HostError::new("stopped")) } else { Ok(()) })
    }

    fn commands(&self) -> Vec<String> {
        ["Get-MigrationUser", "Set-MigrationBatch", "Stop-MigrationBatch", "New-MigrationEndpoint"]
            .map(ToOwned::to_owned)
            .to_vec()
    }

    fn parameters(&self, _command: &str) -> Vec<String> {
        ["Identity", "BatchId", "Status"].map(ToOwned::to_owned).to_vec()
    }

    fn default_view(&self, command: &str) -> Option<Vec<String>> {
        if command == "Get-MigrationUser" {
            Some(vec!["Identity".to_owned(), "Status".to_owned()])
        } else {
            None
        }
    }

    fn now(&self) -> jiff::Timestamp {
        jiff::Timestamp::UNIX_EPOCH
    }
}
