//! Runs the passes, so many mailboxes at once.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use mailhaul_engine::{Budget, Error, PassOptions, Places, Report};
use mailhaul_remotes::{ImapMailbox, LabelRules};
use mailhaul_store::Store;
use tokio_util::sync::CancellationToken;

use super::{at_once::at_once, mailboxes::Mailbox};
use crate::{
    one_pass::{BUDGET, OnePass},
    ui::Ui,
};

/// How one mailbox ended.
pub(crate) struct Outcome {
    pub(crate) name: String,
    pub(crate) row: Option<usize>,
    pub(crate) report: Report,
    pub(crate) elapsed: Duration,
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
    let pass = OnePass { progress: &progress, budget, places, stop, options };
    let labels = LabelRules { folders: options.folders.clone(), ..LabelRules::default() };
    let source = ImapMailbox::new(mailbox.source).with_labels(labels);
    Box::pin(pass.run(source, ImapMailbox::new(mailbox.target), &ledger)).await
}
