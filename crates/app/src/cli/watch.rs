//! `mailhaul watch BATCH`: shows the progress of a batch until it completes.

use std::{io::IsTerminal as _, sync::Arc, time::Duration};

use anyhow::{Result, anyhow};
use clap::Args;
use indicatif::{MultiProgress, ProgressBar, ProgressStyle};
use mailhaul_mail::on_one_line;
use mailhaul_operations::{Client, Failure, Operations};
use serde_json::{Value, json};

use super::command::with_advice;
use crate::{
    context::Context, data_directory::DataPlace, exit::Exit, output::text,
    serve::service_connection::ServiceConnection,
};

/// Time between queries.
const POLL_INTERVAL: Duration = Duration::from_secs(1);
/// Maximum number of users with a progress bar. They must fit on a terminal.
const MAX_BARS: usize = 12;
/// Statuses that change without a command.
const CHANGING: [&str; 7] =
    ["Starting", "Waiting", "Syncing", "IncrementalSyncing", "Stopping", "Completing", "Created"];

/// Options of `mailhaul watch`.
#[derive(Args, Debug)]
pub(crate) struct WatchOptions {
    /// Name or GUID of the batch
    #[arg(value_name = "BATCH")]
    batch: String,
}

/// Shows the progress until the status changes no more.
pub(crate) async fn run(
    options: WatchOptions,
    data: &DataPlace,
    operations: &Arc<Operations<Context>>,
) -> Result<Exit> {
    let connection = ServiceConnection::open(data, operations).await?;
    connection.note_if_no_service();
    let watched = watch(operations, &connection, &options.batch).await;
    connection.close().await;
    watched
        .map_err(|failure| anyhow!(Exit::Operation(failure.kind.exit_code())).context(with_advice(&failure)))
}

async fn watch(
    operations: &Operations<Context>,
    connection: &ServiceConnection,
    batch: &str,
) -> Result<Exit, Failure> {
    let mut display = Display::new();
    loop {
        let found =
            call(operations, &connection.client, "Get-MigrationBatch", json!({ "Identity": batch })).await?;
        let Some(found) = found.into_iter().next() else {
            return Err(Failure::not_found(format_args!("there is no migration batch \"{batch}\"")));
        };
        let request =
            json!({ "BatchId": batch, "StatusSummary": "Active", "ResultSize": MAX_BARS.to_string() });
        let users = call(operations, &connection.client, "Get-MigrationUser", request).await?;
        display.batch(&found);
        display.users(&users);
        let status = found["Status"].as_str().unwrap_or_default();
        if !CHANGING.contains(&status) || !connection.is_service() {
            display.end();
            text::print(format_args!("{}: {}", found["Identity"].as_str().unwrap_or(batch), summary(&found)));
            let is_fine = number(&found, "FailedCount") == 0;
            return Ok(if is_fine { Exit::Synced } else { Exit::Failed });
        }
        tokio::select! {
            () = tokio::time::sleep(POLL_INTERVAL) => {}
            _ = tokio::signal::ctrl_c() => {
                display.end();
                text::print_error("stopped watching; the batch continues");
                return Ok(Exit::Interrupted);
            }
        }
    }
}

async fn call(
    operations: &Operations<Context>,
    client: &Client,
    name: &str,
    request: Value,
) -> Result<Vec<Value>, Failure> {
    client.call(operations.find(name)?, request).await
}

fn number(value: &Value, name: &str) -> u64 {
    value[name].as_u64().unwrap_or_default()
}

fn summary(batch: &Value) -> String {
    format!(
        "{}: {} of {} synced, {} active, {} failed; {} messages, {}",
        batch["Status"].as_str().unwrap_or_default(),
        number(batch, "SyncedCount") + number(batch, "FinalizedCount"),
        text::count(number(batch, "TotalCount"), "mailbox", "mailboxes"),
        number(batch, "ActiveCount"),
        number(batch, "FailedCount"),
        number(batch, "SyncedItemCount"),
        text::bytes(number(batch, "BytesTransferred")),
    )
}

/// Progress bars on a terminal; elsewhere one line per change.
struct Display {
    bars: Option<(MultiProgress, ProgressBar, Vec<ProgressBar>)>,
    last: String,
}

impl Display {
    fn new() -> Self {
        let bars = std::io::stderr().is_terminal().then(|| {
            let all = MultiProgress::new();
            let overall = all.add(ProgressBar::new(0).with_style(style()));
            let users = (0..MAX_BARS).map(|_| all.add(ProgressBar::new(0).with_style(style()))).collect();
            (all, overall, users)
        });
        Self { bars, last: String::new() }
    }

    fn batch(&mut self, batch: &Value) {
        let line = summary(batch);
        match &self.bars {
            Some((_, overall, _)) => {
                overall.set_length(number(batch, "TotalCount"));
                overall.set_position(number(batch, "SyncedCount") + number(batch, "FinalizedCount"));
                overall.set_message(on_one_line(&line).into_owned());
            }
            None if line != self.last => {
                text::print_error(&line);
                self.last = line;
            }
            None => {}
        }
    }

    fn users(&self, users: &[Value]) {
        let Some((_, _, bars)) = &self.bars else { return };
        for (index, bar) in bars.iter().enumerate() {
            let Some(user) = users.get(index) else {
                bar.set_length(0);
                bar.set_position(0);
                bar.set_message("");
                continue;
            };
            bar.set_length(number(user, "TotalItemsInSourceMailboxCount"));
            bar.set_position(number(user, "SyncedItemCount"));
            let text = |name: &str| user[name].as_str().unwrap_or_default().to_owned();
            let line = format!(
                "{} {} {}",
                text("Identity"),
                text("Status"),
                text::bytes(number(user, "BytesTransferred"))
            );
            bar.set_message(on_one_line(&line).into_owned());
        }
    }

    fn end(&self) {
        if let Some((all, ..)) = &self.bars {
            _ = all.clear();
        }
    }
}

fn style() -> ProgressStyle {
    ProgressStyle::with_template("{bar:20} {pos}/{len} {msg}")
        .unwrap_or_else(|_| ProgressStyle::default_bar())
}
