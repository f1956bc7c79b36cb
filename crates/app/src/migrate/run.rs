//! Runs the passes, so many mailboxes at once.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use mailhaul_engine::{Budget, Clock, Error, Mailbox as _, Pass, PassOptions, Places, Report};
use mailhaul_remotes::ImapMailbox;
use mailhaul_store::Store;
use tokio_util::sync::CancellationToken;

use super::{at_once::at_once, mailboxes::Mailbox};
use crate::ui::Ui;

/// Octets on their way between all sources and targets of the process.
const BUDGET: u32 = 8 << 20;

/// How one mailbox ended.
pub(crate) struct Outcome {
    pub(crate) name: String,
    pub(crate) row: Option<usize>,
    pub(crate) report: Report,
    pub(crate) elapsed: Duration,
}

/// The time of the machine.
struct SystemClock;

impl Clock for SystemClock {
    async fn sleep(&self, duration: Duration) {
        tokio::time::sleep(duration).await;
    }
}

/// Runs all, and gives the outcomes in the order of the mailboxes.
pub(crate) async fn run_all(
    mailboxes: Vec<Mailbox>,
    store: &Store,
    options: &PassOptions,
    concurrency: usize,
    stop: &CancellationToken,
    ui: &Ui,
) -> Vec<Outcome> {
    let budget = Budget::new(BUDGET);
    let places = Places::new(concurrency);
    let options = Arc::new(options.clone());
    let labels: Vec<(String, Option<usize>)> = mailboxes.iter().map(|it| (it.name.clone(), it.row)).collect();
    let ended = at_once(mailboxes, &places, |mailbox| {
        let (budget, places, options) = (budget.clone(), places.clone(), options.clone());
        let (store, stop, ui) = (store.clone(), stop.clone(), ui.clone());
        async move {
            let begun = Instant::now();
            let report = if stop.is_cancelled() {
                failed(Error::interrupted())
            } else {
                Box::pin(run_one(mailbox, &store, &options, (&budget, &places), &stop, &ui)).await
            };
            (report, begun.elapsed())
        }
    })
    .await;
    labels
        .into_iter()
        .zip(ended)
        .map(|((name, row), ended)| {
            let (report, elapsed) = ended.unwrap_or_else(|error| (failed(error), Duration::ZERO));
            Outcome { name, row, report, elapsed }
        })
        .collect()
}

fn failed(error: Error) -> Report {
    Report { folders: Vec::new(), error: Some(error) }
}

async fn run_one(
    mailbox: Mailbox,
    store: &Store,
    options: &PassOptions,
    (budget, places): (&Budget, &Places),
    stop: &CancellationToken,
    ui: &Ui,
) -> Report {
    let ledger = match store.mailbox(&mailbox.source_key, &mailbox.target_key).await {
        Ok(ledger) => ledger,
        Err(error) => return failed(error.into()),
    };
    let progress = ui.mailbox(&mailbox.name);
    let mut source = ImapMailbox::new(mailbox.source);
    let mut target = ImapMailbox::new(mailbox.target);
    let pass = Pass {
        source: &mut source,
        target: &mut target,
        ledger: &ledger,
        progress: &progress,
        clock: &SystemClock,
        budget,
        places,
        stop,
        options,
    };
    let report = Box::pin(pass.run()).await;
    tokio::join!(source.close(), target.close());
    report
}
