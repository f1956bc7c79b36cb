//! Runs the passes, so many mailboxes at once.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use mailhaul_engine::{
    Budget, Clock as _, Error, Limits, Mailbox as _, PassOptions, Places, Report, Side, Throttle, Usage,
};
use mailhaul_mail::Scope;
use mailhaul_migration::Rates;
use mailhaul_remotes::{Account, ImapMailbox, LabelRules};
use mailhaul_store::Store;
use tokio_util::sync::CancellationToken;

use super::{at_once::at_once, mailboxes::Mailbox};
use crate::{
    one_pass::{BUDGET, OnePass, SystemClock},
    service::rates::{of_endpoint, of_mailbox},
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
    rates: Rates,
    stop: &CancellationToken,
    ui: &Ui,
) -> Vec<Outcome> {
    // Each message is read and written once: what holds for one side holds for the other.
    let all = Throttle::new("this run", Scope::Endpoint, of_endpoint(rates), Usage::default());
    let budget = Budget::new(BUDGET);
    let places = Places::new(concurrency);
    let options = Arc::new(options.clone());
    let labels: Vec<(String, Option<usize>)> = mailboxes.iter().map(|it| (it.name.clone(), it.row)).collect();
    let is_last = mailboxes.len() == 1;
    let ended = at_once(mailboxes, &places, |mailbox| {
        let (budget, places, options) = (budget.clone(), places.clone(), options.clone());
        let (store, stop, ui, all) = (store.clone(), stop.clone(), ui.clone(), all.clone());
        async move {
            let begun = Instant::now();
            let report = if stop.is_cancelled() {
                failed(Error::interrupted())
            } else {
                let shared = (&budget, &places, rates, all, is_last);
                Box::pin(run_one(mailbox, &store, &options, shared, &stop, &ui)).await
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
    (budget, places, rates, all, is_last): (&Budget, &Places, Rates, Throttle, bool),
    stop: &CancellationToken,
    ui: &Ui,
) -> Report {
    let ledger = match store.mailbox(&mailbox.source_key, &mailbox.target_key).await {
        Ok(ledger) => ledger,
        Err(error) => return failed(error.into()),
    };
    let progress = ui.mailbox(&mailbox.name);
    let mut limits = Limits { throttles: vec![(Side::Source, all)], is_last, ..Limits::default() };
    let labels = LabelRules { folders: options.folders.clone(), ..LabelRules::default() };
    let source = limited(mailbox.source, rates, &mut limits).with_labels(labels);
    let target = limited(mailbox.target, rates, &mut limits);
    let pass = OnePass { progress: &progress, budget, places, stop, limits: &limits, options };
    Box::pin(pass.run(source, target, &ledger)).await
}

/// The mailbox, which keeps to what is known of servers of its kind as soon as it is known which that is.
fn limited(account: Account, rates: Rates, limits: &mut Limits) -> ImapMailbox {
    let side = account.side;
    let mailbox = ImapMailbox::new(account);
    let throttle = Throttle::new(
        mailbox.describe(),
        Scope::Mailbox,
        mailhaul_engine::Rates::default(),
        Usage::default(),
    );
    limits.throttles.push((side, throttle.clone()));
    mailbox.with_profile_listener(Arc::new(move |profile| {
        throttle.set_rates(SystemClock.now(), of_mailbox(rates, profile.limits, side));
    }))
}
